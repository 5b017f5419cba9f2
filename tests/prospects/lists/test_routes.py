"""The pages of lists: narrowed with chips, saved, acted upon, taken away."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.rules import Role
from crm.places.models import Place, PlaceSuccession
from crm.prospects.lists.models import BulkAct, PeopleExport, Segment
from crm.prospects.lists.rules import ActState
from crm.prospects.rules import Stage
from tasks import lists as tasks
from tests.factories import Make

Browser = Callable[..., FlaskClient]


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
    return str(answer.get_data(as_text=True))


def told_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    return dict(answer.json)


def test_what_a_list_is_narrowed_to_stands_above_it_each_with_a_way_back(signed_in: Browser, make: Make) -> None:
    make.prospect("Lê Thị Hợp", stage=Stage.AGREED, birth_year=1980, occupation="Thợ may")
    browser = signed_in(Role.MANAGER)
    page = text_of(browser.get("/people?stage=agreed&stage=new&age_to=60&occupation=tho+may&list=falling_due"))
    assert "Lê Thị Hợp" in page
    for without in ("stage=new&amp;age_to", "stage=agreed&amp;age_to", "stage=agreed&amp;stage=new&amp;occupation"):
        assert without in page
    assert "Lê Thị Hợp" not in text_of(browser.get("/people?stage=refused"))


@pytest.mark.parametrize(
    "query",
    ["stage=x", "age_from=200", "age_from=60&age_to=20", "due_within=a", "place=1", "condition=x", "assigned_to=x"],
)
def test_what_cannot_be_read_says_what_to_do(signed_in: Browser, query: str) -> None:
    text_of(signed_in(Role.MANAGER).get(f"/people?{query}"), 422)
    text_of(signed_in(Role.MANAGER).get(f"/people/narrow?{query}"))


@pytest.mark.parametrize("role", [Role.MANAGER, Role.LEAD, Role.VOLUNTEER, Role.AUDITOR])
@pytest.mark.parametrize("page", ["narrow", "lists", "columns", "lists/new?stage=new"])
def test_everybody_who_sees_people_narrows_and_saves(signed_in: Browser, make: Make, role: Role, page: str) -> None:
    who = make.user(role, organisation_id=make.organisation().id if role is Role.LEAD else None)
    text_of(signed_in(who).get(f"/people/{page}"))


def test_a_list_is_saved_opened_asked_otherwise_and_deleted_with_a_way_back(
    signed_in: Browser, make: Make, session: Session
) -> None:
    make.prospect("Lê Thị Hợp", stage=Stage.AGREED)
    browser = signed_in(Role.MANAGER)
    assert browser.post("/people/lists/new?stage=agreed", data={"name": "", "sharing": "town"}).status_code == 422
    saved = browser.post("/people/lists/new?stage=agreed", data={"name": "Đã đồng ý", "sharing": "town"})
    again = browser.post("/people/lists/new?stage=new", data={"name": "đã đồng ý", "sharing": "town"})
    assert "đã có danh sách tên này" in text_of(again, 422)
    opened = browser.get(saved.location)
    assert parse_qs(urlsplit(opened.location).query)["stage"] == ["agreed"]
    page = text_of(browser.get(opened.location))
    assert "<h1>Đã đồng ý</h1>" in page
    row = session.scalars(select(Segment)).one()
    changed = text_of(browser.get(f"/people?stage=new&list={row.id}"))
    assert f"/people/lists/{row.id}/question" in changed
    assert browser.post(f"/people/lists/{row.id}/question?stage=new").status_code == 303
    session.refresh(row)
    assert row.asked == {"stage": ["new"]}
    assert browser.post(f"/people/lists/{row.id}/change", data={"name": "Mới", "sharing": "own"}).status_code == 303
    browser.post(f"/people/lists/{row.id}/delete")
    assert f"/people/lists/{row.id}/restore" in text_of(browser.get("/people/lists"))
    browser.post(f"/people/lists/{row.id}/restore")
    assert "Mới" in text_of(browser.get("/people/lists"))


def test_those_ticked_are_moved_and_the_bar_takes_it_back(signed_in: Browser, make: Make, session: Session) -> None:
    one, other = make.prospect("Lê Văn An"), make.prospect("Lê Văn Bình")
    browser = signed_in(Role.MANAGER)
    text_of(browser.get("/people/choose?stage=new"))
    sent = {"kind": "stage", "stage": "interested", "reason": "Họp khu phố", "people": [str(one.id)], "whole": ""}
    assert "303" in browser.post("/people/choose?stage=new", data=sent).status
    assert "/undo" in text_of(browser.get("/people"))
    assert (one.stage, other.stage) == (Stage.INTERESTED, Stage.NEW)
    row = session.scalars(select(BulkAct)).one()
    page = text_of(browser.get(f"/people/acts/{row.id}"))
    assert "Họp khu phố" in page
    told = text_of(browser.get(f"/people/{one.id}/history"))
    assert "Chuyển bằng tay" in told
    assert "Họp khu phố" in told
    browser.post(f"/people/acts/{row.id}/undo")
    session.expire_all()
    assert (one.stage, row.state) == (Stage.NEW, ActState.UNDONE)
    assert "Đã hoàn tác việc chuyển bước" in text_of(browser.get(f"/people/{one.id}/history"))
    again = text_of(browser.post(f"/people/acts/{row.id}/undo", follow_redirects=True))
    assert "đã được hoàn tác rồi" in again
    assert "Họp khu phố" in again  # the act's own page, not a dead end
    text_of(browser.get("/people/acts"))
    text_of(browser.get(f"/people/{one.id}"))


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"kind": "stage", "stage": "interested"},
        {"kind": "stage", "stage": "joined", "reason": "x"},
        {"kind": "assign", "whole": "1"},
        {"kind": "tag", "whole": "1"},
        {"kind": "tag", "new_tag": "x", "people": ["x"]},
        {"kind": "tag", "new_tag": "x", "whole": ""},
        {"kind": "nothing", "whole": "1"},
    ],
)
def test_an_act_that_lacks_something_says_what(
    signed_in: Browser, make: Make, session: Session, sent: dict[str, str]
) -> None:
    make.prospect()
    text_of(signed_in(Role.MANAGER).post("/people/choose", data=sent), 422)
    assert session.scalars(select(BulkAct)).all() == []


def test_many_are_changed_in_the_background_with_progress(
    signed_in: Browser, make: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.prospects.lists.services.acts.IN_THE_REQUEST", 1)
    monkeypatch.setattr("crm.prospects.lists.services.acts.CHUNK", 2)
    for letter in "ABCDE":
        make.prospect(f"Lê Văn {letter}n")
    browser = signed_in(Role.MANAGER)
    told = browser.post("/people/choose", data={"kind": "tag", "new_tag": "Đợt 1", "whole": "1"})
    row = session.scalars(select(BulkAct)).one()
    assert told.location == f"/people/acts/{row.id}"
    text_of(browser.get(told.location))
    assert told_of(browser.get(f"{told.location}/progress"))["finished"] is False
    tasks.work_on_act.run(str(row.town_id), str(row.id))
    tasks.work_on_act.run(str(row.town_id), str(row.id))
    news = told_of(browser.get(f"{told.location}/progress"))
    assert (news["done"], news["finished"], news["next"]) == (5, True, told.location)


def test_a_person_is_tagged_and_the_list_shows_the_tag(signed_in: Browser, make: Make) -> None:
    person, browser = make.prospect("Lê Thị Hợp"), signed_in(Role.MANAGER)
    assert browser.post(f"/people/{person.id}/tags", data={"tag": "cần gọi lại"}).status_code == 303
    page = text_of(browser.get(f"/people/{person.id}"))
    assert "Cần gọi lại" in page
    [address] = re.findall(r'action="(/people/[^"]+/remove)"', page)
    assert browser.post(address).status_code == 303
    assert browser.post(address).status_code == 404
    browser.post(f"/people/{person.id}/tags", data={"tag": "cần gọi lại"})
    browser.post("/people/columns", data={"columns": ["tags", "occupation"]})
    page = text_of(browser.get("/people"))
    assert "Cần gọi lại" in page
    assert page.count('scope="col"') == 3
    everything = ["phone", "stage", "standing", "volunteer", "next_contact", "last_contact", "organisation", "sex"]
    text_of(browser.post("/people/columns", data={"columns": everything}), 422)


def test_every_column_can_be_shown(signed_in: Browser, make: Make) -> None:
    helper = make.user(Role.VOLUNTEER)
    make.prospect(
        "Lê Thị Hợp",
        volunteer_id=helper.id,
        organisation_id=make.organisation().id,
        sex="female",
        occupation="Thợ may",
        address="12 Trần Phú",
        birth_date=date(1980, 2, 3),
        birth_year=1980,
    )
    browser = signed_in(Role.MANAGER)
    for some in (["volunteer", "organisation", "occupation", "address", "birth"], ["last_contact", "sex", "standing"]):
        browser.post("/people/columns", data={"columns": some})
        page = text_of(browser.get("/people"))
        assert page.count('scope="col"') == 1 + len(some)


def test_a_list_is_taken_away_and_the_auditor_sees_who_did(signed_in: Browser, make: Make, session: Session) -> None:
    make.prospect("Lê Thị Hợp", stage=Stage.AGREED)
    user = make.user(Role.MANAGER, full_name="Cán bộ Văn phòng")
    browser, auditor = signed_in(user), signed_in(Role.AUDITOR)
    text_of(browser.get("/people/exports/new?stage=agreed"))
    assert browser.post("/people/exports/new?stage=agreed", data={}).status_code == 422
    told = browser.post("/people/exports/new?stage=agreed", data={"columns": ["phone", "citizen_id"]})
    row = session.scalars(select(PeopleExport)).one()
    text_of(browser.get(told.location))
    assert told_of(browser.get(f"{told.location}/progress"))["finished"] is False
    tasks.write_export.run(str(row.id))
    assert "/file" in text_of(browser.get(told.location))
    file = browser.get(f"{told.location}/file")
    assert file.data[:2] == b"PK"
    assert file.headers["Cache-Control"] == "no-store"
    page = text_of(auditor.get("/people/exports"))
    assert "Cán bộ Văn phòng" in page
    assert auditor.get(f"{told.location}/file").status_code == 403
    assert signed_in(Role.MANAGER).get(f"{told.location}/file").status_code == 404
    assert signed_in(Role.VOLUNTEER).get("/people/exports").status_code == 403
    assert signed_in(Role.ORGANISER).get("/people/exports/new").status_code == 403


def test_work_that_stands_still_is_taken_up(signed_in: Browser, make: Make, session: Session, monkeypatch: Any) -> None:
    make.prospect("Lê Thị Hợp")
    signed_in(Role.MANAGER).post("/people/exports/new", data={"columns": ["phone"]})
    rung: list[tuple[Any, ...]] = []
    monkeypatch.setattr("tasks.lists.ring", lambda task, *ids: rung.append((task.name, *ids)))
    tasks.resume.run()
    assert rung == [("lists.write_export", str(session.scalars(select(PeopleExport)).one().id))]


def test_a_list_says_what_a_ward_has_become(signed_in: Browser, make: Make, session: Session) -> None:
    was = make.ward()
    make.prospect("Lê Thị Cũ", place=was)
    now = make.add(
        Place(
            town_id=was.town_id, kind=was.kind, code="T-99", name="Phường Mới", name_fold="phuong moi", parent_id=was.parent_id,
            valid_from=clock.today(),
        )
    )  # fmt: skip
    was.valid_to = clock.today()
    make.add(PlaceSuccession(town_id=was.town_id, predecessor_id=was.id, successor_id=now.id, on_day=clock.today()))
    browser = signed_in(Role.MANAGER)
    for address in ("/people", "/people/choose"):
        assert f"Phường Mới (trước là {was.name})" in browser.get(address).text


def test_filters_that_cannot_be_read_keep_the_form_and_are_named_each(signed_in: Browser) -> None:
    query = "age_from=200&due_before=hôm+qua&stage=agreed&occupation=thợ+may&no_contact_for=7"
    page = text_of(signed_in(Role.MANAGER).get(f"/people?{query}"), 422)
    for name in ("age_from", "due_before"):
        assert f'id="{name}-error"' in page, name
    assert 'id="no_contact_for-error"' not in page
    for kept in ('value="200"', 'value="hôm qua"', 'value="thợ may"', 'value="7"'):
        assert kept in page, kept
    assert re.search(r'checked[^>]*value="agreed"', page)
