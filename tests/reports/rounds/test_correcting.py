"""A figure of a closed round that was wrong: the old one stays, the right one stands beside it and in the next report."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import Conflict, RuleBroken
from crm.reports.documents import figures
from crm.reports.documents.models import Report
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import Section
from crm.reports.documents.services import signing
from crm.reports.periods import ReportKind
from crm.reports.rounds import correcting, queries, services
from crm.reports.rounds.models import ReportCorrection, ReportingRound, ReportOwed
from crm.reports.rounds.rules import Own, Who
from tests.factories import Make
from tests.reports.documents.stories import opened, rows_of
from tests.reports.rounds.test_life import owed_by, sent

AT = clock.at(date(2019, 10, 3), 8)
CLOSED = clock.at(date(2019, 10, 7), 8)
LATER = clock.at(date(2019, 11, 4), 8)


@pytest.fixture
def clerk(make: Make, at_time: Callable[[datetime], None]) -> User:
    at_time(AT)
    return make.user(Role.MANAGER)


@pytest.fixture
def row(session: Session, clerk: User) -> ReportingRound:
    return services.open_round(session, clerk.town_id, ReportKind.MONTH, "2019-09", by=clerk, at=AT)


@pytest.fixture
def owed(session: Session, make: Make, clerk: User, row: ReportingRound) -> ReportOwed:
    """Ba Đình told 310 people in compulsory insurance and four sessions; then the round was closed."""
    found = owed_by(session, row, make.ward().id)
    sent(session, found, row, clerk)
    services.close(session, row, by=clerk, at=CLOSED)
    return found


def put_right(
    session: Session, owed: ReportOwed, row: ReportingRound, by: User, number: int = 301, **more: Any
) -> ReportCorrection:
    told: dict[str, Any] = {"source": "danh sách BHXH", "why": "đếm trùng 9 người"} | more
    figure, read = told.pop("figure", Own.COMPULSORY), told.pop("read", 0)
    acting: dict[str, Any] = {"who": Who.WARDS, "read": read, "by": by, "at": told.pop("at", LATER)}
    return correcting.correct(session, owed, row, figure, number, told["source"], told["why"], **acting)


def test_the_old_figure_and_the_right_one_stand_in_the_next_report_once(
    session: Session, make: Make, clerk: User, row: ReportingRound, owed: ReportOwed, at_time: Callable[..., None]
) -> None:
    at_time(LATER)
    put_right(session, owed, row, clerk)
    put_right(session, owed, row, clerk, 12, figure=Own.EMPLOYERS, read=1, why="quên ghi", source="sổ hộ kinh doanh")
    october = opened(session, clerk, LATER, period="2019-10")
    facts = finding.paper_of(session, october).facts
    table = next(one for one in facts["tables"] if one["form"] == "Biểu 08a")
    ward, period = "Phường Ba Đình", "tháng 9 năm 2019"
    compulsory, employers = "Số người tham gia BHXH bắt buộc", "Doanh nghiệp, hộ kinh doanh được rà soát"
    assert table["rows"] == [
        [1, ward, period, compulsory, 310, 301, -9, "đếm trùng 9 người (danh sách BHXH)"],
        [2, ward, period, employers, None, 12, None, "quên ghi (sổ hộ kinh doanh)"],
    ]
    words = finding.text_of(session, october)[Section.NUMBER]
    assert "số người tham gia BHXH bắt buộc: đã báo cáo 310, nay là 301" in words
    assert "được rà soát: chưa báo cáo, nay là 12" in words
    signed(session, october, 1, make.user(Role.ADMIN), LATER)
    december = clock.at(date(2019, 12, 4), 8)
    at_time(december)
    november = opened(session, clerk, december, period="2019-11")
    assert "put_right" not in finding.paper_of(session, november).facts, "told once"


def signed(session: Session, report: Report, number: int, by: User, at: datetime) -> None:
    day, version = at.date(), report.wording
    signing.sign(
        session, report, version=version, template_id=None, number=number, signed_on=day, signer="", by=by, at=at
    )


def test_what_was_told_long_ago_is_not_told_again(
    session: Session,
    make: Make,
    clerk: User,
    row: ReportingRound,
    owed: ReportOwed,
    at_time: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(figures, "REPORTED_AT_MOST", 1)
    chief = make.user(Role.ADMIN)
    at_time(LATER)
    put_right(session, owed, row, clerk)
    for number, (period, day, told) in enumerate(
        [
            ("2019-10", date(2019, 11, 4), True),
            ("2019-11", date(2019, 12, 4), False),
            ("2019-12", date(2020, 1, 6), False),
        ],
        start=1,
    ):
        at = clock.at(day, 8)
        at_time(at)
        report = opened(session, clerk, at, period=period)
        assert ("put_right" in finding.paper_of(session, report).facts) is told, period
        signed(session, report, number if day.year == 2019 else 1, chief, at)


def test_a_page_shows_the_latest_and_the_report_tells_every_correction(
    session: Session,
    make: Make,
    clerk: User,
    row: ReportingRound,
    owed: ReportOwed,
    at_time: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(correcting, "MOST_SHOWN", 1)
    at_time(LATER)
    put_right(session, owed, row, clerk)
    put_right(session, owed, row, clerk, 303, read=1)
    assert [one.row.number for one in correcting.of_unit(session, owed)] == [303]
    assert [one.row.number for one in correcting.of_round(session, row)] == [303]
    assert correcting.how_many(session, owed) == 2
    facts = finding.paper_of(session, opened(session, clerk, LATER, period="2019-10")).facts
    assert [one["now"] for one in facts["put_right"]] == [301, 303]


def test_the_plan_is_measured_by_what_holds(
    session: Session, make: Make, clerk: User, row: ReportingRound, at_time: Callable[..., None]
) -> None:
    found = owed_by(session, row, make.organisation("BHXH").id)
    told = {Own.COMPULSORY: (12_100, "phần mềm quản lý thu")}
    sent(session, found, row, clerk, who=Who.INSURANCE, own=told)
    services.close(session, row, by=clerk, at=CLOSED)
    at_time(LATER)
    right: dict[str, Any] = {"source": "danh sách", "why": "đếm sót"}
    made = [(Own.COMPULSORY, 12_000), (Own.COMPULSORY, 12_850), (Own.UNEMPLOYMENT, 13_000)]
    for read, (figure, number) in enumerate(made):
        correcting.correct(
            session, found, row, figure, number, **right, who=Who.INSURANCE, read=read, by=clerk, at=LATER
        )
    report = opened(session, clerk, LATER)
    facts = finding.paper_of(session, report).facts
    source = "Các đơn vị báo cáo, số sau đính chính"
    assert rows_of(facts, "Biểu 01b")["Người tham gia BHXH bắt buộc"] == [12_850, 12_850, 100, 0, source]
    assert facts["reported"]["figures"]["compulsory"]["number"] == 12_100, "what was told stays"
    words = finding.text_of(session, report)[Section.NUMBER]
    assert (
        "12.100 người tham gia BHXH bắt buộc (sau đính chính là 12.850 người), đạt 100% chỉ tiêu giao năm"
        " (12.850 người), đạt chỉ tiêu" in words
    )
    assert "13.000 người tham gia bảo hiểm thất nghiệp (số sau đính chính), đạt 102,40% chỉ tiêu" in words


def test_the_report_of_an_earlier_month_and_of_another_ward_tell_nothing_of_it(
    session: Session, make: Make, clerk: User, row: ReportingRound, owed: ReportOwed, at_time: Callable[..., None]
) -> None:
    at_time(LATER)
    put_right(session, owed, row, clerk)
    other = make.ward("14818@2019-10-15")
    for period, place, told in (("2019-08", None, False), ("2019-10", other, False), ("2019-10", make.ward(), True)):
        report = opened(session, clerk, LATER, period=period, place=place)
        assert ("put_right" in finding.paper_of(session, report).facts) is told, (period, place)


def test_what_was_sent_stays_and_a_second_correction_follows_the_first(
    session: Session, clerk: User, row: ReportingRound, owed: ReportOwed
) -> None:
    put_right(session, owed, row, clerk)
    second = put_right(session, owed, row, clerk, 303, read=1)
    assert (second.was, second.number, second.position) == (301, 303, 2)
    line = queries.line_of(session, scope_of(session, clerk), owed)
    assert line.last is not None
    assert line.last.figures[Own.COMPULSORY].number == 310
    assert correcting.holding(session, owed)[Own.COMPULSORY] == 303


def test_what_was_returned_and_never_sent_again_is_no_figure_that_stands(
    session: Session, make: Make, clerk: User, row: ReportingRound
) -> None:
    found = owed_by(session, row, make.ward().id)
    sent(session, found, row, clerk)
    assert correcting.holding(session, found)[Own.COMPULSORY] == 310
    services.send_back(session, found, row, "số không khớp", by=clerk, at=AT)
    services.close(session, row, by=clerk, at=CLOSED)
    assert correcting.holding(session, found) == {}
    made = put_right(session, found, row, clerk, 310)
    assert (made.was, made.number) == (None, 310)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"number": 310}, "number"),
        ({"number": 2**40}, "number"),
        ({"source": ""}, "source"),
        ({"why": " "}, "why"),
        ({"figure": Own.INSPECTIONS}, "figure"),
    ],
)
def test_what_is_no_correction_is_refused_at_its_field(
    session: Session, clerk: User, row: ReportingRound, owed: ReportOwed, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(RuleBroken) as refused:
        put_right(session, owed, row, clerk, **more)
    assert refused.value.field == field


def test_nobody_corrects_an_open_round_or_what_they_have_not_read(
    session: Session, make: Make, clerk: User, row: ReportingRound
) -> None:
    found = owed_by(session, row, make.ward().id)
    sent(session, found, row, clerk)
    with pytest.raises(Conflict) as refused:
        put_right(session, found, row, clerk)
    assert refused.value.code == "round_open"
    services.close(session, row, by=clerk, at=CLOSED)
    put_right(session, found, row, clerk)
    with pytest.raises(Conflict) as refused:
        put_right(session, found, row, clerk, 305)
    assert refused.value.code == "changed_meanwhile"


def test_the_database_keeps_corrections_and_takes_none_while_the_round_is_open(
    session: Session, make: Make, clerk: User, row: ReportingRound
) -> None:
    found = owed_by(session, row, make.ward().id)
    one = ReportCorrection(
        town_id=found.town_id,
        owed_id=found.id,
        figure=Own.SESSIONS,
        position=1,
        follows=None,
        was=4,
        number=5,
        source="",
        why="x",
        corrected_at=AT,
        corrected_by_id=clerk.id,
    )
    with pytest.raises(DBAPIError), session.begin_nested():
        session.add(one)
        session.flush()
    services.close(session, row, by=clerk, at=CLOSED)
    put_right(session, found, row, clerk)
    for statement in ("update report_correction set number = 1", "delete from report_correction"):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement))


def test_a_lead_puts_it_right_on_the_page_and_the_office_reads_it(
    session: Session,
    make: Make,
    clerk: User,
    row: ReportingRound,
    owed: ReportOwed,
    signed_in: Callable[..., FlaskClient],
) -> None:
    lead = signed_in(make.user(Role.LEAD, place_id=make.ward().id))
    page = f"/reporting/units/{owed.id}"
    assert "Số người tham gia BHXH bắt buộc: 310" in lead.get(page).text
    good = {"read": "0", "figure": "compulsory", "number": "301", "source": "danh sách", "why": "đếm trùng"}
    assert lead.post(f"{page}/correct", data=good | {"number": "310"}).status_code == 422
    assert lead.post(f"{page}/correct", data=good | {"figure": "inspections"}).status_code == 422
    assert lead.post(f"{page}/correct", data=good).status_code == 303
    behind = lead.post(f"{page}/correct", data=good | {"number": "305"})
    assert behind.status_code == 422
    assert "đếm trùng (danh sách)" in behind.text, "what the other wrote"
    now_read = re.search(r'<input[^>]*name="read"[^>]*value="(\d+)"', behind.text)
    assert now_read is not None
    assert now_read[1] == "1"
    again = lead.post(f"{page}/correct", data=good | {"number": "", "read": "0"})
    assert re.search(r'name="read"[^>]*value="0"', again.text), "nobody told them of the other yet"
    assert lead.post(f"{page}/correct", data=good | {"number": "305", "read": now_read[1]}).status_code == 303
    assert "đếm trùng (danh sách)" in lead.get(page).text
    told = signed_in(clerk).get(f"/reporting/{row.id}").text
    assert "Đính chính sau khi khóa kỳ báo cáo" in told
    assert "đếm trùng (danh sách)" in told
    other = signed_in(make.user(Role.LEAD, place_id=make.ward("14818@2019-10-15").id))
    assert other.post(f"{page}/correct", data=good).status_code == 404


def test_another_program_puts_it_right(
    session: Session, make: Make, row: ReportingRound, owed: ReportOwed, client: FlaskClient, api: Callable[..., Any]
) -> None:
    headers = api(make.user(Role.MANAGER))
    address = f"/api/v1/reporting-rounds/reports/{owed.id}/corrections"
    good = {"read": 0, "figure": "compulsory", "number": 301, "source": "danh sách", "why": "đếm trùng"}
    answer = client.post(address, json=good, headers=headers)
    assert answer.status_code == 200, answer.text
    (one,) = answer.json["corrections"]
    assert (one["figure"], one["was"], one["number"], one["why"]) == ("compulsory", 310, 301, "đếm trùng")
    assert client.post(address, json=good, headers=headers).status_code == 409
    listed = client.get(f"/api/v1/reporting-rounds/{row.id}/reports?limit=100", headers=headers).json["items"]
    assert [len(unit["corrections"]) for unit in listed if unit["id"] == str(owed.id)] == [1]
