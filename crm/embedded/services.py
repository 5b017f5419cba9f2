"""Start the services of a data directory, or join them when they run; the last one out stops them.

Whoever uses the services holds a share of one lock, which the kernel lets go when that process ends. So
nothing has to be counted, a killed process leaves no wrong count, and a small watchman
(`crm.embedded.watchman`) can stop servers whose last user was killed.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Self

from crm.embedded import postgres, valkey
from crm.embedded.directory import (
    CannotRun,
    Lock,
    Secrets,
    default_data_dir,
    door,
    nobody_uses,
    prepare,
    secrets,
    users_lock,
)
from crm.embedded.halting import halt, known_sockets, postgres_lives, remember_sockets, valkey_lives
from crm.embedded.programs import postgres_programs, runner

__all__ = [
    "CannotRun",
    "Running",
    "Secrets",
    "default_data_dir",
    "postgres_programs",
    "secrets",
    "start",
]

PROJECT = str(Path(__file__).parents[2])
SHORT = ("/run", "/tmp")  # (mkdtemp makes a new directory in it, private from the first moment)
LONGEST_SOCKET_PATH = 107  # bytes; a limit of the kernel


class Running:
    """One use of the running services. End it with `stop()`, or use it as a context."""

    def __init__(self, data_dir: Path, sockets: Path, kept: Secrets, share: Lock) -> None:
        self.data_dir = data_dir
        self.database_url = postgres.url(sockets, postgres.APP, kept.app_password)
        self.migrate_database_url = postgres.url(sockets, postgres.OWNER, kept.owner_password)
        self.redis_url = valkey.url(sockets)
        self._share: Lock | None = share

    def stop(self) -> None:
        """End this use. If nobody else uses the services, stop them and wait until they have gone."""
        if self._share is None:
            return
        with door(self.data_dir):
            self._share.close()
            self._share = None
            if nobody_uses(self.data_dir):
                halt(self.data_dir)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    data_dir: Path,
    *,
    durable: bool = True,
    with_postgres: bool = True,
    with_valkey: bool = True,
) -> Running:
    """Start what does not run yet and join the rest.

    `durable=False` is for tests: a crash of the machine may lose data. Raises `CannotRun` with one line.
    """
    data_dir = prepare(data_dir)
    kept = secrets(data_dir)
    share = users_lock(data_dir)
    try:
        with door(data_dir):
            share.share()
            _post_watchman(data_dir)
            sockets = _run_all(
                data_dir,
                kept,
                durable=durable,
                with_postgres=with_postgres,
                with_valkey=with_valkey,
            )
    except BaseException:
        Running(data_dir, data_dir, kept, share).stop()
        raise
    return Running(data_dir, sockets, kept, share)


def _run_all(
    data_dir: Path,
    kept: Secrets,
    *,
    durable: bool,
    with_postgres: bool,
    with_valkey: bool,
) -> Path:
    sockets = known_sockets(data_dir) or _make_sockets(data_dir)
    missing_postgres = with_postgres and not postgres_lives(data_dir)
    missing_valkey = with_valkey and not valkey_lives(data_dir)
    if missing_postgres or missing_valkey:
        user = runner()
        if missing_valkey:
            valkey.start(data_dir, sockets, user, durable=durable)
        if missing_postgres:
            postgres.start(data_dir, sockets, user, kept, durable=durable)
    return sockets


def _make_sockets(data_dir: Path) -> Path:
    """A short private directory for the sockets: their paths must not be long, that of the data may be."""
    halt(data_dir)  # a server whose sockets have vanished cannot be joined
    parent = next((place for place in SHORT if os.access(place, os.W_OK)), tempfile.gettempdir())
    sockets = Path(tempfile.mkdtemp(prefix="ansinh-", dir=parent))
    runner().give(sockets)
    if len(os.fsencode(sockets / ".s.PGSQL.5432.lock")) > LONGEST_SOCKET_PATH:
        sockets.rmdir()
        raise CannotRun(f"The path of {sockets} is too long for a socket: set TMPDIR to a shorter one.")
    remember_sockets(data_dir, sockets)
    return sockets


def _post_watchman(data_dir: Path) -> None:
    """See to it that a watchman is there to stop the servers should all their users be killed."""
    with Lock(data_dir / "watch.lock") as lock:
        if not lock.take_if_free():
            return
    command = [sys.executable, "-m", "crm.embedded.watchman", str(data_dir)]
    log = str(data_dir / "logs" / "watchman.log")
    os.posix_spawn(
        sys.executable,
        command,
        {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [*sys.path, PROJECT]))},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (
                os.POSIX_SPAWN_OPEN,
                1,
                log,
                os.O_WRONLY | os.O_CREAT | os.O_APPEND,
                0o600,
            ),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,  # a Ctrl-C at the terminal is not for it
    )
