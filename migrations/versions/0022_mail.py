"""The outbox of e-mails.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

STATES = ("waiting", "sending", "sent", "refused", "unknown", "expired")


def upgrade() -> None:
    op.create_table(
        "email",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="mailstate", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(claimed_at is null) = (attempts = 0)", name=op.f("ck_email_claimed")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_email_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_email")),
        sa.UniqueConstraint("town_id", "occasion", name=op.f("uq_email_town_id_occasion")),
    )
    op.create_index("ix_email_due", "email", ["not_before", "id"], postgresql_where=sa.text("state = 'waiting'"))
    op.create_index("ix_email_claimed", "email", ["claimed_at"], postgresql_where=sa.text("state = 'sending'"))
    op.create_index(op.f("ix_email_town_id_made_at_id"), "email", ["town_id", "made_at", "id"])


def downgrade() -> None:
    op.drop_table("email")
