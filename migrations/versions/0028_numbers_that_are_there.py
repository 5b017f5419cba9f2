"""Indexes of what many people do not have leave those out: a person without it costs nothing there.

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

LIVE = "merged_into_id is null"
INDEXES = {
    "ix_prospect_citizen": (["town_id", "citizen_index"], None),
    "ix_prospect_insurance": (["town_id", "insurance_index"], None),
    "ix_prospect_household": (["town_id", "household_id"], None),
    "ix_prospect_organisation": (["town_id", "organisation_id", "name_key", "id"], LIVE),
}


def upgrade() -> None:
    for name, (columns, condition) in INDEXES.items():
        has_it = f"{columns[1]} is not null"
        _make(name, columns, f"{has_it} and {condition}" if condition else has_it)


def downgrade() -> None:
    for name, (columns, condition) in INDEXES.items():
        _make(name, columns, condition)


def _make(name: str, columns: list[str], condition: str | None) -> None:
    op.drop_index(name, table_name="prospect")
    op.create_index(name, "prospect", columns, postgresql_where=sa.text(condition) if condition else None)
