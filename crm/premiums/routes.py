"""The public calculator, and the law as it stands on record."""

from functools import partial
from itertools import groupby

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.rules import May
from crm.db import session
from crm.months import Month
from crm.premiums import queries
from crm.premiums.forms import CalculatorForm
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.pensions import pension_table
from crm.premiums.rules.quotes import quote
from crm.premiums.rules.wording import GROUNDS, STATUSES, label_of, value_of
from crm.web.forms import refusals_on
from crm.web.guard import may, public
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
@may(May.SEE_LAW)
def law() -> ResponseReturnValue:
    """Every number of the law on record, with its source and how sure we are of it."""
    rows = groupby(queries.law_table(session()), key=lambda row: row.key)
    table = {key: list(values) for key, values in rows}
    groups = [(key, table[key]) for key in LawKey if key in table]
    return render_template("premiums/law.html", groups=groups, grounds=GROUNDS, statuses=STATUSES)
