"""Taking over the plan's duties for a year, noting steps, changing a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.services import note_change, note_change_of
from crm.clock import local_day
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.places.queries import units
from crm.reports.duties.models import Duty, DutyStep
from crm.reports.duties.queries import last_step_same
from crm.reports.duties.rules import (
    AFTER,
    FIRST_YEAR,
    LAST_YEAR,
    DayBy,
    State,
    Step,
    asked,
    check_link,
    check_step,
    source,
)


def take_over(session: Session, town_id: UUID, year: int, *, by: User, at: datetime) -> int:
    """The plan's duties for a year: of each ward of the day, each organisation, each other actor. How many new ones; those
    that are there stay as they are."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise RuleBroken(_l("Write a year such as 2019."), field="year")
    wards = [
        {"place_id": place.id, "organisation_id": None} for place in session.scalars(units(town_id, local_day(at)))
    ]
    known = session.execute(select(Organisation.code, Organisation.id).where(Organisation.town_id == town_id))
    ids: dict[str, UUID] = {row[0]: row[1] for row in known}
    rows: list[dict[str, Any]] = []
    for one in asked(year):
        named = [{"place_id": None, "organisation_id": ids[code]} for code in one.organisations if code in ids]
        for whose in (wards if one.wards else named) or [{"place_id": None, "organisation_id": None}]:
            row = {
                "town_id": town_id,
                "id": new_id(),
                "year": year,
                "actor_no": one.actor_no,
                "actor": one.actor,
                "position": one.position,
                "words": one.words,
                "source": source(),
                "due_on": one.due_on,
                "day_by": one.day_by,
                "state": State.OPEN,
                "steps": 0,
                **whose,
            }
            rows.append(row)
    put = insert(Duty).values(rows).on_conflict_do_nothing(constraint="uq_duty_of_whom").returning(Duty.id)
    made = len(session.scalars(put).all())
    told: dict[str, object] = {"year": year, "made": made}
    note_change(
        session,
        town_id=town_id,
        user_id=by.id,
        act="take_over_duties",
        subject="town",
        subject_id=town_id,
        at=at,
        after=told,
    )
    session.flush()
    return made


def note(
    session: Session,
    duty: Duty,
    step: Step,
    words: str | None,
    *,
    document: str | None,
    link: str | None,
    on_day: date,
    office: bool,
    by: User,
    at: datetime,
) -> DutyStep:
    """Note what was done for a duty that is held for update; the same as the last once more is kept once. RuleBroken."""
    said, paper = check_step(step, words, document, office=office, now=duty.state)
    if on_day > local_day(at):
        raise RuleBroken(_l("This day lies ahead."), field="on_day")
    if on_day.year < duty.year - 1:
        raise RuleBroken(_l("This day lies before the year of the plan."), field="on_day")
    told = {
        "step": step,
        "words": said,
        "document": paper,
        "link": check_link(link),
        "on_day": on_day,
        "noted_by_id": by.id,
    }
    again = last_step_same(session, duty, told)
    if again is not None:
        return again
    duty.steps += 1
    duty.state = AFTER.get(step, duty.state)
    row = DutyStep(town_id=duty.town_id, duty_id=duty.id, number=duty.steps, noted_at=at, **told)
    session.add(row)
    session.flush()
    return row


def set_day(session: Session, duty: Duty, due_on: date | None, *, by: User, at: datetime) -> None:
    """Another day, or none. Raises RuleBroken."""
    if due_on is not None and abs(due_on.year - duty.year) > 1:
        raise RuleBroken(_l("This day is too far from the year of the plan."), field="due_on")
    if due_on == duty.due_on:
        return
    was, duty.due_on, duty.day_by = duty.due_on, due_on, DayBy.OFFICE if due_on else None
    before, after = ({"due_on": str(day) if day else None} for day in (was, due_on))
    note_change_of(session, duty, "duty_day", by=by, at=at, before=before, after=after)
