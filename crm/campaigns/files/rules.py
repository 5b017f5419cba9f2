"""What a file for the gateway holds, what its results say, and how far either is. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from crm.campaigns.rules.delivery import Delivery
from crm.errors import RuleBroken
from crm.names import fold
from crm.prospects.rules import Purpose


class FileState(StrEnum):
    """Where a file stands. `empty`: nothing could go when it was to be made."""

    MAKING = "making"
    OUT = "out"
    EMPTY = "empty"
    NOT_UPLOADED = "not_uploaded"


FILE_STATES: Mapping[FileState, Any] = {
    FileState.MAKING: _l("Being made"),
    FileState.OUT: _l("Handed over"),
    FileState.EMPTY: _l("Nothing could go"),
    FileState.NOT_UPLOADED: _l("Not uploaded; its messages wait again"),
}


class ResultState(StrEnum):
    """How far a file of results is."""

    COLUMNS = "columns"
    QUEUED = "queued"
    LOADED = "loaded"
    GIVEN_UP = "given_up"


class NumberForm(StrEnum):
    """How the gateway wants numbers."""

    EIGHTY_FOUR = "84"
    ZERO = "0"


class Holds(StrEnum):
    """What a column of a file that goes out can hold."""

    NUMBER = "number"
    TEXT = "text"
    REFERENCE = "reference"
    SENDER = "sender"
    PURPOSE = "purpose"


HOLDS: Mapping[Holds, Any] = {
    Holds.NUMBER: _l("Phone number"),
    Holds.TEXT: _l("Text"),
    Holds.REFERENCE: _l("Our reference"),
    Holds.SENDER: _l("Sender name"),
    Holds.PURPOSE: _l("Kind of message (CSKH or QC)"),
}
USUAL_HEADINGS: Mapping[Holds, str] = {
    Holds.NUMBER: "phone",
    Holds.TEXT: "message",
    Holds.REFERENCE: "request_id",
    Holds.SENDER: "brandname",
    Holds.PURPOSE: "type",
}
USUAL_COLUMNS = {held.value: heading for held, heading in USUAL_HEADINGS.items()}
PURPOSE_MARKS = {Purpose.SERVICE: "CSKH", Purpose.PROMOTION: "QC"}
"""What domestic gateways call the two kinds."""
_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ._-]{3,11}")


def read_sender(text: str | None, field: str) -> str | None:
    """A brand name as gateways register them: at most 11 plain letters and figures. Raises RuleBroken."""
    if text and not _SENDER.fullmatch(text):
        raise RuleBroken(
            _l("A sender name has 3 to 11 letters and figures without accents, such as ANSINH."), field=field
        )
    return text or None


def number_as(phone: str, form: NumberForm) -> str:
    """A number as the gateway wants it: +84912345678 → 84912345678 or 0912345678."""
    bare = phone.removeprefix("+")
    return bare if form is NumberForm.EIGHTY_FOUR else "0" + bare.removeprefix("84")


def reference(number: int, line: int) -> str:
    """By which a line of a file comes back: file 12, line 34 → AS12-34."""
    return f"AS{number}-{line}"


class Told(NamedTuple):
    """A file and a line of it."""

    number: int
    line: int


_REFERENCE = re.compile(r"\s*AS(\d{1,9})-(\d{1,9})\s*", re.IGNORECASE)


def read_reference(text: str) -> Told | None:
    """The file and line that a reference names; None for what is none of ours."""
    found = _REFERENCE.fullmatch(text)
    return Told(int(found[1]), int(found[2])) if found else None


# ---- results


class ResultField(StrEnum):
    """What a column of a file of results can hold."""

    REFERENCE = "reference"
    NUMBER = "number"
    STATUS = "status"


RESULT_FIELDS: Mapping[ResultField, Any] = {
    ResultField.REFERENCE: _l("Our reference"),
    ResultField.NUMBER: _l("Phone number"),
    ResultField.STATUS: _l("What became of it"),
}
_HEADINGS: Mapping[ResultField, re.Pattern[str]] = {
    ResultField.REFERENCE: re.compile(
        r"request ?id|\bref|tham chieu|ma (tin|yeu cau|giao dich)|client ?id|msg ?id|\bid\b"
    ),
    ResultField.NUMBER: re.compile(
        r"phone|msisdn|so (dien thoai|dt|di dong|nhan|thue bao)|\bsdt\b|thue bao|receiver|nguoi nhan|dien thoai|mobile|^so$"
    ),
    ResultField.STATUS: re.compile(r"status|trang thai|ket qua|tinh trang|result|bao cao|\bdlr\b|state"),
}


def field_of(heading: str) -> ResultField | None:
    """What a heading of a file of results names."""
    plain = " ".join(re.sub(r"[^a-z0-9]+", " ", fold(heading)).split())
    return next((field for field, pattern in _HEADINGS.items() if plain and pattern.search(plain)), None)


class Became(StrEnum):
    """What a word of the gateway means."""

    DELIVERED = "delivered"
    SENT = "sent"
    FAILED = "failed"
    REFUSED = "refused"
    """The owner of the number wants none of this kind: the gateway looked it up in a list of those who said so."""
    NOT_YET = "not_yet"


BECAME: Mapping[Became, Any] = {
    Became.DELIVERED: _l("Reached the network"),
    Became.SENT: _l("Sent, no more is known"),
    Became.FAILED: _l("Could not be delivered"),
    Became.REFUSED: _l("The owner of the number refuses it: no more of this kind"),
    Became.NOT_YET: _l("Nothing yet"),
}
DELIVERY_OF: Mapping[Became, Delivery | None] = {
    Became.DELIVERED: Delivery.DELIVERED,
    Became.SENT: Delivery.SENT,
    Became.FAILED: Delivery.UNDELIVERED,
    Became.REFUSED: Delivery.UNDELIVERED,
    Became.NOT_YET: None,
}
_WORDS: Sequence[tuple[Became, re.Pattern[str]]] = (
    (
        Became.REFUSED,
        re.compile(
            r"\bdnc\b|\bdnd\b|do not (call|disturb)|opt(ed)?[ _-]?out|unsub|"
            r"(thue bao|khach hang|chu so|nguoi nhan|nguoi dung) (da )?tu choi|tu choi (nhan|quang cao|qc)"
        ),
    ),
    (
        Became.FAILED,
        re.compile(
            r"fail|that bai|khong (thanh cong|gui|nhan|den|hop le|ton tai)|undeliv|reject|tu choi|loi|error|sai so|invalid|"
            r"expired|het han|blocked|chan|black ?list|rejectd"
        ),
    ),
    (Became.NOT_YET, re.compile(r"pending|cho |dang (gui|xu ly)|queue|processing|waiting|chua")),
    (Became.DELIVERED, re.compile(r"deliv|thanh cong|success|da nhan|nhan duoc|^ok$|^da den")),
    (Became.SENT, re.compile(r"\bsent\b|da gui|gui di|submit|accept")),
)


def word_of(text: str) -> str:
    """A word of the gateway as it is remembered."""
    return " ".join(re.sub(r"[^a-z0-9_-]+", " ", fold(text)).split())[:80]


def became(text: str) -> Became | None:
    """What a word of the gateway means, as far as it can be told; None: somebody has to say."""
    plain = word_of(text)
    return next((meaning for meaning, pattern in _WORDS if plain and pattern.search(plain)), None)
