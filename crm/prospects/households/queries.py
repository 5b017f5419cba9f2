"""Households someone may see, who lives in them, and what a person's page says of theirs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.errors import NotFound
from crm.places.models import Place
from crm.prospects.households.models import HouseholdCertificate, HouseholdMember, PovertyReview
from crm.prospects.households.rules import year_ending
from crm.prospects.models import Household, Prospect, Standing
from crm.prospects.queries.facts import Facts, facts_of, named_by_id
from crm.prospects.queries.seeing import ORDER, listed_to
from crm.prospects.reading.values import said_once
from crm.prospects.rules import POVERTY, Ground, Kinship, deciding
from crm.web.pager import Page, page

MOST_LIKELY = 12


# ---- seeing


def visible_households(scope: Scope) -> Select[UUID]:
    """The households in which somebody lives, or lived, whom this person may see."""
    now = select(Prospect.household_id).where(listed_to(scope), Prospect.household_id.is_not(None))
    once = (
        select(HouseholdMember.household_id)
        .join(Prospect, (Prospect.town_id == HouseholdMember.town_id) & (Prospect.id == HouseholdMember.prospect_id))
        .where(listed_to(scope))
    )
    return select(union_all(now, once).subquery().c[0])  # type: ignore[return-value]


def household_seen(session: Session, scope: Scope, household_id: UUID) -> Household:
    """A household in which this person sees somebody; the id of one that was merged leads on. Raises NotFound."""
    row = session.get(Household, (scope.town_id, household_id))
    seen: set[UUID] = set()
    while row is not None and row.merged_into_id and row.id not in seen:
        seen.add(row.id)
        row = session.get(Household, (scope.town_id, row.merged_into_id))
    if row is None or not session.scalar(select(_somebody_seen(scope, row.id))):
        raise NotFound
    return row


def households_seen(session: Session, scope: Scope, household_ids: Collection[UUID]) -> list[Household]:
    """These households, kept from others until the act is done. Raises NotFound when one is out of sight."""
    rows = session.scalars(
        select(Household)
        .where(
            Household.town_id == scope.town_id,
            Household.id.in_(household_ids),
            Household.id.in_(visible_households(scope)),
        )
        .order_by(Household.id)
        .with_for_update(of=Household)
    ).all()
    if len(rows) < len(set(household_ids)):
        raise NotFound
    return list(rows)


def _somebody_seen(scope: Scope, household_id: UUID) -> ColumnElement[bool]:
    once = exists().where(
        HouseholdMember.town_id == scope.town_id,
        HouseholdMember.household_id == household_id,
        HouseholdMember.prospect_id == Prospect.id,
    )
    return exists(select(Prospect.id).where(listed_to(scope), or_(Prospect.household_id == household_id, once)))


def certificate_of(session: Session, household: Household, certificate_id: UUID) -> HouseholdCertificate:
    """A certificate of this household. Raises NotFound."""
    row = session.get(HouseholdCertificate, (household.town_id, certificate_id))
    if row is None or row.household_id != household.id:
        raise NotFound
    return row


def certificates_of(session: Session, household: Household) -> Sequence[HouseholdCertificate]:
    """All certificates of a household, the newest first."""
    return session.scalars(
        select(HouseholdCertificate)
        .where(HouseholdCertificate.town_id == household.town_id, HouseholdCertificate.household_id == household.id)
        .order_by(HouseholdCertificate.valid_from.desc())
    ).all()


def holding(papers: Collection[HouseholdCertificate], day: date) -> HouseholdCertificate | None:
    """The certificate that holds on a day."""
    return next((one for one in papers if one.valid_from <= day < one.valid_to), None)


# ---- who lives there


class Past(NamedTuple):
    """Somebody who lived there, and from when to when."""

    person: Prospect
    since: date | None
    until: date


@dataclass(frozen=True)
class Home:
    """A household as its page shows it: those one may see, and the number of the others."""

    household: Household
    place: Place
    neighbourhood: Place | None
    members: list[Facts]
    """The head first, then by age."""
    since: dict[UUID, date]
    """The day somebody came, where it is known."""
    unseen: int
    certificates: Sequence[HouseholdCertificate]
    """The newest first."""
    past: list[Past]

    @property
    def address(self) -> str | None:
        """The house as it is written, unless that only says the neighbourhood once more."""
        return said_once(self.household.address, self.neighbourhood.name if self.neighbourhood else None)

    @property
    def head(self) -> Prospect | None:
        return next((one.person for one in self.members if one.person.kinship is Kinship.HEAD), None)

    @property
    def named_after(self) -> Prospect | None:
        """Whose household people call it: the head, or whom one knows of it."""
        return self.head or next((one.person for one in self.members), None)


def home(session: Session, scope: Scope, household: Household, today: date) -> Home:
    """Everything the page of a household shows."""
    people, unseen = _members(session, scope, household.id)
    places = named_by_id(session, Place, scope.town_id, [(household.place_id, household.neighbourhood_id)])
    stays = session.execute(
        select(HouseholdMember, Prospect)
        .join(Prospect, (Prospect.town_id == HouseholdMember.town_id) & (Prospect.id == HouseholdMember.prospect_id))
        .where(listed_to(scope), HouseholdMember.household_id == household.id)
        .order_by(HouseholdMember.until.desc(), HouseholdMember.id)
    ).all()
    return Home(
        household=household,
        place=places[household.place_id],
        neighbourhood=places.get(household.neighbourhood_id),
        members=facts_of(session, scope.town_id, people, today),
        since={row.prospect_id: row.since for row, _person in stays if row.until is None and row.since},
        unseen=unseen,
        certificates=certificates_of(session, household),
        past=[Past(person, row.since, row.until) for row, person in stays if row.until is not None],
    )


def _members(session: Session, scope: Scope, household_id: UUID) -> tuple[list[Prospect], int]:
    """Those who live there and may be seen, the head first and then by age; how many more live there."""
    lives_here = (Prospect.town_id == scope.town_id) & (Prospect.household_id == household_id)
    rows = session.execute(
        select(Prospect, listed_to(scope))
        .where(lives_here, Prospect.merged_into_id.is_(None))
        .order_by(Prospect.birth_year.nulls_last(), *ORDER)
    ).all()
    seen = [person for person, is_seen in rows if is_seen]
    return sorted(seen, key=lambda one: one.kinship is not Kinship.HEAD), len(rows) - len(seen)


@dataclass(frozen=True)
class HouseholdCard:
    """What a person's page says of their household; `household` None: nobody has said with whom they live."""

    household: Household | None
    others: list[Prospect]
    unseen: int
    certificate: HouseholdCertificate | None
    ending: tuple[Ground, date] | None
    """From October: the ground of poverty that ends, or ended, with the year, and its last day."""


