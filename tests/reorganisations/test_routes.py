"""The wizard as an administrator uses it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import html5lib
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.places.models import Place
from crm.places.queries import units
from crm.reorganisations.models import Reorganisation
from crm.reorganisations.rules import State
from tests.factories import Make
from tests.pages import text_of

DAY = date(2026, 3, 1)


def words(page: str) -> str:
    return text_of(html5lib.parse(page, namespaceHTMLElements=False))


@pytest.fixture(autouse=True)
def after_the_wards_of_2025(at_time: Callable[[datetime], None]) -> None:
    at_time(clock.at(date(2026, 1, 10), 9))


def said(make: Make, **other: Any) -> dict[str, Any]:
    """Both wards become one new one."""
    moves = {f"of_{make.ward(code).id.hex}": "new1" for code in ("14812@2025-07-01", "14818@2025-07-01")}
    new = {"new1_name": "Phường Sơn Hà", "new1_code": "14850", "new1_kind": "ward"}
    kinds = {f"new{number}_kind": "ward" for number in (2, 3, 4)}
    return {"name": "Nhập hai phường", "document": "9/NQ", "on_day": str(DAY), **new, **kinds, **moves, **other}


def test_from_the_resolution_to_the_lead_who_reads_the_note(
    signed_in: Callable[..., FlaskClient],
    session: Session,
    make: Make,
    at_time: Callable[[datetime], None],
) -> None:
    lead = make.user(Role.LEAD, place_id=make.ward("14818@2025-07-01").id)
    make.prospect("Mai Thị Lan", place=make.ward("14812@2025-07-01"))
    office = signed_in(Role.ADMIN)
    assert "Sắp xếp phường, xã năm 2025" in words(office.get("/wards").text)
    answer = office.post("/wards/new", data=said(make))
    assert answer.status_code == 302, words(answer.text)
    row = session.scalars(select(Reorganisation).where(Reorganisation.document == "9/NQ")).one()
    page = words(office.get(answer.location).text)
    assert "Phường Bỉm Sơn → Phường Sơn Hà" in page
    office.post(f"/wards/{row.id}/draw")
    page = words(office.get(f"/wards/{row.id}").text)
    assert lead.full_name in page
    [new] = session.scalars(units(make.town.id, DAY)).all()
    at_time(clock.at(DAY, 9))
    choice = {f"who_{lead.id.hex}": str(new.id), "note": "Danh sách ở nhà văn hóa."}
    assert office.post(f"/wards/{row.id}/decide", data=choice).status_code == 302
    session.refresh(lead)
    assert lead.place_id == new.id
    mine = signed_in(lead)
    told = mine.get("/dashboard").text
    assert "Danh sách ở nhà văn hóa." in told
    mine.post(told.partition('action="/wards/news/')[2].partition('"')[0].join(("/wards/news/", "")))
    assert "Danh sách ở nhà văn hóa." not in mine.get("/dashboard").text
    back = signed_in(Role.ADMIN)
    back.post(f"/wards/{row.id}/take-back")
    session.refresh(lead)
    assert lead.place_id == make.ward("14818@2025-07-01").id


def drawn_with_lead(office: FlaskClient, session: Session, make: Make) -> tuple[str, User, str]:
    """Where the page of boundaries is that are drawn, somebody who leads a former ward, and the new ward's id."""
    lead = make.user(Role.LEAD, place_id=make.ward("14818@2025-07-01").id)
    page: str = office.post("/wards/new", data=said(make)).location
    office.post(f"{page}/draw")
    [new] = session.scalars(units(make.town.id, DAY)).all()
    return page, lead, str(new.id)


def known_by(page: str) -> str:
    [box] = [
        one for one in html5lib.parse(page, namespaceHTMLElements=False).iter("input") if one.get("name") == "knowing"
    ]
    return box.get("value", "")


def test_of_two_who_decide_at_once_the_second_reads_what_the_first_decided(
    signed_in: Callable[..., FlaskClient], session: Session, make: Make
) -> None:
    office = signed_in(Role.ADMIN)
    page, lead, new = drawn_with_lead(office, session, make)
    seen = known_by(office.get(page).text)
    first = {f"who_{lead.id.hex}": "former", "note": "Giữ sổ cũ.", "knowing": seen}
    second = {f"who_{lead.id.hex}": new, "note": "Nhận sổ mới.", "knowing": seen}
    assert office.post(f"{page}/decide", data=first).status_code == 302
    assert office.post(f"{page}/decide", data=first).status_code == 302, "pressed twice"
    colleague = signed_in(Role.ADMIN)
    colleague.acts = 2  # what is refused, and what stands now
    answer = colleague.post(f"{page}/decide", data=second)
    assert answer.status_code == 422
    told = words(answer.text)
    assert "Có người vừa quyết định" in told
    assert f"{lead.full_name} giữ địa bàn cũ" in told
    assert "Giữ sổ cũ." in told
    assert "Nhận sổ mới." in answer.text, "what was typed is kept"
    assert session.scalars(select(Reorganisation.decisions).where(Reorganisation.document == "9/NQ")).one()["note"] == (
        "Giữ sổ cũ."
    )
    assert colleague.post(f"{page}/decide", data=second | {"knowing": known_by(answer.text)}).status_code == 302


