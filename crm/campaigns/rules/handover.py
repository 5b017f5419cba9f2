"""What goes to the carrier, what the carrier may answer, and what becomes of a message by it."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from crm.campaigns.rules.delivery import FINAL, Delivery
from crm.campaigns.rules.reasons import Reason, reason_for, wait_before


@dataclass(frozen=True)
class Outgoing:
    """A claimed message, as much of it as is needed to hand it over: under which claim, and the how-manieth attempt."""

    town_id: UUID
    id: UUID
    phone: str
    body: str
    claim_id: UUID | None = None
    attempts: int = 1


@dataclass(frozen=True)
class Accepted:
    """The carrier took it under this number."""

    sid: str
    status: Delivery = Delivery.ACCEPTED


@dataclass(frozen=True)
class Refused:
    """The carrier will not take it, now or later; `reason` is set where the code does not say why."""

    code: int | None
    reason: Reason | None = None


@dataclass(frozen=True)
class TryAgain:
    """The carrier did not take it, but may take the same message later: `after` seconds, where it says so."""

    reason: Reason
    code: int | None = None
    after: float | None = None


@dataclass(frozen=True)
class NoAnswer:
    """Nobody knows whether the carrier took it: it must not be handed over again."""


@dataclass(frozen=True)
class NotTried:
    """It was not handed over, because of this."""

    reason: Reason


Outcome = Accepted | Refused | TryAgain | NoAnswer | NotTried

FOR_GOOD = frozenset({Reason.OPTED_OUT, Reason.NO_CONSENT, Reason.CALLED_OFF})
"""Reasons right before the call for which a message is called off; for any other it waits again."""


@dataclass(frozen=True)
class Became:
    """What a message is after the call. `not_before` is set when it waits again; `unspent` attempts are given back."""

    state: Delivery
    reason: Reason | None = None
    sid: str | None = None
    error_code: int | None = None
    settled_at: datetime | None = None
    not_before: datetime | None = None
    unspent: int = 0


def becomes(outcome: Outcome, attempts: int, at: datetime) -> Became:
    """What a message that was being sent is after this outcome. Being turned away never fails it: it waits longer."""
    if isinstance(outcome, Accepted):
        settled = at if outcome.status in FINAL else None
        return Became(outcome.status, sid=outcome.sid, settled_at=settled)
    if isinstance(outcome, NoAnswer):
        return Became(Delivery.UNKNOWN, Reason.NO_ANSWER)
    if isinstance(outcome, Refused):
        reason = outcome.reason or reason_for(outcome.code)
        return Became(Delivery.FAILED, reason, error_code=outcome.code, settled_at=at)
    if isinstance(outcome, TryAgain):
        wait = max(wait_before(attempts), timedelta(seconds=outcome.after or 0))
        return Became(Delivery.QUEUED, outcome.reason, not_before=at + wait)
    if outcome.reason in FOR_GOOD:
        return Became(Delivery.CANCELLED, outcome.reason, settled_at=at)
    if outcome.reason is Reason.EXPIRED:
        return Became(Delivery.EXPIRED, outcome.reason, settled_at=at)
    return Became(Delivery.QUEUED, outcome.reason, not_before=at, unspent=1)


@dataclass(frozen=True)
class Seen:
    """A message as the carrier remembers it."""

    sid: str
    phone: str
    body: str
    status: Delivery
    code: int | None = None


@dataclass(frozen=True)
class Followed:
    """A message that the carrier took under this number and of which no last word has come."""

    town_id: UUID
    id: UUID
    sid: str


@dataclass(frozen=True)
class Gone:
    """The carrier keeps nothing under this number any more."""


MOST_SEEN = 200
"""So many of a number's messages the carrier is asked for; when it has more, that one is missing proves nothing."""

SANDBOX_ACCOUNT = "AC" + "5a" * 16
SANDBOX_SENDER = "AnSinh"
PROGRAM_TIME = "X-Program-Time"
"""The header in which the stand-in is told what time it is for the program, ISO 8601: the clock may be moved."""


def sandbox_token(secret_key: str) -> str:
    """The token by which the program and its stand-in carrier know each other."""
    return hmac.new(secret_key.encode(), b"sms sandbox", hashlib.sha256).hexdigest()[:32]
