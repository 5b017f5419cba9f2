"""Papers of sponsors in an unbroken sequence, their accounts, what everybody may see of them, and consents to be named.

Revision ID: 0026
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.parts import one_of

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None

APPEND_ONLY = ("sponsor_paper", "naming_consent")


def upgrade() -> None:
    _papers()
    op.create_table(
        "sponsor_account",
        *_of_the_town("sponsor_account", sponsor_id="sponsor", user_id="account", added_by_id="account"),
        sa.Column("sponsor_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=True),
        sa.UniqueConstraint("town_id", "user_id", name=op.f("uq_sponsor_account_town_id_user_id")),
    )
    op.create_index(op.f("ix_sponsor_account_town_id_sponsor_id"), "sponsor_account", ["town_id", "sponsor_id"])
    op.create_table(
        "sponsor_publicity",
        *_of_the_town("sponsor_publicity", sponsor_id="sponsor"),
        sa.Column("sponsor_id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("thanked", sa.Boolean(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("town_id", "sponsor_id", name=op.f("uq_sponsor_publicity_town_id_sponsor_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sponsor_publicity_public_id")),
    )
    _consents()
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table} "
            "for each row execute function refuse_rewriting()"
        )


def downgrade() -> None:
    for table in ("naming_consent", "sponsor_publicity", "sponsor_account", "sponsor_paper"):
        op.drop_table(table)


def _papers() -> None:
    op.create_table(
        "sponsor_paper",
        *_of_the_town("sponsor_paper", sponsor_id="sponsor", receipt_id="receipt", issued_by_id="account"),
        sa.Column("sponsor_id", sa.Uuid(), nullable=False),
        sa.Column("kind", one_of("paperkind", "receipt", "certificate", "statement"), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("follows", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=True),
        sa.Column("of_year", sa.BigInteger(), nullable=True),
        sa.Column("facts", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by_id", sa.Uuid(), nullable=True),
        sa.UniqueConstraint("number", name=op.f("uq_sponsor_paper_number")),
        sa.UniqueConstraint("town_id", "receipt_id", name=op.f("uq_sponsor_paper_town_id_receipt_id")),
        sa.UniqueConstraint(
            "town_id", "kind", "year", "serial", name=op.f("uq_sponsor_paper_town_id_kind_year_serial")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "kind", "year", "follows"],
            ["sponsor_paper.town_id", "sponsor_paper.kind", "sponsor_paper.year", "sponsor_paper.serial"],
            name=op.f("fk_sponsor_paper_follows"),
        ),
        sa.CheckConstraint(
            "follows is not distinct from nullif(serial - 1, 0)",
            name=op.f("ck_sponsor_paper_unbroken"),
        ),
        sa.CheckConstraint("serial > 0", name=op.f("ck_sponsor_paper_serial")),
        sa.CheckConstraint("extract(year from issued_on) = year", name=op.f("ck_sponsor_paper_year")),
        sa.CheckConstraint("(kind = 'receipt') = (receipt_id is not null)", name=op.f("ck_sponsor_paper_of_a_receipt")),
    )
    op.create_index(
        op.f("ix_sponsor_paper_town_id_sponsor_id_issued_at"), "sponsor_paper", ["town_id", "sponsor_id", "issued_at"]
    )


def _consents() -> None:
    op.create_table(
        "naming_consent",
        *_of_the_town("naming_consent", prospect_id="prospect", sponsor_id="sponsor", recorded_by_id="account"),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("sponsor_id", sa.Uuid(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("way", one_of("way", "paper", "doorstep", "phone_call"), nullable=False),
        sa.Column("said_on", sa.Date(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("char_length(words) between 1 and 2000", name=op.f("ck_naming_consent_words")),
    )
    for columns in (("sponsor_id", "prospect_id", "recorded_at"), ("prospect_id",)):
        name = op.f("ix_naming_consent_town_id_" + "_".join(columns))
        op.create_index(name, "naming_consent", ["town_id", *columns])


def _of_the_town(table: str, **points_to: str) -> list[sa.schema.SchemaItem]:
    """The key of a row of a town, and what its columns point to there."""
    return [
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f(f"fk_{table}_town_id")),
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column], [f"{to}.town_id", f"{to}.id"], name=op.f(f"fk_{table}_town_id_{column}")
            )
            for column, to in points_to.items()
        ),
    ]
