"""Adding people, correcting them, reading a full number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from hashlib import sha256
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import ChangeRecord, Organisation, User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Reach
from crm.accounts.services import note_change_of
from crm.citizen_ids import mask
from crm.clock import local_day
from crm.errors import Conflict, Refusals, RuleBroken
from crm.ids import new_id
from crm.names import fold, sort_key
from crm.places.models import Place
from crm.places.rules import UNITS, PlaceKind
from crm.prospects import added
from crm.prospects.editing import NUMBERS, Collision, columns_of_unit, masked, sort_out, without_marks
from crm.prospects.identity.queries import candidates, traits_of
from crm.prospects.models import IdentityReading, Prospect, StageChange
from crm.prospects.queries.changes import CHANGED, VERSION
from crm.prospects.rules import (
    NOBODY,
    Kinship,
    Known,
    NewPerson,
    Same,
    Sex,
    Stage,
    columns_of,
)
from crm.prospects.services.consent import answer_for, check_answer
from crm.prospects.services.standing import check_given, record_given
from crm.sealed import current as seal

IDS = ("neighbourhood_id", "household_id", "kinship", "organisation_id")
"""What may be changed of somebody besides the fields that are read; who looks after them is outreach's to say."""


CHANGEABLE = frozenset(
    {
        "full_name",
        "birth_date",
        "birth_year",
        "sex",
        "phone",
        "other_phone",
        "citizen_id",
        "si_number",
        "address",
        "occupation",
        "place_id",
        *IDS,
    }
)


def add_prospect(
    session: Session, new: NewPerson, *, by: User, at: datetime, allow_duplicate: bool = False
) -> Prospect:
    """Someone new. A volunteer looks after whom they add; a lead's organisation gets whom they add.

    Raises RuleBroken at the field that is wrong, RulesBroken at all of several, and Conflict `likely_duplicate` whose
    `candidates` are `{id, score, reasons: [code]}` when somebody here may be the same person.
    """
    if new.id and session.get(Prospect, (by.town_id, new.id)):
        raise Conflict(_l("Somebody with this id is here already."), code="id_taken", id=str(new.id))
    row = Prospect(
        town_id=by.town_id, id=new.id or new_id(), stage=Stage.NEW, created_at=at, created_by_id=by.id, updated_at=at
    )
    row.household_id, row.kinship = new.household_id, new.kinship
    _write(row, columns_of_new(session, new, by=by, at=at))
    if not allow_duplicate:
        refuse_a_duplicate(session, row)
    session.add(row)
    session.flush()
    session.add(StageChange(town_id=row.town_id, prospect_id=row.id, to_stage=Stage.NEW, at=at, by_id=by.id))
    note_change_of(
        session,
        row,
        "add_prospect",
        by=by,
        at=at,
        after={name: value for name, value in shown(row).items() if value is not None},
    )
    for standing in new.grounds:
        record_given(session, row, standing, by, at)
    for consent in new.consents:
        answer_for(session, row, consent, by=by, at=at)
    session.flush()
    added.tell(session, row, by, at)
    return row


def columns_of_new(session: Session, new: NewPerson, *, by: User, at: datetime) -> dict[str, Any]:
    """What is kept of someone new. Raises RuleBroken, or RulesBroken with everything that is wrong."""
    refused, kept, today = Refusals(), dict[str, Any](), local_day(at)
    with refused.noted():
        kept["organisation_id"], kept["volunteer_id"] = _looked_after_by(session, new, by)
    with refused.noted():
        kept["place_id"], kept["neighbourhood_id"] = _home(session, by.town_id, new.place_id, new.neighbourhood_id, by)
    with refused.noted():
        kept |= columns_of(new.as_given(), NOBODY, today)
    for standing in new.grounds:
        with refused.noted():
            check_given(standing, today)
    if not refused.at("phone"):
        for consent in new.consents:
            with refused.noted():
                check_answer(kept.get("phone", new.phone), consent, today)
    refused.raise_all()
    return kept


