"""Proposals whom to fund.

Revision ID: 0029
Revises: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.parts import points

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

PROPOSAL_STATES = ("waiting", "ready", "closed")
LINE_STATES = ("proposed", "chosen", "accepted", "asked", "changed", "refused", "passed")
RESTS = ("nothing", "less_than_a_month", "enough_people", "nobody_fits", "everybody_carried")
WHYS = (
    "no_money",
    "no_wish",
    "enough_people",
    "refused_before",
    "nothing_to_pay",
    "carried",
    "paid_ahead",
    "certificate_ends",
    "not_reached",
    "not_willing",
    "may_not_join",
)


def choice(options: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*options, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    op.create_table(
        "funding_proposal",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", choice(PROPOSAL_STATES, "proposal_state"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (closed_at is not null)", name=op.f("ck_funding_proposal_closed")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_funding_proposal_town_id")),
        points("funding_proposal", "asked_by_id", "account"),
        points("funding_proposal", "closed_by_id", "account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_funding_proposal")),
    )
    op.create_index(op.f("ix_funding_proposal_town_id_asked_at_id"), "funding_proposal", ["town_id", "asked_at", "id"])
    op.create_index(
        "ix_funding_proposal_waiting", "funding_proposal", ["asked_at"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "funding_offer",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("sponsor_id", sa.Uuid(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("why", choice(RESTS, "why"), nullable=False),
        sa.Column("cheapest", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("available >= 0", name=op.f("ck_funding_offer_available")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_funding_offer_town_id")),
        points("funding_offer", "proposal_id", "funding_proposal"),
        points("funding_offer", "sponsor_id", "sponsor"),
        sa.PrimaryKeyConstraint("town_id", "proposal_id", "sponsor_id", name=op.f("pk_funding_offer")),
    )
    _lines()
    op.create_table(
        "funding_refusal",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sponsor_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_funding_refusal_town_id")),
        points("funding_refusal", "sponsor_id", "sponsor"),
        points("funding_refusal", "prospect_id", "prospect"),
        points("funding_refusal", "by_id", "account"),
        points("funding_refusal", "lifted_by_id", "account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_funding_refusal")),
    )
    op.create_index(
        "uq_funding_refusal_holds",
        "funding_refusal",
        ["town_id", "sponsor_id", "prospect_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at is null"),
    )
    op.create_index(op.f("ix_funding_refusal_town_id_prospect_id"), "funding_refusal", ["town_id", "prospect_id"])


def _lines() -> None:
    op.create_table(
        "funding_line",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("state", choice(LINE_STATES, "line_state"), nullable=False),
        sa.Column("sponsor_id", sa.Uuid(), nullable=True),
        sa.Column("start_month", sa.Date(), nullable=True),
        sa.Column("months", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("why", choice(WHYS, "why"), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", sa.Uuid(), nullable=True),
        sa.Column("allocation_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(state = 'asked') = (request_id is not null)", name=op.f("ck_funding_line_asked")),
        points("funding_line", "request_id", "money_request"),
        sa.CheckConstraint(
            "num_nonnulls(sponsor_id, start_month, months, amount) in (0, 4)", name=op.f("ck_funding_line_whole")
        ),
        sa.CheckConstraint(
            "(sponsor_id is null) = (state = 'passed') and (why is null) = (state <> 'passed')",
            name=op.f("ck_funding_line_reason"),
        ),
        sa.CheckConstraint("months > 0 and amount > 0", name=op.f("ck_funding_line_something")),
        sa.CheckConstraint("extract(day from start_month) = 1", name=op.f("ck_funding_line_start_month")),
        sa.CheckConstraint("(state = 'accepted') = (allocation_id is not null)", name=op.f("ck_funding_line_accepted")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_funding_line_town_id")),
        points("funding_line", "proposal_id", "funding_proposal"),
        points("funding_line", "prospect_id", "prospect"),
        points("funding_line", "sponsor_id", "sponsor"),
        points("funding_line", "allocation_id", "allocation"),
        points("funding_line", "settled_by_id", "account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_funding_line")),
        sa.UniqueConstraint(
            "town_id", "proposal_id", "prospect_id", name=op.f("uq_funding_line_town_id_proposal_id_prospect_id")
        ),
    )
    op.create_index(
        op.f("ix_funding_line_town_id_proposal_id_sponsor_id_position"),
        "funding_line",
        ["town_id", "proposal_id", "sponsor_id", "position"],
    )
    op.create_index(op.f("ix_funding_line_town_id_prospect_id"), "funding_line", ["town_id", "prospect_id"])
    op.create_index(
        "ix_funding_line_chosen",
        "funding_line",
        ["town_id", "proposal_id"],
        postgresql_where=sa.text("state = 'chosen'"),
    )


def downgrade() -> None:
    for table in ("funding_refusal", "funding_line", "funding_offer", "funding_proposal"):
        op.drop_table(table)
