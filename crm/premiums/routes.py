"""The law as it stands on record."""

from functools import partial
from itertools import groupby

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import actor
from crm.accounts.rules import May
from crm.db import session
from crm.premiums import queries
from crm.premiums.rules.timeline import timelines
from crm.premiums.rules.wording import GROUNDS, STATUSES, label_of, value_of
from crm.web.guard import public
from crm.web.language import chosen

bp = Blueprint("premiums", __name__)
bp.app_context_processor(lambda: {"label_of": label_of, "value_of": partial(value_of, locale=chosen())})


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
