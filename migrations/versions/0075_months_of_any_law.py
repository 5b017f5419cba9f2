"""How many months may be paid at once the law of the day says; the tables keep what any law could allow.

Revision ID: 0075
Revises: 0074
"""

from __future__ import annotations

from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None

ANY_LAW = "months between 1 and 600"
BEFORE = {
    "dossier": "months between 1 and case when missing then 120 else 60 end",
    "payment": "months between 1 and 120",
    "listed_payment": "months between 1 and 60",
    "allocation": "months between 1 and 60",
    "pledge_renewal": "months between 1 and 60",
}


def upgrade() -> None:
    for table in BEFORE:
        op.drop_constraint(op.f(f"ck_{table}_months"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_months"), table, ANY_LAW)


def downgrade() -> None:
    """What was recorded meanwhile under another law stays."""
    for table, held in BEFORE.items():
        op.drop_constraint(op.f(f"ck_{table}_months"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_months"), table, held, postgresql_not_valid=True)
