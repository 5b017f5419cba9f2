"""The stand-in's memory: messages, receipts still to be told, and who said STOP, in one SQLite file of its own."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from crm.sandbox import rules

TABLES = """
create table if not exists message (
    number integer primary key autoincrement, sid text unique not null, account text not null, direction text not null,
    sender text, recipient text not null, service text, body text not null, segments integer not null,
    status text not null, error_code integer, callback text, made real not null, updated real not null, sent real
);
create index if not exists message_recipient on message (recipient, number);
create index if not exists message_sender on message (sender, number);
create table if not exists step (
    number integer primary key autoincrement, sid text not null, status text not null, error_code integer,
    due real not null, tries integer not null default 0, applied integer not null default 0
);
create index if not exists step_due on step (due, number);
create table if not exists stopped (phone text primary key);
create table if not exists dated (sid text primary key, at real not null);
"""

COLUMNS = (
    "sid, account, direction, sender, recipient, service, body, segments, "
    "status, error_code, callback, made, updated, sent"
)

SETTLE = """
update message set status = ?, error_code = ?, updated = ?,
    sent = case when ? in ('queued', 'accepted') then sent else coalesce(sent, ?) end
where sid = ? and status not in ('delivered', 'undelivered', 'failed', 'canceled')
"""

SHOWN = """
coalesce(dated.at, made + coalesce((select d.at - m.made from dated d join message m using (sid) order by m.number desc limit 1), 0))
"""
"""What a telephone shows as a message's time: what our program said; until it has, as far from this machine's as last time."""


class Kept(NamedTuple):
    """A message as it is kept."""

    sid: str
    account: str
    direction: str
    sender: str | None
    recipient: str
    service: str | None
    body: str
    segments: int
    status: str
    error_code: int | None
    callback: str | None
    made: float
    updated: float
    sent: float | None

    def document(self) -> dict[str, Any]:
        """The resource as the carrier shows it."""
        uri = f"/2010-04-01/Accounts/{self.account}/Messages/{self.sid}"
        return {
            "account_sid": self.account,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": rules.rfc_2822(self.made),
            "date_sent": rules.rfc_2822(self.sent),
            "date_updated": rules.rfc_2822(self.updated),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": rules.ERROR_WORDS.get(self.error_code or 0),
            "from": self.sender,
            "messaging_service_sid": self.service,
            "num_media": "0",
            "num_segments": str(0 if self.service and self.status == "accepted" else self.segments),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.recipient,
            "uri": f"{uri}.json",
        }


class Due(NamedTuple):
    """A change of status whose time has come."""

    number: int
    sid: str
    status: str
    error_code: int | None
    tries: int
    applied: bool


class Phone(NamedTuple):
    """A telephone that got or sent messages, for the list."""

    number: str
    messages: int
    latest: str
    at: float


class Store:
    """All that the stand-in remembers. Safe to use from several threads."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = normal")
        self._connection.executescript(TABLES)

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection:
            yield self._connection

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def take(self, account: str, form: Mapping[str, str], at: float) -> Kept:
        """Keep a message that is to be sent and plan its receipts."""
        service, to = form.get("MessagingServiceSid") or None, form["To"]
        kept = Kept(
            sid="SM" + secrets.token_hex(16),
            account=account,
            direction="outbound-api",
            sender=form.get("From") or None,
            recipient=to,
            service=service,
            body=form["Body"],
            segments=rules.segments(form["Body"]),
            status="accepted" if service else "queued",
            error_code=None,
            callback=form.get("StatusCallback") or None,
            made=at,
            updated=at,
            sent=None,
        )
        planned = [(kept.sid, step.status, step.error_code, at + step.after) for step in rules.steps(to)]
        with self._change() as connection:
            self._insert(connection, kept)
            connection.executemany("insert into step (sid, status, error_code, due) values (?, ?, ?, ?)", planned)
        return kept

    def receive(self, account: str, phone: str, to: str, body: str, at: float) -> Kept:
        """Keep a message that a telephone wrote to us; STOP and START have their effect at once."""
        kept = Kept(
            sid="SM" + secrets.token_hex(16),
            account=account,
            direction="inbound",
            sender=phone,
            recipient=to,
            service=None,
            body=body,
            segments=rules.segments(body),
            status="received",
            error_code=None,
            callback=None,
            made=at,
            updated=at,
            sent=at,
        )
        with self._change() as connection:
            self._insert(connection, kept)
            if body.strip().upper() in rules.STOP_WORDS:
                connection.execute("insert or ignore into stopped values (?)", (phone,))
            elif body.strip().upper() in rules.START_WORDS:
                connection.execute("delete from stopped where phone = ?", (phone,))
        return kept

    def reply(self, account: str, sender: str, phone: str, body: str, at: float, *, to: Kept) -> None:
        """Keep what our program answered at once to a message it got."""
        sid = "SM" + secrets.token_hex(16)
        values = (
            sid,
            account,
            "outbound-reply",
            sender,
            phone,
            None,
            body,
        )
        with self._change() as connection:
            self._insert(
                connection,
                (*values, rules.segments(body), "delivered", None, None, at, at, at),
            )
            connection.execute("insert into dated select ?, at from dated where sid = ?", (sid, to.sid))

    def date(self, sid: str, at: float) -> None:
        """What time it was for our program when it first heard of a message; seconds since 1970."""
        with self._change() as connection:
            connection.execute("insert or ignore into dated values (?, ?)", (sid, at))

    @staticmethod
    def _insert(connection: sqlite3.Connection, values: tuple[Any, ...]) -> None:
        marks = ", ".join("?" * len(values))
        connection.execute(f"insert into message ({COLUMNS}) values ({marks})", values)

    def find(self, account: str, sid: str) -> Kept | None:
        """One message of an account."""
        rows = self._rows(
            f"select {COLUMNS} from message where account = ? and sid = ?",
            (account, sid),
        )
        return Kept(*rows[0]) if rows else None

    def found(self, account: str, where: Mapping[str, Any], limit: int, offset: int) -> list[Kept]:
        """Messages of an account, the newest first; `where` maps a condition with one mark to its value."""
        conditions = " and ".join(["account = ?", *where])
        query = f"select {COLUMNS} from message where {conditions} order by number desc limit ? offset ?"
        return [Kept(*row) for row in self._rows(query, (account, *where.values(), limit, offset))]

    def blank(self, sid: str, at: float) -> None:
        """Forget the text of a message, as the carrier does when asked to redact it."""
        with self._change() as connection:
            connection.execute("update message set body = '', updated = ? where sid = ?", (at, sid))

    def delete(self, sid: str) -> None:
        """Forget a message."""
        with self._change() as connection:
            connection.execute("delete from message where sid = ?", (sid,))
            connection.execute("delete from step where sid = ?", (sid,))

    def has_stopped(self, phone: str) -> bool:
        """Whether this number wrote STOP."""
        return bool(self._rows("select 1 from stopped where phone = ?", (phone,)))

    def due(self, at: float, limit: int = 100) -> list[Due]:
        """The changes of status whose time has come, in order."""
        query = (
            "select number, sid, status, error_code, tries, applied from step "
            "where due <= ? order by due, number limit ?"
        )
        return [Due(*row) for row in self._rows(query, (at, limit))]

    def apply(self, step: Due, at: float) -> Kept | None:
        """Let a change of status happen, once; None when the message is gone. What is final stays."""
        with self._change() as connection:
            if not step.applied:
                connection.execute(
                    SETTLE,
                    (step.status, step.error_code, at, step.status, at, step.sid),
                )
                connection.execute("update step set applied = 1 where number = ?", (step.number,))
        rows = self._rows(f"select {COLUMNS} from message where sid = ?", (step.sid,))
        return Kept(*rows[0]) if rows else None

    def told(self, number: int) -> None:
        """The receipt was delivered, or given up."""
        with self._change() as connection:
            connection.execute("delete from step where number = ?", (number,))

    def tell_later(self, number: int, due: float) -> None:
        """The receipt could not be delivered; try again at `due`."""
        with self._change() as connection:
            connection.execute(
                "update step set tries = tries + 1, due = ? where number = ?",
                (due, number),
            )

    def phones(self) -> list[Phone]:
        """Every telephone with its number of messages and the latest text, the latest first."""
        query = (
            f"select phone, count(*), body, {SHOWN} from ("
            "select case direction when 'inbound' then sender else recipient end as phone, body, made, number, sid "
            "from message order by number) left join dated using (sid) group by phone having number = max(number) "
            "order by made desc limit 500"
        )
        return [Phone(*row) for row in self._rows(query)]

    def conversation(self, phone: str) -> list[Kept]:
        """What one telephone shows, the oldest first, each with the time that it was for our program."""
        query = (
            f"select {COLUMNS}, {SHOWN} from message left join dated using (sid) "
            "where recipient = ? or sender = ? order by number desc limit 200"
        )
        return [Kept(*row[:-1])._replace(made=row[-1]) for row in reversed(self._rows(query, (phone, phone)))]
