"""A second person also approves undoing a bank's line, sending held money back and paying what a list tells of.

Undoing a line takes several postings back with one approval, each of which has to be of that line.

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

BEFORE = ("allocate", "pay", "refund", "correct", "close")

ENTRIES_ADD_UP = """
create or replace function entries_add_up() returns trigger language plpgsql as $$
declare
    held record;
    most bigint;
begin
    select count(*) as number, coalesce(sum(amount), 0) as total, max(abs(amount)) as largest into held
        from ledger_entry where town_id = new.town_id and posting_id = new.id;
    if held.total <> 0 then
        raise exception 'the entries of posting % do not sum to zero', new.id using errcode = 'check_violation';
    end if;
    if held.number <> new.entries then
        raise exception 'posting % has % entries, not %', new.id, held.number, new.entries
            using errcode = 'check_violation';
    end if;
    if new.reverses_id is not null and exists (
        select from ledger_entry where town_id = new.town_id and posting_id in (new.id, new.reverses_id)
        group by ledger_account_id having sum(amount) <> 0) then
        raise exception 'posting % is not the exact opposite of what it reverses', new.id
            using errcode = 'check_violation';
    end if;
    perform refuse_money_without_months(new.town_id, new.id);
    select (value #>> '{}')::bigint into most from setting where name = 'money_limit';
    if held.largest > most and new.movement in ('reserved', 'paid', 'refunded', 'corrected') and not exists (
        select from money_request r
        where r.town_id = new.town_id and r.id = new.request_id and r.decision = 'approved'
            and r.amount >= held.largest and APPROVED) then
        raise exception 'posting % is above the limit and nobody else approved it', new.id
            using errcode = 'check_violation';
    end if;
    return null;
end $$
"""

APPROVED = """
            case new.movement when 'reserved' then r.act = 'allocate'
                when 'paid' then r.act in ('pay', 'pay_listed')
                when 'refunded' then r.act in ('refund', 'send_back')
                else (r.act = 'correct' and exists (
                        select from receipt c where c.town_id = r.town_id
                            and c.id = (r.arguments ->> 'receipt_id')::uuid and c.posting_id = new.reverses_id))
                    or (r.act = 'undo_line' and exists (
                        select from statement_part p
                        left join receipt c on c.town_id = p.town_id and c.id = p.receipt_id
                        where p.town_id = r.town_id and p.line_id = (r.arguments ->> 'line_id')::uuid
                            and new.reverses_id in (p.posting_id, c.posting_id)))
            end"""
"""An approval is of just this kind of act, and to take something back, of just this posting."""

APPROVED_BEFORE = """r.act = case new.movement when 'reserved' then 'allocate'
                when 'paid' then 'pay' when 'refunded' then 'refund' else 'correct' end"""


def upgrade() -> None:
    _acts((*BEFORE, "send_back", "undo_line", "pay_listed"))
    op.drop_constraint(op.f("uq_posting_town_id_request_id"), "posting", type_="unique")
    op.create_index(
        "uq_posting_town_id_request_id",
        "posting",
        ["town_id", "request_id", "reverses_id"],
        unique=True,
        postgresql_where=sa.text("request_id is not null"),
        postgresql_nulls_not_distinct=True,
    )
    op.execute(ENTRIES_ADD_UP.replace("APPROVED", APPROVED))


def downgrade() -> None:
    op.execute(ENTRIES_ADD_UP.replace("APPROVED", APPROVED_BEFORE))
    op.drop_index("uq_posting_town_id_request_id", "posting")
    op.execute(
        "update money_request set act = case act when 'send_back' then 'refund' when 'undo_line' then 'correct' "
        "else 'pay' end where act in ('send_back', 'undo_line', 'pay_listed')"
    )
    op.create_unique_constraint(op.f("uq_posting_town_id_request_id"), "posting", ["town_id", "request_id"])
    _acts(BEFORE)


def _acts(choices: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_money_request_moneyact"), "money_request", type_="check")
    op.create_check_constraint(
        op.f("ck_money_request_moneyact"), "money_request", sa.column("act", sa.String).in_(choices)
    )
