"""Reminders take their words from templates, and what the carrier has not approved stays here unless an administrator says so.

Revision ID: 0054
Revises: 0053
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reminder_rule", sa.Column("template_version_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_reminder_rule_template_version_id"),
        "reminder_rule",
        "template_version",
        ["town_id", "template_version_id"],
        ["town_id", "id"],
    )
    op.add_column("sms_settings", sa.Column("unregistered_until", sa.Date(), nullable=True))
    op.add_column("sms_settings", sa.Column("unregistered_why", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_sms_settings_unregistered"),
        "sms_settings",
        "(unregistered_until is null) = (unregistered_why is null) and unregistered_why <> ''",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_sms_settings_unregistered"), "sms_settings")
    op.drop_column("sms_settings", "unregistered_why")
    op.drop_column("sms_settings", "unregistered_until")
    op.drop_constraint(op.f("fk_reminder_rule_template_version_id"), "reminder_rule")
    op.drop_column("reminder_rule", "template_version_id")
