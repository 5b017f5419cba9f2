"""Forecasts, kept as they were made.

Revision ID: 0049
Revises: 0048
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "forecast",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("said", JSONB(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_forecast_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_forecast")),
        sa.UniqueConstraint("town_id", "as_of", "digest", name=op.f("uq_forecast_town_id_as_of_digest")),
    )
    op.execute(
        "create trigger forecast_is_append_only before update or delete on forecast "
        "for each row execute function refuse_rewriting()"
    )


def downgrade() -> None:
    op.drop_table("forecast")
