"""Money set aside for months that turn out to be paid: what a list of the insurance office tells of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.months import Month
from crm.participation.models import Payment
from crm.participation.shares import Payer, PayerKind, Share
from crm.prospects.models import Prospect
from crm.sponsors import services
from crm.sponsors.models import Allocation


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


def _waiting(town_id: Any, prospect_id: Any, start: Month, months: int) -> Any:
    return select(Allocation).where(
        Allocation.town_id == town_id,
        Allocation.prospect_id == prospect_id,
        Allocation.start_month == start.first_day,
        Allocation.carried_months == months,
        Allocation.payment_id.is_(None),
    )
