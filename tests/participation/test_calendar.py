"""What became of each month: the stories of the plan, and random lives counted again the long way round."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from crm.months import Month
from crm.participation.calendar import Borne, Calendar, State, Stay, months_of
from crm.participation.months import in_figures
from crm.participation.rules import Ending
from crm.participation.shares import Payer, PayerKind, Share

BANK = Payer(PayerKind.SPONSOR, UUID(int=1))
FIRST, SECOND = UUID(int=11), UUID(int=12)


def own(payment: UUID = FIRST, *, supported: bool = True) -> Borne:
    return Borne(payment, supported, 138_600 if supported else 154_000, 15_400 if supported else 0, 0)


def sponsored(payment: UUID = FIRST) -> Borne:
    return Borne(payment, True, 0, 15_400, 0, (Share(BANK, 138_600),))


def states(calendar: Calendar) -> dict[str, State]:
    return {str(one.month): one.state for one in calendar.months}


def test_three_sponsored_two_own_a_gap_and_the_return_each_month_exactly() -> None:
    """January to March by the bank, April and May by herself, nothing until August, then on again for three months."""
    paid = {month: sponsored() for month in Month(2019, 1).run(3)}
    paid |= {month: own(SECOND) for month in Month(2019, 4).run(2)}
    paid |= {month: own(UUID(int=13)) for month in Month(2019, 8).run(3)}
    stays = [
        Stay(Month(2019, 1), Month(2019, 5), date(2019, 6, 30), Ending.LAPSED, 1),
        Stay(Month(2019, 8), Month(2019, 10), date(2020, 1, 31), None, 3),
    ]
    calendar = months_of(stays, paid, date(2019, 10, 15), ahead=3)
    assert states(calendar) == {
        **{f"2019-0{number}": State.SPONSORED for number in (1, 2, 3)},
        **{f"2019-0{number}": State.OWN for number in (4, 5)},
        **{f"2019-0{number}": State.GAP for number in (6, 7)},
        **dict.fromkeys(("2019-08", "2019-09", "2019-10"), State.OWN),
        **dict.fromkeys(("2019-11", "2019-12", "2020-01"), State.UPCOMING),
    }
    assert (calendar.paid, calendar.supported, calendar.paid_through) == (8, 8, Month(2019, 10))
    assert [one.supported_so_far for one in calendar.months[:8]] == [1, 2, 3, 4, 5, 5, 5, 6]
    assert calendar.deadline_on == date(2020, 1, 31)
    assert (calendar.cost.own, calendar.cost.state) == (5 * 138_600, 8 * 15_400)
    assert calendar.cost.others == {BANK: 3 * 138_600}
    assert calendar.cost.gross == 8 * 154_000


def test_a_gap_may_be_paid_later_only_where_somebody_has_said_how_far_back() -> None:
    paid = {Month(2019, 1): own(), Month(2019, 8): own(SECOND)}
    stays = [
        Stay(Month(2019, 1), Month(2019, 1), None, Ending.LAPSED, 1),
        Stay(Month(2019, 8), Month(2019, 8), date(2019, 9, 30), None, 1),
    ]
    assert months_of(stays, paid, date(2019, 8, 20)).payable_gaps == ()
    within = months_of(stays, paid, date(2019, 8, 20), gaps_back=3).payable_gaps
    assert [str(one.month) for one in within] == ["2019-05", "2019-06", "2019-07"]


def test_the_hundred_and_twenty_first_month_bears_no_support_in_the_middle_of_a_payment() -> None:
    months = list(Month(2018, 1).run(126))
    paid = {month: own(supported=number < 120) for number, month in enumerate(months)}
    calendar = months_of([Stay(months[0], months[-1], None, None, 12)], paid, date(2028, 6, 30), ahead=0)
    by_number = dict(enumerate(calendar.months, 1))
    assert by_number[120].supported
    assert by_number[120].supported_so_far == 120
    assert not by_number[121].supported
    assert by_number[121].supported_so_far == 120
    assert by_number[121].borne is not None
    assert by_number[121].borne.own == 154_000
    assert calendar.supported == 120


def test_what_falls_due_is_the_next_period_in_grace_where_its_month_is_over() -> None:
    stay = Stay(Month(2019, 4), Month(2019, 6), date(2019, 9, 30), None, 3)
    paid = {month: own() for month in Month(2019, 4).run(3)}
    calendar = months_of([stay], paid, date(2019, 8, 15), ahead=3)
    due = [(str(one.month), one.grace) for one in calendar.months if one.state is State.DUE]
    assert due == [("2019-07", True), ("2019-08", False), ("2019-09", False)]
    assert states(calendar)["2019-10"] is State.UPCOMING
    late = months_of([stay], paid, date(2019, 10, 1), ahead=1)
    assert [str(one.month) for one in late.months if one.state is State.LATE] == ["2019-07", "2019-08", "2019-09"]


@pytest.mark.parametrize("ended_as", [Ending.LAPSED, None])
def test_the_month_in_which_one_may_still_register_anew_is_no_gap(ended_as: Ending | None) -> None:
    """Lapsed on 1 February; on 20 March that month can still be begun with, so only January and February are over."""
    stay = Stay(Month(2019, 11), Month(2019, 12), date(2020, 1, 31), ended_as, 1)
    paid = {month: own() for month in Month(2019, 11).run(2)}
    calendar = months_of([stay], paid, date(2020, 3, 20), ahead=1)
    assert [str(one.month) for one in calendar.gaps] == ["2020-01", "2020-02"]
    assert states(calendar)["2020-03"] is (State.AWAY if ended_as else State.UPCOMING)


def test_who_went_over_to_compulsory_insurance_has_no_gap() -> None:
    stay = Stay(Month(2019, 1), Month(2019, 3), date(2019, 6, 30), Ending.COMPULSORY, 3)
    calendar = months_of([stay], {month: own() for month in Month(2019, 1).run(3)}, date(2019, 10, 1))
    assert calendar.gaps == ()
    assert states(calendar)["2019-05"] is State.AWAY


def test_what_only_a_list_knows_is_paid_without_money_on_record() -> None:
    stay = Stay(Month(2019, 1), Month(2019, 12), date(2020, 1, 31), None, 1)
    calendar = months_of([stay], {}, date(2019, 10, 1), ahead=0)
    assert set(states(calendar).values()) == {State.LISTED}
    assert (calendar.paid, calendar.supported, calendar.cost.gross) == (12, 0, 0)
    assert [one.ahead for one in calendar.months] == [False] * 10 + [True] * 2


@dataclass
class Life:
    """Runs of months, told one after the other, with the calendar that follows from them."""

    told: list[tuple[State, int]]
    begins: Month

    @property
    def run(self) -> list[State]:
        return [state for state, length in self.told for _ in range(length)]

    def calendar(self) -> Calendar:
        paid: dict[Month, Borne] = {}
        stays: list[Stay] = []
        first: Month | None = None
        for month, state in zip(self.begins.run(len(self.run)), self.run, strict=True):
            if state is State.GAP:
                if first:
                    stays.append(Stay(first, month - 1, None, Ending.LAPSED, 1))
                first = None
                continue
            first = first or month
            given = (Share(BANK, 50_000),) if state is not State.OWN else ()
            mine = 0 if state is State.SPONSORED else 100_000
            paid[month] = Borne(FIRST, month.number % 2 == 0, mine, 15_400 if month.number % 2 == 0 else 0, 0, given)
        end = self.begins + len(self.run)
        if first:
            stays.append(Stay(first, end - 1, (end + 2).last_day, None, 1))
        told = months_of(stays, paid, end.first_day, ahead=0)  # a month is lost only once it is over
        return replace(told, months=told.months[: len(self.run)])


lives = st.builds(
    Life,
    st.lists(
        st.tuples(st.sampled_from([State.OWN, State.PARTLY, State.SPONSORED, State.GAP]), st.integers(1, 14)),
        min_size=1,
        max_size=12,
    ).map(lambda told: [(State.OWN, 1), *told]),
    st.builds(Month, st.integers(2008, 2030), st.integers(1, 12)),
)


@given(lives)
def test_a_random_life_is_told_month_by_month_as_it_was_lived(life: Life) -> None:
    calendar = life.calendar()
    assert [one.state for one in calendar.months] == life.run
    assert calendar.paid == sum(state is not State.GAP for state in life.run)
    assert len(calendar.gaps) == life.run.count(State.GAP)
    helped = 0
    for one in calendar.months:
        if one.state is not State.GAP and one.month.number % 2 == 0:
            helped += 1
        assert one.supported_so_far == helped
    assert calendar.cost.own == 100_000 * sum(state in (State.OWN, State.PARTLY) for state in life.run)
    assert sum((calendar.cost.others or {}).values()) == 50_000 * sum(
        state in (State.PARTLY, State.SPONSORED) for state in life.run
    )
    assert [one for _year, months in calendar.by_year() for one in months if one] == list(calendar.months)


def test_months_that_follow_each_other_are_named_as_a_run(app: Flask) -> None:
    paid = {Month(2019, 1): own(), Month(2019, 3): own(), Month(2019, 8): own(SECOND)}
    stays = [Stay(month, month, None, Ending.LAPSED, 1) for month in paid]
    gaps = months_of(stays, paid, date(2019, 11, 15)).gaps
    with app.test_request_context(headers={"Accept-Language": "vi"}):
        assert in_figures(gaps) == "2/2019, 4/2019 – 7/2019, 9/2019 – 10/2019"
        assert in_figures(()) == ""
