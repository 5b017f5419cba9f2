"""Communication events, and the visits of people met there.

Revision ID: 0056
Revises: 0055
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.parts import key, one_of, refers

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "public_event",
        *key(),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("kind", one_of("eventkind", "meeting", "dialogue", "broadcast", "leaflets", "stall"), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=True),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("attended", sa.BigInteger(), nullable=True),
        sa.Column("leaflets", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("logged_by_id", sa.Uuid(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("times between 1 and 1000", name=op.f("ck_public_event_times")),
        sa.CheckConstraint("attended between 0 and 100000", name=op.f("ck_public_event_attended")),
        sa.CheckConstraint("leaflets between 0 and 1000000", name=op.f("ck_public_event_leaflets")),
        sa.CheckConstraint("char_length(title) between 1 and 200", name=op.f("ck_public_event_title")),
        *refers("public_event", place_id="place", organisation_id="organisation", logged_by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_public_event")),
    )
    op.create_index(op.f("ix_public_event_town_id_held_on_id"), "public_event", ["town_id", "held_on", "id"])
    op.create_table(
        "public_event_person",
        *key(),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        *refers("public_event_person", event_id="public_event", visit_id="visit"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_public_event_person")),
        sa.UniqueConstraint(
            "town_id", "event_id", "visit_id", name=op.f("uq_public_event_person_town_id_event_id_visit_id")
        ),
    )
    op.execute(
        "create trigger public_event_person_is_append_only before update or delete on public_event_person "
        "for each row execute function refuse_rewriting()"
    )


def downgrade() -> None:
    op.drop_table("public_event_person")
    op.drop_table("public_event")
