"""A figure that was wrong in a closed round is put right: what was told, what it is, and why, one after the other.

Revision ID: 0080
Revises: 0079
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.parts import key, one_of, refers

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None

TABLE = "report_correction"
FIGURES = (
    "compulsory",
    "unemployment",
    "employers",
    "inspections",
    "dialogues",
    "sessions",
    "attended",
    "broadcasts",
    "leaflets",
)
ONLY_CLOSED = """
create function refuse_correcting_open_round() returns trigger language plpgsql as $$
declare
    closed timestamptz;
begin
    select closed_at into closed from reporting_round where (town_id, id) in (
        select town_id, round_id from report_owed where town_id = new.town_id and id = new.owed_id) for share;
    if closed is null then
        raise exception 'the round is open: another version is sent instead' using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""


def upgrade() -> None:
    op.create_table(
        TABLE,
        *key(),
        sa.Column("owed_id", sa.Uuid(), nullable=False),
        sa.Column("figure", one_of("figure", *FIGURES), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("follows", sa.BigInteger(), nullable=True),
        sa.Column("was", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corrected_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("position > 0", name=op.f("ck_report_correction_position")),
        sa.CheckConstraint(
            "follows is not distinct from nullif(position - 1, 0)", name=op.f("ck_report_correction_unbroken")
        ),
        sa.CheckConstraint("number between 0 and 100000000", name=op.f("ck_report_correction_number")),
        sa.CheckConstraint("number is distinct from was", name=op.f("ck_report_correction_another")),
        sa.CheckConstraint("char_length(source) <= 200", name=op.f("ck_report_correction_source")),
        sa.CheckConstraint("char_length(why) between 1 and 500", name=op.f("ck_report_correction_why")),
        *refers(TABLE, owed_id="report_owed", corrected_by_id="account"),
        sa.ForeignKeyConstraint(
            ["town_id", "owed_id", "figure", "follows"],
            [f"{TABLE}.{column}" for column in ("town_id", "owed_id", "figure", "position")],
            name="fk_report_correction_follows",
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_report_correction")),
        sa.UniqueConstraint(
            "town_id",
            "owed_id",
            "figure",
            "position",
            name=op.f("uq_report_correction_town_id_owed_id_figure_position"),
        ),
    )
    op.create_index(op.f("ix_report_correction_town_id_corrected_at"), TABLE, ["town_id", "corrected_at"])
    op.execute(
        f"create trigger {TABLE}_is_append_only before update or delete on {TABLE} "
        "for each row execute function refuse_rewriting()"
    )
    op.execute(ONLY_CLOSED)
    op.execute(
        f"create trigger {TABLE}_only_once_closed before insert on {TABLE} "
        "for each row execute function refuse_correcting_open_round()"
    )


def downgrade() -> None:
    op.drop_table(TABLE)
    op.execute("drop function refuse_correcting_open_round()")
