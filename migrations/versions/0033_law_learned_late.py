"""A value of the law learned after its day is recorded with its real day, as long as nothing was reckoned by what it replaces.

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TABLES = ("law_value", "local_top_up")
IN_TIME = "status = 'announced' or (recorded_at at time zone 'Asia/Ho_Chi_Minh')::date <= effective_from"

NOT_RECKONED = """
create function law_not_reckoned() returns trigger language plpgsql as $$
declare
    following date;
begin
    if new.recorded_at is null or new.status = 'announced' then
        return new;
    end if;
    if tg_table_name = 'local_top_up' then
        following := new.effective_to + 1;
        if exists (
            select 1 from payment p where p.town_id = new.town_id and p.paid_on >= new.effective_from
            and (following is null or p.paid_on < following) and p.reverses_id is null
            and not exists (select 1 from payment r where r.town_id = p.town_id and r.reverses_id = p.id)
        ) then
            raise exception 'what was paid was reckoned without this addition';
        end if;
        return new;
    end if;
    select min(v.effective_from) into following from law_value v
    where v.key = new.key and v.ground is not distinct from new.ground and v.of_year is not distinct from new.of_year
    and v.effective_from > new.effective_from and v.status <> 'announced' and v.withdrawn_at is null;
    if new.key in ('investment_percent', 'price_coefficient') then
        following := least(following, (date_trunc('year', new.effective_from) + interval '1 year')::date);
    end if;
    if exists (
        select 1 from payment p where p.paid_on >= new.effective_from and (following is null or p.paid_on < following)
        and p.reverses_id is null
        and not exists (select 1 from payment r where r.town_id = p.town_id and r.reverses_id = p.id)
        and (new.key = 'support_percent' or not p.law ? 'rules'
             or p.law @> jsonb_build_object('rules', jsonb_build_array(jsonb_build_object('name', new.key))))
    ) then
        raise exception 'what was paid was reckoned by the value before this one';
    end if;
    return new;
end $$
"""


def upgrade() -> None:
    op.execute(NOT_RECKONED)
    for table in TABLES:
        op.drop_constraint(op.f(f"ck_{table}_recorded_in_time"), table)
        op.execute(
            f"create trigger {table}_not_reckoned before insert on {table} "
            "for each row execute function law_not_reckoned()"
        )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop trigger {table}_not_reckoned on {table}")
        op.create_check_constraint(op.f(f"ck_{table}_recorded_in_time"), table, IN_TIME, postgresql_not_valid=True)
    op.execute("drop function law_not_reckoned()")
