"""Who wishes to hear each morning how many people are due.

Revision ID: 0047
Revises: 0046
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.parts import one_of

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "morning_wish",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("by", one_of("morningby", "nothing", "email", "sms"), nullable=False),
        sa.Column("days", one_of("morningon", "working_days", "every_day"), nullable=False),
        sa.Column("looked_on", sa.Date(), nullable=True),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_morning_wish_town_id")),
        sa.ForeignKeyConstraint(
            ["town_id", "user_id"], ["account.town_id", "account.id"], name=op.f("fk_morning_wish_town_id_user_id")
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_morning_wish")),
        sa.UniqueConstraint("town_id", "user_id", name=op.f("uq_morning_wish_town_id_user_id")),
    )
    op.create_index(op.f("ix_morning_wish_looked_on"), "morning_wish", ["looked_on"])


def downgrade() -> None:
    op.drop_table("morning_wish")
