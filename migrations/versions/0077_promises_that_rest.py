"""That a promise is paused is a step of its own.

Revision ID: 0077
Revises: 0076
"""

from __future__ import annotations

from alembic import op

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None

STEPS = ("made", "changed", "ended")
OF_SPONSORS = "Nhà hỗ trợ tự tạm dừng"
"""How the reason of a step began with which sponsors paused on their own page, before it was a step of its own."""


def _may_be(steps: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_pledge_step_step"), "pledge_step", type_="check")
    listed = ", ".join(f"'{step}'" for step in steps)
    op.create_check_constraint(op.f("ck_pledge_step_step"), "pledge_step", f"step in ({listed})")


def _rewrite(statement: str) -> None:
    op.execute("alter table pledge_step disable trigger user")
    op.execute(statement)
    op.execute("alter table pledge_step enable trigger user")


def upgrade() -> None:
    _may_be((*STEPS, "paused"))
    _rewrite(f"update pledge_step set step = 'paused' where step = 'changed' and reason like '{OF_SPONSORS}%'")


def downgrade() -> None:
    _rewrite("update pledge_step set step = 'changed' where step = 'paused'")
    _may_be(STEPS)
