"""The second way out: files made of what waits, results loaded. Each task may run twice or at the same time as itself."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from crm.background import ring
from crm.campaigns.files import queries
from crm.campaigns.files.services import making, results
from crm.clock import now, today
from crm.db import step_by_step, transaction


@shared_task(name="files.make_file")
def make_file(town_id: str, file_id: str) -> None:
    """Claim what may leave and write it down."""
    with transaction() as session:
        making.make(session, UUID(town_id), UUID(file_id), at=now())


@shared_task(name="files.load_results")
def load_results(town_id: str, results_id: str) -> None:
    """Load the results that the gateway gave back, to their end."""
    step_by_step(lambda session: results.step(session, UUID(town_id), UUID(results_id), at=now()))


@shared_task(name="files.by_themselves")
def by_themselves() -> None:
    """Ask for the files that a town wishes each morning."""
    with transaction() as session:
        for town_id, purpose in queries.by_themselves(session, today(), now()):
            file_id = making.ask(session, town_id, purpose, by_id=None, at=now())
            making.make(session, town_id, file_id, at=now())


@shared_task(name="files.resume")
def resume() -> None:
    """Ring again for what stands still."""
    with transaction() as session:
        files, loading = queries.being_made(session, now()), queries.results_standing_still(session, now())
    for town_id, file_id in files:
        ring(make_file, str(town_id), str(file_id))
    for town_id, results_id in loading:
        ring(load_results, str(town_id), str(results_id))
