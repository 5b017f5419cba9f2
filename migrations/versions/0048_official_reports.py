"""Official reports: frozen figures, wordings, signed files, templates and letterheads.

Revision ID: 0048
Revises: 0047
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

APPEND_ONLY = ("report_snapshot", "report_text", "report_file", "report_template", "report_letterhead")

SIGNED_STAYS = """
create function refuse_changing_signed_report() returns trigger language plpgsql as $$
declare
    moves text[] := array['state', 'sent_on', 'sent_way', 'sent_at', 'sent_by_id',
                          'withdrawn_at', 'withdrawn_by_id', 'withdrawn_why'];
begin
    if old.signed_at is null and old.state <> 'withdrawn' then
        return new;
    end if;
    if old.state = 'withdrawn'
       or to_jsonb(new) - moves is distinct from to_jsonb(old) - moves
       or (old.state = 'signed' and new.state not in ('signed', 'sent', 'withdrawn'))
       or (old.state = 'sent' and (new.state not in ('sent', 'withdrawn')
           or (new.sent_on, new.sent_way, new.sent_at, new.sent_by_id)
              is distinct from (old.sent_on, old.sent_way, old.sent_at, old.sent_by_id))) then
        raise exception 'report % is signed: nothing of it changes', old.id using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "report_letterhead",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("head", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_report_letterhead_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "recorded_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_report_letterhead_town_id_recorded_by_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_report_letterhead_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_report_letterhead")),
    )
    op.create_index(
        op.f("ix_report_letterhead_town_id_place_id_valid_from"),
        "report_letterhead",
        ["town_id", "place_id", "valid_from"],
        unique=False,
    )
    op.create_table(
        "report_snapshot",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("follows", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("drawn_on", sa.Date(), nullable=False),
        sa.Column("facts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_report_snapshot_digest")),
        sa.CheckConstraint("kind in ('month', 'half-year', 'year')", name=op.f("ck_report_snapshot_kind")),
        sa.CheckConstraint(
            "follows is not distinct from nullif(serial - 1, 0)", name=op.f("ck_report_snapshot_unbroken")
        ),
        sa.CheckConstraint("serial > 0", name=op.f("ck_report_snapshot_serial")),
        sa.CheckConstraint("since <= as_of", name=op.f("ck_report_snapshot_dates")),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_report_snapshot_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "taken_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_report_snapshot_town_id_taken_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "year", "follows"],
            ["report_snapshot.town_id", "report_snapshot.year", "report_snapshot.serial"],
            name="fk_report_snapshot_follows",
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_report_snapshot_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_report_snapshot")),
        sa.UniqueConstraint("town_id", "year", "serial", name=op.f("uq_report_snapshot_town_id_year_serial")),
    )
    op.create_index(
        op.f("ix_report_snapshot_town_id_kind_period_place_id"),
        "report_snapshot",
        ["town_id", "kind", "period", "place_id"],
        unique=False,
    )
    op.create_table(
        "report_template",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(content is null) = (name is null)", name=op.f("ck_report_template_named")),
        sa.CheckConstraint("version > 0", name=op.f("ck_report_template_version")),
        sa.ForeignKeyConstraint(
            ["town_id", "added_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_report_template_town_id_added_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_report_template_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_report_template_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_report_template")),
        sa.UniqueConstraint(
            "town_id",
            "place_id",
            "version",
            name=op.f("uq_report_template_town_id_place_id_version"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "report",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("drawn_on", sa.Date(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "counting",
                "draft",
                "signed",
                "sent",
                "withdrawn",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("snapshot_id", sa.Uuid(), nullable=True),
        sa.Column("wording", sa.BigInteger(), nullable=False),
        sa.Column("head", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=False),
        sa.Column("counted_for_id", sa.Uuid(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=True),
        sa.Column("symbol", sa.Text(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by_id", sa.Uuid(), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("sent_way", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_why", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'withdrawn') = (withdrawn_at is not null)", name=op.f("ck_report_withdrawn")),
        sa.CheckConstraint("kind in ('month', 'half-year', 'year')", name=op.f("ck_report_kind")),
        sa.CheckConstraint(
            "state <> 'sent' or (sent_on is not null and sent_at is not null)", name=op.f("ck_report_sent")
        ),
        sa.CheckConstraint(
            "state in ('counting', 'withdrawn') or snapshot_id is not null", name=op.f("ck_report_counted")
        ),
        sa.CheckConstraint("state not in ('signed', 'sent') or signed_at is not null", name=op.f("ck_report_signed")),
        sa.CheckConstraint(
            "(signed_at is null) = (number is null) and (signed_at is null) = (signed_on is null) and (signed_at is null) = (signed_by_id is null) and (signed_at is null) = (year is null) and (signed_at is null) = (symbol is null)",
            name=op.f("ck_report_signed_whole"),
        ),
        sa.CheckConstraint("extract(year from signed_on) = year", name=op.f("ck_report_year")),
        sa.CheckConstraint("number > 0", name=op.f("ck_report_number")),
        sa.CheckConstraint(
            "withdrawn_at is null or char_length(withdrawn_why) between 1 and 500", name=op.f("ck_report_withdrawn_why")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "counted_for_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_report_town_id_counted_for_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "opened_by_id"], ["account.town_id", "account.id"], name=op.f("fk_report_town_id_opened_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_report_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "sent_by_id"], ["account.town_id", "account.id"], name=op.f("fk_report_town_id_sent_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "signed_by_id"], ["account.town_id", "account.id"], name=op.f("fk_report_town_id_signed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "snapshot_id"],
            ["report_snapshot.town_id", "report_snapshot.id"],
            name=op.f("fk_report_town_id_snapshot_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "template_id"],
            ["report_template.town_id", "report_template.id"],
            name=op.f("fk_report_town_id_template_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "withdrawn_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_report_town_id_withdrawn_by_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_report_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_report")),
        sa.UniqueConstraint("town_id", "year", "symbol", "number", name=op.f("uq_report_town_id_year_symbol_number")),
    )
    op.create_index(
        "ix_report_counting", "report", ["heartbeat_at"], unique=False, postgresql_where=sa.text("state = 'counting'")
    )
    op.create_index(op.f("ix_report_town_id_opened_at_id"), "report", ["town_id", "opened_at", "id"], unique=False)
    op.create_index(
        "uq_report_standing",
        "report",
        ["town_id", "kind", "period", "place_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.create_table(
        "report_file",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column(
            "form",
            sa.Enum("docx", "xlsx", "pdf", "json", name="form", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["town_id", "report_id"], ["report.town_id", "report.id"], name=op.f("fk_report_file_town_id_report_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_report_file_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_report_file")),
        sa.UniqueConstraint("town_id", "report_id", "form", name=op.f("uq_report_file_town_id_report_id_form")),
    )
    op.create_table(
        "report_text",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sections", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("version > 0", name=op.f("ck_report_text_version")),
        sa.ForeignKeyConstraint(
            ["town_id", "report_id"], ["report.town_id", "report.id"], name=op.f("fk_report_text_town_id_report_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "written_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_report_text_town_id_written_by_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_report_text_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_report_text")),
        sa.UniqueConstraint("town_id", "report_id", "version", name=op.f("uq_report_text_town_id_report_id_version")),
    )
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table} "
            "for each row execute function refuse_rewriting()"
        )
    op.execute(SIGNED_STAYS)
    op.execute(
        "create trigger report_stays_as_signed before update on report "
        "for each row execute function refuse_changing_signed_report()"
    )


def downgrade() -> None:
    for table in ("report_file", "report_text", "report", "report_template", "report_snapshot", "report_letterhead"):
        op.drop_table(table)
    op.execute("drop function refuse_changing_signed_report()")
