"""The collection network: points, the wards they serve, staff, and training.

Revision ID: 0060
Revises: 0059
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.parts import key, one_of, refers

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "collection_point",
        *key(),
        sa.Column(
            "kind", one_of("pointkind", "insurance", "post", "committee", "union", "bank", "other"), nullable=False
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("until >= since", name=op.f("ck_collection_point_days")),
        sa.CheckConstraint("num_nonnulls(latitude, longitude) in (0, 2)", name=op.f("ck_collection_point_spot")),
        sa.CheckConstraint(
            "latitude between 8 and 24 and longitude between 102 and 115", name=op.f("ck_collection_point_in_vietnam")
        ),
        sa.CheckConstraint("char_length(name) between 1 and 120", name=op.f("ck_collection_point_name")),
        sa.CheckConstraint("char_length(address) between 1 and 200", name=op.f("ck_collection_point_address")),
        sa.CheckConstraint("char_length(hours) between 1 and 200", name=op.f("ck_collection_point_hours")),
        *refers("collection_point", place_id="place", changed_by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_collection_point")),
    )
    op.create_index(op.f("ix_collection_point_town_id_place_id"), "collection_point", ["town_id", "place_id"])
    op.create_table(
        "collection_point_ward",
        *key(),
        sa.Column("point_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        *refers("collection_point_ward", point_id="collection_point", place_id="place"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_collection_point_ward")),
        sa.UniqueConstraint(
            "town_id", "point_id", "place_id", name=op.f("uq_collection_point_ward_town_id_point_id_place_id")
        ),
    )
    op.create_table(
        "collection_staff",
        *key(),
        sa.Column("point_id", sa.Uuid(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.CheckConstraint("until >= since", name=op.f("ck_collection_staff_days")),
        sa.CheckConstraint("char_length(full_name) between 1 and 120", name=op.f("ck_collection_staff_full_name")),
        *refers("collection_staff", point_id="collection_point"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_collection_staff")),
    )
    op.create_index(op.f("ix_collection_staff_town_id_point_id"), "collection_staff", ["town_id", "point_id"])
    op.create_table(
        "collection_training",
        *key(),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_by_id", sa.Uuid(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("valid_until >= held_on", name=op.f("ck_collection_training_days")),
        sa.CheckConstraint("char_length(what) between 1 and 200", name=op.f("ck_collection_training_what")),
        *refers("collection_training", staff_id="collection_staff", noted_by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_collection_training")),
    )
    op.create_index(op.f("ix_collection_training_town_id_staff_id"), "collection_training", ["town_id", "staff_id"])


def downgrade() -> None:
    op.drop_table("collection_training")
    op.drop_table("collection_staff")
    op.drop_table("collection_point_ward")
    op.drop_table("collection_point")
