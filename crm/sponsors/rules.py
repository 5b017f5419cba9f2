"""Kinds of sponsors, accounts and movements of money."""

from __future__ import annotations

from enum import StrEnum


class SponsorKind(StrEnum):
    AGENCY = "agency"
    COMPANY = "company"
    ORGANISATION = "organisation"
    PERSON = "person"


class PledgeState(StrEnum):
    OPEN = "open"
    ENDED = "ended"


class AccountKind(StrEnum):
    """Where money can be. Only the world outside may stand below zero."""

    OUTSIDE = "outside"
    AVAILABLE = "available"
    RESERVED = "reserved"
    INSURANCE_FUND = "insurance_fund"


class Movement(StrEnum):
    RECEIVED = "received"
    RESERVED = "reserved"
    RELEASED = "released"
    PAID = "paid"
    REFUNDED = "refunded"
    CORRECTED = "corrected"


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
