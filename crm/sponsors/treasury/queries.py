"""The figures of the treasurer's first page; each is the length or the sum of rows that a page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import PERMISSIONS, May, Role
from crm.money import Vnd
from crm.months import Month
from crm.participation.leaving.queries import waited_for
from crm.sponsors.cliff import agreed
from crm.sponsors.cliff.queries import Ahead, ahead
from crm.sponsors.giving import queries as giving
from crm.sponsors.ledger import queries as ledger
from crm.sponsors.matching.models import FundingLine, FundingProposal
from crm.sponsors.matching.rules.states import OPEN, ProposalState
from crm.sponsors.models import AllocationMonth
from crm.sponsors.queries import balance_of_all, unidentified
from crm.sponsors.rules import Balance
from crm.sponsors.statements.queries import Bridge, bank_accounts, bridge_on
from crm.sponsors.unneeded.queries import how_many as unneeded

MOST_COUNTED = 999
MOST_WAITING, MOST_ABLE = 5, 6
DECIDING = [role for role in Role if May.RECORD_MONEY in PERMISSIONS[role]]


class Carried(NamedTuple):
    """Months of people that sponsors' money paid, from January to this month: of this year, and of the last."""

    now: int
    before: int

    @property
    def more(self) -> int:
        return self.now - self.before


class Proposed(NamedTuple):
    """The latest proposal whom to fund that has lines nobody decided."""

    proposal_id: UUID
    lines: int
    amount: Vnd


class Waits(NamedTuple):
    """An act that waits for a second person, with the names of those who may decide it."""

    asked: ledger.Asked
    able: Mapping[UUID, str]


@dataclass(frozen=True)
class Desk:
    """Everything the page says."""

    balance: Balance
    unidentified: Vnd
    late: tuple[int, Vnd]
    decisions: int
    """What this person may decide."""
    waiting: int
    """What anybody may decide; the page names the oldest."""
    registrations: int
    own_hand: int
    """How often sponsors changed or ended a promise themselves in the last days."""
    bridge: Bridge | None
    """None until a statement of some account was loaded."""
    proposed: Proposed | None
    ahead: Ahead
    agreed: int
    """For so many people a sponsor said that what is left goes on with them, and it is not set aside."""
    unneeded: int
    """Of so many people money is set aside in vain."""
    coming_back: tuple[int, Vnd]
    """What the insurance office still owes for months nobody needs: how many parts, and their sum."""
    second: Sequence[Waits]
    carried: Carried
    to_close: Month | None

    @property
    def held(self) -> Vnd:
        """What the books say stands on the bank account."""
        return self.unidentified + self.balance.available + self.balance.reserved

    @property
    def waits(self) -> int:
        """How many kinds of things wait for the treasurer: as many as the page draws as due or late."""
        kinds = (
            self.decisions,
            self.registrations,
            self.late[0],
            self.bridge and self.bridge.undecided.many,
            self.bridge and self.bridge.difference,
            self.proposed,
            self.ahead.people,
            self.agreed,
            self.unneeded,
            self.coming_back[0],
        )
        return sum(1 for kind in kinds if kind)


def desk(session: Session, scope: Scope, today: date) -> Desk:
    """The whole town's money on a day."""
    town_id = scope.town_id
    return Desk(
        balance=balance_of_all(session, town_id),
        unidentified=unidentified(session, town_id),
        late=giving.late_in_all(session, town_id, today),
        decisions=ledger.how_many_wait(session, town_id, scope.user_id),
        waiting=ledger.how_many_wait(session, town_id),
        registrations=giving.how_many_wait(session, town_id, MOST_COUNTED),
        own_hand=giving.how_many_by_own_hand(session, town_id, today),
        bridge=bridge_on(session, town_id, today) if bank_accounts(session, town_id) else None,
        proposed=_proposed(session, town_id),
        ahead=ahead(session, scope, today),
        agreed=agreed.how_many_wait(session, town_id, today),
        unneeded=unneeded(session, scope, today),
        coming_back=waited_for(session, scope),
        second=waits_for(session, scope),
        carried=months_carried(session, town_id, Month.of(today)),
        to_close=ledger.month_to_close(session, town_id, today),
    )


def waits_for(session: Session, scope: Scope) -> Sequence[Waits]:
    """The oldest acts that wait for a second person, and who may decide each."""
    found = ledger.named(session, scope, ledger.waiting(session, scope, cursor=None, size=MOST_WAITING).rows)
    if not found:
        return []
    able = session.execute(
        select(User.id, User.full_name)
        .where(User.town_id == scope.town_id, User.role.in_(DECIDING), User.active)
        .order_by(User.role != Role.TREASURER, User.full_name, User.id)
        .limit(MOST_ABLE)
    ).all()
    return [Waits(one, {row[0]: row[1] for row in able if row[0] != one.request.asked_by_id}) for one in found]


def months_carried(session: Session, town_id: UUID, until: Month) -> Carried:
    """The months from January to a month that are paid with sponsors' money, and those of the year before."""
    first = Month(until.year, 1)

    def within(years: int) -> tuple[date, date]:
        return (first - 12 * years).first_day, (until - 12 * years).first_day

    of = AllocationMonth
    query = select(*(func.count().filter(of.month.between(*within(years))) for years in (0, 1))).where(
        of.town_id == town_id, of.carries, of.payment_id.is_not(None)
    )
    return Carried(*(int(number) for number in session.execute(query).one()))


def _proposed(session: Session, town_id: UUID) -> Proposed | None:
    query = (
        select(FundingProposal.id, func.count(), func.coalesce(func.sum(FundingLine.amount), 0))
        .join(
            FundingLine,
            and_(FundingLine.town_id == FundingProposal.town_id, FundingLine.proposal_id == FundingProposal.id),
        )
        .where(
            FundingProposal.town_id == town_id,
            FundingProposal.state == ProposalState.READY,
            FundingLine.state.in_(OPEN),
        )
        .group_by(FundingProposal.id, FundingProposal.asked_at)
        .order_by(FundingProposal.asked_at.desc(), FundingProposal.id.desc())
        .limit(1)
    )
    row = session.execute(query).first()
    return Proposed(row[0], int(row[1]), int(row[2] or 0)) if row else None
