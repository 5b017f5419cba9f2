"""Who may pay at once for the months that are missing for a pension, and for how many. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.months import Month
from crm.premiums.rules.benefits.retirement import Retirement
from crm.premiums.rules.explaining import Line, lines_of
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import LawOnDay


@dataclass(frozen=True, slots=True)
class Missing:
    """How many months somebody is short of on a day."""

    so_far: int
    """Months that count toward a pension, voluntary and compulsory."""
    needed: int
    most: int
    """For so many missing months one may pay at once."""
    opens: Month
    """The first month in which one may: the one just before the age of retirement is reached."""
    today: Month
    lines: tuple[Line, ...]

    @property
    def months(self) -> int:
        """How many are missing; none where there are enough."""
        return max(0, self.needed - self.so_far)

    @property
    def pension_from(self) -> Month:
        """The month after the age is reached and all months are paid for."""
        return max(self.opens + 1, self.today) + 1

    @property
    def refusal(self) -> RuleBroken | None:
        """Why one may not pay at once, in words that say what to do instead; None for whoever may."""
        if not self.months:
            message = _l("They have the %(needed)s months a pension needs: nothing is missing.", needed=self.needed)
            return RuleBroken(message, code="nothing_missing")
        if self.today < self.opens:
            message = _l(
                "One may pay for missing months from %(month)s on, just before the age of retirement. Until then pay "
                "month by month.",
                month=f"{self.opens.number}/{self.opens.year}",
            )
            return RuleBroken(message, field="paid_on", code="too_early")
        if self.months > self.most:
            message = _l(
                "%(missing)s months are missing, and one may pay for %(most)s at once. Pay month by month until no more "
                "than these are missing.",
                missing=self.months,
                most=self.most,
            )
            return RuleBroken(message, code="too_many_missing")
        return None


def missing_for_pension(law: LawOnDay, age: Retirement, so_far: int) -> Missing:
    """What is missing on the day of `law`, the day of payment. Law 41/2024, article 36; decree 159/2025, article 7;
    before, decree 134/2015, article 9. RuleBroken `law_unknown` where the day's law is not on record."""
    today = law.watched()
    needed, most = today.number(LawKey.PENSION_LEAST_MONTHS), today.number(LawKey.MISSING_MONTHS_MOST)
    return Missing(so_far, needed, most, age.reached - 1, Month.of(law.day), (*lines_of(today), *age.lines))
