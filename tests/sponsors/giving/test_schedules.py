"""Promises with their instalments: made, received, late, changed and ended, by staff, by API, and by two at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.db import db, transaction
from crm.errors import Conflict, RuleBroken
from crm.mail.models import Email
from crm.mail.rules import MailState
from crm.sponsors import services
from crm.sponsors.giving import queries
from crm.sponsors.giving.links import Links
from crm.sponsors.giving.models import PledgeInstalment, PledgeStep
from crm.sponsors.giving.rules import Due, Frequency, Step, schedule
from crm.sponsors.giving.services import reminding, scheduling
from crm.sponsors.models import Pledge, Sponsor
from crm.sponsors.queries import fund_account
from tests.factories import Make
from tests.sponsors.giving.test_registering import ACCOUNT, Browser
from tests.sponsors.stories import A_MONTH, TODAY, sponsor
from tests.sponsors.test_routes import words

MILLION = 1_000_000
FIRST = date(2019, 11, 1)


def promise(by: Sponsor, amount: int = 3 * MILLION, times: int = 3, first: date = FIRST) -> Pledge:
    dues = schedule(amount, Frequency.MONTHLY, times, first)
    given: dict[str, Any] = {"by_id": None, "at": clock.now(), "on": TODAY}
    return services.pledge(db.session(), by, amount, due=dues[-1].on, dues=dues, frequency=Frequency.MONTHLY, **given)


def receive(by: Sponsor, on: Pledge, amount: int, reference: str = "FT1") -> None:
    given: dict[str, Any] = {"by_id": None, "on": TODAY, "at": clock.now()}
    services.receive(db.session(), by, amount, reference=reference, pledge=on, **given)


def change(made: Pledge, *rest: Due, reason: str = "Xin giãn") -> None:
    scheduling.change(
        db.session(), made, rest, Frequency.OWN, reason=reason, by_id=None, at=clock.now(), on=clock.today()
    )


def end(made: Pledge) -> None:
    scheduling.end(db.session(), made, reason="Chuyển trụ sở", by_id=None, at=clock.now(), on=clock.today())


def standings(session: Session, made: Pledge, today: date = TODAY) -> list[tuple[date, int, int, str]]:
    rows = queries.account_of(session, made, today).rows
    return [(row.due.on, row.due.amount, row.came, row.standing.value) for row in rows]


def test_money_is_laid_on_the_oldest_instalment_and_what_did_not_come_is_late(session: Session, make: Make) -> None:
    by = sponsor(make)
    made = promise(by)
    receive(by, made, 1_400_000)
    assert standings(session, made, date(2019, 12, 2)) == [
        (date(2019, 11, 1), MILLION, MILLION, "paid"),
        (date(2019, 12, 1), MILLION, 400_000, "late"),
        (date(2020, 1, 1), MILLION, 0, "open"),
    ]
    assert queries.late_in_all(session, made.town_id, date(2019, 12, 2)) == (1, 600_000)
    assert queries.late_in_all(session, made.town_id, date(2019, 12, 1)) == (0, 0)


def test_a_change_keeps_what_came_in_and_what_was_agreed_before(session: Session, make: Make) -> None:
    by = sponsor(make)
    made = promise(by)
    receive(by, made, 1_400_000)
    change(made, Due(date(2020, 6, 1), 500_000))
    assert made.amount == 1_900_000
    assert [row[:3] for row in standings(session, made)] == [
        (date(2019, 11, 1), MILLION, MILLION),
        (date(2019, 12, 1), 400_000, 400_000),
        (date(2020, 6, 1), 500_000, 0),
    ]
    steps = session.scalars(select(PledgeStep).order_by(PledgeStep.id)).all()
    assert [(step.step, step.amount) for step in steps] == [(Step.MADE, 3 * MILLION), (Step.CHANGED, 1_900_000)]
    dropped = session.scalars(select(PledgeInstalment).where(PledgeInstalment.dropped_step_id.is_not(None))).all()
    assert sorted(row.amount for row in dropped) == [MILLION, MILLION]


def test_what_came_beyond_the_promise_counts_when_it_is_changed(session: Session, make: Make) -> None:
    by = sponsor(make)
    made = promise(by, MILLION, 1)
    receive(by, made, 1_200_000)
    assert queries.account_of(session, made, TODAY).over == 200_000
    change(made, Due(date(2020, 6, 1), 300_000))
    account = queries.account_of(session, made, TODAY)
    assert (made.amount, account.over, account.left) == (1_500_000, 0, 300_000)


def test_an_ended_promise_expects_nothing_and_is_touched_no_more(session: Session, make: Make) -> None:
    by = sponsor(make)
    made = promise(by)
    receive(by, made, MILLION)
    end(made)
    assert queries.late_in_all(session, made.town_id, date(2021, 1, 1)) == (0, 0)
    assert [row[2] for row in standings(session, made)] == [MILLION, 0, 0]
    with pytest.raises(Conflict):
        end(made)
    with pytest.raises(Conflict):
        change(made, Due(FIRST, 1))


def test_a_promise_is_not_lowered_below_what_came_in_or_a_month_of_one_person(session: Session, make: Make) -> None:
    by = sponsor(make)
    made = promise(by)
    with pytest.raises(RuleBroken, match=r"107\.800"):
        change(made, Due(FIRST, A_MONTH - 1))
    with pytest.raises(RuleBroken, match=r"107\.800"):
        receive(by, made, 50_000)
        change(made)
    change(made, Due(FIRST, A_MONTH - 50_000))
    assert made.amount == A_MONTH
    small = promise(by, 60_000, 1)
    change(small, Due(date(2019, 12, 1), 60_000))
    assert small.amount == 60_000, "what was small when it was promised may be paid on another day"
    with pytest.raises(RuleBroken, match=r"60\.000"):
        change(small, Due(date(2019, 12, 1), 59_999))


def test_page_and_program_say_the_least_possible(
    signed_in: Browser, client: FlaskClient, api: Callable[..., dict[str, str]], session: Session, make: Make
) -> None:
    by = sponsor(make)
    made = promise(by)
    page = signed_in(Role.TREASURER)
    sent = {"frequency": "once", "first": "2019-12-01", "reason": "Xin giảm"}
    for amount in ("", "0", "1.000"):
        answer = page.post(f"/pledges/{made.id}/change", data=sent | {"amount": amount})
        assert answer.status_code == 422
        assert "Ít nhất là 107.800 đ" in words(answer.text)
    receive(by, made, MILLION)
    answer = page.post(f"/pledges/{made.id}/change", data=sent | {"amount": "900.000"})
    assert "1.000.000 đ đã về" in words(answer.text)
    other = promise(by)
    headers = api(make.user(Role.TREASURER))
    for rest in ([], [{"due_on": "2019-12-01", "amount": 5_000}]):
        sent = {"rest": rest, "reason": "Xin giảm"}
        refused = client.post(f"/api/v1/pledges/{other.id}/change", json=sent, headers=headers)
        assert refused.status_code == 422
        assert "107.800" in refused.text


def test_the_database_keeps_a_promise_equal_to_its_instalments(session: Session, make: Make) -> None:
    made = promise(sponsor(make))
    session.execute(text("set constraints all immediate"))
    session.execute(text("set constraints all deferred"))
    session.execute(text("update pledge set amount = amount + 1 where id = :id"), {"id": made.id})
    with pytest.raises(IntegrityError, match="its instalments"):
        session.execute(text("set constraints all immediate"))


@pytest.mark.parametrize(
    "statement",
    [
        "update pledge_step set reason = 'x'",
        "delete from pledge_step",
        "update pledge_instalment set amount = 1",
        "delete from pledge_instalment",
        "delete from instalment_reminder",
    ],
)
def test_the_program_cannot_rewrite_what_was_agreed(session: Session, make: Make, statement: str) -> None:
    promise(sponsor(make))
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(statement))


@pytest.mark.committed
def test_a_change_and_money_that_comes_in_at_once_follow_one_another(app: Flask) -> None:
    with transaction() as session:
        by = sponsor(Make(session))
        key = promise(by)
        town_id, pledge_id, sponsor_id = key.town_id, key.id, by.id
    start = Barrier(2)

    def act(which: int) -> bool:
        with app.app_context():
            start.wait()
            try:
                with transaction() as current:
                    made = current.get_one(Pledge, (town_id, pledge_id))
                    if which:
                        receive(current.get_one(Sponsor, (town_id, sponsor_id)), made, 2 * MILLION)
                    else:
                        change(made, Due(date(2020, 6, 1), 500_000))
            except RuleBroken:
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(act, range(2)))
    made = db.session().get_one(Pledge, (town_id, pledge_id))
    account = queries.account_of(db.session(), made, TODAY)
    assert sum(row.came for row in account.rows) + account.over == 2 * MILLION
    assert made.amount in (500_000, 2_500_000)


# ---- pages


def test_a_treasurer_writes_a_promise_changes_it_and_ends_it(signed_in: Browser, session: Session, make: Make) -> None:
    services.set_fund_account(session, ACCOUNT)
    by, browser = sponsor(make), signed_in(Role.TREASURER)
    address = f"/sponsors/{by.id}/pledge"
    assert browser.get(address).status_code == 200
    plan = {"amount": "6.000.000", "frequency": "quarterly", "times": "4", "first": "2019-11-15"}
    assert browser.post(address, data=plan).status_code == 303
    made = session.scalars(select(Pledge)).one()
    receive(by, made, 2 * MILLION)
    page = words(browser.get(f"/pledges/{made.id}").text)
    assert "15/2/2020" in page
    assert "1.000.000 đ" in page
    assert made.code in page
    form = browser.get(f"/pledges/{made.id}/change").text
    assert "15/02/2020 1.000.000" in form
    less = {"amount": "1.999.999", "frequency": "once", "first": "2020-03-01", "reason": "Xin giảm"}
    assert browser.post(f"/pledges/{made.id}/change", data=less).status_code == 422
    assert browser.post(f"/pledges/{made.id}/change", data=less | {"amount": "2.500.000"}).status_code == 303
    assert [row[:2] for row in standings(session, made)] == [
        (date(2019, 11, 15), 1_500_000),
        (date(2020, 2, 15), 500_000),
        (date(2020, 3, 1), 500_000),
    ]
    own = {"frequency": "own", "own": "01/04/2020 300.000\n1/5/2020: 200.000 đ\n", "reason": "Theo công văn"}
    assert browser.post(f"/pledges/{made.id}/change", data=own | {"own": "mai 3 triệu"}).status_code == 422
    assert browser.post(f"/pledges/{made.id}/change", data=own).status_code == 303
    assert standings(session, made)[-1][:2] == (date(2020, 5, 1), 200_000)
    assert browser.post(f"/pledges/{made.id}/end", data={"reason": ""}).status_code == 422
    assert browser.post(f"/pledges/{made.id}/end", data={"reason": "Đã giải thể"}).status_code == 303
    assert browser.post(f"/pledges/{made.id}/end", data={"reason": "Lần nữa"}).status_code == 422
    page = words(browser.get(f"/pledges/{made.id}").text)
    for said in ("Xin giảm", "Theo công văn", "Đã giải thể"):
        assert said in page
    assert "Đang chờ" not in page
    assert browser.get(f"/sponsors/{by.id}").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": ""},
        {"amount": "0"},
        {"times": "0"},
        {"times": ""},
        {"times": "61"},
        {"frequency": "daily"},
        {"first": "31/02/2020"},
        {"frequency": "own", "own": ""},
        {"frequency": "own", "own": "31/02/2020 5.000"},
        {"frequency": "own", "own": "01/01/2020 0"},
    ],
)
def test_a_promise_that_makes_no_sense_says_what_to_mend(
    signed_in: Browser, session: Session, make: Make, wrong: dict[str, str]
) -> None:
    by = sponsor(make)
    plan = {"amount": "6.000.000", "frequency": "monthly", "times": "4", "first": "2019-11-15", "note": "qua chị Hà"}
    page = signed_in(Role.TREASURER).post(f"/sponsors/{by.id}/pledge", data=plan | wrong)
    assert page.status_code == 422
    assert "qua chị Hà" in page.text
    assert session.scalars(select(Pledge)).all() == []


def test_what_is_late_stands_in_a_list_the_longest_late_first(
    signed_in: Browser, make: Make, at_time: Callable[..., None]
) -> None:
    old, new = sponsor(make, "Công ty Chậm"), sponsor(make, "Công ty Mới Chậm")
    promise(new, first=date(2019, 11, 5))
    promise(old, first=date(2019, 11, 1))
    browser = signed_in(Role.AUDITOR)
    assert "Công ty" not in words(browser.get("/pledges/late").text)
    at_time(clock.at(date(2019, 11, 20), 9))
    page = words(browser.get("/pledges/late").text)
    assert page.index("Công ty Chậm") < page.index("Công ty Mới Chậm")
    assert "2.000.000 đ" in page


def test_a_page_of_payment_opens_by_its_signed_name_only(
    app: Flask, client: FlaskClient, session: Session, make: Make
) -> None:
    services.set_fund_account(session, ACCOUNT)
    by = sponsor(make)
    made, other = promise(by), promise(sponsor(make, "Khác"))
    settings = app.config["SETTINGS"]
    links = Links(settings.public_url, settings.secret_key)
    token = links.pay_token(made.id)
    page = client.get(f"/sponsor/pay/{token}")
    assert made.code in page.text
    assert "1.000.000 đ" in words(page.text)
    assert by.name not in page.text
    assert client.get(f"/sponsor/pay/{token[:-1]}").status_code == 404
    signature = token.rpartition(".")[2]
    forged = f"{links.pay_token(other.id).rpartition('.')[0]}.{signature}"
    assert client.get(f"/sponsor/pay/{forged}").status_code == 404
    assert client.get(f"/sponsor/pay/{Links('x', 'another').pay_token(made.id)}").status_code == 404
    receive(by, made, 1_400_000)
    assert "600.000 đ" in words(client.get(f"/sponsor/pay/{token}").text)
    picture = client.get(f"/sponsor/pay/{token}/qr.png")
    assert (picture.mimetype, picture.data[:4]) == ("image/png", b"\x89PNG")
    assert f'filename="{made.code}.png"' in picture.headers["Content-Disposition"]
    assert picture.headers["Referrer-Policy"] == "no-referrer"
    receive(by, made, 1_600_000, "FT2")
    assert "pay-qr" not in client.get(f"/sponsor/pay/{token}").text
    end(made)
    assert client.get(f"/sponsor/pay/{token}").status_code == 200


# ---- programs


def test_a_program_reads_and_changes_a_schedule(
    client: FlaskClient, api: Callable[..., dict[str, str]], session: Session, make: Make
) -> None:
    by, headers = sponsor(make), api(make.user(Role.TREASURER))
    parts = [{"due_on": "2019-12-01", "amount": 2 * MILLION}, {"due_on": "2019-11-01", "amount": MILLION}]
    sent = {"sponsor_id": str(by.id), "amount": 3 * MILLION, "schedule": parts}
    wrong = client.post("/api/v1/pledges", json=sent | {"amount": 4 * MILLION}, headers=headers)
    assert wrong.status_code == 422
    made = client.post("/api/v1/pledges", json=sent, headers=headers).get_json()
    address = f"/api/v1/pledges/{made['id']}"
    receive(by, session.scalars(select(Pledge)).one(), 1_500_000)
    told = client.get(address, headers=headers).get_json()
    assert (told["frequency"], told["received"], told["over"]) == ("own", 1_500_000, 0)
    assert told["schedule"] == [
        {"due_on": "2019-11-01", "amount": MILLION, "received": MILLION, "standing": "paid"},
        {"due_on": "2019-12-01", "amount": 2 * MILLION, "received": 500_000, "standing": "part"},
    ]
    rest = {"rest": [{"due_on": "2020-01-01", "amount": 250_000}], "reason": "agreed"}
    after = client.post(f"{address}/change", json=rest, headers=headers).get_json()
    assert (after["amount"], after["schedule"][-1]["due_on"]) == (1_750_000, "2020-01-01")
    assert client.post(f"{address}/end", json={"reason": "gone"}, headers=headers).get_json()["state"] == "ended"
    assert client.post(f"{address}/end", json={"reason": "gone"}, headers=headers).status_code == 409
    assert client.post(f"{address}/change", json=rest, headers=headers).status_code == 409
    [listed] = client.get("/api/v1/pledges", headers=headers).get_json()["items"]
    assert listed["id"] == made["id"]


def test_a_promise_without_a_day_is_expected_in_ten_days(session: Session, make: Make) -> None:
    made = services.pledge(session, sponsor(make), 5, due=None, by_id=None, at=clock.now(), on=TODAY)
    assert standings(session, made) == [(TODAY + timedelta(days=10), 5, 0, "open")]


def test_whom_no_letter_reaches_stands_in_a_list_to_be_called(
    signed_in: Browser, session: Session, make: Make, at_time: Callable[..., None]
) -> None:
    by_phone = sponsor(make, "Bà Tâm", phone="0912345678")
    promise(by_phone, first=date(2019, 11, 5))
    promise(sponsor(make, "Công ty Có Thư", email="a@b.example.vn"), first=date(2019, 11, 5))
    browser = signed_in(Role.TREASURER)
    assert "Bà Tâm" not in words(browser.get("/pledges/to-call").text), "its day is far"
    at_time(clock.at(date(2019, 10, 29), 9))
    page = browser.get("/pledges/to-call").text
    assert "Bà Tâm" in words(page)
    assert "Công ty Có Thư" not in page
    assert 'href="tel:+84912345678"' in page
    assert "/sponsor/pay/" in page
    assert (
        reminding.remind(session, make.town.id, links=Links("", "a secret"), today=date(2019, 10, 29), at=clock.now())
        == 2
    )
    [letter] = session.scalars(select(Email))
    assert "Công ty Có Thư" not in words(browser.get("/pledges/to-call").text), "the letter is on its way"
    letter.state = MailState.REFUSED
    session.flush()
    assert "Công ty Có Thư" in words(browser.get("/pledges/to-call").text)


def test_the_funds_telephone_is_a_telephone(signed_in: Browser, session: Session) -> None:
    browser, sent = signed_in(Role.ADMIN), {"bin": "970405", "account": "3500201001234", "name": "Quỹ"}
    assert browser.post("/sponsors/account", data=sent | {"phone": "12"}).status_code == 422
    assert browser.post("/sponsors/account", data=sent | {"phone": "0237 3824 999"}).status_code == 303
    kept = fund_account(session)
    assert kept is not None
    assert kept.phone == "+842373824999"
