"""What taking part adds to a person's page: a card, happenings of the timeline, and the next step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select

from crm import clock
from crm.accounts.gateway import current_user
from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import May
from crm.db import session
from crm.errors import RuleBroken
from crm.kept import kept
from crm.months import Month
from crm.participation import queries
from crm.participation.models import Participation, Payment
from crm.participation.rules import BEGINNINGS, DUE_SOON, ENDINGS, basis_for
from crm.premiums.queries import law, local_top_ups
from crm.premiums.rules.keys import PERIODS, Method
from crm.premiums.rules.quotes import Plan
from crm.premiums.rules.wording import GROUNDS
from crm.prospects import cards
from crm.prospects.cards import Card, Event, Step
from crm.prospects.models import Prospect
from crm.prospects.rules import Stage
from crm.web import filters
from crm.web.language import chosen
from crm.web.once import once

USUAL = Method.QUARTERLY
"""The way to pay that a first answer to «how much?» takes; the form offers the others."""


def card(person: Prospect, scope: Scope, today: date) -> Card | None:
    """«Takes part, paid through …» for a participant; «how much would it be?» for everyone else."""
    spell = _open_spell(person)
    acts = {"enrol": current_user().may(May.ENROL), "stop": basis_for(current_user().may) is not None}
    if spell:
        late = spell.deadline_on is not None and spell.deadline_on < today
        soon = spell.deadline_on is not None and spell.deadline_on <= today + DUE_SOON
        return Card("participation/_card.html", {"spell": spell, "late": late, "soon": soon, "acts": acts}, order=10)
    if person.stage is Stage.NOT_ELIGIBLE:
        return None
    return Card(
        "participation/_how_much.html", {"told": _told(person, today), "acts": acts, "grounds": GROUNDS}, order=10
    )


def events(person: Prospect, scope: Scope) -> Sequence[Event]:
    """Joining, each payment, taking back, and how it ended."""
    payments = queries.payments_of(session(), person)
    names = _names(scope, {payment.recorded_by_id for payment in payments})
    told = [_paid(payment, names.get(payment.recorded_by_id)) for payment in payments]
    recorded = {payment.participation_id: payment.recorded_at for payment in payments}
    for spell in _spells(person):
        told += _of_spell(spell, recorded.get(spell.id, clock.at(spell.started_on)))
    return told


def _names(scope: Scope, ids: set[UUID | None]) -> dict[UUID | None, str]:
    people = select(User.id, User.full_name).where(User.town_id == scope.town_id, User.id.in_(ids))
    return {row[0]: row[1] for row in session().execute(people)} if ids else {}


def _spells(person: Prospect) -> Sequence[Participation]:
    return once(("spells", person.id), lambda: session().scalars(queries.spells_of(person)).all())


def _open_spell(person: Prospect) -> Participation | None:
    return next((spell for spell in _spells(person) if spell.ended_on is None), None)


def step(person: Prospect, scope: Scope, today: date) -> Step | None:
    """Pay on when it is due soon; join when somebody has agreed."""
    if not current_user().may(May.ENROL):
        return None
    if person.stage is Stage.AGREED:
        return Step(
            _("Record that they join"), url_for("participation.enrol_form", prospect_id=person.id), "joined", order=20
        )
    spell = _open_spell(person) if person.stage is Stage.JOINED else None
    if spell and spell.deadline_on and spell.deadline_on <= today + DUE_SOON:
        return Step(
            _("Record the next payment"), url_for("participation.pay_form", prospect_id=person.id), "money", order=10
        )
    return None


def _told(person: Prospect, today: date) -> object | None:
    """A quote on the least income for the usual period; None where the law of the day is not on record."""
    all_law = kept("law", lambda: law(session()))
    try:
        return queries.quote_for(
            session(),
            person,
            all_law=all_law,
            top_ups=kept(("top-ups", person.town_id, today), lambda: local_top_ups(session(), person.town_id, today)),
            income=all_law.on(today).floor,
            plan=Plan.periodic(PERIODS[USUAL]),
            start=Month.of(today),
            paid_on=today,
            grounds=queries.grounds_on(session(), person, today),
        )
    except RuleBroken:
        return None


def _paid(payment: Payment, by: str | None) -> Event:
    if payment.reverses_id:
        return Event(payment.recorded_at, _("Payment taken back"), "undo", "quiet", by, id=payment.id)
    text = _(
        "%(months)s months from %(start)s; the person %(own)s, the State %(state)s",
        months=payment.months,
        start=filters.month(payment.start_month, chosen()),
        own=filters.vnd(payment.own, chosen()),
        state=filters.vnd(payment.state_support, chosen()),
    )
    return Event(payment.recorded_at, _("Paid"), "money", "leaf", by, text, id=payment.id)


def _of_spell(spell: Participation, began_at: datetime) -> list[Event]:
    begun = Event(began_at, BEGINNINGS[spell.started_as], "joined", "leaf", id=spell.id)
    if spell.ended_on is None or spell.ended_as is None:
        return [begun]
    return [begun, Event(clock.at(spell.ended_on), ENDINGS[spell.ended_as], "paused", "late", id=spell.id)]


def register() -> None:
    """Let a person's page ask."""
    cards.register(card=card, events=events, step=step)
