"""Letters of before Unicode: VNI and TCVN3, by themselves, mixed, and told from Unicode."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.prospects.reading.lists import read
from crm.prospects.reading.old_letters import Letters, letters_beside, letters_of, to_unicode
from tests.prospects.reading.test_messy_lists import workbook

TODAY = dt.date(2019, 10, 15)
# The keyboard's own table: a vowel, then a sign for tone and hat in one; letters with a horn, đ and some i, y stand alone.
_SIGNS = {"\u0301": "ù", "\u0300": "ø", "\u0309": "û", "\u0303": "õ", "\u0323": "ï"}
_HATS = {None: "â", "\u0301": "á", "\u0300": "à", "\u0309": "å", "\u0303": "ã", "\u0323": "ä"}
_BOWLS = {None: "ê", "\u0301": "é", "\u0300": "è", "\u0309": "ú", "\u0303": "ü", "\u0323": "ë"}
_ALONE = {"đ": "ñ", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "ỵ": "î", "í": "í", "ì": "ì"}


def vni(text: str) -> str:
    """The text as a VNI font stores it."""
    out = []
    for letter in text:
        small = letter.lower()
        if small in _ALONE:
            made = _ALONE[small]
        else:
            base, *marks = list(unicodedata.normalize("NFD", small))
            tone = next((mark for mark in marks if mark in _SIGNS), None)
            if "\u0302" in marks:
                made = base + _HATS[tone]
            elif "\u0306" in marks:
                made = base + _BOWLS[tone]
            else:
                made = ({"o": "ô", "u": "ö"}[base] if "\u031b" in marks else base) + (_SIGNS[tone] if tone else "")
        out.append(made.upper() if letter.isupper() and len(text) > 1 and text.isupper() else made.title()
                   if letter.isupper() and len(made) == 1 else made[0].upper() + made[1:] if letter.isupper() else made)  # fmt: skip
    return "".join(out)


# Every letter with every tone stands in one of these.
WORDS = [
    "Nguyễn",
    "Thị",
    "Hường",
    "Trần",
    "Đình",
    "Phước",
    "Lê",
    "Hoàng",
    "Yến",
    "Phạm",
    "Quỳnh",
    "Như",
    "Đặng",
    "Thuỳ",
    "Dương",
    "Vũ",
    "Đức",
    "Mạnh",
    "Bùi",
    "Xuân",
    "Quý",
    "Hồ",
    "Thị",
    "Kỷ",
    "Đỗ",
    "Ngọc",
    "Ánh",
    "Ngô",
    "Bảo",
    "Châu",
    "Lý",
    "Thường",
    "Kiệt",
    "Dương",
    "Văn",
    "Nghĩa",
    "Mai",
    "Thị",
    "Tuyết",
    "Trịnh",
    "Khắc",
    "Lộc",
    "Hà",
    "Thị",
    "Mỹ",
    "Lệ",
    "Phường",
    "Ngọc",
    "Trạo",
    "tổ",
    "dân",
    "phố",
    "khu",
    "phố",
    "ngõ",
    "đường",
    "xã",
    "thợ",
    "xây",
    "làm",
    "ruộng",
    "buôn",
    "bán",
    "nhỏ",
    "giúp",
    "việc",
    "sửa",
    "xe",
    "thợ",
    "điện",
    "hộ",
    "nghèo",
    "cận",
    "nghèo",
    "không",
    "rõ",
    "địa",
    "chỉ",
    "kỹ",
    "sư",
    "Thuỵ",
    "ỷ",
    "lại",
    "ở",
    "ẩn",
    "ấm",
    "ẫm",
    "ậm",
    "ắng",
    "ằng",
    "ẳng",
    "ẵng",
    "ặng",
    "ể",
    "ễ",
    "ệ",
    "ế",
    "ề",
    "ố",
    "ồ",
    "ổ",
    "ỗ",
    "ộ",
    "ớ",
    "ờ",
    "ở",
    "ỡ",
    "ợ",
    "ứ",
    "ừ",
    "ử",
    "ữ",
    "ự",
    "ỉ",
    "ĩ",
    "ị",
    "ý",
    "ỳ",
    "ỷ",
    "ỹ",
    "ỵ",
    "ả",
    "ã",
    "ạ",
    "á",
    "à",
    "ẻ",
    "ẽ",
    "ẹ",
    "é",
    "è",
    "ỏ",
    "õ",
    "ọ",
    "ó",
    "ò",
    "ủ",
    "ũ",
    "ụ",
    "ú",
    "ù",
]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("write", [str, str.upper, str.lower, str.title])
def test_every_letter_comes_back_from_vni(word: str, write: object) -> None:
    written = write(word)  # type: ignore[operator]
    assert to_unicode(vni(f"Đường Nguyễn {written}"), Letters.VNI) == f"Đường Nguyễn {written}"


def test_vni_is_told_from_names_alone() -> None:
    names = ["Nguyễn Thị Hường", "Trần Đình Phước", "LÊ HOÀNG YẾN", "Đặng Thuỳ Dương"]
    assert letters_of([vni(name) for name in names]) is Letters.VNI
    assert letters_of(names) is Letters.UNICODE


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8), st.sampled_from(["NFC", "NFD"]))
def test_unicode_text_is_never_mangled(words: list[str], form: str) -> None:
    text = unicodedata.normalize(form, " ".join(words))  # type: ignore[arg-type]
    for letters in Letters:
        shown = unicodedata.normalize("NFC", to_unicode(text, letters))
        if letters is letters_of([text]):
            assert shown == unicodedata.normalize("NFC", text)


@given(
    st.lists(
        st.sampled_from(["José García", "Zoë Müller", "François Lefèvre", "Søren Ångström", "Lê Thị Hà", "Hoà"]),
        min_size=1,
    )
)
def test_names_of_other_peoples_stay(names: list[str]) -> None:
    assert letters_of(names) is Letters.UNICODE


@given(st.text(alphabet=st.characters(min_codepoint=0x1EA0, max_codepoint=0x1EF9), min_size=1, max_size=20))
def test_letters_that_only_unicode_has_stay_as_they_are(text: str) -> None:
    for letters in Letters:
        assert to_unicode(text, letters) == text


def test_sheets_in_three_kinds_of_letters() -> None:
    head: list[object] = ["Họ và tên", "Năm sinh", "Địa chỉ"]
    rows: list[list[object]] = [
        ["Nguyễn Thị Hường", 1980, "Tổ dân phố 3"],
        ["Trần Đình Phước", 1975, "Khu phố Đường Mới"],
        ["Đặng Thuỳ Dương", 1969, "Xã Hà Lan"],
    ]

    def as_vni(table: list[list[object]]) -> list[list[object]]:
        return [[vni(cell) if isinstance(cell, str) else cell for cell in row] for row in table]

    def decomposed(table: list[list[object]]) -> list[list[object]]:
        return [
            [unicodedata.normalize("NFD", cell) if isinstance(cell, str) else cell for cell in row] for row in table
        ]

    listed = read(
        workbook([head, *rows], {"VNI": as_vni([head, *rows]), "Mac": decomposed([head, *rows])}, title="Mới"),
        "x.xlsx",
        today=TODAY,
    )
    assert [set(table.letters) - {Letters.UNICODE} for table in listed.tables] == [set(), {Letters.VNI}, set()]
    assert [one.person.full_name for one in listed.duplicates] == [row[0] for row in rows] * 2
    assert {one.person.address for one in listed.duplicates} == {row[2] for row in rows}
    assert [table.decomposed for table in listed.tables] == [False, False, True]


def tcvn3(text: str) -> str:
    """The text as a TCVN3 font stores it, of the few letters an address needs."""
    return text.translate(str.maketrans("àáêóăĐạặễệịọốổữ", "µ¸ªã¨§¹ÆÔÖÞäèæ÷"))


@pytest.mark.parametrize("stored", [tcvn3, vni])
@pytest.mark.parametrize("place", ["Khu phố", "Tổ", "Xóm"])
def test_a_column_that_repeats_one_word_is_read_like_the_others(stored: Callable[[str], str], place: str) -> None:
    rows: list[list[object]] = [[stored("Họ và tên"), stored("Năm sinh"), stored("Khu phố")]]
    names = [
        "Nguyễn Thị Hạnh",
        "Đặng Thị Đăng",
        "Nguyễn Đăng Lịch",
        "Nguyễn Thị Đạt",
        "Đặng Hữu Thịnh",
        "Nguyễn Bá Hiệu",
    ]
    rows += [[stored(name), 1970 + place_in, stored(f"{place} {place_in}")] for place_in, name in enumerate(names)]
    people = read(workbook(rows), "cu.xlsx", today=TODAY).people
    assert {one.neighbourhood for one in people} == {f"{place} {number}" for number in range(len(names))}
    assert people[1].full_name == names[1]


def test_a_column_of_its_own_in_unicode_stays_beside_old_letters() -> None:
    places = [f"Thôn {number}" for number in range(8)]
    assert letters_beside(places, Letters.TCVN3) is Letters.UNICODE
    assert letters_beside([f"Khu phè {number}" for number in range(8)], Letters.TCVN3) is Letters.TCVN3
    assert letters_beside([f"Khu phố {number}" for number in range(8)], Letters.TCVN3) is Letters.UNICODE
