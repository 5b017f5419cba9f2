"""A dossier's way: begun, checked, handed over, gathered, submitted, returned, accepted."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import db, transaction
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.joining import printing, queries, services
from crm.joining.lists.queries import Member, rows_on
from crm.joining.models import Dossier, DossierList, DossierStep
from crm.joining.rules import KINDS_OF_ROW, Movement, State, code_of
from crm.months import Month
from crm.participation.elsewhere.rules import Said
from crm.participation.elsewhere.services import write_down
from crm.participation.models import Participation, Payment
from crm.participation.rules import Basis, Beginning, Ending
from crm.participation.screening.rules import Work
from crm.participation.screening.services import record_screening
from crm.places.boundaries import unit_now
from crm.places.queries import units
from crm.premiums.models import LawValueRow
from crm.premiums.queries import law
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.prospects.models import Household, IdentityReading, Prospect
from crm.prospects.rules import Ground, Kinship, Sex, Stage
from crm.sealed import current as seal
from crm.sponsors import services as sponsoring
from crm.sponsors.models import Allocation
from crm.sponsors.rules import SponsorKind
from tests.factories import Make
from tests.participation.screening.test_screening import PLAIN
from tests.participation.stories import FLOOR, join, noon, spell

Browse = Callable[..., FlaskClient]
OCTOBER = Month(2019, 10)
CHOSEN = {"income": FLOOR, "months": 3, "start": OCTOBER}


class Story:
    """Somebody whose papers are whole, their volunteer, and an agent who looks after somebody else."""

    def __init__(self, make: Make) -> None:
        self.make, self.session = make, make.session
        self.volunteer, self.agent = make.user(Role.VOLUNTEER), make.user(Role.AGENT)
        self.person = self.somebody("Nguyễn Thị Đăng", "038180000001")

    def somebody(self, name: str, citizen: str | None, **more: object) -> Prospect:
        sealed = {"citizen_id": citizen, "citizen_index": seal().index(citizen)} if citizen else {}
        person = self.make.prospect(
            name,
            **{
                "sex": Sex.FEMALE,
                "birth_year": 1980,
                "birth_date": date(1980, 5, 5),
                "phone": self.make.phone(),
                "address": "Số 5",
                "volunteer_id": self.volunteer.id,
                "stage": Stage.AGREED,
                "citizen_masked": f"{citizen[:3]}***{citizen[-3:]}" if citizen else None,
                **sealed,
                **more,
            },
        )
        record_screening(self.session, person, PLAIN, by=self.volunteer, at=clock.now())
        return person

    def begun(self, person: Prospect | None = None, **chosen: object) -> Dossier:
        given = {**CHOSEN, **chosen}
        return services.open_dossier(self.session, person or self.person, **given, by=self.volunteer, at=clock.now())  # type: ignore[arg-type]

    def handed_over(self, person: Prospect | None = None, **chosen: object) -> Dossier:
        person = person or self.person
        return self.handed_on(self.begun(person, **chosen), person)

    def handed_on(self, dossier: Dossier, person: Prospect) -> Dossier:
        services.check(self.session, dossier, person, by=self.volunteer, at=clock.now())
        services.hand_over(self.session, dossier, person, self.agent.id, by=self.volunteer, at=clock.now())
        return dossier

    def gathered(self, *dossiers: Dossier) -> DossierList:
        scope = scope_of(self.session, self.agent)
        ids = [one.id for one in dossiers]
        return services.gather(self.session, scope, ids, by=self.agent, at=clock.now())

    def submitted(self, *dossiers: Dossier) -> DossierList:
        made = self.gathered(*dossiers)
        scope = scope_of(self.session, self.agent)
        return services.submit(self.session, scope, made.id, clock.today(), by=self.agent, at=clock.now())

    def accepted(
        self,
        dossier: Dossier,
        person: Prospect | None = None,
        number: str | None = "3800000001",
        accepted_on: date | None = None,
        paid_on: date | None = None,
    ) -> None:
        services.accept(
            self.session,
            dossier,
            person or self.person,
            accepted_on=accepted_on or clock.today(),
            paid_on=paid_on or clock.today(),
            number=number,
            receipt_number=f"C45-{dossier.id}",
            confirmation=None,
            by=self.agent,
            at=clock.now(),
        )


def may_be_made_up_late(session: Session, *, months: int) -> None:
    """An administrator has put on record how far back the insurance office lets missed months be paid."""
    row = LawValueRow(
        id=new_id(),
        key=LawKey.GAP_MONTHS_PAYABLE,
        ground=None,
        value=Decimal(months),
        effective_from=date(2019, 1, 1),
        document="Công văn 12",
        status=LawStatus.PRACTICE,
    )
    session.add(row)
    session.flush()


@pytest.fixture
def story(make: Make) -> Story:
    return Story(make)


def test_a_dossier_goes_its_way_and_ends_as_a_payment(session: Session, story: Story) -> None:
    dossier = story.handed_over()
    assert (dossier.state, dossier.movement, dossier.agent_id) == (State.HANDED_OVER, Movement.NEW, story.agent.id)
    made = story.submitted(dossier)
    assert (made.number, made.submitted_on) == (1, clock.today())
    assert dossier.declared
    assert dossier.declared["TienTudong"] == 415_800
    story.accepted(dossier)
    payment = session.scalars(select(Payment)).one()
    assert dossier.payment_id == payment.id
    assert (payment.own, payment.basis, payment.gross) == (415_800, Basis.TAKEN, dossier.declared["Tongtien"])
    assert story.person.stage is Stage.JOINED
    assert story.person.insurance_number == "3800000001"
    told = [one.to_state for one in session.scalars(select(DossierStep).order_by(DossierStep.at, DossierStep.id))]
    assert told == [State.DRAFT, State.READY, State.HANDED_OVER, State.SUBMITTED, State.ACCEPTED]


def test_one_has_one_open_dossier_and_the_database_says_so(session: Session, story: Story) -> None:
    first = story.begun()
    with pytest.raises(Conflict) as refused:
        story.begun()
    assert refused.value.details["dossier_id"] == str(first.id)
    services.withdraw(session, first, by=story.volunteer, at=clock.now())
    assert story.begun().id != first.id


def test_what_is_missing_holds_it_back(session: Session, story: Story) -> None:
    person = story.somebody("Lê Thị Thiếu", None)
    dossier = story.begun(person)
    with pytest.raises(RuleBroken, match="CCCD") as refused:
        services.check(session, dossier, person, by=story.volunteer, at=clock.now())
    assert refused.value.code == "not_complete"
    assert dossier.state is State.DRAFT


def test_the_agent_sees_the_dossier_and_not_the_person(session: Session, story: Story, signed_in: Browse) -> None:
    dossier = story.handed_over()
    browser = signed_in(story.agent)
    assert browser.get(f"/people/{story.person.id}").status_code == 404
    page = browser.get(f"/dossiers/{dossier.id}")
    assert page.status_code == 200
    assert "Nguyễn Thị Đăng" in page.get_data(as_text=True)
    assert dossier.id in {one.dossier.id for one in _listed(session, story.agent)}
    other = story.make.user(Role.AGENT)
    assert signed_in(other).get(f"/dossiers/{dossier.id}").status_code == 404
    with pytest.raises(NotFound):
        queries.dossier_seen(session, scope_of(session, other), dossier.id)


def _listed(session: Session, user: User) -> list[queries.Line]:
    asked = queries.Asked(State.HANDED_OVER)
    return list(queries.page_of(session, scope_of(session, user), asked, cursor=None).rows)


def test_a_returned_dossier_comes_back_with_its_reason_and_goes_again(session: Session, story: Story) -> None:
    dossier = story.handed_over()
    story.submitted(dossier)
    with pytest.raises(RuleBroken, match="vì sao"):
        services.send_back(session, dossier, story.person, None, by=story.agent, at=clock.now())
    services.send_back(session, dossier, story.person, "Sai ngày sinh", by=story.agent, at=clock.now())
    assert (dossier.state, dossier.list_id, dossier.declared) == (State.RETURNED, None, None)
    assert story.person.next_contact_on == clock.today()
    services.check(session, dossier, story.person, by=story.volunteer, at=clock.now())
    services.hand_over(session, dossier, story.person, story.agent.id, by=story.volunteer, at=clock.now())
    assert story.submitted(dossier).number == 2


def test_a_volunteer_neither_gathers_nor_accepts(session: Session, story: Story) -> None:
    dossier = story.handed_over()
    scope = scope_of(session, story.volunteer)
    with pytest.raises(RuleBroken) as refused:
        services.gather(session, scope, [dossier.id], by=story.volunteer, at=clock.now())
    assert refused.value.code == "not_an_agent"
    other = story.make.user(Role.AGENT)
    story.submitted(dossier)
    for act in (
        lambda: services.send_back(session, dossier, story.person, "x", by=other, at=clock.now()),
        lambda: services.send_back(session, dossier, story.person, "x", by=story.volunteer, at=clock.now()),
    ):
        with pytest.raises(RuleBroken):
            act()


def test_what_was_paid_since_holds_the_list_back_by_name(session: Session, story: Story) -> None:
    made = story.gathered(story.handed_over())
    join(story.person, clock.today())
    scope = scope_of(session, story.agent)
    with pytest.raises(RuleBroken, match="Nguyễn Thị Đăng"):
        services.submit(session, scope, made.id, clock.today(), by=story.agent, at=clock.now())
    assert made.submitted_on is None


def test_a_list_goes_after_it_was_made_and_is_answered_after_that(session: Session, story: Story) -> None:
    dossier, day = story.handed_over(), clock.today() - timedelta(days=1)
    made, scope = story.gathered(dossier), scope_of(session, story.agent)
    with pytest.raises(RuleBroken, match="chưa lập danh sách"):
        services.submit(session, scope, made.id, day, by=story.agent, at=clock.now())
    services.submit(session, scope, made.id, clock.today(), by=story.agent, at=clock.now())
    with pytest.raises(RuleBroken, match="chưa nộp"):
        story.accepted(dossier, accepted_on=day)
    assert dossier.state is State.SUBMITTED


def test_the_books_hold_what_the_list_declared_also_when_the_law_changes_between(
    session: Session, story: Story, at_time: Callable[[datetime], None]
) -> None:
    dossier, declared_on = story.handed_over(), clock.today()
    session.add(
        LawValueRow(
            id=new_id(),
            key=LawKey.SUPPORT_PERCENT,
            ground=Ground.OTHER,
            value=Decimal(20),
            effective_from=date(2019, 11, 1),
            document="Nghị định thử",
            status=LawStatus.IN_FORCE,
        )
    )
    at_time(clock.at(date(2019, 11, 5), 9))
    story.submitted(dossier)
    with pytest.raises(RuleBroken, match=r"369\.600") as refused, session.begin_nested():
        story.accepted(dossier)
    assert (refused.value.code, refused.value.field) == ("not_as_declared", "paid_on")
    story.accepted(dossier, paid_on=declared_on)
    payment = session.get_one(Payment, (dossier.town_id, dossier.payment_id))
    assert (payment.own, payment.state_support) == (415_800, 46_200)


def test_the_row_has_the_ward_of_the_day_on_which_the_list_goes(session: Session, story: Story) -> None:
    dossier = story.handed_over()
    line = queries.dossier_seen(session, scope_of(session, story.agent), dossier.id)
    inside = [Member(line.dossier, line.person, line.place)]
    then, now = (rows_on(session, inside, day)[dossier.id].row for day in (clock.today(), date(2026, 1, 5)))
    assert (then.Diachi_DangSS, then.Maxa) == (f"Số 5, {line.place.name}", line.place.code)
    after = unit_now(session, line.place, None, date(2026, 1, 5))
    assert after
    assert (now.Diachi_DangSS, now.Maxa) == (f"Số 5, {after.name}", after.code)
    assert now.Diachi_DangSS != then.Diachi_DangSS


@pytest.mark.parametrize(
    ("day", "named", "absent"),
    [(date(2019, 11, 5), "Ba Đình", "Phường Bỉm Sơn"), (date(2026, 1, 5), "Bỉm Sơn", "Ba Đình")],
)
def test_dossiers_are_narrowed_to_the_wards_of_today_with_what_they_were(
    session: Session,
    story: Story,
    signed_in: Browse,
    at_time: Callable[[datetime], None],
    day: date,
    named: str,
    absent: str,
) -> None:
    story.begun()
    ward = unit_now(session, story.make.ward(), None, day) or story.make.ward()
    elsewhere = next(one for one in session.scalars(units(story.make.town.id, day)) if one.id != ward.id)
    at_time(clock.at(day, 9))
    browser = signed_in(story.make.user(Role.MANAGER))
    page = browser.get("/dossiers?state=draft").text
    offered = re.findall(r"<option[^>]*>([^<]*)</option>", page.split('name="place"', 1)[1].split("</select>", 1)[0])
    assert any(named in one for one in offered)
    assert not any(absent in one for one in offered)
    assert story.person.full_name in browser.get(f"/dossiers?state=draft&place={ward.id}").text
    assert story.person.full_name not in browser.get(f"/dossiers?state=draft&place={elsewhere.id}").text


def test_a_long_list_costs_no_more_queries(session: Session, story: Story, signed_in: Browse) -> None:
    people = [story.somebody(f"Trần Thị Số {number}", f"0381801{number:05}") for number in range(12)]
    made = story.gathered(*(story.handed_over(one) for one in people))
    browser = signed_in(story.agent)
    assert browser.get(f"/dossiers/lists/{made.id}").status_code == 200
    assert browser.post(f"/dossiers/lists/{made.id}/submit", data={"submitted_on": "2019-10-15"}).status_code == 302
    assert browser.get(f"/dossiers/lists/{made.id}.xlsx").status_code == 200


def test_the_same_code_is_not_given_twice(session: Session, story: Story) -> None:
    second = story.somebody("Trần Thị Hai", "038180000002")
    one, two = story.handed_over(), story.handed_over(second)
    story.submitted(one, two)
    story.accepted(one)
    with pytest.raises(Conflict, match="người khác") as refused:
        story.accepted(two, second)
    assert refused.value.code == "book_taken"
    session.expire_all()
    story.accepted(two, second, number="3800000002")


def test_what_was_paid_already_is_not_recorded_twice(session: Session, story: Story) -> None:
    dossier = story.handed_over()
    story.submitted(dossier)
    join(story.person, clock.today())
    story.accepted(dossier)
    assert dossier.payment_id == session.scalars(select(Payment)).one().id


def test_a_sponsors_money_stands_in_its_own_column_and_is_paid_on(session: Session, story: Story) -> None:
    story.make.standing(story.person, Ground.POOR).certificate = "GCN 1"
    at, today = clock.now(), clock.today()
    sponsor, _token = sponsoring.register_sponsor(
        session, story.make.town.id, name="Công ty", kind=SponsorKind.COMPANY, by_id=None, at=at
    )
    promise = sponsoring.pledge(session, sponsor, 1_000_000, due=None, by_id=None, on=today, at=at)
    sponsoring.receive(session, sponsor, 1_000_000, reference="FT1", pledge=promise, by_id=None, on=today, at=at)
    sponsoring.allocate(
        session, sponsor, story.person, start=OCTOBER, months=3, by_id=None, on=today, at=at, reason=None
    )
    dossier = story.handed_over()
    story.submitted(dossier)
    assert dossier.declared
    assert (dossier.declared["TienHotroKhac"], dossier.declared["TienTudong"]) == (323_400, 0)
    story.accepted(dossier)
    assert session.scalars(select(Allocation)).one().payment_id == dossier.payment_id


@pytest.mark.parametrize("number", ["abc", "380000000x", "3800000", "٣٨٠٠٠٠٠٠٠٢"])
def test_what_is_no_code_is_not_passed_over(story: Story, number: str) -> None:
    dossier = story.handed_over()
    story.submitted(dossier)
    with pytest.raises(RuleBroken, match="10"):
        story.accepted(dossier, number=number)


def test_who_takes_part_pays_on_and_who_stops_declares_it(session: Session, story: Story) -> None:
    join(story.person, date(2019, 7, 15), start=Month(2019, 7))
    dossier = story.handed_over()
    assert dossier.movement is Movement.PAYS_ON
    story.submitted(dossier)
    story.accepted(dossier, number=None)
    assert len(session.scalars(select(Payment)).all()) == 2
    later = clock.now() + timedelta(days=8)
    stopping = services.open_dossier(session, story.person, stop_on=date(2019, 10, 20), by=story.volunteer, at=later)
    assert stopping.movement is Movement.STOPS
    services.check(session, stopping, story.person, by=story.volunteer, at=later)
    services.hand_over(session, stopping, story.person, story.agent.id, by=story.volunteer, at=later)
    made = services.gather(session, scope_of(session, story.agent), [stopping.id], by=story.agent, at=later)
    services.submit(session, scope_of(session, story.agent), made.id, date(2019, 10, 23), by=story.agent, at=later)
    services.accept(
        session,
        stopping,
        story.person,
        accepted_on=date(2019, 10, 23),
        paid_on=date(2019, 10, 23),
        number=None,
        receipt_number=None,
        confirmation=None,
        by=story.agent,
        at=later,
    )
    assert session.scalars(select(Participation)).one().ended_as is Ending.STOPPED


def test_late_months_are_not_declared_where_nobody_has_said_that_they_may_be_made_up(
    session: Session, story: Story, make: Make
) -> None:
    spell(make, story.person, date(2019, 1, 5), date(2019, 8, 1), paid_through=date(2019, 6, 1))
    there = story.begun(start=Month(2019, 7))
    assert there.movement is Movement.RETURNS
    codes = {one.code for one in queries.work_out(session, there, story.person, clock.today()).problems}
    assert "window_over" in codes


def test_late_months_go_from_the_declaration_to_the_office_answer_where_the_rule_is_on_record(
    session: Session, story: Story, make: Make
) -> None:
    may_be_made_up_late(session, months=6)
    before = spell(make, story.person, date(2019, 1, 5), date(2019, 8, 1), paid_through=date(2019, 6, 1))
    there = story.begun(start=Month(2019, 7))
    assert there.movement is Movement.LATE
    worked = queries.work_out(session, there, story.person, clock.today())
    assert worked.complete
    assert "late_not_read" in {one.code for one in worked.problems}
    assert worked.row
    assert worked.row.PA == "DB"
    story.submitted(story.handed_on(there, story.person))
    story.accepted(there)
    now = session.scalars(select(Participation).where(Participation.id != before.id)).one()
    assert (now.started_as, now.started_on) == (Beginning.RETURNED, clock.today())
    assert (before.ended_on, before.ended_as) == (date(2019, 8, 1), Ending.LAPSED)


def test_months_too_far_back_are_not_made_up(session: Session, story: Story, make: Make) -> None:
    may_be_made_up_late(session, months=2)
    spell(make, story.person, date(2019, 1, 5), date(2019, 8, 1), paid_through=date(2019, 6, 1))
    begun = story.begun(start=Month(2019, 7))
    assert begun.movement is Movement.RETURNS
    told = {one.code for one in queries.work_out(session, begun, story.person, clock.today()).problems}
    assert "late_not_read" in told


def test_who_returns_with_the_month_that_runs_makes_up_nothing(session: Session, story: Story, make: Make) -> None:
    spell(make, story.person, date(2019, 1, 5), date(2019, 8, 1), paid_through=date(2019, 6, 1))
    begun = story.begun(start=Month.of(clock.today()))
    assert begun.movement is Movement.RETURNS
    told = {one.code for one in queries.work_out(session, begun, story.person, clock.today()).problems}
    assert "late_not_read" not in told


def test_the_same_number_is_not_declared_twice_within_a_week(session: Session, story: Story) -> None:
    first = story.handed_over()
    story.submitted(first)
    story.accepted(first)
    again = story.begun(start=Month(2020, 1))
    codes = {one.code for one in queries.work_out(session, again, story.person, clock.today()).problems}
    assert "declared_lately" in codes
    again.changed_at = clock.now() + timedelta(days=8)
    codes = {one.code for one in queries.work_out(session, again, story.person, clock.today()).problems}
    assert "declared_lately" not in codes


def test_steps_are_not_rewritten(session: Session, story: Story) -> None:
    story.begun()
    with pytest.raises(DBAPIError, match=r"append-only|permission denied"), session.begin_nested():
        session.execute(text("delete from dossier_step"))


def test_whoever_reads_english_takes_away_the_offices_list_in_vietnamese(
    session: Session, story: Story, signed_in: Browse
) -> None:
    story.person.phone, story.agent.language = "+84842179358", "en"
    story.person.birth_date = date(story.person.birth_year or 1980, 9, 6)
    session.flush()
    made = story.submitted(story.handed_over())
    sheet = load_workbook(io.BytesIO(signed_in(story.agent).get(f"/dossiers/lists/{made.id}.xlsx").data)).active
    assert sheet is not None
    assert str(sheet["A1"].value).startswith("Danh sách")
    row = dict(zip([one.value for one in sheet[4]], [one.value for one in sheet[5]], strict=True))
    assert f"SĐT 0842179358, Ngày sinh {story.person.birth_date:%d/%m/%Y}" in str(row["Ghichu"])


def test_the_files_hold_whole_numbers_once_logged_and_no_formula(
    session: Session, story: Story, signed_in: Browse
) -> None:
    evil = story.somebody("=HYPERLINK(1)", "038180000003")
    one, two = story.handed_over(), story.handed_over(evil)
    made = story.submitted(one, two)
    browser = signed_in(story.agent)
    assert browser.get(f"/dossiers/lists/{made.id}").status_code == 200
    sheet = load_workbook(io.BytesIO(browser.get(f"/dossiers/lists/{made.id}.xlsx").data)).active
    assert sheet is not None
    cells = [cell for line in sheet.iter_rows(min_row=4) for cell in line]
    values = [cell.value for cell in cells]
    assert "038180000001" not in values
    assert {"CCNS", "Loai", "Matinh", "Mahuyen", "Maxa", "Diachi_DangSS"} <= set(values)
    assert any("Số 5" in str(value) for value in values)
    kinds = next(line for line in sheet.iter_cols() if line[3].value == "Loai")
    assert [cell.value for cell in kinds[4:6]] == ["1", "1"]
    assert "NGUYỄN THỊ ĐĂNG" in values
    assert "TienHotroKhac" in values
    assert 831_600 in values
    assert all(cell.data_type != "f" for cell in cells)
    assert session.scalars(select(IdentityReading)).all() == []
    paper = browser.get(f"/dossiers/lists/{made.id}.pdf")
    assert paper.data.startswith(b"%PDF")
    assert signed_in(story.volunteer).get(f"/dossiers/lists/{made.id}.xlsx").status_code in (400, 403, 409, 422)


@pytest.mark.parametrize(("day", "code"), [(date(2025, 7, 31), ""), (date(2025, 8, 1), "038180000001")])
def test_the_citizen_number_is_the_code_from_its_day_on(session: Session, day: date, code: str) -> None:
    told = law(session).on(day)
    assert code_of(None, "038180000001", told) == code
    assert code_of("3800000001", "038180000001", told) == "3800000001"
    assert code_of(None, "171234567", told) == ""
    assert code_of(None, None, told) == ""


def test_the_list_names_the_unit_the_period_and_every_rate(
    story: Story, signed_in: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = story.submitted(story.handed_over())
    told: list[dict[str, Any]] = []
    real = printing.set_in_type
    monkeypatch.setattr(printing, "set_in_type", lambda paper, data: told.append(data) or real(paper, data))
    assert signed_in(story.agent).get(f"/dossiers/lists/{made.id}.pdf").data.startswith(b"%PDF")
    assert told[0]["period"] == "10/2019"
    assert story.agent.full_name != told[0]["unit"]
    assert told[0]["rows"][0][8:10] == ["22", "462.000"]
    assert len(told[0]["totals"]) == len(told[0]["rows"][0])


def test_nobody_begins_papers_for_whom_the_law_keeps_out(session: Session, story: Story, signed_in: Browse) -> None:
    said = replace(PLAIN, work=Work.CONTRACT)
    record_screening(session, story.person, said, by=story.volunteer, at=clock.now())
    browser, url = signed_in(story.volunteer), f"/people/{story.person.id}/papers"
    page = browser.get(url).get_data(as_text=True)
    assert "bắt buộc" in page
    assert 'name="income"' not in page
    refused = browser.post(url, data={"income": "700.000", "months": "3", "start": "2019-10"})
    assert refused.status_code == 422
    with pytest.raises(RuleBroken) as told:
        story.begun()
    assert told.value.code == "barred"
    assert session.scalars(select(Dossier)).all() == []


def test_a_volunteers_form_leaves_the_number_to_be_written_by_hand(
    session: Session, story: Story, signed_in: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = story.begun()
    told: list[object] = []
    real = printing.set_in_type
    monkeypatch.setattr(printing, "set_in_type", lambda paper, data: told.append(data) or real(paper, data))
    assert signed_in(story.volunteer).get(f"/dossiers/{dossier.id}.pdf").data.startswith(b"%PDF")
    assert "038180000001" not in str(told)
    assert session.scalars(select(IdentityReading)).all() == []
    assert signed_in(Role.MANAGER).get(f"/dossiers/{dossier.id}.pdf").status_code == 200
    assert "038180000001" in str(told[-1])
    assert [one.way for one in session.scalars(select(IdentityReading))] == ["tk1_pdf"]


def test_the_second_page_names_the_household_of_whoever_has_no_code_yet(
    session: Session, story: Story, make: Make, signed_in: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those whom the reader may see, the head first, in the office's language and without their numbers."""
    person = story.person
    home = make.add(Household(town_id=make.town.id, place_id=person.place_id, neighbourhood_id=None, address="Số 5"))
    person.household_id, person.kinship = home.id, Kinship.SPOUSE
    same = {"place_id": person.place_id, "organisation_id": person.organisation_id}
    head = make.prospect("Lê Văn Chủ", household_id=home.id, kinship=Kinship.HEAD, **same)
    head.citizen_id = "038078000009"
    dossier, told = story.begun(), list[dict[str, Any]]()
    real = printing.set_in_type
    monkeypatch.setattr(printing, "set_in_type", lambda paper, data: told.append(data) or real(paper, data))
    browser = signed_in(Role.MANAGER)
    browser.get("/language/en")
    assert browser.get(f"/dossiers/{dossier.id}.pdf").data.startswith(b"%PDF")
    assert [(one[1], one[4]) for one in told[-1]["members"]] == [
        ("Lê Văn Chủ", "Chủ hộ"),
        (person.full_name, "Vợ hoặc chồng"),
    ]
    assert "038078000009" not in str(told)
    person.insurance_number = "3800000001"
    session.flush()
    browser.get(f"/dossiers/{dossier.id}.pdf")
    assert told[-1]["members"] == []


