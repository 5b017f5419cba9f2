"""Where one pays, who works there and what they were trained in; the nearest point by ward and address, for everybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import ChangeRecord, User
from crm.accounts.rules import Role
from crm.collecting import queries, services
from crm.collecting.models import CollectionPoint, CollectionStaff, CollectionTraining
from crm.collecting.rules import Candidate, PointKind, Spot, Told, Trained, nearest, read_spot, trained
from crm.errors import Conflict, RuleBroken
from crm.places.boundaries import boundaries
from tests.factories import Make

TODAY = date(2019, 10, 15)
NOW = clock.at(TODAY, 9)
A, B, C, D = (UUID(int=number) for number in range(1, 5))


def told(**more: Any) -> Told:
    plain: dict[str, Any] = {"hours": "7:30–17:00", "phone": "0237 3824 567", "spot": None, "until": None, "note": None}
    first = {"kind": PointKind.POST, "name": "Bưu điện Ba Đình", "address": "Số 5 Trần Phú", "since": date(2019, 1, 1)}
    return Told(**first | plain | more)


def opened(session: Session, make: Make, by: User, place: Any = None, serves: Any = (), **more: Any) -> CollectionPoint:
    key = more.pop("key", uuid4())
    return services.open_point(session, key, (place or make.ward()).id, told(**more), serves, by=by, at=NOW)


def hired(session: Session, point: CollectionPoint, key: UUID | None = None) -> CollectionStaff:
    told = key or uuid4(), "Lê Thị Thu", "0912345678", date(2019, 1, 1)
    by = session.get_one(User, (point.town_id, point.changed_by_id))
    return services.hire(session, point, *told, by=by, at=NOW)


def changes(session: Session) -> list[tuple[str, UUID | None, Any]]:
    """What was kept of who changed what in the network, in its order."""
    rows = session.scalars(select(ChangeRecord).order_by(ChangeRecord.id))
    return [(row.act, row.user_id, row.before) for row in rows if row.subject.startswith("collection_")]


def test_the_own_ward_comes_first_then_those_that_serve_it_then_a_like_address() -> None:
    points = [
        Candidate(A, "Xa", "Trần Phú", C, ()),
        Candidate(B, "Bên cạnh", "Lê Lợi", C, {D}),
        Candidate(C, "Trong phường", "Lê Lợi", D, ()),
        Candidate(D, "Trong phường, cùng phố", "Số 3 Trần Phú", D, ()),
    ]
    assert nearest(points, D, "tran phu") == [D, C, B, A]
    assert nearest(points, None, "Trần Phú") == [D, A, B, C]


@pytest.mark.parametrize(
    ("ends", "stands"),
    [
        ([], Trained.NEVER),
        ([date(2019, 1, 1), None], Trained.VALID),
        ([TODAY + timedelta(days=61)], Trained.VALID),
        ([TODAY + timedelta(days=60), date(2019, 1, 1)], Trained.ENDING),
        ([TODAY], Trained.ENDING),
        ([TODAY - timedelta(days=1)], Trained.ENDED),
    ],
)
def test_the_training_that_is_valid_longest_decides(ends: list[date | None], stands: Trained) -> None:
    assert trained(ends, TODAY) is stands


@pytest.mark.parametrize("wrong", ["20.07", "a, b", "48.1, 11.5", "105.86, 20.07"])
def test_a_spot_outside_the_country_is_refused(wrong: str) -> None:
    with pytest.raises(RuleBroken):
        read_spot(wrong)
    assert read_spot(" 20.0775, 105.8601 ") == Spot(20.0775, 105.8601)
    assert read_spot(" ") is None


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"until": date(2018, 1, 1)}, {"phone": "12"}, {"hours": ""}, {"address": "x" * 201}]
)
def test_what_cannot_be_is_refused(session: Session, make: Make, wrong: dict[str, Any]) -> None:
    with pytest.raises(RuleBroken):
        opened(session, make, make.user(Role.MANAGER), **wrong)


def test_points_that_are_closed_are_not_found_and_old_wards_lead_to_the_new(session: Session, make: Make) -> None:
    by, far = make.user(Role.MANAGER), make.ward("14818@2019-10-15")
    near = opened(session, make, by)
    serves = opened(session, make, by, place=far, serves=[make.ward().id], name="Điểm phục vụ")
    opened(session, make, by, until=date(2019, 10, 14), name="Đã đóng")
    opened(session, make, by, since=date(2019, 10, 16), name="Chưa mở")
    other = opened(session, make, by, place=far, name="A khác")
    drawn = boundaries(session, make.town.id, TODAY)
    found = queries.near_to(session, make.town.id, make.ward().id, "", drawn)
    assert [(one.point.id, one.near) for one in found] == [(near.id, True), (serves.id, True), (other.id, False)]
    now = boundaries(session, make.town.id, date(2026, 1, 1))
    later = queries.near_to(session, make.town.id, now.unit_of(make.ward().id), "", now)
    assert (later[0].place, later[0].near) == (make.ward().name, True)


def test_an_id_that_is_taken_at_another_point_is_nobody_elses(session: Session, make: Make) -> None:
    by, key = make.user(Role.MANAGER), uuid4()
    here, there = opened(session, make, by), opened(session, make, by, name="Khác")
    assert hired(session, here, key).id == hired(session, here, key).id == key
    with pytest.raises(Conflict):
        hired(session, there, key)
    with pytest.raises(Conflict):
        opened(session, make, make.user(Role.MANAGER), key=here.id)


def test_who_changed_what_in_the_network_is_kept_once(session: Session, make: Make) -> None:
    first, second = make.user(Role.MANAGER), make.user(Role.MANAGER)
    acting: dict[str, Any] = {"by": second, "at": NOW}
    point, far = opened(session, make, first), make.ward("14818@2019-10-15").id
    staff = hired(session, point)
    for _tap in range(2):
        services.change_point(session, point, point.place_id, told(name="Mới"), [far], **acting)
        training = services.train(session, staff, "Nghiệp vụ", held_on=TODAY, valid_until=None, document=None, **acting)
    for _tap in range(2):
        services.withdraw_training(session, training, **acting)
        services.let_go(session, staff, TODAY, **acting)
    assert changes(session) == [
        ("open_collection_point", first.id, None),
        ("hire_collection_staff", first.id, None),
        ("change_collection_point", second.id, {"name": "Bưu điện Ba Đình", "serves": []}),
        ("note_collection_training", second.id, None),
        ("withdraw_collection_training", second.id, None),
        ("let_go_collection_staff", second.id, {"until": None}),
    ]


def test_the_page_for_everybody_names_no_staff_and_may_ask_the_phone(
    session: Session, make: Make, client: FlaskClient, at_time: Callable[..., None]
) -> None:
    at_time(NOW)
    point = opened(session, make, make.user(Role.MANAGER), spot=Spot(20.0775, 105.8601))
    hired(session, point)
    for ward in (make.ward().id, "x", uuid4()):
        answer = client.get(f"/where-to-pay?ward={ward}&address=%00trần phú")
        assert answer.status_code == 200
        assert "Bưu điện Ba Đình" in answer.text
        assert "Lê Thị Thu" not in answer.text
    assert 'data-latitude="20.0775"' in answer.text
    assert "geolocation=(self)" in answer.headers["Permissions-Policy"]
    assert "geolocation=()" in client.get("/calculator").headers["Permissions-Policy"]
    assert "/where-to-pay" in client.get("/calculator?income=700000&months=3").text


def test_a_program_reads_the_network_and_what_is_near(
    session: Session, make: Make, client: FlaskClient, at_time: Callable[..., None], api: Any
) -> None:
    at_time(NOW)
    by, far = make.user(Role.MANAGER), make.ward("14818@2019-10-15")
    near = opened(session, make, by, spot=Spot(20.0775, 105.8601))
    serves = opened(session, make, by, place=far, serves=[make.ward().id], name="Điểm phục vụ")
    closed = opened(session, make, by, until=date(2019, 10, 14), name="Đã đóng")
    hired(session, near)
    auditor, volunteer = api(make.user(Role.AUDITOR)), api(make.user(Role.VOLUNTEER, place_id=make.ward().id))
    pages = [client.get("/api/v1/collection-points?limit=2", headers=auditor).json]
    pages.append(client.get(f"/api/v1/collection-points?limit=2&cursor={pages[0]['next']}", headers=auditor).json)
    found = {one["id"]: one for page in pages for one in page["items"]}
    assert set(found) == {str(row.id) for row in (near, serves, closed)}
    assert pages[1]["next"] is None
    assert (found[str(near.id)]["staff"], found[str(near.id)]["to_train"], found[str(near.id)]["until"]) == (1, 1, None)
    assert found[str(serves.id)]["serves"] == [str(make.ward().id)]
    answer = client.get("/api/v1/collection-points/nearest?place=14812", headers=volunteer)
    assert [(one["id"], one["near"]) for one in answer.json["items"]] == [(str(near.id), True), (str(serves.id), True)]
    assert "Lê Thị Thu" not in answer.text
    assert client.get("/api/v1/collection-points", headers=volunteer).status_code == 403
    refused = client.get("/api/v1/collection-points/nearest?place=x", headers=volunteer)
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "place")


def test_the_network_is_kept_by_the_insurance_office(
    session: Session, make: Make, signed_in: Callable[..., FlaskClient]
) -> None:
    insurance = signed_in(make.user(Role.LEAD, organisation_id=make.organisation("BHXH").id))
    body = {
        "key": str(uuid4()),
        "kind": "post",
        "name": "Bưu điện",
        "place": str(make.ward().id),
        "since": "2019-01-01",
    }
    body |= {"address": "Số 5", "hours": "7:30–17:00", "phone": "0912 345 678"}
    assert insurance.post("/collection-points/new", data=body | {"spot": "x"}).status_code == 422
    address = insurance.post("/collection-points/new", data=body | {"spot": "20.1, 105.9"}).location
    assert insurance.post("/collection-points/new", data=body).location == address
    wards = [str(make.ward().id), str(make.ward("14818@2019-10-15").id)]
    assert insurance.post(f"{address}/change", data=body | {"serves": wards, "until": "2018-01-01"}).status_code == 422
    assert insurance.post(f"{address}/change", data=body | {"serves": wards}).status_code == 303
    assert make.ward("14818@2019-10-15").name in insurance.get(address).text
    assert insurance.get(f"{address}/change").status_code == 200
    person = {"key": str(uuid4()), "full_name": "Lê Thị Thu", "phone": "0912345678", "since": "2019-01-01"}
    assert insurance.post(f"{address}/staff", data=person | {"phone": "1"}).status_code == 422
    for _tap in range(2):
        assert insurance.post(f"{address}/staff", data=person).status_code == 303
    staff = session.scalars(select(CollectionStaff)).one()
    training = {"what": "Nghiệp vụ thu", "held_on": "2019-02-01", "valid_until": "2019-12-01"}
    theirs = f"/collection-points/staff/{staff.id}"
    assert insurance.post(theirs, data=training | {"valid_until": "2019-01-01"}).status_code == 422
    for _tap in range(2):
        assert insurance.post(theirs, data=training).status_code == 303
    assert session.scalar(select(func.count()).select_from(CollectionTraining)) == 1
    assert insurance.get("/collection-points").status_code == 200
    withdrawn = session.scalars(select(CollectionTraining)).one()
    assert insurance.post(f"/collection-points/trainings/{withdrawn.id}/withdraw").status_code == 303
    assert insurance.get(theirs).status_code == 200
    assert insurance.post(f"{theirs}/leave", data={"until": "2018-01-01"}).status_code == 422
    assert insurance.post(f"{theirs}/leave", data={"until": "2019-10-01"}).status_code == 303
    auditor, lead = signed_in(make.user(Role.AUDITOR)), signed_in(make.user(Role.LEAD, place_id=make.ward().id))
    assert auditor.get(address).status_code == 200
    assert auditor.post(f"{address}/staff", data=person).status_code == 403
    assert lead.get(address).status_code == lead.get("/collection-points").status_code == 200
    assert lead.get("/collection-points/new").location == "/collection-points"
    assert lead.get(f"{address}/change").status_code == 404
    assert lead.post(f"{address}/staff", data=person).status_code == 404
    assert queries.summary(session, make.town.id, clock.today()).points == 1
