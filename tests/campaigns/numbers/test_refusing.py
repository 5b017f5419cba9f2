"""A no belongs to the number: it outlives records, spellings, lists and merges, and ends only by a new yes with proof."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import zxingcpp
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.campaigns.models import OptOutLink
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.services import dispatching, opting_out
from crm.db import transaction
from crm.errors import RuleBroken
from crm.prospects.merging.services.joining import merge
from crm.prospects.merging.services.parting import unmerge
from crm.prospects.models import Consent, Prospect
from crm.prospects.rules import ConsentChannel, Purpose
from crm.prospects.services.consent import agree_again, record_consent, refusal_of
from tests.campaigns.conftest import Texting
from tests.conftest import set_time
from tests.factories import Make
from tests.sponsors.giving.test_vietqr import pixels

TEN = clock.at(date(2019, 10, 15), 10)
SPELLINGS = ("0912 345 678", "+84 912.345.678", "84912345678")
PHONE = "+84912345678"


def leaves(session: Session, texting: Texting, person: Prospect) -> bool:
    """Whether a reminder to this person would be claimed."""
    message = texting.message(person)
    claimed = dispatching.claim(session, at_most=50, at=TEN)
    session.expire_all()
    return message.id in [one.id for one in claimed]


def refuse(session: Session, town_id: Any, at: Any = TEN) -> None:
    opting_out.withdraw(session, town_id, PHONE, at=at, channel=ConsentChannel.LINK)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_new_record_with_the_number_in_any_spelling_is_refused_as_well(
    session: Session, texting: Texting, api: Any, client: FlaskClient, spelling: str
) -> None:
    first = texting.person("Nguyễn Thị Hoa", phone=PHONE)
    refuse(session, first.town_id, clock.now())
    body = {
        "full_name": "Trần Văn Mới",
        "birth_year": 1980,
        "phone": spelling,
        "place": "14812@2019-10-15",
        "sms_consent": [{"purpose": "service", "given": True, "channel": "paper", "on": "2019-10-15"}],
        "allow_duplicate": True,
    }
    answer = client.post("/api/v1/prospects", json=body, headers=api(texting.make.user(Role.MANAGER)))
    assert answer.status_code == 201, answer.text
    assert [one["given"] for one in answer.get_json()["sms_consent"] if one["purpose"] == "service"] == [False]
    assert not leaves(session, texting, session.get_one(Prospect, (first.town_id, answer.get_json()["id"])))


def test_a_later_yes_without_its_words_is_refused_with_a_sentence(
    session: Session, texting: Texting, api: Any, client: FlaskClient
) -> None:
    first = texting.person("Nguyễn Thị Hoa", phone=PHONE)
    refuse(session, first.town_id, clock.now() - timedelta(days=3))
    said = {"purpose": "service", "given": True, "channel": "paper", "on": "2019-10-15"}
    by = api(texting.make.user(Role.MANAGER))
    new = {"full_name": "Trần Mới", "birth_year": 1980, "phone": SPELLINGS[0], "place": "14812@2019-10-15"}
    asked = {**new, "allow_duplicate": True}
    answer = client.post("/api/v1/prospects", json={**asked, "sms_consent": [said]}, headers=by)
    assert answer.status_code == 422
    assert "sms_consent" in answer.text
    proven = {**said, "text_version": "Phiếu số 7"}
    assert client.post("/api/v1/prospects", json={**asked, "sms_consent": [proven]}, headers=by).status_code == 201
    assert leaves(session, texting, first)


def test_merging_and_parting_change_nothing_of_a_refusal(session: Session, texting: Texting) -> None:
    by = texting.make.user(Role.MANAGER)
    kept = texting.person("Nguyễn Thị Hoa", phone=PHONE)
    gone = texting.person("Nguyễn Thi Hoa", phone=texting.make.phone())
    refuse(session, kept.town_id)
    done = merge(session, kept, gone, (), by=by, at=TEN)
    assert not leaves(session, texting, kept)
    unmerge(session, done, by=by, at=TEN)
    session.expire_all()
    assert (leaves(session, texting, kept), leaves(session, texting, gone)) == (False, True)


def test_the_database_takes_no_yes_without_proof_after_a_no(session: Session, texting: Texting) -> None:
    person = texting.person(phone=PHONE)
    refuse(session, person.town_id)
    by = texting.make.user(Role.VOLUNTEER)
    without = (
        {"channel": ConsentChannel.IMPORT, "words": "đồng ý", "recorded_by_id": by.id},
        {"channel": ConsentChannel.LINK, "words": "đồng ý", "recorded_by_id": by.id},
        {"channel": ConsentChannel.PAPER, "words": None, "recorded_by_id": by.id},
        {"channel": ConsentChannel.PAPER, "words": "đồng ý", "recorded_by_id": None},
    )
    for missing in without:
        row = {"town_id": person.town_id, "phone": PHONE, "purpose": Purpose.SERVICE, "given": True}
        with pytest.raises(IntegrityError, match="new proof"), session.begin_nested():
            session.add(Consent(**row, **missing, at=TEN, recorded_at=TEN))
            session.flush()
    assert not leaves(session, texting, person)


def test_a_yes_that_was_said_before_the_no_does_not_count(session: Session, texting: Texting) -> None:
    person, by = texting.person(phone=PHONE), texting.make.user(Role.VOLUNTEER)
    refuse(session, person.town_id)
    proof = {"channel": ConsentChannel.PAPER, "words": "Phiếu số 7", "by": by}
    record_consent(
        session,
        person.town_id,
        PHONE,
        Purpose.SERVICE,
        given=True,
        at=TEN - timedelta(hours=1),
        recorded_at=TEN,
        **proof,
    )
    assert not leaves(session, texting, person)
    with pytest.raises(RuleBroken, match="sau lần từ chối"):
        agree_again(session, person.town_id, PHONE, Purpose.SERVICE, said_at=TEN - timedelta(hours=1), at=TEN, **proof)


def test_a_new_yes_with_its_proof_counts_for_its_own_purpose(session: Session, texting: Texting) -> None:
    person, by = texting.person(phone=PHONE), texting.make.user(Role.VOLUNTEER)
    refuse(session, person.town_id, TEN - timedelta(hours=2))
    agree_again(
        session,
        person.town_id,
        PHONE,
        Purpose.SERVICE,
        channel=ConsentChannel.DOORSTEP,
        words="Cứ nhắn cho tôi",
        said_at=TEN - timedelta(hours=1),
        by=by,
        at=TEN,
    )
    assert leaves(session, texting, person)
    assert refusal_of(session, person.town_id, PHONE, Purpose.PROMOTION) is not None


@pytest.mark.committed
def test_a_yes_and_a_no_at_once_are_put_one_after_the_other(app: Flask, make: Make) -> None:
    town_id = make.town.id
    now, came = clock.now(), list[str]()
    holding, may_go = threading.Event(), threading.Event()

    def refuses() -> None:
        with app.app_context(), transaction() as session:
            opting_out.withdraw(session, town_id, PHONE, at=now, channel=ConsentChannel.HOTLINE)
            holding.set()
            may_go.wait(5)

    def agrees() -> None:
        with app.app_context():
            try:
                with transaction() as session:
                    record_consent(
                        session,
                        town_id,
                        PHONE,
                        Purpose.SERVICE,
                        given=True,
                        channel=ConsentChannel.PAPER,
                        words=None,
                        at=now + timedelta(seconds=1),
                        by=None,
                    )
            except RuleBroken as refusal:
                came.append(refusal.code)

    first, second = threading.Thread(target=refuses), threading.Thread(target=agrees)
    first.start()
    assert holding.wait(5)
    second.start()
    may_go.set()
    first.join(10)
    second.join(10)
    assert came == ["refused_before"]


# --- by the short address -----------------------------------------------------------------------------------------


def test_looking_at_the_address_refuses_nobody_and_the_button_does_once(
    session: Session, texting: Texting, client: FlaskClient
) -> None:
    person = texting.person(phone=PHONE)
    token = opting_out.links_for(session, person.town_id, [PHONE], TEN)[PHONE]
    for agent in ("WhatsApp/2.0", "facebookexternalhit/1.1", "Mozilla/5.0"):
        client.get(f"/o/{token}", headers={"User-Agent": agent})
        client.head(f"/o/{token}", headers={"User-Agent": agent})
    assert refusal_of(session, person.town_id, PHONE, Purpose.SERVICE) is None
    pages = [client.post(f"/o/{token}", data={"what": "all"}) for _tab in range(2)]
    assert [page.status_code for page in pages] == [200, 200]
    noes = select(func.count()).select_from(Consent).where(Consent.phone == PHONE, ~Consent.given)
    assert session.scalar(noes) == len(Purpose)
    refusal = refusal_of(session, person.town_id, PHONE, Purpose.SERVICE)
    assert refusal is not None
    assert refusal.words == "Tất cả tin nhắn"
    assert client.get(f"/o/{token[::-1]}").status_code == 404
    assert client.post("/o/aaaaaaaaaaa").status_code == 404


def test_the_square_on_a_numbers_page_leads_to_its_own_address(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    texting.person(phone=PHONE)
    answer = signed_in(Role.ORGANISER).get("/numbers/0912345678/qr")
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert session.scalar(select(func.count()).select_from(OptOutLink).where(OptOutLink.phone == PHONE)) == 1


def test_the_square_is_read_by_a_decoder_that_is_not_ours_and_leads_to_the_numbers_own_page(
    app: Flask, session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    texting.person(phone=PHONE)
    drawn = signed_in(Role.ORGANISER).get("/numbers/0912345678/qr").text
    [found] = zxingcpp.read_barcodes(pixels(drawn))
    public_url = app.config["SETTINGS"].public_url
    assert re.fullmatch(rf"{re.escape(public_url)}/o/\w+/qr", found.text)
    owner, address = app.test_client(), found.text.removeprefix(public_url)
    assert "0912 *** 678" in owner.get(address).text
    assert refusal_of(session, texting.make.town.id, PHONE, Purpose.SERVICE) is None
    assert owner.post(address, data={"what": "all"}).status_code == 200
    session.expire_all()
    refusal = refusal_of(session, texting.make.town.id, PHONE, Purpose.SERVICE)
    assert refusal is not None
    assert refusal.channel is ConsentChannel.QR
    assert "Quét mã QR bằng máy của mình" in signed_in(Role.ORGANISER).get("/numbers/0912345678").text
    with pytest.raises(RuleBroken), transaction() as current:
        record_consent(
            current, texting.make.town.id, PHONE, Purpose.SERVICE, given=True, channel=ConsentChannel.QR, words="Đồng ý",
            at=clock.now(), by=None,
        )  # fmt: skip


# --- the hotline, the door, the page of a number -------------------------------------------------------------------


@pytest.mark.parametrize("spelling", [*SPELLINGS, "(0912) 345-678"])
def test_the_hotline_takes_a_number_in_any_spelling(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient], spelling: str
) -> None:
    person = texting.person(phone=PHONE)
    waiting = texting.message(person)
    browser = signed_in(Role.ORGANISER)
    sent = {"number": spelling, "what": "all", "channel": "hotline", "words": "Con gái gọi"}
    answer = browser.post("/hotline", data=sent)
    assert (answer.status_code, answer.location) == (303, "/numbers/0912345678")
    session.expire_all()
    assert waiting.state is Delivery.CANCELLED
    page = browser.get("/numbers/0912345678").text
    assert "Con gái gọi" in page
    assert "Không nhận" in page


def test_the_hotline_takes_a_number_of_nobody_and_holds_for_whoever_comes_with_it(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    signed_in(Role.ORGANISER).post("/hotline", data={"number": "0912345678", "what": "all", "channel": "hotline"})
    person = texting.person(phone=PHONE, agrees=False)
    assert not leaves(session, texting, person)
    assert refusal_of(session, person.town_id, PHONE, Purpose.PROMOTION) is not None


@pytest.mark.parametrize("number", ["", "12", "0237 3824 567", "không có", "0912345678\x00;drop"])
def test_what_is_no_mobile_number_is_refused_with_a_sentence(
    signed_in: Callable[..., FlaskClient], number: str
) -> None:
    answer = signed_in(Role.ORGANISER).post("/hotline", data={"number": number, "what": "all", "channel": "hotline"})
    assert answer.status_code in (303, 422)
    assert answer.status_code == 422 or number.startswith("0912")


def test_one_tap_at_the_door_refuses_all(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    volunteer = texting.make.user(Role.VOLUNTEER)
    person = texting.person(phone=PHONE, volunteer_id=volunteer.id)
    waiting, browser = texting.message(person), signed_in(volunteer)
    for _tap in range(2):
        assert browser.post(f"/people/{person.id}/no-messages").status_code == 303
    session.expire_all()
    assert waiting.state is Delivery.CANCELLED
    refusal = refusal_of(session, person.town_id, PHONE, Purpose.SERVICE)
    assert refusal is not None
    assert (refusal.channel, refusal.recorded_by_id, refusal.prospect_id) == (
        ConsentChannel.DOORSTEP,
        volunteer.id,
        person.id,
    )
    assert session.scalar(select(func.count()).select_from(Consent).where(~Consent.given)) == len(Purpose)
    assert "no-messages" in browser.get(f"/people/{person.id}/visit").text


def test_agreeing_again_asks_for_its_proof(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    person = texting.person(phone=PHONE)
    refuse(session, person.town_id, clock.now() - timedelta(hours=1))
    browser = signed_in(Role.ORGANISER)
    form = {"purpose": "service", "channel": "phone_call", "on": "2019-10-15", "hour": "07:30", "words": "Nhắn lại đi"}
    assert browser.post("/numbers/0912345678/agree", data=form).status_code == 422
    for missing in ("words", "hour", "on"):
        answer = browser.post("/numbers/0912345678/agree", data={**form, "hour": "08:59", missing: ""})
        assert answer.status_code == 422
    answer = browser.post("/numbers/0912345678/agree", data={**form, "hour": "08:59"})
    assert answer.status_code == 303
    assert refusal_of(session, person.town_id, PHONE, Purpose.SERVICE) is None


def test_a_slip_is_taken_back_within_the_same_minute(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    person = texting.person(phone=PHONE)
    browser = signed_in(Role.ORGANISER)
    set_time(TEN + timedelta(seconds=10))
    refuse(session, person.town_id, clock.now())
    form = {"purpose": "service", "channel": "doorstep", "on": "2019-10-15", "hour": "10:00", "words": "Bấm nhầm"}
    set_time(TEN + timedelta(seconds=70))
    assert browser.post("/numbers/0912345678/agree", data=form).status_code == 422, "said before or after: nobody knows"
    set_time(TEN + timedelta(seconds=15))
    assert browser.post("/numbers/0912345678/agree", data=form).status_code == 303
    assert refusal_of(session, person.town_id, PHONE, Purpose.SERVICE) is None


def test_the_page_of_a_person_asks_for_the_same_proof(
    session: Session, texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    person = texting.person(phone=PHONE)
    refuse(session, person.town_id, clock.now() - timedelta(hours=1))
    browser, yes = signed_in(Role.ORGANISER), {"purpose": "service", "given": "yes", "channel": "paper"}
    assert browser.post(f"/people/{person.id}/consent", data={**yes, "on": "2019-10-15"}).status_code == 422
    assert (
        browser.post(f"/people/{person.id}/consent", data={**yes, "on": "2019-10-14", "words": "P7"}).status_code == 422
    )
    assert (
        browser.post(f"/people/{person.id}/consent", data={**yes, "on": "2019-10-15", "words": "P7"}).status_code == 302
    )
    assert refusal_of(session, person.town_id, PHONE, Purpose.SERVICE) is None


def test_a_page_of_a_number_tells_nobody_about_people_out_of_sight(
    texting: Texting, signed_in: Callable[..., FlaskClient]
) -> None:
    one, other = texting.make.user(Role.VOLUNTEER), texting.make.user(Role.VOLUNTEER)
    texting.person("Nguyễn Thị Hoa", phone=PHONE, volunteer_id=one.id)
    texting.person("Trần Văn Kín", phone=PHONE, volunteer_id=other.id)
    page = signed_in(one).get("/numbers/0912345678").text
    assert "Nguyễn Thị Hoa" in page
    assert "Trần Văn Kín" not in page
    assert "1 người khác" in page
    assert signed_in(texting.make.user(Role.VOLUNTEER)).get("/numbers/0912345678").status_code == 404


def test_a_phone_that_was_offline_refuses_when_it_comes_back(
    session: Session, texting: Texting, api: Any, client: FlaskClient
) -> None:
    volunteer = texting.make.user(Role.VOLUNTEER)
    person = texting.person(phone=PHONE, volunteer_id=volunteer.id)
    from_phone = {
        "client_id": "0190c1de-0000-7000-8000-000000000001",
        "type": "opt_out",
        "occurred_at": "2019-10-15T08:00:00+07:00",
        "body": {"prospect_id": str(person.id)},
    }
    sent = {"device_id": "d1", "sent_at": "2019-10-15T09:00:00+07:00", "events": [from_phone]}
    results = [
        client.post("/api/v1/sync", json=sent, headers=api(volunteer)).get_json()["events"][0]["result"]
        for _ in range(2)
    ]
    assert results == ["accepted", "duplicate"]
    assert not leaves(session, texting, person)


def test_numbers_are_looked_up_in_any_spelling(texting: Texting, signed_in: Callable[..., FlaskClient]) -> None:
    texting.person(phone=PHONE)
    browser = signed_in(Role.ORGANISER)
    assert browser.get("/numbers?number=%2B84912345678").location == "/numbers/0912345678"
    assert browser.get("/numbers?number=abc").status_code == 200
    assert browser.get("/numbers/abc").status_code == 404
