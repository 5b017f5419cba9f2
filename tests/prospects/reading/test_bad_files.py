"""Files and rows that cannot be used: one clear sentence each, and nothing else is ever raised."""

import datetime as dt
import io
import re
import zipfile
from contextlib import suppress
from pathlib import Path

import openpyxl
import pytest
from babel.messages.pofile import read_po
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.prospects.reading.lists import MOST_ROWS, read
from crm.prospects.reading.outcomes import (
    _REFUSALS,
    _SAME,
    _SENTENCES,
    Cell,
    Person,
    Reason,
    Refusal,
    Rejected,
    Unreadable,
)
from tests.prospects.reading.test_messy_lists import HEAD, LAN, TODAY, table, workbook

CATALOGUE = Path(__file__).parents[3] / "crm" / "translations" / "vi" / "LC_MESSAGES" / "reading.po"


def refused(content: bytes, most_rows: int = MOST_ROWS) -> Refusal:
    with pytest.raises(Unreadable) as caught:
        read(content, "list.xlsx", today=TODAY, most_rows=most_rows)
    assert len(caught.value.sentence) > 20
    assert "%(" not in caught.value.sentence
    return caught.value.reason


def zipped(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Refusal.EMPTY),
        (b"\xef\xbb\xbf \r\n", Refusal.EMPTY),
        (workbook([[]]), Refusal.EMPTY),
        (b"%PDF-1.7 ...", Refusal.WRONG_TYPE),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Refusal.WRONG_TYPE),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", Refusal.WRONG_TYPE),
        (bytes(range(256)) * 20, Refusal.WRONG_TYPE),
        (zipped(**{"word/document.xml": "<w/>"}), Refusal.WRONG_TYPE),
        (b'{"people": []}', Refusal.WRONG_TYPE),
        (b"<html><table><tr><td>A</td></tr></table></html>", Refusal.WEB_PAGE),
        (b"PK\x03\x04 cut off", Refusal.BROKEN),
        (workbook([HEAD, LAN])[:-200], Refusal.BROKEN),
        (zipped(**{"xl/workbook.xml": "<not", "[Content_Types].xml": "<"}), Refusal.BROKEN),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), Refusal.PASSWORD),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, Refusal.BROKEN),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), Refusal.WRONG_TYPE),
        (workbook([["a", "b"], [1, 2], [3, 4]]), Refusal.NO_HEADER),
        (workbook([LAN]), Refusal.NO_HEADER),
        (b"MZ\x90\x00\x03\x00\x00\x00\x04" * 99, Refusal.WRONG_TYPE),
        (b"\x7fELF\x02\x01\x01" * 99, Refusal.WRONG_TYPE),
        ("chỉ là một lá thư\nkhông có bảng nào".encode(), Refusal.NO_HEADER),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_its_reason(content: bytes, reason: Refusal) -> None:
    assert refused(content) is reason


@pytest.mark.parametrize("content", [b"MZ and then words, no table", b"MZ", "một lá thư".encode()])
def test_something_else_by_its_name_is_told_so(content: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        read(content, "list.pdf", today=TODAY)
    assert caught.value.reason is Refusal.WRONG_TYPE


def test_a_list_that_is_too_long_is_refused_before_it_is_read() -> None:
    line = "Lê Thị Lan;Nữ;1980;;\n"
    content = ("Họ và tên;Giới tính;Năm sinh;CCCD;Điện thoại\n" + line * 1_500).encode()
    assert refused(content, most_rows=1_000) is Refusal.TOO_MANY_ROWS
    assert len(list(read(content, "x.csv", today=TODAY, most_rows=1_500).rows())) == 1_500


def test_sheets_columns_and_fields_that_do_not_exist_are_named() -> None:
    content = workbook([HEAD, LAN])
    with pytest.raises(Unreadable, match="Sheet1"):
        read(content, "x.xlsx", today=TODAY, sheets=["Tổ 9"])
    with pytest.raises(Unreadable, match="Số nhà"):
        read(content, "x.xlsx", today=TODAY, mapping={"phone": "Số nhà"})
    with pytest.raises(Unreadable, match="telefon"):
        read(content, "x.xlsx", today=TODAY, mapping={"telefon": "A"})


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        (["", "Nữ", 1980, "", "0912345678"], Reason.NO_NAME, "A"),
        (["Lê " * 3_000, "Nữ", 1980], Reason.NAME_TOO_LONG, "A"),
        (["Lê Thị 😀", "Nữ", 1980], Reason.NAME_WITH_SYMBOLS, "A"),
        (['=HYPERLINK("x")', "Nữ", 1980], Reason.NAME_WITH_SYMBOLS, "A"),
        (["Lê Thị Lan 2", "Nữ", 1980], Reason.NAME_WITH_DIGITS, "A"),
        (["Lê Thị Lan", "Nữ", "31/02/1980"], Reason.NO_SUCH_DAY, "C"),
        (["Lê Thị Lan", "Nữ", "13/13/1980"], Reason.NO_SUCH_DAY, "C"),
        (["Lê Thị Lan", "Nữ", 2031], Reason.BORN_IN_FUTURE, "C"),
        (["Lê Thị Lan", "Nữ", dt.datetime(2026, 12, 1)], Reason.BORN_IN_FUTURE, "C"),
        (["Lê Thị Lan", "Nữ", 1880], Reason.BORN_TOO_LONG_AGO, "C"),
        (["Lê Thị Lan", "Nữ", "hồi đó"], Reason.BIRTH_UNREADABLE, "C"),
        (["Lê Thị Lan", "Nữ", True], Reason.BIRTH_UNREADABLE, "C"),
        (["Lê Thị Lan", "Nữ", 1e300], Reason.BIRTH_UNREADABLE, "C"),
    ],
)
def test_a_row_that_cannot_be_used_says_where_and_why(row: list[object], reason: Reason, column: str) -> None:
    read_list = table([HEAD, LAN, row])
    (rejected,) = read_list.rejected
    assert (rejected.row, rejected.reason, rejected.params["column"]) == (3, reason, column)
    assert f"row 3, column {column}" in rejected.sentence
    assert len(rejected.sentence) < 300


