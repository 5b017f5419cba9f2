"""Looking at everybody before a campaign is launched, and beginning at its time. Each may run twice: the rows decide."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from flask import current_app

from crm.background import ring
from crm.campaigns.preflight import checking
from crm.campaigns.services import launching
from crm.clock import now
from crm.db import transaction
from tasks.campaigns import send_some


@shared_task(name="launching.check")
def check(town_id: str, check_id: str) -> None:
    """Look at everybody of a campaign, once; one that was to be launched goes on."""
    address = str(current_app.config["SETTINGS"].public_url)
    with transaction() as session:
        checking.make(session, UUID(town_id), UUID(check_id), public_url=address, at=now())
    ring(launch_prepared)


@shared_task(name="launching.launch_prepared")
def launch_prepared() -> None:
    """Launch what was to be launched once everybody was looked at."""
    with transaction() as session:
        waiting = launching.being_prepared(session)
        ready = [launching.prepared(session, one.town_id, one.id, at=now()) for one in waiting]
    if any(ready):
        ring(send_some)


@shared_task(name="launching.begin_due")
def begin_due() -> None:
    """Begin what is due now."""
    with transaction() as session:
        began = launching.begin_due(session, now())
    if began:
        ring(send_some)


@shared_task(name="launching.resume")
def resume() -> None:
    """Ring again for checks that nobody makes, and for what should have been launched after one."""
    with transaction() as session:
        still = [(row.town_id, row.id) for row in session.scalars(checking.standing_still(now()))]
    for town_id, check_id in still:
        ring(check, str(town_id), str(check_id))
    ring(launch_prepared)
