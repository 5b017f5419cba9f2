"""What the insurance office really paid back of a sponsor's money is kept beside what was worked out, also where nothing
could be; above the limit a second person approves it.

Revision ID: 0067
Revises: 0066
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

LIMITED = ("'refunded', 'corrected')", "'refunded', 'corrected', 'came_back')")
APPROVED = (
    "case new.movement when 'reserved'",
    "case new.movement when 'came_back' then r.act = 'come_back' when 'reserved'",
)
ACTS = ("allocate", "pay", "refund", "correct", "close", "send_back", "undo_line", "pay_listed", "merge")

GAVE = """
select r.town_id, r.id as refund_id, y.kind, y.payer_id, sum(y.amount) as amount
from leaving_refund r
join month_payer y on y.town_id = r.town_id and y.payment_id = r.payment_id and y.month >= r.not_needed_from
group by r.town_id, r.id, y.kind, y.payer_id
"""
"""What each gave for the months that are not needed."""


def upgrade() -> None:
    for name in ("given", "paid_back"):
        op.add_column("leaving_part", sa.Column(name, sa.BigInteger(), nullable=True))
    op.drop_constraint(op.f("ck_leaving_part_known_amount"), "leaving_part")
    op.execute(
        f"update leaving_part p set given = g.amount from ({GAVE}) g where g.town_id = p.town_id "
        "and g.refund_id = p.refund_id and g.kind = p.payee and g.payer_id is not distinct from p.payee_id"
    )
    # A payment that was taken back has no months any more.
    op.execute("update leaving_part set given = amount where payee <> 'person' and given is null")
    op.execute("update leaving_part set paid_back = amount where payee <> 'person' and settled_on is not null")
    op.execute(
        "insert into leaving_part (town_id, id, refund_id, payee, payee_id, given) "
        f"select g.town_id, gen_random_uuid(), g.refund_id, g.kind, g.payer_id, g.amount from ({GAVE}) g "
        "join leaving_refund r on r.town_id = g.town_id and r.id = g.refund_id "
        "where r.amount is null and g.amount > 0"
    )
    for name, condition in {
        "given": "(payee = 'person') = (given is null) and given > 0",
        "paid_back": "paid_back > 0 and paid_back <= greatest(amount, given)",
        "booked": "(paid_back is null) = (settled_on is null or payee = 'person')",
    }.items():
        op.create_check_constraint(op.f(f"ck_leaving_part_{name}"), "leaving_part", condition)
    op.execute(
        "create trigger leaving_part_is_settled_once before update on leaving_part for each row "
        "when (old.settled_on is not null) execute function refuse_rewriting()"
    )
    _acts((*ACTS, "come_back"))
    _rewritten("within_the_limit()", LIMITED)
    _rewritten("entries_add_up()", LIMITED, APPROVED)


def downgrade() -> None:
    _rewritten("entries_add_up()", LIMITED[::-1], APPROVED[::-1])
    _rewritten("within_the_limit()", LIMITED[::-1])
    op.execute("update money_request set act = 'refund' where act = 'come_back'")
    _acts(ACTS)
    op.execute("drop trigger leaving_part_is_settled_once on leaving_part")
    for name in ("given", "paid_back", "booked"):
        op.drop_constraint(op.f(f"ck_leaving_part_{name}"), "leaving_part")
    op.execute("delete from leaving_part where payee <> 'person' and amount is null and settled_on is null")
    op.execute("update leaving_part set amount = paid_back where payee <> 'person' and paid_back is not null")
    op.create_check_constraint(
        op.f("ck_leaving_part_known_amount"), "leaving_part", "amount is not null or payee = 'person'"
    )
    for name in ("given", "paid_back"):
        op.drop_column("leaving_part", name)


def _acts(choices: tuple[str, ...]) -> None:
    name = op.f("ck_money_request_moneyact")
    op.drop_constraint(name, "money_request", type_="check")
    op.create_check_constraint(name, "money_request", sa.column("act", sa.String).in_(choices))


def _rewritten(function: str, *changes: tuple[str, str]) -> None:
    """A guard as it is, but for these words."""
    written = op.get_bind().scalar(
        sa.text("select pg_get_functiondef(cast(:name as regprocedure))"), {"name": function}
    )
    for before, after in changes:
        assert before in written, f"{function} does not say {before}"
        written = written.replace(before, after)
    op.get_bind().exec_driver_sql(written.replace("%", "%%"))
