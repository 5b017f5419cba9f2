"""Two people at the same moment, each with a connection of their own: one version, and nothing after the close."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import aside, transaction
from crm.errors import Conflict
from crm.reports.periods import ReportKind
from crm.reports.rounds import knowing, queries, services
from crm.reports.rounds.models import ReportingRound, ReportOwed, ReportSubmission
from crm.reports.rounds.rules import Own, Who
from tests.factories import Make

pytestmark = pytest.mark.committed
AT = clock.at(date(2019, 10, 3), 8)


def both(app: Flask, *acts: Callable[[Session], Any]) -> list[str]:
    """What came of acts begun at the same moment, each in a transaction of its own."""
    together = Barrier(len(acts))

    def act(one: Callable[[Session], Any]) -> str:
        with app.app_context():
            together.wait()
            try:
                with transaction() as current:
                    one(current)
            except Conflict as refused:
                return refused.code
            return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(act, acts))


@pytest.fixture
def known(app: Flask, session: Session, make: Make, at_time: Callable[[datetime], None]) -> tuple[UUID, UUID, UUID]:
    """Somebody of the office, the round of September, and what Ba Đình owes in it."""
    at_time(AT)
    user, ward = make.user(Role.MANAGER), make.ward()
    row = services.open_round(session, user.town_id, ReportKind.MONTH, "2019-09", by=user, at=AT)
    owed = session.scalars(select(ReportOwed).where(ReportOwed.place_id == ward.id)).one()
    ids = user.id, row.id, owed.id
    session.commit()
    return ids


def sending(known: tuple[UUID, UUID, UUID], number: int) -> Callable[[Session], Any]:
    def send(current: Session) -> None:
        user = current.scalars(select(User).where(User.id == known[0])).one()
        owed = queries.owed_seen(current, scope_of(current, user), known[2], lock=True)
        told: dict[str, Any] = {"who": Who.WARDS, "knowing_version": 0, "by": user, "at": AT}
        row = queries.round_of(current, owed)
        told["known"] = services.known_of(current, owed, row, AT.date())
        services.submit(current, owed, row, {Own.SESSIONS: (number, "sổ")}, None, **told)

    return send


def closing(known: tuple[UUID, UUID, UUID]) -> Callable[[Session], Any]:
    def close(current: Session) -> None:
        user = current.scalars(select(User).where(User.id == known[0])).one()
        row = queries.round_seen(current, scope_of(current, user), known[1], lock=True)
        services.close(current, row, by=user, at=AT)

    return close


def versions(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(ReportSubmission)) or 0


def test_two_people_of_a_unit_send_and_one_is_told(app: Flask, session: Session, known: Any) -> None:
    assert both(app, sending(known, 3), sending(known, 5)) == ["changed_meanwhile", "done"]
    assert versions(session) == 1


def test_two_clicks_open_one_round(app: Flask, session: Session, known: Any) -> None:
    def opening(current: Session) -> None:
        user = current.scalars(select(User).where(User.id == known[0])).one()
        services.open_round(current, user.town_id, ReportKind.MONTH, "2019-10", by=user, at=AT)

    assert both(app, opening, opening) == ["done", "done"]
    session.rollback()
    rows = session.execute(
        select(func.count(ReportingRound.id.distinct()), func.count())
        .join(ReportOwed, ReportOwed.round_id == ReportingRound.id)
        .where(ReportingRound.period == "2019-10")
    ).one()
    assert tuple(rows) == (1, 15)


@pytest.mark.parametrize("way", ["page", "api"])
def test_what_is_recorded_while_it_is_sent_is_in_none_of_its_figures(
    way: str,
    session: Session,
    known: Any,
    make: Make,
    signed_in: Callable[..., FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user, ward_id = session.get_one(User, (make.town.id, known[0])), make.ward().id
    browser, token = signed_in(user), make.token(user, "reports:write")
    session.commit()
    asked = knowing.targets.by_place

    def meanwhile(*given: Any) -> Any:
        with aside() as beside:
            Make(beside).user(Role.VOLUNTEER, place_id=ward_id)
        return asked(*given)

    monkeypatch.setattr(knowing.targets, "by_place", meanwhile)
    if way == "page":
        came = browser.post(f"/reporting/units/{known[2]}/write", data={"version": "0"})
    else:
        url, given = f"/api/v1/reporting-rounds/reports/{known[2]}", {"version": 0, "own": []}
        came = browser.post(url, json=given, headers={"Authorization": f"Bearer {token}"})
    assert came.status_code in (200, 303), came.text
    session.rollback()
    assert session.scalars(select(ReportSubmission)).one().known["volunteers"] == 0


def test_what_comes_while_the_round_is_closed_is_in_it_or_refused(app: Flask, session: Session, known: Any) -> None:
    came = both(app, sending(known, 3), closing(known))
    assert came in (["done", "done"], ["done", "round_closed"])
    assert versions(session) == (1 if came == ["done", "done"] else 0)
