"""What messages add to a person's page: those that went out to them, and what their number answered."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import func, literal, select

from crm.campaigns.models import Inbound, Message
from crm.campaigns.rules.delivery import DELIVERY_NAMES, Delivery
from crm.prospects import cards
from crm.prospects.cards import PHONE, TOWN, Event, Happened, Kind, Trail, facts_as, of_person
from crm.prospects.rules import Purpose
from crm.prospects.wording import PURPOSES

FAILED = frozenset({Delivery.UNDELIVERED, Delivery.FAILED, Delivery.CANCELLED, Delivery.EXPIRED})


def _message(row: Happened) -> Event:
    facts, state = row.facts, Delivery(row.facts["state"])
    text = f"{PURPOSES[Purpose(facts['purpose'])]} · {DELIVERY_NAMES[state]}"
    waits = _("Message that was not sent") if state in FAILED else _("Message that waits")
    title = _("Message to this person") if facts["left"] else waits
    return Event(row.at, title, "message", "late" if state in FAILED else "jade", row.by, text, facts["body"])


def _inbound(row: Happened) -> Event:
    facts = row.facts
    title = _("Message from this number: wants no more") if facts["withdrew"] else _("Message from this number")
    return Event(row.at, title, "no-message" if facts["withdrew"] else "message", "quiet", note=facts["body"])


_NOBODY = literal(None, Message.campaign_id.type)
MESSAGES = Trail(
    "messages",
    Kind.MESSAGES,
    select(Message).where(of_person(Message), Message.state != Delivery.EXCLUDED),
    at=func.coalesce(Message.claimed_at, Message.made_at),
    id=Message.id,
    by=_NOBODY,
    facts=facts_as(
        purpose=Message.purpose, state=Message.state, body=Message.body, left=Message.claimed_at.is_not(None)
    ),
    tell=_message,
)
ANSWERS = Trail(
    "inbound",
    Kind.MESSAGES,
    select(Inbound).where(Inbound.town_id == TOWN, Inbound.phone == PHONE),
    at=Inbound.received_at,
    id=Inbound.id,
    by=_NOBODY,
    facts=facts_as(body=Inbound.body, withdrew=Inbound.withdrew),
    tell=_inbound,
)


def register() -> None:
    """Stand on the person's page from now on."""
    cards.register(trails=(MESSAGES, ANSWERS))
