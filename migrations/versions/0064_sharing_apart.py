"""People who take part and whom none of the units looks after count towards a target that is shared out.

Revision ID: 0064
Revises: 0063
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("target_sharing", sa.Column("apart", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_check_constraint(op.f("ck_target_sharing_apart"), "target_sharing", "apart between 0 and total")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_target_sharing_apart"), "target_sharing")
    op.drop_column("target_sharing", "apart")
