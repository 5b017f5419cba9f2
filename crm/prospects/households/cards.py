"""What a household adds to a person's page: who lives there, the certificate, and in autumn that it ends."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l

from crm.accounts.gateway import current_user
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.prospects import cards
from crm.prospects.cards import Card, Look
from crm.prospects.households.queries import household_card
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground
from crm.prospects.wording import KINSHIPS
from crm.web.filters import in_day


def card(person: Prospect, scope: Scope, today: date) -> Card:
    """The household of somebody, or the way to say with whom they live."""
    told = household_card(session(), scope, person, today)
    facts = {"told": told, "kinships": KINSHIPS, "edits": current_user().may(May.EDIT_PEOPLE)}
    return Card("prospects/households/_card.html", facts, order=30, looks=_remark(told.ending))


def _remark(ending: tuple[Ground, date] | None) -> tuple[Look, ...]:
    """From 1 October: the certificate ends with the year."""
    if ending is None:
        return ()
    ground, last_day = ending
    day = in_day(last_day)
    if ground is Ground.POOR:
        text = _l("Certificate of a poor household: valid until %(day)s", day=day)
    else:
        text = _l("Certificate of a near-poor household: valid until %(day)s", day=day)
    return (Look("document", text, _l("Ask for the new certificate."), "due", order=40),)


def register() -> None:
    """Let a person's page ask."""
    cards.register(card=card)
