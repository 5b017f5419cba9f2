"""What somebody typed, as it is kept."""

from __future__ import annotations

import pytest

from crm.lines import whole_number


@pytest.mark.parametrize("typed", ["1385", "1.385", "1,385", "1 385", "1\u00a0385", " 1385 ", "01385"])
def test_a_whole_number_is_read_however_its_groups_are_parted(typed: str) -> None:
    assert whole_number(typed, 9) == 1385


@pytest.mark.parametrize(
    "typed", ["2,5", "2.5", "1.38", "1.3855", "1.385,5", "1.385,000", "0.385", "-5", "1e3", "²", "", "."]
)
def test_what_is_no_whole_number_is_none(typed: str) -> None:
    assert whole_number(typed, 9) is None


def test_more_figures_than_there_is_room_for_are_none() -> None:
    assert whole_number("1.385.000", 7) == 1_385_000
    assert whole_number("1.385.000", 6) is None
