"""Acts on many people and files of people, a chunk to a transaction. Each task may run twice: one worker holds a row."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from flask_babel import force_locale

from crm.background import ring
from crm.clock import now
from crm.db import step_by_step, transaction
from crm.prospects.lists import queries
from crm.prospects.lists.services import acts, exporting


@shared_task(name="lists.work_on_act")
def work_on_act(town_id: str, act_id: str) -> None:
    """Do an act on many people, or undo it, to its end."""
    step_by_step(lambda session: acts.step(session, UUID(town_id), UUID(act_id), at=now()))


@shared_task(name="lists.write_export")
def write_export(export_id: str) -> None:
    """Write a file of people."""
    with transaction() as session:
        work, language = exporting.begin(session, UUID(export_id), now()), exporting.language_of(session, export_id)
    if work is not None:
        with force_locale(language), work.file():
            write(work)


def write(work: exporting.Work) -> bool:
    """Write the rows of a file and keep it; False when another worker has it by now."""
    sheet = exporting.Sheet(work.path, work.columns)
    for chunk in work.chunks():
        with transaction() as session:
            rows = exporting.rows_of(session, work, chunk, now())
        if rows is None:
            return False
        sheet.add(rows)
    sheet.close()
    with transaction() as session:
        return exporting.finish(session, work, sheet.at, now())


@shared_task(name="lists.resume")
def resume() -> None:
    """Ring again for what stands still, and drop files whose day is over."""
    with transaction() as session:
        exporting.expire(session, now())
        still = [(row.town_id, row.id) for row in session.scalars(queries.acts_standing_still(now()))]
        files = [row.id for row in session.scalars(queries.exports_standing_still(now()))]
    for town_id, act_id in still:
        ring(work_on_act, str(town_id), str(act_id))
    for export_id in files:
        ring(write_export, str(export_id))
