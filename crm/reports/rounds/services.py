"""Opening a round, taking in what units send, sending it back, excusing a unit or asking it again, moving the last day, closing.

Acts on what is owed hold the round, so that it cannot be closed in between; the database refuses what would come after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.accounts.models import Organisation, User
from crm.accounts.rules import OrganisationKind
from crm.accounts.services import note_change
from crm.clock import local_day
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.lines import line, paragraphs
from crm.participation.rules import Span
from crm.places.models import Place
from crm.places.queries import units
from crm.reports.documents.rules import digest_of
from crm.reports.events import queries as events
from crm.reports.events.models import PublicEvent
from crm.reports.events.rules import EventKind
from crm.reports.periods import ReportKind, span_of
from crm.reports.rounds import knowing, queries
from crm.reports.rounds.models import ReportingRound, ReportingRule, ReportOwed, ReportReturn, ReportSubmission
from crm.reports.rounds.rules import (
    KINDS,
    LONGEST_NOTE,
    LONGEST_WHY,
    Deadline,
    Figure,
    Own,
    State,
    Who,
    as_json,
    check_own,
    ends,
    group_of,
    periods_around,
)

# ---- the rule and the rounds made from it


def set_rule(
    session: Session,
    kind: ReportKind,
    deadline: Deadline,
    owed_by: Sequence[Who],
    source: str,
    *,
    valid_from: date,
    by: User,
    at: datetime,
) -> ReportingRule:
    """Until when and by whom reports of a kind are owed, for periods that end on a day or later. Rounds that have begun
    keep their last day. Raises RuleBroken."""
    if not source.strip():
        raise RuleBroken(_l("Write what says so: a document, or who decided it."), field="source")
    row = ReportingRule(
        town_id=by.town_id,
        kind=kind,
        valid_from=valid_from,
        **deadline._asdict(),
        owed_by=[one.value for one in Who if one in owed_by],
        source=source.strip(),
        recorded_at=at,
        recorded_by_id=by.id,
    )
    session.add(row)
    session.flush()
    return row


def open_round(
    session: Session, town_id: UUID, kind: ReportKind, period: str, *, by: User | None, at: datetime
) -> ReportingRound:
    """The round of a period: the one there is, or a new one with all who owe in it. Raises RuleBroken."""
    first, last = ends(kind, period)
    if first > local_day(at):
        raise RuleBroken(_l("This period has not begun yet."), field="period")
    rule = queries.rule_on(session, town_id, kind, last)
    if rule is None or not rule.owed_by:
        raise RuleBroken(_l("No rule says who owes this report: set the deadlines first."), field="period")
    due_on = rule.deadline.due(last)
    made = session.scalar(
        insert(ReportingRound)
        .values(
            town_id=town_id,
            id=new_id(),
            kind=kind,
            period=period,
            due_on=due_on,
            opened_at=at,
            opened_by_id=by.id if by else None,
        )
        .on_conflict_do_nothing(constraint="uq_reporting_round_town_id_kind_period")
        .returning(ReportingRound.id)
    )
    if made is not None:
        _owe(session, town_id, made, [Who(one) for one in rule.owed_by], min(last, due_on))
        note_act(session, town_id, made, "reporting_round_opened", by, at, period=period)
    found = session.scalars(
        select(ReportingRound).where(
            ReportingRound.town_id == town_id, ReportingRound.kind == kind, ReportingRound.period == period
        )
    )
    return found.one()


def _owe(session: Session, town_id: UUID, round_id: UUID, groups: Sequence[Who], day: date) -> None:
    """A row for each unit that owes: the wards of a day, and the organisations of these groups."""
    owing: list[dict[str, UUID]] = []
    if Who.WARDS in groups:
        owing += [{"place_id": place.id} for place in session.scalars(units(town_id, day))]
    of_the_day = or_(Organisation.valid_to.is_(None), Organisation.valid_to > day)
    known = select(Organisation).where(
        Organisation.town_id == town_id, Organisation.parent_id.is_(None), Organisation.valid_from <= day, of_the_day
    )
    owing += [{"organisation_id": one.id} for one in session.scalars(known) if group_of(one.kind) in groups]
    for unit in owing:
        session.add(ReportOwed(town_id=town_id, round_id=round_id, state=State.WAITING, version=0, **unit))
    session.flush()


def open_due(session: Session, town_id: UUID, *, at: datetime) -> int:
    """Begin the rounds whose day has come, and none whose last day is past; how many. Safe to run again."""
    today, opened = local_day(at), 0
    for kind in KINDS:
        for period in periods_around(kind, today):
            first, last = ends(kind, period)
            rule = queries.rule_on(session, town_id, kind, last)
            begins = rule is not None and rule.owed_by and rule.deadline.opens(last) <= today <= rule.deadline.due(last)
            there = select(ReportingRound.id).where(
                ReportingRound.town_id == town_id, ReportingRound.kind == kind, ReportingRound.period == period
            )
            if begins and first <= today and session.scalar(there) is None:
                open_round(session, town_id, kind, period, by=None, at=at)
                opened += 1
    return opened


def move_last_day(session: Session, row: ReportingRound, due_on: date, *, by: User, at: datetime) -> None:
    """Give an open round another last day. Raises RuleBroken, and Conflict when it is closed."""
    _still_open(row)
    first, _last = ends(ReportKind(row.kind), row.period)
    if due_on < first:
        raise RuleBroken(_l("The last day lies before the period begins."), field="due_on")
    if due_on.year > first.year + 2:
        raise RuleBroken(_l("The last day lies too far ahead."), field="due_on")
    was, row.due_on = row.due_on, due_on
    session.flush()
    told = {"was": was.isoformat(), "due_on": due_on.isoformat()}
    note_act(session, row.town_id, row.id, "reporting_round_moved", by, at, **told)


def close(session: Session, row: ReportingRound, *, by: User, at: datetime) -> None:
    """Nothing of the round changes any more; what has not come stays named as missing. Raises Conflict."""
    _still_open(row)
    row.closed_at, row.closed_by_id = at, by.id
    session.flush()
    note_act(session, row.town_id, row.id, "reporting_round_closed", by, at)


# ---- what a unit sends


def known_of(session: Session, owed: ReportOwed, row: ReportingRound, today: date) -> dict[str, Any]:
    """The program's figures of the unit in the round's period, up to today: several queries, so ask within `one_moment()`
    where they are to be frozen. Raises RuleBroken before it begins."""
    span = span_of(ReportKind(row.kind), row.period, today)
    if owed.place_id:
        return knowing.of_place(session, session.get_one(Place, (owed.town_id, owed.place_id)), span)
    assert owed.organisation_id is not None, "one of both is named"
    return knowing.of_organisation(session, owed.town_id, owed.organisation_id, span)


def logged_of(session: Session, owed: ReportOwed, row: ReportingRound, today: date) -> dict[Own, Figure]:
    """What of a unit's own figures follows from the events it logged in the period; what it did not log is not known."""
    first, last = ends(ReportKind(row.kind), row.period)
    committees = select(Organisation.id).where(
        Organisation.town_id == owed.town_id, Organisation.kind == OrganisationKind.PEOPLES_COMMITTEE
    )
    of_the_ward = or_(PublicEvent.organisation_id.is_(None), PublicEvent.organisation_id.in_(committees))
    led = (
        (PublicEvent.place_id == owed.place_id) & of_the_ward
        if owed.place_id
        else PublicEvent.organisation_id == owed.organisation_id
    )
    found = events.sums(session, owed.town_id, Span(first, max(first, min(last, today))), led)
    if not found:
        return {}
    source = gettext("the register's events")
    held = found.get(EventKind.MEETING, events.Sums(0, 0, 0)), found.get(EventKind.STALL, events.Sums(0, 0, 0))
    numbers = {
        Own.SESSIONS: sum(one.times for one in held),
        Own.ATTENDED: sum(one.attended for one in found.values()),
        Own.LEAFLETS: sum(one.leaflets for one in found.values()),
        Own.DIALOGUES: found[EventKind.DIALOGUE].times if EventKind.DIALOGUE in found else 0,
        Own.BROADCASTS: found[EventKind.BROADCAST].times if EventKind.BROADCAST in found else 0,
    }
    return {own: Figure(number, source) for own, number in numbers.items() if number}


