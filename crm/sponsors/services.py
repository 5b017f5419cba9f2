"""Promises, money that came in, and what it is set aside for. Every đồng moves by a posting that sums to zero."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.queries import token_digest
from crm.errors import Conflict, RuleBroken
from crm.money import Vnd
from crm.months import Month
from crm.names import fold
from crm.prospects.models import Prospect
from crm.sponsors.models import (
    Allocation,
    LedgerAccount,
    LedgerEntry,
    Pledge,
    Posting,
    Receipt,
    Sponsor,
)
from crm.sponsors.rules import AccountKind, Movement, PledgeState, SponsorKind, transfer_code

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
    wish: dict[str, Any] | None = None,
    by_id: UUID | None,
    at: datetime,
) -> tuple[Sponsor, str]:
    """A new sponsor, and the token of their private page (the only time its text exists).

    Raises Conflict when someone of that tax code is here already.
    """
    token = secrets.token_urlsafe(24)
    sponsor = Sponsor(
        town_id=town_id,
        name=name,
        name_fold=fold(name),
        kind=kind,
        contact_name=contact_name,
        phone=phone,
        email=email,
        tax_code=tax_code,
        wish=wish or {},
        page_digest=token_digest(token),
        created_at=at,
        created_by_id=by_id,
    )
    try:
        with session.begin_nested():
            session.add(sponsor)
            session.flush()
    except IntegrityError:
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
        except IntegrityError:
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
    accounts = accounts_of(session, sponsor.town_id, sponsor.id)
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
    try:
        session.flush()
    except IntegrityError:
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
    amount: Vnd,
    by_id: UUID | None,
    on: date,
    at: datetime,
) -> Allocation:
    """Set part of a sponsor's money aside for months of one person. More than is there: Conflict, from the database.

    The person's row is locked, so that two treasurers cannot fund the same months at once.
    """
    positive(amount)
    session.execute(
        select(Prospect.id).where(Prospect.town_id == prospect.town_id, Prospect.id == prospect.id).with_for_update()
    )
    refuse_carried_months(session, prospect, start, months)
    accounts = accounts_of(session, sponsor.town_id, sponsor.id)
    posting = _post(
        session,
        sponsor.town_id,
        Movement.RESERVED,
        ((accounts[AccountKind.AVAILABLE], -amount), (accounts[AccountKind.RESERVED], amount)),
        memo=None,
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


def release(session: Session, allocation: Allocation, *, by_id: UUID | None, on: date, at: datetime) -> None:
    """Give back money that was set aside and not yet paid on. Twice is a Conflict."""
    released = session.execute(
        update(Allocation)
        .where(
            Allocation.town_id == allocation.town_id,
            Allocation.id == allocation.id,
            Allocation.released_at.is_(None),
            Allocation.payment_id.is_(None),
        )
        .values(released_at=at)
    )
    if not released.rowcount:  # type: ignore[attr-defined]
        raise Conflict(_l("This money was released or paid on already."), code="settled")
    accounts = accounts_of(session, allocation.town_id, allocation.sponsor_id)
    _post(
        session,
        allocation.town_id,
        Movement.RELEASED,
        ((accounts[AccountKind.RESERVED], -allocation.amount), (accounts[AccountKind.AVAILABLE], allocation.amount)),
        memo=None,
        by_id=by_id,
        on=on,
        at=at,
        reverses_id=allocation.posting_id,
    )


def pay_on(
    session: Session, allocation: Allocation, payment_id: UUID, *, by_id: UUID | None, on: date, at: datetime
) -> None:
    """The money set aside went to the insurance fund with this payment. Twice is a Conflict."""
    paid = session.execute(
        update(Allocation)
        .where(
            Allocation.town_id == allocation.town_id,
            Allocation.id == allocation.id,
            Allocation.released_at.is_(None),
            Allocation.payment_id.is_(None),
        )
        .values(payment_id=payment_id)
    )
    if not paid.rowcount:  # type: ignore[attr-defined]
        raise Conflict(_l("This money was released or paid on already."), code="settled")
    accounts = accounts_of(session, allocation.town_id, allocation.sponsor_id)
    _post(
        session,
        allocation.town_id,
        Movement.PAID,
        (
            (accounts[AccountKind.RESERVED], -allocation.amount),
            (accounts[AccountKind.INSURANCE_FUND], allocation.amount),
        ),
        memo=None,
        by_id=by_id,
        on=on,
        at=at,
    )


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
                _l("%(month)s is carried by a sponsor already.", month=str(min(both))), code="months_carried"
            )


def accounts_of(session: Session, town_id: UUID, sponsor_id: UUID) -> dict[AccountKind, UUID]:
    """The accounts of a sponsor, opened on first use."""
    session.execute(
        insert(LedgerAccount)
        .values([{"town_id": town_id, "sponsor_id": sponsor_id, "kind": kind} for kind in AccountKind])
        .on_conflict_do_nothing()
    )
    found = session.execute(
        select(LedgerAccount.kind, LedgerAccount.id).where(
            LedgerAccount.town_id == town_id, LedgerAccount.sponsor_id == sponsor_id
        )
    )
    return {kind: account_id for kind, account_id in found}  # noqa: C416


def positive(amount: Vnd) -> None:
    """Raises RuleBroken for an amount that is no payment."""
    if not 0 < amount < 10**15:
        raise RuleBroken(_l("Write an amount in whole đồng, more than 0."), field="amount")


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
    session.add(posting)
    session.flush()
    rows = [
        LedgerEntry(town_id=town_id, posting_id=posting.id, ledger_account_id=account, amount=amount)
        for account, amount in sorted(entries)
    ]
    try:
        with session.begin_nested():
            session.add_all(rows)
            session.flush()
    except IntegrityError as refused:
        if "ck_ledger_account_balance" not in str(refused.orig):
            raise
        raise Conflict(
            _l("This is more than what has been received and is not yet spent."), code="not_enough_received"
        ) from None
    return posting
