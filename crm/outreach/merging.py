"""What visits have to say when two records become one, or two again."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.outreach.models import Assignment, Visit
from crm.outreach.queries import steps_of, visits_to
from crm.outreach.rules import CHANNELS, OUTCOMES, Reason, Said, before_the_visits, stage_told_by
from crm.prospects.merging import registry
from crm.prospects.models import Prospect
from crm.web.filters import moment
from crm.web.language import chosen


def say_what_visits_say(session: Session, who: Prospect) -> None:
    """The last contact, the next one and the stage, as the visits that are with this record leave them."""
    every, steps = visits_to(session, who), steps_of(session, who)
    standing = [one for one in every if one.withdrawn_at is None]
    if not standing:
        return
    latest = standing[-1]
    if who.last_contact_at != latest.occurred_at:  # else something after that visit may have said when to come again
        who.next_contact_on = latest.next_contact_on
    who.last_contact_at, who.last_outcome = latest.occurred_at, latest.outcome.value
    start, since = before_the_visits(who.stage, steps, {one.id for one in every})
    said = [
        Said(one.occurred_at, one.outcome, frozenset(Reason(reason) for reason in one.reasons))
        for one in standing
        if since is None or one.occurred_at >= since
    ]
    who.stage = stage_told_by(start, said)


def visits_in_words(session: Session, town_id: UUID, ids: list[UUID]) -> Mapping[UUID, str]:
    """What was said and when."""
    found = session.scalars(select(Visit).where(Visit.town_id == town_id, Visit.id.in_(ids)))
    return {
        one.id: " · ".join(
            (str(OUTCOMES[one.outcome]), str(CHANNELS[one.channel]), moment(one.occurred_at, locale=chosen()))
        )
        for one in found
    }


def assignments_in_words(session: Session, town_id: UUID, ids: list[UUID]) -> Mapping[UUID, str]:
    """Since when somebody looks after them."""
    found = session.scalars(select(Assignment).where(Assignment.town_id == town_id, Assignment.id.in_(ids)))
    return {one.id: moment(one.since, locale=chosen()) for one in found}


registry.register(
    settles=say_what_visits_say, order=10, tells={"visit": visits_in_words, "assignment": assignments_in_words}
)
