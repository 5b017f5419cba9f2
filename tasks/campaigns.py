"""Sending messages and settling what became of them. Each task may run twice or at the same time as itself."""

from __future__ import annotations

from celery import shared_task
from flask import current_app

from crm.background import ring
from crm.campaigns import queries
from crm.campaigns.gateway import carrier_of
from crm.campaigns.rules.handover import Outgoing
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.services import sending
from crm.clock import now
from crm.db import transaction

SECONDS = 2
"""A batch is what may be sent in this time."""
UNKNOWN_AT_ONCE = 20


def _no_longer_allowed(message: Outgoing) -> Reason | None:
    with transaction() as session:
        return sending.no_longer_allowed(session, message, now())


@shared_task(name="campaigns.send_some")
def send_some() -> None:
    """Send one batch of whatever may leave now, and ring again while there is more."""
    carrier = carrier_of(current_app.config["SETTINGS"])
    with transaction() as session:
        batch = sending.claim(session, at_most=carrier.rate.for_seconds(SECONDS) if carrier else 0, at=now())
    outcomes = carrier.send_all(batch, unless=_no_longer_allowed) if carrier else []
    with transaction() as session:
        sending.record(session, outcomes, now())
    if batch:
        ring(send_some)


@shared_task(name="campaigns.sweep")
def sweep() -> None:
    """Find rows that should have moved, and ring for what waits."""
    with transaction() as session:
        sending.sweep(session, now())
    ring(send_some)


@shared_task(name="campaigns.ask_about_unknown")
def ask_about_unknown() -> None:
    """Ask the carrier about messages of which nobody knows whether it took them."""
    carrier = carrier_of(current_app.config["SETTINGS"])
    with transaction() as session:
        unknown = queries.unknown_messages(session, UNKNOWN_AT_ONCE if carrier else 0)
    found = [(message, carrier.gateway.seen(message.phone)) for message in unknown] if carrier else []
    with transaction() as session:
        for message, seen in found:
            sending.resolve_unknown(session, message, seen, now())
