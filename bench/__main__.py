"""`python -m bench [--people 100000] [--grow-to 1000000] [--write docs/benchmarks.md]`: ours against the floor.

`--only PART` measures one of PARTS alone; `--help` tells what each does, its module what it finds.

Both are served by the same gunicorn settings on the same PostgreSQL; one client asks them in turn over kept-alive
connections, so a machine that slows down slows both. What counts is the ratio.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import cycle
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask_migrate import upgrade
from sqlalchemy import select, text

from bench import forecast, identity, importing, ledger, matching, pipeline, preflight, sms, statements
from bench.people import fill
from bench.serving import Client, Served, answers_a_second, memory, served
from config import from_environment
from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.accounts.services import add_token, add_user
from crm.app import create_app
from crm.db import plain_engine, transaction
from crm.environment import environment
from crm.places.queries import the_town, units

WARM, COUNTED = 15, 120
CLIENTS, SECONDS = 8, 8.0
FIRST, LAST = "<!-- the last run -->", "<!-- end of the last run -->"


class Figure(NamedTuple):
    """One line of the table; `goal` is the most the ratio should be, or with `least` the least."""

    name: str
    unit: str
    ours: float
    floor: float
    goal: float
    least: bool = False

    @property
    def ratio(self) -> float:
        return self.ours / self.floor

    @property
    def reached(self) -> bool:
        return self.ratio >= self.goal if self.least else self.ratio <= self.goal

    def __str__(self) -> str:
        goal = f"{'≥' if self.least else '≤'} {self.goal:g} ×"
        reached = "yes" if self.reached else "no"
        return f"| {self.name} | {self.unit} | {self.ours:.1f} | {self.floor:.1f} | {self.ratio:.2f} × | {goal} | {reached} |"


class Loaded(NamedTuple):
    """Whose pages are asked, and about whom."""

    cookie: str
    token: str
    user_id: str
    place_id: str
    people: list[UUID]


class Asked(NamedTuple):
    """What was asked for, and where it is measured."""

    env: dict[str, str]
    """Settings of a program of its own, with empty services up; nothing for a part that needs none."""
    folder: Path
    people: int
    rows: int
    messages: int
    acts: int

    def app(self) -> Flask:
        return create_app(from_environment(self.env))


class Part(NamedTuple):
    """Something that is measured alone; `measure` answers Markdown."""

    help: str
    measure: Callable[[Asked], str]
    in_program: bool = True
    """Whether it needs a program with its services up."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        epilog="\n".join(["parts:", *(f"  {name:<12}{part.help}" for name, part in PARTS.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--grow-to", type=int, default=0, help="measure list and filter again with so many people")
    parser.add_argument("--write", type=Path, help="put the table into this file, between its two marks")
    parser.add_argument("--rows", type=int, default=importing.ROWS, help="rows of the list, at most --people")
    parser.add_argument("--only", choices=PARTS, help="measure only this part")
    parser.add_argument("--messages", type=int, default=20_000, help="messages to send, with --only sms")
    parser.add_argument("--acts", type=int, default=10_000, help="acts with money, with --only ledger")
    given = parser.parse_args()
    if given.only and (given.write or given.grow_to):
        parser.error("--only measures one part: leave out --write and --grow-to")
    if given.people < 1 or given.rows < 1:
        parser.error("--people and --rows are at least 1")
    part = PARTS[given.only] if given.only else Part("", lambda asked: run(asked, given.grow_to))
    with tempfile.TemporaryDirectory(prefix="ansinh-bench-", dir="/var/tmp", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        with environment(folder) if part.in_program else nullcontext(dict[str, str]()) as env:
            env["CRM_ENV"] = "production"
            rows = min(given.rows, given.people)
            table = part.measure(Asked(env, folder, given.people, rows, given.messages, given.acts))
    print(table)
    if given.write:
        write(given.write, table)


def write(file: Path, table: str) -> None:
    """Put the table where the last one stood."""
    before, _, rest = file.read_text().partition(FIRST)
    _, _, after = rest.partition(LAST)
    file.write_text(f"{before}{FIRST}\n{table}\n{LAST}{after}")


def run_importing(asked: Asked) -> str:
    """The part about a list, alone."""
    app = asked.app()
    load(app, asked.people)
    told = importing.report(importing.speed(app, asked.folder, asked.rows))
    return f"{clock.today()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.\n{told}"


def run_identity(asked: Asked) -> str:
    """The part about the same person twice, alone: a register of its own, looked through."""
    app = asked.app()
    with app.app_context():
        upgrade()
    told = identity.report({}, identity.in_the_database(app, asked.people))
    return f"{clock.today()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.\n{told}"


def run_statements(asked: Asked) -> str:
    """The part about a bank's statement, alone."""
    told, seconds = statements.quality(statements.HELD_OUT)
    return statements.report(told, seconds, statements.through_the_database(asked.app()))


PARTS = {
    "forecast": Part("how often the ranges of forecasts hold what comes", lambda _: forecast.measure(), False),
    "identity": Part("who is in the register twice", run_identity),
    "importing": Part("the loading of a list", run_importing),
    "ledger": Part(
        "acts with money by several processes, some of them killed", lambda it: ledger.measure(it.app(), it.acts)
    ),
    "matching": Part("proposals whom to fund", lambda it: matching.measure(it.app())),
    "pipeline": Part("what the pipeline asks of the whole town", lambda it: pipeline.measure(it.app(), it.people)),
    "preflight": Part(
        "a look at everybody of a campaign, and its launch", lambda it: preflight.measure(it.app(), it.people)
    ),
    "sms": Part("sending, and taking receipts", lambda it: sms.measure(it.env, it.messages)),
    "statements": Part("matching the lines of a bank's statement", run_statements),
}


def run(asked: Asked, grow_to: int) -> str:
    """The table of one run, in Markdown; with `grow_to` list and filter are measured again among so many people."""
    app, count = asked.app(), asked.people
    loaded = load(app, count)
    with both(asked.env) as (ours, floor):
        figures = speeds(loaded, ours, floor)
        figures.append(crowd(loaded, ours, floor))
        figures.append(Figure("memory of the web processes", "MB", memory(ours.pid), memory(floor.pid), 1.3))
        figures.append(Figure("cold start", "ms", ours.cold_start, floor.cold_start, 1.4))
    recognised = {f"{count:,}": identity.speed(app)}
    imported = importing.speed(app, asked.folder, asked.rows)
    if grow_to > count + imported.added:
        few = {figure.name: figure for figure in figures}
        grow(app, count, grow_to - imported.added)
        with both(asked.env) as (ours, floor):
            many = speeds(loaded, ours, floor)
        recognised[f"{grow_to:,}"] = identity.speed(app)
        figures += [at(grow_to, figure) for figure in many]
        figures += [
            Figure(f"{one.name}: {grow_to:,} against {count:,}", "ms", one.ours, few[one.name].ours, 1.2)
            for one in many
            if one.name in ("list", "filtered list")
        ]
    load_now, cores = os.getloadavg()[0], os.cpu_count()
    head = (
        f"{clock.today()}, {count:,} people with {3 * count:,} visits, {cores} cores, load {load_now:.1f} at the end."
    )
    lines = ["| | | ours | floor | ratio | goal | reached |", "| --- | --- | ---: | ---: | ---: | ---: | --- |"]
    return "\n".join([head, "", *lines, *map(str, figures), identity.report(recognised), importing.report(imported)])


def at(count: int, figure: Figure) -> Figure:
    """The same figure, saying how many people there were."""
    return figure._replace(name=f"{figure.name}, {count:,} people")


def load(app: Flask, count: int) -> Loaded:
    """Fill a new database; answers who asks and about whom."""
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
        settle(app)
        print(f"{count:,} people with {3 * count:,} visits loaded in {time.perf_counter() - began:.0f} s", flush=True)
        serializer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert serializer is not None
        cookie = serializer.dumps({"_user_id": user.fs_uniquifier, "_fresh": True})
        return Loaded(str(cookie), token, str(user.id), str(place.id), people)


def grow(app: Flask, count: int, grow_to: int) -> None:
    """Add people until there are so many besides those of the list."""
    began = time.perf_counter()
    with app.app_context():
        with transaction() as session:
            user = session.scalars(select(User).where(User.email == "bench@example.vn")).one()
            fill(session, user, grow_to - count, after=count)
        settle(app)
    print(f"grown to {grow_to:,} people besides those of the list in {time.perf_counter() - began:.0f} s", flush=True)


def settle(app: Flask) -> None:
    """Let PostgreSQL look at what is there now."""
    with plain_engine(app.config["MIGRATE_DATABASE_URL"]).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))


