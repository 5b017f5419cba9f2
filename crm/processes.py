"""The processes of an installation: everything in one tree (`crm up`), or one role on each of several machines."""

from __future__ import annotations

import os
import socket
import sys
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import click
from flask_babel import lazy_gettext as _l

from config import from_environment
from crm.embedded.services import CannotRun, default_data_dir
from crm.environment import environment, kept_alive
from crm.named import read
from crm.queues import Queue
from crm.supervisor import Child, Supervisor, only_one
from crm.workers import worker_argv, workers

PYTHON = sys.executable
ROOT = Path(__file__).parent.parent


def web_argv(host: str, port: int) -> list[str]:
    return [
        PYTHON,
        "-m",
        "gunicorn",
        "-c",
        str(ROOT / "crm" / "gunicorn_settings.py"),
        "-b",
        f"{host}:{port}",
        "crm.wsgi:app",
    ]


def beat_argv(data_dir: Path) -> list[str]:
    schedule = str(data_dir / "timetable")
    return [PYTHON, "-m", "celery", "-A", "crm.timetable", "beat", "--loglevel", "INFO", "-s", schedule, "--pidfile="]


def children(env: dict[str, str], data_dir: Path, host: str, port: int, sandbox_port: int | None) -> list[Child]:
    """What runs, in the order it starts; the last started ends first."""
    started = []
    if sandbox_port is not None:
        own = f"http://127.0.0.1:{port}"
        argv = [PYTHON, "-m", "crm.sandbox", "--port", str(sandbox_port), "--db", str(data_dir / "sandbox.sqlite")]
        argv += ["--callback", own, "--inbound", env["PUBLIC_URL"] + "/webhooks/twilio/inbound"]
        started.append(Child("sandbox", argv, env))
    started.append(Child("web", web_argv(host, port), env))
    started += workers(env)
    started.append(Child("timetable", beat_argv(data_dir), env))
    return started


@click.command()
@click.option("--demo", "with_demo", is_flag=True, help="Load the demo town when there is nothing yet.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="As the option before the command.")
@click.pass_context
def up(context: click.Context, with_demo: bool, host: str, port: int, data_dir: Path | None) -> None:
    """Start everything: database, broker, web, workers, timetable and, without Twilio, the SMS sandbox."""
    folder = (data_dir or context.obj or default_data_dir()).expanduser().absolute()
    with only_one(folder):
        must_be_free(host, port)
        with environment(folder, up_at=f"http://{host}:{port}") as env:
            settings = from_environment(env)
            sandbox_port = None if settings.twilio_account_sid else free_port(port + 1)
            if sandbox_port:
                env["SANDBOX_URL"] = f"http://127.0.0.1:{sandbox_port}"
            accounts = read("crm.demo.services:prepare")(from_environment(env), with_demo=with_demo)
            env.pop("CRM_CLOCK", None)  # it stands in the database now, where `crm clock` can move it
            tree = Supervisor(children(env, folder, host, port, sandbox_port), folder)

            def tell() -> None:
                click.echo(f"An Sinh is ready: {env['PUBLIC_URL']}")
                if sandbox_port:
                    click.echo(f"SMS sandbox (nothing is really sent): {env['SANDBOX_URL']}/phone")
                for line in accounts:
                    click.echo(line)
                click.echo("Press Ctrl-C to stop.")

            with kept_alive(folder, lambda line: click.echo(line, err=True)):
                status = tree.run(ready=lambda: answers(port, host), on_ready=tell, timeout=90)
    context.exit(status)


def must_be_free(host: str, port: int) -> None:
    """Refuse to start on a port that something else has."""
    with closing(socket.socket()) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            raise CannotRun(
                _l("Port %(port)s on %(host)s cannot be used: choose another with --port.", port=port, host=host)
            ) from None


def free_port(first: int) -> int:
    """The first free port from `first` on."""
    for port in range(first, min(first + 100, 65536)):
        with closing(socket.socket()) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise CannotRun(_l("No port from %(port)s on is free for the SMS sandbox: choose another --port.", port=first))


def answers(port: int, host: str) -> bool:
    """Whether the web role and what it needs are there."""
    reach = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    try:
        with urllib.request.urlopen(f"http://{reach}:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def become(argv: list[str]) -> None:
    """Turn this process into one role; the database and broker must be named."""
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    if missing:
        raise CannotRun(
            _l("Set %(names)s first: a single role joins services that run elsewhere.", names=", ".join(missing))
        )
    from_environment(os.environ)
    os.chdir(ROOT)
    os.execv(argv[0], argv)


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
def web_command(host: str, port: int) -> None:
    """The web role alone."""
    become(web_argv(host, port))


@click.command("worker")
@click.option(
    "--only",
    type=click.Choice(["messages", "work"]),
    help="What leads to a message, or long work such as lists and reports. Without it both, each in a pool of its own.",
)
def worker_command(only: str | None) -> None:
    """The background role alone."""
    chosen = {"messages": Queue.MESSAGES, "work": Queue.WORK}
    become(worker_argv(chosen[only]) if only else [PYTHON, "-m", "crm.workers"])


@click.command("beat")
@click.pass_context
def beat_command(context: click.Context) -> None:
    """The timetable alone; two of them do no harm."""
    folder = context.obj or default_data_dir()
    folder.mkdir(parents=True, exist_ok=True)
    become(beat_argv(folder))
