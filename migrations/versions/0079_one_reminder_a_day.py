"""A number gets one reminder of a purpose a day, whatever the rule; those of before stay as they were.

Revision ID: 0079
Revises: 0078
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("one_a_day", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.alter_column("message", "one_a_day", server_default=sa.text("true"))
    op.create_index(
        "uq_message_one_a_day",
        "message",
        ["town_id", "purpose", "phone", "local_day"],
        unique=True,
        postgresql_where=sa.text("reminder is not null and one_a_day and state <> 'cancelled'"),
    )


def downgrade() -> None:
    op.drop_index("uq_message_one_a_day", table_name="message")
    op.drop_column("message", "one_a_day")
