"""Which people someone may see, and what is known of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
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
    bindparam,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.compiler import SQLCompiler

from crm.accounts.models import ChangeRecord, Organisation, User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.errors import NotFound
from crm.kept import kept
from crm.names import clean, fold
from crm.phones import digits_for_search
from crm.places.models import Place, Town
from crm.prospects.models import Consent, IdentityReading, Prospect, StageChange, Standing
from crm.prospects.rules import STRENGTH, Ground, Purpose, Same, Stage, Traits, deciding, reasons_for_one, score
from crm.sealed import current as seal
from crm.web.pager import Page, page, page_from, page_query

ORDER: tuple[InstrumentedAttribute[Any], ...] = (Prospect.name_key, Prospect.id)
"""The order of every list of people: Vietnamese, by given name."""

MOST_WORDS = 8
LONGEST_SEARCH = 120
_LAST_Y_OR_I = re.compile(r"(?<![aeio])[yi](?=$| )")


# ---- who sees whom


def visible_to(scope: Scope) -> ColumnElement[bool]:
    """The one condition on people: those this person may see, merged records included."""
    return and_(Prospect.town_id == scope.town_id, *_within_reach(scope))


def listed_to(scope: Scope) -> ColumnElement[bool]:
    """`visible_to` without the records that were merged into another: what lists, counts and exports use."""
    return and_(visible_to(scope), Prospect.merged_into_id.is_(None))


def _within_reach(scope: Scope) -> list[ColumnElement[bool]]:
    if scope.reach is Reach.ALL:
        return []
    if scope.reach is Reach.OWN:
        return [Prospect.volunteer_id == scope.user_id]
    unit = []
    if scope.reach is Reach.UNIT and scope.organisation_id:
        unit.append(Prospect.organisation_id == scope.organisation_id)
    if scope.reach is Reach.UNIT and scope.place_ids is not None:
        unit.append(lives_in(scope.place_ids))
    return unit or [false()]


def lives_in(place_ids: Collection[UUID]) -> ColumnElement[bool]:
    """Whether somebody's ward or neighbourhood is one of these."""
    return or_(Prospect.place_id.in_(place_ids), Prospect.neighbourhood_id.in_(place_ids))


def person(session: Session, scope: Scope, prospect_id: UUID) -> Prospect:
    """Someone this person may see; the id of a merged record leads to the one it became. Raises NotFound."""
    seen: set[UUID] = set()
    while prospect_id not in seen:
        seen.add(prospect_id)
        row = session.execute(_one_person(scope), {"person": prospect_id}).one_or_none()
        if row is None or (row[0].merged_into_id is None and not row[1]):
            break
        if row[0].merged_into_id is None:
            return row[0]
        prospect_id = row[0].merged_into_id
    raise NotFound


@lru_cache(maxsize=512)
def _one_person(scope: Scope) -> Select[Prospect, bool]:
    """Somebody, and whether they are within reach. Kept, as others below: making a statement costs more than asking it."""
    return select(Prospect, visible_to(scope)).where(
        Prospect.town_id == scope.town_id, Prospect.id == bindparam("person")
    )


# ---- lists and search


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to. `place_ids` is a place with everything in it and everything it came from."""

    place_ids: tuple[UUID, ...] | None = None
    neighbourhood_id: UUID | None = None
    stage: Stage | None = None
    standing: Ground | None = None
    organisation_id: UUID | None = None
    assigned_to: UUID | Literal["nobody"] | None = None
    due_before: date | None = None


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
    if filters.stage:
        found.append(Prospect.stage == filters.stage)
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
    return found


def stands(ground: Ground, day: date) -> ColumnElement[bool]:
    """Whether this ground decides somebody's support on a day: they have it, and no stronger one."""
    stronger = [other for other in Ground if STRENGTH[other] < STRENGTH[ground] and other is not Ground.OTHER]
    conditions = []
    if ground is not Ground.OTHER:
        conditions.append(_has((ground,), day))
    if stronger:
        conditions.append(~_has(stronger, day))
    return and_(*conditions)


def _has(grounds: Iterable[Ground], day: date) -> ColumnElement[bool]:
    return exists().where(
        Standing.town_id == Prospect.town_id,
        Standing.prospect_id == Prospect.id,
        Standing.ground.in_(list(grounds)),
        *_valid_on(day),
    )


def _valid_on(day: date) -> tuple[ColumnElement[bool], ...]:
    return Standing.valid_from <= day, or_(Standing.valid_to.is_(None), Standing.valid_to > day)


