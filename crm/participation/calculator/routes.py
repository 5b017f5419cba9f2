"""The calculator of somebody on record."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session
from crm.participation.calculator.queries import home_of, known_of, next_due_of
from crm.participation.screening.queries import barred_among
from crm.phones import pretty
from crm.premiums import queries
from crm.premiums.calculator import drawing
from crm.prospects.queries.seeing import person_seen
from crm.web.guard import may

bp = Blueprint("own_calculator", __name__)


@bp.get("/people/<uuid:prospect_id>/calculator")
@may(May.SEE_PEOPLE)
def page(prospect_id: UUID) -> ResponseReturnValue:
    """What this person would pay and what it brings, with what is on record filled in. Nothing is kept.

    Whoever belongs in compulsory insurance is told no premium here: the way leads to what the screening said.
    """
    person, today, law = person_seen(session(), current_scope(), prospect_id), clock.today(), queries.law(session())
    if barred_among(session(), person.town_id, [person.id], today, law):
        flash(_("%(name)s does not pay here: see below what the questions about joining say.", name=person.full_name))
        return redirect(url_for("prospects.show", prospect_id=person.id))
    additions, home = queries.additions_here(session(), today), home_of(session(), person, today)
    known, given = known_of(session(), person, law, today, home), drawing.answers()
    if "income" in given:  # all was answered: a box that is not ticked is an answer too
        del known["ground"]
    form = drawing.questions(law, known | given, additions, today)
    asking = current_user()
    about = drawing.About(
        name=person.full_name,
        page=url_for("prospects.show", prospect_id=person.id),
        place=home.unit.name,
        contact=", ".join(filter(None, (asking.full_name, pretty(asking.phone) if asking.phone else None))),
        within=home.around,
        only_the_year=person.birth_date is None and person.birth_year is not None,
        next_due=next_due_of(session(), person),
    )
    return drawing.page(form, law, additions, today, about=about)
