"""From the first count to the day it is sent: who may do what, and what never changes."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.db import one_moment, transaction
from crm.emulation.models import Commendation
from crm.emulation.rules import Form as Award
from crm.errors import Conflict, RuleBroken
from crm.participation.models import Participation
from crm.places.models import Town
from crm.reports.commands import report as report_command
from crm.reports.documents import showing
from crm.reports.documents.models import Report, ReportSnapshot
from crm.reports.documents.printing import word
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import KEPT, Form, Section, State, digest_of
from crm.reports.documents.services import counting, papers, signing
from crm.reports.documents.showing import content_of
from crm.reports.periods import ReportKind
from tasks.documents import count_report, resume
from tests.factories import Make
from tests.participation.stories import spell
from tests.reports.documents.stories import counted, made, opened, rows_of

AT = clock.at(date(2019, 10, 3), 8)
LATER = clock.at(date(2019, 11, 4), 8)


@pytest.fixture
def clerk(make: Make, at_time: Callable[..., None]) -> User:
    """Somebody of the steering office, on 3 October, with two people who take part."""
    at_time(AT)
    for name, day in (("Một", date(2018, 12, 31)), ("Hai", date(2019, 9, 9))):
        spell(make, make.prospect(f"Người {name}"), day)
    return make.user(Role.MANAGER)


@pytest.fixture
def chief(make: Make) -> User:
    return make.user(Role.MANAGER, full_name="Trần Thị Trưởng")


def signed(session: Session, report: Report, by: User, day: date = AT.date(), number: int | None = None) -> Report:
    at = clock.at(day, 10)
    signing.sign(
        session, report, version=report.wording, template_id=None, number=number, signed_on=day, signer="", by=by, at=at
    )
    return report


def snapshot_of(session: Session, report: Report) -> ReportSnapshot:
    found = finding.snapshot_of(session, report)
    assert found is not None
    return found


def now_in(facts: Any) -> int:
    return int(facts["total"]["now"])


# ---- freezing


def test_two_people_who_click_get_one_report(session: Session, clerk: User, chief: User) -> None:
    assert opened(session, clerk, AT).id == opened(session, chief, AT).id


def test_a_report_is_counted_once_however_often_the_bell_rings(session: Session, clerk: User) -> None:
    report = opened(session, clerk, AT)
    for _again in range(2):
        count_report.run(str(report.town_id), str(report.id))
        resume.run()
    session.refresh(report)
    assert (report.state, report.wording) == (State.DRAFT, 1)
    assert session.query(ReportSnapshot).count() == 1


def test_a_counting_that_stood_still_is_taken_up_again(
    session: Session, clerk: User, at_time: Callable[..., None]
) -> None:
    report = counting.open_report(session, ReportKind.MONTH, "2019-09", None, None, by=clerk, at=AT)
    assert counting.claim(session, report.town_id, report.id, at=AT) is not None, "a worker took it and died"
    assert counting.claim(session, report.town_id, report.id, at=AT) is None, "nobody else takes it meanwhile"
    later = clock.at(AT.date(), 9)
    assert [one.id for one in session.scalars(finding.standing_still(later))] == [report.id]
    at_time(later)
    count_report.run(str(report.town_id), str(report.id))
    session.refresh(report)
    assert report.state is State.DRAFT


@pytest.mark.committed
def test_what_is_recorded_while_it_is_counted_is_in_all_of_its_parts_or_in_none(make: Make) -> None:
    with transaction():
        clerk = make.user(Role.MANAGER)
        row = counting.open_report(make.session, ReportKind.HALF_YEAR, "2019-H1", None, None, by=clerk, at=AT)
        key = row.town_id, row.id

    def facts(counted: Callable[[int], None]) -> tuple[int, int]:
        with one_moment() as still:
            found = counting.count(still, still.get_one(Report, key), at=AT, counted=counted)
        return now_in(found), found["tables"][1]["rows"][5][-1]

    def joins(part: int) -> None:
        if part == 1:
            with transaction():
                spell(make, make.prospect("Người ghi giữa chừng"), date(2019, 3, 9))

    assert facts(joins) == (0, 0)
    assert facts(lambda _part: None) == (1, 1)


def test_the_report_of_a_year_carries_the_list_of_commendation(session: Session, clerk: User, make: Make) -> None:
    union = make.organisation()
    line = {"year": 2019, "position": 1, "organisation_id": union.id, "name": union.name, "result": "đạt 48"}
    make.add(
        Commendation(town_id=clerk.town_id, form=Award.CERTIFICATE, years_in_row=2, changed_at=AT, post=None, **line)
    )
    year = snapshot_of(session, opened(session, clerk, AT, ReportKind.YEAR, "2019")).facts
    assert rows_of(year, "Biểu 06")[union.name] == [None, "đạt 48", "Giấy khen", 2]
    month = snapshot_of(session, opened(session, clerk, AT)).facts
    assert "Biểu 06" not in {one["form"] for one in month["tables"]}


def test_figures_are_sealed_and_numbered_without_a_gap(session: Session, clerk: User, make: Make) -> None:
    first = snapshot_of(session, opened(session, clerk, AT))
    second = snapshot_of(session, opened(session, clerk, AT, ReportKind.YEAR, "2019"))
    assert (first.label, second.label) == ("1/2019", "2/2019")
    assert first.digest == digest_of(first.facts)
    session.expire(first)
    assert digest_of(first.facts) == first.digest, "as the database gives them back"


@pytest.mark.parametrize("table", ["report_snapshot", "report_text", "report_file"])
def test_the_database_refuses_to_rewrite(session: Session, clerk: User, chief: User, table: str) -> None:
    signed(session, opened(session, clerk, AT), chief)
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text(f"update {table} set town_id = town_id"))


def test_the_database_keeps_a_signed_report_as_it_is(session: Session, clerk: User, chief: User) -> None:
    signed(session, opened(session, clerk, AT), chief)
    for change in ("number = 99", "head = '{}'", "state = 'draft'", "snapshot_id = snapshot_id, wording = 7"):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(f"update report set {change}"))


def test_counting_again_takes_in_what_was_recorded_since(session: Session, clerk: User, make: Make) -> None:
    report = opened(session, clerk, AT)
    assert now_in(snapshot_of(session, report).facts) == 2
    spell(make, make.prospect("Người ghi muộn"), date(2019, 9, 20))
    counting.count_again(session, report, None, by=clerk, at=AT)
    count_report.run(str(report.town_id), str(report.id))
    session.refresh(report)
    assert now_in(snapshot_of(session, report).facts) == 3
    assert session.query(ReportSnapshot).count() == 2


def test_a_section_somebody_wrote_stays_when_it_is_counted_again(session: Session, clerk: User, make: Make) -> None:
    report = opened(session, clerk, AT)
    words = finding.text_of(session, report) | {Section.PROPOSALS: "Đề nghị tăng mức hỗ trợ."}
    signing.write(session, report, words, version=1, by=clerk, at=AT)
    spell(make, make.prospect("Người ghi muộn"), date(2019, 9, 20))
    counting.count_again(session, report, None, by=clerk, at=AT)
    count_report.run(str(report.town_id), str(report.id))
    session.refresh(report)
    now = finding.text_of(session, report)
    assert now[Section.PROPOSALS] == "Đề nghị tăng mức hỗ trợ."
    assert "3 người đang tham gia" in now[Section.NUMBER]


# ---- words, signature, number


def test_two_people_who_word_it_at_once_do_not_overwrite_each_other(session: Session, clerk: User, chief: User) -> None:
    report = opened(session, clerk, AT)
    words = finding.text_of(session, report)
    signing.write(session, report, words | {Section.TASKS: "Của một người."}, version=1, by=clerk, at=AT)
    with pytest.raises(Conflict):
        signing.write(session, report, words | {Section.TASKS: "Của người kia."}, version=1, by=chief, at=AT)
    assert [row.version for row, _who in finding.texts_of(session, report)] == [2, 1]


def test_whoever_worked_on_it_does_not_sign_it(session: Session, clerk: User, chief: User) -> None:
    report = opened(session, clerk, AT)
    with pytest.raises(RuleBroken):
        signed(session, report, clerk)
    words = finding.text_of(session, report) | {Section.TASKS: "Sửa."}
    signing.write(session, report, words, version=1, by=chief, at=AT)
    with pytest.raises(RuleBroken):
        signed(session, report, chief)


def test_what_was_not_read_is_not_signed(session: Session, clerk: User, chief: User) -> None:
    report = opened(session, clerk, AT)
    words = finding.text_of(session, report) | {Section.TASKS: "Sửa."}
    signing.write(session, report, words, version=1, by=clerk, at=AT)
    with pytest.raises(Conflict):
        signing.sign(
            session, report, version=1, template_id=None, number=None, signed_on=AT.date(), signer="", by=chief, at=AT
        )


def test_a_template_exchanged_between_reading_and_signing_is_told(
    session: Session, browsers: tuple[FlaskClient, FlaskClient], clerk: User
) -> None:
    mine, other = browsers
    address = made(mine, session)
    read = hidden(other.get(address).text)
    assert read["template"] == ""
    shipped = word.SHIPPED.read_bytes()
    own = papers.add_template(
        session, None, "cua-phong.docx", shipped, showing.sample(session.query(Town).one(), AT.date()), by=clerk, at=AT
    )
    sign = {"number": "7", "signed_on": "2019-10-03", "signer": "Trần Thị Trưởng"}
    refused = other.post(f"{address}/sign", data=read | sign)
    assert refused.status_code == 422
    assert "vừa đổi mẫu Word" in refused.text
    assert "cua-phong.docx" in refused.text, "whoever signs reads which one it is now"
    again = hidden(refused.text)
    assert again["template"] == str(own.id)
    assert other.post(f"{address}/sign", data=again | sign | {"template": "lạ"}).status_code == 422
    assert other.post(f"{address}/sign", data=again | sign).status_code == 303
    session.expire_all()
    assert session.query(Report).one().template_id == own.id


def hidden(page: str) -> dict[str, str]:
    """What the form of signing carries along."""
    form = re.search(r'<form[^>]*action="[^"]*/sign".*?</form>', page, re.S)
    assert form is not None
    fields = re.findall(r'<input[^>]*name="(version|template)"[^>]*value="([^"]*)"', form[0])
    return dict(fields)


def test_figures_that_were_not_read_are_not_signed_even_under_the_same_words(
    session: Session, clerk: User, chief: User, make: Make
) -> None:
    report = opened(session, clerk, AT)
    own = dict.fromkeys(Section, "Một câu của người soạn.")
    signing.write(session, report, own, version=report.wording, by=clerk, at=AT)
    read = report.wording
    spell(make, make.prospect("Người Ba"), date(2019, 9, 20))
    counting.count_again(session, report, None, by=clerk, at=AT)
    count_report.run(str(report.town_id), str(report.id))
    session.refresh(report)
    assert set(finding.text_of(session, report).values()) == {"Một câu của người soạn."}
    with pytest.raises(Conflict):
        signing.sign(
            session,
            report,
            version=read,
            template_id=None,
            number=None,
            signed_on=AT.date(),
            signer="",
            by=chief,
            at=AT,
        )


def test_numbers_follow_each_other_within_the_year(session: Session, clerk: User, chief: User) -> None:
    first = signed(session, opened(session, clerk, AT), chief, number=12)
    second = signed(session, opened(session, clerk, AT, period="2019-08"), chief)
    assert (first.number, second.number) == (12, 13)
    with pytest.raises(RuleBroken) as refused:
        signed(session, opened(session, clerk, AT, period="2019-07"), chief, number=12)
    assert refused.value.field == "number"


@pytest.mark.parametrize("day", [date(2019, 9, 29), date(2019, 10, 4)])
def test_the_paper_is_dated_after_its_figures_and_not_ahead(
    session: Session, clerk: User, chief: User, day: date
) -> None:
    report = opened(session, clerk, AT)
    with pytest.raises(RuleBroken) as refused:
        signing.sign(
            session, report, version=1, template_id=None, number=None, signed_on=day, signer="", by=chief, at=AT
        )
    assert refused.value.field == "signed_on"


def test_a_signed_report_is_not_counted_worded_or_signed_again(session: Session, clerk: User, chief: User) -> None:
    report = signed(session, opened(session, clerk, AT), chief)
    for act in (
        lambda: counting.count_again(session, report, None, by=clerk, at=AT),
        lambda: signing.write(session, report, {}, version=1, by=clerk, at=AT),
        lambda: signed(session, report, chief),
    ):
        with pytest.raises(Conflict):
            act()


def test_it_is_sent_once_it_is_signed_and_once_only(session: Session, clerk: User, chief: User) -> None:
    report = opened(session, clerk, AT)

    def send() -> None:
        signing.send(session, report, sent_on=AT.date(), way="trục liên thông", by=clerk, at=AT)

    with pytest.raises(Conflict):
        send()
    signed(session, report, chief)
    send()
    assert report.state is State.SENT
    with pytest.raises(Conflict):
        send()


def test_another_report_says_whose_place_it_takes(session: Session, clerk: User, chief: User) -> None:
    first = signed(session, opened(session, clerk, AT), chief)
    signing.withdraw(session, first, "Sai số liệu phường", by=chief, at=AT)
    second = opened(session, clerk, AT)
    assert second.id != first.id
    closing = finding.paper_of(session, second).closing
    assert closing.endswith("thay thế Báo cáo số 01/BC-LĐTBXH ngày 03/10/2019./.")
    assert finding.paper_of(session, first).filename.endswith("-da-thu-hoi")
    assert not finding.paper_of(session, second).filename.endswith("-da-thu-hoi")


# ---- made again later


def content(session: Session, report: Report) -> dict[Form, bytes]:
    return {form: content_of(session, report, form) for form in (*KEPT, Form.JSON)}


def test_a_signed_report_is_the_same_after_later_edits(
    session: Session, clerk: User, chief: User, make: Make, at_time: Callable[..., None]
) -> None:
    report = signed(session, opened(session, clerk, AT), chief)
    before = content(session, report)
    for row in session.query(Participation):
        row.withdrawn_at = LATER
    spell(make, make.prospect("Người ghi muộn"), date(2019, 9, 20))
    session.flush()
    at_time(LATER)
    assert content(session, report) == before


def test_a_draft_is_drawn_alike_from_the_same_figures(session: Session, clerk: User) -> None:
    report = opened(session, clerk, AT)
    assert content(session, report) == content(session, report)


def run(folder: Path, *arguments: str) -> dict[str, Any]:
    target = folder / "r.json"
    done = CliRunner().invoke(
        report_command, [*arguments, "--format", "json", "-o", str(target)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return dict(json.loads(target.read_text("utf-8")))


def test_the_command_freezes_a_day_that_is_over(session: Session, clerk: User, make: Make, tmp_path: Path) -> None:
    first = run(tmp_path, "month", "--period", "2019-09")
    spell(make, make.prospect("Người ghi muộn"), date(2019, 9, 20))
    assert run(tmp_path, "month", "--period", "2019-09") == first
    again = run(tmp_path, "month", "--period", "2019-09", "--again")
    assert again["rows"][-1][6] == first["rows"][-1][6] + 1
    assert again["number"] != first["number"]


def test_the_command_counts_a_day_that_is_not_over_and_keeps_nothing(
    session: Session, clerk: User, make: Make, tmp_path: Path
) -> None:
    first = run(tmp_path, "month", "--period", "2019-10")
    spell(make, make.prospect("Người mới"), date(2019, 10, 2))
    assert run(tmp_path, "month", "--period", "2019-10")["rows"][-1][6] == first["rows"][-1][6] + 1
    assert (first["number"], session.query(ReportSnapshot).count()) == (None, 0)


def test_the_command_gives_what_was_signed(session: Session, clerk: User, chief: User, tmp_path: Path) -> None:
    report = signed(session, opened(session, clerk, AT), chief)
    target = tmp_path / "r.docx"
    arguments = ["month", "--period", "2019-09", "--format", "docx", "-o", str(target)]
    done = CliRunner().invoke(report_command, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert target.read_bytes() == content_of(session, report, Form.DOCX)


def test_what_is_no_official_report_is_a_word_document_as_well(session: Session, clerk: User, tmp_path: Path) -> None:
    target = tmp_path / "p.docx"
    arguments = ["pipeline", "--period", "2019-09", "--format", "docx", "-o", str(target)]
    done = CliRunner().invoke(report_command, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(target) as packed:
        written = packed.read("word/document.xml").decode()
    assert "{{" not in written
    assert "9/2019" in written


# ---- what changed since


def test_what_was_recorded_late_appears_in_the_next_report(
    session: Session, clerk: User, chief: User, make: Make, at_time: Callable[..., None]
) -> None:
    september = signed(session, opened(session, clerk, AT), chief)
    spell(make, make.prospect("Người ghi muộn"), date(2019, 9, 20))
    at_time(LATER)
    october = opened(session, clerk, LATER, period="2019-10")
    facts = snapshot_of(session, october).facts
    rows = next(one for one in facts["tables"] if one["form"] == "Biểu điều chỉnh")["rows"]
    # period, report, ward, measure, was, is now, difference
    assert [row[1:] for row in rows] == [
        ["tháng 9 năm 2019", "01/BC-LĐTBXH", "Phường Ba Đình", "Tham gia mới, chuyển đến", 1, 2, 1],
        ["tháng 9 năm 2019", "01/BC-LĐTBXH", "Phường Ba Đình", "Đang tham gia cuối kỳ", 2, 3, 1],
        ["tháng 9 năm 2019", "01/BC-LĐTBXH", "Tổng cộng", "Tham gia mới, chuyển đến", 1, 2, 1],
        ["tháng 9 năm 2019", "01/BC-LĐTBXH", "Tổng cộng", "Đang tham gia cuối kỳ", 2, 3, 1],
    ]
    assert now_in(snapshot_of(session, september).facts) == 2, "what was reported stays"
    assert "đã báo cáo 2 người, nay là 3 người" in finding.text_of(session, october)[Section.NUMBER]


def test_a_correction_is_told_once(
    session: Session, clerk: User, chief: User, make: Make, at_time: Callable[..., None]
) -> None:
    signed(session, opened(session, clerk, AT), chief)
    spell(make, make.prospect("Người ghi muộn"), date(2019, 9, 20))
    at_time(LATER)
    signed(session, opened(session, clerk, LATER, period="2019-10"), chief, LATER.date())
    december = clock.at(date(2019, 12, 3), 8)
    at_time(december)
    facts = snapshot_of(session, opened(session, clerk, december, period="2019-11")).facts
    assert facts["corrections"] == []


# ---- boundaries


def test_the_same_month_in_old_and_new_boundaries_has_equal_totals(
    session: Session, clerk: User, make: Make, at_time: Callable[..., None]
) -> None:
    spell(make, make.prospect("Người Hà Lan", place=make.ward("14827@2019-10-15")), date(2019, 9, 2))
    report, totals, rows = opened(session, clerk, AT), [], []
    at_time(clock.at(date(2025, 7, 5), 8))
    for drawn in (None, date(2020, 1, 1), date(2025, 7, 1)):
        if drawn:
            counting.count_again(session, report, drawn, by=clerk, at=clock.now())
            count_report.run(str(report.town_id), str(report.id))
            session.refresh(report)
        facts = snapshot_of(session, report).facts
        table = rows_of(facts, "Biểu 01")
        totals.append(table.pop("Tổng cộng"))
        rows.append({name: row[9] for name, row in table.items() if row[9]})
    assert totals[0] == totals[1] == totals[2]
    assert rows == [
        {"Phường Ba Đình": 2, "Xã Hà Lan": 1},
        {"Phường Ba Đình": 2, "Phường Đông Sơn": 1},
        {"Phường Bỉm Sơn": 3},
    ]


# ---- who sees what


def test_who_leads_a_ward_sees_and_makes_the_reports_of_that_ward(
    session: Session, clerk: User, make: Make, signed_in: Callable[..., FlaskClient]
) -> None:
    of_town = opened(session, clerk, AT)
    of_ward = opened(session, clerk, AT, place=make.ward())
    other = opened(session, clerk, AT, place=make.ward("14821@2019-10-15"))
    browser = signed_in(make.user(Role.LEAD, place_id=make.ward().id))
    assert [browser.get(f"/reports/{one.id}").status_code for one in (of_town, of_ward, other)] == [404, 200, 404]
    answer = browser.post("/reports", data={"period": "month:2019-08", "place": str(make.ward().id)})
    assert answer.status_code == 303
    assert "Đang tính số liệu" in browser.get(answer.location).text
    assert browser.get(f"{answer.location}/progress").json == {
        "done": 0,
        "total": 8,
        "text": "Đã tính 0/8 phần",
        "finished": False,
        "next": None,
    }
    refused = browser.post("/reports", data={"period": "month:2019-08", "place": str(other.place_id)})
    assert refused.status_code in (404, 422)


def test_who_leads_an_organisation_has_no_reports(
    session: Session, clerk: User, make: Make, signed_in: Callable[..., FlaskClient]
) -> None:
    of_ward = opened(session, clerk, AT, place=make.ward())
    for fields in ({}, {"place_id": make.ward().id}):
        browser = signed_in(make.user(Role.LEAD, organisation_id=make.organisation().id, **fields))
        assert browser.get("/reports").status_code == 200
        assert browser.get(f"/reports/{of_ward.id}").status_code == 404


# ---- on the page


@pytest.fixture
def browsers(clerk: User, chief: User, signed_in: Callable[..., FlaskClient]) -> tuple[FlaskClient, FlaskClient]:
    return signed_in(clerk), signed_in(chief)


def test_two_people_write_and_neither_loses_a_word(session: Session, browsers: tuple[FlaskClient, FlaskClient]) -> None:
    mine, other = browsers
    address = made(mine, session)
    read = {one.value: words for one, words in finding.text_of(session, session.query(Report).one()).items()}
    read["version"] = "1"
    assert mine.post(f"{address}/text", data=read | {"tasks": "Của tôi.", "places": "Cũng của tôi."}).status_code == 303
    assert other.post(f"{address}/text", data=read | {"proposals": "Của người khác."}).status_code == 303
    session.expire_all()
    now = finding.text_of(session, session.query(Report).one())
    assert (now[Section.TASKS], now[Section.PROPOSALS]) == ("Của tôi.", "Của người khác.")
    refused = other.post(f"{address}/text", data=read | {"tasks": "Khác nữa.", "proposals": "Của người khác."})
    assert refused.status_code == 422
    boxes = dict(re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\s*(.*?)</textarea>', refused.text, re.S))
    assert (boxes["tasks"], boxes["places"]) == ("Khác nữa.", "Cũng của tôi."), "what one did not touch is as it became"
    assert '<p lang="vi">Của tôi.</p>' in refused.text, "to be compared"
    assert refused.text.count("người khác đã viết ở đây") == 1
    again = {**boxes, "version": "3"}
    assert other.post(f"{address}/text", data=again).status_code == 303
    unknown = other.post(f"{address}/text", data=read | {"tasks": "Lạ", "version": "77"})
    assert unknown.status_code == 422


def test_from_the_managers_home_to_the_sent_report(
    session: Session, browsers: tuple[FlaskClient, FlaskClient], make: Make
) -> None:
    mine, other = browsers
    assert "Báo cáo: Tháng 9/2019" in mine.get("/dashboard").text
    address = made(mine, session)
    page = mine.get(address).text
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in page
    assert "2 người đang tham gia BHXH tự nguyện" in page
    assert "Ký báo cáo" not in page, "who made it does not sign it"
    assert '<th scope="row">Phường Ba Đình</th>' in page, "a figure read aloud says whose it is"
    kept = finding.text_of(session, session.query(Report).one())
    words = {section.value: words for section, words in kept.items()} | {"proposals": "Không có.", "version": "1"}
    assert mine.post(f"{address}/text", data=words).status_code == 303
    assert mine.post(f"{address}/text", data=words).status_code == 303, "a second click changes nothing"
    assert session.query(Report).one().wording == 2
    assert "Ký báo cáo" in other.get(address).text
    sign = {"version": "2", "number": "7", "signed_on": "2019-10-03", "signer": "Trần Thị Trưởng"}
    assert other.post(f"{address}/sign", data=sign).status_code == 303
    page = mine.get(address).text
    assert "Số: 07/BC-LĐTBXH" in page
    assert "Bỉm Sơn, ngày 03 tháng 10 năm 2019" in page
    assert mine.post(f"{address}/send", data={"sent_on": "2019-10-03", "way": "trực tiếp"}).status_code == 303
    assert "trực tiếp" in mine.get(address).text
    for form in ("docx", "xlsx", "pdf", "json"):
        taken = mine.get(f"{address}/file?format={form}")
        assert (taken.status_code, len(taken.data) > 1000) == (200, True)
    assert mine.get(f"{address}/file?format=exe").status_code == 404


def test_whoever_comes_second_to_withdraw_reads_who_did_it_and_why(
    session: Session, browsers: tuple[FlaskClient, FlaskClient]
) -> None:
    mine, other = browsers
    address = made(mine, session)
    assert other.post(f"{address}/withdraw", data={"why": "Thiếu số liệu."}).status_code == 303
    again = mine.post(f"{address}/withdraw", data={"why": "Lần hai."})
    assert (again.status_code, again.location) == (303, address)
    page = mine.get(address).text
    assert "Trần Thị Trưởng thu hồi ngày 3/10/2019: Thiếu số liệu." in page
    assert "Lần hai." not in page


def test_the_word_document_says_what_the_page_says(session: Session, clerk: User) -> None:
    report = opened(session, clerk, AT)
    with zipfile.ZipFile(io.BytesIO(content_of(session, report, Form.DOCX))) as packed:
        written = packed.read("word/document.xml").decode()
    paper = finding.paper_of(session, report)
    for words in (paper.title, paper.closing, paper.sealed, *(row[1] for row in paper.sheets[0]["rows"])):
        assert str(words) in written
    assert "{{" not in written
    assert "{%" not in written


def test_bad_input_is_told_at_its_field(browsers: tuple[FlaskClient, FlaskClient], session: Session) -> None:
    mine, other = browsers
    for period in ("", "month:2019-13", "month:2020-01", "week:1", "x", "year:2019:2"):
        assert mine.post("/reports", data={"period": period}).status_code == 422
    address = made(mine, session)
    for sign in ({}, {"signed_on": "soon"}, {"signed_on": "2019-10-03", "number": "0", "version": "1"}):
        assert other.post(f"{address}/sign", data=sign).status_code == 422
    assert other.post(f"{address}/sign", data={"signed_on": "2019-10-03", "version": "x"}).status_code in (409, 422)
    assert mine.post(f"{address}/withdraw", data={"why": " "}).status_code == 422
    assert mine.get(f"{address}?version=99").status_code == 404
    assert mine.get("/reports?cursor=nonsense").status_code == 422


def test_the_page_and_the_calls_say_the_same(
    session: Session, clerk: User, client: FlaskClient, api: Callable[..., dict[str, str]]
) -> None:
    headers = api(clerk)
    given = {"kind": "month", "period": "2019-09"}
    answer = client.post("/api/v1/reports/documents", json=given, headers=headers)
    assert (answer.status_code, answer.json["state"]) == (201, "counting")  # type: ignore[index]
    one = answer.json["id"]  # type: ignore[index]
    assert client.get(f"/api/v1/reports/documents/{one}/file", headers=headers).status_code == 404
    counted(session)
    told = client.get(f"/api/v1/reports/documents/{one}", headers=headers).json
    taken = client.get(f"/api/v1/reports/documents/{one}/file?format=json", headers=headers).json
    assert taken["digest"] == told["digest"]  # type: ignore[index]
    assert taken["rows"][-1][6] == 2  # type: ignore[index]
    listed = client.get("/api/v1/reports/documents", headers=headers).json
    assert [item["id"] for item in listed["items"]] == [one]  # type: ignore[index]
    sent = client.post(f"/api/v1/reports/documents/{one}/sent", json={"sent_on": "2019-10-03"}, headers=headers)
    assert sent.status_code == 409
