"""What the law says since July 2025 names the documents that bind since then, and says how early a period may be paid.

Revision ID: 0073
Revises: 0072
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

from migrations.parts import law_keys

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None

LAW = Path(__file__).parents[2] / "crm" / "premiums" / "law-since-2025.json"
NAMESPACE = UUID("6f1f4a52-8a5e-4a53-9f0c-5f2f6f1f0069")
KEY = "period_ahead_months"


def upgrade() -> None:
    law_keys(lambda known: [*known, *({KEY} - set(known))])
    entries = json.loads(LAW.read_text("utf-8"))
    table = sa.table("law_value", *map(sa.column, ("id", *entries[0])))
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
        for entry in entries
        if entry["key"] not in theirs
    ]
    op.execute(insert(table).values(rows))


def downgrade() -> None:
    ids = ", ".join(f"'{_id(entry)}'" for entry in json.loads(LAW.read_text("utf-8")))
    op.execute("alter table law_value disable trigger user")
    op.execute(f"delete from law_value where id in ({ids}) or key = '{KEY}'")
    op.execute("alter table law_value enable trigger user")
    law_keys(lambda known: [key for key in known if key != KEY])


def _id(entry: dict[str, str]) -> UUID:
    return uuid5(NAMESPACE, f"{entry['key']} {entry['of_year']} {entry['effective_from']} {entry['status']}")
