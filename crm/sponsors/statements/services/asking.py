"""Acts with a bank's line that wait for a second person when they are above the limit."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.errors import Conflict
from crm.sponsors.ledger.deciding import ask_once_tried, does
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.rules import MoneyAct
from crm.sponsors.statements.models import LinePart, StatementLine
from crm.sponsors.statements.services.deciding import send_back, undo


def undo_or_ask(
    session: Session, line: StatementLine, reason: str, *, by: User, on: date, at: datetime
) -> MoneyRequest | None:
    """Undo what was said of a line, or, above the limit, ask a second person. Raises what `undo` raises."""
    act: dict[str, Any] = {"by_id": by.id, "on": on, "at": at}
    try:
        with session.begin_nested():
            undo(session, line, reason, **act)
    except Conflict as refused:
        if refused.code != "needs_second":
            raise
        return ask_once_tried(
            session,
            line.town_id,
            MoneyAct.UNDO_LINE,
            {"line_id": str(line.id)},
            abs(line.amount),
            lambda request_id: undo(session, line, reason, **act, request_id=request_id),
            sponsor_id=_only_sponsor(session, line),
            reason=reason,
            by=by,
            at=at,
        )
    return None


def send_back_or_ask(
    session: Session, line: StatementLine, held: LinePart, *, by: User, at: datetime
) -> MoneyRequest | None:
    """The line is held money that went back, or, above the limit, ask a second person. Raises what `send_back` raises."""
    act: dict[str, Any] = {"by_id": by.id, "at": at}
    try:
        with session.begin_nested():
            send_back(session, line, held, **act)
    except Conflict as refused:
        if refused.code != "needs_second":
            raise
        return ask_once_tried(
            session,
            line.town_id,
            MoneyAct.SEND_BACK,
            {"line_id": str(line.id), "part_id": str(held.id)},
            held.amount,
            lambda request_id: send_back(session, line, held, **act, request_id=request_id),
            sponsor_id=None,
            reason=None,
            by=by,
            at=at,
        )
    return None


def _only_sponsor(session: Session, line: StatementLine) -> UUID | None:
    """Whose money the line is, if it is one sponsor's."""
    query = select(LinePart.sponsor_id).where(
        LinePart.town_id == line.town_id, LinePart.line_id == line.id, LinePart.ended_at.is_(None)
    )
    found = set(session.scalars(query))
    return found.pop() if len(found) == 1 else None


def _undo(session: Session, request: MoneyRequest, asker: User, on: date, at: datetime) -> None:
    act: dict[str, Any] = {"by_id": asker.id, "on": on, "at": at, "request_id": request.id}
    undo(session, _line(session, request), request.reason or "", **act)


def _send_back(session: Session, request: MoneyRequest, asker: User, on: date, at: datetime) -> None:
    held = session.get_one(LinePart, (request.town_id, UUID(request.arguments["part_id"])))
    send_back(session, _line(session, request), held, by_id=asker.id, at=at, request_id=request.id)


def _line(session: Session, request: MoneyRequest) -> StatementLine:
    return session.get_one(StatementLine, (request.town_id, UUID(request.arguments["line_id"])))


does(MoneyAct.UNDO_LINE, _undo)
does(MoneyAct.SEND_BACK, _send_back)
