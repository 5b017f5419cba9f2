"""What sponsors have to say when two records become one: nobody's month is carried twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from crm.months import Month
from crm.prospects.merging import registry
from crm.prospects.models import Prospect
from crm.sponsors.models import Allocation, AllocationMonth, Sponsor
from crm.sponsors.rules import in_month
from crm.web.filters import in_money

MOST_NAMED = 12


def carried_twice(session: Session, kept: Prospect, gone: Prospect) -> Iterator[Any]:
    """Months for which money is set aside, or was paid on, with both records."""
    other = aliased(AllocationMonth)
    query = (
        select(AllocationMonth.month)
        .join(other, and_(other.town_id == AllocationMonth.town_id, other.month == AllocationMonth.month))
        .where(
            AllocationMonth.town_id == kept.town_id,
            AllocationMonth.prospect_id == kept.id,
            AllocationMonth.carries,
            other.prospect_id == gone.id,
            other.carries,
        )
        .order_by(AllocationMonth.month)
    )
    months = [in_month(Month.of(one)) for one in session.scalars(query)]
    if months:
        yield _l(
            "Sponsors' money carries %(months)s with both records. A month is carried once: let the treasurer give one "
            "of the two back, then merge.",
            months=", ".join(months[:MOST_NAMED]) + ("…" if len(months) > MOST_NAMED else ""),
        )


def allocations_in_words(session: Session, town_id: UUID, ids: list[UUID]) -> Mapping[UUID, str]:
    """Whose money, how much, and from which month on."""
    query = (
        select(Allocation, Sponsor.name)
        .join(Sponsor, and_(Sponsor.town_id == Allocation.town_id, Sponsor.id == Allocation.sponsor_id))
        .where(Allocation.town_id == town_id, Allocation.id.in_(ids))
    )
    return {
        one.id: f"{name} · {in_money(one.amount)} · {in_month(Month.of(one.start_month))}"
        for one, name in session.execute(query).tuples()
    }


registry.register(refuses=carried_twice, firm=("allocation",), tells={"allocation": allocations_in_words})
