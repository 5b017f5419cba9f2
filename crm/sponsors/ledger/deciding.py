"""Two people for money: an act above the limit is asked for by one and done by the approval of another.

A request keeps what the act is told as plain values. Approving does the act in the same transaction, by the one who
asked and with the request's id on its posting; the database refuses a posting above the limit without it, and an
approval by whoever asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import scope_of
from crm.accounts.services import note_change
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.money import Vnd
from crm.months import Month
from crm.participation.leaving.services import settle
from crm.participation.listed.models import ListedPayment
from crm.participation.listed.services import record as record_listed
from crm.participation.models import Payment
from crm.participation.rules import Basis
from crm.prospects.models import Prospect
from crm.sponsors import services
from crm.sponsors.family import kept_of
from crm.sponsors.ledger.booking import NOT_ENOUGH, NOTHING_TAKEN_BACK
from crm.sponsors.ledger.closing import close_month
from crm.sponsors.ledger.limits import limit, set_limit
from crm.sponsors.ledger.models import LedgerPeriod, MoneyRequest
from crm.sponsors.ledger.rules import LIMIT_CHANGED, Decision, MoneyAct, subject_of
from crm.sponsors.models import Allocation, Posting, Receipt, Sponsor
from crm.sponsors.queries import balance_of

Does = Callable[[Session, MoneyRequest, User, date, datetime], object]


def ask(
    session: Session,
    town_id: UUID,
    act: MoneyAct,
    arguments: Mapping[str, Any],
    amount: Vnd,
    *,
    sponsor_id: UUID | None,
    reason: str | None,
    by: User,
    at: datetime,
) -> MoneyRequest:
    """An act waits for a second person. `arguments` as the act's function below reads them, ids and days as text.

    Raises Conflict `asked_already` while the same waits.
    """
    row = MoneyRequest(
        town_id=town_id,
        id=new_id(),
        act=act,
        arguments=dict(arguments),
        amount=amount,
        reason=reason,
        sponsor_id=sponsor_id,
        subject=subject_of(arguments, sponsor_id, amount),
        asked_by_id=by.id,
        asked_at=at,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as refused:
        if "uq_money_request_waits_once" not in str(refused.orig):
            raise
        raise Conflict(
            _l("This waits for a second person already: look among the decisions that wait."), code="asked_already"
        ) from None
    return row


def ask_to_allocate(
    session: Session,
    sponsor: Sponsor,
    person: Prospect,
    *,
    start: Month,
    months: int,
    amount: Vnd,
    reason: str | None,
    by: User,
    at: datetime,
) -> MoneyRequest:
    """Setting money aside waits; `amount` is what it came to, and the approval holds to it."""
    arguments = {"prospect_id": str(person.id), "start": str(start), "months": months}
    return ask(
        session,
        sponsor.town_id,
        MoneyAct.ALLOCATE,
        arguments,
        amount,
        sponsor_id=sponsor.id,
        reason=reason,
        by=by,
        at=at,
    )


def ask_to_pay(
    session: Session,
    allocation: Allocation,
    *,
    paid_on: date,
    basis: Basis,
    receipt_number: str | None,
    confirmation: str | None,
    by: User,
    at: datetime,
) -> MoneyRequest:
    """Paying a premium with a sponsor's money waits."""
    arguments = {
        "allocation_id": str(allocation.id),
        "paid_on": paid_on.isoformat(),
        "basis": basis.value,
        "receipt_number": receipt_number,
        "confirmation": confirmation,
    }
    amount = allocation.carried_amount
    return ask(
        session,
        allocation.town_id,
        MoneyAct.PAY,
        arguments,
        amount,
        sponsor_id=allocation.sponsor_id,
        reason=None,
        by=by,
        at=at,
    )


def ask_to_refund(
    session: Session, sponsor: Sponsor, amount: Vnd, *, reason: str, reference: str | None, by: User, at: datetime
) -> MoneyRequest:
    """Returning money to a sponsor waits."""
    arguments = {"reference": reference}
    return ask(
        session, sponsor.town_id, MoneyAct.REFUND, arguments, amount, sponsor_id=sponsor.id, reason=reason, by=by, at=at
    )


def ask_to_correct(session: Session, receipt: Receipt, *, reason: str, by: User, at: datetime) -> MoneyRequest:
    """Putting a receipt right waits."""
    return ask(
        session,
        receipt.town_id,
        MoneyAct.CORRECT,
        {"receipt_id": str(receipt.id)},
        receipt.amount,
        sponsor_id=receipt.sponsor_id,
        reason=reason,
        by=by,
        at=at,
    )


def ask_to_close(session: Session, town_id: UUID, month: Month, *, by: User, at: datetime) -> MoneyRequest:
    """Closing a month waits."""
    return ask(session, town_id, MoneyAct.CLOSE, {"month": str(month)}, 0, sponsor_id=None, reason=None, by=by, at=at)


