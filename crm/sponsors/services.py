"""Promises, money that came in, and what it is set aside for. Every đồng moves by a posting that sums to zero."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm import stored
from crm.accounts.models import User
from crm.accounts.queries import token_digest
from crm.accounts.services import note_change
from crm.clock import local_day
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.mail.rules import read_address
from crm.money import Vnd, split_evenly
from crm.months import Month
from crm.names import fold
from crm.participation.models import Payment
from crm.participation.queries import grounds_on, months_paid, open_spell
from crm.participation.rules import Basis, first_months
from crm.participation.services import enrol, record_payment
from crm.participation.shares import Payer, PayerKind, Share
from crm.premiums.queries import law
from crm.premiums.rules.keys import PERIODS
from crm.premiums.rules.quotes import Plan
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground, Stage
from crm.sponsors.family import joined_among, kept_of
from crm.sponsors.giving.rules import Due, Frequency
from crm.sponsors.giving.services.instalments import begin_instalments
from crm.sponsors.ledger.booking import (
    NOT_ENOUGH,
    Booked,
    account_of_held,
    account_of_pledge,
    accounts_of,
    begin,
    in_words,
    month_closed,
    moved_by,
    open_day,
    outside_of_nobody,
    post,
    reverse,
    write_entries,
)
from crm.sponsors.ledger.limits import refuse_alone
from crm.sponsors.ledger.passing import fetch_back, pass_on
from crm.sponsors.models import Allocation, AllocationMonth, Pledge, Posting, Receipt, Sponsor
from crm.sponsors.queries import (
    FUND_ACCOUNT,
    came_in_on,
    carried_months,
    is_reversed,
    is_wished,
    months_carried,
    price,
    with_page,
)
from crm.sponsors.rules import (
    AccountKind,
    FundAccount,
    Movement,
    PledgeState,
    SponsorKind,
    Wish,
    check_start,
    in_month,
    masked_tax_code,
    needy,
    positive,
    reached_at,
    read_tax_code,
    refuse_long_ago,
    refuse_past_due,
    transfer_code,
)
from crm.web.filters import in_day, in_money

CODES = 31**6
SETTLED = _l("This money was released or paid on already.")


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
    language: str = "vi",
    wish: Wish = Wish(),
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
        phone=reached_at(phone),
        email=read_address(email) if email else None,
        tax_code=read_tax_code(tax_code) if tax_code else None,
        language=language,
        wish=wish.as_json(),
        page_digest=token_digest(token),
        created_at=at,
        created_by_id=by_id,
    )
    with _one_of_a_tax_code(session, tax_code):
        session.add(sponsor)
    return sponsor, token


@contextmanager
def _one_of_a_tax_code(session: Session, tax_code: str | None) -> Iterator[None]:
    """Writes what is done within, and says in words that the tax code is another's."""
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError as refused:
        if "uq_sponsor_town_id_tax_code" not in str(refused.orig):
            raise
        raise Conflict(
            _l("A sponsor with the tax code %(code)s is registered already.", code=tax_code), code="tax_code"
        ) from None


def known_of(sponsor: Sponsor) -> dict[str, Any]:
    """What is known of a sponsor, as `register_sponsor` and `change_sponsor` take it."""
    same = ("name", "kind", "contact_name", "phone", "email", "tax_code", "language")
    return {name: getattr(sponsor, name) for name in same} | {"wish": Wish.from_json(sponsor.wish)}