def test_the_papers_are_set_in_our_font_and_never_read_markup() -> None:
    made = printing.set_in_type(printing.PAPERS / "tk1.typ", dict.fromkeys(TK1, '#panic("x") *b*'))
    assert b"BeVietnamPro" in made
    assert b"Libertinus" not in made


TK1 = (
    *("name", "sex", "birth", "citizen_id", "code", "phone", "email", "home", "results", "asked"),
    *("income", "method", "start", "stop", "place", "day", "by_hand"),
)


def test_the_whole_way_on_the_pages(session: Session, story: Story, signed_in: Browse) -> None:
    browser, person = signed_in(story.volunteer), story.person
    assert browser.get(f"/people/{person.id}/papers").status_code == 200
    form = {"income": "700.000", "months": "3", "start": "2019-10"}
    assert browser.post(f"/people/{person.id}/papers", data=form | {"income": "abc"}).status_code == 422
    opened = browser.post(f"/people/{person.id}/papers", data=form)
    assert opened.status_code == 302
    again = browser.post(f"/people/{person.id}/papers", data=form)
    assert again.headers["Location"] == opened.headers["Location"]
    url = opened.headers["Location"]
    assert "Không thiếu gì" in browser.get(url).get_data(as_text=True)
    assert browser.post(f"{url}/change", data=form | {"months": "6"}).status_code == 302
    assert browser.post(f"{url}/check").status_code == 302
    assert browser.post(f"{url}/hand-over", data={"agent": str(story.volunteer.id)}).status_code == 422
    story.make.user(Role.AGENT)
    assert '<option value="">' in browser.get(url).get_data(as_text=True)
    assert browser.post(f"{url}/hand-over", data={"agent": ""}).status_code == 422
    assert browser.post(f"{url}/hand-over", data={"agent": str(story.agent.id)}).status_code == 302
    assert browser.post(f"{url}/withdraw").status_code == 422
    agent = signed_in(story.agent)
    assert agent.get("/dossiers").status_code == 200
    dossier = session.scalars(select(Dossier)).one()
    assert agent.post("/dossiers/gather").status_code == 422
    listed = agent.post("/dossiers/gather", data={"dossiers": str(dossier.id)})
    assert agent.get(listed.headers["Location"]).status_code == 200
    assert agent.post(f"{listed.headers['Location']}/submit", data={"submitted_on": "2019-10-16"}).status_code == 422
    assert agent.post(f"{listed.headers['Location']}/submit", data={"submitted_on": "2019-10-15"}).status_code == 302
    wrong = agent.post(f"{url}/accept", data={"accepted_on": "2019-10-15", "number": "12", "receipt_number": "1"})
    assert wrong.status_code == 422
    assert agent.post(f"{url}/send-back", data={"reason": "Thiếu chữ ký"}).status_code == 302
    page = browser.get(f"/people/{person.id}").get_data(as_text=True)
    assert "Thiếu chữ ký" in page
    assert "Sửa hồ sơ bị trả lại" in page
    assert browser.get(url).status_code == 200
    for state in State:
        assert signed_in(Role.AUDITOR).get(f"/dossiers?state={state.value}").status_code == 200


