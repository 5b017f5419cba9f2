"""Other programs ask what a number said, refuse for it, bring a proof, and work through the inbox."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.campaigns.inbox import services
from crm.campaigns.rules.delivery import Delivery
from tests.campaigns.conftest import Texting

PHONE = "+84912345678"


def test_a_refusal_and_its_end_with_proof(session: Session, texting: Texting, api: Any, client: FlaskClient) -> None:
    person, by = texting.person(phone=PHONE), api(texting.make.user(Role.MANAGER))
    waiting = texting.message(person)
    assert client.post("/api/v1/opt-outs", json={"phone": "0912 345 678"}, headers=by).status_code == 204
    session.expire_all()
    assert waiting.state is Delivery.CANCELLED
    told = client.get("/api/v1/consents?phone=0912345678", headers=by).get_json()
    assert told["phone"] == PHONE
    assert told["prospect_ids"] == [str(person.id)]
    assert {one["why_not"] for one in told["reach"]} == {"opted_out"}
    yes = {"phone": PHONE, "purpose": "service", "channel": "paper", "words": "Phiếu 7"}
    early = {**yes, "at": "2019-10-14T08:00:00+07:00"}
    assert client.post("/api/v1/consents", json=early, headers=by).status_code == 422
    late = {**yes, "at": clock.now().isoformat()}
    answer = client.post("/api/v1/consents", json=late, headers=by)
    assert answer.status_code == 201, answer.text
    assert [one["reachable"] for one in answer.get_json()["reach"] if one["purpose"] == "service"] == [True]
    for wrong in ({"phone": "0237 3824 567"}, {"phone": "abc"}, {"phone": PHONE, "channel": "import"}, {}):
        assert client.post("/api/v1/opt-outs", json=wrong, headers=by).status_code == 422
    volunteer = api(texting.make.user(Role.VOLUNTEER))
    assert client.get(f"/api/v1/consents?phone={PHONE[1:]}", headers=volunteer).status_code == 404


def test_the_inbox(session: Session, texting: Texting, api: Any, client: FlaskClient) -> None:
    person, by = texting.person(phone=PHONE), api(texting.make.user(Role.MANAGER))
    services.take_in(session, person.town_id, sid="SM1", phone=PHONE, body="Đóng ở đâu?", at=clock.now())
    [talk] = client.get("/api/v1/inbox", headers=by).get_json()["items"]
    assert (talk["text"], talk["meaning"], talk["state"]) == ("Đóng ở đâu?", "words", "open")
    address = f"/api/v1/inbox/{talk['id']}"
    assert client.post(f"{address}/reply", json={"text": "Tại phường"}, headers=by).status_code == 204
    assert client.post(f"{address}/reply", json={"text": "Tại phường"}, headers=by).status_code == 409
    assert client.post(f"{address}/done", headers=by).status_code == 204
    assert client.get("/api/v1/inbox", headers=by).get_json()["items"] == []
