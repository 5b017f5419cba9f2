"""Reminders by rule. Each task may run twice or at the same time as itself."""

from __future__ import annotations

from celery import shared_task

from crm.background import ring
from crm.clock import now, today
from crm.db import step_by_step, transaction
from crm.places.queries import towns
from crm.reminders import services
from crm.reminders.queries import Turn
from tasks.campaigns import send_some


@shared_task(name="reminders.queue_due")
def queue_due() -> None:
    """Call off what has been done meanwhile, queue what is due today rule by rule, and ring."""
    with transaction() as session:
        turns = services.clear_everywhere(session, towns(session), at=now())
    for turn in turns:
        queue_rule(turn)
    ring(send_some)


def queue_rule(turn: Turn) -> None:
    """Queue one rule's reminders in its turn, a bounded number to a transaction."""
    step_by_step(lambda session: services.queue_some(session, turn, today=today(), at=now()) is not None)
