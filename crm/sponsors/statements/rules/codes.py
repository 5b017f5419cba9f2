"""Finding a promise's code in a narrative although a character of it is wrong, missing, doubled, swapped or cut off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from crm.names import fold
from crm.sponsors.rules import CODE_DIGITS, CODE_PREFIX

ALIKE = str.maketrans("OQDILZSGB", "000112568")
"""Characters that people and scanners take for one another, as one of them. Only for comparing: a code has many."""

SIZE = len(CODE_PREFIX) + CODE_DIGITS + 1
BODY = CODE_DIGITS + 1
LEAST_OF_A_CUT = len(CODE_PREFIX) + 4
"""So many characters of a code that was cut off must be left to find it."""


class Slip(StrEnum):
    """What happened to the code on its way."""

    ALIKE = "alike"
    WRONG = "wrong"
    MISSING = "missing"
    ADDED = "added"
    SWAPPED = "swapped"
    PREFIX = "prefix"
    CUT = "cut"


class Near(NamedTuple):
    """A code that a text nearly has: the code, how it stands in the text, and what is different."""

    code: str
    written: str
    slip: Slip


def letters_of(narrative: str) -> str:
    """The letters and figures of a text without accents, in capitals, nothing between them."""
    return "".join(letter for letter in fold(narrative).upper() if letter.isalnum())


class CodeBook:
    """Codes that are known, ready to be found with one slip."""

    def __init__(self, codes: Iterable[str]) -> None:
        self.codes = frozenset(codes)
        self._alike: dict[str, set[str]] = defaultdict(set)
        self._bodies: dict[str, set[str]] = defaultdict(set)
        self._without_one: dict[str, set[str]] = defaultdict(set)
        self._beginnings: dict[str, set[str]] = defaultdict(set)
        for code in self.codes:
            like = code.translate(ALIKE)
            self._alike[like].add(code)
            self._bodies[like[len(CODE_PREFIX) :]].add(code)
            for shorter in _shorter(like):
                self._without_one[shorter].add(code)
            for length in range(LEAST_OF_A_CUT, SIZE):
                self._beginnings[like[:length]].add(code)

    def near(self, narrative: str) -> list[Near]:
        """Known codes that the text has with one slip, the likeliest first; each once. Those that stand there rightly
        are not among them (crm.sponsors.rules.codes_in finds those)."""
        plain = letters_of(narrative)
        like = plain.translate(ALIKE)
        found: dict[str, Near] = {}
        for one in (*self._behind_a_prefix(plain, like), *self._behind_a_wrong_prefix(plain, like)):
            if one.code not in plain:
                found.setdefault(one.code, one)
        return sorted(found.values(), key=lambda one: list(Slip).index(one.slip))

    def _behind_a_prefix(self, plain: str, like: str) -> Iterator[Near]:
        prefix = CODE_PREFIX.translate(ALIKE)
        at = like.find(prefix)
        while at >= 0:
            for code in self._alike.get(like[at : at + SIZE], ()):
                yield Near(code, plain[at : at + SIZE], Slip.ALIKE)
            for length in (SIZE, SIZE - 1, SIZE + 1):
                yield from self._with_a_slip(plain[at : at + length], like[at : at + length], length)
            if at + SIZE > len(like) and len(like) - at >= LEAST_OF_A_CUT:
                beginning = self._beginnings.get(like[at:], set())
                if len(beginning) == 1:
                    yield Near(next(iter(beginning)), plain[at:], Slip.CUT)
            at = like.find(prefix, at + 1)

    def _with_a_slip(self, plain: str, like: str, length: int) -> Iterator[Near]:
        if len(like) != length:
            return
        if length == SIZE - 1:
            for code in self._without_one.get(like, ()):
                yield Near(code, plain, Slip.MISSING)
        elif length == SIZE + 1:
            for shorter in _shorter(like):
                for code in self._alike.get(shorter, ()):
                    yield Near(code, plain, Slip.ADDED)
        else:
            for shorter in _shorter(like):
                for code in self._without_one.get(shorter, ()):
                    slip = _one_slip(code.translate(ALIKE), like)
                    if slip:
                        yield Near(code, plain, slip)

    def _behind_a_wrong_prefix(self, plain: str, like: str) -> Iterator[Near]:
        """The seven characters are right; what stands before them is only nearly the prefix."""
        prefix = CODE_PREFIX.translate(ALIKE)
        for at in range(2, len(like) - BODY + 1):
            for code in self._bodies.get(like[at : at + BODY], ()):
                before = like[max(at - len(prefix), 0) : at]
                if sum(letter in before for letter in prefix) >= len(prefix) - 1:
                    yield Near(code, plain[max(at - len(prefix), 0) : at + BODY], Slip.PREFIX)


def _shorter(text: str) -> set[str]:
    return {text[:place] + text[place + 1 :] for place in range(len(text))}


def _one_slip(right: str, written: str) -> Slip | None:
    """What one slip makes `written` of `right`, both equally long; None when it takes more."""
    places = [place for place, (one, other) in enumerate(zip(right, written, strict=True)) if one != other]
    if len(places) == 1:
        return Slip.WRONG
    if len(places) == 2 and places[1] == places[0] + 1:
        first, second = places
        if right[first] == written[second] and right[second] == written[first]:
            return Slip.SWAPPED
    return None
