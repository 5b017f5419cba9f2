"""The pages of the second way out, as the organiser uses them."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.campaigns.files import queries, routes
from crm.campaigns.files.models import SmsFile, SmsResults, SmsWays
from crm.campaigns.files.services import making
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.services import launching
from crm.prospects.rules import Purpose
from tasks import files as tasks
from tests.campaigns.files.conftest import Gateway

Browser = Callable[..., FlaskClient]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bells are answered at once."""
    for module in (routes, tasks):
        monkeypatch.setattr(module, "ring", lambda task, *ids: task.run(*ids))


def test_from_what_waits_to_its_results(signed_in: Browser, session: Session, gateway: Gateway, at_once: None) -> None:
    messages = gateway.waiting(3)
    browser = signed_in(Role.ORGANISER)
    assert "Make a file of 3 messages" in browser.get("/messages/files?lang=en").text or browser.get("/messages/files")
    made = browser.post("/messages/files", data={"purpose": "promotion"})
    assert made.status_code == 303
    page = browser.get(made.location)
    assert page.status_code == 200
    [file] = session.scalars(select(SmsFile)).all()
    first, second = (browser.get(f"{made.location}/file") for _twice in range(2))
    assert first.data == second.data == file.content
    assert "tin-nhan-1-QC.csv" in first.headers["Content-Disposition"]
    assert browser.get(f"{made.location}/progress").get_json()["finished"]
    people = browser.get(f"{made.location}/people?which=open")
    assert people.status_code == 200
    hand_in = f"/messages/files/results/new?file={file.id}"
    assert browser.get(hand_in).status_code == 200
    csv = "request_id,kết quả\nAS1-1,Thành công\nAS1-2,X17\nAS8-1,Thành công\n".encode()
    taken = browser.post(hand_in, data={"file": (io.BytesIO(csv), "kq.csv")}, content_type="multipart/form-data")
    assert taken.status_code == 303
    assert "X17" in browser.get(taken.location).text
    columns = {"column-A": "reference", "column-B": "status"}
    assert browser.post(taken.location, data={**columns, "word-0": "delivered"}).status_code == 422
    assert browser.post(taken.location, data={**columns, "step": "preview"}).status_code == 200
    loaded = browser.post(taken.location, data={**columns, "word-0": "delivered", "word-1": "failed"})
    assert loaded.status_code == 303
    assert "AS8-1" in browser.get(loaded.location).text
    assert browser.get(f"{taken.location}/progress").get_json()["finished"]
    session.expire_all()
    states = sorted(one.state for one in messages)
    assert states == [Delivery.DELIVERED, Delivery.HANDED_OVER, Delivery.UNDELIVERED]
    again = browser.post(hand_in, data={"file": (io.BytesIO(csv), "kq.csv")}, content_type="multipart/form-data")
    assert again.location == taken.location
    assert browser.get(made.location).status_code == browser.get("/messages/files").status_code == 200
    assert browser.post(f"{made.location}/take-back", data={"why": "x", "sure": "y"}).status_code == 422


def test_a_file_is_taken_back_only_with_a_reason(
    signed_in: Browser, session: Session, gateway: Gateway, at_once: None
) -> None:
    [message] = gateway.waiting()
    browser = signed_in(Role.ORGANISER)
    made = browser.post("/messages/files", data={"purpose": "promotion"}).location
    for lacking in ({}, {"why": "Cổng không nhận"}, {"sure": "y"}):
        assert browser.post(f"{made}/take-back", data=lacking).status_code == 422
    told = {"why": "Cổng không nhận", "sure": "y"}
    assert browser.post(f"{made}/take-back", data=told).status_code == 303
    session.expire_all()
    assert message.state is Delivery.QUEUED
    assert "Cổng không nhận" in browser.get(made).text
    assert browser.post(f"{made}/take-back", data=told).status_code == 422


def test_when_nothing_can_go_the_page_says_when(signed_in: Browser, gateway: Gateway, at_once: None) -> None:
    browser = signed_in(Role.ORGANISER)
    assert browser.get("/messages/files").status_code == 200
    made = browser.post("/messages/files", data={"purpose": "promotion"})
    page = browser.get(made.location).text
    assert "07:00" in page
    assert browser.get(f"{made.location}/file").status_code == 303
    assert browser.post("/messages/files", data={"purpose": "x"}).status_code == 422


def test_a_file_that_is_being_made_says_so(signed_in: Browser, session: Session, gateway: Gateway) -> None:
    browser = signed_in(Role.ORGANISER)
    file_id = making.ask(session, gateway.town_id, Purpose.SERVICE, by_id=gateway.by.id, at=clock.now())
    page = browser.get(f"/messages/files/{file_id}")
    assert "data-progress" in page.text