@pytest.mark.committed
@pytest.mark.parametrize(("alone", "expected"), [(False, ["done", "moved_on"]), (True, ["done", "done"])])
def test_of_two_who_hand_over_at_once_one_is_told_and_who_does_it_twice_has_done_it(
    app: Flask, session: Session, make: Make, alone: bool, expected: list[str]
) -> None:
    story = Story(make)
    givers = (story.volunteer.id, story.volunteer.id if alone else make.user(Role.VOLUNTEER).id)
    dossier = story.begun()
    services.check(session, dossier, story.person, by=story.volunteer, at=clock.now())
    session.commit()
    ids = dossier.id, story.person.town_id, story.person.id, story.agent.id
    told: list[str] = []
    together = threading.Barrier(2)

    def act(by: UUID) -> None:
        with app.app_context():
            key, town, who, agent = ids
            together.wait()
            try:
                with transaction() as current:
                    row = current.get_one(Dossier, (town, key))
                    person = current.get_one(Prospect, (town, who))
                    giver = current.get_one(User, (town, by))
                    services.hand_over(current, row, person, agent, by=giver, at=noon(date(2019, 10, 15)))
                told.append("done")
            except Conflict as refused:
                told.append(refused.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=act, args=(by,)) for by in givers]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(told) == expected
    session.expire_all()
    steps = session.scalars(select(DossierStep).where(DossierStep.to_state == State.HANDED_OVER)).all()
    assert len(steps) == 1


@pytest.mark.parametrize(
    ("through", "voluntary", "movement", "kind", "began"),
    [
        (Month(2019, 9), 20, Movement.PAYS_ON, "2", Beginning.MOVED_IN),
        (Month(2019, 2), 20, Movement.RETURNS, "2", Beginning.MOVED_IN),
        (Month(2019, 9), 0, Movement.NEW, "1", Beginning.JOINED),
    ],
)
def test_whose_insurance_record_knows_months_paid_elsewhere_is_no_newcomer_on_paper(
    session: Session, make: Make, through: Month, voluntary: int, movement: Movement, kind: str, began: Beginning
) -> None:
    story = Story(make)
    said = Said(through, voluntary, 0, 30, "Tờ rời 9/2019")
    write_down(session, story.person, said, by=make.user(Role.MANAGER), at=clock.now())
    dossier = story.begun()
    worked = queries.work_out(session, dossier, story.person, clock.today())
    assert worked.row
    assert (dossier.movement, worked.row.PA, KINDS_OF_ROW[dossier.movement]) == (movement, movement.value, kind)
    story.submitted(story.handed_on(dossier, story.person))
    story.accepted(dossier)
    assert session.scalars(select(Participation)).one().started_as is began
