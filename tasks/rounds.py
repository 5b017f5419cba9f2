"""Reporting rounds that begin by themselves, and reminders of what is owed. Each may run twice: rows tell what is done."""

from __future__ import annotations

from celery import shared_task
from flask import current_app

from crm.background import ring
from crm.clock import now, today
from crm.db import transaction
from crm.places.queries import towns
from crm.reports.rounds import reminding, services
from tasks.mail import send_some


@shared_task(name="rounds.open_due")
def open_due() -> None:
    """Begin the rounds whose day has come."""
    with transaction() as session:
        for town_id in towns(session):
            services.open_due(session, town_id, at=now())


@shared_task(name="rounds.remind")
def remind() -> None:
    """Write to those whose report is soon due, late or returned."""
    address = current_app.config["SETTINGS"].public_url
    with transaction() as session:
        for town_id in towns(session):
            reminding.remind(session, town_id, address=address, today=today(), at=now())
    ring(send_some)
