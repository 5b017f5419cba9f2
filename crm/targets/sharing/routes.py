"""Sharing a target out: choose, look why, change by hand, send for agreement, answer, settle."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.queries import Scope
from crm.accounts.rules import May, Reach
from crm.db import session, transaction
from crm.errors import NotFound
from crm.targets import queries as targets
from crm.targets.sharing import queries, services
from crm.targets.sharing.forms import AnswerForm, NumbersForm, ProposeForm
from crm.targets.sharing.models import TargetSharing
from crm.targets.sharing.rules import DRAWN_TO_AVERAGE, LEVELS, METHODS, STATES, Answer, Level, Method, NextYear, State
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("sharing", __name__, url_prefix="/targets")


@bp.get("/share")
@may(May.SEE_TARGETS)
def new() -> ResponseReturnValue:
    """The form: this year's target, or with `year` the year after, proposed from this year's results."""
    today, scope = clock.today(), current_scope()
    if not _shares(scope):
        return redirect(url_for("targets.listing"))
    year = today.year + 1 if request.args.get("year") == str(today.year + 1) else today.year
    data: dict[str, Any] = {"year": year, "method": Method.PEOPLE.value, "least": 0, "level": Level.PLACE.value}
    rule = _rule(scope, year)
    known = targets.of_sharing(session(), scope, year)
    total = rule.people if rule and known is None else known.people if known else None
    if scope.reach is not Reach.ALL:
        data["level"] = Level.VOLUNTEER.value
    authority = known.authority if known else None
    form = _form(scope, data=data | {"total": total, "authority": authority})
    return _asked(scope, form, year)


def _asked(scope: Scope, form: ProposeForm, year: int) -> str:
    whole_town = scope.reach is Reach.ALL
    return render_template("targets/sharing/new.html", form=form, rule=_rule(scope, year), whole_town=whole_town)


def _rule(scope: Scope, year: int) -> NextYear | None:
    """The figures a target of the town for the year after is proposed from; None for any other year or unit."""
    today = clock.today()
    if year != today.year + 1 or scope.reach is not Reach.ALL:
        return None
    return services.for_next_year(session(), scope, today)


def _shares(scope: Scope) -> bool:
    return current_user().may(May.SET_TARGETS) or queries.leads_one_unit(scope)


def _form(scope: Scope, **given: Any) -> ProposeForm:
    form = ProposeForm(**given)
    form.offer(
        list(Level) if scope.reach is Reach.ALL else [Level.VOLUNTEER],
        queries.units_with_volunteers(session(), scope, clock.today()) if scope.reach is Reach.ALL else [],
    )
    return form


@bp.post("/share")
@may(May.SEE_TARGETS)
def propose() -> ResponseReturnValue:
    """Keep a draft with its reasons."""
    scope, today = current_scope(), clock.today()
    if not _shares(scope):
        raise NotFound
    form = _form(scope)
    if form.validate():
        level, method = form.asked
        told = {name: getattr(form, name).data for name in ("year", "total", "authority", "document", "note")}
        with refusals_on(form), transaction() as current:
            within, whose = queries.narrowed(current, current_user(), scope, level, form.of.data)
            rule = services.for_next_year(current, scope, today) if _next_years(scope, level, told["year"]) else None
            least, by, at = form.least.data or 0, current_user(), clock.now()
            asked = {"level": level, "method": method, "least": least, "rule": rule, **whose, **told}
            row = services.propose(current, within, **asked, today=today, by=by, at=at)
            return redirect(url_for(".show", sharing_id=row.id))
    year = form.year.data if isinstance(form.year.data, int) else today.year
    return _asked(scope, form, year), 422


def _next_years(scope: Scope, level: Level, year: int) -> bool:
    return scope.reach is Reach.ALL and level is Level.PLACE and year == clock.today().year + 1


@bp.get("/share/<uuid:sharing_id>")
@may(May.SEE_TARGETS)
def show(sharing_id: UUID) -> ResponseReturnValue:
    """Every part with its reason and its answer."""
    return _page(_row(sharing_id))


def _row(sharing_id: UUID, *, lock: bool = False) -> TargetSharing:
    return queries.sharing(session(), current_scope(), sharing_id, lock=lock)


def _page(row: TargetSharing, form: NumbersForm | None = None) -> str:
    lines = queries.lines_of(session(), row)
    open_yet = row.state in (State.DRAFT, State.SENT)
    return render_template(
        "targets/sharing/show.html",
        row=row,
        lines=lines,
        form=form or _numbers(row, lines),
        changes=open_yet and queries.may_change(current_scope(), current_user(), row),
        sum=sum(line.share.people for line in lines),
        whose=queries.whose_name(session(), row),
        answers=Answer,
        levels=LEVELS,
        methods=METHODS,
        states=STATES,
        state=State,
        drawn=DRAWN_TO_AVERAGE,
    )


def _numbers(row: TargetSharing, lines: list[queries.Line]) -> NumbersForm:
    return NumbersForm.of([(line.share.id, line.name, line.share.people) for line in lines], row.version)


def _to_change(sharing_id: UUID) -> TargetSharing:
    row = _row(sharing_id, lock=True)
    if not queries.may_change(current_scope(), current_user(), row):
        raise NotFound
    return row


@bp.post("/share/<uuid:sharing_id>/numbers")
@may(May.SEE_TARGETS)
def numbers(sharing_id: UUID) -> ResponseReturnValue:
    """Numbers by hand; they sum to the whole, or the page says by how much they do not."""
    row = _to_change(sharing_id)
    lines = queries.lines_of(session(), row)
    form = _numbers(row, lines)
    if form.validate():
        with refusals_on(form), transaction() as current:
            given = form.numbers(line.share.id for line in lines)
            services.change_numbers(current, row, given, version=form.read_in)
            flash(_("The numbers are kept."))
            return redirect(url_for(".show", sharing_id=sharing_id))
    return _page(row, form), 422


@bp.post("/share/<uuid:sharing_id>/send")
@may(May.SEE_TARGETS)
def send(sharing_id: UUID) -> ResponseReturnValue:
    """Ask every unit."""
    with transaction() as current:
        services.send(current, _to_change(sharing_id), at=clock.now())
    flash(_("Every unit finds its number on its page of targets and can answer."))
    return redirect(url_for(".show", sharing_id=sharing_id))


@bp.post("/share/<uuid:sharing_id>/settle")
@may(May.SEE_TARGETS)
def settle(sharing_id: UUID) -> ResponseReturnValue:
    """The parts become targets."""
    row = _to_change(sharing_id)
    form = _numbers(row, queries.lines_of(session(), row))
    with refusals_on(form), transaction() as current:
        services.settle(current, row, version=form.read_in, by=current_user(), at=clock.now())
        flash(_("The targets are set."))
        return redirect(url_for("targets.listing", year=row.year))
    return _page(row, form), 422


@bp.post("/share/<uuid:sharing_id>/drop")
@may(May.SEE_TARGETS)
def drop(sharing_id: UUID) -> ResponseReturnValue:
    """Nothing comes of it."""
    with transaction() as current:
        row = _to_change(sharing_id)
        services.drop(current, row, by=current_user(), at=clock.now())
    flash(_("The sharing out is dropped; no target has changed."))
    return redirect(url_for("targets.listing", year=row.year))


@bp.post("/shares/<uuid:share_id>/answer")
@may(May.SEE_TARGETS)
def answer(share_id: UUID) -> ResponseReturnValue:
    """A unit agrees to its number, or proposes another."""
    share, row = queries.share_asked_of(session(), current_scope(), share_id)
    form = AnswerForm()
    if form.validate():
        agrees = form.answer.data == Answer.AGREE
        said = {"told": form.number_read, "agrees": agrees, "asked": form.asked.data, "reason": form.reason.data}
        with refusals_on(form), transaction() as current:
            services.answer(current, share, row, **said, by=current_user(), at=clock.now())
            flash(_("Your answer is kept and stands beside your number."))
            return redirect(url_for("targets.listing", year=row.year))
    return render_template(
        "targets/sharing/answer.html", form=form, share=share, row=row, name=queries.name_of(session(), share)
    ), 422
