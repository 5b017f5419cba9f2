"""Describing a reorganisation, drawing its boundaries, and handing over who looks after what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.services import note_change_of
from crm.clock import local_day
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.names import fold
from crm.places.models import Place, PlaceSuccession
from crm.places.queries import units
from crm.places.rules import PlaceKind
from crm.reorganisations.models import Handover, Reorganisation
from crm.reorganisations.queries import affected, in_use, last_change, neighbourhoods_of, reorganisations, steps_of
from crm.reorganisations.rules import Plan, State, check, check_day, named_apart

TAKEN_BACK_WITHIN = timedelta(days=30)
LONGEST_NOTE = 500


def describe(
    session: Session, *, name: str, document: str, on_day: date, plan: Plan, by: User, at: datetime
) -> Reorganisation:
    """A draft; nothing changes until it is drawn. Raises RuleBroken."""
    _check(session, by.town_id, plan, on_day)
    same = reorganisations(by.town_id).where(Reorganisation.on_day == on_day, Reorganisation.document == document)
    if session.scalars(same).first():
        raise RuleBroken(_l("This document of this day is here already."), field="document")
    row = Reorganisation(
        town_id=by.town_id,
        id=new_id(),
        name=name,
        document=document,
        on_day=on_day,
        state=State.DRAFT,
        plan=plan.as_json(),
        created_at=at,
        created_by_id=by.id,
    )
    session.add(row)
    session.flush()
    return row


def _check(session: Session, town_id: UUID, plan: Plan, on_day: date) -> None:
    here = session.scalars(units(town_id, on_day - timedelta(days=1))).all()
    moving = {move.of for move in plan.moves}
    check_day(on_day, last_change(session, town_id, list(moving)))
    codes = {unit.code for unit in here if unit.code and unit.id not in moving}
    check(plan, units={unit.id: unit.name for unit in here}, codes=codes)


def amend(session: Session, row: Reorganisation, plan: Plan) -> None:
    """Another plan for a draft: where the neighbourhoods of a divided ward go. Raises RuleBroken."""
    if row.state is not State.DRAFT:
        raise RuleBroken(_l("These boundaries are drawn already."))
    _check(session, row.town_id, plan, row.on_day)
    row.plan = plan.as_json()
    session.flush()


def forget(session: Session, row: Reorganisation) -> None:
    """Throw a draft away. Raises RuleBroken when it is more than that."""
    if row.state is not State.DRAFT:
        raise RuleBroken(_l("These boundaries are drawn already."))
    _delete(session, row)


def draw(session: Session, row: Reorganisation, *, by: User, at: datetime) -> None:
    """Let the boundaries of a draft stand in the register from its day on. People, visits and spells keep their place.

    Former units end, new ones begin, and every neighbourhood goes on under its new unit, with the name of the former
    ward in brackets where two would be called the same. Raises RuleBroken.
    """
    if row.state is not State.DRAFT or row.plan is None:
        raise RuleBroken(_l("These boundaries are drawn already."))
    plan = Plan.from_json(row.plan)
    _check(session, row.town_id, plan, row.on_day)
    _all_placed(session, row, plan)
    targets = _begin_units(session, row, plan)
    for move in plan.moves:
        former = session.get_one(Place, (row.town_id, move.of))
        former.valid_to = row.on_day
        for position, target in enumerate(move.targets):
            _becomes(session, row, former.id, targets[target], position)
    session.flush()
    _carry_neighbourhoods(session, row, {one: targets[to] for m in plan.moves for one, to in m.neighbourhoods.items()})
    row.state, row.plan = State.DRAWN, None
    session.flush()
    _note(session, row, "draw_boundaries", by, at, {"document": row.document, "on": str(row.on_day)})


def _all_placed(session: Session, row: Reorganisation, plan: Plan) -> None:
    eve = row.on_day - timedelta(days=1)
    for move in plan.moves:
        inside = {one.id for one in neighbourhoods_of(session, row.town_id, [move.of], eve)}
        if move.divided and inside != move.neighbourhoods.keys():
            raise RuleBroken(_l("Say first where each neighbourhood of the divided ward goes."))


def _begin_units(session: Session, row: Reorganisation, plan: Plan) -> dict[str, UUID]:
    """The id behind every target of a plan, with new units added."""
    targets = {target: UUID(target) for move in plan.moves for target in move.targets if "-" in target}
    former = session.get_one(Place, (row.town_id, plan.moves[0].of))
    for unit in plan.units:
        targets[unit.key] = new_id()
        session.add(
            Place(
                town_id=row.town_id,
                id=targets[unit.key],
                code=unit.code,
                name=unit.name,
                name_fold=fold(unit.name),
                kind=unit.kind,
                parent_id=former.parent_id,
                valid_from=row.on_day,
            )
        )
    session.flush()
    return targets


def _becomes(session: Session, row: Reorganisation, former_id: UUID, later_id: UUID, position: int = 0) -> None:
    session.add(
        PlaceSuccession(
            town_id=row.town_id,
            id=new_id(),
            predecessor_id=former_id,
            successor_id=later_id,
            on_day=row.on_day,
            document=row.document,
            position=position,
        )
    )


def _carry_neighbourhoods(session: Session, row: Reorganisation, chosen: Mapping[UUID, UUID]) -> None:
    """Every neighbourhood of a unit that ended goes on under what it became; `chosen` says where a divided unit's go."""
    following: dict[UUID, list[Place]] = {}
    for former, later in steps_of(session, row):
        following.setdefault(former.id, []).append(later)
    eve = row.on_day - timedelta(days=1)
    coming: dict[UUID, list[Place]] = {}
    for one in neighbourhoods_of(session, row.town_id, list(following), eve):
        assert one.parent_id is not None
        coming.setdefault(chosen.get(one.id, following[one.parent_id][0].id), []).append(one)
    wards = {place.id: place.name for pair in steps_of(session, row) for place in pair}
    for unit_id, arriving in coming.items():
        there = [place.name for place in neighbourhoods_of(session, row.town_id, [unit_id], row.on_day)]
        names = named_apart([(one.id, one.name, wards[one.parent_id or unit_id]) for one in arriving], there)
        for one in arriving:
            later_id = new_id()
            one.valid_to = row.on_day
            session.add(
                Place(
                    town_id=row.town_id,
                    id=later_id,
                    name=names[one.id],
                    name_fold=fold(names[one.id]),
                    kind=PlaceKind.NEIGHBOURHOOD,
                    parent_id=unit_id,
                    valid_from=row.on_day,
                )
            )
            session.flush()
            _becomes(session, row, one.id, later_id)
    session.flush()


