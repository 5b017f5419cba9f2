"""Pages, the carrier's calls, refusing, and the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from crm import clock
from crm.accounts.rules import Role
from crm.campaigns import gateway
from crm.campaigns.models import Campaign, Message
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.stages import Stage
from crm.campaigns.services import dispatching, opting_out, sending
from crm.prospects.rules import Purpose
from tests.campaigns.conftest import PUBLIC_URL, Texting

Browser = Callable[..., FlaskClient]


@pytest.fixture
def sandbox_token(app: Flask, monkeypatch: pytest.MonkeyPatch) -> str:
    connection = gateway.Connection("AC" + "0" * 32, "secret", "AnSinh", None, None)
    monkeypatch.setattr(gateway, "connection_of", lambda settings: connection)
    return connection.token


def post_signed(client: FlaskClient, token: str, path: str, fields: dict[str, str]) -> int:
    signature = RequestValidator(token).compute_signature(PUBLIC_URL + path, fields)
    return client.post(path, data=fields, headers={"X-Twilio-Signature": signature}).status_code


def status_path(message: Message) -> str:
    return f"/webhooks/twilio/status?town={message.town_id}&message={message.id}"


def test_a_signed_receipt_is_believed_and_a_second_one_changes_nothing(
    client: FlaskClient, session: Session, texting: Texting, sandbox_token: str
) -> None:
    message = texting.sending(texting.person())
    fields = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"}
    for _ in range(2):
        assert post_signed(client, sandbox_token, status_path(message), fields) == 204
    session.expire_all()
    assert (message.state, message.error_code, message.sid) == (Delivery.UNDELIVERED, 30003, "SM1")


@pytest.mark.parametrize("signature", [None, "", "wrong"])
@pytest.mark.parametrize("path", ["/webhooks/twilio/status", "/webhooks/twilio/inbound"])
def test_a_call_without_the_right_signature_is_refused(
    client: FlaskClient, sandbox_token: str, path: str, signature: str | None
) -> None:
    headers = {} if signature is None else {"X-Twilio-Signature": signature}
    assert client.post(path, data={"MessageSid": "SM1"}, headers=headers).status_code == 403


def test_a_signature_for_another_message_is_refused(client: FlaskClient, texting: Texting, sandbox_token: str) -> None:
    one, other = (texting.sending(texting.person()) for _ in range(2))
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    signature = RequestValidator(sandbox_token).compute_signature(PUBLIC_URL + status_path(one), fields)
    answer = client.post(status_path(other), data=fields, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 403


def test_without_a_carrier_every_call_is_refused(client: FlaskClient) -> None:
    signature = RequestValidator("").compute_signature(PUBLIC_URL + "/webhooks/twilio/inbound", {})
    answer = client.post("/webhooks/twilio/inbound", data={}, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 403


def test_an_answer_that_says_no_is_confirmed(
    client: FlaskClient, session: Session, texting: Texting, sandbox_token: str
) -> None:
    person = texting.person()
    texting.message(person, state=Delivery.SENT, claimed_at=clock.now())
    fields = {"MessageSid": "SM2", "From": str(person.phone), "Body": "TU CHOI"}
    path = "/webhooks/twilio/inbound"
    signature = RequestValidator(sandbox_token).compute_signature(PUBLIC_URL + path, fields)
    first = client.post(path, data=fields, headers={"X-Twilio-Signature": signature}).text
    again = client.post(path, data=fields, headers={"X-Twilio-Signature": signature}).text
    assert "<Message>" in first
    assert again == "<Response></Response>"
    texting.message(person)
    assert dispatching.claim(session, at_most=5, at=clock.now()) == []


def test_looking_at_the_address_changes_nothing_and_the_button_does(
    client: FlaskClient, session: Session, texting: Texting
) -> None:
    person = texting.person()
    message = texting.message(person)
    phone = str(person.phone)
    token = opting_out.links_for(session, person.town_id, [phone], clock.now())[phone]
    session.commit()
    page = client.get(f"/o/{token}")
    assert page.status_code == 200
    assert phone[-7:-3] not in page.text, "the whole number is nobody's business"
    session.expire_all()
    assert message.state is Delivery.QUEUED
    assert client.post(f"/o/{token}").status_code == 200
    session.expire_all()
    assert message.state is Delivery.CANCELLED


def test_an_unknown_address_is_not_found(client: FlaskClient) -> None:
    assert client.get("/o/nobody").status_code == client.post("/o/nobody").status_code == 404


def test_from_a_new_campaign_to_its_end(signed_in: Browser, session: Session, texting: Texting) -> None:
    texting.person("Nguyễn Thị An")
    texting.person("Trần Văn Bê", agrees=False)
    browser = signed_in(Role.ORGANISER)
    here = f"/campaigns/{texting.campaign('Mời {xung_ho} {ten}', purpose=Purpose.PROMOTION).id}"
    page = browser.post(f"{here}/check", follow_redirects=True).text
    assert "[QC] Moi ong/ba An Tu choi:" in page
    assert "750" in page
    for act, stage in (("launch", "running"), ("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert browser.post(f"{here}/{act}").status_code == 303
        session.expire_all()
        assert session.scalars(select(Campaign.stage)).one() == stage
        assert browser.get(here).status_code == 200
    assert browser.get("/campaigns").text.count("Tháng 10") >= 1
    messages = browser.get("/messages").text
    assert "Nguyễn Thị An" in messages
    assert "Trần Văn Bê" in messages
    assert "Nguyễn Thị An" not in browser.get("/messages?state=excluded").text


def test_a_campaign_with_an_unknown_place_shows_the_reason_at_the_text(signed_in: Browser, texting: Texting) -> None:
    here = f"/campaigns/{texting.campaign().id}"
    answer = signed_in(Role.ORGANISER).post(f"{here}/what", data={"text": "Chào {tuoi}"})
    assert answer.status_code == 422
    assert "{tuoi}" in answer.text


@pytest.mark.parametrize("role", [Role.VOLUNTEER, Role.TREASURER, Role.SPONSOR])
def test_others_do_not_see_messages(signed_in: Browser, role: Role) -> None:
    assert signed_in(role).get("/messages").status_code == 403


def test_an_auditor_sees_campaigns_and_changes_nothing(signed_in: Browser, session: Session, texting: Texting) -> None:
    texting.person()
    campaign = texting.campaign()
    session.commit()
    browser = signed_in(Role.AUDITOR)
    assert browser.get(f"/campaigns/{campaign.id}").status_code == 200
    assert browser.post(f"/campaigns/{campaign.id}/launch").status_code == 403


def test_a_lead_sees_messages_to_their_own_people_only(signed_in: Browser, session: Session, texting: Texting) -> None:
    own = texting.make.organisation("HPN")
    texting.message(texting.person("Người Của Hội", organisation_id=own.id))
    texting.message(texting.person("Người Nơi Khác"))
    lead = texting.make.user(Role.LEAD, organisation_id=own.id)
    page = signed_in(lead).get("/messages").text
    assert "Người Của Hội" in page
    assert "Người Nơi Khác" not in page


def test_after_a_restore_nothing_leaves_before_the_carrier_was_asked(
    signed_in: Browser, session: Session, texting: Texting
) -> None:
    town = texting.make.town.id
    texting.person()
    campaign = texting.campaign(purpose=Purpose.PROMOTION)
    texting.launch(campaign)
    sending.hold_everything(session, [town], clock.now())
    session.commit()
    browser = signed_in(Role.ORGANISER)
    for page in ("/messages", "/messages/files", f"/campaigns/{campaign.id}"):
        assert "/messages/restored" in browser.get(page).text
    assert browser.post("/messages/release").status_code == 422
    assert sending.is_held(session, town)


# --- API ----------------------------------------------------------------------------------------------------------


def test_the_preview_counts_both_ways(
    client: FlaskClient, texting: Texting, api: Callable[..., dict[str, str]]
) -> None:
    headers = api(texting.make.user(Role.VOLUNTEER))
    answer = client.post(
        "/api/v1/sms/preview", json={"text": "Mời bà {ten}", "variables": {"ten": "Hồng"}}, headers=headers
    )
    assert answer.status_code == 200
    told = answer.get_json()
    assert (told["encoding"], told["characters"], told["segments"]) == ("UCS-2", 11, 1)
    assert told["unaccented"] == {"text": "Moi ba Hong", "encoding": "GSM-7", "characters": 11, "segments": 1}
    assert told["costly"] == ["ờ", "ồ"]


@pytest.mark.parametrize(
    "body",
    [{}, {"text": 1}, {"text": "x", "more": 1}, {"text": "{ten}", "variables": {}}, {"text": "x", "variables": []}],
)
def test_a_wrong_preview_is_a_problem(
    client: FlaskClient, texting: Texting, api: Callable[..., dict[str, str]], body: dict[str, object]
) -> None:
    answer = client.post("/api/v1/sms/preview", json=body, headers=api(texting.make.user(Role.VOLUNTEER)))
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"


def test_a_campaign_by_another_program(
    client: FlaskClient, session: Session, texting: Texting, api: Callable[..., dict[str, str]]
) -> None:
    texting.person("Nguyễn Thị An", place=texting.make.ward())
    headers = api(texting.make.user(Role.ORGANISER))
    content = {
        "name": "Tháng 10",
        "text": "Mời {ten}",
        "purpose": "promotion",
        "segment": {"place": "14812@2019-10-15"},
    }
    made = client.post("/api/v1/campaigns", json=content, headers=headers)
    assert made.status_code == 201, made.text
    url = f"/api/v1/campaigns/{made.get_json()['id']}"
    before = client.get(f"{url}/preflight", headers=headers).get_json()
    assert (before["people"], before["messages"], before["excluded"]) == (1, 1, {})
    assert client.post(f"{url}/launch", headers=headers).get_json()["stage"] == "running"
    assert client.post(f"{url}/launch", headers=headers).status_code == 422
    assert client.post(f"{url}/pause", headers=headers).get_json()["stage"] == Stage.PAUSED
    assert client.post(f"{url}/resume", headers=headers).get_json()["stage"] == Stage.RUNNING
    assert client.post(f"{url}/cancel", headers=headers).get_json()["stage"] == Stage.CANCELLED
    listed = client.get("/api/v1/messages?limit=1", headers=headers).get_json()
    assert (listed["items"][0]["state"], listed["items"][0]["reason"]) == ("cancelled", "called_off")
    assert listed["next"] is None
    assert client.get("/api/v1/campaigns", headers=headers).get_json()["items"][0]["name"] == "Tháng 10"


def test_messages_come_page_by_page(client: FlaskClient, texting: Texting, api: Callable[..., dict[str, str]]) -> None:
    made = {str(texting.message(texting.person()).id) for _ in range(5)}
    headers, cursor, seen = api(texting.make.user(Role.MANAGER)), "", []
    while cursor is not None:
        page = client.get(
            f"/api/v1/messages?limit=2&cursor={cursor}" if cursor else "/api/v1/messages?limit=2", headers=headers
        )
        seen += [item["id"] for item in page.get_json()["items"]]
        cursor = page.get_json()["next"]
    assert len(seen) == 5
    assert set(seen) == made


@pytest.mark.parametrize(
    ("state", "told"),
    [(Delivery.QUEUED, "Tin nhắn đang chờ gửi"), (Delivery.EXPIRED, "Tin nhắn không được gửi")],
)
def test_a_message_whose_time_is_over_is_not_said_to_wait(
    state: Delivery, told: str, session: Session, texting: Texting, signed_in: Browser
) -> None:
    person = texting.person()
    texting.message(person, state=state)
    session.commit()
    page = signed_in(Role.MANAGER).get(f"/people/{person.id}").text
    assert told in page
    assert page.count("Tin nhắn đang chờ gửi") == (state is Delivery.QUEUED)