@contextmanager
def both(env: dict[str, str]) -> Iterator[tuple[Served, Served]]:
    """Ours and the floor, side by side."""
    with served("crm.wsgi:app", env, "/sign-in") as ours, served("bench.floor:app", env, "/list") as floor:
        yield ours, floor


def speeds(loaded: Loaded, ours: Served, floor_served: Served) -> list[Figure]:
    """What one client waits for."""
    page = Client(ours.port, {"Cookie": f"session={loaded.cookie}"})
    api = Client(ours.port, {"Authorization": f"Bearer {loaded.token}"})
    floor = Client(floor_served.port, {})
    ids = cycle(str(one) for one in loaded.people)
    narrowed = f"?place={loaded.place_id}&stage=interested"
    name = urllib.parse.quote_plus("nguyen thi dang")

    def log_ours() -> float:
        visit = {
            "client_id": str(uuid.uuid4()),
            "prospect_id": next(ids),
            "occurred_at": clock.now().isoformat(),
            "channel": "home_visit",
            "outcome": "considering",
        }
        return api.ask("POST", "/api/v1/visits", visit)

    def log_floor() -> float:
        return floor.ask("POST", "/log", {"user": loaded.user_id, "prospect_id": next(ids), "outcome": "considering"})

    def get(client: Client, path: Callable[[], str]) -> Callable[[], float]:
        return lambda: client.ask("GET", path())

    return [
        compare("list", 2.2, get(page, lambda: "/people"), get(floor, lambda: "/list")),
        compare(
            "filtered list",
            2.2,
            get(page, lambda: f"/people{narrowed}"),
            get(floor, lambda: f"/filtered{narrowed}"),
        ),
        compare("search", 1.1, get(page, lambda: f"/people?q={name}"), get(floor, lambda: f"/search?q={name}")),
        compare(
            "open a person", 3.0, get(page, lambda: f"/people/{next(ids)}"), get(floor, lambda: f"/one/{next(ids)}")
        ),
        compare("log a visit", 2.0, log_ours, log_floor),
    ]


def compare(name: str, goal: float, ours: Callable[[], float], floor: Callable[[], float]) -> Figure:
    """Medians of both, asked in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(WARM + COUNTED):
        for kept, ask in zip(times, (ours, floor), strict=True):
            took = ask()
            if turn >= WARM:
                kept.append(took * 1000)
    return Figure(name, "ms", statistics.median(times[0]), statistics.median(times[1]), goal)


def crowd(loaded: Loaded, ours: Served, floor: Served) -> Figure:
    """The list for eight clients at once."""
    cookie = {"Cookie": f"session={loaded.cookie}"}
    mine = answers_a_second(ours.port, cookie, "/people", clients=CLIENTS, seconds=SECONDS)
    theirs = answers_a_second(floor.port, {}, "/list", clients=CLIENTS, seconds=SECONDS)
    return Figure(f"list, {CLIENTS} clients", "answers/s", mine, theirs, 0.44, least=True)


if __name__ == "__main__":
    main()
