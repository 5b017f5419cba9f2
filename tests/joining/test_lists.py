"""A list that was handed in stays what it was, and says what became of each row; who sees it, and what nobody may write."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import db, transaction
from crm.errors import Conflict, NotFound, RuleBroken
from crm.joining import printing, services
from crm.joining.lists.queries import Shown, list_seen, lists_of
from crm.joining.models import Dossier, DossierList, ListedDossier
from crm.joining.rules import Outcome, State
from crm.prospects.merging.services.joining import merge
from crm.prospects.models import IdentityReading, Prospect
from crm.prospects.services.people import change_prospect
from tests.factories import Make
from tests.joining.test_dossiers import Browse, Story
from tests.participation.stories import noon

AtTime = Callable[[datetime], None]


@pytest.fixture
def story(make: Make) -> Story:
    return Story(make)


def seen(session: Session, user: User, of: DossierList) -> Shown:
    return list_seen(session, scope_of(session, user), of.id, clock.today())


def data_rows(workbook: bytes) -> list[tuple[Any, ...]]:
    sheet = load_workbook(io.BytesIO(workbook)).active
    assert sheet is not None
    return list(sheet.iter_rows(min_row=5, values_only=True))


def send_back(story: Story, dossier: Dossier, person: Prospect, reason: str = "Sai ngày sinh") -> None:
    services.send_back(story.session, dossier, person, reason, by=story.agent, at=clock.now())


def test_what_was_handed_in_is_the_same_a_month_later(
    session: Session, story: Story, signed_in: Browse, at_time: AtTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One came back, one was accepted, one was corrected, one became part of another record: file and paper stay."""
    people = [
        story.person,
        *(story.somebody(f"Trần Thị Số {number}", f"03818000010{number}") for number in range(3)),
    ]
    dossiers = [story.handed_over(one) for one in people]
    made = story.submitted(*dossiers)
    set_in_type: list[dict[str, Any]] = []
    real = printing.set_in_type
    monkeypatch.setattr(printing, "set_in_type", lambda paper, data: set_in_type.append(data) or real(paper, data))
    browser, url = signed_in(story.agent), f"/dossiers/lists/{made.id}"
    first = data_rows(browser.get(f"{url}.xlsx").data)
    assert browser.get(f"{url}.pdf").status_code == 200
    assert len(first) == len(people) + 1
    assert first[-1][1] == "Tổng cộng"

    at_time(clock.at(date(2019, 11, 20), 9))
    back, accepted, corrected, doubled = people
    send_back(story, dossiers[0], back)
    story.accepted(dossiers[1], accepted, paid_on=date(2019, 10, 15))
    changed = {"full_name": "Trần Thị Khác", "address": "Số 99"}
    change_prospect(session, corrected, changed, by=story.volunteer, at=clock.now(), expected_version=corrected.version)
    other = story.somebody("Trần Thị Trùng", None, phone=None)
    merge(session, other, doubled, None, by=story.make.user(Role.MANAGER), at=clock.now())
    session.flush()

    browser = signed_in(story.agent)
    assert data_rows(browser.get(f"{url}.xlsx").data) == first
    assert browser.get(f"{url}.pdf").status_code == 200
    assert set_in_type[1] == set_in_type[0]
    assert set_in_type[0]["by"] == story.agent.full_name
    assert data_rows(signed_in(Role.MANAGER).get(f"{url}.xlsx").data) == first
    assert set_in_type[0]["period"] == "10/2019"


def test_papers_that_came_back_go_again_in_a_new_list_and_the_old_one_says_so(session: Session, story: Story) -> None:
    dossier = story.handed_over()
    old = story.submitted(dossier)
    send_back(story, dossier, story.person)
    story.handed_on(dossier, story.person)
    new = story.submitted(dossier)
    assert new.id != old.id
    assert dossier.list_id == new.id
    story.accepted(dossier)
    session.expire_all()
    (was,), (became,) = seen(session, story.agent, old).lines, seen(session, story.agent, new).lines
    assert was.answer
    assert became.answer
    assert (was.answer.outcome, was.answer.reason) == (Outcome.RETURNED, "Sai ngày sinh")
    assert was.answer.answered_on == clock.today()
    assert (became.answer.outcome, became.answer.reason) == (Outcome.ACCEPTED, None)
    assert (became.answer.given, became.given) == ("3800000001", "380***001")
    assert was.row == became.row


def test_a_list_counts_what_became_of_its_rows_for_whoever_sees_it(
    session: Session, story: Story, signed_in: Browse
) -> None:
    people = [story.person, *(story.somebody(f"Trần Thị Số {n}", f"03818000020{n}") for n in range(2))]
    dossiers = [story.handed_over(one) for one in people]
    made = story.submitted(*dossiers)
    story.accepted(dossiers[0], people[0])
    send_back(story, dossiers[1], people[1])
    told = {Outcome.ACCEPTED: 1, Outcome.RETURNED: 1, Outcome.WAITING: 1}
    for user in (story.agent, story.make.user(Role.MANAGER), story.volunteer):
        assert dict(seen(session, user, made).outcomes) == told
        (one,) = lists_of(session, scope_of(session, user)).rows
        assert (one.of.id, one.rows, dict(one.outcomes)) == (made.id, 3, told)
        for path in (f"/dossiers/lists/{made.id}", "/dossiers"):
            page = signed_in(user).get(path).get_data(as_text=True)
            assert "Đã duyệt: 1" in page, path
            assert "Bị trả lại: 1" in page, path