def prepare(
    session: Session,
    row: Reorganisation,
    places: Mapping[UUID, UUID | None],
    note: str | None,
    *,
    by: User,
    at: datetime,
    knowing: datetime | None = None,
) -> bool:
    """Decide who looks after what from the day on: account or branch → its new place, or None for the former area as
    before. Done at once when the day has come; the answer says whether it was. `knowing`: when the decision that was
    looked at had been made. Raises RuleBroken, and Conflict when somebody has decided otherwise since.
    """
    if row.state not in (State.DRAWN, State.PREPARED):
        raise RuleBroken(_l("This has been handed over already, or its boundaries are not drawn yet."))
    if note and len(note) > LONGEST_NOTE:
        raise RuleBroken(_l("This is longer than %(most)s letters. Write it shorter.", most=LONGEST_NOTE), field="note")
    everybody = affected(session, row)
    allowed = {one.subject.id: {place.id for place in one.options} for one in everybody if not one.follows}
    for subject, place in places.items():
        if subject not in allowed or (place is not None and place not in allowed[subject]):
            raise RuleBroken(_l("Somebody's place has changed meanwhile. Look at the list again."))
    kept = {str(subject): str(place) if place else None for subject, place in places.items()}
    decisions = {"places": kept, "note": note}
    if row.decisions is not None and row.decisions != decisions and row.decided_at != knowing:
        raise Conflict(
            _l("Somebody has decided this meanwhile. Read what stands now; decide again if it is to be otherwise."),
            code="decided_meanwhile",
        )
    row.decisions = decisions
    row.state, row.decided_at, row.decided_by_id = State.PREPARED, at, by.id
    session.flush()
    if row.on_day > local_day(at):
        return False
    hand_over(session, row, at=at)
    return True


def hand_over(session: Session, row: Reorganisation, *, at: datetime) -> int:
    """Do what was decided, once: each account and branch that still stands at a former place gets its new one, volunteers
    what their whole ward became, and whoever signs in is told. Says how many."""
    locked = session.get_one(Reorganisation, (row.town_id, row.id), with_for_update=True, populate_existing=True)
    if locked.state is not State.PREPARED or locked.on_day > local_day(at):
        return 0
    decisions: dict[str, Any] = locked.decisions or {"places": {}, "note": None}
    count = 0
    for one in affected(session, locked):
        if not one.follows and str(one.subject.id) not in decisions["places"]:
            continue
        chosen = one.proposed if one.follows else decisions["places"][str(one.subject.id)]
        person = isinstance(one.subject, User)
        assert one.subject.place_id is not None
        session.add(
            Handover(
                town_id=row.town_id,
                id=new_id(),
                reorganisation_id=row.id,
                account_id=one.subject.id if person else None,
                organisation_id=None if person else one.subject.id,
                from_place_id=one.subject.place_id,
                to_place_id=UUID(str(chosen)) if chosen else None,
                note=decisions["note"],
                at=at,
            )
        )
        if chosen:
            one.subject.place_id = UUID(str(chosen))
        count += 1
    locked.state = State.HANDED_OVER
    session.flush()
    who = session.get(User, (row.town_id, row.decided_by_id)) if row.decided_by_id else None
    _note(session, locked, "hand_over_places", who, at, {"handed_over": count})
    return count


