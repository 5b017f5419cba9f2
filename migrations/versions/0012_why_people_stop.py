"""Why somebody let it lapse or stopped.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

REASONS = (
    "no_money",
    "forgot",
    "too_far",
    "sponsor_ended",
    "support_fell",
    "premium_rose",
    "no_trust",
    "family",
    "other_insurance",
    "other",
)
STOPPED = "ck_participation_stopped_for_a_reason"


def upgrade() -> None:
    reason = sa.Enum(*REASONS, name="stopreason", native_enum=False, create_constraint=True, length=40)
    op.add_column("participation", sa.Column("stop_reason", reason, nullable=True))
    op.create_check_constraint(
        op.f(STOPPED), "participation", "stop_reason is null or ended_as in ('lapsed', 'stopped')"
    )


def downgrade() -> None:
    op.drop_constraint(op.f(STOPPED), "participation", type_="check")
    op.drop_column("participation", "stop_reason")
