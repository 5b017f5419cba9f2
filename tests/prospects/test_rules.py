"""What follows from what, about people."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from crm.errors import RuleBroken
from crm.prospects.rules import (
    NOBODY,
    Ground,
    Known,
    Same,
    Sex,
    Traits,
    columns_of,
    deciding,
    reasons_for_one,
    score,
)

TODAY = date(2019, 10, 15)
HERE, AWAY = UUID(int=1), UUID(int=2)


def traits(**fields: Any) -> Traits:
    known: dict[str, Any] = {
        "full_name": "Nguyễn Thị Hoà",
        "birth_date": None,
        "birth_year": None,
        "sex": None,
        "phones": frozenset(),
        "citizen": None,
        "citizen_digits": 0,
        "insurance": None,
        "place_id": HERE,
    }
    return Traits(**known | fields)


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


def test_the_same_year_counts_only_where_they_live_or_call_alike() -> None:
    one = traits(birth_year=1975)
    assert reasons_for_one(one, traits(birth_year=1975)) == (Same.NAME_AND_BIRTH_YEAR,)
    assert reasons_for_one(one, traits(birth_year=1975, place_id=AWAY)) == ()


def test_two_new_cards_are_two_people_but_an_old_and_a_new_may_be_one() -> None:
    born = {"birth_date": date(1975, 3, 2), "birth_year": 1975}
    new, other = traits(citizen=b"a", citizen_digits=12, **born), traits(citizen=b"b", citizen_digits=12, **born)
    old = traits(citizen=b"c", citizen_digits=9, **born)
    assert reasons_for_one(new, other) == ()
    assert reasons_for_one(new, old) == (Same.NAME_AND_BIRTH_DATE,)


def test_brothers_with_one_telephone_are_not_one_person() -> None:
    phones = frozenset({"+84912345678"})
    one = traits(full_name="Nguyễn Văn An", phones=phones, birth_year=1980)
    assert reasons_for_one(one, traits(full_name="Nguyễn Văn Anh", phones=phones, birth_year=1983)) == ()
    assert reasons_for_one(one, traits(full_name="Nguyễn Văn Anh", phones=phones)) == ()


def test_more_reasons_make_surer_and_never_more_than_sure() -> None:
    assert score([Same.NAME_AND_BIRTH_YEAR]) < score([Same.NAME_AND_BIRTH_YEAR, Same.NAME_AND_PHONE])
    assert score(list(Same)) == 100
    assert score([]) == 0
