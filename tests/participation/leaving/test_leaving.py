"""Somebody leaves within what is paid: what comes back, to whom, kept with the ending."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import session as current
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.months import Month
from crm.participation import services
from crm.participation.calendar import State
from crm.participation.leaving.models import LeavingPart, LeavingRefund
from crm.participation.leaving.rules import Payee
from crm.participation.leaving.services import settle
from crm.participation.models import Participation
from crm.participation.months import told
from crm.participation.queries import helped_before, helped_of_all, open_spell
from crm.participation.rules import Ending
from crm.participation.shares import Payer, PayerKind, Share
from crm.premiums import queries as premium_queries
from crm.premiums.models import LawValueRow
from crm.premiums.queries import law
from crm.premiums.rules.keys import LawKey
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground, Stage
from tests.factories import Make
from tests.participation.stories import join, noon, paid_long_ago

Browse = Callable[..., FlaskClient]
BEGAN, LEFT = date(2026, 1, 5), date(2026, 8, 10)
FLOOR = 1_500_000


def joined(person: Prospect, **more: Any) -> Any:
    return join(person, BEGAN, months=12, **{"income": FLOOR, "grounds": (Ground.POOR,)} | more)


def leaves(person: Prospect, ending: Ending = Ending.COMPULSORY, on: date = LEFT, **more: Any) -> Any:
    spell = open_spell(current(), person)
    assert spell
    return services.stop(current(), spell, on=on, ending=ending, by=None, at=noon(on), **more)


def test_ones_own_part_of_the_months_not_needed_comes_back_to_the_person(session: Session, make: Make) -> None:
    person = make.prospect()
    joined(person)
    leaves(person)
    row = session.scalars(select(LeavingRefund)).one()
    assert (row.months_left, row.gross, row.state_support, row.amount) == (4, 1_320_000, 660_000, 660_000)
    part = session.scalars(select(LeavingPart)).one()
    assert (part.payee, part.amount, part.settled_on) == (Payee.PERSON, 660_000, None)
    assert "refund_of_own_part" in [line["name"] for line in row.law["rules"]]


def test_the_office_may_count_from_another_month(session: Session, make: Make) -> None:
    person = make.prospect()
    joined(person)
    leaves(person, not_needed_from=Month(2026, 8))
    assert session.scalars(select(LeavingRefund)).one().months_left == 5


def test_what_a_sponsor_gave_is_the_sponsors(session: Session, make: Make) -> None:
    person, sponsor = make.prospect(), new_id()
    joined(person, others=(Share(Payer(PayerKind.SPONSOR, sponsor), 1_500_000),))
    leaves(person)
    row = session.scalars(select(LeavingRefund)).one()
    parts = {part.payee: (part.payee_id, part.amount) for part in session.scalars(select(LeavingPart))}
    assert parts == {Payee.PERSON: (None, 160_000), Payee.SPONSOR: (sponsor, 500_000)}
    assert (row.gross, row.state_support, row.other_support) == (1_320_000, 660_000, 500_000)


def test_months_that_come_back_count_for_nothing(session: Session, make: Make) -> None:
    person = make.prospect()
    joined(person)
    leaves(person)
    found = told(session, person, law(session), date(2026, 9, 1))
    assert (found.paid, found.supported, found.calendar.paid_through) == (8, 8, Month(2026, 8))
    states = {one.month: one.state for one in found.calendar.months}
    assert (states[Month(2026, 8)], states[Month(2026, 9)]) == (State.OWN, State.NOT_NEEDED)
    assert helped_before(session, person).by_the_state == 8
    assert helped_of_all(session, person.town_id, [person.id])[person.id].by_the_state == 8


@pytest.mark.parametrize("ending", [Ending.STOPPED, Ending.MOVED_OUT])
def test_whoever_just_stops_gets_nothing_back(session: Session, make: Make, ending: Ending) -> None:
    person = make.prospect()
    joined(person)
    assert leaves(person, ending) == []
    assert not session.scalars(select(LeavingRefund)).all()


def test_nothing_is_kept_where_every_month_paid_was_needed(session: Session, make: Make) -> None:
    person = make.prospect()
    joined(person)
    assert leaves(person, on=date(2026, 12, 20)) == []


def test_where_no_rule_on_refunds_is_on_record_the_amount_is_not_guessed(
    session: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = premium_queries.LAW.where(LawValueRow.key != LawKey.REFUND_OF_OWN_PART)
    monkeypatch.setattr(premium_queries, "LAW", silent)
    person = make.prospect()
    join(person, date(2019, 1, 5), months=12)
    leaves(person, Ending.DIED, date(2019, 6, 2))
    row, part = session.scalars(select(LeavingRefund)).one(), session.scalars(select(LeavingPart)).one()
    assert (row.amount, row.months_left, row.unknown) == (None, 6, ["refund_law"])
    assert (part.payee, part.amount) == (Payee.PERSON, None)


def test_a_payment_without_its_rules_says_so(session: Session, make: Make) -> None:
    person = make.prospect()
    paid = paid_long_ago(make, person, Month(2026, 1), 12)
    spell = session.get_one(Participation, (person.town_id, paid.participation_id))
    spell.ended_on = spell.ended_as = None
    session.flush()
    leaves(person)
    assert session.scalars(select(LeavingRefund)).one().unknown == ["payment_rules"]


def test_who_took_a_lump_sum_may_begin_anew(session: Session, make: Make) -> None:
    person = make.prospect()
    joined(person)
    leaves(person, Ending.LUMP_SUM)
    assert person.stage is Stage.LAPSED


def test_it_comes_back_once(session: Session, make: Make) -> None:
    person, treasurer = make.prospect(), make.user(Role.TREASURER)
    joined(person)
    leaves(person)
    part = session.scalars(select(LeavingPart)).one()
    given: Any = {"on": date(2026, 9, 1), "by": treasurer, "at": noon(date(2026, 9, 2))}
    with pytest.raises(RuleBroken):
        settle(session, scope_of(session, treasurer), part.id, note=None, **given)
    settle(session, scope_of(session, treasurer), part.id, note="CV 12", **given)
    assert part.settled_on == date(2026, 9, 1)
    with pytest.raises(Conflict):
        settle(session, scope_of(session, treasurer), part.id, note="CV 12", **given)
    with pytest.raises(NotFound):
        settle(session, scope_of(session, treasurer), person.id, note="CV 12", **given)


def test_what_was_kept_does_not_change(session: Session, make: Make) -> None:
    person = make.prospect()
    joined(person)
    leaves(person)
    for statement in (
        "update leaving_refund set amount = 0",
        "delete from leaving_part",
        "update leaving_part set amount = 1",
    ):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement))


def test_the_page_shows_what_comes_back_before_and_after(
    session: Session, make: Make, signed_in: Browse, at_time: Callable[[Any], None]
) -> None:
    at_time(clock.at(LEFT, 9))
    person = make.prospect()
    joined(person)
    browser, address = signed_in(make.user(Role.MANAGER)), f"/people/{person.id}/stop"
    data = {"ending": "compulsory", "on": LEFT.isoformat()}
    seen = browser.post(address, data=data | {"step": "see"})
    assert seen.status_code == 200
    assert "660.000" in seen.text
    assert "Nghị định 159/2025" in seen.text
    assert not session.scalars(select(LeavingRefund)).all()
    assert browser.post(address, data=data | {"step": "record"}).status_code == 302
    assert "660.000" in browser.get(f"/people/{person.id}").text
    assert "660.000" in browser.get("/refunds").text
    part = session.scalars(select(LeavingPart)).one()
    wrong = browser.post("/refunds", data={"part": str(part.id), "on": "2026-08-09", "note": ""})
    assert wrong.status_code == 422
    assert browser.post("/refunds", data={"part": "x", "on": "2026-08-09", "note": "a"}).status_code == 422
    done = browser.post("/refunds", data={"part": str(part.id), "on": "2026-08-09", "note": "CV 5"})
    assert done.status_code == 302
    assert "CV 5" in browser.get("/refunds?state=settled").text
