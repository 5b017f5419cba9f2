"""Backing up and restoring. After a restore nothing goes out until a person has looked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import stored
from crm.campaigns.services.sending import hold_everything
from crm.mail.services import hold_back
from crm.places.models import Town


def after_restore(session: Session, at: datetime) -> int:
    """Begin a new epoch, so that phones send again what this copy may lack, and hold every pending message.

    Answers the new epoch.
    """
    epoch = int(stored.read(session, "epoch") or 0) + 1
    stored.write(session, "epoch", epoch)
    stored.write(session, "restored_at", at.isoformat())
    hold_everything(session, session.scalars(select(Town.id)).all(), at)
    hold_back(session, at)
    return epoch
