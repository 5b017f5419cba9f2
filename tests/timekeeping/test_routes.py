"""Moving the program's time from its page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery.schedules import crontab
from flask import Flask
from flask.testing import FlaskClient

from crm import clock
from crm.accounts.rules import Role
from crm.timekeeping import services
from tasks.schedule import TIMETABLE

Open = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def _asks(app: Flask) -> Iterator[None]:
    app.extensions["clock"].asks = True
    clock.move(lambda: app.extensions["clock"].offset)
    yield
    app.extensions["clock"].asks = False


def test_the_whole_program_follows(signed_in: Open) -> None:
    admin = signed_in(Role.ADMIN)
    assert admin.post("/clock", data={"moment": "2019-10-15T22:30"}).status_code == 302
    assert "22:30" in admin.get("/clock").get_data(as_text=True)
    assert admin.post("/clock/right").status_code == 302
    admin.get("/clock")
    assert abs(clock.now().year - 2019) > 3


def test_what_is_done_once_a_day_is_done_on_the_new_day(signed_in: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []

    def note(task: Any) -> bool:
        rung.append(task.task)
        return True

    monkeypatch.setattr(services, "ring", note)
    admin = signed_in(Role.ADMIN)
    admin.post("/clock", data={"moment": "31/02"})
    assert rung == []
    admin.post("/clock", data={"moment": "2019-10-15T22:30"})
    daily = [entry["task"] for entry in TIMETABLE.values() if isinstance(entry["schedule"], crontab)]
    assert rung == daily
    assert "cliff.tell" in rung


def test_nonsense_is_refused_in_words(signed_in: Open) -> None:
    answer = signed_in(Role.ADMIN).post("/clock", data={"moment": "31/02"})
    assert answer.status_code == 422


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_an_administrator_moves_it(role: Role, signed_in: Open) -> None:
    assert signed_in(role).get("/clock").status_code == 403
