"""How a target is shared out so that it sums exactly and every part says why it is what it is. Pure arithmetic.

A target is a stock: whoever takes part now counts towards it. So each unit keeps those it has, and what is shared out is
what is still to be gained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l

DRAWN_TO_AVERAGE = 50
"""So many people's worth of the town's average is mixed into what a unit achieved: few visits in a small place say little
about it, and one lucky or unlucky month shall not decide its target."""


class Level(StrEnum):
    """Among whom a target is shared out."""

    PLACE = "place"
    ORGANISATION = "organisation"
    VOLUNTEER = "volunteer"


class Method(StrEnum):
    """By what the part to be gained is divided."""

    PEOPLE = "people"
    RESULTS = "results"
    EVEN = "even"
    HAND = "hand"


class State(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    SETTLED = "settled"
    DROPPED = "dropped"


class Answer(StrEnum):
    AGREE = "agree"
    OTHER = "other"


LEVELS: Mapping[Level, Any] = {
    Level.PLACE: _l("Wards and communes"),
    Level.ORGANISATION: _l("Organisations"),
    Level.VOLUNTEER: _l("Volunteers"),
}
METHODS: Mapping[Method, Any] = {
    Method.PEOPLE: _l("By how many people could still join"),
    Method.RESULTS: _l("By what each achieved in the last twelve months"),
    Method.EVEN: _l("The same for everyone"),
    Method.HAND: _l("By hand"),
}
STATES: Mapping[State, Any] = {
    State.DRAFT: _l("Being prepared"),
    State.SENT: _l("Sent for agreement"),
    State.SETTLED: _l("Settled"),
    State.DROPPED: _l("Dropped"),
}


class Unit(NamedTuple):
    """Among whom a target is shared out, and what is known of it today."""

    key: UUID
    stock: int
    """People who take part now."""
    could_join: int
    """People in the register who could still join."""
    gained: int
    """People who joined or came back in the last twelve months."""


class Part(NamedTuple):
    """What one unit is to reach, and the arithmetic behind it."""

    key: UUID
    people: int
    stock: int
    to_gain: int
    weight: Fraction
    """Its share of what was divided, before rounding: 0 to 1."""
    capped: bool
    """It would have been more, but there are no more people who could join."""


def shared_out(total: int, units: Sequence[Unit], method: Method, least: int = 0) -> list[Part]:
    """What each unit is to reach; the parts sum to `total` exactly.

    Each keeps its stock and is asked for at least `least` more; the rest is divided by the method, and nobody is asked for
    more people than could join, unless all of them together would not be enough. When the total is less than takes part
    now, it is divided in proportion to the stocks. Rounding goes to the largest remainders.
    """
    if not units:
        return []
    stock = sum(unit.stock for unit in units)
    if total < stock:
        parts = rounded(total, [Fraction(unit.stock) for unit in units])
        whole = Fraction(stock)
        return [
            Part(unit.key, people, unit.stock, people - unit.stock, unit.stock / whole, False)
            for unit, people in zip(units, parts, strict=True)
        ]
    growth, weights = total - stock, weights_of(units, method)
    floor = min(least, growth // len(units))
    room = [max(unit.could_join, floor) for unit in units]
    if sum(room) < growth:
        room = [growth] * len(units)
    gained = _filled(growth, floor, weights, room)
    whole = sum(weights, Fraction(0))
    return [
        Part(unit.key, unit.stock + gain, unit.stock, gain, weight / whole, gain == most and gain < growth)
        for unit, gain, weight, most in zip(units, gained, weights, room, strict=True)
    ]


def weights_of(units: Sequence[Unit], method: Method) -> list[Fraction]:
    """By what the growth is divided; the same for all where the method knows nothing of anybody."""
    if method is Method.PEOPLE:
        weights = [Fraction(unit.could_join) for unit in units]
    elif method is Method.RESULTS:
        weights = [achieved(unit, units) for unit in units]
    else:
        weights = [Fraction(1) for _unit in units]
    return weights if any(weights) else [Fraction(1) for _unit in units]


def achieved(unit: Unit, units: Sequence[Unit]) -> Fraction:
    """How many a unit gained in twelve months, drawn towards the average of all by how small it is."""
    there = sum(one.stock + one.could_join for one in units)
    average = Fraction(sum(one.gained for one in units), there) if there else Fraction(0)
    size = unit.stock + unit.could_join
    return size * (unit.gained + DRAWN_TO_AVERAGE * average) / (size + DRAWN_TO_AVERAGE)


def rounded(total: int, weights: Sequence[Fraction]) -> list[int]:
    """Whole numbers in proportion to the weights that sum to `total`: the largest remainders are rounded up."""
    whole = sum(weights, Fraction(0))
    exact = [total * weight / whole if whole else Fraction(total, len(weights)) for weight in weights]
    parts = [int(one) for one in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: (parts[place] - exact[place], place))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


def _filled(growth: int, floor: int, weights: Sequence[Fraction], room: Sequence[int]) -> list[int]:
    """`growth` by the weights, each part at least `floor` and at most its room; full units leave the rest to the others."""
    parts, left = [floor] * len(weights), growth - floor * len(weights)
    while left > 0:
        open_to = [place for place, most in enumerate(room) if parts[place] < most]
        given = rounded(left, [weights[place] for place in open_to])
        for place, more in zip(open_to, given, strict=True):
            parts[place] += min(more, room[place] - parts[place])
        left = growth - sum(parts)
    return parts


class NextYear(NamedTuple):
    """A target proposed for the year after, and the figures of the rule behind it."""

    people: int
    stock: int
    gained: int
    """Net in the last twelve months."""
    planned: int
    """What this year's plan wanted to gain; 0 when it does not say."""


def next_year(stock: int, net: int, planned: int) -> NextYear:
    """Who takes part now, and as many more as the better of this year's growth and this year's plan: never fewer than now."""
    return NextYear(stock + max(net, planned, 0), stock, net, planned)
