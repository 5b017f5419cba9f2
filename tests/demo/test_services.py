"""The demo town is the same each time, and goes only where nobody is yet."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from config import Settings
from crm import clock
from crm.accounts.queries import scope_of, user_named
from crm.demo import services
from crm.demo.services import Wanted
from crm.demo.town import BASELINE, PLAN_DAY
from crm.errors import RuleBroken
from crm.outreach.models import Assignment, Visit
from crm.participation.models import ParticipantMonth, Participation, Payment
from crm.participation.queries import count
from crm.participation.rules import Kind, Span
from crm.prospects.models import Consent, Prospect, StageChange, Standing
from crm.reports.figures.queries import figures
from tests.factories import Make

SMALL = Wanted(prospects=600)
YEAR = Span.year_to(PLAN_DAY)
NOT_THE_SAME = {"citizen_id", "insurance_number", "password"}
"""Sealed and hashed anew each time."""
TABLES = (Prospect, Standing, Consent, StageChange, Assignment, Visit, Participation, Payment, ParticipantMonth)


def digest(session: Session) -> str:
    """One text for all that the people of the town are and did."""
    found = hashlib.sha256()
    for model in TABLES:
        table = model.__table__
        assert isinstance(table, Table)
        columns = [column for column in table.columns if column.name not in NOT_THE_SAME]
        for row in session.execute(select(*columns).order_by(*table.primary_key.columns)):
            found.update(repr(tuple(row)).encode())
    return found.hexdigest()


def load(session: Session, wanted: Wanted = SMALL) -> None:
    services.load(session, wanted, moved_to=clock.at(wanted.as_of, 9))
    session.expire_all()


def test_the_same_seed_makes_the_same_town(session: Session) -> None:
    digests = []
    for _ in range(2):
        attempt = session.begin_nested()
        load(session)
        digests.append(digest(session))
        attempt.rollback()
    assert digests[0] == digests[1]


def test_it_goes_only_where_nobody_is(session: Session, make: Make) -> None:
    make.prospect()
    with pytest.raises(RuleBroken, match="thư mục dữ liệu mới, còn trống"):
        load(session)


def test_it_does_not_go_into_production(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    serious = Settings(
        database_url="x",
        migrate_database_url="x",
        redis_url="x",
        env="production",
        secret_key="s" * 40,
        identity_key="i" * 40,
    )
    monkeypatch.setitem(app.config, "SETTINGS", serious)
    with pytest.raises(RuleBroken, match="nơi làm việc thật"):
        load(session)


@pytest.mark.parametrize("day", [date(2019, 1, 5), date(2019, 12, 5), date(2024, 6, 1)])
def test_days_of_other_towns_are_refused(session: Session, day: date) -> None:
    with pytest.raises(RuleBroken, match="--as-of"):
        load(session, Wanted(prospects=600, as_of=day))


def test_today_has_two_wards_and_the_law_of_today(session: Session) -> None:
    day = date(2026, 9, 14)
    load(session, Wanted(prospects=200, as_of=day))
    manager = user_named(session, "quanly@bimson.example")
    assert manager is not None
    scope = scope_of(session, manager)
    assert len(figures(session, scope, Span.year_to(day)).by_place) == 2
    assert count(session, scope, Kind.BASELINE, Span.year_to(day)) == BASELINE
    assert session.scalar(select(func.min(Payment.income)).where(Payment.paid_on >= date(2026, 1, 1))) == 1_500_000
