"""All that taking part brings one person, side by side, with all that it rests on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from crm.money import Vnd
from crm.months import Month
from crm.premiums.rules.benefits.earnings import Earned
from crm.premiums.rules.benefits.lump_sum import Leaving, LumpSum, lump_sum_on_leaving
from crm.premiums.rules.benefits.maternity import Maternity, maternity
from crm.premiums.rules.benefits.pension import PensionOutlook, Person, check_months, pension_outlook
from crm.premiums.rules.benefits.social import SocialPension, social_pension
from crm.premiums.rules.benefits.survivors import Survivors, survivors
from crm.premiums.rules.explaining import Assumption, Line, Unknown, merged
from crm.premiums.rules.law import Law, LocalTopUp


@dataclass(frozen=True, slots=True)
class Stopping:
    """What a lump sum after stopping depends on, as far as it is known."""

    first_insured: date | None = None
    months_stopped: int | None = None
    state_support: Vnd | None = None


@dataclass(frozen=True, slots=True)
class Brings:
    """None where a part was not asked for, does not apply or its law is not on record.

    `survivors` is for a death on the eve of the pension, `lump_sum` for the months paid before the start.
    """

    start: Month
    pension: PensionOutlook
    maternity: Maternity | None
    survivors: Survivors | None
    lump_sum: LumpSum | None
    social_pension: SocialPension | None

    @property
    def _parts(self) -> tuple[PensionOutlook | Maternity | Survivors | LumpSum, ...]:
        return tuple(part for part in (self.pension, self.maternity, self.survivors, self.lump_sum) if part)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every number of the law that any part rests on."""
        social = self.social_pension.lines if self.social_pension else ()
        return merged(*(part.lines for part in self._parts), social)

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        return tuple(dict.fromkeys(each for part in self._parts for each in part.assumptions))

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        return tuple(dict.fromkeys(each for part in self._parts for each in part.unknown))


def brings(
    law: Law,
    person: Person,
    income: Vnd,
    start: Month,
    *,
    until_age: int,
    child: Month | None = None,
    stopping: Stopping = Stopping(),
    local_top_ups: Collection[LocalTopUp] = (),
) -> Brings:
    """What paying on from `start` on one income brings, by the law of its first day; `child` is a month of birth."""
    day = start.first_day
    pension = pension_outlook(law, person, income, start, until_age=until_age, local_top_ups=local_top_ups)
    check_months(law.on(day), person.birth, person.months_so_far, start)
    way = pension.paying_on
    ahead = [Earned(way.months_ahead, income, start.year)] if way and way.months_ahead else []
    left = lump_sum_on_leaving(
        law,
        day,
        person.earned,
        Leaving.STOPPED,
        first_insured=stopping.first_insured,
        months_stopped=stopping.months_stopped,
        state_support=stopping.state_support,
    )
    return Brings(
        start=start,
        pension=pension,
        maternity=maternity(law, child, [*start.until(child)]) if child else None,
        survivors=survivors(law, day, [*person.earned, *ahead]),
        lump_sum=left if person.months_so_far else None,
        social_pension=social_pension(law, day, person.grounds),
    )
