"""Every table of the first version.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create extension if not exists pg_trgm")
    op.execute("create extension if not exists btree_gist")
    op.create_table(
        "law_value",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "key",
            sa.Enum(
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
                name="lawkey",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "ground",
            sa.Enum(
                "poor",
                "island",
                "near_poor",
                "ethnic_minority",
                "other",
                name="ground",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("article", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "in_force",
                "announced",
                "practice",
                name="lawstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("value >= 0", name=op.f("ck_law_value_value_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_law_value")),
        sa.UniqueConstraint(
            "key",
            "ground",
            "effective_from",
            "status",
            name=op.f("uq_law_value_key_ground_effective_from_status"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )
    op.create_table(
        "town",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_town")),
        sa.UniqueConstraint("code", name=op.f("uq_town_code")),
    )
    op.create_table(
        "idempotent_answer",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_idempotent_answer_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_idempotent_answer")),
        sa.UniqueConstraint("town_id", "user_id", "key", name=op.f("uq_idempotent_answer_town_id_user_id_key")),
    )
    op.create_index(op.f("ix_idempotent_answer_made_at"), "idempotent_answer", ["made_at"], unique=False)
    op.create_table(
        "local_top_up",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "ground",
            sa.Enum(
                "poor",
                "island",
                "near_poor",
                "ethnic_minority",
                "other",
                name="ground",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("percent", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("months_cap", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("coalesce(percent, amount) >= 0", name=op.f("ck_local_top_up_not_negative")),
        sa.CheckConstraint("effective_to >= effective_from", name=op.f("ck_local_top_up_dates")),
        sa.CheckConstraint("months_cap > 0", name=op.f("ck_local_top_up_months_cap_positive")),
        sa.CheckConstraint("num_nonnulls(percent, amount) = 1", name=op.f("ck_local_top_up_percent_or_amount")),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_local_top_up_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_local_top_up")),
        sa.UniqueConstraint(
            "town_id", "ground", "effective_from", name=op.f("uq_local_top_up_town_id_ground_effective_from")
        ),
    )
    op.create_table(
        "message_inbound",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("withdrew", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_message_inbound_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_message_inbound")),
        sa.UniqueConstraint("town_id", "sid", name=op.f("uq_message_inbound_town_id_sid")),
    )
    op.create_table(
        "message_status",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_message_status_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_message_status")),
        sa.UniqueConstraint(
            "town_id",
            "sid",
            "status",
            "error_code",
            name=op.f("uq_message_status_town_id_sid_status_error_code"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "opt_out_link",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_opt_out_link_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_opt_out_link")),
        sa.UniqueConstraint("token", name=op.f("uq_opt_out_link_token")),
        sa.UniqueConstraint("town_id", "phone", name=op.f("uq_opt_out_link_town_id_phone")),
    )
    op.create_table(
        "place",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_fold", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "town",
                "ward",
                "commune",
                "neighbourhood",
                name="placekind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("special", sa.Boolean(), nullable=False),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_place_dates")),
        sa.ForeignKeyConstraint(
            ["town_id", "parent_id"], ["place.town_id", "place.id"], name=op.f("fk_place_town_id_parent_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_place_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_place")),
        sa.UniqueConstraint("town_id", "code", "valid_from", name=op.f("uq_place_town_id_code_valid_from")),
    )
    op.create_index(op.f("ix_place_town_id_parent_id"), "place", ["town_id", "parent_id"], unique=False)
    op.create_index(
        "uq_place_neighbourhood",
        "place",
        ["town_id", "parent_id", "name_fold"],
        unique=True,
        postgresql_where=sa.text("kind = 'neighbourhood'"),
    )
    op.create_table(
        "sms_settings",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "opens >= '07:00' and closes <= '22:00' and opens < closes", name=op.f("ck_sms_settings_within_legal_hours")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_sms_settings_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_sms_settings")),
        sa.UniqueConstraint("town_id", name=op.f("uq_sms_settings_town_id")),
    )
    op.create_table(
        "sponsor",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_fold", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "agency",
                "company",
                "organisation",
                "person",
                name="sponsorkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("contact_name", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("tax_code", sa.Text(), nullable=True),
        sa.Column("wish", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("page_digest", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_sponsor_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_sponsor")),
        sa.UniqueConstraint("page_digest", name=op.f("uq_sponsor_page_digest")),
        sa.UniqueConstraint("town_id", "tax_code", name=op.f("uq_sponsor_town_id_tax_code")),
    )
    op.create_index(op.f("ix_sponsor_town_id_name_fold"), "sponsor", ["town_id", "name_fold"], unique=False)
    op.create_table(
        "household",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("neighbourhood_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "neighbourhood_id"],
            ["place.town_id", "place.id"],
            name=op.f("fk_household_town_id_neighbourhood_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_household_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_household_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_household")),
    )
    op.create_table(
        "ledger_account",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "outside",
                "available",
                "reserved",
                "insurance_fund",
                name="accountkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("sponsor_id", sa.Uuid(), nullable=True),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("balance >= 0 or kind = 'outside'", name=op.f("ck_ledger_account_balance")),
        sa.ForeignKeyConstraint(
            ["town_id", "sponsor_id"],
            ["sponsor.town_id", "sponsor.id"],
            name=op.f("fk_ledger_account_town_id_sponsor_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_ledger_account_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint(
            "town_id",
            "kind",
            "sponsor_id",
            name=op.f("uq_ledger_account_town_id_kind_sponsor_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "organisation",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "front",
                "labour_federation",
                "womens_union",
                "farmers_union",
                "youth_union",
                "veterans",
                "peoples_committee",
                "labour_office",
                "social_insurance",
                "other",
                name="organisationkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "parent_id"],
            ["organisation.town_id", "organisation.id"],
            name=op.f("fk_organisation_town_id_parent_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_organisation_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_organisation_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("town_id", "code", name=op.f("uq_organisation_town_id_code")),
    )
    op.create_table(
        "place_succession",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("predecessor_id", sa.Uuid(), nullable=False),
        sa.Column("successor_id", sa.Uuid(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "predecessor_id"],
            ["place.town_id", "place.id"],
            name=op.f("fk_place_succession_town_id_predecessor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "successor_id"],
            ["place.town_id", "place.id"],
            name=op.f("fk_place_succession_town_id_successor_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_place_succession_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_place_succession")),
        sa.UniqueConstraint(
            "town_id",
            "predecessor_id",
            "successor_id",
            name=op.f("uq_place_succession_town_id_predecessor_id_successor_id"),
        ),
    )
    op.create_table(
        "pledge",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sponsor_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("pledged_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("open", "ended", name="pledgestate", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_pledge_amount")),
        sa.ForeignKeyConstraint(
            ["town_id", "sponsor_id"], ["sponsor.town_id", "sponsor.id"], name=op.f("fk_pledge_town_id_sponsor_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_pledge_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_pledge")),
        sa.UniqueConstraint("town_id", "code", name=op.f("uq_pledge_town_id_code")),
    )
    op.create_index(op.f("ix_pledge_town_id_sponsor_id"), "pledge", ["town_id", "sponsor_id"], unique=False)
    op.create_table(
        "account",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "admin",
                "manager",
                "organiser",
                "treasurer",
                "lead",
                "volunteer",
                "agent",
                "sponsor",
                "auditor",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failed_sign_ins", sa.BigInteger(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("email is not null or phone is not null", name=op.f("ck_account_identity")),
        sa.ForeignKeyConstraint(
            ["town_id", "organisation_id"],
            ["organisation.town_id", "organisation.id"],
            name=op.f("fk_account_town_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_account_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_account_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_account_fs_uniquifier")),
        sa.UniqueConstraint("phone", name=op.f("uq_account_phone")),
    )
    op.create_index(op.f("ix_account_town_id_organisation_id"), "account", ["town_id", "organisation_id"], unique=False)
    op.create_table(
        "target",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column(
            "indicator",
            sa.Enum(
                "compulsory",
                "voluntary",
                "unemployment",
                name="indicator",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("baseline", sa.BigInteger(), nullable=True),
        sa.Column("rate", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("denominator", sa.BigInteger(), nullable=True),
        sa.Column("population", sa.BigInteger(), nullable=True),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("people >= 0", name=op.f("ck_target_people")),
        sa.CheckConstraint("rate between 0 and 100", name=op.f("ck_target_rate")),
        sa.ForeignKeyConstraint(
            ["town_id", "organisation_id"],
            ["organisation.town_id", "organisation.id"],
            name=op.f("fk_target_town_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_target_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_target_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_target")),
        sa.UniqueConstraint(
            "town_id",
            "year",
            "indicator",
            "place_id",
            "organisation_id",
            "revision",
            name=op.f("uq_target_town_id_year_indicator_place_id_organisation_id_revision"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "api_token",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "user_id"], ["account.town_id", "account.id"], name=op.f("fk_api_token_town_id_user_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_api_token_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
    )
    op.create_table(
        "campaign",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("service", "promotion", name="purpose", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("accented", sa.Boolean(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "draft",
                "running",
                "paused",
                "cancelled",
                "done",
                name="stage",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("segment", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("launched_by_id", sa.Uuid(), nullable=True),
        sa.Column("launched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "created_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_campaign_town_id_created_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "launched_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_campaign_town_id_launched_by_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_campaign_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_campaign")),
    )
    op.create_index("ix_campaign_made", "campaign", ["town_id", "created_at", "id"], unique=False)
    op.create_table(
        "change_record",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "user_id"], ["account.town_id", "account.id"], name=op.f("fk_change_record_town_id_user_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_change_record_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_change_record")),
    )
    op.create_index(
        op.f("ix_change_record_town_id_subject_id_at"), "change_record", ["town_id", "subject_id", "at"], unique=False
    )
    op.create_table(
        "consent",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("service", "promotion", name="purpose", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "paper",
                "doorstep",
                "phone_call",
                "web",
                "link",
                "sms",
                "hotline",
                "import",
                name="consentchannel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("prospect_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "recorded_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_consent_town_id_recorded_by_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_consent_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_consent")),
    )
    op.create_index(
        op.f("ix_consent_town_id_phone_purpose_at"), "consent", ["town_id", "phone", "purpose", "at"], unique=False
    )
    op.create_table(
        "identity_reading",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["town_id", "user_id"], ["account.town_id", "account.id"], name=op.f("fk_identity_reading_town_id_user_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_identity_reading_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_identity_reading")),
    )
    op.create_index(
        op.f("ix_identity_reading_town_id_prospect_id_at"),
        "identity_reading",
        ["town_id", "prospect_id", "at"],
        unique=False,
    )
    op.create_table(
        "invitation",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "user_id"], ["account.town_id", "account.id"], name=op.f("fk_invitation_town_id_user_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_invitation_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitation_digest")),
    )
    op.create_table(
        "list_import",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("found", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "reading",
                "ready",
                "committing",
                "committed",
                "undoing",
                "undone",
                "failed",
                name="importstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("valid", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("unchanged", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "created_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_list_import_town_id_created_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "organisation_id"],
            ["organisation.town_id", "organisation.id"],
            name=op.f("fk_list_import_town_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_list_import_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_list_import_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_list_import")),
    )
    op.create_index(op.f("ix_list_import_town_id_created_at"), "list_import", ["town_id", "created_at"], unique=False)
    op.create_table(
        "posting",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "movement",
            sa.Enum(
                "received",
                "reserved",
                "released",
                "paid",
                "refunded",
                "corrected",
                name="movement",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("memo", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "recorded_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_posting_town_id_recorded_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "reverses_id"], ["posting.town_id", "posting.id"], name=op.f("fk_posting_town_id_reverses_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_posting_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_posting")),
        sa.UniqueConstraint("town_id", "reverses_id", name=op.f("uq_posting_town_id_reverses_id")),
    )
    op.create_index(op.f("ix_posting_town_id_posted_on"), "posting", ["town_id", "posted_on"], unique=False)
    op.create_table(
        "prospect",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("name_fold", sa.Text(), nullable=False),
        sa.Column("name_key", sa.LargeBinary(), nullable=False),
        sa.Column(
            "sex",
            sa.Enum("female", "male", name="sex", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
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
        sa.Column("neighbourhood_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("occupation", sa.Text(), nullable=True),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kinship",
            sa.Enum(
                "head",
                "spouse",
                "child",
                "parent",
                "other",
                name="kinship",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "stage",
            sa.Enum(
                "new",
                "unreached",
                "refused",
                "considering",
                "interested",
                "agreed",
                "joined",
                "lapsed",
                "not_eligible",
                name="stage",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("volunteer_id", sa.Uuid(), nullable=True),
        sa.Column("next_contact_on", sa.Date(), nullable=True),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_outcome", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("phone ~ '^\\+84[0-9]{9}$'", name=op.f("ck_prospect_phone_is_mobile")),
        sa.CheckConstraint(
            "birth_date is null or extract(year from birth_date) = birth_year", name=op.f("ck_prospect_birth")
        ),
        sa.CheckConstraint("char_length(full_name) between 1 and 200", name=op.f("ck_prospect_full_name")),
        sa.ForeignKeyConstraint(
            ["town_id", "created_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_prospect_town_id_created_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "household_id"],
            ["household.town_id", "household.id"],
            name=op.f("fk_prospect_town_id_household_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "merged_into_id"],
            ["prospect.town_id", "prospect.id"],
            name=op.f("fk_prospect_town_id_merged_into_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "neighbourhood_id"],
            ["place.town_id", "place.id"],
            name=op.f("fk_prospect_town_id_neighbourhood_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "organisation_id"],
            ["organisation.town_id", "organisation.id"],
            name=op.f("fk_prospect_town_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_prospect_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "volunteer_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_prospect_town_id_volunteer_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_prospect_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_prospect")),
    )
    op.create_index("ix_prospect_citizen", "prospect", ["town_id", "citizen_index"], unique=False)
    op.create_index(
        "ix_prospect_due",
        "prospect",
        ["town_id", "next_contact_on", "id"],
        unique=False,
        postgresql_where=sa.text("next_contact_on is not null"),
    )
    op.create_index("ix_prospect_household", "prospect", ["town_id", "household_id"], unique=False)
    op.create_index("ix_prospect_insurance", "prospect", ["town_id", "insurance_index"], unique=False)
    op.create_index("ix_prospect_list", "prospect", ["town_id", "name_key", "id"], unique=False)
    op.create_index("ix_prospect_name_year", "prospect", ["town_id", "name_fold", "birth_year"], unique=False)
    op.create_index(
        "ix_prospect_neighbourhood",
        "prospect",
        ["town_id", "neighbourhood_id", "name_key", "id"],
        unique=False,
        postgresql_where=sa.text("neighbourhood_id is not null"),
    )
    op.create_index(
        "ix_prospect_organisation", "prospect", ["town_id", "organisation_id", "name_key", "id"], unique=False
    )
    op.create_index(
        "ix_prospect_other_phone",
        "prospect",
        ["town_id", "other_phone"],
        unique=False,
        postgresql_where=sa.text("other_phone is not null"),
    )
    op.create_index("ix_prospect_phone", "prospect", ["town_id", "phone"], unique=False)
    op.create_index("ix_prospect_place", "prospect", ["town_id", "place_id", "name_key", "id"], unique=False)
    op.create_index(
        "ix_prospect_place_stage", "prospect", ["town_id", "place_id", "stage", "name_key", "id"], unique=False
    )
    op.create_index(
        "ix_prospect_search",
        "prospect",
        ["name_fold", "phone", "other_phone"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"name_fold": "gin_trgm_ops", "phone": "gin_trgm_ops", "other_phone": "gin_trgm_ops"},
    )
    op.create_index("ix_prospect_stage", "prospect", ["town_id", "stage", "name_key", "id"], unique=False)
    op.create_index("ix_prospect_volunteer", "prospect", ["town_id", "volunteer_id", "name_key", "id"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("volunteer_was_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_was_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("until >= since", name=op.f("ck_assignment_dates")),
        sa.ForeignKeyConstraint(
            ["town_id", "by_id"], ["account.town_id", "account.id"], name=op.f("fk_assignment_town_id_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "organisation_id"],
            ["organisation.town_id", "organisation.id"],
            name=op.f("fk_assignment_town_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "organisation_was_id"],
            ["organisation.town_id", "organisation.id"],
            name=op.f("fk_assignment_town_id_organisation_was_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"],
            ["prospect.town_id", "prospect.id"],
            name=op.f("fk_assignment_town_id_prospect_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "volunteer_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_assignment_town_id_volunteer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "volunteer_was_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_assignment_town_id_volunteer_was_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_assignment_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_assignment")),
    )
    op.create_index(
        op.f("ix_assignment_town_id_by_id_since"), "assignment", ["town_id", "by_id", "since"], unique=False
    )
    op.create_index(
        op.f("ix_assignment_town_id_volunteer_id_since"),
        "assignment",
        ["town_id", "volunteer_id", "since"],
        unique=False,
    )
    op.create_index(
        "uq_assignment_open",
        "assignment",
        ["town_id", "prospect_id"],
        unique=True,
        postgresql_where=sa.text("until is null"),
    )
    op.create_table(
        "import_row",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("row_number", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("understood", sa.LargeBinary(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "new",
                "changed",
                "unchanged",
                "duplicate",
                "rejected",
                name="rowoutcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("prospect_id", sa.Uuid(), nullable=True),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("version_after", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "import_id"],
            ["list_import.town_id", "list_import.id"],
            name=op.f("fk_import_row_town_id_import_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_import_row_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_import_row")),
        sa.UniqueConstraint(
            "town_id", "import_id", "sheet", "row_number", name=op.f("uq_import_row_town_id_import_id_sheet_row_number")
        ),
    )
    op.create_index(
        op.f("ix_import_row_town_id_import_id_outcome_sheet_row_number"),
        "import_row",
        ["town_id", "import_id", "outcome", "sheet", "row_number"],
        unique=False,
    )
    op.create_index(op.f("ix_import_row_town_id_prospect_id"), "import_row", ["town_id", "prospect_id"], unique=False)
    op.create_table(
        "ledger_entry",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.Column("ledger_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_entry_amount")),
        sa.ForeignKeyConstraint(
            ["town_id", "ledger_account_id"],
            ["ledger_account.town_id", "ledger_account.id"],
            name=op.f("fk_ledger_entry_town_id_ledger_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "posting_id"],
            ["posting.town_id", "posting.id"],
            name=op.f("fk_ledger_entry_town_id_posting_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_ledger_entry_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_ledger_entry")),
    )
    op.create_index(
        op.f("ix_ledger_entry_town_id_ledger_account_id"),
        "ledger_entry",
        ["town_id", "ledger_account_id"],
        unique=False,
    )
    op.create_index(op.f("ix_ledger_entry_town_id_posting_id"), "ledger_entry", ["town_id", "posting_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("reminder", sa.Text(), nullable=True),
        sa.Column(
            "purpose",
            sa.Enum("service", "promotion", name="purpose", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("prospect_id", sa.Uuid(), nullable=True),
        sa.Column("local_day", sa.Date(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=True),
        sa.Column("segments", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "held",
                "queued",
                "sending",
                "unknown",
                "accepted",
                "sent",
                "delivered",
                "undelivered",
                "failed",
                "cancelled",
                "expired",
                "excluded",
                name="delivery",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "no_phone",
                "not_mobile",
                "no_consent",
                "opted_out",
                "same_phone",
                "missing_value",
                "too_long",
                "too_many",
                "out_of_hours",
                "paused",
                "called_off",
                "done_meanwhile",
                "expired",
                "restored",
                "already_handled",
                "no_answer",
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
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=True),
        sa.Column("error_code", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("phone is not null or state = 'excluded'", name=op.f("ck_message_phone")),
        sa.CheckConstraint("(campaign_id is null) <> (reminder is null)", name=op.f("ck_message_campaign_or_reminder")),
        sa.CheckConstraint("reminder is null or local_day is not null", name=op.f("ck_message_reminder_day")),
        sa.ForeignKeyConstraint(
            ["town_id", "campaign_id"], ["campaign.town_id", "campaign.id"], name=op.f("fk_message_town_id_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"], ["prospect.town_id", "prospect.id"], name=op.f("fk_message_town_id_prospect_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_message_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_message")),
    )
    op.create_index(
        "ix_message_due", "message", ["not_before", "id"], unique=False, postgresql_where=sa.text("state = 'queued'")
    )
    op.create_index("ix_message_made", "message", ["town_id", "made_at", "id"], unique=False)
    op.create_index("ix_message_phone", "message", ["town_id", "phone", "claimed_at"], unique=False)
    op.create_index("ix_message_prospect", "message", ["town_id", "prospect_id"], unique=False)
    op.create_index(
        "ix_message_unsettled",
        "message",
        ["claimed_at"],
        unique=False,
        postgresql_where=sa.text("state in ('sending', 'unknown')"),
    )
    op.create_index(
        "uq_message_campaign_phone",
        "message",
        ["town_id", "campaign_id", "phone"],
        unique=True,
        postgresql_where=sa.text("campaign_id is not null and state <> 'excluded'"),
    )
    op.create_index(
        "uq_message_reminder_phone_day",
        "message",
        ["town_id", "reminder", "phone", "local_day"],
        unique=True,
        postgresql_where=sa.text("reminder is not null"),
    )
    op.create_index("uq_message_sid", "message", ["sid"], unique=True, postgresql_where=sa.text("sid is not null"))
    op.create_table(
        "participation",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column(
            "started_as",
            sa.Enum(
                "baseline",
                "joined",
                "returned",
                "moved_in",
                name="beginning",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column(
            "ended_as",
            sa.Enum(
                "lapsed",
                "stopped",
                "compulsory",
                "pension",
                "died",
                "moved_out",
                name="ending",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("recruited_by_id", sa.Uuid(), nullable=True),
        sa.Column("income", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.BigInteger(), nullable=False),
        sa.Column("paid_through", sa.Date(), nullable=True),
        sa.Column("deadline_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(ended_on is null) = (ended_as is null)", name=op.f("ck_participation_ends_as_something")),
        sa.CheckConstraint("ended_on > started_on", name=op.f("ck_participation_dates")),
        sa.ForeignKeyConstraint(
            ["town_id", "organisation_id"],
            ["organisation.town_id", "organisation.id"],
            name=op.f("fk_participation_town_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_participation_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"],
            ["prospect.town_id", "prospect.id"],
            name=op.f("fk_participation_town_id_prospect_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "recruited_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_participation_town_id_recruited_by_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_participation_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_participation")),
    )
    op.create_index(
        "ix_participation_deadline",
        "participation",
        ["town_id", "deadline_on"],
        unique=False,
        postgresql_where=sa.text("ended_on is null"),
    )
    op.create_index(op.f("ix_participation_town_id_ended_on"), "participation", ["town_id", "ended_on"], unique=False)
    op.create_index(
        op.f("ix_participation_town_id_prospect_id_started_on"),
        "participation",
        ["town_id", "prospect_id", "started_on"],
        unique=False,
    )
    op.create_index(
        op.f("ix_participation_town_id_started_on"), "participation", ["town_id", "started_on"], unique=False
    )
    op.create_table(
        "receipt",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sponsor_id", sa.Uuid(), nullable=False),
        sa.Column("pledge_id", sa.Uuid(), nullable=True),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_receipt_amount")),
        sa.ForeignKeyConstraint(
            ["town_id", "pledge_id"], ["pledge.town_id", "pledge.id"], name=op.f("fk_receipt_town_id_pledge_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "posting_id"], ["posting.town_id", "posting.id"], name=op.f("fk_receipt_town_id_posting_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "sponsor_id"], ["sponsor.town_id", "sponsor.id"], name=op.f("fk_receipt_town_id_sponsor_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_receipt_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("town_id", "reference", name=op.f("uq_receipt_town_id_reference")),
    )
    op.create_index(op.f("ix_receipt_town_id_sponsor_id"), "receipt", ["town_id", "sponsor_id"], unique=False)
    op.create_table(
        "stage_change",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column(
            "from_stage",
            sa.Enum(
                "new",
                "unreached",
                "refused",
                "considering",
                "interested",
                "agreed",
                "joined",
                "lapsed",
                "not_eligible",
                name="from_stage",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "to_stage",
            sa.Enum(
                "new",
                "unreached",
                "refused",
                "considering",
                "interested",
                "agreed",
                "joined",
                "lapsed",
                "not_eligible",
                name="to_stage",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("because_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["town_id", "by_id"], ["account.town_id", "account.id"], name=op.f("fk_stage_change_town_id_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"],
            ["prospect.town_id", "prospect.id"],
            name=op.f("fk_stage_change_town_id_prospect_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_stage_change_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_stage_change")),
    )
    op.create_index(
        op.f("ix_stage_change_town_id_prospect_id_at"), "stage_change", ["town_id", "prospect_id", "at"], unique=False
    )
    op.create_table(
        "standing",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column(
            "ground",
            sa.Enum(
                "poor",
                "island",
                "near_poor",
                "ethnic_minority",
                "other",
                name="ground",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_standing_dates")),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"],
            ["prospect.town_id", "prospect.id"],
            name=op.f("fk_standing_town_id_prospect_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "recorded_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_standing_town_id_recorded_by_id"),
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_standing_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_standing")),
        sa.UniqueConstraint(
            "town_id",
            "prospect_id",
            "ground",
            "valid_from",
            name=op.f("uq_standing_town_id_prospect_id_ground_valid_from"),
        ),
    )
    op.create_table(
        "visit",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "home_visit",
                "phone_call",
                "meeting",
                "event",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "not_met",
                "refused",
                "considering",
                "interested",
                "agreed",
                "joined",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("next_contact_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("char_length(note) <= 2000", name=op.f("ck_visit_note")),
        sa.ForeignKeyConstraint(
            ["town_id", "organisation_id"],
            ["organisation.town_id", "organisation.id"],
            name=op.f("fk_visit_town_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "place_id"], ["place.town_id", "place.id"], name=op.f("fk_visit_town_id_place_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"], ["prospect.town_id", "prospect.id"], name=op.f("fk_visit_town_id_prospect_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "user_id"], ["account.town_id", "account.id"], name=op.f("fk_visit_town_id_user_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_visit_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_visit")),
    )
    op.create_index(op.f("ix_visit_town_id_occurred_at"), "visit", ["town_id", "occurred_at"], unique=False)
    op.create_index(
        op.f("ix_visit_town_id_prospect_id_occurred_at"),
        "visit",
        ["town_id", "prospect_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_visit_town_id_user_id_occurred_at"), "visit", ["town_id", "user_id", "occurred_at"], unique=False
    )
    op.create_table(
        "payment",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("participation_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("start_month", sa.Date(), nullable=False),
        sa.Column("months", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.BigInteger(), nullable=False),
        sa.Column("income", sa.BigInteger(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("state_support", sa.BigInteger(), nullable=False),
        sa.Column("local_support", sa.BigInteger(), nullable=False),
        sa.Column("other_support", sa.BigInteger(), nullable=False),
        sa.Column("own", sa.BigInteger(), nullable=False),
        sa.Column("supported_months", sa.BigInteger(), nullable=False),
        sa.Column("law", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "basis",
            sa.Enum("taken", "confirmed", name="basis", native_enum=False, create_constraint=True, length=40),
            server_default="confirmed",
            nullable=False,
        ),
        sa.Column("receipt_number", sa.Text(), nullable=True),
        sa.Column("confirmation", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "basis <> 'taken' or receipt_number is not null or reverses_id is not null", name=op.f("ck_payment_receipt")
        ),
        sa.CheckConstraint("extract(day from start_month) = 1", name=op.f("ck_payment_start_month")),
        sa.CheckConstraint(
            "gross = own + state_support + local_support + other_support", name=op.f("ck_payment_layers")
        ),
        sa.CheckConstraint("months between 1 and 120", name=op.f("ck_payment_months")),
        sa.CheckConstraint(
            "reverses_id is not null or (own >= 0 and state_support >= 0 and local_support >= 0 and other_support >= 0 and gross > 0)",
            name=op.f("ck_payment_signs"),
        ),
        sa.CheckConstraint("supported_months between 0 and months", name=op.f("ck_payment_supported_months")),
        sa.ForeignKeyConstraint(
            ["town_id", "participation_id"],
            ["participation.town_id", "participation.id"],
            name=op.f("fk_payment_town_id_participation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"], ["prospect.town_id", "prospect.id"], name=op.f("fk_payment_town_id_prospect_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "recorded_by_id"],
            ["account.town_id", "account.id"],
            name=op.f("fk_payment_town_id_recorded_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "reverses_id"], ["payment.town_id", "payment.id"], name=op.f("fk_payment_town_id_reverses_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_payment_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_payment")),
        sa.UniqueConstraint("town_id", "receipt_number", name=op.f("uq_payment_town_id_receipt_number")),
        sa.UniqueConstraint("town_id", "reverses_id", name=op.f("uq_payment_town_id_reverses_id")),
    )
    op.create_index(op.f("ix_payment_town_id_paid_on"), "payment", ["town_id", "paid_on"], unique=False)
    op.create_index(
        op.f("ix_payment_town_id_prospect_id_start_month"),
        "payment",
        ["town_id", "prospect_id", "start_month"],
        unique=False,
    )
    op.create_table(
        "allocation",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sponsor_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.Column("start_month", sa.Date(), nullable=False),
        sa.Column("months", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_allocation_amount")),
        sa.CheckConstraint("extract(day from start_month) = 1", name=op.f("ck_allocation_start_month")),
        sa.CheckConstraint("months between 1 and 60", name=op.f("ck_allocation_months")),
        sa.ForeignKeyConstraint(
            ["town_id", "payment_id"], ["payment.town_id", "payment.id"], name=op.f("fk_allocation_town_id_payment_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "posting_id"], ["posting.town_id", "posting.id"], name=op.f("fk_allocation_town_id_posting_id")
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"],
            ["prospect.town_id", "prospect.id"],
            name=op.f("fk_allocation_town_id_prospect_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "sponsor_id"], ["sponsor.town_id", "sponsor.id"], name=op.f("fk_allocation_town_id_sponsor_id")
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f("fk_allocation_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_allocation")),
    )
    op.create_index(
        op.f("ix_allocation_town_id_prospect_id_start_month"),
        "allocation",
        ["town_id", "prospect_id", "start_month"],
        unique=False,
    )
    op.create_index(op.f("ix_allocation_town_id_sponsor_id"), "allocation", ["town_id", "sponsor_id"], unique=False)
    op.create_table(
        "participant_month",
        sa.Column("town_id", sa.Uuid(), nullable=False),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("supported", sa.Boolean(), nullable=False),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("ck_participant_month_month")),
        sa.ForeignKeyConstraint(
            ["town_id", "payment_id"],
            ["payment.town_id", "payment.id"],
            name=op.f("fk_participant_month_town_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["town_id", "prospect_id"],
            ["prospect.town_id", "prospect.id"],
            name=op.f("fk_participant_month_town_id_prospect_id"),
        ),
        sa.PrimaryKeyConstraint("town_id", "prospect_id", "month", name=op.f("pk_participant_month")),
    )
    op.create_index(op.f("ix_participant_month_town_id_month"), "participant_month", ["town_id", "month"], unique=False)
    op.create_index(
        op.f("ix_participant_month_town_id_payment_id"), "participant_month", ["town_id", "payment_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_participant_month_town_id_payment_id"), table_name="participant_month")
    op.drop_index(op.f("ix_participant_month_town_id_month"), table_name="participant_month")
    op.drop_table("participant_month")
    op.drop_index(op.f("ix_allocation_town_id_sponsor_id"), table_name="allocation")
    op.drop_index(op.f("ix_allocation_town_id_prospect_id_start_month"), table_name="allocation")
    op.drop_table("allocation")
    op.drop_index(op.f("ix_payment_town_id_prospect_id_start_month"), table_name="payment")
    op.drop_index(op.f("ix_payment_town_id_paid_on"), table_name="payment")
    op.drop_table("payment")
    op.drop_index(op.f("ix_visit_town_id_user_id_occurred_at"), table_name="visit")
    op.drop_index(op.f("ix_visit_town_id_prospect_id_occurred_at"), table_name="visit")
    op.drop_index(op.f("ix_visit_town_id_occurred_at"), table_name="visit")
    op.drop_table("visit")
    op.drop_table("standing")
    op.drop_index(op.f("ix_stage_change_town_id_prospect_id_at"), table_name="stage_change")
    op.drop_table("stage_change")
    op.drop_index(op.f("ix_receipt_town_id_sponsor_id"), table_name="receipt")
    op.drop_table("receipt")
    op.drop_index(op.f("ix_participation_town_id_started_on"), table_name="participation")
    op.drop_index(op.f("ix_participation_town_id_prospect_id_started_on"), table_name="participation")
    op.drop_index(op.f("ix_participation_town_id_ended_on"), table_name="participation")
    op.drop_index("ix_participation_deadline", table_name="participation", postgresql_where=sa.text("ended_on is null"))
    op.drop_table("participation")
    op.drop_index("uq_message_sid", table_name="message", postgresql_where=sa.text("sid is not null"))
    op.drop_index(
        "uq_message_reminder_phone_day", table_name="message", postgresql_where=sa.text("reminder is not null")
    )
    op.drop_index(
        "uq_message_campaign_phone",
        table_name="message",
        postgresql_where=sa.text("campaign_id is not null and state <> 'excluded'"),
    )
    op.drop_index(
        "ix_message_unsettled", table_name="message", postgresql_where=sa.text("state in ('sending', 'unknown')")
    )
    op.drop_index("ix_message_prospect", table_name="message")
    op.drop_index("ix_message_phone", table_name="message")
    op.drop_index("ix_message_made", table_name="message")
    op.drop_index("ix_message_due", table_name="message", postgresql_where=sa.text("state = 'queued'"))
    op.drop_table("message")
    op.drop_index(op.f("ix_ledger_entry_town_id_posting_id"), table_name="ledger_entry")
    op.drop_index(op.f("ix_ledger_entry_town_id_ledger_account_id"), table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_index(op.f("ix_import_row_town_id_prospect_id"), table_name="import_row")
    op.drop_index(op.f("ix_import_row_town_id_import_id_outcome_sheet_row_number"), table_name="import_row")
    op.drop_table("import_row")
    op.drop_index("uq_assignment_open", table_name="assignment", postgresql_where=sa.text("until is null"))
    op.drop_index(op.f("ix_assignment_town_id_volunteer_id_since"), table_name="assignment")
    op.drop_index(op.f("ix_assignment_town_id_by_id_since"), table_name="assignment")
    op.drop_table("assignment")
    op.drop_index("ix_prospect_volunteer", table_name="prospect")
    op.drop_index("ix_prospect_stage", table_name="prospect")
    op.drop_index(
        "ix_prospect_search",
        table_name="prospect",
        postgresql_using="gin",
        postgresql_ops={"name_fold": "gin_trgm_ops", "phone": "gin_trgm_ops", "other_phone": "gin_trgm_ops"},
    )
    op.drop_index("ix_prospect_place_stage", table_name="prospect")
    op.drop_index("ix_prospect_place", table_name="prospect")
    op.drop_index("ix_prospect_phone", table_name="prospect")
    op.drop_index("ix_prospect_other_phone", table_name="prospect", postgresql_where=sa.text("other_phone is not null"))
    op.drop_index("ix_prospect_organisation", table_name="prospect")
    op.drop_index(
        "ix_prospect_neighbourhood", table_name="prospect", postgresql_where=sa.text("neighbourhood_id is not null")
    )
    op.drop_index("ix_prospect_name_year", table_name="prospect")
    op.drop_index("ix_prospect_list", table_name="prospect")
    op.drop_index("ix_prospect_insurance", table_name="prospect")
    op.drop_index("ix_prospect_household", table_name="prospect")
    op.drop_index("ix_prospect_due", table_name="prospect", postgresql_where=sa.text("next_contact_on is not null"))
    op.drop_index("ix_prospect_citizen", table_name="prospect")
    op.drop_table("prospect")
    op.drop_index(op.f("ix_posting_town_id_posted_on"), table_name="posting")
    op.drop_table("posting")
    op.drop_index(op.f("ix_list_import_town_id_created_at"), table_name="list_import")
    op.drop_table("list_import")
    op.drop_table("invitation")
    op.drop_index(op.f("ix_identity_reading_town_id_prospect_id_at"), table_name="identity_reading")
    op.drop_table("identity_reading")
    op.drop_index(op.f("ix_consent_town_id_phone_purpose_at"), table_name="consent")
    op.drop_table("consent")
    op.drop_index(op.f("ix_change_record_town_id_subject_id_at"), table_name="change_record")
    op.drop_table("change_record")
    op.drop_index("ix_campaign_made", table_name="campaign")
    op.drop_table("campaign")
    op.drop_table("api_token")
    op.drop_table("target")
    op.drop_index(op.f("ix_account_town_id_organisation_id"), table_name="account")
    op.drop_table("account")
    op.drop_index(op.f("ix_pledge_town_id_sponsor_id"), table_name="pledge")
    op.drop_table("pledge")
    op.drop_table("place_succession")
    op.drop_table("organisation")
    op.drop_table("ledger_account")
    op.drop_table("household")
    op.drop_index(op.f("ix_sponsor_town_id_name_fold"), table_name="sponsor")
    op.drop_table("sponsor")
    op.drop_table("sms_settings")
    op.drop_index("uq_place_neighbourhood", table_name="place", postgresql_where=sa.text("kind = 'neighbourhood'"))
    op.drop_index(op.f("ix_place_town_id_parent_id"), table_name="place")
    op.drop_table("place")
    op.drop_table("opt_out_link")
    op.drop_table("message_status")
    op.drop_table("message_inbound")
    op.drop_table("local_top_up")
    op.drop_index(op.f("ix_idempotent_answer_made_at"), table_name="idempotent_answer")
    op.drop_table("idempotent_answer")
    op.drop_table("town")
    op.drop_table("setting")
    op.drop_table("law_value")
