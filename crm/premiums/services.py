"""The law that is shipped with the program, read from its files; the migrations put it on record."""

import json
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NotRequired, TypedDict

from crm.premiums.models import plain
from crm.premiums.rules.english import InEnglish
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.premiums.rules.law import Law, LawValue
from crm.premiums.rules.repeals import Repeal
from crm.prospects.rules import Ground

LAW_FILES = tuple(
    map(
        Path(__file__).with_name,
        (
            "law.json",
            "law-of-owners.json",
            "law-of-benefits.json",
            "law-of-joining.json",
            "law-of-codes.json",
            "law-since-2025.json",
            "law-of-2026.json",
        ),
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


@cache
def repeals() -> tuple[Repeal, ...]:
    """The documents known to have been repealed, and by what."""
    told = json.loads(Path(__file__).with_name("repeals.json").read_text(encoding="utf-8"))
    return tuple(
        Repeal(one["document"], date.fromisoformat(one["repealed_from"]), one["by"], one["source"]) for one in told
    )


@cache
def in_english() -> InEnglish:
    """What the notes, sources and titles of the law say in English."""
    told = json.loads(Path(__file__).with_name("law-in-english.json").read_text(encoding="utf-8"))
    return InEnglish(told["titles"], told["sources"], told["notes"])


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
