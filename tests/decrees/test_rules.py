"""What a decree may say, and what it means for one person: arithmetic without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some

from crm.decrees.rules.comparing import Payer, Rules, compare
from crm.decrees.rules.saying import Item, Said, check_day, check_whole, reaches, read_dong, read_percent, read_value
from crm.errors import RuleBroken
from crm.months import Month
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.premiums.rules.law import LocalTopUp
from crm.premiums.services import law_as_shipped
from crm.prospects.rules import Ground

LAW = law_as_shipped()
TODAY = date(2026, 11, 29)
NEW_YEAR = date(2027, 1, 1)
FLOOR = Item(key=LawKey.POVERTY_LINE, ground=None, value=Decimal(2_200_000))


def said(*items: Item, since: date = NEW_YEAR, **other: Any) -> Said:
    values: dict[str, Any] = {
        "document": "Nghị định 1/2027/NĐ-CP",
        "article": "Điều 3",
        "source": "Công báo",
        "note": "",
        "since": since,
        "status": LawStatus.IN_FORCE,
        "items": items,
    }
    return Said(**values | other)


def rules_of(decree: Said, top_ups: Sequence[LocalTopUp] = ()) -> tuple[Rules, Rules]:
    return Rules(LAW, top_ups), Rules(decree.added_to(LAW), [*top_ups, *decree.top_ups()])


def after(decree: Said, payer: Payer, top_ups: Sequence[LocalTopUp] = ()) -> Any:
    return compare(*rules_of(decree, top_ups), payer, decree.since, TODAY)


MEMBER = Payer((), takes_part=True, income=1_500_000, months=3, paid_through=Month(2026, 12))


@pytest.mark.parametrize(("text", "value"), [("22,5", "22.5"), ("22.5", "22.5"), ("22 %", "22"), ("0,31", "0.31")])
def test_a_percentage_may_have_a_comma_or_a_point(text: str, value: str) -> None:
    assert str(read_percent(text)) == value


@pytest.mark.parametrize("text", ["", "22,5,1", "hai mươi", "-5", "1000", "22%%", "٢٢"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(RuleBroken, match="22"):
        read_percent(text)


@pytest.mark.parametrize("text", ["2.200.000", "2 200 000 đ", "2,200,000", "2200000", "2.200.000 đồng"])
def test_money_may_be_grouped(text: str) -> None:
    assert read_dong(text) == 2_200_000


@pytest.mark.parametrize("text", ["2.2", "2.200.00", "2.200,000", "2,5 triệu", "-1", "", "9" * 13])
def test_what_is_no_money_is_refused(text: str) -> None:
    with pytest.raises(RuleBroken, match="1,500,000"):
        read_dong(text)


def test_a_coefficient_has_decimals_and_a_number_of_months_has_none() -> None:
    assert read_value(LawKey.PRICE_COEFFICIENT, "1,14") == Decimal("1.14")
    with pytest.raises(RuleBroken):
        read_value(LawKey.SUPPORT_CAP_MONTHS, "120,5")


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ([Item(LawKey.SUPPORT_PERCENT, Ground.POOR, Decimal(101))], "100%"),
        ([Item(LawKey.SUPPORT_PERCENT, None, Decimal(60))], "for whom"),
        ([Item(LawKey.CONTRIBUTION_PERCENT, Ground.POOR, Decimal(20))], "differs by ground"),
        ([Item(LawKey.POVERTY_LINE, None, Decimal(2_220_000))], "multiple of the step"),
        ([Item(LawKey.POVERTY_LINE, None, Decimal(90_000_000))], "above the highest"),
        ([Item(LawKey.POVERTY_LINE, None, Decimal(0))], "cannot be nothing"),
        ([Item(LawKey.CONTRIBUTION_PERCENT, None, Decimal(22))], "this value already"),
        ([Item(LawKey.WINDOW_QUARTERLY, None, Decimal(4))], "longer than what is paid for"),
        ([Item(LawKey.MISSING_MONTHS_SUPPORTED, None, Decimal(2))], "1 for yes"),
        ([Item(LawKey.POVERTY_LINE, None, Decimal(2_000_000), of_year=2019)], "does not differ by the year"),
        ([Item(LawKey.PRICE_COEFFICIENT, None, Decimal("1.04"))], "Say for which year"),
        ([Item(LawKey.POVERTY_LINE, None, None)], "Write the new value"),
        ([Item(LawKey.POVERTY_LINE, None, Decimal("2000000.5"))], "whole number"),
        ([Item(LawKey.CONTRIBUTION_PERCENT, None, Decimal("22.00001"))], "at most four decimals"),
        ([replace(FLOOR, until=date(2027, 12, 31))], "Only what a place adds"),
        ([Item(None, Ground.POOR, Decimal("12.00001"))], "at most four decimals"),
        ([FLOOR, FLOOR], "says that already"),
        ([], "at least one value"),
        ([Item(None, Ground.POOR)], "either a percentage or an amount"),
        ([Item(None, Ground.POOR, Decimal(50), amount=5)], "either a percentage or an amount"),
        ([Item(None, Ground.POOR, Decimal(101))], "at most 100%"),
        ([Item(None, Ground.POOR, Decimal(50), until=date(2026, 12, 31))], "before the first"),
        ([Item(None, Ground.POOR, Decimal(50), months_cap=0)], "at least one month"),
    ],
)
def test_what_the_law_cannot_become_is_said_in_words(items: list[Item], sentence: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        check_whole(said(*(replace(item) for item in items)), LAW, [])
    assert sentence in str(refused.value)


def test_a_decree_may_confirm_what_was_only_practice() -> None:
    check_whole(said(Item(LawKey.POVERTY_LINE, None, Decimal(1_500_000))), LAW, [])


def test_the_same_day_is_said_once() -> None:
    decree = said(FLOOR)
    with pytest.raises(RuleBroken, match="on record for that day already"):
        check_whole(decree, decree.added_to(LAW), [])
    top_up = said(Item(None, Ground.POOR, Decimal(50)))
    with pytest.raises(RuleBroken, match="on record there"):
        check_whole(top_up, LAW, list(top_up.top_ups()))


def test_a_day_is_possible_where_nothing_was_reckoned_by_what_changes() -> None:
    check_day(said(FLOOR, since=TODAY), TODAY, {})
    check_day(said(FLOOR, since=date(2026, 7, 1)), TODAY, {})
    [reach] = reaches(said(FLOOR, since=TODAY), LAW)
    with pytest.raises(RuleBroken, match="30/11/2026 or later"):
        check_day(said(FLOOR, since=TODAY), TODAY, {reach: TODAY})
    with pytest.raises(RuleBroken, match="is over"):
        check_day(said(FLOOR, since=date(2026, 7, 1), status=LawStatus.ANNOUNCED), TODAY, {})
    with pytest.raises(RuleBroken, match="year"):
        check_day(said(FLOOR, since=date(2207, 1, 1)), TODAY, {})


def test_a_value_reaches_to_the_next_and_the_rate_of_a_year_to_its_end() -> None:
    rate = Item(LawKey.INVESTMENT_PERCENT, None, Decimal("0.31"))
    [(key, _name, since, until)] = reaches(said(rate, since=date(2025, 1, 1)), LAW)
    assert (key, since, until) == (LawKey.INVESTMENT_PERCENT, date(2025, 1, 1), date(2025, 12, 31))
    [earlier] = reaches(said(FLOOR, since=date(2020, 1, 1)), LAW)
    assert earlier.until == date(2021, 12, 31)
    [later] = reaches(said(FLOOR), LAW)
    assert later.until is None
    assert not list(reaches(said(FLOOR, status=LawStatus.ANNOUNCED), LAW))


def test_a_decree_is_kept_and_read_back_as_it_was() -> None:
    items = (FLOOR, Item(None, Ground.POOR, None, amount=50_000, place=uuid4(), until=NEW_YEAR, months_cap=12))
    assert tuple(Item.from_json(item.as_json()) for item in items) == items


def test_a_higher_least_income_costs_whoever_chose_the_least_more() -> None:
    told = after(said(FLOOR), MEMBER)
    assert told.before.payable == 3 * (330_000 - 66_000)
    assert told.after.payable == 3 * (484_000 - 96_800)
    assert told.difference == 3 * 123_200
    assert told.below_floor
    assert told.after.start == Month(2027, 1)
    assert told.pay_by == date(2027, 3, 31)
    assert not told.before_possible


def test_whoever_chose_more_than_the_new_least_pays_less_for_the_state_gives_more() -> None:
    told = after(said(FLOOR), replace(MEMBER, income=3_000_000))
    assert told.difference == -3 * (96_800 - 66_000)
    assert not told.below_floor


def test_months_paid_already_are_untouched() -> None:
    told = after(said(FLOOR), replace(MEMBER, months=12, paid_through=Month(2027, 8)))
    assert told.after.start == Month(2027, 9)
    assert told.after.paid_on == date(2027, 9, 1)


def test_a_period_whose_last_day_comes_before_is_paid_by_the_law_of_before() -> None:
    told = after(said(FLOOR), replace(MEMBER, months=1, paid_through=Month(2026, 10)))
    assert told.after.start == Month(2027, 1)
    yearly = after(said(FLOOR), replace(MEMBER, months=12, paid_through=Month(2026, 11)))
    assert yearly.after.start == Month(2026, 12)
    assert yearly.before_possible
    assert yearly.after.paid_on == NEW_YEAR


def test_months_supported_until_then_count_toward_the_cap() -> None:
    monthly = replace(MEMBER, months=1, paid_through=Month(2026, 9), supported_before=117)
    told = after(said(FLOOR), monthly)
    assert told.after.supported_months == 0
    assert after(said(FLOOR), replace(monthly, supported_before=115)).after.supported_months == 1


def test_months_a_place_helped_with_until_then_count_toward_its_own_cap() -> None:
    held = LocalTopUp(Ground.OTHER, Decimal(10), None, date(2026, 1, 1), None, 12, "Nghị quyết 1")
    monthly = replace(MEMBER, months=1, paid_through=Month(2026, 9))

    def local(**other: Any) -> tuple[int, int]:
        told = after(said(FLOOR), replace(monthly, **other), [held])
        assert told.after.start == Month(2027, 1)
        return told.before.local_support, told.after.local_support

    assert local(local_months_before=8) == (33_000, 48_400)
    assert local(local_months_before=9) == (0, 0)  # October to December use up the rest
    assert local(paid_through=Month(2026, 12), local_months_before=11) == (33_000, 48_400)


def test_months_for_which_a_place_adds_nothing_do_not_count_toward_its_cap() -> None:
    later = LocalTopUp(Ground.OTHER, Decimal(10), None, NEW_YEAR, None, 3, "Nghị quyết 2")
    told = after(said(FLOOR), replace(MEMBER, months=1, paid_through=Month(2026, 9)), [later])
    assert told.after.local_support == 48_400


def test_more_support_costs_nobody_anything() -> None:
    told = after(said(Item(LawKey.SUPPORT_PERCENT, Ground.POOR, Decimal(70))), replace(MEMBER, grounds=(Ground.POOR,)))
    assert told.difference == -3 * 66_000
    assert after(said(Item(LawKey.SUPPORT_PERCENT, Ground.POOR, Decimal(70))), MEMBER).difference == 0


def test_an_addition_of_a_place_is_for_those_who_live_there() -> None:
    here = uuid4()
    decree = said(Item(None, Ground.POOR, Decimal(50), place=here))
    poor = replace(MEMBER, grounds=(Ground.POOR,))
    assert after(decree, replace(poor, places=frozenset({here}))).after.payable == 0
    assert after(decree, poor).difference == 0


def test_an_addition_ends_with_the_next_of_nothing() -> None:
    held = LocalTopUp(Ground.OTHER, Decimal(10), None, date(2026, 1, 1), None, None, "Nghị quyết 1")
    told = after(said(Item(None, Ground.OTHER, Decimal(0))), MEMBER, [held])
    assert (told.before.local_support, told.after.local_support) == (99_000, 0)


def test_whoever_is_carried_by_a_sponsor_is_carried_on() -> None:
    told = after(said(FLOOR), replace(MEMBER, carried=True))
    assert (told.before.payable, told.after.payable) == (0, 0)
    assert told.after.other_support - told.before.other_support == 3 * 123_200
    helped = after(said(FLOOR), replace(MEMBER, sponsors_a_month=Fraction(50_000)))
    assert helped.before.other_support == helped.after.other_support == 150_000


def test_whoever_has_chosen_nothing_yet_is_asked_the_least() -> None:
    told = after(said(FLOOR), Payer((Ground.POOR,)))
    assert (told.before.income, told.after.income) == (1_500_000, 2_200_000)
    assert not told.below_floor


@given(
    income=some.integers(30, 1_200).map(lambda steps: steps * 50_000),
    months=some.sampled_from([0, 1, 3, 6, 12]),
    through=some.integers(0, 30).map(lambda ahead: Month(2026, 1) + ahead),
    grounds=some.sets(some.sampled_from(list(Ground))).map(tuple),
    supported=some.integers(0, 130),
    floor=some.integers(10, 60).map(lambda steps: steps * 50_000),
)
def test_layers_add_up_and_the_payment_comes_after_the_decree(
    income: int, months: int, through: Month, grounds: tuple[Ground, ...], supported: int, floor: int
) -> None:
    payer = Payer(
        grounds, takes_part=True, income=income, months=months, paid_through=through, supported_before=supported
    )
    told = after(said(Item(LawKey.POVERTY_LINE, None, Decimal(floor))), payer)
    for side in (told.before, told.after):
        assert side.gross == side.state_support + side.local_support + side.other_support + side.payable
        assert side.payable >= 0
    assert told.after.start > through
    assert told.after.paid_on >= NEW_YEAR
    assert told.pay_by >= NEW_YEAR