def test_the_agent_opens_what_was_accepted_and_reads_no_more_than_was_handed_in(
    session: Session, story: Story, signed_in: Browse
) -> None:
    dossier = story.handed_over()
    made = story.submitted(dossier)
    story.accepted(dossier)
    change_prospect(
        session,
        story.person,
        {"full_name": "Nguyễn Thị Đổi"},
        by=story.volunteer,
        at=clock.now(),
        expected_version=story.person.version,
    )
    browser = signed_in(story.agent)
    for path in (f"/dossiers/{dossier.id}", f"/dossiers/lists/{made.id}", "/dossiers?state=accepted"):
        page = browser.get(path).get_data(as_text=True)
        assert "NGUYỄN THỊ ĐĂNG" in page, path
        assert "NGUYỄN THỊ ĐỔI" not in page.upper(), path
    page = browser.get(f"/dossiers/{dossier.id}").get_data(as_text=True)
    assert f"/dossiers/{dossier.id}/" not in page
    assert browser.get(f"/dossiers/{dossier.id}.pdf").status_code == 404
    assert browser.get(f"/people/{story.person.id}").status_code == 404
    again = {"accepted_on": "2019-10-15", "number": "3800000001", "receipt_number": "2"}
    assert browser.post(f"/dossiers/{dossier.id}/accept", data=again).status_code == 422
    assert "Nguyễn Thị Đổi" in signed_in(story.volunteer).get(f"/dossiers/{dossier.id}").get_data(as_text=True)


def test_nobody_else_opens_it_and_of_part_of_a_list_no_file_is_made(
    session: Session, story: Story, signed_in: Browse
) -> None:
    other = story.make.user(Role.AGENT)
    theirs = story.somebody("Lê Thị Của Họ", "038180000301", volunteer_id=other.id)
    dossiers = [story.handed_over(), story.handed_over(theirs)]
    made = story.submitted(*dossiers)
    with pytest.raises(NotFound):
        seen(session, story.make.user(Role.AGENT), made)
    assert signed_in(Role.AGENT).get(f"/dossiers/lists/{made.id}").status_code == 404
    part = seen(session, other, made)
    assert [(line.dossier_id, part.whole) for line in part.lines] == [(dossiers[1].id, False)]
    browser = signed_in(other)
    page = browser.get(f"/dossiers/lists/{made.id}").get_data(as_text=True)
    assert "Nguyễn Thị Đăng".upper() not in page.upper()
    assert ".xlsx" not in page
    assert browser.get(f"/dossiers/lists/{made.id}.xlsx").status_code == 422
    send_back(story, dossiers[1], theirs)
    assert len(seen(session, story.agent, made).lines) == 2
    assert signed_in(story.agent).get(f"/dossiers/{dossiers[1].id}").status_code == 404


def test_the_database_keeps_what_was_handed_in(session: Session, story: Story) -> None:
    dossier = story.handed_over()
    made = story.submitted(dossier)
    for statement in (
        "delete from listed_dossier",
        "update listed_dossier set number = 7",
        """update listed_dossier set declared = declared || '{"HoTen": "AI"}'""",
        "update listed_dossier set code = null",
        "update dossier_list set submitted_on = submitted_on + 1",
        "update listed_dossier set outcome = 'returned', answered_on = '2019-10-16'",
        "insert into listed_dossier select town_id, gen_random_uuid(), list_id, dossier_id, 2, agent_id, place_id, "
        "declared, code, 'returned', '2019-10-16', null, 'x', null from listed_dossier",
    ):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement))
    story.accepted(dossier)
    for values in ({"answered_on": date(2020, 1, 1)}, {"outcome": Outcome.WAITING, "answered_on": None}):
        with pytest.raises(DBAPIError, match=r"append-only|check constraint"), session.begin_nested():
            session.execute(update(ListedDossier).where(ListedDossier.list_id == made.id).values(**values))


def test_the_layers_of_a_row_make_up_its_premium_or_it_is_not_written(session: Session, story: Story) -> None:
    dossier = story.handed_over()
    made = story.gathered(dossier)
    row = ListedDossier(
        town_id=made.town_id,
        list_id=made.id,
        dossier_id=dossier.id,
        number=1,
        place_id=story.person.place_id,
        declared={**(dossier.declared or {}), "TienTudong": 1},
    )
    with pytest.raises(DBAPIError, match="layers"), session.begin_nested():
        session.add(row)
        session.flush()


