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

KINDS = ("visit", "consent", "opt_out", "new_person", "correction")
BORN = sa.text("birth_date is not null")


def upgrade() -> None:
    op.create_index(
        "ix_prospect_ward_year",
        "prospect",
        ["town_id", "place_id", "birth_year", "name_fold"],
        postgresql_include=["id"],
        postgresql_ops={"name_fold": "text_pattern_ops"},
    )
    op.create_index("ix_prospect_birth_date", "prospect", ["town_id", "birth_date"], postgresql_where=BORN)
    op.create_index("ix_prospect_updated", "prospect", ["town_id", "updated_at", "id"])
    op.create_table(
        "synced_event",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="eventkind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["town_id", "user_id"], ["account.town_id", "account.id"], name=op.f("fk_synced_event_town_id_user_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_synced_event_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_synced_event")),
    )


def downgrade() -> None:
    op.drop_table("synced_event")
    op.drop_index("ix_prospect_updated", table_name="prospect")
    op.drop_index("ix_prospect_birth_date", table_name="prospect", postgresql_where=BORN)
    op.drop_index("ix_prospect_ward_year", table_name="prospect")
