"""The members' standings follow the household's certificates: each day, who lives there has what the household has."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change
from crm.ids import new_id
from crm.prospects.households.models import HouseholdCertificate, HouseholdMember
from crm.prospects.households.rules import Held, Paper, Stay, held
from crm.prospects.models import Household, Prospect, Standing
from crm.prospects.rules import POVERTY
from crm.prospects.services.standing import last_day_of


def stays_of(session: Session, household: Household) -> list[Stay]:
    """Who lived there from when to when, merged records included; who has no row has always lived there."""
    return _stays(session, household.town_id, [household.id])[household.id]


def _stays(session: Session, town_id: UUID, household_ids: Collection[UUID]) -> dict[UUID, list[Stay]]:
    found: dict[UUID, list[Stay]] = {id: [] for id in household_ids}
    written = select(HouseholdMember).where(
        HouseholdMember.town_id == town_id, HouseholdMember.household_id.in_(household_ids)
    )
    open_now: set[UUID] = set()
    for row in session.scalars(written.order_by(HouseholdMember.since.nulls_first(), HouseholdMember.id)):
        found[row.household_id].append(Stay(row.prospect_id, row.since, row.until))
        if row.until is None:
            open_now.add(row.prospect_id)
    here = select(Prospect.id, Prospect.household_id).where(
        Prospect.town_id == town_id, Prospect.household_id.in_(household_ids)
    )
    for id, household_id in session.execute(here):
        if household_id and id not in open_now:
            found[household_id].append(Stay(id, None, None))
    return found


def papers_of(session: Session, *households: Household) -> list[HouseholdCertificate]:
    """Every certificate these households have or had, the earliest first."""
    town_id, ids = households[0].town_id, [one.id for one in households]
    return list(
        session.scalars(
            select(HouseholdCertificate)
            .where(HouseholdCertificate.town_id == town_id, HouseholdCertificate.household_id.in_(ids))
            .order_by(HouseholdCertificate.valid_from, HouseholdCertificate.id)
        )
    )


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

    `papers` are all the household has; `gone` those that are about to be removed. Grounds of a person's own stay, except
    poverty of their own on days that a certificate of the household covers: a household has one standing.
    """
    follow_all(session, [household], papers, by=by, at=at, gone=gone)


def follow_all(
    session: Session,
    households: Sequence[Household],
    papers: Sequence[HouseholdCertificate],
    *,
    by: User | None,
    at: datetime,
    gone: Sequence[UUID] = (),
) -> None:
    """`follow` for many households, with a handful of statements however many they are."""
    session.flush()
    town_id = households[0].town_id
    wanted: dict[tuple[UUID, UUID, date], Held] = {}
    for household_id, stays in _stays(session, town_id, [one.id for one in households]).items():
        theirs = [_paper(row) for row in papers if row.household_id == household_id]
        wanted |= {one.key: one for one in held(stays, theirs)}
    ids = [*(row.id for row in papers), *gone]
    there: Sequence[Standing] = session.scalars(
        select(Standing).where(Standing.town_id == town_id, Standing.certificate_id.in_(ids))
    ).all()
    _make_room(session, town_id, list(wanted.values()))
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
    for key, one in wanted.items():
        if key not in kept:
            _begin(session, town_id, one, by, at)
    session.flush()


def _begin(session: Session, town_id: UUID, one: Held, by: User | None, at: datetime) -> None:
    row = Standing(
        town_id=town_id,
        id=new_id(),
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


def _make_room(session: Session, town_id: UUID, wanted: Sequence[Held]) -> None:
    """What people had of poverty by themselves gives way on the days of the household's certificate."""
    query = select(Standing).where(
        Standing.town_id == town_id,
        Standing.prospect_id.in_({one.prospect_id for one in wanted}),
        Standing.certificate_id.is_(None),
        Standing.ground.in_(POVERTY),
    )
    own: dict[UUID, list[Standing]] = {}
    for row in session.scalars(query):
        own.setdefault(row.prospect_id, []).append(row)
    for one in wanted:
        for row in list(own.get(one.prospect_id, ())):
            if row.valid_from < one.valid_to and (row.valid_to is None or row.valid_to > one.valid_from):
                own[one.prospect_id].remove(row)
                own[one.prospect_id] += _gives_way(session, row, one)
    session.flush()


def _gives_way(session: Session, row: Standing, one: Held) -> list[Standing]:
    """What is left of a person's own standing: before they had the household's, and after they moved out."""
    left, end = [], row.valid_to
    if one.valid_to < one.paper.valid_to and end is not None and end > one.valid_to:
        rest = {name: getattr(row, name) for name in _KEPT}
        left.append(Standing(**rest, id=new_id(), valid_from=one.valid_to, valid_to=end))
        session.add(left[0])
    if row.valid_from < one.valid_from:
        row.valid_to = one.valid_from
        left.append(row)
    else:
        session.delete(row)
    return left


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
