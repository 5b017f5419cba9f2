"""The same text for many people, counted by its shapes: what differs from one to the next are a few short values, and each
is looked at once. Gives exactly what `compose` and `size` give for each text by itself (a test holds them together).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from crm.campaigns.rules.places import WAY_OUT
from crm.campaigns.rules.texts import (
    GSM_7,
    GSM_BASIC,
    GSM_EXTENSION,
    PLACE,
    ROOM,
    UCS_2,
    Size,
    compose,
    places,
    size,
    unaccented,
)
from crm.prospects.rules import Purpose

_TAKEN = GSM_BASIC | GSM_EXTENSION


@dataclass(frozen=True, slots=True)
class Counted:
    """A piece of text one way: its septets if it fits GSM-7, and its UTF-16 units."""

    text: str
    fits: bool
    septets: int
    units: int

    @classmethod
    def of(cls, text: str) -> Counted:
        twice = 0 if GSM_EXTENSION.isdisjoint(text) else sum(1 for letter in text if letter in GSM_EXTENSION)
        wide = 0 if text.isascii() else sum(1 for letter in text if ord(letter) > 0xFFFF)
        return cls(text, _TAKEN.issuperset(text), len(text) + twice, len(text) + wide)


@dataclass(frozen=True, slots=True)
class Written:
    """A body and what it costs."""

    body: str
    size: Size


def _whole(pieces: list[Counted]) -> Written:
    """The pieces as one body. Only where a letter counts twice does it matter at which place a part ends."""
    body = "".join([one.text for one in pieces])
    encoding = GSM_7 if all([one.fits for one in pieces]) else UCS_2
    total = sum([one.septets for one in pieces] if encoding == GSM_7 else [one.units for one in pieces])
    alone, part = ROOM[encoding]
    if total <= alone:
        return Written(body, Size(encoding, total, min(total, 1)))
    if total > len(body):
        return Written(body, size(body))
    return Written(body, Size(encoding, total, -(-total // part)))


class Shapes:
    """One text with places, written for one person after the other."""

    def __init__(self, text: str, purpose: Purpose, way_out: str) -> None:
        self._purpose, self._way_out = purpose, way_out
        self._text = compose(text, purpose, f"{{{WAY_OUT}}}", accented=True)
        parts = PLACE.split(self._text)
        self.named = tuple(name for name in places(self._text) if name != WAY_OUT)
        self._literal = [(Counted.of(part), Counted.of(unaccented(part))) for part in parts[::2]]
        self._places = parts[1::2]
        self._values: dict[str, tuple[Counted, Counted] | None] = {}
        self._whole: dict[tuple[str, ...], tuple[Written, Written]] = {}
        self._clean = not any(_leans(one.text) for one, _plain in self._literal)

    @property
    def many(self) -> int:
        """How many different texts there were."""
        return len(self._whole)

    def missing(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """The places that have no value for this person."""
        return tuple([name for name in self.named if not values.get(name, "").strip()])

    def write(self, values: Mapping[str, str]) -> tuple[Written, Written]:
        """Without accents and with them, for a person of whom every place has a value."""
        key = tuple([values[name] for name in self.named])
        found = self._whole.get(key)
        if found is None:
            found = self._whole[key] = self._new(values)
        return found

    def _new(self, values: Mapping[str, str]) -> tuple[Written, Written]:
        known = {**values, WAY_OUT: self._way_out}
        pieces = [self._piece(known[name]) for name in self._places]
        if not self._clean or None in pieces:
            return self._exactly(known)
        plain, accented = [self._literal[0][1]], [self._literal[0][0]]
        for piece, literal in zip(pieces, self._literal[1:], strict=True):
            assert piece, "looked at above"
            accented += (piece[0], literal[0])
            plain += (piece[1], literal[1])
        return _whole(plain), _whole(accented)

    def _piece(self, value: str) -> tuple[Counted, Counted] | None:
        if value not in self._values:
            text = unicodedata.normalize("NFC", " ".join(value.split()))
            self._values[value] = None if _leans(text) else (Counted.of(text), Counted.of(unaccented(text)))
        return self._values[value]

    def _exactly(self, values: Mapping[str, str]) -> tuple[Written, Written]:
        filled = unicodedata.normalize(
            "NFC", PLACE.sub(lambda place: " ".join(values[place[1]].split()), self._text)
        ).strip()
        return tuple(Written(body, size(body)) for body in (unaccented(filled), filled))  # type: ignore[return-value]


def _leans(text: str) -> bool:
    """Whether its first sign would join the letter before it."""
    return bool(text) and bool(unicodedata.combining(text[0]))
