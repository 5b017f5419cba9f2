"""Statements of any bank: where the table is, what the columns hold, what the lines say."""

from __future__ import annotations

import io
import zipfile
from datetime import date, time
from pathlib import Path

import openpyxl
import pytest

from crm.errors import RuleBroken
from crm.sponsors.statements.reading import (
    Field,
    Why,
    field_of,
    find_table,
    open_statement,
    read_day,
    read_lines,
    read_money,
)
from crm.sponsors.statements.rules.chain import Break, Step, chain_of

FILES = Path(__file__).parents[2] / "data" / "statements"


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1.000.000", 1_000_000),
        ("1,000,000.00", 1_000_000),
        ("+165,000 VND", 165_000),
        ("-1.234.567,00 đ", -1_234_567),
        ("(50.000)", -50_000),
        ("165000 DR", -165_000),
        ("500,000 C", 500_000),
        ("1.000.000 d", 1_000_000),
        ("1 000 000", 1_000_000),
        ("500.000-", -500_000),
        (165_000.0, 165_000),
        ("165.000", 165_000),
        ("12,50", None),
        ("1.5", None),
        (0.5, None),
        ("MBVCB.1", None),
        ("", None),
    ],
)
def test_amounts_are_read_as_banks_write_them(written: object, amount: int | None) -> None:
    assert read_money(written) == amount  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "written",
    ["15/10/2019 09:12:33", "15-10-2019 09:12:33", "2019-10-15T09:12:33", "09:12:33 15/10/2019", "15.10.19 09:12:33"],
)
def test_days_are_read_with_their_time(written: str) -> None:
    assert read_day(written) == (date(2019, 10, 15), time(9, 12, 33))


def test_a_day_that_does_not_exist_is_none() -> None:
    assert read_day("31/02/2019") is None


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Ngày giao dịch", Field.DAY),
        ("Ngày hiệu lực", Field.VALUE_DAY),
        ("Số tham chiếu", Field.REFERENCE),
        ("Mã GD", Field.REFERENCE),
        ("Số bút toán", Field.REFERENCE),
        ("Ghi nợ", Field.DEBIT),
        ("Rút ra", Field.DEBIT),
        ("Phát sinh có", Field.CREDIT),
        ("Gửi vào", Field.CREDIT),
        ("Credit Amount", Field.CREDIT),
        ("Số tiền", Field.AMOUNT),
        ("Số dư", Field.BALANCE),
        ("Diễn giải", Field.NARRATIVE),
        ("Nội dung giao dịch", Field.NARRATIVE),
        ("Tên người chuyển", Field.PAYER),
        ("Tên tài khoản đối ứng", Field.PAYER),
        ("Tài khoản đối ứng", Field.PAYER_ACCOUNT),
        ("Số tài khoản đối ứng", Field.PAYER_ACCOUNT),
        ("Loại tiền", None),
        ("STT", None),
    ],
)
def test_headings_of_many_banks_are_known(heading: str, field: Field | None) -> None:
    assert field_of(heading) is field


def test_a_workbook_with_a_title_sums_and_balances_is_read_whole() -> None:
    source = open_statement((FILES / "agribank-2019-10.xlsx").read_bytes(), "a.xlsx")
    table = find_table(source)
    read = read_lines(source, table)
    chain = chain_of([Step(one.row, one.amount, one.balance) for one in read.entries], read.opening, read.closing)
    assert table.account == "3500201001234"
    assert (len(read.entries), read.problems) == (60, [])
    assert (chain.opening, chain.breaks, chain.checked) == (12_000_000, (), 60)
    assert chain.closing == 12_000_000 + sum(one.amount for one in read.entries)


def test_the_same_lines_as_another_banks_csv_say_the_same() -> None:
    first, second = (
        read_lines(source, find_table(source)).entries
        for source in (
            open_statement((FILES / name).read_bytes(), name)
            for name in ("agribank-2019-10.xlsx", "other-bank-2019-10.csv")
        )
    )
    same = [(one.day, one.at, one.amount, one.reference, one.payer, one.payer_account) for one in first]
    assert [(one.day, one.at, one.amount, one.reference, one.payer, one.payer_account) for one in second[::-1]] == same


def test_headings_over_two_columns_and_lines_that_go_on_below_are_understood() -> None:
    content = (
        "Ngày;Phát sinh;;Số dư;Diễn giải\n;Nợ;Có;;\n"
        "01/10/2019;;500.000;500.000;UNG HO BSX\n;;;;000 TIEP\n02/10/2019;20.000;;480.000;phi\nCộng;20.000;500.000;;\n"
    )
    source = open_statement(content.encode(), "a.csv")
    read = read_lines(source, find_table(source))
    assert [(one.amount, one.narrative) for one in read.entries] == [
        (500_000, "UNG HO BSX 000 TIEP"),
        (-20_000, "phi"),
    ]
    assert read.problems == []


