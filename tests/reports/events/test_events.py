"""Logged once from a phone, counted in Biểu 04 and filled in where the unit reports; who was met has a visit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import Conflict, NotFound, RuleBroken
from crm.outreach.models import Visit
from crm.outreach.rules import Channel
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import Section, usual_head
from crm.reports.documents.wording import first_wording
from crm.reports.events import queries, services
from crm.reports.events.models import EventPerson, PublicEvent
from crm.reports.events.rules import EventKind, Happened
from crm.reports.periods import ReportKind
from crm.reports.rounds import services as rounds
from crm.reports.rounds.models import ReportOwed
from crm.reports.rounds.rules import Figure, Own
from tests.factories import Make
from tests.reports.documents.stories import opened, rows_of

DAY = date(2019, 10, 10)
NOW = clock.at(date(2019, 10, 15), 9)


def logged(session: Session, make: Make, by: User, place: Any = None, **more: Any) -> PublicEvent:
    told: dict[str, Any] = {
        "title": "Họp khu phố 3",
        "venue": None,
        "times": 1,
        "attended": 45,
        "leaflets": 30,
        "note": None,
    }
    key = more.pop("key", uuid4())
    one = Happened(**{"kind": EventKind.MEETING, "held_on": DAY} | told | more)
    return services.log(session, key, (place or make.ward()).id, one, by=by, at=NOW)


def test_the_same_page_sent_twice_is_one_event_and_nobody_elses(session: Session, make: Make) -> None:
    user, key = make.user(Role.LEAD, place_id=make.ward().id), uuid4()
    assert logged(session, make, user, key=key).id == logged(session, make, user, key=key, title="khác").id
    assert session.scalar(select(func.count()).select_from(PublicEvent)) == 1
    with pytest.raises(Conflict):
        logged(session, make, make.user(Role.MANAGER), key=key)


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "  "},
        {"held_on": date(2019, 10, 16)},
        {"held_on": date(1, 1, 1)},
        {"times": 0},
        {"attended": 10**9},
        {"note": "ă" * 1001},
    ],
)
def test_what_cannot_be_is_refused(session: Session, make: Make, wrong: dict[str, Any]) -> None:
    with pytest.raises(RuleBroken):
        logged(session, make, make.user(Role.MANAGER), **wrong)


def test_events_are_counted_in_the_fourth_form_and_those_taken_back_are_not(session: Session, make: Make) -> None:
    user, other = make.user(Role.MANAGER), make.ward("14818@2019-10-15")
    logged(session, make, user)
    logged(session, make, user, place=other, attended=None)
    logged(session, make, user, kind=EventKind.BROADCAST, times=12, attended=None, leaflets=None)
    services.take_back(session, logged(session, make, user), by=user, at=NOW)
    town = finding.paper_of(session, opened(session, user, NOW, period="2019-10")).facts
    told = rows_of(town, "Biểu 04")
    assert told["Hội nghị, buổi tuyên truyền"] == ["buổi", 2, None, "45 lượt người dự; 60 tờ rơi"]
    assert told["Phát thanh, truyền thanh"][1] == 12
    said = first_wording(town, usual_head("Thị xã Bỉm Sơn", None, NOW.date()))[Section.DIRECTION]
    assert "2 buổi hội nghị, tuyên truyền với 45 lượt người dự và 12 lượt phát thanh, truyền thanh" in said
    assert "phát 60 tờ rơi" in said
    ward = finding.paper_of(session, opened(session, user, NOW, period="2019-10", place=other)).facts
    assert rows_of(ward, "Biểu 04")["Hội nghị, buổi tuyên truyền"][1] == 1
    before = finding.paper_of(session, opened(session, user, NOW)).facts
    assert "events" not in before


def test_what_a_unit_logged_stands_filled_in_where_it_reports(session: Session, make: Make) -> None:
    office, union = make.user(Role.MANAGER), make.organisation()
    logged(session, make, make.user(Role.LEAD, place_id=make.ward().id))
    logged(session, make, make.user(Role.LEAD, organisation_id=union.id), attended=20, leaflets=None)
    row = rounds.open_round(session, office.town_id, ReportKind.MONTH, "2019-10", by=office, at=NOW)
    own = {}
    for key in (make.ward().id, union.id):
        mine = (ReportOwed.place_id == key) | (ReportOwed.organisation_id == key)
        owed = session.scalars(select(ReportOwed).where(mine)).one()
        own[key] = rounds.logged_of(session, owed, row, NOW.date())
    assert own[make.ward().id][Own.SESSIONS].number == 1
    assert {key: one.number for key, one in own[union.id].items()} == {Own.SESSIONS: 1, Own.ATTENDED: 20}
    assert isinstance(own[union.id][Own.SESSIONS], Figure)


def test_who_showed_interest_has_one_visit_and_nobody_out_of_sight_is_met(session: Session, make: Make) -> None:
    ward = make.ward()
    lead = make.user(Role.LEAD, place_id=ward.id)
    event, scope = logged(session, make, lead), scope_of(session, lead)
    mine, away = make.prospect("Lê Thị Na"), make.prospect("Ở Xa", place=make.ward("14818@2019-10-15"))
    for _tap in range(2):
        visit = services.meet(session, scope, event, mine.id, by=lead, at=NOW)
    assert (visit.channel, visit.note) == (Channel.EVENT, "Họp khu phố 3")
    assert session.scalar(select(func.count()).select_from(Visit)) == 1
    assert session.scalar(select(func.count()).select_from(EventPerson)) == 1
    with pytest.raises(NotFound):
        services.meet(session, scope, event, away.id, by=lead, at=NOW)
    assert [one.id for one in queries.met_at(session, scope, event)] == [mine.id]
    services.take_back(session, event, by=lead, at=NOW)
    with pytest.raises(Conflict):
        services.meet(session, scope, event, mine.id, by=lead, at=NOW)


def test_each_sees_the_events_of_their_own_unit(session: Session, make: Make) -> None:
    ward, union = make.ward(), make.organisation()
    of_ward, of_union = make.user(Role.LEAD, place_id=ward.id), make.user(Role.LEAD, organisation_id=union.id)
    volunteer = make.user(Role.VOLUNTEER, organisation_id=union.id, place_id=make.ward("14818@2019-10-15").id)
    first = logged(session, make, of_ward)
    second = logged(session, make, volunteer, place=make.ward("14818@2019-10-15"))
    seen = {
        user.id: {one.event.id for one in queries.page_of(session, scope_of(session, user), cursor=None).rows}
        for user in (of_ward, of_union, volunteer, make.user(Role.MANAGER))
    }
    assert seen[of_ward.id] == {first.id}
    assert seen[of_union.id] == seen[volunteer.id] == {second.id}
    assert {first.id, second.id} in seen.values()


def test_from_the_phone_to_the_person(session: Session, make: Make, signed_in: Callable[..., FlaskClient]) -> None:
    union, ward = make.organisation(), make.ward()
    volunteer = make.user(Role.VOLUNTEER, organisation_id=union.id, place_id=ward.id)
    person = make.prospect("Lê Thị Na", volunteer_id=volunteer.id)
    browser = signed_in(volunteer)
    assert browser.get("/events").status_code == 200
    assert browser.get("/events/new").status_code == 200
    body = {"key": str(uuid4()), "kind": "meeting", "title": "Họp", "held_on": "2019-10-10", "place": str(ward.id)}
    assert browser.post("/events/new", data=body | {"held_on": "2020-01-01"}).status_code == 422
    address = browser.post("/events/new", data=body | {"attended": "1.200"}).location
    assert browser.post("/events/new", data=body).location == address
    assert "Lê Thị Na" in browser.get(f"{address}?q=le thi na").text
    assert browser.post(f"{address}/people", data={"person": str(person.id)}).status_code == 303
    assert browser.post(f"{address}/people", data={"person": "x"}).status_code == 404
    page = browser.get(address).text
    assert "1.200" in page
    assert "Lê Thị Na" in page
    assert browser.post(f"{address}/take-back").status_code == 303
    assert browser.get(address).status_code == 200


def test_a_program_logs_an_event_once_and_takes_it_back(
    session: Session, make: Make, client: FlaskClient, api: Callable[..., dict[str, str]]
) -> None:
    key = api(make.user(Role.LEAD, place_id=make.ward().id))
    sent = {
        "client_id": str(uuid4()),
        "place": "14812",
        "kind": "broadcast",
        "held_on": str(clock.today()),
        "title": "Phát thanh",
        "times": 8,
    }
    made = [client.post("/api/v1/events", json=sent, headers=key) for _tap in range(2)]
    assert [one.status_code for one in made] == [201, 200]
    assert made[0].json == made[1].json
    away = client.post("/api/v1/events", json=sent | {"client_id": str(uuid4()), "place": "14818"}, headers=key)
    assert (away.status_code, away.json["errors"][0]["field"]) == (422, "place")
    assert client.post("/api/v1/events", json=sent | {"times": 0}, headers=key).status_code == 422
    address = f"/api/v1/events/{made[0].json['id']}"
    assert client.post(f"{address}/withdraw", headers=key).json["withdrawn_at"]
    assert client.get(address, headers=key).json["withdrawn_at"]
    assert [one["times"] for one in client.get("/api/v1/events", headers=key).json["items"]] == [8]
