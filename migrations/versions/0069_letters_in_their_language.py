"""A sponsor keeps the language in which they registered, and letters are written in it.

Revision ID: 0069
Revises: 0068
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None

TABLES = ("sponsor", "sponsor_registration")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("language", sa.Text(), server_default="vi", nullable=False))
        op.create_check_constraint(op.f(f"ck_{table}_language"), table, "language in ('vi', 'en')")


def downgrade() -> None:
    for table in TABLES:
        op.drop_constraint(op.f(f"ck_{table}_language"), table)
        op.drop_column(table, "language")