@pytest.mark.parametrize("number", [None, "038180000001", "380000000", "380000000x"])
def test_who_joins_before_the_citizen_number_is_the_code_gets_one_of_ten_digits(
    session: Session, story: Story, number: str | None
) -> None:
    dossier = story.handed_over()
    story.submitted(dossier)
    with pytest.raises(RuleBroken, match="chưa thay mã số") as refused, session.begin_nested():
        story.accepted(dossier, number=number)
    assert refused.value.field == "number"
    session.expire_all()
    assert dossier.state is State.SUBMITTED
    story.accepted(dossier, number="3800 000 001")
    assert story.person.insurance_number == "3800000001"


def test_once_it_is_the_code_nothing_has_to_be_written_and_an_old_card_is_none(
    session: Session, story: Story, at_time: AtTime
) -> None:
    at_time(clock.at(date(2025, 8, 4), 9))
    chosen = {"income": 1_500_000, "start": services.Month(2025, 8)}
    old = story.somebody("Lê Thị Thẻ Cũ", "171234567", birth_date=date(1970, 1, 1), birth_year=1970)
    one, two = story.handed_over(**chosen), story.handed_over(old, **chosen)
    made = story.submitted(one, two)
    rows = {line.dossier_id: line.row for line in seen(session, story.agent, made).lines}
    assert [rows[each.id].MasoBHXH for each in (one, two) if rows[each.id]] == ["038180000001", ""]  # type: ignore[union-attr]
    story.accepted(one, number=None)
    assert [line.given for line in seen(session, story.agent, made).lines if line.given] == ["038***001"]
    with pytest.raises(RuleBroken, match="10 hoặc 12"):
        story.accepted(two, old, number=None)
    with pytest.raises(RuleBroken, match="12 số"):
        story.accepted(two, old, number="038170001234")


@pytest.mark.parametrize(
    ("day", "whole", "words"),
    [(date(2025, 7, 7), 0, "10 số"), (date(2025, 8, 4), 1, "có thể là số CCCD")],
)
def test_page_and_file_agree_on_which_numbers_they_hold(
    session: Session, story: Story, signed_in: Browse, at_time: AtTime, day: date, whole: int, words: str
) -> None:
    at_time(clock.at(day, 9))
    made = story.submitted(story.handed_over(income=1_500_000, start=services.Month.of(day)))
    browser, url = signed_in(story.agent), f"/dossiers/lists/{made.id}"
    page = browser.get(url).get_data(as_text=True)
    assert words in page
    assert "038180000001" not in page
    assert ("038***001" in page) == bool(whole)
    rows = data_rows(browser.get(f"{url}.xlsx").data)
    assert ("038180000001" in rows[0]) == bool(whole)
    assert len(session.scalars(select(IdentityReading)).all()) == whole


def test_lists_are_paged_the_latest_first(session: Session, story: Story, signed_in: Browse, at_time: AtTime) -> None:
    people = [story.somebody(f"Trần Thị Số {n}", f"03818000040{n}") for n in range(3)]
    made = []
    for minute, one in enumerate(people):
        at_time(clock.at(date(2019, 10, 15), 9) + timedelta(minutes=minute))
        made.append(story.gathered(story.handed_over(one)).id)
    scope = scope_of(session, story.agent)
    first = lists_of(session, scope, size=2)
    second = lists_of(session, scope, cursor=first.next, size=2)
    assert [one.of.id for one in (*first.rows, *second.rows)] == made[::-1]
    assert second.next is None
    assert signed_in(story.agent).get(f"/dossiers?lists={first.next}").status_code == 200


@pytest.mark.committed
def test_of_two_who_answer_at_once_one_is_told_and_the_row_has_one_answer(
    app: Flask, session: Session, make: Make
) -> None:
    story = Story(make)
    dossier = story.handed_over()
    story.submitted(dossier)
    session.commit()
    town, key, who, by = story.person.town_id, dossier.id, story.person.id, story.agent.id
    told: list[str] = []
    together = threading.Barrier(2)

    def accept(current: Session, row: Dossier, person: Prospect, giver: User) -> None:
        answer: dict[str, Any] = {"number": "3800000001", "receipt_number": "1", "confirmation": None}
        day = date(2019, 10, 15)
        services.accept(
            current, row, person, accepted_on=day, paid_on=day, **answer, by=giver, at=noon(date(2019, 10, 15))
        )

    def give_back(current: Session, row: Dossier, person: Prospect, giver: User) -> None:
        services.send_back(current, row, person, "Thiếu chữ ký", by=giver, at=noon(date(2019, 10, 15)))

    def act(what: Callable[[Session, Dossier, Prospect, User], None]) -> None:
        with app.app_context():
            together.wait()
            try:
                with transaction() as current:
                    rows = current.get_one(Dossier, (town, key)), current.get_one(Prospect, (town, who))
                    what(current, *rows, current.get_one(User, (town, by)))
                told.append("done")
            except Conflict as refused:
                told.append(refused.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=act, args=(what,)) for what in (accept, give_back)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(told) == ["done", "moved_on"]
    session.expire_all()
    row = session.scalars(select(ListedDossier)).one()
    now: tuple[UUID, State] = (dossier.id, dossier.state)
    assert now == (row.dossier_id, State.ACCEPTED if row.outcome is Outcome.ACCEPTED else State.RETURNED)
