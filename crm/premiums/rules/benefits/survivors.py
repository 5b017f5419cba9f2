"""What a family is given when someone who paid has died."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from crm.money import Vnd
from crm.premiums.rules.benefits.earnings import Earned, months_of
from crm.premiums.rules.benefits.years import for_years
from crm.premiums.rules.explaining import Assumption, Line, Unknown, lines_of
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law


@dataclass(frozen=True, slots=True)
class Survivors:
    """The funeral grant and the survivors' lump sum in whole đồng; 0 where none is due, None where not known."""

    on: date
    months: int
    funeral: Vnd | None
    lump_sum: Vnd | None
    lines: tuple[Line, ...]
    assumptions: tuple[Assumption, ...] = ()
    unknown: tuple[Unknown, ...] = ()


def survivors(law: Law, on: date, earned: Collection[Earned]) -> Survivors:
    """What the family of someone who dies on a day, before drawing a pension, is given.

    A funeral grant to whoever paid long enough, and months of the average income for each year. Law 58/2014, article
    81; decree 134/2015, article 8. The articles of law 41/2024 have not been read: its lines say so.
    """
    then, months = law.on(on).watched(), months_of(earned)
    if not then.says(LawKey.FUNERAL_LEAST_MONTHS):
        return Survivors(on, months, None, None, (), unknown=(Unknown.SURVIVORS_LAW,))
    enough = months >= then.number(LawKey.FUNERAL_LEAST_MONTHS)
    funeral = then.number(LawKey.FUNERAL_MULTIPLE) * then.number(LawKey.BASE_LEVEL) if enough else 0
    lump = for_years(then, LawKey.SURVIVORS_MONTHS_A_YEAR, earned)
    return Survivors(on, months, funeral, lump.amount, lines_of(then), lump.assumptions, lump.unknown)
