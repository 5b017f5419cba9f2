"""Promises, money that came in, and what it is set aside for. Every đồng moves by a posting that sums to zero."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm import stored
from crm.accounts.models import User
from crm.accounts.queries import token_digest
from crm.clock import local_day
from crm.errors import Conflict, RuleBroken
from crm.money import Vnd, in_figures
from crm.months import Month
from crm.names import fold
from crm.participation.models import Payment
from crm.participation.queries import grounds_on, months_paid, open_spell, standing_payments
from crm.participation.rules import Basis, first_months, method_of
from crm.participation.services import enrol, record_payment
from crm.participation.shares import Payer, PayerKind, Share
from crm.phones import read_phone
from crm.premiums.queries import law
from crm.premiums.rules.keys import PERIODS
from crm.premiums.rules.quotes import Plan
from crm.premiums.rules.wording import in_day
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground, Stage
from crm.sponsors.models import Allocation, LedgerAccount, LedgerEntry, Pledge, Posting, Receipt, Sponsor
from crm.sponsors.queries import FUND_ACCOUNT, is_reversed, price
from crm.sponsors.rules import (
    AccountKind,
    FundAccount,
    Movement,
    PledgeState,
    SponsorKind,
    Wish,
    check_run,
    in_month,
    needy,
    positive,
    read_tax_code,
    transfer_code,
)

CODES = 31**6


def register_sponsor(
    session: Session,
    town_id: UUID,
    *,
    name: str,
    kind: SponsorKind,
    contact_name: str | None = None,
    phone: str | None = None,
    email: str | None = None,
    tax_code: str | None = None,
    wish: Wish = Wish(),
    by_id: UUID | None,
    at: datetime,
) -> tuple[Sponsor, str]:
    """A new sponsor, and the token of their private page (the only time its text exists).

    Raises Conflict when someone of that tax code is here already.
    """
    token = secrets.token_urlsafe(24)
    reached = read_phone(phone)
    if phone and not (reached.mobile or reached.landline):
        raise RuleBroken(_l("This is no telephone number. Write it such as 0912 345 678."), field="phone")
    sponsor = Sponsor(
        town_id=town_id,
        name=name,
        name_fold=fold(name),
        kind=kind,
        contact_name=contact_name,
        phone=reached.mobile or reached.landline,
        email=email,
        tax_code=read_tax_code(tax_code) if tax_code else None,
        wish=wish.as_json(),
        page_digest=token_digest(token),
        created_at=at,
        created_by_id=by_id,
    )
    try:
        with session.begin_nested():
            session.add(sponsor)
            session.flush()
    except IntegrityError as refused:
        if "uq_sponsor_town_id_tax_code" not in str(refused.orig):
            raise
        raise Conflict(
            _l("A sponsor with the tax code %(code)s is registered already.", code=tax_code), code="tax_code"
        ) from None
    return sponsor, token


def renew_page(session: Session, sponsor: Sponsor) -> str:
    """A new token for the sponsor's private page; the old one stops working."""
    token = secrets.token_urlsafe(24)
    sponsor.page_digest = token_digest(token)
    session.flush()
    return token


def close_page(sponsor: Sponsor) -> None:
    """The sponsor's private page opens no more."""
    sponsor.page_digest = None


def pledge(
    session: Session,
    sponsor: Sponsor,
    amount: Vnd,
    *,
    due: date | None,
    note: str | None = None,
    by_id: UUID | None,
    at: datetime,
    on: date,
) -> Pledge:
    """A promise of `amount` đồng, with the code that finds its transfer. Raises RuleBroken."""
    positive(amount)
    for _ in range(20):
        row = Pledge(
            town_id=sponsor.town_id,
            sponsor_id=sponsor.id,
            amount=amount,
            code=transfer_code(secrets.randbelow(CODES)),
            pledged_on=on,
            due_on=due,
            note=note,
            recorded_at=at,
            recorded_by_id=by_id,
        )
        try:
            with session.begin_nested():
                session.add(row)
                session.flush()
        except IntegrityError as refused:
            if "uq_pledge_town_id_code" not in str(refused.orig):
                raise
            continue
        return row
    raise RuleBroken(_l("No free transfer code was found; please try again."))


