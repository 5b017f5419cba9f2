"""Money that the insurance office pays back is a movement of its own; wishes kept before they could name several places.

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

BEFORE = (
    "received",
    "reserved",
    "released",
    "paid",
    "refunded",
    "corrected",
    "pledged",
    "pledge_changed",
    "pledge_ended",
    "identified",
)


def upgrade() -> None:
    _movements((*BEFORE, "came_back"))
    for one, several in (("place_id", "places"), ("ground", "grounds")):
        op.execute(
            f"update sponsor set wish = (wish - '{one}') || jsonb_build_object('{several}', jsonb_build_array(wish -> '{one}')) "
            f"where wish ? '{one}' and not wish ? '{several}'"
        )


def downgrade() -> None:
    op.execute("update posting set movement = 'released' where movement = 'came_back'")
    _movements(BEFORE)
    for one, several in (("place_id", "places"), ("ground", "grounds")):
        op.execute(
            f"update sponsor set wish = (wish - '{several}') || jsonb_build_object('{one}', wish -> '{several}' -> 0) "
            f"where wish ? '{several}'"
        )


def _movements(choices: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_posting_movement"), "posting", type_="check")
    op.create_check_constraint(op.f("ck_posting_movement"), "posting", sa.column("movement", sa.String).in_(choices))
