"""Reminder rules are rows that a town edits; who was told of which event is kept by person.

Revision ID: 0046
Revises: 0045
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.parts import allow, one_of, reasons

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

EVENTS = ("visit", "payment", "sponsor_ends", "standing_ends", "support_ends", "win_back", "instalment")
WITH_REASONS = ("message", "campaign_check_person")

TOLD = """
insert into reminder_told (town_id, id, reminder, subject_id, event_on, message_id)
select m.town_id, gen_random_uuid(), m.reminder, m.prospect_id, e.event_on, m.id
from (
    select distinct on (town_id, reminder, prospect_id) town_id, id, reminder, prospect_id, local_day
    from message where reminder is not null and prospect_id is not null
    order by town_id, reminder, prospect_id, local_day desc
) m
join lateral (
    select p.next_contact_on as event_on from prospect p
    where m.reminder = 'follow_up' and p.town_id = m.town_id and p.id = m.prospect_id
        and p.next_contact_on between m.local_day - 2 and m.local_day
    union all
    select s.deadline_on from participation s
    where m.reminder in ('payment_soon', 'payment_last_days') and s.town_id = m.town_id and s.prospect_id = m.prospect_id
        and s.ended_on is null and s.withdrawn_at is null
        and s.deadline_on between m.local_day
            and m.local_day + case when m.reminder = 'payment_soon' then 14 else 3 end
    union all
    select (max(a.month) + interval '1 month' - interval '1 day')::date from allocation_month a
    where m.reminder = 'sponsor_ends' and a.town_id = m.town_id and a.prospect_id = m.prospect_id
        and a.released_at is null
    having max(a.month) is not null
) e on true
where e.event_on is not null
on conflict do nothing
"""
"""What went out before the rules were rows counts as told, where its event still stands."""


def upgrade() -> None:
    op.create_table(
        "reminder_rule",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("event", one_of("event", *EVENTS), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("earliest", sa.BigInteger(), nullable=False),
        sa.Column("latest", sa.BigInteger(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.Column("stop", one_of("stop", "done", "spoken"), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_reminder_rule_town_id")),
        sa.ForeignKeyConstraint(
            ["town_id", "changed_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_reminder_rule_town_id_changed_by_id"),
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_reminder_rule")),
        sa.UniqueConstraint("town_id", "code", name=op.f("uq_reminder_rule_town_id_code")),
        sa.CheckConstraint("latest between -100 and earliest and earliest <= 100", name=op.f("ck_reminder_rule_days")),
        sa.CheckConstraint(
            "opens >= '07:00' and closes <= '22:00' and opens < closes",
            name=op.f("ck_reminder_rule_within_legal_hours"),
        ),
        sa.CheckConstraint(r"text !~ '^\[(QC|AD)\]'", name=op.f("ck_reminder_rule_no_promotion")),
    )
    op.create_table(
        "reminder_told",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reminder", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("event_on", sa.Date(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_reminder_told_town_id")),
        sa.ForeignKeyConstraint(
            ["town_id", "message_id"],
            ["message.town_id", "message.id"],
            name=op.f("fk_reminder_told_town_id_message_id"),
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_reminder_told")),
        sa.UniqueConstraint(
            "town_id",
            "reminder",
            "subject_id",
            "event_on",
            name=op.f("uq_reminder_told_town_id_reminder_subject_id_event_on"),
        ),
    )
    op.create_index(op.f("ix_reminder_told_town_id_message_id"), "reminder_told", ["town_id", "message_id"])
    op.execute(TOLD)
    _once_a_day("reminder is not null and state <> 'cancelled'")
    for table in WITH_REASONS:
        allow(table, reasons(table) | {"rule_changed"})


def downgrade() -> None:
    for table in WITH_REASONS:
        op.execute(f"update {table} set reason = 'done_meanwhile' where reason = 'rule_changed'")
        allow(table, reasons(table) - {"rule_changed"})
    op.execute("update message set reminder = reminder || ' ' || id where reminder is not null and state = 'cancelled'")
    _once_a_day("reminder is not null")
    op.drop_table("reminder_told")
    op.drop_table("reminder_rule")


def _once_a_day(condition: str) -> None:
    op.drop_index("uq_message_reminder_phone_day", table_name="message")
    op.create_index(
        "uq_message_reminder_phone_day",
        "message",
        ["town_id", "reminder", "phone", "local_day"],
        unique=True,
        postgresql_where=sa.text(condition),
    )