def household_card(session: Session, scope: Scope, prospect: Prospect, today: date) -> HouseholdCard:
    """Who else lives there, the certificate that holds today, and whether it is time to renew it."""
    ending = certificate_ending(session, prospect, today)
    if prospect.household_id is None:
        return HouseholdCard(None, [], 0, None, ending)
    paper = HouseholdCertificate
    its = (paper.town_id == Household.town_id) & (paper.household_id == Household.id)
    household, certificate = session.execute(
        select(Household, paper)
        .outerjoin(paper, its & (paper.valid_from <= today) & (paper.valid_to > today))
        .where(Household.town_id == prospect.town_id, Household.id == prospect.household_id)
        .order_by(paper.valid_from.desc())
        .limit(1)
    ).one()
    people, unseen = _members(session, scope, household.id)
    others = [one for one in people if one.id != prospect.id]
    return HouseholdCard(household, others, unseen, certificate, ending)


def certificate_ending(session: Session, prospect: Prospect, today: date) -> tuple[Ground, date] | None:
    """The certificate of this person that ends (or ended) with the year under review and was not reviewed yet."""
    year = year_ending(today)
    ends = date(year + 1, 1, 1)
    rows = session.execute(
        select(Standing.ground, Standing.valid_to).where(
            Standing.town_id == prospect.town_id,
            Standing.prospect_id == prospect.id,
            Standing.ground.in_(POVERTY),
            or_(Standing.valid_to.is_(None), Standing.valid_to >= ends),
            Standing.valid_from < date(year + 2, 1, 1),
        )
    ).all()
    ended = [ground for ground, until in rows if until == ends]
    if not ended or any(until != ends for _ground, until in rows):
        return None
    whose = [PovertyReview.prospect_id == prospect.id]
    if prospect.household_id:
        whose.append(PovertyReview.household_id == prospect.household_id)
    reviewed = exists().where(PovertyReview.town_id == prospect.town_id, PovertyReview.year == year + 1, or_(*whose))
    return None if session.scalar(select(reviewed)) else (deciding(ended), date(year, 12, 31))


