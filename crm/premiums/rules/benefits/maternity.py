"""The grant for a birth: whether enough months were paid before it, and from when they would be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from crm.money import Vnd
from crm.months import Month
from crm.premiums.rules.explaining import Assumption, Line, Unknown, lines_of
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law


@dataclass(frozen=True, slots=True)
class Maternity:
    """The grant in whole đồng for all children, None where it is not due or the law is not known."""

    birth: Month
    grant: Vnd | None
    months_counted: int
    """Paid within the time that counts."""
    months_needed: int | None
    pay_from_at_latest: Month | None
    """Whoever pays every month from here on has enough by the birth."""
    lines: tuple[Line, ...]
    assumptions: tuple[Assumption, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def due(self) -> bool:
        """Whether enough months are paid."""
        return self.grant is not None


def maternity(law: Law, birth: Month, paid: Collection[Month], *, children: int = 1) -> Maternity:
    """Whether the grant is due for a birth in a month, given the months that are or will be paid by then.

    The mother or the father, one of them; paid from the State's budget, no premium is for it. The months counted
    are those before the month of birth. Law 41/2024, articles 94 to 96.
    """
    then = law.on(birth.first_day).watched()
    needed = (LawKey.MATERNITY_GRANT, LawKey.MATERNITY_LEAST_MONTHS, LawKey.MATERNITY_WITHIN_MONTHS)
    if not all(then.says(key) for key in needed):
        return Maternity(birth, None, 0, None, None, (), unknown=(Unknown.MATERNITY_LAW,))
    grant, least, within = map(then.number, needed)
    counted = len({month for month in paid if birth - within <= month < birth})
    return Maternity(
        birth=birth,
        grant=grant * children if counted >= least else None,
        months_counted=counted,
        months_needed=least,
        pay_from_at_latest=birth - least,
        lines=lines_of(then),
        assumptions=(Assumption.MONTHS_BEFORE_THE_BIRTH,),
    )
