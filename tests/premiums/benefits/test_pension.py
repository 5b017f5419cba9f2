"""What paying on brings in old age, in stories and against a second, plain computation."""

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.months import Month
from crm.premiums.rules.benefits.earnings import Earned
from crm.premiums.rules.benefits.pension import PensionOutlook, Person, Way, pension_outlook
from crm.premiums.rules.benefits.retirement import Birth
from crm.premiums.rules.explaining import Assumption, Unknown
from crm.premiums.services import law_as_shipped
from crm.prospects.rules import Ground, Sex

LAW = law_as_shipped()
START = Month(2026, 12)


def look(person: Person, income: int = 1_500_000, start: Month = START, until_age: int = 90) -> PensionOutlook:
    return pension_outlook(LAW, person, income, start, until_age=until_age)


def paying_on(told: PensionOutlook) -> Way:
    assert told.paying_on
    return told.paying_on


def test_a_woman_of_forty_pays_twenty_years_and_draws_a_pension() -> None:
    told = look(Person(Sex.FEMALE, Birth(date(1986, 12, 5)), grounds=frozenset({Ground.OTHER})))
    way = paying_on(told)
    assert (told.months_needed, told.months_still_needed, told.short_at_retirement) == (180, 180, 0)
    assert str(told.retirement.reached) == "2046-12"
    assert (way.months, str(way.entitled_from)) == (241, "2047-01")
    assert way.rate * 100 == 56
    assert way.pension == 840_000
    assert way.paid_in_months == 120 * 264_000 + 121 * 330_000
    assert way.months_until_paid_back == 86
    assert told.missing_months is None


def test_one_month_over_twenty_years_counts_half_a_year() -> None:
    way = paying_on(look(Person(Sex.FEMALE, Birth(date(1986, 11, 5)))))
    assert (way.months, way.rate * 100) == (240, 55)


def test_whoever_is_short_at_the_age_pays_on_or_pays_at_once() -> None:
    told = look(Person(Sex.MALE, Birth(date(1965, 6, 1)), earned=(Earned(150, 1_500_000),), supported_so_far=0))
    assert (str(told.retirement.reached), told.short_at_retirement) == ("2026-12", 29)
    way = paying_on(told)
    assert (way.months, str(way.entitled_from)) == (180, "2029-06")
    missing = told.missing_months
    assert missing
    assert (missing.months_ahead, missing.months_at_once, str(missing.entitled_from)) == (1, 29, "2027-01")
    assert missing.rate * 100 == 40
    interest = sum((1 + 31 / 10_000) ** i for i in range(1, 30))
    assert missing.paid_at_once is not None
    assert abs(missing.paid_at_once - (330_000 * interest - 66_000 * 29)) < 1
    assert missing.at_once_without_interest == 29 * 264_000
    assert Unknown.INVESTMENT_RATE not in told.unknown


def test_an_interest_rate_not_announced_leaves_the_sum_open_and_says_so() -> None:
    told = look(Person(Sex.MALE, Birth(date(1966, 3, 1)), earned=(Earned(120, 1_500_000),)))
    missing = told.missing_months
    assert missing
    assert (missing.paid_at_once, missing.paid_by_oneself, missing.months_until_paid_back) == (None, None, None)
    assert missing.life == ()
    assert missing.at_once_without_interest > 0
    assert missing.pension > 0
    assert Unknown.INVESTMENT_RATE in told.unknown


def test_too_many_missing_months_cannot_be_bought() -> None:
    told = look(Person(Sex.FEMALE, Birth(date(1969, 8, 1))))
    assert told.short_at_retirement > 60
    assert told.missing_months is None
    assert paying_on(told).months == 180


def test_whoever_has_enough_and_the_age_draws_from_the_start() -> None:
    way = paying_on(look(Person(Sex.FEMALE, Birth(date(1960, 1, 1)), earned=(Earned(200, 2_000_000),))))
    assert (way.months_ahead, way.entitled_from, way.paid_in_months) == (0, START, 0)
    assert way.pension == 1_000_000 * (45 + 4) * 2 // 100


