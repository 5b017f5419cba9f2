"""On Monday everyone who wishes gets the week before, once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import May
from crm.mail import services as mail
from crm.reports.weekly import writing
from crm.reports.weekly.queries import last_monday, week_before, whose_week

HOLDS_FOR = timedelta(days=6)
"""A summary that could not leave before the next one is due is no longer sent."""


def write_to_all(session: Session, *, address: str, today: date, at: datetime) -> int:
    """Queue the letters of this week; how many new ones. Safe to run again: of each person and week there is one."""
    written, monday = 0, last_monday(today)
    wishing = select(User).where(User.active, User.weekly_summary, User.email.is_not(None)).order_by(User.id)
    for user in session.scalars(wishing).all():
        if not user.may(May.SEE_DASHBOARD):
            continue
        scope = scope_of(session, user)
        whose = whose_week(session, scope, user)
        with force_locale(user.language):
            week = week_before(session, scope, today)
            subject, body = f"{whose}: {writing.title(week)}", writing.letter(week, whose, address)
        occasion = f"week:{user.id}:{monday.isoformat()}"
        told: dict[str, Any] = {
            "to": user.email or "",
            "subject": subject,
            "body": body,
            "at": at,
            "expires_at": at + HOLDS_FOR,
        }
        written += mail.queue(session, user.town_id, occasion=occasion, **told) is not None
    return written
