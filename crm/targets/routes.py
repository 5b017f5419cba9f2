"""The plan's targets, as three facts each."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.rules import May
from crm.db import session
from crm.participation.queries import organisations_named, places_named
from crm.targets import queries
from crm.targets.rules import INDICATORS, contradiction, digits, implied_denominator
from crm.web.guard import may
from crm.web.language import chosen

bp = Blueprint("targets", __name__)


@bp.get("/targets")
@may(May.SEE_TARGETS)
def listing() -> ResponseReturnValue:
    """Number, rate and denominator of each target of a year, and where they contradict each other."""
    scope, years = current_scope(), queries.years(session(), current_scope())
    asked, this = request.args.get("year", type=int), clock.today().year
    latest = next((one for one in years if one <= this), this)
    year = asked if asked is not None and asked in years else latest
    return render_template(
        "targets/listing.html",
        year=year,
        years=years,
        targets=queries.of_year(session(), scope, year),
        indicators=INDICATORS,
        contradiction=partial(contradiction, locale=chosen()),
        implied_denominator=implied_denominator,
        digits=digits,
        places=places_named(session(), scope.town_id),
        organisations=organisations_named(session(), scope.town_id),
    )
