"""Grounds for support: from a day, until a day, with the paper that proves them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change, note_change_of
from crm.clock import local_day
from crm.errors import RuleBroken
from crm.prospects.models import Prospect, Standing
from crm.prospects.rules import (
    PAPER_NEEDED,
    POVERTY,
    Ground,
    NewStanding,
    text_of,
)

EARLIEST, LATEST = date(1950, 1, 1), date(2150, 1, 1)
"""Days outside are slips of the finger."""


def _paper_of(
    ground: Ground, certificate: str | None, valid_from: date, valid_to: date | None, *, proof_later: bool
) -> str | None:
    """The paper of a ground as it is kept. Raises RuleBroken for what cannot be a ground with such days."""
    if ground is Ground.OTHER:
        raise RuleBroken(_l("«Other» is what holds when there is no ground; leave the ground out."), field="grounds")
    if not EARLIEST <= valid_from <= LATEST or (valid_to and valid_to > LATEST):
        raise RuleBroken(_l("This day is too far away. Correct the year."), field="grounds")
    if valid_to is not None and valid_to <= valid_from:
        raise RuleBroken(_l("The ground ends before it begins. Correct the days."), field="grounds")
    paper = text_of(certificate, "certificate")
    if ground is Ground.ETHNIC_MINORITY and not (paper or proof_later):
        raise RuleBroken(PAPER_NEEDED, field="certificate", code="proof_needed")
    return paper


def record_standing(
    session: Session,
    prospect: Prospect,
    ground: Ground,
    *,
    certificate: str | None,
    valid_from: date,
    valid_to: date | None,
    at: datetime,
    by: User | None,
    proof_later: bool = False,
) -> Standing:
    """A ground for support from a day until the day before `valid_to`. An earlier row of the same ground ends there;
    one from the same day is corrected. With `proof_later` the paper that shows it may still be missing.

    Raises RuleBroken."""
    paper = _paper_of(ground, certificate, valid_from, valid_to, proof_later=proof_later)
    _leave_to_the_household(session, prospect, ground, valid_from, valid_to)
    query = select(Standing).where(
        Standing.town_id == prospect.town_id, Standing.prospect_id == prospect.id, Standing.ground == ground
    )
    row: Standing | None = None
    for earlier in session.scalars(query):
        if earlier.valid_from == valid_from:
            row = earlier
        elif earlier.valid_from < valid_from and (earlier.valid_to is None or earlier.valid_to > valid_from):
            earlier.valid_to = valid_from
    if row is None:
        row = Standing(town_id=prospect.town_id, prospect_id=prospect.id, ground=ground, valid_from=valid_from)
        session.add(row)
    row.certificate, row.valid_to = paper, valid_to
    row.recorded_at, row.recorded_by_id = at, by.id if by else None
    note_change_of(
        session,
        prospect,
        "record_standing",
        by=by,
        at=at,
        after={"ground": ground.value, "certificate": paper, "since": str(valid_from), "until": last_day_of(valid_to)},
    )
    return row


def _leave_to_the_household(
    session: Session, prospect: Prospect, ground: Ground, valid_from: date, valid_to: date | None
) -> None:
    """Poverty is the household's on the days of its certificate. Raises RuleBroken."""
    if ground not in POVERTY:
        return
    theirs = select(Standing.id).where(
        Standing.town_id == prospect.town_id,
        Standing.prospect_id == prospect.id,
        Standing.certificate_id.is_not(None),
        Standing.valid_to > valid_from,
        *([Standing.valid_from < valid_to] if valid_to else []),
    )
    if session.scalar(theirs.limit(1)):
        raise RuleBroken(_OF_THE_HOUSEHOLD, field="ground", code="household_certificate")


_OF_THE_HOUSEHOLD = _l("This certificate belongs to the whole household. Change it on the household's page.")


def last_day_of(valid_to: date | None) -> str | None:
    """The last day on which a ground holds that ends on `valid_to`, as a record of changes keeps it."""
    return str(valid_to - timedelta(days=1)) if valid_to else None


