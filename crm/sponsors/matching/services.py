"""Asking for a proposal, writing it down, and what the treasurer makes of its lines.

A line is only a proposal: money is set aside by `crm.sponsors.services.allocate` alone, which looks at the law, the
money and the need again. What is no longer as proposed is told on the line, and the other lines go through.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.bulk import insert_rows
from crm.clock import local_day
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id, new_ids
from crm.money import Vnd
from crm.months import Month
from crm.participation.queries import grounds_on
from crm.premiums.queries import law
from crm.prospects.models import Prospect
from crm.sponsors.ledger.deciding import ask_to_allocate
from crm.sponsors.matching.models import BEYOND_WISH, FundingLine, FundingOffer, FundingProposal, FundingRefusal
from crm.sponsors.matching.queries import second_said
from crm.sponsors.matching.reading import Read, offers, read
from crm.sponsors.matching.rules.needs import Terms
from crm.sponsors.matching.rules.planning import Plan, propose
from crm.sponsors.matching.rules.states import OPEN, LineState, ProposalState
from crm.sponsors.models import Sponsor
from crm.sponsors.queries import balance_of, is_wished, price
from crm.sponsors.services import allocate, check_need, refuse_outside_wish
from crm.web.filters import in_money

AT_ONCE = 20
"""Lines settled in one transaction."""


def ask(
    session: Session, town_id: UUID, terms: Terms, *, by_id: UUID | None, on: date, at: datetime
) -> FundingProposal:
    """A proposal to be made by the law and the facts of a day. Raises RuleBroken when nobody has money for it."""
    if not any(offer.available for offer in offers(session, town_id, on, terms, {})):
        raise RuleBroken(_l("These sponsors have no money that is not used yet."), field="sponsors", code="no_money")
    proposal = FundingProposal(
        town_id=town_id,
        id=new_id(),
        state=ProposalState.WAITING,
        as_of=on,
        terms=terms.as_json(),
        asked_at=at,
        asked_by_id=by_id,
    )
    session.add(proposal)
    session.flush()
    return proposal


def make(session: Session, town_id: UUID, proposal_id: UUID) -> bool:
    """Work a proposal out and write it down; False when it is made already, or another worker is at it."""
    proposal = session.scalar(
        select(FundingProposal)
        .where(
            FundingProposal.town_id == town_id,
            FundingProposal.id == proposal_id,
            FundingProposal.state == ProposalState.WAITING,
        )
        .with_for_update(skip_locked=True)
    )
    if proposal is None:
        return False
    terms = Terms.from_json(proposal.terms)
    known = read(session, town_id, proposal.as_of, terms)
    _write(session, proposal, known, propose(known.needs, known.offers, terms))
    return True


def _write(session: Session, proposal: FundingProposal, known: Read, plan: Plan) -> None:
    rows = [
        _row(line.need.person_id, {**(line.need.facts or {}), "wished": line.wished})
        | {
            "state": LineState.PROPOSED,
            "sponsor_id": line.sponsor_id,
            "start_month": line.start.first_day,
            "months": line.months,
            "amount": line.amount,
        }
        for line in plan.lines
    ]
    rows += [_row(one.need.person_id, one.need.facts or {}) | {"why": one.why} for one in plan.passed]
    rows += [_row(one.person_id, one.facts) | {"why": one.why} for one in known.left_out]
    keys = {"town_id": proposal.town_id, "proposal_id": proposal.id}
    for position, (row, row_id) in enumerate(zip(rows, new_ids(len(rows)), strict=True), 1):
        row |= {**keys, "id": row_id, "position": position}
    if rows:
        session.execute(insert_rows(FundingLine, rows))
    given = [
        {**keys, "sponsor_id": left.sponsor_id, "available": left.before, "why": left.why, "cheapest": left.cheapest}
        for left in plan.left
    ]
    if given:
        session.execute(insert(FundingOffer), given)
    proposal.state, proposal.people = ProposalState.READY, len(rows)
    session.flush()


def _row(person_id: UUID, facts: Any) -> dict[str, Any]:
    """A line of which nothing comes."""
    nothing = dict.fromkeys(("sponsor_id", "start_month", "months", "amount", "why"))
    return {"prospect_id": person_id, "state": LineState.PASSED, "facts": dict(facts), **nothing}


# ---- what the treasurer makes of it


def choose(
    session: Session,
    proposal: FundingProposal,
    *,
    line_ids: Collection[UUID] | None = None,
    sponsor_id: UUID | None = None,
    by_id: UUID | None,
    at: datetime,
) -> Sequence[UUID]:
    """Accept these lines, a sponsor's lines or all that are proposed still; `settle_some` sets the money aside.

    Answers which. Of two treasurers who accept a line, one does; the second waits for what the first settles here. Raises
    Conflict when the proposal is closed.
    """
    session.refresh(proposal, with_for_update=True)
    _is_ready(proposal)
    asked = update(FundingLine).where(
        FundingLine.town_id == proposal.town_id,
        FundingLine.proposal_id == proposal.id,
        FundingLine.state == LineState.PROPOSED,
    )
    if line_ids is not None:
        asked = asked.where(FundingLine.id.in_(line_ids))
    if sponsor_id is not None:
        asked = asked.where(FundingLine.sponsor_id == sponsor_id)
    chosen = asked.values(state=LineState.CHOSEN, settled_by_id=by_id, settled_at=at).returning(FundingLine.id)
    found = session.scalars(chosen, execution_options={"synchronize_session": False}).all()
    session.expire_all()
    return found


def settle_some(session: Session, town_id: UUID, proposal_id: UUID, *, at: datetime) -> bool:
    """Set the money of the next accepted lines aside, in the order of priority; whether more may follow. One is at a
    proposal at a time; whoever comes second waits."""
    one = (FundingProposal.town_id == town_id) & (FundingProposal.id == proposal_id)
    session.execute(select(FundingProposal.id).where(one).with_for_update())
    lines = session.scalars(
        select(FundingLine)
        .where(
            FundingLine.town_id == town_id,
            FundingLine.proposal_id == proposal_id,
            FundingLine.state == LineState.CHOSEN,
        )
        .order_by(FundingLine.position)
        .limit(AT_ONCE)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    _hold(session, town_id, lines)
    for line in lines:
        _settle(session, line, at)
    return len(lines) == AT_ONCE


def _hold(session: Session, town_id: UUID, lines: Sequence[FundingLine]) -> None:
    """Hold everybody these lines are about, then their sponsors, each in the order of ids: of two who settle neither ever
    waits for the other, and whoever sets aside for one person holds that person first as well. They are read anew, and
    no wish changes from here on."""
    people = {one.prospect_id for one in lines}
    for of, ids in ((Prospect, people), (Sponsor, {one.sponsor_id for one in lines if one.sponsor_id})):
        held = select(of).where(of.town_id == town_id, of.id.in_(ids)).order_by(of.id)
        session.scalars(held.with_for_update(key_share=True), execution_options={"populate_existing": True}).all()


def _settle(session: Session, line: FundingLine, at: datetime) -> None:
    """Set the money of one line aside, or write down what has changed."""
    assert line.start_month, "only lines with months are accepted"
    assert line.months, "only lines with months are accepted"
    giver = session.get_one(Sponsor, (line.town_id, line.sponsor_id))
    person = session.get_one(Prospect, (line.town_id, line.prospect_id))
    run: Any = {"start": Month.of(line.start_month), "months": line.months}
    reason, on = line.facts.get(BEYOND_WISH), local_day(at)
    try:
        refuse_outside_wish(session, giver, person, on, reason)
        if reason:  # it is for the wish alone: who is in need no more is not helped by it
            check_need(person, grounds_on(session, person, on), on, None)
        with session.begin_nested():
            act: Any = {"by_id": line.settled_by_id, "on": on, "at": at}
            made = allocate(session, giver, person, **run, reason=reason, expected=line.amount, **act)
    except RuleBroken as refused:
        if refused.code == "needs_second" and line.settled_by_id and line.amount:
            by = session.get_one(User, (line.town_id, line.settled_by_id))
            try:
                asked: Any = {"amount": line.amount, "reason": reason, "by": by, "at": at}
                request = ask_to_allocate(session, giver, person, **run, **asked)
            except Conflict as asked_already:
                line.state, line.words = LineState.CHANGED, str(asked_already)
            else:
                line.state, line.request_id = LineState.ASKED, request.id
        else:
            line.state, line.words = LineState.CHANGED, str(refused)
    else:
        line.state, line.allocation_id = LineState.ACCEPTED, made.id
    session.flush()


def edit(
    session: Session,
    line: FundingLine,
    sponsor: Sponsor,
    months: int,
    *,
    reason: str | None = None,
    by_id: UUID | None,
    at: datetime,
) -> None:
    """Another sponsor or another number of months; the price is that of today. For somebody outside the sponsor's wish a
    `reason` is kept, and goes with the money. Raises RuleBroken, also for more than the sponsor has left beside the other
    lines, and Conflict when somebody has settled the line."""
    _open(session, line)
    assert line.start_month, "only lines with months are edited"
    on = local_day(at)
    person = session.get_one(Prospect, (line.town_id, line.prospect_id))
    refuse_outside_wish(session, sponsor, person, on, reason)
    told = price(session, person, grounds_on(session, person, on), Month.of(line.start_month), months, on, law(session))
    if not told.payable:
        raise RuleBroken(_l("This person has nothing left to pay for these months."), field="months")
    left = balance_of(session, sponsor).available - _taken(session, line, sponsor)
    if told.payable > left:
        raise RuleBroken(
            _l(
                "%(sponsor)s has %(left)s for this beside the other lines; these months cost %(cost)s.",
                sponsor=sponsor.name,
                left=in_money(max(left, 0)),
                cost=in_money(told.payable),
            ),
            field="months",
        )
    line.sponsor_id, line.months, line.amount = sponsor.id, months, told.payable
    beyond = None if is_wished(session, sponsor, person, on) else reason
    line.facts = {**line.facts, "edited": True, BEYOND_WISH: beyond}
    line.state, line.words = LineState.PROPOSED, None
    line.settled_by_id, line.settled_at = by_id, at
    session.flush()


def _taken(session: Session, line: FundingLine, sponsor: Sponsor) -> Vnd:
    """What the other lines of its proposal still take of a sponsor's unused money; what is set aside is no longer in it."""
    waiting = or_(FundingLine.state.in_((LineState.PROPOSED, LineState.CHOSEN)), second_said(None))
    others = select(func.coalesce(func.sum(FundingLine.amount), 0)).where(
        FundingLine.town_id == line.town_id,
        FundingLine.proposal_id == line.proposal_id,
        FundingLine.sponsor_id == sponsor.id,
        FundingLine.id != line.id,
        waiting,
    )
    return int(session.scalar(others) or 0)


