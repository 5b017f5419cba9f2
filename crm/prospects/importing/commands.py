"""`crm import`: a list from the command line, through the same steps as from the page; what was handed in, the rows to
mend, and taking a list back."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.db import session, transaction
from crm.errors import NotFound, RuleBroken
from crm.places.queries import place_named, the_town
from crm.prospects.importing import queries
from crm.prospects.importing.forms import options_of
from crm.prospects.importing.kinds import KIND_NAMES
from crm.prospects.importing.resources import ImportAnswer
from crm.prospects.importing.rules import LARGEST, STATE_NAMES, problem_sentence, why_handed_back
from crm.prospects.importing.services import committing, deciding, handing_back, taking_in, undoing
from crm.prospects.importing.services.putting_right import ColumnSaid, Said, columns_said, put_right
from crm.prospects.importing.showing import columns_of, shown
from crm.prospects.models import ListImport
from crm.prospects.rules import ImportState, ListKind, RowOutcome
from crm.told import Told
from tasks.prospects import commit, read
from tasks.prospects import undo as take_back

NOBODY = UUID(int=0)
LISTED = 20


@click.group("import")
def importing() -> None:
    """Lists of people."""


@importing.command("prospects")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--sheet", "sheets", multiple=True, help="Only this sheet; may be given several times.")
@click.option(
    "--map", "mapping", metavar="FIELD=COLUMN", multiple=True, help="A field's column: its letter or heading."
)
@click.option(
    "--headings",
    metavar="[SHEET=]ROW",
    multiple=True,
    help="Where the headings stand, such as 5 or 5-6; 0: there are none.",
)
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in ListKind]),
    help="What the list is; by default what its headings and titles say.",
)
@click.option(
    "--duplicates",
    type=click.Choice(["later", "same", "skip"]),
    default="later",
    help="What the rows that may be somebody here already are: decided later, the same person, or left out.",
)
@click.option("--place", metavar="CODE", help="The ward, where the file does not say it: a UUID, CODE or CODE@DATE.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, as the API answers, with the rows left out.")
def prospects(
    file: Path,
    sheets: tuple[str, ...],
    mapping: tuple[str, ...],
    headings: tuple[str, ...],
    kind: str | None,
    duplicates: str,
    place: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Load a list of people."""
    try:
        options = options_of(sheets, mapping, ListKind(kind) if kind else None, headings)
        row = _load(file, options, place, duplicates, dry_run)
    except RuleBroken as refused:
        raise Told(str(refused)) from None
    if row.state is ImportState.FAILED:
        raise Told(_forgotten(row) or "")
    click.echo(json.dumps(_document(row), ensure_ascii=False, indent=2) if as_json else "\n".join(_told(row, dry_run)))
    if dry_run:
        _forgotten(row)


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST:
            taking_in.refuse_as_too_large()
        return file.read_bytes()
    except FileNotFoundError:
        raise RuleBroken(_("There is no file %(file)s. Check its name.", file=file)) from None
    except IsADirectoryError:
        raise RuleBroken(_("%(file)s is a folder. Name a file in it.", file=file)) from None
    except OSError:
        raise RuleBroken(_("The file %(file)s cannot be read. Check who may read it.", file=file)) from None


def _load(file: Path, options: dict[str, Any], place: str | None, duplicates: str, dry_run: bool) -> ListImport:
    content = _content(file)
    with transaction() as current:
        town = the_town(current)
        place_id = place_named(current, town.id, place, today=clock.today()).id if place else None
        handed = taking_in.Handed(file.name, content, place_id, options=options)
        handed = taking_in.as_remembered(current, town.id, handed, by=None, scope=None, at=clock.now())
        row = taking_in.take_in(current, town.id, handed, by=None, scope=None, at=clock.now())
        town_id, import_id = town.id, row.id
    _show(read(import_id), _("read"))
    if not dry_run and _again(session(), town_id, import_id).state is ImportState.READY:
        if duplicates != "later":
            _decided(town_id, import_id, deciding.Decision(duplicates))
        with transaction() as current:
            committing.start(current, _again(current, town_id, import_id))
        _show(commit(import_id), _("loaded"))
    return _again(session(), town_id, import_id)


def _decided(town_id: Any, import_id: Any, decision: deciding.Decision) -> None:
    """Decide all rows that were set aside; the command line sees everybody of the town."""
    done = deciding.MOST_AT_ONCE
    while done == deciding.MOST_AT_ONCE:
        with transaction() as current:
            row = _again(current, town_id, import_id)
            done = deciding.decide_all(current, _everybody(town_id), row, decision, None, at=clock.now())