def end_pledge(pledge: Pledge) -> None:
    """Nothing more is expected; what was done stays."""
    pledge.state = PledgeState.ENDED


def receive(
    session: Session,
    sponsor: Sponsor,
    amount: Vnd,
    *,
    reference: str,
    pledge: Pledge | None,
    by_id: UUID | None,
    on: date,
    at: datetime,
) -> Receipt:
    """Money came in. The same bank reference a second time is a Conflict, and nothing is booked."""
    positive(amount)
    if pledge is not None and pledge.sponsor_id != sponsor.id:
        raise RuleBroken(_l("This promise was made by another sponsor."), field="pledge_id")
    if on > local_day(at):
        raise RuleBroken(_l("The day lies ahead. Give the day on which the money came in."), field="received_on")
    reference = "".join(reference.split()).upper()
    accounts = accounts_of(session, sponsor.town_id, sponsor.id)
    try:
        with session.begin_nested():
            posting = _post(
                session,
                sponsor.town_id,
                Movement.RECEIVED,
                ((accounts[AccountKind.OUTSIDE], -amount), (accounts[AccountKind.AVAILABLE], amount)),
                memo=reference,
                by_id=by_id,
                on=on,
                at=at,
            )
            receipt = Receipt(
                town_id=sponsor.town_id,
                sponsor_id=sponsor.id,
                pledge_id=pledge.id if pledge else None,
                posting_id=posting.id,
                amount=amount,
                received_on=on,
                reference=reference,
                recorded_at=at,
                recorded_by_id=by_id,
            )
            session.add(receipt)
            session.flush()
    except IntegrityError as refused:
        if "uq_receipt_town_id_reference" not in str(refused.orig):
            raise
        raise Conflict(
            _l("A receipt with the reference %(reference)s is booked already.", reference=reference), code="reference"
        ) from None
    return receipt


def allocate(
    session: Session,
    sponsor: Sponsor,
    prospect: Prospect,
    *,
    start: Month,
    months: int,
    by_id: UUID | None,
    on: date,
    at: datetime,
    reason: str | None = None,
    expected: Vnd | None = None,
) -> Allocation:
    """Set part of a sponsor's money aside for whole months of one person: what the person still owes for them.

    The amount follows from the law of the day (queries.price); `expected` is what the treasurer was shown. Money is for
    people in need on that day; for anyone else a `reason` is kept. Raises RuleBroken, and Conflict `months_carried`,
    `months_paid`, `amount_changed` or, from the database itself, `not_enough_received`.

    The person's row is locked, so that two treasurers cannot fund the same months at once.
    """
    session.flush()
    session.refresh(prospect, with_for_update=True)
    grounds, of = grounds_on(session, prospect, on), law(session)
    earliest, _later = first_months(on, of.on(on), Plan(method_of(months), months))
    check_run(start, months, earliest, on)
    check_need(prospect, grounds, on, reason)
    refuse_carried_months(session, prospect, start, months)
    refuse_paid_months(session, prospect, start, months)
    amount = price(session, prospect, grounds, start, months, on, of).payable
    if not amount:
        raise RuleBroken(_l("This person has nothing left to pay for these months."), field="months")
    if expected is not None and expected != amount:
        message = _l("The amount is now %(amount)s. Look at it again and confirm.", amount=in_figures(amount))
        raise Conflict(message, code="amount_changed", amount=amount)
    accounts = accounts_of(session, sponsor.town_id, sponsor.id)
    posting = _post(
        session,
        sponsor.town_id,
        Movement.RESERVED,
        ((accounts[AccountKind.AVAILABLE], -amount), (accounts[AccountKind.RESERVED], amount)),
        memo=reason,
        by_id=by_id,
        on=on,
        at=at,
    )
    allocation = Allocation(
        town_id=sponsor.town_id,
        sponsor_id=sponsor.id,
        prospect_id=prospect.id,
        posting_id=posting.id,
        start_month=start.first_day,
        months=months,
        amount=amount,
        recorded_at=at,
        recorded_by_id=by_id,
    )
    session.add(allocation)
    session.flush()
    return allocation


