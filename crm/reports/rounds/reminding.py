"""E-mails to those who answer for a report that is soon due, late, was returned or sent too early: each said once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crm.mail import services as mail
from crm.places.models import Town
from crm.reports.documents.showing import period_title
from crm.reports.rounds import queries
from crm.reports.rounds.queries import Waiting
from crm.reports.rounds.rules import REMIND_BEFORE, REMIND_EVERY, State
from crm.web.filters import in_day

HOLDS_FOR = timedelta(days=2)
"""A reminder that could not leave by then is no longer sent."""


def occasion(one: Waiting, today: date) -> str:
    """The name under which a reminder is said once: before the last day, each week it is late, each return,
    each version that came too early."""
    owed, late = one.line.owed, (today - one.round.due_on).days
    if owed.state is State.RETURNED:
        when = f"returned-{owed.version}"
    elif owed.state is State.SUBMITTED:
        when = f"early-{owed.version}"
    else:
        when = f"late-{(late - 1) // REMIND_EVERY}" if late > 0 else f"due-{one.round.due_on.isoformat()}"
    return f"round:{owed.id}:{one.user.id}:{when}"


def remind(session: Session, town_id: UUID, *, address: str, today: date, at: datetime) -> int:
    """Queue the e-mails of today; how many new ones. Safe to run again."""
    town, written = session.get_one(Town, town_id).name, 0
    for one in queries.to_remind(session, town_id, today, today + REMIND_BEFORE):
        with force_locale(one.user.language):
            subject, body = words(one, town, f"{address}/reporting/units/{one.line.owed.id}", today)
        found = mail.queue(
            session,
            town_id,
            occasion=occasion(one, today),
            to=one.user.email or "",
            subject=subject,
            body=body,
            at=at,
            expires_at=at + HOLDS_FOR,
        )
        written += found is not None
    return written


def words(one: Waiting, town: str, link: str, today: date) -> tuple[str, str]:
    """Subject and text of a reminder, in the language of its reader."""
    period, due = period_title(one.round.kind, one.round.period), in_day(one.round.due_on)
    late = (today - one.round.due_on).days
    if one.line.owed.state is State.RETURNED:
        first = _("The report of %(period)s was returned for correction.", period=period)
    elif one.line.owed.state is State.SUBMITTED:
        first = _("The report of %(period)s was sent before the period was over: send a correction.", period=period)
    elif late > 0:
        first = _("The report of %(period)s was due on %(day)s and has not come.", period=period, day=due)
    else:
        first = _("The report of %(period)s is due on %(day)s.", period=period, day=due)
    lines = [
        f"{one.line.name}: {first}",
        "",
        str(_("The figures of the register stand filled in; add your own and send it: %(address)s", address=link)),
        "",
        town,
    ]
    return f"{town}: {first}", "\n".join(lines)