def allocate_or_ask(
    session: Session,
    sponsor: Sponsor,
    person: Prospect,
    *,
    start: Month,
    months: int,
    reason: str | None,
    expected: Vnd | None,
    by: User,
    on: date,
    at: datetime,
) -> Allocation | MoneyRequest:
    """Set money aside, or, above the limit, ask a second person. Raises what services.allocate raises."""
    told: dict[str, Any] = {"start": start, "months": months, "reason": reason}
    try:
        return services.allocate(session, sponsor, person, **told, expected=expected, by_id=by.id, on=on, at=at)
    except Conflict as refused:
        amount = _above(refused)
        _refuse_more_than_free(session, sponsor, amount, NOT_ENOUGH)
        return ask_to_allocate(session, sponsor, person, **told, amount=amount, by=by, at=at)


def refund_or_ask(
    session: Session,
    sponsor: Sponsor,
    amount: Vnd,
    *,
    reason: str,
    reference: str | None,
    by: User,
    on: date,
    at: datetime,
) -> Posting | MoneyRequest:
    """Return money to a sponsor, or, above the limit, ask a second person. Raises what services.refund raises."""
    told: dict[str, Any] = {"reason": reason, "reference": reference}
    try:
        return services.refund(session, sponsor, amount, **told, by_id=by.id, on=on, at=at)
    except Conflict as refused:
        _above(refused)
        _refuse_more_than_free(session, sponsor, amount, NOT_ENOUGH)
        return ask_to_refund(session, sponsor, amount, **told, by=by, at=at)


def correct_or_ask(
    session: Session, receipt: Receipt, *, reason: str, by: User, on: date, at: datetime
) -> Posting | MoneyRequest:
    """Take a receipt back, or, above the limit, ask a second person. Raises what services.correct_receipt raises."""
    try:
        return services.correct_receipt(session, receipt, reason=reason, by_id=by.id, on=on, at=at)
    except Conflict as refused:
        _above(refused)
        by_whom = kept_of(session, session.get_one(Sponsor, (receipt.town_id, receipt.sponsor_id)))
        _refuse_more_than_free(session, by_whom, receipt.amount, NOTHING_TAKEN_BACK)
        return ask_to_correct(session, receipt, reason=reason, by=by, at=at)


def close_or_ask(
    session: Session, town_id: UUID, month: Month, *, by: User, on: date, at: datetime
) -> LedgerPeriod | MoneyRequest:
    """Close a month, or, where there is a limit, ask a second person. Raises what close_month raises."""
    try:
        return close_month(session, town_id, month, by_id=by.id, on=on, at=at)
    except Conflict as refused:
        _above(refused)
        return ask_to_close(session, town_id, month, by=by, at=at)


def pay_or_ask(
    session: Session, allocation: Allocation, *, paid_on: date, basis: Basis, by: User, at: datetime, **proof: Any
) -> Payment | MoneyRequest:
    """Pay a premium with a sponsor's money, or, above the limit, ask a second person. Raises what pay_premium raises."""
    told: dict[str, Any] = {"paid_on": paid_on, "basis": basis, "by": by, "at": at} | proof
    try:
        return services.pay_premium(session, allocation, **told)
    except Conflict as refused:
        _above(refused)
        return ask_to_pay(session, allocation, **told)


def ask_once_tried(
    session: Session,
    town_id: UUID,
    act: MoneyAct,
    arguments: Mapping[str, Any],
    amount: Vnd,
    attempt: Callable[[UUID], object],
    *,
    sponsor_id: UUID | None,
    reason: str | None,
    by: User,
    at: datetime,
) -> MoneyRequest:
    """Ask a second person for an act, after trying that nothing else stands in its way: `attempt` is told the request,
    raises what the act raises, and what it did is taken back."""
    asked = ask(session, town_id, act, arguments, amount, sponsor_id=sponsor_id, reason=reason, by=by, at=at)
    trial = session.begin_nested()
    try:
        attempt(asked.id)
    finally:
        trial.rollback()
        session.expire_all()
    return asked


def _above(refused: Conflict) -> Vnd:
    """The amount that was above the limit; any other refusal goes on its way."""
    if refused.code != "needs_second":
        raise refused
    amount: Vnd = refused.details.get("amount", 0)
    return amount


def _refuse_more_than_free(session: Session, sponsor: Sponsor, amount: Vnd, words: Any) -> None:
    """Nobody is asked for what cannot be done today; whether it can be is looked at again when it is approved."""
    if amount > balance_of(session, sponsor).available:
        raise Conflict(words, code="not_enough_received")


def change_limit(session: Session, amount: Vnd | None, *, by: User, at: datetime) -> None:
    """From now on acts above `amount` need a second person; None: none does. Kept with who did it."""
    before = limit(session)
    set_limit(session, amount)
    note_change(
        session,
        town_id=by.town_id,
        user_id=by.id,
        act=LIMIT_CHANGED,
        subject="town",
        subject_id=by.town_id,
        at=at,
        before={"limit": before},
        after={"limit": amount},
    )


