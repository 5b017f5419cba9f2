"""What comes back to somebody who left, on their page."""

from __future__ import annotations

from datetime import date

from sqlalchemy import exists

from crm.accounts.queries import Scope
from crm.db import session
from crm.participation.leaving.models import LeavingRefund
from crm.participation.leaving.queries import kept_of, names_of
from crm.participation.leaving.showing import kept
from crm.participation.models import Payment
from crm.premiums.rules.wording import STATUSES
from crm.prospects import cards
from crm.prospects.cards import Card, of_person
from crm.prospects.models import Prospect


def card(person: Prospect, scope: Scope, today: date) -> Card | None:
    """What was kept with the ending, and what of it is back."""
    found = kept_of(session(), person)
    if not found:
        return None
    sponsors = {part.payee_id for one in found for part in one.parts if part.payee_id}
    shown = kept(found, names_of(session(), person.town_id, sponsors))
    return Card("participation/_came_back.html", {"refunds": shown, "statuses": STATUSES}, order=12)


def register() -> None:
    """Let a person's page ask."""
    of_them = (LeavingRefund.town_id == Payment.town_id) & (LeavingRefund.payment_id == Payment.id)
    cards.register(card=card, when=exists().where(of_person(Payment), of_them))
