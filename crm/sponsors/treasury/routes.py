"""The treasurer's first page."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.rules import May
from crm.db import session
from crm.months import Month
from crm.places.models import Town
from crm.sponsors.ledger.rules import ACTS
from crm.sponsors.treasury.queries import desk
from crm.web.guard import may

bp = Blueprint("treasury", __name__)


@bp.get("/treasury")
@may(May.SEE_SPONSORS)
def home() -> ResponseReturnValue:
    """The fund in ten seconds: every figure opens its rows."""
    scope, today = current_scope(), clock.today()
    return render_template(
        "sponsors/treasury/home.html",
        desk=desk(session(), scope, today),
        acts=ACTS,
        town=session().get_one(Town, scope.town_id),
        today=today,
        month=Month.of(today),
    )
