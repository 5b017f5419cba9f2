"""The rows under a promise: its steps and its instalments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from crm.sponsors.giving.models import PledgeInstalment, PledgeStep
from crm.sponsors.giving.rules import DAYS_TO_PAY, Due, Frequency, Step
from crm.sponsors.models import Pledge


def begin_instalments(
    session: Session,
    pledge: Pledge,
    dues: Sequence[Due] | None,
    frequency: Frequency,
    *,
    by_id: UUID | None,
    at: datetime,
) -> None:
    """The first instalments of a promise; one for the whole of it when nothing else was agreed."""
    day = pledge.due_on or pledge.pledged_on + timedelta(days=DAYS_TO_PAY)
    step = add_step(session, pledge, Step.MADE, frequency, None, by_id=by_id, at=at)
    add_instalments(session, pledge, step, dues or (Due(day, pledge.amount),))


def add_step(
    session: Session,
    pledge: Pledge,
    step: Step,
    frequency: Frequency,
    reason: str | None,
    *,
    by_id: UUID | None,
    at: datetime,
) -> PledgeStep:
    """A step of a promise as it is now."""
    row = PledgeStep(
        town_id=pledge.town_id,
        pledge_id=pledge.id,
        step=step,
        amount=pledge.amount,
        frequency=frequency,
        reason=reason,
        at=at,
        by_id=by_id,
    )
    session.add(row)
    session.flush()
    return row


def add_instalments(session: Session, pledge: Pledge, step: PledgeStep, dues: Sequence[Due]) -> None:
    """Instalments that a step set."""
    session.add_all(
        PledgeInstalment(town_id=pledge.town_id, pledge_id=pledge.id, due_on=due.on, amount=due.amount, step_id=step.id)
        for due in dues
    )
    session.flush()
