"""Saved segments, tags and acts on many people that can be undone.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

LIVE = sa.text("merged_into_id is null")
LISTS = {
    "ix_prospect_list": ["name_key", "id"],
    "ix_prospect_stage": ["stage", "name_key", "id"],
    "ix_prospect_place_stage": ["place_id", "stage", "name_key", "id"],
    "ix_prospect_place": ["place_id", "name_key", "id"],
    "ix_prospect_organisation": ["organisation_id", "name_key", "id"],
    "ix_prospect_volunteer": ["volunteer_id", "name_key", "id"],
}
"""Indexes of lists. Without the merged records, as every list is, they answer a count without looking at a row."""

TABLES = ("person_tag", "bulk_act_person", "tag", "segment", "people_export", "bulk_act")


def upgrade() -> None:
    _tables()
    op.add_column("account", sa.Column("list_columns", postgresql.ARRAY(sa.Text()), nullable=True))
    for name, columns in LISTS.items():
        op.drop_index(name, "prospect")
        op.create_index(name, "prospect", ["town_id", *columns], unique=False, postgresql_where=LIVE)
    op.create_index("ix_prospect_birth_year", "prospect", ["town_id", "birth_year"], postgresql_where=LIVE)
    op.create_index("ix_prospect_last_contact", "prospect", ["town_id", "last_contact_at"], postgresql_where=LIVE)
    _words_without_accents()
    op.create_index(
        "ix_prospect_occupation",
        "prospect",
        [sa.text("fold_words(occupation) gin_trgm_ops")],
        postgresql_using="gin",
        postgresql_where=sa.text("occupation is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_prospect_occupation", "prospect")
    op.execute("drop function fold_words(text)")
    op.drop_index("ix_prospect_last_contact", "prospect")
    op.drop_index("ix_prospect_birth_year", "prospect")
    for name, columns in LISTS.items():
        op.drop_index(name, "prospect")
        op.create_index(name, "prospect", ["town_id", *columns], unique=False)
    op.drop_column("account", "list_columns")
    for name in TABLES:
        op.drop_table(name)


MARKS = "".join(chr(mark) for mark in (0x300, 0x301, 0x302, 0x303, 0x306, 0x309, 0x31B, 0x323))
"""The marks of Vietnamese letters, once they are taken apart."""


def _words_without_accents() -> None:
    """`fold_words(text)`: Vietnamese words as crm.names.fold has them, for an index; whatever the database's language.
    Taken apart there are few signs to look for; the cost keeps the planner from calling it in vain."""
    op.execute(
        "create function fold_words(told text) returns text language sql immutable strict parallel safe cost 100 as "
        f"$$ select lower(translate(normalize(told, NFD), 'đĐ{MARKS}', 'dd')) $$"
    )


def _tables() -> None:
    op.create_table(
        "bulk_act",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.Column("asked", postgresql.JSONB(), nullable=True),
        sa.Column("q", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "working",
                "done",
                "undoing",
                "undone",
                "failed",
                name="actstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "by_id"], ["account.town_id", "account.id"], name=op.f("fk_bulk_act_town_id_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "undone_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_bulk_act_town_id_undone_by_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_bulk_act_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_bulk_act")),
    )
    op.create_index(
        "ix_bulk_act_at_work",
        "bulk_act",
        ["heartbeat_at"],
        unique=False,
        postgresql_where=sa.text("state in ('waiting','working','undoing')"),
    )
    op.create_index(op.f("ix_bulk_act_town_id_by_id_at"), "bulk_act", ["town_id", "by_id", "at"], unique=False)
    op.create_table(
        "people_export",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked", postgresql.JSONB(), nullable=False),
        sa.Column("q", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("full_numbers", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "working",
                "ready",
                "expired",
                "failed",
                name="exportstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "by_id"], ["account.town_id", "account.id"], name=op.f("fk_people_export_town_id_by_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_people_export_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_people_export")),
    )
    op.create_index(
        "ix_people_export_at_work",
        "people_export",
        ["heartbeat_at"],
        unique=False,
        postgresql_where=sa.text("state in ('waiting','working')"),
    )
    op.create_index(op.f("ix_people_export_town_id_at_id"), "people_export", ["town_id", "at", "id"], unique=False)
    op.create_table(
        "segment",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_fold", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "sharing",
            sa.Enum("own", "unit", "town", name="sharing", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("asked", postgresql.JSONB(), nullable=False),
        sa.Column("q", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "sharing <> 'unit' or organisation_id is not null or place_id is not null",
            name=op.f("ck_segment_shared_with_a_unit"),
        ),
        sa.CheckConstraint("char_length(name) between 1 and 80", name=op.f("ck_segment_name")),
        sa.ForeignKeyConstraint(
            ["town_id", "organisation_id"],
            ["organisation.town_id", "organisation.id"],
            name=op.f("fk_segment_town_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "owner_id"], ["account.town_id", "account.id"], name=op.f("fk_segment_town_id_owner_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_segment_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_segment_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_segment")),
    )
    op.create_index(
        op.f("ix_segment_town_id_name_fold"),
        "segment",
        ["town_id", "name_fold"],
        unique=False,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "tag",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_fold", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "created_by_id"], ["account.town_id", "account.id"], name=op.f("fk_tag_town_id_created_by_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_tag_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_tag")),
        sa.UniqueConstraint("town_id", "name_fold", name=op.f("uq_tag_town_id_name_fold")),
    )
    op.create_table(
        "bulk_act_person",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "waiting",
                "done",
                "left_out",
                "back",
                "stayed",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "why",
            sa.Enum(
                "already",
                "out_of_sight",
                "takes_part",
                "too_many_tags",
                "touched",
                name="why",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "act_id"], ["bulk_act.town_id", "bulk_act.id"], name=op.f("fk_bulk_act_person_town_id_act_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"],
            ["prospect.town_id", "prospect.id"],
            name=op.f("fk_bulk_act_person_town_id_prospect_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_bulk_act_person_town_id")),
        sa.PrimaryKeyConstraint("town_id", "act_id", "prospect_id", name=op.f("pk_bulk_act_person")),
    )
    op.create_index(
        op.f("ix_bulk_act_person_town_id_act_id_outcome_prospect_id"),
        "bulk_act_person",
        ["town_id", "act_id", "outcome", "prospect_id"],
        unique=False,
    )
    op.create_table(
        "person_tag",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("act_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "act_id"], ["bulk_act.town_id", "bulk_act.id"], name=op.f("fk_person_tag_town_id_act_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "by_id"], ["account.town_id", "account.id"], name=op.f("fk_person_tag_town_id_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"],
            ["prospect.town_id", "prospect.id"],
            name=op.f("fk_person_tag_town_id_prospect_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "tag_id"], ["tag.town_id", "tag.id"], name=op.f("fk_person_tag_town_id_tag_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_person_tag_town_id")),
        sa.PrimaryKeyConstraint("town_id", "tag_id", "prospect_id", name=op.f("pk_person_tag")),
    )
    op.create_index(op.f("ix_person_tag_town_id_prospect_id"), "person_tag", ["town_id", "prospect_id"], unique=False)
