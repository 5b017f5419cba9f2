"""Somebody registers, confirms by a link or is called, and becomes a sponsor with a promise."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.db import db
from crm.mail.models import Email
from crm.prospects.models import Consent
from crm.prospects.rules import ConsentChannel, Purpose
from crm.sponsors import services
from crm.sponsors.giving.links import Links
from crm.sponsors.giving.models import PledgeInstalment, Registration
from crm.sponsors.giving.rules import Confirming, Frequency
from crm.sponsors.giving.services import registering, texting
from crm.sponsors.models import Pledge, Sponsor
from crm.sponsors.rules import FundAccount
from tests.factories import Make
from tests.sponsors.stories import A_MONTH, A_NEAR_POOR_MONTH, sponsor
from tests.sponsors.test_routes import words

Browser = Callable[..., FlaskClient]
ACCOUNT = FundAccount("970405", "3500201001234", "Quỹ Vì người nghèo")
GIVES = {
    "way": "neighbour",
    "people": "2",
    "months": "12",
    "frequency": "once",
    "kind": "company",
    "name": "Công ty Mây Trắng",
    "email": "ketoan@maytrang.example.vn",
}
TAX_CODE = "0100109106"


def count(session: Session, kind: type) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


def link_in(session: Session, to: str = GIVES["email"]) -> str:
    """The link in the latest mail to an address."""
    latest = select(Email).where(Email.recipient == to).order_by(Email.id.desc()).limit(1)
    [found] = re.findall(r"/sponsor/confirm/[\w-]+", session.scalars(latest).one().body or "")
    return str(found)


# ---- the page


def test_anyone_sees_who_bears_a_month_of_somebody_today(client: FlaskClient, at_time: Callable[..., None]) -> None:
    page = words(client.get("/sponsor").text)
    assert "107.800 đ" in page
    assert "154.000 đ" in page
    at_time(clock.at(date(2026, 11, 2), 9))
    page = words(client.get("/sponsor").text)
    assert "165.000 đ" in page
    assert "330.000 đ" in page


@pytest.mark.parametrize(
    ("asked", "told", "total"),
    [
        ({"people": "2", "months": "12", "grounds": "near_poor"}, "2.772.000 đ", 24 * A_NEAR_POOR_MONTH),
        ({"people": ["1", "7"], "months": ["12", ""]}, "9.055.200 đ", 84 * A_MONTH),
        ({"way": "neighbour", "frequency": "monthly", "months": "6"}, "107.800 đ", 6 * A_MONTH),
        ({"way": "amount", "amount": "1.000.000"}, "29.800 đ", 1_000_000),
        ({"way": "amount", "amount": "50.000"}, "50.000 đ", 50_000),
        ({"way": "amount", "amount": "200.000", "frequency": "monthly", "months": "12"}, "2.400.000 đ", 2_400_000),
    ],
)
def test_the_figures_follow_what_is_chosen_with_and_without_a_script(
    client: FlaskClient, session: Session, asked: dict[str, str], told: str, total: int
) -> None:
    answer = client.get("/sponsor/buys", query_string=asked).get_json()
    assert answer["buys"]["total"] == total
    assert told in words(answer["html"])
    page = client.post("/sponsor", data=asked | {"step": "count"})
    assert page.status_code == 200
    assert told in words(page.text)
    assert count(session, Registration) == 0


@pytest.mark.parametrize(
    "asked", [{"people": "x"}, {"months": "61"}, {"way": "amount"}, {"way": "amount", "amount": "0"}]
)
def test_what_cannot_be_counted_tells_a_month_and_no_sum(client: FlaskClient, asked: dict[str, str]) -> None:
    answer = client.get("/sponsor/buys", query_string=asked).get_json()
    assert answer["buys"] is None
    assert "107.800 đ" in words(answer["html"])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"people": "100001", "months": "1"}, "Phải từ 1 đến 10000."),
        ({"way": "amount", "amount": "abc"}, "Hãy ghi số tiền bằng chữ số"),
    ],
)
def test_what_cannot_be_counted_says_why_where_the_sum_would_stand(
    client: FlaskClient, asked: dict[str, str], told: str
) -> None:
    drawn = words(client.get("/sponsor/buys", query_string=asked).get_json()["html"])
    assert told in drawn
    assert "Hãy chọn, kết quả hiện ở đây." not in drawn
    nothing = words(client.get("/sponsor/buys?way=amount").get_json()["html"])
    assert "Hãy chọn, kết quả hiện ở đây." in nothing


@pytest.mark.parametrize(
    "left",
    [
        {"way": "neighbour", "amount": ["", "abc"]},
        {"way": "neighbour", "amount": "-5"},
        {"way": "amount", "amount": "500.000", "people": ["1", "99999999"], "months": "nhiều"},
    ],
)
def test_what_was_typed_for_the_way_they_left_stops_nobody(
    client: FlaskClient, session: Session, left: dict[str, str]
) -> None:
    told = client.get("/sponsor/buys", query_string=GIVES | left).get_json()
    assert told["buys"] is not None
    assert client.post("/sponsor", data=GIVES | left).status_code == 303
    assert count(session, Registration) == 1


def test_what_was_typed_is_looked_at_before_it_is_sent_and_tells_nothing_of_others(
    client: FlaskClient, make: Make
) -> None:
    sponsor(make, tax_code=TAX_CODE, email="co@example.vn", phone="0912345678")
    wrong = client.get("/sponsor/check?tax_code=0100109107&email=nobody&phone=12").get_json()
    assert set(wrong) == {"tax_code", "email", "phone"}
    known = client.get(f"/sponsor/check?tax_code={TAX_CODE}&email=co@example.vn&phone=0912345678").get_json()
    assert known == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"kind": "thief"},
        {"phone": "", "email": ""},
        {"phone": "12"},
        {"email": "nobody"},
        {"tax_code": "0100109107"},
        {"people": "0"},
        {"people": "many"},
        {"people": "", "months": ""},
        {"months": "61"},
        {"way": "amount", "amount": "một triệu"},
        {"way": "amount", "amount": "0"},
        {"way": "amount", "amount": ""},
        {"way": "elsewhere"},
        {"places": "elsewhere"},
        {"grounds": "rich"},
        {"age_from": "60", "age_to": "20"},
        {"people": "99999999999999999999"},
    ],
)
def test_a_contribution_that_cannot_be_kept_says_what_to_mend_and_loses_nothing(
    client: FlaskClient, session: Session, wrong: dict[str, str]
) -> None:
    page = client.post("/sponsor", data=GIVES | {"contact_name": "Chị Duyên", "women": "y"} | wrong)
    assert page.status_code == 422
    assert "error-summary" in page.text
    assert 'value="Chị Duyên"' in page.text
    assert re.search(r'<input checked[^>]* name="women"', page.text)
    assert count(session, Registration) == count(session, Email) == 0


def test_a_number_of_their_own_comes_back_in_its_box(client: FlaskClient) -> None:
    page = client.post("/sponsor", data=GIVES | {"name": "", "people": ["2", "37"]}).text
    assert re.search(r'id="people" name="people" value="37"', page)
    assert not re.search(r'name="people" value="2" checked', page)


def test_a_machine_that_fills_every_field_leaves_nothing(client: FlaskClient, session: Session) -> None:
    assert client.post("/sponsor", data=GIVES | {"website": "http://x"}).status_code == 303
    assert count(session, Registration) == 0


def test_nobody_fills_the_book_with_promises(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(client.application.config, "RATELIMIT_ENABLED", True)
    address = f"10.1.{uuid4().int % 250}.{uuid4().int % 250}"
    answers = [
        client.post("/sponsor", data=GIVES | {"phone": "12"}, environ_base={"REMOTE_ADDR": address}).status_code
        for _ in range(21)
    ]
    assert answers[:20] == [422] * 20
    assert answers[20] == 429


# ---- the link


def test_whoever_registers_confirms_by_a_link_and_gets_a_letter_with_a_code_and_a_qr(
    client: FlaskClient, session: Session
) -> None:
    services.set_fund_account(session, ACCOUNT)
    answer = client.post("/sponsor", data=GIVES | {"frequency": "monthly", "tax_code": TAX_CODE})
    assert answer.status_code == 303, words(answer.text)
    page = client.get(answer.location)
    assert "k•••@maytrang.example.vn" in page.text
    assert GIVES["email"] not in page.text.replace(f"to={GIVES['email']}", "")
    assert count(session, Sponsor) == count(session, Pledge) == 0
    link = link_in(session)
    for _look in range(3):
        assert "Công ty Mây Trắng" in client.get(link).text
    assert count(session, Sponsor) == 0
    done = client.post(link)
    assert done.status_code == 303
    letter = client.get(done.location)
    by, made = session.scalars(select(Sponsor)).one(), session.scalars(select(Pledge)).one()
    assert (by.email, by.tax_code, by.created_by_id) == (GIVES["email"], TAX_CODE, None)
    assert by.wish == {"people": 2, "months": 12, "monthly": True}
    assert made.amount == 24 * A_MONTH
    assert made.code in letter.text
    assert "<svg" in letter.text
    parts = session.execute(
        select(PledgeInstalment.due_on, PledgeInstalment.amount).order_by(PledgeInstalment.due_on)
    ).all()
    assert parts[0] == (date(2019, 10, 25), 2 * A_MONTH)
    assert parts[-1] == (date(2020, 9, 25), 2 * A_MONTH)
    assert len(parts) == 12


def test_a_link_confirms_once(client: FlaskClient, session: Session) -> None:
    client.post("/sponsor", data=GIVES)
    link = link_in(session)
    assert client.post(link).status_code == 303
    again = client.post(link)
    assert again.status_code == 410
    assert "/s/" not in again.text
    late = client.get(link)
    assert late.status_code == 410
    assert client.get(re.search(r"/sponsor/pay/[\w.-]+", late.text)[0]).status_code == 200  # type: ignore[index]
    assert count(session, Pledge) == 1


def test_a_link_lives_seven_days(client: FlaskClient, session: Session, at_time: Callable[..., None]) -> None:
    client.post("/sponsor", data=GIVES)
    link = link_in(session)
    at_time(clock.now() + timedelta(days=7, minutes=1))
    assert client.get(link).status_code == 410
    assert client.post(link).status_code == 410
    assert count(session, Sponsor) == 0


def test_a_link_sent_again_puts_the_earlier_one_out_of_use(
    client: FlaskClient, session: Session, at_time: Callable[..., None]
) -> None:
    page = client.post("/sponsor", data=GIVES).location
    first = link_in(session)
    client.post(page)
    assert link_in(session) == first, "not twice within a minute"
    at_time(clock.now() + timedelta(minutes=2))
    client.post(page)
    second = link_in(session)
    assert client.get(first).status_code == 404
    assert client.post(second).status_code == 303
    for _more in range(9):
        at_time(clock.now() + timedelta(minutes=2))
        client.post(page)
    assert session.scalar(select(func.count()).where(Email.occasion.like("confirm:%"))) == 2


def test_nobodys_mailbox_is_filled_by_registering_again_and_again(client: FlaskClient, session: Session) -> None:
    for _time in range(9):
        assert client.post("/sponsor", data=GIVES).status_code == 303
    assert count(session, Email) == registering.MOST_LINKS_A_DAY


@pytest.mark.parametrize(
    "address", ["/sponsor/confirm/x", "/sponsor/registered/x", "/sponsor/pay/x", "/sponsor/pay/%00"]
)
def test_an_unknown_link_is_not_found(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 404


def test_pages_that_open_by_their_address_tell_it_to_nobody(client: FlaskClient, session: Session) -> None:
    page = client.post("/sponsor", data=GIVES).location
    for address in (page, link_in(session)):
        headers = client.get(address).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in headers["X-Robots-Tag"]


@pytest.mark.committed
def test_two_confirmations_at_once_make_one_sponsor_and_one_promise(app: Flask) -> None:
    app.test_client().post("/sponsor", data=GIVES)
    link = link_in(db.session())
    db.session.remove()
    start = Barrier(2)

    def press(_finger: int) -> int:
        with app.app_context():
            browser = app.test_client()
            start.wait()
            return browser.post(link).status_code

    with ThreadPoolExecutor(2) as fingers:
        assert sorted(fingers.map(press, range(2))) == [303, 410]
    assert count(db.session(), Sponsor) == count(db.session(), Pledge) == 1


# ---- who is known already


def test_the_same_mailbox_again_is_the_same_sponsor_once_it_is_confirmed(client: FlaskClient, session: Session) -> None:
    client.post("/sponsor", data=GIVES)
    client.post(link_in(session))
    same_box = GIVES["email"].replace("k", "K", 1)
    known, new = (client.post("/sponsor", data=GIVES | {"email": to}) for to in (same_box, "kx@maytrang.example.vn"))
    shown = [words(client.get(page.location).text) for page in (known, new)]
    assert shown[0].replace("K•••", "k•••") == shown[1]
    done = client.post(link_in(session, same_box))
    assert done.location.startswith("/sponsor/pay/")
    assert count(session, Sponsor) == 1
    assert count(session, Pledge) == 2


def test_a_tax_code_that_was_only_typed_joins_nobody_and_tells_nobody(
    client: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    known = sponsor(make, "Công ty Đá Xanh", tax_code=TAX_CODE, email="co@daxanh.example.vn")
    client.post("/sponsor", data=GIVES | {"tax_code": TAX_CODE})
    done = client.post(link_in(session))
    assert done.location.startswith("/s/")
    other = session.scalars(select(Sponsor).where(Sponsor.id != known.id)).one()
    assert other.tax_code is None
    assert session.scalars(select(Pledge.sponsor_id)).one() == other.id
    assert other.name in signed_in(Role.TREASURER).get(f"/sponsors/{known.id}").text


def test_an_accountant_of_two_companies_registers_two_sponsors(client: FlaskClient, session: Session) -> None:
    client.post("/sponsor", data=GIVES | {"tax_code": TAX_CODE})
    client.post(link_in(session))
    client.post("/sponsor", data=GIVES | {"tax_code": "0100686209", "name": "Công ty Mây Hồng"})
    client.post(link_in(session))
    assert set(session.scalars(select(Sponsor.tax_code))) == {TAX_CODE, "0100686209"}


# ---- by telephone


def test_whoever_gave_only_a_number_is_called_and_kept_who_called(
    client: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    gives = {name: value for name, value in GIVES.items() if name != "email"} | {"phone": "0912 345 678"}
    page = client.get(client.post("/sponsor", data=gives).location)
    assert "0912 ••• 78" in page.text
    assert count(session, Email) == 0
    treasurer = make.user(Role.TREASURER)
    browser = signed_in(treasurer)
    waits = session.scalars(select(Registration)).one()
    assert "Công ty Mây Trắng" in browser.get("/sponsors/registrations").text
    address = f"/sponsors/registrations/{waits.id}"
    assert browser.get(address).status_code == 200
    done = browser.post(f"{address}/confirm", data={"joined": "new"})
    assert done.status_code == 200
    session.refresh(waits)
    assert (waits.confirming, waits.confirmed_by_id) == (Confirming.TELEPHONE, treasurer.id)
    assert "Công ty Mây Trắng" not in browser.get("/sponsors/registrations").text
    assert browser.post(f"{address}/confirm", data={"joined": "new"}).status_code == 422
    assert count(session, Pledge) == 1


@pytest.mark.parametrize(("ticked", "said"), [({"texts": "y"}, [True]), ({}, [])])
def test_a_telephone_gets_reminders_only_when_it_asks_for_them(
    client: FlaskClient, session: Session, make: Make, ticked: dict[str, str], said: list[bool]
) -> None:
    client.post("/sponsor", data={k: v for k, v in GIVES.items() if k != "email"} | {"phone": "0912345678"})
    waits = session.scalars(select(Registration)).one()
    address = registering.link_to_text(session, waits, links=Links("", "a secret"), at=clock.now()) or ""
    page = client.get(address)
    assert 'name="texts"' in page.text
    assert "checked" not in page.text, "nobody's yes is taken for granted"
    assert client.post(address, data=ticked).status_code == 303
    kept = session.scalars(select(Consent).where(Consent.phone == "+84912345678")).all()
    assert [one.given for one in kept] == said
    for one in kept:
        assert (one.purpose, one.channel, one.recorded_by_id) == (Purpose.SERVICE, ConsentChannel.WEB, None)
        assert "Nhắn tin" in (one.words or "")


def test_a_telephone_that_was_called_asks_for_reminders_through_whoever_called(
    client: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    client.post("/sponsor", data={k: v for k, v in GIVES.items() if k != "email"} | {"phone": "0912345678"})
    waits, treasurer = session.scalars(select(Registration)).one(), make.user(Role.TREASURER)
    browser, address = signed_in(treasurer), f"/sponsors/registrations/{waits.id}"
    assert 'name="texts"' in browser.get(address).text
    assert browser.post(f"{address}/confirm", data={"joined": "new", "texts": "y"}).status_code == 200
    [kept] = session.scalars(select(Consent).where(Consent.phone == "+84912345678"))
    assert (kept.given, kept.channel, kept.recorded_by_id) == (True, ConsentChannel.PHONE_CALL, treasurer.id)


def test_a_sponsor_whom_staff_wrote_down_is_asked_about_reminders_and_may_refuse_them_later(
    signed_in: Browser, session: Session, make: Make
) -> None:
    of, mailed = sponsor(make, phone="0912345678"), sponsor(make, phone="0912345679", email="co@example.vn")
    browser, address = signed_in(Role.TREASURER), f"/sponsors/{of.id}/texts"
    assert address not in browser.get(f"/sponsors/{mailed.id}").text
    assert "Chưa hỏi" in words(browser.get(f"/sponsors/{of.id}").text)
    assert "«Nhắn tin cho tôi" in words(browser.get(address).text)
    assert browser.post(address, data={"way": "phone_call"}).status_code == 422
    assert browser.post(address, data={"texts": "yes", "way": "web"}).status_code == 422
    for answer, given in (("yes", True), ("no", False), ("yes", True)):
        assert browser.post(address, data={"texts": answer, "way": "phone_call"}).status_code == 303
        said = texting.said_to_texts(session, of)
        assert said is not None
        assert (said.given, said.purpose, said.channel) == (given, Purpose.SERVICE, ConsentChannel.PHONE_CALL)
    assert count(session, Consent) == 3


def test_whoever_has_a_mailbox_is_asked_for_no_messages(client: FlaskClient, session: Session) -> None:
    client.post("/sponsor", data=GIVES | {"phone": "0912345678"})
    address = link_in(session)
    assert 'name="texts"' not in client.get(address).text
    client.post(address, data={"texts": "y"})
    assert count(session, Consent) == 0, "the link went to the mailbox and says nothing of the telephone"


def test_whoever_says_on_the_telephone_who_they_are_is_joined_to_that_sponsor(
    client: FlaskClient, signed_in: Browser, session: Session, make: Make
) -> None:
    known = sponsor(make, phone="0912345678")
    client.post("/sponsor", data={k: v for k, v in GIVES.items() if k != "email"} | {"phone": "0912345678"})
    waits, browser = session.scalars(select(Registration)).one(), signed_in(Role.TREASURER)
    address = f"/sponsors/registrations/{waits.id}/confirm"
    assert browser.post(address, data={"joined": str(uuid4())}).status_code == 422
    assert browser.post(address, data={"joined": str(known.id)}).status_code == 303
    assert session.scalars(select(Pledge.sponsor_id)).all() == [known.id]
    assert count(session, Sponsor) == 1


def test_what_is_nobodys_promise_is_closed_with_a_reason_and_confirms_no_more(
    client: FlaskClient, signed_in: Browser, session: Session
) -> None:
    client.post("/sponsor", data=GIVES)
    waits, browser = session.scalars(select(Registration)).one(), signed_in(Role.TREASURER)
    address = f"/sponsors/registrations/{waits.id}"
    assert browser.post(f"{address}/refuse", data={"why": ""}).status_code == 422
    assert browser.post(f"{address}/refuse", data={"why": "Số lạ, không ai nhận"}).status_code == 303
    assert client.post(link_in(session)).status_code == 410
    assert "Số lạ" in browser.get(address).text
    assert count(session, Sponsor) == 0


@pytest.mark.parametrize("role", list(Role))
def test_only_who_records_money_sees_who_registered(signed_in: Browser, client: FlaskClient, role: Role) -> None:
    client.post("/sponsor", data=GIVES)
    allowed = role in (Role.ADMIN, Role.MANAGER, Role.TREASURER)
    assert signed_in(role).get("/sponsors/registrations").status_code == (200 if allowed else 403)


def test_what_nobody_confirmed_for_a_month_is_forgotten(client: FlaskClient, session: Session) -> None:
    client.post("/sponsor", data=GIVES)
    client.post(link_in(session))
    client.post("/sponsor", data=GIVES | {"email": "lan@example.vn"})
    assert registering.forget_unconfirmed(session, clock.now() + timedelta(days=29)) == []
    assert len(registering.forget_unconfirmed(session, clock.now() + timedelta(days=31))) == 1
    assert session.scalars(select(Registration.email)).all() == [GIVES["email"]]


def test_what_was_typed_is_kept_as_it_will_be_used(client: FlaskClient, session: Session, make: Make) -> None:
    place = make.ward()
    client.post("/sponsor", data=GIVES | {"grounds": ["poor", "near_poor"], "places": str(place.id), "age_from": "40"})
    kept = session.scalars(select(Registration)).one()
    assert kept.frequency is Frequency.ONCE
    assert kept.wish == {
        "places": [str(place.id)],
        "grounds": ["poor", "near_poor"],
        "age_from": 40,
        "people": 2,
        "months": 12,
    }


def test_the_wish_stands_on_the_page_that_confirms_it_and_on_the_page_of_staff(
    client: FlaskClient, signed_in: Browser, session: Session
) -> None:
    client.post("/sponsor", data=GIVES | {"women": "y", "grounds": "near_poor"})
    kept = session.scalars(select(Registration)).one()
    staff = signed_in(Role.TREASURER).get(f"/sponsors/registrations/{kept.id}")
    for page in (client.get(link_in(session)), staff):
        assert "Hộ cận nghèo · Phụ nữ · 2 người · 12 tháng" in words(page.text)


def test_who_was_confirmed_by_telephone_is_handed_their_own_page_and_how_to_pay(
    client: FlaskClient, signed_in: Browser, session: Session
) -> None:
    services.set_fund_account(session, replace(ACCOUNT, phone="+842373824999"))
    client.post("/sponsor", data=GIVES | {"email": "", "phone": "0912 345 678"})
    kept = session.scalars(select(Registration)).one()
    done = signed_in(Role.TREASURER).post(f"/sponsors/registrations/{kept.id}/confirm", data={"joined": "new"})
    [own] = re.findall(r'href="[^"]*(/s/[\w-]+)"', done.text)
    [paying] = re.findall(r'href="[^"]*(/sponsor/pay/[\w.-]+)"', done.text)
    made = session.scalars(select(Pledge)).one()
    assert "\u200b" not in done.text, "an address that is copied as text opens"
    for shown in (own, paying):
        head, _slash, token = shown.rpartition("/")
        assert f"{head}/<wbr>{token}</a>" in done.text
    for address in (own, paying):
        page = client.get(address).text
        assert made.code in page
        assert 'href="tel:+842373824999"' in page
