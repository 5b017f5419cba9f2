"""Sponsors of the demo, what they promised and gave, and whose months it carries."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.clock import at
from crm.demo.copying import copy_rows
from crm.demo.numbering import Numbering
from crm.demo.team import Team
from crm.money import Vnd, split_evenly
from crm.months import Month
from crm.names import fold
from crm.prospects.rules import Ground
from crm.sponsors.giving.models import PledgeInstalment, PledgeStep
from crm.sponsors.giving.rules import Due, Frequency, Step, schedule
from crm.sponsors.letters.models import SponsorAccount, SponsorPublicity
from crm.sponsors.models import (
    Allocation,
    AllocationMonth,
    LedgerAccount,
    LedgerEntry,
    Pledge,
    Posting,
    Receipt,
    Sponsor,
)
from crm.sponsors.rules import OF_A_SPONSOR, AccountKind, Movement, PledgeState, SponsorKind, Wish, transfer_code

MILLION = 1_000_000
QUARTERLY_FROM = 15
"""Promises from so many millions on come in four parts."""

SPONSORS: Sequence[tuple[str, SponsorKind, str, int, tuple[int, ...]]] = (
    ("Công ty TNHH Vật liệu xây dựng Đá Xanh", SponsorKind.COMPANY, "Lê Hữu Tráng", 40, (20, 15)),
    ("Công ty CP May Hồng Phát", SponsorKind.COMPANY, "Phạm Thị Duyên", 30, (15, 10)),
    ("Doanh nghiệp vận tải Đại Lộc", SponsorKind.COMPANY, "Trịnh Xuân Lộc", 20, (20,)),
    ("Hợp tác xã Nông nghiệp Đồng Tâm", SponsorKind.ORGANISATION, "Mai Văn Thuận", 10, (5,)),
    ("Quỹ Vì người nghèo thị xã", SponsorKind.AGENCY, "Đỗ Thị Hạnh", 36, (18, 18)),
    ("Hội Chữ thập đỏ thị xã", SponsorKind.ORGANISATION, "Vũ Đình Khoát", 12, (6, 4)),
    ("Chi nhánh ngân hàng Phú Thịnh", SponsorKind.COMPANY, "Nguyễn Thị Thu Giang", 25, (25,)),
    ("Cửa hàng vàng bạc Kim Ngọc", SponsorKind.COMPANY, "Tống Thị Ngọc", 10, (10,)),
    ("Câu lạc bộ Doanh nhân nữ", SponsorKind.ORGANISATION, "Hoàng Thị Bích Liên", 15, (8,)),
    ("Ông Trần Quang Viện", SponsorKind.PERSON, "Trần Quang Viện", 5, (5,)),
    ("Bà Lưu Thị Thanh Tâm", SponsorKind.PERSON, "Lưu Thị Thanh Tâm", 6, (3, 3)),
    ("Gia đình ông Cao Bá Thọ", SponsorKind.PERSON, "Cao Bá Thọ", 4, ()),
)
"""Invented: name, kind, whom to ask for, millions promised, and millions received one after the other."""


NAMED = (0, 1, 4, 8)
"""Those of them who want to be named in public."""
WISHES: Mapping[int, Wish] = {
    1: Wish(grounds=(Ground.POOR,)),
    3: Wish(women=True),
    5: Wish(grounds=(Ground.POOR, Ground.NEAR_POOR), months=12),
    8: Wish(women=True, age_from=40),
}
"""Whom some of them would like to help; the others leave it to the fund."""


@dataclass(slots=True)
class Gift:
    """Money that came in, and what of it is not yet set aside."""

    sponsor: int
    amount: Vnd
    received_on: date
    left: Vnd


class Carried(NamedTuple):
    """Months of one person that a gift carries."""

    gift: Gift
    prospect_id: UUID
    start: Month
    months: int
    amount: Vnd
    set_aside_on: date
    payment_id: UUID | None
    paid_on: date | None


@dataclass
class Gifts:
    """What sponsors gave in the months before a day. Nothing is set aside before it came, nor more than came."""

    as_of: date
    random: Random
    gifts: list[Gift] = field(default_factory=list)
    carried: list[Carried] = field(default_factory=list)
    sponsor_ids: list[UUID] = field(init=False)

    def __post_init__(self) -> None:
        since = self.as_of.replace(month=1, day=1)
        self.sponsor_ids = [uuid5(NAMESPACE_OID, f"{since} {name}") for name, *_ in SPONSORS]
        span = (self.as_of - since).days
        for sponsor, (*_, received) in enumerate(SPONSORS):
            for turn, millions in enumerate(received):
                day = since + timedelta(days=int(span * (0.06 + 0.4 * turn) + self.random.randint(0, span // 8)))
                amount = millions * MILLION
                self.gifts.append(Gift(sponsor, amount, day, amount))

    def carry(
        self, amount: Vnd, prospect_id: UUID, start: Month, months: int, *, payment_id: UUID | None, on: date
    ) -> UUID | None:
        """Set the money aside for these months, and pay it on with a payment. Says whose it is; None when nobody has
        given enough."""
        able = [gift for gift in self.gifts if gift.received_on < on and gift.left >= amount]
        if not able or amount <= 0:
            return None
        gift = self.random.choice(able)
        gift.left -= amount
        set_aside_on = max(gift.received_on, on - timedelta(days=self.random.randint(1, 6)))
        paid_on = on if payment_id else None
        self.carried.append(Carried(gift, prospect_id, start, months, amount, set_aside_on, payment_id, paid_on))
        return self.sponsor_ids[gift.sponsor]

    def give_back(self, payment_ids: Collection[UUID]) -> None:
        """These payments were never made: their money was never set aside."""
        if not payment_ids:
            return
        kept = []
        for carried in self.carried:
            if carried.payment_id in payment_ids:
                carried.gift.left += carried.amount
            else:
                kept.append(carried)
        self.carried = kept


Entries = tuple[tuple[AccountKind, Vnd], ...]


class _Move(NamedTuple):
    at: datetime
    movement: Movement
    sponsor: int
    entries: Entries
    posting_id: UUID
    memo: str | None


def _wish_of(place: int) -> str:
    return json.dumps(WISHES.get(place, Wish()).as_json())


def _way(source: AccountKind, target: AccountKind, amount: Vnd) -> Entries:
    return (source, -amount), (target, amount)


class Ledger:
    """Writes sponsors, promises, receipts, what was set aside, and the postings under them in the order of time."""

    def __init__(self, session: Session, team: Team, gifts: Gifts, number: Numbering) -> None:
        self.session, self.team, self.gifts, self.number = session, team, gifts, number
        self.sponsor_ids = gifts.sponsor_ids
        self.pledge_ids = [number() for _ in SPONSORS]
        kinds = (*OF_A_SPONSOR, AccountKind.EXPECTED)
        self.account_ids = {(who, kind): number() for who in range(len(SPONSORS)) for kind in kinds}
        self.moves: list[_Move] = []

    def write(self) -> None:
        """All of it; the database keeps the balances and refuses what does not add up."""
        self._sponsors()
        self._promises()
        receipts = list(self._receipts())
        allocations, months = self._allocations()
        self._postings()
        receipt = ("town_id", "id", "sponsor_id", "pledge_id", "posting_id", "amount", "received_on", "reference")
        copy_rows(self.session, Receipt, (*receipt, *RECORDED), receipts)
        allocation = ("town_id", "id", "sponsor_id", "prospect_id", "posting_id", "start_month", "months", "amount")
        copy_rows(self.session, Allocation, (*allocation, *RECORDED), allocations)
        month = ("town_id", "id", "allocation_id", "prospect_id", "month", "amount", "payment_id", "paid_id")
        copy_rows(self.session, AllocationMonth, month, months)
        self._seen()

    def _seen(self) -> None:
        """The first sponsor signs in and has a page that thanks them; some want to be named on the fund's page."""
        town, told_at = self.team.town_id, at(self.gifts.as_of - timedelta(days=9), 15)
        who = select(User.id).where(User.town_id == town, User.role == Role.SPONSOR).order_by(User.id)
        for user_id in self.session.scalars(who):
            row = SponsorAccount(town_id=town, sponsor_id=self.sponsor_ids[0], user_id=user_id, added_at=told_at)
            row.id, row.added_by_id = self.number(), self.team.treasurer_id
            self.session.add(row)
        for place in NAMED:
            key = self.number()
            self.session.add(
                SponsorPublicity(
                    town_id=town,
                    id=key,
                    sponsor_id=self.sponsor_ids[place],
                    public_id=key.hex[-12:],
                    thanked=place == 0,
                    named=True,
                    changed_at=told_at,
                )
            )
        self.session.flush()

    def _sponsors(self) -> None:
        town, by, since = self.team.town_id, self.team.treasurer_id, self.gifts.as_of.replace(month=1, day=1)
        sponsor = (
            "town_id",
            "id",
            "name",
            "name_fold",
            "kind",
            "contact_name",
            "email",
            "wish",
            "created_at",
            "created_by_id",
        )
        copy_rows(
            self.session,
            Sponsor,
            sponsor,
            [
                (
                    *(town, key, name, fold(name), kind.value, contact, f"nhahaotam{place}@bimson.example"),
                    *(_wish_of(place - 1), at(since + timedelta(days=4), 9), by),
                )
                for place, (key, (name, kind, contact, *_)) in enumerate(
                    zip(self.sponsor_ids, SPONSORS, strict=True), 1
                )
            ],
        )
        pledge = ("town_id", "id", "sponsor_id", "amount", "code", "pledged_on", "due_on", "state", *RECORDED)
        pledged, due = since + timedelta(days=7), since.replace(month=12, day=15)
        copy_rows(
            self.session,
            Pledge,
            pledge,
            [
                (
                    *(town, self.pledge_ids[place], self.sponsor_ids[place], millions * MILLION),
                    *(transfer_code(31**5 * 3 + 7919 * (place + 1)), pledged, due, PledgeState.OPEN.value),
                    *(at(pledged, 10), by),
                )
                for place, (_, _, _, millions, _) in enumerate(SPONSORS)
            ],
        )
        step = ("town_id", "id", "pledge_id", "step", "amount", "frequency", "at", "by_id")
        steps = [self.number() for _ in SPONSORS]
        copy_rows(
            self.session,
            PledgeStep,
            step,
            [
                (
                    *(town, steps[place], self.pledge_ids[place], Step.MADE.value, millions * MILLION),
                    *(
                        (Frequency.QUARTERLY if millions >= QUARTERLY_FROM else Frequency.ONCE).value,
                        at(pledged, 10),
                        by,
                    ),
                )
                for place, (_, _, _, millions, _) in enumerate(SPONSORS)
            ],
        )
        copy_rows(
            self.session,
            PledgeInstalment,
            ("town_id", "id", "pledge_id", "due_on", "amount", "step_id"),
            [
                (town, self.number(), self.pledge_ids[place], part.on, part.amount, steps[place])
                for place, (_, _, _, millions, _) in enumerate(SPONSORS)
                for part in self._parts(millions * MILLION, due)
            ],
        )
        copy_rows(
            self.session,
            LedgerAccount,
            ("town_id", "id", "kind", "sponsor_id", "pledge_id", "balance"),
            [
                (
                    *(town, key, kind.value, self.sponsor_ids[who]),
                    *(self.pledge_ids[who] if kind is AccountKind.EXPECTED else None, 0),
                )
                for (who, kind), key in self.account_ids.items()
            ],
        )

    @staticmethod
    def _parts(amount: Vnd, last: date) -> tuple[Due, ...]:
        """Large promises come in four quarters, the last on the day of all others."""
        if amount < QUARTERLY_FROM * MILLION:
            return (Due(last, amount),)
        return schedule(amount, Frequency.QUARTERLY, 4, last.replace(month=3))

    def _promises(self) -> None:
        day = self.gifts.as_of.replace(month=1, day=1) + timedelta(days=7)
        for who, (_, _, _, millions, _) in enumerate(SPONSORS):
            promised = _way(AccountKind.PROMISE, AccountKind.EXPECTED, millions * MILLION)
            self._move(Movement.PLEDGED, who, promised, day, 7, None)

    def _receipts(self) -> Iterator[tuple[object, ...]]:
        expected = {who: millions * MILLION for who, (_, _, _, millions, _) in enumerate(SPONSORS)}
        for place, gift in enumerate(sorted(self.gifts.gifts, key=lambda one: one.received_on), 1):
            reference = f"FT{gift.received_on:%y%m%d}{place:05d}"
            fulfilled = min(gift.amount, expected[gift.sponsor])
            expected[gift.sponsor] -= fulfilled
            entries = _way(AccountKind.OUTSIDE, AccountKind.AVAILABLE, gift.amount)
            entries += _way(AccountKind.EXPECTED, AccountKind.PROMISE, fulfilled) if fulfilled else ()
            posting = self._move(Movement.RECEIVED, gift.sponsor, entries, gift.received_on, 8, reference)
            yield (
                *(self.team.town_id, self.number(), self.sponsor_ids[gift.sponsor], self.pledge_ids[gift.sponsor]),
                *(posting, gift.amount, gift.received_on, reference, at(gift.received_on, 8), self.team.treasurer_id),
            )

    def _allocations(self) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
        """What was set aside, and its named months."""
        rows: list[tuple[object, ...]] = []
        months: list[tuple[object, ...]] = []
        town, by = self.team.town_id, self.team.treasurer_id
        for carried in self.gifts.carried:
            who, key, paid = carried.gift.sponsor, self.number(), None
            aside = _way(AccountKind.AVAILABLE, AccountKind.RESERVED, carried.amount)
            posting = self._move(Movement.RESERVED, who, aside, carried.set_aside_on, 9, None)
            if carried.paid_on:
                on = _way(AccountKind.RESERVED, AccountKind.INSURANCE_FUND, carried.amount)
                paid = self._move(Movement.PAID, who, on, carried.paid_on, 10, None)
            rows.append(
                (
                    *(town, key, self.sponsor_ids[who], carried.prospect_id, posting, carried.start.first_day),
                    *(carried.months, carried.amount, at(carried.set_aside_on, 9), by),
                )
            )
            parts = zip(carried.start.run(carried.months), split_evenly(carried.amount, carried.months), strict=True)
            months.extend(
                (
                    *(town, self.number(), key, carried.prospect_id, month.first_day, part),
                    *(carried.payment_id, paid),
                )
                for month, part in parts
            )
        return rows, months

    def _move(self, movement: Movement, who: int, entries: Entries, day: date, hour: int, memo: str | None) -> UUID:
        self.moves.append(_Move(at(day, hour), movement, who, entries, self.number(), memo))
        return self.moves[-1].posting_id

    def _postings(self) -> None:
        """In the order of time: of no account may the balance be below zero at any moment."""
        town, by = self.team.town_id, self.team.treasurer_id
        self.moves.sort(key=lambda move: move.at)
        copy_rows(
            self.session,
            Posting,
            ("town_id", "id", "movement", "posted_on", "memo", "entries", *RECORDED),
            [
                (
                    *(town, move.posting_id, move.movement.value, move.at.date(), move.memo, len(move.entries)),
                    *(move.at, by),
                )
                for move in self.moves
            ],
        )
        copy_rows(
            self.session,
            LedgerEntry,
            ("town_id", "id", "posting_id", "ledger_account_id", "amount"),
            [
                (town, self.number(), move.posting_id, self.account_ids[move.sponsor, kind], amount)
                for move in self.moves
                for kind, amount in move.entries
            ],
        )


RECORDED = ("recorded_at", "recorded_by_id")
