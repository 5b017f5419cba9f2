"""Texting links to sponsors without an e-mail: to confirm a registration, and to go on when their help ends.

One for a registration, few for a number, none to one that said no."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crm.campaigns.rules.texts import unaccented
from crm.campaigns.services.sending import queue_reminder
from crm.clock import local_day
from crm.money import Vnd
from crm.phones import is_mobile
from crm.places.models import Town
from crm.prospects.queries.facts import consents_of
from crm.prospects.rules import Purpose
from crm.prospects.services.consent import refusal_of
from crm.reminders.rules import POLITE_HOURS
from crm.sponsors.cliff.queries import ToTell, renewal_of, to_tell
from crm.sponsors.cliff.services import STILL, left_of, told
from crm.sponsors.cliff.writing import ending_text
from crm.sponsors.giving import queries as giving
from crm.sponsors.giving.links import Links
from crm.sponsors.giving.models import Registration
from crm.sponsors.giving.services.registering import link_to_text
from crm.web.filters import in_money

SPONSOR_LINK, SPONSOR_ENDING = "sponsor_link", "sponsor_ending"
LINKS_FOR = timedelta(days=1)
"""A registration that could not be answered so long is called, not texted."""


def text_links(session: Session, town_id: UUID, *, links: Links, at: datetime) -> int:
    """Queue a text with a link for each registration with a telephone number alone; how many. Safe to run any number of
    times: a registration has one link. A number that said no to messages is called by somebody instead."""
    waiting = giving.to_text(session, town_id, at - LINKS_FOR)
    return sum(_text_link(session, one, links, at) for one in waiting)


def _text_link(session: Session, one: Registration, links: Links, at: datetime) -> bool:
    if one.phone is None or refusal_of(session, one.town_id, one.phone, Purpose.SERVICE):
        return False
    with session.begin_nested() as link:
        address = link_to_text(session, one, links=links, at=at)
        queued = address and queue_reminder(
            session,
            one.town_id,
            reminder=SPONSOR_LINK,
            asked_for=True,
            phone=one.phone,
            prospect_id=None,
            body=link_text(session.get_one(Town, one.town_id).name, one.amount, address, one.language),
            local_day=local_day(at),
            at=at,
            not_before=POLITE_HOURS.next_allowed(at),
            expires_at=at + LINKS_FOR,
        )
        if not queued:
            link.rollback()  # no link is spent that nobody got
    return bool(queued)


def text_endings(session: Session, town_id: UUID, *, links: Links, at: datetime) -> int:
    """Queue a text for each sponsor whose help ends, who has no e-mail and whose mobile agreed to such messages; how many.
    The others are called (crm.sponsors.cliff.queries.to_tell). Safe to run any number of times."""
    return sum(_text_ending(session, one, links, at) for one in to_tell(session, town_id, local_day(at)))


def _text_ending(session: Session, one: ToTell, links: Links, at: datetime) -> bool:
    of = one.sponsor
    said = consents_of(session, of.town_id, of.phone).get(Purpose.SERVICE) if of.phone else None
    if of.phone is None or not is_mobile(of.phone) or said is None or not said.given:
        return False
    town = session.get_one(Town, of.town_id).name
    left = left_of(renewal_of(session, of, local_day(at)))
    with force_locale(of.language):
        words = ending_text(town, one.people, one.first, left=left, renew=links.renewing(of.id))
    queued = queue_reminder(
        session,
        of.town_id,
        reminder=SPONSOR_ENDING,
        phone=of.phone,
        prospect_id=None,
        body=unaccented(words),
        local_day=local_day(at),
        at=at,
        not_before=POLITE_HOURS.next_allowed(at),
        expires_at=at + STILL,
    )
    if queued:
        told(session, of, by_id=None, today=local_day(at), at=at)
    return queued is not None


def link_text(town: str, amount: Vnd, address: str, language: str) -> str:
    """Asks whoever holds the telephone whether they meant it; without accents, nothing of the sender's words in it."""
    with force_locale(language):
        words = _(
            "Social insurance fund of %(town)s: a gift of %(amount)s was registered with this number. If it was you, "
            "open to confirm: %(address)s If not, ignore this.",
            town=town,
            amount=in_money(amount),
            address=address,
        )
    return unaccented(words)
