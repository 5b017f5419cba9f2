"""What a proposal to amend policy says and how it stands. Pure.

The Front's duty (section IV.8 of the plan): to watch how the policy works in practice and to propose amendments where it
does not fit. Whoever wrote one sees what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.lines import paragraphs

LONGEST_WORDS, LONGEST_ANSWER, LONGEST_DOCUMENT, LONGEST_WHOM = 1_500, 3_000, 120, 200
SHORT = 110
"""Characters of a proposal where it stands in a list."""
MOST_CHOSEN = 100
"""Proposals in one document."""
FIRST_NUMBER, LAST_NUMBER = 1, 9_999


class Subject(StrEnum):
    SUPPORT = "support"
    PREMIUM = "premium"
    BENEFITS = "benefits"
    PROCEDURE = "procedure"
    AGENTS = "agents"
    COMPULSORY = "compulsory"
    OTHER = "other"


SUBJECTS: Mapping[Subject, Any] = {
    Subject.SUPPORT: _l("The State's support of the premium"),
    Subject.PREMIUM: _l("How much is paid, and when"),
    Subject.BENEFITS: _l("What one gets"),
    Subject.PROCEDURE: _l("Papers and procedures"),
    Subject.AGENTS: _l("Where one pays, collection agents"),
    Subject.COMPULSORY: _l("Compulsory or voluntary insurance"),
    Subject.OTHER: _l("Something else"),
}
ON_PAPER: Mapping[Subject, str] = {
    Subject.SUPPORT: "Về mức hỗ trợ tiền đóng của Nhà nước",
    Subject.PREMIUM: "Về mức đóng, phương thức đóng",
    Subject.BENEFITS: "Về quyền lợi được hưởng",
    Subject.PROCEDURE: "Về hồ sơ, thủ tục",
    Subject.AGENTS: "Về nơi đóng, đại lý thu",
    Subject.COMPULSORY: "Về phạm vi bắt buộc, tự nguyện",
    Subject.OTHER: "Về nội dung khác",
}
"""The chapters of the document: Vietnamese whatever language the reader chose."""


class State(StrEnum):
    RECEIVED = "received"
    JOINED = "joined"
    SENT = "sent"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


STATES: Mapping[State, Any] = {
    State.RECEIVED: _l("Received"),
    State.JOINED: _l("Joined with a similar one"),
    State.SENT: _l("Sent upward"),
    State.ANSWERED: _l("Answered"),
    State.WITHDRAWN: _l("Taken back by the writer"),
}


class Words(NamedTuple):
    """What a proposal says: the law as it is (may be unknown: empty), what happens to people here, what should change."""

    law: str
    happens: str
    change: str


def checked_words(words: Words) -> Words:
    """The same as it is kept. Raises RuleBroken at the field that is wrong."""
    missing = _l("Write it in a sentence or two.")
    return Words(
        paragraphs(words.law, LONGEST_WORDS, "law"),
        paragraphs(words.happens, LONGEST_WORDS, "happens", missing),
        paragraphs(words.change, LONGEST_WORDS, "change", missing),
    )


def checked_answer(words: str | None, day: date, today: date) -> str:
    """An answer as it is kept. Raises RuleBroken."""
    kept = paragraphs(words, LONGEST_ANSWER, "words", _l("Write the answer."))
    if day > today:
        raise RuleBroken(_l("This day lies ahead."), field="on_day")
    return kept


def in_short(text: str, most: int = SHORT) -> str:
    """The beginning of a text, cut at a word."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most].rsplit(' ', 1)[0]} …"
