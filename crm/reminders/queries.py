"""Who is to be reminded today, computed from the rows each time."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, and_, cast, exists, func, select

from crm.campaigns.models import Message
from crm.campaigns.queries import latest_consent
from crm.participation.models import Participation
from crm.prospects.models import Prospect
from crm.prospects.rules import Purpose
from crm.reminders.rules import FOLLOW_UP, NOT_TO_VISIT, SPONSOR_ENDS, Reminder
from crm.sponsors.queries import carried_until, money_waits


def _reminded(reminder: Reminder, event: Any) -> ColumnElement[bool]:
    """The person's number got this reminder, or has it waiting, for this event."""
    return exists().where(
        Message.town_id == Prospect.town_id,
        Message.phone == Prospect.phone,
        Message.reminder == reminder.code,
        Message.local_day >= event - reminder.earliest,
    )


def _may_be_texted() -> ColumnElement[bool]:
    return and_(
        Prospect.merged_into_id.is_(None),
        Prospect.phone.is_not(None),
        latest_consent(Prospect.town_id, Prospect.phone, Purpose.SERVICE),
    )


def due_for_a_visit(town_id: UUID, today: date) -> Select[Prospect, date | None]:
    """People whose promised visit falls due, who agree to be reminded and have not been; with the promised day."""
    return (
        select(Prospect, Prospect.next_contact_on)
        .where(Prospect.town_id == town_id, Prospect.stage.not_in(NOT_TO_VISIT), _may_be_texted())
        .where(Prospect.next_contact_on.between(FOLLOW_UP.first_event(today), FOLLOW_UP.last_event(today)))
        .where(~_reminded(FOLLOW_UP, Prospect.next_contact_on))
        .order_by(Prospect.name_key, Prospect.id)
    )


def due_for_a_payment(town_id: UUID, reminder: Reminder, today: date) -> Select[Prospect, date | None]:
    """People who take part and must soon pay on themselves, who agree to be reminded and have not been; with the last day.

    For whom a sponsor's money waits, the one who holds it is asked, not they (crm.followups).
    """
    return (
        select(Prospect, Participation.deadline_on)
        .join(
            Participation,
            and_(Participation.town_id == Prospect.town_id, Participation.prospect_id == Prospect.id),
        )
        .where(Prospect.town_id == town_id, _may_be_texted(), Participation.ended_on.is_(None), ~money_waits())
        .where(Participation.deadline_on.between(reminder.first_event(today), reminder.last_event(today)))
        .where(~_reminded(reminder, Participation.deadline_on))
        .order_by(Prospect.name_key, Prospect.id)
    )


def due_for_an_end(town_id: UUID, today: date) -> Select[Prospect, date | None]:
    """People whose sponsor's help ends and nobody's follows, who agree to be reminded and have not been; with its last
    day."""
    ending = carried_until(town_id, today).subquery()
    last = cast(ending.c.until + func.make_interval(0, 1) - func.make_interval(0, 0, 0, 1), Date)
    return (
        select(Prospect, last)
        .join(ending, Prospect.id == ending.c.prospect_id)
        .where(Prospect.town_id == town_id, _may_be_texted(), ~_reminded(SPONSOR_ENDS, last))
        .where(last.between(SPONSOR_ENDS.first_event(today), SPONSOR_ENDS.last_event(today)))
        .order_by(Prospect.name_key, Prospect.id)
    )


def help_still_ends(town_id: UUID, today: date) -> ColumnElement[bool]:
    """Nobody carries the message's person on yet."""
    told = carried_until(town_id, today)
    return Message.prospect_id.in_(told.with_only_columns(told.selected_columns[0]))


def visit_still_due() -> ColumnElement[bool]:
    """The message's person still waits for the visit it speaks of."""
    return exists().where(
        Prospect.town_id == Message.town_id,
        Prospect.id == Message.prospect_id,
        Prospect.next_contact_on <= Message.local_day,
        Prospect.stage.not_in(NOT_TO_VISIT),
    )


def payment_still_due(reminder: Reminder) -> ColumnElement[bool]:
    """The message's person still has to pay themselves by the day it speaks of."""
    return exists().where(
        Participation.town_id == Message.town_id,
        Participation.prospect_id == Message.prospect_id,
        Participation.ended_on.is_(None),
        ~money_waits(),
        Participation.deadline_on.between(Message.local_day + reminder.latest, Message.local_day + reminder.earliest),
    )
