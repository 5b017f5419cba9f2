"""What phones recorded offline arrives once, one by one, and they learn what changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock, stored
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.outreach.models import Visit
from crm.prospects.models import Consent, Prospect
from crm.prospects.rules import Purpose, Sex
from tests.factories import Make

Headers = Callable[[User], dict[str, str]]
SYNC = "/api/v1/sync"
MET = {"channel": "home_visit", "outcome": "considering"}


@pytest.fixture
def volunteer(make: Make) -> User:
    return make.user(Role.VOLUNTEER)


@pytest.fixture
def resident(make: Make, volunteer: User) -> Prospect:
    return make.prospect(
        "Lê Thị Xoan", birth_year=1971, sex=Sex.FEMALE, phone="+84912345678", volunteer_id=volunteer.id
    )


def event(kind: str, body: dict[str, Any], client_id: UUID | None = None) -> dict[str, Any]:
    return {
        "client_id": str(client_id or uuid4()),
        "type": kind,
        "occurred_at": "2019-10-14T16:20:00+07:00",
        "body": body,
    }


@pytest.fixture
def sync(client: FlaskClient, api: Headers, volunteer: User) -> Callable[..., dict[str, Any]]:
    def send(*events: dict[str, Any], by: User = volunteer, **more: Any) -> dict[str, Any]:
        sent = {"device_id": "phone-1", "sent_at": "2019-10-15T08:59:00+07:00", "epoch": None, "cursor": None}
        answer = client.post(SYNC, json=sent | {"events": list(events)} | more, headers=api(by))
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        return dict(answer.json)

    return send


def results(answer: dict[str, Any]) -> list[str]:
    return [one["result"] for one in answer["events"]]


def everything(make: Make, resident: Prospect) -> list[dict[str, Any]]:
    person = {"prospect_id": str(resident.id)}
    return [
        event("visit", person | MET),
        event("consent", person | {"purpose": "service", "given": True}),
        event("opt_out", person | {"purposes": ["promotion"]}),
        event("correction", person | {"version": resident.version, "changes": {"address": "Số 7"}}),
        event("new_person", {"full_name": "Cù Văn Thược", "birth_year": 1966, "place": str(make.ward().id)}),
    ]


def test_each_kind_of_event_is_done_once_however_often_it_is_sent(
    sync: Callable[..., dict[str, Any]], make: Make, resident: Prospect, session: Session
) -> None:
    events = everything(make, resident)
    events[3]["body"]["version"] = resident.version + 1  # the visit came before it
    for one in events:
        assert results(sync(one)) == ["accepted"]
    assert results(sync(*events)) == ["duplicate"] * 5
    assert session.scalar(select(func.count()).select_from(Visit)) == 1
    assert session.scalar(select(func.count()).select_from(Consent)) == 2
    assert session.scalars(select(Prospect.full_name).order_by(Prospect.name_key)).all() == [
        "Cù Văn Thược",
        "Lê Thị Xoan",
    ]
    assert session.scalar(select(Prospect.address).where(Prospect.id == resident.id)) == "Số 7"


def test_one_that_is_refused_leaves_the_others_as_they_are(
    sync: Callable[..., dict[str, Any]], make: Make, resident: Prospect, session: Session
) -> None:
    stranger = make.prospect("Trần Văn Khác")
    person = {"prospect_id": str(resident.id)}
    answer = sync(
        event("visit", {"prospect_id": str(stranger.id)} | MET),
        event("visit", person | MET | {"outcome": "flew away"}),
        event("new_person", {"full_name": "9", "place": str(make.ward().id)}),
        event("consent", person | {"purpose": "service", "given": True, "colour": "red"}),
        event("visit", person | MET),
    )
    assert results(answer) == ["rejected"] * 4 + ["accepted"]
    assert [one["code"] for one in answer["events"][:2]] == ["not_found", "invalid"]
    assert answer["events"][1]["errors"][0]["field"] == "outcome"
    assert answer["events"][2]["errors"][0]["field"] == "full_name"
    assert answer["events"][3]["errors"][0]["field"] == "colour"
    assert all(one["reason"] for one in answer["events"][:4])
    assert session.scalar(select(func.count()).select_from(Visit)) == 1
    assert session.scalar(select(func.count()).select_from(Consent)) == 0


def test_a_refused_event_is_taken_when_it_comes_again_mended(sync: Callable[..., dict[str, Any]], make: Make) -> None:
    client_id = uuid4()
    body = {"full_name": "Cù Văn Thược", "birth_year": 1966, "place": str(make.ward().id)}
    assert results(sync(event("new_person", body | {"phone": "12"}, client_id))) == ["rejected"]
    answer = sync(event("new_person", body, client_id))
    assert results(answer) == ["accepted"]
    assert answer["events"][0]["prospect_id"] == str(client_id)


def test_somebody_added_offline_may_be_visited_in_the_same_batch(
    sync: Callable[..., dict[str, Any]], make: Make
) -> None:
    new = event("new_person", {"full_name": "Cù Văn Thược", "birth_year": 1966, "place": str(make.ward().id)})
    assert results(sync(new, event("visit", {"prospect_id": new["client_id"]} | MET))) == ["accepted", "accepted"]


def test_a_likely_duplicate_is_not_lost_but_told_with_who_it_may_be(
    sync: Callable[..., dict[str, Any]], make: Make, resident: Prospect, session: Session
) -> None:
    again = {"full_name": "LE THI XOAN", "birth_year": 1971, "phone": "0912 345 678", "place": str(make.ward().id)}
    new = event("new_person", again)
    [told] = sync(new)["events"]
    assert (told["result"], told["code"]) == ("rejected", "likely_duplicate")
    [candidate] = told["candidates"]
    assert (candidate["id"], candidate["full_name"]) == (str(resident.id), "Lê Thị Xoan")
    assert {"phone", "birth_year"} <= {one["code"] for one in candidate["evidence"]}
    new["body"]["allow_duplicate"] = True
    assert results(sync(new)) == ["accepted"]
    assert session.scalar(select(func.count()).select_from(Prospect)) == 2


def test_of_a_likely_duplicate_out_of_sight_neither_name_nor_id_is_told(
    sync: Callable[..., dict[str, Any]], make: Make
) -> None:
    hidden = make.prospect("Quách Thị Ẩn", phone="+84912345678", birth_year=1971)
    again = {"full_name": "Quách Thị Ẩn", "birth_year": 1971, "phone": "0912345678", "place": str(make.ward().id)}
    [told] = sync(event("new_person", again))["events"]
    assert told["code"] == "likely_duplicate"
    assert told["candidates"][0] | {"score": 0, "why": "", "reasons": []} == {
        "id": None,
        "full_name": None,
        "birth_year": None,
        "evidence": [],
        "score": 0,
        "why": "",
        "reasons": [],
    }
    assert str(hidden.id) not in str(told)


def test_ids_of_merged_people_keep_working(
    sync: Callable[..., dict[str, Any]], make: Make, resident: Prospect, volunteer: User
) -> None:
    gone = make.prospect("Lê Xoan", merged_into_id=resident.id, volunteer_id=volunteer.id)
    answer = sync(
        event("visit", {"prospect_id": str(gone.id)} | MET),
        event("opt_out", {"prospect_id": str(gone.id)}),
    )
    assert results(answer) == ["accepted", "accepted"]
    assert {one["prospect_id"] for one in answer["events"]} == {str(resident.id)}


def test_opting_out_is_of_all_purposes_unless_told(
    sync: Callable[..., dict[str, Any]], resident: Prospect, session: Session
) -> None:
    assert results(sync(event("opt_out", {"prospect_id": str(resident.id)}))) == ["accepted"]
    answers = {(row[0], row[1]) for row in session.execute(select(Consent.purpose, Consent.given))}
    assert answers == {(purpose, False) for purpose in Purpose}


def test_a_correction_of_an_old_version_is_refused_with_the_version_there_is(
    sync: Callable[..., dict[str, Any]], resident: Prospect
) -> None:
    old = {"prospect_id": str(resident.id), "version": resident.version - 1, "changes": {"address": "Số 9"}}
    [told] = sync(event("correction", old))["events"]
    assert (told["result"], told["code"], told["version"]) == ("rejected", "stale", resident.version)


def test_a_client_id_belongs_to_one_event_of_one_person(
    sync: Callable[..., dict[str, Any]], make: Make, resident: Prospect
) -> None:
    refusal = event("opt_out", {"prospect_id": str(resident.id)})
    sync(refusal)
    [told] = sync(refusal, by=make.user())["events"]
    assert (told["result"], told["code"], told["prospect_id"]) == ("rejected", "client_id_taken", None)


def test_the_same_event_twice_in_one_batch_is_done_once(
    sync: Callable[..., dict[str, Any]], resident: Prospect
) -> None:
    refusal = event("opt_out", {"prospect_id": str(resident.id)})
    assert results(sync(refusal, refusal)) == ["accepted", "duplicate"]


def test_somebody_who_may_not_record_visits_is_told_so(
    sync: Callable[..., dict[str, Any]], make: Make, resident: Prospect
) -> None:
    auditor = make.user(Role.AUDITOR)
    [told] = sync(event("visit", {"prospect_id": str(resident.id)} | MET), by=auditor)["events"]
    assert (told["result"], told["code"]) == ("rejected", "forbidden")


def test_the_cursor_tells_what_changed_since(
    sync: Callable[..., dict[str, Any]], make: Make, resident: Prospect, volunteer: User, at_time: Callable[..., None]
) -> None:
    at_time(clock.at(date(2019, 10, 15), 10))
    first = sync()
    assert [one["id"] for one in first["changed"]] == [str(resident.id)]
    at_time(clock.at(date(2019, 10, 15), 11))
    later = make.prospect("Vũ Thị Sau", volunteer_id=volunteer.id)
    at_time(clock.at(date(2019, 10, 15), 11, 10))
    second = sync(cursor=first["cursor"])
    assert [one["id"] for one in second["changed"]] == [str(later.id)]
    assert second["more"] is False
    at_time(clock.at(date(2019, 10, 15), 12))
    assert sync(cursor=second["cursor"])["changed"] == []


def test_who_became_part_of_another_record_is_gone(
    sync: Callable[..., dict[str, Any]], make: Make, resident: Prospect, volunteer: User
) -> None:
    cursor = sync()["cursor"]
    gone = make.prospect("Lê Xoan", merged_into_id=resident.id, volunteer_id=volunteer.id)
    assert sync(cursor=cursor)["gone"] == [{"id": str(gone.id), "became": str(resident.id)}]


def test_after_a_restore_the_epoch_differs_and_everything_is_told_anew(
    sync: Callable[..., dict[str, Any]], resident: Prospect, session: Session
) -> None:
    first = sync()
    stored.write(session, "epoch", first["epoch"] + 1)
    again = sync(epoch=first["epoch"], cursor=first["cursor"])
    assert again["epoch"] == first["epoch"] + 1
    assert [one["id"] for one in again["changed"]] == [str(resident.id)]


def test_what_cannot_be_read_as_a_batch_is_refused_as_a_whole(
    client: FlaskClient, api: Headers, volunteer: User
) -> None:
    sent: dict[str, Any] = {"device_id": "phone-1", "sent_at": "2019-10-15T08:59:00+07:00", "events": []}
    for wrong in (
        {"events": [event("dance", {})]},
        {"events": [event("opt_out", {})] * 501},
        {"cursor": "nonsense"},
        {"colour": "red"},
    ):
        assert client.post(SYNC, json=sent | wrong, headers=api(volunteer)).status_code == 422


def test_a_moment_ahead_of_the_clock_is_refused(sync: Callable[..., dict[str, Any]], resident: Prospect) -> None:
    ahead = clock.now() + timedelta(days=2)
    person = {"prospect_id": str(resident.id)}
    events = [event("visit", person | MET), event("consent", person | {"purpose": "service", "given": True})]
    answer = sync(*(one | {"occurred_at": ahead.isoformat()} for one in events))
    assert results(answer) == ["rejected", "rejected"]
