"""Statements of bank accounts, their lines, and what each line was.

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.parts import one_of

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

USES = ("gift", "held", "returned", "refund", "insurance", "fee", "interest", "own_transfer", "other")

SUMS = """
create function check_statement_line() returns trigger language plpgsql as $$
declare
  the_line uuid;
  one record;
  parts numeric;
begin
  if tg_table_name = 'statement_line' then
    the_line := new.id;
  else
    the_line := new.line_id;
  end if;
  select amount, state into one from statement_line where town_id = new.town_id and id = the_line;
  select coalesce(sum(amount), 0) into parts
    from statement_part where town_id = new.town_id and line_id = the_line and ended_at is null;
  if one.state = 'settled' and parts <> one.amount then
    raise exception 'the parts of a settled line sum to its amount'
      using errcode = '23514', constraint = 'ck_statement_line_parts';
  elsif one.state <> 'settled' and parts <> 0 then
    raise exception 'a line that is open has no parts'
      using errcode = '23514', constraint = 'ck_statement_line_parts';
  end if;
  return null;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "bank_account",
        *_town(),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("not_sponsors", sa.BigInteger(), nullable=False),
        sa.Column("not_sponsors_why", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        *_keys("bank_account"),
        sa.UniqueConstraint("town_id", "number", name=op.f("uq_bank_account_town_id_number")),
    )
    op.create_table(
        "statement_layout",
        *_town(),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("headings_key", sa.Text(), nullable=False),
        sa.Column("columns", _json(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        *_keys("statement_layout", bank_account_id="bank_account"),
        sa.UniqueConstraint(
            "town_id",
            "bank_account_id",
            "headings_key",
            name=op.f("uq_statement_layout_town_id_bank_account_id_headings_key"),
        ),
    )
    op.create_table(
        "statement",
        *_town(),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("found", _json(), nullable=False),
        sa.Column(
            "state", one_of("statementstate", "columns", "queued", "matching", "loaded", "given_up"), nullable=False
        ),
        sa.Column("from_day", sa.Date(), nullable=True),
        sa.Column("to_day", sa.Date(), nullable=True),
        sa.Column("opening", sa.BigInteger(), nullable=True),
        sa.Column("closing", sa.BigInteger(), nullable=True),
        sa.Column("breaks", _json(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("new_lines", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        *_keys("statement", bank_account_id="bank_account", recorded_by_id="account"),
    )
    _indexes("statement", ("bank_account_id", "id"), ("state",))
    op.create_table(
        "statement_line",
        *_town(),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("file_row", sa.BigInteger(), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("posted_at", sa.Time(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.BigInteger(), nullable=False),
        sa.Column("narrative", sa.Text(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("payer_fold", sa.Text(), nullable=False),
        sa.Column("payer_account", sa.Text(), nullable=False),
        sa.Column("state", one_of("linestate", "new", "open", "settled"), nullable=False),
        sa.Column("likely", one_of("likely", "gift", "not_gift", "unknown"), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_statement_line_amount")),
        sa.CheckConstraint("occurrence > 0", name=op.f("ck_statement_line_occurrence")),
        *_keys("statement_line", bank_account_id="bank_account", statement_id="statement"),
        sa.UniqueConstraint(
            "town_id",
            "bank_account_id",
            "posted_on",
            "amount",
            "reference",
            "occurrence",
            name="uq_statement_line_identity",
        ),
    )
    _indexes(
        "statement_line",
        ("state", "posted_on", "id"),
        ("statement_id", "state", "place"),
        ("bank_account_id", "posted_on"),
        ("payer_account",),
    )
    op.create_table(
        "statement_part",
        *_town(),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("use", one_of("use", *USES), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("sponsor_id", sa.Uuid(), nullable=True),
        sa.Column("receipt_id", sa.Uuid(), nullable=True),
        sa.Column("posting_id", sa.Uuid(), nullable=True),
        sa.Column("of_part_id", sa.Uuid(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("by_itself", sa.Boolean(), nullable=False),
        sa.Column("linked", sa.Boolean(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_statement_part_amount")),
        sa.CheckConstraint("(use = 'gift') = (receipt_id is not null)", name=op.f("ck_statement_part_receipt")),
        sa.CheckConstraint(
            "(use in ('gift', 'held', 'returned', 'refund', 'insurance')) = (posting_id is not null)",
            name=op.f("ck_statement_part_posting"),
        ),
        sa.CheckConstraint("use <> 'other' or why is not null", name=op.f("ck_statement_part_why")),
        sa.CheckConstraint("(ended_at is null) = (ended_on is null)", name=op.f("ck_statement_part_ended")),
        *_keys(
            "statement_part",
            line_id="statement_line",
            sponsor_id="sponsor",
            receipt_id="receipt",
            posting_id="posting",
            recorded_by_id="account",
        ),
    )
    _indexes("statement_part", ("line_id",), ("use", "ended_on"))
    for name, where in (
        ("receipt", "ended_at is null"),
        ("posting", "ended_at is null and use in ('refund', 'insurance', 'returned')"),
    ):
        op.create_index(
            f"uq_statement_part_{name}",
            "statement_part",
            ["town_id", f"{name}_id"],
            unique=True,
            postgresql_where=sa.text(where),
        )
    op.execute(SUMS)
    for table, events in (("statement_line", "insert or update"), ("statement_part", "insert or update")):
        op.execute(
            f"create constraint trigger {table}_parts after {events} on {table} deferrable initially deferred "
            "for each row execute function check_statement_line()"
        )


def downgrade() -> None:
    for table in ("statement_part", "statement_line", "statement", "statement_layout", "bank_account"):
        op.drop_table(table)
    op.execute("drop function check_statement_line()")


def _town() -> list[sa.Column[object]]:
    return [sa.Column("town_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False)]


def _json() -> postgresql.JSONB:
    return postgresql.JSONB(none_as_null=True, astext_type=sa.Text())


def _keys(table: str, **refers: str) -> list[sa.Constraint]:
    return [
        *(
            sa.ForeignKeyConstraint(
                ["town_id", column], [f"{other}.town_id", f"{other}.id"], name=op.f(f"fk_{table}_town_id_{column}")
            )
            for column, other in refers.items()
        ),
        sa.ForeignKeyConstraint(["town_id"], ["town.id"], name=op.f(f"fk_{table}_town_id")),
        sa.PrimaryKeyConstraint("town_id", "id", name=op.f(f"pk_{table}")),
    ]


def _indexes(table: str, *all_columns: tuple[str, ...]) -> None:
    for columns in all_columns:
        name = op.f(f"ix_{table}_town_id_" + "_".join(columns))
        op.create_index(name, table, ["town_id", *columns], unique=False)