def check_need(prospect: Prospect, grounds: Collection[Ground], on: date, reason: str | None) -> None:
    """Refuses somebody who may not join, and, without a reason, somebody who is not in need on that day."""
    if prospect.merged_into_id or prospect.stage is Stage.NOT_ELIGIBLE:
        raise RuleBroken(_l("This person cannot take part, so there is nothing to pay for."), code="not_eligible")
    if not reason and needy(grounds) is None:
        message = _l(
            "On %(day)s this person has no certificate of a poor or near-poor household. Give a reason to help anyway.",
            day=in_day(on),
        )
        raise RuleBroken(message, field="reason", code="not_in_need")


def release(session: Session, allocation: Allocation, *, by_id: UUID | None, on: date, at: datetime) -> None:
    """Give back money that was set aside and not yet paid on, or whose payment was taken back. Twice is a Conflict."""
    session.refresh(allocation)
    paid_back = is_reversed(session, allocation)
    unpaid = Allocation.payment_id == allocation.payment_id if paid_back else Allocation.payment_id.is_(None)
    _settle(session, allocation, unpaid, released_at=at)
    accounts = accounts_of(session, allocation.town_id, allocation.sponsor_id)
    amount = _paid_on(session, allocation) if paid_back else allocation.amount
    source = AccountKind.INSURANCE_FUND if paid_back else AccountKind.RESERVED
    _post(
        session,
        allocation.town_id,
        Movement.CORRECTED if paid_back else Movement.RELEASED,
        ((accounts[source], -amount), (accounts[AccountKind.AVAILABLE], amount)),
        memo=str(allocation.id),
        by_id=by_id,
        on=on,
        at=at,
        reverses_id=allocation.posting_id,
    )


def pay_premium(
    session: Session,
    allocation: Allocation,
    *,
    paid_on: date,
    basis: Basis,
    by: User,
    at: datetime,
    receipt_number: str | None = None,
    confirmation: str | None = None,
) -> Payment:
    """The months that a sponsor carries are paid: somebody joins, or pays on, with the money set aside for them.

    Raises what joining and paying on raise (crm.participation.services), and Conflict `settled`.
    """
    if allocation.months not in PERIODS.values():
        message = _l("One pays for 1, 3, 6 or 12 months at a time. Give the money back and set it aside in such parts.")
        raise RuleBroken(message, code="months_not_a_period")
    prospect = session.get_one(Prospect, (allocation.town_id, allocation.prospect_id))
    spell = open_spell(session, prospect)
    act = record_payment if spell else enrol
    act(
        session,
        prospect,
        income=spell.income if spell else law(session).on(paid_on).floor,
        plan=Plan.periodic(allocation.months),
        start=Month.of(allocation.start_month),
        paid_on=paid_on,
        grounds=grounds_on(session, prospect, paid_on),
        basis=basis,
        by=by,
        at=at,
        receipt_number=receipt_number,
        confirmation=confirmation,
        others=(Share(Payer(PayerKind.SPONSOR, allocation.sponsor_id), allocation.amount),),
    )
    payment = session.scalars(standing_payments(prospect).limit(1)).one()
    pay_on(session, allocation, payment, by_id=by.id, on=paid_on, at=at)
    return payment


def pay_on(
    session: Session, allocation: Allocation, payment: Payment, *, by_id: UUID | None, on: date, at: datetime
) -> None:
    """The money set aside went to the insurance fund with this payment. Twice is a Conflict.

    What the payment did not need, because the law had meanwhile changed, is free again in the same posting.
    """
    used = payment.other_support
    if payment.prospect_id != allocation.prospect_id or not 0 < used <= allocation.amount:
        raise RuleBroken(_l("This payment was not made with this money."), code="another_payment")
    _settle(session, allocation, Allocation.payment_id.is_(None), payment_id=payment.id)
    accounts = accounts_of(session, allocation.town_id, allocation.sponsor_id)
    moves = [
        (accounts[AccountKind.RESERVED], -allocation.amount),
        (accounts[AccountKind.INSURANCE_FUND], used),
        (accounts[AccountKind.AVAILABLE], allocation.amount - used),
    ]
    _post(
        session,
        allocation.town_id,
        Movement.PAID,
        [(account, amount) for account, amount in moves if amount],
        memo=str(payment.id),
        by_id=by_id,
        on=on,
        at=at,
    )


