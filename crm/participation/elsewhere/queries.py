"""What an insurance record says of somebody, and what was said before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, SQLColumnExpression, Uuid, and_, bindparam, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.months import Month
from crm.participation.elsewhere.models import InsuranceRecord
from crm.participation.elsewhere.rules import Said
from crm.prospects.models import Prospect

LATEST_FIRST = (InsuranceRecord.at.desc(), InsuranceRecord.id.desc())


def latest_of(town: SQLColumnExpression[UUID], person: SQLColumnExpression[UUID]) -> Select[InsuranceRecord]:
    """The row that holds of a person, for other statements to read a column of."""
    query = select(InsuranceRecord).where(InsuranceRecord.town_id == town, InsuranceRecord.prospect_id == person)
    return query.order_by(*LATEST_FIRST).limit(1)


_LATEST = latest_of(bindparam("town", type_=Uuid()), bindparam("person", type_=Uuid()))


def latest(session: Session, person: Prospect) -> Said | None:
    """What the last paper says; None where nobody has read one."""
    row = session.scalars(_LATEST, {"town": person.town_id, "person": person.id}).first()
    return said_by(row) if row else None


def said_by(row: InsuranceRecord) -> Said:
    """A row as the rules read it."""
    return Said(Month.of(row.through), row.voluntary, row.supported, row.compulsory, row.proof)


class Read(NamedTuple):
    """A paper that was read, and by whom."""

    row: InsuranceRecord
    by: str | None


def all_of(session: Session, person: Prospect) -> Sequence[Read]:
    """Every paper that was read, the last first."""
    query = (
        select(InsuranceRecord, User.full_name)
        .outerjoin(User, and_(User.town_id == InsuranceRecord.town_id, User.id == InsuranceRecord.by_id))
        .where(InsuranceRecord.town_id == person.town_id, InsuranceRecord.prospect_id == person.id)
        .order_by(*LATEST_FIRST)
    )
    return [Read(*row) for row in session.execute(query)]
