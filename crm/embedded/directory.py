"""The data directory: where it is, the secrets and the address it keeps and the locks by which commands take turns in it."""

import base64
import fcntl
import json
import os
import secrets as randomness
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

SECRETS = "secrets.json"
ADDRESS = "address"


class CannotRun(Exception):
    """The services cannot run here; the message is one line for the person at the keyboard."""


@dataclass(frozen=True)
class Secrets:
    """What is generated once for a data directory and never leaves it."""

    secret_key: str
    identity_key: str  # 32 random bytes in URL-safe base64: the spelling of a Fernet key
    superuser_password: str
    owner_password: str
    app_password: str


def default_data_dir() -> Path:
    """`CRM_DATA_DIR`, else /var/lib/ansinh for root, else ansinh in the user's own data directory."""
    if told := os.environ.get("CRM_DATA_DIR"):
        return Path(told).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/ansinh")
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "ansinh"


def prepare(data_dir: Path) -> Path:
    """Make the directory, private to its owner (0700); gives its absolute path. No parent's mode changes."""
    data_dir = data_dir.expanduser().absolute()
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = data_dir.stat()
        if found.st_uid != os.geteuid():
            raise CannotRun(f"{data_dir} belongs to another user: run this command as that user.")
        if found.st_mode & 0o077:
            data_dir.chmod(0o700)
        (data_dir / "logs").mkdir(mode=0o700, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise CannotRun(f"{data_dir} is not a directory: name another with --data-dir.") from None
    except OSError as error:
        raise CannotRun(f"Cannot use {data_dir} ({error.strerror}): name another with --data-dir.") from None
    return data_dir


def secrets(data_dir: Path) -> Secrets:
    """The directory's secrets, generated on the first call and kept in a file only its owner can read."""
    kept = prepare(data_dir) / SECRETS
    if not kept.exists():
        _generate(kept)
    try:
        return Secrets(**json.loads(kept.read_text()))
    except (OSError, ValueError, TypeError):
        raise CannotRun(f"{kept} cannot be read: restore it from a backup.") from None


def keep_address(data_dir: Path, address: str) -> None:
    """Write down under which address the program is up here, for commands that run beside it."""
    fresh = prepare(data_dir) / f"{ADDRESS}.new"
    fresh.write_text(f"{address}\n")
    fresh.replace(data_dir / ADDRESS)


def kept_address(data_dir: Path) -> str | None:
    """The address under which the program was last up here; None where it never was."""
    try:
        return (data_dir / ADDRESS).read_text().strip() or None
    except (OSError, ValueError):
        return None


def _generate(kept: Path) -> None:
    if (kept.parent / "postgres").exists():
        raise CannotRun(f"{kept} is missing although there is a database: restore it from a backup.")
    fresh = Secrets(
        secret_key=randomness.token_urlsafe(48),
        identity_key=base64.urlsafe_b64encode(randomness.token_bytes(32)).decode(),
        superuser_password=randomness.token_urlsafe(24),
        owner_password=randomness.token_urlsafe(24),
        app_password=randomness.token_urlsafe(24),
    )
    draft = kept.with_name(f".{SECRETS}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(fresh), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, kept)  # unlike a rename, refuses when another command was quicker
    except FileExistsError:
        pass
    finally:
        draft.unlink()


class Lock:
    """A lock on a file. The kernel drops it when its holder ends in whatever way, kill -9 included."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def share(self) -> None:
        """Hold it together with others who share it."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def take(self) -> None:
        """Wait until nobody else holds it, then hold it alone."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def take_if_free(self) -> bool:
        """Hold it alone if nobody else holds it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def let_go(self) -> None:
        """Let others have it."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go for good."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def door(data_dir: Path) -> Iterator[None]:
    """Only one command at a time starts or stops the services of a directory."""
    with Lock(data_dir / "door.lock") as lock:
        lock.take()
        yield


def users_lock(data_dir: Path) -> Lock:
    """Shared by everyone who uses the services: the last one out stops them."""
    return Lock(data_dir / "users.lock")


def nobody_uses(data_dir: Path) -> bool:
    """Whether no command uses the services. Ask behind the door."""
    with users_lock(data_dir) as lock:
        return lock.take_if_free()
