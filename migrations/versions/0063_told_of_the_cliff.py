"""That a sponsor without an e-mail was told by telephone or text that their help ends.

Revision ID: 0063
Revises: 0062
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cliff_notice", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("cliff_notice", sa.Column("told_by_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_cliff_notice_town_id_told_by_id"),
        "cliff_notice",
        "account",
        ["town_id", "told_by_id"],
        ["town_id", "id"],
    )
    op.create_check_constraint(
        op.f("ck_cliff_notice_told"), "cliff_notice", "told_by_id is null or told_at is not null"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_cliff_notice_told"), "cliff_notice")
    op.drop_constraint(op.f("fk_cliff_notice_town_id_told_by_id"), "cliff_notice")
    op.drop_column("cliff_notice", "told_by_id")
    op.drop_column("cliff_notice", "told_at")
