"""What the law says of benefits, and values for months paid in a certain year.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

LAW = Path(__file__).parents[2] / "crm" / "premiums" / "law-of-benefits.json"
NAMESPACE = UUID("6f1f4a52-8a5e-4a53-9f0c-5f2f6f1f0012")
KEYS = (
    "least_age",
    "price_coefficient",
    "earlier_retirement_months",
    "maternity_least_months",
    "maternity_within_months",
    "funeral_least_months",
    "funeral_multiple",
    "survivors_months_a_year",
    "lump_sum_months_a_year",
    "lump_sum_after_stopping",
    "lump_sum_wait_months",
    "lump_sum_below_months",
    "lump_sum_incapacity_percent",
    "refund_of_own_part",
    "social_pension",
    "social_pension_age",
)
UNIQUE = "uq_law_value_key_ground_{}effective_from_status"


def upgrade() -> None:
    op.add_column("law_value", sa.Column("of_year", sa.BigInteger(), nullable=True))
    _unique(UNIQUE.format(""), UNIQUE.format("of_year_"), "key", "ground", "of_year", "effective_from", "status")
    _keys(lambda known: [*known, *(key for key in KEYS if key not in known)])
    entries = json.loads(LAW.read_text("utf-8"))
    op.bulk_insert(
        sa.table("law_value", *map(sa.column, ("id", *entries[0]))),
        [
            {
                **entry,
                "id": uuid5(
                    NAMESPACE, f"{entry['key']} {entry['ground']} {entry['of_year']} {entry['effective_from']}"
                ),
                "value": Decimal(entry["value"]),
                "effective_from": date.fromisoformat(entry["effective_from"]),
            }
            for entry in entries
        ],
    )


def downgrade() -> None:
    named = ", ".join(f"'{key}'" for key in KEYS)
    op.execute(f"delete from law_value where of_year is not null or key in ({named})")
    _keys(lambda known: [key for key in known if key not in KEYS])
    _unique(UNIQUE.format("of_year_"), UNIQUE.format(""), "key", "ground", "effective_from", "status")
    op.drop_column("law_value", "of_year")


def _keys(change: Callable[[list[str]], list[str]]) -> None:
    """The keys that the law's table takes are changed, whatever they are now."""
    name = op.f("ck_law_value_lawkey")
    told = op.get_bind().scalar(
        sa.text("select pg_get_constraintdef(oid) from pg_constraint where conname = :name"), {"name": name}
    )
    known = [part.split("'")[1] for part in str(told).split(",")]
    op.drop_constraint(name, "law_value", type_="check")
    op.create_check_constraint(name, "law_value", sa.column("key", sa.String).in_(change(known)))


def _unique(old: str, new: str, *columns: str) -> None:
    op.drop_constraint(op.f(old), "law_value", type_="unique")
    op.create_unique_constraint(op.f(new), "law_value", list(columns), postgresql_nulls_not_distinct=True)
