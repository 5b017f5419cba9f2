"""Which paid months somebody needed, as a condition."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists

from crm.participation.leaving.models import LeavingRefund
from crm.participation.models import ParticipantMonth


def needed() -> ColumnElement[bool]:
    """That a paid month counts: no ending has made it one that was paid for in vain and comes back (decree 159/2025,
    article 8). Such a month is neither taken part in nor one the State helped with."""
    return ~exists().where(
        LeavingRefund.town_id == ParticipantMonth.town_id,
        LeavingRefund.payment_id == ParticipantMonth.payment_id,
        LeavingRefund.not_needed_from <= ParticipantMonth.month,
    ).correlate(ParticipantMonth)
