"""Recording that somebody paid at once for missing months."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from crm.months import Month
from crm.participation import services
from crm.participation.models import Payment
from crm.participation.queries import open_spell
from crm.prospects.models import Prospect


def pay_missing_months(session: Session, person: Prospect, *, paid_on: date, **given: Any) -> Payment:
    """Whoever takes part pays on with it; whoever does not joins by it, from the day of payment until the pension.

    `given` as paying on takes it. Raises what `missing_of`, `refuse_others`, joining and paying on raise.
    """
    if open_spell(session, person):
        return services.record_payment(session, person, paid_on=paid_on, **given)
    return services.enrol(session, person, start=Month.of(paid_on), paid_on=paid_on, **given)
