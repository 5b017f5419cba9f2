"""Backing up and restoring. After a restore nothing goes out until a person has looked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from crm import stored
from crm.campaigns.files.services.regaining import skip_numbers
from crm.campaigns.restored.services import NOT_KNOWN, begin
from crm.campaigns.services.sending import hold_everything
from crm.mail.services import hold_back
from crm.places.queries import towns

BACKED_UP_AT = "backed_up_at"


def before_backup(session: Session, at: datetime) -> None:
    """Write down when it is made: after a restore the carrier is asked what it sent since then."""
    stored.write(session, BACKED_UP_AT, at.isoformat())


def _moment(text: str | None, at: datetime) -> datetime:
    return datetime.fromisoformat(text) if text else at - NOT_KNOWN


def after_restore(session: Session, at: datetime) -> int:
    """Begin a new epoch, so that phones send again what this copy may lack, hold every pending message, and let the
    carrier be asked what it sent since the backup.

    Answers the new epoch.
    """
    epoch = int(stored.read(session, "epoch") or 0) + 1
    stored.write(session, "epoch", epoch)
    stored.write(session, "restored_at", at.isoformat())
    every, backed_up = towns(session), stored.read(session, BACKED_UP_AT)
    hold_everything(session, every, at)
    skip_numbers(session)
    for town_id in every:
        begin(session, town_id, backed_up_at=_moment(backed_up, at), by_id=None, at=at)
    hold_back(session, at)
    return epoch