def submit(
    session: Session,
    owed: ReportOwed,
    row: ReportingRound,
    own: Mapping[Own, tuple[int | None, str | None]],
    note: str | None,
    *,
    who: Who,
    known: dict[str, Any],
    knowing_version: int,
    by: User,
    at: datetime,
) -> ReportSubmission:
    """Take in a unit's report: its own figures beside the program's (`known_of`, all of one moment), both frozen; a later
    one is a further version. The same once more changes nothing. Raises RuleBroken, and Conflict when it was sent by somebody else
    meanwhile or the round is closed."""
    _still_open(row)
    if owed.state is State.EXCUSED:
        raise Conflict(_l("This unit need not report in this round."), code="excused")
    told = as_json(check_own(own, who))
    words = paragraphs(note, LONGEST_NOTE, "note") or None
    last = _last(session, owed)
    same = (told, words, known, by.id, State.SUBMITTED)
    if last and (last.own, last.note, last.known, last.submitted_by_id, owed.state) == same:
        return last
    if owed.version != knowing_version:
        raise Conflict(
            _l("Somebody else has sent this report meanwhile. Look at theirs, then change it if needed."),
            code="changed_meanwhile",
        )
    made = ReportSubmission(
        town_id=owed.town_id,
        owed_id=owed.id,
        version=owed.version + 1,
        follows=owed.version or None,
        known=known,
        own=told,
        note=words,
        digest=digest_of({"known": known, "own": told, "note": words}),
        submitted_at=at,
        submitted_by_id=by.id,
    )
    session.add(made)
    session.flush()
    owed.version, owed.state, owed.came_at = made.version, State.SUBMITTED, owed.came_at or at
    session.flush()
    note_act(session, owed.town_id, owed.id, "report_submitted", by, at, version=made.version)
    return made


