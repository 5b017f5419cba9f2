"""Whose help ends, for the treasurer."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.rules import May
from crm.db import session
from crm.participation.guard.rules import SPONSOR_NOTICE
from crm.sponsors.cliff import queries
from crm.web.guard import may

bp = Blueprint("cliff", __name__)

PAGE = 50


@bp.get("/sponsors/ending")
@may(May.SEE_SPONSORS)
def listing() -> ResponseReturnValue:
    """Everybody whose help ends within three months, the soonest first."""
    scope, today = current_scope(), clock.today()
    found = queries.endings_page(session(), scope, today, cursor=request.args.get("cursor"), size=PAGE)
    return render_template(
        "sponsors/cliff/listing.html",
        found=found,
        ahead=queries.ahead(session(), scope, today),
        months=SPONSOR_NOTICE,
    )
