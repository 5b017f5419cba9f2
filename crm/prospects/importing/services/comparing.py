"""Comparing the rows of a list with everybody who is here: PostgreSQL finds the pairs that meet, and each pair is judged as
crm/prospects/identity judges any two. A record that was merged leads to the one it became part of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, islice
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.names import fold
from crm.prospects.identity.queries import Lineages, lineages
from crm.prospects.identity.rules import Comparison, Verdict
from crm.prospects.identity.rules import compare as compare_people
from crm.prospects.importing.queries import TO_KNOW, among, known, visible
from crm.prospects.importing.rules import (
    KEPT_ELSEWHERE,
    Difference,
    Likeness,
    Proposed,
    difference,
    likeness,
)
from crm.prospects.models import ImportRow, ListImport, Prospect
from crm.prospects.rules import RowOutcome, Sex, Traits
from crm.sealed import current as seal

LOOKED_AT = 2_000
"""Rows that met somebody and are judged together."""
FEW = 20
"""A list with fewer than one row for so many people looks each of them up; a longer one goes through all people once."""


@dataclass(frozen=True)
class Part:
    """Rows of a list: the first id, the last, and how many there are."""

    first: UUID
    last: UUID
    many: int


class Kept(Protocol):
    """Somebody here, a row of `TO_KNOW`."""

    @property
    def id(self) -> UUID: ...
    @property
    def merged_into_id(self) -> UUID | None: ...


@dataclass(frozen=True)
class Match:
    """Somebody here who is, or may be, the one a row proposes."""

    person: Kept
    like: Likeness
    difference: Difference
    visible: bool


def compare(
    session: Session,
    town_id: UUID,
    import_id: UUID,
    scope: Scope | None,
    *,
    on: date,
    part: Part | None = None,
    since: int | None = None,
) -> Iterator[int]:
    """Say of each row that is to be added, or of a part of them, whom it may already be; yields how many were judged
    each time.

    The whole town is asked, for somebody may be out of the importer's sight. With `since` only people are asked who were
    added or changed by that transaction or a later one.
    """
    known_wards = lineages(session, town_id)
    pairs = _pairs(session, town_id, import_id, part, since, known_wards)
    by_row = (
        (row_id, met)
        for row_id, each in groupby(pairs, key=lambda pair: pair.row_id)
        if (met := _alike(each, known_wards))
    )
    while some := list(islice(by_row, LOOKED_AT)):
        _judge(session, town_id, import_id, dict(some), scope, on)
        yield len(some)


def oldest_at_work(session: Session) -> int:
    """What every transaction before this one has done can be seen now."""
    return int(session.scalar(text("select pg_snapshot_xmin(pg_current_snapshot())::text")) or 0)


def _pairs(
    session: Session,
    town_id: UUID,
    import_id: UUID,
    part: Part | None,
    since: int | None,
    known_wards: Lineages,
) -> Iterator[Row[Any]]:
    within = part or Part(UUID(int=0), UUID(int=2**128 - 1), _rows(session, town_id, import_id))
    wards = [{"one": str(one), "other": str(other)} for one, line in known_wards.items() for other in line - {one}]
    asked: dict[str, Any] = {"town": town_id, "import": import_id, "first": within.first, "last": within.last}
    asked["wards"] = json.dumps(wards)
    bit_by_bit = {"stream_results": True, "yield_per": LOOKED_AT}
    if since is None or since > oldest_at_work(session):  # in a database restored elsewhere the count began anew
        _choose_way(session, within.many)
        return iter(session.execute(_MEETINGS, asked, execution_options=bit_by_bit))
    return iter(session.execute(_MEETINGS_SINCE, asked | {"since": since}, execution_options=bit_by_bit))


def _rows(session: Session, town_id: UUID, import_id: UUID) -> int:
    query = select(ListImport.done).where(ListImport.town_id == town_id, ListImport.id == import_id)
    return session.scalar(query) or 0


def _choose_way(session: Session, rows: int) -> None:
    """PostgreSQL knows nothing yet of rows that came a moment ago, and would look each up by itself however many."""
    people = session.scalar(text("select reltuples from pg_class where oid = 'prospect'::regclass")) or 0
    session.execute(text(f"set local enable_nestloop = {'off' if rows * FEW > people else 'on'}"))
    session.execute(text("set local cursor_tuple_fraction = 1"))  # all pairs are wanted, not the first of them soon


def _meetings(people: str, within: str) -> TextClause:
    """Each row beside everybody it meets: by a number, a telephone, the name with the year of birth, or, where one of the two
    has no year, the name with the ward or what it came from and became. In a large town many share these; that is no meeting
    where sexes differ, or where telephones differ by more than a slip and neither the day of birth nor the house is the same.
    A row without any number also meets (`again`) whom the same source told of in the same words before."""
    return text(
        f"""
        with given as materialized (
            select id, citizen_index, insurance_index, phone, other_phone, spellings, birth_year, birth_date, sex,
                place_id, address
            from import_person where town_id = :town and import_id = :import and id between :first and :last
            and to_add and not decided
        ), spelt as materialized (
            select id, unnest(spellings) name_fold, birth_year, birth_date, sex, phone, place_id, address from given
        ), near as (
            select * from jsonb_to_recordset(cast(:wards as jsonb)) w(one uuid, other uuid)
        ), spread as (
            select * from spelt
            union all select id, name_fold, birth_year, birth_date, sex, phone, near.other, address
                from spelt join near on near.one = spelt.place_id
        ), kept as {people} (
            select id, citizen_index, insurance_index, phone, other_phone, name_fold, birth_year, birth_date, sex,
                place_id, address
            from prospect where town_id = :town and merged_into_id is distinct from id {within}
        ), said as (
            select r.id row_id, e.prospect_id person_id
            from import_person g
            join import_row r on r.town_id = g.town_id and r.id = g.id and r.words is not null
            join list_import m on m.town_id = g.town_id and m.id = g.import_id
            join import_row e on e.town_id = r.town_id and e.words = r.words and e.import_id <> r.import_id
            join list_import l on l.town_id = e.town_id and l.id = e.import_id
            where g.town_id = :town and g.import_id = :import and g.id between :first and :last
            and g.to_add and not g.decided
            and e.outcome in ('new', 'changed', 'unchanged') and e.prospect_id is not null
            and (l.state = 'committed' or e.settled_at is not null)
            and (l.digest = m.digest or l.organisation_id = m.organisation_id or (l.organisation_id is null
                and m.organisation_id is null and l.created_by_id is not distinct from m.created_by_id))
        ), found as (
            select given.id row_id, kept.id person_id from given join kept using (citizen_index)
            union select given.id, kept.id from given join kept using (insurance_index)
            union select given.id, kept.id from given join kept using (phone)
            union select given.id, kept.id from given join kept using (other_phone)
            union select given.id, kept.id from given join kept on kept.phone = given.other_phone
            union select given.id, kept.id from given join kept on kept.other_phone = given.phone
            union select spelt.id, kept.id from spelt join kept using (name_fold, birth_year)
                where coalesce(kept.sex = spelt.sex, true)
                and (kept.birth_date = spelt.birth_date or {_no_other_phone("spelt")}
                    or kept.place_id = spelt.place_id and {_like_house("spelt")})
            union select spread.id, kept.id from spread join kept using (name_fold, place_id)
                where (kept.birth_year is null or spread.birth_year is null)
                and coalesce(kept.sex = spread.sex, true)
                and ({_no_other_phone("spread")} or {_like_house("spread")})
        ), met as (
            select row_id, person_id, bool_or(again) again from (
                select row_id, person_id, false again from found union all select row_id, person_id, true from said
            ) each_way group by row_id, person_id
        )
        select met.row_id, met.person_id, met.again,
            n.full_name new_name, n.birth_date new_date, n.birth_year new_year, n.sex new_sex, n.phone new_phone,
            n.other_phone new_other_phone, n.citizen_id new_citizen, n.citizen_index new_citizen_index,
            n.insurance_index new_insurance, n.place_id new_place, n.neighbourhood new_neighbourhood,
            n.address new_address, n.occupation new_occupation,
            k.full_name, k.birth_date, k.birth_year, k.sex, k.phone, k.other_phone, k.citizen_id, k.citizen_index,
            k.insurance_index, k.place_id, k.neighbourhood_id, b.name neighbourhood, k.address, k.occupation
        from met
        join import_person n on n.town_id = :town and n.import_id = :import and n.id = met.row_id
        join prospect k on k.town_id = :town and k.id = met.person_id and k.merged_into_id is distinct from k.id
        left join place b on b.town_id = :town and b.id = k.neighbourhood_id
        order by met.row_id, met.person_id
        """
    )


def _no_other_phone(given: str) -> str:
    """One of the two gives no telephone, or they may differ by a slip only: one digit written wrongly, or two exchanged,
    leave the first four or the last five of nine digits as they are, or else the first three and the last four."""
    first, last, first_three, last_four = (
        f"{end}(kept.phone, {many}) = {end}({given}.phone, {many})"
        for end, many in (("left", 7), ("right", 5), ("left", 6), ("right", 4))
    )
    return f"kept.phone is null or {given}.phone is null or {first} or {last} or {first_three} and {last_four}"


def _like_house(given: str) -> str:
    """Both live at a house of one number; the street is identity's to judge."""
    return f"substring(kept.address from '[0-9]+') = substring({given}.address from '[0-9]+')"


