"""Kinds of lists, remembered columns, and what lists of other offices say of people.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.parts import one_of, points

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LAW = Path(__file__).parents[2] / "crm" / "premiums" / "law-of-owners.json"
NAMESPACE = UUID("6f1f4a52-8a5e-4a53-9f0c-5f2f6f1f0004")
KINDS = ("people", "household_businesses", "participants", "poor_households")
BEGINNINGS = ("baseline", "joined", "returned", "moved_in")
LAW_KEYS = (
    "contribution_percent",
    "poverty_line",
    "income_step",
    "base_level",
    "ceiling_multiple",
    "support_percent",
    "support_cap_months",
    "window_monthly",
    "window_quarterly",
    "window_half_yearly",
    "window_yearly",
    "years_ahead_most",
    "missing_months_most",
    "missing_months_supported",
    "investment_percent",
    "pension_least_months",
    "pension_percent",
    "pension_years_women",
    "pension_years_men",
    "pension_step_percent",
    "pension_short_percent",
    "pension_short_step_percent",
    "pension_most_percent",
    "pension_half_year_months",
    "retirement_months_women",
    "retirement_months_men",
    "maternity_grant",
)
OWNERS = ("owners_declaring_compulsory", "owners_lump_sum_compulsory")


def upgrade() -> None:
    _kinds()
    _engine_columns()
    _one_of("participation", "started_as", "beginning", (*BEGINNINGS, "listed"))
    _one_of("law_value", "key", "lawkey", (*LAW_KEYS, *OWNERS))
    _law()
    _household_business()
    _row_meaning()
    _remembered_columns()


def downgrade() -> None:
    _no_engine_columns()
    for table in ("remembered_columns", "row_meaning", "household_business"):
        op.drop_table(table)
    keys = ", ".join(f"'{key}'" for key in OWNERS)
    op.execute(f"delete from law_value where key in ({keys})")
    _one_of("law_value", "key", "lawkey", LAW_KEYS)
    op.execute("update participation set started_as = 'baseline' where started_as = 'listed'")
    _one_of("participation", "started_as", "beginning", BEGINNINGS)
    op.drop_column("list_import", "kind")


def _kinds() -> None:
    kind = one_of("listkind", *KINDS)
    op.add_column("list_import", sa.Column("kind", kind, nullable=False, server_default="people"))
    op.alter_column("list_import", "kind", server_default=None)


def _one_of(table: str, column: str, name: str, options: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, sa.column(column, sa.String).in_(options))


def _law() -> None:
    columns = ("id", "key", "ground", "value", "effective_from", "document", "article", "source", "status", "note")
    op.bulk_insert(
        sa.table("law_value", *map(sa.column, columns)),
        [
            {
                **entry,
                "id": uuid5(NAMESPACE, f"{entry['key']} {entry['effective_from']}"),
                "value": Decimal(entry["value"]),
                "effective_from": date.fromisoformat(entry["effective_from"]),
            }
            for entry in json.loads(LAW.read_text("utf-8"))
        ],
    )


def _of_the_town(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f(f"fk_{table}_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f(f"pk_{table}")),
    )


def _household_business() -> None:
    name = "household_business"
    op.create_table(
        name,
        *_of_the_town(name),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("tax_code", sa.LargeBinary(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("trade", sa.Text(), nullable=True),
        sa.Column("method", one_of("taxmethod", "lump_sum", "declaration"), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        points(name, "prospect_id", "prospect"),
        points(name, "import_id", "list_import"),
        points(name, "recorded_by_id", "account"),
    )
    for column in ("prospect_id", "import_id"):
        op.create_index(op.f(f"ix_{name}_town_id_{column}"), name, ["town_id", column], unique=False)


def _row_meaning() -> None:
    name = "row_meaning"
    op.create_table(
        name,
        *_of_the_town(name),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("did", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        points(name, "import_id", "list_import"),
    )
    op.create_index(op.f(f"ix_{name}_town_id_import_id"), name, ["town_id", "import_id"], unique=False)


def _remembered_columns() -> None:
    name = "remembered_columns"
    op.create_table(
        name,
        *_of_the_town(name),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("headings_key", sa.Text(), nullable=False),
        sa.Column("headings", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kind", one_of("listkind", *KINDS), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used", sa.BigInteger(), nullable=False),
        points(name, "organisation_id", "organisation"),
        points(name, "user_id", "account"),
        points(name, "place_id", "place"),
        sa.UniqueConstraint(
            "town_id",
            "organisation_id",
            "user_id",
            "headings_key",
            name=op.f(f"uq_{name}_town_id_organisation_id_user_id_headings_key"),
            postgresql_nulls_not_distinct=True,
        ),
    )


def _engine_columns() -> None:
    """What a list needs to be loaded by one transaction. A list that waits is read again, for it has no people ready."""
    op.add_column("list_import", sa.Column("tries", sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column("list_import", "tries", server_default=None)
    op.add_column("list_import", sa.Column("compared_from", sa.BigInteger(), nullable=True))
    op.add_column("list_import", sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "import_person",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("to_add", sa.Boolean(), nullable=False),
        sa.Column("decided", sa.Boolean(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("name_fold", sa.Text(), nullable=False),
        sa.Column("name_key", sa.LargeBinary(), nullable=False),
        sa.Column("spellings", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("birth_year", sa.BigInteger(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("other_phone", sa.Text(), nullable=True),
        sa.Column("citizen_id", sa.LargeBinary(), nullable=True),
        sa.Column("citizen_index", sa.LargeBinary(), nullable=True),
        sa.Column("citizen_masked", sa.Text(), nullable=True),
        sa.Column("insurance_number", sa.LargeBinary(), nullable=True),
        sa.Column("insurance_index", sa.LargeBinary(), nullable=True),
        sa.Column("insurance_masked", sa.Text(), nullable=True),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("neighbourhood", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("occupation", sa.Text(), nullable=True),
        sa.Column("grounds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("sms_consent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("town_id", "import_id", "id", name="pk_import_person"),
    )
    op.execute(
        "update list_import set state = 'queued', heartbeat_at = null"
        " where state in ('ready', 'reading', 'committing') and content is not null"
    )
    op.execute("update import_row set prospect_id = id where outcome = 'new' and prospect_id is null")


def _no_engine_columns() -> None:
    op.drop_table("import_person")
    for name in ("loaded_at", "compared_from", "tries"):
        op.drop_column("list_import", name)
