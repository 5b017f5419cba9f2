"""Lists of people: narrowed, searched, paged and counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Executable,
    Select,
    SQLColumnExpression,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.sql.compiler import SQLCompiler

from crm.accounts.queries import Scope
from crm.kept import kept
from crm.places.boundaries import boundaries
from crm.places.models import Place
from crm.prospects.lists import conditions
from crm.prospects.lists.models import PersonTag, Tag
from crm.prospects.models import Consent, Prospect, Standing
from crm.prospects.queries.searching import Sought, contains, matches
from crm.prospects.queries.seeing import ORDER, listed_to
from crm.prospects.queries.standing import stands, valid_on
from crm.prospects.reading.values import said_once
from crm.prospects.rules import Ground, Purpose, Sex, Stage, deciding
from crm.web.pager import Page, page, page_from, page_query


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to. `place_ids` is a place with everything in it and everything it came from."""

    place_ids: tuple[UUID, ...] | None = None
    neighbourhood_id: UUID | None = None
    stages: tuple[Stage, ...] = ()
    standing: Ground | None = None
    organisation_id: UUID | None = None
    assigned_to: UUID | Literal["nobody"] | None = None
    sex: Sex | None = None
    born_from: int | None = None
    born_to: int | None = None
    occupation: tuple[str, ...] = ()
    """Words without accents that the occupation holds, all of them."""
    contacted: bool | None = None
    contact_before: datetime | None = None
    contact_since: datetime | None = None
    silent_since: datetime | None = None
    """Not spoken to since, or never."""
    due_before: date | None = None
    tags: tuple[UUID, ...] = ()
    """Any of them."""
    has_phone: bool | None = None
    consent: tuple[Purpose, bool] | None = None
    """Whether the phone's last answer about a purpose was yes."""
    conditions: tuple[str, ...] = ()
    """Keys of crm.prospects.lists.conditions, all of them."""
    also: tuple[Filters, ...] = ()
    """A saved list that is narrowed further: all that it asks, too."""
    words: str = ""
    """What a saved list searches for."""

    @property
    def sought_in_texts(self) -> bool:
        """Whether words within a text decide who fits, which no index has in the order of a list."""
        return bool(self.occupation) or any(one.sought_in_texts for one in self.also)


EVERYONE = Filters()


def people(scope: Scope, filters: Filters = EVERYONE, q: str = "", *, today: date) -> Select[Prospect]:
    """People of a list or a search, to be ordered by `ORDER`. `today` decides their standing."""
    query = select(Prospect).where(listed_to(scope))
    for condition in _conditions(scope, filters, today):
        query = query.where(condition)
    return query.where(matches(q)) if q.strip() else query


def _conditions(scope: Scope, filters: Filters, today: date) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.place_ids is not None:
        found.append(Prospect.place_id.in_(filters.place_ids))
    if filters.neighbourhood_id:
        found.append(Prospect.neighbourhood_id == filters.neighbourhood_id)
    if len(filters.stages) == 1:
        found.append(Prospect.stage == filters.stages[0])
    elif filters.stages:
        found.append(Prospect.stage.in_(filters.stages))
    if filters.organisation_id:
        found.append(Prospect.organisation_id == filters.organisation_id)
    if filters.assigned_to == "nobody":
        found.append(Prospect.volunteer_id.is_(None))
    elif filters.assigned_to:
        found.append(Prospect.volunteer_id == filters.assigned_to)
    if filters.due_before:
        found.append(Prospect.next_contact_on < filters.due_before)
    if filters.standing:
        found.append(stands(filters.standing, today))
    return [*found, *_of_the_person(filters), *_of_the_contact(filters), *_beside(scope, filters, today)]


def _of_the_person(filters: Filters) -> Iterator[ColumnElement[bool]]:
    """Sex, age, work, phone."""
    if filters.sex:
        yield Prospect.sex == filters.sex
    if filters.born_from is not None:
        yield Prospect.birth_year >= filters.born_from
    if filters.born_to is not None:
        yield Prospect.birth_year <= filters.born_to
    for word in filters.occupation:
        yield contains(func.fold_words(Prospect.occupation), word)
    if filters.has_phone is not None:
        yield Prospect.phone.is_not(None) if filters.has_phone else Prospect.phone.is_(None)


def _of_the_contact(filters: Filters) -> Iterator[ColumnElement[bool]]:
    """When somebody was spoken to last."""
    last = Prospect.last_contact_at
    if filters.contacted is not None:
        yield last.is_not(None) if filters.contacted else last.is_(None)
    if filters.contact_before:
        yield last < filters.contact_before
    if filters.contact_since:
        yield last >= filters.contact_since
    if filters.silent_since:
        yield or_(last.is_(None), last < filters.silent_since)


