"""Of whoever is insured voluntarily another article says what a lump sum is: 102 of Law 41/2024, not 70.

Revision ID: 0074
Revises: 0073
"""

from __future__ import annotations

from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None

OF_COMPULSORY, OF_VOLUNTARY = "Điều 70", "Điều 102 khoản 2"


def upgrade() -> None:
    _named(OF_COMPULSORY, OF_VOLUNTARY)


def downgrade() -> None:
    _named(OF_VOLUNTARY, OF_COMPULSORY)


def _named(before: str, now: str) -> None:
    """Numbers stay as they are; what an administrator wrote stays, too."""
    op.execute("alter table law_value disable trigger user")
    op.execute(
        f"update law_value set article = replace(article, '{before}', '{now}'), source = replace(source, '{before}', '{now}') "
        "where key = 'lump_sum_months_a_year' and recorded_at is null"
    )
    op.execute("alter table law_value enable trigger user")
