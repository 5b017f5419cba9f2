"""What this package adds to a person's page: the next visit as the one button, the last contact, and the visits told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, select
from sqlalchemy.orm import aliased

from crm.accounts.gateway import current_user
from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.ids import new_id
from crm.outreach.models import Assignment, Visit
from crm.outreach.queries import Line, latest_visits
from crm.outreach.rules import CHANNELS, OUTCOME_SIGNS, OUTCOMES, REASONS, Channel, Outcome, Reason
from crm.prospects import cards
from crm.prospects.cards import Card, Event, Happened, Kind, Look, Step, Trail, facts_as, of_person
from crm.prospects.models import Prospect
from crm.web.filters import in_day

SHEET = "log-visit"


def contact_card(person: Prospect, scope: Scope, today: date) -> Card:
    """When somebody was spoken to last and when next, for the first look; and the sheet that logs a visit."""
    facts = {"may_log": current_user().may(May.LOG_VISITS), "client_id": new_id(), "sheet": SHEET}
    return Card("outreach/_contact.html", facts, order=20, looks=[*_last(person), *_next(person, today)])


def _last(person: Prospect) -> Iterator[Look]:
    found = latest_visits(session(), person, 1) if person.last_contact_at else []
    if not found or found[0].visit.withdrawn_at:
        when = in_day(person.last_contact_at) if person.last_contact_at else None
        yield Look("people", _("Last met: %(day)s", day=when) if when else _("Never met"), order=60)
        return
    visit = found[0].visit
    day, outcome = in_day(visit.occurred_at), OUTCOMES[visit.outcome]
    yield Look(OUTCOME_SIGNS[visit.outcome][0], f"{day}: {outcome}", visit.note or found[0].by, order=60)


def _next(person: Prospect, today: date) -> Iterator[Look]:
    if person.next_contact_on:
        late = person.next_contact_on < today
        day = in_day(person.next_contact_on)
        words = _("To be met since %(day)s", day=day) if late else _("Meet again on %(day)s", day=day)
        yield Look("calendar", words, kind="late" if late else "due", order=70)


def log_a_visit(person: Prospect, scope: Scope, today: date) -> Step | None:
    """Calling on somebody is always a next step."""
    if not current_user().may(May.LOG_VISITS):
        return None
    return Step(_l("Log a visit"), url_for("outreach.log", person_id=person.id), "record", sheet=f"#{SHEET}", order=50)


def _visit(row: Happened) -> Event:
    facts = row.facts
    outcome = Outcome(facts["outcome"])
    sign, kind = OUTCOME_SIGNS[outcome]
    if facts["taken_back"]:
        title = _("Taken back: %(outcome)s", outcome=OUTCOMES[outcome])
        return Event(row.at, title, sign, "quiet", row.by, note=facts["note"])
    again = date.fromisoformat(facts["again"]) if facts["again"] else None
    text = said_of(Channel(facts["channel"]), facts["reasons"] or (), again)
    if facts["on_paper"]:
        text += " · " + _("typed in from paper")
    opened = _("Look at it"), url_for("outreach.saved", visit_id=row.id)
    colour = {"plain": "jade"}.get(kind, kind)
    return Event(row.at, OUTCOMES[outcome], sign, colour, row.by, text, facts["note"], more=opened)


def said(line: Line) -> str:
    """Where one talked, what held somebody back, and when to come again, on one line."""
    return said_of(line.visit.channel, line.visit.reasons, line.visit.next_contact_on)


def said_of(channel: Channel, reasons: Sequence[str], again: date | None) -> str:
    """The same of a visit's parts."""
    parts = [str(CHANNELS[channel]), *(str(REASONS[Reason(one)]) for one in reasons)]
    if again:
        parts.append(str(_l("again on %(day)s", day=in_day(again))))
    return " · ".join(parts)


def _given(row: Happened) -> Event:
    facts = row.facts
    title = _("Given to %(name)s", name=facts["volunteer"]) if facts["volunteer"] else _("Taken back from the list")
    return Event(row.at, title, "people", "quiet", row.by, facts["organisation"], facts["note"])


VISITS = Trail(
    "visits",
    Kind.VISITS,
    select(Visit).where(of_person(Visit)),
    at=Visit.occurred_at,
    id=Visit.id,
    by=Visit.user_id,
    facts=facts_as(
        outcome=Visit.outcome,
        channel=Visit.channel,
        reasons=Visit.reasons,
        note=Visit.note,
        again=Visit.next_contact_on,
        taken_back=Visit.withdrawn_at.is_not(None),
        on_paper=Visit.keyed_by_id.is_not(None),
    ),
    tell=_visit,
)
_TO = aliased(User)
ASSIGNMENTS = Trail(
    "assignments",
    Kind.OFFICE,
    select(Assignment)
    .outerjoin(_TO, and_(_TO.town_id == Assignment.town_id, _TO.id == Assignment.volunteer_id))
    .outerjoin(
        Organisation, and_(Organisation.town_id == Assignment.town_id, Organisation.id == Assignment.organisation_id)
    )
    .where(of_person(Assignment)),
    at=Assignment.since,
    id=Assignment.id,
    by=Assignment.by_id,
    facts=facts_as(volunteer=_TO.full_name, organisation=Organisation.name, note=Assignment.note),
    tell=_given,
)

cards.register(card=contact_card, trails=(VISITS, ASSIGNMENTS), step=log_a_visit)