def _beside(scope: Scope, filters: Filters, today: date) -> Iterator[ColumnElement[bool]]:
    """What other tables say: tags, answers about messages, conditions of packages above."""
    if filters.tags:
        yield Prospect.id.in_(
            select(PersonTag.prospect_id).where(PersonTag.town_id == scope.town_id, PersonTag.tag_id.in_(filters.tags))
        )
    if filters.consent:
        agrees = phones_that_agree(scope.town_id, filters.consent[0]).where(Consent.phone == Prospect.phone).exists()
        yield agrees if filters.consent[1] else and_(Prospect.phone.is_not(None), ~agrees)
    for key in filters.conditions:
        yield conditions.named(key).holds(scope.town_id, today)
    if filters.words.strip():
        yield matches(filters.words)
    for one in filters.also:
        yield from _conditions(scope, one, today)


def phones_that_agree(town_id: UUID, purpose: Purpose) -> Select[str]:
    """The numbers whose last answer about a purpose was yes."""
    later = aliased(Consent)
    overruled = exists().where(
        later.town_id == Consent.town_id,
        later.phone == Consent.phone,
        later.purpose == Consent.purpose,
        tuple_(later.at, later.recorded_at, later.id) > tuple_(Consent.at, Consent.recorded_at, Consent.id),
    )
    return select(Consent.phone).where(
        Consent.town_id == town_id, Consent.purpose == purpose, Consent.given, ~overruled
    )


def place_in_order(row: Prospect) -> tuple[bytes, UUID]:
    """A person's place in `ORDER`."""
    return row.name_key, row.id


def page_of(
    session: Session,
    scope: Scope,
    filters: Filters,
    q: str,
    *,
    cursor: str | None,
    size: int,
    today: date,
    columns: Sequence[SQLColumnExpression[Any]] = (),
) -> Page[Any]:
    """One page of a list. Of several words, people who bear them side by side come before the others.

    The rows are people; with `columns`, which hold those of `ORDER`, they are rows of those columns.
    """
    query: Select[Any] = people(scope, filters, q, today=today)
    if columns:
        query = query.with_only_columns(*columns)
    sought = Sought.in_text(q)
    order = _quickest_order(session, query) if sought.words or filters.sought_in_texts else ORDER
    if len(sought.words) < 2:
        return page(session, query, order, cursor=cursor, size=size, key=place_in_order)
    side_by_side = contains(Prospect.name_fold, sought.phrase)
    first: Page[Any] = Page([], None)
    if not (cursor or "").startswith(_APART):
        first = page(session, query.where(side_by_side), order, cursor=cursor, size=size, key=place_in_order)
        if first.next or len(first.rows) == size:
            return first if first.next else Page(first.rows, _APART)
    after = (cursor or "").removeprefix(_APART) if (cursor or "").startswith(_APART) else ""
    left = size - len(first.rows)
    rest = page(session, query.where(~side_by_side), order, cursor=after or None, size=left, key=place_in_order)
    return Page([*first.rows, *rest.rows], _APART + rest.next if rest.next else None)


FEW = 60_000


_SORTED_ORDER: tuple[SQLColumnExpression[Any], ...] = (Prospect.name_key.concat(literal(b"")), Prospect.id)
"""`ORDER`, written so that no index has it."""


def _quickest_order(session: Session, query: Select[Any]) -> Sequence[SQLColumnExpression[Any]]:
    """How to order a search by name: few people are found first and then sorted, many are met while walking the list.

    Left alone PostgreSQL walks the list whenever it expects many to fit, as if they stood scattered in it; but the list
    is by given name, and everybody called Xuyến stands at its end.
    """
    plan = session.execute(Explained(query)).scalar_one()
    return _SORTED_ORDER if plan[0]["Plan"]["Plan Rows"] < FEW else ORDER


class Explained(Executable, ClauseElement):
    """What the planner expects of a query, without running it."""

    inherit_cache = False

    def __init__(self, query: Select[Any]) -> None:
        self.query = query


@compiles(Explained)
def _explained(element: Explained, compiler: SQLCompiler, **options: Any) -> str:
    return "EXPLAIN (FORMAT JSON) " + compiler.process(element.query, **options)


_APART = "apart."
"""What a cursor begins with once the people who bear the words side by side are through."""


def count_up_to(session: Session, query: Select[Prospect], most: int) -> int:
    """How many people a list holds; `most + 1` stands for more than `most`, so that a large list costs no more."""
    return session.scalar(_counting(query, most)) or 0


def count_list(session: Session, scope: Scope, filters: Filters, q: str, most: int, *, today: date) -> int:
    """`count_up_to` for one of the lists of people."""
    if q.strip():
        return count_up_to(session, people(scope, filters, q, today=today), most)
    return session.scalar(_count_of_list(scope, filters, most, today)) or 0


@lru_cache(maxsize=512)
def _count_of_list(scope: Scope, filters: Filters, most: int, today: date) -> Select[int]:
    return _counting(people(scope, filters, today=today), most)


def _counting(query: Select[Prospect], most: int) -> Select[int]:
    some = query.with_only_columns(Prospect.id).limit(most + 1).subquery()
    return select(func.count()).select_from(some)


class Named(NamedTuple):
    """A place as lists show it: its name, and the day from which it is no more."""

    name: str
    valid_to: date | None