def refuse_a_duplicate(session: Session, row: Prospect, *, sure: bool = False) -> None:
    """Raise Conflict when somebody here may be the same person as this record, or, with `sure`, has a number of it."""
    found = candidates(session, row.town_id, traits_of(row), except_id=row.id)
    if sure:
        found = [one for one in found if {Same.CITIZEN_ID, Same.SI_NUMBER} & set(one.reasons)]
    if found:
        raise Conflict(
            _l("This person may be here already. Look at the people found, or say that it is somebody else."),
            code="likely_duplicate",
            candidates=[one.as_details() for one in found],
        )


def _looked_after_by(session: Session, new: NewPerson, by: User) -> tuple[UUID | None, UUID | None]:
    """Organisation and volunteer of someone new: as given, else those of whoever adds them."""
    scope = scope_of(session, by)
    own = scope.reach is Reach.OWN
    if own and new.volunteer_id not in (None, by.id):
        raise RuleBroken(_l("You may add people only to your own list."), field="assigned_to")
    if scope.organisation_id and new.organisation_id not in (None, scope.organisation_id):
        raise RuleBroken(_l("You may add people only for your own organisation."), field="organisation")
    organisation = new.organisation_id or (by.organisation_id if scope.reach in (Reach.UNIT, Reach.OWN) else None)
    _known(session, Organisation, by.town_id, organisation, "organisation")
    _known(session, User, by.town_id, new.volunteer_id, "assigned_to")
    return organisation, new.volunteer_id or (by.id if own else None)


def _known(session: Session, kind: type[Any], town_id: UUID, key: UUID | None, field: str) -> None:
    if key and session.get(kind, (town_id, key)) is None:
        raise RuleBroken(_l("There is none such here. Choose one from the list."), field=field)


def _home(
    session: Session, town_id: UUID, place_id: UUID, neighbourhood_id: UUID | None, by: User
) -> tuple[UUID, UUID | None]:
    """The ward or commune somebody is put into, and the neighbourhood; a neighbourhood alone names its ward.
    Raises RuleBroken."""
    place = session.get(Place, (town_id, place_id))
    if place and place.kind is PlaceKind.NEIGHBOURHOOD:
        neighbourhood_id, place = place.id, session.get(Place, (town_id, place.parent_id))
    if place is None or place.kind not in UNITS:
        raise RuleBroken(_l("Choose the ward or commune where the person lives."), field="place")
    if neighbourhood_id:
        neighbourhood = session.get(Place, (town_id, neighbourhood_id))
        if neighbourhood is None or neighbourhood.parent_id != place.id:
            raise RuleBroken(_l("This neighbourhood is not in that ward. Choose again."), field="neighbourhood")
    scope = scope_of(session, by)
    if scope.place_ids is not None and not {place.id, neighbourhood_id} & set(scope.place_ids):
        raise RuleBroken(_l("This place is not yours to look after. Choose one of your own."), field="place")
    return place.id, neighbourhood_id


def _write(row: Prospect, kept: Mapping[str, Any]) -> None:
    """Set columns, and with a name or an identity number everything that is derived from it."""
    for name, value in kept.items():
        if name == "full_name":
            row.full_name, row.name_fold, row.name_key = value, fold(value), sort_key(value)
        elif name == "citizen_id":
            row.citizen_id, row.citizen_index, row.citizen_masked = _sealed(value)
        elif name == "si_number":
            row.insurance_number, row.insurance_index, row.insurance_masked = _sealed(value)
        else:
            setattr(row, name, value)


def _sealed(number: str | None) -> tuple[str | None, bytes | None, str | None]:
    """The number itself (the column encrypts it), its blind index, and how it is shown."""
    return (number, seal().index(number), mask(number)) if number else (None, None, None)


def shown(row: Prospect) -> dict[str, object]:
    """Somebody's particulars as the record of changes keeps them: numbers masked, all plain JSON."""
    return without_marks(seen(row))


def seen(row: Prospect) -> dict[str, object]:
    """Somebody's particulars as a form or another program carries them while it is open: plain JSON, of an identity
    number its mask and a mark that tells whether it is still the same number, and nothing else of it."""
    values = {name: _plain(getattr(row, name)) for name in sorted(CHANGEABLE - set(NUMBERS))}
    marked = (row.citizen_masked, row.citizen_index), (row.insurance_masked, row.insurance_index)
    return values | {
        name: f"{masked} {_mark(row.id, index)}" if masked else None
        for name, (masked, index) in zip(NUMBERS, marked, strict=True)
    }


