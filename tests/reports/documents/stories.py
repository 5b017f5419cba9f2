"""A small town whose every figure is counted by hand (test_counted_by_hand.py)."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.reports.documents.models import Report
from crm.reports.documents.rules import State
from crm.reports.documents.services import counting
from crm.reports.periods import ReportKind
from tasks.documents import count_report

MONTH, SEPTEMBER = ReportKind.MONTH, "2019-09"


def opened(
    session: Session,
    by: User,
    at: Any,
    kind: ReportKind = MONTH,
    period: str = SEPTEMBER,
    place: Any = None,
    drawn: date | None = None,
) -> Report:
    """A report that was opened and counted."""
    report = counting.open_report(session, kind, period, place, drawn, by=by, at=at)
    count_report.run(str(report.town_id), str(report.id))
    session.refresh(report)
    return report


def rows_of(report_facts: Any, form: str) -> dict[str, list[Any]]:
    """The rows of a form by the words of their second column, without number and name."""
    table = next(one for one in report_facts["tables"] if one["form"] == form)
    return {row[1]: row[2:] for row in table["rows"]}


def counted(session: Session) -> None:
    """What a worker does: count every report that waits."""
    for report in session.query(Report).filter_by(state=State.COUNTING):
        count_report.run(str(report.town_id), str(report.id))
    session.expire_all()


def made(browser: FlaskClient, session: Session, period: str = "month:2019-09", **more: str) -> str:
    """The address of a report that a browser had made and a worker counted."""
    address = browser.post("/reports", data={"period": period} | more).location
    counted(session)
    return str(address)
