"""What comes back to whoever leaves, kept with the ending; and leaving with a lump sum.

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

ENDINGS = ("lapsed", "stopped", "compulsory", "pension", "died", "moved_out")
REASONS = ("compulsory", "lump_sum", "died", "pension")
PAYEES = ("person", "sponsor", "unnamed")


def upgrade() -> None:
    _endings((*ENDINGS, "lump_sum"))
    op.create_table(
        "leaving_refund",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("participation_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("reason", _one_of(REASONS, "refund_reason"), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=False),
        sa.Column("not_needed_from", sa.Date(), nullable=False),
        sa.Column("months_left", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=True)
            for name in ("gross", "state_support", "local_support", "other_support", "amount")
        ),
        sa.Column("law", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("assumptions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("unknown", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("months_left > 0", name=op.f("ck_leaving_refund_months_left")),
        sa.CheckConstraint(
            "num_nulls(gross, state_support, local_support, other_support, amount) in (0, 5)",
            name=op.f("ck_leaving_refund_known"),
        ),
        sa.CheckConstraint(
            "amount >= 0 and amount <= gross - state_support - local_support - other_support",
            name=op.f("ck_leaving_refund_own_part"),
        ),
        *_keys("leaving_refund", participation_id="participation", payment_id="payment", recorded_by_id="account"),
        sa.UniqueConstraint("town_id", "payment_id", name=op.f("uq_leaving_refund_town_id_payment_id")),
    )
    op.create_index(
        op.f("ix_leaving_refund_town_id_participation_id"), "leaving_refund", ["town_id", "participation_id"]
    )
    op.create_table(
        "leaving_part",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("payee", _one_of(PAYEES, "payee"), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("settled_note", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_leaving_part_amount")),
        sa.CheckConstraint("amount is not null or payee = 'person'", name=op.f("ck_leaving_part_known_amount")),
        sa.CheckConstraint("(payee = 'sponsor') = (payee_id is not null)", name=op.f("ck_leaving_part_named")),
        sa.CheckConstraint(
            "(settled_on is null) = (settled_at is null) and (settled_on is null) = (settled_note is null)",
            name=op.f("ck_leaving_part_settled"),
        ),
        *_keys("leaving_part", refund_id="leaving_refund", settled_by_id="account"),
        sa.UniqueConstraint(
            *("town_id", "refund_id", "payee", "payee_id"),
            name=op.f("uq_leaving_part_town_id_refund_id_payee_payee_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_leaving_part_open", "leaving_part", ["town_id", "id"], postgresql_where=sa.text("settled_on is null")
    )


def downgrade() -> None:
    op.drop_table("leaving_part")
    op.drop_table("leaving_refund")
    op.execute("update participation set ended_as = 'stopped' where ended_as = 'lump_sum'")
    _endings(ENDINGS)


def _endings(known: tuple[str, ...]) -> None:
    name = op.f("ck_participation_ending")
    op.drop_constraint(name, "participation", type_="check")
    op.create_check_constraint(name, "participation", sa.column("ended_as", sa.String).in_(known))


def _one_of(options: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*options, name=name, native_enum=False, create_constraint=True, length=40)


def _keys(table: str, **points_to: str) -> list[sa.schema.Constraint]:
    return [
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column], [f"{other}.town_id", f"{other}.id"], name=op.f(f"fk_{table}_town_id_{column}")
            )
            for column, other in points_to.items()
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f(f"fk_{table}_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f(f"pk_{table}")),
    ]
