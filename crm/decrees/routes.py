"""Decrees: written down, looked at, put on record, withdrawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.db import session, transaction
from crm.decrees import exporting, queries, services, showing
from crm.decrees.forms import DocumentForm, PeopleForm, TopUpForm, ValueForm, WithdrawForm
from crm.decrees.models import Decree
from crm.decrees.rules.saying import Said
from crm.decrees.rules.states import CERTAINTY, SIDES, STATES, ImpactState, Side, State
from crm.errors import NotFound
from crm.ids import read_id
from crm.premiums.rules.keys import LawStatus
from crm.premiums.rules.wording import GROUNDS
from crm.web.attachments import attachment
from crm.web.filters import in_day, number
from crm.web.forms import refusals_flashed, refusals_on
from crm.web.guard import may
from crm.web.language import chosen
from tasks.decrees import compare

bp = Blueprint("decrees", __name__, url_prefix="/law/decrees")
WORDS = {"STATES": STATES, "STATUSES": CERTAINTY, "GROUNDS": GROUNDS, "SIDES": SIDES}


@bp.get("")
@may(May.SEE_DASHBOARD)
def listing() -> ResponseReturnValue:
    """Every decree, and what was only announced so far."""
    changing = current_user().may(May.CHANGE_LAW)
    rows = session().scalars(queries.decrees(current_scope().town_id)).all()
    shown = [(row, showing.about(row)) for row in rows if changing or row.state is State.SAVED]
    announced = queries.announced(session())
    return render_template(
        "decrees/listing.html", rows=shown, announced=announced, changing=changing, today=clock.today(), **WORDS
    )


@bp.get("/new")
@may(May.CHANGE_LAW)
def new() -> ResponseReturnValue:
    """A new decree; with `confirms` what was announced is taken over."""
    row = showing.announced_row(session(), request.args.get("confirms"))
    start = {"document": row.document, "article": row.article, "source": row.source} if row else {}
    return render_template("decrees/document.html", form=DocumentForm(data=start), row=None, confirms=row)


@bp.post("")
@may(May.CHANGE_LAW)
def describe() -> ResponseReturnValue:
    """Write down a decree as a draft."""
    form, row = DocumentForm(), showing.announced_row(session(), request.form.get("confirms"))
    if form.validate():
        items = [showing.confirming(row)] if row else []
        with refusals_on(form), transaction() as current:
            made = services.describe(current, form.said(items), by=current_user(), at=clock.now())
            return redirect(url_for(".show", decree_id=made.id))
    return render_template("decrees/document.html", form=form, row=None, confirms=row), 422


@bp.get("/<uuid:decree_id>")
@may(May.SEE_DASHBOARD)
def show(decree_id: UUID) -> ResponseReturnValue:
    """A decree: what it says, and who pays how much more or less."""
    return _page(_row(decree_id))


@bp.route("/<uuid:decree_id>/document", methods=["GET", "POST"])
@may(May.CHANGE_LAW)
def document(decree_id: UUID) -> ResponseReturnValue:
    """Write the document or its day anew."""
    row = _row(decree_id)
    said = queries.said_of(row)
    form = DocumentForm() if request.method == "POST" else DocumentForm.of(said)
    if request.method == "POST" and form.validate():
        with refusals_on(form):
            return _amend(decree_id, form.said(said.items))
    return render_template("decrees/document.html", form=form, row=row, confirms=None), 422 if form.errors else 200


@bp.post("/<uuid:decree_id>/values")
@may(May.CHANGE_LAW)
def add_value(decree_id: UUID) -> ResponseReturnValue:
    """One more value of national law."""
    return _add(_row(decree_id), showing.value_form(session(), clock.today()))


@bp.post("/<uuid:decree_id>/top-ups")
@may(May.CHANGE_LAW)
def add_top_up(decree_id: UUID) -> ResponseReturnValue:
    """One more addition by a place."""
    return _add(_row(decree_id), showing.top_up_form(session(), current_scope().town_id, clock.today()))


@bp.post("/<uuid:decree_id>/remove")
@may(May.CHANGE_LAW)
def remove(decree_id: UUID) -> ResponseReturnValue:
    """Take a line of a draft away."""
    said = queries.said_of(_row(decree_id))
    with refusals_flashed():
        return _amend(decree_id, services.without(said, request.form.get("number", -1, type=int)))
    return redirect(url_for(".show", decree_id=decree_id))


@bp.post("/<uuid:decree_id>/drop")
@may(May.CHANGE_LAW)
def drop(decree_id: UUID) -> ResponseReturnValue:
    """Throw a draft away."""
    with refusals_flashed(), transaction() as current:
        services.drop(current, _row(decree_id, lock=True), by=current_user(), at=clock.now())
        flash(_("The draft is thrown away. Nothing has changed."), "success")
    return redirect(url_for(".listing"))


@bp.post("/<uuid:decree_id>/compare")
@may(May.CHANGE_LAW)
def ask(decree_id: UUID) -> ResponseReturnValue:
    """See who pays how much more or less."""
    many = False
    with refusals_flashed(), transaction() as current:
        impact = services.ask_impact(current, _row(decree_id, lock=True), at=clock.now())
        many = impact.total > services.AT_ONCE
        while not many and services.step(current, current_scope().town_id, decree_id, at=clock.now()):
            pass
    if many:
        ring(compare, str(current_scope().town_id), str(decree_id))
    return redirect(url_for(".show", decree_id=decree_id) + "#impact")


@bp.get("/<uuid:decree_id>/progress")
@may(May.CHANGE_LAW)
def progress(decree_id: UUID) -> Response:
    """How far the comparison is, for the page that waits."""
    impact = queries.impact_of(session(), _row(decree_id))
    if impact is None:
        raise NotFound
    finished = impact.state is ImpactState.DONE
    following = url_for(".show", decree_id=decree_id) if finished else None
    return jsonify(done=impact.done, total=impact.total, text=_compared(impact), finished=finished, next=following)


@bp.get("/<uuid:decree_id>/confirm")
@may(May.CHANGE_LAW)
def confirm(decree_id: UUID) -> ResponseReturnValue:
    """The second look, before it is put on record."""
    row = _row(decree_id)
    if row.state is not State.DRAFT:
        return redirect(url_for(".show", decree_id=decree_id))
    return render_template("decrees/confirm.html", **_known(row), **WORDS)


@bp.post("/<uuid:decree_id>/save")
@may(May.CHANGE_LAW)
def save(decree_id: UUID) -> ResponseReturnValue:
    """Put it on record."""
    with refusals_flashed(), transaction() as current:
        row = _row(decree_id, lock=True)
        if row.state is not State.SAVED:
            services.save(current, row, version=_version(), by=current_user(), at=clock.now())
        flash(
            _("On record. It holds from %(day)s; nothing before that day changes.", day=in_day(row.effective_from)),
            "success",
        )
    return redirect(url_for(".show", decree_id=decree_id))


@bp.route("/<uuid:decree_id>/rows/<uuid:recorded_id>/withdraw", methods=["GET", "POST"])
@may(May.CHANGE_LAW)
def withdraw(decree_id: UUID, recorded_id: UUID) -> ResponseReturnValue:
    """Take back what has not begun."""
    row, form = _row(decree_id), WithdrawForm()
    found = next((one for one in queries.recorded_by(session(), row) if one.id == recorded_id), None)
    if found is None:
        raise NotFound
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            services.withdraw(current, row, recorded_id, form.why.data or "", by=current_user(), at=clock.now())
            flash(_("Withdrawn. The law stays as it is."), "success")
            return redirect(url_for(".show", decree_id=decree_id))
    words = showing.recorded_words(session(), row, found)
    return render_template(
        "decrees/withdraw.html", row=row, found=found, words=words, form=form
    ), 422 if form.errors else 200


@bp.get("/<uuid:decree_id>/people")
@may(May.SEE_DASHBOARD)
def people(decree_id: UUID) -> ResponseReturnValue:
    """Whom it concerns, one by one; the decree's own page while they are compared."""
    row, scope, form = _row(decree_id), current_scope(), PeopleForm(request.args)
    if not queries.compared(session(), row):
        return redirect(url_for(".show", decree_id=decree_id) + "#impact")
    form.place.choices = [("", _("All")), *showing.wards_of(session(), scope, row)]
    narrowed = _narrowed(form)
    shown, total = queries.people_of(session(), scope, row, **narrowed, cursor=request.args.get("cursor"))
    places = queries.place_names(session(), scope.town_id, {line.found.place_id for line in shown.rows})
    known = {"row": row, "form": form, "side": narrowed["side"], "shown": shown, "total": total, "places": places}
    known["may_take"] = current_user().may(May.EXPORT_PEOPLE)
    return render_template("decrees/people.html", **known, **WORDS)


