"""The text of a report: every wording it ever had is kept."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from crm.reports.documents.models import Report, ReportText
from crm.reports.documents.rules import Text


def keep_wording(session: Session, report: Report, text: Text, *, at: datetime, by_id: UUID | None) -> None:
    """The next wording; without a person it was written from the figures."""
    report.wording += 1
    session.add(
        ReportText(
            town_id=report.town_id,
            report_id=report.id,
            version=report.wording,
            sections={section.value: words for section, words in text.items()},
            written_at=at,
            written_by_id=by_id,
        )
    )
    session.flush()
