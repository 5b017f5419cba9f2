"""What may be texted, when, at what cost, and what we believe came of it. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.errors import RuleBroken
from crm.prospects.rules import Purpose

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")

# --- encoding and segments (3GPP TS 23.038) -----------------------------------------------------------------------

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
GSM_7, UCS_2 = "GSM-7", "UCS-2"
ROOM = {GSM_7: (160, 153), UCS_2: (70, 67)}
"""Units in a message that stands alone, and in each part of one that is split."""
LONGEST = 1600
"""Characters the carrier's interface takes in one body."""

PLAIN = str.maketrans(
    {
        "đ": "d", "Đ": "D", "Ð": "D", "ð": "d", "₫": "d", "\t": " ",
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "″": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "•": "-", "·": "-", "…": "...",
        "\u00ad": "", "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\ufeff": "", "\ufe0f": "",
    }
)  # fmt: skip
"""Letters and marks that Unicode does not take apart, as a phone of twenty years ago would write them."""


@dataclass(frozen=True)
class Size:
    """What a text costs to send: `characters` are the units that are charged (septets, or UTF-16 units)."""

    encoding: str
    characters: int
    segments: int


@dataclass(frozen=True)
class Preview:
    """A text as it would be sent, beside the same text without accents."""

    text: str
    size: Size
    plain_text: str
    plain_size: Size
    costly: tuple[str, ...]
    double: tuple[str, ...]


def unaccented(text: str) -> str:
    """The text in letters that every phone has: *Mời bà Nguyễn* → *Moi ba Nguyen*; what has no plain form stays."""
    return "".join(
        _plain(letter) for letter in unicodedata.normalize("NFC", text).translate(PLAIN)
    )


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c)
    ).translate(PLAIN)
    fits = bool(bare) and all(c in GSM_BASIC or c in GSM_EXTENSION for c in bare)
    return bare if fits or (not bare and unicodedata.combining(letter)) else letter


def size(text: str) -> Size:
    """Encoding, charged units and segments. One letter outside GSM-7 turns the whole text to UCS-2."""
    encoding = (
        GSM_7 if all(c in GSM_BASIC or c in GSM_EXTENSION for c in text) else UCS_2
    )
    units = list(_units(text, encoding))
    alone, part = ROOM[encoding]
    total = sum(units)
    return Size(
        encoding, total, min(total, 1) if total <= alone else _parts(units, part)
    )


def _units(text: str, encoding: str) -> Iterator[int]:
    """The units of each character: an extension character is two septets, one outside the basic plane two units."""
    for c in text:
        yield 2 if (c in GSM_EXTENSION if encoding == GSM_7 else ord(c) > 0xFFFF) else 1


def _parts(units: Iterable[int], room: int) -> int:
    """How many parts: a character of two units never straddles the border between two parts."""
    parts, free = 1, room
    for unit in units:
        if unit > free:
            parts, free = parts + 1, room
        free -= unit
    return parts


def costly(text: str) -> tuple[str, ...]:
    """The letters that make the text UCS-2, each once, in order of appearance."""
    return tuple(
        dict.fromkeys(c for c in text if c not in GSM_BASIC and c not in GSM_EXTENSION)
    )


def preview(text: str, variables: Mapping[str, str] | None = None) -> Preview:
    """The text with its places filled (left alone when `variables` is None), counted both ways.

    Raises RuleBroken when a place has no value."""
    filled = unicodedata.normalize(
        "NFC", text if variables is None else fill(text, variables)
    )
    plain = unaccented(filled)
    double = tuple(dict.fromkeys(c for c in filled if c in GSM_EXTENSION))
    return Preview(filled, size(filled), plain, size(plain), costly(filled), double)


# --- templates ----------------------------------------------------------------------------------------------------

PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def places(text: str) -> tuple[str, ...]:
    """The named places of a template, each once: *Chào {ten}* → `("ten",)`."""
    return tuple(dict.fromkeys(PLACE.findall(text)))


