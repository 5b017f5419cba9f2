import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.names import (
    NameProblem,
    fold,
    looks_like_a_name,
    same_name_key,
    sort_key,
    spelling_key,
    tidy,
    title_key,
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  LÊ  THỊ   HỒNG  MỸ ", "Lê Thị Hồng Mỹ"),
        ("đặng văn dũng", "Đặng Văn Dũng"),
        ("ÐẶNG VĂN DŨNG", "Đặng Văn Dũng"),
        (unicodedata.normalize("NFD", "Phạm Thị Thuỷ"), "Phạm Thị Thuỷ"),
        ("Trần\u00a0Thị\u200b\tLan\x07", "Trần Thị Lan"),
        ("H'HEN NIÊ", "H'Hen Niê"),
        ("Nguyễn Thị HOA", "Nguyễn Thị Hoa"),
        ("Ronan McDonald", "Ronan McDonald"),
        ("", ""),
    ],
)
def test_a_name_is_kept_tidy(written: str, kept: str) -> None:
    assert tidy(written) == kept


@pytest.mark.parametrize(
    "text",
    ["Đặng Thị Thuỷ", "ĐẶNG  THỊ THUỶ", unicodedata.normalize("NFD", "Ðặng thị thủy")],
)
def test_folding_forgets_accents_case_and_encoding(text: str) -> None:
    assert fold(text) == "dang thi thuy"


def test_the_same_name_in_two_spellings() -> None:
    assert same_name_key("Nguyễn Thị Lý") == same_name_key("NGUYỄN THỊ LÍ")
    assert same_name_key("Lê Thị Quý") == same_name_key("Lê Thị Quí")
    assert same_name_key("Lê Văn Huy") != same_name_key("Lê Văn Hui")
    assert spelling_key("Lê Thị Hoà") == spelling_key("LÊ THỊ HÒA") != spelling_key("Lê Thị Hoa")
    assert spelling_key("Phạm Thúy Mỹ") == spelling_key("Phạm Thuý Mĩ")


def test_lists_go_by_given_name_in_vietnamese_order() -> None:
    people = [
        "Lê Văn Uyên",
        "Trần Đăng",
        "Lê Thị Ân",
        "Bùi Văn An",
        "Lê Danh",
        "Lê Thị Ánh",
        "An An",
    ]
    assert sorted(people, key=sort_key) == [
        "An An", "Bùi Văn An", "Lê Thị Ánh", "Lê Thị Ân", "Lê Danh", "Trần Đăng", "Lê Văn Uyên",
    ]  # fmt: skip
    assert sorted(["Lê Hoà", "Lê Hoạ", "Lê Hoa", "Lê Hoá"], key=sort_key) == [
        "Lê Hoa",
        "Lê Hoà",
        "Lê Hoá",
        "Lê Hoạ",
    ]


def test_places_and_organisations_sort_from_the_first_word_on_and_numbers_by_their_worth() -> None:
    named = ["Xã Hà Lan", "Khu phố 10", "Phường Đông Sơn", "Khu phố 2", "Phường Ba Đình", "Hội Nông dân"]
    expected = ["Hội Nông dân", "Khu phố 2", "Khu phố 10", "Phường Ba Đình", "Phường Đông Sơn", "Xã Hà Lan"]
    assert sorted(named, key=title_key) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Lê Thị Hoa", None),
        (" ", NameProblem.EMPTY),
        ("Hoa", NameProblem.ONE_WORD),
        ("Lê Thị 2", NameProblem.DIGITS),
        ("Lê Hoa 😀", NameProblem.SYMBOLS),
        ("<b>Lê Hoa</b>", NameProblem.SYMBOLS),
        ("=1+1 Lê", NameProblem.DIGITS),
        ("... ...", NameProblem.SYMBOLS),
        ("Lê " * 60, NameProblem.TOO_LONG),
        ("H'Hen Niê", None),
    ],
)
def test_what_is_not_a_name(text: str, problem: NameProblem | None) -> None:
    assert looks_like_a_name(text) == problem


@given(st.text(alphabet="aăâđeêơưýỳÂĐLTNghế  '", max_size=60))
def test_a_tidy_name_stays_as_it_is(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


@given(st.text(max_size=60))
def test_any_text_can_be_tidied_folded_and_sorted(text: str) -> None:
    assert "  " not in tidy(text)
    assert fold(text).isascii()
    assert fold(fold(text)) == fold(text)
    assert isinstance(sort_key(text), bytes)
    looks_like_a_name(text)
