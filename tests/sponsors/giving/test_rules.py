"""Instalments, what came in laid on them, changes, the days of letters, and what a contribution buys."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from crm.errors import RuleBroken
from crm.sponsors.giving.rules import (
    Due,
    Frequency,
    Reminder,
    Standing,
    by_amount,
    by_neighbours,
    changed,
    laid,
    months_on,
    own_schedule,
    reminder_due,
    rest_of,
    schedule,
)

JAN, FEB, MAR = date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 31)
THREE = (Due(JAN, 100), Due(FEB, 100), Due(MAR, 100))


def test_a_month_without_such_a_day_has_its_last() -> None:
    assert [months_on(JAN, months) for months in (0, 1, 2)] == [JAN, FEB, MAR]


@pytest.mark.parametrize(
    ("frequency", "days"),
    [
        (Frequency.ONCE, [JAN]),
        (Frequency.MONTHLY, [JAN, FEB, MAR]),
        (Frequency.QUARTERLY, [JAN, date(2020, 4, 30), date(2020, 7, 31)]),
    ],
)
def test_instalments_stand_on_their_days_and_sum_to_the_promise(frequency: Frequency, days: list[date]) -> None:
    made = schedule(1_000_001, frequency, 3, JAN)
    assert [due.on for due in made] == days
    assert sum(due.amount for due in made) == 1_000_001
    assert max(due.amount for due in made) - min(due.amount for due in made) <= 1


@pytest.mark.parametrize(("total", "times"), [(0, 1), (-5, 1), (100, 0), (100, 61), (2, 3)])
def test_what_is_no_schedule_is_refused(total: int, times: int) -> None:
    with pytest.raises(RuleBroken):
        schedule(total, Frequency.MONTHLY, times, JAN)


def test_days_of_their_own_come_in_order_and_two_of_a_day_are_one() -> None:
    assert own_schedule([Due(MAR, 5), Due(JAN, 1), Due(MAR, 2)]) == (Due(JAN, 1), Due(MAR, 7))
    for wrong in ([], [Due(JAN, 0)], [Due(JAN + timedelta(days=step), 1) for step in range(61)]):
        with pytest.raises(RuleBroken):
            own_schedule(wrong)


@pytest.mark.parametrize(
    ("received", "standings", "over"),
    [
        (0, ["late", "open", "open"], 0),
        (99, ["late", "open", "open"], 0),
        (100, ["paid", "open", "open"], 0),
        (150, ["paid", "part", "open"], 0),
        (300, ["paid", "paid", "paid"], 0),
        (301, ["paid", "paid", "paid"], 1),
    ],
)
def test_what_came_in_is_laid_on_the_oldest_first(received: int, standings: list[str], over: int) -> None:
    account = laid(THREE[::-1], received, FEB)
    assert [row.standing.value for row in account.rows] == standings
    assert account.over == over
    assert account.left == max(300 - received, 0)
    assert sum(row.came for row in account.rows) + account.over == received


def test_an_instalment_is_not_late_on_its_day_but_the_day_after() -> None:
    assert laid(THREE, 0, JAN).rows[0].standing is Standing.OPEN
    late = laid(THREE, 0, JAN + timedelta(days=1)).rows[0]
    assert (late.standing, late.late_by(JAN + timedelta(days=1))) == (Standing.LATE, 1)


def test_a_change_leaves_what_came_in_as_it_is() -> None:
    after = changed(THREE, 150, [Due(date(2020, 6, 1), 400)])
    assert after == (Due(JAN, 100), Due(FEB, 50), Due(date(2020, 6, 1), 400))
    assert changed(THREE, 300, []) == THREE
    assert changed(THREE, 320, [])[-1] == Due(MAR, 120)
    with pytest.raises(RuleBroken):
        changed(THREE, 0, [])


def test_a_promise_is_never_less_than_what_came_in() -> None:
    assert rest_of(200, 300, 150, 100) == 50
    with pytest.raises(RuleBroken):
        rest_of(149, 300, 150, 100)


def test_whatever_is_changed_the_promise_is_what_came_and_what_is_to_come() -> None:
    dice = random.Random(8)
    for _case in range(300):
        dues = own_schedule(Due(JAN + timedelta(days=dice.randrange(90)), dice.randint(1, 50)) for _ in range(5))
        received = dice.randrange(sum(due.amount for due in dues) + 20)
        rest = [Due(JAN + timedelta(days=dice.randrange(200)), dice.randint(1, 90)) for _ in range(dice.randint(1, 4))]
        after = changed(dues, received, rest)
        assert sum(due.amount for due in after) == received + sum(due.amount for due in rest)
        assert len({due.on for due in after}) == len(after)


@pytest.mark.parametrize(
    ("days", "letter"),
    [
        (-8, None),
        (-7, Reminder.BEFORE),
        (-2, Reminder.BEFORE),
        (-1, None),
        (0, None),
        (2, None),
        (3, Reminder.AFTER_3),
        (8, Reminder.AFTER_3),
        (9, None),
        (10, Reminder.AFTER_10),
        (15, Reminder.AFTER_10),
        (16, None),
    ],
)
def test_a_letter_has_its_day_and_a_few_more_when_nobody_could_write(days: int, letter: Reminder | None) -> None:
    assert reminder_due(JAN, JAN + timedelta(days=days)) is letter


def test_neighbours_and_months_are_counted_in_what_a_sponsor_bears() -> None:
    once = by_neighbours(2, 12, Frequency.ONCE, 165_000)
    assert (once.total, once.times, once.each) == (3_960_000, 1, 3_960_000)
    monthly = by_neighbours(2, 12, Frequency.MONTHLY, 165_000)
    assert (monthly.total, monthly.times, monthly.each) == (3_960_000, 12, 330_000)
    for people, months in ((None, 12), (2, None), (0, 12), (2, 0)):
        with pytest.raises(RuleBroken):
            by_neighbours(people, months, Frequency.ONCE, 165_000)


def test_an_amount_says_how_many_months_it_is_and_what_is_left_over() -> None:
    told = by_amount(5_000_000, None, Frequency.ONCE, 165_000)
    assert (told.person_months, told.for_a_year, told.left) == (30, 2, 50_000)
    assert by_amount(100_000, None, Frequency.ONCE, 165_000).person_months == 0
    assert by_amount(200_000, 12, Frequency.MONTHLY, 165_000).total == 2_400_000
    assert by_amount(200_000, None, Frequency.ONCE, 0).person_months == 0
    for amount, months in ((None, 12), (0, 12), (50, 12), (50_000, None)):
        with pytest.raises(RuleBroken):
            by_amount(amount, months, Frequency.MONTHLY, 165_000)
