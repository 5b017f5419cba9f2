"""Proposals, their lines sponsor by sponsor, who was passed over, and who is not proposed to a sponsor again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, or_, select, tuple_
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.errors import NotFound
from crm.money import Vnd
from crm.places.models import Place
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import listed_to
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.rules import Decision
from crm.sponsors.matching.models import FundingLine, FundingOffer, FundingProposal, FundingRefusal
from crm.sponsors.matching.rules.needs import Rest, Why
from crm.sponsors.matching.rules.states import COUNTING, OPEN, LineState, ProposalState
from crm.sponsors.matching.rules.wording import ALL_DECIDED, NOBODY_PROPOSED, PROPOSAL_STATES, WAITS_FOR_OTHERS
from crm.sponsors.models import Sponsor
from crm.web.pager import Page, page

NEWEST = (FundingProposal.asked_at.desc(), FundingProposal.id.desc())


def proposal(session: Session, scope: Scope, proposal_id: UUID) -> FundingProposal:
    """A proposal of this town. Raises NotFound."""
    found = session.get(FundingProposal, (scope.town_id, proposal_id))
    if found is None:
        raise NotFound
    return found


def line(session: Session, scope: Scope, line_id: UUID) -> FundingLine:
    """A line with months, of somebody this person may see. Raises NotFound."""
    asked = _lines(scope).where(FundingLine.id == line_id, FundingLine.state != LineState.PASSED)
    found = session.execute(asked).one_or_none()
    if found is None:
        raise NotFound
    return found[0]


def refusal(session: Session, scope: Scope, refusal_id: UUID) -> FundingRefusal:
    """A refusal about somebody this person may see. Raises NotFound."""
    query = select(FundingRefusal).join(Prospect, _of_person(FundingRefusal))
    found = session.scalar(query.where(listed_to(scope), FundingRefusal.id == refusal_id))
    if found is None:
        raise NotFound
    return found


class Told(NamedTuple):
    """A proposal and what came of it: numbers of lines, and đồng proposed and set aside."""

    row: FundingProposal
    by: str | None
    lines: int
    open: int
    accepted: int
    amount: Vnd
    set_aside: Vnd
    changed: int
    """Lines a treasurer accepted and has to look at again."""
    waiting: int
    """Lines that are accepted and not settled: being set aside, or with a second person."""

    @property
    def words(self) -> Any:
        """How far it is, also when it was never closed and nothing of it is left to decide."""
        if self.row.state is not ProposalState.READY or self.open or self.changed:
            return PROPOSAL_STATES[self.row.state]
        if self.waiting:
            return WAITS_FOR_OTHERS
        return ALL_DECIDED if self.lines else NOBODY_PROPOSED


def proposals(session: Session, scope: Scope, *, most: int = 50) -> list[Told]:
    """The latest proposals, the newest first."""
    query = _told().where(FundingProposal.town_id == scope.town_id)
    return [_as_told(row) for row in session.execute(query.order_by(*NEWEST).limit(most))]


def proposals_page(session: Session, scope: Scope, *, cursor: str | None, size: int) -> Page[FundingProposal]:
    """Proposals in the order they were asked for."""
    query: Any = select(FundingProposal).where(FundingProposal.town_id == scope.town_id)
    key = FundingProposal.id
    return page(session, query, (key,), cursor=cursor, size=size, kinds=(UUID,), key=lambda row: (row.id,))


def told(session: Session, of: FundingProposal) -> Told:
    """One proposal with what came of it."""
    query = _told().where(FundingProposal.town_id == of.town_id, FundingProposal.id == of.id)
    return _as_told(session.execute(query).one())


def _told() -> Select[Any]:
    line = FundingLine
    counts = (
        select(
            func.count().filter(line.state != LineState.PASSED).label("lines"),
            func.count().filter(line.state == LineState.PROPOSED).label("open"),
            func.count().filter(is_set_aside()).label("accepted"),
            func.coalesce(func.sum(line.amount).filter(counts_still()), 0).label("amount"),
            func.coalesce(func.sum(line.amount).filter(is_set_aside()), 0).label("set_aside"),
            func.count().filter(line.state == LineState.CHANGED).label("changed"),
            func.count().filter(or_(line.state == LineState.CHOSEN, second_said(None))).label("waiting"),
        )
        .where(line.town_id == FundingProposal.town_id, line.proposal_id == FundingProposal.id)
        .correlate(FundingProposal)
        .lateral("counts")
    )
    by = and_(User.town_id == FundingProposal.town_id, User.id == FundingProposal.asked_by_id)
    return select(FundingProposal, User.full_name, counts).outerjoin(User, by).join(counts, and_(True))


def _as_told(row: Any) -> Told:
    return Told(row[0], row[1], *(int(number) for number in row[2:]))


def second_said(decision: Decision | None) -> ColumnElement[bool]:
    """Whether a line went to a second person who has decided so, or (None) not yet."""
    said = MoneyRequest.decision.is_(None) if decision is None else MoneyRequest.decision == decision
    request = exists().where(MoneyRequest.town_id == FundingLine.town_id, MoneyRequest.id == FundingLine.request_id)
    return and_(FundingLine.state == LineState.ASKED, request.where(said))


def is_set_aside() -> ColumnElement[bool]:
    """Whether the money of a line is set aside: by the treasurer alone, or with a second person's approval."""
    return or_(FundingLine.state == LineState.ACCEPTED, second_said(Decision.APPROVED))


