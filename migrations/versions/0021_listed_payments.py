"""Payments that lists of the insurance office tell of, and their kind of list.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

KIND = "payments"
VERDICTS = ("agrees", "new", "differs", "accepted", "recorded", "left")


def upgrade() -> None:
    for table in ("list_import", "remembered_columns"):
        _kinds(table, lambda known: [*known, *({KIND} - set(known))])
    op.create_table(
        "listed_payment",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("start_month", sa.Date(), nullable=False),
        sa.Column("months", sa.BigInteger(), nullable=False),
        sa.Column("said", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("ours", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("income", sa.BigInteger(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("receipt_number", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(*VERDICTS, name="verdict", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("why", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("months between 1 and 60", name=op.f("ck_listed_payment_months")),
        sa.CheckConstraint("extract(day from start_month) = 1", name=op.f("ck_listed_payment_start_month")),
        sa.CheckConstraint(
            "verdict not in ('agrees', 'recorded') or payment_id is not null",
            name=op.f("ck_listed_payment_of_a_payment"),
        ),
        sa.CheckConstraint(
            "(decided_at is null) = (verdict in ('agrees', 'new', 'differs'))", name=op.f("ck_listed_payment_decided")
        ),
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column],
                [f"{table}.town_id", f"{table}.id"],
                name=op.f(f"fk_listed_payment_town_id_{column}"),
            )
            for column, table in (
                ("import_id", "list_import"),
                ("prospect_id", "prospect"),
                ("payment_id", "payment"),
                ("decided_by_id", "account"),
            )
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_listed_payment_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_listed_payment")),
        sa.UniqueConstraint("town_id", "row_id", name=op.f("uq_listed_payment_town_id_row_id")),
    )
    for columns in (("verdict", "id"), ("prospect_id", "start_month"), ("import_id",)):
        name = op.f("ix_listed_payment_town_id_" + "_".join(columns))
        op.create_index(name, "listed_payment", ["town_id", *columns], unique=False)


def downgrade() -> None:
    op.drop_table("listed_payment")
    for table, of in (("remembered_columns", "kind"), ("list_import", "kind")):
        op.execute(f"update {table} set {of} = 'people' where {of} = '{KIND}'")
        _kinds(table, lambda known: [kind for kind in known if kind != KIND])


def _kinds(table: str, change: Callable[[list[str]], list[str]]) -> None:
    """The kinds of lists that a table takes are changed, whatever they are now."""
    name = op.f(f"ck_{table}_listkind")
    told = op.get_bind().scalar(
        sa.text("select pg_get_constraintdef(oid) from pg_constraint where conname = :name"), {"name": name}
    )
    known = [part.split("'")[1] for part in str(told).split(",")]
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, sa.column("kind", sa.String).in_(change(known)))
