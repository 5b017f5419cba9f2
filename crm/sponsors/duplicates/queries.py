"""Who may be the same sponsor, and why; who was joined to whom."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import ChangeRecord, User
from crm.accounts.queries import Scope
from crm.errors import NotFound, RuleBroken
from crm.money import Vnd
from crm.names import fold
from crm.phones import read_phone
from crm.sponsors.family import kept_of
from crm.sponsors.ledger.passing import passed
from crm.sponsors.models import Sponsor, SponsorMerge
from crm.sponsors.naming import alike as names_alike
from crm.sponsors.naming import core_of
from crm.sponsors.rules import read_tax_code

FILLED = ("contact_name", "phone", "email", "tax_code")
"""What the one that stays takes over where it has nothing."""
MOST_ALIKE = 8
MOST_MERGES = 50
MOST_APART = 4
"""Of so many who were told apart again a page tells what remained."""


class Same(StrEnum):
    """What two sponsors have in common, the strongest first."""

    TAX_CODE = "tax_code"
    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"
    LIKE = "like"


SAME = {
    Same.TAX_CODE: _l("the same tax code"),
    Same.EMAIL: _l("the same e-mail"),
    Same.PHONE: _l("the same telephone"),
    Same.NAME: _l("the same name"),
    Same.LIKE: _l("a similar name"),
}
LEAST_LIKENESS = 0.5
"""From how many three-letter groups in common on (pg_trgm) two names are compared word by word."""
COMPARED = 60


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
    """Sponsors with the same tax code, e-mail, telephone (E.164) or name without accents, or with a name whose words are
    alike, legal forms apart; the likeliest first. Only for whoever may see sponsors. `besides` is the one who is looked at.
    """
    conditions: dict[Same, ColumnElement[bool]] = {}
    if tax_code:
        conditions[Same.TAX_CODE] = Sponsor.tax_code == tax_code
    if email:
        conditions[Same.EMAIL] = func.lower(Sponsor.email) == email.lower()
    if phone:
        conditions[Same.PHONE] = Sponsor.phone == phone
    if fold(name):
        conditions[Same.NAME] = Sponsor.name_fold == fold(name)
    own = core_of(name)
    if own:
        conditions[Same.LIKE] = _like(own)
    if not conditions:
        return []
    told = [func.coalesce(condition, False) for condition in conditions.values()]
    query: Any = select(Sponsor, *told).where(Sponsor.town_id == town_id, or_(*conditions.values()))
    if besides:
        query = query.where(Sponsor.id != besides, Sponsor.merged_into_id.is_distinct_from(besides))
    strongest = case(*((condition, place) for place, condition in enumerate(conditions.values())))
    rows = session.execute(query.order_by(strongest, Sponsor.created_at, Sponsor.id).limit(COMPARED))
    found: dict[UUID, Alike] = {}
    for row in rows:
        whys = tuple(why for why, same in zip(conditions, row[1:], strict=True) if same)
        if Same.NAME in whys or not names_alike(name, row[0].name):
            whys = tuple(why for why in whys if why is not Same.LIKE)
        one = kept_of(session, row[0]) if whys else row[0]
        if whys and one.id != besides:
            found.setdefault(one.id, Alike(one, whys))
    return list(found.values())[:MOST_ALIKE]


def alike_to_told(
    session: Session, town_id: UUID, *, name: str, email: str | None, phone: str | None, tax_code: str | None
) -> list[Alike]:
    """Who may be the same as somebody of whom this was written or typed, as people write it."""
    reached = read_phone(phone)
    return alike(
        session,
        town_id,
        name=name,
        email=(email or "").strip() or None,
        phone=reached.mobile or reached.landline,
        tax_code=_whole_tax_code(tax_code),
    )


def _whole_tax_code(text: str | None) -> str | None:
    try:
        return read_tax_code(text) if text else None
    except RuleBroken:  # not typed to its end, or wrong: the form says so
        return None


def _like(own: str) -> ColumnElement[bool]:
    """Whether the words of a name stand, about so, among those of the other, or the other way round."""
    within = func.strict_word_similarity(own, Sponsor.name_fold)
    return func.greatest(within, func.strict_word_similarity(Sponsor.name_fold, own)) >= LEAST_LIKENESS


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


class Remained(NamedTuple):
    """Money that one of two who were told apart gave and the other has used: it stays in the other's books."""

    other: Sponsor
    amount: Vnd
    theirs: bool
    """Whether the other gave it, and this sponsor used it."""


def remained(session: Session, of: Sponsor) -> list[Remained]:
    """What of money that passed while two were one has not passed back since they were told apart."""
    kept, gone = aliased(Sponsor), aliased(Sponsor)
    pairs = (
        select(kept, gone)
        .select_from(SponsorMerge)
        .join(kept, and_(kept.town_id == SponsorMerge.town_id, kept.id == SponsorMerge.kept_id))
        .join(gone, and_(gone.town_id == SponsorMerge.town_id, gone.id == SponsorMerge.gone_id))
        .where(SponsorMerge.town_id == of.town_id, or_(kept.id == of.id, gone.id == of.id))
        .where(gone.merged_into_id.is_(None), SponsorMerge.undone_at.is_not(None))
        .distinct(kept.id, gone.id)
        .limit(MOST_APART)
    )
    found = []
    for stays, gave in session.execute(pairs):
        amount = passed(session, gave, stays.id)
        if amount > 0:
            found.append(Remained(gave if stays.id == of.id else stays, amount, theirs=stays.id == of.id))
    return found


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


def taken_over(session: Session, row: SponsorMerge) -> set[str]:
    """The fields that the one who stays had empty and took from the other when they were made one."""
    query = select(ChangeRecord.before).where(
        ChangeRecord.town_id == row.town_id,
        ChangeRecord.subject_id == row.kept_id,
        ChangeRecord.at == row.at,
        ChangeRecord.user_id == row.by_id,
        ChangeRecord.act == "sponsor_changed",
    )
    return {name for before in session.scalars(query) for name in before or {} if name in FILLED}
