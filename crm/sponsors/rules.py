"""Kinds of sponsors, accounts and movements of money; transfer codes, tax codes, wishes, and whom money may carry."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Self
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.citizen_ids import CitizenId, read_citizen_id
from crm.errors import RuleBroken
from crm.money import Vnd
from crm.months import Month
from crm.phones import read_phone
from crm.prospects.rules import Ground, Sex, Stage
from crm.web.filters import in_day


class SponsorKind(StrEnum):
    AGENCY = "agency"
    COMPANY = "company"
    ORGANISATION = "organisation"
    PERSON = "person"


class PledgeState(StrEnum):
    OPEN = "open"
    ENDED = "ended"


class AccountKind(StrEnum):
    """Where money can be, promised or real. Only the two it comes from may stand below zero (docs/decisions/ledger.md)."""

    OUTSIDE = "outside"
    """The world: what came in from there, less what went back."""
    PROMISE = "promise"
    """The other side of what is expected."""
    EXPECTED = "expected"
    """Promised and not yet received; one account for each pledge."""
    UNIDENTIFIED = "unidentified"
    """On the bank account, and nobody knows yet whose it is; one account for each such receipt, of no sponsor."""
    AVAILABLE = "available"
    RESERVED = "reserved"
    INSURANCE_FUND = "insurance_fund"


OF_A_SPONSOR = (
    AccountKind.OUTSIDE,
    AccountKind.PROMISE,
    AccountKind.AVAILABLE,
    AccountKind.RESERVED,
    AccountKind.INSURANCE_FUND,
)
"""The accounts every sponsor has one of."""
HELD = (AccountKind.UNIDENTIFIED, AccountKind.AVAILABLE, AccountKind.RESERVED)
"""What together stands on the fund's bank account."""


class Movement(StrEnum):
    PLEDGED = "pledged"
    PLEDGE_CHANGED = "pledge_changed"
    PLEDGE_ENDED = "pledge_ended"
    RECEIVED = "received"
    IDENTIFIED = "identified"
    RESERVED = "reserved"
    RELEASED = "released"
    PAID = "paid"
    REFUNDED = "refunded"
    CAME_BACK = "came_back"
    """The insurance office paid back what somebody who left had paid for in vain."""
    MERGED = "merged"
    """Passed from a sponsor to the one it turned out to be, or back."""
    CORRECTED = "corrected"
    """The exact opposite of another posting."""


OF_MONEY = frozenset(Movement) - {Movement.PLEDGED, Movement.PLEDGE_CHANGED, Movement.PLEDGE_ENDED}
"""Movements of money; the others are of promises."""


CODE_LETTERS = "0123456789ABCDEFGHJKLMNPQRSTUVWX"
"""What the characters of a transfer code are written in: no I, O, Y or Z, which people misread."""

CODE_PREFIX = "BSX"
CODE_DIGITS = 6
_WEIGHTS = (1, 3, 7, 9, 13, 17)
_PRIME = 31


def transfer_code(number: int) -> str:
    """The code of a pledge for the transfer's narrative: prefix, six characters, one check character.

    The check catches any single wrong character and any two neighbours swapped (weights differ, prime modulus).
    Raises ValueError for a number that does not fit.
    """
    digits = []
    for _ in range(CODE_DIGITS):
        number, digit = divmod(number, _PRIME)
        digits.append(digit)
    if number:
        raise ValueError("the number is too large for a transfer code")
    return CODE_PREFIX + "".join(CODE_LETTERS[digit] for digit in digits) + CODE_LETTERS[_check(digits)]


def is_transfer_code(text: str) -> bool:
    """Whether a text is a whole code with the right check character."""
    body = text.removeprefix(CODE_PREFIX)
    if len(text) != len(CODE_PREFIX) + CODE_DIGITS + 1 or body == text:
        return False
    places = [CODE_LETTERS.find(letter) for letter in body]
    return min(places) >= 0 and max(places) < _PRIME and _check(places[:-1]) == places[-1]


def codes_in(narrative: str) -> list[str]:
    """The codes anywhere in a bank's narrative, whatever the banks put around or between."""
    letters = "".join(letter for letter in narrative.upper() if letter.isalnum() and letter.isascii())
    size = len(CODE_PREFIX) + CODE_DIGITS + 1
    windows = (letters[start : start + size] for start in range(len(letters) - size + 1))
    return list(dict.fromkeys(window for window in windows if is_transfer_code(window)))


def _check(digits: list[int]) -> int:
    return sum(weight * digit for weight, digit in zip(_WEIGHTS, digits, strict=True)) % _PRIME


# ---- words

