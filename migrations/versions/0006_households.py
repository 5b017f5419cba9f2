"""Heads, members and the certificates of households.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KINSHIPS = ("head", "spouse", "child", "parent", "other")
MORE_KINSHIPS = (
    "child_in_law",
    "parent_in_law",
    "grandparent",
    "grandchild",
    "sibling",
    "sibling_in_law",
    "nephew_niece",
    "uncle_aunt",
    "not_related",
)
ONE_HEAD = "kinship = 'head' and household_id is not null and merged_into_id is null"


def upgrade() -> None:
    _household()
    _members()
    _certificates()
    _reviews()
    op.add_column("standing", sa.Column("certificate_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_standing_town_id_certificate_id"),
        "standing",
        "household_certificate",
        ["town_id", "certificate_id"],
        ["town_id", "id"],
    )
    op.create_index(op.f("ix_standing_town_id_certificate_id"), "standing", ["town_id", "certificate_id"])
    op.create_index(op.f("ix_standing_town_id_valid_to"), "standing", ["town_id", "valid_to"])
    _allow_kinships((*KINSHIPS, *MORE_KINSHIPS))
    # Where a list named two heads, the one who stood there first stays head; the others' kinship is to be asked again.
    op.execute(
        f"""
        update prospect set kinship = 'other' where {ONE_HEAD} and exists (
            select from prospect earlier
            where earlier.town_id = prospect.town_id and earlier.household_id = prospect.household_id
            and earlier.kinship = 'head' and earlier.merged_into_id is null
            and (earlier.created_at, earlier.id) < (prospect.created_at, prospect.id)
        )
        """  # no value comes from outside
    )
    op.create_index(
        "uq_prospect_head", "prospect", ["town_id", "household_id"], unique=True, postgresql_where=sa.text(ONE_HEAD)
    )


def _household() -> None:
    op.add_column("household", sa.Column("code", sa.Text(), nullable=True))
    op.add_column("household", sa.Column("ended_on", sa.Date(), nullable=True))
    op.add_column("household", sa.Column("merged_into_id", sa.Uuid(), nullable=True))
    op.add_column("household", sa.Column("created_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("household", sa.Column("created_by_id", sa.Uuid(), nullable=True))
    for column, table in (("merged_into_id", "household"), ("created_by_id", "account")):
        op.create_foreign_key(
            op.f(f"fk_household_town_id_{column}"), "household", table, ["town_id", column], ["town_id", "id"]
        )
    op.create_check_constraint(op.f("ck_household_code"), "household", "char_length(code) between 1 and 40")
    op.create_index(
        "uq_household_code",
        "household",
        ["town_id", "code"],
        unique=True,
        postgresql_where=sa.text("code is not null and ended_on is null"),
    )


def _of_the_town(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f(f"fk_{table}_town_id")),
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column], [f"{other}.town_id", f"{other}.id"], name=op.f(f"fk_{table}_town_id_{column}")
            )
            for column, other in columns.items()
        ),
    ]


def _members() -> None:
    op.create_table(
        "household_member",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("until > since", name=op.f("ck_household_member_dates")),
        *_of_the_town("household_member", household_id="household", prospect_id="prospect", by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_household_member")),
    )
    op.create_index(op.f("ix_household_member_town_id_household_id"), "household_member", ["town_id", "household_id"])
    op.execute(
        """
        alter table household_member add constraint ex_household_member_one_household_at_a_time
        exclude using gist (town_id with =, prospect_id with =, daterange(since, until) with &&)
        """
    )


def _certificates() -> None:
    op.create_table(
        "household_certificate",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column(
            "ground",
            sa.Enum(
                "poor",
                "island",
                "near_poor",
                "ethnic_minority",
                "other",
                name="ground",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("ground in ('poor', 'near_poor')", name=op.f("ck_household_certificate_poverty")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_household_certificate_dates")),
        sa.CheckConstraint("valid_from >= make_date(year::int, 1, 1)", name=op.f("ck_household_certificate_first_day")),
        sa.CheckConstraint(
            "valid_to <= make_date(year::int + 1, 1, 1)", name=op.f("ck_household_certificate_last_day")
        ),
        sa.CheckConstraint("char_length(number) between 1 and 100", name=op.f("ck_household_certificate_number")),
        *_of_the_town("household_certificate", household_id="household", recorded_by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_household_certificate")),
    )
    op.create_index(op.f("ix_household_certificate_town_id_valid_to"), "household_certificate", ["town_id", "valid_to"])
    op.execute(
        """
        alter table household_certificate add constraint ex_household_certificate_one_standing
        exclude using gist (town_id with =, household_id with =, daterange(valid_from, valid_to) with &&)
        """
    )


def _reviews() -> None:
    op.create_table(
        "poverty_review",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("prospect_id", sa.Uuid(), nullable=True),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(household_id is null) <> (prospect_id is null)", name=op.f("ck_poverty_review_one_subject")
        ),
        *_of_the_town("poverty_review", household_id="household", prospect_id="prospect", by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_poverty_review")),
        sa.UniqueConstraint(
            "town_id", "household_id", "year", name=op.f("uq_poverty_review_town_id_household_id_year")
        ),
        sa.UniqueConstraint("town_id", "prospect_id", "year", name=op.f("uq_poverty_review_town_id_prospect_id_year")),
    )


def _allow_kinships(words: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_prospect_kinship"), "prospect", type_="check")
    listed = ", ".join(f"'{word}'" for word in words)
    op.create_check_constraint(op.f("ck_prospect_kinship"), "prospect", f"kinship in ({listed})")


def downgrade() -> None:
    op.drop_index("uq_prospect_head", table_name="prospect")
    listed = ", ".join(f"'{word}'" for word in MORE_KINSHIPS)
    op.execute(f"update prospect set kinship = 'other' where kinship in ({listed})")  # our own words
    _allow_kinships(KINSHIPS)
    op.drop_index(op.f("ix_standing_town_id_valid_to"), table_name="standing")
    op.drop_index(op.f("ix_standing_town_id_certificate_id"), table_name="standing")
    op.drop_constraint(op.f("fk_standing_town_id_certificate_id"), "standing", type_="foreignkey")
    op.drop_column("standing", "certificate_id")
    op.drop_table("poverty_review")
    op.drop_table("household_certificate")
    op.drop_table("household_member")
    op.drop_index("uq_household_code", table_name="household")
    op.drop_constraint(op.f("ck_household_code"), "household", type_="check")
    for column in ("created_by_id", "merged_into_id"):
        op.drop_constraint(op.f(f"fk_household_town_id_{column}"), "household", type_="foreignkey")
    for column in ("created_by_id", "created_at", "merged_into_id", "ended_on", "code"):
        op.drop_column("household", column)
