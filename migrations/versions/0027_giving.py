"""Registrations to be confirmed, instalments of promises with every step that changed them, and their reminders.

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.parts import of_the_town, one_of

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

KINDS = ("agency", "company", "organisation", "person")
FREQUENCIES = ("once", "monthly", "quarterly", "own")
STEPS = ("made", "changed", "ended")
REMINDERS = ("before", "after_3", "after_10")
DAYS_TO_PAY = 10


def upgrade() -> None:
    _registration()
    op.create_table(
        "pledge_step",
        *of_the_town("pledge_step", pledge_id="pledge", by_id="account"),
        sa.Column("pledge_id", sa.Uuid(), nullable=False),
        sa.Column("step", one_of("step", *STEPS), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("frequency", one_of("frequency", *FREQUENCIES), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("step <> 'ended' or reason is not null", name=op.f("ck_pledge_step_reason")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_pledge_step_amount")),
    )
    op.create_index(op.f("ix_pledge_step_town_id_pledge_id_at"), "pledge_step", ["town_id", "pledge_id", "at"])
    op.create_table(
        "pledge_instalment",
        *of_the_town("pledge_instalment", pledge_id="pledge", step_id="pledge_step", dropped_step_id="pledge_step"),
        sa.Column("pledge_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("dropped_step_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_pledge_instalment_amount")),
    )
    current = sa.text("dropped_step_id is null")
    op.create_index(
        "uq_pledge_instalment_day",
        "pledge_instalment",
        ["town_id", "pledge_id", "due_on"],
        unique=True,
        postgresql_where=current,
    )
    op.create_index("ix_pledge_instalment_due", "pledge_instalment", ["town_id", "due_on"], postgresql_where=current)
    op.create_table(
        "instalment_reminder",
        *of_the_town("instalment_reminder", pledge_id="pledge"),
        sa.Column("pledge_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("reminder", one_of("reminder", *REMINDERS), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_instalment_reminder_amount")),
        sa.UniqueConstraint(
            "town_id",
            "pledge_id",
            "due_on",
            "reminder",
            name=op.f("uq_instalment_reminder_town_id_pledge_id_due_on_reminder"),
        ),
    )
    op.create_index(op.f("ix_instalment_reminder_town_id_made_on"), "instalment_reminder", ["town_id", "made_on"])
    _give_every_promise_its_instalment()
    _keep_promises_and_instalments_equal()
    for table in ("pledge_step", "instalment_reminder"):
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table} "
            "for each row execute function refuse_rewriting()"
        )


def downgrade() -> None:
    op.execute("drop trigger pledge_is_its_instalments on pledge")
    for table in ("instalment_reminder", "pledge_instalment", "pledge_step", "sponsor_registration"):
        op.drop_table(table)
    op.execute("drop function refuse_other_sum()")


def _give_every_promise_its_instalment() -> None:
    """What was promised before is one instalment on its day."""
    op.execute(
        """
        insert into pledge_step (town_id, id, pledge_id, step, amount, frequency, at, by_id)
        select town_id, gen_random_uuid(), id, 'made', amount, 'once', recorded_at, recorded_by_id from pledge
        """
    )
    op.execute(
        f"""
        insert into pledge_instalment (town_id, id, pledge_id, due_on, amount, step_id)
        select pledge.town_id, gen_random_uuid(), pledge.id, coalesce(due_on, pledged_on + {DAYS_TO_PAY}),
               pledge.amount, pledge_step.id
        from pledge join pledge_step on pledge_step.town_id = pledge.town_id and pledge_step.pledge_id = pledge.id
        """
    )
    op.execute(
        """
        insert into pledge_step (town_id, id, pledge_id, step, amount, frequency, reason, at)
        select town_id, gen_random_uuid(), id, 'ended', amount, 'once', '—', now() from pledge where state = 'ended'
        """
    )


def _keep_promises_and_instalments_equal() -> None:
    """At the end of a transaction a promise is the sum of its current instalments."""
    op.execute(
        """
        create function refuse_other_sum() returns trigger language plpgsql as $$
        declare
            town uuid := new.town_id;
            promise uuid;
            promised bigint;
            together bigint;
        begin
            if tg_table_name = 'pledge' then promise := new.id; else promise := new.pledge_id; end if;
            select amount into promised from pledge where town_id = town and id = promise;
            select coalesce(sum(amount), 0) into together from pledge_instalment
            where town_id = town and pledge_id = promise and dropped_step_id is null;
            if promised is distinct from together then
                raise exception 'promise % is % and its instalments are %', promise, promised, together
                    using errcode = 'check_violation', constraint = 'pledge_is_its_instalments';
            end if;
            return null;
        end $$
        """
    )
    for table, changes in (
        ("pledge", "insert or update of amount"),
        ("pledge_instalment", "insert or update"),
    ):
        name = "pledge_is_its_instalments" if table == "pledge" else "instalments_are_the_pledge"
        op.execute(
            f"create constraint trigger {name} after {changes} on {table} "
            "deferrable initially deferred for each row execute function refuse_other_sum()"
        )


def _registration() -> None:
    table = "sponsor_registration"
    waiting = sa.text("confirmed_at is null and refused_at is null")
    op.create_table(
        table,
        *of_the_town(
            table, sponsor_id="sponsor", pledge_id="pledge", confirmed_by_id="account", refused_by_id="account"
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", one_of("sponsorkind", *KINDS), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("contact_name", "phone", "email", "tax_code")),
        sa.Column("wish", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("frequency", one_of("frequency", *FREQUENCIES), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("page_digest", sa.LargeBinary(), nullable=False),
        sa.Column("link_digest", sa.LargeBinary(), nullable=True),
        sa.Column("links", sa.BigInteger(), nullable=False),
        sa.Column("link_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirming", one_of("confirming", "link", "telephone"), nullable=True),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=True),
        sa.Column("sponsor_id", sa.Uuid(), nullable=True),
        sa.Column("pledge_id", sa.Uuid(), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_by_id", sa.Uuid(), nullable=True),
        sa.Column("refused_why", sa.Text(), nullable=True),
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))
            for name, condition in (
                ("amount", "amount > 0"),
                ("times", "times between 1 and 60"),
                ("reachable", "email is not null or phone is not null"),
                ("links", "links between 0 and 5"),
                (
                    "confirmed",
                    "(confirmed_at is null) = (confirming is null) and (confirmed_at is null) = (sponsor_id is null) "
                    "and (confirmed_at is null) = (pledge_id is null)",
                ),
                ("by_telephone", "confirming is distinct from 'telephone' or confirmed_by_id is not null"),
                ("one_end", "confirmed_at is null or refused_at is null"),
            )
        ),
        sa.UniqueConstraint("link_digest", name=op.f(f"uq_{table}_link_digest")),
        sa.UniqueConstraint("page_digest", name=op.f(f"uq_{table}_page_digest")),
    )
    op.create_index("ix_sponsor_registration_waiting", table, ["town_id", "made_at"], postgresql_where=waiting)
