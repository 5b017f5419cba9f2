"""Which lists were handed in, what became of their rows, and whom a row may already be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, any_, column, func, literal, or_, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import BigInteger, LargeBinary, Text

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.errors import NotFound
from crm.names import fold
from crm.places.models import Place
from crm.prospects.importing.rules import AT_WORK, STALE, Difference, Likeness, Proposed, difference, likeness
from crm.prospects.models import ImportRow, ListImport, Prospect
from crm.prospects.queries.alike import traits_of
from crm.prospects.queries.facts import consents_of_all
from crm.prospects.queries.seeing import visible_to
from crm.prospects.queries.standing import standings_of
from crm.prospects.rules import ConsentChannel, ImportState, Purpose, RowOutcome, Traits
from crm.sealed import current as seal
from crm.web.pager import Page, page, read_cursor, write_cursor

# ---- lists


def seen_by(scope: Scope) -> ColumnElement[bool]:
    """The one condition on lists: the steering office sees all, others those they handed in."""
    own = true() if scope.reach is Reach.ALL else ListImport.created_by_id == scope.user_id
    return and_(ListImport.town_id == scope.town_id, own)


def list_seen(session: Session, scope: Scope, import_id: UUID) -> ListImport:
    """A list this person may see. Raises NotFound."""
    found = session.scalar(select(ListImport).where(seen_by(scope), ListImport.id == import_id))
    if found is None:
        raise NotFound
    return found


def page_of_lists(session: Session, scope: Scope, *, cursor: str | None, size: int) -> Page[ListImport]:
    """Lists, the newest first (ids sort by time)."""
    query = select(ListImport).where(seen_by(scope))
    if cursor:
        query = query.where(ListImport.id < read_cursor(cursor, (UUID,))[0])
    rows = session.scalars(query.order_by(ListImport.id.desc()).limit(size + 1)).all()
    return Page(rows[:size], write_cursor([rows[size - 1].id]) if len(rows) > size else None)


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


# ---- rows

_ORDER = (ImportRow.sheet, ImportRow.row_number)


def rows_of(row: ListImport, *conditions: ColumnElement[bool]) -> Select[ImportRow]:
    """The rows of a list in the order of its sheets."""
    return select(ImportRow).where(ImportRow.town_id == row.town_id, ImportRow.import_id == row.id, *conditions)


def counts_of(session: Session, town_id: UUID, import_id: UUID) -> dict[str, int]:
    """The figures of a list, from its rows: `rows` = `valid` + `rejected` + `duplicates`; the last three are what has
    been done: `created`, `updated`, `unchanged`."""
    done = (ImportRow.settled_at.is_not(None) & ImportRow.prospect_id.is_not(None)).label("done")
    query = (
        select(ImportRow.outcome, done, func.count())
        .where(ImportRow.town_id == town_id, ImportRow.import_id == import_id)
        .group_by(ImportRow.outcome, done)
    )
    found: Counter[RowOutcome] = Counter()
    settled: Counter[RowOutcome] = Counter()
    for outcome, is_done, number in session.execute(query):
        found[outcome] += number
        settled[outcome] += number if is_done else 0
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


def page_of_rows(
    session: Session, row: ListImport, outcome: RowOutcome, *, cursor: str | None, size: int
) -> Page[ImportRow]:
    """Rows of one outcome in the order of the file."""
    query = rows_of(row, ImportRow.outcome == outcome)
    return page(
        session,
        query,
        _ORDER,
        cursor=cursor,
        size=size,
        kinds=(str, int),
        key=lambda found: (found.sheet, found.row_number),
    )


def handed_back(session: Session, row: ListImport) -> Sequence[ImportRow]:
    """The rows that were rejected or set aside and are not decided yet."""
    open_rows = ImportRow.outcome.in_((RowOutcome.REJECTED, RowOutcome.DUPLICATE)), ImportRow.settled_at.is_(None)
    return session.scalars(rows_of(row, *open_rows).order_by(*_ORDER)).all()


def people_of_rows(session: Session, scope: Scope, rows: Iterable[ImportRow]) -> dict[UUID, Prospect]:
    """The people that rows lead to, by id, as far as this person may see them now."""
    ids = {row.prospect_id for row in rows if row.prospect_id}
    if not ids:
        return {}
    query = select(Prospect).where(visible_to(scope), Prospect.id.in_(ids))
    return {person.id: person for person in session.scalars(query)}


# ---- whom a row may be


@dataclass(frozen=True)
class Match:
    """Somebody here who is, or may be, the one a row proposes."""

    person: Prospect
    like: Likeness
    difference: Difference
    visible: bool


def matches(
    session: Session, town_id: UUID, people: Sequence[Proposed], *, on: date, scope: Scope | None, besides: UUID | None
) -> list[Match | None]:
    """For each proposed person the likeliest one here, asked for all of them at once.

    The whole town is asked, for somebody may be out of the importer's sight; `visible` says so. People that the
    import `besides` made itself are left out.
    """
    found = _met(session, town_id, people, besides)
    kept = _known(session, town_id, list(found.values()), people, on)
    seen = _seen(session, scope, found) if scope else set(found)
    points = _by_points(found.values())
    return [_likeliest(one, points, kept, seen) for one in people]


def _likeliest(
    one: Proposed, points: Mapping[object, list[Prospect]], kept: Mapping[UUID, dict[str, Any]], seen: set[UUID]
) -> Match | None:
    best: Match | None = None
    new = _traits(one)
    near = {person.id: person for point in _points(one) for person in points.get(point, ())}
    for person in near.values():
        known = kept[person.id]
        differs = difference(one, known)
        places = fold(one.neighbourhood or ""), fold(known["neighbourhood"] or "")
        like = likeness(
            new,
            known["traits"],
            other_neighbourhood=all(places) and places[0] != places[1],
            nothing_new=not (differs.fills or differs.differs),
        )
        if like and (best is None or _rank(like, differs) > _rank(best.like, best.difference)):
            best = Match(person, like, differs, person.id in seen)
    return best


def _rank(like: Likeness, differs: Difference) -> tuple[bool, int, int]:
    return *like.weight, -len(differs.fills) - 2 * len(differs.differs)


def _traits(one: Proposed) -> Traits:
    return Traits(
        full_name=one.full_name,
        birth_date=one.birth_date,
        birth_year=one.birth_year,
        sex=one.sex,
        phones=one.phones,
        citizen=seal().index(one.citizen_id) if one.citizen_id else None,
        citizen_digits=len(one.citizen_id or ""),
        insurance=seal().index(one.si_number) if one.si_number else None,
        place_id=one.place_id,
    )


def _points(one: Proposed) -> list[object]:
    """Under what a row and somebody kept can meet: numbers, telephones, the name with the year."""
    traits = _traits(one)
    numbers = [number for number in (traits.citizen, traits.insurance) if number]
    return [*numbers, *one.phones, *((name, one.birth_year) for name in _spellings(one))]


def _spellings(one: Proposed) -> list[str]:
    """The folded name with y and i exchanged where a word ends in either: `Quý` is also written `Quí`."""
    if not one.birth_year:
        return []
    words = fold(one.full_name).split()[:8]
    ways = [(word, word[:-1] + {"y": "i", "i": "y"}[word[-1]]) if word[-1] in "yi" else (word,) for word in words]
    return [" ".join(way) for way in product(*ways)][:16]


def _by_points(people: Iterable[Prospect]) -> dict[object, list[Prospect]]:
    found: dict[object, list[Prospect]] = {}
    for person in people:
        numbers = (person.citizen_index, person.insurance_index, person.phone, person.other_phone)
        for point in (*numbers, (person.name_fold, person.birth_year)):
            if point is not None:
                found.setdefault(point, []).append(person)
    return found


def _met(session: Session, town_id: UUID, people: Sequence[Proposed], besides: UUID | None) -> dict[UUID, Prospect]:
    """Everybody here whom one of these may be: a handful of queries for all of them."""
    traits = [_traits(one) for one in people]
    phones = sorted({phone for one in people for phone in one.phones})
    names = sorted({(name, one.birth_year) for one in people if one.birth_year for name in _spellings(one)})
    conditions: list[ColumnElement[bool]] = []
    if citizens := [one.citizen for one in traits if one.citizen]:
        conditions.append(_any_of(Prospect.citizen_index, citizens, LargeBinary))
    if insured := [one.insurance for one in traits if one.insurance]:
        conditions.append(_any_of(Prospect.insurance_index, insured, LargeBinary))
    if phones:
        conditions += [_any_of(place, phones, Text) for place in (Prospect.phone, Prospect.other_phone)]
    # A plan made for any list of names would look each up by itself; one made for these joins them at once.
    session.execute(text("set local plan_cache_mode = force_custom_plan"))
    query = select(Prospect).where(Prospect.town_id == town_id, Prospect.merged_into_id.is_(None))
    found = {row.id: row for condition in conditions for row in session.scalars(query.where(condition))}
    if names:
        given = (
            func.unnest(
                literal([name for name, _year in names], ARRAY(Text)),
                literal([year for _name, year in names], ARRAY(BigInteger)),
            )
            .table_valued(column("name", Text), column("year", BigInteger), name="given")
            .render_derived()
        )
        joined = query.join(given, (given.c.name == Prospect.name_fold) & (given.c.year == Prospect.birth_year))
        found |= {row.id: row for row in session.scalars(joined)}
    for made in _made_by(session, town_id, besides, found) if besides else ():
        del found[made]
    return found


def _made_by(session: Session, town_id: UUID, import_id: UUID, found: Mapping[UUID, Prospect]) -> Sequence[UUID]:
    """Those of these people that an import added itself: a person it adds has their row's id."""
    mine = (ImportRow.town_id == town_id) & (ImportRow.import_id == import_id)
    return session.scalars(select(ImportRow.id).where(mine, ImportRow.id.in_(found))).all() if found else ()


