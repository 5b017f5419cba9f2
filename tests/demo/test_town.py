"""The demo town adds up: people, payments, visits and money agree with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from crm import clock, stored
from crm.accounts import gateway
from crm.accounts.models import User
from crm.accounts.queries import scope_of, user_named
from crm.accounts.rules import Role
from crm.campaigns.files.models import SmsFile
from crm.campaigns.inbox.models import Conversation
from crm.campaigns.inbox.rules import Talk
from crm.campaigns.models import Campaign, Message
from crm.campaigns.rules.delivery import FINAL, Delivery
from crm.campaigns.rules.stages import Stage as Stages
from crm.campaigns.templating.models import TemplateRegistration
from crm.citizen_ids import mask
from crm.db import db, plain_engine, transaction
from crm.decrees import services as deciding
from crm.decrees.models import DecreePerson
from crm.demo import services
from crm.demo.services import Wanted
from crm.demo.town import BASELINE, PLAN_DAY
from crm.joining.models import Dossier, DossierStep
from crm.joining.rules import State
from crm.months import Month
from crm.outreach.queries import steps_of, visits_to
from crm.outreach.rules import Said, before_the_visits, stage_told_by
from crm.participation.models import ParticipantMonth, Participation, Payment
from crm.participation.queries import count
from crm.participation.referrals.models import Referral
from crm.participation.referrals.rules import State as Referred
from crm.participation.rules import Kind, Span, deadline_after
from crm.premiums.queries import law
from crm.prospects.models import Consent, Prospect
from crm.prospects.rules import Purpose, Stage
from crm.reports.figures.queries import figures
from crm.sponsors.ledger import recounting
from crm.sponsors.models import Allocation, LedgerAccount, LedgerEntry
from crm.targets.models import Target
from tasks.decrees import compare as compare_decree
from tests.conftest import _remove_what_was_committed

SMALL = Wanted(prospects=600)
YEAR = Span.year_to(PLAN_DAY)


def load(session: Session, wanted: Wanted = SMALL) -> None:
    services.load(session, wanted, moved_to=clock.at(wanted.as_of, 9))
    session.expire_all()


@pytest.fixture(scope="module")
def _loaded(_app: Flask) -> Iterator[None]:
    """A small town for all tests here that only look at it."""
    with _app.app_context():
        with transaction() as current:
            load(current)
        db.session.remove()
        yield
        db.session.remove()
        _remove_what_was_committed(_app)
        with plain_engine(_app.config["MIGRATE_DATABASE_URL"]).begin() as connection:
            connection.execute(text("delete from setting where name <> 'epoch'"))


@pytest.fixture
def town(_loaded: None, session: Session) -> Session:
    """The small town."""
    return session


def manager(session: Session) -> User:
    user = user_named(session, "quanly@bimson.example")
    assert user is not None
    return user


def test_it_begins_with_the_number_of_the_plan_and_moves_in_every_unit(town: Session) -> None:
    scope = scope_of(town, manager(town))
    assert count(town, scope, Kind.BASELINE, YEAR) == BASELINE
    assert count(town, scope, Kind.STOCK, YEAR) == 1283
    for kind in (Kind.JOINED, Kind.RETURNED, Kind.LAPSED, Kind.STOPPED, Kind.DUE):
        assert count(town, scope, kind, YEAR) > 0
    assert count(town, scope, Kind.OVERDUE, YEAR) == 0
    moved = figures(town, scope, YEAR).by_place
    assert len(moved) == 8
    targets = dict(town.execute(select(Target.place_id, Target.people).where(Target.place_id.is_not(None))).all())
    assert sum(targets.values()) == 1385
    assert targets.keys() == moved.keys()
    growth = {place: moved[place].change for place in moved}
    assert min(growth.values()) < 0 < max(growth.values())


def test_everybody_pays_each_month_once_and_by_its_last_day(town: Session) -> None:
    rules = law(town)
    months: dict[object, list[Month]] = {}
    for row in town.scalars(select(ParticipantMonth).order_by(ParticipantMonth.month)):
        months.setdefault(row.payment_id, []).append(Month.of(row.month))
    paid: dict[UUID, list[Payment]] = {spell: [] for spell in town.scalars(select(Participation.id))}
    for payment in town.scalars(select(Payment).order_by(Payment.start_month)):
        assert months[payment.id] == list(Month.of(payment.start_month).run(payment.months))
        assert (
            payment.state_support
            == payment.supported_months * 154_000 * {"poor": 30, "near_poor": 25, "other": 10}[payment.ground] // 100
        )
        paid[payment.participation_id].append(payment)
    for spell in town.scalars(select(Participation)):
        for before, payment in zip(paid[spell.id], paid[spell.id][1:], strict=False):
            through = Month.of(before.start_month) + (before.months - 1)
            assert Month.of(payment.start_month) == through + 1
            assert payment.paid_on <= deadline_after(rules.on(before.paid_on), before.method, through)
        if paid[spell.id]:
            last = paid[spell.id][-1]
            through = Month.of(last.start_month) + (last.months - 1)
            assert spell.paid_through == through.first_day
            assert spell.deadline_on == deadline_after(rules.on(last.paid_on), spell.method, through)
        if spell.ended_on is None:
            assert spell.deadline_on is not None
            assert spell.deadline_on >= PLAN_DAY


def test_a_person_is_where_their_history_leads(town: Session) -> None:
    taking_part = set(town.scalars(select(Participation.prospect_id).where(Participation.ended_on.is_(None))))
    assert taking_part == set(town.scalars(select(Prospect.id).where(Prospect.stage == Stage.JOINED)))
    people = town.scalars(select(Prospect).where(Prospect.last_contact_at.is_not(None)).limit(300)).all()
    for person in people:
        visits, steps = visits_to(town, person), steps_of(town, person)
        assert steps[-1].to_stage is person.stage
        start, since = before_the_visits(person.stage, steps, {visit.id for visit in visits})
        later = [
            Said(visit.occurred_at, visit.outcome, frozenset())
            for visit in visits
            if since is None or visit.occurred_at > since
        ]
        if person.stage is not Stage.NOT_ELIGIBLE:
            assert stage_told_by(start, later) is person.stage
        assert person.last_contact_at == visits[-1].occurred_at
        assert visits[-1].occurred_at < clock.at(PLAN_DAY)
        assert visits[-1].next_contact_on == person.next_contact_on


def test_sponsors_pay_what_came_in_and_every_dong_is_somewhere(town: Session) -> None:
    assert town.scalar(select(func.sum(LedgerEntry.amount))) == 0
    kept = town.scalars(select(LedgerAccount).where(LedgerAccount.kind.not_in(("outside", "promise")))).all()
    assert all(account.balance >= 0 for account in kept)
    spent = town.scalar(select(func.sum(Allocation.amount)).where(Allocation.payment_id.is_not(None)))
    assert spent
    assert spent == town.scalar(select(func.sum(Payment.other_support)))
    assert recounting.differences(town) == []
    assert town.scalar(select(func.count()).where(Allocation.payment_id.is_(None)))
    overlapping = text("""
        select count(*) from allocation a join allocation b on a.prospect_id = b.prospect_id and a.id < b.id
        and a.start_month < b.start_month + make_interval(months => b.months::int)
        and b.start_month < a.start_month + make_interval(months => a.months::int)""")
    assert town.scalar(overlapping) == 0


def test_messages_went_to_those_who_agreed_and_the_others_were_left_out(town: Session) -> None:
    agreed = set(town.scalars(select(Consent.phone).where(Consent.given)))
    messages = town.scalars(select(Message)).all()
    states = {message.state for message in messages}
    assert {Delivery.DELIVERED, Delivery.UNDELIVERED, Delivery.EXCLUDED} <= states
    waiting = [message for message in messages if message.state not in FINAL]
    assert {(message.state, message.purpose) for message in waiting} == {(Delivery.QUEUED, Purpose.PROMOTION)}
    for message in messages:
        assert (message.phone in agreed) or message.state is Delivery.EXCLUDED
        assert message.reminder or message.campaign_id
        assert message.made_at < clock.at(PLAN_DAY, 9)


def test_what_can_be_done_with_messages_is_there_to_be_seen(town: Session) -> None:
    """A promotion that went by a file and came back, one that waits for its file, templates, and answers to read."""
    stages = dict(town.execute(select(Campaign.name, Campaign.stage)).tuples().all())
    assert stages["Mời tham gia trước cuối năm"] is Stages.DONE
    assert stages["Mời người đang quan tâm"] is Stages.RUNNING
    file = town.scalars(select(SmsFile)).one()
    told = town.scalars(select(Message).where(Message.file_id == file.id)).all()
    assert len(told) == file.messages > 0
    assert {one.state for one in told} <= FINAL
    assert len(town.scalars(select(TemplateRegistration)).all()) == 2
    assert [one.state for one in town.scalars(select(Conversation))] == [Talk.OPEN, Talk.OPEN]


def test_the_volunteer_to_try_has_something_to_do_today(town: Session) -> None:
    due = (
        select(Prospect.volunteer_id, func.count())
        .join(User, User.id == Prospect.volunteer_id)
        .where(User.email == "tinhnguyen@bimson.example", Prospect.next_contact_on <= PLAN_DAY)
        .group_by(Prospect.volunteer_id)
    )
    assert [count for _, count in town.execute(due)] != []


def test_a_number_is_sealed_found_and_masked(town: Session) -> None:
    person = town.scalars(select(Prospect).where(Prospect.citizen_index.is_not(None)).limit(1)).one()
    assert person.citizen_id is not None
    assert person.citizen_masked == mask(person.citizen_id)
    assert person.citizen_id.startswith("038")


def test_the_accounts_open_and_are_told(town: Session) -> None:
    told = stored.read(town, "demo")
    assert len(services.account_lines(town)) == len(told["accounts"]) + 2
    for account in told["accounts"]:
        user = user_named(town, account["identity"])
        assert user is not None
        assert user.role == Role(account["role"])
    assert {account["role"] for account in told["accounts"]} == set(Role)
    signed_in = gateway.who_signs_in("tinhnguyen@bimson.example", told["password"])
    assert signed_in is not None
    assert gateway.who_signs_in("0912 000 119", told["password"]) == signed_in


def test_papers_are_on_their_way_and_the_office_was_told_of_some(town: Session) -> None:
    counted = dict(town.execute(select(Dossier.state, func.count()).group_by(Dossier.state)).tuples().all())
    assert {State.DRAFT, State.READY, State.ACCEPTED} < set(counted)
    for dossier in town.scalars(select(Dossier)):
        steps = town.scalars(select(DossierStep).where(DossierStep.dossier_id == dossier.id).order_by(DossierStep.at))
        assert [step.to_state for step in steps][-1] is dossier.state
    referred = set(town.scalars(select(Referral.state)))
    assert {Referred.TO_SEND, Referred.SENT, Referred.ANSWERED} <= referred


def test_a_decree_with_a_day_ahead_says_whom_it_concerns_and_by_how_much_and_changes_nothing_of_the_past(
    town: Session, signed_in: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A higher least income: who pays on it pays more, who chose more gets more help, and what was paid stays paid."""
    since, old, new = date(2020, 1, 1), 700_000, 1_000_000
    paid_before = [(one.id, one.gross, one.own, one.law) for one in town.scalars(select(Payment).order_by(Payment.id))]
    law_before = law(town)
    rung: list[tuple[str, ...]] = []
    monkeypatch.setattr(deciding, "AT_ONCE", 0)  # so many that a worker compares them
    monkeypatch.setattr("crm.decrees.routes.ring", lambda _task, *ids: rung.append(ids))
    officer = user_named(town, "quantri@bimson.example")
    assert officer is not None
    office = signed_in(officer)
    document = {"document": "Nghị định 9/2019/NĐ-CP", "source": "Công báo", "effective_from": str(since)}
    address = office.post("/law/decrees", data=document | {"status": "in_force"}).location
    office.post(f"{address}/values", data={"key": "poverty_line", "value": "1.000.000", "version": "1"})
    office.post(f"{address}/compare")
    refused = office.post(f"{address}/save", data={"version": 2}, follow_redirects=True).text
    assert "Trước hết hãy xem ai sẽ đóng nhiều hơn" in refused
    assert law(town).on(since).floor == old
    compare_decree(*rung[0])
    assert office.get(f"{address}/progress").get_json()["finished"] is True

    rows = {one.prospect_id: one for one in town.scalars(select(DecreePerson))}
    stock = town.scalars(select(Participation.prospect_id).where(Participation.ended_on.is_(None))).all()
    assert {one.prospect_id for one in rows.values() if one.takes_part} == set(stock)
    rate, share = Fraction(22, 100), {"poor": 30, "near_poor": 25, "other": 10}
    for one in rows.values():
        help_more = rate * (new - old) * one.months * share[one.ground] // 100
        assert one.state_after - one.state_before in (help_more, 0)  # nothing more once 120 months are helped with
        assert one.gross_before == rate * one.income_before * one.months
        assert one.income_after == max(one.income_before, new)
    alone = [one for one in rows.values() if one.takes_part and not one.sponsors_after]
    told = {(one.ground, one.months): one for one in alone if one.income_before == old}
    assert [told["other", 3].own_after - told["other", 3].own_before, told["poor", 3].own_after] == [178_200, 462_000]
    richer = next(one for one in alone if one.income_before >= new and one.ground == "other")
    assert richer.own_after - richer.own_before == -6_600 * richer.months
    for one, side, a_month in ((told["other", 3], "more", "+59.400 đ"), (richer, "less", "−6.600 đ")):
        name = town.get_one(Prospect, (one.town_id, one.prospect_id)).full_name
        listed = office.get(f"{address}/people?side={side}&part=yes&place={one.place_id}").text
        row = listed.replace("\N{NO-BREAK SPACE}", " ").split(f"/people/{one.prospect_id}", 1)[1].split("</tr>", 1)[0]
        assert name in row
        assert a_month in row

    assert office.post(f"{address}/save", data={"version": 2}).status_code == 302
    town.expire_all()
    assert law(town).on(since).floor == new
    assert law(town).on(since - timedelta(days=1)).rows == law_before.on(since - timedelta(days=1)).rows
    kept = [(one.id, one.gross, one.own, one.law) for one in town.scalars(select(Payment).order_by(Payment.id))]
    assert kept == paid_before