def test_very_long_texts_are_cut_and_remarked() -> None:
    (person,) = table([["Họ tên", "Địa chỉ"], ["Lê Thị Lan", "ngõ " * 5_000]]).people
    assert person.address is not None
    assert len(person.address) <= 300
    assert [remark.reason for remark in person.remarks] == [Reason.TEXT_CUT]


def test_formulas_stay_text() -> None:
    (person,) = table([["Họ tên", "Ghi chú"], ["Lê Thị Lan", "=cmd|' /C calc'!A0"]]).people
    assert person.note == "=cmd|' /C calc'!A0"


def test_every_sentence_has_its_vietnamese() -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, "vi")
    for sentence in (*_SENTENCES.values(), *_SAME.values(), *_REFUSALS.values()):
        message = catalogue.get(str(sentence))
        assert message is not None, sentence
        told = str(message.string)
        assert told, sentence
        assert sorted(re.findall(r"%\(\w+\)s", told)) == sorted(re.findall(r"%\(\w+\)s", str(sentence)))


cells: st.SearchStrategy[Cell] = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.floats(),
    st.integers(-(10**12), 10**12),
    st.booleans(),
    st.dates(),
    st.sampled_from(
        ["Họ và tên", "Tên", "Nam", "Nữ", "Năm sinh", "CCCD", "x", "0912345678", "Tổng cộng", "Tổ dân phố 2", "ThÞ Hµ"]
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.lists(cells, max_size=8), max_size=12), st.lists(st.lists(cells, min_size=5, max_size=5), max_size=8)
)
def test_no_table_makes_reading_fail(before: list[list[Cell]], rows: list[list[Cell]]) -> None:
    lines: list[list[Cell]] = [*before, [*HEAD], *rows]
    text = "\n".join(";".join(map(str, row)) for row in lines)
    with suppress(Unreadable):
        for outcome in read(text.encode("utf-8", "replace"), "x.csv", today=TODAY).rows():
            assert not isinstance(outcome, Rejected) or outcome.sentence


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(cells, min_size=5, max_size=5), max_size=6))
def test_no_workbook_makes_reading_fail(rows: list[list[Cell]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    lines: list[list[Cell]] = [[*HEAD], *rows]
    for row in lines:
        sheet.append(
            ["".join(char for char in cell if char.isprintable()) if isinstance(cell, str) else cell for cell in row]
        )
    out = io.BytesIO()
    book.save(out)
    for outcome in read(out.getvalue(), "x.xlsx", today=TODAY).rows():
        if isinstance(outcome, Person):
            assert outcome.full_name
            assert outcome.birth_year is None or 1906 <= outcome.birth_year <= 2026


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.binary(max_size=100).map(lambda tail: b"PK\x03\x04" + tail)))
def test_no_bytes_make_reading_fail(content: bytes) -> None:
    with suppress(Unreadable):
        list(read(content, "x", today=TODAY).rows())
