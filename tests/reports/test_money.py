"""Biểu 03, Biểu 05 and the reconciliation of a small town, counted by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from docx import Document
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import Scope, scope_of
from crm.accounts.rules import Reach, Role
from crm.months import Month
from crm.participation.models import ParticipantMonth, Payment
from crm.participation.rules import Basis, Span
from crm.participation.services import reverse_payment
from crm.prospects.rules import Ground
from crm.reports.commands import report
from crm.reports.money import tables
from crm.reports.tables import ReportTable
from crm.sponsors import services
from crm.sponsors.ledger.queries import balances_by_kind
from crm.sponsors.queries import balance_of_all
from crm.sponsors.rules import AccountKind, Movement
from tests.factories import Make
from tests.participation.stories import join
from tests.sponsors.stories import A_MONTH, A_NEAR_POOR_MONTH, allocate, poor, sponsor

AUGUST, SEPTEMBER, OCTOBER = date(2019, 8, 20), date(2019, 9, 10), date(2019, 10, 15)
MILLION = 1_000_000
Browser = Callable[..., FlaskClient]


@pytest.fixture
def scope(session: Session, make: Make) -> Scope:
    return scope_of(session, make.user(Role.TREASURER))


@pytest.fixture
def town(session: Session, make: Make) -> dict[str, Any]:
    """Two sponsors. In August the first promises 5 million and 3 come, and 200.000 of nobody. In September the first
    carries a poor person for 3 months and a near-poor one for 1; in October 2 of the 3 are given back, the second gives
    a million, helps the poor one with 1 month, 100.000 goes back to the first, and the near-poor one's month is paid."""
    first, second = sponsor(make, "Công ty An Bình"), sponsor(make, "Bà Lan")

    def act(on: date) -> dict[str, Any]:
        return {"by_id": None, "on": on, "at": clock.at(on, 10)}

    pledge = services.pledge(session, first, 5 * MILLION, due=None, **act(AUGUST))
    services.receive(session, first, 3 * MILLION, reference="A1", pledge=pledge, **act(AUGUST))
    services.hold_unidentified(session, make.town.id, 200_000, reference="A2", **act(AUGUST))
    one, other = (
        poor(make, "Lê Thị Nghèo"),
        poor(make, "Lê Thị Cận", Ground.NEAR_POOR, place=make.ward("14809@2019-10-15")),
    )
    long = allocate(first, one, months=3, start=Month(2019, 9), on=SEPTEMBER, at=clock.at(SEPTEMBER, 10))
    short = allocate(first, other, months=1, start=Month(2019, 10), on=SEPTEMBER, at=clock.at(SEPTEMBER, 10))
    services.release(session, long, since=Month(2019, 10), **act(OCTOBER))
    services.receive(session, second, MILLION, reference="B1", pledge=None, **act(OCTOBER))
    allocate(second, one, months=1, start=Month(2019, 11), on=OCTOBER, at=clock.at(OCTOBER, 10))
    services.refund(session, first, 100_000, reason="Chuyển thừa", **act(OCTOBER))
    services.pay_premium(
        session, short, paid_on=OCTOBER, basis=Basis.CONFIRMED, by=make.user(Role.MANAGER), at=clock.at(OCTOBER, 11)
    )
    return {"first": first, "second": second, "one": one, "other": other}


def rows_of(table: ReportTable) -> dict[str, list[Any]]:
    return {row[0]: list(row[1:]) for row in table.rows}


def test_the_support_of_a_month_is_what_was_done_in_it(session: Session, scope: Scope, town: dict[str, Any]) -> None:
    september = rows_of(tables.supported(session, scope, Span(date(2019, 9, 1), date(2019, 9, 30))))
    set_aside = 3 * A_MONTH + A_NEAR_POOR_MONTH
    left = 3 * MILLION - set_aside
    assert september["Công ty An Bình"][1:] == [0, 3 * MILLION, 0, set_aside, 0, 1, 1, 0, 4, left, 0, ""]
    assert "Bà Lan" not in september, "nothing was promised, given or left"
    october = rows_of(tables.supported(session, scope, Span(date(2019, 10, 1), date(2019, 10, 31))))
    after = left + 2 * A_MONTH - 100_000
    assert october["Công ty An Bình"][1:] == [
        0,
        left,
        0,
        -2 * A_MONTH,
        100_000,
        0,
        0,
        0,
        -2,
        after,
        A_NEAR_POOR_MONTH,
        "",
    ]
    assert october["Bà Lan"][1:] == [0, 0, MILLION, A_MONTH, 0, 1, 0, 0, 1, MILLION - A_MONTH, 0, ""]


def test_the_support_of_a_year_adds_up_to_the_ledger(session: Session, scope: Scope, town: dict[str, Any]) -> None:
    total = tables.supported(session, scope, Span.year_to(date(2019, 12, 31))).rows[-1]
    ledger = balance_of_all(session, scope.town_id)
    assert total[2] == 5 * MILLION == ledger.promised
    assert total[3] == 0
    assert total[4] == ledger.received == 4 * MILLION
    assert total[6] == ledger.returned == 100_000
    assert total[5] == ledger.used == 2 * A_MONTH + A_NEAR_POOR_MONTH
    assert total[7:10] == [1, 1, 0], "whom two sponsors helped is one person"
    assert total[10] == 3
    assert (total[11], total[12]) == (ledger.available, ledger.paid)