def fill(text: str, variables: Mapping[str, str]) -> str:
    """Put the values in the named places, once: a value that looks like a place stays what it is.

    Raises RuleBroken naming the first place that has no value."""
    missing = [name for name in places(text) if not variables.get(name, "").strip()]
    if missing:
        raise RuleBroken(
            _l("The text needs a value for {%(place)s}.", place=missing[0])
        )
    return PLACE.sub(lambda found: " ".join(variables[found[1]].split()), text)


# --- purposes -----------------------------------------------------------------------------------------------------


PURPOSE_NAMES: dict[Purpose, LazyString] = {
    Purpose.SERVICE: _l("Service message"),
    Purpose.PROMOTION: _l("Promotion"),
}
LABELS = ("[QC]", "[AD]")


def compose(
    text: str, purpose: Purpose, opt_out: str | None, *, accented: bool = False
) -> str:
    """The body as it goes out. A promotion begins with its label and ends with the way to refuse (Decree 91/2020)."""
    body = " ".join(text.split(" ")).strip()
    if purpose is Purpose.PROMOTION:
        body = body if body.startswith(LABELS) else f"{LABELS[0]} {body}"
        body = f"{body} Từ chối: {opt_out}" if opt_out and opt_out not in body else body
    return unicodedata.normalize("NFC", body) if accented else unaccented(body)


# --- hours --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hours:
    """From when until when a message may leave, local time: the first instant may, the last may not."""

    opens: time = time(7)
    closes: time = time(22)

    def allow(self, moment: datetime) -> bool:
        """Whether a message may leave at this moment (with its time zone)."""
        return self.opens <= moment.astimezone(VIETNAM).time() < self.closes

    def next_allowed(self, moment: datetime) -> datetime:
        """This moment if it is within the hours, else the next opening."""
        local = moment.astimezone(VIETNAM)
        if self.allow(moment):
            return moment
        day = (
            local.date()
            if local.time() < self.opens
            else local.date() + timedelta(days=1)
        )
        return datetime.combine(day, self.opens, VIETNAM)


LEGAL_HOURS = Hours()
"""Decree 91/2020, Article 13: 07:00 to 22:00."""


def narrower(opens: time, closes: time) -> Hours:
    """The office's own hours. Raises RuleBroken unless they lie within the legal ones."""
    if not LEGAL_HOURS.opens <= opens < closes <= LEGAL_HOURS.closes:
        raise RuleBroken(
            _l(
                "Messages may leave between 07:00 and 22:00 only; choose hours within these."
            )
        )
    return Hours(opens, closes)


MOST_A_DAY = 3
"""Messages to one number in any 24 hours (Decree 91/2020, Article 13)."""
DAY = timedelta(hours=24)


def may_get_another(sent_at: Iterable[datetime], at: datetime) -> bool:
    """Whether a number that got messages at these moments may get one more now."""
    return sum(1 for moment in sent_at if at - DAY < moment <= at) < MOST_A_DAY


# --- what became of a message -------------------------------------------------------------------------------------


class Delivery(StrEnum):
    """The life of one message."""

    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    EXCLUDED = "excluded"


ORDER = tuple(Delivery)
FINAL = frozenset(
    {
        Delivery.DELIVERED,
        Delivery.UNDELIVERED,
        Delivery.FAILED,
        Delivery.CANCELLED,
        Delivery.EXPIRED,
        Delivery.EXCLUDED,
    }
)
WAITING = frozenset({Delivery.HELD, Delivery.QUEUED})
LEFT_US = frozenset(
    {
        Delivery.SENDING,
        Delivery.UNKNOWN,
        Delivery.ACCEPTED,
        Delivery.SENT,
        Delivery.DELIVERED,
        Delivery.UNDELIVERED,
    }
)
"""States in which the person has, or may have, been texted: these count towards the day's limit."""