def counts_still() -> ColumnElement[bool]:
    """Whether the money of a line is not left to its sponsor, if all goes as proposed."""
    return and_(FundingLine.state.in_(COUNTING), not_(second_said(Decision.REFUSED)))


# ---- sponsor by sponsor


class Given(NamedTuple):
    """A sponsor in a proposal: what they had, what of it is proposed or set aside for how many people and months, how
    many lines may be accepted, how many wait for a decision of any kind, and why the rest is left."""

    sponsor: Sponsor
    available: Vnd
    proposed: Vnd
    people: int
    months: int
    open: int
    undecided: int
    why: Rest
    cheapest: Vnd | None

    @property
    def after(self) -> Vnd:
        """What would be left."""
        return self.available - self.proposed


GIVEN = (Sponsor.name_fold, Sponsor.id)


def given(
    session: Session,
    of: FundingProposal,
    *,
    cursor: str | None = None,
    size: int = 20,
    sponsor_id: UUID | None = None,
    since: UUID | None = None,
    undecided: bool = False,
) -> Page[Given]:
    """The sponsors of a proposal by name, those with lines among those without: `since` one of them, the one itself
    first; `undecided`: with lines that a treasurer has to decide still."""
    sums = _sums()
    query: Any = (
        select(Sponsor, FundingOffer, sums)
        .join(FundingOffer, and_(FundingOffer.town_id == Sponsor.town_id, FundingOffer.sponsor_id == Sponsor.id))
        .join(sums, and_(True))
        .where(FundingOffer.town_id == of.town_id, FundingOffer.proposal_id == of.id)
    )
    if sponsor_id is not None:
        query = query.where(Sponsor.id == sponsor_id)
    if since is not None:
        first = select(Sponsor.name_fold).where(Sponsor.town_id == of.town_id, Sponsor.id == since).scalar_subquery()
        query = query.where(tuple_(*GIVEN) >= tuple_(first, since))
    if undecided:
        query = query.where(sums.c.undecided > 0)
    found = page(
        session,
        query,
        GIVEN,
        cursor=cursor,
        size=size,
        kinds=(str, UUID),
        key=lambda row: (row[0].name_fold, row[0].id),
    )
    rows = [
        Given(
            row[0],
            row[1].available,
            int(row[2]),
            int(row[3]),
            int(row[4]),
            int(row[5]),
            int(row[6]),
            row[1].why,
            row[1].cheapest,
        )
        for row in found.rows
    ]
    return Page(rows, found.next)


