"""Who the payers are. A package that knows payers of a kind registers here how they are called:

    payers.knows(PayerKind.SPONSOR, names_of_sponsors)

so that this package can say who bore a month without knowing sponsors. With `purse` it also says whose money waits for
months of somebody, and is told once it was used, and what of it came back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.money import Vnd
from crm.months import Month
from crm.participation.models import Payment
from crm.participation.shares import Payer, PayerKind, Share
from crm.prospects.models import Prospect

Names = Callable[[Session, UUID, Collection[UUID]], Mapping[UUID, str]]


class SetAside(NamedTuple):
    """Money of one payer that waits for a run of somebody's months."""

    id: UUID
    share: Share
    start: Month
    months: int

    @property
    def last(self) -> Month:
        return self.start + (self.months - 1)

    def is_for(self, start: Month, months: int) -> bool:
        """Whether it waits for exactly these months."""
        return (self.start, self.months) == (start, months)

    def meets(self, start: Month, months: int) -> bool:
        """Whether it waits for some of these months."""
        return self.start < start + months and start <= self.last


class Purse(Protocol):
    """Money of payers of one kind that is set aside for named months."""

    def waits(self, session: Session, prospect: Prospect) -> Sequence[SetAside]:
        """What waits for months of somebody and is not yet paid on; no month twice."""

    def check(self, session: Session, waiting: SetAside, *, by: User, at: datetime) -> None:
        """Raises Conflict where one person alone may not pay so much with it."""

    def page_of(self, waiting: SetAside) -> str:
        """Where these months are paid with this money alone, and where a second person is asked if it takes one."""

    def paid(
        self,
        session: Session,
        waiting: SetAside,
        payment: Payment,
        *,
        by: User,
        at: datetime,
        request_id: UUID | None = None,
    ) -> None:
        """The payment was made with it. Raises Conflict `needs_second` where a second person has to approve it."""

    def ask(
        self,
        session: Session,
        waiting: SetAside,
        listed_id: UUID,
        attempt: Callable[[UUID], object],
        *,
        as_listed: bool,
        by: User,
        at: datetime,
    ) -> None:
        """Ask a second person to approve that a listed payment is made with it; `attempt` tries it for a request."""

    def came_back(
        self,
        session: Session,
        town_id: UUID,
        payer_id: UUID,
        amount: Vnd,
        *,
        note: str,
        on: date,
        by: User,
        at: datetime,
        request_id: UUID | None = None,
    ) -> None:
        """The insurance office paid so much of it back, with this letter or reference. Raises Conflict `needs_second`
        where a second person has to approve it."""

    def ask_back(
        self,
        session: Session,
        payer_id: UUID | None,
        amount: Vnd | None,
        arguments: Mapping[str, Any],
        attempt: Callable[[UUID], object],
        *,
        by: User,
        at: datetime,
    ) -> None:
        """Ask a second person to approve that so much came back; `attempt` tries it for a request."""


_names: dict[PayerKind, Names] = {}
_purses: dict[PayerKind, Purse] = {}


def knows(kind: PayerKind, names: Names, *, purse: Purse | None = None) -> None:
    """Let this function say what payers of a kind are called: town and ids → names by id."""
    _names[kind] = names
    if purse:
        _purses[kind] = purse


def waiting(session: Session, prospect: Prospect) -> list[SetAside]:
    """All money that waits for months of somebody, by the first of them."""
    found = [one for purse in _purses.values() for one in purse.waits(session, prospect)]
    return sorted(found, key=lambda one: one.start)


def waiting_for(session: Session, prospect: Prospect, start: Month, months: int) -> SetAside | None:
    """Money that was set aside for exactly these months."""
    return next((one for one in waiting(session, prospect) if one.is_for(start, months)), None)


def purse_of(kind: PayerKind) -> Purse:
    """The purse of payers of a kind. Raises KeyError when nobody keeps one."""
    return _purses[kind]


def named(session: Session, town_id: UUID, payers: Iterable[Payer]) -> dict[Payer, str]:
    """What these payers are called; whoever is not on record is «another payer»."""
    wanted = set(payers)
    found: dict[Payer, str] = dict.fromkeys(wanted, _("Another payer"))
    for kind, names in _names.items():
        ids = {payer.id for payer in wanted if payer.kind is kind and payer.id}
        if ids:
            found |= {Payer(kind, id): name for id, name in names(session, town_id, ids).items()}
    return found
