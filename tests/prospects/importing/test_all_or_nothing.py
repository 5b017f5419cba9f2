"""A list is loaded whole or not at all: killed workers, lost claims, lists that meet, and what others see meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from config import Settings
from crm import clock
from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.rules import Role
from crm.db import aside, db, transaction
from crm.prospects.importing.queries import rows_behind
from crm.prospects.importing.rules import MOST_TRIES, STALE, masked_cell, problem_sentence
from crm.prospects.importing.services import at_work, committing, taking_in, undoing
from crm.prospects.models import Consent, ImportPerson, ImportRow, ListImport, Prospect, StageChange, Standing
from crm.prospects.rules import ImportState, RowOutcome
from tasks import prospects as work
from tests.factories import Make
from tests.prospects.importing.test_work import many, spreadsheet

PROJECT = Path(__file__).parents[3]


class Killed(BaseException):
    """A worker that goes away in the middle."""


@pytest.fixture
def user(app: Flask, make: Make) -> User:
    with transaction():
        return make.user(Role.MANAGER)


def ready(user: User, content: bytes, name: str = "a.csv") -> UUID:
    """A list that was handed in and read."""
    with transaction() as session:
        scope = scope_of(session, user)
        handed = taking_in.Handed(name, content)
        import_id = taking_in.take_in(session, user.town_id, handed, by=user, scope=scope, at=clock.now()).id
    work.read_list(str(import_id))
    return import_id


def begin(import_id: UUID, how: Any = committing) -> None:
    with transaction() as session:
        how.start(session, the(session, import_id))


def load(import_id: UUID) -> None:
    begin(import_id)
    work.commit_list(str(import_id))


def the(session: Session, import_id: UUID) -> ListImport:
    session.expire_all()
    return session.scalars(select(ListImport).where(ListImport.id == import_id)).one()


def counted(session: Session) -> tuple[int, ...]:
    """How many people, first steps, grounds and answers there are."""
    session.rollback()
    kinds = (Prospect, StageChange, Standing, Consent)
    return tuple(session.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds)


def grown_old(session: Session, import_id: UUID) -> None:
    """Let the last heartbeat lie so far back that nobody can still be at it."""
    with transaction():
        the(session, import_id).heartbeat_at = clock.now() - 2 * STALE


@pytest.mark.committed
@pytest.mark.parametrize("table", ["prospect", "stage_change", "standing", "consent", "change_record"])
def test_whatever_step_a_worker_dies_at_nothing_is_loaded(
    table: str, app: Flask, session: Session, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "Họ và tên;Năm sinh;SĐT;Phường;Hộ nghèo;Đồng ý nhận tin nhắn"
    lines = [
        f"Lê Văn {chr(65 + i % 26)}{chr(97 + i // 26)};{1950 + i};09{10000000 + i};Ba Đình;x;Có" for i in range(40)
    ]
    import_id = ready(user, "\n".join([head, *lines]).encode())
    begin(import_id)

    def dies(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if f"into {table} " in statement.lower():
            raise Killed

    event.listen(db.engine, "after_cursor_execute", dies)
    try:
        with pytest.raises(Killed):
            work.commit_list(str(import_id))
    finally:
        event.remove(db.engine, "after_cursor_execute", dies)
    assert counted(session) == (0, 0, 0, 0)
    grown_old(session, import_id)
    work.commit_list(str(import_id))
    assert counted(session) == (40, 40, 40, 40)
    row = the(session, import_id)
    assert (row.state, row.created, row.problem, row.tries) == (ImportState.COMMITTED, 40, None, 0)
    assert session.scalar(select(func.count()).select_from(ImportPerson)) == 0


WORKER = """
import json, os, sys
from config import Settings
from crm.app import create_app
from tasks import prospects as work
app = create_app(Settings(**json.loads(os.environ["SETTINGS"])))
with app.app_context():
    from uuid import UUID
    for done in work.commit(UUID(sys.argv[1])):
        print(done, flush=True)
        if done:
            sys.stdin.readline()
