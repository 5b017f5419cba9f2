"""How near somebody is to a lapse, and what ends of itself."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.months import Month
from crm.participation.guard.rules import (
    NEAR,
    PaymentState,
    Return,
    asked_since,
    check_return,
    deadlines_of,
    notice_begins,
    notice_of,
    payment_state,
    support_ends,
)

DAY = date(2019, 10, 15)
DAYS = st.dates(date(2018, 1, 1), date(2030, 12, 31))
STATES = st.sampled_from(list(PaymentState))


@pytest.mark.parametrize(
    ("left", "state"),
    [
        (-1, PaymentState.OVERDUE),
        (0, PaymentState.DUE_1),
        (1, PaymentState.DUE_1),
        (2, PaymentState.DUE_3),
        (3, PaymentState.DUE_3),
        (4, PaymentState.DUE_7),
        (7, PaymentState.DUE_7),
        (8, PaymentState.DUE_14),
        (14, PaymentState.DUE_14),
        (15, PaymentState.DUE_30),
        (30, PaymentState.DUE_30),
        (31, PaymentState.GRACE),
    ],
)
def test_the_nearer_the_last_day_the_more_pressing_the_state(left: int, state: PaymentState) -> None:
    assert payment_state(DAY + timedelta(days=left), Month(2019, 9), DAY) is state


def test_who_has_paid_this_month_and_has_time_is_ahead() -> None:
    january = date(2020, 1, 31)
    assert payment_state(january, Month(2019, 12), DAY) is PaymentState.AHEAD
    assert payment_state(january, Month(2019, 10), DAY) is PaymentState.AHEAD
    assert payment_state(january, Month(2019, 9), DAY) is PaymentState.GRACE
    assert payment_state(january, None, DAY) is PaymentState.GRACE


@given(deadline=DAYS, day=DAYS, months=st.integers(-6, 12))
def test_the_days_asked_of_the_database_are_those_of_the_rule(deadline: date, day: date, months: int) -> None:
    state = payment_state(deadline, Month.of(day) + months, day)
    for other in PaymentState:
        first, last = deadlines_of(other, day)
        inside = (first is None or first <= deadline) and (last is None or deadline <= last)
        decided_by_days = other in NEAR or other is PaymentState.OVERDUE
        assert inside == (state is other) if decided_by_days else inside >= (state is other)


@given(used=st.integers(0, 120), paid_through=st.integers(0, 60))
def test_support_ends_after_what_is_left_of_the_cap(used: int, paid_through: int) -> None:
    through = Month(2019, 10) + paid_through
    end = support_ends(used, through, through, 120)
    assert end.since(through) == 120 - used


def test_who_paid_beyond_the_cap_had_support_until_it_was_reached() -> None:
    assert support_ends(120, Month(2027, 12), Month(2028, 5), 120) == Month(2027, 12)


def test_notice_is_given_twelve_and_three_months_ahead_and_not_after_the_end() -> None:
    end = Month(2027, 12)
    assert notice_of(end, date(2026, 12, 31)) is None
    assert notice_of(end, date(2027, 1, 1)) == 12
    assert notice_of(end, date(2027, 9, 30)) == 12
    assert notice_of(end, date(2027, 10, 1)) == 3
    assert notice_of(end, date(2027, 12, 31)) == 3
    assert notice_of(end, date(2028, 1, 1)) is None


@given(end=DAYS, months=st.sampled_from([3, 12]))
def test_a_notice_begins_on_the_day_from_which_it_is_given(end: date, months: int) -> None:
    last = Month.of(end)
    begins = notice_begins(last, months)
    assert notice_of(last, begins, (months,)) == months
    assert notice_of(last, begins - timedelta(days=1), (months,)) is None


def test_who_lapsed_is_to_be_asked_at_once_and_after_thirty_and_ninety_days() -> None:
    lapsed = date(2019, 7, 1)
    assert asked_since(lapsed, date(2019, 6, 30)) is None
    assert asked_since(lapsed, date(2019, 7, 1)) == lapsed
    assert asked_since(lapsed, date(2019, 7, 30)) == lapsed
    assert asked_since(lapsed, date(2019, 7, 31)) == date(2019, 7, 31)
    assert asked_since(lapsed, date(2019, 9, 28)) == date(2019, 7, 31)
    assert asked_since(lapsed, date(2019, 9, 29)) == date(2019, 9, 29)
    assert asked_since(lapsed, date(2019, 11, 28)) == date(2019, 9, 29)
    assert asked_since(lapsed, date(2019, 11, 29)) is None


@pytest.mark.parametrize(
    ("back", "again_on", "field"),
    [
        (Return.OPEN, None, None),
        (Return.NEVER, None, None),
        (Return.LATER, DAY + timedelta(days=1), None),
        (Return.LATER, None, "again_on"),
        (Return.LATER, DAY, "again_on"),
        (Return.LATER, DAY + timedelta(days=800), "again_on"),
        (Return.OPEN, DAY + timedelta(days=1), "again_on"),
        (Return.NEVER, DAY + timedelta(days=1), "again_on"),
    ],
)
def test_a_day_to_ask_again_belongs_to_who_may_come_back_later(
    back: Return, again_on: date | None, field: str | None
) -> None:
    if field is None:
        return check_return(back, again_on, DAY)
    with pytest.raises(RuleBroken) as refused:
        check_return(back, again_on, DAY)
    assert refused.value.field == field
    return None
