"""The small town is settled once for a file of tests: whatever a test does there is taken back after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import pytest
from flask import Flask, g
from sqlalchemy import Connection, Engine

from crm import clock
from crm.db import db
from tests.conftest import NOW, set_time
from tests.factories import Make
from tests.scope.asking import Asker
from tests.scope.town import SmallTown


class Settled(NamedTuple):
    """The town, the connection whose transaction holds it, and the moment at which it was ready."""

    town: SmallTown
    connection: Connection
    ready: datetime


@pytest.fixture(scope="module")
def settled(_app: Flask) -> Iterator[Settled]:
    """The town in a transaction that is never committed, in an app context of its own."""
    set_time(NOW)
    with _app.app_context():
        engines: dict[str | None, Any] = db._app_engines[_app]
        engine: Engine = engines[None]
        with engine.connect() as connection:
            outer = connection.begin()
            engines[None] = connection
            db.session.remove()
            db.session.configure(join_transaction_mode="create_savepoint")
            try:
                town = SmallTown(Make(db.session()))
                db.session.commit()
                yield Settled(town, connection, clock.now())
            finally:
                db.session.remove()
                db.session.configure(join_transaction_mode="conditional_savepoint")
                engines[None] = engine
                outer.rollback()


@pytest.fixture
def app(_app: Flask, settled: Settled) -> Iterator[Flask]:
    """The program as soon as the town is ready; what the test does stands in a savepoint."""
    set_time(settled.ready)
    for take_over in (_app.extensions["celery"].set_default, _app.extensions["celery"].set_current):
        take_over()
    for name in list(g):
        g.pop(name)
    before = settled.connection.begin_nested()
    yield _app
    db.session.rollback()
    before.rollback()
    db.session.expire_all()


@pytest.fixture
def town(app: Flask, settled: Settled) -> SmallTown:
    return settled.town


@pytest.fixture
def asker(app: Flask, town: SmallTown) -> Asker:
    return Asker(app, town)