def change_sponsor(
    session: Session,
    sponsor: Sponsor,
    *,
    name: str,
    kind: SponsorKind,
    contact_name: str | None,
    phone: str | None,
    email: str | None,
    tax_code: str | None,
    language: str,
    wish: Wish,
    by_id: UUID | None,
    at: datetime,
) -> bool:
    """What is known of a sponsor from now on; who changed what from what is kept. False when nothing was different.

    Papers that were issued keep the name they have. Raises RuleBroken, and Conflict when the tax code is another's.
    """
    session.refresh(sponsor, with_for_update=True)
    before = _kept_of(sponsor)
    with _one_of_a_tax_code(session, tax_code):
        sponsor.name, sponsor.name_fold, sponsor.kind = name, fold(name), kind
        sponsor.contact_name, sponsor.phone = contact_name or None, reached_at(phone)
        sponsor.email = read_address(email) if email else None
        sponsor.tax_code = read_tax_code(tax_code) if tax_code else None
        sponsor.language, sponsor.wish = language, wish.as_json()
    after = _kept_of(sponsor)
    different = [field for field in before if before[field] != after[field]]
    if not different:
        return False
    note_change(
        session,
        town_id=sponsor.town_id,
        user_id=by_id,
        act="sponsor_changed",
        subject="sponsor",
        subject_id=sponsor.id,
        at=at,
        before={field: before[field] for field in different},
        after={field: after[field] for field in different},
    )
    session.flush()
    return True


def change_wish(session: Session, sponsor: Sponsor, wish: Wish, *, by_id: UUID | None, at: datetime) -> bool:
    """Whom a sponsor would like to help from now on; kept as `change_sponsor` keeps it."""
    return change_some(session, sponsor, {"wish": wish}, by_id=by_id, at=at)


def change_some(
    session: Session, sponsor: Sponsor, some: Mapping[str, Any], *, by_id: UUID | None, at: datetime
) -> bool:
    """Some of what is known of a sponsor; the rest stays as it is once the row is held, not as it was read before: what
    somebody else put right meanwhile is not written back."""
    session.refresh(sponsor, with_for_update=True)
    return change_sponsor(session, sponsor, **known_of(sponsor) | dict(some), by_id=by_id, at=at)


def _kept_of(sponsor: Sponsor) -> dict[str, object]:
    """Plain values for the record of changes; the tax code of a person is their citizen number, and masked there."""
    known = known_of(sponsor) | {"kind": sponsor.kind.value, "wish": dict(sponsor.wish)}
    return known | {"tax_code": masked_tax_code(sponsor.tax_code)}


def renew_page(session: Session, sponsor: Sponsor) -> str:
    """A new token for the sponsor's private page; the old one stops working."""
    token = secrets.token_urlsafe(24)
    sponsor.page_digest = token_digest(token)
    session.flush()
    return token


def close_page(sponsor: Sponsor) -> None:
    """The sponsor's private page opens no more."""
    sponsor.page_digest = None


def give_up_page(session: Session, token: str, *, renewed: bool, at: datetime) -> str | None:
    """The sponsor themselves gave up the address of their page: it opens nothing any more. Answers the token of the new
    one, or None when they want none. Raises NotFound."""
    row = with_page(session, token)
    close_page(row)
    of = kept_of(session, row)
    note_change(
        session,
        town_id=row.town_id,
        user_id=None,
        act="sponsor_page_given_up",
        subject="sponsor",
        subject_id=of.id,
        at=at,
        after={"renewed": renewed},
    )
    session.flush()
    return renew_page(session, of) if renewed else None


def pledge(
    session: Session,
    sponsor: Sponsor,
    amount: Vnd,
    *,
    due: date | None,
    dues: Sequence[Due] | None = None,
    frequency: Frequency = Frequency.ONCE,
    note: str | None = None,
    by_id: UUID | None,
    at: datetime,
    on: date,
) -> Pledge:
    """A promise of `amount` đồng, with the code that finds its transfer. Raises RuleBroken.

    `dues` are its instalments, which sum to the amount; without them it is one, on the day `due` if that is known.
    """
    positive(amount)
    for day in [due.on for due in dues] if dues else [due] if due else []:
        refuse_past_due(day, on)
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
        begin_instalments(session, row, dues, frequency, by_id=by_id, at=at)
        expect(session, row, amount, Movement.PLEDGED, Booked(by_id, on, at))
        return row
    raise RuleBroken(_l("No free transfer code was found; please try again."))


