"""One Valkey server in a folder of the data directory, reachable through a socket only."""

import socket
import time
from pathlib import Path

from crm.embedded.directory import CannotRun
from crm.embedded.halting import queue, valkey_lives
from crm.embedded.programs import Runner


def url(sockets: Path) -> str:
    """The server as redis-py spells it; see `crm.embedded.brokers` for the other spellings."""
    return f"unix://{_socket(sockets)}?db=0"


def start(data_dir: Path, sockets: Path, runner: Runner, *, durable: bool) -> None:
    """Start the server; returns once it answers. What was queued when it last stopped is queued again."""
    folder = runner.own(queue(data_dir))
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
    began = time.monotonic()
    while started and time.monotonic() < began + 60:
        if _answers(_socket(sockets)):
            return
        if time.monotonic() > began + 2 and not valkey_lives(data_dir):
            break
        time.sleep(0.02)
    raise CannotRun(f"Valkey did not start: see the end of {folder / 'valkey.log'} and {log}.")


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
