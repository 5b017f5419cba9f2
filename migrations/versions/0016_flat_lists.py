"""Indexes from which a list by ground, by consent or of people nobody looks after can begin.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ONE_A_DAY = "uq_standing_town_id_prospect_id_ground_valid_from"
COLUMNS = ["town_id", "prospect_id", "ground", "valid_from"]


def upgrade() -> None:
    op.drop_constraint(ONE_A_DAY, "standing")
    op.execute(f"alter table standing add constraint {ONE_A_DAY} unique ({', '.join(COLUMNS)}) include (valid_to)")
    op.create_index(
        "ix_standing_ground",
        "standing",
        ["town_id", "ground", "prospect_id"],
        postgresql_include=["valid_from", "valid_to"],
    )
    op.create_index(
        "ix_standing_no_paper",
        "standing",
        ["town_id", "prospect_id"],
        postgresql_include=["valid_from", "valid_to"],
        postgresql_where=sa.text("ground = 'ethnic_minority' and certificate is null"),
    )
    op.create_index("ix_consent_given", "consent", ["town_id", "purpose", "phone"], postgresql_where=sa.text("given"))
    op.create_index(
        "ix_prospect_nobody",
        "prospect",
        ["town_id", "organisation_id", "name_key", "id"],
        postgresql_where=sa.text("volunteer_id is null and merged_into_id is null"),
    )


def downgrade() -> None:
    op.drop_index("ix_prospect_nobody", table_name="prospect")
    op.drop_index("ix_consent_given", table_name="consent")
    op.drop_index("ix_standing_no_paper", table_name="standing")
    op.drop_index("ix_standing_ground", table_name="standing")
    op.drop_constraint(ONE_A_DAY, "standing")
    op.create_unique_constraint(ONE_A_DAY, "standing", COLUMNS)
