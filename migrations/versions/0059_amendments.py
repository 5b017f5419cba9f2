"""Proposals to amend policy, their wordings and answers, and the documents in which they go upward.

Revision ID: 0059
Revises: 0058
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.parts import key, one_of, refers

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

STAYS_AS_SENT = """
create function amendment_letter_stays_as_sent() returns trigger language plpgsql as $$
begin
  if old.sent_on is not null then
    raise exception 'a document that was sent stays as it is' using errcode = 'restrict_violation';
  end if;
  return coalesce(new, old);
end $$
"""


def upgrade() -> None:
    op.create_table(
        "amendment_letter",
        *key(),
        sa.Column("to_whom", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("head", postgresql.JSONB(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("year", sa.BigInteger(), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_by_id", sa.Uuid(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "num_nonnulls(sent_on, sent_by_id, sent_at, content, digest, number, year, facts) in (0, 8)",
            name=op.f("ck_amendment_letter_sent"),
        ),
        sa.CheckConstraint("number between 1 and 9999", name=op.f("ck_amendment_letter_number")),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_amendment_letter_digest")),
        sa.CheckConstraint("char_length(to_whom) between 1 and 200", name=op.f("ck_amendment_letter_to_whom")),
        *refers("amendment_letter", opened_by_id="account", sent_by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_amendment_letter")),
    )
    op.create_index(
        op.f("ix_amendment_letter_town_id_opened_at_id"), "amendment_letter", ["town_id", "opened_at", "id"]
    )
    op.create_index(
        "uq_amendment_letter_number", "amendment_letter", ["town_id", "year", "symbol", "number"], unique=True
    )
    op.execute(STAYS_AS_SENT)
    op.execute(
        "create trigger amendment_letter_stays_as_sent before update or delete on amendment_letter "
        "for each row execute function amendment_letter_stays_as_sent()"
    )
    op.create_table(
        "amendment",
        *key(),
        sa.Column(
            "subject",
            one_of("subject", "support", "premium", "benefits", "procedure", "agents", "compulsory", "other"),
            nullable=False,
        ),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by_id", sa.Uuid(), nullable=False),
        sa.Column("state", one_of("state", "received", "joined", "sent", "answered", "withdrawn"), nullable=False),
        sa.Column("wordings", sa.BigInteger(), nullable=False),
        sa.Column("fold", sa.Text(), nullable=False),
        sa.Column("answers", sa.BigInteger(), nullable=False),
        sa.Column("joined_to_id", sa.Uuid(), nullable=True),
        sa.Column("letter_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(state = 'joined') = (joined_to_id is not null)", name=op.f("ck_amendment_joined")),
        sa.CheckConstraint("joined_to_id <> id", name=op.f("ck_amendment_not_itself")),
        sa.CheckConstraint("state <> 'sent' or letter_id is not null", name=op.f("ck_amendment_sent")),
        sa.CheckConstraint("(state = 'answered') = (answers > 0)", name=op.f("ck_amendment_answered")),
        sa.CheckConstraint(
            "state not in ('joined', 'withdrawn') or letter_id is null", name=op.f("ck_amendment_apart")
        ),
        sa.CheckConstraint("wordings > 0", name=op.f("ck_amendment_wordings")),
        *refers(
            "amendment",
            place_id="place",
            organisation_id="organisation",
            written_by_id="account",
            joined_to_id="amendment",
            letter_id="amendment_letter",
        ),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_amendment")),
    )
    op.create_index(op.f("ix_amendment_town_id_written_at_id"), "amendment", ["town_id", "written_at", "id"])
    op.create_index(op.f("ix_amendment_town_id_joined_to_id"), "amendment", ["town_id", "joined_to_id"])
    op.create_index(op.f("ix_amendment_town_id_letter_id"), "amendment", ["town_id", "letter_id"])
    op.create_table(
        "amendment_wording",
        *key(),
        sa.Column("amendment_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("law", sa.Text(), nullable=False),
        sa.Column("happens", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_amendment_wording_number")),
        sa.CheckConstraint("char_length(law) <= 1500", name=op.f("ck_amendment_wording_law")),
        sa.CheckConstraint("char_length(happens) between 1 and 1500", name=op.f("ck_amendment_wording_happens")),
        sa.CheckConstraint("char_length(change) between 1 and 1500", name=op.f("ck_amendment_wording_change")),
        *refers("amendment_wording", amendment_id="amendment", by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_amendment_wording")),
        sa.UniqueConstraint(
            "town_id", "amendment_id", "number", name=op.f("uq_amendment_wording_town_id_amendment_id_number")
        ),
    )
    op.create_table(
        "amendment_answer",
        *key(),
        sa.Column("amendment_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_amendment_answer_number")),
        sa.CheckConstraint("char_length(words) between 1 and 3000", name=op.f("ck_amendment_answer_words")),
        sa.CheckConstraint("char_length(answered_by) between 1 and 200", name=op.f("ck_amendment_answer_answered_by")),
        *refers("amendment_answer", amendment_id="amendment", noted_by_id="account"),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f("pk_amendment_answer")),
        sa.UniqueConstraint(
            "town_id", "amendment_id", "number", name=op.f("uq_amendment_answer_town_id_amendment_id_number")
        ),
    )
    for table in ("amendment_wording", "amendment_answer"):
        op.execute(
            f"create trigger {table}_is_append_only before update or delete on {table} "
            "for each row execute function refuse_rewriting()"
        )


def downgrade() -> None:
    op.drop_table("amendment_answer")
    op.drop_table("amendment_wording")
    op.drop_table("amendment")
    op.drop_table("amendment_letter")
    op.execute("drop function amendment_letter_stays_as_sent()")
