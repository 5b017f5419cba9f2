"""What may be done with listed payments: recording one, leaving one as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.errors import Conflict, RuleBroken
from crm.months import Month
from crm.participation import payers
from crm.participation.listed.models import ListedPayment
from crm.participation.listed.rules import OPEN, Amounts, Verdict, Why
from crm.participation.models import Payment
from crm.participation.queries import grounds_on, open_spell
from crm.participation.rules import Basis, basis_for
from crm.participation.services import enrol, record_payment
from crm.participation.shares import UNNAMED, Share
from crm.premiums.queries import law
from crm.premiums.rules.law import LawOnDay
from crm.premiums.rules.quotes import Plan, Quote, income_behind
from crm.prospects.models import Prospect


def income_of(listed_income: int | None, total: int | None, plan: Plan, today: LawOnDay) -> int:
    """The chosen income that the list names, or that its total stands for, years ahead with their discount; the least
    one where it says neither. RuleBroken where the law of the day does not say how years ahead are discounted."""
    if listed_income:
        return listed_income
    return income_behind(today, total, plan) if total else today.floor


def record_or_ask(
    session: Session, listed: ListedPayment, *, as_listed: bool, by: User, at: datetime
) -> Payment | None:
    """Record a listed payment; None when it takes more of a payer's money than one person may move and a second person
    is asked. Raises what `record` raises."""
    told: dict[str, Any] = {"as_listed": as_listed, "by": by, "at": at}
    try:
        with session.begin_nested():
            return record(session, listed, **told)
    except Conflict as refused:
        if refused.code != "needs_second":
            raise
    prospect = session.get_one(Prospect, (listed.town_id, listed.prospect_id))
    waiting = payers.waiting_for(session, prospect, Month.of(listed.start_month), listed.months)
    assert waiting, "only money that waits takes a second person"
    payers.purse_of(waiting.share.payer.kind).ask(
        session, waiting, listed.id, lambda request_id: record(session, listed, **told, request_id=request_id), **told
    )
    return None


def record(
    session: Session,
    listed: ListedPayment,
    *,
    as_listed: bool,
    by: User,
    at: datetime,
    request_id: UUID | None = None,
) -> Payment:
    """Record a listed payment under the law of its day, on the word of the insurance office. Money that was set aside
    for just these months is paid on with it, unless the list says that nobody helped.

    With `as_listed` its amounts are those of the list, though our own reckoning has others. Raises RuleBroken and
    Conflict as joining and paying on do (crm.participation.services), Conflict `decided` when that was done before, and
    `needs_second` without `request_id`, by which a second person approved it.
    """
    hold(session, listed)
    return _record(session, listed, as_listed=as_listed, by=by, at=at, request_id=request_id)


def _record(
    session: Session,
    listed: ListedPayment,
    *,
    as_listed: bool,
    by: User,
    at: datetime,
    request_id: UUID | None = None,
) -> Payment:
    if basis_for(by.may) is not Basis.CONFIRMED:
        raise RuleBroken(_l("Only whoever answers for the town's books records what a list says."), code="not_yours")
    if listed.paid_on is None:
        raise RuleBroken(_l("The list does not say when this was paid. Record it on the person's page."), code="no_day")
    prospect = session.get_one(Prospect, (listed.town_id, listed.prospect_id))
    all_law, said = law(session), Amounts(**listed.said)
    spell = open_spell(session, prospect)
    goes_on = spell and not (spell.deadline_on and listed.paid_on > spell.deadline_on)
    other = said.other or 0
    act = partial(record_payment, office_says=True) if goes_on else enrol
    waiting = payers.waiting_for(session, prospect, Month.of(listed.start_month), listed.months)
    used = waiting if waiting and (said.other is None or 0 < said.other <= waiting.share.amount) else None
    if used and request_id is None:
        payers.purse_of(used.share.payer.kind).check(session, used, by=by, at=at)
    others = (used.share,) if used else (Share(UNNAMED, other),) if other else ()
    plan = Plan.ahead(listed.months)
    payment = act(
        session,
        prospect,
        all_law=all_law,
        income=income_of(listed.income, said.total, plan, all_law.on(listed.paid_on)),
        plan=plan,
        start=Month.of(listed.start_month),
        paid_on=listed.paid_on,
        grounds=grounds_on(session, prospect, listed.paid_on),
        basis=Basis.CONFIRMED,
        by=by,
        at=at,
        confirmation=confirmation_of(listed),
        others=others,
        reckoned=(lambda told: as_said(told, said)) if as_listed else None,
    )
    if used and payment.other_support:
        payers.purse_of(used.share.payer.kind).paid(session, used, payment, by=by, at=at, request_id=request_id)
    listed.verdict, listed.payment_id, listed.refused = Verdict.RECORDED, payment.id, None
    listed.decided_at, listed.decided_by_id = at, by.id
    session.flush()
    return payment


def confirmation_of(listed: ListedPayment) -> str:
    """What shows that the payment was made: the list, and the number of the receipt on it."""
    return f"{listed.source} · {listed.receipt_number}" if listed.receipt_number else listed.source


def as_said(told: Quote, said: Amounts) -> Quote:
    """A reckoning with the amounts of the list in it; what the list leaves out is ours, the person bears the rest."""
    gross = told.gross if said.total is None else said.total
    state = told.state_support if said.state is None else said.state
    local = told.local_support if said.local is None else said.local
    other = told.other_support if said.other is None else said.other
    own = gross - state - local - other
    if own < 0 or (said.own is not None and said.own != own):
        raise RuleBroken(_l("The parts on the list do not sum to its total. Ask the insurance office."), code="sums")
    supported = (told.supported_months or told.plan.months) if state else 0
    return replace(
        told,
        gross=gross,
        state_support=state,
        local_support=local,
        other_support=other,
        payable=own,
        supported_months=supported,
    )


def accept_new(session: Session, town_id: UUID, ids: Select[UUID], *, by: User, at: datetime) -> int:
    """Those of these payments that are new and just as the law has it are to be recorded; says how many.

    A task records them; the rows themselves say that somebody wanted it, so that nothing is lost with the bell.
    """
    if basis_for(by.may) is not Basis.CONFIRMED:
        raise RuleBroken(_l("Only whoever answers for the town's books records what a list says."), code="not_yours")
    taken = session.execute(
        update(ListedPayment)
        .where(ListedPayment.town_id == town_id, ListedPayment.verdict == Verdict.NEW, ListedPayment.id.in_(ids))
        .values(verdict=Verdict.ACCEPTED, decided_at=at, decided_by_id=by.id)
        .returning(ListedPayment.id)
        .execution_options(synchronize_session=False)
    )
    return len(taken.all())


def record_accepted(session: Session, at: datetime) -> bool:
    """Record the next payment that waits for it, those of one person in the order of their months; False when none does.

    What is refused waits among those to be decided, with the reason. Safe to run again and beside itself.
    """
    listed = session.scalars(
        select(ListedPayment)
        .where(ListedPayment.verdict == Verdict.ACCEPTED)
        .order_by(ListedPayment.town_id, ListedPayment.start_month, ListedPayment.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if listed is None:
        return False
    by = session.get_one(User, (listed.town_id, listed.decided_by_id))
    try:
        with session.begin_nested():
            _record(session, listed, as_listed=False, by=by, at=at)
    except RuleBroken as refusal:
        session.refresh(listed)
        listed.verdict, listed.decided_at, listed.decided_by_id = Verdict.DIFFERS, None, None
        listed.why, listed.refused = [*listed.why, Why.REFUSED.value], str(refusal)
    session.flush()
    return True


def leave(session: Session, listed: ListedPayment, *, by: User, at: datetime) -> None:
    """What is on record stays as it is; the list's version is kept beside it. Conflict `decided` when that was done."""
    hold(session, listed)
    listed.verdict, listed.decided_at, listed.decided_by_id = Verdict.LEFT, at, by.id
    session.flush()


def hold(session: Session, listed: ListedPayment) -> None:
    """The row until the commit, so that of two who decide at once the second is told."""
    session.flush()
    session.refresh(listed, with_for_update=True)
    if listed.verdict not in OPEN:
        raise Conflict(_l("Somebody has decided this already."), code="decided")
