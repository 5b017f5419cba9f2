"""A small unit is neither punished nor lucky."""

from __future__ import annotations

from fractions import Fraction
from uuid import UUID

from crm.emulation.rules import Competitor, table


def unit(number: int, size: int, credit: int, left: int = 0, visits: int = 0) -> Competitor:
    return Competitor(UUID(int=number), f"Đơn vị {number}", size, credit, None, Fraction(credit), left, visits)


def test_one_lucky_person_does_not_put_a_tiny_unit_above_steady_work() -> None:
    found = table([unit(1, 5, 1), unit(2, 400, 40), unit(3, 400, 10)])
    assert [row.one.key.int for row in found] == [2, 1, 3]
    assert found[1].result < 100 * Fraction(1, 5)


def test_a_small_unit_that_does_as_well_as_all_stands_at_the_average() -> None:
    small, large = unit(1, 10, 1), unit(2, 1000, 100)
    assert {row.result for row in table([small, large])} == {Fraction(10)}


def test_who_left_is_taken_off_and_effort_decides_between_equals() -> None:
    found = table([unit(1, 100, 10, left=8, visits=5), unit(2, 100, 4, left=2, visits=9)])
    assert [row.one.key.int for row in found] == [2, 1]
