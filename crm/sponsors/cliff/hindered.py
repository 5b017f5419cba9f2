"""Of people whom a sponsor said that what is left goes on with: who would not be proposed today, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to
from crm.sponsors.cliff import agreed
from crm.sponsors.matching.reading import read
from crm.sponsors.matching.rules.needs import Terms, Why
from crm.sponsors.matching.rules.planning import propose


class Hindered(NamedTuple):
    """Somebody for whom what was agreed would not be set aside today."""

    person: Prospect
    why: Why


def hindered(
    session: Session, scope: Scope, today: date, sponsor_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[Hindered]]:
    """By sponsor, those of their people a proposal of today would pass over, as far as somebody may see them.

    It is worked out as a proposal is, so that the list says what the proposal will.
    """
    meant = agreed.waiting_people(session, scope.town_id, today, sponsor_ids)
    people = tuple({person for some in meant.values() for person in some})
    if not people:
        return {}
    terms = Terms(sponsors=tuple(sponsor_ids), only=people)
    known = read(session, scope.town_id, today, terms)
    why = {one.person_id: one.why for one in known.left_out}
    why |= {one.need.person_id: one.why for one in propose(known.needs, known.offers, terms).passed}
    # Whoever is no longer among the people of a proposal at all has no certificate of need any more.
    looked_at = {one.person_id for one in known.needs} | {one.person_id for one in known.left_out}
    why |= dict.fromkeys(set(people) - looked_at, Why.CERTIFICATE_ENDS)
    rows = session.scalars(select(Prospect).where(visible_to(scope), Prospect.id.in_(why)).order_by(Prospect.id))
    seen = {one.id: one for one in rows}
    found: defaultdict[UUID, list[Hindered]] = defaultdict(list)
    for sponsor_id, some in meant.items():
        found[sponsor_id] = [Hindered(seen[person], why[person]) for person in some if person in seen]
    return found
