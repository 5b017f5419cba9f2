"""What an office says of its paper: its letterhead from a day on, and its own Word template."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.errors import RuleBroken
from crm.reports.documents.models import ReportLetterhead, ReportTemplate
from crm.reports.documents.paper import Paper
from crm.reports.documents.printing import word
from crm.reports.documents.rules import Head

MOST_RECIPIENTS = 12


def set_head(
    session: Session, place_id: UUID | None, head: Head, *, valid_from: date, by: User, at: datetime
) -> ReportLetterhead:
    """What stands on an office's papers from a day on. Raises RuleBroken."""
    for field, words in (("issuer", head.issuer), ("symbol", head.symbol), ("locality", head.locality)):
        if not words.strip():
            raise RuleBroken(_l("This must stand on the paper."), field=field)
    if not 1 <= len(head.recipients) <= MOST_RECIPIENTS:
        raise RuleBroken(
            _l("Name at least one recipient and at most %(most)s, one a line.", most=MOST_RECIPIENTS),
            field="recipients",
        )
    row = ReportLetterhead(
        town_id=by.town_id,
        place_id=place_id,
        valid_from=valid_from,
        head=head.as_json(),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    session.add(row)
    session.flush()
    return row


def add_template(
    session: Session, place_id: UUID | None, name: str, content: bytes, sample: Paper, *, by: User, at: datetime
) -> ReportTemplate:
    """Use an office's own Word file from now on. Raises RuleBroken with what is to be mended in it."""
    word.check(name, content, sample)
    return _next(session, place_id, name, content, by, at)


def use_shipped(session: Session, place_id: UUID | None, *, by: User, at: datetime) -> ReportTemplate:
    """Back to the shipped template; the office's own stay on record."""
    return _next(session, place_id, None, None, by, at)


def in_turn(session: Session, town_id: UUID) -> None:
    """Templates of a town change one after the other, and none changes while a report is signed in one."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"report templates {town_id}", 0))))


def _next(
    session: Session, place_id: UUID | None, name: str | None, content: bytes | None, by: User, at: datetime
) -> ReportTemplate:
    in_turn(session, by.town_id)
    last = session.scalar(
        select(func.max(ReportTemplate.version)).where(
            ReportTemplate.town_id == by.town_id, ReportTemplate.place_id.is_not_distinct_from(place_id)
        )
    )
    row = ReportTemplate(
        town_id=by.town_id,
        place_id=place_id,
        version=(last or 0) + 1,
        name=name,
        content=content,
        added_at=at,
        added_by_id=by.id,
    )
    session.add(row)
    session.flush()
    return row
