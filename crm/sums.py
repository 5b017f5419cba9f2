"""Sums that the database keeps in the transaction that moves them, against a recount: every night, and when `crm doctor` asks.

Triggers only ever add rows (so many more, or fewer), so no two acts wait for each other; several rows may be of the same and
together are the number. Once a night they are folded into one row each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from crm import stored

MOST_NAMED = 5


class Sums(NamedTuple):
    """A table of sums and what it must be equal to."""

    of: str
    """What is summed, as `crm doctor` says it."""
    table: str
    key: Sequence[str]
    """The columns that say what a row is of, without the town."""
    figures: Sequence[str]
    recount: str
    """A query that answers the town, `key` and `figures` from the rows themselves."""
    checked: str
    """Where the last night's word stands: when, and what was found apart."""

    @property
    def _key(self) -> str:
        return ", ".join(("town_id", *self.key))

    @property
    def _summed(self) -> str:
        return ", ".join(f"sum({name}) {name}" for name in self.figures)

    @property
    def _any(self) -> str:
        return " or ".join(f"sum({name}) <> 0" for name in self.figures)

    @property
    def apart(self) -> str:
        """What would have to be added to the sums for them to be the recount."""
        fewer = ", ".join(f"-{name} {name}" for name in self.figures)
        columns = ", ".join(self.figures)
        return f"""
            select {self._key}, {self._summed} from (
                select {self._key}, {fewer} from {self.table}
                union all select {self._key}, {columns} from ({self.recount}) recounted) both_ways
            group by {self._key} having {self._any}
        """

    @property
    def fold(self) -> str:
        """One row for each key, in one statement that readers do not see half of."""
        return f"""
            with gone as (delete from {self.table} returning *)
            insert into {self.table} ({self._key}, id, {", ".join(self.figures)})
            select {self._key}, gen_random_uuid(), {self._summed} from gone group by {self._key} having {self._any}
        """

    @property
    def put_right(self) -> str:
        columns = ", ".join(self.figures)
        return f"""
            insert into {self.table} ({self._key}, id, {columns})
            select {self._key}, gen_random_uuid(), {columns} from ({self.apart}) apart
        """


def differences(session: Session, sums: Sums) -> list[str]:
    """Of what the sums say something else than the rows; empty when they say the same."""
    columns = ", ".join((*sums.key, *sums.figures))
    found = session.execute(text(f"select {columns} from ({sums.apart}) apart order by {', '.join(sums.key)}"))
    keys = len(sums.key)
    rows = [
        f"{' '.join(str(one) for one in row[:keys] if one is not None)}: {' '.join(f'{int(one):+d}' for one in row[keys:])}"
        for row in found
    ]
    if not rows:
        return []
    more = "…" if len(rows) > MOST_NAMED else ""
    return [f"{len(rows)} sums of {sums.of} differ from a recount ({'; '.join(rows[:MOST_NAMED])}{more})"]


class Checked(NamedTuple):
    """When sums were counted again, and what was found apart and put right."""

    at: datetime
    found: list[str]


def last_checked(session: Session, every: Iterable[Sums]) -> Checked | None:
    """The last night's word about all of these; None before the first night."""
    kept = list(stored.read_all(session, [sums.checked for sums in every]).values())
    if not kept:
        return None
    return Checked(
        min(datetime.fromisoformat(one["at"]) for one in kept), [told for one in kept for told in one["found"]]
    )


def check(session: Session, sums: Sums, at: datetime) -> list[str]:
    """Fold the sums into one row each, count again, put right what differs, and keep what was found. Safe to run again."""
    session.execute(text(sums.fold))
    found = differences(session, sums)
    if found:
        session.execute(text(sums.put_right))
    stored.write(session, sums.checked, {"at": at.isoformat(), "found": found})
    return found
