"""The law and the local additions, as they stand on record."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from crm.places.models import Town
from crm.premiums.models import LawValueRow, LocalTopUpRow
from crm.premiums.rules.law import Law, LocalTopUp

LAW = select(LawValueRow).order_by(
    LawValueRow.key,
    LawValueRow.ground,
    LawValueRow.effective_from.desc(),
    LawValueRow.of_year,
    LawValueRow.status,
)


def law(session: Session) -> Law:
    """All of the law on record, in one query; ask once for a request and hand it on."""
    return Law(tuple(row.as_value() for row in session.scalars(LAW)))


def law_table(session: Session) -> Sequence[LawValueRow]:
    """Every value with its source, by key and newest first, for reading."""
    return session.scalars(LAW).all()


def local_top_ups(session: Session, town_id: UUID, day: date) -> list[LocalTopUp]:
    """What a town's own budget adds on a day."""
    rows = session.scalars(
        select(LocalTopUpRow)
        .where(LocalTopUpRow.town_id == town_id, LocalTopUpRow.effective_from <= day)
        .where(or_(LocalTopUpRow.effective_to.is_(None), LocalTopUpRow.effective_to >= day))
        .order_by(LocalTopUpRow.ground, LocalTopUpRow.effective_from)
    )
    return [row.as_top_up() for row in rows]


def top_ups_here(session: Session, day: date) -> list[LocalTopUp]:
    """What the town of this installation adds on a day; nothing where there are several towns or none."""
    towns = session.scalars(select(Town.id).limit(2)).all()
    return local_top_ups(session, towns[0], day) if len(towns) == 1 else []
