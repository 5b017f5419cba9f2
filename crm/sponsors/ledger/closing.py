"""Closing a month of the account book: from then on nothing is booked into it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.errors import Conflict, RuleBroken
from crm.months import Month
from crm.sponsors.ledger.limits import limit
from crm.sponsors.ledger.models import LedgerPeriod
from crm.sponsors.ledger.queries import month_to_close
from crm.sponsors.rules import in_month


def close_month(
    session: Session,
    town_id: UUID,
    month: Month,
    *,
    by_id: UUID,
    on: date,
    at: datetime,
    request_id: UUID | None = None,
) -> LedgerPeriod:
    """Close a month that is over, in the order of months; it is never opened again. The database works out its sums.

    Raises RuleBroken `not_its_turn`, Conflict `closed_already` or, where a limit for one person is set, `needs_second`.
    """
    turn = month_to_close(session, town_id, on)
    if turn != month:
        if turn is None or month < turn:
            raise Conflict(
                _l("There is nothing to close: the month is closed already or not over yet."), code="closed_already"
            )
        message = _l("Months are closed in their order: %(month)s comes first.", month=in_month(turn))
        raise RuleBroken(message, field="month", code="not_its_turn")
    if request_id is None and limit(session) is not None:
        raise Conflict(_l("A month is closed by two people: ask a second person to approve it."), code="needs_second")
    period = LedgerPeriod(
        town_id=town_id, month=month.first_day, closed_at=at, closed_by_id=by_id, request_id=request_id
    )
    try:
        with session.begin_nested():
            session.add(period)
            session.flush()
    except IntegrityError:
        raise Conflict(_l("Somebody has just closed this month. Open the page again."), code="closed_already") from None
    return period