@dataclass(frozen=True)
class Sought:
    """A search as it is understood: words of a name, digits of a telephone, perhaps a whole identity number."""

    words: tuple[str, ...]
    digits: str
    number: str

    @classmethod
    def in_text(cls, q: str) -> Sought:
        parts = clean(q[:LONGEST_SEARCH]).split()
        named = [part for part in parts if any(char.isalpha() for char in part)]
        digits = digits_for_search(" ".join(part for part in parts if part not in named))
        number = "".join(char for char in q if char in "0123456789") if not named else ""
        return cls(tuple(fold(" ".join(named)).split()[:MOST_WORDS]), digits, number)

    @property
    def phrase(self) -> str:
        return " ".join(self.words)


def matches(q: str) -> ColumnElement[bool]:
    """Whether a person is found by this text: parts of the name in any spelling, of a phone, or a whole number.

    Every condition can use the trigram index; the alternatives of a number are all indexed, so their union is too.
    """
    sought = Sought.in_text(q)
    conditions: list[ColumnElement[bool]] = [_contains(Prospect.name_fold, word) for word in sought.words]
    if sought.digits:
        by_number = [_contains(Prospect.phone, sought.digits), _contains(Prospect.other_phone, sought.digits)]
        conditions.append(or_(*by_number, *_whole_number(sought.number)))
    return and_(*conditions) if conditions else false()


def _whole_number(number: str) -> list[ColumnElement[bool]]:
    """The columns that hold a whole identity number of this length."""
    index = seal().index(number)
    return {
        9: [Prospect.citizen_index == index],
        10: [Prospect.insurance_index == index],
        12: [Prospect.citizen_index == index],
    }.get(len(number), [])


