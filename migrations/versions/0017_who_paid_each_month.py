"""Who bore each month: layers that sum to the payment's, the sponsors behind them, and a database that keeps it so.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

LAYERS = ("own", "state_support", "local_support", "other_support")
AT_ONCE = 2_000

MONTHS_ADD_UP = """
create function months_add_up() returns trigger language plpgsql as $$
declare
    paid payment%rowtype;
    held record;
begin
    if new.reverses_id is not null then
        if exists (select from participant_month where town_id = new.town_id and payment_id = new.reverses_id) then
            raise exception 'months of the reversed payment % are still there', new.reverses_id
                using errcode = 'check_violation';
        end if;
        return null;
    end if;
    if exists (select from payment where town_id = new.town_id and reverses_id = new.id) then
        return null;
    end if;
    select * into paid from payment where town_id = new.town_id and id = new.id;
    select count(*) as months, count(*) filter (where supported) as supported_months, sum(own) as own,
        sum(state_support) as state_support, sum(local_support) as local_support, sum(other_support) as other_support,
        min(month) as first, max(month) as last, bool_and(prospect_id = paid.prospect_id) as same_person
        into held from participant_month where town_id = new.town_id and payment_id = new.id;
    if (held.months, held.supported_months, held.own, held.state_support, held.local_support, held.other_support)
            is distinct from (paid.months, paid.supported_months, paid.own, paid.state_support, paid.local_support,
            paid.other_support)
        or held.first <> paid.start_month
        or held.last <> (paid.start_month + make_interval(months => paid.months::int - 1))::date
        or not held.same_person then
        raise exception 'the months of payment % do not add up to it', new.id using errcode = 'check_violation';
    end if;
    if exists (
        select from participant_month m
        where m.town_id = new.town_id and m.payment_id = new.id and m.other_support <> coalesce((
            select sum(p.amount) from month_payer p
            where p.town_id = m.town_id and p.payment_id = m.payment_id and p.month = m.month), 0)) then
        raise exception 'the payers of payment % do not add up to it', new.id using errcode = 'check_violation';
    end if;
    return null;
end $$
"""
"""When a payment is committed its months are all there and sum to its layers, and the payers to what others bore."""

REFUSE_MORE_MONTHS = """
create function refuse_more_months() returns trigger language plpgsql as $$
begin
    if exists (
        select from (select distinct town_id, payment_id from added) a
        join payment p on p.town_id = a.town_id and p.id = a.payment_id
        where p.reverses_id is not null
            or exists (select from payment r where r.town_id = p.town_id and r.reverses_id = p.id)
            or p.months < (select count(*) from participant_month m
                where m.town_id = p.town_id and m.payment_id = p.id)) then
        raise exception 'a payment has no more months than it paid for' using errcode = 'check_violation';
    end if;
    return null;
end $$
"""
"""Months added to a payment that was committed whole would be too many."""

REFUSE_MORE_PAYERS = """
create function refuse_more_payers() returns trigger language plpgsql as $$
begin
    if exists (
        select from (select distinct town_id, payment_id, month from added) a
        join participant_month m
            on m.town_id = a.town_id and m.payment_id = a.payment_id and m.month = a.month
        where m.other_support < (select sum(p.amount) from month_payer p
            where p.town_id = m.town_id and p.payment_id = m.payment_id and p.month = m.month)) then
        raise exception 'others bore less of this month' using errcode = 'check_violation';
    end if;
    return null;
end $$
"""

REFUSE_LOSING = """
create function refuse_losing_months() returns trigger language plpgsql as $$
begin
    if not exists (select from payment where town_id = old.town_id and reverses_id = old.payment_id) then
        raise exception '% goes only when its payment is reversed', tg_table_name using errcode = 'restrict_violation';
    end if;
    return old;