def while_here(session: Session, scope: Scope, person: Prospect) -> list[Prospect]:
    """The others of somebody's household whom one may see: whom to speak to before leaving the house."""
    if person.household_id is None:
        return []
    people, _unseen = _members(session, scope, person.household_id)
    return [one for one in people if one.id != person.id]


def likely_to_live_with(session: Session, scope: Scope, person: Prospect) -> list[Prospect]:
    """People one may see who have the same phone or the same address in the same ward: perhaps one household."""
    phones = [phone for phone in (person.phone, person.other_phone) if phone]
    same: list[ColumnElement[bool]] = [Prospect.phone.in_(phones), Prospect.other_phone.in_(phones)] if phones else []
    if person.address:
        same.append(and_(Prospect.place_id == person.place_id, Prospect.address == person.address))
    if not same:
        return []
    query = select(Prospect).where(listed_to(scope), Prospect.id != person.id, or_(*same))
    return list(session.scalars(query.order_by(*ORDER).limit(MOST_LIKELY)))


def covered(session: Session, town_id: UUID, prospect_ids: Collection[UUID], first: date, end: date) -> set[UUID]:
    """Those of these people whose poverty is said by a certificate of their household on a day from `first` until the
    day before `end`."""
    return set(
        session.scalars(
            select(Standing.prospect_id).where(
                Standing.town_id == town_id,
                Standing.prospect_id.in_(prospect_ids),
                Standing.certificate_id.is_not(None),
                Standing.valid_from < end,
                or_(Standing.valid_to.is_(None), Standing.valid_to > first),
            )
        )
    )


# ---- lists


def page_of_households(
    session: Session,
    scope: Scope,
    *,
    code: str | None = None,
    place_ids: Collection[UUID] | None = None,
    member_id: UUID | None = None,
    cursor: str | None = None,
    size: int,
) -> Page[Household]:
    """Households one may see, the oldest first. RuleBroken for a cursor this program did not write."""
    query = select(Household).where(
        Household.town_id == scope.town_id,
        Household.ended_on.is_(None),
        exists(select(Prospect.id).where(listed_to(scope), Prospect.household_id == Household.id)),
    )
    if code:
        query = query.where(Household.code == code)
    if place_ids is not None:
        query = query.where(or_(Household.place_id.in_(place_ids), Household.neighbourhood_id.in_(place_ids)))
    if member_id:
        query = query.where(
            exists(
                select(Prospect.id).where(
                    listed_to(scope), Prospect.household_id == Household.id, Prospect.id == member_id
                )
            )
        )
    order = (Household.id,)
    return page(session, query, order, cursor=cursor, size=size, kinds=(UUID,), key=lambda one: (one.id,))


def members_seen(session: Session, scope: Scope, household_ids: Collection[UUID]) -> dict[UUID, list[Prospect]]:
    """The members one may see of each of these households, the head first."""
    found: dict[UUID, list[Prospect]] = {id: [] for id in household_ids}
    rows = session.scalars(
        select(Prospect).where(listed_to(scope), Prospect.household_id.in_(household_ids)).order_by(*ORDER)
    ).all()
    for row in sorted(rows, key=lambda one: one.kinship is not Kinship.HEAD):
        if row.household_id:
            found[row.household_id].append(row)
    return found


def counts_of(session: Session, town_id: UUID, household_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many live in each of these households, seen or not."""
    rows = session.execute(
        select(Prospect.household_id, func.count())
        .where(
            Prospect.town_id == town_id,
            Prospect.household_id.in_(household_ids),
            Prospect.merged_into_id.is_(None),
        )
        .group_by(Prospect.household_id)
    )
    return {id: number for id, number in rows if id}
