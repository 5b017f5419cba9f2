"""The age of retirement by sex and month of birth, as the table of the labour law gives it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.months import Month
from crm.premiums.rules.benefits.retirement import Birth, earlier_retirement, retirement
from crm.premiums.rules.explaining import Assumption
from crm.premiums.services import law_as_shipped
from crm.prospects.rules import Sex

LAW = law_as_shipped()


def age_by_hand(sex: Sex, year: int) -> int:
    """Labour Code, article 169, in its own words: so many months more each year, up to a most."""
    if year < 2021:
        return 60 * 12 if sex is Sex.MALE else 55 * 12
    if sex is Sex.MALE:
        return min(60 * 12 + 3 * (year - 2020), 62 * 12)
    return min(55 * 12 + 4 * (year - 2020), 60 * 12)


@pytest.mark.parametrize(
    ("sex", "born", "reached", "years", "months"),
    [
        (Sex.MALE, date(1960, 12, 31), "2020-12", 60, 0),
        (Sex.MALE, date(1961, 1, 1), "2021-04", 60, 3),
        (Sex.MALE, date(1961, 9, 30), "2021-12", 60, 3),
        (Sex.MALE, date(1961, 10, 1), "2022-04", 60, 6),
        (Sex.MALE, date(1964, 12, 1), "2026-06", 61, 6),
        (Sex.MALE, date(1966, 4, 1), "2028-04", 62, 0),
        (Sex.MALE, date(1990, 2, 28), "2052-02", 62, 0),
        (Sex.FEMALE, date(1965, 12, 1), "2020-12", 55, 0),
        (Sex.FEMALE, date(1966, 1, 1), "2021-05", 55, 4),
        (Sex.FEMALE, date(1969, 5, 1), "2026-05", 57, 0),
        (Sex.FEMALE, date(1970, 1, 1), "2027-05", 57, 4),
        (Sex.FEMALE, date(1975, 5, 1), "2035-05", 60, 0),
        (Sex.FEMALE, date(2000, 6, 15), "2060-06", 60, 0),
    ],
)
def test_the_month_of_retirement_is_that_of_the_table(
    sex: Sex, born: date, reached: str, years: int, months: int
) -> None:
    found = retirement(LAW, sex, Birth(born))
    assert str(found.reached) == reached
    assert divmod(found.age_months, 12) == (years, months)
    assert found.pension_from == found.reached + 1
    assert not found.assumptions


@given(st.sampled_from(Sex), st.dates(date(1957, 1, 1), date(2011, 12, 31)))
def test_the_age_is_that_of_the_year_in_which_it_is_reached(sex: Sex, born: date) -> None:
    months = (Month.of(born) + i for i in range(50 * 12, 63 * 12))
    by_hand = next(month for month in months if month.since(Month.of(born)) >= age_by_hand(sex, month.year))
    assert retirement(LAW, sex, Birth(born)).reached == by_hand


@given(st.sampled_from(Sex), st.integers(1930, 2011))
def test_whoever_is_born_later_never_retires_earlier(sex: Sex, year: int) -> None:
    births = [Birth(date(year, month, 15)) for month in range(1, 13)]
    reached = [retirement(LAW, sex, birth).reached for birth in births]
    assert reached == sorted(reached)


def test_of_a_year_of_birth_alone_the_first_of_january_counts_and_it_is_said() -> None:
    found = retirement(LAW, Sex.FEMALE, Birth.in_year(1970))
    assert found.reached == retirement(LAW, Sex.FEMALE, Birth(date(1970, 1, 1))).reached
    assert found.assumptions == (Assumption.BORN_ON_1_JANUARY,)
    assert Birth.known(None, None) is None
    assert Birth.known(date(1970, 5, 2), 1970) == Birth(date(1970, 5, 2))


def test_an_age_reached_before_the_record_begins_is_said() -> None:
    found = retirement(LAW, Sex.MALE, Birth(date(1940, 5, 1)))
    assert (str(found.reached), found.assumptions) == ("2000-05", (Assumption.BEFORE_THE_RECORD,))


def test_months_to_go_end_with_the_month_the_age_is_reached() -> None:
    found = retirement(LAW, Sex.FEMALE, Birth(date(1970, 1, 1)))
    assert found.months_to_go(Month(2027, 5)) == 1
    assert found.months_to_go(Month(2027, 6)) == 0
    assert found.months_to_go(Month(2040, 1)) == 0


def test_the_result_names_the_row_it_rests_on() -> None:
    (line,) = retirement(LAW, Sex.MALE, Birth(date(1964, 12, 1))).lines
    assert (line.value, line.since) == (738, date(2026, 1, 1))
    assert "45/2019" in line.source


def test_whoever_joined_before_2021_keeps_the_age_of_that_time() -> None:
    born = Birth(date(1975, 5, 1))
    needed, found = earlier_retirement(LAW, Sex.FEMALE, born, date(2009, 3, 1)) or (0, None)
    assert needed == 240
    assert found
    assert (str(found.reached), len(found.lines)) == ("2030-05", 2)
    assert earlier_retirement(LAW, Sex.FEMALE, born, date(2021, 1, 1)) is None
