"""What finding the same person twice, and phones that were offline, need of the database.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_prospect_ward_year", "prospect", ["town_id", "place_id", "birth_year", "name_fold"], unique=False
    )
    op.create_index(
        "ix_prospect_birth_date",
        "prospect",
        ["town_id", "birth_date"],
        unique=False,
        postgresql_where=sa.text("birth_date is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_prospect_birth_date", table_name="prospect", postgresql_where=sa.text("birth_date is not null"))
    op.drop_index("ix_prospect_ward_year", table_name="prospect")