def _days_of(standing: NewStanding, today: date) -> tuple[date, date | None]:
    """The first day of a ground that is given, and the day after its last."""
    return standing.since or today, min(standing.until, LATEST) + timedelta(days=1) if standing.until else None


def check_given(standing: NewStanding, today: date) -> None:
    """Raises RuleBroken for a ground that could not be recorded of anybody."""
    if standing.ground is not Ground.OTHER:
        since, until = _days_of(standing, today)
        _paper_of(standing.ground, standing.certificate, since, until, proof_later=True)


def record_given(session: Session, prospect: Prospect, standing: NewStanding, by: User, at: datetime) -> None:
    if standing.ground is Ground.OTHER:
        return
    since, until = _days_of(standing, local_day(at))
    record_standing(
        session,
        prospect,
        standing.ground,
        certificate=standing.certificate,
        valid_from=since,
        valid_to=until,
        at=at,
        by=by,
        proof_later=True,
    )


def name_paper(session: Session, standing: Standing, paper: str | None, *, at: datetime, by: User) -> None:
    """The paper that shows a ground which came without one; days and ground stay. Raises RuleBroken when it is not
    named, or another is there already."""
    named = text_of(paper, "certificate")
    if not named:
        raise RuleBroken(PAPER_NEEDED, field="paper", code="proof_needed")
    if standing.certificate_id or standing.certificate not in (None, named):
        raise RuleBroken(_l("A paper is named here already. Add a new certificate instead."), field="paper")
    if standing.certificate == named:
        return
    standing.certificate, standing.recorded_at, standing.recorded_by_id = named, at, by.id
    note_change(
        session,
        town_id=standing.town_id,
        user_id=by.id,
        act="record_standing",
        subject="prospect",
        subject_id=standing.prospect_id,
        at=at,
        before={"ground": standing.ground.value, "certificate": None},
        after={"ground": standing.ground.value, "certificate": named},
    )
    session.flush()


def end_standing(session: Session, standing: Standing, *, on: date, at: datetime, by: User | None) -> None:
    """The ground holds no more from this day on; one that had not begun yet never held. Raises RuleBroken when it is
    the household's."""
    if standing.certificate_id:
        raise RuleBroken(_OF_THE_HOUSEHOLD, code="household_certificate")
    before = last_day_of(standing.valid_to)
    if on <= standing.valid_from:
        session.delete(standing)
    else:
        standing.valid_to = on
    note_change(
        session,
        town_id=standing.town_id,
        user_id=by.id if by else None,
        act="end_standing",
        subject="prospect",
        subject_id=standing.prospect_id,
        at=at,
        before={"ground": standing.ground.value, "until": before},
        after={"ground": standing.ground.value, "until": last_day_of(on)},
    )
    session.flush()


def set_grounds(
    session: Session, prospect: Prospect, grounds: Iterable[NewStanding], *, by: User, at: datetime
) -> None:
    """Let these be the grounds from today on: those not named end today, new ones begin."""
    today, named = local_day(at), {standing.ground: standing for standing in grounds}
    held = session.scalars(
        select(Standing).where(Standing.town_id == prospect.town_id, Standing.prospect_id == prospect.id)
    ).all()
    for row in held:
        if row.valid_to is not None and row.valid_to <= today:
            continue
        given = named.pop(row.ground, None)
        if given is not None and (row.certificate_id or _says_what_is_there(given, row)):
            continue
        if given is None:
            end_standing(session, row, on=today, at=at, by=by)
        else:
            record_given(session, prospect, replace(given, since=given.since or row.valid_from), by, at)
    for standing in named.values():
        record_given(session, prospect, standing, by, at)


def _says_what_is_there(given: NewStanding, row: Standing) -> bool:
    """Whether a ground is only named, or sent back as it was read: it goes on, and no proof is asked for again."""
    if (given.certificate, given.since, given.until) == (None, None, None):
        return True
    return given.certificate == row.certificate and given.since == row.valid_from and given.until == row.last_day