def take_back(session: Session, row: Reorganisation, *, by: User, at: datetime) -> tuple[int, list[str]]:
    """Give everybody their former place again, except who was moved on since: how many, and the names of those left.

    Raises RuleBroken when nothing was handed over, or too long ago.
    """
    locked = session.get_one(Reorganisation, (row.town_id, row.id), with_for_update=True, populate_existing=True)
    if locked.state is not State.HANDED_OVER:
        raise RuleBroken(_l("Nothing was handed over yet."))
    rows = session.scalars(
        select(Handover)
        .where(Handover.town_id == row.town_id, Handover.reorganisation_id == row.id, Handover.taken_back_at.is_(None))
        .order_by(Handover.id)
    ).all()
    if any(at > one.at + TAKEN_BACK_WITHIN for one in rows):
        raise RuleBroken(_l("This can be taken back for 30 days only. Change the places of the accounts one by one."))
    given, left = 0, []
    for one in rows:
        kind: Any = User if one.account_id else Organisation
        subject = session.get_one(kind, (row.town_id, one.account_id or one.organisation_id))
        if one.to_place_id and subject.place_id != one.to_place_id:
            left.append(subject.full_name if one.account_id else subject.name)
            continue
        subject.place_id, one.taken_back_at = one.from_place_id, at
        given += 1
    locked.state, locked.decisions = State.DRAWN, None
    session.flush()
    _note(session, locked, "take_back_places", by, at, {"given_back": given, "left": left})
    return given, left


def erase(session: Session, row: Reorganisation, *, by: User, at: datetime) -> None:
    """Take drawn boundaries out of the register again, as long as nobody is recorded in a new unit.

    Raises RuleBroken. The reorganisations the program came with have no author and stay.
    """
    if row.state not in (State.DRAWN, State.PREPARED) or row.created_by_id is None:
        raise RuleBroken(_l("These boundaries are in use and stay."))
    made = session.scalars(
        select(Place).where(Place.town_id == row.town_id, Place.valid_from == row.on_day, Place.id.in_(_later(row)))
    ).all()
    if in_use(session, row.town_id, [place.id for place in made]):
        raise RuleBroken(_l("People are recorded in the new wards already: the boundaries stay."))
    former = session.scalars(select(Place).where(Place.town_id == row.town_id, Place.id.in_(_former(row)))).all()
    for place in former:
        place.valid_to = None
    session.flush()
    session.execute(delete(PlaceSuccession).where(*_of(row)))
    _forget_handovers(session, row)
    for place in sorted(made, key=lambda one: one.kind is not PlaceKind.NEIGHBOURHOOD):
        session.delete(place)
        session.flush()
    _note(session, row, "erase_boundaries", by, at, {"document": row.document, "on": str(row.on_day)})
    _delete(session, row)


def _delete(session: Session, row: Reorganisation) -> None:
    """With what had been handed over and was taken back; the record of changes keeps that it happened."""
    _forget_handovers(session, row)
    session.delete(row)
    session.flush()


def _forget_handovers(session: Session, row: Reorganisation) -> None:
    session.execute(delete(Handover).where(Handover.town_id == row.town_id, Handover.reorganisation_id == row.id))


def _of(row: Reorganisation) -> tuple[Any, ...]:
    same = PlaceSuccession.on_day == row.on_day, PlaceSuccession.document == row.document
    return (PlaceSuccession.town_id == row.town_id, *same)


def _later(row: Reorganisation) -> Any:
    return select(PlaceSuccession.successor_id).where(*_of(row))


def _former(row: Reorganisation) -> Any:
    return select(PlaceSuccession.predecessor_id).where(*_of(row))


def read(session: Session, user: User, handover_id: UUID, *, at: datetime) -> None:
    """Somebody has read what was handed to them. Raises NotFound."""
    mine = (Handover.town_id == user.town_id) & (Handover.id == handover_id) & (Handover.account_id == user.id)
    if not session.execute(update(Handover).where(mine).values(read_at=at).returning(Handover.id)).all():
        raise NotFound


def _note(
    session: Session, row: Reorganisation, act: str, by: User | None, at: datetime, after: dict[str, object]
) -> None:
    note_change_of(session, row, act, by=by, at=at, after=after)
