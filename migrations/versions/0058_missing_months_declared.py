"""Papers may declare that all months missing for a pension are paid at once.

Revision ID: 0058
Revises: 0057
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dossier", sa.Column("missing", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("dossier", "missing", server_default=None)
    op.drop_constraint(op.f("ck_dossier_months"), "dossier", type_="check")
    op.create_check_constraint(
        op.f("ck_dossier_months"), "dossier", "months between 1 and case when missing then 120 else 60 end"
    )
    op.create_check_constraint(op.f("ck_dossier_missing"), "dossier", "months is not null or not missing")


def downgrade() -> None:
    op.execute("update dossier set months = 60 where missing and months > 60")
    op.drop_constraint(op.f("ck_dossier_missing"), "dossier", type_="check")
    op.drop_constraint(op.f("ck_dossier_months"), "dossier", type_="check")
    op.create_check_constraint(op.f("ck_dossier_months"), "dossier", "months between 1 and 60")
    op.drop_column("dossier", "missing")
