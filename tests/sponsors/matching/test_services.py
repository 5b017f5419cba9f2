"""A proposal from its question to the money set aside; what has changed meanwhile is told, and the rest goes through."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.db import db, transaction
from crm.errors import Conflict, RuleBroken
from crm.months import Month
from crm.prospects.models import Prospect, Standing
from crm.prospects.rules import Ground, Stage
from crm.sponsors.ledger.deciding import decide
from crm.sponsors.ledger.limits import set_limit
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.rules import Decision
from crm.sponsors.matching import queries, services, showing
from crm.sponsors.matching.models import FundingLine, FundingOffer, FundingProposal, FundingRefusal
from crm.sponsors.matching.rules.needs import Rest, Terms, Why
from crm.sponsors.matching.rules.states import LineState, ProposalState
from crm.sponsors.models import Allocation, Posting, Sponsor
from crm.sponsors.queries import balance_of
from crm.sponsors.rules import Wish
from crm.sponsors.services import change_wish
from tasks.matching import make as make_task
from tasks.matching import resume, settle
from tests.factories import Make
from tests.sponsors.stories import A_MONTH, A_NEAR_POOR_MONTH, TODAY, allocate, poor, receive, sponsor


def asked(make: Make, *sponsors: Sponsor, **terms: Any) -> FundingProposal:
    """A proposal that is made."""
    wanted = Terms(sponsors=tuple(one.id for one in sponsors), **terms)
    session = db.session()
    row = services.ask(session, make.town.id, wanted, by_id=None, on=TODAY, at=clock.now())
    assert services.make(session, make.town.id, row.id)
    return row


def lines_of(row: FundingProposal) -> Sequence[FundingLine]:
    query = select(FundingLine).where(FundingLine.proposal_id == row.id).order_by(FundingLine.position)
    return db.session().scalars(query.execution_options(populate_existing=True)).all()


def accept(row: FundingProposal, **which: Any) -> int:
    session = db.session()
    many = len(services.choose(session, row, by_id=None, at=clock.now(), **which))
    while services.settle_some(session, row.town_id, row.id, at=clock.now()):
        pass
    return many


def chosen_line(make: Make, proposal_id: str, person: Prospect, by: Sponsor, position: int) -> FundingLine:
    """A line that a treasurer has accepted and nobody has settled."""
    return FundingLine(
        town_id=make.town.id,
        proposal_id=UUID(proposal_id),
        prospect_id=person.id,
        position=position,
        state=LineState.CHOSEN,
        sponsor_id=by.id,
        start_month=Month.of(TODAY).first_day,
        months=1,
        amount=A_MONTH,
        facts={},
        settled_at=clock.now(),
    )


def test_a_proposal_tells_who_gets_what_and_what_is_left(session: Session, make: Make) -> None:
    by = sponsor(make)
    receive(by, 3 * A_MONTH + 35_000)
    near_poor, first = poor(make, "Lê Cận", Ground.NEAR_POOR), poor(make)
    stranger = poor(make, "Lê Mới", stage=Stage.NEW)
    row = asked(make)
    assert (row.state, row.people) == (ProposalState.READY, 3)
    served, waiting, unknown = lines_of(row)
    assert (served.prospect_id, served.sponsor_id, served.months, served.amount) == (first.id, by.id, 3, 3 * A_MONTH)
    assert (served.state, served.start_month, served.position) == (LineState.PROPOSED, Month(2019, 10).first_day, 1)
    assert (waiting.prospect_id, waiting.why, waiting.state) == (near_poor.id, Why.NO_MONEY, LineState.PASSED)
    assert (unknown.prospect_id, unknown.why) == (stranger.id, Why.NOT_REACHED)
    offer = session.scalars(select(FundingOffer)).one()
    assert (offer.available, offer.why, offer.cheapest) == (
        3 * A_MONTH + 35_000,
        Rest.LESS_THAN_A_MONTH,
        A_NEAR_POOR_MONTH,
    )
    assert balance_of(session, by).reserved == 0


def test_without_money_nothing_is_proposed(session: Session, make: Make) -> None:
    sponsor(make)
    with pytest.raises(RuleBroken) as refused:
        asked(make)
    assert refused.value.code == "no_money"


def test_a_proposal_is_made_once(session: Session, make: Make) -> None:
    receive(sponsor(make), A_MONTH)
    row = asked(make)
    assert not services.make(session, make.town.id, row.id)


def test_accepting_sets_the_money_aside(session: Session, make: Make) -> None:
    by = sponsor(make, wish=Wish(months=1))
    receive(by, 2 * A_MONTH)
    people = [poor(make), poor(make, "Lê Hai"), poor(make, "Lê Ba")]
    row = asked(make)
    assert accept(row) == 2
    first, second, third = lines_of(row)
    assert [line.state for line in (first, second, third)] == [
        LineState.ACCEPTED,
        LineState.ACCEPTED,
        LineState.PASSED,
    ]
    made = session.scalars(select(Allocation).order_by(Allocation.id)).all()
    assert [one.id for one in made] == [first.allocation_id, second.allocation_id]
    assert {one.prospect_id for one in made} == {one.id for one in people[:2]}
    assert balance_of(session, by).available == 0
    assert accept(row) == 0


def test_what_has_changed_is_told_and_the_others_go_through(session: Session, make: Make) -> None:
    by = sponsor(make, wish=Wish(months=1))
    receive(by, 10 * A_MONTH)
    carried, moved, same = poor(make), poor(make, "Lê Hai"), poor(make, "Lê Ba")
    row = asked(make)
    allocate(by, carried)
    moved.stage = Stage.NOT_ELIGIBLE
    session.flush()
    accept(row)
    told = {line.prospect_id: line for line in lines_of(row)}
    assert told[same.id].state is LineState.ACCEPTED
    assert told[carried.id].state is told[moved.id].state is LineState.CHANGED
    assert "10/2019" in (told[carried.id].words or "")
    assert told[moved.id].words


def test_money_that_went_elsewhere_meanwhile_is_not_spent_twice(session: Session, make: Make) -> None:
    by = sponsor(make, wish=Wish(months=1))
    receive(by, A_MONTH)
    poor(make)
    row = asked(make)
    allocate(by, poor(make, "Lê Hai"))
    accept(row)
    assert lines_of(row)[0].state is LineState.CHANGED
    assert balance_of(session, by).available == 0


def test_one_line_or_the_lines_of_one_sponsor(session: Session, make: Make) -> None:
    ward, other = make.ward(), make.ward("14818@2019-10-15")
    here = sponsor(make, wish=Wish(places=(ward.id,), months=1))
    there = sponsor(make, "Hội Khác", wish=Wish(places=(other.id,), months=1))
    receive(here, 5 * A_MONTH)
    receive(there, 5 * A_MONTH, "FT2")
    people = [poor(make), poor(make, "Lê Hai"), poor(make, "Lê Kia", place=other)]
    row = asked(make)
    of = {line.prospect_id: line for line in lines_of(row)}
    assert accept(row, sponsor_id=there.id) == 1
    assert accept(row, line_ids=[of[people[0].id].id]) == 1
    states = {line.prospect_id: line.state for line in lines_of(row)}
    assert states == {
        people[0].id: LineState.ACCEPTED,
        people[1].id: LineState.PROPOSED,
        people[2].id: LineState.ACCEPTED,
    }


def test_the_treasurer_changes_months_and_sponsor_and_the_law_prices_it(session: Session, make: Make) -> None:
    by, other = sponsor(make, wish=Wish(months=1)), sponsor(make, "Hội Khác")
    receive(by, A_MONTH)
    receive(other, 20 * A_MONTH, "FT2")
    poor(make)
    row = asked(make, by)
    line = lines_of(row)[0]
    services.edit(session, line, other, 6, by_id=None, at=clock.now())
    assert (line.sponsor_id, line.months, line.amount, line.state) == (other.id, 6, 6 * A_MONTH, LineState.PROPOSED)
    accept(row)
    assert balance_of(session, other).reserved == 6 * A_MONTH
    with pytest.raises(Conflict):
        services.edit(session, line, by, 1, by_id=None, at=clock.now())


def outside(make: Make) -> tuple[FundingLine, FundingProposal, Sponsor]:
    """A line of somebody poor, and another sponsor in the proposal who wishes to help the near-poor."""
    by, other = sponsor(make, wish=Wish(months=1)), sponsor(make, "Hội Khác", wish=Wish(grounds=(Ground.NEAR_POOR,)))
    receive(by, 5 * A_MONTH)
    receive(other, 20 * A_MONTH, "FT2")
    poor(make)
    row = asked(make)
    return lines_of(row)[0], row, other


def test_a_line_goes_outside_a_wish_only_for_a_reason_that_is_kept(session: Session, make: Make) -> None:
    line, row, other = outside(make)
    own = session.get_one(Sponsor, (row.town_id, line.sponsor_id))
    with pytest.raises(RuleBroken) as refused:
        services.edit(session, line, other, 3, by_id=None, at=clock.now())
    assert (refused.value.code, refused.value.field) == ("outside_wish", "reason")
    assert line.sponsor_id == own.id
    services.edit(session, line, other, 3, reason="Nhà bị cháy", by_id=None, at=clock.now())
    assert next(iter(showing.besides(line))).endswith("Nhà bị cháy")
    accept(row)
    made = session.scalars(select(Allocation)).one()
    assert (line.state, made.sponsor_id) == (LineState.ACCEPTED, other.id)
    assert session.get_one(Posting, (row.town_id, made.posting_id)).memo == "Nhà bị cháy"


def test_a_reason_is_kept_only_where_the_wish_asks_for_one(session: Session, make: Make) -> None:
    line, row, other = outside(make)
    own = session.get_one(Sponsor, (row.town_id, line.sponsor_id))
    services.edit(session, line, other, 1, reason="Nhà bị cháy", by_id=None, at=clock.now())
    services.edit(session, line, own, 1, reason="Nhà bị cháy", by_id=None, at=clock.now())
    change_wish(session, own, Wish(grounds=(Ground.NEAR_POOR,)), by_id=None, at=clock.now())
    accept(row)
    assert line.state is LineState.CHANGED


def test_a_reason_for_the_wish_helps_nobody_who_is_in_need_no_more(session: Session, make: Make) -> None:
    line, row, other = outside(make)
    services.edit(session, line, other, 1, reason="Nhà bị cháy", by_id=None, at=clock.now())
    session.execute(update(Standing).values(valid_to=TODAY))
    accept(row)
    assert line.state is LineState.CHANGED
    assert "15/10/2019" in (line.words or ""), "on this day without a certificate; not that the amount is another"
    assert balance_of(session, other).reserved == 0


def test_a_wish_that_changed_meanwhile_is_told_and_nothing_is_set_aside(session: Session, make: Make) -> None:
    by = sponsor(make, wish=Wish(months=1))
    receive(by, 5 * A_MONTH)
    poor(make)
    near = poor(make, "Lê Cận", Ground.NEAR_POOR)
    row = asked(make)
    change_wish(session, by, Wish(grounds=(Ground.NEAR_POOR,)), by_id=None, at=clock.now())
    accept(row)
    first, second = lines_of(row)
    assert (first.state, first.allocation_id) == (LineState.CHANGED, None)
    assert by.name in (first.words or "")
    assert (second.state, second.prospect_id) == (LineState.ACCEPTED, near.id)
    services.edit(session, first, by, 1, reason="Đã hứa với bà", by_id=None, at=clock.now())
    accept(row)
    assert first.state is LineState.ACCEPTED


def test_who_is_proposed_by_their_age_on_the_day_is_within_the_wish_when_accepted(session: Session, make: Make) -> None:
    by = sponsor(make, wish=Wish(months=1, age_to=45))
    receive(by, 5 * A_MONTH)
    poor(make, birth_date=date(1973, 12, 1), birth_year=1973)  # 46 in this year, and 45 still
    row = asked(make)
    assert accept(row) == 1
    assert lines_of(row)[0].state is LineState.ACCEPTED


def test_a_line_is_not_changed_to_more_than_its_sponsor_has_beside_the_others(session: Session, make: Make) -> None:
    by, other = sponsor(make, wish=Wish(months=1)), sponsor(make, "Hội Khác", wish=Wish(months=1))
    receive(by, 4 * A_MONTH)
    receive(other, 2 * A_MONTH, "FT2")
    poor(make)
    poor(make, "Lê Hai")
    row = asked(make, by)
    line, second = lines_of(row)
    for giver, months in ((by, 6), (other, 3)):
        with pytest.raises(RuleBroken) as refused:
            services.edit(session, line, giver, months, by_id=None, at=clock.now())
        assert refused.value.field == "months"
        assert (line.sponsor_id, line.months) == (by.id, 1)
    services.edit(session, line, by, 3, by_id=None, at=clock.now())
    with pytest.raises(RuleBroken) as taken:
        services.edit(session, second, by, 3, by_id=None, at=clock.now())
    assert "107.800" in str(taken.value)
    assert accept(row) == 2
    assert balance_of(session, by).available == 0


def test_whom_a_treasurer_refuses_is_not_proposed_by_that_sponsor_until_it_is_lifted(
    session: Session, make: Make
) -> None:
    by, other = sponsor(make), sponsor(make, "Hội Khác")
    receive(by, 5 * A_MONTH)
    person = poor(make)
    row = asked(make, by)
    services.refuse(session, lines_of(row)[0], "Con đã đóng giúp", by_id=None, at=clock.now())
    assert accept(row) == 0
    assert lines_of(asked(make, by))[0].why is Why.REFUSED_BEFORE
    receive(other, 5 * A_MONTH, "FT2")
    assert lines_of(asked(make))[0].sponsor_id == other.id
    refusal = session.scalars(select(FundingRefusal)).one()
    services.lift(session, refusal, by_id=None, at=clock.now())
    with pytest.raises(Conflict):
        services.lift(session, refusal, by_id=None, at=clock.now())
    again = lines_of(asked(make, by))[0]
    assert (again.prospect_id, again.sponsor_id) == (person.id, by.id)


def test_nothing_more_is_accepted_of_a_closed_proposal(session: Session, make: Make) -> None:
    receive(sponsor(make), A_MONTH)
    poor(make)
    row = asked(make)
    services.close(session, row, by_id=None, at=clock.now())
    with pytest.raises(Conflict):
        accept(row)
    with pytest.raises(Conflict):
        services.refuse(session, lines_of(row)[0], "Không", by_id=None, at=clock.now())
    with pytest.raises(Conflict):
        services.close(session, row, by_id=None, at=clock.now())


def test_whom_a_sponsor_carries_goes_on_without_a_gap(session: Session, make: Make) -> None:
    theirs, other = sponsor(make, wish=Wish(months=3)), sponsor(make, "Hội Khác")
    receive(theirs, 4 * A_MONTH)
    receive(other, 50 * A_MONTH, "FT2")
    carried = poor(make)
    allocate(theirs, carried, months=3)
    poor(make, "Lê Hai")
    line = lines_of(asked(make, past_certificate=True))[0]
    assert (line.prospect_id, line.sponsor_id, line.start_month) == (carried.id, theirs.id, Month(2020, 1).first_day)
    assert line.facts["carried_by"] == str(theirs.id)


def asked_of_a_second(session: Session, make: Make, by: Sponsor, treasurer: User) -> FundingProposal:
    """A proposal of three months for one person, accepted above the limit."""
    receive(by, 10 * A_MONTH)
    poor(make)
    row = asked(make)
    set_limit(session, A_MONTH)
    services.choose(session, row, by_id=treasurer.id, at=clock.now())
    services.settle_some(session, row.town_id, row.id, at=clock.now())
    return row


def test_above_the_limit_a_second_person_is_asked(session: Session, make: Make) -> None:
    by, treasurer = sponsor(make, wish=Wish(months=3)), make.user(Role.TREASURER)
    row = asked_of_a_second(session, make, by, treasurer)
    line = lines_of(row)[0]
    assert line.state is LineState.ASKED
    request = session.scalars(select(MoneyRequest)).one()
    assert (request.id, request.amount, request.asked_by_id) == (line.request_id, 3 * A_MONTH, treasurer.id)
    assert queries.decisions(session, row.town_id, [line]) == {}
    second = make.user(Role.TREASURER)
    decide(session, request, Decision.APPROVED, by=second, on=TODAY, at=clock.now())
    assert queries.decisions(session, row.town_id, [line]) == {line.id: Decision.APPROVED}
    assert balance_of(session, by).reserved == 3 * A_MONTH
    told = queries.told(session, row)
    assert (told.accepted, told.set_aside, told.amount) == (1, 3 * A_MONTH, 3 * A_MONTH)


def test_what_a_second_person_refused_counts_as_left_to_the_sponsor(session: Session, make: Make) -> None:
    row = asked_of_a_second(session, make, sponsor(make, wish=Wish(months=3)), make.user(Role.TREASURER))
    before = queries.told(session, row)
    assert (before.accepted, before.amount) == (0, 3 * A_MONTH)
    request, second = session.scalars(select(MoneyRequest)).one(), make.user(Role.TREASURER)
    decide(session, request, Decision.REFUSED, words="Chưa đủ giấy", by=second, on=TODAY, at=clock.now())
    told = queries.told(session, row)
    assert (told.accepted, told.set_aside, told.amount) == (0, 0, 0)
    assert queries.given(session, row).rows[0].proposed == 0


@pytest.mark.committed
def test_of_two_treasurers_who_accept_everything_at_once_each_line_is_accepted_by_one(app: Flask) -> None:
    with transaction() as session:
        make = Make(session)
        treasurers = [make.user(Role.TREASURER).id for _ in range(2)]
        by = sponsor(make, wish=Wish(months=1))
        receive(by, 6 * A_MONTH)
        for number in range(6):
            poor(make, f"Lê Thị {'ABCDEF'[number]}")
        row = asked(make)
        proposal_id, town_id, sponsor_id = row.id, row.town_id, by.id

    def at_once(treasurer: Any) -> int:
        with app.app_context(), transaction() as session:
            proposal = session.get_one(FundingProposal, (town_id, proposal_id))
            many = len(services.choose(session, proposal, by_id=treasurer, at=clock.now()))
            services.settle_some(session, town_id, proposal_id, at=clock.now())
            return many

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(at_once, treasurers)) == 6
    settle(str(town_id), str(proposal_id))
    with transaction() as session:
        lines = session.scalars(select(FundingLine).where(FundingLine.proposal_id == proposal_id)).all()
        assert {line.state for line in lines} == {LineState.ACCEPTED}
        assert balance_of(session, session.get_one(Sponsor, (town_id, sponsor_id))).available == 0


@pytest.mark.committed
def test_many_who_set_aside_for_many_sponsors_at_once_never_wait_for_each_other(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "AT_ONCE", 4)
    proposals: list[tuple[str, str]] = []
    with transaction() as session:
        make = Make(session)
        people = [poor(make, f"Lê Thị {number:02}") for number in range(24)]
        for _turn in range(2):
            row = FundingProposal(
                town_id=make.town.id,
                state=ProposalState.READY,
                as_of=TODAY,
                terms=Terms().as_json(),
                asked_at=clock.now(),
                people=12,
            )
            session.add(row)
            session.flush()
            proposals.append((str(row.town_id), str(row.id)))
        givers = [sponsor(make, f"Công ty {number}") for number in range(4)]
        for number, by in enumerate(givers):
            receive(by, 6 * A_MONTH, f"FT{number}")
        for turn, (_town, proposal_id) in enumerate(proposals):
            for place, person in enumerate(people[turn::2]):
                by = givers[place % 4 if turn else 3 - place % 4]  # the one in turns that run against the other
                session.add(chosen_line(make, proposal_id, person, by, place + 1))

    def at_work(ids: tuple[str, str]) -> None:
        with app.app_context():
            settle(*ids)
            db.session.remove()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(at_work, proposals * 2))
    with transaction() as session:
        states = session.scalars(select(FundingLine.state)).all()
        assert states == [LineState.ACCEPTED] * 24
        assert all(balance_of(session, by).available == 0 for by in session.scalars(select(Sponsor)))


@pytest.mark.committed
def test_the_tasks_may_run_twice_and_a_lost_bell_is_rung_again(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction() as session:
        make = Make(session)
        receive(sponsor(make), A_MONTH)
        poor(make)
        row = services.ask(session, make.town.id, Terms(), by_id=None, on=TODAY, at=clock.now())
        ids = str(row.town_id), str(row.id)
    rung: list[Any] = []
    monkeypatch.setattr("tasks.matching.ring", lambda task, *of: rung.append((task.name, of)))
    monkeypatch.setattr("tasks.matching.now", lambda: clock.now().replace(hour=23))
    resume()
    assert rung == [("matching.make", ids), ("matching.settle", ids)]
    for _ in range(2):
        make_task(*ids)
        settle(*ids)
    rung.clear()
    resume()
    assert rung == []
