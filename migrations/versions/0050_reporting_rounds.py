"""The reporting round: the rule of deadlines, rounds, what each unit owes, every version of what came.

Revision ID: 0050
Revises: 0049
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.parts import key, one_of, refers

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

NAMESPACE = UUID("6c0b8a6e-5c1e-5b0a-9a53-3c1f0a7a1385")
KINDS = "kind in ('month', 'half-year', 'year')"
APPEND_ONLY = ("reporting_rule", "report_submission", "report_return")

PLAN = "Kế hoạch số 1553/KH-UBND, mục IV"
FIRST = (
    (
        "month",
        1,
        5,
        30,
        ["wards", "unions", "insurance"],
        f"{PLAN}: báo cáo hằng tháng; ngày do cơ quan thường trực đặt",
    ),
    (
        "half-year",
        1,
        5,
        30,
        ["wards", "unions", "insurance", "others"],
        f"{PLAN}: sơ kết 6 tháng; ngày do cơ quan thường trực đặt",
    ),
    ("year", 0, 9, 30, ["wards", "unions", "insurance", "others"], f"{PLAN}: trước ngày 10 tháng 12"),
)

CLOSED_STAYS = """
create function refuse_changing_closed_round() returns trigger language plpgsql as $$
begin
    if old.closed_at is not null then
        raise exception 'round % is closed: nothing of it changes', old.id using errcode = 'restrict_violation';
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    if (new.kind, new.period) is distinct from (old.kind, old.period) then
        raise exception 'round % keeps its period', old.id using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""
OWED_STAYS = """
create function refuse_owing_in_closed_round() returns trigger language plpgsql as $$
declare
    closed timestamptz;
begin
    select closed_at into closed from reporting_round
     where town_id = coalesce(new.town_id, old.town_id) and id = coalesce(new.round_id, old.round_id) for share;
    if closed is not null then
        raise exception 'the round is closed: nothing of it changes' using errcode = 'restrict_violation';
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    if tg_op = 'UPDATE' and (new.round_id, new.place_id, new.organisation_id)
       is distinct from (old.round_id, old.place_id, old.organisation_id) then
        raise exception 'what is owed keeps its unit and its round' using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""
NOTHING_MORE = """
create function refuse_sending_to_closed_round() returns trigger language plpgsql as $$
declare
    closed timestamptz;
