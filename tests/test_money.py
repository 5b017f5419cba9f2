"""Đồng are whole, exact, and read aloud as an office writes them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.money import half_up, in_figures, in_words, split, split_evenly


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "không"),
        (5, "năm"),
        (10, "mười"),
        (11, "mười một"),
        (15, "mười lăm"),
        (21, "hai mươi mốt"),
        (14, "mười bốn"),
        (24, "hai mươi tư"),
        (25, "hai mươi lăm"),
        (55, "năm mươi lăm"),
        (100, "một trăm"),
        (104, "một trăm linh bốn"),
        (105, "một trăm linh năm"),
        (110, "một trăm mười"),
        (1_000, "một nghìn"),
        (1_015, "một nghìn không trăm mười lăm"),
        (64_021, "sáu mươi tư nghìn không trăm hai mươi mốt"),
        (165_000, "một trăm sáu mươi lăm nghìn"),
        (297_000, "hai trăm chín mươi bảy nghìn"),
        (21_000_005, "hai mươi mốt triệu không trăm linh năm"),
        (1_001_000, "một triệu không trăm linh một nghìn"),
        (1_000_000_000, "một tỷ"),
        (1_000_000_005, "một tỷ không trăm linh năm"),
        (1_000_001_000, "một tỷ không trăm linh một nghìn"),
        (1_944_000_000, "một tỷ chín trăm bốn mươi tư triệu"),
        (2_050_000_000, "hai tỷ không trăm năm mươi triệu"),
        (1_005_000_000_000, "một nghìn không trăm linh năm tỷ"),
        (-5, "âm năm"),
    ],
)
def test_amounts_in_words_are_as_offices_write_them(amount: int, words: str) -> None:
    assert in_words(amount) == words


@given(
    st.integers(min_value=0, max_value=10**15),
    st.integers(min_value=0, max_value=10**15),
)
def test_two_amounts_never_share_their_words(one: int, other: int) -> None:
    assert (in_words(one) == in_words(other)) == (one == other)


def test_a_half_is_rounded_up() -> None:
    assert [half_up(Fraction(n, 2)) for n in (1, 2, 3, -1)] == [1, 1, 2, 0]


@given(
    st.integers(min_value=0, max_value=10**15),
    st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=30).filter(any),
)
def test_a_split_amount_adds_up_again(amount: int, weights: list[int]) -> None:
    parts = split(amount, weights)
    assert sum(parts) == amount
    assert all(abs(Fraction(amount * w, sum(weights)) - part) < 1 for part, w in zip(parts, weights, strict=True))


def test_an_even_split_differs_by_one_dong_at_most() -> None:
    assert split_evenly(100, 3) == [34, 33, 33]


@pytest.mark.parametrize("weights", [[0, 0], [], [1, -1, 3]])
def test_a_split_without_sensible_weights_is_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="Weights"):
        split(100, weights)


def test_figures_have_dots_and_the_sign() -> None:
    assert in_figures(1_385_000) == "1.385.000\u00a0đ"