def expect(
    session: Session, pledge: Pledge, amount: Vnd, movement: Movement, booked: Booked, *, memo: str | None = None
) -> None:
    """From now on a promise has `amount` still to bring. Its row must be held, unless it was just made."""
    account = account_of_pledge(session, pledge)
    more = amount - account.balance
    if more:
        promise = accounts_of(session, pledge.town_id, pledge.sponsor_id)[AccountKind.PROMISE]
        moved = ((account.id, more), (promise, -more))
        post(session, pledge.town_id, movement, moved, replace(booked, request_id=None), memo=memo, or_later=True)


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
    """Money came in. The same bank reference a second time is a Conflict, and nothing is booked.

    A promise of one who was joined to this sponsor is theirs too: it is booked there, and free to this one.
    """
    sponsor = _who_promised(session, sponsor, pledge)
    accounts = accounts_of(session, sponsor.town_id, sponsor.id)
    came = ((accounts[AccountKind.OUTSIDE], -amount), (accounts[AccountKind.AVAILABLE], amount))
    return _book_receipt(
        session, sponsor, amount, Movement.RECEIVED, came, reference, pledge, Booked(by_id, on, at), NOT_ENOUGH
    )


def hold_unidentified(
    session: Session, town_id: UUID, amount: Vnd, *, reference: str, by_id: UUID | None, on: date, at: datetime
) -> Posting:
    """Money is on the bank account and nobody knows yet whose it is. `identify` finds its owner, in parts if need be."""
    positive(amount)
    booked = Booked(by_id, on, at)
    refuse_long_ago(on, local_day(at))
    _refuse_day(session, town_id, booked)
    with in_words(session, on):
        posting = begin(session, town_id, Movement.RECEIVED, booked, 2, memo=_one_word(reference))
        held, outside = account_of_held(session, posting), outside_of_nobody(session, town_id)
        write_entries(session, posting, sorted([(held.id, amount), (outside.id, -amount)]))
    return posting


def identify(
    session: Session,
    sponsor: Sponsor,
    amount: Vnd,
    *,
    pledge: Pledge | None,
    reference: str,
    from_posting: Posting,
    by_id: UUID | None,
    on: date,
    at: datetime,
) -> Receipt:
    """So much of what was held is this sponsor's. `on` is the day on which it was found; Conflict `not_enough_received`
    when less of it is left."""
    sponsor = _who_promised(session, sponsor, pledge)
    accounts = accounts_of(session, sponsor.town_id, sponsor.id)
    held, outside = account_of_held(session, from_posting), outside_of_nobody(session, sponsor.town_id)
    came = (
        (held.id, -amount),
        (outside.id, amount),
        (accounts[AccountKind.OUTSIDE], -amount),
        (accounts[AccountKind.AVAILABLE], amount),
    )
    short = _l("Less than that is left of this money. Open the page again.")
    return _book_receipt(
        session, sponsor, amount, Movement.IDENTIFIED, came, reference, pledge, Booked(by_id, on, at), short
    )


def return_unidentified(
    session: Session,
    held: Posting,
    amount: Vnd,
    *,
    reason: str,
    by_id: UUID | None,
    on: date,
    at: datetime,
    request_id: UUID | None = None,
) -> Posting:
    """Money whose owner was not found went back to where it came from. Raises Conflict `needs_second`."""
    positive(amount)
    booked = Booked(by_id, on, at, request_id)
    refuse_alone(session, Movement.REFUNDED, amount, held.town_id, None, booked)
    _refuse_day(session, held.town_id, booked)
    account, outside = account_of_held(session, held), outside_of_nobody(session, held.town_id)
    moved = ((account.id, -amount), (outside.id, amount))
    short = _l("Less than that is left of this money. Open the page again.")
    return post(session, held.town_id, Movement.REFUNDED, moved, booked, memo=reason, short=short)


def refund(
    session: Session,
    sponsor: Sponsor,
    amount: Vnd,
    *,
    reason: str,
    by_id: UUID | None,
    on: date,
    at: datetime,
    reference: str | None = None,
    request_id: UUID | None = None,
) -> Posting:
    """Money that is not set aside went back to the sponsor. Raises RuleBroken, Conflict `not_enough_received` or
    `needs_second`."""
    positive(amount)
    booked = Booked(by_id, on, at, request_id)
    refuse_alone(session, Movement.REFUNDED, amount, sponsor.town_id, sponsor.id, booked)
    _refuse_day(session, sponsor.town_id, booked)
    accounts = accounts_of(session, sponsor.town_id, sponsor.id)
    moved = ((accounts[AccountKind.AVAILABLE], -amount), (accounts[AccountKind.OUTSIDE], amount))
    memo = f"{_one_word(reference)} · {reason}" if reference else reason
    return post(session, sponsor.town_id, Movement.REFUNDED, moved, booked, memo=memo)


