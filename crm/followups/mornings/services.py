"""Choosing the word of the morning, and writing it: each of those who wish it once a day."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import May
from crm.campaigns.models import OF_STAFF
from crm.campaigns.services.sending import queue_reminder
from crm.errors import RuleBroken
from crm.followups import queries
from crm.followups.mornings.models import MorningWish
from crm.followups.mornings.rules import (
    AGREED,
    MorningBy,
    MorningOn,
    Tally,
    as_email,
    as_sms,
    is_morning,
    tally,
    too_late,
    wishes_on,
)
from crm.mail import services as mail
from crm.phones import is_mobile
from crm.prospects.rules import ConsentChannel, Purpose
from crm.prospects.services.consent import record_consent

AT_ONCE = 20


def wish_of(session: Session, user: User) -> MorningWish | None:
    """What somebody wishes, if they ever said."""
    query = select(MorningWish).where(MorningWish.town_id == user.town_id, MorningWish.user_id == user.id)
    return session.scalar(query)


def choose(session: Session, user: User, by: MorningBy, days: MorningOn, *, at: datetime) -> MorningWish:
    """Keep what somebody wishes; with SMS they agree to it for their own number. Raises RuleBroken."""
    if by is MorningBy.EMAIL and not user.email:
        raise RuleBroken(_l("Your account has no e-mail address. Choose SMS."), field="by")
    if by is MorningBy.SMS:
        if not user.phone or not is_mobile(user.phone):
            raise RuleBroken(_l("Your account has no mobile number. Choose e-mail."), field="by")
        act = {"given": True, "channel": ConsentChannel.WEB, "words": str(AGREED)}
        record_consent(session, user.town_id, user.phone, Purpose.SERVICE, **act, at=at, by=user)  # type: ignore[arg-type]
    wish = wish_of(session, user) or MorningWish(town_id=user.town_id, user_id=user.id)
    wish.by, wish.days, wish.chosen_at = by, days, at
    session.add(wish)
    session.flush()
    return wish


def tell_some(session: Session, *, link: str, today: date, at: datetime) -> bool:
    """Write to the next of those who wish it and were not looked at today; whether more may follow."""
    if not is_morning(at):
        return False
    query = (
        select(MorningWish, User)
        .join(User, (User.town_id == MorningWish.town_id) & (User.id == MorningWish.user_id))
        .where(MorningWish.by != MorningBy.NOTHING, User.active)
        .where(or_(MorningWish.looked_on.is_(None), MorningWish.looked_on < today))
        .order_by(MorningWish.id)
        .limit(AT_ONCE)
        .with_for_update(of=MorningWish, skip_locked=True)
    )
    found = session.execute(query).all()
    for wish, user in found:
        wish.looked_on = today
        if wishes_on(today, wish.days) and user.may(May.LOG_VISITS):
            _tell(session, wish, user, link=link, today=today, at=at)
    session.flush()
    return len(found) == AT_ONCE


def _tell(session: Session, wish: MorningWish, user: User, *, link: str, today: date, at: datetime) -> None:
    told = tally(queries.tasks_of(session, scope_of(session, user), today))
    if not told.all:
        return
    with force_locale(user.language):
        if wish.by is MorningBy.EMAIL and user.email:
            _by_email(session, user, told, link=link, today=today, at=at)
        elif wish.by is MorningBy.SMS and user.phone:
            queue_reminder(
                session,
                user.town_id,
                reminder=OF_STAFF,
                phone=user.phone,
                prospect_id=None,
                body=as_sms(told, link),
                local_day=today,
                at=at,
                expires_at=too_late(today),
                one_a_day=False,
            )


def _by_email(session: Session, user: User, told: Tally, *, link: str, today: date, at: datetime) -> None:
    subject, body = as_email(user.full_name, told, link)
    mail.queue(
        session,
        user.town_id,
        occasion=f"morning:{user.id}:{today}",
        to=user.email or "",
        subject=subject,
        body=body,
        at=at,
        expires_at=too_late(today),
    )
