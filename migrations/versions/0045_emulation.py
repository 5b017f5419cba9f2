"""The dated rule of credit, the list of Biểu 06, and who wishes to get the week by e-mail.

Revision ID: 0045
Revises: 0044
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.parts import one_of, refers

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("weekly_summary", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "credit_rule",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("credit", one_of("credit", "brought", "met"), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("days between 1 and 366", name=op.f("ck_credit_rule_days")),
        *refers("credit_rule", recorded_by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_credit_rule")),
    )
    op.create_table(
        "commendation",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("post", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("form", one_of("form", "certificate", "title", "reward", "other"), nullable=False),
        sa.Column("years_in_row", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Uuid(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("num_nonnulls(organisation_id, user_id) = 1", name=op.f("ck_commendation_whose")),
        sa.CheckConstraint("years_in_row between 1 and 60", name=op.f("ck_commendation_years_in_row")),
        *refers("commendation", organisation_id="organisation", user_id="account", changed_by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_commendation")),
        sa.UniqueConstraint(
            *("town_id", "year", "organisation_id", "user_id"),
            name=op.f("uq_commendation_town_id_year_organisation_id_user_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )


def downgrade() -> None:
    op.drop_table("commendation")
    op.drop_table("credit_rule")
    op.drop_column("account", "weekly_summary")