_MEETINGS = _meetings("not materialized", "")
_MEETINGS_SINCE = _meetings(
    "materialized", "and age(xmin) <= pg_snapshot_xmax(pg_current_snapshot())::text::bigint - :since"
)


def _alike(pairs: Iterable[Row[Any]], known_wards: Lineages) -> list[tuple[UUID, Comparison | None]]:
    """Those of the records a row meets that may be the same person; None beside whom its source told of before."""
    judged = [(pair.person_id, None if pair.again else _compared(pair, known_wards)) for pair in pairs]
    return [each for each in judged if each[1] is None or each[1].verdict is not Verdict.DIFFERENT]


def _compared(pair: Row[Any], known_wards: Lineages) -> Comparison:
    """The two as identity compares them. Numbers are opened only where they differ: they may differ by a slip."""
    differ = pair.new_citizen_index and pair.citizen_index and pair.new_citizen_index != pair.citizen_index
    cards = (seal().open(pair.new_citizen), seal().open(pair.citizen_id)) if differ else (None, None)
    new = Traits(
        full_name=pair.new_name,
        birth_date=pair.new_date,
        birth_year=pair.new_year,
        sex=Sex(pair.new_sex) if pair.new_sex else None,
        phones=frozenset(filter(None, (pair.new_phone, pair.new_other_phone))),
        citizen=pair.new_citizen_index,
        citizen_digits=len(cards[0] or ""),
        insurance=pair.new_insurance,
        place_id=pair.new_place,
        card=cards[0],
        lineage=known_wards.get(pair.new_place, frozenset()),
        neighbourhood_id=_neighbourhood(pair),
        address=pair.new_address,
        occupation=pair.new_occupation,
    )
    kept = Traits(
        full_name=pair.full_name,
        birth_date=pair.birth_date,
        birth_year=pair.birth_year,
        sex=Sex(pair.sex) if pair.sex else None,
        phones=frozenset(filter(None, (pair.phone, pair.other_phone))),
        citizen=pair.citizen_index,
        citizen_digits=len(cards[1] or ""),
        insurance=pair.insurance_index,
        place_id=pair.place_id,
        card=cards[1],
        lineage=known_wards.get(pair.place_id, frozenset()),
        neighbourhood_id=pair.neighbourhood_id,
        address=pair.address,
        occupation=pair.occupation,
    )
    return compare_people(new, kept)


