"""What the timeline of a person says of papers that were read."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from crm.participation.elsewhere.models import InsuranceRecord
from crm.prospects import cards
from crm.prospects.cards import Event, Happened, Kind, Trail, facts_as, of_person


def _read(row: Happened) -> Event:
    months = row.facts["voluntary"]
    text = ngettext(
        "%(num)s month of voluntary insurance in all", "%(num)s months of voluntary insurance in all", months
    )
    return Event(row.at, _("Read what the insurance record says"), "document", "jade", row.by, text, row.facts["proof"])


TRAIL = Trail(
    "insurance-record",
    Kind.OFFICE,
    select(InsuranceRecord).where(of_person(InsuranceRecord)),
    at=InsuranceRecord.at,
    id=InsuranceRecord.id,
    by=InsuranceRecord.by_id,
    facts=facts_as(voluntary=InsuranceRecord.voluntary, proof=InsuranceRecord.proof),
    tell=_read,
)


def register() -> None:
    """Let a person's page ask."""
    cards.register(trails=(TRAIL,))
