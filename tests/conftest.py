"""Tests run on the real PostgreSQL and the real broker, started from the wheels once for each test process.

A test normally runs inside one database transaction that is rolled back. A test marked `committed` really commits
(concurrency, deferred constraints); its rows are removed afterwards.
"""

from __future__ import annotations

import gc
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session
from xdist.scheduler import LoadScopeScheduling

from config import Settings
from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.app import create_app
from crm.db import db, plain_engine
from crm.embedded.services import Running, start
from tests import factories
from tests.pages import JudgingClient

gc.freeze()
gc.enable()

hypothesis.settings.register_profile(
    "any machine", deadline=None
)  # how long an example takes says how busy the machine is
hypothesis.settings.load_profile("any machine")

NOW = clock.at(datetime(2019, 10, 15).date(), 9)
"""Tuesday 15 October 2019, nine in the morning in Bỉm Sơn: the moment of every test that does not say otherwise."""

FIRST_ROWS = ("town", "place", "place_succession", "organisation", "target", "law_value", "setting", "reporting_rule")


class OneTownAtATime(LoadScopeScheduling):
    """Each file's tests go to one process, and all of the browser's stories to one and the same: they share a running town,
    which takes a minute to start and never quite rests. What is large begins first, so that no process waits at the end."""

    def _split_scope(self, nodeid: str) -> str:
        folder = "tests/browser/"
        return folder if nodeid.startswith(folder) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return OneTownAtATime(config, log)


@pytest.fixture(scope="session")
def services() -> Iterator[Running]:
    """PostgreSQL and Valkey of this test process."""
    folder = Path(tempfile.mkdtemp(prefix="ansinh-test-", dir="/var/tmp"))
    running = start(folder, durable=False)
    yield running
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def settings(services: Running) -> Settings:
    return Settings(
        database_url=services.database_url,
        migrate_database_url=services.migrate_database_url,
        redis_url=services.redis_url,
    )


@pytest.fixture(scope="session")
def _app(settings: Settings) -> Flask:
    app = create_app(settings)
    app.config.update(TESTING=False, WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    app.test_client_class = JudgingClient
    with app.app_context():
        upgrade()
    return app


@pytest.fixture
def app(_app: Flask, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The program at the moment NOW, inside an app context."""
    set_time(NOW)
    be_current(_app)
    with _app.app_context():
        if request.node.get_closest_marker("committed"):
            yield _app
            db.session.remove()
            _remove_what_was_committed(_app)
            return
        with never_committed(_app):
            yield _app


@contextmanager
def never_committed(app: Flask) -> Iterator[Connection]:
    """All that the program does in its app context stands in one transaction, which ends by being rolled back."""
    engines: dict[str | None, Any] = db._app_engines[app]
    engine: Engine = engines[None]
    with engine.connect() as connection:
        outer = connection.begin()
        engines[None] = connection
        db.session.remove()
        db.session.configure(join_transaction_mode="create_savepoint")
        try:
            yield connection
        finally:
            db.session.remove()
            db.session.configure(join_transaction_mode="conditional_savepoint")
            engines[None] = engine
            outer.rollback()


def be_current(app: Flask) -> None:
    """Let tasks run in this program: a test may have made another one meanwhile."""
    for take_over in (app.extensions["celery"].set_default, app.extensions["celery"].set_current):
        take_over()


def _remove_what_was_committed(app: Flask) -> None:
    others = [table.name for table in db.metadata.sorted_tables if table.name not in FIRST_ROWS]
    with plain_engine(app.config["MIGRATE_DATABASE_URL"]).begin() as connection:
        shipped = "select * from reorganisation where created_by_id is null and state = 'drawn'"
        connection.execute(text(f"create temporary table shipped on commit drop as {shipped}"))
        connection.execute(text(f"truncate {', '.join(others)}"))
        connection.execute(text("insert into reorganisation select * from shipped"))
        connection.execute(text("delete from setting where name <> 'epoch'"))
        connection.execute(text("update setting set value = '1'"))
        connection.execute(text("delete from target where num_nonnulls(place_id, organisation_id, volunteer_id) > 0"))
        connection.execute(text("delete from place where kind = 'neighbourhood'"))


def set_time(moment: datetime) -> timedelta:
    """Let the program's time be `moment` and run on from there. How far it is moved."""
    offset = moment - datetime.now(moment.tzinfo)
    clock.move(lambda: offset)
    return offset


@pytest.fixture(autouse=True)
def _time_is_put_right() -> Iterator[None]:
    yield
    clock.move(timedelta)


@pytest.fixture
def at_time(app: Flask) -> Callable[[datetime], None]:
    """Move the program's time: `at_time(clock.at(date(2019, 10, 16), 22, 30))`."""

    def move(moment: datetime) -> None:
        app.extensions["clock"].asks = False
        app.extensions["clock"].offset = set_time(moment)

    return move


@pytest.fixture
def session(app: Flask) -> Session:
    return db.session()


@pytest.fixture
def make(session: Session) -> factories.Make:
    """Rows for a test: `make.user(Role.LEAD)`, `make.prospect(full_name="…")`."""
    return factories.Make(session)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that nobody has signed in with; it judges every page it gets (tests/pages.py)."""
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask, make: factories.Make) -> Callable[..., FlaskClient]:
    """`signed_in(Role.MANAGER)` or `signed_in(user)`: a browser of that person."""

    def open_browser(who: Role | User) -> FlaskClient:
        user = make.user(who) if isinstance(who, Role) else who
        browser = app.test_client()
        with browser.session_transaction() as cookie:
            cookie["_user_id"] = user.fs_uniquifier
            cookie["_fresh"] = True
        return browser

    return open_browser


@pytest.fixture
def api(app: Flask, make: factories.Make) -> Callable[..., dict[str, str]]:
    """`api(user)`: the headers of a program that acts for that person."""

    def headers(user: User, *scopes: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {make.token(user, *scopes)}"}

    return headers
