"""What this package adds to a person's page: the next visit as the one button, the last contact, and the visits told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask import url_for
from flask_babel import lazy_gettext as _l

from crm.accounts.gateway import current_user
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.ids import new_id
from crm.outreach.queries import Line, latest_visits
from crm.outreach.rules import CHANNELS, OUTCOME_SIGNS, OUTCOMES, REASONS, Reason
from crm.prospects import cards
from crm.prospects.cards import Card, Event, Step
from crm.prospects.models import Prospect
from crm.web.filters import day as written_day
from crm.web.language import chosen
from crm.web.once import once

MOST_TOLD = 100
SHEET = "log-visit"


def contact_card(person: Prospect, scope: Scope, today: date) -> Card:
    """When somebody was spoken to last, when next, and the sheet that logs a visit."""
    latest = _visits(person)
    facts = {
        "latest": latest[0] if latest else None,
        "may_log": current_user().may(May.LOG_VISITS),
        "late": person.next_contact_on is not None and person.next_contact_on < today,
        "client_id": new_id(),
        "sheet": SHEET,
    }
    return Card("outreach/_contact.html", facts, order=20)


def log_a_visit(person: Prospect, scope: Scope, today: date) -> Step | None:
    """Calling on somebody is always a next step."""
    if not current_user().may(May.LOG_VISITS):
        return None
    return Step(_l("Log a visit"), url_for("outreach.log", person_id=person.id), "record", sheet=f"#{SHEET}", order=50)


def visits_as_events(person: Prospect, scope: Scope) -> Sequence[Event]:
    """Every visit, also those that were taken back."""
    return [_event(line) for line in _visits(person)]


def _visits(person: Prospect) -> list[Line]:
    return once(("visits", person.id), lambda: latest_visits(session(), person, MOST_TOLD))


def _event(line: Line) -> Event:
    visit = line.visit
    sign, kind = OUTCOME_SIGNS[visit.outcome]
    taken_back = visit.withdrawn_at is not None
    return Event(
        at=visit.occurred_at,
        title=_l("Taken back: %(outcome)s", outcome=OUTCOMES[visit.outcome]) if taken_back else OUTCOMES[visit.outcome],
        icon=sign,
        kind="quiet" if taken_back else {"plain": "jade"}.get(kind, kind),
        by=line.by,
        text=None if taken_back else said(line),
        note=visit.note,
        id=visit.id,
    )


def said(line: Line) -> str:
    """Where one talked, what held somebody back, and when to come again, on one line."""
    visit = line.visit
    parts = [str(CHANNELS[visit.channel]), *(str(REASONS[Reason(one)]) for one in visit.reasons)]
    if visit.next_contact_on:
        parts.append(str(_l("again on %(day)s", day=written_day(visit.next_contact_on, chosen()))))
    return " · ".join(parts)


cards.register(card=contact_card, events=visits_as_events, step=log_a_visit)