def came_back(
    session: Session,
    sponsor: Sponsor,
    amount: Vnd,
    *,
    memo: str,
    by_id: UUID | None,
    on: date,
    at: datetime,
    request_id: UUID | None = None,
) -> Posting:
    """The insurance office paid back what had been paid for months that were not needed: it may be set aside again.
    Raises RuleBroken, or Conflict `needs_second`: the amount is what the one who books it says."""
    booked = Booked(by_id, on, at, request_id)
    refuse_alone(session, Movement.CAME_BACK, amount, sponsor.town_id, sponsor.id, booked)
    _refuse_day(session, sponsor.town_id, booked)
    joined = joined_among(session, sponsor.town_id, [sponsor.id])
    accounts = accounts_of(session, sponsor.town_id, sponsor.id)
    moved = ((accounts[AccountKind.INSURANCE_FUND], -amount), (accounts[AccountKind.AVAILABLE], amount))
    posting = post(session, sponsor.town_id, Movement.CAME_BACK, moved, booked, memo=memo)
    pass_on(session, sponsor.town_id, joined, booked)
    return posting


def correct_receipt(
    session: Session,
    receipt: Receipt,
    *,
    reason: str,
    by_id: UUID | None,
    on: date,
    at: datetime,
    request_id: UUID | None = None,
) -> Posting:
    """A receipt was recorded by mistake: an exact reversal takes it back, and its reference may be booked again.

    Refused while part of the money is set aside or spent (Conflict `not_enough_received`); `corrected_already` the
    second time. Money that had been held unidentified is held again.
    """
    booked = Booked(by_id, on, at, request_id)
    refuse_alone(session, Movement.CORRECTED, receipt.amount, receipt.town_id, receipt.sponsor_id, booked)
    pledge = session.get(Pledge, (receipt.town_id, receipt.pledge_id)) if receipt.pledge_id else None
    session.flush()
    if pledge:
        session.refresh(pledge, with_for_update=True)
    posting = session.get_one(Posting, (receipt.town_id, receipt.posting_id))
    fetch_back(session, receipt.town_id, receipt.sponsor_id, receipt.amount, booked)
    reversal = reverse(session, posting, booked, memo=reason)
    receipt.corrected_id = reversal.id
    session.flush()
    if pledge:
        left = pledge.amount - came_in_on(session, pledge) if pledge.state is PledgeState.OPEN else 0
        expect(session, pledge, max(left, 0), Movement.PLEDGE_CHANGED, booked, memo=reason)
    return reversal


def correct_posting(
    session: Session,
    posting: Posting,
    *,
    reason: str,
    by_id: UUID | None,
    on: date,
    at: datetime,
    request_id: UUID | None = None,
) -> Posting:
    """Money held unidentified, or returned, was recorded by mistake: an exact reversal. Other things have acts of their
    own: a receipt is put right, months are given back. Raises Conflict `needs_second`."""
    if session.scalar(select(Receipt.id).where(Receipt.town_id == posting.town_id, Receipt.posting_id == posting.id)):
        raise RuleBroken(_l("This posting is a receipt: put the receipt right."), code="is_a_receipt")
    if posting.movement not in (Movement.RECEIVED, Movement.REFUNDED):
        raise RuleBroken(_l("This posting is taken back by giving the months back."), code="not_to_be_reversed")
    booked = Booked(by_id, on, at, request_id)
    refuse_alone(session, Movement.CORRECTED, moved_by(session, posting), posting.town_id, None, booked)
    return reverse(session, posting, booked, memo=reason)


