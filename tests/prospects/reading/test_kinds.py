"""What a list is about, what its special cells say, and tables without headings."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.prospects.reading.kinds import (
    read_income,
    read_kinship,
    read_month,
    read_months_at_once,
    read_tax_code,
    read_tax_method,
)
from crm.prospects.reading.lists import read
from crm.prospects.reading.outcomes import Cell, Reason
from crm.prospects.rules import Kinship, ListKind
from tests.prospects.reading.test_messy_lists import DUNG, HEAD, LAN, TODAY, Rows, table, workbook


@pytest.mark.parametrize(
    ("cell", "month"),
    [
        ("11/2019", "2019-11"), ("T9/2019", "2019-09"), ("tháng 9 năm 2019", "2019-09"), ("30/09/2019", "2019-09"),
        (201909, "2019-09"), ("2019-09", "2019-09"), (dt.date(2019, 9, 1), "2019-09"), ("đến hết tháng 12/2019", "2019-12"),
        ("13/2019", None), ("hết năm", None), ("2019", None), ("", None),
    ],
)  # fmt: skip
def test_months_as_offices_write_them(cell: str | int | dt.date, month: str | None) -> None:
    assert read_month(cell) == month


@given(st.one_of(st.text(max_size=40), st.floats(), st.integers(), st.booleans(), st.dates(), st.none()))
def test_no_cell_breaks_a_reader(cell: Cell) -> None:
    for reader in (read_month, read_months_at_once, read_income, read_tax_code, read_tax_method, read_kinship):
        reader(cell)


@pytest.mark.parametrize(
    ("cell", "months"),
    [("3 tháng", 3), ("03 tháng", 3), ("Hằng tháng", 1), ("hàng quý", 3), (12, 12), ("6 tháng một lần", 6),
     ("1 năm", 12), ("Một lần cho nhiều năm về sau", 0), ("5 tháng", None), ("", None)],
)  # fmt: skip
def test_how_many_months_are_paid_at_once(cell: str | int, months: int | None) -> None:
    assert read_months_at_once(cell) == months


@pytest.mark.parametrize(
    ("cell", "income"),
    [("1.500.000", 1_500_000), (700000.0, 700_000), ("700.000 đ", 700_000), ("70", None), ("cao", None)],
)
def test_incomes(cell: str | float, income: int | None) -> None:
    assert read_income(cell) == income


def test_kinships_are_those_of_the_register() -> None:
    words = [
        "Chủ hộ",
        "Vợ",
        "con trai",
        "con dâu",
        "Mẹ chồng",
        "bố",
        "cháu nội",
        "em gái",
        "chị dâu",
        "ông",
        "cô",
        "ở nhờ",
        "bạn",
    ]
    assert [Kinship(read_kinship(word) or "") for word in words] == [
        Kinship.HEAD, Kinship.SPOUSE, Kinship.CHILD, Kinship.CHILD_IN_LAW, Kinship.PARENT_IN_LAW, Kinship.PARENT, Kinship.GRANDCHILD,
        Kinship.SIBLING, Kinship.SIBLING_IN_LAW, Kinship.GRANDPARENT, Kinship.UNCLE_AUNT, Kinship.NOT_RELATED, Kinship.OTHER,
    ]  # fmt: skip


def test_a_list_of_people_stays_one() -> None:
    assert table([HEAD, LAN, DUNG]).kind is ListKind.PEOPLE
    union: Rows = [
        ["DANH SÁCH LAO ĐỘNG TỰ DO CHƯA THAM GIA BHXH NĂM 2026"],
        ["Họ tên", "Năm sinh", "Hộ nghèo", "Mã số BHXH"],
        ["Lê Thị Lan", 1980, "x", ""],
    ]
    assert table(union).kind is ListKind.PEOPLE


def test_sheets_of_two_kinds_are_people_as_such() -> None:
    business: Rows = [
        ["Mã số thuế", "Họ và tên", "Ngành nghề", "Năm sinh"],
        ["2801234501", "Lê Thị Lan", "tạp hóa", 1980],
    ]
    listed = read(workbook([HEAD, DUNG], {"Thuế": business}), "x.xlsx", today=TODAY)
    assert listed.kind is ListKind.PEOPLE
    assert all(not person.extra for person in listed.people)
    assert read(workbook(business), "x.xlsx", today=TODAY, kind=ListKind.PEOPLE).people[0].extra == {}


def test_members_belong_to_the_head_above_them() -> None:
    rows: Rows = [
        ["DANH SÁCH HỘ CẬN NGHÈO NĂM 2020"],
        ["STT", "Chủ hộ", "Họ tên thành viên", "Quan hệ", "Năm sinh"],
        [1, "Bùi Văn Cường", None, None, 1960],
        [None, None, "Bùi Thị Sáu", "vợ", None],
        [None, None, "Bùi Văn Nam", "con", 1990],
        [2, "Lê Thị Mận", None, None, 1950],
    ]
    people = table(rows).people
    assert [(one.full_name, one.extra["household"], one.extra["kinship"]) for one in people] == [
        ("Bùi Văn Cường", "Sheet1 1", "head"),
        ("Bùi Thị Sáu", "Sheet1 1", "spouse"),
        ("Bùi Văn Nam", "Sheet1 1", "child"),
        ("Lê Thị Mận", "Sheet1 2", "head"),
    ]
    assert {(one.extra["ground"], one.extra["year"]) for one in people} == {("near_poor", 2020)}


def test_a_household_of_unsaid_standing_is_remarked() -> None:
    rows: Rows = [
        ["DANH SÁCH HỘ NGHÈO VÀ HỘ CẬN NGHÈO"],
        ["Mã hộ", "Họ và tên", "Quan hệ với chủ hộ", "Năm sinh"],
        ["H1", "Lê Thị Lan", "Chủ hộ", 1980],
    ]
    (person,) = table(rows).people
    assert "ground" not in person.extra
    assert [remark.reason for remark in person.remarks] == [Reason.NO_GROUND]


def test_the_citizen_number_as_tax_code() -> None:
    rows: Rows = [["Mã số thuế", "Chủ hộ kinh doanh", "Ngành nghề"], ["038180123456", "Lê Thị Lan", "tạp hóa"]]
    (person,) = table(rows).people
    assert (person.citizen_id, person.sex, person.birth_year) == ("038180123456", "female", 1980)


def test_a_table_without_headings_is_told_by_its_values() -> None:
    rows: Rows = [["UBND PHƯỜNG BA ĐÌNH"], [], LAN, DUNG, ["Phạm Thị Hoa", "Nữ", "12/03/1969", "", "0389123456"]]
    listed = table(rows)
    assert [(one.full_name, one.birth_year, one.phone) for one in listed.people] == [
        ("Lê Thị Lan", 1980, "+84912345678"),
        ("Trần Văn Dũng", 1975, "+84987654321"),
        ("Phạm Thị Hoa", 1969, "+84389123456"),
    ]
    assert listed.people[0].citizen_id == "038180123456"
    assert listed.ward_named == "Phường Ba Đình"


POOR_HEAD = ["TT hộ", "Họ và tên", "Quan hệ với chủ hộ", "Năm sinh", "Địa chỉ", "Số giấy chứng nhận"]


def test_members_live_where_the_row_of_their_head_says() -> None:
    rows: Rows = [
        ["DANH SÁCH HỘ NGHÈO NĂM 2019"],
        POOR_HEAD,
        [1, "Bùi Văn Cường", "Chủ hộ", 1962, "Số 4, TDP 2, phường Ba Đình", "HN-0012"],
        [None, "Bùi Thị Sáu", "Vợ", 1965, None, None],
        [None, "Bùi Văn Nam", "Con", 1995, "TDP 9", None],
        [2, "Lê Thị Mận", "Chủ hộ", 1950, None, "HN-0013"],
    ]
    people = read(workbook(rows), "ngheo.xlsx", today=TODAY).people
    assert [(one.address, one.neighbourhood) for one in people] == [
        ("Số 4, TDP 2, phường Ba Đình", "Tổ dân phố 2"),
        ("Số 4, TDP 2, phường Ba Đình", "Tổ dân phố 2"),
        ("TDP 9", "Tổ dân phố 9"),
        (None, None),
    ]
    assert people[1].ward_named == people[0].ward_named


def test_the_family_of_a_head_who_is_rejected_is_not_that_of_the_rows_above() -> None:
    rows: Rows = [
        ["DANH SÁCH HỘ NGHÈO NĂM 2019"],
        POOR_HEAD,
        [1, "Bùi Văn Cường", "Chủ hộ", 1962, "TDP 2", "HN-0012"],
        [2, "Lê Thị Mận", "Chủ hộ", 2031, "TDP 4", "HN-0013"],
        [None, "Lê Văn Tý", "Con", 1990, None, None],
    ]
    found = read(workbook(rows), "ngheo.xlsx", today=TODAY)
    head, child = found.people
    assert [one.row for one in found.rejected] == [4]
    assert (child.extra["certificate"], child.extra["kinship"], child.neighbourhood) == (
        "HN-0013",
        "child",
        "Tổ dân phố 4",
    )
    assert child.extra["household"] != head.extra["household"]
