"""Kinds of lists, remembered columns, and what lists of other offices say of people.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KINDS = ("people", "household_businesses", "participants", "poor_households")


def upgrade() -> None:
    _kinds()
    _engine_columns()


def downgrade() -> None:
    _no_engine_columns()
    op.drop_column("list_import", "kind")


def _kinds() -> None:
    kind = sa.Enum(*KINDS, name="listkind", native_enum=False, create_constraint=True, length=40)
    op.add_column("list_import", sa.Column("kind", kind, nullable=False, server_default="people"))
    op.alter_column("list_import", "kind", server_default=None)


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
    op.execute("update list_import set loaded_at = heartbeat_at where state in ('committed', 'undoing', 'undone')")
    op.execute(
        "update list_import set state = 'queued', heartbeat_at = null"
        " where state in ('ready', 'reading', 'committing') and content is not null"
    )
    op.execute("update import_row set prospect_id = id where outcome = 'new' and prospect_id is null")


def _no_engine_columns() -> None:
    op.drop_table("import_person")
    for name in ("loaded_at", "compared_from", "tries"):
        op.drop_column("list_import", name)
