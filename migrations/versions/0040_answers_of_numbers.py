"""A yes after a refusal needs proof; do-not-call lists; conversations; the carrier's list after a restore.

Revision ID: 0040
Revises: 0039
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.parts import one_of

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

CHANNELS = ("paper", "doorstep", "phone_call", "web", "link", "sms", "hotline", "import")
DELIVERY = (
    "held", "queued", "sending", "unknown", "handed_over", "accepted", "sent", "delivered", "undelivered", "failed", "cancelled",
    "expired", "excluded",
)  # fmt: skip

# A refusal is undone by the person alone: in words, by a way in which a person speaks, written down by somebody.
PROOF = """
create function refuse_yes_without_proof() returns trigger language plpgsql as $$
declare
  before record;
begin
  select given, channel into before from consent
    where town_id = new.town_id and phone = new.phone and purpose = new.purpose and at <= new.at
    order by at desc, recorded_at desc, id desc limit 1;
  if found and not before.given and before.channel <> 'import' and (
    new.channel in ('import', 'link', 'do_not_call')
    or coalesce(char_length(btrim(new.words)), 0) < 2
    or (new.recorded_by_id is null and new.channel not in ('web', 'sms'))
  ) then
    raise exception 'a yes after a refusal needs new proof'
      using errcode = 'check_violation', constraint = 'ck_consent_proof';
  end if;
  return new;