def send_back(session: Session, owed: ReportOwed, row: ReportingRound, why: str, *, by: User, at: datetime) -> None:
    """Return what came for correction, with the reason. Raises RuleBroken, and Conflict when nothing waits here."""
    _still_open(row)
    if owed.state is not State.SUBMITTED:
        raise Conflict(_l("There is nothing here to return: it has not come, or was returned already."), code="nothing")
    words = _reason(why, _l("Write what is to be corrected."))
    session.add(
        ReportReturn(
            town_id=owed.town_id,
            owed_id=owed.id,
            version=owed.version,
            why=words,
            returned_at=at,
            returned_by_id=by.id,
        )
    )
    owed.state = State.RETURNED
    session.flush()
    note_act(session, owed.town_id, owed.id, "report_returned", by, at, version=owed.version)


def excuse(session: Session, owed: ReportOwed, row: ReportingRound, why: str, *, by: User, at: datetime) -> None:
    """A unit need not report in this round, for a reason. Raises RuleBroken, and Conflict when its report has come."""
    _still_open(row)
    if owed.version or owed.state is not State.WAITING:
        raise Conflict(_l("Its report has come already, or it is excused already."), code="came")
    owed.state, owed.excused_why = State.EXCUSED, _reason(why, _l("Write why it need not report."))
    session.flush()
    note_act(session, owed.town_id, owed.id, "report_excused", by, at, why=owed.excused_why)


def ask_again(session: Session, owed: ReportOwed, row: ReportingRound, *, by: User, at: datetime) -> None:
    """Take an excuse back: the unit owes its report again. Raises Conflict when it is not excused or the round is closed."""
    _still_open(row)
    if owed.state is not State.EXCUSED:
        raise Conflict(_l("This unit is not excused: it owes its report."), code="not_excused")
    why = owed.excused_why
    owed.state, owed.excused_why = State.WAITING, None
    session.flush()
    note_act(session, owed.town_id, owed.id, "report_asked_again", by, at, excused_why=why)


def _last(session: Session, owed: ReportOwed) -> ReportSubmission | None:
    return session.scalar(
        select(ReportSubmission).where(
            ReportSubmission.town_id == owed.town_id,
            ReportSubmission.owed_id == owed.id,
            ReportSubmission.version == owed.version,
        )
    )


def _reason(why: str, missing: Any) -> str:
    return line(why, LONGEST_WHY, "why", missing)


def _still_open(row: ReportingRound) -> None:
    if row.closed_at is not None:
        raise Conflict(_l("This round is closed: nothing of it changes any more."), code="round_closed")


def note_act(
    session: Session, town_id: UUID, key: UUID, act: str, by: User | None, at: datetime, **told: object
) -> None:
    """Keep in the book of changes what was done to a round, or to what a unit owes in it."""
    subject = "reporting_round" if act.startswith("reporting") else "report_owed"
    note_change(
        session,
        town_id=town_id,
        user_id=by.id if by else None,
        act=act,
        subject=subject,
        subject_id=key,
        at=at,
        after=dict(told),
    )