def test_the_support_of_a_place_tells_its_people_and_no_sponsors_purse(
    session: Session, scope: Scope, town: dict[str, Any]
) -> None:
    here = replace(scope, reach=Reach.UNIT, place_ids=(town["other"].place_id,))
    told = tables.supported(session, here, Span.year_to(OCTOBER))
    assert told.rows[0][:2] == ["Công ty An Bình", told.rows[0][1]]
    assert told.rows[-1][2:] == [None, None, None, A_NEAR_POOR_MONTH, None, 0, 1, 0, 1, None, None, ""]


def test_the_premiums_of_a_month_are_those_of_its_payments_in_four_layers(
    session: Session, scope: Scope, make: Make, town: dict[str, Any]
) -> None:
    join(make.prospect("Trần Văn Tự"), date(2019, 10, 2), months=3)
    told = tables.paid(session, scope, Span(date(2019, 10, 1), date(2019, 10, 31)))
    premium, state = 154_000, 15_400
    near_poor_state = premium - A_NEAR_POOR_MONTH
    assert told.rows[-1][1:] == [
        2,
        2,
        4,
        3 * (premium - state),
        3 * state + near_poor_state,
        0,
        A_NEAR_POOR_MONTH,
        4 * premium,
    ]
    for row in told.rows:
        assert sum(row[4:8]) == row[8]
    months = session.execute(
        select(
            func.sum(ParticipantMonth.own),
            func.sum(ParticipantMonth.state_support),
            func.sum(ParticipantMonth.local_support),
            func.sum(ParticipantMonth.other_support),
        )
    ).one()
    assert told.rows[-1][4:8] == list(months), "the layers of D05-TS, month by month"
    assert told.rows[-1][7] == balances_by_kind(session, scope.town_id)[AccountKind.INSURANCE_FUND]


def test_a_payment_taken_back_later_leaves_the_month_that_is_over_as_it_was(
    session: Session, scope: Scope, make: Make
) -> None:
    person = make.prospect("Trần Văn Nhầm")
    join(person, date(2019, 9, 2), months=3)
    september = Span(date(2019, 9, 1), date(2019, 9, 30))
    before = tables.paid(session, scope, september).rows[-1]
    payment = session.scalars(select(ParticipantMonth.payment_id)).first()
    assert payment
    paid = session.get_one(Payment, (person.town_id, payment))
    reverse_payment(session, paid, by=make.user(Role.MANAGER), at=clock.now())
    assert tables.paid(session, scope, september).rows[-1] == before
    october = tables.paid(session, scope, Span(date(2019, 10, 1), date(2019, 10, 31))).rows[-1]
    assert october[1:] == [-1, 0, *(-amount for amount in before[3:])]


def test_the_reconciliation_of_each_period_goes_on_where_the_last_one_ended(
    session: Session, scope: Scope, town: dict[str, Any]
) -> None:
    ended: dict[str, int] = {}
    for month in range(8, 11):
        table = tables.reconciled(session, scope, Span(date(2019, month, 1), Month(2019, month).last_day))
        for words, row in rows_of(table).items():
            assert row[0] == ended.get(words, 0), words
            assert sum(row[:-1]) == row[-1], words
            ended[words] = row[-1]
    kinds = balances_by_kind(session, scope.town_id)
    held = kinds[AccountKind.UNIDENTIFIED] + kinds[AccountKind.AVAILABLE] + kinds[AccountKind.RESERVED]
    assert table.rows[-1][-1] == held == 200_000 + 4 * MILLION - 100_000 - A_NEAR_POOR_MONTH


def test_every_movement_has_its_column() -> None:
    assert {one for movements in tables.MOVED.values() for one in movements} == set(Movement)


def test_what_is_put_right_later_is_the_opposite_of_what_it_was(session: Session, scope: Scope, make: Make) -> None:
    by = sponsor(make, "Công ty Ghi Nhầm")
    receipt = services.receive(
        session, by, MILLION, reference="X1", pledge=None, by_id=None, on=SEPTEMBER, at=clock.at(SEPTEMBER, 9)
    )
    services.correct_receipt(session, receipt, reason="Ghi nhầm", by_id=None, on=OCTOBER, at=clock.at(OCTOBER, 9))
    october = rows_of(tables.supported(session, scope, Span(date(2019, 10, 1), date(2019, 10, 31))))
    assert october["Công ty Ghi Nhầm"][2:4] == [MILLION, -MILLION]
    assert october["Công ty Ghi Nhầm"][10] == 0


