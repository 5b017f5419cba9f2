"""A message goes one of two ways; files for the domestic gateway, and the results it hands back.

Revision ID: 0039
Revises: 0038
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.parts import one_of

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

WAYS = ("twilio", "brandname")
PURPOSES = ("service", "promotion")
FILE_STATES = ("making", "out", "empty", "not_uploaded")
RESULT_STATES = ("columns", "queued", "loaded", "given_up")
STATES_BEFORE = (
    *("held", "queued", "sending", "unknown"),
    *("accepted", "sent", "delivered", "undelivered", "failed", "cancelled", "expired", "excluded"),
)
STATES = (*STATES_BEFORE[:4], "handed_over", *STATES_BEFORE[4:])

KEPT = """
create function sms_file_kept() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        if old.number is not null then
            raise exception 'a file that was handed over stays' using errcode = 'check_violation';
        end if;
        return old;
    end if;
    if old.number is not null and (new.number, new.digest, new.content, new.messages, new.segments, new.purpose,
            new.made_at) is distinct from
            (old.number, old.digest, old.content, old.messages, old.segments, old.purpose, old.made_at) then
        raise exception 'what a file held does not change once it is out' using errcode = 'check_violation';
    end if;
    if old.state in ('empty', 'not_uploaded') and new.state <> old.state then
        raise exception 'this file is done with' using errcode = 'check_violation';
    end if;
    return new;
