"""Comparing the rows of a list with everybody who is here: PostgreSQL finds the pairs that meet, each pair is judged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.names import fold
from crm.prospects.importing.queries import known, visible
from crm.prospects.importing.rules import (
    KEPT_ELSEWHERE,
    Difference,
    Likeness,
    Proposed,
    difference,
    likeness,
)
from crm.prospects.models import ImportRow, ListImport, Prospect
from crm.prospects.queries.alike import traits_of
from crm.prospects.rules import RowOutcome, Sex, Traits
from crm.sealed import current as seal

LOOKED_AT = 2_000
"""Rows that met somebody and are judged together."""
FEW = 20
"""A list with fewer than one row for so many people looks each of them up; a longer one goes through all people once."""


@dataclass(frozen=True)
class Match:
    """Somebody here who is, or may be, the one a row proposes."""

    person: Prospect
    like: Likeness
    difference: Difference
    visible: bool


def compare(
    session: Session, town_id: UUID, import_id: UUID, scope: Scope | None, *, on: date, since: int | None = None
) -> Iterator[int]:
    """Say of each row that is to be added whom it may already be; yields how many were judged each time.

    The whole town is asked, for somebody may be out of the importer's sight. With `since` only people are asked who were
    added or changed by that transaction or a later one.
    """
    pairs = _pairs(session, town_id, import_id, since)
    by_row = (
        (row_id, met) for row_id, each in groupby(pairs, key=lambda pair: pair.row_id) if (met := _alike(list(each)))
    )
    while some := list(islice(by_row, LOOKED_AT)):
        _judge(session, town_id, import_id, dict(some), scope, on)
        yield len(some)


def oldest_at_work(session: Session) -> int:
    """What every transaction before this one has done can be seen now."""
    return int(session.scalar(text("select pg_snapshot_xmin(pg_current_snapshot())::text")) or 0)


def _pairs(session: Session, town_id: UUID, import_id: UUID, since: int | None) -> Iterator[Row[Any]]:
    asked = {"town": town_id, "import": import_id}
    bit_by_bit = {"stream_results": True, "yield_per": LOOKED_AT}
    if since is None or since > oldest_at_work(session):  # in a database restored elsewhere the count began anew
        _choose_way(session, town_id, import_id)
        return iter(session.execute(_MEETINGS, asked, execution_options=bit_by_bit))
    return iter(session.execute(_MEETINGS_SINCE, asked | {"since": since}, execution_options=bit_by_bit))


def _choose_way(session: Session, town_id: UUID, import_id: UUID) -> None:
    """PostgreSQL knows nothing yet of rows that came a moment ago, and would look each up by itself however many."""
    rows = session.scalar(select(ListImport.done).where(ListImport.town_id == town_id, ListImport.id == import_id)) or 0
    people = session.scalar(text("select reltuples from pg_class where oid = 'prospect'::regclass")) or 0
    session.execute(text(f"set local enable_nestloop = {'off' if rows * FEW > people else 'on'}"))
    session.execute(text("set local cursor_tuple_fraction = 1"))  # all pairs are wanted, not the first of them soon


def _meetings(people: str, within: str) -> TextClause:
    """Each row beside everybody it meets: by a number, a telephone, or the name with the year of birth. In a large town many
    share a name and a year; that is no meeting where sexes differ, or telephones do and the day of birth is not the same."""
    return text(
        f"""
        with given as materialized (
            select id, citizen_index, insurance_index, phone, other_phone, spellings, birth_year, birth_date, sex
            from import_person where town_id = :town and import_id = :import and to_add and not decided
        ), spelt as materialized (
            select id, unnest(spellings) name_fold, birth_year, birth_date, sex, phone from given
        ), kept as {people} (
            select id, citizen_index, insurance_index, phone, other_phone, name_fold, birth_year, birth_date, sex
            from prospect where town_id = :town and merged_into_id is null {within}
        ), met as (
            select given.id row_id, kept.id person_id from given join kept using (citizen_index)
            union select given.id, kept.id from given join kept using (insurance_index)
            union select given.id, kept.id from given join kept using (phone)
            union select given.id, kept.id from given join kept using (other_phone)
            union select given.id, kept.id from given join kept on kept.phone = given.other_phone
            union select given.id, kept.id from given join kept on kept.other_phone = given.phone
            union select spelt.id, kept.id from spelt join kept using (name_fold, birth_year)
                where coalesce(kept.sex = spelt.sex, true)
                and (kept.phone is null or spelt.phone is null or kept.birth_date = spelt.birth_date)
        )
        select met.row_id, met.person_id,
            n.full_name new_name, n.birth_date new_date, n.birth_year new_year, n.sex new_sex, n.phone new_phone,
            n.other_phone new_other_phone, n.citizen_id new_citizen, n.citizen_index new_citizen_index,
            n.insurance_index new_insurance, n.place_id new_place,
            k.full_name, k.birth_date, k.birth_year, k.sex, k.phone, k.other_phone, k.citizen_id, k.citizen_index,
            k.insurance_index, k.place_id
        from met
        join import_person n on n.town_id = :town and n.import_id = :import and n.id = met.row_id
        join prospect k on k.town_id = :town and k.id = met.person_id
        order by met.row_id, met.person_id
        """
    )


_MEETINGS = _meetings("not materialized", "")
_MEETINGS_SINCE = _meetings(
    "materialized", "and age(xmin) <= pg_snapshot_xmax(pg_current_snapshot())::text::bigint - :since"
)


def _alike(pairs: Sequence[Row[Any]]) -> list[UUID]:
    """Those of the people a row meets who may be the same, as far as their own columns tell."""
    new = _new(pairs[0])
    return [
        pair.person_id
        for pair in pairs
        if likeness(new, _kept(pair, new), other_neighbourhood=False, nothing_new=False)
    ]


def _new(pair: Row[Any]) -> Traits:
    return Traits(
        full_name=pair.new_name,
        birth_date=pair.new_date,
        birth_year=pair.new_year,
        sex=Sex(pair.new_sex) if pair.new_sex else None,
        phones=frozenset(filter(None, (pair.new_phone, pair.new_other_phone))),
        citizen=pair.new_citizen_index,
        citizen_digits=len(seal().open(pair.new_citizen)) if pair.new_citizen else 0,
        insurance=pair.new_insurance,
        place_id=pair.new_place,
    )


def _kept(pair: Row[Any], new: Traits) -> Traits:
    """Numbers are opened only where two of them differ."""
    differ = new.citizen and pair.citizen_index and new.citizen != pair.citizen_index
    return Traits(
        full_name=pair.full_name,
        birth_date=pair.birth_date,
        birth_year=pair.birth_year,
        sex=Sex(pair.sex) if pair.sex else None,
        phones=frozenset(filter(None, (pair.phone, pair.other_phone))),
        citizen=pair.citizen_index,
        citizen_digits=len(seal().open(pair.citizen_id)) if differ else new.citizen_digits,
        insurance=pair.insurance_index,
        place_id=pair.place_id,
    )


def _judge(
    session: Session,
    town_id: UUID,
    import_id: UUID,
    met: dict[UUID, list[UUID]],
    scope: Scope | None,
    on: date,
) -> None:
    """Write into these rows what they become beside the likeliest of those they met."""
    rows = select(ImportRow.id, ImportRow.understood).where(ImportRow.town_id == town_id, ImportRow.id.in_(met))
    proposed = {row.id: Proposed.from_json(row.understood or "") for row in session.execute(rows)}
    ids = {person_id for people in met.values() for person_id in people}
    query = select(Prospect).where(Prospect.town_id == town_id, Prospect.id.in_(ids))
    people = {person.id: person for person in session.scalars(query)}
    kept = known(session, town_id, list(people.values()), list(proposed.values()), on)
    seen = visible(session, scope, ids) if scope else ids
    became = []
    for row_id, one in proposed.items():
        match = _likeliest(one, [people[person_id] for person_id in met[row_id]], kept, seen)
        if match:
            became.append({"id": str(row_id)} | compared(match))
    if became:
        session.execute(_BECOME, {"town": town_id, "rows": json.dumps(became, default=str)})
        here = [UUID(row["id"]) for row in became]
        session.execute(_NOT_TO_ADD, {"town": town_id, "import": import_id, "here": here})
    session.expunge_all()


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
    one: Proposed, people: Sequence[Prospect], kept: dict[UUID, dict[str, Any]], seen: set[UUID]
) -> Match | None:
    best: Match | None = None
    new = traits_of_row(one)
    for person in people:
        about = kept[person.id]
        differs = difference(one, about)
        places = fold(one.neighbourhood or ""), fold(about["neighbourhood"] or "")
        like = likeness(
            new,
            traits_of(person),
            other_neighbourhood=all(places) and places[0] != places[1],
            nothing_new=not (differs.fills or differs.differs),
        )
        if like and (best is None or _rank(like, differs) > _rank(best.like, best.difference)):
            best = Match(person, like, differs, person.id in seen)
    return best


def _rank(like: Likeness, differs: Difference) -> tuple[bool, int, int]:
    return *like.weight, -len(differs.fills) - 2 * len(differs.differs)


def traits_of_row(one: Proposed) -> Traits:
    """What somebody a row proposes is compared by."""
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


def compared(match: Match) -> dict[str, Any]:
    """What a row becomes beside somebody who is here: changed or unchanged when it is sure, else set aside."""
    detail = {"fills": list(match.difference.fills), "differs": list(match.difference.differs)}
    reasons = [why.value for why in match.like.reasons]
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
