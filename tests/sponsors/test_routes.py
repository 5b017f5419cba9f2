"""The sponsors' pages: for everyone, for the sponsor, for the treasurer."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach, Role
from crm.db import session as current
from crm.months import Month
from crm.participation.models import Payment
from crm.participation.rules import Basis
from crm.prospects.rules import Ground, Sex, Stage
from crm.sponsors import queries, services
from crm.sponsors.ledger.limits import set_limit
from crm.sponsors.models import Allocation, Pledge, Receipt, Sponsor
from crm.sponsors.rules import FundAccount, Wish
from tests.factories import Make
from tests.participation.stories import join
from tests.sponsors.stories import A_MONTH, TODAY, allocate, poor, receive, sponsor

Browser = Callable[..., FlaskClient]
ACCOUNT = FundAccount("970405", "3500201001234", "Quỹ Vì người nghèo")
GIVES = {"name": "Công ty Mây Trắng", "kind": "company", "phone": "0912345678", "people": "2", "months": "12"}


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\xa0", " ").split())


SEES = (Role.ADMIN, Role.MANAGER, Role.TREASURER, Role.AUDITOR)
RECORDS = (Role.ADMIN, Role.MANAGER, Role.TREASURER)


@pytest.mark.parametrize("role", list(Role))
def test_who_sees_sponsors_and_who_records_money(signed_in: Browser, make: Make, role: Role) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 10 * A_MONTH)
    made = allocate(by, person)
    browser = signed_in(role)
    for path in ("/sponsors", f"/sponsors/{by.id}"):
        assert browser.get(path).status_code == (200 if role in SEES else 403)
    for path in ("new", f"{by.id}/pledge", f"{by.id}/receipt", f"{by.id}/help", f"{by.id}/help/{person.id}"):
        assert browser.get(f"/sponsors/{path}").status_code == (200 if role in RECORDS else 403), path
    assert browser.post(f"/allocations/{made.id}/release").status_code == (303 if role in RECORDS else 403)
    assert browser.get("/sponsors/account").status_code == (200 if role is Role.ADMIN else 403)


def test_money_is_offered_to_the_one_promise_that_waits_for_it(signed_in: Browser, make: Make) -> None:
    by, browser = sponsor(make), signed_in(Role.TREASURER)

    def chosen() -> list[str]:
        page = browser.get(f"/sponsors/{by.id}/receipt").text
        return re.findall(r'<option selected value="([^"]*)"', page)

    def promised(amount: str) -> Pledge:
        browser.post(f"/sponsors/{by.id}/pledge", data={"amount": amount})
        return queries.pledges_of(current(), by)[0][0]

    assert chosen() == [""]
    one = promised("500.000")
    assert chosen() == [str(one.id)]
    money = {"amount": "500.000", "received_on": "2019-10-14", "reference": "FT1"}
    browser.post(f"/sponsors/{by.id}/receipt", data=money | {"pledge": str(one.id)})
    assert chosen() == [""], "it has come"
    two = promised("600.000")
    assert chosen() == [str(two.id)]
    promised("700.000")
    assert chosen() == [""], "which of the two, a person says"


def test_the_book_of_a_sponsor_shows_what_goes_with_its_sign(signed_in: Browser, make: Make) -> None:
    by, browser = sponsor(make), signed_in(Role.TREASURER)
    came = receive(by, 900_000)
    assert browser.post(f"/receipts/{came.id}/correct", data={"reason": "Thừa một số 0"}).status_code == 303
    book = words(browser.get(f"/sponsors/{by.id}").text)
    assert "+900.000 đ" in book
    assert "−900.000 đ" in book


def test_a_treasurer_adds_a_sponsor_and_writes_down_promise_and_receipt(
    signed_in: Browser, session: Session, make: Make
) -> None:
    browser = signed_in(Role.TREASURER)
    shown = browser.post("/sponsors/new", data={"name": "Hợp tác xã Đồng Tâm", "kind": "organisation"})
    assert "/s/" in shown.text
    by = session.scalars(select(Sponsor)).one()
    assert browser.post(f"/sponsors/{by.id}/pledge", data={"amount": "10.000.000"}).status_code == 303
    made = session.scalars(select(Pledge)).one()
    money = {"amount": "6.000.000", "received_on": "2019-10-14", "reference": "FT1", "pledge": str(made.id)}
    assert browser.post(f"/sponsors/{by.id}/receipt", data=money).status_code == 303
    again = browser.post(f"/sponsors/{by.id}/receipt", data=money)
    assert again.status_code == 422
    assert "FT1" in again.text
    assert session.scalars(select(Receipt.amount)).all() == [6_000_000]
    page = words(browser.get(f"/sponsors/{by.id}").text)
    assert "10.000.000 đ" in page
    assert "6.000.000 đ" in page
    assert browser.post(f"/pledges/{made.id}/end", data={"reason": "Đã phá sản"}).status_code == 303
    assert queries.balance_of(session, by).promised == 6_000_000, "what came on it"
    assert queries.balance_of_all(session, by.town_id).promised == 6_000_000


def test_a_sponsor_is_found_by_what_the_bank_wrote(signed_in: Browser, session: Session, make: Make) -> None:
    by, other = sponsor(make, "Công ty Đá Xanh"), sponsor(make, "Hội Chữ thập đỏ")
    made = services.pledge(session, by, 1_000, due=None, by_id=None, at=clock.now(), on=TODAY)
    browser = signed_in(Role.TREASURER)
    page = browser.get("/sponsors", query_string={"q": f"MBVCB.1.{made.code}.CT tu 123"}).text
    assert by.name in page
    assert other.name not in page
    page = browser.get("/sponsors?q=chu thap").text
    assert other.name in page
    assert by.name not in page


def test_those_who_wait_stand_in_the_order_of_need(session: Session, make: Make) -> None:
    scope = Scope(make.town.id, make.user().id, Reach.ALL, None, None)
    long_ago = clock.at(date(2019, 3, 1))
    near = poor(make, "Cận Nghèo", Ground.NEAR_POOR, created_at=long_ago)
    new = poor(make, "Nghèo Mới")
    old = poor(make, "Nghèo Lâu", created_at=long_ago)
    poor(make, "Từ Chối", stage=Stage.REFUSED)
    make.prospect("Không Nghèo", stage=Stage.AGREED)
    by = sponsor(make)
    receive(by, 10 * A_MONTH)
    allocate(by, poor(make, "Có Người Đỡ"))
    assert [one.person.id for one in queries.waiting(session, scope, TODAY)] == [old.id, new.id, near.id]
    new.sex = Sex.FEMALE
    session.flush()
    women = queries.waiting(session, scope, TODAY, Wish(women=True))
    assert [one.person.id for one in women] == [new.id]
    elsewhere = queries.waiting(session, scope, TODAY, Wish(places=(make.ward("14818@2019-10-15").id,)))
    assert elsewhere == []
    assert [one.person.id for one in queries.waiting(session, scope, TODAY, q="can ngheo")] == [near.id]


def test_a_treasurer_sees_the_sum_before_setting_it_aside(signed_in: Browser, session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 10 * A_MONTH)
    browser = signed_in(Role.TREASURER)
    assert person.full_name in browser.get(f"/sponsors/{by.id}/help").text
    address = f"/sponsors/{by.id}/help/{person.id}"
    run = {"months": "3", "start": "2019-11"}
    shown = browser.post(address, data=run | {"step": "count"})
    assert shown.status_code == 200
    assert "323.400 đ" in words(shown.text)
    assert session.scalars(select(Allocation)).all() == []
    stale = browser.post(address, data=run | {"step": "confirm", "amount": "1"})
    assert stale.status_code == 422
    assert browser.post(address, data=run | {"step": "confirm", "amount": "323400"}).status_code == 303
    made = session.scalars(select(Allocation)).one()
    assert (made.start_month, made.months, made.amount) == (Month(2019, 11).first_day, 3, 323_400)
    too_much = browser.post(address, data={"months": "12", "start": "2020-02", "step": "confirm"})
    assert too_much.status_code == 422
    assert browser.post(address, data={"months": "7", "start": "x", "step": "confirm"}).status_code == 422


def test_only_months_that_can_be_funded_are_offered_first(signed_in: Browser, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 20 * A_MONTH)
    allocate(by, person, months=3, start=Month(2019, 11))
    browser, address = signed_in(Role.TREASURER), f"/sponsors/{by.id}/help/{person.id}"
    first = re.compile(r'<option(?: selected)? value="(\d{4}-\d\d)"')
    each_month = browser.post(address, data={"months": "1", "step": "count"}).text
    offered = first.findall(each_month)
    assert (offered[0], offered[-1]) == ("2019-10", "2020-10")
    assert not {"2019-11", "2019-12", "2020-01"} & set(offered)
    half_years = browser.get(address).text
    assert first.findall(half_years)[0] == "2020-02"  # six months from any earlier one meet the three that are carried
    shown = browser.post(address, data={"months": "6", "start": "2019-10", "step": "count"}).text
    assert 'selected value="2020-02"' in shown
    refused = browser.post(address, data={"months": "6", "start": "2019-10", "step": "confirm", "amount": "646800"})
    assert refused.status_code == 422  # never another month than the one that was confirmed


def test_where_no_month_is_left_to_begin_with_the_page_says_so(signed_in: Browser, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 20 * A_MONTH)
    for month in (Month(2020, 2), Month(2020, 10)):  # every run of twelve months that may be funded meets one of them
        allocate(by, person, start=month)
    browser, address = signed_in(Role.TREASURER), f"/sponsors/{by.id}/help/{person.id}"
    page = browser.post(address, data={"months": "12", "step": "count"})
    assert page.status_code in (200, 422)
    assert "đã đóng hoặc đã dành tiền" in words(page.text)
    assert browser.post(address, data={"months": "12", "step": "confirm"}).status_code == 422


def test_an_agent_pays_with_the_sponsors_money_from_the_persons_page(
    signed_in: Browser, session: Session, make: Make
) -> None:
    agent = make.user(Role.AGENT)
    by, person = sponsor(make), poor(make, volunteer_id=agent.id)
    receive(by, 10 * A_MONTH)
    made = allocate(by, person, months=3)
    browser = signed_in(agent)
    page = browser.get(f"/people/{person.id}")
    assert f"/allocations/{made.id}/pay" in page.text
    assert by.name in page.text
    assert browser.get(f"/allocations/{made.id}/pay").status_code == 200
    assert browser.post(f"/allocations/{made.id}/pay", data={"paid_on": "2019-10-15"}).status_code == 422
    paid = browser.post(f"/allocations/{made.id}/pay", data={"paid_on": "2019-10-15", "receipt_number": "BL7"})
    assert paid.status_code == 303
    assert queries.balance_of(session, by).paid == 3 * A_MONTH
    assert signed_in(Role.AGENT).get(f"/allocations/{made.id}/pay").status_code == 404


def test_an_administrator_sets_the_account(signed_in: Browser, session: Session) -> None:
    browser = signed_in(Role.ADMIN)
    wrong = {"bin": "970405", "account": "35 00", "name": "Quỹ"}
    assert browser.post("/sponsors/account", data=wrong).status_code == 422
    assert browser.post("/sponsors/account", data=wrong | {"account": "3500201001234"}).status_code == 303
    assert queries.fund_account(session) == FundAccount("970405", "3500201001234", "Quỹ")


def test_a_list_of_many_sponsors_is_paged_with_few_queries(signed_in: Browser, make: Make) -> None:
    for number in range(55):
        sponsor(make, f"Nhà tài trợ {number:02}")
    browser = signed_in(Role.AUDITOR)
    page = browser.get("/sponsors").text
    assert page.count("Nhà tài trợ ") == 50
    [cursor] = set(re.findall(r"cursor=([\w%=-]+)", page))
    assert browser.get(f"/sponsors?cursor={cursor}").text.count("Nhà tài trợ ") == 5
    assert browser.get("/sponsors?cursor=bad").status_code == 422


def test_the_page_of_somebody_whom_a_sponsor_paid_for_names_the_sponsor(
    signed_in: Browser, session: Session, make: Make
) -> None:
    giver, who = sponsor(make, "Công ty Đá Xanh"), poor(make)
    receive(giver, 3 * A_MONTH)
    services.pay_premium(
        session,
        allocate(giver, who, months=3),
        paid_on=TODAY,
        basis=Basis.CONFIRMED,
        by=make.user(Role.MANAGER),
        at=clock.now(),
        confirmation="Danh sách C12",
    )
    page = signed_in(Role.MANAGER).get(f"/people/{who.id}")
    assert page.status_code == 200
    assert "Công ty Đá Xanh" in page.text


def test_the_next_payment_uses_the_money_that_waits_for_its_months(
    signed_in: Browser, session: Session, make: Make
) -> None:
    agent = make.user(Role.AGENT)
    by, person = sponsor(make), poor(make, volunteer_id=agent.id)
    join(person, date(2019, 9, 2), months=1, grounds=(Ground.POOR,))
    receive(by, 10 * A_MONTH)
    made = allocate(by, person, months=3)
    browser, address = signed_in(agent), f"/people/{person.id}/pay"
    page = words(browser.get(address).text)
    assert f"{by.name} đã dành tiền" in page
    assert "Người dân đóng 0 đ" in page
    data = {"income": "700.000", "months": "3", "paid_on": "2019-10-15", "first_month": "2019-10"}
    assert browser.post(address, data=data | {"step": "record", "receipt_number": "BL8"}).status_code == 302
    session.refresh(made)
    payment = session.scalars(select(Payment).where(Payment.id == made.payment_id)).one()
    assert (payment.other_support, payment.own) == (3 * A_MONTH, 0)
    assert queries.balance_of(session, by).paid == 3 * A_MONTH
    assert browser.post(address, data=data | {"step": "record", "receipt_number": "BL9"}).status_code == 422


def test_joining_uses_the_money_that_waits_for_its_months(signed_in: Browser, session: Session, make: Make) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 10 * A_MONTH)
    made = allocate(by, person, months=6, start=Month(2019, 11))
    browser, address = signed_in(Role.MANAGER), f"/people/{person.id}/enrol"
    assert "0 đ cho 6 tháng, từ 11/2019" in words(browser.get(f"/people/{person.id}").text)
    page = browser.get(address).text
    assert '<option selected value="2019-11">' in page
    assert "Người dân đóng 0 đ" in words(page)
    data = {"income": "750.000", "months": "6", "start": "2019-11", "paid_on": "2019-10-15", "step": "record"}
    assert browser.post(address, data=data).status_code == 302
    session.refresh(made)
    payment = session.scalars(select(Payment).where(Payment.id == made.payment_id)).one()
    assert (payment.other_support, payment.own) == (6 * A_MONTH, 6 * 11_000)


def test_money_that_waits_for_other_months_is_said_and_left_only_on_a_word(
    signed_in: Browser, session: Session, make: Make
) -> None:
    by, person = sponsor(make), poor(make)
    join(person, date(2019, 9, 2), months=1, grounds=(Ground.POOR,))
    receive(by, 10 * A_MONTH)
    made = allocate(by, person, months=6)
    browser, address = signed_in(Role.MANAGER), f"/people/{person.id}/pay"
    data = {"income": "700.000", "months": "3", "paid_on": "2019-10-15", "first_month": "2019-10"}
    page = browser.post(address, data=data | {"step": "work_out"})
    assert f"{by.name} đã dành 646.800 đ cho 6 tháng, từ 10/2019 đến 3/2020" in words(page.text)
    assert "?months=6" in page.text
    assert "Người dân đóng 0 đ" in words(browser.get(f"{address}?months=6").text)
    refused = browser.post(address, data=data | {"step": "record"})
    assert refused.status_code == 422
    assert 'name="alone"' in refused.text
    assert browser.post(address, data=data | {"step": "record", "alone": "y"}).status_code == 302
    session.refresh(made)
    assert made.payment_id is None
    assert queries.balance_of(session, by).paid == 0


def test_money_above_the_limit_is_not_paid_on_by_one_person_with_the_next_payment(
    signed_in: Browser, session: Session, make: Make
) -> None:
    by, person = sponsor(make), poor(make)
    receive(by, 10 * A_MONTH)
    made = allocate(by, person, months=3)
    set_limit(session, A_MONTH)
    data = {"income": "700.000", "months": "3", "start": "2019-10", "paid_on": "2019-10-15", "step": "record"}
    refused = signed_in(Role.MANAGER).post(f"/people/{person.id}/enrol", data=data)
    assert refused.status_code == 422
    assert f"/allocations/{made.id}/pay" in refused.text
    assert session.scalars(select(Payment)).all() == []


def test_what_is_known_of_a_sponsor_is_put_right_and_how_it_was_stays_on_record(
    signed_in: Browser, session: Session, make: Make
) -> None:
    by, other = sponsor(make, phone="0912345678"), sponsor(make, "Công ty Khác", tax_code="0100109106")
    treasurer = make.user(Role.TREASURER, full_name="Vũ Thị Thủ Quỹ")
    browser = signed_in(treasurer)
    page = browser.get(f"/sponsors/{by.id}/edit").text
    assert 'value="Công ty Đá Xanh"' in page
    sent = {"name": "Công ty Đá Trắng", "kind": "company", "phone": "0912 345 679", "people": "3", "months": "6"}
    sent |= {"monthly": "y", "women": "y", "tax_code": "038085000119"}
    assert browser.post(f"/sponsors/{by.id}/edit", data=sent).status_code == 303
    session.refresh(by)
    assert (by.name, by.name_fold, by.phone) == ("Công ty Đá Trắng", "cong ty da trang", "+84912345679")
    assert Wish.from_json(by.wish) == Wish(women=True, people=3, months=6, monthly=True)
    told = words(browser.get(f"/sponsors/{by.id}/edit").text)
    for part in (
        "Công ty Đá Xanh → Công ty Đá Trắng",
        "0912 345 678 → 0912 345 679",
        "— → Phụ nữ · 3 người",
        treasurer.full_name,
    ):
        assert part in told
    [(record, _by)] = queries.changes_of(session, by)
    assert (record.after or {})["tax_code"] == "038******119", "a citizen number is masked in the record"
    assert browser.post(f"/sponsors/{by.id}/edit", data=sent).status_code == 303
    assert len(queries.changes_of(session, by)) == 1, "nothing was different the second time"
    refused = browser.post(f"/sponsors/{by.id}/edit", data=sent | {"tax_code": other.tax_code or ""})
    assert refused.status_code == 422
    assert "Hãy tìm trong danh sách nhà hỗ trợ" in words(refused.text)
    assert signed_in(Role.AUDITOR).get(f"/sponsors/{by.id}/edit").status_code == 403


def test_staff_write_down_how_many_a_sponsor_would_like_to_help(
    signed_in: Browser, session: Session, make: Make
) -> None:
    sent = {"name": "Bà Tâm", "kind": "person", "people": "2", "months": "12", "monthly": "y"}
    assert "/s/" in signed_in(Role.TREASURER).post("/sponsors/new", data=sent).text
    [by] = session.scalars(select(Sponsor)).all()
    assert Wish.from_json(by.wish) == Wish(people=2, months=12, monthly=True)


def test_a_sponsor_of_many_movements_is_read_part_by_part(signed_in: Browser, make: Make) -> None:
    by = sponsor(make)
    for number in range(23):
        receive(by, 1_000 + number, f"FT{number:02}")
    browser = signed_in(Role.TREASURER)
    seen: list[str] = []
    address = f"/sponsors/{by.id}"
    for rows in (10, 10, 3):
        page = browser.get(address).text
        part = page[page.index('id="receipts"') : page.index('id="book"')]
        found = re.findall(r">(FT[0-9]{2})<", part)
        assert len(set(found)) == rows
        seen += dict.fromkeys(found)
        further = re.findall(r'rel="next" href="([^"]+receipts=[^"]+)"', part)
        address = further[0].replace("&amp;", "&") if further else ""
    assert not address
    assert sorted(seen) == [f"FT{number:02}" for number in range(23)]
    assert browser.get(f"/sponsors/{by.id}?book=-5&receipts=x&carried=99999999999").status_code == 200


@pytest.mark.parametrize("typed", ["-5", "abc", "9" * 20, "0"])
def test_an_amount_that_is_none_is_told_so(signed_in: Callable[..., FlaskClient], make: Make, typed: str) -> None:
    """Not that the box is empty: something stands in it."""
    by, sent = sponsor(make), {"amount": typed, "received_on": str(TODAY), "reference": "FT9", "reason": "xin lại"}
    for act in ("receipt", "refund"):
        answer = signed_in(Role.TREASURER).post(f"/sponsors/{by.id}/{act}", data=sent)
        assert answer.status_code == 422
        assert "Hãy điền ô này" not in answer.text
        assert "số tiền" in words(answer.text)
