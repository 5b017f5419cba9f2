"""Who someone is, and how far they see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session

from crm.accounts.models import ApiToken, Organisation, User
from crm.accounts.rules import Reach, reach
from crm.places.queries import ids_within


@dataclass(frozen=True)
class Scope:
    """How far one person sees: everything below is a condition on rows of their town."""

    town_id: UUID
    user_id: UUID
    reach: Reach
    organisation_id: UUID | None
    place_ids: tuple[UUID, ...] | None
    """The place they lead, what lies in it and what it came from; None when no place limits them."""


def scope_of(session: Session, user: User) -> Scope:
    """The scope of a person today."""
    has_unit = user.organisation_id is not None or user.place_id is not None
    how_far = reach(user.role, has_unit=has_unit)
    within = how_far is Reach.UNIT and user.place_id is not None
    return Scope(
        town_id=user.town_id,
        user_id=user.id,
        reach=how_far,
        organisation_id=user.organisation_id if how_far is Reach.UNIT else None,
        place_ids=ids_within(session, user.town_id, user.place_id) if within and user.place_id else None,
    )


def token_digest(token: str) -> bytes:
    """What is kept of an API token or an invitation."""
    return hashlib.sha256(token.encode()).digest()


def token_holder(session: Session, token: str) -> tuple[User, ApiToken] | None:
    """The active person a live token stands for."""
    query = (
        select(User, ApiToken)
        .join(ApiToken, (ApiToken.town_id == User.town_id) & (ApiToken.user_id == User.id))
        .where(ApiToken.digest == token_digest(token), ApiToken.revoked_at.is_(None), User.active)
    )
    row = session.execute(query).one_or_none()
    return (row[0], row[1]) if row else None


def user_named(session: Session, identity: str) -> User | None:
    """Someone by e-mail (any case) or by E.164 phone."""
    return session.scalar(select(User).where((User.email == identity.lower()) | (User.phone == identity)))


def organisations(town_id: UUID) -> Select[Organisation]:
    """All organisations of a town by name."""
    return select(Organisation).where(Organisation.town_id == town_id).order_by(Organisation.name)


def organisation_by_code(session: Session, town_id: UUID, code: str) -> Organisation | None:
    """The organisation of that code."""
    return session.scalar(select(Organisation).where(Organisation.town_id == town_id, Organisation.code == code))


def volunteers_for(scope: Scope) -> Select[User]:
    """People to whom someone of this scope may assign work."""
    query = select(User).where(
        User.town_id == scope.town_id, User.active, User.role.in_(("volunteer", "agent", "lead"))
    )
    if scope.reach is Reach.OWN:
        query = query.where(User.id == scope.user_id)
    elif scope.reach is Reach.NOTHING:
        query = query.where(false())
    if scope.organisation_id:
        query = query.where(User.organisation_id == scope.organisation_id)
    if scope.place_ids is not None:
        query = query.where(User.place_id.in_(scope.place_ids))
    return query.order_by(User.full_name, User.id)