def test_the_former_area_that_was_decided_stays_chosen(
    signed_in: Callable[..., FlaskClient], session: Session, make: Make
) -> None:
    office = signed_in(Role.ADMIN)
    page, lead, _new = drawn_with_lead(office, session, make)
    office.post(f"{page}/decide", data={f"who_{lead.id.hex}": "former"})
    tree = html5lib.parse(office.get(page).text, namespaceHTMLElements=False)
    [box] = [one for one in tree.iter("select") if one.get("name") == f"who_{lead.id.hex}"]
    assert [one.get("value") for one in box.iter("option") if one.get("selected") is not None] == ["former"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": ""}, "Tên gọi"),
        ({"on_day": "2025-06-01"}, "đã thay đổi ngày 1/7/2025"),
        ({"new1_code": ""}, "5 chữ số"),
        ({"new1_code": "12"}, "5 chữ số"),
        ({"new1_name": ""}, "giữ nguyên hoặc phường, xã mới"),
        ({"on_day": "mai"}, "Từ ngày nào"),
    ],
)
def test_bad_input_is_answered_in_words_and_keeps_what_was_typed(
    signed_in: Callable[..., FlaskClient], session: Session, make: Make, wrong: dict[str, str], sentence: str
) -> None:
    answer = signed_in(Role.ADMIN).post("/wards/new", data=said(make, **wrong))
    assert answer.status_code == 422
    assert sentence in words(answer.text)
    assert "9/NQ" in answer.text
    assert session.scalars(select(Reorganisation).where(Reorganisation.document == "9/NQ")).all() == []


def test_a_ward_is_divided_on_the_next_page(
    signed_in: Callable[..., FlaskClient], session: Session, make: Make
) -> None:
    ward, other = make.ward("14812@2025-07-01"), make.ward("14818@2025-07-01")
    office = signed_in(Role.ADMIN)
    moves = {f"of_{ward.id.hex}": "divided", f"of_{other.id.hex}": "stays"}
    answer = office.post("/wards/new", data=said(make, **moves))
    row = session.scalars(select(Reorganisation).where(Reorganisation.document == "9/NQ")).one()
    assert "được chia" in words(office.get(answer.location).text)
    assert office.post(f"/wards/{row.id}/divide/{ward.id}", data={"to": "new1"}).status_code == 302
    office.post(f"/wards/{row.id}/draw")
    session.refresh(row)
    assert row.state is State.DRAWN
    assert session.scalars(select(Place).where(Place.name == "Phường Sơn Hà")).one().valid_from == DAY


def test_a_draft_can_be_thrown_away(signed_in: Callable[..., FlaskClient], session: Session, make: Make) -> None:
    office = signed_in(Role.ADMIN)
    office.post("/wards/new", data=said(make))
    row = session.scalars(select(Reorganisation).where(Reorganisation.document == "9/NQ")).one()
    office.post(f"/wards/{row.id}/erase")
    assert session.scalars(select(Reorganisation).where(Reorganisation.document == "9/NQ")).all() == []


def test_nobody_reads_what_was_told_to_another(
    signed_in: Callable[..., FlaskClient], session: Session, make: Make
) -> None:
    assert (
        signed_in(make.user(Role.LEAD, place_id=make.ward().id)).post(f"/wards/news/{make.ward().id}").status_code
        == 404
    )


def test_who_may_not_change_wards_reads_what_becomes_of_them_and_when(
    signed_in: Callable[..., FlaskClient], session: Session, make: Make
) -> None:
    office, manager = signed_in(Role.ADMIN), signed_in(Role.MANAGER)
    office.post("/wards/new", data=said(make))
    row = session.scalars(select(Reorganisation).where(Reorganisation.document == "9/NQ")).one()
    assert "Nhập hai phường" not in words(manager.get("/wards").text)
    assert manager.get(f"/wards/{row.id}").status_code == 404
    office.post(f"/wards/{row.id}/draw")
    page = words(manager.get("/wards").text)
    assert "còn 50 ngày" in page
    assert "thành Phường Sơn Hà ngày 1/3/2026" in page
    assert "Phường Bỉm Sơn" in words(manager.get(f"/wards/{row.id}").text)
    assert manager.get("/wards/new").status_code == 403
