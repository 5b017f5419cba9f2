"""One person with all that the head of their page says."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope
from crm.errors import NotFound
from crm.places.models import Place
from crm.prospects.models import Prospect
from crm.prospects.queries.facts import Facts, consents_of
from crm.prospects.queries.seeing import visible_to
from crm.prospects.queries.standing import standings_of
from crm.prospects.rules import deciding


def facts_of_one(session: Session, scope: Scope, prospect_id: UUID, today: date) -> Facts:
    """Someone this person may see, with three statements; the id of a merged record leads to the one it became.

    Raises NotFound.
    """
    passed: set[UUID] = set()
    while prospect_id not in passed:
        passed.add(prospect_id)
        row = session.execute(_with_names(scope), {"person": prospect_id}).one_or_none()
        if row is None or (row[0].merged_into_id is None and not row[1]):
            break
        if row[0].merged_into_id is None:
            return _facts(session, row, today)
        prospect_id = row[0].merged_into_id
    raise NotFound


def _facts(session: Session, row: Any, today: date) -> Facts:
    person, _seen, place, neighbourhood, organisation, volunteer = row
    standings = standings_of(session, person.town_id, [person.id])[person.id]
    held = [one for one in standings if one.valid_to is None or one.valid_to > today]
    return Facts(
        person=person,
        standing=deciding(one.ground for one in held if one.holds_on(today)),
        standings=held,
        consents=consents_of(session, person.town_id, person.phone) if person.phone else {},
        place=place,
        neighbourhood=neighbourhood,
        organisation=organisation,
        volunteer=volunteer,
    )


@lru_cache(maxsize=512)
def _with_names(scope: Scope) -> Select[Prospect, bool, Place, Place, Organisation, User]:
    """Kept, for making a statement costs more than asking it."""
    near = aliased(Place)
    town = Prospect.town_id
    return (
        select(Prospect, visible_to(scope), Place, near, Organisation, User)
        .join(Place, and_(Place.town_id == town, Place.id == Prospect.place_id))
        .outerjoin(near, and_(near.town_id == town, near.id == Prospect.neighbourhood_id))
        .outerjoin(Organisation, and_(Organisation.town_id == town, Organisation.id == Prospect.organisation_id))
        .outerjoin(User, and_(User.town_id == town, User.id == Prospect.volunteer_id))
        .where(town == scope.town_id, Prospect.id == bindparam("person"))
    )
