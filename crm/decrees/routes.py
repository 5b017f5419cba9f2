"""Decrees."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from crm.accounts.rules import May
from crm.web.guard import may

bp = Blueprint("decrees", __name__, url_prefix="/law/decrees")


@bp.get("")
@may(May.CHANGE_LAW)
def listing() -> ResponseReturnValue:
    """Every decree."""
    return redirect(url_for("premiums.law"))
