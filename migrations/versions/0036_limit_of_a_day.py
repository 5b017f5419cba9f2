"""The limit for one person is for all they move of a sponsor's money in a day; an act waits for a second person once.

Revision ID: 0036
Revises: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

MOVED_ALONE = """
create function moved_alone(p_town uuid, p_by uuid, p_sponsor uuid, p_movement text, p_day date) returns bigint
language sql stable as $$
    select coalesce(sum(largest), 0)::bigint from (
        select max(abs(e.amount)) as largest, (array_agg(a.sponsor_id order by a.sponsor_id))[1] as sponsor_id
        from posting p
        join ledger_entry e on e.town_id = p.town_id and e.posting_id = p.id
        join ledger_account a on a.town_id = e.town_id and a.id = e.ledger_account_id
        where p.town_id = p_town and p.recorded_by_id is not distinct from p_by and p.request_id is null
            and p.movement = p_movement
            and p.recorded_at >= p_day::timestamp at time zone 'Asia/Ho_Chi_Minh'
            and p.recorded_at < (p_day + 1)::timestamp at time zone 'Asia/Ho_Chi_Minh'
        group by p.id) moved
    where sponsor_id is not distinct from p_sponsor
$$
"""
"""What somebody moved in a day in Vietnam without the approval of a second person, of one sponsor's money (null: of
nobody's) and in one way."""

WITHIN_THE_LIMIT = """
create function within_the_limit() returns trigger language plpgsql as $$
declare
    most bigint;
    whose uuid;
begin
    select (value #>> '{}')::bigint into most from setting where name = 'money_limit';
    if most is null or new.request_id is not null
        or new.movement not in ('reserved', 'paid', 'refunded', 'corrected') then
        return null;
    end if;
    select (array_agg(a.sponsor_id order by a.sponsor_id))[1] into whose from ledger_entry e
        join ledger_account a on a.town_id = e.town_id and a.id = e.ledger_account_id
        where e.town_id = new.town_id and e.posting_id = new.id;
    if moved_alone(new.town_id, new.recorded_by_id, whose, new.movement,
            (new.recorded_at at time zone 'Asia/Ho_Chi_Minh')::date) > most then
        raise exception 'posting % is above the limit of a day and nobody else approved it', new.id
            using errcode = 'check_violation';
    end if;
    return null;
end $$
"""
"""Looked at when a posting is committed. Two of one person on one sponsor's money wait for each other at its accounts,
so the second sees the first."""


def upgrade() -> None:
    op.create_index(
        "ix_posting_alone",
        "posting",
        ["town_id", "recorded_by_id", "recorded_at"],
        postgresql_where=sa.text("request_id is null"),
    )
    op.execute(MOVED_ALONE)
    op.execute(WITHIN_THE_LIMIT)
    op.execute(
        "create constraint trigger posting_within_the_limit after insert on posting "
        "deferrable initially deferred for each row execute function within_the_limit()"
    )
    op.add_column(
        "money_request", sa.Column("subject", sa.Text(), nullable=False, server_default=sa.text("gen_random_uuid()"))
    )
    op.alter_column("money_request", "subject", server_default=None)
    op.create_index(
        "uq_money_request_waits_once",
        "money_request",
        ["town_id", "act", "subject"],
        unique=True,
        postgresql_where=sa.text("decision is null"),
    )


def downgrade() -> None:
    op.drop_index("uq_money_request_waits_once", "money_request")
    op.drop_column("money_request", "subject")
    op.execute("drop trigger posting_within_the_limit on posting")
    op.execute("drop function within_the_limit()")
    op.execute("drop function moved_alone(uuid, uuid, uuid, text, date)")
    op.drop_index("ix_posting_alone", "posting")