def _neighbourhood(pair: Row[Any]) -> UUID | None:
    """The kept one's when the row names that; another, which the town may not know yet, when it names another."""
    if not pair.new_neighbourhood or not pair.neighbourhood:
        return None
    named: UUID = (pair.row_id, pair.neighbourhood_id)[fold(pair.new_neighbourhood) == fold(pair.neighbourhood)]
    return named


def _judge(
    session: Session,
    town_id: UUID,
    import_id: UUID,
    met: dict[UUID, list[tuple[UUID, Comparison | None]]],
    scope: Scope | None,
    on: date,
) -> None:
    """Write into these rows what they become beside the likeliest of those they met."""
    rows = select(ImportRow.id, ImportRow.understood).where(ImportRow.town_id == town_id, among(ImportRow.id, met))
    proposed = {row.id: Proposed.from_json(row.understood or "") for row in session.execute(rows)}
    became_of = _as_they_are_now(session, town_id, {person_id for each in met.values() for person_id, _why in each})
    people = {person.id: person for person in became_of.values()}
    kept = known(session, town_id, list(people.values()), list(proposed.values()), on)
    seen = visible(session, scope, people) if scope else set(people)
    became = []
    for row_id, one in proposed.items():
        here = [(became_of[person_id], why) for person_id, why in met[row_id] if person_id in became_of]
        match = _likeliest(one, here, kept, seen)
        if match:
            became.append({"id": str(row_id)} | compared(match))
    if became:
        session.execute(_BECOME, {"town": town_id, "rows": json.dumps(became, default=str)})
        ids = [UUID(row["id"]) for row in became]
        session.execute(_NOT_TO_ADD, {"town": town_id, "import": import_id, "here": ids})
    session.expunge_all()


