"""Numbers of papers, lines without a name, and how few may stand together before a line would point at somebody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.money import Vnd, in_words
from crm.months import Month
from crm.prospects.rules import Ground
from crm.sponsors.rules import CODE_LETTERS, NEEDS, Balance


class PaperKind(StrEnum):
    RECEIPT = "receipt"
    CERTIFICATE = "certificate"
    STATEMENT = "statement"


PAPERS: Mapping[PaperKind, Any] = {
    PaperKind.RECEIPT: _l("Receipt"),
    PaperKind.CERTIFICATE: _l("Certificate of thanks"),
    PaperKind.STATEMENT: _l("Yearly statement"),
}


class MonthState(StrEnum):
    """What became of the money for one month of one person."""

    SET_ASIDE = "set_aside"
    PAID = "paid"
    GIVEN_BACK = "given_back"
    CAME_BACK = "came_back"
    """It was paid, turned out not to be needed, and the insurance office paid it back."""


MONTH_STATES: Mapping[MonthState, Any] = {
    MonthState.SET_ASIDE: _l("set aside"),
    MonthState.PAID: _l("paid to the insurance fund"),
    MonthState.GIVEN_BACK: _l("given back"),
    MonthState.CAME_BACK: _l("not needed, came back"),
}
NOT_CARRIED = frozenset({MonthState.GIVEN_BACK, MonthState.CAME_BACK})
"""What carries nobody any more."""


class Way(StrEnum):
    """How somebody agreed to be named to a sponsor, or took it back."""

    PAPER = "paper"
    DOORSTEP = "doorstep"
    PHONE_CALL = "phone_call"


WAYS: Mapping[Way, Any] = {
    Way.PAPER: _l("Signed on paper"),
    Way.DOORSTEP: _l("Said at the door"),
    Way.PHONE_CALL: _l("Said on the telephone"),
}


# ---- numbers of papers

LETTERS_OF: Mapping[PaperKind, str] = {
    PaperKind.RECEIPT: "BN",
    PaperKind.CERTIFICATE: "TA",
    PaperKind.STATEMENT: "SK",
}
"""Biên nhận, tri ân, sao kê."""
UNGUESSED = 5
"""Characters drawn by lot: nobody finds somebody else's paper by counting."""
_PRIME, _ROOT = 31, 3
_NUMBER = re.compile(rf"(?:{'|'.join(LETTERS_OF.values())})[0-9]{{2}}[0-9]{{4,9}}[{CODE_LETTERS}]{{{UNGUESSED + 1}}}")
_READ_AS = str.maketrans({"O": "0", "I": "1", "Y": "V", "Z": "2"})
"""What people write for what is printed; the letters on the left are in no number."""


def paper_number(kind: PaperKind, year: int, serial: int, drawn: int) -> str:
    """The number of a paper: "BN19-0012-7KQ4MW". Kind and year, place in the year's sequence, five characters of the
    number `drawn` by lot, and a check character.

    The check catches every single wrong character and every two that changed places. Raises ValueError for a number
    that does not fit.
    """
    lot = ""
    for _ in range(UNGUESSED):
        drawn, digit = divmod(drawn, _PRIME)
        lot += CODE_LETTERS[digit]
    if drawn or serial < 1:
        raise ValueError("the numbers do not fit")
    start = f"{LETTERS_OF[kind]}{year % 100:02}-{serial:04}-{lot}"
    return start + CODE_LETTERS[_check(start.replace("-", ""))]


def read_number(text: str) -> str:
    """A number as it is printed, however it was typed: small letters, no hyphens, O for 0. Raises RuleBroken when it
    is none, or one of its characters is wrong."""
    plain = re.sub(r"[^0-9A-Z]", "", text.upper())
    plain = plain[:2] + plain[2:].translate(_READ_AS)
    if not _NUMBER.fullmatch(plain):
        raise RuleBroken(_l("This is no number of a paper of ours. It looks like BN19-0012-7KQ4MW."), field="number")
    if CODE_LETTERS[_check(plain[:-1])] != plain[-1]:
        raise RuleBroken(
            _l("One character of the number is wrong, or two changed places. Compare it with the paper."),
            field="number",
        )
    tail = UNGUESSED + 1
    return f"{plain[:4]}-{plain[4:-tail]}-{plain[-tail:]}"


def _check(text: str) -> int:
    """Every place weighs another power of a primitive root, so that no change of one or two places adds up to nothing."""
    return sum(pow(_ROOT, place + 1, _PRIME) * CODE_LETTERS.index(letter) for place, letter in enumerate(text)) % _PRIME


def dong_in_words(amount: Vnd) -> str:
    """15000000 → "Mười lăm triệu đồng", as a Vietnamese receipt says it."""
    words = f"{in_words(amount)} đồng"
    return words[0].upper() + words[1:]


# ---- who must not be recognised

FEWEST = 5
"""So many people must share a place and a standing before both are told together."""


class Told(NamedTuple):
    """How a person's home and need are told: None is "another ward" or "in need"."""

    place_id: UUID | None
    need: Ground | None


Cells = Mapping[tuple[UUID, Ground], int]
"""How many people live in a place with a need."""


