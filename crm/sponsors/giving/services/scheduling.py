"""Promises changed and ended. What came in stays as it is; every step is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crm.errors import Conflict
from crm.money import Vnd
from crm.prospects.rules import Ground
from crm.sponsors.giving.models import PledgeStep
from crm.sponsors.giving.queries import current_instalments, frequency_of, received_on
from crm.sponsors.giving.rules import Due, Frequency, Step, changed, kept_and_open, refuse_too_little
from crm.sponsors.giving.services.instalments import add_instalments, add_step
from crm.sponsors.ledger.booking import Booked
from crm.sponsors.models import Pledge
from crm.sponsors.queries import a_month
from crm.sponsors.rules import Movement, PledgeState, refuse_past_due
from crm.sponsors.services import expect


def change(
    session: Session,
    pledge: Pledge,
    rest: Sequence[Due],
    frequency: Frequency,
    *,
    reason: str | None,
    by_id: UUID | None,
    on: date,
    at: datetime,
    as_step: Step = Step.CHANGED,
) -> PledgeStep:
    """What is still to come becomes `rest`; what came in stays. Raises RuleBroken, also when less would be left of it than
    came in or than one month of one person, and Conflict for an ended promise.

    The row is locked, so that money that comes in meanwhile waits, and two changes follow one after the other.
    """
    hold_open(session, pledge)
    rows = current_instalments(session, pledge)
    came = received_on(session, pledge.town_id, [pledge.id]).get(pledge.id, 0)
    total = came + sum(due.amount for due in rest)
    refuse_too_little(total, pledge.amount, came, least_month(session, pledge, on))
    wanted = changed([Due(row.due_on, row.amount) for row in rows], came, rest)
    kept = {Due(row.due_on, row.amount) for row in rows}.intersection(wanted)
    for due in rest:
        if due.on not in {row.due_on for row in rows}:
            refuse_past_due(due.on, on)
    pledge.amount, pledge.due_on = sum(due.amount for due in wanted), wanted[-1].on
    step = add_step(session, pledge, as_step, frequency, reason, by_id=by_id, at=at)
    for row in rows:
        if Due(row.due_on, row.amount) not in kept:
            row.dropped_step_id = step.id
    session.flush()
    add_instalments(session, pledge, step, [due for due in wanted if due not in kept])
    expect(session, pledge, pledge.amount - came, Movement.PLEDGE_CHANGED, Booked(by_id, on, at), memo=reason)
    return step


def end(session: Session, pledge: Pledge, *, reason: str, by_id: UUID | None, on: date, at: datetime) -> PledgeStep:
    """Nothing more is expected; what was done stays. Twice is a Conflict."""
    hold_open(session, pledge)
    pledge.state = PledgeState.ENDED
    step = add_step(session, pledge, Step.ENDED, frequency_of(session, pledge), reason, by_id=by_id, at=at)
    expect(session, pledge, 0, Movement.PLEDGE_ENDED, Booked(by_id, on, at), memo=reason)
    return step


def least_month(session: Session, pledge: Pledge, on: date) -> Vnd:
    """What one month of one person costs a sponsor at least on a day."""
    return a_month(session, pledge.town_id, Ground.POOR, on)


def open_dues(session: Session, pledge: Pledge) -> tuple[Due, ...]:
    """The instalments of which something is still to come, with what that is."""
    dues = [Due(row.due_on, row.amount) for row in current_instalments(session, pledge)]
    return kept_and_open(dues, received_on(session, pledge.town_id, [pledge.id]).get(pledge.id, 0))[1]


def hold_open(session: Session, pledge: Pledge) -> None:
    """Hold a promise until the commit. Conflict when it has ended."""
    session.flush()
    session.refresh(pledge, with_for_update=True)
    if pledge.state is PledgeState.ENDED:
        raise Conflict(_l("This promise was ended already; look at its history."), code="ended")
