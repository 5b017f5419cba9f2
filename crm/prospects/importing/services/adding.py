"""Adding the people of a list: each kind of row by one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, scope_of
from crm.citizen_ids import mask
from crm.clock import local_day
from crm.ids import new_id
from crm.names import fold, sort_key
from crm.places.models import Place
from crm.prospects.importing.queries import answered
from crm.prospects.importing.rules import Proposed, purposes_of
from crm.prospects.importing.services.copying import copy_in, table_of
from crm.prospects.models import Consent, ImportRow, ListImport, Prospect, StageChange, Standing
from crm.prospects.rules import ConsentChannel, Ground, Stage
from crm.prospects.services.neighbourhoods import find_or_add_neighbourhood
from crm.sealed import current as seal


@dataclass
class Committing:
    """One worker loading one list."""

    import_id: UUID
    town_id: UUID
    heartbeat: datetime
    by_id: UUID | None
    organisation_id: UUID | None
    scope: Scope | None
    consent_words: Mapping[str, str | None]
    finished: bool = False
    neighbourhoods: dict[tuple[UUID, str], UUID] = field(default_factory=dict)


def work_on(session: Session, row: ListImport, at: datetime) -> Committing:
    """What loading rows of this list needs to know."""
    user = session.get(User, (row.town_id, row.created_by_id)) if row.created_by_id else None
    return Committing(
        import_id=row.id,
        town_id=row.town_id,
        heartbeat=at,
        by_id=row.created_by_id,
        organisation_id=row.organisation_id,
        scope=scope_of(session, user) if user else None,
        consent_words={table["sheet"]: table["consent"] for table in (row.found or {}).get("tables", ())},
    )


def add_people(session: Session, work: Committing, new: Sequence[tuple[ImportRow, Proposed]], at: datetime) -> None:
    """Add people with their grounds, consents and first stage, each kind by one statement. A person has their row's id."""
    if not new:
        return
    places = {row.id: neighbourhood_of(session, work, one) for row, one in new}
    session.flush()
    people = [_columns(work, row.id, one, places[row.id], at) for row, one in new]
    copy_in(session, table_of(Prospect), people)
    add_standings(session, work, [(row.id, ground) for row, one in new for ground in one.grounds], at)
    copy_in(
        session,
        table_of(StageChange),
        [
            {
                "town_id": work.town_id,
                "id": new_id(),
                "prospect_id": row.id,
                "from_stage": None,
                "to_stage": Stage.NEW,
                "at": at,
                "by_id": work.by_id,
                "because_id": work.import_id,
            }
            for row, _one in new
        ],
    )
    agree(session, work, [(row, one) for row, one in new if one.sms_consent and one.phone], at)


def agree(session: Session, work: Committing, agreed: Sequence[tuple[ImportRow, Proposed]], at: datetime) -> None:
    """Keep that these phones agree to messages, where nothing was ever said of them: a list undoes no refusal."""
    known = answered(session, work.town_id, {one.phone for _row, one in agreed if one.phone})
    consents = {
        (one.phone, purpose): {
            "town_id": work.town_id,
            "id": new_id(),
            "phone": one.phone,
            "purpose": purpose,
            "given": True,
            "channel": ConsentChannel.IMPORT,
            "at": at,
            "words": work.consent_words.get(row.sheet),
            "prospect_id": row.prospect_id or row.id,
            "recorded_at": at,
            "recorded_by_id": work.by_id,
        }
        for row, one in agreed
        for purpose in purposes_of(work.consent_words.get(row.sheet) or "")
        if one.phone and (one.phone, purpose) not in known
    }
    if consents:
        session.flush()
        copy_in(session, table_of(Consent), list(consents.values()))


def neighbourhood_of(session: Session, work: Committing, one: Proposed) -> UUID | None:
    """The neighbourhood of a row, added when it is not there yet."""
    if not one.neighbourhood or not fold(one.neighbourhood):
        return None
    key = one.place_id, fold(one.neighbourhood)
    if key not in work.neighbourhoods:
        unit = session.get_one(Place, (work.town_id, one.place_id))
        work.neighbourhoods[key] = find_or_add_neighbourhood(session, unit, one.neighbourhood).id
    return work.neighbourhoods[key]


def _columns(
    work: Committing, person_id: UUID, one: Proposed, neighbourhood_id: UUID | None, at: datetime
) -> dict[str, Any]:
    return {
        "town_id": work.town_id,
        "id": person_id,
        "full_name": one.full_name,
        "name_fold": fold(one.full_name),
        "name_key": sort_key(one.full_name),
        "sex": one.sex,
        "birth_date": one.birth_date,
        "birth_year": one.birth_year,
        "phone": one.phone,
        "other_phone": one.other_phone,
        "citizen_id": one.citizen_id,
        "citizen_index": seal().index(one.citizen_id) if one.citizen_id else None,
        "citizen_masked": mask(one.citizen_id) if one.citizen_id else None,
        "insurance_number": one.si_number,
        "insurance_index": seal().index(one.si_number) if one.si_number else None,
        "insurance_masked": mask(one.si_number) if one.si_number else None,
        "place_id": one.place_id,
        "neighbourhood_id": neighbourhood_id,
        "address": one.address,
        "occupation": one.occupation,
        "stage": Stage.NEW,
        "organisation_id": work.organisation_id,
        "created_at": at,
        "created_by_id": work.by_id,
        "updated_at": at,
        "version": 1,
    }


def add_standings(
    session: Session, work: Committing, claimed: Sequence[tuple[UUID, Ground]], at: datetime
) -> list[UUID]:
    """Grounds that lists claim hold for the calendar year; the ids of those that were not there yet."""
    if not claimed:
        return []
    year = local_day(at).year
    rows = [
        {
            "town_id": work.town_id,
            "id": new_id(),
            "prospect_id": person_id,
            "ground": ground,
            "valid_from": date(year, 1, 1),
            "valid_to": date(year + 1, 1, 1),
            "recorded_at": at,
            "recorded_by_id": work.by_id,
        }
        for person_id, ground in claimed
    ]
    return list(session.scalars(upsert(Standing).on_conflict_do_nothing().returning(Standing.id), rows))
