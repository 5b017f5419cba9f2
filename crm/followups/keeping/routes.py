"""The page that keeps people in."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.rules import May, Reach
from crm.db import session
from crm.followups.conditions import NEGLECTED
from crm.followups.keeping.queries import ENDING_SOON, TO_WIN_BACK, keeping
from crm.participation.guard.conditions import KEYS
from crm.participation.guard.rules import STATES, STOP_REASONS
from crm.prospects.lists import conditions
from crm.web.guard import may

bp = Blueprint("keeping", __name__)
MOST_NAMED = 10
"""Of those whose people wait too long; the rest stands in the list."""


@bp.get("/keeping")
@may(May.SEE_PEOPLE)
def show() -> ResponseReturnValue:
    """Who is near a lapse, what ends soon, who lapsed and why, and what waits too long."""
    today = clock.today()
    return render_template(
        "followups/keeping/show.html",
        told=keeping(session(), current_scope(), today),
        keys=KEYS,
        states=STATES,
        ending=[conditions.named(key) for key in ENDING_SOON],
        lapsed=[conditions.named(key) for key in TO_WIN_BACK],
        neglected=NEGLECTED,
        most_named=MOST_NAMED,
        reasons=STOP_REASONS,
        limited=current_scope().reach is not Reach.ALL,
        today=today,
    )
