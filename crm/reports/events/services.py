"""Logging an event, noting who showed interest there, taking an event back."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from flask_babel import lazy_gettext as _l
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.services import note_change_of
from crm.clock import at as moment
from crm.clock import local_day
from crm.errors import Conflict
from crm.ids import new_id
from crm.outreach.models import Visit
from crm.outreach.rules import Channel, NewVisit, Outcome
from crm.outreach.services import record_visit
from crm.reports.events.models import EventPerson, PublicEvent
from crm.reports.events.rules import Happened, checked

AT_NOON = 12


def log(session: Session, event_id: UUID, place_id: UUID, one: Happened, *, by: User, at: datetime) -> PublicEvent:
    """Keep an event; the same page sent twice keeps one. Raises RuleBroken, and Conflict for somebody else's id."""
    told = checked(one, local_day(at))._asdict()
    put = (
        insert(PublicEvent)
        .values(
            town_id=by.town_id,
            id=event_id,
            place_id=place_id,
            organisation_id=by.organisation_id,
            logged_at=at,
            logged_by_id=by.id,
            **told,
        )
        .on_conflict_do_nothing()
    )
    session.execute(put)
    row = session.get(PublicEvent, (by.town_id, event_id), populate_existing=True)
    if row is None or row.logged_by_id != by.id:
        raise Conflict(_l("This event was logged by somebody else."), code="other_event")
    return row


def meet(session: Session, scope: Scope, event: PublicEvent, prospect_id: UUID, *, by: User, at: datetime) -> Visit:
    """Somebody showed interest there: a visit of the channel «event», once however often it is tapped. NotFound for who is
    out of sight, Conflict when the event was taken back."""
    if event.withdrawn_at is not None:
        raise Conflict(_l("This event was taken back."), code="withdrawn")
    when = min(moment(event.held_on, AT_NOON), at - timedelta(seconds=1))
    new = NewVisit(
        client_id=uuid5(event.id, str(prospect_id)),
        prospect_id=prospect_id,
        occurred_at=when,
        channel=Channel.EVENT,
        outcome=Outcome.INTERESTED,
        note=event.title,
    )
    visit = record_visit(session, scope, new, by=by, at=at).visit
    put = insert(EventPerson).values(town_id=event.town_id, id=new_id(), event_id=event.id, visit_id=visit.id)
    session.execute(put.on_conflict_do_nothing())
    return visit


def take_back(session: Session, event: PublicEvent, *, by: User, at: datetime) -> None:
    """It was logged by mistake: it counts nowhere; the people met there keep their visits. Raises Conflict."""
    if event.withdrawn_at is not None:
        raise Conflict(_l("This event was taken back."), code="withdrawn")
    event.withdrawn_at = at
    note_change_of(session, event, "take_back_event", by=by, at=at)
