"""The members' standings follow the household's certificates: each day, who lives there has what the household has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change
from crm.prospects.households.models import HouseholdCertificate, HouseholdMember
from crm.prospects.households.rules import Held, Paper, Stay, held
from crm.prospects.models import Household, Prospect, Standing
from crm.prospects.rules import POVERTY
from crm.prospects.services.standing import last_day_of


def stays_of(session: Session, household: Household) -> list[Stay]:
    """Who lived there from when to when, merged records included; who has no row has always lived there."""
    rows = session.scalars(
        select(HouseholdMember)
        .where(HouseholdMember.town_id == household.town_id, HouseholdMember.household_id == household.id)
        .order_by(HouseholdMember.since.nulls_first(), HouseholdMember.id)
    ).all()
    open_now = {row.prospect_id for row in rows if row.until is None}
    here = session.scalars(
        select(Prospect.id).where(Prospect.town_id == household.town_id, Prospect.household_id == household.id)
    )
    unwritten = [Stay(id, None, None) for id in here if id not in open_now]
    return [*(Stay(row.prospect_id, row.since, row.until) for row in rows), *unwritten]


def papers_of(session: Session, household: Household) -> Sequence[HouseholdCertificate]:
    """Every certificate a household has or had, the earliest first."""
    return session.scalars(
        select(HouseholdCertificate)
        .where(HouseholdCertificate.town_id == household.town_id, HouseholdCertificate.household_id == household.id)
        .order_by(HouseholdCertificate.valid_from)
    ).all()


def follow(
    session: Session,
    household: Household,
    papers: Sequence[HouseholdCertificate],
    *,
    by: User | None,
    at: datetime,
    gone: Sequence[UUID] = (),
) -> None:
    """Let the members' standings be exactly what `papers` and the days they lived there say.

    `gone` are certificates that are about to be removed. Grounds of a person's own stay, except poverty of their own
    on days that a certificate of the household covers: a household has one standing.
    """
    session.flush()
    wanted = {one.key: one for one in held(stays_of(session, household), [_paper(row) for row in papers])}
    ids = [*(row.id for row in papers), *gone]
    there: Sequence[Standing] = session.scalars(
        select(Standing).where(Standing.town_id == household.town_id, Standing.certificate_id.in_(ids))
    ).all()
    for one in wanted.values():
        _make_room(session, household.town_id, one)
    for row in there:
        if _key(row) not in wanted:
            _note(session, row, "end_standing", by, at, since=None, until=row.valid_from)
            session.delete(row)
    session.flush()
    for row in there:
        if _key(row) in wanted:
            _correct(session, row, wanted[_key(row)], by, at)
    session.flush()
    kept = {_key(row) for row in there}
    new = [one for key, one in wanted.items() if key not in kept]
    for one in new:
        row = Standing(
            town_id=household.town_id,
            prospect_id=one.prospect_id,
            ground=one.paper.ground,
            certificate=one.paper.number,
            certificate_id=one.paper.id,
            valid_from=one.valid_from,
            valid_to=one.valid_to,
            recorded_at=at,
            recorded_by_id=by.id if by else None,
        )
        session.add(row)
        _note(session, row, "record_standing", by, at, since=row.valid_from, until=row.valid_to)
    session.flush()


def _key(row: Standing) -> tuple[UUID, UUID, date]:
    return row.prospect_id, row.certificate_id or row.id, row.valid_from


def _correct(session: Session, row: Standing, one: Held, by: User | None, at: datetime) -> None:
    paper = one.paper
    if (row.ground, row.certificate, row.valid_to) == (paper.ground, paper.number, one.valid_to):
        return
    only_shorter = (row.ground, row.certificate) == (paper.ground, paper.number)
    row.ground, row.certificate, row.valid_to = paper.ground, paper.number, one.valid_to
    row.recorded_at, row.recorded_by_id = at, by.id if by else None
    act = "end_standing" if only_shorter else "record_standing"
    _note(session, row, act, by, at, since=row.valid_from, until=row.valid_to)


def _paper(row: HouseholdCertificate) -> Paper:
    return Paper(row.id, row.ground, row.number, row.valid_from, row.valid_to)


def _make_room(session: Session, town_id: UUID, one: Held) -> None:
    """What a person had of poverty by themselves gives way on the days of the household's certificate."""
    overlapping = select(Standing).where(
        Standing.town_id == town_id,
        Standing.prospect_id == one.prospect_id,
        Standing.certificate_id.is_(None),
        Standing.ground.in_(POVERTY),
        Standing.valid_from < one.valid_to,
        or_(Standing.valid_to.is_(None), Standing.valid_to > one.valid_from),
    )
    moved_out = one.valid_to < one.paper.valid_to
    for own in session.scalars(overlapping).all():
        end = own.valid_to
        if moved_out and end is not None and end > one.valid_to:
            rest = {name: getattr(own, name) for name in _KEPT}
            session.add(Standing(**rest, valid_from=one.valid_to, valid_to=end))
        if own.valid_from < one.valid_from:
            own.valid_to = one.valid_from
        else:
            session.execute(delete(Standing).where(Standing.town_id == town_id, Standing.id == own.id))
            session.expunge(own)


_KEPT = ("town_id", "prospect_id", "ground", "certificate", "recorded_at", "recorded_by_id")


def _note(
    session: Session,
    row: Standing,
    act: str,
    by: User | None,
    at: datetime,
    *,
    since: date | None,
    until: date | None,
) -> None:
    """On the person's own record, where their page tells it."""
    after: dict[str, object] = {"ground": row.ground.value, "certificate": row.certificate}
    if since:
        after["since"] = str(since)
    note_change(
        session,
        town_id=row.town_id,
        user_id=by.id if by else None,
        act=act,
        subject="prospect",
        subject_id=row.prospect_id,
        at=at,
        after=after | {"until": last_day_of(until)},
    )