def _again(current: Session, town_id: Any, import_id: Any) -> ListImport:
    return current.get_one(ListImport, (town_id, import_id), populate_existing=True)


def _show(steps: Iterator[int], word: str) -> None:
    """Go through the steps; a person at a terminal sees how far they are."""
    terminal = sys.stderr.isatty()
    for done in steps:
        if terminal:
            click.echo(f"\r{word}: {done}", err=True, nl=False)
    if terminal:
        click.echo(err=True)


def _forgotten(row: ListImport) -> str | None:
    """What a list that is not loaded had against it; nothing of it is kept."""
    problem = problem_sentence(row.problem)
    with transaction() as current:
        taking_in.give_up(current, row)
    return problem


def _document(row: ListImport) -> dict[str, Any]:
    told = [
        (one.outcome, {"sheet": one.sheet, "row": one.row_number, "reason": why_handed_back(one)})
        for one in queries.handed_back(session(), row)
    ]
    document: dict[str, Any] = ImportAnswer().dump(row)
    return document | {
        "rejected_rows": [line for outcome, line in told if outcome is RowOutcome.REJECTED],
        "duplicate_rows": [line for outcome, line in told if outcome is RowOutcome.DUPLICATE],
    }


def _told(row: ListImport, dry_run: bool) -> list[str]:
    found = queries.outcomes_of(session(), row)
    lines = [_("%(file)s: %(rows)s rows", file=row.filename, rows=row.rows)]
    if row.kind is not ListKind.PEOPLE:
        lines.append(str(KIND_NAMES[row.kind]))
    for outcome, words in (
        (RowOutcome.NEW, _("would be added") if dry_run else _("added")),
        (RowOutcome.CHANGED, _("would be completed") if dry_run else _("completed")),
        (RowOutcome.UNCHANGED, _("here already, nothing new")),
        (RowOutcome.DUPLICATE, _("set aside for a decision")),
        (RowOutcome.REJECTED, _("rejected")),
    ):
        lines.append(f"{found[outcome]:>7}  {words}")
    return lines + [f"- {why_handed_back(one)}" for one in queries.handed_back(session(), row)]


def _everybody(town_id: UUID) -> Scope:
    """The command line sees all of the town."""
    return Scope(town_id, NOBODY, Reach.ALL, None, None)


# ---- lists that were handed in


@importing.command("lists")
def lists() -> None:
    """The lists that were handed in last, the newest first, each with its id."""
    current = session()
    page = queries.page_of_lists(current, _everybody(the_town(current).id), cursor=None, size=LISTED)
    for row in page.rows:
        words = {"rows": row.rows, "state": STATE_NAMES[row.state], "file": row.filename}
        click.echo(f"{row.id}  {_('%(file)s: %(rows)s rows', **words)}  {words['state']}")


def _its(import_id: UUID) -> tuple[Scope, ListImport]:
    current = session()
    scope = _everybody(the_town(current).id)
    return scope, queries.list_seen(current, scope, import_id)


@importing.command("columns")
@click.argument("import_id", metavar="LIST", type=click.UUID)
@click.option(
    "--map",
    "mapping",
    metavar="FIELD=COLUMN",
    multiple=True,
    help="A field's column: its letter or heading, none: the list does not say it.",
)
@click.option("--sheet", help="The sheet that is meant, where several have such a column.")
@click.option("--kind", type=click.Choice([kind.value for kind in ListKind]), help="What the list is.")
@click.option("--place", metavar="CODE", help="The ward of the whole list: a UUID, CODE or CODE@DATE.")
def columns(import_id: UUID, mapping: tuple[str, ...], sheet: str | None, kind: str | None, place: str | None) -> None:
    """How the columns of a list were understood; put right before it is loaded, and read once more."""
    try:
        named = [
            ColumnSaid(column, field, sheet)
            for field, column in (options_of((), mapping, None).get("mapping") or {}).items()
        ]
        with transaction() as current:
            scope, row = _its(import_id)
            place_id = place_named(current, row.town_id, place, today=clock.today()).id if place else None
            said = Said(columns_said(row, named) if named else None, ListKind(kind) if kind else None, place_id)
            changed = bool(named or kind or place)
            again = changed and put_right(current, row, said, scope=scope, at=clock.now())
    except RuleBroken as refused:
        raise Told(str(refused)) from None
    if again:
        _show(read(import_id), _("read"))
    _scope, row = _its(import_id)
    session().refresh(row)
    if row.state is ImportState.FAILED:
        raise Told(problem_sentence(row.problem) or "")
    for table in columns_of(session(), row):
        click.echo(table.sheet)
        for column in table.columns:
            click.echo(f"{column.letter:>4}  {column.field or '–':<16}  {column.heading}")
    if changed:
        click.echo("\n".join(_told(row, dry_run=True)))