def _contains(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """`column like '%text%'` with the pattern in the statement: planned for this text, not for any text."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern: ColumnElement[str] = bindparam(None, f"%{escaped}%", literal_execute=True)
    return column.like(pattern)


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
    order = _quickest_order(session, query) if sought.words else ORDER
    if len(sought.words) < 2:
        return page(session, query, order, cursor=cursor, size=size, key=place_in_order)
    side_by_side = _contains(Prospect.name_fold, sought.phrase)
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


# ---- what is known of somebody


def deciding_grounds(session: Session, prospect_ids: Collection[UUID], day: date) -> dict[UUID, Ground]:
    """The ground that decides the support of each of these people on a day; `other` where there is none."""
    query = select(Standing.prospect_id, Standing.ground).where(
        Standing.town_id.in_(select(Town.id)), Standing.prospect_id.in_(prospect_ids), *_valid_on(day)
    )
    grounds: dict[UUID, list[Ground]] = {prospect_id: [] for prospect_id in prospect_ids}
    for prospect_id, ground in session.execute(query):
        grounds[prospect_id].append(ground)
    return {prospect_id: deciding(found) for prospect_id, found in grounds.items()}


def standings_of(session: Session, town_id: UUID, prospect_ids: Collection[UUID]) -> dict[UUID, list[Standing]]:
    """All grounds these people have or had, the newest first."""
    found: dict[UUID, list[Standing]] = {prospect_id: [] for prospect_id in prospect_ids}
    for row in session.scalars(_STANDINGS, {"town": town_id, "people": list(prospect_ids)}):
        found[row.prospect_id].append(row)
    return found


_STANDINGS = (
    select(Standing)
    .where(Standing.town_id == bindparam("town"), Standing.prospect_id.in_(bindparam("people", expanding=True)))
    .order_by(Standing.valid_from.desc(), Standing.id.desc())
)


def consents_of(session: Session, town_id: UUID, phone: str) -> dict[Purpose, Consent]:
    """What holds for a phone number now: the latest answer for each purpose that was ever asked."""
    return consents_of_all(session, town_id, (phone,)).get(phone, {})


def consents_of_all(session: Session, town_id: UUID, phones: Collection[str]) -> dict[str, dict[Purpose, Consent]]:
    """`consents_of` for many numbers at once."""
    found: dict[str, dict[Purpose, Consent]] = {}
    for row in session.scalars(_CONSENTS, {"town": town_id, "phones": list(phones)}):
        found.setdefault(row.phone, {})[row.purpose] = row
    return found


_CONSENTS = (
    select(Consent)
    .where(Consent.town_id == bindparam("town"), Consent.phone.in_(bindparam("phones", expanding=True)))
    .distinct(Consent.phone, Consent.purpose)
    .order_by(Consent.phone, Consent.purpose, Consent.at.desc(), Consent.recorded_at.desc(), Consent.id.desc())
)


def stage_changes(session: Session, prospect: Prospect) -> Sequence[tuple[StageChange, str | None]]:
    """The steps of one person, each with the name of who made it, the newest first."""
    return [(row[0], row[1]) for row in session.execute(_STEPS, {"town": prospect.town_id, "person": prospect.id})]


_STEPS = (
    select(StageChange, User.full_name)
    .outerjoin(User, (User.town_id == StageChange.town_id) & (User.id == StageChange.by_id))
    .where(StageChange.town_id == bindparam("town"), StageChange.prospect_id == bindparam("person"))
    .order_by(StageChange.at.desc(), StageChange.id.desc())
)


def consent_changes(session: Session, prospect: Prospect) -> Sequence[tuple[Consent, str | None]]:
    """Every answer of the phone this person has now, and those they gave with an earlier one, the newest first."""
    asked = {"town": prospect.town_id, "person": prospect.id, "phone": prospect.phone}
    return [(row[0], row[1]) for row in session.execute(_ANSWERS, asked)]


_ANSWERS = (
    select(Consent, User.full_name)
    .outerjoin(User, (User.town_id == Consent.town_id) & (User.id == Consent.recorded_by_id))
    .where(
        Consent.town_id == bindparam("town"),
        or_(Consent.phone == bindparam("phone"), Consent.prospect_id == bindparam("person")),
    )
    .order_by(Consent.at.desc(), Consent.id.desc())
)


def change_records(session: Session, prospect: Prospect) -> Sequence[tuple[ChangeRecord, str | None]]:
    """Who changed what of this person, the newest first."""
    return [(row[0], row[1]) for row in session.execute(_CHANGES, {"town": prospect.town_id, "person": prospect.id})]


_CHANGES = (
    select(ChangeRecord, User.full_name)
    .outerjoin(User, (User.town_id == ChangeRecord.town_id) & (User.id == ChangeRecord.user_id))
    .where(ChangeRecord.town_id == bindparam("town"), ChangeRecord.subject_id == bindparam("person"))
    .order_by(ChangeRecord.at.desc(), ChangeRecord.id.desc())
)


def identity_readings(session: Session, prospect: Prospect) -> Sequence[tuple[IdentityReading, str | None]]:
    """Who read this person's full numbers, the newest first."""
    query = (
        select(IdentityReading, User.full_name)
        .outerjoin(User, (User.town_id == IdentityReading.town_id) & (User.id == IdentityReading.user_id))
        .where(IdentityReading.town_id == prospect.town_id, IdentityReading.prospect_id == prospect.id)
        .order_by(IdentityReading.at.desc(), IdentityReading.id.desc())
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def visible_among(session: Session, scope: Scope, prospect_ids: Collection[UUID]) -> Sequence[Prospect]:
    """Those of these people whom this person may see."""
    return session.scalars(
        select(Prospect).where(visible_to(scope), Prospect.id.in_(prospect_ids)).order_by(*ORDER)
    ).all()


def household_of(session: Session, scope: Scope, prospect: Prospect) -> Sequence[Prospect]:
    """The others of somebody's household that this person may see."""
    if prospect.household_id is None:
        return []
    query = select(Prospect).where(
        listed_to(scope), Prospect.household_id == prospect.household_id, Prospect.id != prospect.id
    )
    return session.scalars(query.order_by(*ORDER)).all()


@dataclass(frozen=True)
class Facts:
    """A person with what lists and programs show of them."""

    person: Prospect
    standing: Ground
    standings: list[Standing]
    """Those that hold today or begin later, the newest first."""
    consents: dict[Purpose, Consent]
    place: Place
    neighbourhood: Place | None
    organisation: Organisation | None
    volunteer: User | None


def facts_of(session: Session, town_id: UUID, rows: Sequence[Prospect], today: date) -> list[Facts]:
    """The facts of these people, in their order, with a handful of queries however many they are."""
    standings = standings_of(session, town_id, [row.id for row in rows])
    consents = consents_of_all(session, town_id, {row.phone for row in rows if row.phone})
    places = _named(session, Place, town_id, [(row.place_id, row.neighbourhood_id) for row in rows])
    organisations = _named(session, Organisation, town_id, [(row.organisation_id,) for row in rows])
    volunteers = _named(session, User, town_id, [(row.volunteer_id,) for row in rows])
    facts = []
    for row in rows:
        held = [one for one in standings[row.id] if one.valid_to is None or one.valid_to > today]
        facts.append(
            Facts(
                person=row,
                standing=deciding(one.ground for one in held if one.valid_from <= today),
                standings=held,
                consents=consents.get(row.phone or "", {}),
                place=places[row.place_id],
                neighbourhood=places.get(row.neighbourhood_id),
                organisation=organisations.get(row.organisation_id),
                volunteer=volunteers.get(row.volunteer_id),
            )
        )
    return facts


class Named(NamedTuple):
    """A place as lists show it."""

    name: str


class Listed(NamedTuple):
    """A line of a list of people. `person` is a row of the columns that a list shows, and of no others."""

    person: Any
    standing: Ground
    place: Named
    neighbourhood: Named | None


def list_of(
    session: Session, scope: Scope, filters: Filters, q: str, *, cursor: str | None, size: int, today: date
) -> Page[Listed]:
    """One page of a list as the eye needs it: one query for the people with their grounds, names of places kept."""
    if cursor or q.strip():
        found = page_of(session, scope, filters, q, cursor=cursor, size=size, today=today, columns=_shown(today))
    else:
        found = page_from(session, _first_page(scope, filters, size, today), size=size, key=place_in_order)
    places = _place_names(session, scope.town_id, found.rows)
    rows = [
        Listed(
            person=row,
            standing=deciding(Ground(ground) for ground in row.grounds),
            place=places[row.place_id],
            neighbourhood=places.get(row.neighbourhood_id),
        )
        for row in found.rows
    ]
    return Page(rows, found.next)


@lru_cache(maxsize=512)
def _first_page(scope: Scope, filters: Filters, size: int, today: date) -> Select[Any]:
    """Where everybody begins, asked again and again."""
    return page_query(people(scope, filters, today=today).with_only_columns(*_shown(today)), ORDER, size=size)


@lru_cache(maxsize=8)
def _shown(today: date) -> tuple[SQLColumnExpression[Any], ...]:
    """The columns of a list, and the grounds that hold today."""
    grounds = select(Standing.ground).where(
        Standing.town_id == Prospect.town_id, Standing.prospect_id == Prospect.id, *_valid_on(today)
    )
    return *_SHOWN, func.array(grounds.scalar_subquery()).label("grounds")


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
)


def _place_names(session: Session, town_id: UUID, rows: Sequence[Any]) -> dict[UUID, Named]:
    """The names of the places of these rows; one that is not kept yet sends for all of them."""
    wanted = {key for row in rows for key in (row.place_id, row.neighbourhood_id) if key}

    def read() -> dict[UUID, Named]:
        query = select(Place.id, Place.name).where(Place.town_id == town_id, Place.id.in_(wanted))
        return {row[0]: Named(row[1]) for row in session.execute(query)}

    known = kept(("places named", town_id), dict[UUID, Named])
    if not wanted <= known.keys():
        known.update(read())
    return known


def _named(session: Session, kind: type[Any], town_id: UUID, ids: Iterable[tuple[UUID | None, ...]]) -> dict[Any, Any]:
    wanted = {key for group in ids for key in group if key}
    if not wanted:
        return {}
    return {row.id: row for row in session.scalars(_OF_IDS[kind], {"town": town_id, "ids": list(wanted)})}


_OF_IDS: dict[type[Any], Select[Any]] = {
    kind: select(kind).where(kind.town_id == bindparam("town"), kind.id.in_(bindparam("ids", expanding=True)))
    for kind in (Place, Organisation, User)
}


# ---- the same person twice


@dataclass(frozen=True)
class Candidate:
    """Someone who may be the same person: why, and how sure that makes us (0…100)."""

    id: UUID
    reasons: tuple[Same, ...]
    score: int


def traits_of(row: Prospect) -> Traits:
    """What somebody who is kept is compared by."""
    return Traits(
        full_name=row.full_name,
        birth_date=row.birth_date,
        birth_year=row.birth_year,
        sex=row.sex,
        phones=frozenset(filter(None, (row.phone, row.other_phone))),
        citizen=row.citizen_index,
        citizen_digits=len(row.citizen_id or ""),
        insurance=row.insurance_index,
        place_id=row.place_id,
    )


def candidates(session: Session, town_id: UUID, new: Traits, *, except_id: UUID | None = None) -> list[Candidate]:
    """People who may be this one, the likeliest first. Asks the whole town: a duplicate may be out of one's sight."""
    found: dict[UUID, Prospect] = {}
    for condition in _meeting_points(new):
        query = select(Prospect).where(Prospect.town_id == town_id, Prospect.merged_into_id.is_(None), condition)
        found |= {row.id: row for row in session.scalars(query.limit(200))}
    reasons = {row.id: reasons_for_one(new, traits_of(row)) for row in found.values() if row.id != except_id}
    likely = [Candidate(key, why, score(why)) for key, why in reasons.items() if why]
    return sorted(likely, key=lambda candidate: (-candidate.score, candidate.id))


def _meeting_points(new: Traits) -> list[ColumnElement[bool]]:
    """The indexed conditions under which another record is looked at, one query each."""
    points: list[ColumnElement[bool]] = []
    if new.citizen:
        points.append(Prospect.citizen_index == new.citizen)
    if new.insurance:
        points.append(Prospect.insurance_index == new.insurance)
    for phone in sorted(new.phones):
        points.append(or_(Prospect.phone == phone, Prospect.other_phone == phone))
    name = _LAST_Y_OR_I.sub("_", fold(new.full_name))
    if name and new.birth_year:
        pattern: ColumnElement[str] = bindparam(None, name, literal_execute=True)
        points.append(and_(Prospect.name_fold.like(pattern), Prospect.birth_year == new.birth_year))
    return points
