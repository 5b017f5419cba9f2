"""After a restore: the carrier's list is read page by page and compared. Each task may run twice."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from flask import current_app

from crm.background import ring
from crm.campaigns.restored import queries, services
from crm.campaigns.restored.gateway import carriers_list_of
from crm.clock import now
from crm.db import transaction


def _one_step(town_id: UUID, check_id: UUID) -> bool:
    """Ask for a page and keep it, or settle some of what was found; whether more follows. The call is in no transaction."""
    carrier = carriers_list_of(current_app.config["SETTINGS"])
    with transaction() as session:
        asked = services.next_question(session, town_id, check_id, at=now())
    told = carrier.page(asked) if carrier and asked else None
    with transaction() as session:
        return services.take(session, town_id, check_id, asked, told, carrier=carrier is not None, at=now())


@shared_task(name="restored.compare")
def compare(town_id: str, check_id: str) -> None:
    """Ask the carrier what it sent since the backup, and settle what that was."""
    while _one_step(UUID(town_id), UUID(check_id)):
        pass


@shared_task(name="restored.resume")
def resume() -> None:
    """Ring again for comparisons on which the work stands still."""
    with transaction() as session:
        still = queries.standing_still(session, now())
    for town_id, check_id in still:
        ring(compare, str(town_id), str(check_id))
