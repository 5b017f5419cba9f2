"""Whether the servers of a data directory live, where their sockets are, and how they are stopped.

Apart from `crm.embedded.services`, so that the watchman, who needs no more, stays small in memory.
"""

import json
import os
import shutil
import signal
from pathlib import Path

from crm.embedded.programs import end, living


def cluster(data_dir: Path) -> Path:
    """PostgreSQL's folder."""
    return data_dir / "postgres"


def queue(data_dir: Path) -> Path:
    """Valkey's folder."""
    return data_dir / "valkey"


def postgres_lives(data_dir: Path) -> bool:
    """Whether the PostgreSQL server of this data directory runs."""
    return living(_postgres_mark(data_dir)) is not None


def valkey_lives(data_dir: Path) -> bool:
    """Whether the Valkey server of this data directory runs."""
    return living(_valkey_mark(data_dir)) is not None


def halt(data_dir: Path) -> None:
    """Stop both servers, whoever started them, and wait until they have gone. Call it behind the door."""
    end(_valkey_mark(data_dir), (signal.SIGTERM, 20), (signal.SIGKILL, 5))
    # what pg_ctl calls "fast" and "immediate"
    end(_postgres_mark(data_dir), (signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 5))
    if sockets := known_sockets(data_dir):
        shutil.rmtree(sockets, ignore_errors=True)
    _note(data_dir).unlink(missing_ok=True)


def known_sockets(data_dir: Path) -> Path | None:
    """The directory the sockets are in, if there is one and no one else could have put it there."""
    try:
        sockets = Path(json.loads(_note(data_dir).read_text())["sockets"])
        found = sockets.lstat()
    except (OSError, ValueError, KeyError):
        return None
    ours = os.geteuid() in (0, found.st_uid) and found.st_mode & 0o7777 == 0o700
    return sockets if ours else None


def remember_sockets(data_dir: Path, sockets: Path) -> None:
    """Write down where the sockets are, for those who join."""
    _note(data_dir).write_text(json.dumps({"sockets": str(sockets)}))


def _note(data_dir: Path) -> Path:
    return data_dir / "running.json"


def _postgres_mark(data_dir: Path) -> Path:
    return cluster(data_dir) / "postmaster.pid"


def _valkey_mark(data_dir: Path) -> Path:
    return queue(data_dir) / "valkey.pid"
