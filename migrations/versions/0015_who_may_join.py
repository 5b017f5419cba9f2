"""Who may join: answers, referrals to the insurance office, and what the law says of whom.

Revision ID: 0015
Revises: 0014
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

from migrations.parts import law_keys, of_the_town, one_of

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

LAW = Path(__file__).parents[2] / "crm" / "premiums" / "law-of-joining.json"
NAMESPACE = UUID("6f1f4a52-8a5e-4a53-9f0c-5f2f6f1f0014")
KEYS = (
    "contract_compulsory_months",
    "ward_cadres_compulsory",
    "hamlet_cadres_compulsory",
    "unpaid_managers_compulsory",
    "pensioners_excluded",
    "suspended_contract_voluntary",
)
STAGES = (
    "new",
    "unreached",
    "refused",
    "considering",
    "interested",
    "agreed",
    "joined",
    "lapsed",
    "not_eligible",
)
MADE = ("referral", "referral_list", "screening")


def upgrade() -> None:
    law_keys(lambda known: [*known, *(key for key in KEYS if key not in known)])
    _law()
    _screening()
    _referral_list()
    _referral()


def downgrade() -> None:
    for table in MADE:
        op.drop_table(table)
    named = ", ".join(f"'{key}'" for key in KEYS)
    op.execute("alter table law_value disable trigger user")
    op.execute(f"delete from law_value where key in ({named})")
    op.execute("alter table law_value enable trigger user")
    law_keys(lambda known: [key for key in known if key not in KEYS])


def _law() -> None:
    entries = json.loads(LAW.read_text("utf-8"))
    op.bulk_insert(
        sa.table("law_value", *map(sa.column, ("id", *entries[0]))),
        [
            {
                **entry,
                "id": uuid5(NAMESPACE, f"{entry['key']} {entry['effective_from']}"),
                "value": Decimal(entry["value"]),
                "effective_from": date.fromisoformat(entry["effective_from"]),
            }
            for entry in entries
        ],
    )


def _screening() -> None:
    op.create_table(
        "screening",
        *of_the_town("screening", prospect_id="prospect", by_id="account"),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("citizen", sa.Boolean(), nullable=False),
        sa.Column(
            "work",
            one_of("work", "contract", "ward_cadre", "hamlet_cadre", "manager", "suspended", "none"),
            nullable=False,
        ),
        sa.Column(
            "business",
            one_of("business", "none", "unregistered", "declaration", "lump_sum", "unknown"),
            nullable=False,
        ),
        sa.Column("allowance", one_of("allowance", "none", "pension", "other"), nullable=False),
        sa.Column("elsewhere", one_of("elsewhere", "no", "voluntary", "compulsory"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
    )
    op.create_index(op.f("ix_screening_town_id_prospect_id_at"), "screening", ["town_id", "prospect_id", "at"])
    op.execute(
        "create trigger screening_is_append_only before update or delete on screening "
        "for each row execute function refuse_rewriting()"
    )


def _referral_list() -> None:
    op.create_table(
        "referral_list",
        *of_the_town("referral_list", by_id="account"),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.UniqueConstraint("town_id", "year", "number", name=op.f("uq_referral_list_town_id_year_number")),
        sa.CheckConstraint("number > 0", name=op.f("ck_referral_list_number")),
    )


def _referral() -> None:
    op.create_table(
        "referral",
        *of_the_town(
            "referral",
            prospect_id="prospect",
            list_id="referral_list",
            referred_by_id="account",
            answered_by_id="account",
        ),
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column("why", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("state", one_of("referral_state", "to_send", "sent", "answered", "withdrawn"), nullable=False),
        sa.Column("stage_was", one_of("stage_was", *STAGES), nullable=False),
        sa.Column("referred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("referred_by_id", sa.Uuid(), nullable=True),
        sa.Column("list_id", sa.Uuid(), nullable=True),
        sa.Column("answer", one_of("referral_answer", "enrolled", "not_subject", "unknown"), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'answered') = (answer is not null)", name=op.f("ck_referral_answered")),
        sa.CheckConstraint("state <> 'sent' or list_id is not null", name=op.f("ck_referral_sent_in_a_list")),
        sa.CheckConstraint("char_length(note) <= 500", name=op.f("ck_referral_note")),
    )
    op.create_index(
        "uq_referral_open",
        "referral",
        ["town_id", "prospect_id"],
        unique=True,
        postgresql_where=sa.text("state in ('to_send', 'sent')"),
    )
    op.create_index(
        op.f("ix_referral_town_id_state_referred_at_id"), "referral", ["town_id", "state", "referred_at", "id"]
    )
    op.create_index(op.f("ix_referral_town_id_prospect_id"), "referral", ["town_id", "prospect_id"])
