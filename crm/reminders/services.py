"""Queue what is due today; call off what has been done meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from crm.campaigns.models import Message
from crm.campaigns.rules.delivery import WAITING
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import person_values
from crm.campaigns.services.sending import call_off, queue_reminder
from crm.clock import local_day
from crm.prospects.models import Prospect
from crm.prospects.rules import Sex
from crm.reminders import queries
from crm.reminders.rules import FOLLOW_UP, PAYMENTS, SPONSOR_ENDS, Reminder, written


def queue_due(session: Session, town_id: UUID, *, today: date, at: datetime) -> int:
    """Queue today's reminders of a town; how many. Safe to run at any time and any number of times."""
    due: list[tuple[Reminder, Select[Any, Any]]] = [(FOLLOW_UP, queries.due_for_a_visit(town_id, today))]
    due += [(reminder, queries.due_for_a_payment(town_id, reminder, today)) for reminder in PAYMENTS]
    due.append((SPONSOR_ENDS, queries.due_for_an_end(town_id, today)))
    return sum(
        _queue(session, reminder, person, event, today, at)
        for reminder, people in due
        for person, event in session.execute(people).all()
    )


def _queue(session: Session, reminder: Reminder, person: Prospect, event: date, today: date, at: datetime) -> bool:
    if person.phone is None or reminder.leaves_at(at) >= reminder.too_late(today):
        return False
    female = None if person.sex is None else person.sex is Sex.FEMALE
    values = person_values(person.full_name, female, person.birth_year, today.year)
    queued = queue_reminder(
        session,
        person.town_id,
        reminder=reminder.code,
        phone=person.phone,
        prospect_id=person.id,
        body=reminder.body(values | {"ngay": written(max(event, today))}),
        local_day=today,
        at=at,
        not_before=reminder.leaves_at(at),
        expires_at=reminder.too_late(today),
    )
    return queued is not None


def clear_done(session: Session, town_id: UUID, *, at: datetime) -> int:
    """Call off reminders whose visit or payment has happened since they were queued; how many."""
    checks: list[tuple[Reminder, ColumnElement[bool]]] = [(FOLLOW_UP, queries.visit_still_due())]
    checks += [(reminder, queries.payment_still_due(reminder)) for reminder in PAYMENTS]
    checks.append((SPONSOR_ENDS, queries.help_still_ends(town_id, local_day(at))))
    done: list[UUID] = []
    for reminder, still_due in checks:
        done += _waiting_in_vain(session, town_id, reminder, still_due)
    return call_off(session, town_id, done, Reason.DONE_MEANWHILE, at) if done else 0


def _waiting_in_vain(
    session: Session, town_id: UUID, reminder: Reminder, still_due: ColumnElement[bool]
) -> Iterable[UUID]:
    query = select(Message.id).where(
        Message.town_id == town_id, Message.reminder == reminder.code, Message.state.in_(WAITING), ~still_due
    )
    return session.scalars(query).all()
