"""The carrier. The one module that knows Twilio, and its plain twin for trying things without one."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, urlencode, urlsplit

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    TCPConnector,
    encode_basic_auth,
)
from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.base.version import Version
from twilio.http import AsyncHttpClient, HttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from config import Settings
from crm.campaigns.dispatcher import Carrier, Send
from crm.campaigns.pace import Pace
from crm.campaigns.rules.delivery import TOLD, Delivery
from crm.campaigns.rules.handover import (
    MOST_SEEN,
    SANDBOX_ACCOUNT,
    SANDBOX_SENDER,
    Accepted,
    Gone,
    NoAnswer,
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
SDK_LOG = logging.getLogger("twilio")
SDK_LOG.setLevel(logging.WARNING)  # it would write every number it asks about into the log
NOT_THE_RECIPIENTS_FAULT = frozenset({Reason.ACCOUNT, Reason.SENDER, Reason.BUSY})


class Wire(AsyncHttpClient):  # type: ignore[misc]
    """The SDK's requests over one aiohttp session, which costs a third less than the SDK's own client
    (docs/decisions/at-most-once.md)."""

    def __init__(self, session: ClientSession) -> None:
        super().__init__(SDK_LOG, True, PATIENCE)
        self._session = session

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """One request, never repeated by itself."""
        if auth:
            headers = {**(headers or {}), "Authorization": encode_basic_auth(*auth)}
        body = urlencode(data or {}).encode()
        async with self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as answer:
            return Response(answer.status, (await answer.read()).decode("utf-8", "replace"), answer.headers)


class TwilioGateway:
    """Twilio by its own SDK; `base_url` leads to an emulator."""

    def __init__(self, connection: Connection, status_url: str) -> None:
        http = TwilioHttpClient(timeout=PATIENCE)
        self._nearby = urlsplit(connection.base_url or "").hostname in LOOPBACK
        if http.session is not None and self._nearby:
            http.session.trust_env = False
        self._connection = connection
        self._client = self._client_over(http)
        self._url = self._client.api.v2010.absolute_url(f"/Accounts/{quote(connection.account)}/Messages.json")
        self._sender = (
            {"MessagingServiceSid": connection.service} if connection.service else {"From": connection.sender}
        )
        self._status_url = status_url

    def _client_over(self, http: HttpClient) -> Client:
        client = Client(self._connection.account, self._connection.token, http_client=http)
        if self._connection.base_url:
            client.api.base_url = self._connection.base_url
        return client

    @asynccontextmanager
    async def line(self, at_once: int) -> AsyncIterator[Send]:
        """Connections for one batch. They are not kept for the next: over one that the other end has closed meanwhile
        nobody could tell whether a message arrived."""
        session = ClientSession(
            connector=TCPConnector(limit=at_once),
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=PATIENCE, sock_connect=PATIENCE / 2),
            trust_env=not self._nearby,
        )
        async with session:
            client = self._client_over(Wire(session))
            yield lambda message: self._send(client, message)

    async def _send(self, client: Client, message: Outgoing) -> Outcome:
        """One call, never repeated by itself."""
        callback = f"{self._status_url}?town={message.town_id}&message={message.id}"
        form = {"To": message.phone, "Body": message.body, "StatusCallback": callback, **self._sender}
        try:
            (message.phone + message.body).encode()
        except UnicodeError:
            return Refused(None, Reason.MALFORMED)
        try:
            answer = await client.request_async("POST", self._url, data=form)
        except (ClientError, TimeoutError) as failure:
            never_left = isinstance(failure, ClientConnectorError | ConnectionTimeoutError)
            return TryAgain(Reason.BUSY) if never_left else NoAnswer()
        if not 200 <= answer.status_code < 300:
            return _understood(Version.exception("POST", self._url, answer, "Unable to create record"), answer)
        try:
            made = json.loads(answer.text)
            return Accepted(str(made["sid"]), TOLD.get(made.get("status"), Delivery.ACCEPTED))
        except (ValueError, KeyError, TypeError, AttributeError):
            return NoAnswer()

    def seen(self, phone: str) -> list[Seen] | None:
        """The last messages to this number, page after page."""
        try:
            found = self._client.messages.list(to=phone, limit=MOST_SEEN, page_size=50)
        except (RequestException, TwilioException, ValueError):
            return None
        return [_seen(one, phone) for one in found]

    def became(self, sid: str) -> Seen | Gone | None:
        """The message as the carrier keeps it."""
        try:
            one = self._client.messages(sid).fetch()
        except (TwilioRestException, TwilioServiceException) as refusal:
            return Gone() if refusal.status == 404 else None
        except (RequestException, TwilioException, ValueError):
            return None
        return _seen(one, one.to or "")


def _seen(one: MessageInstance, phone: str) -> Seen:
    return Seen(one.sid or "", phone, one.body or "", TOLD.get(str(one.status), Delivery.ACCEPTED), one.error_code)


def _understood(refusal: TwilioRestException | TwilioServiceException, answer: Response) -> Outcome:
    """Busy, or our own account's trouble: later again. A server's failure tells nothing. All else is a no, if it is the
    carrier that says so: a page of some proxy on the way is nobody's answer to a message."""
    code = refusal.code if isinstance(refusal.code, int) and refusal.code != refusal.status else None
    if refusal.status >= 500 or refusal.status == 408:
        return NoAnswer()
    if refusal.status == 429 or code in TRY_AGAIN_CODES:
        return TryAgain(Reason.BUSY, code, _seconds(answer.headers.get("Retry-After")))
    reason = reason_for(code) if code else Reason.ACCOUNT
    return TryAgain(reason, code) if reason in NOT_THE_RECIPIENTS_FAULT else Refused(code)


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdecimal() else None


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

    @asynccontextmanager
    async def line(self, at_once: int) -> AsyncIterator[Send]:
        """A line to itself."""

        async def send(message: Outgoing) -> Outcome:
            return self.send(message)

        yield send

    def seen(self, phone: str) -> list[Seen] | None:
        """All that was kept for this number."""
        kept = [(place, one) for place, one in enumerate(self.taken) if one.phone == phone]
        return [Seen(f"SM{place:032x}", phone, one.body, Delivery.SENT) for place, one in reversed(kept)]

    def became(self, sid: str) -> Seen | Gone | None:
        """It reached the network, if it is here."""
        found = next((one for place, one in enumerate(self.taken) if sid == f"SM{place:032x}"), None)
        return Seen(sid, found.phone, found.body, Delivery.DELIVERED) if found else Gone()


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
    return Carrier(gateway, Pace(settings.sms_rate, storage, connection.service or connection.sender or "sms"))


def is_signed(settings: Settings, path: str, form: dict[str, str], signature: str) -> bool:
    """Whether the carrier signed this call to `path` (with its query) under our public address."""
    connection = connection_of(settings)
    if connection is None or not signature:
        return False
    return bool(RequestValidator(connection.token).validate(settings.public_url + path, form, signature))
