"""How far back the insurance office lets missed months be paid: a value that may be put on record, and is not yet.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KEY = "gap_months_payable"


def upgrade() -> None:
    _law_keys(lambda known: [*known, *({KEY} - set(known))])


def downgrade() -> None:
    op.execute("alter table law_value disable trigger user")
    op.execute(f"delete from law_value where key = '{KEY}'")
    op.execute("alter table law_value enable trigger user")
    _law_keys(lambda known: [key for key in known if key != KEY])


def _law_keys(change: Callable[[list[str]], list[str]]) -> None:
    """The keys that the law's table takes are changed, whatever they are now."""
    name = op.f("ck_law_value_lawkey")
    told = op.get_bind().scalar(
        sa.text("select pg_get_constraintdef(oid) from pg_constraint where conname = :name"), {"name": name}
    )
    known = [part.split("'")[1] for part in str(told).split(",")]
    op.drop_constraint(name, "law_value", type_="check")
    op.create_check_constraint(name, "law_value", sa.column("key", sa.String).in_(change(known)))