def _book_receipt(
    session: Session,
    sponsor: Sponsor,
    amount: Vnd,
    movement: Movement,
    came: Iterable[tuple[UUID, Vnd]],
    reference: str,
    pledge: Pledge | None,
    booked: Booked,
    short: Any,
) -> Receipt:
    """A receipt with its posting: the money, and of what the promise expects as much as it fulfils."""
    positive(amount)
    if pledge is not None and pledge.sponsor_id != sponsor.id:
        raise RuleBroken(_l("This promise was made by another sponsor."), field="pledge_id")
    joined = joined_among(session, sponsor.town_id, [sponsor.id])
    if booked.on > local_day(booked.at):
        raise RuleBroken(_l("The day lies ahead. Give the day on which the money came in."), field="received_on")
    refuse_long_ago(booked.on, local_day(booked.at))
    _refuse_day(session, sponsor.town_id, booked)
    reference = _one_word(reference)
    moved = [*came, *_fulfilled(session, pledge, amount)]
    try:
        with session.begin_nested():
            posting = post(session, sponsor.town_id, movement, moved, booked, memo=reference, short=short)
            receipt = Receipt(
                town_id=sponsor.town_id,
                sponsor_id=sponsor.id,
                pledge_id=pledge.id if pledge else None,
                posting_id=posting.id,
                amount=amount,
                received_on=booked.on,
                reference=reference,
                recorded_at=booked.at,
                recorded_by_id=booked.by_id,
            )
            session.add(receipt)
            session.flush()
    except IntegrityError as refused:
        if "uq_receipt_town_id_reference" not in str(refused.orig):
            raise
        raise Conflict(
            _l("A receipt with the reference %(reference)s is booked already.", reference=reference), code="reference"
        ) from None
    pass_on(session, sponsor.town_id, joined, booked)
    return receipt


def _who_promised(session: Session, sponsor: Sponsor, pledge: Pledge | None) -> Sponsor:
    if pledge is None or pledge.sponsor_id == sponsor.id:
        return sponsor
    own = session.get_one(Sponsor, (pledge.town_id, pledge.sponsor_id))
    return own if own.merged_into_id == sponsor.id else sponsor


def _fulfilled(session: Session, pledge: Pledge | None, amount: Vnd) -> tuple[tuple[UUID, Vnd], ...]:
    """What of a promise is no longer expected because so much came in."""
    if pledge is None:
        return ()
    session.flush()
    session.refresh(pledge, with_for_update=True)
    account = account_of_pledge(session, pledge)
    part = min(amount, account.balance)
    promise = accounts_of(session, pledge.town_id, pledge.sponsor_id)[AccountKind.PROMISE]
    return (account.id, -part), (promise, part)


def _refuse_day(session: Session, town_id: UUID, booked: Booked) -> None:
    if open_day(session, town_id, booked.on) != booked.on:
        raise month_closed(booked.on, "received_on")


