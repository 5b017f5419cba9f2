"""The public calculator, and the law as it stands on record."""

from functools import partial
from itertools import groupby

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import actor
from crm.accounts.rules import May
from crm.db import session
from crm.months import Month
from crm.premiums import queries
from crm.premiums.forms import CalculatorForm
from crm.premiums.rules.pensions import pension_table
from crm.premiums.rules.quotes import quote
from crm.premiums.rules.timeline import timelines
from crm.premiums.rules.wording import GROUNDS, STATUSES, label_of, value_of
from crm.web.forms import refusals_on
from crm.web.guard import public
from crm.web.language import chosen

bp = Blueprint("premiums", __name__)
EVERY_YEARS = 5
bp.app_context_processor(lambda: {"label_of": label_of, "value_of": partial(value_of, locale=chosen())})


@bp.get("/calculator")
@public
def calculator() -> ResponseReturnValue:
    """What one would pay from this month on, who helps, and what it brings."""
    law, today = queries.law(session()), clock.today()
    form, told = CalculatorForm.under(law.on(today), request.args), None
    if form.validate():
        with refusals_on(form):
            here, start = queries.top_ups_here(session(), today), Month.of(today)
            told = quote(law, form.chosen_income, form.grounds, start, today, form.plan, local_top_ups=here)
    pensions = pension_table(law.on(today), told.income, EVERY_YEARS) if told else []
    known = {"form": form, "law": law, "now": law.on(today), "told": told, "pensions": pensions, "statuses": STATUSES}
    return render_template("premiums/calculator.html", **known), 200 if told else 422


@bp.get("/law")
@public
def law() -> ResponseReturnValue:
    """Every number of the law: what held, what holds, what comes, its document and how sure we are of it."""
    today, who = clock.today(), actor()
    every = timelines((row.as_value() for row in queries.law_table(session())), today)
    lines = [(key, list(several)) for key, several in groupby(every, key=lambda line: line.key)]
    rows = queries.top_up_rows(session(), who.town_id) if who else queries.top_up_rows_here(session())
    known = {"lines": lines, "top_ups": rows, "places": queries.places_of(session(), rows), "today": today}
    layout = "layouts/app.html" if who else "layouts/public.html"
    words = {"layout": layout, "grounds": GROUNDS, "statuses": STATUSES}
    return render_template(
        "premiums/law.html", **known, **words, may_change=who is not None and who.may(May.CHANGE_LAW)
    )
