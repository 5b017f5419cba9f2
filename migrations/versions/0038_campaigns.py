"""Templates with versions, checks of campaigns, and a second person's yes.

Revision ID: 0038
Revises: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

STAGES = ("draft", "running", "paused", "cancelled", "done")
MORE_STAGES = (*STAGES, "preparing", "scheduled", "missed")
STEPS = (
    *("asked", "approved", "refused", "launched", "scheduled", "begun", "paused", "resumed", "missed", "moved"),
    *("cancelled", "done", "tried", "not_launched"),
)
REASONS = (
    *("no_phone", "not_mobile", "no_consent", "opted_out", "same_phone", "missing_value", "too_long", "too_many"),
    *("out_of_hours", "paused", "called_off", "done_meanwhile", "expired", "restored", "already_handled", "no_answer"),
    *(
        "no_trace",
        "bad_number",
        "landline",
        "blocked",
        "busy",
        "sender",
        "account",
        "unreachable",
        "filtered",
        "carrier",
    ),
)
MORE_REASONS = (*REASONS, "held_back")
FROZEN = ("template_version", "template_registration", "campaign_step")

CAMPAIGN_CONTENT = """
create function campaign_content() returns trigger language plpgsql as $$
begin
    new.content := md5(jsonb_build_array(new.name, new.text, new.purpose, new.accented, new.segment,
        new.template_version_id, new.last_day, extract(epoch from new.scheduled_for), new.budget,
        new.control_percent, new.seed)::text);
    if tg_op = 'UPDATE' and old.stage not in ('draft', 'preparing') and (new.text, new.purpose, new.accented,
        new.segment, new.control_percent, new.seed) is distinct from
        (old.text, old.purpose, old.accented, old.segment, old.control_percent, old.seed) then
        raise exception 'campaign % was launched: what it says and to whom stays', new.id
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""
"""What a second person says yes to: any change gives another content."""

CAMPAIGN_LAUNCHED = """
create function campaign_launched() returns trigger language plpgsql as $$
declare
    many bigint;
    charged bigint;
    most record;
begin
    if new.stage not in ('running', 'scheduled') or old.stage not in ('draft', 'preparing') then
        return null;
    end if;
    select count(*), coalesce(sum(segments), 0) * coalesce(new.price, 0) into many, charged from message
        where town_id = new.town_id and campaign_id = new.id and state <> 'excluded';
    select approve_messages, approve_cost into most from sms_settings where town_id = new.town_id;
    if (many > most.approve_messages or charged > most.approve_cost) and not exists (
        select from campaign_approval a
        where a.town_id = new.town_id and a.id = new.approval_id and a.campaign_id = new.id
            and a.answer = 'approved' and a.content = new.content and a.check_id = new.check_id
            and a.decided_by_id <> new.launched_by_id and many <= a.messages and charged <= a.cost) then
        raise exception 'campaign % is above the limit and nobody else approved just this', new.id
            using errcode = 'check_violation';
    end if;
    return null;
end $$
"""
"""Looked at when a launch is committed."""


def choice(options: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*options, name=name, native_enum=False, create_constraint=True, length=40)


def refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["town_id", column], [f"{to}.town_id", f"{to}.id"], name=op.f(f"fk_{table}_town_id_{column}")
    )


