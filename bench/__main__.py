"""`python -m bench [--people 100000]`: list, filter, search, open and log, ours against the floor in one run.

Both are served by the same gunicorn settings on the same PostgreSQL; one client asks them in turn over kept-alive
connections, so a machine that slows down slows both. What counts is the ratio.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from flask.sessions import SecureCookieSessionInterface
from flask_migrate import upgrade
from sqlalchemy import text

from bench.people import fill
from crm import clock
from crm.accounts.rules import Role
from crm.accounts.services import add_token, add_user
from crm.app import create_app
from crm.db import plain_engine, transaction
from crm.places.queries import the_town, units
from crm.running import environment, settings_of

SETTINGS = str(Path(__file__).parents[1] / "crm" / "gunicorn_settings.py")
WARM, COUNTED = 15, 80

GOALS = {"list": 2.2, "filter": 2.2, "search": 1.1, "open": 3.0, "log a visit": 2.0}
"""Full pages against the floor: the goals this project set itself."""


def free_port() -> int:
    with closing(socket.socket()) as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@contextmanager
def served(app: str, env: dict[str, str]) -> Iterator[int]:
    """gunicorn on a free port of the loopback."""
    port = free_port()
    argv = [sys.executable, "-m", "gunicorn", "-c", SETTINGS, "-b", f"127.0.0.1:{port}", app]
    process = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with closing(socket.socket()) as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


class Client:
    """One kept-alive connection."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = headers

    def ask(self, method: str, path: str, body: Any = None) -> float:
        """Seconds for one answer, read to its end. Anything but success ends the run."""
        data = json.dumps(body).encode() if body is not None else None
        headers = self.headers | ({"Content-Type": "application/json"} if data else {})
        began = time.perf_counter()
        self.connection.request(method, path, body=data, headers=headers)
        answer = self.connection.getresponse()
        content = answer.read()
        took = time.perf_counter() - began
        if answer.status not in (200, 201):
            raise SystemExit(f"{method} {path} answered {answer.status}: {content[:300]!r}")
        return took


def compare(name: str, ours: Callable[[], float], floor: Callable[[], float]) -> dict[str, Any]:
    """Medians of both, asked in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(WARM + COUNTED):
        for kept, ask in zip(times, (ours, floor), strict=True):
            took = ask()
            if turn >= WARM:
                kept.append(took * 1000)
    mine, theirs = statistics.median(times[0]), statistics.median(times[1])
    return {"name": name, "ours": mine, "floor": theirs, "ratio": mine / theirs, "goal": GOALS[name]}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--people", type=int, default=100_000)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ansinh-bench-", dir="/var/tmp"))
    try:
        with environment(folder) as env:
            env["CRM_ENV"] = "production"
            run(env, asked.people)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(env: dict[str, str], count: int) -> None:
    app = create_app(settings_of(env))
    with app.app_context():
        upgrade()
        began = time.perf_counter()
        with transaction() as session:
            town = the_town(session)
            user = add_user(
                session,
                town.id,
                "bench@example.vn",
                full_name="Bench",
                role=Role.MANAGER,
                password_hash=None,
                at=clock.now(),
            )
            token = add_token(session, user, name="bench", scopes=[], at=clock.now())
            people = fill(session, user, count)
            place = session.scalars(units(town.id, clock.today())).first()
        assert place is not None
        place_id = place.id
        with plain_engine(app.config["MIGRATE_DATABASE_URL"]).connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))
        print(f"{count:,} people with {3 * count:,} visits loaded in {time.perf_counter() - began:.1f} s\n")
        serializer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert serializer is not None
        cookie = serializer.dumps({"_user_id": user.fs_uniquifier, "_fresh": True})
        user_id = str(user.id)
    with served("crm.wsgi:app", env) as ours_port, served("bench.floor:app", env) as floor_port:
        page = Client(ours_port, {"Cookie": f"session={cookie}"})
        api = Client(ours_port, {"Authorization": f"Bearer {token}"})
        floor = Client(floor_port, {})
        ids = iter(people * 2)
        q = urllib.parse.quote("nguyen thi dang")

        def log_ours() -> float:
            visit = {
                "client_id": str(uuid.uuid4()),
                "prospect_id": str(next(ids)),
                "occurred_at": clock.now().isoformat(),
                "channel": "home_visit",
                "outcome": "considering",
            }
            return api.ask("POST", "/api/v1/visits", visit)

        def log_floor() -> float:
            return floor.ask("POST", "/log", {"user": user_id, "prospect_id": str(next(ids)), "outcome": "considering"})

        rows = [
            compare("list", lambda: page.ask("GET", "/people"), lambda: floor.ask("GET", "/list")),
            compare(
                "filter",
                lambda: page.ask("GET", f"/people?place={place_id}&stage=interested"),
                lambda: floor.ask("GET", f"/filtered?place={place_id}&stage=interested"),
            ),
            compare(
                "search",
                lambda: page.ask("GET", f"/people?q={q}"),
                lambda: floor.ask("GET", f"/search?q={q.replace('%20', '+')}"),
            ),
            compare(
                "open", lambda: page.ask("GET", f"/people/{next(ids)}"), lambda: floor.ask("GET", f"/one/{next(ids)}")
            ),
            compare("log a visit", log_ours, log_floor),
        ]
    print(f"{'p50, ms':<14}{'ours':>8}{'floor':>8}{'ratio':>8}{'goal':>8}")
    for row in rows:
        print(f"{row['name']:<14}{row['ours']:>8.1f}{row['floor']:>8.1f}{row['ratio']:>8.2f}{row['goal']:>7.1f}x")


if __name__ == "__main__":
    main()
