"""The forecast on a page, and the wish to have it made anew."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.rules import May, Reach
from crm.background import ring
from crm.db import session
from crm.prospects.wording import GROUNDS
from crm.reports.forecast import writing
from crm.reports.forecast.queries import latest, scores
from crm.reports.forecast.rules import HORIZON, JOINERS_NEEDED, MONTHS_NEEDED, record
from crm.web.guard import may
from tasks.forecast import make_now

bp = Blueprint("forecast", __name__, url_prefix="/forecast")


@bp.get("")
@may(May.SEE_DASHBOARD)
def show() -> ResponseReturnValue:
    """When the target is reached, what would move it, what it takes a week, and how earlier forecasts did."""
    scope = current_scope()
    whole, found = scope.reach is Reach.ALL, latest(session(), scope)
    scored = scores(session(), scope.town_id, clock.today()) if whole and found else []
    return render_template("reports/forecast.html", whole=whole, found=found, scored=scored, **_words(found, scored))


def _words(found: Any, scored: Any) -> dict[str, Any]:
    return {
        "headline": writing.headline(found.outlook) if found else None,
        "sentences": writing.sentences(found.outlook) if found else [],
        "verdict": writing.verdict(record(scored)),
        "in_words": writing.chance_in_words,
        "grounds": GROUNDS,
        "needs": {"months": MONTHS_NEEDED, "joiners": JOINERS_NEEDED, "horizon": HORIZON},
    }


@bp.post("/again")
@may(May.SEE_DASHBOARD)
def again() -> ResponseReturnValue:
    """Have it made from the figures as they stand."""
    heard = ring(make_now, str(current_scope().town_id))
    flash(
        _("The forecast is being worked out anew. Look again in a moment.")
        if heard
        else _("The work in the background does not run. The forecast is made when it runs again.")
    )
    return redirect(url_for(".show"))