"""


@pytest.mark.committed
def test_a_process_that_is_killed_leaves_nothing_and_the_sweep_takes_it_up(
    app: Flask, settings: Settings, session: Session, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = ready(user, many(2_000))
    begin(import_id)
    said = {name: getattr(settings, name) for name in ("database_url", "migrate_database_url", "redis_url")}
    secrets = {
        name: getattr(settings, name) for name in ("secret_key", "identity_key") if getattr(settings, name, None)
    }
    env = {**os.environ, "SETTINGS": json.dumps(said | secrets), "PYTHONPATH": str(PROJECT)}
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(import_id)],
        env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT,
    )  # fmt: skip
    assert worker.stdout
    told = next((line for line in iter(worker.stdout.readline, "") if line.strip() == "2000"), "").strip()
    seen = the(session, import_id)
    assert (told, seen.state, seen.done) == ("2000", ImportState.COMMITTING, 2000)  # everything is there, for it alone
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(timeout=20)
    assert counted(session) == (0, 0, 0, 0)
    grown_old(session, import_id)
    session.rollback()
    rung: list[str] = []
    monkeypatch.setattr(work, "ring", lambda task, one: rung.append(one))
    work.resume_lists()
    assert rung == [str(import_id)]
    for _tries in range(50):  # the database notices within moments that the process is gone
        if session.scalar(text("select count(*) from pg_locks where locktype = 'advisory'")) == 0:
            break
        time.sleep(0.1)
    work.commit_list(str(import_id))
    assert counted(session)[0] == 2000
    assert the(session, import_id).state is ImportState.COMMITTED


@pytest.mark.committed
def test_a_worker_that_lost_its_claim_cannot_commit(session: Session, user: User) -> None:
    import_id = ready(user, many(30))
    begin(import_id)
    late = work.commit(import_id)
    assert next(late) == 30  # all are added, in its own transaction
    with aside() as beside:
        row = beside.scalars(select(ListImport).where(ListImport.id == import_id)).one()
        row.heartbeat_at = clock.now() + timedelta(seconds=1)  # another has claimed it
    assert list(late) == []
    assert counted(session) == (0, 0, 0, 0)


@pytest.mark.committed
def test_progress_is_seen_from_another_connection_while_nobody_is_there_yet(session: Session, user: User) -> None:
    import_id = ready(user, many(50))
    begin(import_id)
    steps = work.commit(import_id)
    assert next(steps) == 50
    with aside() as beside:
        row = beside.scalars(select(ListImport).where(ListImport.id == import_id)).one()
        people = beside.scalar(select(func.count()).select_from(Prospect))
        assert (row.state, row.done, people) == (ImportState.COMMITTING, 50, 0)
    list(steps)
    assert counted(session)[0] == 50


@pytest.mark.committed
def test_two_lists_at_once_add_nobody_twice(app: Flask, session: Session, user: User) -> None:
    first, second = ready(user, many(300)), ready(user, many(400))
    for import_id in (first, second):
        begin(import_id)
    session.rollback()
    barrier = threading.Barrier(2)

    def go(import_id: UUID) -> None:
        with app.app_context():
            barrier.wait()
            work.commit_list(str(import_id))
            db.session.remove()

    threads = [threading.Thread(target=go, args=(one,)) for one in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(session)[0] == 400
    assert {the(session, one).state for one in (first, second)} == {ImportState.COMMITTED}
    assert sum(the(session, one).created for one in (first, second)) == 400


@pytest.mark.committed
def test_work_that_is_interrupted_again_and_again_is_left_to_a_person(
    session: Session, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = ready(user, many(10))
    begin(import_id)

    def dies(*_args: Any, **_kwargs: Any) -> Iterator[int]:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(committing, "load", dies)
        for tries in range(MOST_TRIES):
            with pytest.raises(Killed):
                work.commit_list(str(import_id))
            told = problem_sentence(the(session, import_id).problem)
            assert (told is not None) is (tries > 0)
            grown_old(session, import_id)
        work.commit_list(str(import_id))
    row = the(session, import_id)
    assert (row.state, counted(session)[0]) == (ImportState.READY, 0)
    assert json.loads(row.problem or "")["code"] == "loading_stopped"
    load(import_id)
    row = the(session, import_id)
    assert (row.state, row.problem, counted(session)[0]) == (ImportState.COMMITTED, None, 10)


@pytest.mark.committed
def test_taking_back_is_whole_or_not_at_all(session: Session, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = ready(user, many(30))
    load(import_id)
    begin(import_id, undoing)

    def dies(*_args: Any, **_kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(undoing, "note_change", dies)
        work.undo_list(str(import_id))
    here = select(func.count()).select_from(Prospect).where(Prospect.merged_into_id.is_(None))
    assert session.scalar(here) == 30
    grown_old(session, import_id)
    work.undo_list(str(import_id))
    assert session.scalar(here) == 0
    assert the(session, import_id).state is ImportState.UNDONE


def test_whoever_came_after_the_reading_is_met_at_loading(session: Session, user: User, make: Make) -> None:
    import_id = ready(user, many(5))
    make.prospect("Nguyễn Văn Baa", phone="+84910000001", birth_year=1951, place=make.ward("14812@2019-10-15"))
    load(import_id)
    row = the(session, import_id)
    assert (row.created, row.created + row.unchanged + row.updated + row.duplicates) == (4, 5)


def test_what_a_list_said_of_somebody_stays_with_them_and_stands_on_their_page(
    session: Session, user: User, make: Make, signed_in: Callable[..., FlaskClient]
) -> None:
    rows: list[list[Any]] = [
        ["Họ và tên", "Năm sinh", "SĐT", "CCCD", "Phường"],
        ["Nguyễn Văn An", 1980, "0912 345 678", "038080000011", "Ba Đình"],
    ]
    first, second = ready(user, spreadsheet(*rows), "một.xlsx"), ready(user, spreadsheet(*rows), "hai.xlsx")
    load(first)
    load(second)
    person = session.scalars(select(Prospect)).one()
    told = rows_behind(session, scope_of(session, user), person)
    assert [(one.filename, one.sheet, one.row_number, one.outcome) for one in told] == [
        ("hai.xlsx", "Danh sách", 2, RowOutcome.UNCHANGED),
        ("một.xlsx", "Danh sách", 2, RowOutcome.NEW),
    ]
    cells = dict(told[0].cells)
    assert cells["SĐT"] == "0912 345 678"
    assert cells["CCCD"] == "038***011"
    stranger = make.user(Role.VOLUNTEER)
    assert rows_behind(session, scope_of(session, stranger), person) == []
    page = signed_in(user).get(f"/people/{person.id}/lists").text
    assert "038***011" in page


def test_identity_numbers_are_masked_wherever_they_stand() -> None:
    phones = {"+84912345678"}
    assert masked_cell("CMND 171 234 567, ĐT 0912.345.678", phones) == "CMND 171***567, ĐT 0912.345.678"
    assert masked_cell("12.03.1970", phones) == "12.03.1970"


def test_two_workers_never_hold_one_list(session: Session, user: User) -> None:
    import_id = ready(user, many(3))
    begin(import_id)
    now = clock.now()
    with transaction() as current:
        first = committing.begin(current, import_id, now)
        assert first
        assert committing.begin(current, import_id, now + timedelta(seconds=5)) is None
    with transaction() as current:
        second = committing.begin(current, import_id, now + timedelta(seconds=90))
        assert second
        with pytest.raises(at_work.LostClaim):
            at_work.beat(current, first, now + timedelta(seconds=91))
    assert session.scalar(select(func.count()).select_from(ImportRow)) == 3