def _any_of(place: InstrumentedAttribute[Any], options: Sequence[Any], kind: type[Any]) -> ColumnElement[bool]:
    """`place = any(options)`: one parameter, and one statement for any number of them."""
    return place == any_(literal(options, ARRAY(kind)))


def _seen(session: Session, scope: Scope, found: Mapping[UUID, Prospect]) -> set[UUID]:
    if not found:
        return set()
    return set(session.scalars(select(Prospect.id).where(visible_to(scope), Prospect.id.in_(found))))


def _known(
    session: Session, town_id: UUID, kept: Sequence[Prospect], people: Sequence[Proposed], on: date
) -> dict[UUID, dict[str, Any]]:
    """What is kept of these people, in the fields of a row."""
    if not kept:
        return {}
    standings = standings_of(session, town_id, [row.id for row in kept])
    phones = {row.phone for row in kept if row.phone} | {one.phone for one in people if one.phone}
    answers = {phone for phone, _purpose in answered(session, town_id, phones)}
    names = _neighbourhood_names(session, town_id, {row.neighbourhood_id for row in kept if row.neighbourhood_id})
    return {
        row.id: {
            **{name: getattr(row, name) for name in _KEPT_COLUMNS},
            "si_number": row.insurance_number,
            "neighbourhood": names.get(row.neighbourhood_id),
            "grounds": [held.ground for held in standings[row.id] if _holds(held.valid_from, held.valid_to, on)],
            "sms_consent": row.phone in answers if row.phone else False,
            "traits": traits_of(row),
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


def _holds(since: date, until: date | None, on: date) -> bool:
    return since <= on and (until is None or until > on)


def _neighbourhood_names(session: Session, town_id: UUID, ids: set[UUID]) -> dict[UUID | None, str]:
    if not ids:
        return {}
    query = select(Place.id, Place.name).where(Place.town_id == town_id, Place.id.in_(ids))
    return {each[0]: each[1] for each in session.execute(query)}
