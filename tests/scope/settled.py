"""The small town is settled once for a file of tests: whatever a test does there is taken back after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import pytest
from flask import Flask, g
from sqlalchemy import Connection

from crm import clock
from crm.db import db
from tests.conftest import NOW, be_current, never_committed, set_time
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
    with _app.app_context(), never_committed(_app) as connection:
        town = SmallTown(Make(db.session()))
        db.session.commit()
        yield Settled(town, connection, clock.now())


@pytest.fixture
def app(_app: Flask, settled: Settled) -> Iterator[Flask]:
    """The program as soon as the town is ready; what the test does stands in a savepoint."""
    set_time(settled.ready)
    be_current(_app)
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
