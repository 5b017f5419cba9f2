"""Rows of lists that say neither telephone nor number are known again by their words.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_row", sa.Column("words", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_import_row_words", "import_row", ["town_id", "words"], postgresql_where=sa.text("words is not null")
    )


def downgrade() -> None:
    op.drop_index("ix_import_row_words", table_name="import_row", postgresql_where=sa.text("words is not null"))
    op.drop_column("import_row", "words")
