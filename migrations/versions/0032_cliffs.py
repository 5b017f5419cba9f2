"""Whose help ends is told once, and a renewed promise remembers whom it is meant for.

Revision ID: 0032
Revises: 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cliff_notice",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("sponsor_id", sa.Uuid(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("email_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("extract(day from until) = 1", name=op.f("ck_cliff_notice_until")),
        *_of_the_town("cliff_notice", prospect_id="prospect", sponsor_id="sponsor", email_id="email"),
        sa.UniqueConstraint("town_id", "prospect_id", "until", name=op.f("uq_cliff_notice_town_id_prospect_id_until")),
    )
    op.create_index(op.f("ix_cliff_notice_town_id_sponsor_id"), "cliff_notice", ["town_id", "sponsor_id"])
    op.create_table(
        "pledge_renewal",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pledge_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("start_month", sa.Date(), nullable=False),
        sa.Column("months", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("extract(day from start_month) = 1", name=op.f("ck_pledge_renewal_start_month")),
        sa.CheckConstraint("months between 1 and 60", name=op.f("ck_pledge_renewal_months")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_pledge_renewal_amount")),
        *_of_the_town("pledge_renewal", pledge_id="pledge", prospect_id="prospect"),
        sa.UniqueConstraint(
            "town_id", "pledge_id", "prospect_id", name=op.f("uq_pledge_renewal_town_id_pledge_id_prospect_id")
        ),
    )
    op.create_index(op.f("ix_pledge_renewal_town_id_prospect_id"), "pledge_renewal", ["town_id", "prospect_id"])


def downgrade() -> None:
    for table in ("pledge_renewal", "cliff_notice"):
        op.drop_table(table)


def _of_the_town(table: str, **references: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f(f"fk_{table}_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f(f"pk_{table}")),
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column], [f"{target}.town_id", f"{target}.id"], name=op.f(f"fk_{table}_town_id_{column}")
            )
            for column, target in references.items()
        ),
    )
