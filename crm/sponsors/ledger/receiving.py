"""Many receipts at once: what `crm.sponsors.services.receive` books for each, in a handful of statements.

The same postings, entries, receipts and guards of the database; only how many are written together is different. All of
them are booked or none is. Promises are held in the order of their ids, then accounts in the order of theirs, so that
two who book at once do not wait in a circle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_or_leave
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.bulk import insert_rows
from crm.clock import local_day
from crm.errors import Conflict, RuleBroken
from crm.ids import new_ids
from crm.money import Vnd
from crm.sponsors.family import joined_among
from crm.sponsors.ledger.booking import Booked, in_words
from crm.sponsors.ledger.passing import pass_on
from crm.sponsors.models import LedgerAccount, LedgerEntry, Pledge, Posting, Receipt, Sponsor
from crm.sponsors.rules import OF_A_SPONSOR, AccountKind, Movement, positive, refuse_long_ago

Owner = tuple[UUID, AccountKind] | UUID
"""Whose account: a sponsor's of a kind, or that of a promise."""


class Gift(NamedTuple):
    """Money that came in: whose it is, toward which promise, how much in đồng, booked on which day, under which of the
    bank's references."""

    sponsor_id: UUID
    pledge_id: UUID | None
    amount: Vnd
    on: date
    reference: str


class Received(NamedTuple):
    """The receipt of a gift and its posting."""

    receipt_id: UUID
    posting_id: UUID


def receive_many(
    session: Session, town_id: UUID, gifts: Sequence[Gift], *, by_id: UUID | None, at: datetime
) -> list[Received]:
    """Book every gift; the receipts in the order of the gifts. Their days must lie in open months.

    Raises what `services.receive` raises for one of them (RuleBroken; Conflict `reference`), and then books none.
    """
    if not gifts:
        return []
    today = local_day(at)
    for gift in gifts:
        positive(gift.amount)
        refuse_long_ago(gift.on, today)
        if gift.on > today:
            raise RuleBroken(_l("The day lies ahead. Give the day on which the money came in."), field="received_on")
    last = max(gift.on for gift in gifts)
    try:
        with in_words(session, last):
            return _write(session, town_id, gifts, by_id=by_id, at=at)
    except IntegrityError as refused:
        if "uq_receipt_town_id_reference" not in str(refused.orig):
            raise
        raise Conflict(_l("One of these references is booked already."), code="reference") from None


def _write(
    session: Session, town_id: UUID, gifts: Sequence[Gift], *, by_id: UUID | None, at: datetime
) -> list[Received]:
    _hold_promises(session, town_id, gifts)
    joined = joined_among(session, town_id, {gift.sponsor_id for gift in gifts})
    accounts, expected = _accounts(session, town_id, gifts)
    made = [Received(*keys) for keys in zip(new_ids(len(gifts)), new_ids(len(gifts)), strict=True)]
    postings, entries, receipts = [], list[tuple[UUID, UUID, Vnd]](), []
    who = {"town_id": town_id, "recorded_at": at, "recorded_by_id": by_id}
    for gift, (receipt_id, posting_id) in zip(gifts, made, strict=True):
        moved = _moved(gift, accounts, expected)
        entries += [(account, posting_id, amount) for account, amount in moved]
        postings.append(
            {
                **who,
                "id": posting_id,
                "movement": Movement.RECEIVED,
                "posted_on": gift.on,
                "memo": gift.reference,
                "entries": len(moved),
            }
        )
        receipts.append(
            {
                **who,
                "id": receipt_id,
                "posting_id": posting_id,
                "sponsor_id": gift.sponsor_id,
                "pledge_id": gift.pledge_id,
                "amount": gift.amount,
                "received_on": gift.on,
                "reference": gift.reference,
            }
        )
    session.execute(insert_rows(Posting, postings))
    written = [
        {"town_id": town_id, "id": key, "posting_id": posting, "ledger_account_id": account, "amount": amount}
        for key, (account, posting, amount) in zip(new_ids(len(entries)), sorted(entries), strict=True)
    ]
    session.execute(insert_rows(LedgerEntry, written))
    session.execute(insert_rows(Receipt, receipts))
    pass_on(session, town_id, joined, Booked(by_id, max(gift.on for gift in gifts), at))
    return made


