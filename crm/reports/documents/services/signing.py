"""Wording a report, signing it by a second person, sending and withdrawing it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change
from crm.clock import local_day
from crm.errors import Conflict, RuleBroken
from crm.places.models import Place
from crm.reports.documents.models import Report, ReportFile, ReportSnapshot, ReportTemplate
from crm.reports.documents.printing import excel, pdf, word
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import FINAL, KEPT, Form, Head, Section, State, check_signer, check_text, joined
from crm.reports.documents.services import papers
from crm.reports.documents.services.writing import keep_wording, reworded

LONGEST_WHY = 500
LETTERHEAD_CHANGED = _l(
    "A paper of this day carries another letterhead than the one you read. Read it again as it stands now."
)


def write(
    session: Session, report: Report, text: Mapping[Section, str], *, version: int, by: User, at: datetime
) -> None:
    """Another wording; every earlier one is kept. What somebody else changed meanwhile stays. Raises RuleBroken, and
    Conflict when both changed the same section."""
    _still_a_draft(report)
    clean, both = beside(session, report, check_text(text), version=version)
    if both:
        raise Conflict(
            _l("Somebody else has changed the text meanwhile. Your words stand below: compare, then save again."),
            code="changed_meanwhile",
        )
    if clean == finding.text_of(session, report):
        return
    keep_wording(session, report, clean, at=at, by_id=by.id)


def beside(
    session: Session, report: Report, mine: Mapping[Section, str], *, version: int
) -> tuple[dict[Section, str], dict[Section, str]]:
    """Words written from a wording together with what the text became meanwhile; and what stands now in the sections that
    both changed. Of a wording that there is not, every section that differs was changed by both."""
    now = finding.text_of(session, report)
    known = 0 < version <= report.wording
    base = finding.text_of(session, report, version) if known else dict.fromkeys(Section, "\0")
    together, both = joined(base, mine, now)
    return together, {section: now[section] for section in both}


def next_number(session: Session, report: Report, year: int) -> int:
    """The number that follows the last of the office's year."""
    last = session.scalar(
        select(func.max(Report.number)).where(
            Report.town_id == report.town_id, Report.year == year, Report.symbol == report.issued_by.symbol
        )
    )
    return (last or 0) + 1


def follow_letterhead(session: Session, report: Report, day: date, *, at: datetime) -> bool:
    """Whether the letterhead of a day is another than the one a draft shows; then the draft shows it from now on, as a
    further wording, for whoever signs to read. Raises RuleBroken, and Conflict."""
    _still_a_draft(report)
    snapshot = _figures_before(session, report, day, at)
    head, stood = _head_on(session, report, day), report.issued_by
    if head == stood:
        return False
    report.head = head.as_json()
    keep_wording(session, report, reworded(session, report, snapshot.facts, stood), at=at, by_id=None)
    return True


def _figures_before(session: Session, report: Report, day: date, at: datetime) -> ReportSnapshot:
    """The figures of a draft, where it may carry the date of a day. Raises RuleBroken."""
    snapshot = finding.snapshot_of(session, report)
    assert snapshot is not None, "a draft has figures"
    if day > local_day(at):
        raise RuleBroken(_l("The date on the paper lies ahead."), field="signed_on")
    if day < snapshot.as_of:
        raise RuleBroken(_l("The date on the paper lies before the last day of its figures."), field="signed_on")
    return snapshot


def _head_on(session: Session, report: Report, day: date) -> Head:
    place = session.get(Place, (report.town_id, report.place_id)) if report.place_id else None
    return finding.head_on(session, report.town_id, place, day)


