"""Moving the program's time from its page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm import clock
from crm.accounts.rules import Role

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


def test_nonsense_is_refused_in_words(signed_in: Open) -> None:
    answer = signed_in(Role.ADMIN).post("/clock", data={"moment": "31/02"})
    assert answer.status_code == 422


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_an_administrator_moves_it(role: Role, signed_in: Open) -> None:
    assert signed_in(role).get("/clock").status_code == 403
