"""Forecasts hold what they promise, on towns that are made up in another way than the forecast thinks."""

from __future__ import annotations

from datetime import date
from random import Random

from bench.forecast import coverage, town
from crm.reports.forecast.rules import (
    Factors,
    Lacking,
    Lever,
    Move,
    Past,
    Range,
    Scored,
    Spread,
    by_keeping,
    by_visits,
    futures,
    lacking,
    needed,
    record,
    spread,
    strongest,
)

PAST, AFTER = town(Random(3))


def test_eight_of_ten_ranges_hold_what_comes() -> None:
    told = coverage(60, seed=1385, runs=60)
    assert 0.75 <= told.share <= 0.85, told


def test_the_same_figures_always_say_the_same() -> None:
    one, other = (futures(PAST, 3, 40, seed=7) for _again in range(2))
    assert one == other
    assert futures(PAST, 3, 40, seed=8).town() != one.town()


def test_a_small_ward_is_believed_less_than_a_large_one() -> None:
    factors = Factors.of([4, 60, 100], [1.0, 50.0, 113.0])
    small, large, _largest = factors.weights
    assert small < large
    assert 1 < factors.likely[0] / factors.level < 4
    assert factors.level == 1


def test_months_that_are_alike_are_told_from_months_that_are_not() -> None:
    assert Spread.of([20] * 9, [20.0] * 9).variance < Spread.of([5, 40] * 4 + [20], [20.0] * 9).variance
    growing = Spread.of([10, 20, 30, 40], [1.0, 2.0, 3.0, 4.0])
    assert growing.variance < Spread.of([10, 20, 30, 40], [1.0] * 4).variance


def test_without_months_or_joiners_nothing_is_forecast() -> None:
    assert lacking(Past(date(2019, 1, 31), [], {})) is Lacking.MONTHS
    assert lacking(PAST) is None


def test_a_target_that_is_reached_is_reached_today_and_one_far_away_never() -> None:
    drawn = futures(PAST, 3, 20)
    assert drawn.reached(PAST.stock).middle == PAST.as_of
    assert drawn.reached(10**6) == (None, None, None)
    low, middle, high = drawn.reached(PAST.stock + 1)
    assert low
    assert low > PAST.as_of
    assert middle is None or middle >= low
    assert high is None or high >= low


def test_a_range_leaves_one_in_ten_below_and_one_in_ten_above() -> None:
    assert spread(list(range(100))) == Range(10, 50, 90)


def test_what_would_move_it_most_stands_first() -> None:
    visits = by_visits(["a", "b"], [100, 100], [40, 10], days_left=70, dwell=14)
    assert [one.key for one in visits if one.people > 20] == ["a"]
    kept = by_keeping({"near_poor": 50, "other": 10}, {"near_poor": 100, "other": 100}, {"near_poor": 30, "other": 2})
    first, *_rest = strongest([*visits, *kept], totals=[100, 110, 130], target=120)
    assert first.people == max(one.people for one in (*visits, *kept))
    assert first.chance >= 1 / 3
    assert strongest([Lever(Move.AGREED, "a", 1, 0.2)], [1], None) == []


def test_what_is_needed_makes_up_for_those_who_drop_out() -> None:
    assert needed(stock=1000, target=1100, leaving=20, weeks=10) == 12
    assert needed(stock=1100, target=1000, leaving=20, weeks=10) == 0


def test_earlier_forecasts_are_scored_with_what_would_have_been_said_without() -> None:
    day = date(2019, 9, 30)
    held = Scored(day, False, date(2019, 10, 31), Range(90, 100, 110), came=105, without=80)
    missed = held._replace(came=112)
    assert (held.held, missed.held) == (True, False)
    assert (held.interval_score, missed.interval_score) == (20, 40)
    done = record([held, missed])
    assert done
    assert (done.ranges, done.held, done.width, done.off, done.off_without) == (2, 1, 20, 8.5, 28.5)
    assert record([]) is None
