"""Finding people by what is typed: parts of a name in any spelling, of a telephone, a whole number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    false,
    func,
    literal,
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

    @property
    def beginnings(self) -> list[tuple[str, int]]:
        """Each word once, and how many words of a name must begin with it, so that every word sought has one of its own:
        «hoàng» and «hoa» need two that begin with «hoa», which a Hoàng without a Hoa has not."""
        apart = [bare for word in self.words if (bare := word.translate(_SIGNS).strip())]
        return [(word, sum(other.startswith(word) for other in apart)) for word in dict.fromkeys(apart)]


def matches(q: str) -> ColumnElement[bool]:
    """Whether a person is found by this text: beginnings of words of the name in any spelling, parts of a phone, or a whole
    number.

    Every word and number is asked for once as the trigram index has it; the alternatives of a number are all indexed, so
    their union is too. Where in the name a word stands is asked of those few that the index finds.
    """
    sought = Sought.in_text(q)
    conditions: list[ColumnElement[bool]] = [contains(Prospect.name_fold, word) for word in sought.words]
    conditions += [_words_begin(word, many) for word, many in sought.beginnings]
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


_SIGNS = str.maketrans("'-().", "     ")
_SPACED = literal(" ").concat(Prospect.name_fold)
_WITHOUT_SIGNS = literal(" ").concat(func.translate(Prospect.name_fold, "'-().", "     "))
"""The name with a space before each of its words, those too that stand behind a bracket: dearer, so asked last."""


def _words_begin(word: str, many: int) -> ColumnElement[bool]:
    """At least so many words of the name begin with this one.

    One is asked for in a way of which the planner expects nothing (it takes almost all rows to pass), since it expects
    the right number of `contains` already and would multiply the two.
    """
    if many > 1:
        each = "%".join(["", *[f" {_escaped(word)}"] * many, ""])
        return or_(_like(_SPACED, each), _like(_WITHOUT_SIGNS, each))
    return or_(*(func.strpos(words, f" {word}") != 0 for words in (_SPACED, _WITHOUT_SIGNS)))


def contains(column: InstrumentedAttribute[Any] | ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Whether the text stands in the column."""
    return _like(column, f"%{_escaped(text)}%")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _like(column: InstrumentedAttribute[Any] | ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """`column like pattern` with the pattern in the statement: planned for this text, not for any text."""
    written: ColumnElement[str] = bindparam(None, pattern, literal_execute=True)
    return column.like(written)
