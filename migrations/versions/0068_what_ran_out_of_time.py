"""A campaign whose messages come too late tells so in its story.

Revision ID: 0068
Revises: 0067
"""

from __future__ import annotations

from alembic import op

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

STEPS = (
    *("asked", "approved", "refused", "launched", "scheduled", "begun", "paused", "resumed", "missed", "moved"),
    *("cancelled", "done", "tried", "not_launched"),
)


def _may_be(kinds: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_campaign_step_step"), "campaign_step")
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(op.f("ck_campaign_step_step"), "campaign_step", f"kind in ({listed})")


def upgrade() -> None:
    _may_be((*STEPS, "expired"))


def downgrade() -> None:
    op.execute("alter table campaign_step disable trigger campaign_step_is_append_only")
    op.execute("delete from campaign_step where kind = 'expired'")
    op.execute("alter table campaign_step enable trigger campaign_step_is_append_only")
    _may_be(STEPS)
