"""A number may be barred at its network, which is not the same as a refusal that was written down here.

Revision ID: 0057
Revises: 0056
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

WITH_REASONS = ("message", "campaign_check_person")


def upgrade() -> None:
    for table in WITH_REASONS:
        _allow(table, _reasons(table) | {"barred"})
    op.execute("update message set reason = 'barred' where reason = 'blocked' and error_code = 30004")
    op.execute(
        "update message set reason = 'carrier' where reason = 'busy' and error_code = 30001 and state <> 'queued'"
    )


def downgrade() -> None:
    op.execute("update message set reason = 'carrier' where reason = 'barred'")
    for table in WITH_REASONS:
        _allow(table, _reasons(table) - {"barred"})


def _reasons(table: str) -> set[str]:
    """The reasons that the check of a table allows now."""
    query = f"select pg_get_constraintdef(oid) from pg_constraint where conname = 'ck_{table}_reason'"
    return set(re.findall(r"'([a-z_]+)'", str(op.get_bind().execute(sa.text(query)).scalar_one())))


def _allow(table: str, reasons: set[str]) -> None:
    words = ", ".join(f"'{reason}'" for reason in sorted(reasons))
    op.drop_constraint(op.f(f"ck_{table}_reason"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_reason"), table, f"reason in ({words})")
