"""What each member of a household pays, for the household's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select

from crm.db import session
from crm.participation.models import Participation, Payment
from crm.prospects.households import telling
from crm.prospects.models import Prospect
from crm.web import filters
from crm.web.language import chosen


def lines(people: Sequence[Prospect], today: date) -> Mapping[UUID, Any]:
    """«Takes part, paid through 10/2019; pays 107.800 đ a month» for those who take part now."""
    if not people:
        return {}
    reversing = select(Payment.reverses_id).where(
        Payment.town_id == people[0].town_id, Payment.reverses_id.is_not(None)
    )
    monthly = (
        select(Payment.own / func.nullif(Payment.months, 0))
        .where(
            Payment.town_id == Participation.town_id,
            Payment.participation_id == Participation.id,
            Payment.reverses_id.is_(None),
            Payment.id.not_in(reversing),
        )
        .order_by(Payment.start_month.desc(), Payment.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(Participation.prospect_id, Participation.paid_through, monthly).where(
        Participation.town_id == people[0].town_id,
        Participation.prospect_id.in_([one.id for one in people]),
        Participation.goes_on,
    )
    return {id: _line(through, own) for id, through, own in session().execute(query)}


def _line(through: date | None, own: int | None) -> str:
    parts = []
    if through:
        parts.append(_("paid through %(month)s", month=filters.month(through, chosen())))
    if own is not None:
        parts.append(_("pays %(own)s a month", own=filters.vnd(int(own), chosen())))
    return " · ".join(parts) or _("takes part")


def register() -> None:
    """Let a household's page ask."""
    telling.register(lines)
