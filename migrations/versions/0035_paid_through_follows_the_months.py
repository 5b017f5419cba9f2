"""A spell is paid through its last paid month, or later where a list of the insurance office said so; the database keeps it.

Revision ID: 0035
Revises: 0034
"""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

REFUSE_UNPAID_SPELLS = """
create function refuse_unpaid_spells() returns trigger language plpgsql as $$
declare
    behind record;
begin
    select s.id, s.withdrawn_at into behind from participation s
        join payment p on p.town_id = s.town_id and p.prospect_id = s.prospect_id and p.participation_id = s.id
        join participant_month m on m.town_id = p.town_id and m.payment_id = p.id
        where s.town_id = new.town_id and s.prospect_id = new.prospect_id
            and (s.withdrawn_at is not null or s.paid_through is null or s.paid_through < m.month)
        limit 1;
    if behind.withdrawn_at is not null then
        raise exception 'spell % is withdrawn and has paid months', behind.id using errcode = 'check_violation';
    elsif behind.id is not null then
        raise exception 'spell % is not paid through its last paid month', behind.id using errcode = 'check_violation';
    end if;
    return null;
end $$
"""
"""Asked when a transaction ends, of the person whose spell or payment was written in it."""


def upgrade() -> None:
    op.execute(REFUSE_UNPAID_SPELLS)
    op.execute(
        "create constraint trigger participation_is_paid after update of paid_through, withdrawn_at, prospect_id "
        "on participation deferrable initially deferred for each row execute function refuse_unpaid_spells()"
    )
    op.execute(
        "create constraint trigger payment_is_in_its_spell after insert or update of prospect_id on payment "
        "deferrable initially deferred for each row execute function refuse_unpaid_spells()"
    )


def downgrade() -> None:
    op.execute("drop trigger payment_is_in_its_spell on payment")
    op.execute("drop trigger participation_is_paid on participation")
    op.execute("drop function refuse_unpaid_spells()")
