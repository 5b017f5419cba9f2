"""Official reports whose figures take long to count. Each task may run twice: one worker claims the row."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from celery import shared_task

from crm.background import ring
from crm.clock import now
from crm.db import aside, one_moment, transaction
from crm.reports.documents.queries import finding
from crm.reports.documents.services import counting


@shared_task(name="documents.count_report")
def count_report(town_id: str, report_id: str) -> None:
    """Count the figures of a report and freeze them."""
    with transaction() as session:
        work = counting.claim(session, UUID(town_id), UUID(report_id), at=now())
    if work is not None:
        with one_moment() as session:
            facts = counting.count(session, work, at=now(), counted=partial(tell, UUID(town_id), UUID(report_id)))
        with transaction() as session:
            counting.record(session, work, facts, at=now())


def tell(town_id: UUID, report_id: UUID, part: int) -> None:
    """Let whoever waits see how far it is."""
    with aside() as session:
        counting.beat(session, town_id, report_id, part, at=now())


@shared_task(name="documents.resume")
def resume() -> None:
    """Ring again for reports whose counting stands still."""
    with transaction() as session:
        still = [(row.town_id, row.id) for row in session.scalars(finding.standing_still(now()))]
    for town_id, report_id in still:
        ring(count_report, str(town_id), str(report_id))
