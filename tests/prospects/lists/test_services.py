"""Saving lists, and doing one thing to many people: never to somebody out of sight, and undone for those nobody touched."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import ChangeRecord, User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import db, transaction
from crm.errors import NotFound, RuleBroken
from crm.ids import new_id
from crm.outreach.models import Assignment
from crm.outreach.rules import Channel, NewVisit
from crm.outreach.rules import Outcome as Said
from crm.outreach.services import assign, record_visit
from crm.participation.rules import Ending
from crm.prospects.lists import queries
from crm.prospects.lists.models import BulkAct, PeopleExport, PersonTag, Segment
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.rules import ActState, ExportState, Outcome, Sharing, Why, harmless
from crm.prospects.lists.services import acts, exporting, segments
from crm.prospects.lists.services.tags import put_tag, tag_called
from crm.prospects.models import IdentityReading, Prospect, StageChange
from crm.prospects.rules import NewPerson, Sex, Stage
from crm.prospects.services.people import add_prospect
from crm.prospects.services.stages import move_stage
from tasks import lists as tasks
from tests.factories import Make
from tests.participation.stories import spell

TODAY = date(2019, 10, 15)
NOW = clock.at(TODAY, 9)


def save(session: Session, by: User, sharing: Sharing = Sharing.OWN, name: str = "Gọi lại", **args: Any) -> Segment:
    asked = Narrowing.from_args(args or {"stage": "interested"})
    return segments.save_segment(session, asked, "", name=name, sharing=sharing, by=by, at=NOW)


def seen_in(session: Session, segment: Any, by: User) -> list[str]:
    query = queries.people_of(segment, scope_of(session, by), TODAY, session=session)
    return sorted(row.full_name for row in session.scalars(query))


# ---- saved lists


def test_a_shared_list_shows_everybody_only_their_own_people_and_counts_no_others(session: Session, make: Make) -> None:
    ward, other = make.ward(), make.ward("14821@2019-10-15")
    make.prospect("Lê Ở Đây", stage=Stage.INTERESTED, place=ward)
    make.prospect("Lê Ở Kia", stage=Stage.INTERESTED, place=other)
    office, lead = make.user(Role.MANAGER), make.user(Role.LEAD, place_id=ward.id)
    helper = make.user(Role.VOLUNTEER)
    row = save(session, office, Sharing.TOWN)
    told = {
        who: (seen_in(session, row, who), queries.count_of(session, row, scope_of(session, who), TODAY, 10))
        for who in (office, lead, helper)
    }
    assert told == {office: (["Lê Ở Kia", "Lê Ở Đây"], 2), lead: (["Lê Ở Đây"], 1), helper: ([], 0)}


def test_a_saved_list_lives_on(session: Session, make: Make) -> None:
    by, person = make.user(), make.prospect("Lê Đổi Ý", stage=Stage.NEW)
    row = save(session, by)
    assert seen_in(session, row, by) == []
    person.stage = Stage.INTERESTED
    session.flush()
    assert seen_in(session, row, by) == ["Lê Đổi Ý"]


def test_a_list_is_found_by_those_it_is_shared_with(session: Session, make: Make) -> None:
    union, other = make.organisation("HPN"), make.organisation("HND")
    lead, fellow = (make.user(Role.LEAD, organisation_id=union.id) for _ in range(2))
    stranger, office = make.user(Role.LEAD, organisation_id=other.id), make.user(Role.MANAGER)
    rows = {
        "own": save(session, lead, name="own"),
        "unit": save(session, lead, Sharing.UNIT, name="unit"),
        "town": save(session, office, Sharing.TOWN, name="town"),
    }

    def finds(who: User) -> set[str]:
        return {one.name for one in session.scalars(queries.segments_of(scope_of(session, who), who))}

    assert (finds(lead), finds(fellow)) == ({"own", "unit", "town"}, {"unit", "town"})
    assert finds(stranger) == finds(office) == {"town"}
    with pytest.raises(NotFound):
        queries.segment_seen(session, scope_of(session, stranger), stranger, rows["unit"].id)
    with pytest.raises(NotFound):
        segments.delete_segment(session, rows["unit"].id, by=fellow, at=NOW)


@pytest.mark.parametrize(
    ("role", "sharing"),
    [(Role.VOLUNTEER, Sharing.UNIT), (Role.VOLUNTEER, Sharing.TOWN), (Role.LEAD, Sharing.TOWN), (Role.MANAGER, Sharing.UNIT)],
)  # fmt: skip
def test_nobody_shares_more_widely_than_they_see(session: Session, make: Make, role: Role, sharing: Sharing) -> None:
    by = make.user(role, organisation_id=make.organisation().id)
    with pytest.raises(RuleBroken):
        save(session, by, sharing)


def test_a_deleted_list_comes_back_within_a_day(session: Session, make: Make) -> None:
    by = make.user()
    row = save(session, by)
    segments.delete_segment(session, row.id, by=by, at=NOW)
    assert session.scalars(queries.segments_of(scope_of(session, by), by)).all() == []
    with pytest.raises(RuleBroken):
        segments.restore_segment(session, row.id, by=by, at=NOW + timedelta(days=1, seconds=1))
    segments.restore_segment(session, row.id, by=by, at=NOW + timedelta(hours=23))
    assert session.scalars(queries.segments_of(scope_of(session, by), by)).all() == [row]
    told = select(ChangeRecord.act).where(ChangeRecord.subject_id == row.id)
    assert set(session.scalars(told)) == {"save_segment", "delete_segment", "restore_segment"}


def test_the_lists_of_the_insurance_office_stand_ready(session: Session, make: Make) -> None:
    by = make.user()
    stopped, back, due, moved = (make.prospect(f"Lê {name} Dân") for name in ("Thôi", "Lại", "Hạn", "Đi"))
    spell(make, stopped, date(2018, 12, 1), date(2019, 5, 1), ended_as=Ending.LAPSED)
    spell(make, back, date(2018, 12, 1), date(2019, 5, 1), ended_as=Ending.LAPSED)
    spell(make, back, date(2019, 8, 1))
    spell(make, due, date(2019, 1, 1), deadline_on=date(2019, 11, 1))
    spell(make, moved, date(2018, 12, 1), date(2019, 5, 1), ended_as=Ending.COMPULSORY)
    found = {one.key: seen_in(session, one, by) for one in queries.ready_made(by)}
    assert found["stopped_this_year"] == ["Lê Thôi Dân"]
    assert found["falling_due"] == ["Lê Hạn Dân"]
    assert found["lives_with_participant"] == []


# ---- many at once


def act(
    session: Session, by: User, kind: str, people: Iterable[Prospect] | Narrowing, at: Any = NOW, **sent: Any
) -> BulkAct:
    meant = acts.Meant(narrowing=people) if isinstance(people, Narrowing) else acts.Meant([one.id for one in people])
    row = acts.ask_for(session, scope_of(session, by), kind, sent, meant, by=by, at=at)
    acts.work_at_once(session, row, at=at)
    return row


def undo(session: Session, row: BulkAct, by: User, at: Any = NOW + timedelta(hours=1)) -> None:
    acts.undo(session, row, by=by, at=at)
    acts.work_at_once(session, row, at=at)


def tally(session: Session, row: BulkAct) -> dict[tuple[Outcome, Why | None], int]:
    return {(one.outcome, one.why): one.people for one in queries.tally_of(session, row)}


def test_people_are_moved_with_a_step_each_and_moved_back_but_for_those_who_went_on(
    session: Session, make: Make
) -> None:
    by = make.user()
    new, met, joined, there = (
        make.prospect(f"Lê {stage} Dân", stage=stage)
        for stage in (Stage.NEW, Stage.UNREACHED, Stage.JOINED, Stage.INTERESTED)
    )
    row = act(session, by, "stage", (new, met, joined, there), stage="interested", reason="Sau buổi họp khu phố")
    assert [one.stage for one in (new, met, joined)] == [Stage.INTERESTED, Stage.INTERESTED, Stage.JOINED]
    assert tally(session, row) == {
        (Outcome.DONE, None): 2,
        (Outcome.LEFT_OUT, Why.ALREADY): 1,
        (Outcome.LEFT_OUT, Why.TAKES_PART): 1,
    }
    move_stage(session, met, Stage.AGREED, at=NOW + timedelta(minutes=5), by=by)
    undo(session, row, by)
    assert (new.stage, met.stage) == (Stage.NEW, Stage.AGREED)
    assert row.state is ActState.UNDONE
    named = queries.exceptions_of(session, scope_of(session, by), row, 9)
    assert {(person.full_name, why) for person, why in named} >= {(met.full_name, Why.TOUCHED)}
    steps = session.scalars(select(StageChange.to_stage).where(StageChange.prospect_id == new.id)).all()
    assert Counter(steps) == {Stage.INTERESTED: 1, Stage.NEW: 1}


def test_a_step_there_and_back_again_since_is_left_alone(session: Session, make: Make) -> None:
    by, person = make.user(), make.prospect("Lê Đi Về")
    row = act(session, by, "stage", [person], stage="interested", reason="x")
    move_stage(session, person, Stage.AGREED, at=NOW + timedelta(minutes=1), by=by)
    move_stage(session, person, Stage.INTERESTED, at=NOW + timedelta(minutes=2), by=by)
    undo(session, row, by)
    assert person.stage is Stage.INTERESTED
    assert tally(session, row) == {(Outcome.STAYED, Why.TOUCHED): 1}


@pytest.mark.parametrize(
    "sent", [{"stage": "joined", "reason": "x"}, {"stage": "lapsed", "reason": "x"}, {"stage": "agreed"}, {}]
)
def test_stages_that_payments_decide_and_moves_without_a_reason_are_refused(
    session: Session, make: Make, sent: dict[str, str]
) -> None:
    with pytest.raises(RuleBroken):
        act(session, make.user(), "stage", [make.prospect()], **sent)


def test_whom_somebody_met_since_stays_with_who_has_them(session: Session, make: Make) -> None:
    by, first = make.user(), make.user(Role.VOLUNTEER)
    people = [make.prospect(f"Lê Văn {letter}n") for letter in "AB"]
    row = act(session, by, "assign", people, volunteer=str(first.id))
    new = NewVisit(new_id(), people[0].id, NOW, Channel.HOME_VISIT, Said.INTERESTED)
    record_visit(session, scope_of(session, first), new, by=first, at=NOW + timedelta(minutes=5))
    undo(session, row, by)
    assert [one.volunteer_id for one in people] == [first.id, None]
    assert tally(session, row) == {(Outcome.BACK, None): 1, (Outcome.STAYED, Why.TOUCHED): 1}


def test_people_are_given_and_given_back_but_for_those_handed_on(session: Session, make: Make) -> None:
    by, first, second = make.user(), make.user(Role.VOLUNTEER), make.user(Role.VOLUNTEER)
    people = [make.prospect(f"Lê Văn {letter}n") for letter in "ABC"]
    row = act(session, by, "assign", people, volunteer=str(first.id))
    assert {one.volunteer_id for one in people} == {first.id}
    later = NOW + timedelta(minutes=9)
    assign(session, scope_of(session, by), [people[0].id], second.id, by=by, at=later)
    undo(session, row, by)
    assert [one.volunteer_id for one in people] == [second.id, None, None]
    assert tally(session, row) == {(Outcome.BACK, None): 2, (Outcome.STAYED, Why.TOUCHED): 1}
    open_ones = select(func.count()).select_from(Assignment).where(Assignment.until.is_(None))
    assert session.scalar(open_ones) == 3


def test_a_tag_is_put_and_taken_off_only_where_the_act_put_it(session: Session, make: Make) -> None:
    by = make.user()
    had, got = make.prospect("Lê Đã Có"), make.prospect("Lê Mới Có")
    put_tag(session, had, tag_called(session, make.town.id, "Hội chợ", by=by, at=NOW), by=by, at=NOW)
    row = act(session, by, "tag", (had, got), new_tag="hoi cho")
    assert tally(session, row) == {(Outcome.DONE, None): 1, (Outcome.LEFT_OUT, Why.ALREADY): 1}
    undo(session, row, by)
    assert session.scalars(select(PersonTag.prospect_id)).all() == [had.id]


def test_a_tag_taken_away_comes_back_as_it_was(session: Session, make: Make) -> None:
    by, person = make.user(), make.prospect()
    tag = tag_called(session, make.town.id, "Hội chợ", by=by, at=NOW)
    put_tag(session, person, tag, by=by, at=NOW - timedelta(days=3))
    row = act(session, by, "untag", [person], tag=str(tag.id))
    assert session.scalar(select(func.count()).select_from(PersonTag)) == 0
    undo(session, row, by)
    back = session.scalars(select(PersonTag)).one()
    assert (back.at, back.by_id) == (NOW - timedelta(days=3), by.id)


def test_all_of_a_list_are_those_it_found_at_that_moment(session: Session, make: Make) -> None:
    by = make.user()
    for letter in "ABC":
        make.prospect(f"Lê Văn {letter}n", stage=Stage.INTERESTED)
    row = acts.ask_for(
        session,
        scope_of(session, by),
        "tag",
        {"new_tag": "Đợt 1"},
        acts.Meant(narrowing=Narrowing(stage=(Stage.INTERESTED,))),
        by=by,
        at=NOW,
    )
    make.prospect("Lê Văn Muộn", stage=Stage.INTERESTED)
    acts.work_at_once(session, row, at=NOW)
    assert (row.people, session.scalar(select(func.count()).select_from(PersonTag))) == (3, 3)


def test_somebody_out_of_sight_is_never_touched(session: Session, make: Make) -> None:
    ward, other = make.ward(), make.ward("14821@2019-10-15")
    lead = make.user(Role.LEAD, place_id=ward.id)
    near, far = make.prospect("Lê Gần", place=ward), make.prospect("Lê Xa", place=other)
    with pytest.raises(RuleBroken):
        act(session, lead, "tag", (near, far), new_tag="x")
    session.rollback()


def test_somebody_who_moved_out_of_sight_before_their_turn_is_left_out(session: Session, make: Make) -> None:
    ward, other = make.ward(), make.ward("14821@2019-10-15")
    lead = make.user(Role.LEAD, place_id=ward.id)
    stays, goes = make.prospect("Lê Ở Lại", place=ward), make.prospect("Lê Đi Xa", place=ward)
    meant = acts.Meant([stays.id, goes.id])
    row = acts.ask_for(session, scope_of(session, lead), "tag", {"new_tag": "x"}, meant, by=lead, at=NOW)
    goes.place_id = other.id
    session.flush()
    acts.work_at_once(session, row, at=NOW)
    assert tally(session, row) == {(Outcome.DONE, None): 1, (Outcome.LEFT_OUT, Why.OUT_OF_SIGHT): 1}
    assert [person.full_name for person, _why in queries.exceptions_of(session, scope_of(session, lead), row, 9)] == []


def test_an_act_is_undone_once_and_for_a_day(session: Session, make: Make) -> None:
    by, person = make.user(), make.prospect()
    row = act(session, by, "tag", [person], new_tag="x")
    with pytest.raises(RuleBroken):
        acts.undo(session, row, by=by, at=NOW + timedelta(days=1, seconds=1))
    undo(session, row, by)
    with pytest.raises(RuleBroken):
        acts.undo(session, row, by=by, at=NOW)


def test_a_volunteer_may_not_give_people_away(session: Session, make: Make) -> None:
    helper = make.user(Role.VOLUNTEER)
    person = make.prospect(volunteer_id=helper.id)
    with pytest.raises(RuleBroken):
        act(session, helper, "assign", [person], volunteer=str(helper.id))


@pytest.mark.committed
def test_two_acts_on_the_same_people_at_once_wait_for_each_other(app: Flask, session: Session, make: Make) -> None:
    by, helpers = make.user(), [make.user(Role.VOLUNTEER) for _ in range(2)]
    people = [make.prospect(f"Lê Văn {number}n") for number in range(600)]
    rows = [
        acts.ask_for(
            session,
            scope_of(session, by),
            "assign",
            {"volunteer": str(helper.id)},
            acts.Meant([one.id for one in people]),
            by=by,
            at=NOW,
        ).id
        for helper in helpers
    ]
    town_id, by_id, helper_ids = by.town_id, by.id, {one.id for one in helpers}
    session.commit()

    def work(act_id: Any) -> None:
        with app.app_context():
            tasks.work_on_act.run(str(town_id), str(act_id))
            db.session.remove()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [*rows, *rows]))
    session.expire_all()
    assert {session.get_one(BulkAct, (town_id, one)).state for one in rows} == {ActState.DONE}
    whose = session.execute(select(Prospect.volunteer_id, func.count()).group_by(Prospect.volunteer_id)).all()
    assert {row[0] for row in whose} <= helper_ids
    assert sum(row[1] for row in whose) == 600
    assert session.scalar(select(func.count()).select_from(Assignment).where(Assignment.until.is_(None))) == 600
    for one in rows:
        with transaction() as current:
            acts.undo(
                current,
                current.get_one(BulkAct, (town_id, one)),
                by=current.get_one(User, (town_id, by_id)),
                at=clock.now(),
            )
        work(one)
    told = [tally(session, session.get_one(BulkAct, (town_id, one))) for one in rows]
    back = sum(one.get((Outcome.BACK, None), 0) for one in told)
    touched = sum(one.get((Outcome.STAYED, Why.TOUCHED), 0) for one in told)
    assert back + touched == 1200
    assert touched >= 600


# ---- files


def ask(session: Session, by: User, *columns: str, full: bool = False, **args: Any) -> PeopleExport:
    return exporting.ask_for_export(
        session,
        scope_of(session, by),
        Narrowing.from_args(args),
        "",
        columns,
        words="",
        full_numbers=full,
        language="vi",
        by=by,
        at=NOW,
    )


def cells(session: Session, row: PeopleExport, by: User) -> list[tuple[Any, ...]]:
    session.refresh(row)
    book = openpyxl.load_workbook(io.BytesIO(exporting.fetch(session, row, by=by, at=NOW)))
    return [tuple(cell.value for cell in line) for line in book.active.iter_rows()]  # type: ignore[union-attr]


def test_a_file_holds_exactly_the_people_of_the_list_with_the_columns_chosen(session: Session, make: Make) -> None:
    lead = make.user(Role.LEAD, place_id=make.ward().id)
    make.prospect("Lê Thị Bình", sex=Sex.FEMALE, birth_year=1980, phone="+84912345678", occupation="=cmd|' /C calc'!A0")
    make.prospect("Lê Văn An", sex=Sex.MALE, birth_date=date(1979, 3, 2), birth_year=1979)
    make.prospect("Lê Ở Xa", place=make.ward("14821@2019-10-15"))
    row = ask(session, lead, "phone", "birth", "occupation", "sex")
    tasks.write_export.run(str(row.id))
    told = cells(session, row, lead)
    assert len(told[0]) == 5
    assert all(told[0])
    assert [line[0] for line in told[1:]] == ["Lê Văn An", "Lê Thị Bình"]
    assert "0912 345 678" in told[2]
    assert "'=cmd|' /C calc'!A0" in told[2]
    assert (row.state, row.people) == (ExportState.READY, 2)


def test_numbers_are_masked_unless_asked_for_and_then_each_is_noted_once(session: Session, make: Make) -> None:
    by = make.user()
    add_prospect(session, NewPerson("Lê Thị Hoa", make.ward().id, citizen_id="038175000119"), by=by, at=NOW)
    masked, whole = ask(session, by, "citizen_id"), ask(session, by, "citizen_id", full=True)
    for row in (masked, whole):
        tasks.write_export.run(str(row.id))
    assert cells(session, masked, by)[1][1] == "038***119"
    assert cells(session, whole, by)[1][1] == "038175000119"
    assert [one.way for one in session.scalars(select(IdentityReading))] == ["export"]


def test_a_file_that_lost_its_worker_begins_anew_and_no_row_comes_twice(session: Session, make: Make) -> None:
    by = make.user()
    add_prospect(session, NewPerson("Lê Thị Hoa", make.ward().id, citizen_id="038175000119"), by=by, at=NOW)
    row = ask(session, by, "citizen_id", full=True)
    lost = exporting.begin(session, row.id, NOW)
    assert lost is not None
    assert exporting.rows_of(session, lost, lost.ids, NOW) is not None
    assert exporting.begin(session, row.id, NOW + timedelta(seconds=30)) is None
    again = exporting.begin(session, row.id, NOW + timedelta(minutes=3))
    assert again is not None
    assert exporting.rows_of(session, lost, lost.ids, NOW) is None
    with again.file(), lost.file():
        assert tasks.write(again)
        assert not exporting.finish(session, lost, 1, NOW)
    assert len(cells(session, row, by)) == 2
    assert session.scalar(select(func.count()).select_from(IdentityReading)) == 1


def test_a_file_that_is_never_written_is_given_up_with_words(session: Session, make: Make) -> None:
    row = ask(session, make.user(), "phone")
    for turn in range(1, 4):
        work = exporting.begin(session, row.id, NOW + timedelta(minutes=3 * turn))
        assert work is not None
        work.path.unlink()
    assert exporting.begin(session, row.id, NOW + timedelta(minutes=30)) is None
    assert row.state is ExportState.FAILED
    assert str(exporting.problem_words(row.problem))


def test_a_file_is_gone_after_a_day_and_its_record_stays(session: Session, make: Make) -> None:
    by = make.user()
    row = ask(session, by, "phone")
    tasks.write_export.run(str(row.id))
    session.refresh(row)
    with pytest.raises(NotFound):
        exporting.fetch(session, row, by=make.user(), at=NOW)
    assert row.expires_at is not None
    with pytest.raises(RuleBroken):
        exporting.fetch(session, row, by=by, at=row.expires_at)
    assert exporting.expire(session, row.expires_at) == 1
    session.refresh(row)
    assert (row.state, row.content) == (ExportState.EXPIRED, None)


@pytest.mark.parametrize("role", [Role.VOLUNTEER, Role.AGENT, Role.ORGANISER, Role.AUDITOR, Role.TREASURER])
def test_only_those_with_the_right_take_lists_away(session: Session, make: Make, role: Role) -> None:
    with pytest.raises(RuleBroken):
        ask(session, make.user(role), "phone")


@pytest.mark.parametrize("text", ["=1+1", "+84", "-2", "@x", " =1", "\t=1", "\n=1", "\x00=1", "|calc"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert harmless(text).startswith("'")


@pytest.mark.parametrize("text", ["", "Khu phố 4", "12/3 Trần Phú", "a=b"])
def test_plain_text_stays(text: str) -> None:
    assert harmless(text) == text
