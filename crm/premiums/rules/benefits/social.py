"""The social pension for those without a pension: for information, nobody here asks for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from crm.money import Vnd
from crm.premiums.rules.explaining import Line, lines_of
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law
from crm.prospects.rules import Ground


@dataclass(frozen=True, slots=True)
class SocialPension:
    """Đồng a month, from an age in whole years on."""

    amount: Vnd
    age: int
    lines: tuple[Line, ...]


def social_pension(law: Law, on: date, grounds: Collection[Ground]) -> SocialPension | None:
    """By the law of a day, for the most favourable of someone's grounds; None where there was none. Decree 176/2025."""
    then = law.on(on).watched()
    if not (then.says(LawKey.SOCIAL_PENSION) and then.says(LawKey.SOCIAL_PENSION_AGE)):
        return None
    own = [ground for ground in grounds if then.says(LawKey.SOCIAL_PENSION_AGE, ground)]
    rows = [then.row(LawKey.SOCIAL_PENSION_AGE, ground) for ground in (None, *own)]
    return SocialPension(then.number(LawKey.SOCIAL_PENSION), int(min(row.value for row in rows)), lines_of(then))
