"""Templates by name, their versions, and what the carrier said of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.campaigns.models import Campaign
from crm.campaigns.templating.models import MessageTemplate, TemplateRegistration, TemplateVersion
from crm.campaigns.templating.rules import Registered
from crm.errors import NotFound
from crm.prospects.rules import Purpose
from crm.web.pager import Page, page


class Shown(NamedTuple):
    """A template with its latest version."""

    template: MessageTemplate
    version: TemplateVersion
    registered: Registered


def _latest(town_id: UUID) -> Select[MessageTemplate, TemplateVersion]:
    latest = and_(
        TemplateVersion.town_id == MessageTemplate.town_id,
        TemplateVersion.template_id == MessageTemplate.id,
        TemplateVersion.number == MessageTemplate.number,
    )
    return (
        select(MessageTemplate, TemplateVersion).join(TemplateVersion, latest).where(MessageTemplate.town_id == town_id)
    )


def templates(
    session: Session,
    town_id: UUID,
    *,
    archived: bool = False,
    purpose: Purpose | None = None,
    sender: str | None = None,
    cursor: str | None = None,
    size: int = 50,
) -> Page[Shown]:
    """Templates by name: those in use, or those put away."""
    gone = MessageTemplate.archived_at
    query: Any = _latest(town_id).where(gone.is_not(None) if archived else gone.is_(None))
    if purpose is not None:
        query = query.where(MessageTemplate.purpose == purpose)
    order = (MessageTemplate.name_fold, MessageTemplate.id)
    found = page(
        session,
        query,
        order,
        cursor=cursor,
        size=size,
        kinds=(str, UUID),
        key=lambda row: (row[0].name_fold, row[0].id),
    )
    told = registered_of(session, town_id, [row[1].id for row in found.rows], sender)
    return Page([Shown(row[0], row[1], told.get(row[1].id, Registered.DRAFT)) for row in found.rows], found.next)


def template(session: Session, town_id: UUID, template_id: UUID) -> Shown:
    """One template with its latest version. Raises NotFound."""
    found = session.execute(_latest(town_id).where(MessageTemplate.id == template_id)).one_or_none()
    if found is None:
        raise NotFound
    told = registered_of(session, town_id, [found[1].id], None)
    return Shown(found[0], found[1], told.get(found[1].id, Registered.DRAFT))


def registered_of(
    session: Session, town_id: UUID, version_ids: Collection[UUID], sender: str | None
) -> dict[UUID, Registered]:
    """What the carrier said last of these versions, for one sender name or for whichever was told last."""
    row = TemplateRegistration
    query = (
        select(row.version_id, row.state)
        .distinct(row.version_id)
        .where(row.town_id == town_id, row.version_id.in_(version_ids))
        .order_by(row.version_id, row.at.desc(), row.id.desc())
    )
    if sender:
        query = query.where(row.sender == sender)
    return {found[0]: found[1] for found in session.execute(query)} if version_ids else {}


def is_approved(session: Session, town_id: UUID, version_id: UUID | None, sender: str | None) -> bool:
    """Whether the carrier approved this version for this sender name; a text that is no template is not approved."""
    if version_id is None:
        return False
    return registered_of(session, town_id, [version_id], sender).get(version_id) is Registered.APPROVED


class Version(NamedTuple):
    """A version, who made it, in how many campaigns it stands, and all that the carrier said of it, the newest first."""

    row: TemplateVersion
    by: str | None
    campaigns: int
    told: Sequence[tuple[TemplateRegistration, str | None]]


MOST_VERSIONS = 50


def versions(session: Session, of: MessageTemplate) -> list[Version]:
    """The versions of a template, the newest first."""
    used = (
        select(func.count())
        .where(Campaign.town_id == TemplateVersion.town_id, Campaign.template_version_id == TemplateVersion.id)
        .correlate(TemplateVersion)
        .scalar_subquery()
    )
    query = (
        select(TemplateVersion, User.full_name, used)
        .outerjoin(User, and_(User.town_id == TemplateVersion.town_id, User.id == TemplateVersion.made_by_id))
        .where(TemplateVersion.town_id == of.town_id, TemplateVersion.template_id == of.id)
        .order_by(TemplateVersion.number.desc())
        .limit(MOST_VERSIONS)
    )
    rows = session.execute(query).all()
    told: dict[UUID, list[tuple[TemplateRegistration, str | None]]] = {}
    registrations = (
        select(TemplateRegistration, User.full_name)
        .outerjoin(User, and_(User.town_id == TemplateRegistration.town_id, User.id == TemplateRegistration.by_id))
        .where(
            TemplateRegistration.town_id == of.town_id, TemplateRegistration.version_id.in_([row[0].id for row in rows])
        )
        .order_by(TemplateRegistration.at.desc(), TemplateRegistration.id.desc())
    )
    for registration, by in session.execute(registrations):
        told.setdefault(registration.version_id, []).append((registration, by))
    return [Version(row[0], row[1], row[2], told.get(row[0].id, [])) for row in rows]


def version(session: Session, town_id: UUID, version_id: UUID) -> TemplateVersion:
    """One version. Raises NotFound."""
    found = session.get(TemplateVersion, (town_id, version_id))
    if found is None:
        raise NotFound
    return found


def choices(session: Session, town_id: UUID, purpose: Purpose) -> list[Shown]:
    """Templates that a campaign of this purpose may take, by name."""
    return list(templates(session, town_id, purpose=purpose, size=100).rows)
