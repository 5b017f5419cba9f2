"""Of 2026 no text was read that lets the poverty line go on: what collecting agents use stands on record as practice.

Revision ID: 0078
Revises: 0077
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import insert

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None

LAW = Path(__file__).parents[2] / "crm" / "premiums" / "law-of-2026.json"
NAMESPACE = UUID("6f1f4a52-8a5e-4a53-9f0c-5f2f6f1f0078")


def upgrade() -> None:
    table = sa.table("law_value", *map(sa.column, ("id", *_entries()[0])))
    # What an administrator has put on record about a number is not put aside by what comes with the program.
    own = "select distinct key from law_value where recorded_at is not null and withdrawn_at is null"
    theirs = set(op.get_bind().scalars(sa.text(own)))
    rows = [
        {
            **entry,
            "id": _id(entry),
            "value": Decimal(entry["value"]),
            "effective_from": date.fromisoformat(entry["effective_from"]),
        }
        for entry in _entries()
        if entry["key"] not in theirs
    ]
    if rows:
        op.execute(insert(table).values(rows))


def downgrade() -> None:
    ids = ", ".join(f"'{_id(entry)}'" for entry in _entries())
    op.execute("alter table law_value disable trigger user")
    op.execute(f"delete from law_value where id in ({ids})")
    op.execute("alter table law_value enable trigger user")


def _entries() -> list[dict[str, str]]:
    return json.loads(LAW.read_text("utf-8"))  # type: ignore[no-any-return]


def _id(entry: dict[str, str]) -> UUID:
    return uuid5(NAMESPACE, f"{entry['key']} {entry['of_year']} {entry['effective_from']} {entry['status']}")
