"""A life in one picture: what one pays and what one receives, from now on to old age, and where the two lines stand."""

from __future__ import annotations

from dataclasses import dataclass

from crm.months import MONTHS_IN_YEAR, Month
from crm.premiums.rules.benefits.pension import LifeYear, PensionOutlook

DRAWN_TO_AGE = 80
DRAWN_AFTER_PENSION = 15
"""Years of pension that a picture shows at least; a choice of drawing, nothing the law or anybody promises."""
WHOLE = 1000
"""Points are whole numbers from 0 to this, so that every machine draws the same."""
ROOM_ABOVE = 112
"""The height of the picture in per cent of the highest figure."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Points "x,y x,y …" of both lines with y downwards, and where labels stand: across, and down, of WHOLE."""

    first: LifeYear
    last: LifeYear
    pension_age: int
    paid: str
    received: str
    pension_at: int
    paid_back_at: int | None
    paid_level: int
    received_level: int


def picture(outlook: PensionOutlook) -> Picture | None:
    """The picture of paying on; None where the law on pensions is not on record."""
    way, born = outlook.paying_on, outlook.retirement.birth.month
    if way is None or not way.life:
        return None
    pension_age = way.entitled_from.since(born) // MONTHS_IN_YEAR
    to_age = max(DRAWN_TO_AGE, pension_age + DRAWN_AFTER_PENSION)
    life = [year for year in way.life if year.age <= to_age]
    first, last = life[0], life[-1]
    highest = max(last.paid, last.received, 1)

    def across(month: Month) -> int:
        begun = month.since(born) - first.age * MONTHS_IN_YEAR
        return WHOLE * begun // max(1, (last.age - first.age) * MONTHS_IN_YEAR)

    def down(amount: int) -> int:
        return WHOLE - WHOLE * 100 * amount // (highest * ROOM_ABOVE)

    def points(amounts: list[int]) -> str:
        return " ".join(
            f"{across(born + y.age * MONTHS_IN_YEAR)},{down(a)}" for y, a in zip(life, amounts, strict=True)
        )

    back = way.months_until_paid_back
    back_at = None if back is None else across(way.entitled_from + back)
    return Picture(
        first=first,
        last=last,
        pension_age=pension_age,
        paid=points([year.paid for year in life]),
        received=points([year.received for year in life]),
        pension_at=across(way.entitled_from),
        paid_back_at=back_at if back_at is not None and back_at <= WHOLE else None,
        paid_level=down(last.paid),
        received_level=down(last.received),
    )
