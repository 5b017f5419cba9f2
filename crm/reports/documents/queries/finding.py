"""Which reports there are, who sees them, and all that one is made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, select, true, tuple_
from sqlalchemy.orm import Session, defer

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.errors import NotFound
from crm.places.models import Place
from crm.places.queries import units
from crm.reports.documents.figures import Wanted
from crm.reports.documents.models import (
    Report,
    ReportFile,
    ReportLetterhead,
    ReportSnapshot,
    ReportTemplate,
    ReportText,
)
from crm.reports.documents.paper import Paper
from crm.reports.documents.queries.naming import town_called
from crm.reports.documents.rules import FINAL, Form, Head, Section, State, issues_for, usual_head, written_number
from crm.reports.documents.wording import first_wording
from crm.reports.periods import ReportKind, span_of
from crm.web.pager import Page, read_cursor, write_cursor

STANDS_STILL = timedelta(minutes=2)


# ---- who sees what


def seen_by(scope: Scope) -> ColumnElement[bool]:
    """Reports somebody may see: all of the town; whoever leads a place, those of that place. Who leads an organisation
    has none: no report is of an organisation alone."""
    ours = Report.town_id == scope.town_id
    if scope.reach is Reach.ALL:
        return ours
    if scope.reach is Reach.UNIT and scope.organisation_id is None and scope.place_ids is not None:
        return and_(ours, Report.place_id.in_(scope.place_ids))
    return and_(ours, false())


def places_for(session: Session, scope: Scope, today: date) -> Sequence[Place]:
    """The wards and communes of which somebody may make a report today."""
    found = session.scalars(units(scope.town_id, today)).all()
    if scope.reach is Reach.ALL:
        return found
    mine = scope.place_ids or ()
    led = scope.reach is Reach.UNIT and scope.organisation_id is None
    return [place for place in found if led and place.id in mine]


def place_for(session: Session, scope: Scope, place_id: UUID | None, today: date) -> Place | None:
    """The place a report may be made of; None for the whole town. Raises NotFound when somebody may not."""
    if place_id is None:
        if scope.reach is not Reach.ALL:
            raise NotFound
        return None
    if scope.reach is Reach.ALL:
        place = session.get(Place, (scope.town_id, place_id))
        if place is None or not issues_for(place.kind):
            raise NotFound
        return place
    for place in places_for(session, scope, today):
        if place.id == place_id:
            return place
    raise NotFound


def report_seen(session: Session, scope: Scope, report_id: UUID, *, lock: bool = False) -> Report:
    """One report somebody may see. Raises NotFound."""
    query: Any = select(Report).where(seen_by(scope), Report.id == report_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found: Report | None = session.scalar(query)
    if found is None:
        raise NotFound
    return found


def page_of(session: Session, scope: Scope, *, cursor: str | None, size: int = 30) -> Page[Report]:
    """One page of them, the last opened first."""
    query = select(Report).where(seen_by(scope)).order_by(Report.opened_at.desc(), Report.id.desc())
    if cursor:
        position = read_cursor(cursor, (datetime.fromisoformat, UUID))
        query = query.where(tuple_(Report.opened_at, Report.id) < tuple_(*position))
    found = session.scalars(query.limit(size + 1)).all()
    last = found[size - 1] if len(found) > size else None
    return Page(found[:size], write_cursor((last.opened_at, last.id)) if last else None)


def standing(session: Session, town_id: UUID, kind: ReportKind, period: str, place_id: UUID | None) -> Report | None:
    """The report of a period and place that was not withdrawn."""
    return session.scalar(
        select(Report).where(
            Report.town_id == town_id,
            Report.kind == kind,
            Report.period == period,
            Report.place_id.is_not_distinct_from(place_id),
            Report.state != State.WITHDRAWN,
        )
    )


def standing_still(at: datetime) -> Select[Report]:
    """Reports on whose figures nobody works although they are to be counted."""
    return select(Report).where(Report.state == State.COUNTING, Report.heartbeat_at < at - STANDS_STILL)


# ---- what one is made of


def wanted(session: Session, report: Report, today: date) -> Wanted:
    """What a report asks to be counted, as of today."""
    place = session.get(Place, (report.town_id, report.place_id)) if report.place_id else None
    kind = ReportKind(report.kind)
    return Wanted(kind, report.period, span_of(kind, report.period, today), place, report.drawn_on)


def snapshot_of(session: Session, report: Report) -> ReportSnapshot | None:
    """The figures a report stands on."""
    return session.get(ReportSnapshot, (report.town_id, report.snapshot_id)) if report.snapshot_id else None


def latest_snapshot(session: Session, town_id: UUID, asked: Wanted) -> ReportSnapshot | None:
    """The last count of the same: period, place, last day and boundaries."""
    return session.scalar(
        select(ReportSnapshot)
        .where(
            ReportSnapshot.town_id == town_id,
            ReportSnapshot.kind == asked.kind,
            ReportSnapshot.period == asked.period,
            ReportSnapshot.place_id.is_not_distinct_from(asked.place.id if asked.place else None),
            ReportSnapshot.as_of == asked.span.as_of,
            ReportSnapshot.drawn_on == asked.drawn if asked.drawn else true(),
        )
        .order_by(ReportSnapshot.taken_at.desc(), ReportSnapshot.serial.desc())
        .limit(1)
    )


def texts_of(session: Session, report: Report) -> Sequence[tuple[ReportText, str | None]]:
    """Every wording and who left it so, the last first."""
    query = (
        select(ReportText, User.full_name)
        .outerjoin(User, (User.town_id == ReportText.town_id) & (User.id == ReportText.written_by_id))
        .where(ReportText.town_id == report.town_id, ReportText.report_id == report.id)
        .order_by(ReportText.version.desc())
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def text_of(session: Session, report: Report, version: int | None = None) -> dict[Section, str]:
    """One wording, by default the one that holds. Raises NotFound."""
    row = session.scalar(
        select(ReportText).where(
            ReportText.town_id == report.town_id,
            ReportText.report_id == report.id,
            ReportText.version == (report.wording if version is None else version),
        )
    )
    if row is None:
        raise NotFound
    return {section: str(row.sections.get(section.value, "")) for section in Section}


def writers_of(session: Session, report: Report) -> list[UUID]:
    """Everybody who worked on a report: they do not sign it."""
    query = select(ReportText.written_by_id).where(
        ReportText.town_id == report.town_id,
        ReportText.report_id == report.id,
        ReportText.written_by_id.is_not(None),
    )
    return [report.opened_by_id, report.counted_for_id, *(one for one in session.scalars(query) if one)]


def paper_of(session: Session, report: Report, version: int | None = None) -> Paper:
    """A report as it is printed. Raises NotFound while it is counted for the first time."""
    snapshot = snapshot_of(session, report)
    if snapshot is None:
        raise NotFound
    return paper(
        snapshot,
        text_of(session, report, version),
        report.issued_by,
        number=report.number,
        day=report.signed_on,
        replaces=replaced_by(session, report),
        withdrawn=report.state is State.WITHDRAWN,
    )


def paper(
    snapshot: ReportSnapshot,
    text: dict[Section, str] | None,
    head: Head,
    *,
    number: int | None = None,
    day: date | None = None,
    replaces: str = "",
    withdrawn: bool = False,
) -> Paper:
    """Frozen figures on paper; without a text in the program's own first wording."""
    return Paper(
        facts=snapshot.facts,
        text=text or first_wording(snapshot.facts, head),
        head=head,
        number=number,
        day=day,
        label=snapshot.label,
        digest=snapshot.digest,
        taken_at=snapshot.taken_at,
        replaces=replaces,
        withdrawn=withdrawn,
    )


