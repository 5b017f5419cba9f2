"""A refusal by the square on a number's page is told apart from one by the link in a message.

Revision ID: 0072
Revises: 0071
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

CHANNELS = ("paper", "doorstep", "phone_call", "web", "link", "sms", "hotline", "import", "do_not_call")
FUNCTION = "refuse_yes_without_proof()"
NO_PROOF = "in ('import', 'link', 'do_not_call')"
NOR_THE_SQUARE = "in ('import', 'link', 'do_not_call', 'qr')"


def upgrade() -> None:
    _may_be((*CHANNELS, "qr"))
    _put(FUNCTION, NO_PROOF, NOR_THE_SQUARE)


def downgrade() -> None:
    _put(FUNCTION, NOR_THE_SQUARE, NO_PROOF)
    op.execute("alter table consent disable trigger user")
    op.execute("update consent set channel = 'link' where channel = 'qr'")
    op.execute("alter table consent enable trigger user")
    _may_be(CHANNELS)


def _may_be(channels: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_consent_consentchannel"), "consent")
    listed = ", ".join(f"'{one}'" for one in channels)
    op.create_check_constraint(op.f("ck_consent_consentchannel"), "consent", f"channel in ({listed})")


def _put(function: str, before: str, after: str) -> None:
    """Replace a part of a function, which must be there once."""
    asked = sa.text("select pg_get_functiondef(cast(:name as regprocedure))")
    told = op.get_bind().scalar(asked, {"name": function})
    assert told.count(before) == 1, function
    op.execute(told.replace(before, after))
