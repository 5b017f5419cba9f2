"""What follows from what, about people."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from crm.errors import RuleBroken
from crm.prospects.rules import (
    NOBODY,
    Ground,
    Known,
    Sex,
    columns_of,
    deciding,
    grounds_held,
)

TODAY = date(2019, 10, 15)


def test_the_strongest_ground_decides_in_whatever_order_they_come() -> None:
    for grounds in permutations([Ground.ETHNIC_MINORITY, Ground.NEAR_POOR, Ground.POOR]):
        assert deciding(grounds) is Ground.POOR
    assert deciding([]) is Ground.OTHER


def test_a_year_alone_forgets_the_day_of_another_year() -> None:
    known = Known(birth_date=date(1975, 3, 2), birth_year=1975)
    assert columns_of({"birth_year": 1976}, known, TODAY) == {"birth_date": None, "birth_year": 1976}
    assert columns_of({"birth_year": 1975}, known, TODAY) == {"birth_date": date(1975, 3, 2), "birth_year": 1975}


def test_only_what_was_given_is_answered() -> None:
    assert columns_of({}, NOBODY, TODAY) == {}
    assert columns_of({"address": "  Số  5 \x00"}, NOBODY, TODAY) == {"address": "Số 5"}
    assert columns_of({"address": ""}, NOBODY, TODAY) == {"address": None}


def test_a_known_citizen_number_is_checked_against_a_new_sex() -> None:
    with pytest.raises(RuleBroken) as refusal:
        columns_of({"sex": Sex.MALE}, Known(citizen_id="038175000119"), TODAY)
    assert refusal.value.field == "citizen_id"


def test_an_island_is_a_ground_without_a_paper_and_the_strongest_comes_first() -> None:
    assert grounds_held((), special=False) == ()
    assert grounds_held((), special=True) == (Ground.ISLAND,)
    assert grounds_held((Ground.NEAR_POOR, Ground.POOR, Ground.POOR), special=True) == (
        Ground.POOR,
        Ground.ISLAND,
        Ground.NEAR_POOR,
    )
