"""When somebody who stopped was asked why, and whether they said that they will not come back.

Of those who were asked before, the day is the one on which it was noted, else the one on which they stopped.

Revision ID: 0070
Revises: 0069
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None

ASKED = "ck_participation_asked_for_a_reason"
AWAY = "ck_participation_stays_away_as_said"


def upgrade() -> None:
    op.add_column("participation", sa.Column("asked_on", sa.Date(), nullable=True))
    op.add_column("participation", sa.Column("stays_away", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        """
        update participation set asked_on = greatest(participation.ended_on, (
            select max(change_record.at at time zone 'Asia/Ho_Chi_Minh')::date from change_record
            where change_record.town_id = participation.town_id
              and change_record.subject_id = participation.prospect_id
              and change_record.act = 'say_why_stopped'
        ))
        where participation.stop_reason is not null
        """
    )
    op.create_check_constraint(op.f(ASKED), "participation", "(asked_on is null) = (stop_reason is null)")
    op.create_check_constraint(op.f(AWAY), "participation", "not stays_away or asked_on is not null")


def downgrade() -> None:
    op.drop_constraint(op.f(AWAY), "participation", type_="check")
    op.drop_constraint(op.f(ASKED), "participation", type_="check")
    op.drop_column("participation", "stays_away")
    op.drop_column("participation", "asked_on")
