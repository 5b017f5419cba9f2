"""The carrier. The one module that knows Twilio, and its plain twin for trying things without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout, RequestException
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from urllib3.exceptions import MaxRetryError, NewConnectionError

from config import Settings
from crm.campaigns.rules.delivery import TOLD, Delivery
from crm.campaigns.rules.handover import (
    SANDBOX_ACCOUNT,
    SANDBOX_SENDER,
    Accepted,
    NoAnswer,
    NotTried,
    Outcome,
    Outgoing,
    Refused,
    Seen,
    TryAgain,
    sandbox_token,
)
from crm.campaigns.rules.reasons import TRY_AGAIN_CODES, Reason, reason_for
from crm.embedded.brokers import broker_urls

PATIENCE = 10
"""Seconds until a call to the carrier counts as unanswered."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
NOT_THE_RECIPIENTS_FAULT = frozenset({Reason.ACCOUNT, Reason.SENDER, Reason.BUSY})


class SmsGateway(Protocol):
    """What the program knows of a carrier."""

    def send(self, message: Outgoing) -> Outcome:
        """Hand one message over. Never raises for what the carrier or the network does."""

    def seen(self, phone: str) -> list[Seen] | None:
        """What the carrier remembers of this number, the latest first; None when it does not answer."""


class TwilioGateway:
    """Twilio by its own SDK; `base_url` leads to an emulator."""

    def __init__(self, connection: Connection, status_url: str) -> None:
        http = TwilioHttpClient(timeout=PATIENCE)
        if http.session is not None and urlsplit(connection.base_url or "").hostname in LOOPBACK:
            http.session.trust_env = False
        self._client = Client(connection.account, connection.token, http_client=http)
        if connection.base_url:
            self._client.api.base_url = connection.base_url
        self._sender = (
            {"messaging_service_sid": connection.service} if connection.service else {"from_": connection.sender}
        )
        self._status_url = status_url

    def send(self, message: Outgoing) -> Outcome:
        """One call, never repeated by itself."""
        who = urlencode({"town": message.town_id, "message": message.id})
        callback = f"{self._status_url}?{who}"
        try:
            made = self._client.messages.create(
                to=message.phone, body=message.body, status_callback=callback, **self._sender
            )
        except TwilioRestException as refusal:
            return _understood(refusal)
        except (RequestException, TwilioException, ValueError) as failure:
            return TryAgain(Reason.BUSY) if _never_left(failure) else NoAnswer()
        return Accepted(made.sid, TOLD.get(str(made.status), Delivery.ACCEPTED)) if made.sid else NoAnswer()

    def seen(self, phone: str) -> list[Seen] | None:
        """The last fifty messages to this number."""
        try:
            found = self._client.messages.list(to=phone, limit=50)
        except (RequestException, TwilioException, ValueError):
            return None
        return [
            Seen(one.sid or "", phone, one.body or "", TOLD.get(str(one.status), Delivery.ACCEPTED), one.error_code)
            for one in found
        ]


def _understood(refusal: TwilioRestException) -> Outcome:
    """Busy, or our own account's trouble: later again. A server's failure tells nothing. All else is a no."""
    code = refusal.code or None
    if refusal.status >= 500 or refusal.status == 408:
        return NoAnswer()
    reason = reason_for(code)
    if refusal.status == 429 or code in TRY_AGAIN_CODES:
        return TryAgain(Reason.BUSY, code)
    return TryAgain(reason, code) if reason in NOT_THE_RECIPIENTS_FAULT else Refused(code)


def _never_left(failure: Exception) -> bool:
    """Whether the connection was never made, so that the carrier cannot have taken anything."""
    if isinstance(failure, ConnectTimeout):
        return True
    cause = failure.args[0] if isinstance(failure, NoConnection) and failure.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


