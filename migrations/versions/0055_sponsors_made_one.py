"""Two sponsors who are the same become one, and can be told apart again.

Revision ID: 0055
Revises: 0054
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

MOVEMENTS = (
    "received",
    "reserved",
    "released",
    "paid",
    "refunded",
    "corrected",
    "pledged",
    "pledge_changed",
    "pledge_ended",
    "identified",
    "came_back",
)
ACTS = ("allocate", "pay", "refund", "correct", "close", "send_back", "undo_line", "pay_listed")

KEEP = """
create function keep_sponsor_merge() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        if exists (select from sponsor where town_id = new.town_id and id in (new.kept_id, new.gone_id)
                and merged_into_id is not null)
            or exists (select from sponsor where town_id = new.town_id and merged_into_id = new.gone_id) then
            raise exception 'a sponsor joins one who stands by itself, and has nobody joined to it'
                using errcode = 'check_violation', constraint = 'sponsor_merge_flat';
        end if;
        update sponsor set merged_into_id = new.kept_id, merged_at = new.at
            where town_id = new.town_id and id = new.gone_id;
    elsif old.undone_at is not null then
        raise exception 'these sponsors were told apart already'
            using errcode = 'restrict_violation', constraint = 'sponsor_merge_undone';
    else
        update sponsor set merged_into_id = null, merged_at = null where town_id = new.town_id and id = new.gone_id;
    end if;
    return null;
end $$
"""
"""Whom a sponsor is now part of follows from the rows of merges; the program's role cannot write it."""

GUARD = """
create function sponsor_is_merged_by_its_row() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.merged_into_id is null and new.merged_at is null then
            return new;
        end if;
    elsif (old.merged_into_id, old.merged_at) is not distinct from (new.merged_into_id, new.merged_at)
        or current_user = (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
        return new;
    end if;
    raise exception 'two sponsors become one by a row of sponsor_merge' using errcode = 'restrict_violation';
end $$
"""


def upgrade() -> None:
    op.add_column("sponsor", sa.Column("merged_into_id", sa.Uuid(), nullable=True))
    op.add_column("sponsor", sa.Column("merged_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_sponsor_town_id_merged_into_id"),
        "sponsor",
        "sponsor",
        ["town_id", "merged_into_id"],
        ["town_id", "id"],
    )
    op.create_check_constraint(
        op.f("ck_sponsor_merged"), "sponsor", "(merged_into_id is null) = (merged_at is null) and merged_into_id <> id"
    )
    op.create_index(
        op.f("ix_sponsor_town_id_merged_into_id"),
        "sponsor",
        ["town_id", "merged_into_id"],
        postgresql_where=sa.text("merged_into_id is not null"),
    )
    op.drop_constraint(op.f("uq_sponsor_town_id_tax_code"), "sponsor")
    op.create_index(
        "uq_sponsor_town_id_tax_code",
        "sponsor",
        ["town_id", "tax_code"],
        unique=True,
        postgresql_where=sa.text("merged_into_id is null"),
    )
    op.create_table(
        "sponsor_merge",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kept_id", sa.Uuid(), nullable=False),
        sa.Column("gone_id", sa.Uuid(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", sa.Uuid(), nullable=True),
        sa.Column("undone_why", sa.Text(), nullable=True),
        sa.CheckConstraint("kept_id <> gone_id", name=op.f("ck_sponsor_merge_two")),
        sa.CheckConstraint(
            "(undone_at is null) = (undone_by_id is null) and (undone_at is null) = (undone_why is null)",
            name=op.f("ck_sponsor_merge_undone"),
        ),
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column],
                [f"{table}.town_id", f"{table}.id"],
                name=op.f(f"fk_sponsor_merge_town_id_{column}"),
            )
            for column, table in (
                ("kept_id", "sponsor"),
                ("gone_id", "sponsor"),
                ("request_id", "money_request"),
                ("by_id", "account"),
                ("undone_by_id", "account"),
            )
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_sponsor_merge_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_sponsor_merge")),
    )
    op.create_index(
        "uq_sponsor_merge_once",
        "sponsor_merge",
        ["town_id", "gone_id"],
        unique=True,
        postgresql_where=sa.text("undone_at is null"),
    )
    op.create_index(op.f("ix_sponsor_merge_town_id_kept_id"), "sponsor_merge", ["town_id", "kept_id"])
    _choices("posting", "movement", (*MOVEMENTS, "merged"))
    _choices("money_request", "moneyact", (*ACTS, "merge"), column="act")
    op.execute(KEEP)
    op.execute(GUARD)
    op.execute(
        "create trigger sponsor_merge_is_kept after insert or update on sponsor_merge for each row "
        "execute function keep_sponsor_merge()"
    )
    op.execute(
        "create trigger sponsor_is_merged_by_its_row before insert or update on sponsor for each row "
        "execute function sponsor_is_merged_by_its_row()"
    )


def downgrade() -> None:
    for table, name in (("sponsor", "sponsor_is_merged_by_its_row"), ("sponsor_merge", "sponsor_merge_is_kept")):
        op.execute(f"drop trigger {name} on {table}")
    for name in ("sponsor_is_merged_by_its_row", "keep_sponsor_merge"):
        op.execute(f"drop function {name}()")
    op.execute("alter table posting disable trigger user")
    op.execute("update posting set movement = 'released' where movement = 'merged'")
    op.execute("alter table posting enable trigger user")
    _choices("posting", "movement", MOVEMENTS)
    op.drop_table("sponsor_merge")
    op.execute("delete from money_request where act = 'merge'")
    _choices("money_request", "moneyact", ACTS, column="act")
    op.drop_index("uq_sponsor_town_id_tax_code", table_name="sponsor")
    op.execute(
        "update sponsor set tax_code = null where merged_into_id is not null and exists (select from sponsor other "
        "where other.town_id = sponsor.town_id and other.tax_code = sponsor.tax_code and other.id <> sponsor.id)"
    )
    op.create_unique_constraint(op.f("uq_sponsor_town_id_tax_code"), "sponsor", ["town_id", "tax_code"])
    op.drop_index(op.f("ix_sponsor_town_id_merged_into_id"), table_name="sponsor")
    op.drop_constraint(op.f("ck_sponsor_merged"), "sponsor", type_="check")
    op.drop_constraint(op.f("fk_sponsor_town_id_merged_into_id"), "sponsor", type_="foreignkey")
    op.drop_column("sponsor", "merged_at")
    op.drop_column("sponsor", "merged_into_id")


def _choices(table: str, name: str, choices: tuple[str, ...], column: str | None = None) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, sa.column(column or name, sa.String).in_(choices))
