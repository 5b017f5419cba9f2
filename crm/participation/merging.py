"""What taking part has to say when two records become one, or two again: nobody pays a month twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from crm.months import Month
from crm.participation.models import ParticipantMonth, Participation, Payment
from crm.participation.queries import spell_of
from crm.participation.rules import Ending
from crm.prospects.merging import registry
from crm.prospects.models import Prospect
from crm.prospects.rules import Stage
from crm.web.filters import in_day, in_money

MOST_NAMED = 12


def paid_twice(session: Session, kept: Prospect, gone: Prospect) -> Iterator[Any]:
    """Months that both records paid, and spells of both that lie over each other."""
    yield from _months(session, kept, gone)
    yield from _spells(session, kept, gone)


def _months(session: Session, kept: Prospect, gone: Prospect) -> Iterator[Any]:
    other = aliased(ParticipantMonth)
    query = (
        select(ParticipantMonth.month)
        .join(other, (other.town_id == ParticipantMonth.town_id) & (other.month == ParticipantMonth.month))
        .where(
            ParticipantMonth.town_id == kept.town_id,
            ParticipantMonth.prospect_id == kept.id,
            ParticipantMonth.counts,
            other.prospect_id == gone.id,
            other.counts,
        )
        .order_by(ParticipantMonth.month)
    )
    months = [Month.of(one) for one in session.scalars(query)]
    if months:
        named = ", ".join(f"{one.number}/{one.year}" for one in months[:MOST_NAMED])
        yield _l(
            "Both records have paid for %(months)s. One person pays a month once: let whoever recorded the wrong "
            "payment take it back, then merge.",
            months=named + ("…" if len(months) > MOST_NAMED else ""),
        )


def _spells(session: Session, kept: Prospect, gone: Prospect) -> Iterator[Any]:
    one, other = aliased(Participation), aliased(Participation)
    together = func.daterange(one.started_on, one.ended_on).op("&&")(func.daterange(other.started_on, other.ended_on))
    both = select(one.started_on, other.started_on).join(other, (other.town_id == one.town_id) & together)
    query = both.where(
        one.town_id == kept.town_id,
        one.prospect_id == kept.id,
        other.prospect_id == gone.id,
        one.withdrawn_at.is_(None),
        other.withdrawn_at.is_(None),
    )
    first = session.execute(query.order_by(one.started_on)).first()
    if first:
        yield _l(
            "Both records take part at the same time: one since %(one)s, the other since %(other)s. Take the payments "
            "of the wrong one back, or record that it stopped before the other began, then merge.",
            one=in_day(first[0]),
            other=in_day(first[1]),
        )


def say_what_spells_say(session: Session, who: Prospect) -> None:
    """Whoever is in a spell takes part; whoever was said to, and is in none, has lapsed or was never in one."""
    last = spell_of(session, who)
    if last and last.ended_on is None:
        who.stage = Stage.JOINED
    elif last and last.ended_as is Ending.LAPSED and who.stage is Stage.JOINED:
        who.stage = Stage.LAPSED
    session.flush()


def payments_in_words(session: Session, town_id: UUID, ids: list[UUID]) -> Mapping[UUID, str]:
    """How much was paid and when."""
    found = session.scalars(select(Payment).where(Payment.town_id == town_id, Payment.id.in_(ids)))
    return {one.id: f"{in_money(one.gross)} · {in_day(one.paid_on)}" for one in found}


def spells_in_words(session: Session, town_id: UUID, ids: list[UUID]) -> Mapping[UUID, str]:
    """Since when somebody takes part."""
    found = session.scalars(select(Participation).where(Participation.town_id == town_id, Participation.id.in_(ids)))
    return {one.id: str(in_day(one.started_on)) for one in found}


registry.register(
    refuses=paid_twice,
    settles=say_what_spells_say,
    order=20,
    firm=("participation", "participant_month", "payment"),
    tells={"payment": payments_in_words, "participation": spells_in_words},
)