@dataclass
class PlainGateway:
    """The twin: keeps what it is given and answers as it is told to, by number; otherwise it accepts."""

    answers: dict[str, Outcome] = field(default_factory=dict)
    taken: list[Outgoing] = field(default_factory=list)

    def send(self, message: Outgoing) -> Outcome:
        """Keep it, unless the answer for this number says that nothing was taken."""
        outcome = self.answers.get(message.phone) or Accepted(f"SM{len(self.taken):032x}")
        if isinstance(outcome, Accepted | NoAnswer):
            self.taken.append(message)
        return outcome

    def seen(self, phone: str) -> list[Seen] | None:
        """All that was kept for this number."""
        kept = [(place, one) for place, one in enumerate(self.taken) if one.phone == phone]
        return [Seen(f"SM{place:032x}", phone, one.body, Delivery.SENT) for place, one in reversed(kept)]


class Rate:
    """One pace for all workers together: a sliding window in the broker."""

    def __init__(self, per_second: int, storage_url: str) -> None:
        self._item = RateLimitItemPerSecond(per_second)
        self._limiter = SlidingWindowCounterRateLimiter(storage_from_string(storage_url))
        self.per_second = per_second

    def for_seconds(self, seconds: int) -> int:
        """How many messages may go in that time."""
        return self.per_second * seconds

    def wait(self) -> bool:
        """Wait for the next turn. False when nobody can be asked; then nothing may be sent."""
        try:
            while not self._limiter.hit(self._item, "sms"):
                time.sleep(0.5 / self.per_second)
        except (RedisError, StorageError, OSError):
            return False
        return True


@dataclass(frozen=True)
class Carrier:
    """A gateway and its pace."""

    gateway: SmsGateway
    rate: Rate

    def send_all(
        self, batch: Iterable[Outgoing], unless: Callable[[Outgoing], Reason | None]
    ) -> Sequence[tuple[Outgoing, Outcome]]:
        """Hand a batch over in its pace; `unless` is asked once more before each call.

        When the carrier does not answer or turns us away, the rest of the batch is not tried now."""
        outcomes: list[tuple[Outgoing, Outcome]] = []
        trouble = False
        for message in batch:
            outcome: Outcome = NotTried(Reason.BUSY)
            if not trouble and self.rate.wait():
                reason = unless(message)
                outcome = NotTried(reason) if reason else self.gateway.send(message)
            trouble = trouble or isinstance(outcome, NoAnswer | TryAgain)
            outcomes.append((message, outcome))
        return outcomes


@dataclass(frozen=True)
class Connection:
    """How to reach the carrier."""

    account: str
    token: str
    sender: str | None
    service: str | None
    base_url: str | None


def connection_of(settings: Settings) -> Connection | None:
    """Twilio when it is configured, else the stand-in on this machine, else nothing."""
    sender, service = settings.twilio_from, settings.twilio_messaging_service_sid
    if settings.twilio_account_sid and settings.twilio_auth_token:
        return Connection(
            settings.twilio_account_sid, settings.twilio_auth_token, sender, service, settings.twilio_base_url
        )
    if settings.sandbox_url:
        token = sandbox_token(settings.secret_key)
        return Connection(SANDBOX_ACCOUNT, token, SANDBOX_SENDER, None, settings.sandbox_url)
    return None


@lru_cache(maxsize=4)
def carrier_of(settings: Settings) -> Carrier | None:
    """The carrier for these settings; None when there is none, and then nothing is claimed."""
    connection = connection_of(settings)
    if connection is None:
        return None
    gateway = TwilioGateway(connection, f"{settings.public_url}/webhooks/twilio/status")
    storage = broker_urls(settings.redis_url).limits if settings.redis_url else "memory://"
    return Carrier(gateway, Rate(settings.sms_rate, storage))


def is_signed(settings: Settings, path: str, form: dict[str, str], signature: str) -> bool:
    """Whether the carrier signed this call to `path` (with its query) under our public address."""
    connection = connection_of(settings)
    if connection is None or not signature:
        return False
    return bool(RequestValidator(connection.token).validate(settings.public_url + path, form, signature))