def _settle(session: Session, allocation: Allocation, still: ColumnElement[bool], **values: Any) -> None:
    """Only one act can settle an allocation: whoever comes second is refused."""
    settled = session.execute(
        update(Allocation)
        .where(
            Allocation.town_id == allocation.town_id,
            Allocation.id == allocation.id,
            Allocation.released_at.is_(None),
            still,
        )
        .values(**values)
        .returning(Allocation.id)
    )
    if settled.one_or_none() is None:
        raise Conflict(_l("This money was released or paid on already."), code="settled")
    session.refresh(allocation)


def _paid_on(session: Session, allocation: Allocation) -> Vnd:
    """What of the money went to the insurance fund with its payment."""
    payment = session.get_one(Payment, (allocation.town_id, allocation.payment_id))
    return payment.other_support


def refuse_paid_months(session: Session, prospect: Prospect, start: Month, months: int) -> None:
    """Raises Conflict when some of these months of the person are paid for already."""
    paid = months_paid(session, prospect, start, months)
    if paid:
        message = _l("%(month)s is paid for already. Begin with a later month.", month=in_month(paid[-1]))
        raise Conflict(message, code="months_paid", months=[str(month) for month in paid])


def refuse_carried_months(session: Session, prospect: Prospect, start: Month, months: int) -> None:
    """Raises Conflict when some of these months of the person are carried already by a sponsor."""
    carried = session.execute(
        select(Allocation.start_month, Allocation.months).where(
            Allocation.town_id == prospect.town_id,
            Allocation.prospect_id == prospect.id,
            Allocation.released_at.is_(None),
        )
    )
    wanted = {start + step for step in range(months)}
    for first, number in carried:
        both = wanted.intersection(Month.of(first) + step for step in range(number))
        if both:
            raise Conflict(
                _l("%(month)s is carried by a sponsor already.", month=in_month(min(both))), code="months_carried"
            )


def accounts_of(session: Session, town_id: UUID, sponsor_id: UUID) -> dict[AccountKind, UUID]:
    """The accounts of a sponsor, opened on first use."""
    query = select(LedgerAccount.kind, LedgerAccount.id).where(
        LedgerAccount.town_id == town_id, LedgerAccount.sponsor_id == sponsor_id
    )
    found = {row[0]: row[1] for row in session.execute(query)}
    if len(found) < len(AccountKind):
        session.execute(
            insert(LedgerAccount)
            .values([{"town_id": town_id, "sponsor_id": sponsor_id, "kind": kind} for kind in AccountKind])
            .on_conflict_do_nothing()
        )
        found = {row[0]: row[1] for row in session.execute(query)}
    return found


def set_fund_account(session: Session, account: FundAccount) -> None:
    """From now on sponsors are shown this account."""
    stored.write(session, FUND_ACCOUNT, account.as_json())


def _post(
    session: Session,
    town_id: UUID,
    movement: Movement,
    entries: Iterable[tuple[UUID, Vnd]],
    *,
    memo: str | None,
    by_id: UUID | None,
    on: date,
    at: datetime,
    reverses_id: UUID | None = None,
) -> Posting:
    posting = Posting(
        town_id=town_id,
        movement=movement,
        posted_on=on,
        memo=memo,
        recorded_at=at,
        recorded_by_id=by_id,
        reverses_id=reverses_id,
    )
    try:
        with session.begin_nested():
            session.add(posting)
            session.flush()
            session.add_all(
                LedgerEntry(town_id=town_id, posting_id=posting.id, ledger_account_id=account, amount=amount)
                for account, amount in sorted(entries)
            )
            session.flush()
    except IntegrityError as refused:
        if "ck_ledger_account_balance" not in str(refused.orig):
            raise
        raise Conflict(
            _l("This is more than what has been received and is not yet spent."), code="not_enough_received"
        ) from None
    return posting
