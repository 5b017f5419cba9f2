"""What the carrier would say to a message: its validation, its error document, its words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from crm.campaigns.rules.texts import size
from crm.phones import MOBILE

LONGEST = 1600
E164 = re.compile(r"\+[1-9]\d{6,14}")
VIETNAM_LANDLINE = re.compile(r"\+842\d{8,9}")
SENDER_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
SHORT_CODE = re.compile(r"\d{3,6}")
SERVICE_SID = re.compile(r"MG[0-9a-fA-F]{32}")
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
ADDRESS = re.compile(r"(https?://[^\s<>\"]+)")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Trouble:
    """A refusal as the carrier words it."""

    http: int
    code: int
    message: str

    def document(self) -> dict[str, str | int]:
        """The JSON body of the refusal."""
        where = f"https://www.twilio.com/docs/errors/{self.code}"
        return {
            "code": self.code,
            "message": self.message,
            "more_info": where,
            "status": self.http,
        }


AUTHENTICATE = Trouble(401, 20003, "Authenticate")
TOO_MANY = Trouble(429, 20429, "Too Many Requests")


def not_found(path: str) -> Trouble:
    """There is no such resource."""
    return Trouble(404, 20404, f"The requested resource {path} was not found")


def refusal(form: Mapping[str, str]) -> Trouble | None:
    """Why the carrier would not take this message; None when it would."""
    to, sender, service = (
        form.get("To", ""),
        form.get("From", ""),
        form.get("MessagingServiceSid", ""),
    )
    body, callback = form.get("Body", ""), form.get("StatusCallback", "")
    checks = (
        (not to, 21604, "A 'To' phone number is required."),
        (not sender and not service, 21603, "A 'From' phone number is required."),
        (not body, 21602, "Message body is required."),
        (
            len(body) > LONGEST,
            21617,
            f"The concatenated message body exceeds the {LONGEST} character limit",
        ),
        (not E164.fullmatch(to), 21211, f"Invalid 'To' Phone Number: {_masked(to)}"),
        (
            bool(VIETNAM_LANDLINE.fullmatch(to)),
            21614,
            "'To' number is not a valid mobile number",
        ),
        (
            to.startswith("+84") and not MOBILE.fullmatch(to),
            21211,
            f"Invalid 'To' Phone Number: {_masked(to)}",
        ),
        (
            bool(service) and not SERVICE_SID.fullmatch(service),
            21701,
            "The Messaging Service does not exist.",
        ),
        (
            bool(sender) and not _may_send(sender),
            21212,
            f"Invalid From Number (caller ID): {sender}",
        ),
        (sender == to, 21266, "'To' and 'From' number cannot be the same."),
        (
            bool(callback) and not _is_url(callback),
            21609,
            f"Invalid StatusCallback URL: {callback}",
        ),
    )
    return next((Trouble(400, code, words) for wrong, code, words in checks if wrong), None)


def unsubscribed(to: str) -> Trouble:
    """The owner of the number wrote STOP to this sender."""
    return Trouble(400, 21610, "Attempt to send to unsubscribed recipient")


def _masked(number: str) -> str:
    return number[:-4] + "XXXX" if len(number) > 6 else number


def _may_send(sender: str) -> bool:
    return any(kind.fullmatch(sender) for kind in (E164, SENDER_NAME, SHORT_CODE))


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


@dataclass(frozen=True)
class Step:
    """One change of a message's status, `after` seconds from the time it was taken."""

    after: float
    status: str
    error_code: int | None = None


SENT, ARRIVED = 0.3, 0.8
USUAL = (Step(0, "queued"), Step(SENT, "sent"), Step(ARRIVED, "delivered"))

SPECIAL: dict[str, tuple[Step, ...]] = {
    "+84900000001": (
        Step(0, "queued"),
        Step(SENT, "sent"),
        Step(ARRIVED, "undelivered", 30003),
    ),
    "+84900000002": (
        Step(0, "queued"),
        Step(SENT, "sent"),
        Step(ARRIVED, "undelivered", 30005),
    ),
    "+84900000003": (Step(0, "queued"), Step(SENT, "undelivered", 30007)),
    "+84900000004": (Step(0, "queued"), Step(SENT, "failed", 30008)),
    "+84900000005": (Step(0, "queued"), Step(SENT, "sent")),
    "+84900000010": (*reversed(USUAL), *USUAL),
}
"""Numbers that fail in a way of their own, to try the program: switched off, unknown, filtered, failed, never
confirmed, and receipts in the wrong order and twice."""

TAKEN_WITHOUT_ANSWER = "+84900000006"
"""The message is taken but the connection breaks before the answer."""
REFUSED_AT_ONCE: dict[str, Trouble] = {
    "+84900000007": TOO_MANY,
    "+84900000008": Trouble(500, 20500, "An internal server error has occurred"),
    "+84900000009": Trouble(400, 21610, "Attempt to send to unsubscribed recipient"),
}


def steps(to: str) -> tuple[Step, ...]:
    """How the status of a message to this number goes on."""
    return SPECIAL.get(to, USUAL)


ERROR_WORDS = {
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30007: "Message filtered",
    30008: "Unknown error",
}


def segments(body: str) -> int:
    """How many segments the carrier would charge."""
    return size(body).segments


def rfc_2822(moment: float | None) -> str | None:
    """A time as the carrier writes it, in GMT."""
    return None if moment is None else format_datetime(datetime.fromtimestamp(int(moment), UTC))


def on_this_machine(url: str, base: str | None) -> str | None:
    """Where a callback to `url` is delivered: its path on `base`, or the address itself; None unless it is loopback."""
    parts = urlsplit(url)
    target = urlsplit(base) if base else parts
    if target.hostname not in LOOPBACK or target.scheme not in ("http", "https"):
        return None
    return parts._replace(scheme=target.scheme, netloc=target.netloc).geturl()
