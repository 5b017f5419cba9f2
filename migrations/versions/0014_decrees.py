"""Decrees that change the law from a day on; what has begun stays as it is, kept so by the database.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATUSES = ("in_force", "announced", "practice")
RULES = ("law_value", "local_top_up")

STAYS = """
create function law_stays() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'the law of a day stays on record: withdraw what has not begun'
            using errcode = 'restrict_violation';
    end if;
    if old.withdrawn_at is not null
        or to_jsonb(old) - array['withdrawn_at', 'withdrawn_why'] is distinct from
           to_jsonb(new) - array['withdrawn_at', 'withdrawn_why'] then
        raise exception 'a value of the law is never changed: a later one takes its place'
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""
"""Of a row of the law only the withdrawal may be written, once; whether it came in time says a constraint."""

BEGINS_LATER = "(withdrawn_at at time zone 'Asia/Ho_Chi_Minh')::date < effective_from"
RECORDED_BEFORE = "(recorded_at at time zone 'Asia/Ho_Chi_Minh')::date <= effective_from"


def upgrade() -> None:
    for table in RULES:
        op.add_column(table, sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True))
        op.add_column(table, sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
        op.add_column(table, sa.Column("withdrawn_why", sa.Text(), nullable=True))
    op.add_column("local_top_up", sa.Column("place_id", sa.Uuid(), nullable=True))
    for column in ("article", "source", "note"):
        op.add_column("local_top_up", sa.Column(column, sa.Text(), server_default="", nullable=False))
    op.add_column(
        "local_top_up",
        sa.Column(
            "status",
            sa.Enum(*STATUSES, name="lawstatus", native_enum=False, create_constraint=True, length=40),
            server_default="in_force",
            nullable=False,
        ),
    )
    op.create_foreign_key(
        op.f("fk_local_top_up_town_id_place_id"),
        "local_top_up",
        "place",
        ["town_id", "place_id"],
        ["town_id", "id"],
    )
    op.drop_constraint("uq_law_value_key_ground_of_year_effective_from_status", "law_value")
    op.drop_constraint("uq_local_top_up_town_id_ground_effective_from", "local_top_up")
    _one_of_a_day()
    for table in RULES:
        op.create_check_constraint(
            op.f(f"ck_{table}_withdrawn_in_time"),
            table,
            f"withdrawn_at is null or status = 'announced' or {BEGINS_LATER}",
        )
        op.create_check_constraint(
            op.f(f"ck_{table}_withdrawn_says_why"), table, "(withdrawn_at is null) = (withdrawn_why is null)"
        )
        op.create_check_constraint(
            op.f(f"ck_{table}_recorded_in_time"), table, f"status = 'announced' or {RECORDED_BEFORE}"
        )
    op.execute(STAYS)
    for table in RULES:
        op.execute(
            f"create trigger {table}_stays before update or delete on {table} for each row execute function law_stays()"
        )
    _decree_tables()


def _one_of_a_day() -> None:
    op.create_index(
        "uq_law_value_standing",
        "law_value",
        ["key", "ground", "of_year", "effective_from", "status"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("withdrawn_at is null"),
    )
    op.create_index(
        "uq_local_top_up_standing",
        "local_top_up",
        ["town_id", "place_id", "ground", "effective_from", "status"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("withdrawn_at is null"),
    )


def _decree_tables() -> None:
    op.create_table(
        "decree",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("article", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(*STATUSES, name="lawstatus", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("items", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("draft", "saved", "dropped", name="state", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("saved_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(state = 'saved') = (saved_at is not null)", name=op.f("ck_decree_saved")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_decree_town_id")),
        sa.ForeignKeyConstraint(
            ["town_id", "created_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_decree_town_id_created_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "saved_by_id"], ["account.town_id", "account.id"], name=op.f("fk_decree_town_id_saved_by_id")
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_decree")),
    )
    op.create_table(
        "decree_row",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("decree_id", sa.Uuid(), nullable=False),
        sa.Column("law_value_id", sa.Uuid(), nullable=True),
        sa.Column("local_top_up_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("num_nonnulls(law_value_id, local_top_up_id) = 1", name=op.f("ck_decree_row_one_rule")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_decree_row_town_id")),
        sa.ForeignKeyConstraint(
            ["town_id", "decree_id"], ["decree.town_id", "decree.id"], name=op.f("fk_decree_row_town_id_decree_id")
        ),
        sa.ForeignKeyConstraint(["law_value_id"], ["law_value.id"], name=op.f("fk_decree_row_law_value_id")),
        sa.ForeignKeyConstraint(
            ["town_id", "local_top_up_id"],
            ["local_top_up.town_id", "local_top_up.id"],
            name=op.f("fk_decree_row_town_id_local_top_up_id"),
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_decree_row")),
    )
    op.create_index(op.f("ix_decree_row_town_id_decree_id"), "decree_row", ["town_id", "decree_id"])
    op.create_table(
        "decree_impact",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("decree_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("today", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "working", "done", name="state", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_decree_impact_town_id")),
        sa.ForeignKeyConstraint(
            ["town_id", "decree_id"], ["decree.town_id", "decree.id"], name=op.f("fk_decree_impact_town_id_decree_id")
        ),
        sa.PrimaryKeyConstraint("town_id", "decree_id", name=op.f("pk_decree_impact")),
    )
    op.create_index(
        "ix_decree_impact_at_work",
        "decree_impact",
        ["heartbeat_at"],
        postgresql_where=sa.text("state in ('waiting','working')"),
    )
    money = ("gross", "state", "place", "sponsors", "own")
    op.create_table(
        "decree_person",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("decree_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("takes_part", sa.Boolean(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("start_month", sa.Date(), nullable=False),
        sa.Column("months", sa.BigInteger(), nullable=False),
        sa.Column("pay_by", sa.Date(), nullable=False),
        sa.Column("before_possible", sa.Boolean(), nullable=False),
        sa.Column("below_floor", sa.Boolean(), nullable=False),
        sa.Column("income_before", sa.BigInteger(), nullable=False),
        sa.Column("income_after", sa.BigInteger(), nullable=False),
        *(
            sa.Column(f"{name}_{when}", sa.BigInteger(), nullable=False)
            for when in ("before", "after")
            for name in money
        ),
        sa.CheckConstraint("months > 0", name=op.f("ck_decree_person_months")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_decree_person_town_id")),
        sa.ForeignKeyConstraint(
            ["town_id", "decree_id"], ["decree.town_id", "decree.id"], name=op.f("fk_decree_person_town_id_decree_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"],
            ["prospect.town_id", "prospect.id"],
            name=op.f("fk_decree_person_town_id_prospect_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_decree_person_town_id_place_id")
        ),
        sa.PrimaryKeyConstraint("town_id", "decree_id", "prospect_id", name=op.f("pk_decree_person")),
    )
    op.create_index(op.f("ix_decree_person_town_id_prospect_id"), "decree_person", ["town_id", "prospect_id"])


def downgrade() -> None:
    for table in ("decree_person", "decree_impact", "decree_row", "decree"):
        op.drop_table(table)
    for table in RULES:
        op.execute(f"drop trigger {table}_stays on {table}")
    op.execute("drop function law_stays()")
    op.execute("delete from law_value where recorded_at is not null")
    op.execute("delete from local_top_up where recorded_at is not null")
    for table in RULES:
        for name in ("withdrawn_in_time", "withdrawn_says_why", "recorded_in_time"):
            op.drop_constraint(f"ck_{table}_{name}", table)
    op.drop_index("uq_law_value_standing", "law_value")
    op.drop_index("uq_local_top_up_standing", "local_top_up")
    op.create_unique_constraint(
        "uq_law_value_key_ground_of_year_effective_from_status",
        "law_value",
        ["key", "ground", "of_year", "effective_from", "status"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_unique_constraint(
        "uq_local_top_up_town_id_ground_effective_from", "local_top_up", ["town_id", "ground", "effective_from"]
    )
    op.drop_constraint("fk_local_top_up_town_id_place_id", "local_top_up")
    for column in ("place_id", "article", "source", "note", "status"):
        op.drop_column("local_top_up", column)
    for table in RULES:
        for column in ("recorded_at", "withdrawn_at", "withdrawn_why"):
            op.drop_column(table, column)
