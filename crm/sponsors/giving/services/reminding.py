"""Letters about instalments: which are due is worked out from the rows each day, each is made once, and e-mailed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.ids import new_id
from crm.mail import services as mail
from crm.money import Vnd
from crm.places.models import Town
from crm.sponsors.giving import queries, writing
from crm.sponsors.giving.links import Links
from crm.sponsors.giving.models import InstalmentReminder
from crm.sponsors.giving.rules import AWAY_FROM_DUE, LETTER, STILL, Reminder, reminder_due
from crm.sponsors.models import Pledge, Sponsor
from crm.sponsors.queries import fund_account


def remind(session: Session, town_id: UUID, *, links: Links, today: date, at: datetime) -> int:
    """Make the letters that are due today and e-mail them; how many new ones. Paid and ended promises have none."""
    first = today - timedelta(days=max(AWAY_FROM_DUE.values())) - STILL
    last = today - timedelta(days=min(AWAY_FROM_DUE.values()))
    made = 0
    for one in queries.to_remind(session, town_id, first, last):
        which = reminder_due(one.due_on, today)
        if which and _make(session, town_id, one, which, today=today, at=at):
            made += 1
            _write(session, town_id, one, which, links=links, at=at)
    _call_off_what_is_done(session, town_id, today, at)
    return made


def _make(
    session: Session, town_id: UUID, one: queries.ToRemind, which: Reminder, *, today: date, at: datetime
) -> bool:
    """The row of a letter: of each instalment and kind there is one, whoever comes first."""
    made = session.scalar(
        insert(InstalmentReminder)
        .values(
            town_id=town_id,
            id=new_id(),
            pledge_id=one.pledge_id,
            due_on=one.due_on,
            reminder=which,
            amount=one.left,
            made_on=today,
            made_at=at,
        )
        .on_conflict_do_nothing()
        .returning(InstalmentReminder.id)
    )
    return made is not None


def _write(
    session: Session, town_id: UUID, one: queries.ToRemind, which: Reminder, *, links: Links, at: datetime
) -> None:
    promise = session.get_one(Pledge, (town_id, one.pledge_id))
    sponsor = session.get_one(Sponsor, (town_id, promise.sponsor_id))
    if not sponsor.email:
        return
    town, left = session.get_one(Town, town_id), Vnd(one.left)
    with force_locale(sponsor.language):
        written = writing.reminder(
            sponsor.contact_name or sponsor.name,
            town.name,
            which,
            one.due_on,
            left,
            promise.code,
            fund_account(session),
            pay=links.paying(promise.id),
        )
    mail.queue(
        session,
        town_id,
        occasion=_occasion(one.pledge_id, one.due_on, which),
        to=sponsor.email,
        subject=written.subject,
        body=written.body,
        at=at,
        expires_at=at + STILL,
    )


def _call_off_what_is_done(session: Session, town_id: UUID, today: date, at: datetime) -> None:
    """What still waits to be sent and was paid, changed or ended meanwhile is not sent."""
    recent: Sequence[tuple[UUID, date, Reminder]] = [
        (row[0], row[1], row[2])
        for row in session.execute(
            select(InstalmentReminder.pledge_id, InstalmentReminder.due_on, InstalmentReminder.reminder).where(
                InstalmentReminder.town_id == town_id, InstalmentReminder.made_on >= today - STILL
            )
        )
    ]
    if not recent:
        return
    days = [due_on for _pledge_id, due_on, _which in recent]
    open_ones = {(one.pledge_id, one.due_on) for one in queries.to_remind(session, town_id, min(days), max(days))}
    done = [_occasion(*one) for one in recent if one[:2] not in open_ones]
    if done:
        mail.call_off(session, town_id, done, at)


def _occasion(pledge_id: UUID, due_on: date, which: Reminder) -> str:
    return LETTER % (pledge_id, due_on, which)
