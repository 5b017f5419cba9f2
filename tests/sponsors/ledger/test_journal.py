"""The account book is read month by month: everything that moved, what stood on the accounts, who did it and who let it."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import python_calamine as calamine
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import session as current
from crm.months import Month
from crm.sponsors import services
from crm.sponsors.ledger import deciding, journal
from crm.sponsors.ledger.closing import close_month
from crm.sponsors.ledger.limits import set_limit
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.rules import Decision
from crm.sponsors.models import Receipt, Sponsor
from crm.sponsors.rules import Movement
from tests.factories import Make
from tests.sponsors.letters.stories import words
from tests.sponsors.stories import A_MONTH, TODAY, allocate, poor, receive, sponsor

THIS, LAST = Month.of(TODAY), Month.of(TODAY) - 1


def _received(by: Sponsor, amount: int, reference: str, on: date) -> Receipt:
    how: dict[str, Any] = {"pledge": None, "by_id": None, "at": clock.now()}
    return services.receive(current(), by, amount, reference=reference, on=on, **how)


def test_a_month_begins_with_what_the_one_before_left(session: Session, make: Make) -> None:
    by, scope = sponsor(make), scope_of(session, make.user(Role.TREASURER))
    early = _received(by, 3 * A_MONTH, "FT0", LAST.first_day)
    services.correct_receipt(session, early, reason="hai lần", by_id=None, on=LAST.last_day, at=clock.now())
    _received(by, 10 * A_MONTH, "FT1", LAST.last_day)
    services.pledge(session, by, 500_000, due=TODAY, by_id=None, at=clock.now(), on=TODAY)
    allocate(by, poor(make), months=3)
    services.refund(session, by, A_MONTH, reason="xin lại", by_id=None, on=TODAY, at=clock.now())
    for closed in (False, True):
        if closed:
            set_limit(session, None)
            close_month(session, by.town_id, LAST, by_id=make.user(Role.TREASURER).id, on=TODAY, at=clock.now())
        before, now = (journal.turnover(session, by.town_id, month) for month in (LAST, THIS))
        assert before == journal.Turnover(0, 13 * A_MONTH, 3 * A_MONTH, 3)
        assert now == journal.Turnover(10 * A_MONTH, 0, A_MONTH, 3), "a promise and what is set aside move no account"
        assert now.closing == 9 * A_MONTH
    lines = list(journal.all_lines(session, scope, THIS, now.opening))
    assert {(one.posting.movement, one.amount, one.held) for one in lines} == {
        (Movement.PLEDGED, 500_000, 0),
        (Movement.RESERVED, 3 * A_MONTH, 0),
        (Movement.REFUNDED, A_MONTH, -A_MONTH),
    }
    assert lines[-1].left == now.closing
    wrong, back, _right = journal.all_lines(session, scope, LAST, 0)
    assert (wrong.taken_back, back.takes_back) == (LAST.last_day, LAST.first_day)
    assert (wrong.left, back.left) == (3 * A_MONTH, 0)
    narrowed = journal.lines_page(session, scope, THIS, now.opening, Movement.REFUNDED, cursor=None).rows
    assert [(one.amount, one.left) for one in narrowed] == [(A_MONTH, 9 * A_MONTH)], "the balance counts what is hidden"


def test_the_book_is_paged_and_taken_away_whole(
    signed_in: Callable[..., FlaskClient], session: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    by, (asks, approves) = sponsor(make, "Công ty Đá Xanh"), (make.user(Role.TREASURER), make.user(Role.TREASURER))
    receive(by, 10 * A_MONTH)
    allocate(by, poor(make, "Lê Thị Một"))
    set_limit(session, A_MONTH)
    asked = deciding.refund_or_ask(
        session, by, 2 * A_MONTH, reference="", reason="xin lại", by=asks, on=TODAY, at=clock.now()
    )
    assert isinstance(asked, MoneyRequest)
    deciding.decide(session, asked, Decision.APPROVED, by=approves, on=TODAY, at=clock.now())
    services.hold_unidentified(session, make.town.id, 70_000, reference="L1", by_id=None, on=TODAY, at=clock.now())
    monkeypatch.setattr(journal, "PAGE", 3)
    browser = signed_in(Role.AUDITOR)
    first = browser.get("/sponsors/book/postings")
    said = words(first.text)
    for told in ("Công ty Đá Xanh", "Lê Thị Một"):
        assert told in said
    following = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    rest = words(browser.get(following).text)
    assert "chưa rõ của ai" in said + rest
    assert f"duyệt: {approves.full_name}" in said + rest
    taken = browser.get("/sponsors/book/postings?format=xlsx").data
    [sheet] = calamine.CalamineWorkbook.from_filelike(io.BytesIO(taken)).sheet_names
    rows = calamine.CalamineWorkbook.from_filelike(io.BytesIO(taken)).get_sheet_by_name(sheet).to_python()
    assert sheet == str(THIS)
    assert len(rows) == 1 + 1 + 4 + 1
    assert rows[-1][5] == 8 * A_MONTH + 70_000
    assert "Lê Thị Một" not in str(rows)


def test_a_month_that_is_none_is_not_there(signed_in: Callable[..., FlaskClient]) -> None:
    browser = signed_in(Role.TREASURER)
    assert browser.get("/sponsors/book/postings?month=2019-13").status_code == 404
    for odd in ("month=0001-01", "month=9999-12", "movement=stolen", f"month={date.max:%Y-%m}&format=xlsx"):
        assert browser.get(f"/sponsors/book/postings?{odd}").status_code == 200
    assert browser.get("/sponsors/book/postings?cursor=abc").status_code == 422
    assert signed_in(Role.VOLUNTEER).get("/sponsors/book/postings").status_code == 403
