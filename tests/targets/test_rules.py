"""Three facts kept apart, and the sentence when they cannot all be true."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from crm.targets.rules import agrees, contradiction, implied_denominator, pace


def test_the_plans_own_rate_cannot_be_of_the_towns_people() -> None:
    sentence = str(contradiction(1385, Decimal("1.30"), 106_538, 60_000))
    for figure in ("1.385", "1,3%", "106.538", "60.000"):
        assert figure in sentence


def test_an_english_reader_reads_english_figures() -> None:
    sentence = str(contradiction(1385, Decimal("1.30"), 106_538, 60_000, locale="en"))
    for figure in ("1,385", "1.3%", "106,538", "60,000"):
        assert figure in sentence


@pytest.mark.parametrize(
    ("people", "rate", "denominator", "fits"),
    [
        (12_850, "84.95", 15_127, True),
        (12_695, "93.00", 13_651, True),
        (1_385, "1.30", 106_538, True),
        (1_385, "1.30", 60_000, False),
    ],
)
def test_a_rate_is_believed_as_far_as_it_is_written_out(people: int, rate: str, denominator: int, fits: bool) -> None:
    assert agrees(people, Decimal(rate), denominator) is fits
    assert (contradiction(people, Decimal(rate), denominator, None) is None) is fits


def test_number_and_rate_imply_a_denominator() -> None:
    assert implied_denominator(1385, Decimal("1.30")) == 106_538


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert contradiction(1385, None, None, 60_000) is None
    assert contradiction(1385, Decimal("1.3"), None, None) is None


def test_the_pace_so_far_and_the_pace_that_is_needed() -> None:
    so_far, needed, days = pace(1191, 1251, 1385, date(2019, 6, 30))
    assert days == 184
    assert round(so_far, 1) == 10.1
    assert needed is not None
    assert round(needed, 1) == 22.2
    assert pace(1191, 1251, 1385, date(2019, 11, 29)).needed is not None
    assert pace(1191, 1251, 1385, date(2019, 12, 3))[1:] == (None, 28), "less than a month is told by its days"
    assert pace(1191, 1251, 1385, date(2019, 12, 31))[1:] == (None, 0)