SPEAKS: Mapping[str, Any] = {"vi": _l("Vietnamese"), "en": _l("English")}
"""Languages in which sponsors are written to."""
KINDS: Mapping[SponsorKind, Any] = {
    SponsorKind.COMPANY: _l("Company"),
    SponsorKind.ORGANISATION: _l("Organisation or club"),
    SponsorKind.AGENCY: _l("Public agency or fund"),
    SponsorKind.PERSON: _l("Person or family"),
}
MOVEMENTS: Mapping[Movement, Any] = {
    Movement.PLEDGED: _l("Promised"),
    Movement.PLEDGE_CHANGED: _l("Promise changed"),
    Movement.PLEDGE_ENDED: _l("Promise ended"),
    Movement.IDENTIFIED: _l("Found to be theirs"),
    Movement.RECEIVED: _l("Received"),
    Movement.RESERVED: _l("Set aside for someone"),
    Movement.RELEASED: _l("Given back to what is left"),
    Movement.PAID: _l("Paid to the insurance fund"),
    Movement.REFUNDED: _l("Returned to the sponsor"),
    Movement.CAME_BACK: _l("Came back from the insurance fund"),
    Movement.MERGED: _l("Brought together with another entry of the same sponsor"),
    Movement.CORRECTED: _l("Put right"),
}
KINDS_OF_ACCOUNT: Mapping[AccountKind, Any] = {
    AccountKind.EXPECTED: _l("Promised, still to come"),
    AccountKind.UNIDENTIFIED: _l("Came in, not yet known from whom"),
    AccountKind.AVAILABLE: _l("Received, not yet used"),
    AccountKind.RESERVED: _l("Set aside for months to be paid"),
    AccountKind.INSURANCE_FUND: _l("Paid to the insurance fund"),
}
"""Where money is, in the order of its way; the two it comes from are not shown."""
NEEDS: Mapping[Ground, Any] = {
    Ground.POOR: _l("Poor households"),
    Ground.NEAR_POOR: _l("Near-poor households"),
}
"""Whom sponsors' money is for, the neediest first."""


# ---- who gives, and what for

MOST_DONG = 10**15
MOST_PEOPLE = 10_000
LONGEST_PROMISE = 60
"""A promise reaches so many months ahead, in so many instalments, at most: what a sponsor and a treasurer can oversee, kept
by the table of contributions. It is no number of the law, which says how many months one payment may be for: money is set
aside for one period at a time, however long the promise behind it (`services.allocate`)."""
MOST_AGE = 110
AHEAD = 12
"""So many months ahead money may be set aside."""

_TAX_CODE = re.compile(r"([0-9]{10})-?([0-9]{3})?")
_PERSONAL = re.compile(r"[0-9]{12}")
_TAX_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)


def read_tax_code(text: str) -> str:
    """A tax code of 10 digits, or 13 of a branch, as "0100109106" or "0100109106-001"; of persons and of households in
    business the 12 of their citizen number. Raises RuleBroken.

    The tenth digit is a check: 10 less the weighted sum of the nine before it, modulo 11. A citizen number has none.
    """
    plain = re.sub(r"[\s.]", "", text)
    personal = read_citizen_id(plain) if _PERSONAL.fullmatch(plain) else None
    if isinstance(personal, CitizenId):
        return personal.number
    found = _TAX_CODE.fullmatch(plain)
    if found is None:
        raise RuleBroken(
            _l("A tax code has 10 digits, 13 for a branch, or is the citizen number of 12 digits."), field="tax_code"
        )
    digits = [int(digit) for digit in found[1]]
    if 10 - sum(weight * digit for weight, digit in zip(_TAX_WEIGHTS, digits[:9], strict=True)) % 11 != digits[9]:
        raise RuleBroken(_l("One of the digits of this tax code is wrong. Look at it again."), field="tax_code")
    return f"{found[1]}-{found[2]}" if found[2] else found[1]


def masked_tax_code(code: str | None) -> str | None:
    """A tax code for records that keep no citizen number: of one only its first and last three digits."""
    return f"{code[:3]}******{code[-3:]}" if code and _PERSONAL.fullmatch(code) else code


def reached_at(typed: str | None) -> str | None:
    """The telephone number of a sponsor as it is kept (E.164); None when nothing was typed. Raises RuleBroken."""
    reached = read_phone(typed)
    if typed and not (reached.mobile or reached.landline):
        raise RuleBroken(_l("This is no telephone number. Write it such as 0912 345 678."), field="phone")
    return reached.mobile or reached.landline