def sponsors_of(session: Session, of: FundingProposal) -> tuple[int, int]:
    """How many sponsors a proposal has, and how many of them a treasurer has to decide about still."""
    sums = _sums()
    query = (
        select(func.count(), func.count().filter(sums.c.undecided > 0))
        .select_from(FundingOffer)
        .join(sums, and_(True))
        .where(FundingOffer.town_id == of.town_id, FundingOffer.proposal_id == of.id)
    )
    every, undecided = session.execute(query).one()
    return int(every), int(undecided)


def _sums() -> Any:
    """Of each offer in the query around it what its lines come to."""
    line = FundingLine
    counting = counts_still()
    return (
        select(
            func.coalesce(func.sum(line.amount).filter(counting), 0).label("proposed"),
            func.count().filter(counting).label("people"),
            func.coalesce(func.sum(line.months).filter(counting), 0).label("months"),
            func.count().filter(line.state == LineState.PROPOSED).label("open"),
            func.count().filter(line.state.in_(OPEN)).label("undecided"),
        )
        .where(
            line.town_id == FundingOffer.town_id,
            line.proposal_id == FundingOffer.proposal_id,
            line.sponsor_id == FundingOffer.sponsor_id,
        )
        .correlate(FundingOffer)
        .lateral("sums")
    )


# ---- lines


class Shown(NamedTuple):
    """A line with its person and their ward."""

    row: FundingLine
    person: Prospect
    place: str


def _lines(scope: Scope) -> Select[FundingLine, Prospect, str]:
    return (
        select(FundingLine, Prospect, Place.name)
        .join(Prospect, _of_person(FundingLine))
        .join(Place, and_(Place.town_id == Prospect.town_id, Place.id == Prospect.place_id))
        .where(listed_to(scope))
    )


def _of_person(of: Any) -> Any:
    return and_(Prospect.town_id == of.town_id, Prospect.id == of.prospect_id)


def lines_for(
    session: Session, scope: Scope, of: FundingProposal, sponsor_ids: Collection[UUID], *, each: int
) -> dict[UUID, list[Shown]]:
    """The first lines of each of these sponsors, in the order of priority."""
    place = func.row_number().over(partition_by=FundingLine.sponsor_id, order_by=FundingLine.position)
    numbered = (
        select(FundingLine.id, place.label("place"))
        .where(
            FundingLine.town_id == of.town_id,
            FundingLine.proposal_id == of.id,
            FundingLine.sponsor_id.in_(sponsor_ids),
        )
        .subquery()
    )
    query = _lines(scope).join(numbered, numbered.c.id == FundingLine.id).where(numbered.c.place <= each)
    found: dict[UUID, list[Shown]] = {one: [] for one in sponsor_ids}
    for row in session.execute(query.order_by(FundingLine.position)):
        found[row[0].sponsor_id or UUID(int=0)].append(Shown(*row))
    return found


def lines(
    session: Session,
    scope: Scope,
    of: FundingProposal,
    *,
    passed: bool | None = None,
    why: Why | None = None,
    state: LineState | None = None,
    sponsor_id: UUID | None = None,
    cursor: str | None,
    size: int = 50,
) -> Page[Shown]:
    """Lines of a proposal in the order of priority."""
    query: Any = _lines(scope).where(FundingLine.town_id == of.town_id, FundingLine.proposal_id == of.id)
    if passed is not None:
        query = query.where((FundingLine.state == LineState.PASSED) == passed)
    for column, wanted in ((FundingLine.why, why), (FundingLine.state, state), (FundingLine.sponsor_id, sponsor_id)):
        if wanted is not None:
            query = query.where(column == wanted)
    order, key = (FundingLine.position, FundingLine.id), lambda row: (row[0].position, row[0].id)
    found = page(session, query, order, cursor=cursor, size=size, kinds=(int, UUID), key=key)
    return Page([Shown(*row) for row in found.rows], found.next)