def after(now: Delivery, told: Delivery) -> Delivery:
    """What we believe once a receipt says `told`: receipts come late, twice and out of order."""
    stale = now in FINAL or ORDER.index(told) < ORDER.index(now)
    return now if stale else told


TOLD: dict[str, Delivery] = {
    "accepted": Delivery.ACCEPTED,
    "scheduled": Delivery.ACCEPTED,
    "queued": Delivery.ACCEPTED,
    "sending": Delivery.ACCEPTED,
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.DELIVERED,
    "undelivered": Delivery.UNDELIVERED,
    "failed": Delivery.FAILED,
    "canceled": Delivery.CANCELLED,
}
"""The carrier's words for a status, in ours."""

DELIVERY_NAMES: dict[Delivery, LazyString] = {
    Delivery.HELD: _l("On hold"),
    Delivery.QUEUED: _l("Waiting"),
    Delivery.SENDING: _l("Being sent"),
    Delivery.UNKNOWN: _l("Not known"),
    Delivery.ACCEPTED: _l("Taken by the carrier"),
    Delivery.SENT: _l("Sent"),
    Delivery.DELIVERED: _l("Reached the network"),
    Delivery.UNDELIVERED: _l("Not delivered"),
    Delivery.FAILED: _l("Failed"),
    Delivery.CANCELLED: _l("Called off"),
    Delivery.EXPIRED: _l("Too late, not sent"),
    Delivery.EXCLUDED: _l("Left out"),
}


# --- why not ------------------------------------------------------------------------------------------------------


class Reason(StrEnum):
    """Why somebody was left out, or a message waits or came to nothing."""

    NO_PHONE = "no_phone"
    NOT_MOBILE = "not_mobile"
    NO_CONSENT = "no_consent"
    OPTED_OUT = "opted_out"
    SAME_PHONE = "same_phone"
    MISSING_VALUE = "missing_value"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    OUT_OF_HOURS = "out_of_hours"
    PAUSED = "paused"
    CALLED_OFF = "called_off"
    DONE_MEANWHILE = "done_meanwhile"
    EXPIRED = "expired"
    RESTORED = "restored"
    ALREADY_HANDLED = "already_handled"
    NO_ANSWER = "no_answer"
    NO_TRACE = "no_trace"
    BAD_NUMBER = "bad_number"
    LANDLINE = "landline"
    BLOCKED = "blocked"
    BUSY = "busy"
    SENDER = "sender"
    ACCOUNT = "account"
    UNREACHABLE = "unreachable"
    FILTERED = "filtered"
    CARRIER = "carrier"


REASONS: dict[Reason, LazyString] = {
    Reason.NO_PHONE: _l("No phone number is on record."),
    Reason.NOT_MOBILE: _l("The number is not a mobile number and cannot get messages."),
    Reason.NO_CONSENT: _l("The person has not agreed to get messages of this kind."),
    Reason.OPTED_OUT: _l("The person asked not to get messages any more."),
    Reason.SAME_PHONE: _l(
        "Somebody else with the same phone already gets this message."
    ),
    Reason.MISSING_VALUE: _l("A place in the text has no value for this person."),
    Reason.TOO_LONG: _l("The text is too long."),
    Reason.TOO_MANY: _l(
        "This number has had three messages in 24 hours; the message waits."
    ),
    Reason.OUT_OF_HOURS: _l(
        "Outside the hours in which messages may leave; the message waits."
    ),
    Reason.PAUSED: _l("The campaign is paused."),
    Reason.CALLED_OFF: _l("The campaign was called off."),
    Reason.DONE_MEANWHILE: _l("What it would remind of has been done meanwhile."),
    Reason.EXPIRED: _l("It could not be sent in time."),
    Reason.RESTORED: _l(
        "The data come from a backup; an operator has to confirm first."
    ),
    Reason.ALREADY_HANDLED: _l("The message is no longer waiting to be sent."),
    Reason.NO_ANSWER: _l(
        "The carrier did not answer; it is not sent again, so that nobody gets it twice."
    ),
    Reason.NO_TRACE: _l("The carrier has no trace of it."),
    Reason.BAD_NUMBER: _l("The carrier says this number does not exist."),
    Reason.LANDLINE: _l("The carrier says this is not a mobile number."),
    Reason.BLOCKED: _l("The person has blocked our messages at the carrier."),
    Reason.BUSY: _l("The carrier is busy; it will be tried again."),
    Reason.SENDER: _l(
        "The sender name is not accepted by the carrier; an administrator must check the settings."
    ),
    Reason.ACCOUNT: _l(
        "The carrier refuses our account; an administrator must check the settings."
    ),
    Reason.UNREACHABLE: _l("The phone was switched off or out of reach."),
    Reason.FILTERED: _l("The network refused the content."),
    Reason.CARRIER: _l("The carrier could not deliver it."),
}