begin
    select closed_at into closed from reporting_round where (town_id, id) in (
        select town_id, round_id from report_owed where town_id = new.town_id and id = new.owed_id) for share;
    if closed is not null then
        raise exception 'the round is closed: nothing more is taken in' using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "reporting_rule",
        *key(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("months_after", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("opens_before", sa.BigInteger(), nullable=False),
        sa.Column("owed_by", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(KINDS, name=op.f("ck_reporting_rule_kind")),
        sa.CheckConstraint("months_after between 0 and 3", name=op.f("ck_reporting_rule_months_after")),
        sa.CheckConstraint("day between 1 and 31", name=op.f("ck_reporting_rule_day")),
        sa.CheckConstraint("opens_before between 1 and 92", name=op.f("ck_reporting_rule_opens_before")),
        *refers("reporting_rule"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_reporting_rule")),
    )
    op.create_index(
        op.f("ix_reporting_rule_town_id_kind_valid_from"), "reporting_rule", ["town_id", "kind", "valid_from"]
    )
    op.create_table(
        "reporting_round",
        *key(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(KINDS, name=op.f("ck_reporting_round_kind")),
        sa.CheckConstraint("(closed_at is null) = (closed_by_id is null)", name=op.f("ck_reporting_round_closed")),
        *refers("reporting_round", opened_by_id="account", closed_by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_reporting_round")),
        sa.UniqueConstraint("town_id", "kind", "period", name=op.f("uq_reporting_round_town_id_kind_period")),
    )
    op.create_index(op.f("ix_reporting_round_town_id_due_on_id"), "reporting_round", ["town_id", "due_on", "id"])
    op.create_table(
        "report_owed",
        *key(),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("state", one_of("state", "waiting", "submitted", "returned", "excused"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("came_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("excused_why", sa.Text(), nullable=True),
        sa.CheckConstraint("num_nonnulls(place_id, organisation_id) = 1", name=op.f("ck_report_owed_one_unit")),
        sa.CheckConstraint("version >= 0", name=op.f("ck_report_owed_version")),
        sa.CheckConstraint("(version = 0) = (came_at is null)", name=op.f("ck_report_owed_came")),
        sa.CheckConstraint("state not in ('submitted', 'returned') or version > 0", name=op.f("ck_report_owed_sent")),
        sa.CheckConstraint(
            "(state = 'excused') = (excused_why is not null) and char_length(excused_why) <= 500",
            name=op.f("ck_report_owed_excused"),
        ),
        *refers("report_owed", round_id="reporting_round", place_id="place", organisation_id="organisation"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_report_owed")),
        sa.UniqueConstraint(
            *("town_id", "round_id", "place_id", "organisation_id"),
            name=op.f("uq_report_owed_town_id_round_id_place_id_organisation_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_report_owed_open",
        "report_owed",
        ["town_id", "place_id", "organisation_id"],
        postgresql_where=sa.text("state in ('waiting', 'returned')"),
    )
    op.create_table(
        "report_submission",
        *key(),
        sa.Column("owed_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("follows", sa.BigInteger(), nullable=True),
        sa.Column("known", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("own", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_report_submission_version")),
        sa.CheckConstraint(
            "follows is not distinct from nullif(version - 1, 0)", name=op.f("ck_report_submission_unbroken")
        ),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_report_submission_digest")),
        sa.CheckConstraint("char_length(note) <= 2000", name=op.f("ck_report_submission_note")),
        *refers("report_submission", owed_id="report_owed", submitted_by_id="account"),
        sa.ForeignKeyConstraint(
            ["town_id", "owed_id", "follows"],
            ["report_submission.town_id", "report_submission.owed_id", "report_submission.version"],
            name="fk_report_submission_follows",
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_report_submission")),
        sa.UniqueConstraint("town_id", "owed_id", "version", name=op.f("uq_report_submission_town_id_owed_id_version")),
    )
    op.create_table(
        "report_return",
        *key(),
        sa.Column("owed_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("char_length(why) between 1 and 500", name=op.f("ck_report_return_why")),
        *refers("report_return", returned_by_id="account"),
        sa.ForeignKeyConstraint(
            ["town_id", "owed_id", "version"],
            ["report_submission.town_id", "report_submission.owed_id", "report_submission.version"],
            name="fk_report_return_version",
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_report_return")),
        sa.UniqueConstraint("town_id", "owed_id", "version", name=op.f("uq_report_return_town_id_owed_id_version")),
    )
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table} "
            "for each row execute function refuse_rewriting()"
        )
    op.execute(CLOSED_STAYS)
    op.execute(
        "create trigger reporting_round_stays_closed before update or delete on reporting_round "
        "for each row execute function refuse_changing_closed_round()"
    )
    op.execute(OWED_STAYS)
    op.execute(
        "create trigger report_owed_stays_closed before insert or update or delete on report_owed "
        "for each row execute function refuse_owing_in_closed_round()"
    )
    op.execute(NOTHING_MORE)
    for table in ("report_submission", "report_return"):
        op.execute(
            f"create trigger {table}_only_while_open before insert on {table} "
            "for each row execute function refuse_sending_to_closed_round()"
        )
    _first_rows()


def _first_rows() -> None:
    rule = sa.table(
        "reporting_rule",
        *(sa.column(name) for name in ("town_id", "id", "kind", "months_after", "day", "opens_before", "source")),
        sa.column("owed_by", postgresql.ARRAY(sa.Text())),
        sa.column("valid_from", sa.Date()),
        sa.column("recorded_at", sa.DateTime(timezone=True)),
    )
    towns = op.get_bind().execute(sa.text("select id from town")).scalars().all()
    for town in towns:
        for kind, after, day, before, owed_by, source in FIRST:
            op.execute(
                sa.insert(rule).values(
                    town_id=town,
                    id=uuid5(NAMESPACE, f"reporting rule {town} {kind}"),
                    kind=kind,
                    valid_from=date(2019, 1, 1),
                    months_after=after,
                    day=day,
                    opens_before=before,
                    owed_by=owed_by,
                    source=source,
                    recorded_at=datetime(2019, 8, 1, tzinfo=UTC),
                )
            )


def downgrade() -> None:
    for table in ("report_return", "report_submission", "report_owed", "reporting_round", "reporting_rule"):
        op.drop_table(table)
    for name in ("refuse_changing_closed_round", "refuse_owing_in_closed_round", "refuse_sending_to_closed_round"):
        op.execute(f"drop function {name}()")