@importing.command("load")
@click.argument("import_id", metavar="LIST", type=click.UUID)
def load(import_id: UUID) -> None:
    """Load a list that was handed in and read."""
    try:
        with transaction() as current:
            committing.start(current, _its(import_id)[1])
    except RuleBroken as refused:
        raise Told(str(refused)) from None
    _show(commit(import_id), _("loaded"))
    _scope, row = _its(import_id)
    session().refresh(row)
    click.echo("\n".join(_told(row, dry_run=False)))


@importing.command("rows")
@click.argument("import_id", metavar="LIST", type=click.UUID)
@click.option("--outcome", type=click.Choice([each.value for each in RowOutcome]), help="Only these.")
def rows(import_id: UUID, outcome: str | None) -> None:
    """The rows of a list in the order of the file: what becomes of each, who it tells of, and why."""
    scope, row = _its(import_id)
    cursor: str | None = None
    while True:
        page = queries.page_of_rows(
            session(), row, RowOutcome(outcome) if outcome else None, cursor=cursor, size=queries.AT_ONCE
        )
        for one in shown(session(), scope, page.rows):
            name = one.proposed.full_name if one.proposed else "–"
            words = [f"{one.row.sheet}={one.row.row_number}", one.row.outcome.value, name, one.decided or one.why or ""]
            click.echo("  ".join(filter(None, words)))
        cursor = page.next
        if cursor is None:
            return


@importing.command("decide")
@click.argument("import_id", metavar="LIST", type=click.UUID)
@click.argument("decision", type=click.Choice([each.value for each in deciding.Decision]))
@click.argument("named", metavar="[SHEET=]ROW...", nargs=-1, required=True)
def decide(import_id: UUID, decision: str, named: tuple[str, ...]) -> None:
    """Decide rows that were set aside: the same person, somebody else (add) or nobody (skip); or take what a row says
    otherwise. All of those named, or none."""
    try:
        with transaction() as current:
            scope, row = _its(import_id)
            for one in queries.rows_named(current, row, named):
                deciding.decide(current, scope, row, one.id, deciding.Decision(decision), at=clock.now())
    except RuleBroken as refused:
        raise Told(str(refused)) from None
    except NotFound:
        raise Told(_("Nobody here is likened to this row. Add it, or leave it out.")) from None
    click.echo(_("%(rows)s rows were decided.", rows=len(named)))


@importing.command("errors")
@click.argument("import_id", metavar="LIST", type=click.UUID)
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where to write it."
)
def errors(import_id: UUID, output: Path) -> None:
    """The rows of a list that were left out, each with why, as a workbook to be mended and loaded again."""
    current = session()
    row = queries.list_seen(current, _everybody(the_town(current).id), import_id)
    try:
        output.write_bytes(handing_back.workbook(current, row))
    except OSError:
        raise Told(_("The file %(file)s cannot be written. Check the folder.", file=output)) from None


@importing.command("undo")
@click.argument("import_id", metavar="LIST", type=click.UUID)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def undo(import_id: UUID, dry_run: bool) -> None:
    """Take a loaded list back; whom somebody has worked with since stays, and why is said."""
    try:
        with transaction() as current:
            row = queries.list_seen(current, _everybody(the_town(current).id), import_id)
            undoing.check_loaded(row)
            told = undoing.foresee(current, row)
            if not dry_run:
                undoing.start(current, row)
    except RuleBroken as refused:
        raise Told(str(refused)) from None
    if not dry_run:
        _show(take_back(import_id), _("taken back"))
    lines = [
        (told.removed, _("would be removed") if dry_run else _("removed")),
        (told.restored, _("would be as before") if dry_run else _("as before")),
        *((many, str(undoing.KEPT[why])) for why, many in told.stay.items()),
    ]
    for many, words in lines:
        click.echo(f"{many:>7}  {words}")
