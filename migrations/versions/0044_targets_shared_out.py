"""Targets of volunteers, the reason of a change, and sharing a target out.

Revision ID: 0044
Revises: 0043
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.parts import key, one_of, refers

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

WHOSE = ("town_id", "year", "indicator", "place_id", "organisation_id")
BEFORE = "uq_target_town_id_year_indicator_place_id_organisation_id_revision"


def upgrade() -> None:
    op.add_column("target", sa.Column("volunteer_id", sa.Uuid(), nullable=True))
    op.add_column("target", sa.Column("reason", sa.Text(), nullable=True))
    op.execute("update target set reason = 'Điều chỉnh trong năm' where revision > 1")
    op.drop_constraint(op.f(BEFORE), "target")
    op.create_unique_constraint(
        op.f("uq_target_revision"),
        "target",
        [*WHOSE, "volunteer_id", "revision"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_check_constraint(
        op.f("ck_target_one_unit"), "target", "num_nonnulls(place_id, organisation_id, volunteer_id) <= 1"
    )
    op.create_check_constraint(op.f("ck_target_changed_for_a_reason"), "target", "revision = 1 or reason is not null")
    op.create_table(
        "target_sharing",
        *key(),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("level", one_of("level", "place", "organisation", "volunteer"), nullable=False),
        sa.Column("of_place_id", sa.Uuid(), nullable=True),
        sa.Column("of_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("method", one_of("method", "people", "results", "even", "hand"), nullable=False),
        sa.Column("least", sa.BigInteger(), nullable=False),
        sa.Column("from_this_year", JSONB(none_as_null=True), nullable=True),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("state", one_of("state", "draft", "sent", "settled", "dropped"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("total >= 0", name=op.f("ck_target_sharing_total")),
        sa.CheckConstraint("least >= 0", name=op.f("ck_target_sharing_least")),
        sa.CheckConstraint("(state = 'settled') = (settled_at is not null)", name=op.f("ck_target_sharing_settled")),
        *refers(
            "target_sharing",
            of_place_id="place",
            of_organisation_id="organisation",
            made_by_id="account",
            settled_by_id="account",
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_target_sharing")),
    )
    op.create_index(
        "uq_target_sharing_open",
        "target_sharing",
        ["town_id", "year", "level", "of_place_id", "of_organisation_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("state in ('draft', 'sent')"),
    )
    op.create_table(
        "target_share",
        *key(),
        *(
            sa.Column(name, sa.Uuid(), nullable=name != "sharing_id")
            for name in ("sharing_id", "place_id", "organisation_id", "volunteer_id")
        ),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("stock", "could_join", "gained")),
        sa.Column("baseline", sa.BigInteger(), nullable=True),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("capped", sa.Boolean(), nullable=False),
        sa.Column("proposed", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("answer", one_of("answer", "agree", "other"), nullable=True),
        sa.Column("asked", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "num_nonnulls(place_id, organisation_id, volunteer_id) = 1", name=op.f("ck_target_share_one_unit")
        ),
        sa.CheckConstraint("people >= 0", name=op.f("ck_target_share_people")),
        sa.CheckConstraint("asked >= 0", name=op.f("ck_target_share_asked")),
        sa.CheckConstraint("(answer = 'other') = (asked is not null)", name=op.f("ck_target_share_asked_other")),
        sa.CheckConstraint("asked is null or reason is not null", name=op.f("ck_target_share_with_reason")),
        *refers(
            "target_share",
            sharing_id="target_sharing",
            place_id="place",
            organisation_id="organisation",
            volunteer_id="account",
            answered_by_id="account",
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_target_share")),
        sa.UniqueConstraint(
            *("town_id", "sharing_id", "place_id", "organisation_id", "volunteer_id"),
            name=op.f("uq_target_share_town_id_sharing_id_place_id_organisation_id_volunteer_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )


def downgrade() -> None:
    op.drop_table("target_share")
    op.drop_table("target_sharing")
    op.execute("delete from target where volunteer_id is not null")
    for name in ("ck_target_one_unit", "ck_target_changed_for_a_reason"):
        op.drop_constraint(op.f(name), "target")
    op.drop_constraint(op.f("uq_target_revision"), "target")
    op.drop_column("target", "volunteer_id")
    op.drop_column("target", "reason")
    op.create_unique_constraint(op.f(BEFORE), "target", [*WHOSE, "revision"], postgresql_nulls_not_distinct=True)