CARRIER_CODES: dict[int, Reason] = {
    20003: Reason.ACCOUNT,
    20404: Reason.ACCOUNT,
    20429: Reason.BUSY,
    21211: Reason.BAD_NUMBER,
    21212: Reason.SENDER,
    21401: Reason.BAD_NUMBER,
    21408: Reason.ACCOUNT,
    21603: Reason.SENDER,
    21604: Reason.BAD_NUMBER,
    21606: Reason.SENDER,
    21608: Reason.ACCOUNT,
    21610: Reason.BLOCKED,
    21611: Reason.BUSY,
    21612: Reason.SENDER,
    21614: Reason.LANDLINE,
    21617: Reason.TOO_LONG,
    21705: Reason.SENDER,
    30001: Reason.BUSY,
    30002: Reason.ACCOUNT,
    30003: Reason.UNREACHABLE,
    30004: Reason.BLOCKED,
    30005: Reason.BAD_NUMBER,
    30006: Reason.LANDLINE,
    30007: Reason.FILTERED,
}
"""Twilio's error codes (twilio.com/docs/api/errors) that have plain words of their own; all others are CARRIER."""

TRY_AGAIN_CODES = frozenset({20429, 21611})
"""Refusals that pass: nothing was taken, the same message may be handed over later."""


def reason_for(code: int | None) -> Reason:
    """Our reason for the carrier's error code."""
    return CARRIER_CODES.get(code or 0, Reason.CARRIER)


MOST_ATTEMPTS = 5


def wait_before(attempts: int) -> timedelta:
    """How long a message that was turned away waits: 30 s, 1, 2, 4 minutes."""
    return timedelta(seconds=30 * 2 ** max(0, attempts - 1))


# --- campaigns ----------------------------------------------------------------------------------------------------


class Stage(StrEnum):
    """The life of a campaign."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


STAGE_NAMES: dict[Stage, LazyString] = {
    Stage.DRAFT: _l("Draft"),
    Stage.RUNNING: _l("Running"),
    Stage.PAUSED: _l("Paused"),
    Stage.CANCELLED: _l("Called off"),
    Stage.DONE: _l("Finished"),
}

MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.DRAFT: frozenset({Stage.RUNNING, Stage.CANCELLED}),
    Stage.RUNNING: frozenset({Stage.PAUSED, Stage.CANCELLED, Stage.DONE}),
    Stage.PAUSED: frozenset({Stage.RUNNING, Stage.CANCELLED}),
    Stage.CANCELLED: frozenset(),
    Stage.DONE: frozenset(),
}

PERSON_PLACES = ("ten", "ho_ten", "xung_ho")
"""What a campaign's text may name of a person: given name, full name, form of address."""


def move(now: Stage, to: Stage) -> Stage:
    """The new stage. Raises RuleBroken when the campaign cannot go there from where it is."""
    if to not in MOVES[now]:
        raise RuleBroken(
            _l(
                "This campaign is “%(stage)s” and cannot do that.",
                stage=STAGE_NAMES[now],
            )
        )
    return to
