"""A target shared out sums exactly, whatever the units, and punishes no small place."""

from __future__ import annotations

import random
from uuid import UUID

import pytest

from crm.targets.sharing.rules import Method, Unit, achieved, next_year, shared_out


def unit(number: int, stock: int, could_join: int, gained: int = 0) -> Unit:
    return Unit(UUID(int=number), stock, could_join, gained)


@pytest.mark.parametrize("seed", range(40))
def test_the_parts_always_sum_to_the_whole_and_keep_their_floors(seed: int) -> None:
    dice = random.Random(seed)
    units = [
        unit(one, dice.randrange(300), dice.randrange(900), dice.randrange(40)) for one in range(dice.randrange(1, 12))
    ]
    stock = sum(one.stock for one in units)
    total, least = dice.randrange(2 * stock + 50), dice.randrange(5)
    for method in Method:
        parts = shared_out(total, units, method, least)
        assert sum(part.people for part in parts) == total
        assert all(part.people >= 0 for part in parts)
        if total >= stock:
            floor = min(least, (total - stock) // len(units))
            assert all(part.to_gain >= floor for part in parts)
            if total - stock <= sum(max(one.could_join, floor) for one in units):
                assert all(part.to_gain <= max(one.could_join, floor) for part, one in zip(parts, units, strict=True))


def test_growth_goes_where_people_could_join_and_the_rest_to_the_largest_remainders() -> None:
    parts = shared_out(1385, [unit(1, 600, 300), unit(2, 400, 200), unit(3, 191, 100)], Method.PEOPLE)
    assert [(part.people, part.to_gain) for part in parts] == [(697, 97), (465, 65), (223, 32)]


def test_a_full_ward_leaves_its_part_to_the_others_and_says_so() -> None:
    full, other = shared_out(160, [unit(1, 50, 3), unit(2, 50, 900)], Method.EVEN)
    assert (full.to_gain, full.capped) == (3, True)
    assert (other.to_gain, other.capped) == (57, False)


def test_fewer_than_take_part_now_are_shared_in_proportion() -> None:
    assert [part.people for part in shared_out(90, [unit(1, 75, 10), unit(2, 25, 10)], Method.RESULTS)] == [68, 22]


def test_one_lucky_month_of_a_small_place_is_drawn_towards_the_average() -> None:
    small, large = unit(1, 5, 15, gained=6), unit(2, 500, 1500, gained=60)
    of_its_size = achieved(small, [small, large]) / 20
    assert 60 / 2000 < of_its_size < 6 / 20
    assert abs(achieved(large, [small, large]) - 60) < 1


def test_next_year_asks_for_the_better_of_this_years_growth_and_plan_and_never_for_fewer_than_now() -> None:
    assert next_year(1283, 92, 194).people == 1283 + 194
    assert next_year(1400, 209, 194).people == 1400 + 209
    assert next_year(1100, -91, 0).people == 1100
