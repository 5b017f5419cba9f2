"""Finding people by what is typed: parts of a name in any spelling, of a telephone, a whole number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    false,
    or_,
)
from sqlalchemy.orm import InstrumentedAttribute

from crm.names import clean, fold
from crm.phones import digits_for_search
from crm.prospects.models import Prospect
from crm.sealed import current as seal

MOST_WORDS = 8


LONGEST_SEARCH = 120


@dataclass(frozen=True)
class Sought:
    """A search as it is understood: words of a name, digits of a telephone, perhaps a whole identity number."""

    words: tuple[str, ...]
    digits: str
    number: str

    @classmethod
    def in_text(cls, q: str) -> Sought:
        parts = clean(q[:LONGEST_SEARCH]).split()
        named = [part for part in parts if any(char.isalpha() for char in part)]
        digits = digits_for_search(" ".join(part for part in parts if part not in named))
        number = "".join(char for char in q if char in "0123456789") if not named else ""
        return cls(tuple(fold(" ".join(named)).split()[:MOST_WORDS]), digits, number)

    @property
    def phrase(self) -> str:
        return " ".join(self.words)


def matches(q: str) -> ColumnElement[bool]:
    """Whether a person is found by this text: parts of the name in any spelling, of a phone, or a whole number.

    Every condition can use the trigram index; the alternatives of a number are all indexed, so their union is too.
    """
    sought = Sought.in_text(q)
    conditions: list[ColumnElement[bool]] = [contains(Prospect.name_fold, word) for word in sought.words]
    if sought.digits:
        by_number = [contains(Prospect.phone, sought.digits), contains(Prospect.other_phone, sought.digits)]
        conditions.append(or_(*by_number, *_whole_number(sought.number)))
    return and_(*conditions) if conditions else false()


def _whole_number(number: str) -> list[ColumnElement[bool]]:
    """The columns that hold a whole identity number of this length."""
    index = seal().index(number)
    return {
        9: [Prospect.citizen_index == index],
        10: [Prospect.insurance_index == index],
        12: [Prospect.citizen_index == index],
    }.get(len(number), [])


def contains(column: InstrumentedAttribute[Any] | ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """`column like '%text%'` with the pattern in the statement: planned for this text, not for any text."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern: ColumnElement[str] = bindparam(None, f"%{escaped}%", literal_execute=True)
    return column.like(pattern)
