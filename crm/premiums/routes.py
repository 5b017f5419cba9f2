"""The law as it stands on record."""

from functools import partial
from itertools import groupby

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import actor
from crm.accounts.rules import May
from crm.db import session
from crm.names import fold
from crm.premiums import queries
from crm.premiums.rules.groups import GROUPS, TITLES
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.repeals import repealed
from crm.premiums.rules.steps import steps, weighing
from crm.premiums.rules.timeline import Timeline, timelines
from crm.premiums.rules.wording import GROUNDS, STATUSES, label_of, value_of
from crm.premiums.services import in_english, repeals
from crm.web.filters import VIETNAMESE
from crm.web.guard import public
from crm.web.language import chosen

bp = Blueprint("premiums", __name__)
bp.app_context_processor(
    lambda: {
        "label_of": label_of,
        "value_of": partial(value_of, locale=chosen()),
        "weighing": partial(weighing, locale=chosen()),
        "reckoned": lambda told: steps(told, chosen()),
    }
)


MOST_SOUGHT = 60
"""Signs of a search that count."""


@bp.get("/law")
@public
def law() -> ResponseReturnValue:
    """Every number of the law in groups: what held, what holds, what comes, its document and how sure we are of it.

    `q` narrows it to what is called or documented so; `open` names a group that stands open, `all` opens every one.
    """
    today, who = clock.today(), actor()
    sought = request.args.get("q", "").strip()[:MOST_SOUGHT]
    every = timelines((row.as_value() for row in queries.law_table(session())), today)
    lines = {key: list(several) for key, several in groupby(every, key=lambda line: line.key)}
    found = {key for key, several in lines.items() if _speaks_of(sought, key, several)}
    groups = [(group, [(key, lines[key]) for key in keys if key in found]) for group, keys in GROUPS.items()]
    rows = queries.top_up_rows(session(), who.town_id) if who else queries.top_up_rows_here(session())
    known = {"groups": groups, "top_ups": rows, "places": queries.places_of(session(), rows), "today": today}
    layout = "layouts/app.html" if who else "layouts/public.html"
    known["english"] = in_english() if chosen() != VIETNAMESE else None
    known["gone"] = lambda value: repealed(value.document, today, repeals())
    words = {"layout": layout, "grounds": GROUNDS, "statuses": STATUSES, "titles": TITLES}
    asked = {"sought": sought, "opened": request.args.get("open", ""), "count": len(found)}
    return render_template(
        "premiums/law.html", **known, **words, **asked, may_change=who is not None and who.may(May.CHANGE_LAW)
    )


def _speaks_of(sought: str, key: LawKey, several: list[Timeline]) -> bool:
    """Whether a number is called so, or stands in a document of that name; without regard to accents and case."""
    if not sought:
        return True
    documents = {span.value.reference for line in several for span in (*line.spans, *line.announced)}
    glosses = map(in_english().title, documents)
    return any(fold(sought) in fold(str(text)) for text in (label_of(key), *documents, *glosses))
