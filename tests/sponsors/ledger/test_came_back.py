"""Somebody leaves within the months that a sponsor paid: the insurance office pays back, and the sponsor has it again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import transaction
from crm.errors import Conflict, RuleBroken
from crm.months import Month
from crm.participation.leaving.models import LeavingPart
from crm.participation.leaving.rules import Payee
from crm.participation.leaving.services import settle, settle_or_ask
from crm.participation.queries import open_spell
from crm.participation.rules import Basis, Ending
from crm.participation.services import stop
from crm.premiums import queries as premium_queries
from crm.premiums.models import LawValueRow
from crm.premiums.rules.keys import LawKey
from crm.prospects.models import Prospect
from crm.prospects.rules import Stage
from crm.sponsors import queries, services
from crm.sponsors.ledger import deciding, recounting
from crm.sponsors.ledger.limits import set_limit
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.rules import Decision
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
from tests.sponsors.stories import A_MONTH as THEN
from tests.sponsors.stories import allocate, poor, sponsor

PAID, LEFT, CAME = date(2026, 1, 5), date(2026, 8, 10), date(2026, 9, 1)
BACK = date(2026, 10, 6)
A_MONTH = 264_000
"""What somebody without a certificate owes for a month in 2026: 22% of 1.500.000 đ, less a fifth of it."""
A_YEAR = 12 * A_MONTH
IN_VAIN = 4 * A_MONTH
"""September to December."""


def waited_for(session: Session, make: Make, by: Sponsor, manager: User, year: int = 2026) -> LeavingPart:
    """A year of somebody is paid, and they leave for compulsory insurance in August."""
    paid, left = PAID.replace(year=year), LEFT.replace(year=year)
    a_year = 12 * {2026: A_MONTH, 2019: THEN}[year]
    given = {"reference": "FT1", "pledge": None, "by_id": None, "on": paid, "at": noon(paid)}
    services.receive(session, by, a_year, **given)  # type: ignore[arg-type]
    person = poor(make)
    aside = allocate(by, person, 12, Month(year, 1), on=paid, at=noon(paid), reason="Nhà khó khăn")
    services.pay_premium(
        session, aside, paid_on=paid, basis=Basis.CONFIRMED, by=manager, at=noon(paid), confirmation="CV 1"
    )
    spell = open_spell(session, person)
    assert spell
    stop(session, spell, on=left, ending=Ending.COMPULSORY, by=manager, at=noon(left))
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


def test_where_nothing_could_be_worked_out_the_offices_figure_is_booked(
    session: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = premium_queries.LAW.where(LawValueRow.key != LawKey.REFUND_OF_OWN_PART)
    monkeypatch.setattr(premium_queries, "LAW", silent)
    by, manager = sponsor(make), make.user(Role.MANAGER)
    part = waited_for(session, make, by, manager, year=2019)
    assert (part.amount, part.given) == (None, 4 * THEN)
    scope, told = scope_of(session, manager), {"on": CAME, "note": "CV 12", "by": manager, "at": noon(CAME)}
    for wrong in (None, 0, -1, 4 * THEN + 1):
        with pytest.raises(RuleBroken) as refusal:
            settle(session, scope, part.id, paid_back=wrong, **told)  # type: ignore[arg-type]
        assert refusal.value.field == "paid_back"
    settle(session, scope, part.id, paid_back=4 * THEN - 1_000, **told)  # type: ignore[arg-type]
    commit_would_hold(session)
    assert (part.amount, part.paid_back) == (None, 4 * THEN - 1_000)
    assert queries.balance_of(session, by).available == 4 * THEN - 1_000
    assert recounting.differences(session) == []
    (line,) = telling(session, by, CAME).lines
    assert [(run.state, run.amount) for run in line.runs] == [
        (MonthState.PAID, 8 * THEN),
        (MonthState.CAME_BACK, 4 * THEN - 1_000),
    ]
    paper = issue_statement(session, by, 2026, address="http://localhost/verify", by=None, on=CAME, at=noon(CAME))
    assert paper.facts["money"]["came_back"] == 4 * THEN - 1_000


def test_the_office_may_have_paid_another_sum_than_was_worked_out(
    session: Session, make: Make, signed_in: Callable[..., FlaskClient], at_time: Callable[[Any], None]
) -> None:
    at_time(noon(CAME))
    by, manager = sponsor(make), make.user(Role.MANAGER)
    part = waited_for(session, make, by, manager)
    browser, sent = signed_in(manager), {"part": str(part.id), "on": CAME.isoformat(), "note": "CV 12"}
    for wrong in ("abc", "-5", "0", str(IN_VAIN + 1), "9" * 20):
        refused = browser.post("/refunds", data=sent | {"paid_back": wrong})
        assert refused.status_code == 422
        assert 'id="back-1-error"' in refused.text
    assert browser.post("/refunds", data=sent | {"paid_back": "1.000.000"}).status_code == 302
    shown = browser.get("/refunds?state=settled").text
    assert all(one in shown for one in ("1.000.000", "1.056.000", "-56.000"))
    session.expire_all()
    assert (part.amount, part.paid_back) == (IN_VAIN, 1_000_000)
    assert recounting.differences(session) == []


def test_the_database_keeps_what_came_back(session: Session, make: Make) -> None:
    by, manager = sponsor(make), make.user(Role.MANAGER)
    part = waited_for(session, make, by, manager, year=2019)
    came = "update leaving_part set settled_on = date '2026-09-01', settled_at = now(), settled_note = 'CV', "
    for amount in ("null", "0", str(4 * THEN + 1)):
        with pytest.raises(DBAPIError, match="ck_leaving_part"), session.begin_nested():
            session.execute(text(f"{came} paid_back = {amount} where payee = 'sponsor'"))
    settle(session, scope_of(session, manager), part.id, on=CAME, note="CV", paid_back=1, by=manager, at=noon(CAME))
    with pytest.raises(DBAPIError, match="leaving_part"), session.begin_nested():
        session.execute(text("update leaving_part set paid_back = 2 where payee = 'sponsor'"))


def test_above_the_limit_a_second_person_approves_what_came_back(session: Session, make: Make) -> None:
    by, one, other = sponsor(make), make.user(Role.MANAGER), make.user(Role.TREASURER)
    part = waited_for(session, make, by, one, year=2019)
    commit_would_hold(session)
    set_limit(session, THEN)
    told: Any = {"on": CAME, "note": "CV 12", "paid_back": 2 * THEN, "by": one, "at": noon(CAME)}
    assert settle_or_ask(session, scope_of(session, one), part.id, **told) is None
    session.refresh(part)
    assert (part.settled_on, queries.balance_of(session, by).available) == (None, 0)
    with pytest.raises(Conflict) as again:
        settle_or_ask(session, scope_of(session, one), part.id, **told | {"paid_back": 3 * THEN})
    assert again.value.code == "asked_already"
    asked = session.scalars(select(MoneyRequest)).one()
    deciding.decide(session, asked, Decision.APPROVED, by=other, on=CAME, at=noon(CAME))
    commit_would_hold(session)
    session.refresh(part)
    assert (part.paid_back, queries.balance_of(session, by).available) == (2 * THEN, 2 * THEN)
    assert recounting.differences(session) == []


@pytest.mark.committed
def test_of_two_treasurers_at_once_one_books_it(app: Flask, make: Make) -> None:
    with transaction() as session:
        by, manager = sponsor(make), make.user(Role.MANAGER)
        part_id = waited_for(session, make, by, manager, year=2019).id
        key, whose = (manager.town_id, manager.id), (by.town_id, by.id)
    together, answers = threading.Barrier(2), list[str]()

    def act(amount: int) -> None:
        with app.app_context():
            try:
                with transaction() as session:
                    who = session.get_one(User, key)
                    scope = scope_of(session, who)
                    together.wait(timeout=10)
                    told: Any = {"on": CAME, "note": "CV", "paid_back": amount, "by": who, "at": noon(CAME)}
                    settle_or_ask(session, scope, part_id, **told)
                answers.append("booked")
            except Conflict as refusal:
                answers.append(refusal.code)

    threads = [threading.Thread(target=act, args=(amount,)) for amount in (THEN, 2 * THEN)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["booked", "settled"]
    with transaction() as session:
        part = session.scalars(select(LeavingPart).where(LeavingPart.id == part_id)).one()
        assert queries.balance_of(session, session.get_one(Sponsor, whose)).available == part.paid_back
        assert recounting.differences(session) == []


def test_a_sponsor_may_carry_again_the_months_that_were_paid_in_vain(session: Session, make: Make) -> None:
    by, manager = sponsor(make), make.user(Role.MANAGER)
    part = waited_for(session, make, by, manager)
    settle(session, scope_of(session, manager), part.id, on=CAME, note="CV 12", by=manager, at=noon(CAME))
    person = session.scalars(select(Prospect)).one()
    person.stage = Stage.INTERESTED
    with pytest.raises(Conflict), session.begin_nested():
        allocate(by, person, 1, Month(2026, 8), on=LEFT, at=noon(LEFT), reason="Nhà khó khăn")
    soon = queries.near_end(make.town.id, BACK, asked_by=date(2026, 12, 31))
    assert not session.execute(soon).all(), "what was paid in vain carries nobody"
    again = allocate(by, person, 3, Month(2026, 10), on=BACK, at=noon(BACK), reason="Nhà khó khăn")
    services.pay_premium(
        session, again, paid_on=BACK, basis=Basis.CONFIRMED, by=manager, at=noon(BACK), confirmation="CV 13"
    )
    commit_would_hold(session)
    assert recounting.differences(session) == []
    assert [str(row.until) for row in session.execute(soon)] == ["2026-12-01"]
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
