"""What happened with somebody: everything in one order, page by page, narrowed, each with who and when."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.campaigns.models import Inbound, Message
from crm.campaigns.rules.delivery import Delivery
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.outreach.models import Assignment, Visit
from crm.outreach.rules import Channel, Outcome
from crm.prospects import timeline
from crm.prospects.cards import Kind
from crm.prospects.merging.services.joining import merge
from crm.prospects.merging.services.parting import unmerge
from crm.prospects.models import ImportRow, ListImport, Prospect, StageChange
from crm.prospects.rules import (
    ConsentChannel,
    Ground,
    ImportState,
    NewConsent,
    NewPerson,
    NewStanding,
    Purpose,
    RowOutcome,
    Stage,
)
from crm.prospects.services.consent import answer_for
from crm.prospects.services.people import add_prospect, change_prospect
from tests.conftest import NOW
from tests.factories import Make

Browser = Callable[..., FlaskClient]


@pytest.fixture
def clerk(make: Make) -> User:
    return make.user(full_name="Lê Thị Lan")


@pytest.fixture
def person(session: Session, make: Make, clerk: User) -> Prospect:
    ground = NewStanding(Ground.POOR, "7/HN")
    new = NewPerson("Nguyễn Thị Hoà", make.ward().id, phone="0912345678", address="Số 1", grounds=(ground,))
    return add_prospect(session, new, by=clerk, at=NOW - timedelta(days=100))


def visit(make: Make, person: Prospect, by: User, days: int, **more: Any) -> Visit:
    values = {
        "town_id": person.town_id,
        "id": new_id(),
        "prospect_id": person.id,
        "user_id": by.id,
        "place_id": person.place_id,
        "occurred_at": NOW - timedelta(days=days),
        "recorded_at": NOW,
        "channel": Channel.HOME_VISIT,
        "outcome": Outcome.INTERESTED,
        "reasons": [],
    }
    return make.add(Visit(**values | more))  # type: ignore[no-any-return]


@contextmanager
def counted(session: Session) -> Iterator[list[str]]:
    asked: list[str] = []
    engine = session.get_bind()

    def note(*args: Any) -> None:
        asked.append(args[2])

    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def told(session: Session, person: Prospect, by: User, **more: Any) -> timeline.Told:
    scope = scope_of(session, by)
    with current_app.test_request_context():
        return timeline.page_of(session, person, scope, **more)


def test_everything_is_told_with_who_and_when(
    app: Flask, session: Session, make: Make, person: Prospect, clerk: User
) -> None:
    seen = visit(make, person, clerk, 30, note="Bận bán hàng")
    caused = {"prospect_id": person.id, "from_stage": Stage.NEW, "to_stage": Stage.INTERESTED, "because_id": seen.id}
    make.add(StageChange(town_id=person.town_id, at=seen.occurred_at, by_id=clerk.id, **caused))
    volunteer = make.user(Role.VOLUNTEER, full_name="Phan Văn Hải")
    given = {"prospect_id": person.id, "volunteer_id": volunteer.id, "since": NOW - timedelta(days=40)}
    make.add(Assignment(town_id=person.town_id, by_id=clerk.id, **given))
    change_prospect(session, person, {"address": "Số 5"}, by=clerk, at=NOW, expected_version=person.version)
    yes = NewConsent(Purpose.SERVICE, True, ConsentChannel.PAPER, (NOW - timedelta(days=5)).date())
    answer_for(session, person, yes, by=clerk, at=NOW)
    sent = {"prospect_id": person.id, "phone": person.phone, "body": "Moi ba tham gia", "reminder": "due"}
    times: dict[str, Any] = {
        "not_before": NOW,
        "expires_at": NOW,
        "made_at": NOW - timedelta(days=3),
        "local_day": NOW.date(),
    }
    times["claimed_at"] = NOW - timedelta(days=2)
    make.add(Message(town_id=person.town_id, purpose=Purpose.SERVICE, state=Delivery.SENT, **sent, **times))
    excluded = sent | {"body": "Khong gui", "reminder": "other", "one_a_day": False}
    make.add(Message(town_id=person.town_id, purpose=Purpose.SERVICE, state=Delivery.EXCLUDED, **excluded, **times))
    inbound = {"sid": "SM1", "phone": person.phone, "body": "Toi dong y", "received_at": NOW - timedelta(days=1)}
    make.add(Inbound(town_id=person.town_id, **inbound))
    import_row(make, person, clerk, RowOutcome.UNCHANGED)
    page = told(session, person, clerk)
    titles = [(str(one.title), one.by) for one in page.events]
    assert titles == [
        ("Sửa thông tin", "Lê Thị Lan"),
        ("Tin nhắn từ số này", None),
        ("Tin nhắn gửi cho người này", None),
        ("Đồng ý nhận tin", "Lê Thị Lan"),
        ("Cũng có trong danh sách", "Lê Thị Lan"),
        ("Quan tâm", "Lê Thị Lan"),
        ("Giao cho Phan Văn Hải", "Lê Thị Lan"),
        ("Hộ nghèo", "Lê Thị Lan"),
        ("Ghi vào sổ", "Lê Thị Lan"),
    ]
    assert [one.at for one in page.events] == sorted((one.at for one in page.events), reverse=True)
    assert page.events[0].lines[0][1:] == ("Số 1", "Số 5")
    kinds = {kind: [str(one.title) for one in told(session, person, clerk, kind=kind).events] for kind in Kind}
    assert sorted(itertools.chain(*kinds.values())) == sorted(title for title, _by in titles)
    assert kinds[Kind.OFFICE] == ["Cũng có trong danh sách", "Giao cho Phan Văn Hải"]
    assert kinds[Kind.CHANGES] == ["Sửa thông tin", "Hộ nghèo"]


def import_row(
    make: Make, person: Prospect, by: User, outcome: RowOutcome, cells: Sequence[str | None] = ()
) -> ListImport:
    found = make.add(
        ListImport(
            town_id=person.town_id,
            filename="ra-soat.xlsx",
            digest=b"1",
            options={},
            state=ImportState.COMMITTED,
            created_at=NOW,
            created_by_id=by.id,
        )
    )
    row = {"sheet": "Ba Đình", "row_number": 12, "raw": json.dumps(cells), "outcome": outcome, "reasons": []}
    settled = NOW - timedelta(days=20)
    make.add(ImportRow(town_id=person.town_id, import_id=found.id, prospect_id=person.id, settled_at=settled, **row))
    return found  # type: ignore[no-any-return]


def test_the_row_is_shown_as_it_stood_with_its_numbers_masked(
    signed_in: Browser, make: Make, person: Prospect, clerk: User
) -> None:
    import_row(make, person, clerk, RowOutcome.UNCHANGED, ["Nguyễn Thị Hoà", "038175001119", None, "Số 1"])
    browser = signed_in(clerk)
    assert f"/people/{person.id}/lists" in browser.get(f"/people/{person.id}/history?kind=office").text
    page = browser.get(f"/people/{person.id}/lists").text
    assert "038***119" in page
    assert "038175001119" not in page
    assert "dòng 12" in page


def test_whom_a_list_brought_is_told_once(app: Flask, session: Session, make: Make, clerk: User) -> None:
    person = make.prospect(phone=make.phone())
    found = import_row(make, person, clerk, RowOutcome.NEW)
    first = {"prospect_id": person.id, "to_stage": Stage.NEW, "because_id": found.id}
    make.add(StageChange(town_id=person.town_id, at=NOW, by_id=clerk.id, **first))
    [one] = told(session, person, clerk).events
    assert (str(one.title), one.text) == ("Ghi vào sổ từ danh sách", "ra-soat.xlsx, trang Ba Đình, dòng 12")


def test_pages_lose_and_repeat_nothing(app: Flask, session: Session, make: Make, clerk: User) -> None:
    person = make.prospect(phone=make.phone())
    ids = {visit(make, person, clerk, days=number // 3).id for number in range(31)}
    met: list[UUID] = []
    cursor: str | None = None
    for _turn in range(20):
        page = told(session, person, clerk, cursor=cursor, size=7)
        met += [one.id for one in page.events]
        cursor = page.next
        if cursor is None:
            break
    assert len(met) == len(set(met)) == 31
    assert set(met) == ids
    with pytest.raises(RuleBroken):
        told(session, person, clerk, cursor="nonsense")


def test_a_long_life_costs_no_more_statements_than_a_short_one(
    app: Flask, session: Session, make: Make, person: Prospect, clerk: User
) -> None:
    told(session, person, clerk)
    with counted(session) as few:
        told(session, person, clerk)
    for number in range(60):
        visit(make, person, clerk, number)
        change_prospect(session, person, {"address": f"Số {number}"}, by=clerk, at=NOW, expected_version=person.version)
    session.flush()
    with counted(session) as many:
        page = told(session, person, clerk)
    assert len(page.events) == timeline.PAGE
    assert len(many) == len(few) == 1


def test_another_persons_life_is_not_told(
    app: Flask, session: Session, make: Make, person: Prospect, clerk: User
) -> None:
    other = make.prospect(phone=make.phone())
    visit(make, other, clerk, 3)
    answer_for(session, other, NewConsent(Purpose.SERVICE, True, ConsentChannel.PAPER, clock.today()), by=clerk, at=NOW)
    assert {str(one.title) for one in told(session, person, clerk).events} == {"Hộ nghèo", "Ghi vào sổ"}


def test_an_answer_with_an_earlier_number_stays(app: Flask, session: Session, person: Prospect, clerk: User) -> None:
    no = NewConsent(Purpose.PROMOTION, False, ConsentChannel.HOTLINE, clock.today())
    answer_for(session, person, no, by=clerk, at=NOW)
    change_prospect(session, person, {"phone": "0988777666"}, by=clerk, at=NOW, expected_version=person.version)
    titles = [str(one.title) for one in told(session, person, clerk, kind=Kind.MESSAGES).events]
    assert titles == ["Từ chối nhận tin"]


def test_the_page_narrows_and_turns(signed_in: Browser, make: Make, person: Prospect, clerk: User) -> None:
    for number in range(40):
        visit(make, person, clerk, number, note=f"Lần {number}.")
    browser = signed_in(clerk)
    page = browser.get(f"/people/{person.id}/history?kind=visits").text
    assert "Lần 0." in page
    assert "Hộ nghèo" not in page[page.index('class="timeline"') : page.index("</ol>")]
    following = page[page.index("cursor=") :].split('"')[0]
    assert "Lần 39." in browser.get(f"/people/{person.id}/history?kind=visits&{following}").text
    for odd in ("kind=nonsense", "kind=money", "kind="):
        assert browser.get(f"/people/{person.id}/history?{odd}").status_code == 200
    assert browser.get(f"/people/{person.id}/history?cursor=nonsense").status_code in (400, 409, 422)


def test_the_first_look_answers_who_where_how_what_and_next(
    signed_in: Browser, make: Make, person: Prospect, clerk: User, session: Session
) -> None:
    person.birth_year, person.next_contact_on, person.last_contact_at = 1975, NOW.date(), NOW - timedelta(days=9)
    visit(make, person, clerk, 9, note="Bận bán hàng")
    page = signed_in(clerk).get(f"/people/{person.id}").text
    first = page[page.index("<h1") : page.index('class="tabs"')]
    for said in ("44 tuổi", "Hộ nghèo", "0912 345 678", "chưa hỏi về nhận tin", "mỗi tháng", "Quan tâm", "Hẹn gặp lại"):
        assert said in first, said
    assert first.count("button-strong") == 1
    assert "Số 1" in page[: page.index("<h1")]


def test_a_merged_record_keeps_its_corrections_in_the_life_it_joined(
    app: Flask, session: Session, make: Make, person: Prospect, clerk: User
) -> None:
    gone = add_prospect(
        session, NewPerson("Nguyễn Thị Hòa", make.ward().id, address="Số 8"), by=clerk, at=NOW, allow_duplicate=True
    )
    change_prospect(session, gone, {"address": "Số 9"}, by=clerk, at=NOW, expected_version=gone.version)
    row = merge(session, person, gone, (), by=clerk, at=NOW + timedelta(hours=1))
    events = told(session, person, clerk, kind=Kind.CHANGES, edits=True).events
    assert [str(one.title) for one in events] == ["Gộp với một hồ sơ khác của cùng người", "Sửa thông tin", "Hộ nghèo"]
    assert events[0].text == "Nguyễn Thị Hòa"
    assert not events[1].undo, "it was another record that was corrected"
    unmerge(session, row, by=clerk, at=NOW + timedelta(hours=2))
    titles = [str(one.title) for one in told(session, person, clerk, kind=Kind.CHANGES).events]
    assert titles == [
        "Tách lại thành hai hồ sơ: không phải một người",
        "Gộp với một hồ sơ khác của cùng người",
        "Hộ nghèo",
    ]
