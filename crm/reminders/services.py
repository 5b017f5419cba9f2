"""Queue what is due today; call off what has been done meanwhile; change the rules."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change_of
from crm.campaigns.models import Message
from crm.campaigns.queries import way_for
from crm.campaigns.rules.delivery import WAITING, Delivery
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.rules.stages import person_values
from crm.campaigns.services.sending import call_off, reminder_values, settings_of
from crm.campaigns.templating.models import MessageTemplate
from crm.campaigns.templating.queries import template as template_of
from crm.campaigns.templating.services import add_template
from crm.clock import local_day
from crm.ids import new_id
from crm.money import Vnd, in_figures
from crm.prospects.rules import Purpose
from crm.reminders import queries
from crm.reminders.models import ReminderRule, ReminderTold
from crm.reminders.queries import Subject, Turn
from crm.reminders.rules import ALL, Event, Reminder, checked, named, written

REMINDING = 7_301_004
"""The advisory lock under which reminders are queued: who shares a phone is told together, once."""
AT_ONCE = 1_000


def queue_due(session: Session, town_id: UUID, *, today: date, at: datetime) -> int:
    """Queue today's reminders of a town; how many. Safe to run at any time and any number of times."""
    made = 0
    for turn in queries.turns(session, [town_id]):
        more: int | None = 0
        while more is not None:
            made, more = made + more, queue_some(session, turn, today=today, at=at)
    return made


def queue_some(session: Session, turn: Turn, *, today: date, at: datetime) -> int | None:
    """Queue the next reminders of a rule in its turn, a bounded number; how many messages, or None when none is left."""
    town_id = turn.town_id
    rule = queries.rule_of(session, town_id, turn.code)
    if (
        not rule.active
        or rule.leaves_at(at) >= rule.too_late(today)
        or queries.staying(session, town_id, [rule], today)
    ):
        return None
    session.execute(select(func.pg_advisory_xact_lock(REMINDING)))
    people = queries.due(session, rule, town_id, today, AT_ONCE, last_chance=turn.last_chance)
    groups = [list(group) for _phone, group in groupby(people, key=lambda one: one.phone)]
    if len(people) == AT_ONCE and len(groups) > 1:
        groups.pop()
    return _queue(session, rule, town_id, groups, today, at) if groups else None


def _queue(
    session: Session, rule: Reminder, town_id: UUID, groups: Sequence[Sequence[Subject]], today: date, at: datetime
) -> int:
    """One message for each number and a row for everybody it tells; a number that has today's already gets none."""
    way = way_for(session, town_id, Purpose.SERVICE)
    by_phone = {group[0].phone: group for group in groups}
    leaves, too_late = rule.leaves_at(at), rule.too_late(today)
    rows = [
        reminder_values(
            town_id,
            reminder=rule.code,
            way=way,
            phone=phone,
            prospect_id=group[0].prospect_id,
            body=text_for(rule, group, today),
            local_day=today,
            not_before=leaves,
            expires_at=too_late,
            at=at,
        )
        for phone, group in by_phone.items()
    ]
    made = session.execute(
        insert(Message).values(rows).on_conflict_do_nothing().returning(Message.id, Message.phone)
    ).all()
    told = [
        {
            "town_id": town_id,
            "id": new_id(),
            "reminder": rule.code,
            "subject_id": one.subject_id,
            "event_on": one.event,
            "message_id": message_id,
        }
        for message_id, phone in made
        for one in by_phone[phone]
    ]
    if told:
        statement = insert(ReminderTold).values(told)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["town_id", "reminder", "subject_id", "event_on"],
                set_={"message_id": statement.excluded.message_id},
            )
        )
    return len(made)


def text_for(rule: Reminder, group: Sequence[Subject], today: date) -> str:
    """What a number reads: everybody who shares it by name, or the family; of several days the first."""
    first = group[0]
    day = min(one.event for one in group)
    shown = max(day, today) if rule.event is Event.VISIT else day
    if rule.event is Event.INSTALMENT:
        amount = in_figures(Vnd(sum(one.amount for one in group)))
        return rule.body({"nguoi": first.name, "ngay": written(shown), "so_tien": amount, "ma": first.code or ""})
    forms = [person_values(one.name, one.female, one.birth_year, today.year) for one in group]
    who = named([(form["xung_ho"], form["ten"]) for form in forms])
    alone = forms[0] if len(group) == 1 else {"xung_ho": who, "ten": who, "ho_ten": who}
    return rule.body({**alone, "nguoi": who, "ngay": written(shown)})


