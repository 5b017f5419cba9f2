"""The grant for a birth."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from crm.months import Month
from crm.premiums.rules.benefits.maternity import maternity
from crm.premiums.rules.explaining import Unknown
from crm.premiums.services import law_as_shipped

LAW = law_as_shipped()
BIRTH = Month(2027, 5)


def test_six_of_the_twelve_months_before_are_enough() -> None:
    told = maternity(LAW, BIRTH, [*(BIRTH - 6).run(6)])
    assert (told.due, told.grant, told.months_counted, told.months_needed) == (True, 2_000_000, 6, 6)
    assert {line.name for line in told.lines} == {
        "maternity_grant",
        "maternity_least_months",
        "maternity_within_months",
    }


def test_five_are_not_and_one_is_told_from_when_to_pay() -> None:
    told = maternity(LAW, BIRTH, [*(BIRTH - 5).run(5)])
    assert (told.due, told.grant, told.months_counted) == (False, None, 5)
    assert str(told.pay_from_at_latest) == "2026-11"


def test_months_too_early_or_from_the_birth_on_do_not_count() -> None:
    assert maternity(LAW, BIRTH, [*(BIRTH - 18).run(6)]).months_counted == 0
    assert maternity(LAW, BIRTH, [*BIRTH.run(6)]).months_counted == 0
    assert maternity(LAW, BIRTH, [*(BIRTH - 12).run(6)]).due
    assert not maternity(LAW, BIRTH, [*(BIRTH - 13).run(6)]).due


def test_twins_bring_it_twice() -> None:
    assert maternity(LAW, BIRTH, [*(BIRTH - 12).run(12)], children=2).grant == 4_000_000


def test_before_july_2025_there_was_none_and_it_is_said() -> None:
    told = maternity(LAW, Month.of(date(2025, 6, 30)), [*Month(2024, 6).run(12)])
    assert (told.grant, told.months_needed, told.unknown) == (None, None, (Unknown.MATERNITY_LAW,))


@given(st.lists(st.integers(-20, 5).map(BIRTH.__add__)))
def test_counting_is_by_hand_and_a_month_twice_counts_once(paid: list[Month]) -> None:
    by_hand = sum(BIRTH - back in paid for back in range(1, 13))
    told = maternity(LAW, BIRTH, paid)
    assert told.months_counted == by_hand
    assert told.due is (by_hand >= 6)


@given(st.integers(1, 12))
def test_whoever_pays_from_the_month_named_has_enough(more: int) -> None:
    latest = maternity(LAW, BIRTH, []).pay_from_at_latest
    assert latest
    assert maternity(LAW, BIRTH, [*latest.until(BIRTH)]).due
    assert not maternity(LAW, BIRTH, [*(latest + more).until(BIRTH)] if more < 6 else []).due
