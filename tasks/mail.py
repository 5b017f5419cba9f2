"""Sending e-mails. Each task may run twice or at the same time as itself."""

from __future__ import annotations

from celery import shared_task
from flask import current_app

from crm.background import ring
from crm.clock import now
from crm.db import transaction
from crm.mail import services
from crm.mail.gateway import gateway_of, send_all

AT_ONCE = 10


@shared_task(name="mail.send_some")
def send_some() -> None:
    """Send a few of those that may leave now, and ring again while there are more."""
    gateway = gateway_of(current_app.config["SETTINGS"])
    with transaction() as session:
        batch = services.claim(session, at_most=AT_ONCE, at=now()) if gateway else []
    outcomes = send_all(gateway, batch) if gateway else []
    with transaction() as session:
        services.record(session, outcomes, now())
    if batch:
        ring(send_some)


@shared_task(name="mail.sweep")
def sweep() -> None:
    """Find rows that should have moved, and ring for what waits."""
    with transaction() as session:
        services.sweep(session, now())
    ring(send_some)
