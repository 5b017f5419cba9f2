"""What of a whole life's months an insurance record adds to those on record here. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.months import Month

VOLUNTARY_BEGAN = Month(2008, 1)
"""Voluntary insurance exists since this month (Law 71/2006, article 140)."""
LONGEST_LIFE = 80 * 12
"""Nobody works for more months: a figure above is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a paper says: months of a whole life up to and with `through`; `supported` is None where it does not say."""

    through: Month
    voluntary: int
    supported: int | None
    compulsory: int
    proof: str

    @property
    def took_part(self) -> bool:
        """Whether they paid voluntarily before: no newcomer then."""
        return self.voluntary > 0


@dataclass(frozen=True, slots=True)
class Beside:
    """Months that a paper adds to those on record here."""

    voluntary: int = 0
    supported: int = 0
    compulsory: int = 0
    unsure: int = 0
    """Of the voluntary ones those of which nobody knows whether the State helped."""


NOTHING = Beside()


def check(
    said: Said,
    this: Month,
    cap: int | None,
    *,
    helps_since: Month | None = None,
    window: int = 1,
    works_from: Month | None = None,
) -> None:
    """Refuses what no paper can say, at the field that says it; `cap` is for how many months the State helps at most.

    The State helps since `helps_since`, by the day of payment: with months too whose time to pay, `window` months at the
    longest, was still open then, and with none before. None before `works_from` was paid by this person. None: not known.
    """
    if said.through > this:
        raise RuleBroken(_l("This month has not come yet."), field="through")
    if said.voluntary > max(0, said.through.since(VOLUNTARY_BEGAN) + 1):
        message = _l("Voluntary insurance exists since 2008: there were not so many months until then.")
        raise RuleBroken(message, field="voluntary")
    if said.supported is not None and said.supported > said.voluntary:
        raise RuleBroken(_l("The State cannot have helped with more months than were paid."), field="supported")
    if said.supported is not None and cap is not None and said.supported > cap:
        raise RuleBroken(_l("The State helps with %(most)s months at most.", most=cap), field="supported")
    helped_from = helps_since - (window - 1) if helps_since else None
    if said.supported is not None and helped_from and said.supported > max(0, said.through.since(helped_from) + 1):
        message = _l(
            "The State helps since %(since)s, by the day of payment. The earliest month that could still be paid then is "
            "%(month)s: from it to the month on the paper there were not so many months.",
            since=f"{helps_since.number}/{helps_since.year}" if helps_since else "",
            month=f"{helped_from.number}/{helped_from.year}",
        )
        raise RuleBroken(message, field="supported")
    if works_from and said.voluntary + said.compulsory > max(0, said.through.since(works_from) + 1):
        message = _l(
            "Old enough to pay from %(month)s on: with the voluntary ones that is more months than there were since.",
            month=f"{works_from.number}/{works_from.year}",
        )
        raise RuleBroken(message, field="compulsory")
    if said.compulsory > LONGEST_LIFE:
        raise RuleBroken(_l("Nobody pays for so many months in a life. Read the paper again."), field="compulsory")


def beside(said: Said | None, known: Iterable[Month], supported: Iterable[Month]) -> Beside:
    """What a paper adds: `known` are the months on record here, `supported` those of them the State helped with.

    The paper counts these as well, as far as it reaches; where it counts fewer, those on record here stand.
    """
    if said is None:
        return NOTHING
    more = max(0, said.voluntary - sum(month <= said.through for month in known))
    if said.supported is None:
        return Beside(more, 0, said.compulsory, more)
    helped = max(0, said.supported - sum(month <= said.through for month in supported))
    return Beside(more, helped, said.compulsory)
