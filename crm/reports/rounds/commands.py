"""`crm rounds`: which reporting rounds there are, and which units have not reported."""

from __future__ import annotations

import json
from typing import Any

import click
from flask_babel import gettext as _

from crm import clock
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.db import session
from crm.places.queries import the_town
from crm.reports.documents.showing import period_title
from crm.reports.rounds import queries
from crm.reports.rounds.models import ReportingRound
from crm.reports.rounds.rules import OWING, STATES, late_by

MOST_ROUNDS = 12
MOST_UNITS = 1_000


@click.command("rounds")
@click.option("--late", is_flag=True, help="Only reports whose last day is past.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def rounds(late: bool, as_json: bool) -> None:
    """The last twelve reporting rounds and the units that have not reported, with the days they are late."""
    town_id, today = the_town(session()).id, clock.today()
    scope = Scope(town_id, user_id=town_id, reach=Reach.ALL, organisation_id=None, place_ids=None)
    found = queries.page_of(session(), scope, cursor=None, size=MOST_ROUNDS).rows
    counts = queries.counts(session(), scope, [row.id for row in found], today)
    told = [_told(scope, row, counts.get(row.id, queries.Counts()), late=late) for row in found]
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for one in told:
        if late and not one["missing"]:
            continue
        words = {"period": one["title"], "came": one["came"], "owed": one["owed"], "day": one["due_on"]}
        click.echo(_("%(period)s: %(came)s of %(owed)s have come, due on %(day)s", **words))
        for unit in one["missing"]:
            click.echo(f"  {unit['unit']}: {unit['words']}" + (f" ({unit['days_late']})" if unit["days_late"] else ""))


def _told(scope: Scope, row: ReportingRound, counts: queries.Counts, *, late: bool) -> dict[str, Any]:
    today = clock.today()
    lines = queries.lines_of(session(), scope, row, most=MOST_UNITS) if counts.owed > counts.came else []
    missing = [
        {
            "unit": one.name,
            "state": one.owed.state.value,
            "words": str(STATES[one.owed.state]),
            "days_late": late_by(row.due_on, None, today),
        }
        for one in lines
        if one.owed.state in OWING and (not late or row.due_on < today)
    ]
    return {
        "kind": row.kind,
        "period": row.period,
        "title": period_title(row.kind, row.period),
        "due_on": row.due_on.isoformat(),
        "closed": row.closed_at is not None,
        "owed": counts.owed,
        "came": counts.came,
        "missing": missing,
    }
