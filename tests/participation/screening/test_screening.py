"""Asking somebody, the referral that follows, and what the insurance office answers."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import ChangeRecord
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import Conflict, RuleBroken
from crm.participation.models import Participation
from crm.participation.referrals import services as referrals
from crm.participation.referrals.models import Referral
from crm.participation.referrals.rules import Answer, State
from crm.participation.screening import services
from crm.participation.screening.models import Screening
from crm.participation.screening.queries import verdict_of
from crm.participation.screening.rules import Allowance, Answers, Business, Elsewhere, Kind, Work
from crm.premiums.services import law_as_shipped
from crm.prospects.models import IdentityReading, Prospect
from crm.prospects.rules import Stage
from tests.factories import Make
from tests.participation.stories import agent_of

Browse = Callable[..., FlaskClient]
PLAIN = Answers(citizen=True, work=Work.NONE, business=Business.NONE, allowance=Allowance.NONE, elsewhere=Elsewhere.NO)
CONTRACT = Answers(
    citizen=True, work=Work.CONTRACT, business=Business.NONE, allowance=Allowance.NONE, elsewhere=Elsewhere.NO
)
LAW = law_as_shipped()
FORM = {"citizen": "yes", "work": "none", "business": "none", "allowance": "none", "elsewhere": "no"}
PAID = {"income": "700.000", "months": "3", "start": "2019-10", "paid_on": "2019-10-15"}


@pytest.fixture
def person(make: Make) -> Prospect:
    return make.prospect(birth_year=1980, stage=Stage.AGREED)


def test_whoever_belongs_in_compulsory_insurance_is_referred_and_leaves_the_work(
    session: Session, make: Make, person: Prospect
) -> None:
    by = make.user()
    assert services.record_screening(session, person, CONTRACT, by=by, at=clock.now()).kind is Kind.COMPULSORY
    row = session.scalars(select(Referral)).one()
    assert (row.state, row.why, row.since) == (State.TO_SEND, ["contract"], date(2018, 1, 1))
    assert person.stage is Stage.NOT_ELIGIBLE
    services.record_screening(session, person, CONTRACT, by=by, at=clock.now())
    assert len(session.scalars(select(Referral)).all()) == len(session.scalars(select(Screening)).all()) == 1


def test_a_changed_answer_takes_the_referral_back_and_keeps_the_earlier_answer(
    session: Session, make: Make, person: Prospect
) -> None:
    by = make.user()
    services.record_screening(session, person, CONTRACT, by=by, at=clock.now())
    assert services.record_screening(session, person, PLAIN, by=by, at=clock.now()).kind is Kind.VOLUNTARY
    assert session.scalars(select(Referral)).one().state is State.WITHDRAWN
    assert person.stage is Stage.AGREED
    assert [one.work for one in session.scalars(select(Screening).order_by(Screening.at))] == [
        Work.CONTRACT,
        Work.NONE,
    ]


def test_the_answers_are_never_rewritten_and_nobody_is_referred_twice(
    session: Session, make: Make, person: Prospect
) -> None:
    services.record_screening(session, person, CONTRACT, by=make.user(), at=clock.now())
    with pytest.raises(DBAPIError, match=r"append-only|permission denied"), session.begin_nested():
        session.execute(text("update screening set work = 'none'"))
    row = session.scalars(select(Referral)).one()
    again = {name: getattr(row, name) for name in ("town_id", "prospect_id", "why", "stage_was", "referred_at")}
    with pytest.raises(IntegrityError, match="uq_referral_open"), session.begin_nested():
        session.add(Referral(**again, since=None, referred_by_id=None))
        session.flush()


@pytest.mark.parametrize(
    ("answer", "kind", "stage"),
    [
        (Answer.NOT_SUBJECT, Kind.VOLUNTARY, Stage.AGREED),
        (Answer.ENROLLED, Kind.COMPULSORY, Stage.NOT_ELIGIBLE),
        (Answer.UNKNOWN, Kind.COMPULSORY, Stage.NOT_ELIGIBLE),
    ],
)
def test_the_office_answers_each_person(
    session: Session, make: Make, person: Prospect, answer: Answer, kind: Kind, stage: Stage
) -> None:
    by = make.user()
    scope = scope_of(session, by)
    services.record_screening(session, person, CONTRACT, by=by, at=clock.now())
    row = session.scalars(select(Referral)).one()
    sent = referrals.send(session, scope, [row.id], on=clock.today(), by=by, at=clock.now())
    assert (sent.year, sent.number) == (2019, 1)
    with pytest.raises(Conflict, match="gửi rồi"):
        referrals.send(session, scope, [row.id], on=clock.today(), by=by, at=clock.now())
    referrals.record_answer(session, scope, row.id, answer, None, by=by, at=clock.now())
    session.refresh(person)
    assert person.stage is stage
    assert verdict_of(session, person, clock.today()).kind is kind
    with pytest.raises(Conflict):
        referrals.record_answer(session, scope, row.id, answer, None, by=by, at=clock.now())


def test_where_one_answer_decides_the_rest_is_not_asked(
    session: Session, make: Make, signed_in: Browse, client: FlaskClient
) -> None:
    volunteer = make.user(Role.VOLUNTEER)
    person = make.prospect(birth_year=1980, volunteer_id=volunteer.id, stage=Stage.AGREED)
    kept = signed_in(volunteer).post(f"/people/{person.id}/screening", data={"work": "contract"})
    assert kept.status_code == 302
    row = session.scalars(select(Screening)).one()
    assert (row.work, row.business, row.citizen) == (Work.CONTRACT, None, None)
    assert session.scalars(select(Referral)).one().state is State.TO_SEND
    assert "bắt buộc" in client.get("/may-i-join?birth_year=1980&work=contract").get_data(as_text=True)
    assert client.get("/may-i-join?birth_year=1980&work=none").status_code == 422


def test_a_volunteer_answers_five_questions_on_one_page(session: Session, make: Make, signed_in: Browse) -> None:
    volunteer = make.user(Role.VOLUNTEER)
    person = make.prospect(birth_year=1980, volunteer_id=volunteer.id, stage=Stage.AGREED)
    browser = signed_in(volunteer)
    page = browser.get(f"/people/{person.id}/screening").get_data(as_text=True)
    assert page.count("<fieldset") == 5
    missing = browser.post(f"/people/{person.id}/screening", data={"work": "none"})
    assert missing.status_code == 422
    assert session.scalars(select(Screening)).all() == []
    assert browser.post(f"/people/{person.id}/screening", data=FORM).status_code == 302
    page = browser.get(f"/people/{person.id}/screening").get_data(as_text=True)
    assert "Được tham gia BHXH tự nguyện" in page
    assert "58/2014" in page
    assert "Được tham gia BHXH tự nguyện" in browser.get(f"/people/{person.id}").get_data(as_text=True)


def test_a_citizen_number_answers_the_first_question(make: Make, signed_in: Browse) -> None:
    person = make.prospect(citizen_id="038180000001", citizen_masked="038***001")
    page = signed_in(Role.MANAGER).get(f"/people/{person.id}/screening").get_data(as_text=True)
    assert page.count("<fieldset") == 4


def test_what_was_not_answered_is_listed_in_the_order_of_the_questions(make: Make, signed_in: Browse) -> None:
    page = signed_in(Role.MANAGER).post(f"/people/{make.prospect().id}/screening", data={}).get_data(as_text=True)
    summary = page[page.index('class="error-summary"') : page.index("</ul>", page.index('class="error-summary"'))]
    assert re.findall(r'href="#(\w+)-0"', summary) == ["citizen", "work", "business", "allowance", "elsewhere"]
    assert ".:" not in summary


def test_enrolling_against_the_law_needs_a_reason_of_who_answers_for_the_money(
    session: Session, make: Make, signed_in: Browse, person: Prospect
) -> None:
    agent = agent_of(make, person)
    services.record_screening(session, person, CONTRACT, by=agent, at=clock.now())
    browser = signed_in(agent)
    assert "thuộc diện BHXH bắt buộc" in browser.get(f"/people/{person.id}/enrol").get_data(as_text=True)
    data = PAID | {"step": "record", "receipt_number": "C45-1"}
    refused = browser.post(f"/people/{person.id}/enrol", data=data)
    assert refused.status_code == 422
    assert session.scalars(select(Participation)).all() == []
    why = {"despite": "Hợp đồng đã hết từ tháng trước"}
    assert browser.post(f"/people/{person.id}/enrol", data=data | why).status_code == 302
    kept = session.scalars(select(ChangeRecord).where(ChangeRecord.act == services.ENROLLED_DESPITE)).one()
    assert kept.after
    assert kept.after["reason"] == why["despite"]


def test_whoever_is_barred_is_told_no_premium_and_offered_no_joining(
    session: Session, make: Make, signed_in: Browse, person: Prospect
) -> None:
    browser, offered = signed_in(agent_of(make, person)), f"/people/{person.id}/enrol"
    before = browser.get(f"/people/{person.id}").get_data(as_text=True)
    assert offered in before
    assert "nếu tham gia" in before
    services.record_screening(session, person, CONTRACT, by=make.user(), at=clock.now())
    person.stage = Stage.AGREED  # somebody went on with them all the same
    session.flush()
    page = browser.get(f"/people/{person.id}").get_data(as_text=True)
    assert offered not in page
    assert "nếu tham gia" not in page
    assert "BHXH bắt buộc" in page
    calculator = browser.get(f"/people/{person.id}/calculator")
    assert (calculator.status_code, calculator.location) == (302, f"/people/{person.id}")


def test_whom_nobody_asked_joins_as_before(session: Session, make: Make, person: Prospect) -> None:
    services.refuse_barred(session, person, None, LAW, by=make.user(), at=clock.now())
    services.record_screening(session, person, CONTRACT, by=make.user(), at=clock.now())
    with pytest.raises(RuleBroken, match="bắt buộc"):
        services.refuse_barred(session, person, None, LAW, by=make.user(), at=clock.now())


def test_the_list_goes_to_the_office_as_a_file_that_is_logged(session: Session, make: Make, signed_in: Browse) -> None:
    manager = make.user()
    person = make.prospect("=cmd|' /C calc'!A1", birth_year=1980, citizen_id="038180000001", citizen_masked="038***001")
    services.record_screening(session, person, CONTRACT, by=manager, at=clock.now())
    row = session.scalars(select(Referral)).one()
    browser = signed_in(manager)
    assert browser.get("/referrals").status_code == 200
    assert browser.post("/referrals/send", data={"sent_on": "2019-10-15"}).status_code == 422
    assert browser.post("/referrals/send", data={"sent_on": "2019-10-16", "referrals": str(row.id)}).status_code == 422
    sent = browser.post("/referrals/send", data={"sent_on": "2019-10-15", "referrals": str(row.id)})
    assert sent.status_code == 302
    page = browser.get(sent.headers["Location"]).get_data(as_text=True)
    session.refresh(row)
    file = browser.get(f"/referrals/lists/{row.list_id}.xlsx")
    sheet = load_workbook(io.BytesIO(file.data)).active
    assert sheet is not None
    cells = [cell for line in sheet.iter_rows(min_row=5) for cell in line]
    assert "038180000001" in [cell.value for cell in cells]
    assert all(cell.data_type != "f" for cell in cells)
    assert [one.way for one in session.scalars(select(IdentityReading))] == ["referral_list"]
    assert f"/referrals/lists/{row.list_id}.xlsx" in page
    answered = browser.post(f"/referrals/{row.id}/answer", data={"answer": "not_subject", "note": "hết hợp đồng"})
    assert answered.status_code == 302
    for state in State:
        assert browser.get(f"/referrals?state={state.value}").status_code == 200
    assert browser.get(f"/people/{person.id}").status_code == 200


def test_anybody_may_ask_and_nothing_is_kept(session: Session, client: FlaskClient) -> None:
    assert client.get("/may-i-join").status_code == 200
    asked = "/may-i-join?birth_year=1980&work={}&business=none&allowance=none&elsewhere=no"
    assert "Được tham gia" in client.get(asked.format("none")).get_data(as_text=True)
    assert "Thuộc diện BHXH bắt buộc" in client.get(asked.format("contract")).get_data(as_text=True)
    assert "Chưa tới ngày áp dụng" in client.get(asked.format("hamlet_cadre")).get_data(as_text=True)
    assert client.get(asked.format("king")).status_code == 422
    assert session.scalars(select(Screening)).all() == []


def test_whoever_asks_for_themselves_is_spoken_to(client: FlaskClient) -> None:
    client.get("/language/en")
    gaps = client.get("/may-i-join?birth_year=1980&work=none").text
    assert gaps.count("Do you own a household business?") == 2  # in the summary and at the field
    asked = "/may-i-join?birth_year={}&work=none&business=none&allowance={}&elsewhere={}"
    pages = [
        gaps,
        *(client.get(asked.format(*one)).text for one in (("2019", "none", "no"), ("1980", "other", "voluntary"))),
    ]
    pages.append(client.get(asked.format("1980", "none", "compulsory")).text)
    for said, page in zip(
        ("already?", "You have not reached", "You pay voluntary", "You pay compulsory"), pages, strict=True
    ):
        main = page.split("<main", 1)[1].split("</main>", 1)[0]
        assert said in main
        assert not re.search(r"\b([Tt]hey|[Tt]heir)\b", main)


@pytest.mark.parametrize(("year", "said"), [("2030", "sau hôm nay"), ("1850", "120 năm"), ("20", "bốn chữ số")])
def test_nobody_is_born_ahead_or_longer_ago_than_one_lives(client: FlaskClient, year: str, said: str) -> None:
    page = client.get(f"/may-i-join?birth_year={year}&work=none&business=none&allowance=none&elsewhere=no")
    assert page.status_code == 422
    assert said in page.text
    assert 'href="#birth_year"' in page.text
