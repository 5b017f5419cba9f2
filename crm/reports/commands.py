"""`crm report`: a report of a period into a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask_babel import lazy_gettext as _l

from crm import clock
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.db import one_moment, session, transaction
from crm.errors import RuleBroken
from crm.places.models import Place, Town
from crm.places.queries import ids_within, place_named, the_town
from crm.places.rules import PlaceKind
from crm.reports import tables
from crm.reports.documents import figures
from crm.reports.documents.figures import Wanted
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import OFFICIAL, Form, issues_for
from crm.reports.documents.services import counting
from crm.reports.documents.showing import content_of, made
from crm.reports.money import tables as money
from crm.reports.periods import ReportKind, span_of
from crm.reports.printing import PAPERS

FORMATS = {"json": tables.as_json, "xlsx": tables.as_xlsx}
MAKERS = {ReportKind.PIPELINE: tables.stages, **money.MAKERS}
"""Every other kind is an official report."""


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
@click.option("--again", is_flag=True, help="Count a day that is over once more, though its figures are frozen.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def report(
    kind: str,
    period: str,
    as_of: datetime | None,
    boundaries: datetime | None,
    place: str | None,
    form: str,
    again: bool,
    output: Path,
) -> None:
    """Write a report of KIND: the official one of a month, half-year or year, with frozen figures; pipeline; support-03 and
    money-05, the forms Biểu 03 and Biểu 05; reconciliation."""
    if not output.absolute().parent.is_dir():
        raise RuleBroken(_l("There is no folder %(folder)s: make it first.", folder=output.absolute().parent))
    chosen = ReportKind(kind)
    span = span_of(chosen, period, min(as_of.date() if as_of else clock.today(), clock.today()))
    town, drawn = the_town(session()), boundaries.date() if boundaries else None
    if chosen in OFFICIAL:
        output.write_bytes(_official(town, Wanted(chosen, period, span, _unit(town, place), drawn), Form(form), again))
    else:
        table = MAKERS[chosen](session(), _scope(place), span, drawn)
        paper = PAPERS.get(form)
        output.write_bytes(paper(table, town.name, clock.today()) if paper else FORMATS[form](table))
    click.echo(str(output), err=True)


def _official(town: Town, asked: Wanted, form: Form, again: bool) -> bytes:
    """The file of the signed report; else one made from the frozen figures in the program's own words."""
    signed = finding.signed_report(session(), town.id, asked)
    if signed is not None:
        return content_of(session(), signed, form)

    def gather() -> Any:
        with one_moment() as still:
            return figures.gather(still, town, asked)

    with transaction() as current:
        snapshot = counting.frozen_or_counted(current, town, asked, gather, again=again, at=clock.now())
        head = finding.head_on(current, town.id, asked.place, clock.today())
        template = finding.template_of(current, town.id, asked.place.id if asked.place else None)
        return made(finding.paper(snapshot, None, head), snapshot, form, template.content if template else None)


def _unit(town: Town, place: str | None) -> Place | None:
    """The ward or commune a report is of; None for the whole town."""
    found = place_named(session(), town.id, place, today=clock.today()) if place else None
    if found is None or found.kind is PlaceKind.TOWN:
        return None
    if not issues_for(found.kind):
        raise RuleBroken(_l("A report is of the town, or of a ward or commune."), field="place")
    return found


def _scope(place: str | None) -> Scope:
    """The whole town, or one place of it: who may run commands here sees everything."""
    town = the_town(session())
    within = None
    if place:
        found = place_named(session(), town.id, place, today=clock.today())
        within = ids_within(session(), town.id, found.id)
    reach = Reach.UNIT if within else Reach.ALL
    return Scope(town.id, user_id=town.id, reach=reach, organisation_id=None, place_ids=within)
