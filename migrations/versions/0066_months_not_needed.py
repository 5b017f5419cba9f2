"""A month paid for in vain says so itself, and can be paid anew: it is paid once among those that count.

Revision ID: 0066
Revises: 0065
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None

MONTHS = ("participant_month", "allocation_month")

NOT_NEEDED = """
create function months_are_not_needed() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
begin
    update participant_month set refund_id = new.id
        where town_id = new.town_id and payment_id = new.payment_id and month >= new.not_needed_from;
    update allocation_month set refund_id = new.id
        where town_id = new.town_id and payment_id = new.payment_id and month >= new.not_needed_from
            and released_at is null;
    return null;
end $$
"""
"""Whoever keeps what comes back of a payment marks its months by the same act; the program's role cannot."""

ONLY_BY_ITS_REFUND = """
create function month_is_not_needed() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.refund_id is null and to_jsonb(old) - 'refund_id' = to_jsonb(new) - 'refund_id'
        and exists (select from leaving_refund where town_id = new.town_id and id = new.refund_id
            and payment_id = new.payment_id and not_needed_from <= new.month) then
        return new;
    end if;
    raise exception 'a month is not needed once its payment comes back, and for good'
        using errcode = 'restrict_violation';
end $$
"""

MARKED = "update of refund_id on {table} for each row when (old.refund_id is distinct from new.refund_id)"


def upgrade() -> None:
    for table in MONTHS:
        op.add_column(table, sa.Column("refund_id", sa.Uuid(), nullable=True))
    # The guards of both tables let nothing but their own changes through.
    op.execute("alter table participant_month disable trigger user")
    op.execute("alter table allocation_month disable trigger user")
    for table in MONTHS:
        op.execute(
            f"update {table} m set refund_id = r.id from leaving_refund r where r.town_id = m.town_id "
            "and r.payment_id = m.payment_id and r.not_needed_from <= m.month"
            + (" and m.released_at is null" if table == "allocation_month" else "")
        )
        op.execute(f"alter table {table} enable trigger user")
        op.create_foreign_key(
            op.f(f"fk_{table}_town_id_refund_id"),
            table,
            "leaving_refund",
            ["town_id", "refund_id"],
            ["town_id", "id"],
        )
    _keys(("town_id", "payment_id", "month"), marked=True)
    op.execute(NOT_NEEDED)
    op.execute(ONLY_BY_ITS_REFUND)
    op.execute(
        "create trigger leaving_refund_marks_its_months after insert on leaving_refund "
        "for each row execute function months_are_not_needed()"
    )
    _append_only("when (old.refund_id is not distinct from new.refund_id) ")
    for table in MONTHS:
        op.execute(
            f"create trigger {table}_is_not_needed before {MARKED.format(table=table)} "
            "execute function month_is_not_needed()"
        )
        op.execute(
            f"create trigger {table}_begins_needed before insert on {table} for each row "
            "when (new.refund_id is not null) execute function month_is_not_needed()"
        )


def downgrade() -> None:
    for table in MONTHS:
        op.execute(f"drop trigger {table}_is_not_needed on {table}")
        op.execute(f"drop trigger {table}_begins_needed on {table}")
    op.execute("drop trigger leaving_refund_marks_its_months on leaving_refund")
    op.execute("drop function month_is_not_needed()")
    op.execute("drop function months_are_not_needed()")
    _append_only("")
    _keys(("town_id", "prospect_id", "month"), marked=False)
    for table in MONTHS:
        op.drop_constraint(op.f(f"fk_{table}_town_id_refund_id"), table)
        op.drop_column(table, "refund_id")


def _append_only(when: str) -> None:
    """A row of a month stays as it is, but for its mark, which has a guard of its own; so does one set aside."""
    op.execute("drop trigger participant_month_is_append_only on participant_month")
    op.execute(
        "create trigger participant_month_is_append_only before update on participant_month for each row "
        f"{when}execute function refuse_rewriting()"
    )
    op.execute("drop trigger allocation_month_moves on allocation_month")
    op.execute("drop trigger if exists allocation_month_comes_and_goes on allocation_month")
    if when:
        op.execute(
            f"create trigger allocation_month_moves before update on allocation_month for each row {when}"
            "execute function month_moves()"
        )
        op.execute(
            "create trigger allocation_month_comes_and_goes before insert or delete on allocation_month "
            "for each row execute function month_moves()"
        )
    else:
        op.execute(
            "create trigger allocation_month_moves before insert or update or delete on allocation_month "
            "for each row execute function month_moves()"
        )


def _keys(primary: tuple[str, ...], *, marked: bool) -> None:
    """What names a month, and what is there once. Going back needs that nobody has paid a month anew."""
    points, unique = "fk_month_payer_town_id_payment_id_month", "uq_participant_month_town_id_payment_id_month"
    op.drop_constraint(op.f(points), "month_payer")
    op.drop_constraint(op.f("pk_participant_month"), "participant_month")
    if marked:
        op.drop_constraint(op.f(unique), "participant_month")
    op.create_primary_key(op.f("pk_participant_month"), "participant_month", list(primary))
    once = "uq_participant_month_town_id_prospect_id_month_refund_id"
    if marked:
        op.create_unique_constraint(
            op.f(once),
            "participant_month",
            ["town_id", "prospect_id", "month", "refund_id"],
            postgresql_nulls_not_distinct=True,
        )
    else:
        op.drop_constraint(op.f(once), "participant_month")
        op.create_unique_constraint(op.f(unique), "participant_month", ["town_id", "payment_id", "month"])
    op.create_foreign_key(
        op.f(points),
        "month_payer",
        "participant_month",
        ["town_id", "payment_id", "month"],
        ["town_id", "payment_id", "month"],
        ondelete="CASCADE",
    )
    op.drop_index("uq_allocation_month_carried_once", table_name="allocation_month")
    op.create_index(
        "uq_allocation_month_carried_once",
        "allocation_month",
        ["town_id", "prospect_id", "month"],
        unique=True,
        postgresql_where=sa.text("released_at is null" + (" and refund_id is null" if marked else "")),
    )
