"""What goes to the carrier and what the carrier may answer."""

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.reasons import Reason


@dataclass(frozen=True)
class Outgoing:
    """A claimed message, as much of it as is needed to hand it over."""

    town_id: UUID
    id: UUID
    phone: str
    body: str


@dataclass(frozen=True)
class Accepted:
    """The carrier took it under this number."""

    sid: str
    status: Delivery = Delivery.ACCEPTED


@dataclass(frozen=True)
class Refused:
    """The carrier will not take it, now or later."""

    code: int | None


@dataclass(frozen=True)
class TryAgain:
    """The carrier did not take it, but may take the same message later."""

    reason: Reason
    code: int | None = None


@dataclass(frozen=True)
class NoAnswer:
    """Nobody knows whether the carrier took it: it must not be handed over again."""


@dataclass(frozen=True)
class NotTried:
    """It was not handed over, because of this."""

    reason: Reason


Outcome = Accepted | Refused | TryAgain | NoAnswer | NotTried


@dataclass(frozen=True)
class Seen:
    """A message as the carrier remembers it."""

    sid: str
    phone: str
    body: str
    status: Delivery
    code: int | None = None


SANDBOX_ACCOUNT = "AC" + "5a" * 16
SANDBOX_SENDER = "AnSinh"


def sandbox_token(secret_key: str) -> str:
    """The token by which the program and its stand-in carrier know each other."""
    return hmac.new(secret_key.encode(), b"sms sandbox", hashlib.sha256).hexdigest()[:32]
