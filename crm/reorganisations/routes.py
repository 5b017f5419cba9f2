"""The wizard: describe, divide, look at what changes, draw, decide, take back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import NotFound
from crm.places.models import Place
from crm.places.queries import units
from crm.reorganisations import queries, services
from crm.reorganisations.forms import DecideForm, DescribeForm, DivideForm
from crm.reorganisations.models import Reorganisation
from crm.reorganisations.rules import STATES, Move, Plan, State
from crm.web.filters import in_day
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("reorganisations", __name__, url_prefix="/wards")


@bp.app_context_processor
def _news() -> dict[str, Any]:
    """What the first pages tell whoever looks after another place now; asked only where a template calls it."""
    return {"changed_places": lambda: queries.unread(session(), current_user())}


@bp.get("")
@may(May.SEE_DASHBOARD)
def listing() -> ResponseReturnValue:
    """Every reorganisation, and the wards of today with what they are to become; drafts only for who may change them."""
    town_id, today = current_scope().town_id, clock.today()
    rows = session().scalars(queries.reorganisations(town_id)).all()
    changes = current_user().may(May.CHANGE_WARDS)
    return render_template(
        "reorganisations/listing.html",
        rows=[row for row in rows if changes or row.state is not State.DRAFT],
        here=session().scalars(units(town_id, today)).all(),
        awaited=queries.awaited(session(), town_id, today),
        changes=changes,
        states=STATES,
        today=today,
    )


@bp.get("/new")
@may(May.CHANGE_WARDS)
def new() -> ResponseReturnValue:
    """The form that describes one."""
    return render_template("reorganisations/new.html", form=_form())


def _form() -> DescribeForm:
    here = session().scalars(units(current_scope().town_id, clock.today())).all()
    return DescribeForm.for_units([(unit.id, unit.name) for unit in here])


@bp.post("/new")
@may(May.CHANGE_WARDS)
def describe() -> ResponseReturnValue:
    """Keep a description as a draft."""
    form = _form()
    if form.validate():
        with refusals_on(form), transaction() as current:
            row = services.describe(
                current,
                **form.document_of_day,
                plan=form.plan,
                by=current_user(),
                at=clock.now(),
            )
            return redirect(url_for(".show", reorganisation_id=row.id))
    return render_template("reorganisations/new.html", form=form), 422


def _row(reorganisation_id: UUID, *, lock: bool = False) -> Reorganisation:
    return queries.reorganisation(session(), current_scope().town_id, reorganisation_id, lock=lock)


@bp.get("/<uuid:reorganisation_id>")
@may(May.SEE_DASHBOARD)
def show(reorganisation_id: UUID) -> ResponseReturnValue:
    """What it changes, and what is to be decided; whoever may not decide reads which ward becomes which, and when."""
    row = _row(reorganisation_id)
    if current_user().may(May.CHANGE_WARDS):
        return _page(row)
    if row.state is State.DRAFT:
        raise NotFound
    return render_template(
        "reorganisations/told.html",
        row=row,
        steps=queries.steps_of(session(), row),
        state=STATES[row.state],
        today=clock.today(),
    )


def _page(row: Reorganisation, form: DecideForm | None = None) -> str:
    today = clock.today()
    if row.state is State.DRAFT:
        return _draft(row)
    steps = queries.steps_of(session(), row)
    former = list(dict.fromkeys(one.id for one, _other in steps))
    affected = queries.affected(session(), row) if row.state is not State.HANDED_OVER else []
    return render_template(
        "reorganisations/show.html",
        row=row,
        steps=steps,
        inside=queries.inside(session(), row.town_id, former, today),
        affected=[one for one in affected if not one.follows],
        following=sum(one.follows for one in affected),
        form=form or _decide_form(row, affected),
        decided=queries.decided(session(), row),
        handovers=queries.handovers(session(), row),
        state=STATES[row.state],
        today=today,
    )


def _decide_form(row: Reorganisation, affected: list[queries.Affected]) -> DecideForm:
    decided = (row.decisions or {}).get("places", {})
    return DecideForm.for_subjects(
        [
            (
                one.subject.id,
                one.name,
                [(place.id, place.name) for place in one.options],
                _chosen(decided[str(one.subject.id)]) if str(one.subject.id) in decided else one.proposed,
            )
            for one in affected
            if not one.follows
        ],
        (row.decisions or {}).get("note"),
        row.decided_at,
    )


def _chosen(place: str | None) -> UUID | None:
    return UUID(place) if place else None


def _draft(row: Reorganisation, form: DivideForm | None = None) -> str:
    plan = _plan(row)
    names = _names(row, plan)
    here = [(names[str(move.of)], [names[target] for target in move.targets]) for move in plan.moves]
    divided = [(move, names[str(move.of)], _divide_form(row, plan, move)) for move in plan.moves if move.divided]
    return render_template("reorganisations/draft.html", row=row, plan=plan, here=here, divided=divided, form=form)


def _plan(row: Reorganisation) -> Plan:
    if row.plan is None:
        raise NotFound
    return Plan.from_json(row.plan)


def _names(row: Reorganisation, plan: Plan) -> dict[str, str]:
    """Names of units there are, by id, and of new ones, by key."""
    found = {str(unit.id): unit.name for unit in session().scalars(units(row.town_id, clock.today()))}
    found |= {str(move.of): session().get_one(Place, (row.town_id, move.of)).name for move in plan.moves}
    return found | {unit.key: unit.name for unit in plan.units}


def _divide_form(row: Reorganisation, plan: Plan, move: Move) -> DivideForm:
    names, moving = _names(row, plan), {str(one.of) for one in plan.moves}
    targets = [(key, name) for key, name in names.items() if key not in moving]
    inside = queries.neighbourhoods_of(session(), row.town_id, [move.of], clock.today())
    return DivideForm.for_parts(move, [(one.id, one.name) for one in inside], targets)


@bp.post("/<uuid:reorganisation_id>/divide/<uuid:place_id>")
@may(May.CHANGE_WARDS)
def divide(reorganisation_id: UUID, place_id: UUID) -> ResponseReturnValue:
    """Say where the neighbourhoods of a divided ward go."""
    row = _row(reorganisation_id)
    plan = _plan(row)
    move = next((one for one in plan.moves if one.of == place_id and one.divided), None)
    if move is None:
        raise NotFound
    form = _divide_form(row, plan, move)
    if form.validate():
        with refusals_on(form), transaction() as current:
            row = _row(reorganisation_id, lock=True)
            plan = _plan(row)
            moves = tuple(form.answer(one) if one.of == place_id and one.divided else one for one in plan.moves)
            services.amend(current, row, replace(plan, moves=moves))
            flash(_("Where each neighbourhood goes is kept."), "success")
            return redirect(url_for(".show", reorganisation_id=reorganisation_id))
    return _draft(row, form), 422


@bp.post("/<uuid:reorganisation_id>/draw")
@may(May.CHANGE_WARDS)
def draw(reorganisation_id: UUID) -> ResponseReturnValue:
    """Let the boundaries stand in the register."""
    with transaction() as current:
        row = _row(reorganisation_id, lock=True)
        services.draw(current, row, by=current_user(), at=clock.now())
        flash(_("The boundaries are drawn from %(day)s on.", day=in_day(row.on_day)), "success")
    return redirect(url_for(".show", reorganisation_id=reorganisation_id))


@bp.post("/<uuid:reorganisation_id>/decide")
@may(May.CHANGE_WARDS)
def decide(reorganisation_id: UUID) -> ResponseReturnValue:
    """Decide who looks after what from the day on."""
    row = _row(reorganisation_id)
    form = _decide_form(row, queries.affected(session(), row))
    if form.validate():
        with refusals_on(form), transaction() as current:
            row = _row(reorganisation_id, lock=True)
            by, at, known = current_user(), clock.now(), form.knowing.data
            done = services.prepare(current, row, form.places, form.note.data, by=by, at=at, knowing=known)
            flash(_("Handed over.") if done else _("Decided. It happens by itself on the day."), "success")
            return redirect(url_for(".show", reorganisation_id=reorganisation_id))
    row = _row(reorganisation_id)
    form.knowing.data = row.decided_at
    return _page(row, form), 422


@bp.post("/<uuid:reorganisation_id>/take-back")
@may(May.CHANGE_WARDS)
def take_back(reorganisation_id: UUID) -> ResponseReturnValue:
    """Give everybody their former place again."""
    with transaction() as current:
        given, left = services.take_back(current, _row(reorganisation_id), by=current_user(), at=clock.now())
        flash(_("%(count)s have their former place again.", count=given), "success")
        if left:
            flash(
                _("Left as they are, for somebody has changed them since: %(names)s.", names=", ".join(left)), "warning"
            )
    return redirect(url_for(".show", reorganisation_id=reorganisation_id))


@bp.post("/<uuid:reorganisation_id>/erase")
@may(May.CHANGE_WARDS)
def erase(reorganisation_id: UUID) -> ResponseReturnValue:
    """Throw away a draft, or boundaries that nobody uses yet."""
    with transaction() as current:
        row = _row(reorganisation_id, lock=True)
        if row.state is State.DRAFT:
            services.forget(current, row)
        else:
            services.erase(current, row, by=current_user(), at=clock.now())
        flash(_("The wards are as they were before."), "success")
    return redirect(url_for(".listing"))


@bp.post("/news/<uuid:handover_id>")
@may(May.SEE_OWN_ACCOUNT)
def read(handover_id: UUID) -> ResponseReturnValue:
    """I have read it."""
    with transaction() as current:
        services.read(current, current_user(), handover_id, at=clock.now())
    return redirect(url_for("accounts.home"))