def _mark(prospect_id: UUID, index: bytes | None) -> str:
    return sha256(prospect_id.bytes + (index or b"")).hexdigest()[:12]


def _plain(value: Any) -> object:
    if isinstance(value, Enum):
        return value.value
    return value if value is None or isinstance(value, (int, str)) else str(value)


def change_prospect(
    session: Session,
    prospect: Prospect,
    changes: Mapping[str, Any],
    *,
    by: User,
    at: datetime,
    expected_version: int | None = None,
    base: Mapping[str, object] | None = None,
) -> Prospect:
    """Change some of `CHANGEABLE`; an identity number given as it is shown masked stays as it is.

    With `base`, what the editor `seen` when they began: only what they really changed is written, whatever else was
    changed meanwhile. Without it the person must be at `expected_version`.

    Raises RuleBroken at the field that is wrong, and Conflict `stale` when somebody else changed meanwhile what is to
    be changed; its `fields` are `{field, base?, current, yours}` in plain JSON with numbers masked, its `collisions`
    the same by things (crm/prospects/editing.py), and `expected` and `current` the versions. Conflict `merged_already`
    when the record became part of another at this moment: it is frozen, and what were written there nobody would see.
    """
    session.refresh(prospect, with_for_update=True)
    if prospect.merged_into_id is not None:
        raise Conflict(
            _l("This record has just become part of another. Look at the person once more, then save again."),
            code="merged_already",
        )
    given = _without_masks(prospect, changes)
    before = seen(prospect)
    if base is not None:
        given = _really_changed(prospect, given, base, before, at, expected_version)
    elif prospect.version != expected_version:
        theirs = sort_out({}, before, _as_seen(prospect, given))
        raise _stale(prospect, expected_version, theirs.collisions)
    with session.no_autoflush:
        _apply(session, prospect, given, by, at)
    after = seen(prospect)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        prospect.updated_at = at
        session.flush()
        note_change_of(
            session,
            prospect,
            CHANGED,
            by=by,
            at=at,
            before={name: masked(name, before[name]) for name in changed},
            after={name: masked(name, after[name]) for name in changed} | {VERSION: prospect.version},
        )
    session.flush()
    return prospect


def _really_changed(
    prospect: Prospect,
    given: Mapping[str, Any],
    base: Mapping[str, object],
    now: Mapping[str, object],
    at: datetime,
    version: int | None,
) -> dict[str, Any]:
    """Of what an editor sent only what differs from what they saw. Raises Conflict where somebody else was at it."""
    kept = columns_of(given, _known_of(prospect), local_day(at))
    yours = _as_seen(prospect, {name: kept.get(name, value) for name, value in given.items()})
    found = sort_out(base, now, yours)
    if found.collisions:
        raise _stale(prospect, version, found.collisions)
    return {name: value for name, value in given.items() if name in found.wanted}


def _as_seen(prospect: Prospect, given: Mapping[str, Any]) -> dict[str, object]:
    """What somebody sent in the plain form of `seen`."""
    return {
        name: (f"{mask(value)} {_mark(prospect.id, seal().index(value))}" if value else None)
        if name in NUMBERS
        else _plain(value)
        for name, value in given.items()
    }


def _stale(prospect: Prospect, expected: int | None, collisions: Sequence[Collision]) -> Conflict:
    fields = [
        {"field": name, "current": masked(name, one.current[name]), "yours": masked(name, one.yours[name])}
        | ({"base": masked(name, one.base[name])} if name in one.base else {})
        for one in collisions
        for name in one.yours
    ]
    return Conflict(
        _l("Somebody else has changed this person meanwhile. Look at what is there now, then change it again."),
        code="stale",
        expected=expected,
        current=prospect.version,
        fields=fields,
        collisions=collisions,
    )