@bp.get("/<uuid:decree_id>/people.xlsx")
@may(May.EXPORT_PEOPLE)
def people_file(decree_id: UUID) -> ResponseReturnValue:
    """The same people as a file, each with what is paid before and after."""
    form = PeopleForm(request.args)
    with transaction() as current:
        row, at = _row(decree_id), clock.now()
        if not queries.compared(current, row):
            return redirect(url_for(".show", decree_id=decree_id) + "#impact")
        chosen_ones: dict[str, Any] = {"by": current_user(), "at": at, **_narrowed(form)}
        content = exporting.workbook(current, current_scope(), row, **chosen_ones)
    return attachment(content, f"{_('whom-it-concerns')}.xlsx")


# ---- pieces


def _narrowed(form: PeopleForm) -> dict[str, Any]:
    """Whom an address asks for, in the queries' words."""
    return {
        "side": Side(form.side.data) if form.side.data in set(Side) else None,
        "takes_part": {"yes": True, "no": False}.get(form.part.data or ""),
        "place_id": read_id(form.place.data),
    }


def _row(decree_id: UUID, *, lock: bool = False) -> Decree:
    """A decree; a draft only for whoever may change the law."""
    row = queries.decree(session(), current_scope().town_id, decree_id, lock=lock)
    if row.state is State.DRAFT and not current_user().may(May.CHANGE_LAW):
        raise NotFound
    return row