def test_what_is_not_known_of_the_past_is_said_and_never_counted_in_favour() -> None:
    told = look(Person(Sex.FEMALE, Birth(date(1986, 12, 5)), earned=(Earned(60),)))
    assert Assumption.AVERAGE_LIKE_AHEAD in told.assumptions
    assert Assumption.PAST_PAID_IN_FULL in told.assumptions
    known = look(Person(Sex.FEMALE, Birth(date(1986, 12, 5)), earned=(Earned(60, 1_500_000),), paid_so_far=9_000_000))
    assert Assumption.PAST_PAID_IN_FULL not in known.assumptions
    assert paying_on(known).pension == paying_on(told).pension
    assert (paying_on(told).paid_by_oneself or 0) - (paying_on(known).paid_by_oneself or 0) == 19_800_000 - 9_000_000


def test_where_the_states_months_are_not_known_less_help_is_promised_and_it_is_said() -> None:
    birth, earned = Birth(date(1986, 12, 5)), (Earned(60, 1_500_000),)
    unknown = look(Person(Sex.FEMALE, birth, earned=earned))
    known = look(Person(Sex.FEMALE, birth, earned=earned, supported_so_far=10))
    assert Assumption.ALL_SUPPORTED_SO_FAR in unknown.assumptions
    assert Assumption.ALL_SUPPORTED_SO_FAR not in known.assumptions
    assert paying_on(unknown).paid_in_months - paying_on(known).paid_in_months == 50 * 66_000


def test_what_the_state_paid_so_far_is_not_ones_own_cost() -> None:
    birth, earned = Birth(date(1986, 12, 5)), (Earned(60, 1_500_000),)
    told = look(Person(Sex.FEMALE, birth, earned=earned, supported_so_far=20))
    way = paying_on(told)
    assert way.paid_by_oneself == way.paid_in_months + 60 * 330_000 - 20 * 66_000
    assert Assumption.PAST_HELPED_LIKE_NOW in told.assumptions
    assert Assumption.PAST_PAID_IN_FULL not in told.assumptions


def test_a_mans_pension_has_the_rate_of_the_day_on_which_it_begins() -> None:
    told = look(Person(Sex.MALE, Birth(date(1979, 10, 5))), 700_000, Month(2019, 10))
    way = paying_on(told)
    assert (str(way.entitled_from), way.months) == ("2041-11", 265)
    assert (way.rate * 100, way.pension) == (50, 350_000)
    since = {line.since for line in told.lines if line.name == "pension_years_men"}
    assert since == {date(2025, 7, 1)}


def test_without_this_years_price_coefficients_incomes_stay_as_chosen_and_it_is_said() -> None:
    earned = (Earned(12, 1_000_000, year=2019),)
    told = look(Person(Sex.FEMALE, Birth(date(1986, 12, 5)), earned=earned))
    assert Unknown.PRICE_COEFFICIENTS in told.unknown
    assert Assumption.NOT_RAISED_WITH_PRICES in told.assumptions
    before = look(Person(Sex.FEMALE, Birth(date(1986, 12, 5)), earned=earned), start=Month(2025, 12))
    assert Unknown.PRICE_COEFFICIENTS not in before.unknown
    assert [line.of_year for line in before.lines if line.name == "price_coefficient"] == [2019]


def test_whoever_joined_long_ago_and_pays_twenty_years_retires_at_the_old_age() -> None:
    earned, since = (Earned(200, 1_000_000),), date(2008, 5, 1)
    person = Person(Sex.FEMALE, Birth(date(1975, 5, 1)), earned=earned, voluntary_since=since)
    assert str(look(person).retirement.reached) == "2030-05"
    too_few = Person(Sex.FEMALE, Birth(date(1975, 5, 1)), earned=(Earned(100),), voluntary_since=since)
    assert str(look(too_few).retirement.reached) == "2035-05"


def test_a_child_may_not_join_yet() -> None:
    with pytest.raises(RuleBroken, match="15"):
        look(Person(Sex.FEMALE, Birth(date(2012, 1, 1))))
    assert paying_on(look(Person(Sex.FEMALE, Birth(date(2011, 12, 1))))).months > 500


def test_before_the_law_on_rates_is_on_record_there_is_no_guess() -> None:
    told = look(Person(Sex.FEMALE, Birth(date(1986, 12, 5))), 700_000, Month(2016, 12))
    assert (told.paying_on, told.unknown) == (None, (Unknown.PENSION_LAW,))


