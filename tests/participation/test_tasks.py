"""The nightly run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.db import transaction
from crm.participation import services
from crm.participation.models import Participation
from crm.prospects.models import StageChange
from crm.prospects.rules import Stage
from tasks.participation import lapse_overdue
from tests.factories import Make
from tests.participation.stories import join


@pytest.mark.committed
def test_the_night_after_the_last_day_everyone_overdue_has_lapsed_once(
    session: Session, make: Make, at_time: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "AT_ONCE", 2)
    with transaction():
        for number in range(5):
            join(make.prospect(f"Người {number}"), date(2019, 9, 2), months=1)
        join(make.prospect("Người sau"), date(2019, 10, 2), months=1)
    at_time(clock.at(date(2019, 11, 1), 1))
    for _again in range(2):
        lapse_overdue.run()
        ends = session.scalars(select(Participation.ended_on).where(Participation.ended_on.is_not(None))).all()
        assert ends == [date(2019, 11, 1)] * 5
        steps = select(func.count()).where(StageChange.to_stage == Stage.LAPSED)
        assert session.scalar(steps) == 5
        session.rollback()
