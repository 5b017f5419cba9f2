"""Adding the people of a list: each kind of row by one statement, from what was made ready while the list was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, scope_of
from crm.clock import local_day
from crm.ids import new_id
from crm.names import fold
from crm.places.models import Place
from crm.prospects.households.queries import covered
from crm.prospects.households.rules import whole_year
from crm.prospects.importing.rules import Proposed, purposes_of
from crm.prospects.importing.services.at_work import Work
from crm.prospects.models import ListImport, Standing
from crm.prospects.rules import POVERTY, Ground, ImportState
from crm.prospects.services.neighbourhoods import find_or_add_neighbourhood


@dataclass
class Committing(Work):
    """One worker loading one list."""

    organisation_id: UUID | None
    scope: Scope | None
    consent_words: Mapping[str, str | None]
    compared_from: int | None
    neighbourhoods: dict[tuple[UUID, str], UUID]


def work_on(session: Session, row: ListImport, at: datetime) -> Committing:
    """What loading rows of this list needs to know."""
    user = session.get(User, (row.town_id, row.created_by_id)) if row.created_by_id else None
    return Committing(
        import_id=row.id,
        town_id=row.town_id,
        state=ImportState.COMMITTING,
        heartbeat=at,
        by_id=row.created_by_id,
        organisation_id=row.organisation_id,
        scope=scope_of(session, user) if user else None,
        consent_words={table["sheet"]: table["consent"] for table in (row.found or {}).get("tables", ())},
        compared_from=row.compared_from,
        neighbourhoods={},
    )


def batches(session: Session, work: Committing, size: int) -> Sequence[tuple[UUID, UUID, int]]:
    """The rows that wait to be loaded, in batches: the first id, the last, and how many there are."""
    asked = {"town": work.town_id, "import": work.import_id, "size": size}
    return [(UUID(each.first), UUID(each.last), each.many) for each in session.execute(_BATCHES, asked)]


_BATCHES = text(
    """
    select min(id::text) "first", max(id::text) "last", count(*) many from (
        select id, (row_number() over (order by id) - 1) / :size as batch from import_person
        where town_id = :town and import_id = :import and to_add
    ) numbered group by batch order by batch
    """
)


def add_people(session: Session, work: Committing, first: UUID, last: UUID, at: datetime) -> int:
    """Add the people of the new rows between these two, with their first step, grounds and consents; how many they are.

    A person has their row's id, and so have their first step and their word on messages.
    """
    asked = {
        "town": work.town_id,
        "import": work.import_id,
        "first": first,
        "last": last,
        "at": at,
        "by": work.by_id,
        "organisation": work.organisation_id,
        "year": date(local_day(at).year, 1, 1),
        "until": date(local_day(at).year + 1, 1, 1),
    }
    _name_neighbourhoods(session, work, asked)
    known = list(work.neighbourhoods.items())
    places = {
        "wards": [ward for (ward, _name), _id in known],
        "names": [name for (_ward, name), _id in known],
        "neighbourhoods": [found for _key, found in known],
    }
    added: Any = session.execute(_PEOPLE, asked | places)
    session.execute(_STEPS, asked)
    session.execute(_GROUNDS, asked)
    session.execute(_AGREED, asked | _headings(work))
    return int(added.rowcount)


def _name_neighbourhoods(session: Session, work: Committing, asked: Mapping[str, Any]) -> None:
    for ward_id, name in session.execute(_NEIGHBOURHOODS, asked):
        neighbourhood_of(session, work, ward_id, name)


def neighbourhood_of(session: Session, work: Committing, ward_id: UUID, name: str | None) -> UUID | None:
    """The neighbourhood of that name in a ward, added when it is not there yet."""
    if not name or not fold(name):
        return None
    if (ward_id, name) not in work.neighbourhoods:
        ward = session.get_one(Place, (work.town_id, ward_id))
        work.neighbourhoods[ward_id, name] = find_or_add_neighbourhood(session, ward, name).id
    return work.neighbourhoods[ward_id, name]


_NEW = """
    from import_person p
    where p.town_id = :town and p.import_id = :import and p.id between :first and :last and p.to_add
