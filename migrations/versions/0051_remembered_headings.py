"""Where the headings of a source's lists stand is remembered with its columns.

Revision ID: 0051
Revises: 0050
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("remembered_columns", sa.Column("headed", JSONB(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("remembered_columns", "headed")
