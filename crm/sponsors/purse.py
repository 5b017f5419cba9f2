"""Money set aside for months that the insurance office says are paid, and money that it pays back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.money import Vnd
from crm.months import Month
from crm.participation.models import Payment
from crm.participation.shares import Payer, PayerKind, Share
from crm.prospects.models import Prospect
from crm.sponsors import services
from crm.sponsors.models import Allocation, Sponsor


class SponsorsPurse:
    """What sponsors' money waits for."""

    def waits_for(self, session: Session, prospect: Prospect, start: Month, months: int) -> Share | None:
        """The money set aside for exactly these months and not yet paid on."""
        found = session.scalar(_waiting(prospect.town_id, prospect.id, start, months))
        return Share(Payer(PayerKind.SPONSOR, found.sponsor_id), found.carried_amount) if found else None

    def paid(self, session: Session, payment: Payment, *, by: User, at: datetime) -> None:
        """It went to the insurance fund with this payment."""
        start = Month.of(payment.start_month)
        found = session.scalars(_waiting(payment.town_id, payment.prospect_id, start, payment.months)).one()
        services.pay_on(session, found, payment, by_id=by.id, on=payment.paid_on, at=at)

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
    ) -> None:
        """It may be set aside again. Raises RuleBroken for a day in a month that is closed."""
        sponsor = session.get_one(Sponsor, (town_id, payer_id))
        services.came_back(session, sponsor, amount, memo=note, by_id=by.id, on=on, at=at)


def _waiting(town_id: Any, prospect_id: Any, start: Month, months: int) -> Any:
    return select(Allocation).where(
        Allocation.town_id == town_id,
        Allocation.prospect_id == prospect_id,
        Allocation.start_month == start.first_day,
        Allocation.carried_months == months,
        Allocation.payment_id.is_(None),
    )