def clear_done(session: Session, town_id: UUID, *, at: datetime) -> int:
    """Call off reminders of which somebody they speak of is done meanwhile; how many. Whoever of the same number is still
    to be told is told anew."""
    waiting = set(
        session.scalars(
            select(Message.reminder)
            .where(Message.town_id == town_id, Message.reminder.is_not(None), Message.state.in_(WAITING))
            .distinct()
        )
    )
    vain: list[UUID] = []
    for rule in queries.rules_of(session, town_id):
        if rule.code in waiting:
            vain += queries.in_vain(session, rule, town_id, local_day(at))
    return _call_off(session, town_id, vain, Reason.DONE_MEANWHILE, at)


def _call_off(session: Session, town_id: UUID, vain: Sequence[UUID], reason: Reason, at: datetime) -> int:
    if not vain:
        return 0
    done = call_off(session, town_id, Message.id.in_(vain), reason, at)
    gone = select(Message.id).where(
        Message.town_id == town_id, Message.id.in_(vain), Message.state == Delivery.CANCELLED
    )
    session.execute(
        delete(ReminderTold)
        .where(ReminderTold.town_id == town_id, ReminderTold.message_id.in_(gone))
        .execution_options(synchronize_session=False)
    )
    return done


def clear_everywhere(session: Session, towns: Sequence[UUID], *, at: datetime) -> list[Turn]:
    """Call off what was done in these towns, and say in which order their rules queue."""
    for town_id in towns:
        clear_done(session, town_id, at=at)
    return queries.turns(session, towns)


# ---- changing the rules


def change_rule(session: Session, town_id: UUID, wanted: Reminder, *, by: User, at: datetime) -> bool:
    """Keep a rule as a town wants it; whether anything changed. What still waits by it is called off and, where it is
    still due, made anew in the new words. Raises RuleBroken."""
    checked(wanted, settings_of(session, town_id).hours)
    shipped, row = ALL.get(wanted.code), queries.rule_row(session, town_id, wanted.code)
    before = row.as_reminder(shipped) if row else shipped
    if before is not None and _facts(before) == _facts(wanted):
        return False
    if row is None:
        row = ReminderRule(town_id=town_id, id=new_id(), code=wanted.code, event=wanted.event, version=0)
        session.add(row)
    own_name = shipped is None or str(wanted.name) != str(shipped.name)
    row.name = str(wanted.name) if own_name else None
    row.text, row.earliest, row.latest, row.stop = wanted.text, wanted.earliest, wanted.latest, wanted.stop
    row.template_version_id = wanted.template_version_id
    row.opens, row.closes, row.active = wanted.hours.opens, wanted.hours.closes, wanted.active
    row.version, row.changed_at, row.changed_by_id = row.version + 1, at, by.id
    was = _facts(before) if before else None
    note_change_of(session, row, "change_reminder_rule", by=by, at=at, before=was, after=_facts(wanted))
    waiting = select(Message.id).where(
        Message.town_id == town_id, Message.reminder == wanted.code, Message.state.in_(WAITING)
    )
    _call_off(session, town_id, session.scalars(waiting).all(), Reason.RULE_CHANGED, at)
    return True


def _facts(rule: Reminder) -> dict[str, Any]:
    """What of a rule is kept in the record of changes."""
    return {
        "name": str(rule.name),
        "text": rule.text,
        "template": str(rule.template_version_id) if rule.template_version_id else None,
        "earliest": rule.earliest,
        "latest": rule.latest,
        "opens": f"{rule.hours.opens:%H:%M}",
        "closes": f"{rule.hours.closes:%H:%M}",
        "stop": rule.stop.value,
        "active": rule.active,
    }


def make_template(session: Session, town_id: UUID, code: str, *, by: User, at: datetime) -> MessageTemplate:
    """Let the words of a rule be a template, so that they can be registered with the carrier. Raises RuleBroken when a
    template has its name already."""
    rule = queries.rule_of(session, town_id, code)
    made = add_template(
        session, town_id, name=str(rule.name), purpose=Purpose.SERVICE, text=rule.text, by_id=by.id, at=at
    )
    version = template_of(session, town_id, made.id).version
    change_rule(session, town_id, replace(rule, template_version_id=version.id), by=by, at=at)
    return made


def make_rule(session: Session, town_id: UUID, like: Reminder, *, by: User, at: datetime) -> str:
    """A rule of the town's own, like a shipped one and still off; its code."""
    code = f"own_{secrets.token_hex(4)}"
    change_rule(
        session, town_id, replace(like, code=code, active=False, version=0, template_version_id=None), by=by, at=at
    )
    return code
