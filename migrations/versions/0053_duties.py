"""The plan's duties, and every step noted of them.

Revision ID: 0053
Revises: 0052
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.parts import key, one_of, refers

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duty",
        *key(),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("actor_no", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", one_of("state", "open", "under_way", "done"), nullable=False),
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("num_nonnulls(place_id, organisation_id) <= 1", name=op.f("ck_duty_one_unit")),
        sa.CheckConstraint("actor_no between 1 and 11", name=op.f("ck_duty_actor_no")),
        sa.CheckConstraint("position > 0", name=op.f("ck_duty_position")),
        sa.CheckConstraint("char_length(words) between 1 and 300", name=op.f("ck_duty_words")),
        *refers("duty", place_id="place", organisation_id="organisation"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_duty")),
        sa.UniqueConstraint(
            *("town_id", "year", "actor_no", "position", "place_id", "organisation_id"),
            name="uq_duty_of_whom",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_duty_due", "duty", ["town_id", "due_on"], postgresql_where=sa.text("state <> 'done'"))
    op.create_table(
        "duty_step",
        *key(),
        sa.Column("duty_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("step", one_of("step", "progress", "done", "reopened", "letter"), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_duty_step_number")),
        sa.CheckConstraint("char_length(words) between 1 and 1000", name=op.f("ck_duty_step_words")),
        *refers("duty_step", duty_id="duty", noted_by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_duty_step")),
        sa.UniqueConstraint("town_id", "duty_id", "number", name=op.f("uq_duty_step_town_id_duty_id_number")),
    )
    op.execute(
        "create trigger duty_step_is_append_only before update or delete on duty_step "
        "for each row execute function refuse_rewriting()"
    )


def downgrade() -> None:
    op.drop_table("duty_step")
    op.drop_table("duty")
