"""What an e-mail is to whoever sends it, what may become of it, and when it is tried again. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken

MOST_ATTEMPTS = 6
LONGEST_ADDRESS = 200
_ADDRESS = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,}")


class MailState(StrEnum):
    """Where an e-mail stands. `unknown` may have left: it is never sent again by itself."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    EXPIRED = "expired"


LOST = (MailState.REFUSED, MailState.EXPIRED)
"""E-mails that nobody got."""

STATES: Mapping[MailState, Any] = {
    MailState.WAITING: _l("Waits"),
    MailState.SENDING: _l("Is being sent"),
    MailState.SENT: _l("Sent"),
    MailState.REFUSED: _l("Refused"),
    MailState.UNKNOWN: _l("Not known whether it left"),
    MailState.EXPIRED: _l("Too late to be sent"),
}


class Outgoing(NamedTuple):
    """An e-mail that was claimed and is to be handed over now."""

    town_id: UUID
    id: UUID
    to: str
    subject: str
    body: str


class Accepted(NamedTuple):
    """The carrier has it. `keeps` says that the text stays readable here, as in the mailbox on this machine."""

    keeps: bool = False


class Refused(NamedTuple):
    """The carrier will not take it, now or later."""

    words: str


class TryAgain(NamedTuple):
    """Nothing was taken; later perhaps."""

    words: str


class NoAnswer(NamedTuple):
    """It was handed over and nobody said that it was taken."""

    words: str


Outcome = Accepted | Refused | TryAgain | NoAnswer


def wait_before(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 1, 4, 16 … minutes, at most half a day."""
    return min(timedelta(minutes=4 ** max(attempts - 1, 0)), timedelta(hours=12))


def read_address(text: str) -> str:
    """An e-mail address as it is kept: no space around, the part after @ in small letters. Raises RuleBroken."""
    name, at, host = text.strip().rpartition("@")
    address = f"{name}{at}{host.lower()}"
    if len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise RuleBroken(_l("This is no e-mail address. Write it such as lan@gmail.com."), field="email")
    return address