def test_results_that_are_given_up_can_be_handed_in_again(
    signed_in: Browser, session: Session, gateway: Gateway, at_once: None
) -> None:
    browser = signed_in(Role.ORGANISER)
    sent: dict[str, Any] = {"content_type": "multipart/form-data"}

    def hand_in(content: bytes) -> Any:
        file = {"file": (io.BytesIO(content), "kq.csv")}
        return browser.post("/messages/files/results/new", data=file, **sent)

    assert hand_in(b"").status_code == hand_in(b"%PDF-1.7").status_code == 422
    first = hand_in(b"ref,status\nAS1-1,OK\n").location
    assert browser.post(f"{first}/give-up").status_code == 303
    assert browser.get(first).status_code == 200
    assert hand_in(b"ref,status\nAS1-1,OK\n").location != first
    assert len(session.scalars(select(SmsResults)).all()) == 2


def test_the_ways_out_are_chosen(signed_in: Browser, session: Session, gateway: Gateway) -> None:
    browser = signed_in(Role.ORGANISER)
    assert browser.get("/messages/files/ways").status_code == 200
    chosen = {
        "brandname": "y",
        "service_way": "brandname",
        "number_form": "0",
        "promotion_sender": "QC ANSINH",
        "number_heading": "so",
        "text_heading": "tin",
    }
    assert browser.post("/messages/files/ways", data=chosen).status_code == 303
    ways = session.scalars(select(SmsWays)).one()
    assert (ways.twilio, ways.columns) == (False, {"number": "so", "text": "tin"})
    for wrong in ({"service_way": "twilio"}, {"number_heading": ""}, {"promotion_sender": "Tên có dấu"}):
        assert browser.post("/messages/files/ways", data=chosen | wrong).status_code == 422


def test_all_results_are_found_however_many_were_handed_back(
    signed_in: Browser, session: Session, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "PAGE", 12)
    gateway.waiting(1)
    file = gateway.make()
    for number in range(14):
        gateway.hand_back(f"ref,status\nAS1-1,Thành công\nAS9-{number},Thành công\n", f"kq-{number:02}.csv", file)
    browser = signed_in(Role.ORGANISER)
    for page in ("/messages/files", f"/messages/files/{file.id}"):
        shown = browser.get(page).text
        assert "kq-13.csv" in shown
        assert "kq-00.csv" not in shown
        assert "Tất cả kết quả đã nộp" in shown
    for here in ("/messages/files/results", f"/messages/files/results?file={file.id}"):
        first = browser.get(here).text
        assert "kq-02.csv" in first
        assert "kq-01.csv" not in first
        following = re.search(r'rel="next" href="([^"]+)"', first)
        assert following
        rest = browser.get(html.unescape(following[1])).text
        assert "kq-01.csv" in rest
        assert "kq-00.csv" in rest
    gateway.hand_back("ref,status\nAS7-1,Thành công\n", "fremd.csv")
    assert "fremd.csv" not in browser.get(f"/messages/files/results?file={file.id}").text


def test_what_waits_for_a_file_says_until_when(signed_in: Browser, session: Session, gateway: Gateway) -> None:
    soon, later = clock.at(date(2019, 10, 16), 9), clock.at(date(2019, 10, 18), 9)
    gateway.waiting(1, expires_at=later)
    gateway.waiting(1, expires_at=soon)
    page = signed_in(Role.ORGANISER).get("/messages/files").text
    assert "Đến 09:00, 16/10/2019 tin nào chưa vào tệp thì không gửi nữa" in page


def test_what_waits_for_a_word_is_counted_and_has_no_end(
    signed_in: Browser, session: Session, gateway: Gateway
) -> None:
    gateway.texting.person()
    campaign = gateway.texting.campaign(purpose=Purpose.PROMOTION)
    gateway.texting.launch(campaign)
    browser, told = signed_in(Role.ORGANISER), "tin nào chưa vào tệp thì không gửi nữa"
    assert told in browser.get("/messages/files").text
    assert told in browser.get(f"/campaigns/{campaign.id}").text
    assert "Chờ tạo tệp" in browser.get("/campaigns").text
    launching.pause(session, campaign, by_id=None, at=clock.now())
    [waiting] = queries.waiting(session, gateway.town_id, clock.now() + timedelta(days=9))
    assert (waiting.messages, waiting.now, waiting.until) == (1, 0, None)


def test_a_file_without_a_sender_name_is_warned_of(signed_in: Browser, session: Session, gateway: Gateway) -> None:
    gateway.waiting(1)
    browser, warned = signed_in(Role.ORGANISER), "Chưa đặt tên người gửi"
    assert warned in browser.get("/messages/files").text
    session.add(SmsWays(town_id=gateway.town_id, service_way="twilio", promotion_sender="ANSINH"))
    session.flush()
    assert warned not in browser.get("/messages/files").text
