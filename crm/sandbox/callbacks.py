"""Tells our own program, and nobody else, how its messages fare: signed as the carrier signs."""

from __future__ import annotations

import http.client
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

from twilio.request_validator import RequestValidator

from crm.campaigns.rules.handover import PROGRAM_TIME
from crm.sandbox import rules
from crm.sandbox.store import Due, Kept, Store

log = logging.getLogger(__name__)
MOST_TRIES = 6
PATIENCE = 10
IDLE = 0.05
AT_ONCE = 4


class Postman(threading.Thread):
    """Lets statuses change when their time comes, and delivers the receipts, a few at the same time as the carrier does."""

    def __init__(self, store: Store, token: str, base: str | None) -> None:
        super().__init__(daemon=True, name="sandbox-receipts")
        self._store, self._token, self._base = store, token, base
        self._ended = threading.Event()

    def run(self) -> None:
        with ThreadPoolExecutor(AT_ONCE, "sandbox-receipt") as hands:
            while not self._ended.is_set():
                steps = self._store.due(time.time())
                for _ in hands.map(self.deliver, steps):
                    pass
                if not steps:
                    self._ended.wait(IDLE)

    def end(self) -> None:
        """Stop after the receipt in hand."""
        self._ended.set()

    def deliver(self, step: Due) -> None:
        """One change of status and its receipt; a receipt that is not taken is tried again later."""
        message = self._store.apply(step, time.time())
        if message is None or message.callback is None or self._post(message, step):
            self._store.told(step.number)
        elif step.tries + 1 >= MOST_TRIES:
            log.warning("gave up telling %s that it is %s", step.sid, step.status)
            self._store.told(step.number)
        else:
            self._store.tell_later(step.number, time.time() + 0.5 * 2**step.tries)

    def _post(self, message: Kept, step: Due) -> bool:
        fields = {
            "AccountSid": message.account,
            "ApiVersion": "2010-04-01",
            "From": message.sender or "",
            "MessageSid": message.sid,
            "MessageStatus": step.status,
            "SmsSid": message.sid,
            "SmsStatus": step.status,
            "To": message.recipient,
        }
        if message.service:
            fields["MessagingServiceSid"] = message.service
        if step.error_code:
            fields["ErrorCode"] = str(step.error_code)
        status, _ = self.post(message.callback or "", fields)
        return status is not None and status < 500

    def inbound(self, message: Kept, url: str) -> list[str]:
        """Hand a telephone's message to our program; what it answers at once."""
        fields = {
            "AccountSid": message.account,
            "ApiVersion": "2010-04-01",
            "Body": message.body,
            "From": message.sender or "",
            "MessageSid": message.sid,
            "NumMedia": "0",
            "NumSegments": str(message.segments),
            "SmsMessageSid": message.sid,
            "SmsSid": message.sid,
            "SmsStatus": "received",
            "To": message.recipient,
        }
        status, answer = self.post(url, fields)
        return _answers(answer) if status == http.client.OK else []

    def post(self, url: str, fields: dict[str, str]) -> tuple[int | None, bytes]:
        """POST with the carrier's signature over the public address, delivered on this machine only.

        The status is None when nobody answered; an address that is not this machine counts as 410 (never tried)."""
        target = rules.on_this_machine(url, self._base)
        if target is None:
            log.warning("a receipt for an address that is not this machine was dropped")
            return http.client.GONE, b""
        parts = urlsplit(target)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Host": urlsplit(url).netloc,
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": RequestValidator(self._token).compute_signature(url, fields),
        }
        try:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, urlencode(fields), headers)
            answer = connection.getresponse()
            self._date(fields.get("MessageSid", ""), answer.getheader(PROGRAM_TIME))
            return answer.status, answer.read(65536)
        except OSError:
            return None, b""
        finally:
            connection.close()

    def _date(self, sid: str, told: str | None) -> None:
        """Keep what time it was for our program when it heard of this message: its telephone shows that."""
        with suppress(ValueError):
            if told:
                self._store.date(sid, datetime.fromisoformat(told).timestamp())


def _answers(document: bytes) -> list[str]:
    """The texts of `<Response><Message>…</Message></Response>`."""
    try:
        root = ElementTree.fromstring(document)  # noqa: S314  our own program's answer
    except ElementTree.ParseError:
        return []
    return ["".join(message.itertext()).strip() for message in root.iter("Message")]
