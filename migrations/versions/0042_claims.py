"""A claim bears a number, and whether the carrier was called under it is written down before the call.

Revision ID: 0042
Revises: 0041
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("message", sa.Column("claim_id", sa.Uuid()))
    op.add_column("message", sa.Column("called_at", MOMENT))
    op.add_column("message", sa.Column("asked_at", MOMENT))
    op.add_column("campaign", sa.Column("stood_still_since", MOMENT))
    op.execute("update message set called_at = claimed_at where state in ('sending', 'unknown')")
    allow(reasons() | {"malformed"})


def downgrade() -> None:
    op.execute("update message set reason = 'carrier' where reason = 'malformed'")
    allow(reasons() - {"malformed"})
    op.drop_column("campaign", "stood_still_since")
    for column in ("asked_at", "called_at", "claim_id"):
        op.drop_column("message", column)


def reasons() -> set[str]:
    """What the constraint allows now, whichever revisions came before this one."""
    query = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'ck_message_reason'"
    return set(re.findall(r"'(\w+)'", op.get_bind().execute(sa.text(query)).scalar_one()))


def allow(allowed: set[str]) -> None:
    op.drop_constraint("ck_message_reason", "message")
    words = ", ".join(f"'{one}'" for one in sorted(allowed))
    op.create_check_constraint(op.f("ck_message_reason"), "message", f"reason in ({words})")