def _moved(gift: Gift, accounts: Mapping[Owner, UUID], expected: Counter[UUID]) -> list[tuple[UUID, Vnd]]:
    """What one gift moves. Of its promise as much as is still expected is expected no more."""
    of = gift.sponsor_id
    moved = [
        (accounts[of, AccountKind.OUTSIDE], -gift.amount),
        (accounts[of, AccountKind.AVAILABLE], gift.amount),
    ]
    if gift.pledge_id:
        part = min(gift.amount, expected[gift.pledge_id])
        expected[gift.pledge_id] -= part
        if part:
            moved += [(accounts[gift.pledge_id], -part), (accounts[of, AccountKind.PROMISE], part)]
    return moved


def _hold_promises(session: Session, town_id: UUID, gifts: Sequence[Gift]) -> None:
    """Hold the promises until the commit; each must be there and of the sponsor of its gift."""
    wanted = {gift.pledge_id for gift in gifts if gift.pledge_id}
    session.flush()
    held = session.execute(
        select(Pledge.id, Pledge.sponsor_id)
        .where(Pledge.town_id == town_id, Pledge.id.in_(wanted))
        .order_by(Pledge.id)
        .with_for_update()
    )
    whose: dict[UUID, UUID] = {row[0]: row[1] for row in held}
    sponsors = set(
        session.scalars(
            select(Sponsor.id).where(Sponsor.town_id == town_id, Sponsor.id.in_({gift.sponsor_id for gift in gifts}))
        )
    )
    for gift in gifts:
        if gift.sponsor_id not in sponsors or (gift.pledge_id and gift.pledge_id not in whose):
            raise RuleBroken(_l("This sponsor or promise is not there. Choose again."), code="shares")
        if gift.pledge_id and whose[gift.pledge_id] != gift.sponsor_id:
            raise RuleBroken(_l("This promise was made by another sponsor."), field="pledge_id")


def _accounts(session: Session, town_id: UUID, gifts: Iterable[Gift]) -> tuple[Mapping[Owner, UUID], Counter[UUID]]:
    """The accounts of these sponsors and promises, opened on first use, and what each promise still expects."""
    sponsors = {gift.sponsor_id for gift in gifts}
    pledges = {gift.pledge_id: gift.sponsor_id for gift in gifts if gift.pledge_id}
    found, expected = _known(session, town_id, sponsors, pledges)
    missing = [
        {"town_id": town_id, "sponsor_id": sponsor, "kind": kind, "pledge_id": None}
        for sponsor in sorted(sponsors)
        for kind in OF_A_SPONSOR
        if (sponsor, kind) not in found
    ] + [
        {"town_id": town_id, "sponsor_id": sponsor, "kind": AccountKind.EXPECTED, "pledge_id": pledge}
        for pledge, sponsor in sorted(pledges.items())
        if pledge not in found
    ]
    if missing:
        session.execute(insert_or_leave(LedgerAccount).values(missing).on_conflict_do_nothing())
        found, expected = _known(session, town_id, sponsors, pledges)
    return found, expected


def _known(
    session: Session, town_id: UUID, sponsors: Iterable[UUID], pledges: Iterable[UUID]
) -> tuple[dict[Owner, UUID], Counter[UUID]]:
    of = (LedgerAccount.id, LedgerAccount.sponsor_id, LedgerAccount.kind)
    found: dict[Owner, UUID] = {}
    expected: Counter[UUID] = Counter()
    theirs = select(*of).where(
        LedgerAccount.town_id == town_id,
        LedgerAccount.sponsor_id.in_(list(sponsors)),
        LedgerAccount.kind.in_(OF_A_SPONSOR),
    )
    for key, sponsor_id, kind in session.execute(theirs):
        assert sponsor_id is not None
        found[sponsor_id, kind] = key
    promised = select(LedgerAccount.id, LedgerAccount.pledge_id, LedgerAccount.balance).where(
        LedgerAccount.town_id == town_id,
        LedgerAccount.kind == AccountKind.EXPECTED,
        LedgerAccount.sponsor_id.in_(list(sponsors)),
        LedgerAccount.pledge_id.in_(list(pledges)),
    )
    for key, pledge_id, balance in session.execute(promised):
        assert pledge_id is not None
        found[pledge_id], expected[pledge_id] = key, balance
    return found, expected
