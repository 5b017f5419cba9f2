"""What is asked when somebody pays at once for missing months."""

from __future__ import annotations

from typing import Self

from crm.participation.forms import PaymentForm
from crm.premiums.rules.law import LawOnDay
from crm.premiums.rules.quotes import Plan


class MissingForm(PaymentForm):
    """Income, day and proof; the months are those that are missing."""

    missing = 0

    @classmethod
    def for_all(cls, law: LawOnDay, missing: int) -> Self:
        """The form under the law of a day, for so many months."""
        form = cls(data={"income": law.floor, "paid_on": law.day})
        for unused in ("months", "alone", "first_month"):
            del form[unused]
        form.missing = missing
        return form

    @property
    def plan(self) -> Plan:
        """All that is missing, at once."""
        return Plan.missing(self.missing)
