"""Whole đồng: exact arithmetic, writing in figures and in words. No floats anywhere."""

from collections.abc import Sequence
from fractions import Fraction

Vnd = int

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
THOUSAND = 1_000
BILLION = THOUSAND**3
SCALES = ("", " nghìn", " triệu")


def half_up(amount: Fraction | int) -> Vnd:
    """An exact amount brought to whole đồng, one half upwards (towards plus infinity)."""
    exact = Fraction(amount)
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def split(amount: Vnd, weights: Sequence[int]) -> list[Vnd]:
    """An amount divided by weights into parts that sum to it exactly.

    What whole đồng leave over goes to the largest remainders, the earlier part first. Weights are not negative and
    not all zero, or ValueError.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("Weights must not be negative and must not all be zero.")
    parts = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts


def split_evenly(amount: Vnd, parts: int) -> list[Vnd]:
    """An amount in so many parts that differ by at most one đồng, the larger ones first."""
    return split(amount, [1] * parts)


def in_figures(amount: Vnd) -> str:
    """1385000 → "1.385.000 đ", as a Vietnamese reader writes it; the space does not break."""
    return f"{amount:,}".replace(",", ".") + "\N{NO-BREAK SPACE}đ"


def in_words(amount: int) -> str:
    """A whole number in Vietnamese words as offices write it: 1015 → "một nghìn không trăm mười lăm"."""
    if amount < 0:
        return "âm " + in_words(-amount)
    if amount < BILLION:
        return _below_a_billion(amount, follows_more=False) or DIGITS[0]
    billions, rest = divmod(amount, BILLION)
    return f"{in_words(billions)} tỷ {_below_a_billion(rest, follows_more=True)}".rstrip()


def _below_a_billion(number: int, *, follows_more: bool) -> str:
    """Words of the groups of three digits; groups of three zeros are not spoken."""
    spoken: list[str] = []
    for power in (2, 1, 0):
        group = number // THOUSAND**power % THOUSAND
        if group:
            spoken.append(_three_digits(group, in_full=follows_more or bool(spoken)) + SCALES[power])
    return " ".join(spoken)


def _three_digits(number: int, *, in_full: bool) -> str:
    """Words of 1…999; `in_full` speaks the leading zeros ("không trăm linh năm")."""
    hundreds, tens, units = number // 100, number // 10 % 10, number % 10
    words = [DIGITS[hundreds], "trăm"] if hundreds or in_full else []
    if tens == 1:
        words.append("mười")
    elif tens:
        words += [DIGITS[tens], "mươi"]
    elif units and words:
        words.append("linh")
    if units:
        words.append(_unit_after(tens, units))
    return " ".join(words)


def _unit_after(tens: int, units: int) -> str:
    """The last digit changes its sound after tens: hai mươi mốt, hai mươi tư, mười lăm."""
    if units == 1 and tens > 1:
        return "mốt"
    if units == 4 and tens > 1:
        return "tư"
    if units == 5 and tens:
        return "lăm"
    return DIGITS[units]
