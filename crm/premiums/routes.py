"""The public calculator, and the law as it stands on record."""

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
from crm.prospects.rules import Ground
from crm.web.forms import refusals_on
from crm.web.guard import may, public

bp = Blueprint("premiums", __name__)
EVERY_YEARS = 5
bp.app_context_processor(lambda: {"label_of": label_of, "value_of": value_of})


@bp.get("/calculator")
@public
def calculator() -> ResponseReturnValue:
    """What one would pay from this month on, who helps, and what it brings."""
    law, today = queries.law(session()), clock.today()
    form, now, told, pensions = CalculatorForm.under(law.on(today), request.args), law.on(today), None, []
    if form.validate():
        with refusals_on(form):
            grounds = [Ground(form.ground.data)]
            top_ups = queries.top_ups_here(session(), today)
            told = quote(law, form.chosen_income, grounds, Month.of(today), today, form.plan, local_top_ups=top_ups)
            pensions = pension_table(now, told.income, EVERY_YEARS)
    page = render_template("premiums/calculator.html", form=form, law=law, now=now, told=told, pensions=pensions)
    return page, 200 if told else 422


@bp.get("/law")
@may(May.SEE_LAW)
def law() -> ResponseReturnValue:
    """Every number of the law on record, with its source and how sure we are of it."""
    rows = groupby(queries.law_table(session()), key=lambda row: row.key)
    table = {key: list(values) for key, values in rows}
    groups = [(key, table[key]) for key in LawKey if key in table]
    return render_template("premiums/law.html", groups=groups, grounds=GROUNDS, statuses=STATUSES)
