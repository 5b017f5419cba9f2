"""The carrier's own list of what it sent, read page by page, and its plain twin."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlsplit

from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from config import Settings
from crm.campaigns.gateway import LOOPBACK, PATIENCE, Connection, connection_of
from crm.campaigns.restored.rules import Asked, Told, ToldMessage, Written
from crm.campaigns.rules.delivery import TOLD, Delivery

PAGE = 500
SENT_BY_US = frozenset({"outbound-api", "outbound-call"})
"""Not what was answered to people at once: that is a copy of nothing that waits."""
TO_US = "inbound"
"""What people wrote: a no that came after the backup counts."""


class CarriersList(Protocol):
    """What the program knows of a carrier's list."""

    def page(self, asked: Asked) -> Told | None:
        """One page of what was sent since a moment; None when the carrier does not answer."""


class TwilioList:
    """Twilio's list of messages by its own SDK; `base_url` leads to an emulator."""

    def __init__(self, connection: Connection) -> None:
        http = TwilioHttpClient(timeout=PATIENCE)
        if http.session is not None and urlsplit(connection.base_url or "").hostname in LOOPBACK:
            http.session.trust_env = False
        self._client = Client(connection.account, connection.token, http_client=http)
        if connection.base_url:
            self._client.api.base_url = connection.base_url

    def page(self, asked: Asked) -> Told | None:
        """One page; the next is named by the carrier itself."""
        messages = self._client.messages
        try:
            found = (
                messages.get_page(asked.next_page)
                if asked.next_page
                else messages.page(date_sent_after=asked.since, page_size=PAGE)
            )
            told = list(found)
            sent = [
                ToldMessage(
                    one.sid or "",
                    one.to or "",
                    one.body or "",
                    TOLD.get(str(one.status), Delivery.ACCEPTED),
                    int(one.error_code) if one.error_code else None,
                    one.date_sent or one.date_created or asked.since,
                )
                for one in told
                if one.direction in SENT_BY_US
            ]
            written = [
                Written(
                    one.sid or "", one.from_ or "", one.body or "", one.date_sent or one.date_created or asked.since
                )
                for one in told
                if one.direction == TO_US
            ]
        except (RequestException, TwilioException, ValueError):
            return None
        return Told(sent, found.next_page_url or None, written)


@dataclass
class PlainList:
    """The twin: tells what it was given, `size` to a page, on the last what people wrote; silent while `away`."""

    sent: list[ToldMessage] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    size: int = 2
    away: bool = False

    def page(self, asked: Asked) -> Told | None:
        """One page of what was sent since then."""
        if self.away:
            return None
        start = int(asked.next_page or 0)
        since = [one for one in self.sent if one.sent_at >= asked.since]
        more = len(since) > start + self.size
        written = [] if more else [one for one in self.written if one.at >= asked.since]
        return Told(since[start : start + self.size], str(start + self.size) if more else None, written)


@lru_cache(maxsize=4)
def carriers_list_of(settings: Settings) -> CarriersList | None:
    """The list of the carrier for these settings; None when there is no carrier."""
    connection = connection_of(settings)
    return TwilioList(connection) if connection else None