def test_the_command_writes_them_as_json_excel_and_paper(
    app: Flask, session: Session, town: dict[str, Any], tmp_path: Path
) -> None:
    for kind in ("support-03", "money-05", "reconciliation"):
        for form in ("json", "xlsx", "pdf", "docx"):
            out = tmp_path / f"{kind}.{form}"
            arguments = [kind, "--period", "2019-H2", "--format", form, "-o", str(out)]
            done = CliRunner().invoke(report, arguments, catch_exceptions=False)
            assert done.exit_code == 0, done.output
        said = json.loads((tmp_path / f"{kind}.json").read_text("utf-8"))
        book = CalamineWorkbook.from_path(str(tmp_path / f"{kind}.xlsx"))
        rows = [row for row in book.get_sheet_by_index(0).to_python() if row[0] == said["rows"][-1][0]]
        assert [value for value in rows[-1] if value != ""] == [
            value for value in said["rows"][-1] if value not in ("", None)
        ]
        assert (tmp_path / f"{kind}.pdf").read_bytes().startswith(b"%PDF")
        word = Document(str(tmp_path / f"{kind}.docx"))
        assert any(said["title"].upper() == one.text for one in word.paragraphs)
        numbered = [] if kind == "reconciliation" else ["TT"]
        forms = [one for one in word.tables if len(one.columns) == len([*numbered, *said["columns"]])]
        assert [cell.text for cell in forms[0].rows[0].cells] == [*numbered, *said["columns"]]
        assert len(forms[0].rows) == len(said["rows"]) + 1
        last = [cell.text for cell in forms[0].rows[-1].cells]
        assert [_plain(one) for one in last] == ["" for _tt in numbered] + [_plain(one) for one in said["rows"][-1]]
        if numbered:
            places = [row.cells[0].text for row in forms[0].rows[1:-1]]
            assert places == [str(place) for place in range(1, len(said["rows"]))]


def test_the_form_of_support_has_the_columns_of_the_form_on_paper_and_room_for_notes(
    signed_in: Browser, town: dict[str, Any]
) -> None:
    browser, address = signed_in(Role.TREASURER), "/reports/money?kind=support-03&period=2019-10"
    paper = Document(io.BytesIO(browser.get(f"{address}&format=docx").data))
    heads = next([cell.text for cell in one.rows[0].cells] for one in paper.tables if len(one.columns) > 9)
    assert (heads[0], heads[1], heads[-1]) == ("TT", "Nhà hỗ trợ", "Ghi chú")
    assert "Ghi chú" not in browser.get(address).text, "nobody writes on a screen"


def test_below_a_table_stands_no_column_that_the_page_left_out(signed_in: Browser, town: dict[str, Any]) -> None:
    browser, address = signed_in(Role.TREASURER), "/reports/money?kind=money-05&period=2019-10"
    page, paper = browser.get(address).text, Document(io.BytesIO(browser.get(f"{address}&format=docx").data))
    assert "ngân sách địa phương" not in page.lower(), "nothing came from it"
    assert "Ngân sách nhà nước + Hỗ trợ khác = Tổng cộng, như mẫu D05-TS." in page
    whole = "Tự đóng + Ngân sách nhà nước + Ngân sách địa phương + Hỗ trợ khác = Tổng cộng, như mẫu D05-TS."
    assert any(whole in one.text for one in paper.paragraphs)
    support = browser.get("/reports/money?kind=support-03&period=2019-09").text
    assert "Kỳ trước chuyển sang" in support


def _plain(cell: Any) -> str:
    """A cell without the points between thousands; nothing for nothing."""
    return "" if cell is None else str(cell).replace(".", "")


@pytest.mark.parametrize("role", list(Role))
def test_who_sees_sponsors_sees_the_reports_of_their_money(signed_in: Browser, role: Role) -> None:
    allowed = role in (Role.ADMIN, Role.MANAGER, Role.TREASURER, Role.AUDITOR)
    assert signed_in(role).get("/reports/money").status_code == (200 if allowed else 403)


def test_the_page_says_what_the_files_say(signed_in: Browser, make: Make, town: dict[str, Any]) -> None:
    browser = signed_in(Role.TREASURER)
    for kind in ("support-03", "money-05", "reconciliation"):
        address = f"/reports/money?kind={kind}&period=2019-10"
        assert browser.get(address).status_code == 200
        book = browser.get(f"{address}&format=xlsx")
        assert CalamineWorkbook.from_filelike(io.BytesIO(book.data)).sheet_names
        assert browser.get(f"{address}&format=pdf").data.startswith(b"%PDF")
        assert Document(io.BytesIO(browser.get(f"{address}&format=docx").data)).tables
    assert "1.000.000" in browser.get("/reports/money?kind=support-03&period=2019-10").text
    assert browser.get(f"/reports/money?place={town['other'].place_id}&period=2019").status_code == 200


def test_what_cannot_be_asked_shows_the_first_report_there_is(signed_in: Browser) -> None:
    browser = signed_in(Role.TREASURER)
    for asked in ("kind=wages", "period=2031-01", "period=1", "place=x", "format=doc", "kind=month"):
        assert browser.get(f"/reports/money?{asked}").status_code == 200, asked
