"""Somebody leaves within the months that a sponsor paid: the insurance office pays back, and the sponsor has it again."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.errors import Conflict, RuleBroken
from crm.months import Month
from crm.participation.leaving.models import LeavingPart
from crm.participation.leaving.rules import Payee
from crm.participation.leaving.services import settle
from crm.participation.queries import open_spell
from crm.participation.rules import Basis, Ending
from crm.participation.services import stop
from crm.prospects.models import Prospect
from crm.prospects.rules import Stage
from crm.sponsors import queries, services
from crm.sponsors.ledger import recounting
from crm.sponsors.letters import queries as letters
from crm.sponsors.letters.models import SponsorPaper
from crm.sponsors.letters.printing import pdf_of
from crm.sponsors.letters.queries import telling
from crm.sponsors.letters.rules import MonthState
from crm.sponsors.letters.services import issue_statement
from crm.sponsors.models import Posting, Sponsor
from crm.sponsors.rules import Movement
from crm.sponsors.statements.rules.kinds import LineState, Use
from crm.sponsors.statements.services.deciding import show_moves
from tests.factories import Make
from tests.participation.stories import noon
from tests.sponsors.statements.stories import csv_of, lines, load
from tests.sponsors.stories import allocate, poor, sponsor

PAID, LEFT, CAME = date(2026, 1, 5), date(2026, 8, 10), date(2026, 9, 1)
BACK = date(2026, 10, 6)
A_MONTH = 264_000
"""What somebody without a certificate owes for a month in 2026: 22% of 1.500.000 đ, less a fifth of it."""
A_YEAR = 12 * A_MONTH
IN_VAIN = 4 * A_MONTH
"""September to December."""


def waited_for(session: Session, make: Make, by: Sponsor, manager: User) -> LeavingPart:
    """A year of somebody is paid, and they leave for compulsory insurance in August."""
    given = {"reference": "FT1", "pledge": None, "by_id": None, "on": PAID, "at": noon(PAID)}
    services.receive(session, by, A_YEAR, **given)  # type: ignore[arg-type]
    person = poor(make)
    aside = allocate(by, person, 12, Month(2026, 1), on=PAID, at=noon(PAID), reason="Nhà khó khăn")
    services.pay_premium(
        session, aside, paid_on=PAID, basis=Basis.CONFIRMED, by=manager, at=noon(PAID), confirmation="CV 1"
    )
    spell = open_spell(session, person)
    assert spell
    stop(session, spell, on=LEFT, ending=Ending.COMPULSORY, by=manager, at=noon(LEFT))
    return session.scalars(select(LeavingPart).where(LeavingPart.payee == Payee.SPONSOR)).one()


def commit_would_hold(session: Session) -> None:
    session.flush()
    session.execute(text("set constraints all immediate"))
    session.execute(text("set constraints all deferred"))


def test_the_sponsor_has_again_what_was_paid_in_vain(session: Session, make: Make) -> None:
    by, manager = sponsor(make), make.user(Role.MANAGER)
    part = waited_for(session, make, by, manager)
    assert (part.amount, queries.balance_of(session, by).available) == (IN_VAIN, 0)
    settle(session, scope_of(session, manager), part.id, on=CAME, note="CV 12", by=manager, at=noon(CAME))
    commit_would_hold(session)
    balance = queries.balance_of(session, by)
    assert (balance.received, balance.available, balance.paid) == (A_YEAR, IN_VAIN, A_YEAR - IN_VAIN)
    assert recounting.differences(session) == []


def test_a_sponsor_may_carry_again_the_months_that_were_paid_in_vain(session: Session, make: Make) -> None:
    by, manager = sponsor(make), make.user(Role.MANAGER)
    part = waited_for(session, make, by, manager)
    settle(session, scope_of(session, manager), part.id, on=CAME, note="CV 12", by=manager, at=noon(CAME))
    person = session.scalars(select(Prospect)).one()
    person.stage = Stage.INTERESTED
    with pytest.raises(Conflict), session.begin_nested():
        allocate(by, person, 1, Month(2026, 8), on=LEFT, at=noon(LEFT), reason="Nhà khó khăn")
    soon = queries.carried_until(make.town.id, BACK)
    assert not session.execute(soon).all(), "what was paid in vain carries nobody"
    again = allocate(by, person, 3, Month(2026, 10), on=BACK, at=noon(BACK), reason="Nhà khó khăn")
    services.pay_premium(
        session, again, paid_on=BACK, basis=Basis.CONFIRMED, by=manager, at=noon(BACK), confirmation="CV 13"
    )
    commit_would_hold(session)
    assert recounting.differences(session) == []
    assert [str(month) for _person, month in session.execute(soon)] == ["2026-12-01"]
    (line,) = telling(session, by, BACK).lines
    assert sum(run.months for run in line.runs if run.state is MonthState.PAID) == 8 + 3


def test_it_is_not_booked_into_a_day_to_come(session: Session, make: Make) -> None:
    by, manager = sponsor(make), make.user(Role.MANAGER)
    part = waited_for(session, make, by, manager)
    with pytest.raises(RuleBroken):
        settle(session, scope_of(session, manager), part.id, on=CAME, note="CV 12", by=manager, at=noon(LEFT))
    assert queries.balance_of(session, by).available == 0


def test_a_line_of_the_bank_shows_it(session: Session, make: Make) -> None:
    by, manager = sponsor(make), make.user(Role.MANAGER)
    part = waited_for(session, make, by, manager)
    settle(session, scope_of(session, manager), part.id, on=CAME, note="CV 12", by=manager, at=noon(CAME))
    load(make, csv_of((10, IN_VAIN, "BHXH hoan tra tien dong")))
    (line,) = lines(make)
    posting = session.scalars(select(Posting.id).where(Posting.movement == Movement.CAME_BACK)).one()
    show_moves(session, line, Use.INSURANCE, [posting], by_id=manager.id, at=noon(CAME))
    commit_would_hold(session)
    assert line.state is LineState.SETTLED
    with pytest.raises(RuleBroken):
        show_moves(session, line, Use.INSURANCE, [posting], by_id=manager.id, at=noon(CAME))


def test_the_sponsors_letter_tells_which_months_came_back(session: Session, make: Make) -> None:
    by, manager = sponsor(make), make.user(Role.MANAGER)
    part = waited_for(session, make, by, manager)
    (line,) = telling(session, by, CAME).lines
    assert [(run.state, run.months) for run in line.runs] == [(MonthState.PAID, 12)]
    settle(session, scope_of(session, manager), part.id, on=CAME, note="CV 12", by=manager, at=noon(CAME))
    (line,) = telling(session, by, CAME).lines
    assert [(run.state, str(run.first), run.months, run.amount) for run in line.runs] == [
        (MonthState.PAID, "2026-01", 8, 8 * A_MONTH),
        (MonthState.CAME_BACK, "2026-09", 4, IN_VAIN),
    ]
    assert line.used == queries.balance_of(session, by).used
    done = letters.fund_sums(session, make.town.id, CAME)
    assert (done.months, done.waiting, done.people) == (8, 0, 1)
    money = letters.years_of_money(session, make.town.id, date(2026, 1, 1), CAME)[by.id]
    assert (money.used, money.came_back, money.closing) == (A_YEAR - IN_VAIN, IN_VAIN, IN_VAIN)
    assert money.adds_up


def test_the_yearly_statement_tells_what_came_back_and_months_only_set_aside(session: Session, make: Make) -> None:
    by, manager = sponsor(make), make.user(Role.MANAGER)
    part = waited_for(session, make, by, manager)
    settle(session, scope_of(session, manager), part.id, on=CAME, note="CV 12", by=manager, at=noon(CAME))
    allocate(by, poor(make, "Bà Sau"), 3, Month(2026, 10), on=CAME, at=noon(CAME), reason="Nhà khó khăn")
    paper = issue_statement(session, by, 2026, address="http://localhost/verify", by=None, on=CAME, at=noon(CAME))
    facts = paper.facts
    assert (facts["people"], facts["months"], facts["waiting_months"]) == (2, 8, 3)
    assert facts["money"]["came_back"] == IN_VAIN
    assert pdf_of(paper, "vi").startswith(b"%PDF")
    old = {name: value for name, value in facts.items() if name != "waiting_months"}
    old["groups"] = [row[:4] for row in facts["groups"]]
    old["money"] = {name: value for name, value in facts["money"].items() if name != "came_back"}
    before = SponsorPaper(**paper_values(paper) | {"facts": old})
    assert pdf_of(before, "en").startswith(b"%PDF"), "papers of before can be made again"


def paper_values(paper: SponsorPaper) -> dict[str, object]:
    return {name: getattr(paper, name) for name in ("kind", "number", "issued_on", "of_year", "year", "serial")}