class Listed(NamedTuple):
    """A line of a list of people. `person` is a row of the columns that a list shows, and of no others."""

    person: Any
    standing: Ground
    place: Named
    """The ward or commune as it was recorded."""
    neighbourhood: Named | None
    ward_now: Named | None
    """What that ward has become by today; None while it still is itself."""

    @property
    def address(self) -> str | None:
        """The house as it is written, unless that only says the neighbourhood once more."""
        return said_once(self.person.address, self.neighbourhood.name if self.neighbourhood else None)


def list_of(
    session: Session,
    scope: Scope,
    filters: Filters,
    q: str,
    *,
    cursor: str | None,
    size: int,
    today: date,
    with_tags: bool = False,
) -> Page[Listed]:
    """One page of a list as the eye needs it: one query for the people with their grounds, names of places kept."""
    if cursor or q.strip() or filters.sought_in_texts:
        found = page_of(
            session, scope, filters, q, cursor=cursor, size=size, today=today, columns=_shown(today, with_tags)
        )
    else:
        first = _first_page(scope, filters, size, today, with_tags)
        found = page_from(session, first, size=size, key=place_in_order)
    places = _place_names(session, scope.town_id, found.rows)
    now = _wards_now(session, scope.town_id, found.rows, places, today)
    rows = [
        Listed(
            person=row,
            standing=deciding(Ground(ground) for ground in row.grounds),
            place=places[row.place_id],
            neighbourhood=places.get(row.neighbourhood_id),
            ward_now=now.get((row.place_id, row.neighbourhood_id)),
        )
        for row in found.rows
    ]
    return Page(rows, found.next)


@lru_cache(maxsize=512)
def _first_page(scope: Scope, filters: Filters, size: int, today: date, with_tags: bool) -> Select[Any]:
    """Where everybody begins, asked again and again."""
    shown = _shown(today, with_tags)
    return page_query(people(scope, filters, today=today).with_only_columns(*shown), ORDER, size=size)


@lru_cache(maxsize=8)
def _shown(today: date, with_tags: bool) -> tuple[SQLColumnExpression[Any], ...]:
    """The columns of a list, the grounds that hold today, and the tags where they are shown."""
    grounds = select(Standing.ground).where(
        Standing.town_id == Prospect.town_id, Standing.prospect_id == Prospect.id, *valid_on(today)
    )
    shown = *_SHOWN, func.array(grounds.scalar_subquery()).label("grounds")
    return (*shown, tags_of_each()) if with_tags else shown


def tags_of_each() -> SQLColumnExpression[Any]:
    """The names of a person's tags, as a column of a list of people."""
    names = (
        select(Tag.name)
        .join(PersonTag, (PersonTag.town_id == Tag.town_id) & (PersonTag.tag_id == Tag.id))
        .where(PersonTag.town_id == Prospect.town_id, PersonTag.prospect_id == Prospect.id)
        .order_by(Tag.name_fold)
    )
    return func.array(names.scalar_subquery()).label("tags")


_SHOWN: tuple[InstrumentedAttribute[Any], ...] = (
    Prospect.id,
    Prospect.name_key,
    Prospect.full_name,
    Prospect.birth_year,
    Prospect.phone,
    Prospect.other_phone,
    Prospect.address,
    Prospect.stage,
    Prospect.place_id,
    Prospect.neighbourhood_id,
    Prospect.volunteer_id,
    Prospect.next_contact_on,
    Prospect.last_contact_at,
    Prospect.organisation_id,
    Prospect.sex,
    Prospect.birth_date,
    Prospect.occupation,
)


def _place_names(session: Session, town_id: UUID, rows: Sequence[Any]) -> dict[UUID, Named]:
    """The names of the places of these rows."""
    return _places(session, town_id, {key for row in rows for key in (row.place_id, row.neighbourhood_id) if key})


def _places(session: Session, town_id: UUID, wanted: set[UUID]) -> dict[UUID, Named]:
    """These places by id; one that is not kept yet sends for all of them."""

    def read() -> dict[UUID, Named]:
        query = select(Place.id, Place.name, Place.valid_to).where(Place.town_id == town_id, Place.id.in_(wanted))
        return {row[0]: Named(row[1], row[2]) for row in session.execute(query)}

    known = kept(("places named", town_id), dict[UUID, Named])
    if not wanted <= known.keys():
        known.update(read())
    return known


def _wards_now(
    session: Session, town_id: UUID, rows: Sequence[Any], places: Mapping[UUID, Named], today: date
) -> dict[tuple[UUID, UUID | None], Named]:
    """What the wards of these rows have become by today, where they have: three statements more, however many rows."""
    homes = {(row.place_id, row.neighbourhood_id) for row in rows}
    ended = [home for home in homes if (end := places[home[0]].valid_to) is not None and end <= today]
    if not ended:
        return {}
    here = kept(("boundaries", town_id, today), lambda: boundaries(session, town_id, today))
    became = {home: unit for home in ended if (unit := here.unit_of(*home)) != home[0]}
    names = _places(session, town_id, set(became.values()))
    return {home: names[unit] for home, unit in became.items() if unit in names}
