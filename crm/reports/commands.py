"""`crm report`: a report of a period into a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
from flask_babel import lazy_gettext as _l

from crm import clock
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.db import session
from crm.errors import RuleBroken
from crm.places.queries import ids_within, place_named, the_town
from crm.reports import tables
from crm.reports.money import tables as money
from crm.reports.periods import ReportKind, span_of
from crm.reports.printing import as_pdf

FORMATS = {"json": tables.as_json, "xlsx": tables.as_xlsx}
MAKERS = {ReportKind.PIPELINE: tables.stages, **money.MAKERS}
"""Every other kind is the report of participants."""


@click.command("report")
@click.argument("kind", type=click.Choice([kind.value for kind in ReportKind]))
@click.option("--period", required=True, help="2019-09, 2019-H1 or 2019; for the pipeline any of them.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="By default today, by the program's clock.")
@click.option(
    "--boundaries",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Wards as they were on this day; by default on the last day.",
)
@click.option("--place", metavar="CODE", help="One place and what lies in it; by default the town.")
@click.option("--format", "form", type=click.Choice(["docx", "xlsx", "pdf", "json"]), required=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def report(
    kind: str,
    period: str,
    as_of: datetime | None,
    boundaries: datetime | None,
    place: str | None,
    form: str,
    output: Path,
) -> None:
    """Write a report of KIND: participants of a month, half-year or year; pipeline; support-03 and money-05, the forms
    Biểu 03 and Biểu 05; reconciliation."""
    if form == "docx":
        raise RuleBroken(_l("This version writes reports as xlsx, pdf or json; choose one of them."), field="format")
    if not output.absolute().parent.is_dir():
        raise RuleBroken(_l("There is no folder %(folder)s: make it first.", folder=output.absolute().parent))
    chosen = ReportKind(kind)
    span = span_of(chosen, period, min(as_of.date() if as_of else clock.today(), clock.today()))
    make = MAKERS.get(chosen, tables.participants)
    made = make(session(), _scope(place), span, boundaries.date() if boundaries else None)
    town = the_town(session()).name
    output.write_bytes(as_pdf(made, town, clock.today()) if form == "pdf" else FORMATS[form](made))
    click.echo(str(output), err=True)


def _scope(place: str | None) -> Scope:
    """The whole town, or one place of it: who may run commands here sees everything."""
    town = the_town(session())
    within = None
    if place:
        found = place_named(session(), town.id, place, today=clock.today())
        within = ids_within(session(), town.id, found.id)
    reach = Reach.UNIT if within else Reach.ALL
    return Scope(town.id, user_id=town.id, reach=reach, organisation_id=None, place_ids=within)
