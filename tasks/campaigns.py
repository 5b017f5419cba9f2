"""Sending messages and settling what became of them. Each task may run twice or at the same time as itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from celery import shared_task
from flask import current_app
from sqlalchemy.orm import Session

from crm import pulse
from crm.background import ring
from crm.campaigns import queries
from crm.campaigns.dispatcher import MOST_LOOKED_UP, Carrier
from crm.campaigns.gateway import carrier_of
from crm.campaigns.rules.handover import Outcome, Outgoing
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.services import dispatching, receipts
from crm.clock import now
from crm.db import transaction

LONGEST = 120
"""Seconds a batch may take, far more than one needs: a worker that hangs is ended, and the sweep finds its messages."""


@contextmanager
def _beside() -> Iterator[Session]:
    """A transaction in a session of its own: marking, recording and claiming go on at the same time."""
    with current_app.app_context(), transaction() as session:
        yield session


def _mark_called(group: Sequence[Outgoing]) -> Mapping[UUID, Reason]:
    with _beside() as session:
        return dispatching.mark_called(session, group, now())


def _record(outcomes: Collection[tuple[Outgoing, Outcome]]) -> None:
    with _beside() as session:
        dispatching.record(session, outcomes, now())


@shared_task(name="campaigns.send_some", time_limit=LONGEST)
def send_some() -> None:
    """Send whatever may leave now, batch after batch for some seconds, ring again while there is more, and give the sign
    that somebody looked."""
    carrier = carrier_of(current_app.config["SETTINGS"])
    most = carrier.pace.batch() if carrier else 0
    with transaction() as session:
        batch = dispatching.claim(session, at_most=most, at=now())
    if carrier and batch:
        carrier.send_all(batch, _mark_called, _record, partial(_more, carrier) if len(batch) == most else None)
        ring(send_some)
    pulse.give(current_app.config["REDIS_URL"], pulse.Sign.LOOKED)


def _more(carrier: Carrier) -> Sequence[Outgoing]:
    with _beside() as session:
        return dispatching.claim(session, at_most=carrier.pace.batch(), at=now())


@shared_task(name="campaigns.sweep")
def sweep() -> None:
    """Find rows that should have moved, and ring for what waits."""
    with transaction() as session:
        dispatching.sweep(session, now())
    ring(send_some)


@shared_task(name="campaigns.ask_about_unknown")
def ask_about_unknown() -> None:
    """Ask the carrier about some messages of which nobody knows whether it took them, and ring while there are more. Each is
    settled in a transaction of its own: none is held while another is waited for."""
    carrier = carrier_of(current_app.config["SETTINGS"])
    with transaction() as session:
        unknown = queries.unknown_messages(session, carrier.pace.batch() if carrier else 0, now())
    found = list(carrier.look_up(unknown)) if carrier else []
    for message, seen in found:
        with transaction() as session:
            receipts.resolve_unknown(session, message, seen, now())
    if found:
        ring(ask_about_unknown)


@shared_task(name="campaigns.ask_about_silent")
def ask_about_silent() -> None:
    """Ask the carrier what became of messages that it took and whose receipt did not come, a bounded number each minute, for
    each question takes a message's turn; nothing is ever sent again."""
    carrier = carrier_of(current_app.config["SETTINGS"])
    with transaction() as session:
        most = min(MOST_LOOKED_UP, carrier.pace.batch()) if carrier else 0
        silent = queries.without_a_receipt(session, most, now())
    found = list(carrier.follow(silent)) if carrier else []
    with transaction() as session:
        for message, told in found:
            receipts.take_news(session, message, told, now())
