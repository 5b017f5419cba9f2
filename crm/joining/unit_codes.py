"""The codes of province and district that a list D05-TS asks for, as dated data with its document."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import NamedTuple


class UnitCodes(NamedTuple):
    """The codes of a day; what is not known, or no longer exists, is empty and left to the insurance office."""

    province: str = ""
    district: str = ""


class Dated(NamedTuple):
    """The codes of a town from a day on, by a document."""

    town: str
    codes: UnitCodes
    since: date
    until: date | None
    document: str


def _read() -> tuple[Dated, ...]:
    told = json.loads(Path(__file__).with_name("unit-codes.json").read_text(encoding="utf-8"))
    return tuple(
        Dated(
            one["town"],
            UnitCodes(one["province"], one["district"]),
            date.fromisoformat(one["from"]),
            date.fromisoformat(one["until"]) if one["until"] else None,
            one["document"],
        )
        for one in told["codes"]
    )


KNOWN = _read()


def unit_codes(town: str, day: date) -> UnitCodes:
    """The codes of a town, named as in the register, on a day."""
    held = (one for one in KNOWN if one.town == town and one.since <= day and (one.until is None or day <= one.until))
    return next((one.codes for one in held), UnitCodes())