def test_the_life_of_payments_starts_with_the_last_birthday_and_ends_where_asked() -> None:
    way = paying_on(look(Person(Sex.FEMALE, Birth(date(1986, 12, 5))), until_age=85))
    assert [year.age for year in way.life] == list(range(40, 86))
    assert (way.life[0].paid, way.life[0].received) == (0, 0)
    assert way.life[1].paid == 12 * 264_000
    assert way.life[-1].paid == way.paid_by_oneself
    assert way.life[-1].received == (25 * 12 - 1) * way.pension


INCOMES = st.integers(0, 900).map(lambda steps: 1_500_000 + steps * 50_000)
PEOPLE = st.builds(
    Person,
    st.sampled_from(Sex),
    st.dates(date(1950, 1, 1), date(2011, 11, 30)).map(Birth),
    earned=st.lists(st.builds(Earned, st.integers(1, 90), INCOMES), max_size=3).map(tuple),
    paid_so_far=st.none() | st.integers(0, 10**9),
    supported_so_far=st.none() | st.integers(0, 130),
    grounds=st.frozensets(st.sampled_from(Ground)),
)


def rate_by_hand(sex: Sex, months: int) -> Decimal:
    """Law 41/2024, article 99, in its own words."""
    years, odd = divmod(months, 12)
    counted = Decimal(years) + (0 if not odd else Decimal("0.5") if odd <= 6 else 1)
    if sex is Sex.FEMALE:
        return min(Decimal(75), 45 + 2 * (counted - 15))
    return 40 + (counted - 15) if counted < 20 else min(Decimal(75), 45 + 2 * (counted - 20))


@given(PEOPLE, INCOMES)
def test_an_outlook_is_that_of_a_plain_computation_month_by_month(person: Person, income: int) -> None:
    told = look(person, income)
    month, months, own, helped = START, person.months_so_far, 0, person.supported_so_far
    helped = person.months_so_far if helped is None else helped
    share = max(
        [{"poor": 50, "island": 50, "near_poor": 40, "ethnic_minority": 30}.get(g, 20) for g in person.grounds] or [20]
    )
    while month <= told.retirement.reached or months < 180:
        own += income * 22 // 100 - (1_500_000 * 22 * share // 10_000 if helped < 120 else 0)
        month, months, helped = month + 1, months + 1, helped + 1
    way = paying_on(told)
    assert (way.entitled_from, way.months, way.paid_in_months) == (max(month, START), months, own)
    total = sum(each.months * (each.income or 0) for each in person.earned) + income * (months - person.months_so_far)
    with localcontext() as exact:
        exact.prec = 50
        pension = Decimal(total) * rate_by_hand(person.sex, months) / months / 100
    assert way.pension == int(pension.quantize(Decimal(1), "ROUND_HALF_UP"))
    assert all(type(each) is int for each in (way.pension, way.paid_in_months, way.average_income))


@given(PEOPLE, INCOMES, st.integers(1, 60))
def test_a_pension_grows_with_income_and_with_months(person: Person, income: int, more: int) -> None:
    way, richer = paying_on(look(person, income)), paying_on(look(person, income + 50_000))
    assert richer.pension >= way.pension
    assert richer.paid_in_months >= way.paid_in_months
    alike = replace(person, earned=tuple(replace(each, income=income) for each in person.earned))
    longer = replace(alike, earned=(*alike.earned, Earned(more, income)))
    assert paying_on(look(longer, income)).months >= paying_on(look(alike, income)).months
    assert paying_on(look(longer, income)).pension >= paying_on(look(alike, income)).pension


@given(PEOPLE, INCOMES)
def test_a_life_of_payments_only_ever_grows_and_ends_with_what_was_paid(person: Person, income: int) -> None:
    told = look(person, income, until_age=100)
    for way in filter(None, (told.paying_on, told.missing_months)):
        years = way.life
        assert [year.paid for year in years] == sorted(year.paid for year in years)
        assert [year.received for year in years] == sorted(year.received for year in years)
        if years:
            assert years[-1].paid == way.paid_by_oneself
        if way.months_until_paid_back:
            received = way.months_until_paid_back * way.pension
            assert way.paid_by_oneself is not None
            assert received - way.pension < way.paid_by_oneself <= received
    if told.missing_months:
        assert told.missing_months.months_at_once <= 60
        assert told.missing_months.months == 180
        assert told.missing_months.entitled_from <= paying_on(told).entitled_from
