"""How one walks, how long a package lasts, what becomes of those in it."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest

from crm.errors import RuleBroken
from crm.outreach.packages.rules import (
    MOST_PEOPLE,
    Door,
    Settled,
    check_size,
    check_until,
    days_left,
    extended,
    first_houses,
    settled_as,
    walk,
)

TODAY = date(2019, 10, 15)


def door(address: str | None, **more: object) -> Door:
    return Door(uuid4(), address, **more)  # type: ignore[arg-type]


def addresses(doors: list[Door]) -> list[str | None]:
    return [house.address for house in walk(doors)]


def test_one_walks_street_by_street_and_counts_as_people_count() -> None:
    mixed = [
        "Số 10 Trần Phú",
        "số 9 Trần Phú",
        "SN 12A Trần Phú",
        "12 Trần Phú",
        "Số 100 Bà Triệu",
        "7/2 Trần Phú",
        "7 Trần Phú",
    ]
    assert addresses([door(one) for one in mixed]) == [
        "Số 100 Bà Triệu",
        "7 Trần Phú",
        "7/2 Trần Phú",
        "số 9 Trần Phú",
        "Số 10 Trần Phú",
        "12 Trần Phú",
        "SN 12A Trần Phú",
    ]


def test_lanes_are_walked_in_the_order_of_their_numbers() -> None:
    assert addresses([door("Số 3, ngõ 10, Trần Phú"), door("Số 5, ngõ 9, Trần Phú")]) == [
        "Số 5, ngõ 9, Trần Phú",
        "Số 3, ngõ 10, Trần Phú",
    ]


def test_who_shares_a_door_or_a_household_stands_together_and_who_has_no_address_last() -> None:
    home = uuid4()
    one, two, three = door("Số 4 Trần Phú"), door("số 4, Trần Phú"), door(None)
    four, five = door("Số 2 Trần Phú", household_id=home, name_key=b"b"), door(None, household_id=home, name_key=b"a")
    six = door(None)
    houses = walk([six, three, one, two, four, five])
    assert [set(house.ids) for house in houses[:2]] == [{four.id, five.id}, {one.id, two.id}]
    assert sorted(len(house.ids) for house in houses[2:]) == [1, 1]
    assert houses[2].address is None


def test_each_ward_is_walked_by_itself() -> None:
    assert addresses([door("Số 1 Trần Phú", place="B"), door("Số 2 Trần Phú", place="A")]) == [
        "Số 2 Trần Phú",
        "Số 1 Trần Phú",
    ]


def test_a_house_is_not_torn_apart() -> None:
    ids: list[UUID] = []
    for number in range(1, 4):
        ids += [one.id for one in (door(f"Số {number} Trần Phú"), door(f"Số {number} Trần Phú"))]
    houses = walk([Door(id, f"Số {index // 2 + 1} Trần Phú") for index, id in enumerate(ids)])
    assert len(first_houses(houses, 3)) == 4
    assert len(first_houses(houses, 100)) == 6


def test_a_package_has_a_size_and_an_end() -> None:
    for wrong in (0, MOST_PEOPLE + 1):
        with pytest.raises(RuleBroken):
            check_size(wrong)
    check_size(MOST_PEOPLE)
    check_until(TODAY, TODAY)
    for day in (date(2019, 10, 14), date(2020, 2, 1)):
        with pytest.raises(RuleBroken):
            check_until(day, TODAY)


def test_more_time_counts_from_the_last_day_or_from_today() -> None:
    assert extended(date(2019, 10, 20), 7, TODAY) == date(2019, 10, 27)
    assert extended(date(2019, 10, 10), 3, TODAY) == date(2019, 10, 18)
    for days in (0, -3, 61):
        with pytest.raises(RuleBroken):
            extended(date(2019, 10, 20), days, TODAY)


def test_the_last_day_counts() -> None:
    assert [days_left(day, TODAY) for day in (date(2019, 10, 20), TODAY, date(2019, 10, 14))] == [6, 1, 0]


@pytest.mark.parametrize(
    ("with_volunteer", "met", "keep_met", "settled"),
    [
        (True, True, True, Settled.MET),
        (True, True, False, Settled.RETURNED),
        (True, False, True, Settled.RETURNED),
        (False, True, True, Settled.HANDED_ON),
        (False, False, False, Settled.HANDED_ON),
    ],
)
def test_who_was_met_stays_unless_told_otherwise(
    with_volunteer: bool, met: bool, keep_met: bool, settled: Settled
) -> None:
    assert settled_as(with_volunteer=with_volunteer, met=met, keep_met=keep_met) is settled
