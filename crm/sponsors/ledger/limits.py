"""The amount above which an act with money takes two people, as an administrator set it."""

from __future__ import annotations

from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crm import stored
from crm.errors import Conflict
from crm.money import Vnd, in_figures

LIMIT = "money_limit"


def limit(session: Session) -> Vnd | None:
    """Acts above so many đồng need a second person; None: none does."""
    kept: Vnd | None = stored.read(session, LIMIT)
    return kept


def set_limit(session: Session, amount: Vnd | None) -> None:
    """From now on acts above `amount` need a second person; None: none does."""
    stored.write(session, LIMIT, amount)


def needs_second(session: Session, amount: Vnd) -> bool:
    """Whether one person alone may not do it."""
    most = limit(session)
    return most is not None and amount > most


def refuse_alone(session: Session, amount: Vnd, request_id: UUID | None) -> None:
    """Raises Conflict `needs_second` for an act above the limit without the approval of a second person."""
    if request_id is None and needs_second(session, amount):
        message = _l(
            "More than %(limit)s takes two people: ask a second person to approve it.",
            limit=in_figures(limit(session) or 0),
        )
        raise Conflict(message, code="needs_second", amount=amount)
