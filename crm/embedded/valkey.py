"""One Valkey server in a folder of the data directory, reachable through a socket only."""

import signal
import socket
import time
from pathlib import Path

from crm.embedded.directory import CannotRun
from crm.embedded.programs import Runner, end, living


def is_alive(data_dir: Path) -> bool:
    """Whether the server of this data directory runs."""
    return living(_pid_file(data_dir)) is not None


def url(sockets: Path) -> str:
    """The server as redis-py spells it; see `crm.embedded.brokers` for the other spellings."""
    return f"unix://{_socket(sockets)}?db=0"


def start(data_dir: Path, sockets: Path, runner: Runner, *, durable: bool) -> None:
    """Start the server; returns once it answers. What was queued when it last stopped is queued again."""
    folder = runner.own(data_dir / "valkey")
    settings = {
        "port": "0",
        "unixsocket": str(_socket(sockets)),
        "unixsocketperm": "700",
        "daemonize": "yes",
        "pidfile": "valkey.pid",
        "logfile": "valkey.log",
        "appendonly": "yes" if durable else "no",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    log = data_dir / "logs" / "valkey.log"
    with log.open("ab") as output:
        started = runner.run([runner.valkey, *options], inside=folder, log=output).returncode == 0
    until = time.monotonic() + 60
    while started and time.monotonic() < until:
        if _answers(_socket(sockets)):
            return
        if time.monotonic() > until - 58 and not is_alive(data_dir):
            break
        time.sleep(0.02)
    raise CannotRun(f"Valkey did not start: see the end of {folder / 'valkey.log'} and {log}.")


def stop(data_dir: Path) -> None:
    """Stop the server, which writes down what is queued; returns once it has gone."""
    end(_pid_file(data_dir), (signal.SIGTERM, 20), (signal.SIGKILL, 5))


def _pid_file(data_dir: Path) -> Path:
    return data_dir / "valkey" / "valkey.pid"


def _socket(sockets: Path) -> Path:
    return sockets / "valkey.sock"


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1)
            line.connect(str(path))
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")  # while it still loads, it says so instead
    except OSError:
        return False
