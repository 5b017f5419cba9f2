"""Every đồng from promise to a named month: accounts of promises and of money nobody knows yet, months set aside one by
one, months that close, and acts that wait for a second person.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.parts import points

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

KINDS = ("outside", "available", "reserved", "insurance_fund")
MORE_KINDS = ("promise", "expected", "unidentified")
MOVEMENTS = ("received", "reserved", "released", "paid", "refunded", "corrected")
MORE_MOVEMENTS = ("pledged", "pledge_changed", "pledge_ended", "identified")
ACTS = ("allocate", "pay", "refund", "correct", "close")

ENTRIES_ADD_UP = """
create function entries_add_up() returns trigger language plpgsql as $$
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
            and r.amount >= held.largest and r.act = case new.movement when 'reserved' then 'allocate'
                when 'paid' then 'pay' when 'refunded' then 'refund' else 'correct' end) then
        raise exception 'posting % is above the limit and nobody else approved it', new.id
            using errcode = 'check_violation';
    end if;
    return null;
end $$
"""
"""When a posting is committed its entries are all there and sum to zero; a reversal is exact; what is above the limit of
the administrator was approved by a second person."""

REFUSE_MONEY_WITHOUT_MONTHS = """
create function refuse_money_without_months(p_town uuid, p_posting uuid) returns void language plpgsql as $$
begin
    if exists (
        select from (
            select a.sponsor_id, e.amount from ledger_entry e
            join ledger_account a on a.town_id = e.town_id and a.id = e.ledger_account_id and a.kind = 'reserved'
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

POSTING_OF_MONTHS = """
create function posting_of_months() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'allocation' then
        perform refuse_money_without_months(new.town_id, new.posting_id);
        return null;
    end if;
    if new.paid_id is not null then
        perform refuse_money_without_months(new.town_id, new.paid_id);
    end if;
    if new.released_id is not null then
        perform refuse_money_without_months(new.town_id, new.released_id);
    end if;
    return null;
end $$
"""

TAKES_NO_MORE_ENTRIES = """
create function refuse_more_entries() returns trigger language plpgsql as $$
begin
    if exists (
        select from (select distinct town_id, posting_id from added) a
        join posting p on p.town_id = a.town_id and p.id = a.posting_id
        where p.entries < (select count(*) from ledger_entry e
            where e.town_id = p.town_id and e.posting_id = p.id)) then
        raise exception 'a posting has no more entries than it said' using errcode = 'check_violation';
    end if;
    return null;
end $$
"""
"""Entries added to a posting that was committed whole would be too many."""

ALLOCATION_STARTS_WHOLE = """
create function allocation_starts_whole() returns trigger language plpgsql as $$
begin
    new.carried_months := new.months;
    new.carried_amount := new.amount;
    new.payment_id := null;
    new.released_at := null;
    return new;
end $$
"""

KEEP_ALLOCATION = """
create function keep_allocation() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
begin
    update allocation a set carried_months = s.months, carried_amount = s.amount, payment_id = s.payment_id,
        released_at = case when s.months = 0 then s.released_at end
    from (
        select m.town_id, m.allocation_id, count(*) filter (where m.released_at is null) as months,
            coalesce(sum(m.amount) filter (where m.released_at is null), 0) as amount,
            max(m.released_at) as released_at,
            (array_agg(m.payment_id) filter (where m.payment_id is not null))[1] as payment_id
        from (select distinct town_id, allocation_id from changed) c
        join allocation_month m on m.town_id = c.town_id and m.allocation_id = c.allocation_id
        group by m.town_id, m.allocation_id
    ) s
    where a.town_id = s.town_id and a.id = s.allocation_id
        and (a.carried_months, a.carried_amount, a.payment_id)
            is distinct from (s.months, s.amount, s.payment_id);
    return null;
end $$
"""
"""What an allocation still carries follows from its months; the program's role cannot write it."""

MONTH_MOVES = """
create function month_moves() returns trigger language plpgsql as $$
declare
    state text[] := array['payment_id', 'paid_id', 'released_at', 'released_id'];
    moving text[] := string_to_array(nullif(current_setting('ansinh.moving', true), ''), ' ');
begin
    if tg_op = 'DELETE' then
        raise exception 'months that were set aside stay on record' using errcode = 'restrict_violation';
    end if;
    if tg_op = 'INSERT' then
        if (new.payment_id is null) <> (new.paid_id is null) or (new.released_at is null) <> (new.released_id is null) then
            raise exception 'a month is settled by a posting' using errcode = 'check_violation';
        end if;
        return new;
    end if;
    if moving is not null and current_user = (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid)
        and new.prospect_id::text = moving[3]
        and to_jsonb(old) - 'prospect_id' = to_jsonb(new) - 'prospect_id' then
        return new;
    end if;
    if to_jsonb(old) - state <> to_jsonb(new) - state or old.released_at is not null
        or (old.payment_id is not null
            and (old.payment_id, old.paid_id) is distinct from (new.payment_id, new.paid_id)) then
        raise exception 'a month that was set aside is paid once or given back once, and nothing else of it changes'
            using errcode = 'restrict_violation', constraint = 'allocation_month_settled';
    end if;
    if (new.payment_id is null) <> (new.paid_id is null) and old.payment_id is null
        or (new.released_at is null) <> (new.released_id is null) then
        raise exception 'a month is settled by a posting' using errcode = 'check_violation';
    end if;
    if new.released_at is not null and new.payment_id is not null and not exists (
        select from payment where town_id = new.town_id and reverses_id = new.payment_id) then
        raise exception 'a month that is paid is given back only when its payment was taken back'
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""
"""Of a month only how it was settled may change, and each once. A merge moves it with its allocation (revision 0005)."""

PAID_BY_ITS_PAYMENT = """
create function month_paid_by_its_payment() returns trigger language plpgsql as $$
begin
    if not exists (
        select from payment p where p.town_id = new.town_id and p.id = new.payment_id
            and p.prospect_id = new.prospect_id and p.reverses_id is null
            and new.month >= p.start_month and new.month < p.start_month + make_interval(months => p.months::int)) then
        raise exception 'the payment did not pay for this month' using errcode = 'check_violation';
    end if;
    return new;
end $$
"""

ALLOCATION_HAS_ITS_MONTHS = """
create function allocation_has_its_months() returns trigger language plpgsql as $$
declare
    held record;
begin
    select count(*) as months, sum(amount) as amount, min(month) as first, max(month) as last into held
        from allocation_month where town_id = new.town_id and allocation_id = new.id;
    if (held.months, held.amount, held.first, held.last) is distinct from (new.months, new.amount, new.start_month,
            (new.start_month + make_interval(months => new.months::int - 1))::date) then
        raise exception 'the months of allocation % do not add up to it', new.id using errcode = 'check_violation';
    end if;
    return null;
end $$
"""

TAKES_NO_MORE_MONTHS = """
create function refuse_more_months_aside() returns trigger language plpgsql as $$
begin
    if exists (
        select from (select distinct town_id, allocation_id from added) d
        join allocation a on a.town_id = d.town_id and a.id = d.allocation_id
        where a.months < (select count(*) from allocation_month m
            where m.town_id = a.town_id and m.allocation_id = a.id)) then
        raise exception 'an allocation has no more months than were set aside' using errcode = 'check_violation';
    end if;
    return null;
end $$
"""

REFUSE_CLOSED_MONTH = """
create function refuse_closed_month() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(hashtextextended('ledger ' || new.town_id, 0));
    if exists (select from ledger_period
        where town_id = new.town_id and month >= date_trunc('month', new.posted_on)::date) then
        raise exception 'the books of % are closed', to_char(new.posted_on, 'MM/YYYY')
            using errcode = 'restrict_violation', constraint = 'ledger_period_closed';
    end if;
    return new;
end $$
"""
"""Whoever books holds the book open; whoever closes a month waits for them, and they for whoever closes."""

LEDGER_DIGEST = """
create function ledger_digest(p_town uuid, p_since date, p_until date, p_before text) returns text
language sql stable as $$
    select encode(sha256(convert_to(coalesce(p_before, '') || coalesce(string_agg(line, E'\\n' order by line), ''), 'UTF8')),
        'hex')
    from (
        select concat_ws(' ', p.id, p.movement, to_char(p.posted_on, 'YYYY-MM-DD'), e.ledger_account_id, e.amount) as line
        from posting p join ledger_entry e on e.town_id = p.town_id and e.posting_id = p.id
        where p.town_id = p_town and p.posted_on < p_until and (p_since is null or p.posted_on >= p_since)
    ) lines
$$
"""
"""A month's entries as one number that any change of them would change; it takes in that of the month before."""

CLOSE_MONTH = """
create function close_ledger_month() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
declare
    before ledger_period%rowtype;
    since date;
    until date := (new.month + interval '1 month')::date;
begin
    perform pg_advisory_xact_lock(hashtextextended('ledger ' || new.town_id, 0));
    select * into before from ledger_period where town_id = new.town_id order by month desc limit 1;
    if found then
        since := (before.month + interval '1 month')::date;
        if new.month <> since then
            raise exception 'months close in their order: % is next', to_char(since, 'MM/YYYY')
                using errcode = 'restrict_violation', constraint = 'ledger_period_order';
        end if;
    end if;
    if exists (select from setting where name = 'money_limit' and jsonb_typeof(value) = 'number') and not exists (
        select from money_request r where r.town_id = new.town_id and r.id = new.request_id and r.act = 'close'
            and r.decision = 'approved') then
        raise exception 'a month is closed by two people' using errcode = 'check_violation';
    end if;
    new.balances := (
        select coalesce(jsonb_object_agg(kind, amount), '{}') from (
            select a.kind, sum(e.amount) as amount from posting p
            join ledger_entry e on e.town_id = p.town_id and e.posting_id = p.id
            join ledger_account a on a.town_id = e.town_id and a.id = e.ledger_account_id
            where p.town_id = new.town_id and p.posted_on < until group by a.kind) sums);
    new.moved := (
        select coalesce(jsonb_object_agg(movement || ' ' || kind, amount), '{}') from (
            select p.movement, a.kind, sum(e.amount) as amount from posting p
            join ledger_entry e on e.town_id = p.town_id and e.posting_id = p.id
            join ledger_account a on a.town_id = e.town_id and a.id = e.ledger_account_id
            where p.town_id = new.town_id and p.posted_on < until and (since is null or p.posted_on >= since)
            group by p.movement, a.kind) sums);
    new.postings := (
        select count(*) from posting p
        where p.town_id = new.town_id and p.posted_on < until and (since is null or p.posted_on >= since));
    new.digest := ledger_digest(new.town_id, since, until, before.digest);
    return new;
end $$
"""
"""The sums of a closed month are worked out by the database; whoever closes it only names it."""

DECIDED_ONCE = """
create function money_is_decided_once() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.decision is not null then
            raise exception 'a request is decided after it was made' using errcode = 'check_violation';
        end if;
        return new;
    end if;
    if old.decision is not null then
        raise exception 'this request is decided' using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""

CORRECTED_ONCE = """
create function receipt_is_corrected_once() returns trigger language plpgsql as $$
begin
    if old.corrected_id is not null then
        raise exception 'this receipt was put right already' using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""

FUNCTIONS = (
    REFUSE_MONEY_WITHOUT_MONTHS,
    ENTRIES_ADD_UP,
    POSTING_OF_MONTHS,
    TAKES_NO_MORE_ENTRIES,
    ALLOCATION_STARTS_WHOLE,
    KEEP_ALLOCATION,
    MONTH_MOVES,
    PAID_BY_ITS_PAYMENT,
    ALLOCATION_HAS_ITS_MONTHS,
    TAKES_NO_MORE_MONTHS,
    REFUSE_CLOSED_MONTH,
    LEDGER_DIGEST,
    CLOSE_MONTH,
    DECIDED_ONCE,
    CORRECTED_ONCE,
)
NAMES = (
    "entries_add_up()",
    "posting_of_months()",
    "refuse_money_without_months(uuid, uuid)",
    "refuse_more_entries()",
    "allocation_starts_whole()",
    "keep_allocation()",
    "month_moves()",
    "month_paid_by_its_payment()",
    "allocation_has_its_months()",
    "refuse_more_months_aside()",
    "refuse_closed_month()",
    "close_ledger_month()",
    "ledger_digest(uuid, date, date, text)",
    "money_is_decided_once()",
    "receipt_is_corrected_once()",
)

DEFERRED = "deferrable initially deferred for each row execute function"
TRIGGERS = (
    ("posting", "constraint trigger posting_has_its_entries after insert on posting " + DEFERRED + " entries_add_up()"),
    (
        "posting",
        "trigger posting_is_in_an_open_month before insert on posting for each row execute function "
        "refuse_closed_month()",
    ),
    (
        "ledger_entry",
        "trigger ledger_entry_takes_no_more after insert on ledger_entry referencing new table as added "
        "for each statement execute function refuse_more_entries()",
    ),
    (
        "allocation",
        "trigger allocation_starts_whole before insert on allocation for each row execute function "
        "allocation_starts_whole()",
    ),
    (
        "allocation",
        "constraint trigger allocation_has_its_months after insert on allocation "
        + DEFERRED
        + " allocation_has_its_months()",
    ),
    (
        "allocation",
        "constraint trigger allocation_is_of_its_posting after insert on allocation "
        + DEFERRED
        + " posting_of_months()",
    ),
    (
        "allocation_month",
        "trigger allocation_month_moves before insert or update or delete on allocation_month for each row execute function "
        "month_moves()",
    ),
    (
        "allocation_month",
        "trigger allocation_month_is_paid before insert or update of payment_id on allocation_month for each row "
        "when (new.payment_id is not null) execute function month_paid_by_its_payment()",
    ),
    (
        "allocation_month",
        "trigger allocation_month_keeps_allocation after update on allocation_month referencing new table as changed "
        "for each statement execute function keep_allocation()",
    ),
    (
        "allocation_month",
        "trigger allocation_month_added after insert on allocation_month referencing new table as changed "
        "for each statement execute function keep_allocation()",
    ),
    (
        "allocation_month",
        "trigger allocation_month_takes_no_more after insert on allocation_month referencing new table as added "
        "for each statement execute function refuse_more_months_aside()",
    ),
    (
        "allocation_month",
        "constraint trigger allocation_month_is_of_its_posting after insert or update on allocation_month "
        + DEFERRED
        + " posting_of_months()",
    ),
    (
        "ledger_period",
        "trigger ledger_period_closes before insert on ledger_period for each row execute function "
        "close_ledger_month()",
    ),
    (
        "ledger_period",
        "trigger ledger_period_is_append_only before update or delete on ledger_period for each row execute function "
        "refuse_rewriting()",
    ),
    (
        "money_request",
        "trigger money_request_is_decided_once before insert or update on money_request for each row execute function "
        "money_is_decided_once()",
    ),
    (
        "receipt",
        "trigger receipt_is_corrected_once before update on receipt for each row execute function "
        "receipt_is_corrected_once()",
    ),
)

REFUSE_UNBALANCED = """
create function refuse_unbalanced() returns trigger language plpgsql as $$
begin
    if (select sum(amount) from ledger_entry
        where town_id = new.town_id and posting_id = new.posting_id) <> 0 then
        raise exception 'the entries of posting % do not sum to zero', new.posting_id
            using errcode = 'check_violation';
    end if;
    return null;
end $$
"""
"""As revision 0002 made it; when a posting is committed its entries are looked at once instead of at each of them."""


def upgrade() -> None:
    op.execute("drop trigger ledger_entry_balances on ledger_entry")
    op.execute("drop function refuse_unbalanced()")
    _accounts()
    _tables()
    _receipts()
    _allocations()
    _fill()
    for function in FUNCTIONS:
        op.execute(function)
    for _table, trigger in TRIGGERS:
        op.execute(f"create {trigger}")


def downgrade() -> None:
    for table, trigger in reversed(TRIGGERS):
        op.execute(f"drop trigger {trigger.split('trigger ')[1].split()[0]} on {table}")
    for name in NAMES:
        op.execute(f"drop function {name}")
    _empty()
    op.drop_table("allocation_month")
    op.drop_constraint(op.f("uq_allocation_town_id_id_prospect_id"), "allocation")
    op.drop_index(op.f("ix_allocation_town_id_posting_id"), table_name="allocation")
    for column in ("carried_months", "carried_amount"):
        op.drop_column("allocation", column)
    op.drop_index("uq_receipt_town_id_reference", table_name="receipt")
    op.drop_column("receipt", "corrected_id")
    op.create_unique_constraint(op.f("uq_receipt_town_id_reference"), "receipt", ["town_id", "reference"])
    op.drop_constraint(op.f("uq_posting_town_id_id_reverses_id"), "posting")
    for column in ("entries", "request_id"):
        op.drop_column("posting", column)
    op.drop_table("ledger_period")
    op.drop_table("money_request")
    op.drop_constraint(op.f("uq_ledger_account_town_id_kind_sponsor_id_pledge_id_held_id"), "ledger_account")
    for name in ("ck_ledger_account_balance", "ck_ledger_account_whose"):
        op.drop_constraint(op.f(name), "ledger_account", type_="check")
    for column in ("pledge_id", "held_id"):
        op.drop_column("ledger_account", column)
    op.create_unique_constraint(
        op.f("uq_ledger_account_town_id_kind_sponsor_id"),
        "ledger_account",
        ["town_id", "kind", "sponsor_id"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_check_constraint(op.f("ck_ledger_account_balance"), "ledger_account", "balance >= 0 or kind = 'outside'")
    _choices("ledger_account", "accountkind", "kind", KINDS)
    _choices("posting", "movement", "movement", MOVEMENTS)
    op.execute(REFUSE_UNBALANCED)
    op.execute(
        "create constraint trigger ledger_entry_balances after insert on ledger_entry "
        "deferrable initially deferred for each row execute function refuse_unbalanced()"
    )


def _choices(table: str, name: str, column: str, choices: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, sa.column(column, sa.String).in_(choices))


def _accounts() -> None:
    _choices("ledger_account", "accountkind", "kind", (*KINDS, *MORE_KINDS))
    _choices("posting", "movement", "movement", (*MOVEMENTS, *MORE_MOVEMENTS))
    op.add_column("ledger_account", sa.Column("pledge_id", sa.Uuid(), nullable=True))
    op.add_column("ledger_account", sa.Column("held_id", sa.Uuid(), nullable=True))
    for column, to in (("pledge_id", "pledge"), ("held_id", "posting")):
        op.create_foreign_key(
            op.f(f"fk_ledger_account_town_id_{column}"), "ledger_account", to, ["town_id", column], ["town_id", "id"]
        )
    op.drop_constraint(op.f("uq_ledger_account_town_id_kind_sponsor_id"), "ledger_account")
    op.create_unique_constraint(
        op.f("uq_ledger_account_town_id_kind_sponsor_id_pledge_id_held_id"),
        "ledger_account",
        ["town_id", "kind", "sponsor_id", "pledge_id", "held_id"],
        postgresql_nulls_not_distinct=True,
    )
    op.drop_constraint(op.f("ck_ledger_account_balance"), "ledger_account", type_="check")
    op.create_check_constraint(
        op.f("ck_ledger_account_balance"), "ledger_account", "balance >= 0 or kind in ('outside', 'promise')"
    )
    op.create_check_constraint(
        op.f("ck_ledger_account_whose"),
        "ledger_account",
        "(kind = 'expected') = (pledge_id is not null) and (kind = 'unidentified') = (held_id is not null) "
        "and (sponsor_id is not null or kind in ('outside', 'unidentified')) "
        "and (sponsor_id is null or kind <> 'unidentified')",
    )
    op.create_index(op.f("ix_ledger_account_town_id_sponsor_id"), "ledger_account", ["town_id", "sponsor_id"])


def _tables() -> None:
    op.create_table(
        "money_request",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "act",
            sa.Enum(*ACTS, name="moneyact", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("arguments", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("sponsor_id", sa.Uuid(), nullable=True),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "decision",
            sa.Enum("approved", "refused", name="decision", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("words", sa.Text(), nullable=True),
        sa.CheckConstraint("decided_by_id <> asked_by_id", name=op.f("ck_money_request_two_people")),
        sa.CheckConstraint(
            "(decision is null) = (decided_by_id is null) and (decision is null) = (decided_at is null)",
            name=op.f("ck_money_request_decided"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_money_request_amount")),
        points("money_request", "sponsor_id", "sponsor"),
        points("money_request", "asked_by_id", "account"),
        points("money_request", "decided_by_id", "account"),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_money_request_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_money_request")),
    )
    op.create_index(
        "ix_money_request_waiting", "money_request", ["town_id", "id"], postgresql_where=sa.text("decision is null")
    )
    op.create_table(
        "ledger_period",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("postings", sa.BigInteger(), nullable=False),
        sa.Column("balances", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("moved", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("ck_ledger_period_month")),
        points("ledger_period", "closed_by_id", "account"),
        points("ledger_period", "request_id", "money_request"),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_ledger_period_town_id")),
        sa.PrimaryKeyConstraint("town_id", "month", name=op.f("pk_ledger_period")),
    )
    op.add_column("posting", sa.Column("request_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_posting_town_id_request_id"), "posting", "money_request", ["town_id", "request_id"], ["town_id", "id"]
    )
    op.create_unique_constraint(op.f("uq_posting_town_id_request_id"), "posting", ["town_id", "request_id"])
    op.create_unique_constraint(op.f("uq_posting_town_id_id_reverses_id"), "posting", ["town_id", "id", "reverses_id"])


def _receipts() -> None:
    op.add_column("receipt", sa.Column("corrected_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_receipt_town_id_corrected_id_posting_id"),
        "receipt",
        "posting",
        ["town_id", "corrected_id", "posting_id"],
        ["town_id", "id", "reverses_id"],
    )
    op.drop_constraint(op.f("uq_receipt_town_id_reference"), "receipt")
    op.create_index(
        "uq_receipt_town_id_reference",
        "receipt",
        ["town_id", "reference"],
        unique=True,
        postgresql_where=sa.text("corrected_id is null"),
    )
    op.create_index(op.f("ix_receipt_town_id_posting_id"), "receipt", ["town_id", "posting_id"])
    op.create_index(op.f("ix_receipt_town_id_pledge_id"), "receipt", ["town_id", "pledge_id"])


def _allocations() -> None:
    op.add_column("allocation", sa.Column("carried_months", sa.BigInteger(), nullable=True))
    op.add_column("allocation", sa.Column("carried_amount", sa.BigInteger(), nullable=True))
    op.create_unique_constraint(
        op.f("uq_allocation_town_id_id_prospect_id"), "allocation", ["town_id", "id", "prospect_id"]
    )
    op.create_index(op.f("ix_allocation_town_id_posting_id"), "allocation", ["town_id", "posting_id"])
    op.create_table(
        "allocation_month",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("allocation_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("paid_id", sa.Uuid(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_allocation_month_amount")),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("ck_allocation_month_month")),
        sa.ForeignKeyConstraint(
            ["town_id", "allocation_id", "prospect_id"],
            ["allocation.town_id", "allocation.id", "allocation.prospect_id"],
            name=op.f("fk_allocation_month_town_id_allocation_id_prospect_id"),
            onupdate="CASCADE",
        ),
        points("allocation_month", "payment_id", "payment"),
        points("allocation_month", "paid_id", "posting"),
        points("allocation_month", "released_id", "posting"),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_allocation_month_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_allocation_month")),
        sa.UniqueConstraint(
            "town_id", "allocation_id", "month", name=op.f("uq_allocation_month_town_id_allocation_id_month")
        ),
    )
    op.create_index(
        "uq_allocation_month_carried_once",
        "allocation_month",
        ["town_id", "prospect_id", "month"],
        unique=True,
        postgresql_where=sa.text("released_at is null"),
    )
    for column in ("payment_id", "paid_id", "released_id"):
        op.create_index(
            op.f(f"ix_allocation_month_town_id_{column}"), "allocation_month", ["town_id", column], unique=False
        )


# ---- what stands already


def _fill() -> None:
    """Promises become expected money, months are named, and every posting says how many entries it has."""
    op.execute(
        """
        insert into ledger_account (town_id, id, kind, sponsor_id, pledge_id, balance)
        select town_id, gen_random_uuid(), 'expected', sponsor_id, id, 0 from pledge
        """
    )
    op.execute(
        """
        insert into ledger_account (town_id, id, kind, sponsor_id, balance)
        select distinct on (town_id, sponsor_id) town_id, gen_random_uuid(), 'promise', sponsor_id, 0 from pledge
        """
    )
    op.execute(
        """
        create temporary table promised on commit drop as
        select p.town_id, p.id as pledge_id, e.id as expected, c.id as promise, p.amount, p.state, p.pledged_on,
            p.recorded_at, p.recorded_by_id, gen_random_uuid() as posting_id, gen_random_uuid() as ended_id,
            coalesce((select sum(r.amount) from receipt r where r.town_id = p.town_id and r.pledge_id = p.id), 0) as came,
            (select max(r.received_on) from receipt r where r.town_id = p.town_id and r.pledge_id = p.id) as last_on
        from pledge p
        join ledger_account e on e.town_id = p.town_id and e.pledge_id = p.id
        join ledger_account c on c.town_id = p.town_id and c.sponsor_id = p.sponsor_id and c.kind = 'promise'
        """
    )
    op.execute(
        """
        insert into posting (town_id, id, movement, posted_on, recorded_at, recorded_by_id)
        select town_id, posting_id, 'pledged', pledged_on, recorded_at,
            (select a.id from account a where a.town_id = promised.town_id and a.id = recorded_by_id) from promised
        """
    )
    op.execute(
        """
        insert into ledger_entry (town_id, id, posting_id, ledger_account_id, amount)
        select town_id, gen_random_uuid(), posting_id, expected, amount from promised
        union all select town_id, gen_random_uuid(), posting_id, promise, -amount from promised
        """
    )
    op.execute(
        """
        create temporary table fulfilled on commit drop as
        select s.town_id, s.posting_id, s.expected, s.promise, least(s.amount, greatest(s.promised - s.earlier, 0)) as part
        from (
            select r.town_id, r.posting_id, r.amount, p.expected, p.promise, p.amount as promised,
                coalesce(sum(r.amount) over (partition by r.town_id, r.pledge_id order by r.recorded_at, r.id
                    rows between unbounded preceding and 1 preceding), 0) as earlier
            from receipt r join promised p on p.town_id = r.town_id and p.pledge_id = r.pledge_id
        ) s
        """
    )
    op.execute(
        """
        insert into ledger_entry (town_id, id, posting_id, ledger_account_id, amount)
        select town_id, gen_random_uuid(), posting_id, expected, -part from fulfilled where part > 0
        union all select town_id, gen_random_uuid(), posting_id, promise, part from fulfilled where part > 0
        """
    )
    op.execute(
        """
        insert into posting (town_id, id, movement, posted_on, recorded_at)
        select town_id, ended_id, 'pledge_ended', greatest(pledged_on, last_on), recorded_at
        from promised where state = 'ended' and came < amount
        """
    )
    op.execute(
        """
        insert into ledger_entry (town_id, id, posting_id, ledger_account_id, amount)
        select town_id, gen_random_uuid(), ended_id, expected, came - amount from promised
            where state = 'ended' and came < amount
        union all select town_id, gen_random_uuid(), ended_id, promise, amount - came from promised
            where state = 'ended' and came < amount
        """
    )
    _months()
    op.add_column("posting", sa.Column("entries", sa.BigInteger(), nullable=True))
    op.execute("alter table posting disable trigger posting_is_append_only")
    op.execute(
        """
        update posting p set entries = s.number from (
            select town_id, posting_id, count(*) as number from ledger_entry group by town_id, posting_id) s
        where p.town_id = s.town_id and p.id = s.posting_id
        """
    )
    op.execute("alter table posting enable trigger posting_is_append_only")
    op.alter_column("posting", "entries", nullable=False)
    op.create_check_constraint(op.f("ck_posting_entries"), "posting", "entries >= 2")


def _months() -> None:
    """Each month of what was set aside, its part as evenly as whole đồng allow."""
    op.execute("update allocation set carried_months = months, carried_amount = amount")
    op.execute("update allocation set carried_months = 0, carried_amount = 0 where released_at is not null")
    op.execute(
        """
        insert into allocation_month
            (town_id, id, allocation_id, prospect_id, month, amount, payment_id, paid_id, released_at, released_id)
        select a.town_id, gen_random_uuid(), a.id, a.prospect_id, (a.start_month + make_interval(months => n))::date,
            a.amount / a.months + case when n < a.amount % a.months then 1 else 0 end, a.payment_id, paid.id,
            a.released_at, released.id
        from allocation a
        cross join lateral generate_series(0, a.months::int - 1) n
        left join posting paid on paid.town_id = a.town_id and paid.movement = 'paid' and paid.memo = a.payment_id::text
        left join posting released on released.town_id = a.town_id and released.reverses_id = a.posting_id
        """
    )
    op.alter_column("allocation", "carried_months", nullable=False)
    op.alter_column("allocation", "carried_amount", nullable=False)
    op.create_check_constraint(
        op.f("ck_allocation_carried"),
        "allocation",
        "carried_months >= 0 and carried_amount >= 0 and (carried_months = 0) = (released_at is not null)",
    )


def _empty() -> None:
    """Back to promises that are no money and allocations that are whole; what came in unidentified leaves the books."""
    op.drop_constraint(op.f("ck_allocation_carried"), "allocation", type_="check")
    op.drop_constraint(op.f("ck_posting_entries"), "posting", type_="check")
    op.execute("update allocation set months = carried_months, amount = carried_amount where carried_months > 0")
    op.execute("delete from receipt where corrected_id is not null")
    for table in ("posting", "ledger_entry"):
        op.execute(f"alter table {table} disable trigger {table}_is_append_only")
    op.drop_index(op.f("ix_receipt_town_id_posting_id"), table_name="receipt")
    op.drop_index(op.f("ix_receipt_town_id_pledge_id"), table_name="receipt")
    op.drop_index(op.f("ix_ledger_account_town_id_sponsor_id"), table_name="ledger_account")
    op.execute(
        """
        delete from ledger_entry e using ledger_account a
        where a.town_id = e.town_id and a.id = e.ledger_account_id
            and (a.kind in ('promise', 'expected', 'unidentified') or a.sponsor_id is null)
        """
    )
    op.execute("delete from ledger_account where kind in ('promise', 'expected', 'unidentified') or sponsor_id is null")
    op.execute("update posting set movement = 'received' where movement = 'identified'")
    empty = "not exists (select from ledger_entry e where e.town_id = p.town_id and e.posting_id = p.id)"
    op.execute(f"delete from posting p where reverses_id is not null and {empty}")
    op.execute(f"delete from posting p where {empty}")
    for table in ("posting", "ledger_entry"):
        op.execute(f"alter table {table} enable trigger {table}_is_append_only")