def test_a_statement_without_headings_is_understood_by_its_values() -> None:
    rows = [
        "01/10/2019;100.000;600.000;ung ho a",
        "02/10/2019;-50.000;550.000;phi b",
        "03/10/2019;70.000;620.000;c d e",
    ]
    source = open_statement("\n".join(rows).encode(), "a.csv")
    table = find_table(source)
    assert {held: table.whys[index] for index, held in table.columns.items()} == dict.fromkeys(
        (Field.DAY, Field.AMOUNT, Field.BALANCE, Field.NARRATIVE), Why.VALUES
    )
    assert [one.amount for one in read_lines(source, table).entries] == [100_000, -50_000, 70_000]


def test_what_was_put_right_before_wins_over_the_heading() -> None:
    content = b"Ngay,So tien,Ghi chu,Noi dung\n01/10/2019,100000,real words,xx\n02/10/2019,100000,more,xx\n"
    source = open_statement(content, "a.csv")
    table = find_table(source, {"ghi chu": "narrative", "noi dung": ""})
    assert [one.narrative for one in read_lines(source, table).entries] == ["real words", "more"]


def test_rows_that_cannot_be_read_are_told_and_not_guessed() -> None:
    content = "Ngày;Số tiền;Nội dung\n01/10/2019;100.000;a\n31/02/2019;200.000;b\n02/10/2019;12,50;c\n"
    source = open_statement(content.encode(), "a.csv")
    read = read_lines(source, find_table(source))
    assert [one.row for one in read.entries] == [2]
    assert [row for row, _said in read.problems] == [3, 4]


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n", b"name;phone\nLan;0912345678\n", b"<html><table></table></html>"]
)
def test_what_is_no_statement_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(RuleBroken):
        find_table(open_statement(content, "a.csv"))


def test_a_break_in_the_balances_is_told_with_its_row() -> None:
    steps = [Step(7, 100, 1_100), Step(8, 50, 1_150), Step(10, 30, 1_280)]
    chain = chain_of(steps, 1_000)
    assert chain.breaks == (Break(10, 1_180, 1_280),)
    assert chain.closing == 1_280


def test_a_statement_that_begins_with_the_newest_line_is_turned_round() -> None:
    steps = [Step(7, 30, 1_180), Step(8, 50, 1_150), Step(9, 100, 1_100)]
    chain = chain_of(steps)
    assert (chain.newest_first, chain.opening, chain.closing, chain.breaks) == (True, 1_000, 1_180, ())


def test_a_closing_balance_that_does_not_follow_is_a_break() -> None:
    assert chain_of([Step(2, 100, None)], 1_000, 1_200).breaks == (Break(2, 1_100, 1_200),)


@pytest.mark.parametrize("aside", [0, 2])
def test_a_text_that_begins_like_a_formula_keeps_its_text_and_is_never_worked_out(aside: int) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    rows = [
        ("Ngày", "Số tiền", "Nội dung"),
        ("15/10/2019", 500_000, "=BSX0001 ung ho & giup"),
        ("16/10/2019", 300_000, '=HYPERLINK("http://xau.example";"nhan")'),
        ("17/10/2019", 200_000, "ung ho"),
        ("", "=SUM(B2:B4)", ""),
    ]
    for at, row in enumerate(rows, 1 + aside):
        for place, cell in enumerate(row, 1 + aside):
            sheet.cell(at, place, cell)
    kept = io.BytesIO()
    book.save(kept)
    source = open_statement(kept.getvalue(), "sao-ke.xlsx")
    read = read_lines(source, find_table(source))
    assert [(one.amount, one.narrative) for one in read.entries] == [
        (500_000, "=BSX0001 ung ho & giup"),
        (300_000, '=HYPERLINK("http://xau.example";"nhan")'),
        (200_000, "ung ho"),
    ]
    assert not read.problems


def test_a_workbook_whose_packed_pages_are_damaged_is_refused_in_words() -> None:
    book, kept = openpyxl.Workbook(), io.BytesIO()
    book.save(kept)
    with zipfile.ZipFile(kept) as archive:
        page = archive.getinfo("xl/workbook.xml")
    damaged = bytearray(kept.getvalue())
    begins = page.header_offset + 30 + len(page.filename)
    damaged[begins : begins + 20] = b"\xff" * 20
    with pytest.raises(RuleBroken):
        open_statement(bytes(damaged), "sao-ke.xlsx")
