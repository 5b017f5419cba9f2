"""What one pays and who helps, against worked cases and against what must hold for all."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.months import Month
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.premiums.rules.law import Law, LawValue, LocalTopUp
from crm.premiums.rules.pensions import pension, pension_rate
from crm.premiums.rules.quotes import Plan, Quote, check_income, nearest_income, quote
from crm.premiums.services import law_as_shipped
from crm.prospects.rules import Ground, Sex

CASES = json.loads((Path(__file__).parents[1] / "data" / "premium-cases.json").read_text(encoding="utf-8"))
LAW = law_as_shipped()
JULY_2026 = Month(2026, 7)
SUPPORTED_BY_PERCENT = {20: Ground.OTHER, 50: Ground.POOR}


def ask(income: int, *grounds: Ground, start: Month = JULY_2026, months: int = 1, law: Law = LAW, **more: Any) -> Quote:
    return quote(law, income, grounds, start, more.pop("paid_on", None), Plan.periodic(months), **more)


@pytest.mark.parametrize("case", CASES["periodic"], ids=lambda case: case["id"])
def test_periodic_premiums_are_those_of_the_worked_cases(case: dict[str, Any]) -> None:
    told = ask(
        case["income"],
        Ground(case["group"]),
        start=Month.parse(case["start"]),
        months=case["method"],
        supported_before=case["months_supported_before"],
    )
    assert told.gross == case["gross"]
    assert told.state_support == case["state_support"]
    assert told.payable == case["payable"]
    assert LAW.on(told.paid_on).floor == case["poverty_line"]
    assert LAW.on(told.paid_on).support[Ground(case["group"])] * 100 == case["support_percent"]


@pytest.mark.parametrize("case", CASES["lump"], ids=lambda case: case["id"])
def test_lump_premiums_are_those_of_the_worked_cases(case: dict[str, Any]) -> None:
    plan = Plan.years_ahead(case["years"]) if case["method"] == "VS" else Plan.missing(case["months"])
    told = quote(LAW, case["income"], [SUPPORTED_BY_PERCENT[case["support_percent"]]], JULY_2026, None, plan)
    assert LAW.on(told.paid_on).investment_rate * 100 == Decimal(case["r_percent_month"])
    assert told.gross == case["gross"]
    assert told.state_support == case.get("state_support", case.get("state_support_practitioner"))
    assert told.payable == case.get("payable", case.get("payable_practitioner"))
    assert told.deadline is None


@pytest.mark.parametrize("case", CASES["deadlines"], ids=lambda case: str(case["method"]))
def test_deadlines_and_next_starts_are_those_of_the_worked_cases(case: dict[str, Any]) -> None:
    told = ask(1_500_000, start=Month.parse(case["start"]), months=case["method"])
    assert told.deadline == date.fromisoformat(case["deadline"])
    assert str(told.next_start) == case["next_start"]


@pytest.mark.parametrize("case", CASES["pension_no_cpi"], ids=lambda case: f"{case['sex']}{case['months']}")
def test_pensions_are_those_of_the_worked_cases(case: dict[str, Any]) -> None:
    law, sex = LAW.on(JULY_2026.first_day), Sex.FEMALE if case["sex"] == "F" else Sex.MALE
    rate = pension_rate(law, sex, case["months"])
    assert (None if rate is None else rate * 100) == (case["rate"] and Decimal(case["rate"]))
    assert pension(law, sex, case["months"], case["avg_income"]) == case["pension"]


def test_a_pension_never_exceeds_the_most() -> None:
    law = LAW.on(JULY_2026.first_day)
    assert pension_rate(law, Sex.FEMALE, 30 * 12) == pension_rate(law, Sex.MALE, 35 * 12)
    assert pension_rate(law, Sex.MALE, 50 * 12) == pension_rate(law, Sex.MALE, 35 * 12)
    assert pension_rate(law, Sex.FEMALE, 18 * 12 + 1) == pension_rate(law, Sex.FEMALE, 18 * 12 + 6)
    assert pension_rate(law, Sex.FEMALE, 18 * 12 + 7) == pension_rate(law, Sex.FEMALE, 19 * 12)


def test_before_july_2025_a_pension_needs_twenty_years() -> None:
    june = LAW.on(date(2025, 6, 30))
    assert pension_rate(june, Sex.FEMALE, 239) is None
    assert pension(june, Sex.FEMALE, 240, 1_000_000) == 550_000


@pytest.mark.parametrize("ground", [Ground.ISLAND, Ground.ETHNIC_MINORITY])
def test_a_ground_the_law_did_not_yet_know_is_helped_like_everyone(ground: Ground) -> None:
    june = Month(2025, 6)
    assert ask(1_500_000, ground, start=june).state_support == ask(1_500_000, start=june).state_support
    assert ask(1_500_000, ground).state_support > ask(1_500_000).state_support


def test_of_several_grounds_the_highest_counts_alone() -> None:
    told = ask(1_500_000, Ground.ETHNIC_MINORITY, Ground.NEAR_POOR)
    assert (told.ground, told.state_support) == (Ground.NEAR_POOR, 132_000)
    assert ask(1_500_000, Ground.ISLAND, Ground.POOR).ground is Ground.POOR
    assert ask(1_500_000).ground is Ground.OTHER


def test_the_law_is_that_of_the_day_of_payment() -> None:
    early = ask(1_500_000, Ground.POOR, start=Month(2025, 7), months=3, paid_on=date(2025, 6, 30))
    assert early.state_support == 3 * 99_000
    assert ask(1_500_000, Ground.POOR, start=Month(2025, 6), months=3).state_support == 3 * 99_000
    late = ask(1_500_000, Ground.POOR, start=Month(2025, 6), months=3, paid_on=date(2025, 7, 1))
    assert late.state_support == 3 * 165_000
    assert not late.late


def test_paying_after_the_window_is_told() -> None:
    assert ask(1_500_000, paid_on=date(2026, 8, 1)).late
    assert not ask(1_500_000, paid_on=date(2026, 7, 31)).late


@pytest.mark.parametrize(
    ("income", "start", "nearest"),
    [
        (1_450_000, "2026-07", ["1.500.000"]),
        (700_000, "2022-01", ["1.500.000"]),
        (1_520_000, "2026-07", ["1.500.000", "1.550.000"]),
        (50_650_000, "2026-07", ["50.600.000"]),
        (46_850_000, "2026-06", ["46.800.000"]),
        (27_850_000, "2019-06", ["27.800.000"]),
        (0, "2026-07", ["1.500.000"]),
        (-50_000, "2026-07", ["1.500.000"]),
    ],
)
def test_an_income_the_law_does_not_allow_is_refused_with_the_nearest(
    income: int, start: str, nearest: list[str]
) -> None:
    with pytest.raises(RuleBroken) as refused:
        ask(income, start=Month.parse(start))
    assert refused.value.field == "income"
    assert all(amount in str(refused.value) for amount in nearest)


def test_the_old_floor_held_until_the_end_of_2021() -> None:
    assert ask(700_000, start=Month(2021, 12)).payable == 154_000 - 15_400


@pytest.mark.parametrize(
    ("plan", "start"),
    [(Plan.years_ahead(2), Month(2027, 1)), (Plan.missing(60), Month(2025, 12))],
)
def test_a_rate_not_yet_announced_is_named(plan: Plan, start: Month) -> None:
    with pytest.raises(RuleBroken, match="investment rate") as refused:
        quote(LAW, 1_500_000, [], start, None, plan)
    assert f"1/{start.number}/{start.year}" in str(refused.value)


def test_days_before_the_record_are_refused_by_name() -> None:
    with pytest.raises(RuleBroken, match="not recorded"):
        ask(700_000, start=Month(2015, 12))


@pytest.mark.parametrize("plan", [Plan.years_ahead(6), Plan.years_ahead(1), Plan.missing(61), Plan.missing(0)])
def test_too_much_or_too_little_at_once_is_refused(plan: Plan) -> None:
    with pytest.raises(RuleBroken, match=r"One may pay for [12] to"):
        quote(LAW, 1_500_000, [], JULY_2026, None, plan)


@pytest.mark.parametrize("months", [0, 2, 13, -1])
def test_only_the_periods_of_the_law_may_be_chosen(months: int) -> None:
    with pytest.raises(RuleBroken, match="1, 3, 6 or 12"):
        Plan.periodic(months)


def test_a_negative_count_of_supported_months_is_refused() -> None:
    with pytest.raises(RuleBroken, match="fewer than none"):
        ask(1_500_000, supported_before=-1)


def test_after_120_months_nothing_is_left_of_the_state_support() -> None:
    assert ask(1_500_000, months=12, supported_before=120).state_support == 0
    assert ask(1_500_000, months=12, supported_before=500).supported_months == 0
    assert ask(1_500_000, months=12, supported_before=119).supported_months == 1


def top_up(ground: Ground = Ground.NEAR_POOR, **more: Any) -> LocalTopUp:
    given: dict[str, Any] = {"percent": Decimal(60), "amount": None, "until": None, "months_cap": None}
    return LocalTopUp(ground=ground, since=date(2025, 1, 1), document="Nghị quyết", **(given | more))


def test_a_place_adds_a_share_of_the_floor_premium() -> None:
    told = ask(2_000_000, Ground.NEAR_POOR, local_top_ups=[top_up()])
    assert (told.state_support, told.local_support, told.payable) == (132_000, 198_000, 110_000)
    assert told.lines[-1].source == "Nghị quyết"
    assert ask(2_000_000, local_top_ups=[top_up()]).local_support == 0


def test_a_local_addition_ends_with_its_day_and_its_months() -> None:
    assert ask(2_000_000, Ground.NEAR_POOR, local_top_ups=[top_up(until=date(2026, 6, 30))]).local_support == 0
    capped = ask(2_000_000, Ground.NEAR_POOR, months=3, local_top_ups=[top_up(months_cap=12)], local_months_before=10)
    assert capped.local_support == 2 * 198_000


def test_the_best_of_several_local_additions_is_taken_alone() -> None:
    everyone = top_up(Ground.OTHER, percent=None, amount=50_000)
    told = ask(2_000_000, Ground.NEAR_POOR, Ground.POOR, local_top_ups=[everyone, top_up()])
    assert told.local_support == 198_000
    assert ask(2_000_000, Ground.POOR, local_top_ups=[everyone, top_up()]).local_support == 50_000


def test_a_sponsor_gives_no_more_than_is_needed() -> None:
    told = ask(1_500_000, Ground.POOR, other_support=300_000)
    assert (told.state_support, told.other_support, told.payable) == (165_000, 165_000, 0)


def test_an_announced_value_is_not_counted() -> None:
    draft = LawValue(
        LawKey.POVERTY_LINE, None, Decimal(9_000_000), date(2026, 1, 1), "Dự thảo", status=LawStatus.ANNOUNCED
    )
    assert Law((*LAW.values, draft)).on(date(2026, 7, 1)).floor == 1_500_000


def test_a_new_line_in_the_law_changes_later_payments_only() -> None:
    raised = LawValue(LawKey.POVERTY_LINE, None, Decimal(2_200_000), date(2027, 1, 1), "Nghị định mới")
    law = Law((*LAW.values, raised))
    assert ask(2_200_000, start=Month(2027, 1), law=law).state_support == 96_800
    assert ask(2_200_000, start=Month(2026, 12), law=law).state_support == 66_000


def test_the_poverty_line_of_2026_is_what_agents_use_and_is_told_as_that() -> None:
    before, after = (LAW.on(day).row(LawKey.POVERTY_LINE) for day in (date(2025, 12, 31), date(2026, 1, 1)))
    assert (before.value, before.status) == (after.value, LawStatus.IN_FORCE)
    assert after.status is LawStatus.PRACTICE


def test_a_quote_names_the_values_it_rests_on() -> None:
    lines = {line.name: line for line in ask(1_500_000, Ground.POOR).lines}
    assert lines["support_percent"].value == 50
    assert lines["support_percent"].since == date(2025, 7, 1)
    assert "159/2025" in lines["support_percent"].source
    assert (lines["poverty_line"].since, lines["poverty_line"].status) == (date(2026, 1, 1), LawStatus.PRACTICE)
    assert lines["income_step"].as_json()["value"] == "50000"


INCOMES = st.integers(0, 982).map(lambda steps: 1_500_000 + steps * 50_000)
GROUNDS = st.sets(st.sampled_from(Ground))
STARTS = st.integers(0, 5).map(lambda months: JULY_2026 + months)
PLANS = st.one_of(
    st.sampled_from([1, 3, 6, 12]).map(Plan.periodic),
    st.integers(2, 5).map(Plan.years_ahead),
    st.integers(1, 60).map(Plan.missing),
)
TOP_UPS = st.lists(
    st.builds(
        top_up,
        st.sampled_from(Ground),
        percent=st.integers(0, 300).map(Decimal),
        months_cap=st.none() | st.integers(1, 60),
    )
)


@given(INCOMES, GROUNDS, STARTS, PLANS, st.integers(0, 130), TOP_UPS, st.integers(-(10**6), 10**8))
def test_layers_always_add_up_and_nobody_is_paid_for_paying(
    income: int,
    grounds: set[Ground],
    start: Month,
    plan: Plan,
    before: int,
    top_ups: list[LocalTopUp],
    other: int,
) -> None:
    told = quote(
        LAW,
        income,
        grounds,
        start,
        None,
        plan,
        supported_before=before,
        local_top_ups=top_ups,
        other_support=other,
    )
    layers = (told.state_support, told.local_support, told.other_support, told.payable)
    assert sum(layers) == told.gross
    assert min(layers) >= 0
    assert 0 <= told.supported_months <= min(plan.months, max(0, 120 - before))


@given(INCOMES, GROUNDS, PLANS, st.integers(0, 130))
def test_a_higher_income_never_costs_less(income: int, grounds: set[Ground], plan: Plan, before: int) -> None:
    lower = quote(LAW, income, grounds, JULY_2026, None, plan, supported_before=before)
    higher = quote(LAW, min(income + 50_000, 50_600_000), grounds, JULY_2026, None, plan, supported_before=before)
    assert higher.gross >= lower.gross
    assert higher.payable >= lower.payable
    assert higher.state_support == lower.state_support


@given(INCOMES, GROUNDS, st.sampled_from([3, 6, 12]), st.integers(0, 130))
def test_paying_month_by_month_costs_the_same_as_at_once(
    income: int, grounds: set[Ground], months: int, before: int
) -> None:
    paid_on = JULY_2026.first_day
    single = [
        ask(income, *grounds, start=JULY_2026 + i, paid_on=paid_on, supported_before=before + i) for i in range(months)
    ]
    at_once = ask(income, *grounds, months=months, supported_before=before)
    assert sum(each.payable for each in single) == at_once.payable
    assert sum(each.state_support for each in single) == at_once.state_support


@given(INCOMES, st.integers(2, 5))
def test_paying_ahead_is_cheaper_and_paying_late_dearer(income: int, years: int) -> None:
    nominal = years * 12 * ask(income).gross
    assert quote(LAW, income, [], JULY_2026, None, Plan.years_ahead(years)).gross < nominal
    assert quote(LAW, income, [], JULY_2026, None, Plan.missing(years * 12)).gross > nominal


def test_so_many_months_to_come_are_a_period_or_whole_years_and_nothing_else() -> None:
    assert [Plan.ahead(months) for months in (1, 3, 6, 12)] == [Plan.periodic(months) for months in (1, 3, 6, 12)]
    assert [Plan.ahead(months) for months in (24, 60)] == [Plan.years_ahead(2), Plan.years_ahead(5)]
    for months in (-12, 0, 2, 13, 30):
        with pytest.raises(RuleBroken):
            Plan.ahead(months)


@given(income=st.integers(0, 60_000_000), line=st.sampled_from((1_500_000, 1_520_000, 2_210_000)))
def test_an_income_of_another_law_becomes_the_next_that_is_allowed_and_never_less(income: int, line: int) -> None:
    raised = LawValue(LawKey.POVERTY_LINE, None, Decimal(line), date(2026, 11, 1), "Nghị định 1/2026/NĐ-CP")
    now = Law((*LAW.values, raised)).on(date(2026, 12, 1))
    nearest = nearest_income(now, income)
    check_income(now, nearest)
    if now.floor <= income <= now.ceiling:
        assert income <= nearest < income + now.step
    else:
        assert nearest == (now.floor if income < now.floor else now.ceiling)