end $$
"""


def upgrade() -> None:
    _channels(*CHANNELS, "do_not_call")
    op.create_check_constraint(op.f("ck_consent_not_ahead"), "consent", "at <= recorded_at")
    op.execute(PROOF)
    op.execute(
        "create trigger consent_needs_proof before insert on consent "
        "for each row when (new.given) execute function refuse_yes_without_proof()"
    )
    _answers()
    _lists()
    _conversations()
    _carriers_list()


def downgrade() -> None:
    for table in ("provider_message", "restore_check", "auto_answer", "conversation_step", "conversation"):
        op.drop_table(table)
    for table in ("do_not_call_number", "do_not_call_list"):
        op.drop_table(table)
    op.execute("delete from message where reply_to_id is not null")
    op.drop_constraint(op.f("ck_message_what_for"), "message")
    op.create_check_constraint(
        op.f("ck_message_campaign_or_reminder"), "message", "num_nonnulls(campaign_id, reminder, trial_of_id) = 1"
    )
    op.drop_index("uq_message_reply_to", table_name="message")
    op.drop_column("message", "reply_to_id")
    for columns in (("phone", "received_at"), ("message_id",)):
        op.drop_index(op.f("ix_message_inbound_town_id_" + "_".join(columns)), table_name="message_inbound")
    op.drop_column("message_inbound", "meaning")
    op.drop_column("message_inbound", "message_id")
    op.execute("drop trigger consent_needs_proof on consent")
    op.execute("drop function refuse_yes_without_proof()")
    op.drop_constraint(op.f("ck_consent_not_ahead"), "consent")
    op.execute("alter table consent disable trigger user")
    op.execute("update consent set channel = 'import' where channel = 'do_not_call'")
    op.execute("alter table consent enable trigger user")
    _channels(*CHANNELS)


def _channels(*channels: str) -> None:
    op.drop_constraint(op.f("ck_consent_consentchannel"), "consent")
    listed = ", ".join(f"'{one}'" for one in channels)
    op.create_check_constraint(op.f("ck_consent_consentchannel"), "consent", f"channel in ({listed})")


def _answers() -> None:
    op.add_column("message_inbound", sa.Column("message_id", sa.Uuid(), nullable=True))
    meaning = one_of("meaning", "no", "again", "machine", "words")
    op.add_column("message_inbound", sa.Column("meaning", meaning, nullable=False, server_default="words"))
    op.execute("alter table message_inbound disable trigger user")
    op.execute("update message_inbound set meaning = 'no' where withdrew")
    op.execute("alter table message_inbound enable trigger user")
    op.alter_column("message_inbound", "meaning", server_default=None)
    _indexes("message_inbound", ("phone", "received_at"), ("message_id",))
    op.add_column("message", sa.Column("reply_to_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_message_town_id_reply_to_id"),
        "message",
        "message_inbound",
        ["town_id", "reply_to_id"],
        ["town_id", "id"],
    )
    op.create_index(
        "uq_message_reply_to",
        "message",
        ["town_id", "reply_to_id"],
        unique=True,
        postgresql_where=sa.text("reply_to_id is not null"),
    )
    op.drop_constraint(op.f("ck_message_campaign_or_reminder"), "message")
    op.create_check_constraint(
        op.f("ck_message_what_for"), "message", "num_nonnulls(campaign_id, reminder, trial_of_id, reply_to_id) = 1"
    )


def _lists() -> None:
    op.create_table(
        "do_not_call_list",
        *_town(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("purposes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "state",
            one_of("liststate", "queued", "ready", "writing", "done", "failed", "dropped"),
            nullable=False,
        ),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("numbers", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("bad_rows", sa.BigInteger(), nullable=False),
        sa.Column("bad", postgresql.JSONB(none_as_null=True), nullable=False),
        *_moments("touched_at", "recorded_at"),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=True),
        *_keys("do_not_call_list", recorded_by_id="account", confirmed_by_id="account"),
        sa.UniqueConstraint("town_id", "digest", name=op.f("uq_do_not_call_list_town_id_digest")),
    )
    _indexes("do_not_call_list", ("state",), ("recorded_at", "id"))
    op.create_table(
        "do_not_call_number",
        *_town(),
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("found", one_of("found", "refused", "known"), nullable=True),
        *_keys("do_not_call_number", list_id="do_not_call_list"),
        sa.UniqueConstraint("town_id", "list_id", "phone", name=op.f("uq_do_not_call_number_town_id_list_id_phone")),
    )
    _indexes("do_not_call_number", ("phone",))
    op.create_index(
        "ix_do_not_call_number_waiting",
        "do_not_call_number",
        ["town_id", "list_id", "id"],
        postgresql_where=sa.text("found is null"),
    )


def _conversations() -> None:
    op.create_table(
        "conversation",
        *_town(),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("state", one_of("talk", "open", "done"), nullable=False),
        sa.Column("latest_id", sa.Uuid(), nullable=False),
        *_moments("latest_at"),
        sa.Column("assigned_to_id", sa.Uuid(), nullable=True),
        *_keys("conversation", latest_id="message_inbound", assigned_to_id="account"),
        sa.UniqueConstraint("town_id", "phone", name=op.f("uq_conversation_town_id_phone")),
    )
    _indexes("conversation", ("state", "latest_at", "id"), ("assigned_to_id", "state"))
    op.create_table(
        "conversation_step",
        *_town(),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("turn", one_of("turn", "given", "done", "opened", "replied"), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=True),
        *_moments("at"),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        *_keys("conversation_step", conversation_id="conversation", to_id="account", by_id="account"),
    )
    _indexes("conversation_step", ("conversation_id", "at"))
    op.create_table(
        "auto_answer",
        *_town(),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("inbound_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        *_moments("at"),
        *_keys("auto_answer", inbound_id="message_inbound"),
        sa.UniqueConstraint("town_id", "phone", "local_day", name=op.f("uq_auto_answer_town_id_phone_local_day")),
    )
    for table in ("conversation_step", "auto_answer"):
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table} "
            "for each row execute function refuse_rewriting()"
        )


def _carriers_list() -> None:
    op.create_table(
        "restore_check",
        *_town(),
        *_moments("since"),
        sa.Column("state", one_of("checkstate", "queued", "asking", "comparing", "ready", "failed"), nullable=False),
        sa.Column("next_page", sa.Text(), nullable=True),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        *_moments("touched_at", "started_at"),
        sa.Column("started_by_id", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        *_keys("restore_check", started_by_id="account"),
    )
    _indexes("restore_check", ("started_at", "id"))
    op.create_index(
        "uq_restore_check_at_work",
        "restore_check",
        ["town_id"],
        unique=True,
        postgresql_where=sa.text("state in ('queued', 'asking', 'comparing')"),
    )
    op.create_table(
        "provider_message",
        *_town(),
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", one_of("delivery", *DELIVERY), nullable=False),
        sa.Column("code", sa.BigInteger(), nullable=True),
        *_moments("sent_at"),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        *_keys("provider_message", check_id="restore_check"),
        sa.UniqueConstraint("town_id", "check_id", "sid", name=op.f("uq_provider_message_town_id_check_id_sid")),
    )
    op.create_index(
        "ix_provider_message_open",
        "provider_message",
        ["town_id", "phone"],
        postgresql_where=sa.text("message_id is null"),
    )


def _town() -> tuple[sa.Column[Any], ...]:
    return sa.Column("town_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)


def _moments(*names: str) -> tuple[sa.Column[Any], ...]:
    return tuple(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in names)


def _keys(table: str, **refers: str) -> tuple[Any, ...]:
    return (
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f(f"fk_{table}_town_id")),
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column], [f"{other}.town_id", f"{other}.id"], name=op.f(f"fk_{table}_town_id_{column}")
            )
            for column, other in refers.items()
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f(f"pk_{table}")),
    )


def _indexes(table: str, *columns: tuple[str, ...]) -> None:
    for some in columns:
        op.create_index(op.f(f"ix_{table}_town_id_" + "_".join(some)), table, ["town_id", *some])