def _apply(session: Session, prospect: Prospect, given: Mapping[str, Any], by: User, at: datetime) -> None:
    if "place_id" in given or "neighbourhood_id" in given:
        moved = given.get("place_id", prospect.place_id)
        kept = prospect.neighbourhood_id if moved == prospect.place_id else None
        prospect.place_id, prospect.neighbourhood_id = _home(
            session, prospect.town_id, moved, given.get("neighbourhood_id", kept), by
        )
    _known(session, Organisation, prospect.town_id, given.get("organisation_id"), "organisation")
    if given.get("organisation_id", prospect.organisation_id) != prospect.organisation_id:
        _may_move_to_another_organisation(session, by)
    if given.get("kinship") is Kinship.HEAD and prospect.kinship is not Kinship.HEAD:
        _no_other_head(session, prospect)
    for name in IDS[1:]:
        if name in given:
            setattr(prospect, name, given[name])
    _write(prospect, columns_of(given, _known_of(prospect), local_day(at)))
    if given.get("citizen_id") or given.get("si_number"):
        refuse_a_duplicate(session, prospect, sure=True)


def _no_other_head(session: Session, prospect: Prospect) -> None:
    """A household has one head, and its page says who. Raises RuleBroken."""
    other = select(Prospect.id).where(
        Prospect.town_id == prospect.town_id,
        Prospect.household_id == prospect.household_id,
        Prospect.kinship == Kinship.HEAD,
        Prospect.merged_into_id.is_(None),
    )
    if session.scalar(other.limit(1)):
        raise RuleBroken(_l("Change who is the head on the household's page."), field="kinship")


def put_back(
    session: Session, prospect: Prospect, record: ChangeRecord, unit: str, *, by: User, at: datetime
) -> Prospect:
    """Let one thing be again what it was before a correction; this is a correction itself.

    Raises Conflict `stale` when it was changed again since, and RuleBroken when what it was is not kept (an identity
    number) or would not be taken today.
    """
    session.refresh(prospect, with_for_update=True)
    before, after, now = record.before or {}, record.after or {}, shown(prospect)
    names = [name for name in columns_of_unit(unit) if name in before]
    if not may_be_put_back(record, unit):
        raise RuleBroken(_l("What stood there before is not kept. Correct it by hand."))
    if any(now[name] != after.get(name) for name in names):
        raise Conflict(_l("It was changed again since. Look at what is there now."), code="stale")
    changes = {name: _typed(name, before[name]) for name in names}
    return change_prospect(session, prospect, changes, by=by, at=at, expected_version=prospect.version)


def may_be_put_back(record: ChangeRecord, unit: str) -> bool:
    """Whether the record knows what one thing was before; of a number it keeps only that there was none."""
    before = record.before or {}
    names = [name for name in columns_of_unit(unit) if name in before]
    return bool(names) and not any(name in NUMBERS and before[name] for name in names)


def _typed(name: str, value: Any) -> Any:
    """A value of the record of changes as `change_prospect` takes it."""
    if value is None or name not in _TYPES:
        return value
    return _TYPES[name](value)


_TYPES: Mapping[str, Callable[[Any], Any]] = {
    "birth_date": date.fromisoformat,
    "sex": Sex,
    "kinship": Kinship,
    "place_id": UUID,
    "neighbourhood_id": UUID,
    "household_id": UUID,
    "organisation_id": UUID,
}


def _may_move_to_another_organisation(session: Session, by: User) -> None:
    if scope_of(session, by).reach is not Reach.ALL:
        raise RuleBroken(_l("Only the steering office moves people to another organisation."), field="organisation")


def _without_masks(prospect: Prospect, changes: Mapping[str, Any]) -> dict[str, Any]:
    masks = {"citizen_id": prospect.citizen_masked, "si_number": prospect.insurance_masked}
    return {
        name: value
        for name, value in changes.items()
        if name in CHANGEABLE and not (name in masks and value and value == masks[name])
    }


def _known_of(prospect: Prospect) -> Known:
    return Known(prospect.sex, prospect.birth_date, prospect.birth_year, prospect.citizen_id, prospect.other_phone)


def reveal(session: Session, prospect: Prospect, *, by: User, at: datetime, way: str) -> dict[str, str | None]:
    """The full `citizen_id` and `si_number`; that somebody read them is kept."""
    session.add(IdentityReading(town_id=prospect.town_id, prospect_id=prospect.id, user_id=by.id, at=at, way=way))
    session.flush()
    return {"citizen_id": prospect.citizen_id, "si_number": prospect.insurance_number}
