"""What a person reads of a row: who it proposes, what it would fill in, why it is set aside or rejected."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.citizen_ids import mask
from crm.prospects.importing.queries import people_of_rows
from crm.prospects.importing.rules import (
    FIELD_NAMES,
    Proposed,
    cells_from_json,
    why_handed_back,
)
from crm.prospects.importing.services.undoing import KEPT
from crm.prospects.importing.services.updating import value_of
from crm.prospects.models import ImportRow, Prospect
from crm.prospects.reading.outcomes import Reason, Remark
from crm.prospects.rules import Ground, RowOutcome, Sex, deciding
from crm.prospects.wording import GROUNDS, SEXES
from crm.web import filters

CELLS_SHOWN = 6


@dataclass(frozen=True)
class Change:
    """One field that a row says: what is kept and what the list says; `open` when somebody has to decide."""

    name: str
    kept: str
    said: str
    open: bool


@dataclass(frozen=True)
class Shown:
    """A row as the page shows it."""

    row: ImportRow
    proposed: Proposed | None
    person: Prospect | None
    ground: Ground
    why: str | None
    cells: str
    changes: Sequence[Change]
    remarks: Sequence[str]
    decided: str | None

    @property
    def birth(self) -> str:
        """The day of birth, or the year when only that is known."""
        one = self.proposed
        return (
            filters.day(one.birth_date) if one and one.birth_date else str((one and one.birth_year) or filters.NOTHING)
        )


def shown(session: Session, scope: Scope, rows: Sequence[ImportRow]) -> list[Shown]:
    """Rows of a list as the page shows them; identity numbers masked, nothing of people who are out of sight by now."""
    people = people_of_rows(session, scope, rows)
    return [_shown(one, people.get(one.prospect_id) if one.prospect_id else None) for one in rows]


def _shown(row: ImportRow, person: Prospect | None) -> Shown:
    rejected = row.outcome is RowOutcome.REJECTED
    proposed = None if rejected else Proposed.from_json(row.understood or "")
    detail = row.detail or {}
    told = Shown(
        row=row,
        proposed=proposed,
        person=person,
        ground=deciding(proposed.grounds) if proposed else Ground.OTHER,
        why=None,
        cells=_cells(row) if rejected else "",
        changes=(),
        remarks=[_remark(row, code) for code in detail.get("remarks", ())],
        decided=detail.get("decided"),
    )
    if row.outcome in (RowOutcome.REJECTED, RowOutcome.DUPLICATE):
        told = replace(told, why=why_handed_back(row))
    elif "kept" in detail:
        told = replace(told, why=str(KEPT[detail["kept"]]))
    if proposed and person and row.outcome in (RowOutcome.CHANGED, RowOutcome.UNCHANGED):
        told = replace(told, changes=_changes(row, proposed, person))
    return told


def _cells(row: ImportRow) -> str:
    """The first cells of a rejected row, so that one knows it again."""
    filled = [str(cell) for cell in cells_from_json(row.raw) if cell not in ("", None)]
    return " · ".join(cell[:40] for cell in filled[:CELLS_SHOWN])


def _remark(row: ImportRow, code: str) -> str:
    told: dict[str, str | int] = {"sheet": row.sheet, "row": row.row_number, "column": "–", "value": "…"}
    return Remark(Reason(code), told).sentence


def _changes(row: ImportRow, proposed: Proposed, person: Prospect) -> list[Change]:
    detail = row.detail or {}
    before = json.loads(row.before) if row.before else None
    found = []
    for kind in ("fills", "differs"):
        for name in detail.get(kind, ()):
            kept = before.get(name) if before is not None and name in before else value_of(person, name)
            filled = kind == "fills" or detail.get("decided") == "take"
            found.append(
                Change(
                    str(FIELD_NAMES[name]),
                    filters.NOTHING if kind == "fills" else in_words(name, kept),
                    in_words(name, None if name == "place" else getattr(proposed, name)),
                    not filled,
                )
            )
    return found


def in_words(name: str, value: Any) -> str:
    """A field's value as people write it."""
    if value is None or value == () or name == "place":
        return filters.NOTHING
    if name in ("phone", "other_phone"):
        return filters.phone(value)
    if name in ("citizen_id", "si_number"):
        return mask(value)
    if name == "birth_date":
        return filters.day(value if isinstance(value, date) else date.fromisoformat(value))
    if name == "sex":
        return str(SEXES[Sex(value)])
    if name == "grounds":
        return ", ".join(str(GROUNDS[ground]) for ground in value)
    if name == "sms_consent":
        return str(_("yes") if value else _("no"))
    return str(value)
