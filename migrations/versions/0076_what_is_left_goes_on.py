"""That what is left of a sponsor's money goes on with certain people is a row for each of them.

Revision ID: 0076
Revises: 0075
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None

TABLE = "left_renewal"
REFERENCES = {"sponsor_id": "sponsor", "prospect_id": "prospect", "agreed_by_id": "account"}


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sponsor_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("start_month", sa.Date(), nullable=False),
        sa.Column("months", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("extract(day from start_month) = 1", name=op.f("ck_left_renewal_start_month")),
        sa.CheckConstraint("months between 1 and 600", name=op.f("ck_left_renewal_months")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_left_renewal_amount")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_left_renewal_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_left_renewal")),
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column],
                [f"{target}.town_id", f"{target}.id"],
                name=op.f(f"fk_left_renewal_town_id_{column}"),
            )
            for column, target in REFERENCES.items()
        ),
        sa.UniqueConstraint(
            "town_id",
            "sponsor_id",
            "prospect_id",
            "start_month",
            name=op.f("uq_left_renewal_town_id_sponsor_id_prospect_id_start_month"),
        ),
    )
    op.create_index(op.f("ix_left_renewal_town_id_prospect_id"), TABLE, ["town_id", "prospect_id"])


def downgrade() -> None:
    op.drop_table(TABLE)
