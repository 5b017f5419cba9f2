"""The guards of money look up what they need by its key, however little the planner knows of the tables.

In the first hours of a town, and in a worker that kept a plan from when the tables were empty, the planner took an index
that begins with the town alone: each posting looked through every account of every sponsor, and each line of a statement
through every part of every other. What is refused is what was refused before.

Revision ID: 0065
Revises: 0064
"""

from __future__ import annotations

from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

REFUSE_MONEY_WITHOUT_MONTHS = """
create or replace function refuse_money_without_months(p_town uuid, p_posting uuid) returns void language plpgsql as $$
begin
    if exists (
        select from (
            select a.sponsor_id, e.amount from ledger_entry e
            RESERVED
            where e.town_id = p_town and e.posting_id = p_posting
            union all
            select a.sponsor_id, -m.amount from allocation a
            join allocation_month m on m.town_id = a.town_id and m.allocation_id = a.id
            where a.town_id = p_town and a.posting_id = p_posting
            union all
            select a.sponsor_id, m.amount from allocation_month m
            join allocation a on a.town_id = m.town_id and a.id = m.allocation_id
            where m.town_id = p_town and m.paid_id = p_posting
            union all
            select a.sponsor_id, m.amount from allocation_month m
            join allocation a on a.town_id = m.town_id and a.id = m.allocation_id
            where m.town_id = p_town and m.released_id = p_posting and m.payment_id is null
        ) moved group by sponsor_id having sum(amount) <> 0) then
        raise exception 'posting % moves other money than that of the months it names', p_posting
            using errcode = 'check_violation';
    end if;
end $$
"""
"""What is set aside is the sum of the months it is set aside for: each posting moves as much as the months it names."""

RESERVED_OF_ALL = (
    "join ledger_account a on a.town_id = e.town_id and a.id = e.ledger_account_id and a.kind = 'reserved'"
)
RESERVED_BY_KEY = """join lateral (
                select kind, sponsor_id from ledger_account
                where town_id = e.town_id and id = e.ledger_account_id offset 0) a on a.kind = 'reserved'"""
"""`offset 0`: the account is found by its key first and its kind looked at then."""

CHECK_STATEMENT_LINE = """
create or replace function check_statement_line() returns trigger language plpgsql as $$
declare
  the_line uuid;
  one record;
  parts numeric;
begin
  if tg_table_name = 'statement_line' then
    the_line := new.id;
  else
    the_line := new.line_id;
  end if;
  select amount, state into one from statement_line where town_id = new.town_id and id = the_line;
  select PARTS into parts
    from statement_part where town_id = new.town_id and line_id = the_lineCURRENT;
  if one.state = 'settled' and parts <> one.amount then
    raise exception 'the parts of a settled line sum to its amount'
      using errcode = '23514', constraint = 'ck_statement_line_parts';
  elsif one.state <> 'settled' and parts <> 0 then
    raise exception 'a line that is open has no parts'
      using errcode = '23514', constraint = 'ck_statement_line_parts';
  end if;
  return null;
end $$
"""
PARTS_BY_LINE = {"PARTS": "coalesce(sum(amount) filter (where ended_at is null), 0)", "CURRENT": ""}
"""Only the index of lines can answer this; one of current parts would be gone through from its beginning."""
PARTS_OF_ALL = {"PARTS": "coalesce(sum(amount), 0)", "CURRENT": " and ended_at is null"}

LINE_TRIGGERS = ("statement_line_comes_with_parts", "statement_line_keeps_parts")
LINES_LOOKED_AT = (
    "insert on statement_line deferrable initially deferred for each row when (new.state = 'settled')",
    "update on statement_line deferrable initially deferred for each row "
    "when (new.state = 'settled' or old.state = 'settled')",
)
"""A line that is settled neither before nor after has no parts unless one is added, and each part that is added is looked
at by itself."""

KEEP_BALANCES = """
create function keep_balances() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
declare
    moved record;
begin
    for moved in
        select town_id, ledger_account_id as id, sum(amount)::bigint as amount from added group by 1, 2 order by 1, 2
    loop
        update ledger_account set balance = balance + moved.amount where town_id = moved.town_id and id = moved.id;
    end loop;
    return null;
end $$
"""
"""The entries of one statement move each account once, in the order of their ids, so that two who book at once do not wait
in a circle. The balance is kept with the rights of the owner: the program's role may not touch it."""

KEEP_BALANCE = """
create function keep_balance() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
begin
    update ledger_account set balance = balance + new.amount
    where town_id = new.town_id and id = new.ledger_account_id;
    return null;
end $$
"""


def upgrade() -> None:
    op.execute(REFUSE_MONEY_WITHOUT_MONTHS.replace("RESERVED", RESERVED_BY_KEY))
    op.execute(_with(CHECK_STATEMENT_LINE, PARTS_BY_LINE))
    op.execute("drop trigger statement_line_parts on statement_line")
    for name, when in zip(LINE_TRIGGERS, LINES_LOOKED_AT, strict=True):
        op.execute(f"create constraint trigger {name} after {when} execute function check_statement_line()")
    op.execute("drop trigger ledger_entry_keeps_balance on ledger_entry")
    op.execute("drop function keep_balance()")
    op.execute(KEEP_BALANCES)
    op.execute(
        "create trigger ledger_entry_keeps_balance after insert on ledger_entry referencing new table as added "
        "for each statement execute function keep_balances()"
    )


def downgrade() -> None:
    op.execute("drop trigger ledger_entry_keeps_balance on ledger_entry")
    op.execute("drop function keep_balances()")
    op.execute(KEEP_BALANCE)
    op.execute(
        "create trigger ledger_entry_keeps_balance after insert on ledger_entry "
        "for each row execute function keep_balance()"
    )
    for name in LINE_TRIGGERS:
        op.execute(f"drop trigger {name} on statement_line")
    op.execute(
        "create constraint trigger statement_line_parts after insert or update on statement_line "
        "deferrable initially deferred for each row execute function check_statement_line()"
    )
    op.execute(_with(CHECK_STATEMENT_LINE, PARTS_OF_ALL))
    op.execute(REFUSE_MONEY_WITHOUT_MONTHS.replace("RESERVED", RESERVED_OF_ALL))


def _with(function: str, parts: dict[str, str]) -> str:
    for name, text in parts.items():
        function = function.replace(name, text)
    return function
