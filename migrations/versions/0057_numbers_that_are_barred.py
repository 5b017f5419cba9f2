"""A number may be barred at its network, which is not the same as a refusal that was written down here.

Revision ID: 0057
Revises: 0056
"""

from __future__ import annotations

from alembic import op

from migrations.parts import allow, reasons

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

WITH_REASONS = ("message", "campaign_check_person")


def upgrade() -> None:
    for table in WITH_REASONS:
        allow(table, reasons(table) | {"barred"})
    op.execute("update message set reason = 'barred' where reason = 'blocked' and error_code = 30004")
    op.execute(
        "update message set reason = 'carrier' where reason = 'busy' and error_code = 30001 and state <> 'queued'"
    )


def downgrade() -> None:
    op.execute("update message set reason = 'carrier' where reason = 'barred'")
    for table in WITH_REASONS:
        allow(table, reasons(table) - {"barred"})
