"""Who someone is, and how far they see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, bindparam, case, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from crm.accounts.models import ApiToken, Invitation, Organisation, User
from crm.accounts.rules import OrganisationKind, Reach, Role, reach
from crm.db import one_found
from crm.errors import NotFound, RuleBroken
from crm.places.models import Place
from crm.places.queries import ids_within
from crm.web.pager import Page, latest_first, page


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


def of_own_unit(
    scope: Scope, place: InstrumentedAttribute[Any], organisation: InstrumentedAttribute[Any]
) -> ColumnElement[bool]:
    """What is the unit's that a lead answers for: their ward's or their organisation's, by the column of each. Who leads an
    organisation only within a ward answers for neither, and nobody else has a unit."""
    if scope.reach is Reach.UNIT and scope.place_ids is not None and scope.organisation_id is None:
        return place.in_(scope.place_ids)
    if scope.reach is Reach.UNIT and scope.place_ids is None and scope.organisation_id is not None:
        return organisation == scope.organisation_id
    return false()


def leads_all_of(session: Session, scope: Scope, kind: OrganisationKind) -> bool:
    """Whether somebody leads an organisation of this kind in the whole town, not only within a ward."""
    if scope.reach is not Reach.UNIT or scope.organisation_id is None or scope.place_ids is not None:
        return False
    led = Organisation.town_id == scope.town_id, Organisation.id == scope.organisation_id
    return session.scalar(select(Organisation.kind).where(*led)) is kind


def token_digest(token: str) -> bytes:
    """What is kept of an API token or an invitation."""
    return hashlib.sha256(token.encode()).digest()


def token_holder(session: Session, token: str) -> tuple[User, ApiToken] | None:
    """The active person a live token stands for."""
    row = session.execute(_HOLDER, {"digest": token_digest(token)}).one_or_none()
    return (row[0], row[1]) if row else None


_HOLDER = (
    select(User, ApiToken)
    .join(ApiToken, (ApiToken.town_id == User.town_id) & (ApiToken.user_id == User.id))
    .where(ApiToken.digest == bindparam("digest"), ApiToken.revoked_at.is_(None), User.active)
)


def page_of_tokens(session: Session, town_id: UUID, *, cursor: str | None, size: int) -> Page[Any]:
    """One page of (ApiToken, User): every key of a town, the latest first, ended ones as well."""
    query: Any = select(ApiToken, User).join(User, (User.town_id == ApiToken.town_id) & (User.id == ApiToken.user_id))
    return latest_first(
        session,
        query.where(ApiToken.town_id == town_id),
        (ApiToken.created_at, ApiToken.id),
        cursor=cursor,
        size=size,
        key=lambda row: (row[0].created_at.isoformat(), row[0].id),
    )


def api_token(session: Session, town_id: UUID, token_id: UUID) -> ApiToken:
    """A key by its id. Raises NotFound."""
    return one_found(session, select(ApiToken).where(ApiToken.town_id == town_id, ApiToken.id == token_id))


def user_of_session(session: Session, uniquifier: str) -> User | None:
    """The person whom a session cookie names."""
    return session.scalar(_OF_SESSION, {"uniquifier": uniquifier})


_OF_SESSION = select(User).where(User.fs_uniquifier == bindparam("uniquifier"))
"""Made once, as they are asked at every request."""


def user_named(session: Session, identity: str) -> User | None:
    """Someone by e-mail (any case) or by E.164 phone."""
    return session.scalar(select(User).where((User.email == identity.lower()) | (User.phone == identity)))


def account(session: Session, town_id: UUID, user_id: UUID) -> User:
    """One person who signs in. Raises NotFound."""
    user = session.get(User, (town_id, user_id))
    if user is None:
        raise NotFound
    return user


def accounts(town_id: UUID) -> Select[User, str | None, str | None]:
    """Everyone who signs in, with the names of their organisation and place."""
    return (
        select(User, Organisation.name, Place.name)
        .outerjoin(Organisation, (Organisation.town_id == User.town_id) & (Organisation.id == User.organisation_id))
        .outerjoin(Place, (Place.town_id == User.town_id) & (Place.id == User.place_id))
        .where(User.town_id == town_id)
    )


def page_of_accounts(session: Session, town_id: UUID, *, cursor: str | None, size: int) -> Page[Any]:
    """One page of `accounts`, by role and name; those who no longer may sign in come last."""
    query: Any = accounts(town_id)
    return page(
        session,
        query,
        (case((User.active, 0), else_=1), User.role, User.full_name, User.id),
        cursor=cursor,
        size=size,
        kinds=(int, Role, str, UUID),
        key=lambda row: (int(not row[0].active), row[0].role, row[0].full_name, row[0].id),
    )


def how_many_sign_in(session: Session, town_id: UUID) -> int:
    """How many accounts a town has, closed ones as well."""
    return session.scalar(select(func.count()).select_from(User).where(User.town_id == town_id)) or 0


def unit_names(session: Session, user: User) -> tuple[str | None, str | None]:
    """The names of a person's organisation and of the place they lead."""
    query = accounts(user.town_id).where(User.id == user.id)
    _user, organisation, place = session.execute(query).one()
    return organisation, place


