"""An index for who looked after a person, which their history asks for.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NAME = "ix_assignment_town_id_prospect_id_since"


def upgrade() -> None:
    op.create_index(NAME, "assignment", ["town_id", "prospect_id", "since"])


def downgrade() -> None:
    op.drop_index(NAME, table_name="assignment")
