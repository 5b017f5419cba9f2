"""Which lists were handed in, what became of their rows, and whom a row may already be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, and_, any_, func, literal, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.errors import NotFound, RuleBroken
from crm.places.models import Place
from crm.prospects.importing import kinds
from crm.prospects.importing.rules import AT_WORK, STALE, Proposed, cells_from_json, masked_cell
from crm.prospects.models import ImportRow, ListImport, Prospect
from crm.prospects.queries.facts import consents_of_all
from crm.prospects.queries.seeing import visible_to
from crm.prospects.queries.standing import standings_of
from crm.prospects.reading.values import as_text
from crm.prospects.rules import ConsentChannel, ImportState, Purpose, RowOutcome
from crm.web.pager import Page, latest_first, page

# ---- lists


def seen_by(scope: Scope, lists: type[ListImport] = ListImport) -> ColumnElement[bool]:
    """The one condition on lists: the steering office sees all, others those they handed in."""
    own = true() if scope.reach is Reach.ALL else lists.created_by_id == scope.user_id
    return and_(lists.town_id == scope.town_id, own)


def list_seen(session: Session, scope: Scope, import_id: UUID) -> ListImport:
    """A list this person may see. Raises NotFound."""
    found = session.scalar(select(ListImport).where(seen_by(scope), ListImport.id == import_id))
    if found is None:
        raise NotFound
    return found


def page_of_lists(session: Session, scope: Scope, *, cursor: str | None, size: int) -> Page[ListImport]:
    """Lists, the newest first (ids sort by time)."""
    query, order = select(ListImport).where(seen_by(scope)), (ListImport.id,)
    return latest_first(session, query, order, cursor=cursor, size=size, kinds=(UUID,), key=lambda one: (one.id,))


def names_of(session: Session, row: ListImport) -> tuple[str | None, str | None]:
    """The names of who handed a list in and of the place that was chosen for it."""
    user = session.get(User, (row.town_id, row.created_by_id)) if row.created_by_id else None
    place = session.get(Place, (row.town_id, row.place_id)) if row.place_id else None
    return user.full_name if user else None, place.name if place else None


def handed_in_before(session: Session, row: ListImport) -> ListImport | None:
    """The last list of exactly this content that was loaded before and not taken back."""
    same = (ListImport.town_id == row.town_id) & (ListImport.digest == row.digest) & (ListImport.id < row.id)
    query = select(ListImport).where(same, ListImport.state == ImportState.COMMITTED)
    return session.scalar(query.order_by(ListImport.id.desc()).limit(1))


def town_with_new_people(import_id: UUID) -> Select[UUID]:
    """The town of a list, if it is loaded and anybody came or changed by it."""
    return select(ListImport.town_id).where(
        ListImport.id == import_id,
        ListImport.state == ImportState.COMMITTED,
        ListImport.created + ListImport.updated > 0,
    )


def standing_still(at: datetime) -> Select[ListImport]:
    """Lists at work whose work does not move: never begun, or its worker went away."""
    return select(ListImport).where(
        ListImport.state.in_(AT_WORK),
        or_(
            ListImport.heartbeat_at.is_(None),
            ListImport.heartbeat_at < at - STALE,
            ListImport.heartbeat_at > at + STALE,
        ),
    )


MOST_ASIDE = 20


def rows_aside(session: Session, scope: Scope) -> list[tuple[ListImport, int]]:
    """The latest lists with rows that were likened to somebody here and wait for a decision, and how many they are. A row
    of the very same file, handed in once more, waits where it was read first."""
    waiting = (
        (ImportRow.outcome == RowOutcome.DUPLICATE) & ImportRow.settled_at.is_(None) & ImportRow.detail.has_key("fills")
    )
    first, before = aliased(ListImport), aliased(ImportRow)
    one_sheet = func.jsonb_array_length(ListImport.found["tables"]) == 1  # a text table is called like its file
    again = (
        select(before.id)
        .join(first, (first.town_id == before.town_id) & (first.id == before.import_id))
        .where(first.town_id == ListImport.town_id, first.digest == ListImport.digest, first.id < ListImport.id)
        .where(first.state.in_((ImportState.READY, ImportState.COMMITTED)), seen_by(scope, first))
        .where(or_(before.sheet == ImportRow.sheet, one_sheet), before.row_number == ImportRow.row_number)
        .where(before.outcome == RowOutcome.DUPLICATE)
    )
    query = (
        select(ListImport, func.count())
        .join(ImportRow, (ImportRow.town_id == ListImport.town_id) & (ImportRow.import_id == ListImport.id) & waiting)
        .where(seen_by(scope), ListImport.duplicates > 0, ~again.exists())
        .where(ListImport.state.in_((ImportState.READY, ImportState.COMMITTED)))
        .group_by(ListImport.town_id, ListImport.id)
        .order_by(ListImport.id.desc())
        .limit(MOST_ASIDE)
    )
    return [(row, many) for row, many in session.execute(query)]


# ---- rows

_ORDER = (ImportRow.sheet, ImportRow.row_number)


def rows_of(row: ListImport, *conditions: ColumnElement[bool]) -> Select[ImportRow]:
    """The rows of a list in the order of its sheets."""
    return select(ImportRow).where(ImportRow.town_id == row.town_id, ImportRow.import_id == row.id, *conditions)


SETTLED_BY_LOADING = (RowOutcome.NEW, RowOutcome.CHANGED, RowOutcome.UNCHANGED)
LOADED = (ImportState.COMMITTED, ImportState.UNDOING)


def settled_in(row: ListImport, one: ImportRow) -> bool:
    """Whether a row is done with: loaded with its list, or decided by itself."""
    return one.settled_at is not None or (row.state in LOADED and one.outcome in SETTLED_BY_LOADING)


def counts_of(session: Session, town_id: UUID, import_id: UUID) -> dict[str, int]:
    """The figures of a list, from its rows: `rows` = `valid` + `rejected` + `duplicates`; the last three are what has
    been done: `created`, `updated`, `unchanged`."""
    state = session.scalar(select(ListImport.state).where(ListImport.town_id == town_id, ListImport.id == import_id))
    by_itself = (ImportRow.settled_at.is_not(None) & ImportRow.prospect_id.is_not(None)).label("by_itself")
    query = (
        select(ImportRow.outcome, by_itself, func.count())
        .where(ImportRow.town_id == town_id, ImportRow.import_id == import_id)
        .group_by(ImportRow.outcome, by_itself)
    )
    found: Counter[RowOutcome] = Counter()
    settled: Counter[RowOutcome] = Counter()
    for outcome, is_done, number in session.execute(query):
        found[outcome] += number
        settled[outcome] += number if is_done or (state in LOADED and outcome in SETTLED_BY_LOADING) else 0
    return {
        "rows": found.total(),
        "valid": found[RowOutcome.NEW] + found[RowOutcome.CHANGED] + found[RowOutcome.UNCHANGED],
        "rejected": found[RowOutcome.REJECTED],
        "duplicates": found[RowOutcome.DUPLICATE],
        "created": settled[RowOutcome.NEW],
        "updated": settled[RowOutcome.CHANGED],
        "unchanged": settled[RowOutcome.UNCHANGED],
    }


def outcomes_of(session: Session, row: ListImport) -> dict[RowOutcome, int]:
    """How many rows there are of each outcome; every outcome is in the answer."""
    query = select(ImportRow.outcome, func.count()).where(
        ImportRow.town_id == row.town_id, ImportRow.import_id == row.id
    )
    found = {each[0]: each[1] for each in session.execute(query.group_by(ImportRow.outcome))}
    return {outcome: found.get(outcome, 0) for outcome in RowOutcome}


def contradicts(session: Session, row: ListImport) -> bool:
    """Whether a row of somebody who is here already says something else than the register, which is never taken over
    by itself."""
    here = ImportRow.outcome.in_((RowOutcome.CHANGED, RowOutcome.UNCHANGED))
    otherwise = func.jsonb_array_length(ImportRow.detail["differs"]) > 0
    return bool(session.scalar(select(rows_of(row, here, otherwise).exists())))


def settled_with_another(session: Session, row: ListImport) -> int:
    """How many rows set aside loading will settle with the earlier row of their person."""
    return session.scalar(select(func.count()).select_from(_settled_with_another(row).subquery())) or 0


def those_settled_with_another(session: Session, row: ListImport, rows: Sequence[ImportRow]) -> set[UUID]:
    """Which of these rows loading will settle with the earlier row of their person."""
    ids = [one.id for one in rows if one.outcome is RowOutcome.DUPLICATE]
    return set(session.scalars(_settled_with_another(row).where(ImportRow.id.in_(ids)))) if ids else set()


def _settled_with_another(row: ListImport) -> Select[UUID]:
    return rows_of(row, kinds.settled_with_another(row.kind)).with_only_columns(ImportRow.id)


def page_of_rows(
    session: Session, row: ListImport, outcome: RowOutcome | None, *, cursor: str | None, size: int
) -> Page[ImportRow]:
    """Rows of one outcome, or all of them, in the order of the file."""
    query = rows_of(row, *([ImportRow.outcome == outcome] if outcome else []))
    return page(
        session,
        query,
        _ORDER,
        cursor=cursor,
        size=size,
        kinds=(str, int),
        key=lambda found: (found.sheet, found.row_number),
    )


LONGEST_NUMBER = 9
"""Figures of the number of a row."""


def rows_named(session: Session, row: ListImport, named: Sequence[str]) -> list[ImportRow]:
    """The rows somebody names as SHEET=ROW, or only ROW where the list has one sheet. Raises RuleBroken."""
    asked = {text: _sheet_and_number(text) for text in named}
    numbers = {number for _sheet, number in asked.values()}
    there: dict[int, list[ImportRow]] = {}
    for one in session.scalars(rows_of(row, ImportRow.row_number.in_(numbers))):
        there.setdefault(one.row_number, []).append(one)
    found = []
    for text, (sheet, number) in asked.items():
        these = [one for one in there.get(number, ()) if sheet in ("", one.sheet)]
        if not these:
            raise RuleBroken(_l("The list has no row “%(row)s”.", row=text))
        if len(these) > 1:
            raise RuleBroken(_l("Several sheets have a row “%(row)s”. Write SHEET=ROW.", row=text))
        found.append(these[0])
    return found


def _sheet_and_number(text: str) -> tuple[str, int]:
    """«Sheet=3» → ("Sheet", 3), «3» → ("", 3); no row has the number 0."""
    sheet, _sign, number = text.rpartition("=")
    return sheet, int(number) if number.isdecimal() and len(number) <= LONGEST_NUMBER else 0


def handed_back(session: Session, row: ListImport, sheet: str | None = None) -> Iterator[ImportRow]:
    """The rows that were rejected or set aside and are not decided yet, of the whole list or of one sheet; only so many
    of them are held at a time."""
    open_rows = ImportRow.outcome.in_((RowOutcome.REJECTED, RowOutcome.DUPLICATE)), ImportRow.settled_at.is_(None)
    of_it = true() if sheet is None else ImportRow.sheet == sheet
    asked = ~kinds.settled_with_another(row.kind)
    query = rows_of(row, *open_rows, asked, of_it).order_by(*_ORDER).execution_options(yield_per=AT_ONCE)
    for some in session.scalars(query).partitions():
        yield from some


AT_ONCE = 500
"""Rows of a list that are held at a time while all of them are told."""


def people_of_rows(session: Session, scope: Scope, rows: Iterable[ImportRow]) -> dict[UUID, Prospect]:
    """The people that rows lead to, by id, as far as this person may see them now."""
    ids = {row.prospect_id for row in rows if row.prospect_id}
    if not ids:
        return {}
    query = select(Prospect).where(visible_to(scope), Prospect.id.in_(ids))
    return {person.id: person for person in session.scalars(query)}


# ---- whom a row may be


def among(column: ColumnElement[Any] | InstrumentedAttribute[Any], ids: Iterable[UUID | None]) -> ColumnElement[bool]:
    """One of these, sent as one value: a statement may have 65,535, and a list has more people."""
    return column == any_(literal([one for one in ids if one], ARRAY(Uuid())))


def visible(session: Session, scope: Scope, ids: Collection[UUID]) -> set[UUID]:
    """Those of these people whom somebody may see."""
    return set(session.scalars(select(Prospect.id).where(visible_to(scope), among(Prospect.id, ids)))) if ids else set()


def known(
    session: Session, town_id: UUID, kept: Sequence[Any], people: Sequence[Proposed], on: date
) -> dict[UUID, dict[str, Any]]:
    """What is kept of these people, rows of `TO_KNOW`, in the fields of a row."""
    if not kept:
        return {}
    standings = standings_of(session, town_id, [row.id for row in kept])
    phones = {row.phone for row in kept if row.phone} | {one.phone for one in people if one.phone}
    answers = {phone for phone, _purpose in answered(session, town_id, phones)}
    names = place_names(session, town_id, {row.neighbourhood_id for row in kept if row.neighbourhood_id})
    return {
        row.id: {
            **{name: getattr(row, name) for name in _KEPT_COLUMNS},
            "si_number": row.insurance_number,
            "neighbourhood": names.get(row.neighbourhood_id),
            "grounds": [held.ground for held in standings[row.id] if _holds(held.valid_from, held.valid_to, on)],
            "sms_consent": row.phone in answers if row.phone else False,
        }
        for row in kept
    }


def answered(session: Session, town_id: UUID, phones: Collection[str]) -> set[tuple[str, Purpose]]:
    """Which of these phones have said anything to messages of which purpose; what a list said that was taken back
    does not count."""
    known = consents_of_all(session, town_id, phones) if phones else {}
    return {
        (phone, purpose)
        for phone, answers in known.items()
        for purpose, answer in answers.items()
        if answer.given or answer.channel is not ConsentChannel.IMPORT
    }


_KEPT_COLUMNS = (
    "full_name",
    "place_id",
    "sex",
    "birth_year",
    "birth_date",
    "phone",
    "other_phone",
    "citizen_id",
    "address",
    "occupation",
)


TO_KNOW = (
    Prospect.id,
    Prospect.merged_into_id,
    Prospect.neighbourhood_id,
    Prospect.insurance_number,
    *(getattr(Prospect, name) for name in _KEPT_COLUMNS),
)
"""What of a person is compared with a row."""


def _holds(since: date, until: date | None, on: date) -> bool:
    return since <= on and (until is None or until > on)


def place_names(session: Session, town_id: UUID, ids: set[UUID]) -> dict[UUID | None, str]:
    """The names of these wards and neighbourhoods, those of earlier times included."""
    if not ids:
        return {}
    query = select(Place.id, Place.name).where(Place.town_id == town_id, Place.id.in_(ids))
    return {each[0]: each[1] for each in session.execute(query)}


# ---- what lists said of somebody


@dataclass(frozen=True)
class RowBehind:
    """A row of a list that somebody here came from, or that told something of them; numbers of identity are masked."""

    import_id: UUID
    filename: str
    at: datetime | None
    sheet: str
    row_number: int
    outcome: RowOutcome
    cells: Sequence[tuple[str, str]]
    """Each filled cell with its heading (or the letter of its column), in the order of the file."""


def rows_behind(session: Session, scope: Scope, prospect: Prospect) -> list[RowBehind]:
    """The rows of loaded lists that tell of somebody or of a record merged into theirs, the latest first. Nothing for who
    may not see them."""
    if not visible(session, scope, (prospect.id,)):
        return []
    theirs = select(Prospect.id).where(Prospect.town_id == prospect.town_id, Prospect.merged_into_id == prospect.id)
    loaded = or_(ListImport.state.in_(LOADED), ImportRow.settled_at.is_not(None))
    query = (
        select(ImportRow, ListImport)
        .join(ListImport, (ListImport.town_id == ImportRow.town_id) & (ListImport.id == ImportRow.import_id))
        .where(ImportRow.town_id == prospect.town_id, loaded, ImportRow.outcome.in_(SETTLED_BY_LOADING))
        .where(or_(ImportRow.prospect_id == prospect.id, ImportRow.prospect_id.in_(theirs)))
        .order_by(ListImport.created_at.desc(), ImportRow.id)
        .limit(MOST_BEHIND)
    )
    return [
        RowBehind(
            import_id=listed.id,
            filename=listed.filename,
            at=one.settled_at or listed.loaded_at,
            sheet=one.sheet,
            row_number=one.row_number,
            outcome=one.outcome,
            cells=_cells_told(one, listed),
        )
        for one, listed in session.execute(query).tuples()
    ]


MOST_BEHIND = 20


def _cells_told(one: ImportRow, listed: ListImport) -> list[tuple[str, str]]:
    tables = {table["sheet"]: table["columns"] for table in (listed.found or {}).get("tables", ())}
    columns = tables.get(one.sheet, [])
    known = Proposed.from_json(one.understood).phones if one.understood else ()
    told = []
    for index, cell in enumerate(cells_from_json(one.raw)):
        text = as_text(cell).strip() if cell not in ("", None) else ""
        if text:
            column = columns[index] if index < len(columns) else {}
            told.append((column.get("heading") or column.get("letter") or str(index + 1), masked_cell(text, known)))
    return told
