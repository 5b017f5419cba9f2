"""What an administrator decides about a town's messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crm.accounts.services import note_change
from crm.campaigns.rules.hours import narrower
from crm.campaigns.services.sending import settings_of
from crm.errors import RuleBroken

DECIDED = (
    *("opens", "closes", "price", "sender", "month_budget", "approve_messages", "approve_cost"),
    *("unregistered_until", "unregistered_why"),
)


def change_settings(session: Session, town_id: UUID, values: Mapping[str, Any], *, by_id: UUID, at: datetime) -> None:
    """Change what is decided, and keep who did. Raises RuleBroken for hours outside the legal ones."""
    settings = settings_of(session, town_id)
    try:
        narrower(values["opens"], values["closes"])
    except RuleBroken as refused:
        raise RuleBroken(refused.message, field="opens") from None
    values = {name: getattr(settings, name) for name in DECIDED} | dict(values)
    if values["unregistered_until"] and not values["unregistered_why"]:
        raise RuleBroken(_l("Write why texts may leave that the carrier has not approved."), field="unregistered_why")
    before = {name: getattr(settings, name) for name in DECIDED}
    for name in DECIDED:
        setattr(settings, name, values[name] or None if name == "sender" else values[name])
    if settings.unregistered_until is None:
        settings.unregistered_why = None
    session.add(settings)
    session.flush()
    after = {name: getattr(settings, name) for name in DECIDED}
    if before != after:
        note_change(
            session,
            town_id=town_id,
            user_id=by_id,
            act="change_sms_settings",
            subject="sms_settings",
            subject_id=settings.id,
            at=at,
            before={name: _plain(value) for name, value in before.items()},
            after={name: _plain(value) for name, value in after.items()},
        )


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int) else str(value)