def replaced_by(session: Session, report: Report) -> str:
    """The number of the signed report of the same period that was withdrawn before this one was opened; or nothing."""
    row = session.scalar(
        select(Report)
        .where(
            Report.town_id == report.town_id,
            Report.kind == report.kind,
            Report.period == report.period,
            Report.place_id.is_not_distinct_from(report.place_id),
            Report.state == State.WITHDRAWN,
            Report.signed_at.is_not(None),
            Report.withdrawn_at <= report.opened_at,
            Report.id != report.id,
        )
        .order_by(Report.withdrawn_at.desc())
        .limit(1)
    )
    if row is None or row.symbol is None or row.signed_on is None:
        return ""
    return f"{written_number(row.number, row.symbol).removeprefix('Số: ')} ngày {row.signed_on:%d/%m/%Y}"


def file_of(session: Session, report: Report, form: Form) -> ReportFile | None:
    """The file as it was signed; None of what is not signed or not kept."""
    if report.signed_at is None:
        return None
    return session.scalar(
        select(ReportFile).where(
            ReportFile.town_id == report.town_id, ReportFile.report_id == report.id, ReportFile.form == form
        )
    )


def signed_report(session: Session, town_id: UUID, asked: Wanted) -> Report | None:
    """The signed report of a period that was counted to the same day, in the same boundaries where these were asked for."""
    found = standing(session, town_id, asked.kind, asked.period, asked.place.id if asked.place else None)
    if found is None or found.state not in FINAL:
        return None
    snapshot = snapshot_of(session, found)
    same = snapshot is not None and snapshot.as_of == asked.span.as_of
    drawn_alike = snapshot is not None and asked.drawn in (None, snapshot.drawn_on)
    return found if same and drawn_alike else None


