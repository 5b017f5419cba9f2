"""The headings by which offices and the insurance software call what a list of payments says."""

from __future__ import annotations

import pytest

from crm.prospects.reading.columns import Field, field_of
from crm.prospects.reading.kinds import kind_of, read_amount, read_count_of_months
from crm.prospects.rules import ListKind

KEPT = (
    Field.FULL_NAME,
    Field.SI_NUMBER,
    Field.INCOME,
    Field.FROM_MONTH,
    Field.MONTHS_COUNT,
    Field.TOTAL_PAID,
    Field.OWN_PAID,
    Field.STATE_PAID,
    Field.LOCAL_PAID,
    Field.OTHER_PAID,
)
FORM_D05 = [
    "HoTen",
    "MasoBHXH",
    "MucTien",
    "Tuthang",
    "Sothang",
    "Tongtien",
    "TienTudong",
    "TienHotro",
    "TienNSDP",
    "TienHotroKhac",
]
OFFICE = [
    "Họ và tên người tham gia",
    "Mã số BHXH",
    "Mức đóng",
    "Đóng từ tháng",
    "Số tháng đóng",
    "Số tiền đóng",
    "NLĐ đóng",
    "NSNN hỗ trợ",
    "NSĐP hỗ trợ",
    "Hỗ trợ khác",
]
ENGLISH = [
    "Full name",
    "Insurance number",
    "Income",
    "From month",
    "Months",
    "Total",
    "Own part",
    "State support",
    "Local budget",
    "Other support",
]


@pytest.mark.parametrize("headings", [FORM_D05, OFFICE, ENGLISH], ids=["form", "office", "English"])
def test_each_column_is_known_by_its_heading(headings: list[str]) -> None:
    assert tuple(field_of(heading, ListKind.PAYMENTS)[1] for heading in headings) == KEPT


@pytest.mark.parametrize("heading", ["Tỷ lệ NSNN", "TyleNSNN", "TyleNSDP", "TyleHotroKhac"])
def test_a_rate_is_no_amount(heading: str) -> None:
    assert field_of(heading, ListKind.PAYMENTS)[1] is None


def test_a_list_through_which_month_somebody_paid_is_another_kind() -> None:
    headings = ["ho va ten", "ma so bhxh", "phuong thuc dong", "dong den thang"]
    assert kind_of(headings, ["danh sach nguoi dang tham gia bhxh"]) is ListKind.PARTICIPANTS


@pytest.mark.parametrize(
    ("cell", "amount"),
    [("462.000", 462_000), ("462,000 đ", 462_000), (462000.0, 462_000), ("462000,00", 462_000), ("-", 0), ("ít", None)],
)
def test_amounts_as_they_are_written(cell: str | float, amount: int | None) -> None:
    assert read_amount(cell) == amount


@pytest.mark.parametrize(
    ("cell", "months"),
    [
        ("3", 3),
        ("03 tháng", 3),
        (6.0, 6),
        ("1 năm", 12),
        ("quý", 3),
        ("72", 72),
        ("0", None),
        ("601", None),
        ("lâu", None),
    ],
)
def test_numbers_of_months_as_they_are_written(cell: str | float, months: int | None) -> None:
    assert read_count_of_months(cell) == months