def _one_word(reference: str) -> str:
    return "".join(reference.split()).upper()


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
    request_id: UUID | None = None,
) -> Allocation:
    """Set part of a sponsor's money aside for whole months of one person: what the person still owes for them, divided
    evenly among the named months.

    The amount follows from the law of the day (queries.price); `expected` is what the treasurer was shown. Money is for
    people in need on that day; for anyone else a `reason` is kept. Raises RuleBroken, and Conflict `months_carried`,
    `months_paid`, `amount_changed`, `needs_second` or, from the database itself, `not_enough_received`.

    The person's row is locked, so that two treasurers cannot fund the same months at once.
    """
    session.flush()
    session.refresh(prospect, with_for_update=True)
    grounds, of = grounds_on(session, prospect, on), law(session)
    plan = Plan.periodic(months)  # only a run that can be paid: it says so otherwise
    earliest, _later = first_months(on, of.on(on), plan)
    check_start(start, earliest, on)
    check_need(prospect, grounds, on, reason)
    refuse_carried_months(session, prospect, start, months)
    refuse_paid_months(session, prospect, start, months)
    amount = price(session, prospect, grounds, start, months, on, of).payable
    if not amount:
        raise RuleBroken(_l("This person has nothing left to pay for these months."), field="months")
    if expected is not None and expected != amount:
        message = _l("The amount is now %(amount)s. Look at it again and confirm.", amount=in_money(amount))
        raise Conflict(message, code="amount_changed", amount=amount)
    if amount < months:
        raise RuleBroken(_l("Less than one đồng a month cannot be set aside."), field="months")
    booked = Booked(by_id, on, at, request_id)
    refuse_alone(session, Movement.RESERVED, amount, sponsor.town_id, sponsor.id, booked)
    joined_among(session, sponsor.town_id, [sponsor.id])
    accounts = accounts_of(session, sponsor.town_id, sponsor.id)
    posting = post(
        session,
        sponsor.town_id,
        Movement.RESERVED,
        ((accounts[AccountKind.AVAILABLE], -amount), (accounts[AccountKind.RESERVED], amount)),
        booked,
        memo=reason,
        or_later=True,
    )
    allocation = Allocation(
        town_id=sponsor.town_id,
        id=new_id(),
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
    session.add_all(
        AllocationMonth(
            town_id=sponsor.town_id,
            allocation_id=allocation.id,
            prospect_id=prospect.id,
            month=month.first_day,
            amount=part,
        )
        for month, part in zip(start.run(months), split_evenly(amount, months), strict=True)
    )
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


def refuse_outside_wish(session: Session, sponsor: Sponsor, prospect: Prospect, on: date, reason: str | None) -> None:
    """Refuses, without a reason, somebody whom the sponsor did not wish to help."""
    if not reason and not is_wished(session, sponsor, prospect, on):
        message = _l(
            "%(name)s is not among those %(sponsor)s would like to help. Give a reason to help anyway.",
            name=prospect.full_name,
            sponsor=sponsor.name,
        )
        raise RuleBroken(message, field="reason", code="outside_wish")


def release(
    session: Session,
    allocation: Allocation,
    *,
    by_id: UUID | None,
    on: date,
    at: datetime,
    since: Month | None = None,
) -> Posting:
    """Give back money that was set aside and not yet paid on, or whose payment was taken back. Twice is a Conflict.

    With `since` only the months from that one on are given back, and those before stay carried.
    """
    _hold(session, allocation)
    paid_back = is_reversed(session, allocation)
    if allocation.released_at or (allocation.payment_id and not paid_back):
        raise Conflict(SETTLED, code="settled")
    given_back = [one for one in carried_months(session, allocation) if since is None or one.month >= since.first_day]
    joined = joined_among(session, allocation.town_id, [allocation.sponsor_id])
    if not given_back or (paid_back and since is not None and len(given_back) < allocation.carried_months):
        raise RuleBroken(_l("Choose months that are set aside and not yet paid."), field="since")
    accounts = accounts_of(session, allocation.town_id, allocation.sponsor_id)
    amount = _paid_on(session, allocation) if paid_back else sum(one.amount for one in given_back)
    source = AccountKind.INSURANCE_FUND if paid_back else AccountKind.RESERVED
    posting = post(
        session,
        allocation.town_id,
        Movement.RELEASED,
        ((accounts[source], -amount), (accounts[AccountKind.AVAILABLE], amount)),
        Booked(by_id, on, at),
        memo=None,
        or_later=True,
    )
    _settle(session, allocation, len(given_back), since=since, released_at=at, released_id=posting.id)
    pass_on(session, allocation.town_id, joined, Booked(by_id, on, at))
    return posting


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
    request_id: UUID | None = None,
) -> Payment:
    """The months that a sponsor carries are paid: somebody joins, or pays on, with the money set aside for them.

    Raises what joining and paying on raise (crm.participation.services), and Conflict `settled` or `needs_second`.
    """
    _refuse_settled(allocation)
    booked = Booked(by.id, paid_on, at, request_id)
    refuse_alone(session, Movement.PAID, allocation.carried_amount, allocation.town_id, allocation.sponsor_id, booked)
    if allocation.carried_months not in PERIODS.values():
        message = _l("One pays for 1, 3, 6 or 12 months at a time. Give the money back and set it aside in such parts.")
        raise RuleBroken(message, code="months_not_a_period")
    prospect = session.get_one(Prospect, (allocation.town_id, allocation.prospect_id))
    spell, all_law = open_spell(session, prospect), law(session)
    act = record_payment if spell else enrol
    payment = act(
        session,
        prospect,
        all_law=all_law,
        income=spell.income if spell else all_law.on(paid_on).floor,
        plan=Plan.periodic(allocation.carried_months),
        start=Month.of(allocation.start_month),
        paid_on=paid_on,
        grounds=grounds_on(session, prospect, paid_on),
        basis=basis,
        by=by,
        at=at,
        receipt_number=receipt_number,
        confirmation=confirmation,
        others=(Share(Payer(PayerKind.SPONSOR, allocation.sponsor_id), allocation.carried_amount),),
    )
    _pay(session, allocation, payment, booked)
    return payment


