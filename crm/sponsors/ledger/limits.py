"""The amount above which acts with money take two people, as an administrator set it.

It holds for all that one person moves of one sponsor's money in one way on one day in Vietnam, so that nobody gets past
it in small steps. What payers bring is not limited: the bank's statement shows it. What the insurance office paid back
is, for whoever books it says how much it was. The database counts (`moved_alone`, revision 0036), and refuses at the
commit what was not asked here.
"""

from __future__ import annotations

from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import stored
from crm.clock import local_day
from crm.errors import Conflict
from crm.money import Vnd
from crm.sponsors.ledger.booking import Booked
from crm.sponsors.rules import Movement
from crm.web.filters import in_money

LIMIT = "money_limit"


def limit(session: Session) -> Vnd | None:
    """Acts above so many đồng need a second person; None: none does."""
    kept: Vnd | None = stored.read(session, LIMIT)
    return kept


def set_limit(session: Session, amount: Vnd | None) -> None:
    """From now on acts above `amount` need a second person; None: none does."""
    stored.write(session, LIMIT, amount)


def refuse_alone(
    session: Session, movement: Movement, amount: Vnd, town_id: UUID, sponsor_id: UUID | None, booked: Booked
) -> None:
    """Raises Conflict `needs_second` for what is above the limit, alone or with what the same person moved of this
    sponsor's money today, without the approval of a second person."""
    most = limit(session)
    if most is None or booked.request_id is not None:
        return
    if amount > most:
        message = _l("More than %(limit)s takes two people: ask a second person to approve it.", limit=in_money(most))
        raise Conflict(message, code="needs_second", amount=amount)
    session.flush()
    # Of two acts of one person at once the second is counted with the first, and told so before its commit.
    turn = f"moved alone {town_id} {booked.by_id} {sponsor_id} {movement.value}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(turn, 0))))
    day = local_day(booked.at)
    before = session.scalar(select(func.moved_alone(town_id, booked.by_id, sponsor_id, movement.value, day))) or 0
    if before + amount > most:
        message = _l(
            "With what you moved of this money today it is %(sum)s, and more than %(limit)s takes two people: ask a "
            "second person to approve it.",
            sum=in_money(before + amount),
            limit=in_money(most),
        )
        raise Conflict(message, code="needs_second", amount=amount)
