"""What an insurance record says of months paid elsewhere, and payments for missing months.

Revision ID: 0043
Revises: 0042
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _records()
    op.add_column("payment", sa.Column("missing", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    op.drop_column("payment", "missing")
    op.drop_table("insurance_record")


def _records() -> None:
    op.create_table(
        "insurance_record",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("voluntary", sa.BigInteger(), nullable=False),
        sa.Column("supported", sa.BigInteger(), nullable=True),
        sa.Column("compulsory", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_insurance_record_town_id")),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"],
            ["prospect.town_id", "prospect.id"],
            name=op.f("fk_insurance_record_town_id_prospect_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "by_id"], ["account.town_id", "account.id"], name=op.f("fk_insurance_record_town_id_by_id")
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_insurance_record")),
        sa.CheckConstraint("extract(day from through) = 1", name=op.f("ck_insurance_record_through")),
        sa.CheckConstraint("voluntary >= 0 and compulsory >= 0", name=op.f("ck_insurance_record_months")),
        sa.CheckConstraint("supported between 0 and voluntary", name=op.f("ck_insurance_record_supported")),
        sa.CheckConstraint("char_length(proof) between 1 and 300", name=op.f("ck_insurance_record_proof")),
    )
    op.create_index(
        op.f("ix_insurance_record_town_id_prospect_id_at"), "insurance_record", ["town_id", "prospect_id", "at"]
    )
    op.execute(
        "create trigger insurance_record_is_append_only before update or delete on insurance_record "
        "for each row execute function refuse_rewriting()"
    )
