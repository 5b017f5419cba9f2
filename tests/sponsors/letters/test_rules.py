"""Numbers that catch a mistake, tellings that point at nobody, and what comes next."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.months import Month
from crm.prospects.rules import Ground
from crm.sponsors.letters.rules import (
    FEWEST,
    CarriedMonth,
    MonthState,
    Next,
    PaperKind,
    Told,
    dong_in_words,
    first_page_years,
    paper_number,
    read_number,
    runs_of,
    told_as,
    what_comes_next,
)
from crm.sponsors.rules import CODE_LETTERS, Balance

NUMBER = paper_number(PaperKind.RECEIPT, 2019, 12, 1_234_567)
numbers = st.builds(
    paper_number,
    st.sampled_from(list(PaperKind)),
    st.integers(2019, 2099),
    st.integers(1, 99_999),
    st.integers(0, 31**5 - 1),
)


def right(text: str) -> bool:
    try:
        read_number(text)
    except RuleBroken:
        return False
    return True


@given(numbers)
def test_a_number_is_read_however_it_is_typed(number: str) -> None:
    for typed in (number, number.lower(), number.replace("-", ""), f" {number.replace('-', ' ')} "):
        assert read_number(typed) == number


@given(numbers, st.data())
def test_one_wrong_character_is_noticed(number: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(number) - 1).filter(lambda at: number[at] != "-"))
    other = data.draw(st.sampled_from(CODE_LETTERS).filter(lambda letter: letter not in (number[place], "X")))
    assert not right(number[:place] + other + number[place + 1 :])


@given(numbers, st.data())
def test_two_characters_that_changed_places_are_noticed(number: str, data: st.DataObject) -> None:
    plain = number.replace("-", "")
    one = data.draw(st.integers(2, len(plain) - 2))
    other = data.draw(st.integers(one + 1, len(plain) - 1))
    letters = list(plain)
    letters[one], letters[other] = letters[other], letters[one]
    assert plain[one] == plain[other] or not right("".join(letters))


@given(st.integers(1, 9_999), st.integers(0, 31**5 - 1))
def test_a_number_that_lost_a_character_is_none(serial: int, drawn: int) -> None:
    number = paper_number(PaperKind.RECEIPT, 2019, serial, drawn)
    assert not any(right(number[:place] + number[place + 1 :]) for place in range(len(number)) if number[place] != "-")


def test_letters_that_people_misread_are_read_as_what_was_printed() -> None:
    for kind in PaperKind:
        number = paper_number(kind, 2010, 101, 0)
        assert read_number(number[:2] + number[2:].replace("0", "O").replace("1", "I")) == number


@pytest.mark.parametrize("text", ["", "BN", "XX19-0012-7KQ4MW", "BN19-12-7KQ4MW", "' or 1=1", "BN19-0012-7KQ4M\u0110"])
def test_what_is_no_number_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(RuleBroken, match="looks like"):
        read_number(text)


def test_neighbours_cannot_be_found_by_counting() -> None:
    """The next in the sequence has another lot: a number that only counts on is refused, 30 times of 31, by its check
    already, and otherwise is the number of nobody."""
    following = NUMBER.replace("-0012-", "-0013-")
    assert not right(following)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (165_000, "Một trăm sáu mươi lăm nghìn đồng"),
        (15_000_000, "Mười lăm triệu đồng"),
        (21_024_105, "Hai mươi mốt triệu không trăm hai mươi tư nghìn một trăm linh năm đồng"),
    ],
)
def test_a_receipt_says_its_sum_in_words(amount: int, words: str) -> None:
    assert dong_in_words(amount) == words


# ---- nobody is pointed at

A, B, C, D = (UUID(int=number) for number in range(1, 5))
POOR, NEAR = Ground.POOR, Ground.NEAR_POOR


def test_where_enough_people_live_place_and_need_are_told() -> None:
    told = told_as({(A, POOR): FEWEST, (A, NEAR): 9})
    assert told == {(A, POOR): Told(A, POOR), (A, NEAR): Told(A, NEAR)}


def test_one_small_need_hides_the_needs_of_its_whole_ward() -> None:
    """Otherwise whoever is not near-poor would be the only poor one."""
    told = told_as({(A, POOR): 1, (A, NEAR): 9})
    assert set(told.values()) == {Told(A, None)}


def test_a_ward_with_too_few_takes_the_next_smallest_with_it() -> None:
    told = told_as({(A, POOR): 1, (B, POOR): 6, (C, POOR): 40})
    assert told[A, POOR] == told[B, POOR] == Told(None, None)
    assert told[C, POOR] == Told(C, POOR)


def test_two_small_wards_hide_each_other_when_they_are_enough_together() -> None:
    told = told_as({(A, POOR): 3, (B, NEAR): 2, (C, POOR): 40})
    assert told[A, POOR] == told[B, NEAR] == Told(None, None)
    assert told[C, POOR] == Told(C, POOR)


cells = st.dictionaries(
    st.tuples(st.sampled_from([A, B, C, D]), st.sampled_from([POOR, NEAR])), st.integers(0, 12), min_size=1
)


@given(cells)
def test_every_telling_fits_enough_people_or_the_whole_town(people: dict[tuple[UUID, Ground], int]) -> None:
    told = told_as(people)
    fits: dict[Told, int] = {}
    for cell, how in told.items():
        fits[how] = fits.get(how, 0) + people[cell]
    everybody_is_one = set(told.values()) == {Told(None, None)}
    assert everybody_is_one or min(fits.values()) >= FEWEST


@given(cells)
def test_a_hidden_ward_is_never_the_only_hidden_one(people: dict[tuple[UUID, Ground], int]) -> None:
    told = told_as(people)
    hidden = {place for (place, _need), how in told.items() if how.place_id is None}
    places = {place for place, _need in people}
    assert len(hidden) != 1 or hidden == places


# ---- months and what comes next


def month(number: int, name: Month, state: MonthState = MonthState.PAID, amount: int = 100) -> CarriedMonth:
    return CarriedMonth(number, A, name, amount, state)


def test_months_in_a_row_are_told_as_one() -> None:
    start = Month(2019, 10)
    found = runs_of(
        [
            month(1, start + 2),
            month(1, start),
            month(1, start + 1),
            month(1, start + 3, MonthState.SET_ASIDE),
            month(1, start + 5, MonthState.SET_ASIDE),
            month(1, start + 4, MonthState.GIVEN_BACK),
        ]
    )
    assert [(str(run.first), str(run.last), run.state.value, run.amount) for run in found] == [
        ("2019-10", "2019-12", "paid", 300),
        ("2020-01", "2020-01", "set_aside", 100),
        ("2020-03", "2020-03", "set_aside", 100),
        ("2020-02", "2020-02", "given_back", 100),
    ]


def test_what_comes_next_begins_with_the_money_that_is_expected() -> None:
    soon, later = Month(2019, 12), Month(2020, 6)
    assert what_comes_next(Balance(available=500), 1_000, 100, later, soon) == [
        Next.TRANSFER,
        Next.CHOOSING,
        Next.CARRYING,
    ]
    assert what_comes_next(Balance(available=50), 0, 100, soon, soon) == [Next.LITTLE_LEFT, Next.ENDING]
    assert what_comes_next(Balance(), 0, 100, None, soon) == [Next.NOTHING]


def test_years_of_statements_begin_with_the_first_money() -> None:
    assert first_page_years([date(2018, 5, 1), date(2019, 1, 1)], date(2020, 3, 1)) == [2020, 2019, 2018]
    assert first_page_years([], date(2020, 3, 1)) == []
