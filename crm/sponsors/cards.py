"""What sponsors add to a person's page: who carries which months, and the events of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _

from crm.accounts.gateway import current_user
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.months import Month
from crm.participation.rules import basis_for
from crm.prospects import cards
from crm.prospects.cards import Card, Event
from crm.prospects.models import Prospect
from crm.sponsors import queries
from crm.sponsors.models import Allocation, Sponsor
from crm.web import filters
from crm.web.language import chosen
from crm.web.once import once


def card(person: Prospect, scope: Scope, today: date) -> Card | None:
    """«A sponsor carries … until …», with what is still to be paid with that money."""
    carried = [
        (allocation, by, Month.of(allocation.start_month) + (allocation.months - 1))
        for allocation, by in _helped(person)
    ]
    now = [row for row in carried if row[2] >= Month.of(today) or row[0].payment_id is None]
    if not now:
        return None
    acts = {"sponsors": current_user().may(May.SEE_SPONSORS), "pay": basis_for(current_user().may) is not None}
    return Card("sponsors/_card.html", {"carried": now, "acts": acts}, order=12)


def events(person: Prospect, scope: Scope) -> Sequence[Event]:
    """The days on which money was set aside."""
    return [
        Event(
            at=allocation.recorded_at,
            title=_("A sponsor carries %(months)s months", months=allocation.months),
            icon="sponsor",
            text=_(
                "%(sponsor)s, from %(start)s",
                sponsor=by.name,
                start=filters.month(allocation.start_month, chosen()),
            ),
            id=allocation.id,
        )
        for allocation, by in _helped(person)
    ]


def _helped(person: Prospect) -> Sequence[tuple[Allocation, Sponsor]]:
    return once(("helped", person.id), lambda: queries.helped(session(), person))


def register() -> None:
    """Stand on the person's page from now on."""
    cards.register(card=card, events=events)
