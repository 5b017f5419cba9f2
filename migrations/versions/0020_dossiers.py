"""Dossiers: what somebody wants to declare, the lists in which it goes, and the insurance office's answer.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.parts import of_the_town, one_of

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STATES = ("draft", "ready", "handed_over", "submitted", "returned", "accepted", "withdrawn")
MOVEMENTS = ("TM", "DT", "DB", "DL", "GH")


def upgrade() -> None:
    op.create_table(
        "dossier_list",
        *of_the_town("dossier_list", by_id="account"),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("submitted_on", sa.Date(), nullable=True),
        sa.UniqueConstraint("town_id", "year", "number", name=op.f("uq_dossier_list_town_id_year_number")),
        sa.CheckConstraint("number > 0", name=op.f("ck_dossier_list_number")),
    )
    op.create_index(op.f("ix_dossier_list_town_id_made_at_id"), "dossier_list", ["town_id", "made_at", "id"])
    _dossier()
    op.create_table(
        "dossier_step",
        *of_the_town("dossier_step", dossier_id="dossier", by_id="account", agent_id="account"),
        sa.Column("dossier_id", sa.Uuid(), nullable=False),
        sa.Column("to_state", one_of("step_state", *STATES), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
    )
    op.create_index(op.f("ix_dossier_step_town_id_dossier_id_at"), "dossier_step", ["town_id", "dossier_id", "at"])
    op.execute(
        "create trigger dossier_step_is_append_only before update or delete on dossier_step "
        "for each row execute function refuse_rewriting()"
    )


def downgrade() -> None:
    for table in ("dossier_step", "dossier", "dossier_list"):
        op.drop_table(table)


def _dossier() -> None:
    op.create_table(
        "dossier",
        *of_the_town(
            "dossier",
            prospect_id="prospect",
            agent_id="account",
            list_id="dossier_list",
            payment_id="payment",
            opened_by_id="account",
        ),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("state", one_of("dossier_state", *STATES), nullable=False),
        sa.Column("movement", one_of("movement", *MOVEMENTS), nullable=False),
        sa.Column("income", sa.BigInteger(), nullable=True),
        sa.Column("months", sa.BigInteger(), nullable=True),
        sa.Column("start_month", sa.Date(), nullable=True),
        sa.Column("stop_on", sa.Date(), nullable=True),
        sa.Column("results_address", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        sa.Column("list_id", sa.Uuid(), nullable=True),
        sa.Column("declared", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("returned_for", sa.Text(), nullable=True),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("book_index", sa.LargeBinary(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(movement = 'GH') = (stop_on is not null)", name=op.f("ck_dossier_stops")),
        sa.CheckConstraint(
            "(movement = 'GH') = (income is null) and (income is null) = (months is null) "
            "and (income is null) = (start_month is null)",
            name=op.f("ck_dossier_pays"),
        ),
        sa.CheckConstraint("extract(day from start_month) = 1", name=op.f("ck_dossier_start_month")),
        sa.CheckConstraint("months between 1 and 60", name=op.f("ck_dossier_months")),
        sa.CheckConstraint(
            "state not in ('submitted', 'accepted') or list_id is not null", name=op.f("ck_dossier_in_a_list")
        ),
        sa.CheckConstraint("(state = 'accepted') = (accepted_on is not null)", name=op.f("ck_dossier_accepted")),
        sa.CheckConstraint("state <> 'returned' or returned_for is not null", name=op.f("ck_dossier_returned")),
    )
    op.create_index(
        "uq_dossier_open",
        "dossier",
        ["town_id", "prospect_id"],
        unique=True,
        postgresql_where=sa.text("state not in ('accepted', 'withdrawn')"),
    )
    op.create_index(
        "uq_dossier_book",
        "dossier",
        ["town_id", "book_index"],
        unique=True,
        postgresql_where=sa.text("book_index is not null"),
    )
    op.create_index(op.f("ix_dossier_town_id_state_changed_at_id"), "dossier", ["town_id", "state", "changed_at", "id"])
    op.create_index(op.f("ix_dossier_town_id_prospect_id"), "dossier", ["town_id", "prospect_id"])
    op.create_index(op.f("ix_dossier_town_id_list_id"), "dossier", ["town_id", "list_id"])
