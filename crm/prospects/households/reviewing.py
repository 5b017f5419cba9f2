"""The annual review: whose certificate ends with the year, and what has been said of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Row,
    Subquery,
    Uuid,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from crm.accounts.queries import Scope
from crm.places.models import Place
from crm.prospects.households.models import HouseholdCertificate, PovertyReview
from crm.prospects.households.queries import counts_of, members_seen
from crm.prospects.households.rules import Renewal
from crm.prospects.models import Household, Prospect, Standing
from crm.prospects.queries.facts import named_by_id
from crm.prospects.queries.seeing import listed_to
from crm.prospects.rules import POVERTY, Ground
from crm.web.pager import Page, page


@dataclass(frozen=True)
class Narrowed:
    """What the renewal list is narrowed to."""

    state: Renewal | None = None
    place_id: UUID | None = None
    neighbourhood_id: UUID | None = None
    place_ids: Collection[UUID] | None = None


ALL = Narrowed()


class Due(NamedTuple):
    """A household, or somebody whose household is not known, whose certificate ends with the year."""

    household_id: UUID | None
    prospect_id: UUID | None
    place: str
    neighbourhood: str | None
    ground: Ground
    number: str | None
    state: Renewal
    names: tuple[str, ...]
    """Those one may see, the head first."""
    people: int
    """How many live there."""
    phone: str | None

    @property
    def key(self) -> str:
        return f"h.{self.household_id}" if self.household_id else f"p.{self.prospect_id}"


class Tally(NamedTuple):
    """How far the review is in a neighbourhood of a ward."""

    place_id: UUID
    place: str
    neighbourhood_id: UUID | None
    neighbourhood: str | None
    states: dict[Renewal, int]

    @property
    def in_all(self) -> int:
        return sum(self.states.values())


def _ending(scope: Scope, ends: date) -> Subquery:
    """Whose poverty is proved up to this day: households with a certificate, households of whom a member has a proof of
    their own, and people by themselves. Columns household_id, prospect_id, place_id, neighbourhood_id, ground, number."""
    seen = exists(select(Prospect.id).where(listed_to(scope), Prospect.household_id == Household.id))
    paper, own = HouseholdCertificate, Standing
    ended = and_(paper.town_id == Household.town_id, paper.household_id == Household.id, paper.valid_to == ends)
    of_own = (
        own.town_id == Prospect.town_id,
        own.prospect_id == Prospect.id,
        own.certificate_id.is_(None),
        own.ground.in_(POVERTY),
        own.valid_to == ends,
    )
    strongest = case((func.bool_or(own.ground == Ground.POOR), literal("poor")), else_=literal("near_poor"))
    certified = select(
        Household.id.label("household_id"),
        cast(null(), Uuid).label("prospect_id"),
        Household.place_id,
        Household.neighbourhood_id,
        paper.ground.label("ground"),
        paper.number.label("number"),
    ).where(Household.town_id == scope.town_id, ended, Household.ended_on.is_(None), seen)
    claimed = (
        select(
            Household.id,
            cast(null(), Uuid),
            Household.place_id,
            Household.neighbourhood_id,
            strongest,
            func.max(own.certificate),
        )
        .join(Prospect, (Prospect.town_id == Household.town_id) & (Prospect.household_id == Household.id))
        .join(own, and_(*of_own))
        .where(listed_to(scope), Household.ended_on.is_(None), ~exists(select(paper.id).where(ended)))
        .group_by(Household.id, Household.place_id, Household.neighbourhood_id)
    )
    alone = (
        select(
            cast(null(), Uuid),
            Prospect.id,
            Prospect.place_id,
            Prospect.neighbourhood_id,
            strongest,
            func.max(own.certificate),
        )
        .join(own, and_(*of_own))
        .where(listed_to(scope), Prospect.household_id.is_(None))
        .group_by(Prospect.id, Prospect.place_id, Prospect.neighbourhood_id)
    )
    return union_all(certified, claimed, alone).subquery("ending")


def _due(scope: Scope, year: int) -> Subquery:
    """What ends with the year, each with its `state`: renewed, not yet, or no longer poor. Columns as of `_ending`."""
    ends, after = date(year + 1, 1, 1), date(year + 2, 1, 1)
    due, paper, own, member = _ending(scope, ends), HouseholdCertificate, Standing, aliased(Prospect)
    holds = or_(own.valid_to.is_(None), own.valid_to > ends)
    renewed = or_(
        exists(
            select(paper.id).where(
                paper.town_id == scope.town_id,
                paper.household_id == due.c.household_id,
                paper.valid_to > ends,
                paper.valid_from < after,
            )
        ),
        exists(
            select(own.id)
            .join(member, (member.town_id == own.town_id) & (member.id == own.prospect_id))
            .where(
                own.town_id == scope.town_id,
                or_(member.id == due.c.prospect_id, member.household_id == due.c.household_id),
                own.ground.in_(POVERTY),
                holds,
                own.valid_from < after,
            )
        ),
    )
    gone = exists(
        select(PovertyReview.id).where(
            PovertyReview.town_id == scope.town_id,
            PovertyReview.year == year + 1,
            or_(PovertyReview.household_id == due.c.household_id, PovertyReview.prospect_id == due.c.prospect_id),
        )
    )
    state = case((renewed, Renewal.RENEWED.value), (gone, Renewal.NO_LONGER.value), else_=Renewal.NOT_YET.value)
    return select(*due.c, state.label("state")).subquery("due")


def tallies(session: Session, scope: Scope, year: int) -> list[Tally]:
    """How many certificates of a year are renewed, not yet, or no longer, by ward and neighbourhood."""
    due = _due(scope, year)
    found: dict[tuple[UUID, UUID | None], dict[Renewal, int]] = {}
    counted = select(due.c.place_id, due.c.neighbourhood_id, due.c.state, func.count())
    for place_id, part_id, state, number in session.execute(
        counted.group_by(due.c.place_id, due.c.neighbourhood_id, due.c.state)
    ):
        found.setdefault((place_id, part_id), dict.fromkeys(Renewal, 0))[Renewal(state)] = number
    names = named_by_id(session, Place, scope.town_id, list(found))
    rows = [
        Tally(place_id, names[place_id].name, part_id, names[part_id].name if part_id else None, states)
        for (place_id, part_id), states in found.items()
    ]
    return sorted(rows, key=lambda row: (row.place, row.neighbourhood or ""))


def page_of_due(
    session: Session, scope: Scope, year: int, narrowed: Narrowed = ALL, *, cursor: str | None = None, size: int
) -> Page[Due]:
    """Whose certificate ends with the year, by ward and neighbourhood. RuleBroken for a strange cursor."""
    due, ward, part = _due(scope, year), aliased(Place), aliased(Place)
    at_home = func.coalesce(due.c.household_id, due.c.prospect_id)
    order = (ward.name_fold, func.coalesce(part.name_fold, ""), at_home)
    query = (
        select(due, ward.name.label("ward"), part.name.label("part"), *order)
        .join(ward, (ward.town_id == scope.town_id) & (ward.id == due.c.place_id))
        .outerjoin(part, (part.town_id == scope.town_id) & (part.id == due.c.neighbourhood_id))
    )
    if narrowed.state:
        query = query.where(due.c.state == narrowed.state.value)
    if narrowed.place_id:
        query = query.where(due.c.place_id == narrowed.place_id)
    if narrowed.neighbourhood_id:
        query = query.where(due.c.neighbourhood_id == narrowed.neighbourhood_id)
    if narrowed.place_ids is not None:
        within = (due.c.place_id.in_(narrowed.place_ids), due.c.neighbourhood_id.in_(narrowed.place_ids))
        query = query.where(or_(*within))
    kinds = (str, str, UUID)
    found = page(session, query, order, cursor=cursor, size=size, kinds=kinds, key=lambda row: row[-3:])
    return Page(_with_names(session, scope, found.rows), found.next)


def _with_names(session: Session, scope: Scope, rows: Sequence[Row[Any]]) -> list[Due]:
    households = [row.household_id for row in rows if row.household_id]
    living = members_seen(session, scope, households)
    counts = counts_of(session, scope.town_id, households)
    alone = {
        one.id: one
        for one in session.scalars(
            select(Prospect).where(listed_to(scope), Prospect.id.in_([row.prospect_id for row in rows]))
        )
    }
    found = []
    for row in rows:
        people = living[row.household_id] if row.household_id else [alone[row.prospect_id]]
        found.append(
            Due(
                household_id=row.household_id,
                prospect_id=row.prospect_id,
                place=row.ward,
                neighbourhood=row.part,
                ground=Ground(row.ground),
                number=row.number,
                state=Renewal(row.state),
                names=tuple(one.full_name for one in people),
                people=counts.get(row.household_id, 1),
                phone=next((one.phone or one.other_phone for one in people if one.phone or one.other_phone), None),
            )
        )
    return found
