"""How far back the insurance office lets missed months be paid: a value that may be put on record, and is not yet.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

from alembic import op

from migrations.parts import law_keys

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KEY = "gap_months_payable"


def upgrade() -> None:
    law_keys(lambda known: [*known, *({KEY} - set(known))])


def downgrade() -> None:
    op.execute("alter table law_value disable trigger user")
    op.execute(f"delete from law_value where key = '{KEY}'")
    op.execute("alter table law_value enable trigger user")
    law_keys(lambda known: [key for key in known if key != KEY])