def told_as(people: Cells, least: int = FEWEST) -> dict[tuple[UUID, Ground], Told]:
    """How each place and need may be told so that at least `least` of the counted people fit every telling.

    A place where one need has too few tells no need at all: were only the small one hidden, it would be what the others
    are not. Places with too few people are told as "another ward" together; when that is one place, or still too few,
    the next smallest joins it, for whoever is the only hidden one is not hidden. Needs other than poor and near-poor are
    not counted: they are all the rest of a ward.
    """
    totals: dict[UUID, int] = {}
    for (place, _need), number in people.items():
        totals[place] = totals.get(place, 0) + number
    by_size = sorted((number, str(place), place) for place, number in totals.items())
    hidden = {place for number, _, place in by_size if number < least}
    for _number, _, place in by_size:
        if not hidden or (len(hidden) > 1 and sum(totals[one] for one in hidden) >= least):
            break
        hidden.add(place)
    blurred = {place for (place, _need), number in people.items() if number < least}

    def told(place: UUID, need: Ground) -> Told:
        if place in hidden:
            return Told(None, None)
        return Told(place, None if place in blurred else need)

    return {(place, need): told(place, need) for place, need in people}


# ---- what became of the money


class CarriedMonth(NamedTuple):
    """Money for one named month of one person."""

    number: int
    """Which of the sponsor's people, in the order they were first helped."""
    prospect_id: UUID
    month: Month
    amount: Vnd
    state: MonthState
    stays: Vnd = 0
    """Of a month that came back: what the insurance office kept of it."""


class Run(NamedTuple):
    """Months in a row with the same state."""

    first: Month
    last: Month
    state: MonthState
    amount: Vnd
    months: int
    stays: Vnd = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One of a sponsor's people, without a name unless they agreed, and all that was done with the money for them."""

    number: int
    place: str | None
    need: Ground | None
    name: str | None
    runs: Sequence[Run]

    @property
    def used(self) -> Vnd:
        """What is set aside for them or paid for them."""
        return sum(run.stays if run.state in NOT_CARRIED else run.amount for run in self.runs)

    @property
    def paid_months(self) -> list[Month]:
        """The months carried: paid to the insurance fund, and needed."""
        return self._in(MonthState.PAID)

    @property
    def waiting_months(self) -> list[Month]:
        """The months that money is only set aside for."""
        return self._in(MonthState.SET_ASIDE)

    @property
    def kept_months(self) -> list[Month]:
        """Both of them, in their order."""
        return sorted([*self.paid_months, *self.waiting_months])

    def _in(self, state: MonthState) -> list[Month]:
        return [month for run in self.runs if run.state is state for month in run.first.run(run.months)]


def runs_of(months: Iterable[CarriedMonth]) -> list[Run]:
    """Months of one person put together where they follow each other in the same state; what carries nobody last."""
    found: list[Run] = []
    order = sorted(months, key=lambda one: (one.state in NOT_CARRIED, one.month))
    for one in order:
        before = found[-1] if found else None
        if before and before.state is one.state and before.last + 1 == one.month:
            found[-1] = before._replace(
                last=one.month,
                amount=before.amount + one.amount,
                months=before.months + 1,
                stays=before.stays + one.stays,
            )
        else:
            found.append(Run(one.month, one.month, one.state, one.amount, 1, one.stays))
    return found


class Group(NamedTuple):
    """People told alike."""

    place: str | None
    need: Ground | None
    people: int
    months: int
    """Paid to the insurance fund."""
    waiting: int
    """Only set aside."""
    until: Month


class Next(StrEnum):
    """What comes next, for a sponsor's page."""

    TRANSFER = "transfer"
    PAUSED = "paused"
    CHOOSING = "choosing"
    LITTLE_LEFT = "little_left"
    ENDING = "ending"
    CARRYING = "carrying"
    NOTHING = "nothing"


def what_comes_next(
    balance: Balance, expected: Vnd, a_month: Vnd, ends: Month | None, soon: Month, *, rests: bool = False
) -> list[Next]:
    """In the order of their weight: money that is expected, a promise that rests, money that waits for somebody, help that
    ends soon.

    `ends` is the last month carried of whoever is carried shortest, `a_month` what a month of a poor person costs.
    """
    found = []
    if expected > 0:
        found.append(Next.TRANSFER)
    if rests:
        found.append(Next.PAUSED)
    if balance.available >= a_month > 0:
        found.append(Next.CHOOSING)
    elif balance.available > 0:
        found.append(Next.LITTLE_LEFT)
    if ends is not None:
        found.append(Next.ENDING if ends <= soon else Next.CARRYING)
    return found or [Next.NOTHING]


class YearOfMoney(NamedTuple):
    """A sponsor's money in a span of days, whole đồng: opening + received − refunded − used = closing."""

    opening: Vnd = 0
    received: Vnd = 0
    refunded: Vnd = 0
    used: Vnd = 0
    """Set aside less what was given back; of it `paid` went to the insurance fund."""
    paid: Vnd = 0
    closing: Vnd = 0
    waiting: Vnd = 0
    """Set aside at the end and not yet paid."""
    came_back: Vnd = 0
    """What the insurance fund paid back; `used` and `paid` are less that."""

    @property
    def adds_up(self) -> bool:
        return self.opening + self.received - self.refunded - self.used == self.closing


class Validity(StrEnum):
    """Whether what a paper says still holds."""

    HOLDS = "holds"
    CORRECTED = "corrected"
    REPLACED = "replaced"
    CHANGED = "changed"


def first_page_years(given: Iterable[date], today: date) -> list[int]:
    """The years a statement can be made for: from the first money to this year, the latest first."""
    first = min((day.year for day in given), default=None)
    return [] if first is None else list(range(today.year, first - 1, -1))


NEED_WORDS: Mapping[Ground | None, Any] = {
    Ground.POOR: _l("poor household"),
    Ground.NEAR_POOR: _l("near-poor household"),
    Ground.OTHER: _l("in hardship"),
    None: _l("in need"),
}
assert set(NEEDS) < set(NEED_WORDS)
