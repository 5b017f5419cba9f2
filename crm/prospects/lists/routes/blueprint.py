"""The one blueprint of lists, which the files beside this one fill."""

from __future__ import annotations

from flask import Blueprint, request

from crm.prospects.lists.rules import SHARING
from crm.prospects.routes.listing import Asked

bp = Blueprint("lists", __name__, url_prefix="/people")
bp.app_context_processor(lambda: {"SHARING": SHARING})


def asked_here() -> Asked:
    """What the address asks. Raises RuleBroken."""
    return Asked.here((request.args.get("q") or "").replace("\x00", "").strip()[:200])