def _as_they_are_now(session: Session, town_id: UUID, ids: set[UUID]) -> dict[UUID, Kept]:
    """The record each of these leads to, itself or the one it was merged into; none for who was taken back."""
    found: dict[UUID, Kept] = {}
    missing = set(ids)
    while missing:
        query = select(*TO_KNOW).where(Prospect.town_id == town_id, among(Prospect.id, missing))
        found |= {person.id: person for person in session.execute(query)}
        missing = {person.merged_into_id for person in found.values() if person.merged_into_id} - set(found)
    return {person_id: top for person_id in ids if (top := _top(found, person_id))}


def _top(found: Mapping[UUID, Kept], person_id: UUID) -> Kept | None:
    person = found.get(person_id)
    while person and person.merged_into_id:
        if person.merged_into_id == person.id:
            return None
        person = found.get(person.merged_into_id)
    return person


_BECOME = text(
    """
    update import_row r set outcome = v.outcome, reasons = v.reasons, detail = coalesce(r.detail, '{}') || v.detail,
        prospect_id = v.prospect_id, version_after = null
    from jsonb_to_recordset(cast(:rows as jsonb))
        v(id uuid, outcome text, reasons text[], detail jsonb, prospect_id uuid)
    where r.town_id = :town and r.id = v.id
    """
)


_NOT_TO_ADD = text(
    "update import_person set to_add = false where town_id = :town and import_id = :import and id = any(:here)"
)


def _likeliest(
    one: Proposed,
    people: Sequence[tuple[Kept, Comparison | None]],
    kept: dict[UUID, dict[str, Any]],
    seen: set[UUID],
) -> Match | None:
    best: Match | None = None
    for person, why in people:
        differs = difference(one, kept[person.id])
        nothing_new = not (differs.fills or differs.differs)
        like = Likeness(None, certain=True) if why is None else likeness(why, nothing_new=nothing_new)
        if like and (best is None or _rank(like, differs) > _rank(best.like, best.difference)):
            best = Match(person, like, differs, person.id in seen)
    return best


def _rank(like: Likeness, differs: Difference) -> tuple[bool, int, int]:
    return *like.weight, -len(differs.fills) - 2 * len(differs.differs)


def compared(match: Match) -> dict[str, Any]:
    """What a row becomes beside somebody who is here: changed or unchanged when it is sure, else set aside."""
    detail = {"fills": list(match.difference.fills), "differs": list(match.difference.differs)} | match.like.evidence
    reasons = match.like.reasons
    if not match.like.certain or (not match.visible and match.difference.fills):
        elsewhere = [] if match.visible else [KEPT_ELSEWHERE]
        person = match.person.id if match.visible else None
        return {
            "outcome": RowOutcome.DUPLICATE.value,
            "reasons": [*reasons, *elsewhere],
            "detail": detail,
            "prospect_id": person,
        }
    outcome = RowOutcome.CHANGED if match.difference.fills else RowOutcome.UNCHANGED
    return {"outcome": outcome.value, "reasons": reasons, "detail": detail, "prospect_id": match.person.id}
