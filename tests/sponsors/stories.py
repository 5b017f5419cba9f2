"""Sponsors and their money for tests, told briefly."""

from __future__ import annotations

from datetime import date
from typing import Any

from crm import clock
from crm.db import session as current
from crm.months import Month
from crm.participation.models import Payment
from crm.participation.rules import Basis
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground, Stage
from crm.sponsors import services
from crm.sponsors.models import Allocation, Receipt, Sponsor
from crm.sponsors.rules import SponsorKind
from tests.factories import Make

TODAY = date(2019, 10, 15)
A_MONTH = 107_800
"""What a poor person still owes for a month in 2019: 22% of 700.000 đ, less 30% of it."""
LONG_AGO = clock.at(date(2019, 7, 1), 9)
"""Help that was set aside then has run half and more by today."""
A_NEAR_POOR_MONTH = 115_500


def sponsor(make: Make, name: str = "Công ty Đá Xanh", **more: Any) -> Sponsor:
    values: dict[str, Any] = {"kind": SponsorKind.COMPANY, "by_id": None, "at": clock.now()}
    made, _token = services.register_sponsor(current(), make.town.id, name=name, **values | more)
    return made


def receive(by: Sponsor, amount: int, reference: str = "FT1") -> Receipt:
    return services.receive(
        current(), by, amount, reference=reference, pledge=None, by_id=None, on=TODAY, at=clock.now()
    )


def poor(make: Make, name: str = "Lê Thị Nghèo", *grounds: Ground, **more: Any) -> Prospect:
    return make.prospect(name, grounds=grounds or (Ground.POOR,), stage=more.pop("stage", Stage.AGREED), **more)


def allocate(by: Sponsor, person: Prospect, months: int = 1, start: Month | None = None, **more: Any) -> Allocation:
    values: dict[str, Any] = {"start": start or Month(2019, 10), "by_id": None, "on": TODAY, "at": clock.now()}
    return services.allocate(current(), by, person, months=months, **values | more)


def pay(make: Make, made: Allocation) -> Payment:
    """The months set aside are paid to the insurance fund."""
    how: dict[str, Any] = {"paid_on": TODAY, "basis": Basis.CONFIRMED, "confirmation": "C12"}
    return services.pay_premium(current(), made, by=make.user(), at=clock.now(), **how)
