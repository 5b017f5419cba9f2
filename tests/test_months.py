"""Months are counted, not days."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.months import Month

MONTHS = st.builds(Month, st.integers(1900, 2200), st.integers(1, 12))


def test_a_month_is_read_and_written_the_same_way() -> None:
    assert str(Month.parse("2026-07")) == "2026-07"
    assert Month.parse("2026-07") == Month(2026, 7)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-7", "7/2026", "", "2026-07-01", "0000-01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="month"):
        Month.parse(text)


def test_december_is_followed_by_january() -> None:
    assert Month(2026, 12) + 1 == Month(2027, 1)
    assert Month(2027, 1) - 1 == Month(2026, 12)
    assert Month(2026, 7) + 12 == Month(2027, 7)


def test_a_month_knows_its_days() -> None:
    assert Month(2024, 2).first_day == date(2024, 2, 1)
    assert Month(2024, 2).last_day == date(2024, 2, 29)
    assert date(2024, 2, 15) in Month(2024, 2)
    assert date(2023, 2, 15) not in Month(2024, 2)


def test_months_come_in_order() -> None:
    assert sorted([Month(2026, 1), Month(2025, 12)]) == [
        Month(2025, 12),
        Month(2026, 1),
    ]
    assert [str(m) for m in Month(2025, 11).until(Month(2026, 2))] == [
        "2025-11",
        "2025-12",
        "2026-01",
    ]
    assert list(Month(2025, 11).run(3)) == list(Month(2025, 11).until(Month(2026, 2)))


@given(MONTHS, st.integers(-1000, 1000))
def test_adding_and_counting_agree(month: Month, months: int) -> None:
    assert (month + months).since(month) == months
    assert (month + months) - months == month
