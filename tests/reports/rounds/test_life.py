"""A round from its first day to its close: sent, returned, corrected, put together, and nothing after it is closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import Conflict, NotFound, RuleBroken
from crm.mail.models import Email
from crm.outreach.models import Visit
from crm.outreach.rules import Channel, Outcome
from crm.places.models import Town
from crm.reports.documents.models import Report
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import Section
from crm.reports.documents.services import counting, signing
from crm.reports.periods import ReportKind
from crm.reports.rounds import consolidating, queries, reminding, services
from crm.reports.rounds.models import ReportingRound, ReportOwed, ReportSubmission
from crm.reports.rounds.rules import Own, State, Who
from tasks.documents import count_report
from tests.factories import Make
from tests.participation.stories import spell
from tests.reports.documents.stories import opened, rows_of

SEPTEMBER = "2019-09"
AT = clock.at(date(2019, 10, 3), 8)
SESSIONS = {Own.SESSIONS: (4, "biên bản của phường"), Own.COMPULSORY: (310, "danh sách của BHXH")}


@pytest.fixture
def clerk(make: Make, at_time: Callable[[datetime], None]) -> User:
    at_time(AT)
    return make.user(Role.MANAGER)


@pytest.fixture
def row(session: Session, clerk: User) -> ReportingRound:
    return services.open_round(session, clerk.town_id, ReportKind.MONTH, SEPTEMBER, by=clerk, at=AT)


def owed_by(session: Session, row: ReportingRound, key: Any) -> ReportOwed:
    mine = (ReportOwed.place_id == key) | (ReportOwed.organisation_id == key)
    return session.scalars(select(ReportOwed).where(ReportOwed.round_id == row.id, mine)).one()


def sent(session: Session, owed: ReportOwed, row: ReportingRound, by: User, **more: Any) -> ReportSubmission:
    known = services.known_of(session, owed, row, clock.today())
    told: dict[str, Any] = {"who": Who.WARDS, "known": known, "knowing_version": owed.version, "by": by}
    told["at"] = clock.now()
    return services.submit(session, owed, row, more.pop("own", SESSIONS), more.pop("note", None), **told | more)


# ---- who owes


def test_wards_unions_and_the_insurance_office_owe_each_month(
    session: Session, clerk: User, row: ReportingRound
) -> None:
    lines = queries.lines_of(session, scope_of(session, clerk), row, most=50)
    names = [one.name for one in lines]
    assert len([one for one in lines if one.who is Who.WARDS]) == 8
    assert "Hội Liên hiệp Phụ nữ" in names
    assert "Bảo hiểm xã hội thị xã" in names
    assert "Phòng Lao động - Thương binh và Xã hội" not in names
    assert row.due_on == date(2019, 10, 5)


def test_a_round_begins_by_itself_once_and_never_after_its_last_day(session: Session, clerk: User) -> None:
    days = {date(2019, 10, 5): 1, date(2019, 10, 6): 1}
    for day, new in days.items():
        assert services.open_due(session, clerk.town_id, at=clock.at(day, 1)) == new
        assert services.open_due(session, clerk.town_id, at=clock.at(day, 2)) == 0
    found = session.scalars(select(ReportingRound.period).order_by(ReportingRound.period))
    assert list(found) == ["2019-09", "2019-10"]


def test_before_december_the_years_reports_are_owed_until_the_ninth(session: Session, clerk: User) -> None:
    services.open_due(session, clerk.town_id, at=clock.at(date(2019, 11, 9), 1))
    year = session.scalars(select(ReportingRound).where(ReportingRound.kind == "year")).one()
    assert (year.period, year.due_on) == ("2019", date(2019, 12, 9))


# ---- what is sent


def test_a_wards_figures_are_those_of_its_own_report_and_stay(
    session: Session, make: Make, clerk: User, row: ReportingRound
) -> None:
    ward = make.ward()
    spell(make, make.prospect("Một"), date(2018, 12, 31))
    two = make.prospect("Hai")
    spell(make, two, date(2019, 9, 9))
    union, told = make.organisation(), {"occurred_at": clock.at(date(2019, 9, 12), 8), "recorded_at": AT}
    make.add(
        Visit(
            town_id=two.town_id,
            prospect_id=two.id,
            user_id=clerk.id,
            place_id=ward.id,
            organisation_id=union.id,
            channel=Channel.HOME_VISIT,
            outcome=Outcome.AGREED,
            reasons=[],
            **told,
        )
    )
    owed = owed_by(session, row, ward.id)
    first = sent(session, owed, row, clerk)
    known = {name: first.known[name] for name in ("now", "joined", "home_visits", "met", "as_of")}
    assert known == {"now": 2, "joined": 1, "home_visits": 1, "met": 1, "as_of": "2019-09-30"}
    report = opened(session, clerk, AT, place=ward)
    snapshot = finding.snapshot_of(session, report)
    assert snapshot is not None
    assert snapshot.facts["total"]["now"] == first.known["now"]
    spell(make, make.prospect("Ba"), date(2019, 9, 20))
    session.refresh(first)
    assert first.known["now"] == 2
    again = sent(session, owed, row, clerk, note="thêm một người")
    assert (again.version, again.known["now"]) == (2, 3)
    of_union = sent(session, owed_by(session, row, union.id), row, clerk, who=Who.UNIONS, own={})
    assert of_union.known["home_visits"] == 1


def test_the_same_report_sent_twice_is_one_version(
    session: Session, make: Make, clerk: User, row: ReportingRound
) -> None:
    owed = owed_by(session, row, make.ward().id)
    first = sent(session, owed, row, clerk)
    assert sent(session, owed, row, clerk, knowing_version=0).id == first.id
    with pytest.raises(Conflict):
        sent(session, owed, row, clerk, knowing_version=0, own={Own.SESSIONS: (9, "khác")})


def test_what_is_returned_is_corrected_and_both_versions_stay(
    session: Session, make: Make, clerk: User, row: ReportingRound
) -> None:
    owed = owed_by(session, row, make.ward().id)
    sent(session, owed, row, clerk)
    with pytest.raises(RuleBroken):
        services.send_back(session, owed, row, "  ", by=clerk, at=AT)
    services.send_back(session, owed, row, "Thiếu số phát thanh", by=clerk, at=AT)
    with pytest.raises(Conflict):
        services.send_back(session, owed, row, "lần nữa", by=clerk, at=AT)
    assert owed.state is State.RETURNED
    sent(session, owed, row, clerk, own=SESSIONS | {Own.BROADCASTS: (30, "đài phường")})
    last, first = queries.versions_of(session, owed)
    assert (last.row.version, last.returned) == (2, None)
    assert first.returned is not None
    assert first.returned.why == "Thiếu số phát thanh"
    with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
        session.execute(text("update report_submission set note = 'x'"))


def test_a_lead_sees_their_own_units_report_and_no_other(
    session: Session, make: Make, clerk: User, row: ReportingRound
) -> None:
    mine, other, union = make.ward(), make.ward("14818@2019-10-15"), make.organisation()
    of_ward, of_union = make.user(Role.LEAD, place_id=mine.id), make.user(Role.LEAD, organisation_id=union.id)
    of_both = make.user(Role.LEAD, place_id=mine.id, organisation_id=union.id)
    for user, key in ((of_ward, mine.id), (of_union, union.id)):
        scope = scope_of(session, user)
        assert [one.line.owed.id for one in queries.to_write(session, scope, AT.date())] == [
            owed_by(session, row, key).id
        ]
        assert queries.how_many_wait(session, scope, AT.date()) == 1
        with pytest.raises(NotFound):
            queries.owed_seen(session, scope, owed_by(session, row, other.id).id)
    assert queries.to_write(session, scope_of(session, of_both), AT.date()) == []


# ---- closed


def test_in_a_closed_round_nothing_changes_the_database_sees_to_it(
    session: Session, make: Make, clerk: User, row: ReportingRound
) -> None:
    owed, other = owed_by(session, row, make.ward().id), owed_by(session, row, make.ward("14818@2019-10-15").id)
    sent(session, owed, row, clerk)
    services.close(session, row, by=clerk, at=AT)
    with pytest.raises(Conflict):
        sent(session, other, row, clerk)
    forced = [
        "update report_owed set state = 'returned' where version > 0",
        "update report_owed set state = 'excused', excused_why = 'x' where version = 0",
        "update reporting_round set closed_at = null, closed_by_id = null",
        "update reporting_round set due_on = due_on + 1",
        "insert into report_return select town_id, id, owed_id, version, 'x', submitted_at, submitted_by_id from report_submission",
        "insert into report_submission select town_id, gen_random_uuid(), owed_id, 2, 1, known, own, note, digest, submitted_at, submitted_by_id from report_submission",
        "insert into report_owed select town_id, gen_random_uuid(), round_id, place_id, organisation_id, 'waiting', 0 from report_owed limit 1",
    ]
    for statement in forced:
        with pytest.raises(IntegrityError, match="closed"), session.begin_nested():
            session.execute(text(statement))


# ---- put together


def test_all_is_put_together_with_sources_and_what_is_missing_is_named(
    session: Session, make: Make, clerk: User, row: ReportingRound
) -> None:
    sent(session, owed_by(session, row, make.ward().id), row, clerk)
    insurance = make.organisation("BHXH")
    figures = {Own.COMPULSORY: (12_700, "phần mềm quản lý thu"), Own.INSPECTIONS: (2, "quyết định kiểm tra")}
    sent(session, owed_by(session, row, insurance.id), row, clerk, who=Who.INSURANCE, own=figures)
    report = opened(session, clerk, AT)
    facts = finding.paper_of(session, report).facts
    told = rows_of(facts, "Biểu 08")
    assert told["Số người tham gia BHXH bắt buộc"][1] == 12_700
    assert "phần mềm quản lý thu" in told["Số người tham gia BHXH bắt buộc"][2]
    assert told["Hội nghị, buổi tuyên truyền"][1] == 4
    assert told["Số người tham gia bảo hiểm thất nghiệp"][1] is None
    who = rows_of(facts, "Biểu 07")
    assert who["Phường Ba Đình"][0] == "Đúng hạn"
    assert who["Phường Lam Sơn"][0] == "Chưa gửi"
    words = finding.text_of(session, report)
    assert "2/15 đơn vị gửi báo cáo; chưa gửi: " in words[Section.DIRECTION]
    assert "12.700 người tham gia BHXH bắt buộc" in words[Section.NUMBER]
    services.send_back(session, owed_by(session, row, make.ward().id), row, "Thiếu", by=clerk, at=AT)
    counting.count_again(session, report, None, by=clerk, at=AT)
    count_report.run(str(report.town_id), str(report.id))
    session.refresh(report)
    told_now = finding.text_of(session, report)[Section.DIRECTION].splitlines()[-1]
    assert "Phường Ba Đình" not in told_now.split("đã trả lại")[0], "it has sent"
    assert "; đã trả lại để sửa, chưa gửi lại: Phường Ba Đình." in told_now
    assert "Chưa có số liệu báo cáo: Số người tham gia bảo hiểm thất nghiệp" in words[Section.NUMBER]


def test_what_came_of_each_target_of_the_plan_is_told_with_its_share_and_its_source(
    session: Session, make: Make, clerk: User, row: ReportingRound
) -> None:
    spell(make, make.prospect("Một"), date(2018, 12, 31))
    insurance = make.organisation("BHXH")
    told = {Own.COMPULSORY: (12_100, "phần mềm quản lý thu")}
    sent(session, owed_by(session, row, insurance.id), row, clerk, who=Who.INSURANCE, own=told)
    report = opened(session, clerk, AT)
    rows = rows_of(finding.paper_of(session, report).facts, "Biểu 01b")
    assert rows == {
        "Người tham gia BHXH tự nguyện": [1385, 1, 0.07, -1384, "Sổ theo dõi của chương trình (Biểu 01)"],
        "Người tham gia BHXH bắt buộc": [12_850, 12_100, 94.16, -750, "Các đơn vị báo cáo (Biểu 08)"],
        "Người tham gia bảo hiểm thất nghiệp": [12_695, None, None, None, "Chưa có số liệu báo cáo"],
    }
    words = finding.text_of(session, report)[Section.NUMBER]
    assert "12.100 người tham gia BHXH bắt buộc, đạt 94,16% chỉ tiêu giao năm (12.850 người), còn thiếu 750" in words
    ward = finding.paper_of(session, opened(session, clerk, AT, place=make.ward())).facts
    assert "plan" not in ward, "the plan names these for the town alone"


def test_a_report_of_a_ward_carries_its_own_figures_alone(
    session: Session, make: Make, clerk: User, row: ReportingRound
) -> None:
    ward, other = make.ward(), make.ward("14818@2019-10-15")
    sent(session, owed_by(session, row, ward.id), row, clerk)
    sent(session, owed_by(session, row, other.id), row, clerk, own={Own.SESSIONS: (90, "x")})
    facts = finding.paper_of(session, opened(session, clerk, AT, place=ward)).facts
    assert rows_of(facts, "Biểu 08")["Hội nghị, buổi tuyên truyền"][1] == 4
    assert not [table for table in facts["tables"] if table["form"] == "Biểu 07"]


def test_a_town_without_rounds_has_the_report_it_had(session: Session, clerk: User) -> None:
    facts = finding.paper_of(session, opened(session, clerk, AT)).facts
    assert "reported" not in facts
    own = {f"Biểu 0{number}" for number in range(1, 6)}
    assert {table["form"] for table in facts["tables"]} == own | {"Biểu 01b"}


def test_what_came_after_the_figures_were_frozen_is_named(
    session: Session, make: Make, clerk: User, row: ReportingRound, signed_in: Callable[..., FlaskClient]
) -> None:
    ward, other = make.ward(), make.ward("14818@2019-10-15")
    sent(session, owed_by(session, row, ward.id), row, clerk)
    report = opened(session, clerk, clock.now())
    office, says = signed_in(clerk), "đến sau khi chốt số liệu"
    assert says not in office.get(f"/reporting/{row.id}").text
    sent(session, owed_by(session, row, other.id), row, clerk)
    page = office.get(f"/reporting/{row.id}").text
    assert f"1 báo cáo {says}, chưa có trong đó: {other.name}." in page
    assert "hãy thu hồi báo cáo" not in page
    chief, today = make.user(Role.MANAGER), AT.date()
    signing.sign(
        session,
        report,
        version=1,
        template_id=None,
        number=None,
        signed_on=today,
        signer="",
        by=chief,
        at=clock.at(today, 10),
    )
    assert "hãy thu hồi báo cáo" in office.get(f"/reporting/{row.id}").text


# ---- reminders


def test_who_answers_for_a_late_report_is_reminded_each_week_once(
    session: Session, make: Make, clerk: User, row: ReportingRound
) -> None:
    ward = make.ward()
    make.user(Role.LEAD, place_id=ward.id)
    make.user(Role.LEAD, place_id=ward.id, organisation_id=make.organisation().id)

    def written(day: date) -> int:
        return reminding.remind(session, clerk.town_id, address="https://x", today=day, at=clock.at(day, 8))

    days = [date(2019, 10, day) for day in (1, 2, 3, 6, 9, 13)]
    assert [written(day) for day in days] == [0, 1, 0, 1, 0, 1]
    sent(session, owed_by(session, row, ward.id), row, clerk)
    assert written(date(2019, 10, 27)) == 0
    letters = session.scalars(select(Email).order_by(Email.made_at)).all()
    assert "5/10/2019" in letters[0].subject
    assert "/reporting/units/" in (letters[0].body or "")


def test_what_was_returned_is_told_at_once_and_not_first_before_the_last_day(
    session: Session, make: Make, clerk: User, row: ReportingRound, at_time: Callable[[datetime], None]
) -> None:
    ward = make.ward()
    make.user(Role.LEAD, place_id=ward.id)
    services.move_last_day(session, row, date(2019, 10, 31), by=clerk, at=AT)
    owed = owed_by(session, row, ward.id)
    sent(session, owed, row, clerk)
    services.send_back(session, owed, row, "Thiếu nguồn.", by=clerk, at=AT)
    told = {"address": "https://x", "today": AT.date(), "at": AT}
    assert reminding.remind(session, clerk.town_id, **told) == 1
    assert reminding.remind(session, clerk.town_id, **told) == 0, "each return once"


# ---- before the period is over


def test_figures_sent_before_the_month_is_over_are_told_as_such_until_they_are_completed(
    session: Session,
    make: Make,
    clerk: User,
    signed_in: Callable[..., FlaskClient],
    at_time: Callable[[datetime], None],
) -> None:
    early = clock.at(date(2019, 10, 15), 8)
    at_time(early)
    ward = make.ward()
    lead, office = signed_in(make.user(Role.LEAD, place_id=ward.id)), signed_in(clerk)
    row = services.open_round(session, clerk.town_id, ReportKind.MONTH, "2019-10", by=clerk, at=early)
    owed = owed_by(session, row, ward.id)
    home = lead.get("/dashboard").text
    assert "Báo cáo tháng 10/2019: gửi từ ngày 31/10/2019 đến ngày 5/11/2019, khi hết kỳ." in home
    says, mark = "Nên gửi từ ngày 31/10/2019", "số liệu mới đến 15/10/2019"
    assert says in lead.get(f"/reporting/units/{owed.id}/write").text
    sent(session, owed, row, clerk)
    for page in (office.get(f"/reporting/{row.id}"), lead.get(f"/reporting/units/{owed.id}")):
        assert mark in page.text
    facts = finding.paper_of(session, opened(session, clerk, early, period="2019-10")).facts
    assert facts["reported"]["early"] == [ward.name]
    assert "Trước khi hết kỳ, số liệu đến 15/10/2019" in rows_of(facts, "Biểu 07")[ward.name]
    assert any(f"gửi khi chưa hết kỳ, chưa bổ sung: {ward.name}" in one for one in consolidating.sentences(facts))
    at_time(clock.at(date(2019, 10, 31), 16))
    assert says not in lead.get(f"/reporting/units/{owed.id}/write").text, "on its last day the period is whole"
    asks = "Báo cáo tháng 10/2019 gửi khi chưa hết kỳ: hãy gửi bản sửa."
    home = lead.get("/dashboard").text
    assert asks in home
    assert "Gửi bản sửa" in home
    assert "Gửi khi chưa hết kỳ" in lead.get("/reporting").text
    told = {"address": "https://x", "today": date(2019, 11, 2), "at": clock.at(date(2019, 11, 2), 8)}
    before = session.scalar(select(func.count()).select_from(Email).where(Email.subject.contains(asks))) or 0
    reminding.remind(session, clerk.town_id, **told)
    reminding.remind(session, clerk.town_id, **told)
    after = session.scalar(select(func.count()).select_from(Email).where(Email.subject.contains(asks)))
    assert (before, after) == (0, 1), "each version that came too early once"
    assert sent(session, owed, row, clerk).version == 2, "the same words of a longer time are another report"
    assert sent(session, owed, row, clerk).version == 2
    assert mark not in office.get(f"/reporting/{row.id}").text
    assert asks not in lead.get("/dashboard").text


def test_the_years_report_is_due_before_the_year_is_over_and_nobody_calls_it_early(
    session: Session, make: Make, clerk: User, at_time: Callable[[datetime], None]
) -> None:
    at = clock.at(date(2019, 12, 2), 8)
    at_time(at)
    row = services.open_round(session, clerk.town_id, ReportKind.YEAR, "2019", by=clerk, at=at)
    owed = owed_by(session, row, make.ward().id)
    sent(session, owed, row, clerk)
    assert queries.line_of(session, scope_of(session, clerk), owed).early(row) is None


def test_what_units_wrote_stands_before_the_office_and_before_no_other_unit(
    session: Session, make: Make, clerk: User, row: ReportingRound, signed_in: Callable[..., FlaskClient]
) -> None:
    ward, other = make.ward(), make.ward("14818@2019-10-15")
    sent(session, owed_by(session, row, ward.id), row, clerk, note="Nhiều hộ đi làm ăn xa.")
    assert "Nhiều hộ đi làm ăn xa." in signed_in(clerk).get(f"/reporting/{row.id}").text
    lead = signed_in(make.user(Role.LEAD, place_id=other.id))
    assert "Nhiều hộ đi làm ăn xa." not in lead.get(f"/reporting/{row.id}").text


def test_whoever_finds_a_mistake_in_a_closed_round_reads_where_to_tell_it(
    session: Session, make: Make, clerk: User, row: ReportingRound, signed_in: Callable[..., FlaskClient]
) -> None:
    owed = owed_by(session, row, make.ward().id)
    services.close(session, row, by=clerk, at=AT)
    lead = signed_in(make.user(Role.LEAD, place_id=make.ward().id))
    assert "nêu trong báo cáo kỳ sau" in lead.get(f"/reporting/units/{owed.id}").text


# ---- an excuse


def test_an_excuse_is_taken_back_once_and_never_in_a_closed_round(
    session: Session, make: Make, clerk: User, row: ReportingRound, signed_in: Callable[..., FlaskClient]
) -> None:
    owed = owed_by(session, row, make.ward().id)
    lead, office = signed_in(make.user(Role.LEAD, place_id=make.ward().id)), signed_in(clerk)
    page = f"/reporting/units/{owed.id}"
    assert f"{page}/ask-again" not in office.get(page).text, "of a unit that owes there is no excuse to take back"
    with pytest.raises(Conflict):
        services.ask_again(session, owed, row, by=clerk, at=AT)
    services.excuse(session, owed, row, "Ghi nhầm đơn vị.", by=clerk, at=AT)
    assert f"{page}/ask-again" in office.get(page).text
    assert f"{page}/ask-again" not in lead.get(page).text
    assert lead.post(f"{page}/ask-again").status_code == 403
    assert office.post(f"{page}/ask-again").status_code == 303
    session.refresh(owed)
    assert (owed.state, owed.excused_why) == (State.WAITING, None)
    assert "vẫn phải gửi báo cáo" in office.post(f"{page}/ask-again", follow_redirects=True).text, (
        "a second click is told"
    )
    assert sent(session, owed, row, clerk).version == 1
    other = owed_by(session, row, make.organisation().id)
    services.excuse(session, other, row, "Không có hội viên.", by=clerk, at=AT)
    services.close(session, row, by=clerk, at=AT)
    assert "/ask-again" not in office.get(f"/reporting/units/{other.id}").text
    with pytest.raises(Conflict):
        services.ask_again(session, other, row, by=clerk, at=AT)


# ---- pages


def test_the_office_reads_apart_which_reports_were_returned_and_which_never_came(
    session: Session, make: Make, clerk: User, row: ReportingRound, signed_in: Callable[..., FlaskClient]
) -> None:
    owed = owed_by(session, row, make.ward().id)
    sent(session, owed, row, clerk)
    services.send_back(session, owed, row, "Thiếu nguồn.", by=clerk, at=AT)
    services.move_last_day(session, row, date(2019, 10, 2), by=clerk, at=AT)
    silent = queries.counts(session, scope_of(session, clerk), [row.id], AT.date())[row.id].late
    assert queries.late_rounds(session, scope_of(session, clerk), AT.date()) == [queries.Late(row, silent, 1)]
    office = signed_in(clerk)
    home = office.get("/dashboard").text
    assert f"Còn {silent} đơn vị chưa gửi báo cáo tháng 9/2019" in home
    assert "Có 1 báo cáo tháng 9/2019 đã trả lại để sửa mà chưa gửi lại." in home
    week = office.get("/dashboard/week").text
    assert f"Báo cáo tháng 9/2019 gửi chậm: {silent} đơn vị." in week
    assert "Báo cáo tháng 9/2019 đã trả lại để sửa, chưa gửi lại: 1." in week
    page = office.get(f"/reporting/{row.id}").text
    assert f"Còn thiếu {silent} báo cáo" in page
    assert "Có 1 báo cáo trả lại mà chưa gửi lại" in page


def test_who_looks_after_a_joined_ward_reads_whose_report_each_line_means(
    make: Make, row: ReportingRound, signed_in: Callable[..., FlaskClient], at_time: Callable[[datetime], None]
) -> None:
    lead = make.user(Role.LEAD, place_id=make.ward("14821@2019-10-15").id)
    assert "Phường Đông Sơn:" not in signed_in(lead).get("/dashboard").text, "one report needs no name"
    at_time(clock.at(date(2019, 12, 2), 8))
    page = signed_in(lead).get("/dashboard").text
    assert [f"<strong>{name}:</strong>" in page for name in ("Xã Hà Lan", "Phường Đông Sơn")] == [True, True]


def test_a_lead_writes_on_the_page_and_the_office_puts_it_together(
    session: Session, make: Make, clerk: User, row: ReportingRound, signed_in: Callable[..., FlaskClient]
) -> None:
    ward = make.ward()
    lead, office = signed_in(make.user(Role.LEAD, place_id=ward.id)), signed_in(clerk)
    owed = owed_by(session, row, ward.id)
    assert f"/reporting/units/{owed.id}/write" in lead.get("/dashboard").text
    assert lead.get("/reporting").status_code == 200
    page = f"/reporting/units/{owed.id}/write"
    assert lead.get(page).status_code == 200
    wrong = lead.post(page, data={"version": "0", "number_sessions": "4", "number_leaflets": "x"})
    assert wrong.status_code == 422
    half = {"version": "0", "number_sessions": "2,5", "source_sessions": "sổ"}
    assert lead.post(page, data=half).status_code == 422, "two and a half is not twenty-five"
    good = {"version": "0", "number_sessions": "1.200", "source_sessions": "sổ", "number_leaflets": "0"}
    assert lead.post(page, data=good).status_code == 303
    shown = office.get(f"/reporting/units/{owed.id}").text
    assert "1.200" in shown
    assert office.post(f"/reporting/units/{owed.id}/return", data={"why": "Xem lại"}).status_code == 303
    assert "Xem lại" in lead.get(f"/reporting/units/{owed.id}").text
    assert lead.post(f"/reporting/units/{owed.id}/return", data={"why": "x"}).status_code == 403
    assert office.get(f"/reporting/{row.id}").status_code == 200
    assert office.get("/reporting").status_code == 200
    assert office.post(f"/reporting/{row.id}/consolidate").status_code == 303
    assert session.scalar(select(func.count()).select_from(Report)) == 1
    assert office.post(f"/reporting/{row.id}/consolidate").status_code == 303
    assert session.scalar(select(func.count()).select_from(Report)) == 1
    waiting = owed_by(session, row, make.organisation().id)
    assert office.post(f"/reporting/units/{waiting.id}/excuse", data={"why": "sáp nhập"}).status_code == 303
    assert office.post(f"/reporting/{row.id}/due", data={"due_on": "2019-10-08"}).status_code == 303
    assert office.post(f"/reporting/{row.id}/due", data={"due_on": "0001-01-01"}).status_code == 422
    assert "Có 1 báo cáo trả lại mà chưa gửi lại" in office.get(f"/reporting/{row.id}/close").text
    assert office.post(f"/reporting/{row.id}/close").status_code == 303
    assert office.post(f"/reporting/{row.id}/close").status_code == 422
    assert lead.post(page, data=good | {"version": "1"}).status_code == 422


def test_the_office_changes_the_deadline_for_periods_to_come(
    session: Session, make: Make, clerk: User, signed_in: Callable[..., FlaskClient]
) -> None:
    office = signed_in(clerk)
    rule = {"kind": "month", "valid_from": "2019-10-01", "day": "31", "months_after": "0", "opens_before": "10"}
    answer = office.post("/reporting/deadlines", data=rule | {"owed_by": ["wards"], "source": "CV 12"})
    assert answer.status_code == 303
    found = services.open_round(session, clerk.town_id, ReportKind.MONTH, "2019-10", by=clerk, at=AT)
    assert found.due_on == date(2019, 10, 31)
    assert office.get("/reporting/deadlines?kind=year").status_code == 200
    assert office.post("/reporting", data={"period": "month:2019-09"}).status_code == 303
    assert session.scalars(select(ReportingRound.due_on).where(ReportingRound.period == SEPTEMBER)).one() == date(
        2019, 10, 5
    )


def test_a_program_sends_a_report_and_reads_who_is_missing(
    session: Session,
    make: Make,
    clerk: User,
    row: ReportingRound,
    client: FlaskClient,
    api: Callable[..., dict[str, str]],
) -> None:
    ward = make.ward()
    headers = api(make.user(Role.LEAD, place_id=ward.id))
    owed = owed_by(session, row, ward.id)
    url = f"/api/v1/reporting-rounds/reports/{owed.id}"
    body = {"version": 0, "own": [{"figure": "sessions", "number": 3, "source": "sổ"}]}
    assert client.post(url, json=body, headers=headers).get_json()["version"] == 1
    strange = {"version": 1, "own": [{"figure": "inspections", "number": 3, "source": "sổ"}]}
    assert client.post(url, json=strange, headers=headers).status_code == 422
    assert client.post(url, json=body | {"note": "khác"}, headers=headers).status_code == 409
    seen = client.get(f"/api/v1/reporting-rounds/{row.id}/reports", headers=headers).get_json()["items"]
    assert [one["unit"] for one in seen] == ["Phường Ba Đình"]
    office = api(clerk)
    (told,) = client.get("/api/v1/reporting-rounds", headers=office).get_json()["items"]
    assert (told["owed"], told["came"], told["late"]) == (15, 1, 0)
    first = client.get(f"/api/v1/reporting-rounds/{row.id}/reports?limit=10", headers=office).get_json()
    rest = client.get(
        f"/api/v1/reporting-rounds/{row.id}/reports?limit=10&cursor={first['next']}", headers=office
    ).get_json()
    assert len(first["items"]) + len(rest["items"]) == 15
    assert rest["next"] is None


def test_another_towns_rounds_are_not_there(session: Session, make: Make, clerk: User, row: ReportingRound) -> None:
    away = make.add(Town(code="999", name="Thị xã Xa"))
    other = make.user(Role.MANAGER, town_id=away.id)
    with pytest.raises(NotFound):
        queries.round_seen(session, scope_of(session, other), row.id)
