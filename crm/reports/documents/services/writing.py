"""The text of a report: every wording it ever had is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from crm.reports.documents.models import Report, ReportText
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import Head, Section, Text
from crm.reports.documents.wording import first_wording


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


def reworded(session: Session, report: Report, facts: Mapping[str, Any], head: Head) -> Text:
    """The text with sections nobody changed following the figures and the letterhead that stand now, where `facts` and
    `head` stood before; what somebody wrote stays."""
    snapshot = finding.snapshot_of(session, report)
    assert snapshot is not None, "a text has figures"
    now, own = finding.text_of(session, report), first_wording(facts, head)
    fresh = first_wording(snapshot.facts, report.issued_by)
    return {section: fresh[section] if now[section] == own[section] else now[section] for section in Section}