"""

_NEIGHBOURHOODS = text(f"select distinct p.place_id, p.neighbourhood {_NEW} and p.neighbourhood is not null")

# In the order of names, for most indexes of people are in it: neighbours in the index are added one after the other.
_PEOPLE = text(
    """
    insert into prospect (town_id, id, full_name, name_fold, name_key, sex, birth_date, birth_year, phone, other_phone,
        citizen_id, citizen_index, citizen_masked, insurance_number, insurance_index, insurance_masked, place_id,
        neighbourhood_id, address, occupation, stage, organisation_id, created_at, created_by_id, updated_at, version)
    select p.town_id, p.id, p.full_name, p.name_fold, p.name_key, p.sex, p.birth_date, p.birth_year, p.phone,
        p.other_phone, p.citizen_id, p.citizen_index, p.citizen_masked, p.insurance_number, p.insurance_index,
        p.insurance_masked, p.place_id, n.id, p.address, p.occupation, 'new', cast(:organisation as uuid), :at,
        cast(:by as uuid), :at, 1
    from import_person p
    left join unnest(cast(:wards as uuid[]), cast(:names as text[]), cast(:neighbourhoods as uuid[]))
        n(place_id, name, id) on n.place_id = p.place_id and n.name = p.neighbourhood
    where p.town_id = :town and p.import_id = :import and p.id between :first and :last and p.to_add
    order by p.name_key
    """
)
_STEPS = text(
    f"""
    insert into stage_change (town_id, id, prospect_id, from_stage, to_stage, at, by_id, because_id)
    select p.town_id, p.id, p.id, null, 'new', :at, cast(:by as uuid), :import {_NEW}
    """
)
_GROUNDS = text(
    f"""
    insert into standing (town_id, id, prospect_id, ground, valid_from, valid_to, recorded_at, recorded_by_id)
    select town_id, gen_random_uuid(), id, ground, :year, :until, :at, cast(:by as uuid)
    from (select p.town_id, p.id, unnest(p.grounds) as ground {_NEW} and p.grounds <> '{{}}') claimed
    on conflict do nothing
    """
)


def agree(session: Session, work: Committing, agreed: Mapping[UUID, UUID], at: datetime) -> None:
    """Keep that the phones of these rows, each somebody's who was here before, agree to messages."""
    asked = {"town": work.town_id, "import": work.import_id, "at": at, "by": work.by_id}
    people = {"rows": list(agreed), "people": list(agreed.values())}
    session.execute(_AGREED_BY_OTHERS, asked | people | _headings(work))


def _headings(work: Committing) -> dict[str, Any]:
    """What the column of consent of each sheet agrees to."""
    headings = [
        (sheet, purpose.value, words)
        for sheet, words in work.consent_words.items()
        for purpose in purposes_of(words or "")
    ]
    sheets, purposes, words = zip(*headings, strict=True) if headings else ((), (), ())
    return {"sheets": list(sheets), "purposes": list(purposes), "words": list(words)}


def _consents(person: str, rows: str) -> TextClause:
    """Where nothing was ever said of a phone: a list undoes no refusal, and what a list said that was taken back does not
    count."""
    return text(
        f"""
        with said as materialized (
            select distinct on (p.phone, h.purpose) p.phone, h.purpose, h.words, p.id, {person} person_id
            from unnest(cast(:sheets as text[]), cast(:purposes as text[]), cast(:words as text[]))
                h(sheet, purpose, words)
            join import_person p on p.sheet = h.sheet {rows}
            and p.town_id = :town and p.import_id = :import and p.sms_consent and p.phone is not null
            order by p.phone, h.purpose, p.id
        ), latest as materialized (
            select distinct on (c.phone, c.purpose) c.phone, c.purpose, c.given, c.channel
            from said join consent c on c.town_id = :town and c.phone = said.phone and c.purpose = said.purpose
            order by c.phone, c.purpose, c.at desc, c.recorded_at desc, c.id desc
        )
        insert into consent (town_id, id, phone, purpose, given, channel, at, words, prospect_id, recorded_at,
            recorded_by_id)
        select :town, said.id, said.phone, said.purpose, true, 'import', :at, said.words, said.person_id, :at,
            cast(:by as uuid)
        from said left join latest using (phone, purpose)
        where latest.given is null or (not latest.given and latest.channel = 'import')
        """
    )


_AGREED = _consents("p.id", "and p.to_add and p.id between :first and :last")
_AGREED_BY_OTHERS = _consents(
    "m.person_id",
    "join unnest(cast(:rows as uuid[]), cast(:people as uuid[])) m(id, person_id) on m.id = p.id",
)


def add_standings(
    session: Session, work: Committing, claimed: Iterable[tuple[UUID, Ground]], at: datetime
) -> dict[tuple[UUID, Ground], UUID]:
    """Grounds that lists claim hold for the calendar year; those that were not there yet, with their ids. Of somebody whose
    household has a certificate in that year the certificate says whether they are poor, not the list."""
    first, end = whole_year(local_day(at).year)
    grounds = list(claimed)
    poor = {person_id for person_id, ground in grounds if ground in POVERTY}
    settled = covered(session, work.town_id, poor, first, end) if poor else set()
    rows = [
        {
            "town_id": work.town_id,
            "id": new_id(),
            "prospect_id": person_id,
            "ground": ground,
            "valid_from": first,
            "valid_to": end,
            "recorded_at": at,
            "recorded_by_id": work.by_id,
        }
        for person_id, ground in grounds
        if not (person_id in settled and ground in POVERTY)
    ]
    if not rows:
        return {}
    added = upsert(Standing).on_conflict_do_nothing().returning(Standing.prospect_id, Standing.ground, Standing.id)
    return {(person_id, ground): standing_id for person_id, ground, standing_id in session.execute(added, rows)}


def neighbourhood_said(session: Session, work: Committing, one: Proposed) -> UUID | None:
    """The neighbourhood a row names."""
    return neighbourhood_of(session, work, one.place_id, one.neighbourhood)