@dataclass(frozen=True, slots=True)
class Wish:
    """Whom a sponsor would like to help; what is empty, None or False narrows nothing."""

    places: tuple[UUID, ...] = ()
    """Wards and communes, any of them."""
    grounds: tuple[Ground, ...] = ()
    """Standings, any of them."""
    women: bool = False
    age_from: int | None = None
    age_to: int | None = None
    """Whole years on the day that is asked about, both ends included."""
    people: int | None = None
    months: int | None = None
    monthly: bool = False
    """Gives month by month, not at once."""

    def __post_init__(self) -> None:
        if self.age_from and self.age_to and self.age_from > self.age_to:
            raise RuleBroken(_l("The first age is above the second. Swap them."), field="age_from")

    def as_json(self) -> dict[str, Any]:
        """Plain values to keep; what was not wished for is left out."""
        plain = {
            "places": [str(place) for place in self.places],
            "grounds": [ground.value for ground in self.grounds],
            **{name: getattr(self, name) for name in _PLAIN_WISHES},
        }
        return {name: value for name, value in plain.items() if value}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """The wish again."""
        return cls(
            places=tuple(UUID(place) for place in kept.get("places", ())),
            grounds=tuple(Ground(ground) for ground in kept.get("grounds", ())),
            **{name: kept[name] for name in _PLAIN_WISHES if name in kept},
        )

    @property
    def sex(self) -> Sex | None:
        """Whom the list of people waiting is narrowed to."""
        return Sex.FEMALE if self.women else None


_PLAIN_WISHES = ("women", "age_from", "age_to", "people", "months", "monthly")


def positive(amount: Vnd) -> Vnd:
    """The amount. Raises RuleBroken when it is no payment."""
    if not 0 < amount < MOST_DONG:
        raise RuleBroken(_l("Write an amount in whole đồng, more than 0."), field="amount")
    return amount


LONGEST_AGO = timedelta(days=2 * 366)


def long_ago(on: date, today: date) -> bool:
    """Whether a day on which money came in lies so far back that it is likely mistyped."""
    return on < today - LONGEST_AGO


def refuse_long_ago(on: date, today: date) -> None:
    """Refuses a day on which money came in that is likely mistyped: months of the book close in order from the first."""
    if long_ago(on, today):
        message = _l("This day lies more than two years back. Look at the year again.")
        raise RuleBroken(message, field="received_on", code="long_ago")


def refuse_past_due(due: date, today: date) -> None:
    """Refuses a day to pay by that would be late at once."""
    if due < today:
        message = _l("%(day)s is past. Give a day from today on.", day=in_day(due))
        raise RuleBroken(message, field="due_on", code="past_due")


# ---- whom money may carry


class Balance(NamedTuple):
    """Where the money of a sponsor stands, whole đồng. received = available + reserved + paid + returned, as in the yearly
    statement and in Biểu 03; promised is what came or is to come, expected what open promises still have to bring."""

    promised: Vnd = 0
    received: Vnd = 0
    available: Vnd = 0
    reserved: Vnd = 0
    paid: Vnd = 0
    expected: Vnd = 0
    returned: Vnd = 0
    """What of `received` went back to the sponsor."""

    @property
    def used(self) -> Vnd:
        """What carries people: set aside, or paid on already."""
        return self.reserved + self.paid


WAITING_STAGES = (Stage.AGREED, Stage.INTERESTED, Stage.LAPSED)
"""People who want insurance and have none; those who have it come into the list when a payment is due."""


def needy(grounds: Collection[Ground]) -> Ground | None:
    """The need that sponsors' money is for: poor before near-poor; None when it is neither."""
    return next((ground for ground in NEEDS if ground in grounds), None)


def check_start(start: Month, earliest: Month, on: date) -> None:
    """Refuses a first month that can no longer be paid, or that lies too far ahead."""
    latest = Month.of(on) + AHEAD
    if not earliest <= start <= latest:
        message = _l(
            "The first month may be %(earliest)s to %(latest)s.",
            earliest=in_month(earliest),
            latest=in_month(latest),
        )
        raise RuleBroken(message, field="start", code="start_out_of_window")


def in_month(month: Month) -> str:
    """A month as a Vietnamese reader writes it: 7/2025."""
    return f"{month.number}/{month.year}"


@dataclass(frozen=True, slots=True)
class FundAccount:
    """The bank account of the fund that sponsors pay into, and the telephone that answers them."""

    bin: str
    account: str
    name: str
    phone: str = ""
    """Whom sponsors call about their promise (E.164); empty while nobody said."""

    def as_json(self) -> dict[str, str]:
        """Plain values to keep."""
        return {"bin": self.bin, "account": self.account, "name": self.name, "phone": self.phone}


BANKS: Mapping[str, str] = {
    "970405": "Agribank",
    "970415": "VietinBank",
    "970418": "BIDV",
    "970436": "Vietcombank",
    "970422": "MB",
    "970449": "LPBank",
    "970446": "Co-opBank",
    "970407": "Techcombank",
}
"""Banks by the number that a transfer's QR names them with (State Bank's table)."""
