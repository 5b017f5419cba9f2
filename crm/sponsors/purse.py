"""Sponsors' money that waits for months of somebody, is used once they are paid, and may be paid back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import local_day
from crm.money import Vnd
from crm.months import Month
from crm.participation.models import Payment
from crm.participation.payers import SetAside
from crm.participation.shares import Payer, PayerKind, Share
from crm.prospects.models import Prospect
from crm.sponsors import services
from crm.sponsors.ledger.booking import Booked
from crm.sponsors.ledger.deciding import ask_once_tried
from crm.sponsors.ledger.limits import refuse_alone
from crm.sponsors.ledger.rules import MoneyAct
from crm.sponsors.models import Allocation, Sponsor
from crm.sponsors.rules import Movement


class SponsorsPurse:
    """What sponsors' money waits for."""

    def waits(self, session: Session, prospect: Prospect) -> Sequence[SetAside]:
        """What is set aside for this person and neither paid on nor given back."""
        found = select(Allocation).where(
            Allocation.town_id == prospect.town_id,
            Allocation.prospect_id == prospect.id,
            Allocation.carried_months > 0,
            Allocation.payment_id.is_(None),
        )
        return [
            SetAside(
                one.id,
                Share(Payer(PayerKind.SPONSOR, one.sponsor_id), one.carried_amount),
                Month.of(one.start_month),
                one.carried_months,
            )
            for one in session.scalars(found)
        ]

    def check(self, session: Session, waiting: SetAside, *, by: User, at: datetime) -> None:
        """Raises Conflict `needs_second` for more than the limit."""
        share, booked = waiting.share, Booked(by.id, local_day(at), at)
        refuse_alone(session, Movement.PAID, share.amount, by.town_id, share.payer.id, booked)

    def page_of(self, waiting: SetAside) -> str:
        """The page on which its premium is recorded."""
        return url_for("sponsors.premium_form", allocation_id=waiting.id)

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
        """It went to the insurance fund with this payment; `check` was asked before, or a second person approved it."""
        found = session.get_one(Allocation, (payment.town_id, waiting.id))
        services.pay_on(session, found, payment, by_id=by.id, on=payment.paid_on, at=at, request_id=request_id)

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
        """Paying it on with a listed payment waits for a second person. Raises what `attempt` raises."""
        arguments = {"listed_id": str(listed_id), "as_listed": as_listed}
        ask_once_tried(
            session,
            by.town_id,
            MoneyAct.PAY_LISTED,
            arguments,
            waiting.share.amount,
            attempt,
            sponsor_id=waiting.share.payer.id,
            reason=None,
            by=by,
            at=at,
        )

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
        """It may be set aside again. Raises RuleBroken for a day in a month that is closed, Conflict `needs_second`."""
        sponsor = session.get_one(Sponsor, (town_id, payer_id))
        services.came_back(session, sponsor, amount, memo=note, by_id=by.id, on=on, at=at, request_id=request_id)

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
        """Booking what came back waits for a second person. Raises what `attempt` raises."""
        assert amount, "only an amount is above the limit"
        ask_once_tried(
            session,
            by.town_id,
            MoneyAct.COME_BACK,
            dict(arguments) | {"paid_back": amount},
            amount,
            attempt,
            sponsor_id=payer_id,
            reason=arguments["note"],
            by=by,
            at=at,
        )
