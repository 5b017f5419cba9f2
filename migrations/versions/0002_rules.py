"""What the database itself refuses: overlapping spells, unbalanced postings, overdrawn accounts, rewritten history.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FROZEN = (
    "ledger_entry",
    "posting",
    "payment",
    "consent",
    "stage_change",
    "change_record",
    "identity_reading",
    "message_status",
    "message_inbound",
)


def upgrade() -> None:
    op.execute(
        """
        alter table participation add constraint ex_participation_one_at_a_time
        exclude using gist (town_id with =, prospect_id with =, daterange(started_on, ended_on) with &&)
        where (withdrawn_at is null)
        """
    )
    op.execute(
        """
        create function refuse_rewriting() returns trigger language plpgsql as $$
        begin
            raise exception '% is append-only: add a row that corrects it', tg_table_name
                using errcode = 'restrict_violation';
        end $$
        """
    )
    for table in FROZEN:
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table} "
            "for each row execute function refuse_rewriting()"
        )
    # The balance is kept by the database with the rights of the owner: the program's own role may not touch it.
    op.execute(
        """
        create function keep_balance() returns trigger language plpgsql security definer
        set search_path = public, pg_temp as $$
        begin
            update ledger_account set balance = balance + new.amount
            where town_id = new.town_id and id = new.ledger_account_id;
            return null;
        end $$
        """
    )
    op.execute(
        "create trigger ledger_entry_keeps_balance after insert on ledger_entry "
        "for each row execute function keep_balance()"
    )
    op.execute(
        """
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
    )
    op.execute(
        "create constraint trigger ledger_entry_balances after insert on ledger_entry "
        "deferrable initially deferred for each row execute function refuse_unbalanced()"
    )
    op.execute(
        """
        create function start_at_nothing() returns trigger language plpgsql as $$
        begin
            new.balance := 0;
            return new;
        end $$
        """
    )
    op.execute(
        "create trigger ledger_account_starts_at_nothing before insert on ledger_account "
        "for each row execute function start_at_nothing()"
    )


def downgrade() -> None:
    op.execute("drop trigger ledger_account_starts_at_nothing on ledger_account")
    op.execute("drop function start_at_nothing()")
    op.execute("drop trigger ledger_entry_balances on ledger_entry")
    op.execute("drop function refuse_unbalanced()")
    op.execute("drop trigger ledger_entry_keeps_balance on ledger_entry")
    op.execute("drop function keep_balance()")
    for table in FROZEN:
        op.execute(f"drop trigger {table}_is_append_only on {table}")
    op.execute("drop function refuse_rewriting()")
    op.execute("alter table participation drop constraint ex_participation_one_at_a_time")
