"""One person: what is known, what happened, who corrected what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.places.boundaries import unit_now
from crm.prospects import cards, timeline
from crm.prospects.cards import Kind, Look
from crm.prospects.forms import GroundForm, PaperForm
from crm.prospects.importing.queries import rows_behind
from crm.prospects.queries.facts import Facts, household_of, identity_readings
from crm.prospects.queries.one import facts_of_one
from crm.prospects.queries.seeing import person_seen
from crm.prospects.routes.blueprint import bp
from crm.prospects.services.people import reveal
from crm.prospects.timeline import Told
from crm.prospects.wording import KINSHIPS, SEXES
from crm.web.guard import may
from crm.web.once import once

FIRST_TOLD = 8
"""So many happenings stand on the first page of a person; the rest is one tap away."""


def facts_seen(prospect_id: UUID) -> Facts:
    """Someone this person may see, with what the head of their page says. Raises NotFound."""
    facts = facts_of_one(session(), current_scope(), prospect_id, clock.today())
    once(("standings", facts.person.id), lambda: facts.standings)
    return facts


def page_of_person(template: str, facts: Facts, **more: Any) -> str:
    """One of the pages of a person, under the same head."""
    person, today = facts.person, clock.today()
    ward = unit_now(session(), facts.place, person.neighbourhood_id, today)
    return render_template(template, facts=facts, person=person, today=today, ward_now=ward, sexes=SEXES, **more)


@bp.get("/<uuid:prospect_id>")
@may(May.SEE_PEOPLE)
def show(prospect_id: UUID) -> ResponseReturnValue:
    """A person: who, where, how to reach, what it costs them, what has happened, what next."""
    facts, scope = facts_seen(prospect_id), current_scope()
    if facts.person.id != prospect_id:
        return redirect(url_for(".show", prospect_id=facts.person.id))
    parts = cards.cards_of(facts.person, scope, clock.today())
    step = cards.next_step(facts.person, scope, clock.today())
    told, looks = told_of(facts, size=FIRST_TOLD), [*cards.looks_of(parts), *_papers_to_ask_for(facts)]
    return page_of_person("prospects/show.html", facts, cards=parts, step=step, looks=looks, told=told)


def _papers_to_ask_for(facts: Facts) -> list[Look]:
    """A ground that came without the paper which must show it, and where to name it."""
    if not any(one.lacks_paper for one in facts.standings):
        return []
    edits, url = current_user().may(May.EDIT_PEOPLE), url_for(".particulars", prospect_id=facts.person.id)
    more = (_l("Name the paper"), f"{url}#papers") if edits else None
    return [Look("document", _l("The paper for “ethnic minority” is missing"), kind="due", more=more)]


def told_of(facts: Facts, kind: Kind | None = None, cursor: str | None = None, size: int = timeline.PAGE) -> Told:
    """A page of what happened with somebody, as the one who looks may act on it."""
    edits = current_user().may(May.EDIT_PEOPLE)
    scope = current_scope()
    return timeline.page_of(session(), facts.person, scope, kind=kind, cursor=cursor, size=size, edits=edits)


@bp.get("/<uuid:prospect_id>/history")
@may(May.SEE_PEOPLE)
def history(prospect_id: UUID) -> ResponseReturnValue:
    """Everything that happened with somebody, narrowed to a kind, page by page."""
    facts, chosen = facts_seen(prospect_id), request.args.get("kind", "")
    kind = Kind(chosen) if chosen in set(Kind) else None
    told = told_of(facts, kind, request.args.get("cursor"))
    return page_of_person("prospects/history.html", facts, told=told, kind=kind, kinds=timeline.KINDS)


@bp.get("/<uuid:prospect_id>/lists")
@may(May.SEE_PEOPLE)
def handed_in(prospect_id: UUID) -> ResponseReturnValue:
    """The rows in which somebody stood, as they were handed in."""
    facts = facts_seen(prospect_id)
    return page_of_person("prospects/handed_in.html", facts, rows=rows_behind(session(), current_scope(), facts.person))


@bp.get("/<uuid:prospect_id>/particulars")
@may(May.SEE_PEOPLE)
def particulars(prospect_id: UUID) -> ResponseReturnValue:
    """Particulars, grounds for support and household."""
    return particulars_page(facts_seen(prospect_id))


def particulars_page(
    facts: Facts,
    form: GroundForm | None = None,
    numbers: dict[str, str | None] | None = None,
    paper: PaperForm | None = None,
) -> str:
    household = household_of(session(), current_scope(), facts.person)
    form = form or GroundForm(formdata=None, since=clock.today())
    return page_of_person(
        "prospects/particulars.html",
        facts,
        form=form,
        paper=paper or PaperForm(formdata=None),
        numbers=numbers,
        household=household,
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
        told=told_of(facts, Kind.CHANGES, request.args.get("cursor")),
        kind=Kind.CHANGES,
        kinds=timeline.KINDS,
        readings=identity_readings(session(), facts.person),
    )
