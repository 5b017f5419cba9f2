"""Papers for other programs."""

from __future__ import annotations

from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import Scope, scope_of
from crm.joining import services
from tests.factories import Make
from tests.joining.test_dossiers import Story


def test_a_program_begins_checks_hands_over_and_accepts(session: Session, make: Make, client: FlaskClient) -> None:
    story = Story(make)

    def by(user: User) -> dict[str, str]:
        return {"Authorization": f"Bearer {make.token(user)}"}

    sent = {"prospect_id": str(story.person.id), "income": 700_000, "months": 3}
    assert client.post("/api/v1/dossiers", json=sent, headers=by(story.volunteer)).status_code == 422
    made = client.post("/api/v1/dossiers", json=sent | {"start": "2019-10"}, headers=by(story.volunteer))
    assert made.status_code == 201
    told = made.get_json()
    assert (told["movement"], told["problems"], told["row"]["TienTudong"]) == ("TM", [], 415_800)
    assert "HoTen" not in told["row"]
    again = client.post("/api/v1/dossiers", json=sent | {"start": "2019-10"}, headers=by(story.volunteer))
    assert (again.status_code, again.get_json()["code"]) == (409, "open_already")
    url = f"/api/v1/dossiers/{told['id']}"
    assert client.post(f"{url}/check", headers=by(story.volunteer)).get_json()["state"] == "ready"
    handed = client.post(f"{url}/hand-over", json={"agent_id": str(story.agent.id)}, headers=by(story.volunteer))
    assert handed.get_json()["state"] == "handed_over"
    listed = client.get("/api/v1/dossiers?state=handed_over", headers=by(story.agent)).get_json()
    assert [one["id"] for one in listed["items"]] == [told["id"]]
    dossier, _person = services.of_person(session, _scope(session, story.agent), listed_id(told))
    story.submitted(dossier)
    answer = {"accepted_on": "2019-10-15", "receipt_number": "C45-1", "number": "3800000001"}
    assert client.post(f"{url}/accept", json=answer, headers=by(story.volunteer)).status_code == 422
    client.acts = 2  # type: ignore[attr-defined]  # the code goes into the record, the payment into the books
    done = client.post(f"{url}/accept", json=answer, headers=by(story.agent))
    assert (done.status_code, done.get_json()["state"]) == (200, "accepted")
    assert client.get(url, headers=by(story.volunteer)).get_json()["list"] == f"1/{clock.today().year}"


def _scope(session: Session, user: User) -> Scope:
    return scope_of(session, user)


def listed_id(told: dict[str, str]) -> UUID:
    return UUID(told["id"])
