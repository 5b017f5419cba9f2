"""One person: what is known, what happened, who corrected what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.prospects import cards, timeline
from crm.prospects.forms import (
    GroundForm,
)
from crm.prospects.queries.facts import Facts, facts_of, household_of, identity_readings
from crm.prospects.queries.seeing import person_seen
from crm.prospects.routes.blueprint import bp
from crm.prospects.services.people import reveal
from crm.prospects.wording import KINSHIPS, SEXES
from crm.web.guard import may


def facts_seen(prospect_id: UUID) -> Facts:
    scope = current_scope()
    person = person_seen(session(), scope, prospect_id)
    return facts_of(session(), scope.town_id, [person], clock.today())[0]


def page_of_person(template: str, facts: Facts, **more: Any) -> str:
    """One of the pages of a person, under the same head."""
    today = clock.today()
    step = cards.next_step(facts.person, current_scope(), today)
    return render_template(template, facts=facts, person=facts.person, today=today, step=step, **more)


@bp.get("/<uuid:prospect_id>")
@may(May.SEE_PEOPLE)
def show(prospect_id: UUID) -> ResponseReturnValue:
    """A person: who, what next, what it costs them, what has happened."""
    facts, scope = facts_seen(prospect_id), current_scope()
    if facts.person.id != prospect_id:
        return redirect(url_for(".show", prospect_id=facts.person.id))
    parts = cards.cards_of(facts.person, scope, clock.today())
    events = timeline.everything(session(), facts.person, scope)
    return page_of_person("prospects/show.html", facts, cards=parts, events=events)


@bp.get("/<uuid:prospect_id>/particulars")
@may(May.SEE_PEOPLE)
def particulars(prospect_id: UUID) -> ResponseReturnValue:
    """Particulars, grounds for support and household."""
    return particulars_page(facts_seen(prospect_id))


def particulars_page(facts: Facts, form: GroundForm | None = None, numbers: dict[str, str | None] | None = None) -> str:
    household = household_of(session(), current_scope(), facts.person)
    form = form or GroundForm(formdata=None, since=clock.today())
    return page_of_person(
        "prospects/particulars.html",
        facts,
        form=form,
        numbers=numbers,
        household=household,
        sexes=SEXES,
        kinships=KINSHIPS,
        may_reveal=current_user().may(May.REVEAL_IDENTITY),
    )


@bp.post("/<uuid:prospect_id>/numbers")
@may(May.REVEAL_IDENTITY)
def numbers(prospect_id: UUID) -> ResponseReturnValue:
    """The full numbers, once; that they were read is kept."""
    with transaction() as current:
        person = person_seen(current, current_scope(), prospect_id)
        read = reveal(current, person, by=current_user(), at=clock.now(), way="page")
    return particulars_page(facts_seen(prospect_id), numbers=read)


@bp.get("/<uuid:prospect_id>/changes")
@may(May.SEE_PEOPLE)
def changes(prospect_id: UUID) -> ResponseReturnValue:
    """Who corrected what, and who read the full numbers."""
    facts = facts_seen(prospect_id)
    return page_of_person(
        "prospects/changes.html",
        facts,
        events=timeline.changes(session(), facts.person),
        readings=identity_readings(session(), facts.person),
    )
