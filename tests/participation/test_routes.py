"""Joining, paying on, stopping and the lists, through the browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import PERMISSIONS, May, Role
from crm.ids import new_id
from crm.participation import queries
from crm.participation.models import Participation, Payment
from crm.participation.rules import Ending
from crm.participation.shares import UNNAMED, Share
from crm.premiums.models import LawValueRow
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.prospects.rules import Ground, Stage
from tests.factories import Make
from tests.participation.stories import agent_of, join, pay, spell

Browse = Callable[..., FlaskClient]
PAID = {"income": "700.000", "months": "3", "start": "2019-10", "paid_on": "2019-10-15"}


def test_an_agent_sees_the_figure_before_recording_it(session: Session, make: Make, signed_in: Browse) -> None:
    person = make.prospect(grounds=(Ground.NEAR_POOR,))
    browser = signed_in(agent_of(make, person))
    first = browser.get(f"/people/{person.id}/enrol")
    assert first.status_code == 200
    again = browser.post(f"/people/{person.id}/enrol", data=PAID | {"step": "work_out"})
    assert again.status_code == 200
    assert "346.500" in again.get_data(as_text=True)
    assert session.scalars(select(Participation)).all() == []
    done = browser.post(f"/people/{person.id}/enrol", data=PAID | {"step": "record", "receipt_number": "C45-1"})
    assert done.status_code == 302
    assert session.scalars(select(Payment)).one().own == 346_500
    assert browser.get(done.headers["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"receipt_number": ""}, "biên lai"),
        ({"income": "650.000"}, "700.000"),
        ({"income": "abc"}, "1.500.000"),
        ({"months": "5"}, ""),
        ({"start": "2019-05"}, "8/2019"),
        ({"start": "2031-05"}, ""),
        ({"paid_on": "2019-10-16"}, "chưa tới"),
        ({"paid_on": "someday"}, ""),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    session: Session, make: Make, signed_in: Browse, wrong: dict[str, str], sentence: str
) -> None:
    person = make.prospect()
    browser = signed_in(agent_of(make, person))
    data = PAID | {"step": "record", "receipt_number": "C45-1"} | wrong
    answer = browser.post(f"/people/{person.id}/enrol", data=data)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "error-summary" in page
    assert sentence in page
    assert session.scalars(select(Participation)).all() == []


def test_a_volunteer_hands_over_and_cannot_record(session: Session, make: Make, signed_in: Browse) -> None:
    volunteer = make.user(Role.VOLUNTEER)
    person = make.prospect(volunteer_id=volunteer.id)
    browser = signed_in(volunteer)
    page = browser.get(f"/people/{person.id}/enrol").get_data(as_text=True)
    assert "TK1-TS" in page
    assert 'value="record"' not in page
    assert browser.post(f"/people/{person.id}/enrol", data=PAID | {"step": "record"}).status_code == 422
    assert f"/people/{person.id}/papers" in page
    assert session.scalars(select(Participation)).all() == []


def test_a_volunteer_is_offered_papers_and_never_a_payment(session: Session, make: Make, signed_in: Browse) -> None:
    volunteer = make.user(Role.VOLUNTEER)
    agreed, due = (make.prospect(volunteer_id=volunteer.id, stage=stage) for stage in (Stage.AGREED, Stage.INTERESTED))
    join(due, date(2019, 8, 15))  # until 31 October
    session.commit()
    theirs, office = signed_in(volunteer), signed_in(Role.MANAGER)
    for person, act in ((agreed, "enrol"), (due, "pay")):
        address = f"/people/{person.id}"
        assert f'{address}/{act}"' in office.get(address).text
        assert f'{address}/{act}"' not in theirs.get(address).text
    assert f"/people/{agreed.id}/papers" in theirs.get(f"/people/{agreed.id}").text


def test_whose_time_to_pay_has_run_out_joins_anew_before_the_timetable_says_so(
    session: Session, make: Make, signed_in: Browse
) -> None:
    person, browser = make.prospect(), signed_in(Role.MANAGER)
    old = join(person, date(2019, 6, 3))  # three months, and until 30 November for what follows
    old.deadline_on = date(2019, 10, 14)
    session.commit()
    address = f"/people/{person.id}"
    assert f"{address}/enrol" in browser.get(f"{address}/pay").text
    assert browser.post(f"{address}/enrol", data=PAID | {"step": "record"}).status_code == 302
    session.refresh(old)
    assert (old.ended_on, old.ended_as) == (date(2019, 10, 15), Ending.LAPSED)
    new = session.scalars(select(Participation).where(Participation.ended_on.is_(None))).one()
    assert (new.started_on, person.stage) == (date(2019, 10, 15), Stage.JOINED)


def test_nobody_enrols_whom_they_may_not_see(make: Make, signed_in: Browse) -> None:
    person = make.prospect()
    for path in ("enrol", "pay", "payments", "stop"):
        assert signed_in(Role.VOLUNTEER).get(f"/people/{person.id}/{path}").status_code == 404


def test_a_manager_pays_on_sees_the_layers_and_takes_it_back(session: Session, make: Make, signed_in: Browse) -> None:
    person, browser = make.prospect(), signed_in(Role.MANAGER)
    join(person, date(2019, 7, 2))
    assert browser.get(f"/people/{person.id}/pay").status_code == 200
    data = {"income": "700000", "months": "6", "paid_on": "2019-10-15", "step": "record", "confirmation": "12/BHXH"}
    assert browser.post(f"/people/{person.id}/pay", data=data).status_code == 302
    paid = browser.get(f"/people/{person.id}/payments").get_data(as_text=True)
    assert "924.000" in paid
    assert "12/BHXH" in paid
    last = session.scalars(select(Payment).where(Payment.months == 6)).one()
    assert browser.post(f"/payments/{last.id}/reverse").status_code == 302
    again = browser.post(f"/payments/{last.id}/reverse", follow_redirects=True)
    assert again.request.path == f"/people/{person.id}/payments"
    assert "Khoản đóng này đã được hủy." in again.text
    assert signed_in(Role.AUDITOR).post(f"/payments/{last.id}/reverse").status_code == 403


def test_paying_on_for_someone_who_lapsed_says_what_to_do(make: Make, signed_in: Browse) -> None:
    person, browser = make.prospect(), signed_in(Role.MANAGER)
    join(person, date(2019, 4, 2))
    data = {"income": "700000", "months": "3", "paid_on": "2019-10-15", "step": "record"}
    answer = browser.post(f"/people/{person.id}/pay", data=data)
    assert answer.status_code == 422
    assert "đăng ký lại" in answer.get_data(as_text=True)


def test_someone_stops(session: Session, make: Make, signed_in: Browse) -> None:
    person, browser = make.prospect(), signed_in(Role.MANAGER)
    row = join(person, date(2019, 7, 2))
    assert browser.get(f"/people/{person.id}/stop").status_code == 200
    wrong = browser.post(f"/people/{person.id}/stop", data={"ending": "compulsory", "on": "2019-07-02"})
    assert wrong.status_code == 422
    assert (
        browser.post(f"/people/{person.id}/stop", data={"ending": "compulsory", "on": "2019-10-01"}).status_code == 302
    )
    session.refresh(row)
    assert row.ended_as is Ending.COMPULSORY
    assert browser.get(f"/people/{person.id}/stop").status_code == 422


@pytest.mark.parametrize("months", [1, 3])
def test_the_card_on_a_persons_page(make: Make, signed_in: Browse, months: int) -> None:
    person, browser = make.prospect(), signed_in(Role.MANAGER)
    assert "Đóng bao nhiêu?" in browser.get(f"/people/{person.id}").get_data(as_text=True)
    join(person, date(2019, 10, 2), months=months)
    page = browser.get(f"/people/{person.id}").get_data(as_text=True)
    assert ("30/11/2019" if months == 1 else "31/3/2020") in page
    assert f"/people/{person.id}/pay" in page
    assert "Đóng bao nhiêu?" in page
    assert "Nhà nước hỗ trợ" in page


def test_an_overdue_person_is_not_offered_the_next_payment_first(make: Make, signed_in: Browse) -> None:
    person = make.prospect(stage=Stage.JOINED)
    spell(make, person, date(2019, 1, 1), paid_through=date(2019, 8, 1), deadline_on=date(2019, 10, 14))
    page = signed_in(Role.MANAGER).get(f"/people/{person.id}").get_data(as_text=True)
    assert "Quá hạn, đã đóng đến 8/2019" in page
    assert page.count(f'href="/people/{person.id}/pay"') == 1


@pytest.mark.parametrize(("before", "offered"), [(690_000, "700.000"), (760_000, "800.000")])
def test_the_page_opens_on_an_income_that_the_law_allows_now(
    make: Make, signed_in: Browse, before: int, offered: str
) -> None:
    person = make.prospect(stage=Stage.JOINED)
    row = spell(make, person, date(2019, 1, 1), paid_through=date(2019, 9, 1), deadline_on=date(2019, 10, 31))
    row.income = before
    page = signed_in(Role.MANAGER).get(f"/people/{person.id}/pay")
    assert page.status_code == 200
    assert f'value="{offered}"' in page.text
    assert f"{before // 1000}.000" in page.text


def test_the_card_says_what_a_payment_costs_once_the_law_has_changed(make: Make, signed_in: Browse) -> None:
    person = make.prospect(stage=Stage.JOINED)
    spell(make, person, date(2019, 8, 1), paid_through=date(2019, 10, 1), deadline_on=date(2020, 1, 31)).method = 3
    manager, words = signed_in(Role.MANAGER), "luật thay đổi từ ngày đó"
    assert words not in manager.get(f"/people/{person.id}").text
    make.add(
        LawValueRow(
            id=new_id(),
            key=LawKey.POVERTY_LINE,
            ground=None,
            value=Decimal(1_000_000),
            effective_from=date(2020, 1, 1),
            document="Nghị định thử",
            status=LawStatus.IN_FORCE,
        )
    )
    page = " ".join(manager.get(f"/people/{person.id}").text.split()).replace("\xa0", " ")
    assert words in page
    assert "1/1/2020 trở đi thì đóng 594.000 đ" in page


@pytest.mark.parametrize(
    "address",
    ["", "?kind=nonsense", "?as_of=2031-01-01", "?as_of=x&since=y", "?kind=left&since=2019-03-01&as_of=2019-06-30"],
)
def test_a_list_answers_whatever_is_asked(make: Make, signed_in: Browse, address: str) -> None:
    spell(make, make.prospect(), date(2019, 2, 1), date(2019, 5, 1))
    spell(make, make.prospect(), date(2019, 2, 1))
    page = signed_in(Role.MANAGER).get(f"/participation{address}")
    assert page.status_code == 200
    assert page.get_data(as_text=True).count('scope="row"') == 1


@pytest.mark.parametrize("address", ["?place=99999", "?organisation=NOBODY", "?cursor=forged"])
def test_a_list_says_what_it_does_not_know(signed_in: Browse, address: str) -> None:
    assert signed_in(Role.MANAGER).get(f"/participation{address}").status_code == 422


def test_a_list_by_code_and_page_by_page(make: Make, signed_in: Browse) -> None:
    for number in range(53):
        spell(make, make.prospect(f"Người {number}"), date(2019, 2, 1))
    spell(make, make.prospect(place=make.ward("14821")), date(2019, 2, 1))
    browser = signed_in(Role.MANAGER)
    page = browser.get("/participation?place=14812@2019-10-15").get_data(as_text=True)
    assert page.count('scope="row"') == 50
    after = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert browser.get(after).get_data(as_text=True).count('scope="row"') == 3


def test_the_page_of_months_says_who_paid_which_and_by_which_payment(
    session: Session, make: Make, signed_in: Browse
) -> None:
    person = make.prospect(grounds=(Ground.NEAR_POOR,))
    join(person, date(2019, 8, 2), others=(Share(UNNAMED, 100_000),), confirmation="Danh sách tháng 8")
    browser = signed_in(agent_of(make, person))
    page = browser.get(f"/people/{person.id}/months").get_data(as_text=True)
    assert 'id="m-2019-08"' in page
    assert 'id="m-2019-10"' in page
    for words in ("Danh sách tháng 8", "33.333", "33.334", "Đã đóng đến 10/2019", "3/120", "2/8/2019"):
        assert words in page
    card = browser.get(f"/people/{person.id}").get_data(as_text=True)
    assert "year=2019#m-2019-09" in card
    assert "3 tháng, 3 tháng được hỗ trợ (3/120)" in card


def test_months_to_come_stand_together_in_one_line_that_each_of_their_squares_leads_to(
    session: Session, make: Make, signed_in: Browse
) -> None:
    person = make.prospect()
    join(person, date(2019, 8, 2), months=1)
    browser = signed_in(agent_of(make, person))
    page = browser.get(f"/people/{person.id}/months?year=2020").get_data(as_text=True)
    [row] = re.findall(r'<tr id="m-2020-01" class="month-told">.*?</tr>', page, re.S)
    assert "1/2020 – 4/2020" in row
    assert "Chưa đến hạn" in row
    assert all(f'<span id="m-2020-0{number}">' in row for number in (2, 3, 4))
    assert page.count('class="month-told"') == 1
    this_year = browser.get(f"/people/{person.id}/months?year=2019").get_data(as_text=True)
    told = re.findall(r'id="m-(\S+)" class="month-told"', this_year)
    assert told == ["2019-08", "2019-09", "2019-10"]


def test_whoever_never_took_part_has_no_months(make: Make, signed_in: Browse) -> None:
    person = make.prospect()
    page = signed_in(agent_of(make, person)).get(f"/people/{person.id}/months")
    assert page.status_code == 200
    assert "Chưa có tháng nào" in page.get_data(as_text=True)


def test_another_program_reads_the_months_and_money_only_with_the_right_to_it(
    session: Session, make: Make, client: FlaskClient
) -> None:
    person = make.prospect()
    join(person, date(2019, 9, 2), months=1)

    def ask(role: Role) -> dict[str, Any]:
        user = agent_of(make, person) if role is Role.AGENT else make.user(role)
        token = make.token(user)
        answer = client.get(f"/api/v1/prospects/{person.id}/months", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
        return answer.get_json()  # type: ignore[no-any-return]

    told = ask(Role.AGENT)
    assert (told["paid_through"], told["paid"], told["supported"], told["supported_at_most"]) == ("2019-09", 1, 1, 120)
    first = told["months"][0]
    assert (first["month"], first["state"], first["money"]["own"]) == ("2019-09", "own", 138_600)
    assert first["money"]["others"] == []
    viewers = [role for role in Role if not PERMISSIONS[role] & {May.ENROL, May.RECORD_MONEY}]
    seeing = [role for role in viewers if May.SEE_PEOPLE in PERMISSIONS[role]]
    for role in seeing:
        assert all(one["money"] is None for one in ask(role)["months"])


def test_the_page_of_a_child_says_from_when_they_may_join(make: Make, signed_in: Browse) -> None:
    child = make.prospect(birth_date=date(2004, 10, 16), birth_year=2004)
    page = signed_in(agent_of(make, child)).get(f"/people/{child.id}").get_data(as_text=True)
    assert "tham gia từ 16/10/2019" in page
    assert f"/people/{child.id}/enrol" not in page


def test_the_page_says_from_when_the_next_period_may_be_paid(make: Make, signed_in: Browse) -> None:
    person = make.prospect()
    join(person, date(2019, 10, 2), months=12)  # through 9/2020; today is 15/10/2019
    browser = signed_in(agent_of(make, person))
    page = browser.get(f"/people/{person.id}/pay")
    assert page.status_code == 200
    assert "Đã đóng đến hết tháng 9/2020. Từ tháng 9/2020 mới đóng được cho kỳ bắt đầu từ tháng 10/2020" in page.text
    assert 'value="record"' not in page.text
    sent = {"income": "700.000", "months": "12", "paid_on": "2019-10-15", "receipt_number": "C45-9", "step": "record"}
    answer = browser.post(f"/people/{person.id}/pay", data=sent | {"first_month": "2020-10"})
    assert answer.status_code == 422
    assert "mới đóng được cho kỳ bắt đầu từ tháng 10/2020" in answer.text.split("error-summary", 1)[1]


def decree_from_new_year(make: Make) -> None:
    """From 1/1/2020: a least income of 1,000,000, and 35 % for the poor."""
    told = {"effective_from": date(2020, 1, 1), "document": "Nghị định thử", "status": LawStatus.IN_FORCE}
    make.add(LawValueRow(id=new_id(), key=LawKey.POVERTY_LINE, value=Decimal(1_000_000), **told))
    make.add(LawValueRow(id=new_id(), key=LawKey.SUPPORT_PERCENT, ground=Ground.POOR, value=Decimal(35), **told))


def plain(page: str) -> str:
    return " ".join(page.split()).replace("\xa0", " ")


def poor_paying_half_years(make: Make, paid_through: date, deadline_on: date) -> Any:
    person = make.prospect(stage=Stage.JOINED, grounds=(Ground.POOR,))
    spell(make, person, date(2019, 3, 1), paid_through=paid_through, deadline_on=deadline_on).method = 6
    return person


def test_the_next_payment_is_told_by_the_law_of_the_first_day_it_may_be_paid(
    make: Make, signed_in: Browse, at_time: Callable[..., None]
) -> None:
    decree_from_new_year(make)
    at_time(clock.at(date(2019, 11, 20), 9))
    person = poor_paying_half_years(make, date(2020, 2, 1), date(2020, 6, 30))
    browser = signed_in(agent_of(make, person))
    form, card = (plain(browser.get(f"/people/{person.id}{page}").text) for page in ("/pay", ""))
    for told in (form, card):
        assert "858.000 đ" in told
        assert "646.800 đ" not in told
    assert "Từ tháng 2/2020 mới đóng được" in form
    assert "Tính cho lần đóng ngày 1/2/2020, theo luật của ngày đó" in form
    assert "luật của ngày 1/2/2020 không cho mức này" in form
    assert "Đóng được từ 1/2/2020; số tiền tính theo luật của ngày đó" in card
    assert "luật thay đổi từ ngày đó" not in card  # no day that one may pay lies before the change


def test_what_may_be_paid_today_is_told_and_recorded_by_the_law_of_today(
    session: Session, make: Make, signed_in: Browse, at_time: Callable[..., None]
) -> None:
    decree_from_new_year(make)
    at_time(clock.at(date(2019, 11, 20), 9))
    person = poor_paying_half_years(make, date(2019, 11, 1), date(2020, 3, 31))
    browser = signed_in(agent_of(make, person))
    form, card = (plain(browser.get(f"/people/{person.id}{page}").text) for page in ("/pay", ""))
    assert "646.800 đ" in form
    assert "858.000 đ" not in form
    assert "theo luật của ngày đó như" not in form + card
    assert "1/1/2020 trở đi thì đóng 858.000 đ" in card
    sent = {"income": "700.000", "months": "6", "paid_on": "2019-11-20", "receipt_number": "C45-9", "step": "record"}
    browser.post(f"/people/{person.id}/pay", data=sent | {"first_month": "2019-12"})
    assert session.scalars(select(Payment).where(Payment.prospect_id == person.id)).one().own == 646_800


def test_a_payment_is_told_by_the_rules_kept_with_it_whatever_the_law_says_since(
    session: Session, make: Make, signed_in: Browse
) -> None:
    person = make.prospect(grounds=(Ground.POOR,))
    join(person, date(2019, 10, 2), grounds=(Ground.POOR,))
    later = {"effective_from": date(2019, 10, 10), "document": "Luật sau", "status": LawStatus.IN_FORCE}
    make.add(LawValueRow(id=new_id(), key=LawKey.POVERTY_LINE, value=Decimal(900_000), **later))
    session.commit()
    page = signed_in(Role.MANAGER).get(f"/people/{person.id}/payments").text
    told = page.split("Cách tính", 1)[1]
    assert "22% × 700.000\u00a0đ × 3 tháng" in told
    assert "30% × 22% × 700.000\u00a0đ × 3 tháng" in told
    assert "Luật Bảo hiểm xã hội 58/2014/QH13, Điều 87" in told
    assert "Luật sau" not in page
    assert "Người dân đóng" in told
    assert "Mình đóng" not in told


def test_payments_of_one_person_come_a_page_at_a_time(
    session: Session, make: Make, signed_in: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make.prospect()
    join(person, date(2019, 7, 2), months=3)
    pay(person, date(2019, 10, 2), months=3)
    session.commit()
    browser = signed_in(Role.MANAGER)

    def shown(address: str) -> tuple[list[str], str | None]:
        page = browser.get(address).text
        further = re.search(r'rel="next" href="([^"]+)"', page)
        return re.findall(r'<th scope="row">([0-9/]+)', page), unescape(further[1]) if further else None

    address = f"/people/{person.id}/payments"
    assert shown(address) == (["2/10/2019", "2/7/2019"], None)
    monkeypatch.setattr(queries, "page_of_payments", partial(queries.page_of_payments, size=1))
    days, following = shown(address)
    assert days == ["2/10/2019"]
    assert following
    assert shown(following) == (["2/7/2019"], None)


def test_a_payment_in_the_amounts_of_the_office_is_not_told_as_ours(
    session: Session, make: Make, signed_in: Browse
) -> None:
    person = make.prospect()
    join(person, date(2019, 10, 2), reckoned=lambda told: replace(told, gross=told.gross + 1, payable=told.payable + 1))
    session.commit()
    page = signed_in(Role.MANAGER).get(f"/people/{person.id}/payments").text
    assert "Số tiền ghi theo cơ quan BHXH" in page
    assert "22% × 700.000" not in page


def test_the_page_of_months_agrees_with_the_form_that_takes_them(make: Make, signed_in: Browse) -> None:
    person = make.prospect()
    over = spell(make, person, date(2019, 1, 10), date(2019, 6, 1), paid_through=date(2019, 2, 1))
    assert over.ended_as is Ending.LAPSED
    browser = signed_in(agent_of(make, person))
    page = browser.get(f"/people/{person.id}/months").text
    assert "bắt đầu đóng từ một trong các tháng: 4/2019 – 9/2019. Chưa thấy văn bản nào nói rõ" in page
    assert "Các tháng còn lại có đóng bù được không" in page
    form = browser.get(f"/people/{person.id}/enrol?start=2019-04").text
    assert '<option selected value="2019-04">' in form
    assert 'value="2019-03"' not in form
    sent = PAID | {"months": "12", "start": "2019-04", "step": "record", "receipt_number": "C45-7"}
    assert browser.post(f"/people/{person.id}/enrol", data=sent).status_code == 302
    assert "bắt đầu đóng từ" not in browser.get(f"/people/{person.id}/months").text