def invited(session: Session, key: str, at: datetime) -> User | None:
    """Who may set a password with this key now."""
    query = select(User).join(Invitation, (Invitation.town_id == User.town_id) & (Invitation.user_id == User.id))
    return session.scalar(query.where(opened_by(key, at), User.active))


def opened_by(key: str, at: datetime) -> ColumnElement[bool]:
    """The invitation that this key opens at a moment: not used, not too old."""
    return and_(Invitation.digest == token_digest(key), Invitation.used_at.is_(None), Invitation.expires_at > at)


def organisations(town_id: UUID) -> Select[Organisation]:
    """All organisations of a town by name."""
    return select(Organisation).where(Organisation.town_id == town_id).order_by(Organisation.name)


def organisation_by_code(session: Session, town_id: UUID, code: str) -> Organisation | None:
    """The organisation of that code."""
    return session.scalar(select(Organisation).where(Organisation.town_id == town_id, Organisation.code == code))


def organisation_coded(session: Session, town_id: UUID, code: str) -> Organisation:
    """The organisation of that code. Raises RuleBroken that lists the codes when there is none."""
    found = organisation_by_code(session, town_id, code)
    if found is None:
        codes = session.scalars(
            select(Organisation.code).where(Organisation.town_id == town_id).order_by(Organisation.code)
        )
        raise RuleBroken(
            _l(
                "No organisation “%(code)s” is known here; there are: %(codes)s.",
                code=code[:60],
                codes=", ".join(codes),
            )
        )
    return found


def volunteers_only(scope: Scope) -> Select[User]:
    """The volunteers of somebody's unit, by name."""
    return volunteers_for(scope).where(User.role == Role.VOLUNTEER)


def page_of_volunteers(session: Session, scope: Scope, *, cursor: str | None, size: int) -> Page[User]:
    """One page of `volunteers_only`."""
    query, order = volunteers_only(scope).order_by(None), (User.full_name, User.id)
    return page(
        session,
        query,
        order,
        cursor=cursor,
        size=size,
        kinds=(str, UUID),
        key=lambda one: (one.full_name, one.id),
    )


def how_many_volunteers(session: Session, scope: Scope) -> int:
    """How many there are in somebody's unit."""
    query = volunteers_only(scope).order_by(None).with_only_columns(func.count())
    return session.scalar(query) or 0


def volunteer_of_unit(session: Session, scope: Scope, user_id: UUID) -> User:
    """One volunteer of somebody's unit. Raises NotFound."""
    found = session.scalar(volunteers_only(scope).where(User.id == user_id))
    if found is None:
        raise NotFound
    return found


def volunteers_for(scope: Scope) -> Select[User]:
    """People to whom someone of this scope may assign work."""
    query = select(User).where(
        User.town_id == scope.town_id, User.active, User.role.in_((Role.VOLUNTEER, Role.AGENT, Role.LEAD))
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