def pay_on(
    session: Session,
    allocation: Allocation,
    payment: Payment,
    *,
    by_id: UUID | None,
    on: date,
    at: datetime,
    request_id: UUID | None = None,
) -> Posting:
    """The money set aside went to the insurance fund with this payment. Twice is a Conflict.

    Whoever calls has asked whether one person alone may do it (ledger.limits); the database refuses it otherwise. They
    hold the person's row since the payment was recorded.

    What the payment did not need, because the law had meanwhile changed, is free again in the same posting.
    """
    session.refresh(allocation)
    _refuse_settled(allocation)
    return _pay(session, allocation, payment, Booked(by_id, on, at, request_id))


def _pay(session: Session, allocation: Allocation, payment: Payment, booked: Booked) -> Posting:
    used, town_id = payment.other_support, allocation.town_id
    if payment.prospect_id != allocation.prospect_id or not 0 < used <= allocation.carried_amount:
        raise RuleBroken(_l("This payment was not made with this money."), code="another_payment")
    set_aside = session.get_one(Posting, (town_id, allocation.posting_id)).posted_on
    booked = replace(booked, on=max(booked.on, set_aside))  # who was paid for before: no money moves before it is there
    joined = joined_among(session, town_id, [allocation.sponsor_id])
    accounts = accounts_of(session, town_id, allocation.sponsor_id)
    moves = (
        (accounts[AccountKind.RESERVED], -allocation.carried_amount),
        (accounts[AccountKind.INSURANCE_FUND], used),
        (accounts[AccountKind.AVAILABLE], allocation.carried_amount - used),
    )
    posting = post(session, town_id, Movement.PAID, moves, booked, memo=None, or_later=True)
    _settle(session, allocation, allocation.carried_months, payment_id=payment.id, paid_id=posting.id)
    pass_on(session, town_id, joined, replace(booked, request_id=None))
    return posting


def _settle(
    session: Session, allocation: Allocation, number: int, *, since: Month | None = None, **values: Any
) -> None:
    """So many months that are still carried, from `since` on, are settled by a posting; the allocation follows.

    Only one act can settle a month: whoever comes second is refused."""
    months = update(AllocationMonth).where(
        AllocationMonth.town_id == allocation.town_id,
        AllocationMonth.allocation_id == allocation.id,
        AllocationMonth.released_at.is_(None),
    )
    if "payment_id" in values:
        months = months.where(AllocationMonth.payment_id.is_(None))
    if since:
        months = months.where(AllocationMonth.month >= since.first_day)
    settled = session.execute(
        months.values(**values).returning(AllocationMonth.id), execution_options={"synchronize_session": False}
    )
    if len(settled.all()) != number:
        raise Conflict(SETTLED, code="settled")
    session.expire(allocation)


def _hold(session: Session, allocation: Allocation) -> None:
    """Hold the person's row until the commit, as setting aside, paying and merging do: of two who settle the same money
    the second sees what the first did."""
    session.flush()
    key = (allocation.town_id, allocation.prospect_id)
    session.get_one(Prospect, key, with_for_update=True, populate_existing=True)
    session.refresh(allocation)


def _refuse_settled(allocation: Allocation) -> None:
    if allocation.released_at or allocation.payment_id:
        raise Conflict(SETTLED, code="settled")


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
    carried = months_carried(session, prospect, start, months)
    if carried:
        message = _l("%(month)s is carried by a sponsor already.", month=in_month(carried[0]))
        raise Conflict(message, code="months_carried")


def set_fund_account(session: Session, account: FundAccount) -> None:
    """From now on sponsors are shown this account."""
    stored.write(session, FUND_ACCOUNT, account.as_json())
