"""Putting the law on record."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NotRequired, TypedDict

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.ids import new_id
from crm.premiums.models import LawValueRow, plain
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.premiums.rules.law import Law, LawValue
from crm.prospects.rules import Ground

LAW_FILES = tuple(
    map(
        Path(__file__).with_name,
        ("law.json", "law-of-owners.json", "law-of-benefits.json", "law-of-joining.json"),
    )
)
"""The first is read by the first migrations; what came later stands in files of its own, where a value may be of a year."""


class LawEntry(TypedDict):
    """A value of the law as law.json holds it; the number as text, so that it stays exact."""

    key: str
    ground: str | None
    of_year: NotRequired[int | None]
    value: str
    effective_from: str
    document: str
    article: str
    source: str
    status: str
    note: str


def law_entries() -> list[LawEntry]:
    """The law as known when this version was written."""
    return [entry for file in LAW_FILES for entry in json.loads(file.read_text(encoding="utf-8"))]


def law_as_shipped() -> Law:
    """The law of law.json without a database."""
    return Law(tuple(_value(entry) for entry in law_entries()))


def seed_law(session: Session) -> None:
    """Put the shipped law on record; rows that are there stay as they are, so it may run again."""
    rows = [
        {"of_year": None, **entry, "id": new_id(), "value": Decimal(entry["value"])}
        | {"effective_from": date.fromisoformat(entry["effective_from"])}
        for entry in law_entries()
    ]
    session.execute(insert(LawValueRow).values(rows).on_conflict_do_nothing())


def _value(entry: LawEntry) -> LawValue:
    return LawValue(
        key=LawKey(entry["key"]),
        ground=Ground(entry["ground"]) if entry["ground"] else None,
        value=plain(Decimal(entry["value"])),
        since=date.fromisoformat(entry["effective_from"]),
        document=entry["document"],
        article=entry["article"],
        source=entry["source"],
        status=LawStatus(entry["status"]),
        note=entry["note"],
        of_year=entry.get("of_year"),
    )
