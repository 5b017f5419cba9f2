"""Listed payments as a page shows them."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.errors import NotFound
from crm.participation.listed.models import ListedPayment
from crm.participation.listed.rules import OPEN, Verdict
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_to
from crm.web.pager import Page, page


class Line(NamedTuple):
    """A listed payment, and whose it is."""

    listed: ListedPayment
    person: Prospect


def seen(scope: Scope, import_id: UUID | None = None) -> Select[ListedPayment, Prospect]:
    """The listed payments of those people whom this person may see."""
    same = and_(Prospect.town_id == ListedPayment.town_id, Prospect.id == ListedPayment.prospect_id)
    query = select(ListedPayment, Prospect).join(Prospect, same).where(visible_to(scope))
    return query.where(ListedPayment.import_id == import_id) if import_id else query


def counts(session: Session, scope: Scope, import_id: UUID | None = None) -> dict[Verdict, int]:
    """How many there are of each verdict."""
    query = (
        seen(scope, import_id).with_only_columns(ListedPayment.verdict, func.count()).group_by(ListedPayment.verdict)
    )
    found = {row[0]: row[1] for row in session.execute(query)}
    return {verdict: found.get(verdict, 0) for verdict in Verdict}


def page_of(
    session: Session, scope: Scope, verdict: Verdict, import_id: UUID | None, *, cursor: str | None, size: int = 20
) -> Page[Line]:
    """One page of those of a verdict, the earliest loaded first."""
    query: Any = seen(scope, import_id).where(ListedPayment.verdict == verdict)
    found = page(session, query, (ListedPayment.id,), cursor=cursor, size=size, kinds=(UUID,), key=_place)
    return Page([Line(*row) for row in found.rows], found.next)


def _place(row: Any) -> tuple[UUID]:
    return (row[0].id,)


def one_seen(session: Session, scope: Scope, listed_id: UUID) -> ListedPayment:
    """One of them, if its person may be seen. Raises NotFound."""
    found = session.execute(seen(scope).where(ListedPayment.id == listed_id)).first()
    if found is None:
        raise NotFound
    listed: ListedPayment = found[0]
    return listed


def waiting(session: Session, scope: Scope) -> int:
    """How many wait for somebody to say something."""
    query = seen(scope).with_only_columns(func.count()).where(ListedPayment.verdict.in_(OPEN))
    return session.scalar(query) or 0
