"""The plan's duties on pages: by actor, one by one, with evidence."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May, Reach
from crm.db import session, transaction
from crm.reports.duties import queries, services
from crm.reports.duties.forms import DayForm, FilterForm, StepForm, TakeOverForm
from crm.reports.duties.models import Duty
from crm.reports.duties.rules import DAYS, STATES, STEPS, State, Step, is_late
from crm.web.forms import refusals_on
from crm.web.guard import may
from crm.web.parts import part_of

bp = Blueprint("duties", __name__, url_prefix="/duties")
WORDS: dict[str, Any] = {"STATES": STATES, "STEPS": STEPS, "is_late": is_late, "DAYS": DAYS}


@bp.get("")
@may(May.SEE_REPORTS)
def listing() -> ResponseReturnValue:
    """Every actor of the plan and its duties; a lead sees those of their own unit."""
    return _listing(TakeOverForm(formdata=None, data={"year": clock.today().year}))


@bp.post("")
@may(May.SET_TARGETS)
def take_over() -> ResponseReturnValue:
    """Take over the duties of the plan for a year."""
    form = TakeOverForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            year = form.year.data or clock.today().year
            services.take_over(current, current_scope().town_id, year, by=current_user(), at=clock.now())
            flash(_("The plan's duties for %(year)s stand here.", year=year), "success")
            return redirect(url_for(".listing", year=year), 303)
    return _listing(form), 422


@bp.get("/<uuid:duty_id>")
@may(May.SEE_REPORTS)
def show(duty_id: UUID) -> ResponseReturnValue:
    """One duty, what was noted, and what to note next."""
    return _page(queries.duty_seen(session(), current_scope(), duty_id))


@bp.post("/<uuid:duty_id>")
@may(May.WRITE_REPORTS)
def note(duty_id: UUID) -> ResponseReturnValue:
    """Note what was done, with its evidence."""
    duty, form = queries.duty_seen(session(), current_scope(), duty_id), StepForm()
    form.offer(_steps(duty))
    if form.validate():
        with refusals_on(form), transaction() as current:
            held = queries.duty_seen(current, current_scope(), duty_id, lock=True)
            told: dict[str, Any] = {"document": form.document.data, "link": form.link.data, "office": _office()}
            day, step = form.on_day.data or clock.today(), Step(form.step.data)
            services.note(current, held, step, form.words.data, **told, on_day=day, by=current_user(), at=clock.now())
            flash(_("Noted."), "success")
            return redirect(url_for(".show", duty_id=duty_id), 303)
    return _page(queries.duty_seen(session(), current_scope(), duty_id), form), 422


@bp.post("/<uuid:duty_id>/day")
@may(May.SET_TARGETS)
def set_day(duty_id: UUID) -> ResponseReturnValue:
    """Give it another day."""
    form = DayForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            held = queries.duty_seen(current, current_scope(), duty_id, lock=True)
            services.set_day(current, held, form.due_on.data, by=current_user(), at=clock.now())
            return redirect(url_for(".show", duty_id=duty_id), 303)
    return _page(queries.duty_seen(session(), current_scope(), duty_id), day_form=form), 422


# ---- pieces


def _office() -> bool:
    return current_scope().reach is Reach.ALL and current_user().may(May.SET_TARGETS)


def _steps(duty: Duty) -> list[Step]:
    mine = [Step.REOPENED] if duty.state is State.DONE and _office() else []
    mine += [Step.PROGRESS, Step.DONE] if duty.state is not State.DONE else [Step.PROGRESS] if not _office() else []
    return mine + ([Step.LETTER] if _office() and duty.state is not State.DONE else [])


def _listing(form: TakeOverForm) -> str:
    asked, scope, today = FilterForm(request.args), current_scope(), clock.today()
    valid = asked.validate()
    year = (asked.year.data if valid else None) or today.year
    actor_no, only_late = (asked.actor.data, bool(asked.late.data)) if valid else (None, False)
    found = queries.actors(session(), scope, year, today)
    return render_template(
        "reports/duties/listing.html",
        year=year,
        years=queries.years(session(), scope),
        actors=found,
        actor=next((one for one in found if one.no == actor_no), None),
        only_late=only_late,
        lines=part_of(
            "duties",
            lambda most, skip: queries.lines(
                session(), scope, year, today, actor_no=actor_no, only_late=only_late, most=most, skip=skip
            ),
            size=queries.PAGE,
        ),
        office=_office(),
        whole=scope.reach is Reach.ALL,
        form=form,
        today=today,
        **WORDS,
    )


def _page(duty: Duty, form: StepForm | None = None, day_form: DayForm | None = None) -> str:
    scope, today = current_scope(), clock.today()
    steps = _steps(duty) if current_user().may(May.WRITE_REPORTS) else []
    if form is None:
        form = StepForm(formdata=None, data={"on_day": today, "step": steps[0].value if steps else None})
        form.offer(steps)
    return render_template(
        "reports/duties/show.html",
        line=queries.line_of(session(), scope, duty),
        steps=queries.steps_of(session(), duty),
        form=form,
        may_note=bool(steps),
        day_form=day_form or DayForm(formdata=None, data={"due_on": duty.due_on}),
        office=_office(),
        today=today,
        **WORDS,
    )
