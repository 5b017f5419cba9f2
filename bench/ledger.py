"""The account book under fire: several processes do random acts with money at once, some are killed in the middle of one,
and an observer with a connection of its own looks whether the books are in order at any moment.

`python -m bench --only ledger` does ten thousand acts and prints what happened.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from multiprocessing.connection import wait
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.db import plain_engine, transaction
from crm.errors import RuleBroken
from crm.months import Month
from crm.names import fold, sort_key
from crm.participation.models import Payment
from crm.participation.queries import standing_payments
from crm.participation.rules import Basis
from crm.participation.services import reverse_payment
from crm.places.queries import the_town, units
from crm.prospects.models import Prospect, Standing
from crm.prospects.rules import Ground, Stage
from crm.sponsors import services
from crm.sponsors.giving.rules import Due, Frequency
from crm.sponsors.giving.services import scheduling
from crm.sponsors.ledger.closing import close_month
from crm.sponsors.ledger.recounting import differences
from crm.sponsors.models import Allocation, LedgerAccount, LedgerEntry, Pledge, Posting, Receipt, Sponsor
from crm.sponsors.rules import AccountKind, PledgeState, SponsorKind

TODAY = date(2019, 10, 15)
SPONSORS, PEOPLE = 4, 25
A_MONTH = 107_800
BETWEEN_LOOKS = 0.05
AT_ANY_MOMENT = text(
    """
    select (select coalesce(sum(amount), 0) from ledger_entry) as entries,
        (select coalesce(sum(balance), 0) from ledger_account) as balances,
        (select count(*) from ledger_account where balance < 0 and kind not in ('outside', 'promise')) as negative,
        (select count(*) from ledger_account a where balance <> (select coalesce(sum(e.amount), 0) from ledger_entry e
            where e.town_id = a.town_id and e.ledger_account_id = a.id)) as differing,
        (select count(*) from (select from allocation_month where released_at is null
            group by town_id, prospect_id, month having count(*) > 1) twice) as carried_twice,
        (select coalesce(sum(balance), 0) from ledger_account where kind = 'reserved')
            - (select coalesce(sum(amount), 0) from allocation_month where released_at is null and payment_id is null)
            as other_months
    """
)
"""One statement sees one moment: six numbers, all of which are to be nothing."""


class Cast(NamedTuple):
    """Who takes part."""

    town_id: UUID
    treasurer_id: UUID
    agent_id: UUID


class Outcome(NamedTuple):
    """What happened. `found`: what the observer or the recount saw that must not be."""

    done: Counter[str]
    refused: Counter[str]
    killed: int
    looks: int
    seconds: float
    found: list[str]


def prepare(session: Session) -> Cast:
    """Sponsors, people in need, a treasurer and an agent."""
    town, now = the_town(session), clock.now()
    place = session.scalars(units(town.id, TODAY)).first()
    assert place
    users = []
    for role in (Role.TREASURER, Role.AGENT):
        user = User(
            town_id=town.id,
            full_name=role.value,
            email=f"{role.value}@example.vn",
            role=role,
            fs_uniquifier=f"bench {role.value}",
            created_at=now,
            active=True,
        )
        session.add(user)
        users.append(user)
    session.flush()
    for number in range(SPONSORS):
        values: dict[str, Any] = {"kind": SponsorKind.COMPANY, "by_id": users[0].id, "at": now}
        services.register_sponsor(session, town.id, name=f"Công ty {number}", **values)
    for number in range(PEOPLE):
        name = f"Lê Thị Số {number}"
        person = Prospect(
            town_id=town.id,
            full_name=name,
            name_fold=fold(name),
            name_key=sort_key(name),
            place_id=place.id,
            stage=Stage.AGREED,
            created_at=now,
            updated_at=now,
        )
        session.add(person)
        session.flush()
        poor = {"ground": Ground.POOR, "valid_from": date(2019, 1, 1), "valid_to": date(2020, 12, 31)}
        session.add(Standing(town_id=town.id, prospect_id=person.id, recorded_at=now, **poor))
    session.flush()
    return Cast(town.id, users[0].id, users[1].id)


class Actor:
    """One process: random acts, each in a transaction of its own."""

    def __init__(self, session: Session, cast: Cast, random: Random) -> None:
        self.session, self.cast, self.random = session, cast, random

    @property
    def act(self) -> dict[str, Any]:
        """Who books, on a day of the last weeks, when."""
        on = TODAY - timedelta(days=self.random.randrange(25))
        return {"by_id": self.cast.treasurer_id, "on": on, "at": clock.now()}

    def one(self, kind: type[Any], *where: Any) -> Any:
        """Some row of a kind. RuleBroken when there is none."""
        query = select(kind).where(kind.town_id == self.cast.town_id, *where).order_by(func.random()).limit(1)
        found = self.session.scalar(query)
        if found is None:
            raise RuleBroken("nothing there", code="nothing_there")
        return found

    def amount(self) -> int:
        return self.random.randrange(1, 12) * A_MONTH

    def reference(self) -> str:
        return f"FT{self.random.getrandbits(60)}"

    # ---- acts

    def pledge(self) -> None:
        services.pledge(self.session, self.one(Sponsor), self.amount(), due=None, **self.act)

    def change_pledge(self) -> None:
        rest = [Due(TODAY + timedelta(days=30), self.amount())]
        scheduling.change(self.session, self.one(Pledge), rest, Frequency.ONCE, reason="đổi", **self.act)

    def end_pledge(self) -> None:
        scheduling.end(self.session, self.one(Pledge), reason="thôi", **self.act)

    def receive(self) -> None:
        by = self.one(Sponsor)
        services.receive(self.session, by, self.amount(), reference=self.reference(), pledge=None, **self.act)

    def receive_promised(self) -> None:
        pledge = self.one(Pledge, Pledge.state == PledgeState.OPEN)
        by = self.session.get_one(Sponsor, (pledge.town_id, pledge.sponsor_id))
        services.receive(self.session, by, self.amount(), reference=self.reference(), pledge=pledge, **self.act)

    def hold(self) -> None:
        services.hold_unidentified(
            self.session, self.cast.town_id, self.amount(), reference=self.reference(), **self.act
        )

    def identify(self) -> None:
        account = self.one(LedgerAccount, LedgerAccount.kind == AccountKind.UNIDENTIFIED, LedgerAccount.balance > 0)
        held = self.session.get_one(Posting, (account.town_id, account.held_id))
        told: dict[str, Any] = {"pledge": None, "reference": self.reference(), "from_posting": held} | self.act
        services.identify(self.session, self.one(Sponsor), min(self.amount(), account.balance), **told)

    def return_held(self) -> None:
        account = self.one(LedgerAccount, LedgerAccount.kind == AccountKind.UNIDENTIFIED, LedgerAccount.balance > 0)
        held = self.session.get_one(Posting, (account.town_id, account.held_id))
        services.return_unidentified(self.session, held, account.balance, reason="x", **self.act)

    def allocate(self) -> None:
        start = Month(2019, 10) + self.random.randrange(10)
        months = self.random.choice((1, 1, 3, 3, 6))
        told: dict[str, Any] = self.act | {"on": TODAY, "start": start, "months": months}
        services.allocate(self.session, self.one(Sponsor), self.one(Prospect), **told)

    def release(self) -> None:
        services.release(self.session, self.one(Allocation, Allocation.released_at.is_(None)), **self.act)

    def release_last(self) -> None:
        row = self.one(Allocation, Allocation.carried_months > 1, Allocation.payment_id.is_(None))
        services.release(self.session, row, since=row.last_month - self.random.randrange(2), **self.act)

    def pay(self) -> None:
        row = self.one(Allocation, Allocation.released_at.is_(None), Allocation.payment_id.is_(None))
        agent = self.session.get_one(User, (self.cast.town_id, self.cast.agent_id))
        proof: dict[str, Any] = {"basis": Basis.TAKEN, "receipt_number": self.reference()}
        services.pay_premium(self.session, row, paid_on=TODAY, by=agent, at=clock.now(), **proof)

    def take_payment_back(self) -> None:
        person = self.session.get_one(Prospect, (self.cast.town_id, self.one(Payment).prospect_id))
        last = self.session.scalars(standing_payments(person).limit(1)).first()
        if last is None:
            raise RuleBroken("nothing there", code="nothing_there")
        agent = self.session.get_one(User, (self.cast.town_id, self.cast.agent_id))
        reverse_payment(self.session, last, by=agent, at=clock.now())

    def refund(self) -> None:
        services.refund(self.session, self.one(Sponsor), self.amount(), reason="x", **self.act)

    def correct(self) -> None:
        services.correct_receipt(self.session, self.one(Receipt), reason="x", **self.act)

    def close(self) -> None:
        told: dict[str, Any] = {"by_id": self.cast.treasurer_id, "on": TODAY, "at": clock.now()}
        close_month(self.session, self.cast.town_id, Month(2019, 9), **told)

    def choose(self) -> Callable[[], None]:
        """The next act."""
        often = (self.allocate, self.receive, self.receive_promised, self.pay, self.release_last, self.pledge)
        seldom = (
            *(self.release, self.refund, self.correct, self.hold, self.identify, self.return_held),
            *(self.take_payment_back, self.change_pledge, self.end_pledge),
        )
        if self.random.random() < 0.01:
            return self.close
        return self.random.choice(often if self.random.random() < 0.65 else seldom)


def work(url: str, cast: Cast, seed: int, acts: int, dies_at: int | None, log: Path) -> None:
    """A process: so many acts, each noted once it is committed or refused; at `dies_at` it is killed within one, when
    everything is written and nothing is committed."""
    random, engine = Random(seed), plain_engine(url)
    with log.open("a", buffering=1) as told:
        for number in range(acts):
            with Session(engine) as session:
                actor = Actor(session, cast, random)
                act = actor.choose()
                try:
                    act()
                    session.flush()
                    if dies_at is not None and number >= dies_at:
                        os.kill(os.getpid(), signal.SIGKILL)
                    session.commit()
                    told.write(f"done {act.__name__}\n")
                except RuleBroken as refused:
                    told.write(f"refused {refused.code}\n")
                except DBAPIError as refused:
                    state = getattr(refused.orig, "sqlstate", None) or "?"
                    told.write(f"refused by the database {state} in {act.__name__}\n")


def run(url: str, cast: Cast, *, acts: int, processes: int, deaths: int, seed: int) -> Outcome:
    """So many acts by several processes at once; so many of them die within an act and another takes their place."""
    random, engine = Random(seed), plain_engine(url)
    context = multiprocessing.get_context("fork")
    each = acts // processes
    found: list[str] = []
    looks = killed = 0
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, engine.connect() as observer:
        observer = observer.execution_options(isolation_level="AUTOCOMMIT")
        waiting, running = [each] * processes, dict[Any, int]()
        turn = 0
        while waiting or running:
            while waiting:
                left, turn = waiting.pop(), turn + 1
                dies_at = random.randrange(left // 4, left // 2) if turn <= deaths else None
                told = (url, cast, seed * 1_000 + turn, left, dies_at, Path(folder) / f"{turn}")
                process = context.Process(target=work, args=told, daemon=True)
                process.start()
                running[process] = left
            seen = observer.execute(AT_ANY_MOMENT).one()
            looks += 1
            found += [f"{name} = {value}" for name, value in seen._mapping.items() if value]
            wait([process.sentinel for process in running], BETWEEN_LOOKS)
            for process in [one for one in running if one.exitcode is not None]:
                left = running.pop(process)
                if process.exitcode == -signal.SIGKILL:
                    killed += 1
                    waiting.append(left - left // 3)
                elif process.exitcode:
                    found.append(f"a process ended with {process.exitcode}")
        lines = [line for log in Path(folder).iterdir() for line in log.read_text().splitlines()]
    with Session(engine) as session:
        found += differences(session)
        if session.scalar(select(func.sum(LedgerEntry.amount))):
            found.append("the entries do not sum to zero")
    seconds = time.perf_counter() - began
    done = Counter(line.removeprefix("done ") for line in lines if line.startswith("done "))
    refused = Counter(line.removeprefix("refused ") for line in lines if line.startswith("refused "))
    return Outcome(done, refused, killed, looks, seconds, found)


def measure(app: Flask, acts: int) -> str:
    """What happened, in words."""
    ahead = clock.at(TODAY, 9) - clock.now()
    clock.move(lambda: ahead)
    with app.app_context():
        upgrade()
        with transaction() as session:
            cast = prepare(session)
        url = app.config["SQLALCHEMY_DATABASE_URI"]
    told = run(url, cast, acts=acts, processes=4, deaths=12, seed=20191015)
    lines = [
        f"{acts} random acts by 4 processes in {told.seconds:.0f} s: {told.done.total()} done, "
        f"{told.refused.total()} refused, {told.killed} processes killed within an act.",
        f"The observer looked {told.looks} times; found: {'; '.join(told.found) or 'nothing amiss'}.",
        "",
        "| act | done |",
        "| --- | --- |",
        *(f"| {name} | {count} |" for name, count in told.done.most_common()),
        "",
        "| refused as | times |",
        "| --- | --- |",
        *(f"| {name} | {count} |" for name, count in told.refused.most_common()),
    ]
    return "\n".join(lines)
