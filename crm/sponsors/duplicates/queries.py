"""Who may be the same sponsor, and why; who was joined to whom."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.errors import NotFound
from crm.names import fold
from crm.sponsors.family import kept_of
from crm.sponsors.models import Sponsor, SponsorMerge

MOST_ALIKE = 8
MOST_MERGES = 50


class Same(StrEnum):
    """What two sponsors have in common, the strongest first."""

    TAX_CODE = "tax_code"
    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"


SAME = {
    Same.TAX_CODE: _l("the same tax code"),
    Same.EMAIL: _l("the same e-mail"),
    Same.PHONE: _l("the same telephone"),
    Same.NAME: _l("the same name"),
}


class Alike(NamedTuple):
    """A sponsor who may be the same, and what they have in common."""

    sponsor: Sponsor
    whys: tuple[Same, ...]

    @property
    def words(self) -> list[Any]:
        return [SAME[why] for why in self.whys]


def alike(
    session: Session,
    town_id: UUID,
    *,
    name: str,
    email: str | None,
    phone: str | None,
    tax_code: str | None,
    besides: UUID | None = None,
) -> list[Alike]:
    """Sponsors with the same tax code, e-mail, telephone (E.164) or name without accents; the likeliest first. Only for
    whoever may see sponsors. `besides` is the one who is looked at."""
    conditions: dict[Same, ColumnElement[bool]] = {}
    if tax_code:
        conditions[Same.TAX_CODE] = Sponsor.tax_code == tax_code
    if email:
        conditions[Same.EMAIL] = func.lower(Sponsor.email) == email.lower()
    if phone:
        conditions[Same.PHONE] = Sponsor.phone == phone
    if fold(name):
        conditions[Same.NAME] = Sponsor.name_fold == fold(name)
    if not conditions:
        return []
    told = [func.coalesce(condition, False) for condition in conditions.values()]
    query: Any = select(Sponsor, *told).where(Sponsor.town_id == town_id, or_(*conditions.values()))
    if besides:
        query = query.where(Sponsor.id != besides, Sponsor.merged_into_id.is_distinct_from(besides))
    strongest = case(*((condition, place) for place, condition in enumerate(conditions.values())))
    rows = session.execute(query.order_by(strongest, Sponsor.created_at, Sponsor.id).limit(MOST_ALIKE))
    found: dict[UUID, Alike] = {}
    for row in rows:
        one = kept_of(session, row[0])
        whys = tuple(why for why, same in zip(conditions, row[1:], strict=True) if same)
        if one.id != besides:
            found.setdefault(one.id, Alike(one, whys))
    return list(found.values())


def alike_to(session: Session, of: Sponsor) -> list[Alike]:
    """Who may be the same as this sponsor."""
    return alike(session, of.town_id, name=of.name, email=of.email, phone=of.phone, tax_code=of.tax_code, besides=of.id)


class Joined(NamedTuple):
    """A merge, the sponsor who was joined, and who did it."""

    merge: SponsorMerge
    gone: Sponsor
    by: str


def joined_to(session: Session, of: Sponsor) -> Sequence[Joined]:
    """Everybody who was ever joined to this sponsor, the latest first; also those who were told apart again."""
    query = (
        select(SponsorMerge, Sponsor, User.full_name)
        .join(Sponsor, and_(Sponsor.town_id == SponsorMerge.town_id, Sponsor.id == SponsorMerge.gone_id))
        .join(User, and_(User.town_id == SponsorMerge.town_id, User.id == SponsorMerge.by_id))
        .where(SponsorMerge.town_id == of.town_id, SponsorMerge.kept_id == of.id)
        .order_by(SponsorMerge.at.desc(), SponsorMerge.id.desc())
        .limit(MOST_MERGES)
    )
    return [Joined(*row) for row in session.execute(query)]


def merge_of(session: Session, scope: Scope, merge_id: UUID) -> SponsorMerge:
    """A merge of this town. Raises NotFound."""
    found = session.get(SponsorMerge, (scope.town_id, merge_id))
    if found is None:
        raise NotFound
    return found


def has_joined(session: Session, of: Sponsor) -> bool:
    """Whether somebody was joined to this sponsor and still is."""
    query = select(Sponsor.id).where(Sponsor.town_id == of.town_id, Sponsor.merged_into_id == of.id).limit(1)
    return session.scalar(query) is not None
