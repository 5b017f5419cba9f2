"""A sponsor with everybody who turned out to be the same: conditions for questions that ask of all of them together."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from crm.sponsors.models import Sponsor


def is_of(column: Any, of: Sponsor) -> ColumnElement[bool]:
    """Whether a column names this sponsor or one that was joined to it."""
    one = aliased(Sponsor)
    same = select(one.id).where(one.town_id == of.town_id, or_(one.id == of.id, one.merged_into_id == of.id))
    condition: ColumnElement[bool] = column.in_(same)
    return condition


def kept_id(town: Any, column: Any) -> ScalarSelect[UUID]:
    """The sponsor as which one named by a column stands now: itself, or the one it was joined to."""
    one = aliased(Sponsor)
    return (
        select(func.coalesce(one.merged_into_id, one.id))
        .where(one.town_id == town, one.id == column)
        .correlate_except(one)
        .scalar_subquery()
    )


def stands_for(of: Any) -> ColumnElement[bool]:
    """Joins `Sponsor` to a table by its `sponsor_id`: the sponsor as which it stands now."""
    return and_(Sponsor.town_id == of.town_id, Sponsor.id == kept_id(of.town_id, of.sponsor_id))


def has_part(part: Any) -> ColumnElement[bool]:
    """Joins an alias of Sponsor to `Sponsor`: itself and everybody who was joined to it."""
    return and_(part.town_id == Sponsor.town_id, or_(part.id == Sponsor.id, part.merged_into_id == Sponsor.id))


def kept_of(session: Session, sponsor: Sponsor) -> Sponsor:
    """The sponsor as which this one stands now."""
    if sponsor.merged_into_id is None:
        return sponsor
    return session.get_one(Sponsor, (sponsor.town_id, sponsor.merged_into_id))


def are_one(session: Session, of: Sponsor, sponsor_id: UUID) -> bool:
    """Whether a sponsor is this one, or was joined to it."""
    return sponsor_id == of.id or session.scalar(select(is_of(Sponsor.id, of)).where(_row(of, sponsor_id))) is True


def _row(of: Sponsor, sponsor_id: UUID) -> ColumnElement[bool]:
    return and_(Sponsor.town_id == of.town_id, Sponsor.id == sponsor_id)


def joined_among(session: Session, town_id: UUID, sponsor_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Who of these is part of another now, and of whom. Holds their rows until the commit, so that nobody joins two of
    them or tells them apart meanwhile: to be asked before money moves, as whoever joins them does."""
    session.flush()
    query = (
        select(Sponsor.id, Sponsor.merged_into_id)
        .where(Sponsor.town_id == town_id, Sponsor.id.in_(sponsor_ids))
        .order_by(Sponsor.id)
        .with_for_update(read=True, key_share=True)
    )
    return {row[0]: row[1] for row in session.execute(query) if row[1] is not None}
