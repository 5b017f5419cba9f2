"""Papers for other programs."""

from __future__ import annotations

from datetime import date

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.joining.models import DossierStep
from crm.joining.rules import State
from tests.factories import Make
from tests.joining.test_dossiers import Story
from tests.participation.stories import join


def test_a_program_begins_checks_hands_over_and_accepts(session: Session, make: Make, client: FlaskClient) -> None:
    story = Story(make)

    def by(user: User) -> dict[str, str]:
        return _by(make, user)

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
    answer = {"accepted_on": "2019-10-15", "receipt_number": "C45-1", "number": "3800000001"}
    early = client.post(f"{url}/accept", json=answer, headers=by(story.agent))
    assert (early.status_code, early.get_json()["code"]) == (409, "not_submitted")
    lists = "/api/v1/dossiers/lists"
    assert client.post(lists, json={"dossier_ids": [told["id"]]}, headers=by(story.volunteer)).status_code == 422
    gathered = client.post(lists, json={"dossier_ids": [told["id"]]}, headers=by(story.agent))
    assert (gathered.status_code, gathered.get_json()["whole"]) == (201, True)
    assert [(one["dossier_id"], one["outcome"]) for one in gathered.get_json()["rows"]] == [(told["id"], None)]
    again = client.post(lists, json={"dossier_ids": [told["id"]]}, headers=by(story.agent))
    assert (again.status_code, again.get_json()["code"]) == (409, "nothing_to_gather")
    one_list = f"{lists}/{gathered.get_json()['id']}"
    assert client.post(f"{url}/accept", json=answer, headers=by(story.agent)).get_json()["code"] == "not_submitted"
    tomorrow = client.post(f"{one_list}/submit", json={"submitted_on": "2019-10-16"}, headers=by(story.agent))
    assert tomorrow.status_code == 422
    handed_in = client.post(f"{one_list}/submit", json={"submitted_on": "2019-10-15"}, headers=by(story.agent))
    assert (handed_in.status_code, handed_in.get_json()["rows"][0]["outcome"]) == (200, "waiting")
    assert client.post(f"{url}/accept", json=answer, headers=by(story.volunteer)).status_code == 422
    client.acts = 2  # type: ignore[attr-defined]  # the code goes into the record, the payment into the books
    done = client.post(f"{url}/accept", json=answer, headers=by(story.agent))
    assert (done.status_code, done.get_json()["state"]) == (200, "accepted")
    assert client.get(url, headers=by(story.volunteer)).get_json()["list"] == f"1/{clock.today().year}"
    assert client.get(one_list, headers=by(story.agent)).get_json()["rows"][0]["outcome"] == "accepted"
    (counted,) = client.get(lists, headers=by(story.agent)).get_json()["items"]
    assert (counted["number"], counted["rows"], counted["accepted"], counted["returned"]) == ("1/2019", 1, 1, 0)


def test_said_twice_by_the_same_person_is_done_once(session: Session, make: Make, client: FlaskClient) -> None:
    story = Story(make)
    url, mine = f"/api/v1/dossiers/{story.begun().id}", _by(make, story.volunteer)
    early = client.post(f"{url}/hand-over", json={"agent_id": str(story.agent.id)}, headers=mine)
    assert (early.status_code, early.get_json()["code"]) == (409, "not_checked")
    for _time in range(2):
        checked = client.post(f"{url}/check", headers=mine)
        assert (checked.status_code, checked.get_json()["state"]) == (200, "ready")
    for _time in range(2):
        handed = client.post(f"{url}/hand-over", json={"agent_id": str(story.agent.id)}, headers=mine)
        assert (handed.status_code, handed.get_json()["state"]) == (200, "handed_over")
    other_agent = {"agent_id": str(make.user(Role.AGENT).id)}
    refused = client.post(f"{url}/hand-over", json=other_agent, headers=mine)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "moved_on")
    steps = session.scalars(select(DossierStep.to_state).order_by(DossierStep.at, DossierStep.id)).all()
    assert sorted(steps) == sorted([State.DRAFT, State.READY, State.HANDED_OVER])


def test_a_program_chooses_otherwise_withdraws_and_takes_out(session: Session, make: Make, client: FlaskClient) -> None:
    story = Story(make)
    mine = _by(make, story.volunteer)
    url = f"/api/v1/dossiers/{story.begun().id}"
    client.post(f"{url}/check", headers=mine)
    figures = {"income": 800_000, "months": 1, "start": "2019-10"}
    assert client.put(url, json={"income": 800_000}, headers=mine).status_code == 422
    changed = client.put(url, json=figures, headers=mine)
    told = changed.get_json()
    assert (changed.status_code, told["state"], told["income"], told["months"]) == (200, "draft", 800_000, 1)
    assert told["row"]["MucTien"] == 800_000
    assert client.post(f"{url}/withdraw", headers=mine).get_json()["state"] == "withdrawn"
    assert client.put(url, json=figures, headers=mine).get_json()["code"] == "moved_on"
    handed = story.handed_over()
    listed = story.gathered(handed)
    out = client.post(f"/api/v1/dossiers/{handed.id}/take-out", headers=_by(make, story.agent))
    assert (out.status_code, out.get_json()["state"]) == (200, "handed_over")
    assert client.get(f"/api/v1/dossiers/lists/{listed.id}", headers=_by(make, story.agent)).status_code == 404


def test_papers_for_stopping_have_no_figures_to_change(make: Make, client: FlaskClient) -> None:
    story = Story(make)
    join(story.person, date(2019, 9, 2), months=1)
    begun = story.begun(income=None, months=None, start=None, stop_on=clock.today())
    figures = {"income": 800_000, "months": 1, "start": "2019-10"}
    refused = client.put(f"/api/v1/dossiers/{begun.id}", json=figures, headers=_by(make, story.volunteer))
    assert (refused.status_code, refused.get_json()["code"]) == (422, "stops")


def _by(make: Make, user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {make.token(user)}"}
