"""The five questions of somebody on record, and the same for anybody who asks for themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.participation.screening import cards, queries, services
from crm.participation.screening.forms import PublicForm, ScreeningForm
from crm.participation.screening.rules import (
    KINDS,
    NEXT,
    NEXT_FOR_ANYBODY,
    SAID_TO_ANYBODY,
    SIGNS,
    Answers,
    Verdict,
    who_may_join,
)
from crm.premiums.queries import law
from crm.premiums.rules.wording import STATUSES
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import person_seen
from crm.web.forms import refusals_on
from crm.web.guard import may, public

bp = Blueprint("screening", __name__)
cards.register()
WORDS: dict[str, Any] = {"kinds": KINDS, "next_words": NEXT, "kind_signs": SIGNS, "statuses": STATUSES, "spoken": {}}
TO_ANYBODY = WORDS | {"next_words": NEXT_FOR_ANYBODY, "spoken": SAID_TO_ANYBODY}


@bp.get("/people/<uuid:prospect_id>/screening")
@may(May.ENROL)
def ask(prospect_id: UUID) -> ResponseReturnValue:
    """The questions with what is known filled in, and what follows from it so far."""
    person = person_seen(session(), current_scope(), prospect_id)
    return _page(person, _form(person))


@bp.post("/people/<uuid:prospect_id>/screening")
@may(May.ENROL)
def answer(prospect_id: UUID) -> ResponseReturnValue:
    """Keep the answers; who belongs in compulsory insurance goes on the referral list."""
    person = person_seen(session(), current_scope(), prospect_id)
    form = _form(person)
    if form.validate() and form.enough(_would_follow(person, said := form.said(citizen=form.is_citizen))):
        with refusals_on(form), transaction() as current:
            verdict = services.record_screening(current, person, said, by=current_user(), at=clock.now())
            flash(_("The answers are kept."), "success" if not verdict.barred else "message")
            return redirect(url_for(".ask", prospect_id=person.id))
    return _page(person, form), 422


@bp.get("/may-i-join")
@public
def may_i_join() -> ResponseReturnValue:
    """Anybody may ask for themselves; nothing is kept."""
    all_law, verdict, asked = law(session()), None, bool(request.args)
    form = PublicForm(request.args).under(all_law.on(clock.today()))
    if asked and form.validate() and form.of_somebody_alive(clock.today()):
        said = form.said(citizen=True, birth_year=form.birth_year.data)
        told = who_may_join(all_law, clock.today(), said)
        verdict = told if form.enough(told) else None
    failed = asked and verdict is None
    page = render_template("participation/may_i_join.html", form=form, verdict=verdict, **TO_ANYBODY)
    return page, 422 if failed else 200


def _would_follow(person: Prospect, said: Answers) -> Verdict:
    """What the law of today says of these answers."""
    about = replace(said, birth_date=person.birth_date, birth_year=person.birth_year)
    return who_may_join(law(session()), clock.today(), about)


def _form(person: Prospect) -> ScreeningForm:
    shown = queries.citizen_by_number(person) is not None
    form = ScreeningForm.about(queries.known_of(session(), person), shown=shown)
    return form.under(law(session()).on(clock.today()))


def _page(person: Prospect, form: ScreeningForm) -> str:
    said = queries.latest(session(), person)
    return render_template(
        "participation/screening.html",
        person=person,
        form=form,
        said=said,
        verdict=queries.verdict_of(session(), person, clock.today()),
        listed=queries.listed_business(session(), person),
        **WORDS,
    )