def refuse(session: Session, line: FundingLine, words: str, *, by_id: UUID | None, at: datetime) -> None:
    """Not this sponsor for this person, for a reason: it is not proposed again until somebody lifts it."""
    _open(session, line)
    line.state, line.words, line.settled_by_id, line.settled_at = LineState.REFUSED, words, by_id, at
    row = {
        "town_id": line.town_id,
        "id": new_id(),
        "sponsor_id": line.sponsor_id,
        "prospect_id": line.prospect_id,
        "words": words,
        "at": at,
        "by_id": by_id,
    }
    session.execute(insert_or(FundingRefusal).values(row).on_conflict_do_nothing())
    session.flush()


def lift(session: Session, refusal: FundingRefusal, *, by_id: UUID | None, at: datetime) -> None:
    """This sponsor may be proposed for this person again. Twice is a Conflict."""
    session.refresh(refusal, with_for_update=True)
    if refusal.lifted_at is not None:
        raise Conflict(_l("This was lifted already."), code="lifted")
    refusal.lifted_at, refusal.lifted_by_id = at, by_id
    session.flush()


def close(session: Session, proposal: FundingProposal, *, by_id: UUID | None, at: datetime) -> None:
    """Nothing more of this proposal is accepted; what was set aside stays. Raises Conflict when it is closed."""
    session.refresh(proposal, with_for_update=True)
    _is_ready(proposal)
    proposal.state, proposal.closed_at, proposal.closed_by_id = ProposalState.CLOSED, at, by_id
    session.flush()


def _is_ready(proposal: FundingProposal) -> None:
    if proposal.state is ProposalState.WAITING:
        raise Conflict(_l("This proposal is still being worked out."), code="not_ready")
    if proposal.state is ProposalState.CLOSED:
        raise Conflict(_l("This proposal is closed. Ask for a new one."), code="closed")


def _open(session: Session, line: FundingLine) -> None:
    session.refresh(line, with_for_update=True)
    _is_ready(session.get_one(FundingProposal, (line.town_id, line.proposal_id)))
    if line.state not in OPEN:
        raise Conflict(_l("Somebody has settled this line meanwhile. Look at it again."), code="settled")


def waiting(session: Session, before: datetime) -> Sequence[FundingProposal]:
    """Proposals that were asked for before a moment and are not made, and those with accepted lines not yet settled."""
    chosen = select(FundingLine.proposal_id).where(FundingLine.state == LineState.CHOSEN)
    asked = (FundingProposal.state == ProposalState.WAITING) & (FundingProposal.asked_at < before)
    return session.scalars(select(FundingProposal).where(asked | FundingProposal.id.in_(chosen))).all()