def decisions(session: Session, town_id: UUID, of: Collection[FundingLine]) -> dict[UUID, Decision]:
    """What a second person has said of lines that wait for one, by the line."""
    waiting = {line.request_id: line.id for line in of if line.request_id}
    query = select(MoneyRequest.id, MoneyRequest.decision).where(
        MoneyRequest.town_id == town_id, MoneyRequest.id.in_(waiting), MoneyRequest.decision.is_not(None)
    )
    return {waiting[row[0]]: row[1] for row in session.execute(query) if row[1]} if waiting else {}


def passed_by_reason(session: Session, scope: Scope, of: FundingProposal) -> dict[Why, int]:
    """How many were passed over, by the reason."""
    query = (
        select(FundingLine.why, func.count())
        .join(Prospect, _of_person(FundingLine))
        .where(listed_to(scope), FundingLine.town_id == of.town_id, FundingLine.proposal_id == of.id)
        .where(FundingLine.state == LineState.PASSED)
        .group_by(FundingLine.why)
    )
    counts = dict(session.execute(query).tuples().all())
    return {why: counts[why] for why in Why if why in counts}


def shown(session: Session, of: FundingLine) -> Shown:
    """A line with its person and their ward."""
    person = session.get_one(Prospect, (of.town_id, of.prospect_id))
    return Shown(of, person, session.get_one(Place, (of.town_id, person.place_id)).name)


def sponsor_names(session: Session, town_id: UUID, ids: Collection[str | UUID | None]) -> dict[str, str]:
    """What sponsors are called, by their ids as text."""
    wanted = {UUID(str(one)) for one in ids if one}
    query = select(Sponsor.id, Sponsor.name).where(Sponsor.town_id == town_id, Sponsor.id.in_(wanted))
    return {str(row[0]): row[1] for row in session.execute(query)} if wanted else {}


def choices(session: Session, of: FundingProposal) -> Sequence[tuple[UUID, str]]:
    """The sponsors a line may be given to: those of the proposal."""
    query = (
        select(Sponsor.id, Sponsor.name)
        .join(FundingOffer, and_(FundingOffer.town_id == Sponsor.town_id, FundingOffer.sponsor_id == Sponsor.id))
        .where(FundingOffer.town_id == of.town_id, FundingOffer.proposal_id == of.id)
        .order_by(*GIVEN)
    )
    return session.execute(query).tuples().all()


# ---- who is not proposed again


class Refused(NamedTuple):
    """A refusal that holds, with its person and who said so."""

    row: FundingRefusal
    person: Prospect
    by: str | None


def refusals(session: Session, scope: Scope, of: Sponsor, *, cursor: str | None, size: int = 50) -> Page[Refused]:
    """Who is not proposed to a sponsor, by the order in which it was said."""
    query: Any = (
        select(FundingRefusal, Prospect, User.full_name)
        .join(Prospect, _of_person(FundingRefusal))
        .outerjoin(User, and_(User.town_id == FundingRefusal.town_id, User.id == FundingRefusal.by_id))
        .where(listed_to(scope), FundingRefusal.sponsor_id == of.id, FundingRefusal.lifted_at.is_(None))
    )
    found = page(
        session,
        query,
        (FundingRefusal.at, FundingRefusal.id),
        cursor=cursor,
        size=size,
        kinds=(datetime.fromisoformat, UUID),
        key=lambda row: (row[0].at.isoformat(), row[0].id),
    )
    return Page([Refused(*row) for row in found.rows], found.next)


def became(session: Session, town_id: UUID, line_ids: Collection[UUID]) -> dict[LineState, int]:
    """How many of these lines stand in which state now."""
    query = select(FundingLine.state, func.count()).where(FundingLine.town_id == town_id, FundingLine.id.in_(line_ids))
    return {row[0]: row[1] for row in session.execute(query.group_by(FundingLine.state))}
