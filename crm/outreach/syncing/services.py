"""Taking in what a device recorded while it was offline: each event by itself, each once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, scope_of
from crm.accounts.rules import May
from crm.errors import Conflict, NotFound, RuleBroken
from crm.outreach.services import record_visit
from crm.outreach.syncing.models import SyncedEvent
from crm.outreach.syncing.queries import known_events
from crm.outreach.syncing.rules import Became, Event, EventKind, Outcome
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import person_seen
from crm.prospects.rules import NewConsent, NewPerson
from crm.prospects.services.consent import answer_for, record_consent
from crm.prospects.services.people import add_prospect, change_prospect

Read = Callable[[Event], Any]
"""Reads the body of an event into what the act takes. Raises RuleBroken or `Unreadable`."""

NEEDS = {
    EventKind.VISIT: May.LOG_VISITS,
    EventKind.CONSENT: May.EDIT_PEOPLE,
    EventKind.OPT_OUT: May.LOG_VISITS,
    EventKind.NEW_PERSON: May.EDIT_PEOPLE,
    EventKind.CORRECTION: May.EDIT_PEOPLE,
}
"""Whoever may record a conversation may note that somebody wants no messages: a refusal never waits."""


class Unreadable(Exception):
    """The body of an event is not what its kind needs; `errors` are `{field, message}`."""

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        super().__init__(errors)
        self.errors = tuple(errors)


@dataclass(frozen=True)
class NewcomerBody:
    """Somebody new, and whether a likely duplicate is to be added all the same."""

    person: NewPerson
    allow_duplicate: bool


@dataclass(frozen=True)
class AnswerBody:
    """What somebody said about messages; for an opting out, of several purposes."""

    prospect_id: UUID
    consents: Sequence[NewConsent]


@dataclass(frozen=True)
class CorrectionBody:
    """Fields that are to be different, and the version of the record that was before the eyes of whoever said so."""

    prospect_id: UUID
    version: int
    changes: Callable[[Prospect], Mapping[str, Any]]


@dataclass(frozen=True)
class Batch:
    """Whose device sent events, when they arrived, and which have arrived by now."""

    session: Session
    scope: Scope
    by: User
    at: datetime
    device_id: str
    read: Read
    known: dict[UUID, SyncedEvent]


def take_in(
    session: Session, events: Sequence[Event], read: Read, *, device_id: str, by: User, at: datetime
) -> list[Outcome]:
    """What becomes of each event, in their order. One that is refused leaves the others as they are."""
    known = known_events(session, by.town_id, [event.client_id for event in events])
    batch = Batch(session, scope_of(session, by), by, at, device_id, read, known)
    return [_again(batch, event) if event.client_id in known else _once(batch, event) for event in events]


def _again(batch: Batch, event: Event) -> Outcome:
    row = batch.known[event.client_id]
    if row.user_id != batch.by.id or row.kind is not event.kind:
        taken = _l("This client id belongs to another event. Make a new one.")
        return _refused(event, Conflict(taken, code="client_id_taken"))
    try:
        now = person_seen(batch.session, batch.scope, row.prospect_id).id
    except NotFound:
        now = row.prospect_id
    return Outcome(event, Became.DUPLICATE, now)


def _once(batch: Batch, event: Event) -> Outcome:
    if not batch.by.may(NEEDS[event.kind]):
        return Outcome(event, Became.REJECTED, None, "forbidden", str(_l("You may not do this. Ask an administrator.")))
    try:
        with batch.session.begin_nested():
            return _done(batch, event)
    except Unreadable as unreadable:
        sentence = str(_l("Some fields are not accepted."))
        return Outcome(event, Became.REJECTED, None, "invalid", sentence, unreadable.errors)
    except NotFound:
        sentence = str(_l("This person is not in your list, or not any more. Ask the steering office."))
        return Outcome(event, Became.REJECTED, None, "not_found", sentence)
    except RuleBroken as refusal:
        return _refused(event, refusal)
    except DBAPIError:
        sentence = str(_l("Something else got in the way. Send it again."))
        return Outcome(event, Became.REJECTED, None, "try_again", sentence)


def _done(batch: Batch, event: Event) -> Outcome:
    """The act itself, and that it was done. Raises whatever the act raises, and Unreadable."""
    body = batch.read(event)
    if event.kind is EventKind.VISIT:
        recorded = record_visit(batch.session, batch.scope, body, by=batch.by, at=batch.at)
        became = Became.ACCEPTED if recorded.created else Became.DUPLICATE
        return Outcome(event, became, recorded.visit.prospect_id)
    prospect = _ACTS[event.kind](batch, body)
    row = SyncedEvent(
        town_id=batch.by.town_id,
        id=event.client_id,
        user_id=batch.by.id,
        device_id=batch.device_id,
        kind=event.kind,
        occurred_at=event.occurred_at,
        recorded_at=batch.at,
        prospect_id=prospect.id,
    )
    batch.session.add(row)
    batch.session.flush()
    batch.known[event.client_id] = row
    return Outcome(event, Became.ACCEPTED, prospect.id)


def _refused(event: Event, refusal: RuleBroken) -> Outcome:
    sentence = str(refusal)
    errors = tuple({"field": one.field, "message": str(one)} for one in refusal.each if one.field)
    details = refusal.details if isinstance(refusal, Conflict) else {}
    return Outcome(event, Became.REJECTED, None, refusal.code or "refused", sentence, errors, details)


def _consent(batch: Batch, body: AnswerBody) -> Prospect:
    prospect = person_seen(batch.session, batch.scope, body.prospect_id)
    for consent in body.consents:
        answer_for(batch.session, prospect, consent, by=batch.by, at=batch.at)
    return prospect


def _opt_out(batch: Batch, body: AnswerBody) -> Prospect:
    """Holds from the moment it arrives: whatever a device's clock says, it is the latest answer."""
    prospect = person_seen(batch.session, batch.scope, body.prospect_id)
    if not prospect.phone:
        raise RuleBroken(_l("There is no mobile number to send messages to. Write it first."), field="phone")
    for consent in body.consents:
        record_consent(
            batch.session,
            prospect.town_id,
            prospect.phone,
            consent.purpose,
            given=False,
            channel=consent.channel,
            words=consent.words,
            at=batch.at,
            by=batch.by,
            prospect_id=prospect.id,
        )
    return prospect


def _new_person(batch: Batch, body: NewcomerBody) -> Prospect:
    allow = body.allow_duplicate
    return add_prospect(batch.session, body.person, by=batch.by, at=batch.at, allow_duplicate=allow)


def _correction(batch: Batch, body: CorrectionBody) -> Prospect:
    prospect = person_seen(batch.session, batch.scope, body.prospect_id)
    changes = body.changes(prospect)
    return change_prospect(batch.session, prospect, changes, by=batch.by, at=batch.at, expected_version=body.version)


_ACTS: Mapping[EventKind, Callable[[Batch, Any], Prospect]] = {
    EventKind.CONSENT: _consent,
    EventKind.OPT_OUT: _opt_out,
    EventKind.NEW_PERSON: _new_person,
    EventKind.CORRECTION: _correction,
}