end $$
"""


def upgrade() -> None:
    for layer in LAYERS:
        op.add_column("participant_month", sa.Column(layer, sa.BigInteger(), nullable=True))
    op.drop_index("ix_participant_month_town_id_payment_id", table_name="participant_month")
    op.create_unique_constraint(
        op.f("uq_participant_month_town_id_payment_id_month"), "participant_month", ["town_id", "payment_id", "month"]
    )
    op.create_table(
        "month_payer",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("sponsor", "unnamed", name="payerkind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("payer_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_month_payer_amount")),
        sa.CheckConstraint("(kind = 'unnamed') = (payer_id is null)", name=op.f("ck_month_payer_named")),
        sa.ForeignKeyConstraint(
            ["town_id", "payment_id", "month"],
            ["participant_month.town_id", "participant_month.payment_id", "participant_month.month"],
            name=op.f("fk_month_payer_town_id_payment_id_month"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_month_payer_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_month_payer")),
        sa.UniqueConstraint(
            *("town_id", "payment_id", "month", "kind", "payer_id"),
            name=op.f("uq_month_payer_town_id_payment_id_month_kind_payer_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        op.f("ix_month_payer_town_id_payer_id_month"), "month_payer", ["town_id", "payer_id", "month"], unique=False
    )
    fill(op.get_bind())
    for layer in LAYERS:
        op.alter_column("participant_month", layer, nullable=False)
    op.create_check_constraint(
        op.f("ck_participant_month_signs"),
        "participant_month",
        "own >= 0 and state_support >= 0 and local_support >= 0 and other_support >= 0",
    )
    op.create_check_constraint(
        op.f("ck_participant_month_supported"), "participant_month", "supported or state_support = 0"
    )
    for function in (MONTHS_ADD_UP, REFUSE_MORE_MONTHS, REFUSE_MORE_PAYERS, REFUSE_LOSING):
        op.execute(function)
    op.execute(
        "create constraint trigger payment_has_its_months after insert on payment "
        "deferrable initially deferred for each row execute function months_add_up()"
    )
    for table, function in (("participant_month", "refuse_more_months"), ("month_payer", "refuse_more_payers")):
        op.execute(
            f"create trigger {table}_takes_no_more after insert on {table} referencing new table as added "
            f"for each statement execute function {function}()"
        )
        op.execute(
            f"create trigger {table}_is_append_only before update on {table} "
            "for each row execute function refuse_rewriting()"
        )
        op.execute(
            f"create trigger {table}_goes_with_its_payment before delete on {table} "
            "for each row execute function refuse_losing_months()"
        )


def downgrade() -> None:
    op.execute("drop trigger payment_has_its_months on payment")
    for table in ("participant_month", "month_payer"):
        for rule in ("takes_no_more", "is_append_only", "goes_with_its_payment"):
            op.execute(f"drop trigger {table}_{rule} on {table}")
    for function in ("months_add_up", "refuse_more_months", "refuse_more_payers", "refuse_losing_months"):
        op.execute(f"drop function {function}()")
    op.drop_table("month_payer")
    op.drop_constraint(op.f("uq_participant_month_town_id_payment_id_month"), "participant_month")
    op.create_index("ix_participant_month_town_id_payment_id", "participant_month", ["town_id", "payment_id"])
    op.drop_constraint(op.f("ck_participant_month_signs"), "participant_month")
    op.drop_constraint(op.f("ck_participant_month_supported"), "participant_month")
    for layer in LAYERS:
        op.drop_column("participant_month", layer)


# ---- what stands already


def fill(connection: sa.Connection) -> None:
    """Read the months of every payment that stands off its layers; a sponsor is known from what was set aside."""
    paid = sa.text(
        """
        select p.town_id, p.id, p.start_month, p.months, p.supported_months, p.own, p.state_support, p.local_support,
            p.other_support, p.law, a.sponsor_id
        from payment p
        left join lateral (select sponsor_id from allocation a
            where a.town_id = p.town_id and a.payment_id = p.id order by a.id limit 1) a on true
        where p.reverses_id is null and p.id > :after
            and exists (select from participant_month m where m.town_id = p.town_id and m.payment_id = p.id)
        order by p.id limit :most
        """
    )
    month = sa.text(
        """
        update participant_month set own = s.own, state_support = s.state, local_support = s.local,
            other_support = s.other
        from unnest(cast(:town as uuid[]), cast(:payment as uuid[]), cast(:month as date[]), cast(:own as bigint[]),
            cast(:state as bigint[]), cast(:local as bigint[]), cast(:other as bigint[]))
            as s(town, payment, month, own, state, local, other)
        where town_id = s.town and payment_id = s.payment and participant_month.month = s.month
        """
    )
    payers = sa.text(
        """
        insert into month_payer (town_id, id, payment_id, month, kind, payer_id, amount)
        select m.town_id, gen_random_uuid(), m.payment_id, m.month,
            case when s.sponsor is null then 'unnamed' else 'sponsor' end, s.sponsor, m.other_support
        from unnest(cast(:payment as uuid[]), cast(:sponsor as uuid[])) as s(payment, sponsor)
        join participant_month m on m.payment_id = s.payment
        where m.other_support > 0
        """
    )
    after: Any = "00000000-0000-0000-0000-000000000000"
    while found := connection.execute(paid, {"after": after, "most": AT_ONCE}).all():
        after = found[-1].id
        rows = [row for each in found for row in _months(each)]
        columns = ("town", "payment", "month", "own", "state", "local", "other")
        connection.execute(month, dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))
        helped = [each for each in found if each.other_support]
        connection.execute(
            payers, {"payment": [each.id for each in helped], "sponsor": [each.sponsor_id for each in helped]}
        )


def _months(paid: Any) -> Iterator[tuple[Any, ...]]:
    """The rule of crm.participation.shares as it is today."""
    n, s = paid.months, paid.supported_months
    state = [*(_split(paid.state_support, [1] * s) if s else ()), *[0] * (n - s)]
    local, other = _split(paid.local_support, [1] * n), _split(paid.other_support, [1] * n)
    gross = paid.own + paid.state_support + paid.local_support + paid.other_support
    room = [
        max(0, premium - sum(help))
        for premium, *help in zip(_split(gross, _weights(paid.law, n)), state, local, other, strict=True)
    ]
    own = _split(paid.own, room) if paid.own else [0] * n
    first = paid.start_month.year * 12 + paid.start_month.month - 1
    for number in range(n):
        year, before = divmod(first + number, 12)
        day = paid.start_month.replace(year=year, month=before + 1)
        yield paid.town_id, paid.id, day, own[number], state[number], local[number], other[number]


def _weights(law: dict[str, Any] | None, months: int) -> Sequence[int]:
    rules = (law or {}).get("rules", ())
    percent = next((rule["value"] for rule in rules if rule["name"] == "investment_percent"), None)
    if percent is None:
        return [1] * months
    interest = 1 + Fraction(Decimal(percent)) / 100
    return [interest.denominator**i * interest.numerator ** (months - 1 - i) for i in range(months)]


def _split(amount: int, weights: Sequence[int]) -> list[int]:
    whole = sum(weights)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts
