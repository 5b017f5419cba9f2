"""What sponsors add to a person's page: who carries which months, and the events of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.gateway import current_user
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.months import Month
from crm.participation import payers
from crm.participation.guard.rules import SPONSOR_NOTICE
from crm.participation.rules import basis_for
from crm.participation.shares import PayerKind
from crm.prospects import cards
from crm.prospects.cards import Card, Event, Happened, Kind, Look, Trail, facts_as, of_person
from crm.prospects.models import Prospect
from crm.sponsors import queries
from crm.sponsors.family import kept_id, stands_for
from crm.sponsors.models import Allocation, Sponsor
from crm.sponsors.purse import SponsorsPurse
from crm.web import filters
from crm.web.language import chosen
from crm.web.once import once


def card(person: Prospect, scope: Scope, today: date) -> Card | None:
    """«A sponsor carries … until …», with what is still to be paid with that money; of help that has just ended too."""
    carried = [(allocation, by, allocation.last_month) for allocation, by in _helped(person)]
    now = [row for row in carried if row[2] >= Month.of(today) or row[0].payment_id is None]
    near = bool(carried) and carried[0][2] < Month.of(today) + SPONSOR_NOTICE
    ends = queries.help_ends(session(), person, today) if near else None
    shown = now or (carried[:1] if ends else [])
    if not shown:
        return None
    acts = {
        "sponsors": current_user().may(May.SEE_SPONSORS),
        "pay": basis_for(current_user().may) is not None,
        "name": current_user().may(May.EDIT_PEOPLE),
    }
    _allocation, by, last = shown[0]
    words = _("%(sponsor)s pays, until %(last)s", sponsor=by.name, last=filters.month(last, chosen()))
    return Card(
        "sponsors/_card.html",
        {"carried": shown, "acts": acts, "ends": ends},
        order=12,
        looks=[Look("sponsor", words, order=45)],
    )


def _carried(row: Happened) -> Event:
    facts = row.facts
    start = filters.month(date.fromisoformat(facts["start"]), chosen())
    text = _("%(sponsor)s, from %(start)s", sponsor=facts["sponsor"], start=start)
    return Event(
        row.at,
        ngettext("A sponsor carries %(num)s month", "A sponsor carries %(num)s months", facts["months"]),
        "sponsor",
        by=row.by,
        text=text,
    )


CARRIED = Trail(
    "carried",
    Kind.MONEY,
    select(Allocation)
    .join(Sponsor, stands_for(Allocation))
    .where(of_person(Allocation), Allocation.released_at.is_(None)),
    at=Allocation.recorded_at,
    id=Allocation.id,
    by=Allocation.recorded_by_id,
    facts=facts_as(sponsor=Sponsor.name, start=Allocation.start_month, months=Allocation.carried_months),
    tell=_carried,
)
"""The days on which money was set aside."""


def _helped(person: Prospect) -> Sequence[tuple[Allocation, Sponsor]]:
    return once(("helped", person.id), lambda: queries.helped(session(), person))


def names(session: Session, town_id: UUID, ids: Collection[UUID]) -> Mapping[UUID, str]:
    """How sponsors are called, for who reads who paid a month."""
    asked = aliased(Sponsor)
    query = (
        select(asked.id, Sponsor.name)
        .join(Sponsor, and_(Sponsor.town_id == asked.town_id, Sponsor.id == kept_id(asked.town_id, asked.id)))
        .where(asked.town_id == town_id, asked.id.in_(ids))
    )
    return dict(session.execute(query).tuples().all())


PURSE = SponsorsPurse()


def register() -> None:
    """Stand on the person's page from now on, and name the sponsors behind months."""
    payers.knows(PayerKind.SPONSOR, names, purse=PURSE)
    cards.register(card=card, when=exists().where(of_person(Allocation)), trails=(CARRIED,))