def _version() -> int:
    return request.form.get("version", 0, type=int)


def _amend(decree_id: UUID, said: Said) -> ResponseReturnValue:
    with transaction() as current:
        row = _row(decree_id, lock=True)
        services.amend(current, row, said, version=_version(), by=current_user(), at=clock.now())
    return redirect(url_for(".show", decree_id=decree_id))


def _add(row: Decree, form: ValueForm | TopUpForm) -> ResponseReturnValue:
    if form.validate():
        with refusals_on(form):
            item, said = form.item(), queries.said_of(row)
            return _amend(row.id, replace(said, items=(*said.items, item)))
    return _page(row, form), 422


def _compared(impact: Any) -> str:
    done, total = number(impact.done, 0, chosen()), number(impact.total, 0, chosen())
    return str(_("%(done)s of %(total)s people compared", done=done, total=total))


def _known(row: Decree) -> dict[str, Any]:
    """What both looks at a decree show."""
    scope, impact = current_scope(), queries.impact_of(session(), row)
    ready = impact is not None and impact.state is ImpactState.DONE and impact.version == row.version
    known: dict[str, Any] = {
        "row": row,
        "lines": showing.lines(session(), row),
        "impact": impact,
        "ready": ready,
        "stale": impact is not None and impact.version != row.version,
        "told": showing.told(session(), scope, row) if ready else None,
        "words": _compared(impact) if impact else "",
        "names": queries.names_of(session(), scope.town_id, {row.created_by_id, row.saved_by_id}),
        "today": clock.today(),
        "announced_only": row.status is LawStatus.ANNOUNCED,
    }
    return known


def _page(row: Decree, form: Any = None) -> str:
    changing = current_user().may(May.CHANGE_LAW)
    draft = row.state is State.DRAFT
    value_form = form if isinstance(form, ValueForm) else None
    top_up_form = form if isinstance(form, TopUpForm) else None
    if draft and value_form is None:
        value_form = showing.value_form(session(), clock.today(), empty=True)
    if draft and top_up_form is None:
        top_up_form = showing.top_up_form(session(), row.town_id, clock.today(), empty=True)
    return render_template(
        "decrees/show.html",
        **_known(row),
        **WORDS,
        changing=changing,
        draft=draft,
        refused=form,
        value_form=value_form,
        top_up_form=top_up_form,
        recorded=showing.recorded(session(), row) if row.state is State.SAVED else [],
    )
