"""Reorganisations of places and what each handed over.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NAMESPACE = UUID("6c0b8a6e-5c1e-5b0a-9a53-3c1f0a7a1385")


def upgrade() -> None:
    op.add_column("place_succession", sa.Column("position", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "reorganisation",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "drawn",
                "prepared",
                "handed_over",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("plan", postgresql.JSONB(), nullable=True),
        sa.Column("decisions", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(state = 'draft') = (plan is not null)", name=op.f("ck_reorganisation_plan")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_reorganisation_town_id")),
        sa.ForeignKeyConstraint(
            ["town_id", "created_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_reorganisation_town_id_created_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "decided_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_reorganisation_town_id_decided_by_id"),
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_reorganisation")),
        sa.UniqueConstraint("town_id", "on_day", "document", name=op.f("uq_reorganisation_town_id_on_day_document")),
    )
    op.create_table(
        "handover",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reorganisation_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("from_place_id", sa.Uuid(), nullable=False),
        sa.Column("to_place_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(account_id is null) <> (organisation_id is null)", name=op.f("ck_handover_whose")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_handover_town_id")),
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column], [f"{table}.town_id", f"{table}.id"], name=op.f(f"fk_handover_town_id_{column}")
            )
            for column, table in (
                ("reorganisation_id", "reorganisation"),
                ("account_id", "account"),
                ("organisation_id", "organisation"),
                ("from_place_id", "place"),
                ("to_place_id", "place"),
            )
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_handover")),
    )
    op.create_index(op.f("ix_handover_town_id_reorganisation_id"), "handover", ["town_id", "reorganisation_id"])
    op.create_index(
        "ix_handover_unread",
        "handover",
        ["town_id", "account_id"],
        postgresql_where=sa.text("read_at is null and taken_back_at is null"),
    )
    _known_ones()


def _known_ones() -> None:
    """The reorganisations whose boundaries the first rows hold already."""
    found = op.get_bind().execute(
        sa.text(
            "select town_id, on_day, document from place_succession where document is not null "
            "group by town_id, on_day, document order by on_day"
        )
    )
    rows = [
        {
            "town_id": town_id,
            "id": uuid5(NAMESPACE, f"reorganisation {town_id} {on_day} {document}"),
            "name": NAMES.get(document, document),
            "document": document,
            "on_day": on_day,
        }
        for town_id, on_day, document in found
    ]
    if rows:
        op.get_bind().execute(
            sa.text(
                "insert into reorganisation (town_id, id, name, document, on_day, state, created_at) "
                "values (:town_id, :id, :name, :document, :on_day, 'drawn', now())"
            ),
            rows,
        )


NAMES = {
    "786/NQ-UBTVQH14": "Nhập xã Hà Lan vào phường Đông Sơn",
    "1686/NQ-UBTVQH15": "Sắp xếp phường, xã năm 2025: phường Bỉm Sơn và phường Quang Trung",
}


def downgrade() -> None:
    op.drop_table("handover")
    op.drop_table("reorganisation")
    op.drop_column("place_succession", "position")
