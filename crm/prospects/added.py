"""What packages above do when somebody was added: they register it here, so that this package need not know them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.prospects.models import Prospect

Act = Callable[[Session, Prospect, User, datetime], None]

_acts: list[Act] = []


def register(act: Act) -> None:
    """Let this be done, in the same transaction, for everybody who is added one by one."""
    _acts.append(act)


def tell(session: Session, person: Prospect, by: User, at: datetime) -> None:
    """Somebody was added."""
    for act in _acts:
        act(session, person, by, at)