def names_of(session: Session, town_id: UUID, ids: Collection[UUID | None]) -> dict[UUID, str]:
    """The names of people by id."""
    query = select(User.id, User.full_name).where(User.town_id == town_id, User.id.in_([one for one in ids if one]))
    return {row[0]: row[1] for row in session.execute(query)}


def place_names(session: Session, town_id: UUID, ids: Collection[UUID | None]) -> dict[UUID, str]:
    """The names of places by id."""
    query = select(Place.id, Place.name).where(Place.town_id == town_id, Place.id.in_([one for one in ids if one]))
    return {row[0]: row[1] for row in session.execute(query)}


# ---- what an office says of its paper


def head_on(session: Session, town_id: UUID, place: Place | None, day: date) -> Head:
    """What stands on papers of an office on a day: what it said last, or the usual."""
    row = session.scalar(
        select(ReportLetterhead)
        .where(
            ReportLetterhead.town_id == town_id,
            ReportLetterhead.place_id.is_not_distinct_from(place.id if place else None),
            ReportLetterhead.valid_from <= day,
        )
        .order_by(ReportLetterhead.valid_from.desc(), ReportLetterhead.recorded_at.desc())
        .limit(1)
    )
    if row is not None:
        return Head.from_json(row.head)
    return usual_head(town_called(session, town_id, day), place.name if place else None, day)


def letterheads(session: Session, town_id: UUID, place_id: UUID | None) -> Sequence[ReportLetterhead]:
    """What an office said of its papers, the latest day first."""
    query = (
        select(ReportLetterhead)
        .where(ReportLetterhead.town_id == town_id, ReportLetterhead.place_id.is_not_distinct_from(place_id))
        .order_by(ReportLetterhead.valid_from.desc(), ReportLetterhead.recorded_at.desc())
    )
    return session.scalars(query).all()


def template_of(session: Session, town_id: UUID, place_id: UUID | None) -> ReportTemplate | None:
    """The template an office uses; None: the one shipped."""
    row = session.scalar(_templates(town_id, place_id).limit(1))
    return row if row is not None and row.content is not None else None


def template_id_of(session: Session, report: Report) -> UUID | None:
    """Which template a report is made in that is signed now; None: the one shipped."""
    row = session.execute(
        _templates(report.town_id, report.place_id).with_only_columns(ReportTemplate.id, ReportTemplate.name).limit(1)
    ).one_or_none()
    return row.id if row is not None and row.name is not None else None


def own_template_named(session: Session, report: Report) -> str | None:
    """The name of the office's own template in which a report was signed, or in which a draft is made; None: the shipped."""
    ours = ReportTemplate.town_id == report.town_id
    if report.signed_at is not None:
        return session.scalar(select(ReportTemplate.name).where(ours, ReportTemplate.id == report.template_id))
    name: str | None = session.scalar(
        _templates(report.town_id, report.place_id).with_only_columns(ReportTemplate.name).limit(1)
    )
    return name


def templates(session: Session, town_id: UUID, place_id: UUID | None, most: int = 50) -> Sequence[ReportTemplate]:
    """Every change of an office's template, the last first, without the files."""
    query = _templates(town_id, place_id).options(defer(ReportTemplate.content)).limit(most)
    return session.scalars(query).all()


def template_seen(session: Session, scope: Scope, template_id: UUID) -> ReportTemplate:
    """One template somebody may see. Raises NotFound."""
    row = session.get(ReportTemplate, (scope.town_id, template_id))
    mine = scope.reach is Reach.ALL or (row is not None and row.place_id in (scope.place_ids or ()))
    if row is None or row.content is None or not mine or scope.organisation_id is not None:
        raise NotFound
    return row


def _templates(town_id: UUID, place_id: UUID | None) -> Any:
    return (
        select(ReportTemplate)
        .where(ReportTemplate.town_id == town_id, ReportTemplate.place_id.is_not_distinct_from(place_id))
        .order_by(ReportTemplate.version.desc())
    )
