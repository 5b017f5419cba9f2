"""What somebody asked for themself stands on the message, and the database lets nothing else go against a no.

Revision ID: 0052
Revises: 0051
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

WANTED = """
create function message_is_wanted() returns trigger language plpgsql as $$
declare
    said boolean;
begin
    select given into said from consent
        where town_id = new.town_id and phone = new.phone and purpose = new.purpose
        order by at desc, recorded_at desc, id desc limit 1;
    if not coalesce(said, new.asked_for) then
        raise exception 'message %: its number does not agree to it', new.id using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""
"""Asked again at the moment of leaving, by the database itself: a no holds for everything, a missing yes for everything but
what the owner of the number asked for."""


def upgrade() -> None:
    op.add_column("message", sa.Column("asked_for", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute("update message set asked_for = true where trial_of_id is not null or reminder = 'sponsor_link'")
    op.create_check_constraint(
        op.f("ck_message_asked_for"), "message", "not asked_for or num_nonnulls(campaign_id, reply_to_id) = 0"
    )
    op.create_index(
        "ix_message_followed", "message", ["claimed_at"], postgresql_where=sa.text("state in ('accepted', 'sent')")
    )
    op.execute(WANTED)
    op.execute(
        "create trigger message_is_wanted before update of state on message for each row "
        "when (old.state = 'queued' and new.state in ('sending', 'handed_over')) execute function message_is_wanted()"
    )
    op.execute(
        "create trigger message_is_still_wanted before update of called_at on message for each row "
        "when (old.called_at is null and new.called_at is not null) execute function message_is_wanted()"
    )


def downgrade() -> None:
    for name in ("message_is_still_wanted", "message_is_wanted"):
        op.execute(f"drop trigger {name} on message")
    op.execute("drop function message_is_wanted()")
    op.drop_index("ix_message_followed", table_name="message")
    op.drop_constraint(op.f("ck_message_asked_for"), "message")
    op.drop_column("message", "asked_for")
