"""Written in a minute, joined with what is alike, sent upward as a document that stays; whoever wrote it sees the answer."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from docx import Document
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import Conflict, NotFound, RuleBroken
from crm.participation.rules import Span
from crm.reports.amendments import queries, services
from crm.reports.amendments.models import Amendment, AmendmentLetter, AmendmentWording
from crm.reports.amendments.rules import State, Subject, Words, in_short
from tests.factories import Make

DAY = date(2019, 10, 15)
NOW = clock.at(DAY, 9)
CHANGE = "Cho người bán chợ đóng gộp theo quý"
HAPPENS = "Người bán ở chợ thu nhập thất thường, hay lỡ hạn đóng"


def written(session: Session, make: Make, by: User, change: str = CHANGE, **more: Any) -> Amendment:
    words = Words(more.pop("law", ""), more.pop("happens", HAPPENS), change)
    told = more.pop("key", uuid4()), more.pop("subject", Subject.PREMIUM), more.pop("place", make.ward()).id
    return services.write(session, *told, words, by=by, at=NOW)


def seen(session: Session, user: User) -> set[Any]:
    scope = scope_of(session, user)
    where = queries.seen_by(scope, front=queries.is_the_fronts(session, scope))
    return {line.row.id for line in queries.page_of(session, where).rows}


def fronts(make: Make) -> User:
    return make.user(Role.LEAD, organisation_id=make.organisation("MTTQ").id)


def test_the_same_page_sent_twice_is_one_proposal_and_nobody_elses(session: Session, make: Make) -> None:
    user, key = make.user(Role.VOLUNTEER, place_id=make.ward().id), uuid4()
    assert written(session, make, user, key=key).id == written(session, make, user, key=key, change="khác").id
    assert session.scalar(select(func.count()).select_from(AmendmentWording)) == 1
    with pytest.raises(Conflict):
        written(session, make, make.user(Role.MANAGER), key=key)


@pytest.mark.parametrize("wrong", [{"change": " \n "}, {"happens": ""}, {"law": "ă" * 1501}])
def test_what_says_nothing_or_too_much_is_refused(session: Session, make: Make, wrong: dict[str, Any]) -> None:
    with pytest.raises(RuleBroken):
        written(session, make, make.user(Role.MANAGER), **wrong)


def test_writers_see_their_own_leads_their_units_and_the_front_all(session: Session, make: Make) -> None:
    ward, far = make.ward(), make.ward("14818@2019-10-15")
    volunteer = make.user(Role.VOLUNTEER, place_id=ward.id, organisation_id=make.organisation().id)
    first, second = written(session, make, volunteer), written(session, make, make.user(Role.MANAGER), place=far)
    assert seen(session, volunteer) == {first.id}
    assert seen(session, make.user(Role.LEAD, place_id=ward.id)) == {first.id}
    assert seen(session, make.user(Role.LEAD, organisation_id=make.organisation().id)) == {first.id}
    assert seen(session, make.user(Role.LEAD, organisation_id=make.organisation("HND").id)) == set()
    assert seen(session, fronts(make)) == seen(session, make.user(Role.AUDITOR)) == {first.id, second.id}


def test_similar_ones_are_found_and_go_along_with_those_joined_before(session: Session, make: Make) -> None:
    by, town = make.user(Role.MANAGER), make.town.id
    one = written(session, make, by)
    two = written(session, make, by, change="Cho đóng gộp theo quý đối với người bán ở chợ")
    three = written(session, make, by, change="Bổ sung chế độ thai sản", happens="Phụ nữ trẻ hỏi thai sản")
    assert [line.row.id for line in queries.alike(session, one)] == [two.id]
    services.join(session, town, two.id, one.id, by=by, at=NOW)
    services.join(session, town, one.id, three.id, by=by, at=NOW)
    session.expire_all()
    assert {one.joined_to_id, two.joined_to_id} == {three.id}
    assert queries.line_of(session, three).joined == 2
    with pytest.raises(RuleBroken):
        services.join(session, town, one.id, two.id, by=by, at=NOW)
    with pytest.raises(NotFound):
        services.join(session, town, three.id, three.id, by=by, at=NOW)
    services.part(session, two, by=by, at=NOW)
    assert (two.state, two.joined_to_id) == (State.RECEIVED, None)


def test_a_document_that_was_sent_stays_and_everybody_sees_the_answer(
    session: Session, make: Make, signed_in: Callable[..., FlaskClient]
) -> None:
    volunteer = make.user(Role.VOLUNTEER, place_id=make.ward().id)
    office = fronts(make)
    one, two = written(session, make, volunteer), written(session, make, volunteer, place=make.ward("14818@2019-10-15"))
    services.join(session, make.town.id, two.id, one.id, by=office, at=NOW)
    browser = signed_in(office)
    assert CHANGE in browser.get("/amendments?state=received").text
    address = browser.post("/amendments/letters", data={"chosen": [str(one.id)]}).location
    draft = browser.get(address).text
    assert "1. Phường Ba Đình, Phường" in draft
    assert "(2 ý kiến)" in draft
    assert "VỀ MỨC ĐÓNG" in draft
    late = {"number": "7", "sent_on": str(clock.today() + timedelta(days=1))}
    assert browser.post(f"{address}/send", data=late).status_code == 422
    assert browser.post(f"{address}/send", data=late | {"sent_on": str(clock.today())}).status_code == 303
    assert browser.post(f"{address}/send", data=late | {"sent_on": str(clock.today())}).status_code == 422
    services.join(session, make.town.id, written(session, make, volunteer).id, one.id, by=office, at=clock.now())
    after = browser.get(address).text
    assert "(2 ý kiến)" in after
    assert "Số: 07/BC-MTTQ-BTT" in after
    paper = Document(io.BytesIO(browser.get(f"{address}/file").data))
    assert any(CHANGE in line.text for line in paper.paragraphs)
    assert browser.get(f"{address}/file?format=pdf").data.startswith(b"%PDF")
    letter = session.scalars(select(AmendmentLetter)).one()
    letter.to_whom = "khác"
    with pytest.raises(DBAPIError, match="stays as it is"):
        session.flush()
    session.rollback()
    told = {"answered_by": "BHXH tỉnh", "words": "Đã tiếp thu.", "on_day": str(clock.today())}
    for _tap in range(2):
        assert browser.post(f"/amendments/{one.id}/answer", data=told).status_code == 303
    assert queries.sent_in(session, make.town.id, Span(clock.today(), clock.today()))[0] == 1
    mine = signed_in(volunteer)
    for row in (one, two):
        page = mine.get(f"/amendments/{row.id}").text
        assert "Đã tiếp thu." in page
        assert "Ban Thường trực Ủy ban MTTQ Việt Nam tỉnh" in page
    assert mine.post(f"/amendments/{one.id}/answer", data=told).status_code == 403
    assert mine.get(address).status_code == 403


def test_words_put_right_keep_the_writers_own(
    session: Session, make: Make, signed_in: Callable[..., FlaskClient]
) -> None:
    lead, volunteer = make.user(Role.LEAD, place_id=make.ward().id), make.user(Role.VOLUNTEER, place_id=make.ward().id)
    row, office = written(session, make, volunteer), signed_in(fronts(make))
    told = {"subject": "procedure", "happens": HAPPENS, "change": "Cho đóng theo quý", "law": "Nghị định 134/2015"}
    assert office.post(f"/amendments/{row.id}/words", data=told | {"change": ""}).status_code == 422
    for _tap in range(2):
        assert office.post(f"/amendments/{row.id}/words", data=told).status_code == 303
    page = signed_in(volunteer).get(f"/amendments/{row.id}").text
    assert CHANGE in page
    assert session.scalar(select(func.count()).select_from(AmendmentWording)) == 2
    assert signed_in(lead).post(f"/amendments/{row.id}/words", data=told).status_code == 404
    assert signed_in(volunteer).post(f"/amendments/{row.id}/take-back").status_code == 303
    session.expire_all()
    assert row.state is State.WITHDRAWN
    assert office.post(f"/amendments/{row.id}/words", data=told).status_code == 422


def test_written_from_the_phone_and_by_a_program(
    session: Session, make: Make, signed_in: Callable[..., FlaskClient], api: Any
) -> None:
    ward = make.ward()
    volunteer = make.user(Role.VOLUNTEER, place_id=ward.id)
    browser = signed_in(volunteer)
    assert browser.get("/amendments").status_code == 200
    assert browser.get("/amendments/new").status_code == 200
    told = {"key": str(uuid4()), "subject": "premium", "happens": HAPPENS, "change": CHANGE, "place": str(ward.id)}
    assert browser.post("/amendments/new", data=told | {"subject": "x"}).status_code == 422
    address = browser.post("/amendments/new", data=told).location
    assert browser.post("/amendments/new", data=told).location == address
    assert CHANGE in browser.get(address).text
    sent = {"client_id": str(uuid4()), "place": "14812", "subject": "other", "happens": HAPPENS, "change": "Đổi"}
    key = api(volunteer)
    assert [browser.post("/api/v1/amendments", json=sent, headers=key).status_code for _tap in range(2)] == [201, 200]
    found = browser.get("/api/v1/amendments?limit=1", headers=key).json
    assert [one["change"] for one in found["items"]] == ["Đổi"]
    assert found["next"]
    refused = browser.post("/api/v1/amendments", json=sent | {"place": "x"}, headers=key).json
    assert refused["errors"][0]["field"] == "place"


def test_a_long_text_is_cut_at_a_word() -> None:
    assert in_short("một hai ba", 8) == "một hai …"
    assert in_short("một\nhai") == "một hai"
