"""Whoever one answer decides about is not asked the rest.

Revision ID: 0037
Revises: 0036
"""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

CLEAR = {"citizen": "true", "work": "'none'", "business": "'none'", "allowance": "'none'", "elsewhere": "'no'"}


def upgrade() -> None:
    for name in CLEAR:
        op.alter_column("screening", name, nullable=True)


def downgrade() -> None:
    op.execute("alter table screening disable trigger user")
    for name, clear in CLEAR.items():
        op.execute(f"update screening set {name} = {clear} where {name} is null")
        op.alter_column("screening", name, nullable=False)
    op.execute("alter table screening enable trigger user")
