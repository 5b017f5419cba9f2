import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.phones import (
    NO_PHONE,
    Phone,
    PhoneProblem,
    digits_for_search,
    is_mobile,
    pretty,
    read_phone,
)


@pytest.mark.parametrize(
    ("written", "mobile"),
    [
        ("0912345678", "+84912345678"),
        ("0912.345.678", "+84912345678"),
        ("+84 335 578 712", "+84335578712"),
        ("84912345678", "+84912345678"),
        ("0084912345678", "+84912345678"),
        ("+84 (0)912 345 678", "+84912345678"),
        ("973999434", "+84973999434"),
        (973999434.0, "+84973999434"),
        ("912345678.0", "+84912345678"),
        (912345678, "+84912345678"),
        ("01285753266", "+84785753266"),
        ("1285753266", "+84785753266"),
        ("01867387792", "+84567387792"),
        ("01693274007", "+84393274007"),
        ("O912 345 678", "+84912345678"),
        ("'0912345678", "+84912345678"),
        ("ĐT: 0912345678 (con gái)", "+84912345678"),
        ("０９１２３４５６７８", "+84912345678"),
        ("849123456", "+84849123456"),
    ],
)
def test_a_mobile_in_any_spelling(written: object, mobile: str) -> None:
    assert read_phone(written) == Phone(mobile)
    assert is_mobile(mobile)


@pytest.mark.parametrize(
    "written",
    ["02373357806", "2373357806", "(0237) 3.357.806", "+84 237 335 7806", 2373357806.0],
)
def test_a_landline_is_not_a_mobile(written: object) -> None:
    assert read_phone(written) == Phone(landline="+842373357806")


def test_several_numbers_in_one_cell() -> None:
    assert read_phone("0912345678/0987654321") == Phone("+84912345678", others=("+84987654321",))
    assert read_phone("02373357806 - 0912 345 678") == Phone("+84912345678", "+842373357806")
    assert read_phone("091 234 5678 098 765 4321") == Phone("+84912345678", others=("+84987654321",))
    assert read_phone("0912345678 hoặc 01693274007").other == "+84393274007"
    assert read_phone("0912345678; 0912.345.678") == Phone("+84912345678")


@pytest.mark.parametrize("written", [None, "", "  ", "không có", "Không", "KO", "-", "n/a"])
def test_somebody_without_a_telephone(written: object) -> None:
    assert read_phone(written) == NO_PHONE


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("12345", PhoneProblem.TOO_SHORT),
        ("0512345678", PhoneProblem.UNKNOWN_PREFIX),
        ("01111111111", PhoneProblem.UNKNOWN_PREFIX),
        ("09123456789012", PhoneProblem.TOO_LONG),
        ("+1 202 555 0143", PhoneProblem.FOREIGN),
        ("9.12346E+08", PhoneProblem.DIGITS_LOST),
        ("gọi cho con", PhoneProblem.NO_NUMBER),
        ("+", PhoneProblem.NO_NUMBER),
    ],
)
def test_what_cannot_be_read_says_why(written: str, problem: PhoneProblem) -> None:
    assert read_phone(written) == Phone(problem=problem)


def test_numbers_are_shown_as_people_write_them() -> None:
    assert pretty("+84912345678") == "0912 345 678"
    assert pretty("+842373357806") == "0237 335 7806"
    assert pretty("+842438251234") == "024 3825 1234"
    assert pretty("+12025550143") == "+12025550143"


@pytest.mark.parametrize(
    "query",
    [
        "0912",
        "+84 912",
        "91 23",
        "84912",
        "0084 912",
        "0912.345.678",
        "5678",
        "84 0912",
        "+84 (0)912",
    ],
)
def test_part_of_a_number_finds_it(query: str) -> None:
    assert digits_for_search(query) in "+84912345678"


def test_searching_knows_old_prefixes_and_words() -> None:
    assert digits_for_search("0128 5753") == "785753"
    assert digits_for_search("01285753266") == "785753266"
    assert digits_for_search("Lan") == ""
    assert digits_for_search("") == ""


@given(
    st.one_of(
        st.text(max_size=40),
        st.floats(),
        st.integers(),
        st.from_regex(r"[0-9+ ./-]{0,30}", fullmatch=True),
    )
)
def test_reading_never_fails_and_tells_only_whole_numbers(raw: object) -> None:
    phone = read_phone(raw)
    assert phone.mobile is None or is_mobile(phone.mobile)
    assert phone.landline is None or re.fullmatch(r"\+842\d{9}", phone.landline)
    assert not (phone.problem and (phone.mobile or phone.landline))
