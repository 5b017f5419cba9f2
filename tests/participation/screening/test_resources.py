"""Whether somebody may join, and the referral list, for other programs."""

from __future__ import annotations

from flask.testing import FlaskClient

from crm.accounts.rules import Role
from tests.factories import Make

ANSWERS = {"work": "contract", "business": "none", "allowance": "none", "elsewhere": "no"}


def test_a_program_asks_and_who_belongs_elsewhere_stands_on_the_list(make: Make, client: FlaskClient) -> None:
    volunteer, other = make.user(Role.VOLUNTEER), make.user(Role.VOLUNTEER)
    person = make.prospect(birth_year=1980, volunteer_id=volunteer.id)
    mine, theirs = ({"Authorization": f"Bearer {make.token(one)}"} for one in (volunteer, other))
    url = f"/api/v1/prospects/{person.id}/screening"
    asked = client.get(url, headers=mine).get_json()
    assert (asked["kind"], asked["answers"]["work"]) == ("ask", None)
    short = client.post(url, json=ANSWERS, headers=mine)
    assert (short.status_code, short.get_json()["errors"][0]["field"]) == (422, "citizen")
    told = client.post(url, json=ANSWERS | {"citizen": True}, headers=mine)
    assert (told.status_code, told.get_json()["kind"], told.get_json()["barred"]) == (200, "compulsory", True)
    assert told.get_json()["why"][0]["source"]
    (row,) = client.get("/api/v1/referrals", headers=mine).get_json()["items"]
    assert (row["prospect_id"], row["state"], bool(row["why"])) == (str(person.id), "to_send", True)
    assert client.get("/api/v1/referrals", headers=theirs).get_json()["items"] == []
    assert client.post(url, json=ANSWERS | {"citizen": True}, headers=theirs).status_code == 404
    assert client.post(url, json=ANSWERS | {"citizen": True, "work": "king"}, headers=mine).status_code == 422


def test_a_program_sends_the_list_and_keeps_the_answer_once(make: Make, client: FlaskClient) -> None:
    manager, volunteer = make.user(Role.MANAGER), make.user(Role.VOLUNTEER)
    person = make.prospect(birth_year=1980, volunteer_id=volunteer.id)
    office, door = ({"Authorization": f"Bearer {make.token(one)}"} for one in (manager, volunteer))
    url = f"/api/v1/prospects/{person.id}/screening"
    client.post(url, json=ANSWERS | {"citizen": True}, headers=door)
    (row,) = client.get("/api/v1/referrals", headers=office).get_json()["items"]
    body = {"referrals": [row["id"]], "sent_on": "2019-10-15"}
    assert client.post("/api/v1/referrals/send", json=body, headers=door).status_code == 403
    assert (
        client.post("/api/v1/referrals/send", json=body | {"sent_on": "2019-10-16"}, headers=office).status_code == 422
    )
    answer = f"/api/v1/referrals/{row['id']}/answer"
    early = client.post(answer, json={"answer": "not_subject"}, headers=office)
    assert (early.status_code, early.get_json()["code"]) == (409, "not_waiting")
    sent = client.post("/api/v1/referrals/send", json=body, headers=office)
    assert (sent.status_code, sent.get_json()["list"]) == (201, "1/2019")
    assert client.post("/api/v1/referrals/send", json=body, headers=office).status_code == 409
    told = client.post(answer, json={"answer": "not_subject", "note": "đã hỏi"}, headers=office)
    assert (told.status_code, told.get_json()["state"], told.get_json()["note"]) == (200, "answered", "đã hỏi")
    assert client.post(answer, json={"answer": "enrolled"}, headers=office).status_code == 409