def sign(
    session: Session,
    report: Report,
    *,
    version: int,
    template_id: UUID | None,
    number: int | None,
    signed_on: date,
    signer: str,
    by: User,
    at: datetime,
) -> None:
    """Number, date and sign a report for good, and keep its files: in the wording and the template (None: the shipped one)
    in which it was read. Raises RuleBroken, and Conflict."""
    _still_a_draft(report)
    check_signer(finding.writers_of(session, report), by.id)
    if report.wording != version:
        raise Conflict(
            _l("The text was changed after you looked at it. Read it again before you sign."), code="changed_meanwhile"
        )
    _figures_before(session, report, signed_on, at)
    head = _head_on(session, report, signed_on)
    if head != report.issued_by:
        raise Conflict(LETTERHEAD_CHANGED, code="letterhead_changed")
    report.head = replace(head, signer=signer.strip() or head.signer).as_json()
    papers.in_turn(session, report.town_id)
    template = finding.template_of(session, report.town_id, report.place_id)
    if (template.id if template else None) != template_id:
        raise Conflict(
            _l("The office has another Word template by now. Look at the file once more before you sign."),
            code="template_changed",
        )
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"report numbers {report.town_id}", 0))))
    given = number or next_number(session, report, signed_on.year)
    try:
        with session.begin_nested():
            report.state, report.signed_at, report.signed_by_id = State.SIGNED, at, by.id
            report.signed_on, report.year, report.symbol = signed_on, signed_on.year, head.symbol
            report.number = given
            report.template_id = template.id if template else None
            session.flush()
    except IntegrityError as refused:
        if "uq_report_town_id_year_symbol_number" not in str(refused.orig):
            raise
        raise RuleBroken(_l("This number was given to another report of the year already."), field="number") from None
    _keep_files(session, report, template)
    _note(session, report, "report_signed", by, at)


def _keep_files(session: Session, report: Report, template: ReportTemplate | None) -> None:
    paper = finding.paper_of(session, report)
    made = {
        Form.DOCX: word.document(paper, template.content if template else None),
        Form.XLSX: excel.workbook(paper),
        Form.PDF: pdf.document(paper),
    }
    for form in KEPT:
        content = made[form]
        session.add(
            ReportFile(
                town_id=report.town_id,
                report_id=report.id,
                form=form,
                content=content,
                digest=hashlib.sha256(content).hexdigest(),
            )
        )
    session.flush()


def send(session: Session, report: Report, *, sent_on: date, way: str, by: User, at: datetime) -> None:
    """Note that a signed report was sent. Raises RuleBroken, and Conflict."""
    if report.state is State.SENT:
        raise Conflict(_l("It is noted as sent already."), code="sent_already")
    if report.state is not State.SIGNED or report.signed_on is None:
        raise Conflict(_l("Only a signed report can be sent."), code="not_signed")
    if not report.signed_on <= sent_on <= local_day(at):
        raise RuleBroken(_l("It can be sent from the day it was signed until today."), field="sent_on")
    report.sent_by_id, report.sent_at = by.id, at
    report.state, report.sent_on, report.sent_way = State.SENT, sent_on, way.strip() or None
    session.flush()
    _note(session, report, "report_sent", by, at)


def withdraw(session: Session, report: Report, why: str, *, by: User, at: datetime) -> None:
    """Take a report back; it stays on record, and another of the period can be made. Raises RuleBroken, and Conflict."""
    if report.state is State.WITHDRAWN:
        raise Conflict(_l("It was withdrawn already."), code="withdrawn_already")
    if not why.strip():
        raise RuleBroken(_l("Write why the report is withdrawn."), field="why")
    report.withdrawn_by_id = by.id
    report.state, report.withdrawn_at = State.WITHDRAWN, at
    report.withdrawn_why = why.strip()[:LONGEST_WHY]
    session.flush()
    _note(session, report, "report_withdrawn", by, at, why=report.withdrawn_why)


def _still_a_draft(report: Report) -> None:
    if report.state is State.COUNTING:
        raise Conflict(_l("It is being counted at this moment. Wait until that is done."), code="counting")
    if report.state in FINAL:
        raise Conflict(_l("This report is signed: nothing of it changes any more."), code="signed")
    if report.state is State.WITHDRAWN:
        raise Conflict(_l("This report was withdrawn."), code="withdrawn_already")


def _note(session: Session, report: Report, act: str, by: User, at: datetime, **more: str) -> None:
    told = {"period": report.period, "number": report.number, "symbol": report.symbol} | more
    note_change(
        session,
        town_id=report.town_id,
        user_id=by.id,
        act=act,
        subject="report",
        subject_id=report.id,
        at=at,
        after=dict(told),
    )
