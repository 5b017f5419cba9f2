"""Opening a report, and freezing its figures: claimed, counted, recorded, so that a worker may die in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change
from crm.clock import local_day
from crm.errors import Conflict
from crm.ids import new_id
from crm.participation.rules import Span
from crm.places.models import Place, Town
from crm.reports.documents import figures
from crm.reports.documents.figures import Wanted
from crm.reports.documents.models import Report, ReportSnapshot
from crm.reports.documents.queries import finding
from crm.reports.documents.rules import Head, State, Text, digest_of
from crm.reports.documents.services.writing import keep_wording, reworded
from crm.reports.documents.wording import first_wording
from crm.reports.periods import ReportKind, span_of


def open_report(
    session: Session, kind: ReportKind, period: str, place: Place | None, drawn: date | None, *, by: User, at: datetime
) -> Report:
    """The report of a period: the one there is, or a new one that waits to be counted. Raises RuleBroken."""
    today = local_day(at)
    span_of(kind, period, today)
    place_id = place.id if place else None
    head = finding.head_on(session, by.town_id, place, today)
    opened = insert(Report).values(
        town_id=by.town_id,
        id=new_id(),
        kind=kind,
        period=period,
        place_id=place_id,
        drawn_on=drawn,
        state=State.COUNTING,
        wording=0,
        parts=0,
        head=head.as_json(),
        opened_at=at,
        opened_by_id=by.id,
        counted_for_id=by.id,
        heartbeat_at=at,
    )
    session.execute(opened.on_conflict_do_nothing())
    found = finding.standing(session, by.town_id, kind, period, place_id)
    assert found is not None, "it was there or was just opened"
    return found


def count_again(session: Session, report: Report, drawn: date | None, *, by: User, at: datetime) -> None:
    """Have a draft counted anew, in other boundaries if asked. Raises Conflict when it is no draft any more."""
    if report.state is State.COUNTING:
        raise Conflict(_l("It is being counted at this moment. Wait until that is done."), code="counting")
    if report.state is not State.DRAFT:
        raise Conflict(
            _l("This report is signed: its figures stay. What changed since appears in the next report."), code="signed"
        )
    report.state, report.parts, report.heartbeat_at = State.COUNTING, 0, at
    report.drawn_on, report.counted_for_id = drawn, by.id
    session.flush()


# ---- claim, do, record


def claim(session: Session, town_id: UUID, report_id: UUID, *, at: datetime) -> Report | None:
    """Take a report to count; None when it is counted, or somebody else is at it."""
    free = or_(Report.parts == 0, Report.heartbeat_at < at - finding.STANDS_STILL)
    return session.scalar(
        update(Report)
        .where(Report.town_id == town_id, Report.id == report_id, Report.state == State.COUNTING, free)
        .values(parts=1, heartbeat_at=at)
        .returning(Report)
        .execution_options(populate_existing=True)
    )


def count(
    session: Session, report: Report, *, at: datetime, counted: Callable[[int], None] = lambda _part: None
) -> Any:
    """The figures a report asks for, as they are now. Writes nothing."""
    town = session.get_one(Town, report.town_id)
    return figures.gather(session, town, finding.wanted(session, report, local_day(at)), counted)


def beat(session: Session, town_id: UUID, report_id: UUID, part: int, *, at: datetime) -> None:
    """Say how far it is."""
    session.execute(
        update(Report)
        .where(Report.town_id == town_id, Report.id == report_id, Report.state == State.COUNTING)
        .values(parts=part, heartbeat_at=at)
        .execution_options(synchronize_session=False)
    )


def record(session: Session, report: Report, facts: Any, *, at: datetime) -> None:
    """Freeze the figures and word what people have not worded themselves. Once: whoever comes second changes nothing."""
    held = session.scalar(
        select(Report)
        .where(Report.town_id == report.town_id, Report.id == report.id, Report.state == State.COUNTING)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if held is None:
        return
    before = finding.snapshot_of(session, held)
    asked = finding.wanted(session, held, local_day(at))
    counted = Span(date.fromisoformat(facts["since"]), date.fromisoformat(facts["as_of"]))
    snapshot = freeze(session, held.town_id, asked._replace(span=counted), facts, by=held.counted_for_id, at=at)
    place = session.get(Place, (held.town_id, held.place_id)) if held.place_id else None
    head, held.head = held.issued_by, finding.head_on(session, held.town_id, place, local_day(at)).as_json()
    held.snapshot_id = snapshot.id
    _word(session, held, before, head, snapshot, at)
    held.state, held.heartbeat_at, held.parts = State.DRAFT, at, figures.PARTS
    session.flush()
    note_change(
        session,
        town_id=held.town_id,
        user_id=held.counted_for_id,
        act="report_counted",
        subject="report",
        subject_id=held.id,
        at=at,
        after={"snapshot": snapshot.label, "digest": snapshot.digest},
    )


def _word(
    session: Session,
    report: Report,
    before: ReportSnapshot | None,
    head: Head,
    snapshot: ReportSnapshot,
    at: datetime,
) -> None:
    """Sections nobody changed follow the new figures; what somebody wrote stays. Other figures or another letterhead are a
    further wording even under the same words, so that nobody signs what they have not read."""
    fresh: Text = first_wording(snapshot.facts, report.issued_by)
    if report.wording and before is not None:
        fresh = reworded(session, report, before.facts, head)
        same = before.digest == snapshot.digest and head == report.issued_by
        if same and fresh == finding.text_of(session, report):
            return
    keep_wording(session, report, fresh, at=at, by_id=None)


def freeze(
    session: Session, town_id: UUID, asked: Wanted, facts: Any, *, by: UUID | None, at: datetime
) -> ReportSnapshot:
    """The figures with a number and a seal; the last count again when it said the same."""
    _in_turn(session, town_id)
    digest, drawn = digest_of(facts), date.fromisoformat(facts["boundaries"])
    last = finding.latest_snapshot(session, town_id, asked._replace(drawn=drawn))
    if last is not None and last.digest == digest:
        return last
    year = local_day(at).year
    before = session.scalar(
        select(func.max(ReportSnapshot.serial)).where(ReportSnapshot.town_id == town_id, ReportSnapshot.year == year)
    )
    row = _snapshot(town_id, asked, facts, at)
    row.serial, row.follows, row.taken_by_id = (before or 0) + 1, before, by
    session.add(row)
    session.flush()
    return row


def _snapshot(town_id: UUID, asked: Wanted, facts: Any, at: datetime) -> ReportSnapshot:
    """Figures that have no number yet."""
    return ReportSnapshot(
        town_id=town_id,
        year=local_day(at).year,
        serial=0,
        kind=asked.kind,
        period=asked.period,
        place_id=asked.place.id if asked.place else None,
        since=asked.span.since,
        as_of=asked.span.as_of,
        drawn_on=date.fromisoformat(facts["boundaries"]),
        facts=facts,
        digest=digest_of(facts),
        taken_at=at,
    )


def _in_turn(session: Session, town_id: UUID) -> None:
    """Snapshots of a town are numbered one after the other; whoever comes second waits."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"report snapshots {town_id}", 0))))


def frozen_or_counted(
    session: Session, town: Town, asked: Wanted, gather: Callable[[], Any], *, again: bool, at: datetime
) -> ReportSnapshot:
    """The figures of a period for the command: those of its signed report; of a day that is over those that were frozen
    first, or now for the first time by `gather`; of today they are counted and kept nowhere."""
    signed = finding.signed_report(session, town.id, asked)
    kept = finding.snapshot_of(session, signed) if signed else None
    over = asked.span.as_of < local_day(at)
    if kept is None and over and not again:
        kept = finding.latest_snapshot(session, town.id, asked)
    if kept is not None:
        return kept
    facts = gather()
    if over:
        return freeze(session, town.id, asked, facts, by=None, at=at)
    return _snapshot(town.id, asked, facts, at)
