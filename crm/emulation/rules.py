"""How results and effort are compared so that a small unit is neither punished nor lucky. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.participation.rules import Ending

DRAWN_TO_AVERAGE = 50
"""So many people's worth of the average of all is mixed into each rate: the fewer people somebody looks after, the less a
few of them say."""
PER = 100
LOST = (Ending.LAPSED, Ending.STOPPED, Ending.LUMP_SUM)
"""How those ended whom somebody should have kept. Who went over to compulsory insurance, draws a pension, moved away or died
is taken off nobody's result: of these the first two are what the plan wants, the others nobody's doing."""


class Credit(StrEnum):
    """To whom somebody who joined is credited when several organisations met them."""

    BROUGHT = "brought"
    MET = "met"


CREDITS: Mapping[Credit, Any] = {
    Credit.BROUGHT: _l("Whoever brought the person in gets the whole credit"),
    Credit.MET: _l("All organisations that met the person before share the credit equally"),
}


class Form(StrEnum):
    """What a commendation proposes."""

    CERTIFICATE = "certificate"
    TITLE = "title"
    REWARD = "reward"
    OTHER = "other"


FORMS: Mapping[Form, Any] = {
    Form.CERTIFICATE: _l("Certificate of merit"),
    Form.TITLE: _l("Emulation title"),
    Form.REWARD: _l("Reward"),
    Form.OTHER: _l("Another form"),
}


class Competitor(NamedTuple):
    """What an organisation or a volunteer did over a period, as it was counted."""

    key: UUID
    name: str
    size: int
    """People looked after, and those who take part."""
    stock: int
    target: int | None
    credit: Fraction
    """Who joined or came back, with shared ones in parts."""
    left: int
    """Who was lost (LOST) of those they brought in."""
    visits: int

    @property
    def net(self) -> Fraction:
        return self.credit - self.left


class Standing(NamedTuple):
    """Somebody's place in the table. Both rates are for 100 people, drawn to the average of all."""

    one: Competitor
    result: Fraction
    effort: Fraction
    of_target: Fraction | None


def table(competitors: Iterable[Competitor]) -> list[Standing]:
    """Everyone by net result for 100 people, the best first; equal ones by effort, then by name."""
    those = list(competitors)
    size = sum(one.size for one in those) or 1
    net, visits = sum((one.net for one in those), Fraction(0)) / size, Fraction(sum(one.visits for one in those), size)
    found = [
        Standing(
            one,
            _drawn(one.net, one.size, net),
            _drawn(Fraction(one.visits), one.size, visits),
            Fraction(one.stock, one.target) if one.target else None,
        )
        for one in those
    ]
    return sorted(found, key=lambda row: (-row.result, -row.effort, row.one.name))


def _drawn(number: Fraction, size: int, average: Fraction) -> Fraction:
    return PER * (number + DRAWN_TO_AVERAGE * average) / (size + DRAWN_TO_AVERAGE)