def decide(
    session: Session,
    request: MoneyRequest,
    decision: Decision,
    *,
    by: User,
    on: date,
    at: datetime,
    words: str | None = None,
) -> None:
    """Approve a request, which does the act now and may refuse as the act refuses, or refuse it, which takes words.

    Raises RuleBroken `own_request`, and Conflict `decided_already`.
    """
    session.flush()
    session.refresh(request, with_for_update=True)
    if request.decision is not None:
        raise Conflict(_l("Somebody has decided this already. Open the page again."), code="decided_already")
    if by.id == request.asked_by_id:
        raise RuleBroken(_l("You asked for this yourself: it takes a second person."), code="own_request")
    if decision is Decision.REFUSED and not words:
        raise RuleBroken(_l("Say why, so that the one who asked knows what to do."), field="words")
    request.decision, request.decided_by_id, request.decided_at, request.words = decision, by.id, at, words
    session.flush()
    if decision is Decision.APPROVED:
        asker = session.get_one(User, (request.town_id, request.asked_by_id))
        ACTS[request.act](session, request, asker, on, at)
    note_change(
        session,
        town_id=request.town_id,
        user_id=by.id,
        act="decide_money",
        subject="money_request",
        subject_id=request.id,
        at=at,
        before={},
        after={"decision": decision.value, "act": request.act.value, "amount": request.amount},
    )


def _allocate(session: Session, request: MoneyRequest, asker: User, on: date, at: datetime) -> object:
    told = request.arguments
    return services.allocate(
        session,
        _sponsor(session, request),
        session.get_one(Prospect, (request.town_id, UUID(told["prospect_id"]))),
        start=Month.parse(told["start"]),
        months=told["months"],
        reason=request.reason,
        expected=request.amount,
        request_id=request.id,
        by_id=asker.id,
        on=on,
        at=at,
    )


def _pay(session: Session, request: MoneyRequest, asker: User, on: date, at: datetime) -> object:
    told = request.arguments
    return services.pay_premium(
        session,
        session.get_one(Allocation, (request.town_id, UUID(told["allocation_id"]))),
        paid_on=date.fromisoformat(told["paid_on"]),
        basis=Basis(told["basis"]),
        receipt_number=told["receipt_number"],
        confirmation=told["confirmation"],
        request_id=request.id,
        by=asker,
        at=at,
    )


def _refund(session: Session, request: MoneyRequest, asker: User, on: date, at: datetime) -> object:
    return services.refund(
        session,
        _sponsor(session, request),
        request.amount,
        reason=request.reason or "",
        reference=request.arguments["reference"],
        request_id=request.id,
        by_id=asker.id,
        on=on,
        at=at,
    )


def _correct(session: Session, request: MoneyRequest, asker: User, on: date, at: datetime) -> object:
    receipt = session.get_one(Receipt, (request.town_id, UUID(request.arguments["receipt_id"])))
    return services.correct_receipt(
        session, receipt, reason=request.reason or "", request_id=request.id, by_id=asker.id, on=on, at=at
    )


def _close(session: Session, request: MoneyRequest, asker: User, on: date, at: datetime) -> object:
    month = Month.parse(request.arguments["month"])
    return close_month(session, request.town_id, month, by_id=asker.id, on=on, at=at, request_id=request.id)


def _pay_listed(session: Session, request: MoneyRequest, asker: User, on: date, at: datetime) -> object:
    told = request.arguments
    listed = session.get_one(ListedPayment, (request.town_id, UUID(told["listed_id"])))
    return record_listed(session, listed, as_listed=told["as_listed"], by=asker, at=at, request_id=request.id)


def _come_back(session: Session, request: MoneyRequest, asker: User, on: date, at: datetime) -> object:
    told = request.arguments
    return settle(
        session,
        scope_of(session, asker),
        UUID(told["part_id"]),
        on=date.fromisoformat(told["on"]),
        note=told["note"],
        paid_back=told["paid_back"],
        by=asker,
        at=at,
        request_id=request.id,
    )


ACTS: dict[MoneyAct, Does] = {
    MoneyAct.ALLOCATE: _allocate,
    MoneyAct.PAY: _pay,
    MoneyAct.REFUND: _refund,
    MoneyAct.CORRECT: _correct,
    MoneyAct.CLOSE: _close,
    MoneyAct.PAY_LISTED: _pay_listed,
    MoneyAct.COME_BACK: _come_back,
}
"""How each act is done once it is approved; a package that stands on this one adds its own (`does`)."""


def does(act: MoneyAct, how: Does) -> None:
    """Let this function do an act once it is approved."""
    ACTS[act] = how


def _sponsor(session: Session, request: MoneyRequest) -> Sponsor:
    assert request.sponsor_id, "an act with a sponsor's money names the sponsor"
    return kept_of(session, session.get_one(Sponsor, (request.town_id, request.sponsor_id)))