end $$
"""


def _of_the_town(table: str, **refers: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f(f"fk_{table}_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f(f"pk_{table}")),
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column], [f"{other}.town_id", f"{other}.id"], name=op.f(f"fk_{table}_town_id_{column}")
            )
            for column, other in refers.items()
        ),
    ]


def _moment(name: str, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _ways()
    _files()
    _results()
    _messages()


def _ways() -> None:
    op.create_table(
        "sms_ways",
        *_of_the_town("sms_ways"),
        sa.Column("twilio", sa.Boolean(), nullable=False),
        sa.Column("brandname", sa.Boolean(), nullable=False),
        sa.Column("service_way", one_of("way", *WAYS), nullable=False),
        sa.Column("number_form", one_of("numberform", "84", "0"), nullable=False),
        sa.Column("columns", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("service_sender", sa.Text(), nullable=True),
        sa.Column("promotion_sender", sa.Text(), nullable=True),
        sa.Column("by_night", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("town_id", name=op.f("uq_sms_ways_town_id")),
        sa.CheckConstraint(
            "(twilio or service_way <> 'twilio') and (brandname or service_way <> 'brandname')",
            name=op.f("ck_sms_ways_a_way_it_has"),
        ),
    )


def _files() -> None:
    op.create_table(
        "sms_file",
        *_of_the_town("sms_file", asked_by_id="account", taken_back_by_id="account"),
        sa.Column("purpose", one_of("purpose", *PURPOSES), nullable=False),
        sa.Column("state", one_of("filestate", *FILE_STATES), nullable=False),
        _moment("asked_at", nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        _moment("made_at"),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.Column("segments", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        _moment("downloaded_at"),
        _moment("taken_back_at"),
        sa.Column("taken_back_by_id", sa.Uuid(), nullable=True),
        sa.Column("taken_back_why", sa.Text(), nullable=True),
        sa.UniqueConstraint("town_id", "number", name=op.f("uq_sms_file_town_id_number")),
        sa.UniqueConstraint("town_id", "digest", name=op.f("uq_sms_file_town_id_digest")),
        sa.CheckConstraint("(state in ('making', 'empty')) = (number is null)", name=op.f("ck_sms_file_number")),
        sa.CheckConstraint(
            "(number is null) = (digest is null) and (number is null) = (content is null)",
            name=op.f("ck_sms_file_content"),
        ),
        sa.CheckConstraint(
            "(state = 'not_uploaded') = (taken_back_at is not null) "
            "and (taken_back_at is null) = (taken_back_why is null)",
            name=op.f("ck_sms_file_taken_back"),
        ),
    )
    op.create_index(
        "uq_sms_file_making",
        "sms_file",
        ["town_id", "purpose"],
        unique=True,
        postgresql_where=sa.text("state = 'making'"),
    )
    op.execute(KEPT)
    op.execute(
        "create trigger sms_file_kept before update or delete on sms_file for each row execute function sms_file_kept()"
    )


def _results() -> None:
    op.create_table(
        "sms_results",
        *_of_the_town("sms_results", file_id="sms_file", recorded_by_id="account"),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("found", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("state", one_of("resultstate", *RESULT_STATES), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("rows", "done", "settled", "same", "unknown")),
        sa.Column("problems", postgresql.JSONB(none_as_null=True), nullable=False),
        _moment("touched_at", nullable=False),
        _moment("recorded_at", nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
    )
    op.create_index(op.f("ix_sms_results_town_id_state"), "sms_results", ["town_id", "state"])
    op.create_index(
        "uq_sms_results_digest",
        "sms_results",
        ["town_id", "digest"],
        unique=True,
        postgresql_where=sa.text("state <> 'given_up'"),
    )
    op.create_table(
        "sms_results_layout",
        *_of_the_town("sms_results_layout"),
        sa.Column("headings_key", sa.Text(), nullable=False),
        sa.Column("columns", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("words", postgresql.JSONB(none_as_null=True), nullable=False),
        _moment("recorded_at", nullable=False),
        sa.UniqueConstraint("town_id", "headings_key", name=op.f("uq_sms_results_layout_town_id_headings_key")),
    )


def _messages() -> None:
    """Promotions of before go by the gateway now; those that had left count as handed over by it: no real carrier ever
    took one through Twilio, which carries none to Vietnam."""
    op.add_column("message", sa.Column("way", one_of("way", *WAYS), nullable=False, server_default="twilio"))
    op.add_column("message", sa.Column("file_id", sa.Uuid(), nullable=True))
    op.add_column("message", sa.Column("file_line", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_message_town_id_file_id"),
        "message",
        "sms_file",
        ["town_id", "file_id"],
        ["town_id", "id"],
    )
    op.execute(
        "update message set way = 'brandname', state = case when state in ('sending', 'unknown') then 'sent' else state "
        "end, body = case when state = 'excluded' or body ~ '^\\[(QC|AD)\\]' then body else '[QC] ' || body end "
        "where purpose = 'promotion'"
    )
    _states(STATES)
    op.create_check_constraint(
        op.f("ck_message_promotion_by_brandname"), "message", "way = 'brandname' or purpose <> 'promotion'"
    )
    op.create_check_constraint(
        op.f("ck_message_promotion_says_so"),
        "message",
        r"purpose <> 'promotion' or state = 'excluded' or body ~ '^\[(QC|AD)\]'",
    )
    op.create_check_constraint(
        op.f("ck_message_twilio_sends_its_own"), "message", "way = 'twilio' or state not in ('sending', 'unknown')"
    )
    op.create_check_constraint(
        op.f("ck_message_in_a_file"),
        "message",
        "(file_id is null) = (file_line is null) and (file_id is null or way = 'brandname') "
        "and (state <> 'handed_over' or file_id is not null)",
    )
    op.drop_index("ix_message_due", table_name="message")
    op.create_index(
        "ix_message_due", "message", ["way", "not_before", "id"], postgresql_where=sa.text("state = 'queued'")
    )
    op.create_index(
        "uq_message_file_line",
        "message",
        ["town_id", "file_id", "file_line"],
        unique=True,
        postgresql_where=sa.text("file_id is not null"),
    )


def _states(states: tuple[str, ...]) -> None:
    op.execute("alter table message drop constraint if exists ck_message_delivery")
    named = ", ".join(f"'{state}'" for state in states)
    op.create_check_constraint(op.f("ck_message_delivery"), "message", f"state in ({named})")


def downgrade() -> None:
    op.execute("update message set state = 'sent' where state = 'handed_over'")
    op.drop_index("uq_message_file_line", table_name="message")
    op.drop_index("ix_message_due", table_name="message")
    op.create_index("ix_message_due", "message", ["not_before", "id"], postgresql_where=sa.text("state = 'queued'"))
    for name in ("in_a_file", "promotion_says_so", "twilio_sends_its_own", "promotion_by_brandname"):
        op.drop_constraint(op.f(f"ck_message_{name}"), "message", type_="check")
    _states(STATES_BEFORE)
    op.drop_constraint(op.f("fk_message_town_id_file_id"), "message", type_="foreignkey")
    for column in ("file_line", "file_id", "way"):
        op.drop_column("message", column)
    for table in ("sms_results_layout", "sms_results", "sms_file", "sms_ways"):
        op.drop_table(table)
    op.execute("drop function sms_file_kept()")
