"""Work packages that come back by themselves.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

GIVEN_WITHOUT_A_DATE = """
insert into assignment (town_id, id, prospect_id, volunteer_id, organisation_id, since)
select p.town_id, gen_random_uuid(), p.id, p.volunteer_id, p.organisation_id, p.created_at
from prospect p
where p.volunteer_id is not null and not exists (
    select from assignment a where a.town_id = p.town_id and a.prospect_id = p.id and a.until is null
)
"""
"""People whom volunteers added themselves were looked after, but nothing said since when."""


def upgrade() -> None:
    op.create_table(
        "work_package",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_by_id", sa.Uuid(), nullable=True),
        sa.Column("counts_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "ending",
            sa.Enum(
                "ran_out",
                "handed_back",
                "taken_back",
                name="ending",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("ended_note", sa.Text(), nullable=True),
        sa.CheckConstraint("(ended_at is null) = (ending is null)", name=op.f("ck_work_package_end")),
        sa.CheckConstraint("char_length(name) between 1 and 120", name=op.f("ck_work_package_name")),
        sa.CheckConstraint(
            "char_length(note) <= 500 and char_length(ended_note) <= 500", name=op.f("ck_work_package_notes")
        ),
        *_keys(
            "work_package",
            volunteer_id="account",
            place_id="place",
            given_by_id="account",
            ended_by_id="account",
        ),
    )
    op.create_index(op.f("ix_work_package_town_id_given_at_id"), "work_package", ["town_id", "given_at", "id"])
    op.create_index(
        op.f("ix_work_package_town_id_volunteer_id_given_at"),
        "work_package",
        ["town_id", "volunteer_id", "given_at"],
    )
    op.create_index(
        "ix_work_package_running",
        "work_package",
        ["town_id", "until"],
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "work_package_item",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("organisation_was_id", sa.Uuid(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "settled",
            sa.Enum(
                "met",
                "returned",
                "handed_on",
                name="settled",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("(settled_at is null) = (settled is null)", name=op.f("ck_work_package_item_settlement")),
        *_keys(
            "work_package_item", package_id="work_package", prospect_id="prospect", organisation_was_id="organisation"
        ),
        sa.UniqueConstraint(
            "town_id", "package_id", "prospect_id", name=op.f("uq_work_package_item_town_id_package_id_prospect_id")
        ),
    )
    op.create_index(op.f("ix_work_package_item_town_id_prospect_id"), "work_package_item", ["town_id", "prospect_id"])
    op.create_index(
        "uq_work_package_item_open",
        "work_package_item",
        ["town_id", "prospect_id"],
        unique=True,
        postgresql_where=sa.text("settled_at is null"),
    )
    op.add_column("visit", sa.Column("keyed_by_id", sa.Uuid(), nullable=True))
    op.add_column("visit", sa.Column("handed_on", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_foreign_key(
        op.f("fk_visit_town_id_keyed_by_id"), "visit", "account", ["town_id", "keyed_by_id"], ["town_id", "id"]
    )
    op.execute(GIVEN_WITHOUT_A_DATE)


def _keys(table: str, **points: str) -> list[sa.Constraint]:
    """The primary key, the town, and what the columns point to in it."""
    return [
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f(f"fk_{table}_town_id")),
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column], [f"{to}.town_id", f"{to}.id"], name=op.f(f"fk_{table}_town_id_{column}")
            )
            for column, to in points.items()
        ),
    ]


def downgrade() -> None:
    op.drop_constraint(op.f("fk_visit_town_id_keyed_by_id"), "visit", type_="foreignkey")
    op.drop_column("visit", "handed_on")
    op.drop_column("visit", "keyed_by_id")
    op.drop_table("work_package_item")
    op.drop_table("work_package")