def keys(table: str) -> tuple[sa.Column[object], sa.Column[object], sa.Constraint, sa.Constraint]:
    return (
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f(f"fk_{table}_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f(f"pk_{table}")),
    )


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def number(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=default)


def words(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def one(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def upgrade() -> None:
    _templates()
    _campaign()
    _checks()
    _messages()
    for table in FROZEN:
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table} "
            "for each row execute function refuse_rewriting()"
        )
    op.execute(CAMPAIGN_CONTENT)
    op.execute(
        "create trigger campaign_keeps_content before insert or update on campaign "
        "for each row execute function campaign_content()"
    )
    op.execute(CAMPAIGN_LAUNCHED)
    op.execute(
        "create constraint trigger campaign_is_launched after update of stage on campaign "
        "deferrable initially deferred for each row execute function campaign_launched()"
    )
    op.execute("update campaign set version = version")


def _templates() -> None:
    op.create_table(
        "message_template",
        *keys("message_template"),
        words("name", nullable=False),
        words("name_fold", nullable=False),
        sa.Column("purpose", choice(("service", "promotion"), "purpose"), nullable=False),
        number("number"),
        moment("made_at"),
        one("made_by_id", nullable=True),
        moment("archived_at", nullable=True),
        one("archived_by_id", nullable=True),
        refers("message_template", "made_by_id", "account"),
        refers("message_template", "archived_by_id", "account"),
        sa.CheckConstraint(
            "(archived_at is null) = (archived_by_id is null)", name=op.f("ck_message_template_archived")
        ),
    )
    op.create_index(
        "uq_message_template_name",
        "message_template",
        ["town_id", "name_fold"],
        unique=True,
        postgresql_where=sa.text("archived_at is null"),
    )
    op.create_table(
        "template_version",
        *keys("template_version"),
        one("template_id"),
        number("number"),
        words("text", nullable=False),
        moment("made_at"),
        one("made_by_id", nullable=True),
        refers("template_version", "template_id", "message_template"),
        refers("template_version", "made_by_id", "account"),
        sa.UniqueConstraint(
            "town_id", "template_id", "number", name=op.f("uq_template_version_town_id_template_id_number")
        ),
        sa.CheckConstraint("text <> ''", name=op.f("ck_template_version_text")),
    )
    op.create_table(
        "template_registration",
        *keys("template_registration"),
        one("version_id"),
        words("sender", nullable=False),
        sa.Column("state", choice(("draft", "submitted", "approved", "rejected"), "registered"), nullable=False),
        words("number"),
        words("words"),
        sa.Column("on", sa.Date(), nullable=False),
        moment("at"),
        one("by_id", nullable=True),
        refers("template_registration", "version_id", "template_version"),
        refers("template_registration", "by_id", "account"),
        sa.CheckConstraint("state <> 'draft'", name=op.f("ck_template_registration_told")),
    )
    op.create_index(
        op.f("ix_template_registration_town_id_version_id_sender_at_id"),
        "template_registration",
        ["town_id", "version_id", "sender", "at", "id"],
    )


def _campaign() -> None:
    for column in (
        one("template_version_id", nullable=True),
        moment("scheduled_for", nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        number("budget", nullable=True),
        number("control_percent", default="0"),
        number("seed", default="0"),
        number("follow_days", default="30"),
        number("version", default="1"),
        words("content"),
        one("check_id", nullable=True),
        one("approval_id", nullable=True),
        number("price", nullable=True),
    ):
        op.add_column("campaign", column)
    op.create_foreign_key(
        op.f("fk_campaign_town_id_template_version_id"),
        "campaign",
        "template_version",
        ["town_id", "template_version_id"],
        ["town_id", "id"],
    )
    op.create_index(
        "ix_campaign_due",
        "campaign",
        ["scheduled_for"],
        postgresql_where=sa.text("stage in ('scheduled', 'preparing')"),
    )
    op.create_check_constraint(op.f("ck_campaign_budget"), "campaign", "budget > 0")
    op.create_check_constraint(op.f("ck_campaign_control_percent"), "campaign", "control_percent between 0 and 50")
    op.create_check_constraint(op.f("ck_campaign_follow_days"), "campaign", "follow_days between 1 and 365")
    _stages(MORE_STAGES)
    op.create_table(
        "campaign_step",
        *keys("campaign_step"),
        one("campaign_id"),
        sa.Column("kind", choice(STEPS, "step"), nullable=False),
        moment("at"),
        one("by_id", nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        refers("campaign_step", "campaign_id", "campaign"),
        refers("campaign_step", "by_id", "account"),
    )
    op.create_index(
        op.f("ix_campaign_step_town_id_campaign_id_at_id"), "campaign_step", ["town_id", "campaign_id", "at", "id"]
    )


def _checks() -> None:
    op.create_table(
        "campaign_check",
        *keys("campaign_check"),
        one("campaign_id"),
        words("content", nullable=False),
        sa.Column("state", choice(("waiting", "working", "ready", "failed"), "checkstate"), nullable=False),
        number("done"),
        number("total"),
        moment("asked_at"),
        one("asked_by_id"),
        moment("made_at", nullable=True),
        moment("heartbeat_at", nullable=True),
        words("problem"),
        number("messages"),
        number("cost"),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        refers("campaign_check", "campaign_id", "campaign"),
        refers("campaign_check", "asked_by_id", "account"),
    )
    op.create_index(
        op.f("ix_campaign_check_town_id_campaign_id_asked_at"), "campaign_check", ["town_id", "campaign_id", "asked_at"]
    )
    op.create_index(
        "uq_campaign_check_at_work",
        "campaign_check",
        ["town_id", "campaign_id"],
        unique=True,
        postgresql_where=sa.text("state in ('waiting', 'working')"),
    )
    op.create_table(
        "campaign_check_person",
        one("town_id"),
        one("check_id"),
        number("position"),
        one("person_id"),
        words("phone"),
        words("body", nullable=False),
        words("encoding"),
        number("segments"),
        number("other_segments"),
        sa.Column("reason", choice(MORE_REASONS, "reason"), nullable=True),
        sa.Column("warnings", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_campaign_check_person_town_id")),
        refers("campaign_check_person", "check_id", "campaign_check"),
        sa.PrimaryKeyConstraint("town_id", "check_id", "position", name=op.f("pk_campaign_check_person")),
    )
    op.create_index(
        "ix_campaign_check_person_reason", "campaign_check_person", ["town_id", "check_id", "reason", "position"]
    )
    op.create_table(
        "campaign_approval",
        *keys("campaign_approval"),
        one("campaign_id"),
        one("check_id"),
        words("content", nullable=False),
        number("messages"),
        number("cost"),
        one("asked_by_id"),
        moment("asked_at"),
        words("words"),
        sa.Column("answer", choice(("approved", "refused", "void"), "answer"), nullable=True),
        one("decided_by_id", nullable=True),
        moment("decided_at", nullable=True),
        words("answer_words"),
        refers("campaign_approval", "campaign_id", "campaign"),
        refers("campaign_approval", "check_id", "campaign_check"),
        refers("campaign_approval", "asked_by_id", "account"),
        refers("campaign_approval", "decided_by_id", "account"),
        sa.CheckConstraint("(answer is null) = (decided_at is null)", name=op.f("ck_campaign_approval_decided")),
        sa.CheckConstraint(
            "answer not in ('approved', 'refused') or (decided_by_id is not null and decided_by_id <> asked_by_id)",
            name=op.f("ck_campaign_approval_second"),
        ),
    )
    op.create_index(
        "uq_campaign_approval_waits",
        "campaign_approval",
        ["town_id", "campaign_id"],
        unique=True,
        postgresql_where=sa.text("answer is null"),
    )
    op.create_index(
        op.f("ix_campaign_approval_town_id_asked_at_id"), "campaign_approval", ["town_id", "asked_at", "id"]
    )


def _messages() -> None:
    op.add_column("message", one("trial_of_id", nullable=True))
    op.create_foreign_key(
        op.f("fk_message_town_id_trial_of_id"), "message", "campaign", ["town_id", "trial_of_id"], ["town_id", "id"]
    )
    op.create_index(
        "ix_message_trial", "message", ["town_id", "trial_of_id"], postgresql_where=sa.text("trial_of_id is not null")
    )
    op.drop_constraint(op.f("ck_message_campaign_or_reminder"), "message", type_="check")
    op.create_check_constraint(
        op.f("ck_message_campaign_or_reminder"), "message", "num_nonnulls(campaign_id, reminder, trial_of_id) = 1"
    )
    _reasons(MORE_REASONS)
    for column in (
        number("month_budget", nullable=True),
        number("approve_messages", nullable=True),
        number("approve_cost", nullable=True),
        words("sender"),
    ):
        op.add_column("sms_settings", column)
    op.create_check_constraint(op.f("ck_sms_settings_month_budget"), "sms_settings", "month_budget > 0")
    op.create_check_constraint(
        op.f("ck_sms_settings_approve"), "sms_settings", "approve_messages >= 0 and approve_cost >= 0"
    )


def _stages(choices: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_campaign_stage"), "campaign", type_="check")
    op.create_check_constraint(op.f("ck_campaign_stage"), "campaign", sa.column("stage", sa.String).in_(choices))


def _reasons(choices: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_message_reason"), "message", type_="check")
    op.create_check_constraint(op.f("ck_message_reason"), "message", sa.column("reason", sa.String).in_(choices))


def downgrade() -> None:
    op.execute("drop trigger campaign_is_launched on campaign")
    op.execute("drop function campaign_launched()")
    op.execute("drop trigger campaign_keeps_content on campaign")
    op.execute("drop function campaign_content()")
    op.execute("delete from message where trial_of_id is not null")
    op.execute("update message set reason = null where reason = 'held_back'")
    op.execute("update campaign set stage = 'paused' where stage in ('scheduled', 'missed')")
    op.execute("update campaign set stage = 'draft' where stage = 'preparing'")
    for name in ("month_budget", "approve"):
        op.drop_constraint(op.f(f"ck_sms_settings_{name}"), "sms_settings", type_="check")
    for name in ("month_budget", "approve_messages", "approve_cost", "sender"):
        op.drop_column("sms_settings", name)
    _reasons(REASONS)
    op.drop_constraint(op.f("ck_message_campaign_or_reminder"), "message", type_="check")
    op.drop_column("message", "trial_of_id")
    op.create_check_constraint(
        op.f("ck_message_campaign_or_reminder"), "message", "(campaign_id is null) <> (reminder is null)"
    )
    for table in ("campaign_approval", "campaign_check_person", "campaign_check", "campaign_step"):
        op.drop_table(table)
    _stages(STAGES)
    for name in (
        *("template_version_id", "scheduled_for", "last_day", "budget", "control_percent", "seed", "follow_days"),
        *("version", "content", "check_id", "approval_id", "price"),
    ):
        op.drop_column("campaign", name)
    for table in ("template_registration", "template_version", "message_template"):
        op.drop_table(table)
