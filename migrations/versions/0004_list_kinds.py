"""Kinds of lists, remembered columns, and what lists of other offices say of people.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KINDS = ("people", "household_businesses", "participants", "poor_households")


def upgrade() -> None:
    _kinds()


def downgrade() -> None:
    op.drop_column("list_import", "kind")


def _kinds() -> None:
    kind = sa.Enum(*KINDS, name="listkind", native_enum=False, create_constraint=True, length=40)
    op.add_column("list_import", sa.Column("kind", kind, nullable=False, server_default="people"))
    op.alter_column("list_import", "kind", server_default=None)
