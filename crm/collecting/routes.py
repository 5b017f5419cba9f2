"""The collection network on pages: the nearest point for everybody, and the network for those who answer for it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May, Reach
from crm.collecting import queries, services
from crm.collecting.forms import LeaveForm, NearForm, PointForm, StaffForm, TrainingForm
from crm.collecting.models import CollectionPoint
from crm.collecting.rules import KINDS, LONGEST_ADDRESS, TRAINED, is_open
from crm.db import session, transaction
from crm.errors import NotFound
from crm.ids import id_or_new, new_id, read_id
from crm.names import clean
from crm.places.boundaries import Boundaries, boundaries
from crm.places.models import Place
from crm.places.queries import only_town, units
from crm.web.forms import refusals_on
from crm.web.guard import may, public
from crm.web.parts import part_of

bp = Blueprint("points", __name__)
SHOWN = 10
SORTED = 60
"""Points on the page for everybody, which the telephone puts in order: those of a whole town."""
MAY_ASK_WHERE = "camera=(), microphone=(), geolocation=(self)"
"""Only here a page may ask the telephone where it is; the answer stays on the telephone."""
WORDS: dict[str, Any] = {"KINDS": KINDS, "TRAINED": TRAINED, "is_open": is_open}


@bp.get("/where-to-pay")
@public
def nearest() -> ResponseReturnValue:
    """The points near somebody, by ward and address; the telephone can sort them by its own position."""
    town_id, today = only_town(session()), clock.today()
    address = clean(request.args.get("address", ""))[:LONGEST_ADDRESS]
    wards = _wards(town_id) if town_id else []
    drawn = boundaries(session(), town_id, today) if town_id else None
    ward = _ward_asked(drawn, wards) if drawn else None
    form = NearForm(formdata=None, data={"ward": str(ward) if ward else "", "address": address})
    form.offer(wards)
    found = queries.near_to(session(), town_id, ward, address, drawn) if town_id and drawn else []
    shown = part_of("points", lambda most, skip: found[skip : skip + most], size=SORTED)
    return _with_position(render_template("collecting/nearest.html", form=form, points=shown, **WORDS))


@bp.get("/collection-points")
@may(May.SEE_REPORTS)
def listing() -> ResponseReturnValue:
    """The network of the town: every point with its staff and how their training stands."""
    town_id, today = current_scope().town_id, clock.today()
    lines = part_of(
        "points", lambda most, skip: queries.lines(session(), town_id, today, most=most, skip=skip), size=SHOWN
    )
    whole = queries.summary(session(), town_id, today)
    return render_template("collecting/listing.html", lines=lines, whole=whole, keeps=_keeps(), today=today, **WORDS)


@bp.route("/collection-points/new", methods=["GET", "POST"])
@may(May.WRITE_REPORTS)
def new() -> ResponseReturnValue:
    """Add a point; who does not answer for the network is led back to the list."""
    if not _keeps() and request.method == "GET":
        return redirect(url_for(".listing"))
    _must_keep()
    first = {"key": str(new_id()), "since": clock.today()}
    form = PointForm() if request.method == "POST" else PointForm(data=first)
    form.offer(_wards(current_scope().town_id))
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            told = id_or_new(form.key.data), UUID(form.place.data), form.told, form.served
            row = services.open_point(current, *told, by=current_user(), at=clock.now())
            flash(_("The point is added; everybody finds it from its first day on."), "success")
            return redirect(url_for(".show", point_id=row.id), 303)
    return _point_page(form, None)


@bp.get("/collection-points/<uuid:point_id>")
@may(May.SEE_REPORTS)
def show(point_id: UUID) -> ResponseReturnValue:
    """One point, who works there, and what they were trained in."""
    return _page(queries.point_of(session(), current_scope().town_id, point_id))


@bp.route("/collection-points/<uuid:point_id>/change", methods=["GET", "POST"])
@may(May.WRITE_REPORTS)
def change(point_id: UUID) -> ResponseReturnValue:
    """Put right what is told of a point, or end it."""
    _must_keep()
    town_id = current_scope().town_id
    row = queries.point_of(session(), town_id, point_id)
    served = queries.served_by(session(), town_id, [point_id]).get(point_id, [])
    form = PointForm() if request.method == "POST" else PointForm.of(row, served)
    form.offer(_wards(town_id, row))
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            held = queries.point_of(current, town_id, point_id, lock=True)
            told = UUID(form.place.data), form.told, form.served
            services.change_point(current, held, *told, by=current_user(), at=clock.now())
            flash(_("Saved."), "success")
            return redirect(url_for(".show", point_id=point_id), 303)
    return _point_page(form, row)


@bp.post("/collection-points/<uuid:point_id>/staff")
@may(May.WRITE_REPORTS)
def hire(point_id: UUID) -> ResponseReturnValue:
    """Somebody takes premiums there from a day on."""
    _must_keep()
    form = StaffForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            point = queries.point_of(current, current_scope().town_id, point_id)
            told = id_or_new(form.key.data), form.full_name.data, form.phone.data
            services.hire(current, point, *told, form.since.data or clock.today(), by=current_user(), at=clock.now())
            return redirect(url_for(".show", point_id=point_id), 303)
    return _page(queries.point_of(session(), current_scope().town_id, point_id), staff_form=form), 422


@bp.route("/collection-points/staff/<uuid:staff_id>", methods=["GET", "POST"])
@may(May.WRITE_REPORTS)
def member(staff_id: UUID) -> ResponseReturnValue:
    """Note a training of somebody at a point."""
    _must_keep()
    form = TrainingForm() if request.method == "POST" else TrainingForm(data={"held_on": clock.today()})
    town_id = current_scope().town_id
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            row = queries.member_of(current, town_id, staff_id, lock=True)
            told: dict[str, Any] = {"held_on": form.held_on.data, "valid_until": form.valid_until.data}
            told |= {"document": form.document.data, "by": current_user(), "at": clock.now()}
            services.train(current, row, form.what.data, **told)
            flash(_("Noted."), "success")
            return redirect(url_for(".show", point_id=row.point_id), 303)
    return _member_page(staff_id, form, LeaveForm(formdata=None, data={"until": clock.today()}))


@bp.post("/collection-points/staff/<uuid:staff_id>/leave")
@may(May.WRITE_REPORTS)
def leave(staff_id: UUID) -> ResponseReturnValue:
    """The last day of somebody at a point."""
    _must_keep()
    form, town_id = LeaveForm(), current_scope().town_id
    if form.validate():
        with refusals_on(form), transaction() as current:
            row = queries.member_of(current, town_id, staff_id, lock=True)
            services.let_go(current, row, form.until.data or clock.today(), by=current_user(), at=clock.now())
            return redirect(url_for(".show", point_id=row.point_id), 303)
    return _member_page(staff_id, TrainingForm(formdata=None, data={"held_on": clock.today()}), form)


@bp.post("/collection-points/trainings/<uuid:training_id>/withdraw")
@may(May.WRITE_REPORTS)
def withdraw(training_id: UUID) -> ResponseReturnValue:
    """A training was noted by mistake."""
    _must_keep()
    town_id = current_scope().town_id
    with transaction() as current:
        row = queries.training_of(current, town_id, training_id, lock=True)
        services.withdraw_training(current, row, by=current_user(), at=clock.now())
        staff_id = row.staff_id
    return redirect(url_for(".member", staff_id=staff_id), 303)


# ---- pieces


def _keeps() -> bool:
    """Whether somebody answers for the network: the insurance office, and the office that leads the whole."""
    scope, user = current_scope(), current_user()
    if not user.may(May.WRITE_REPORTS):
        return False
    return scope.reach is Reach.ALL or queries.is_the_insurances(session(), scope)


def _must_keep() -> None:
    if not _keeps():
        raise NotFound


def _wards(town_id: UUID, row: CollectionPoint | None = None) -> list[tuple[str, str]]:
    """Today's wards, and the one a point was added in where it is none of them."""
    found = [(str(place.id), place.name) for place in session().scalars(units(town_id, clock.today()))]
    if row and str(row.place_id) not in dict(found):
        found.append((str(row.place_id), session().get_one(Place, (town_id, row.place_id)).name))
    return found


def _ward_asked(drawn: Boundaries, wards: list[tuple[str, str]]) -> UUID | None:
    """Today's ward of the place in the address, which may be an earlier one such as somebody is recorded with."""
    asked = read_id(request.args.get("ward"))
    ward = drawn.unit_of(asked) if asked else None
    return ward if str(ward) in dict(wards) else None


def _with_position(page: str) -> Response:
    response = make_response(page)
    response.headers["Permissions-Policy"] = MAY_ASK_WHERE
    return response


def _point_page(form: PointForm, row: CollectionPoint | None) -> ResponseReturnValue:
    page = render_template("collecting/point.html", form=form, row=row)
    return _with_position(page), 422 if form.errors or form.form_errors else 200


def _page(point: CollectionPoint, *, staff_form: StaffForm | None = None) -> str:
    town_id, today = point.town_id, clock.today()
    served = set(queries.served_by(session(), town_id, [point.id]).get(point.id, ()))
    names = [place for key, place in _wards(town_id, point) if UUID(key) in served]
    return render_template(
        "collecting/show.html",
        point=point,
        place=session().get_one(Place, (town_id, point.place_id)).name,
        serves=names,
        staff=queries.staff_of(session(), town_id, [point.id]).get(point.id, []),
        staff_form=staff_form or StaffForm(formdata=None, data={"key": str(new_id()), "since": today}),
        keeps=_keeps(),
        today=today,
        **WORDS,
    )


def _member_page(staff_id: UUID, form: TrainingForm, leave_form: LeaveForm) -> ResponseReturnValue:
    town_id = current_scope().town_id
    row = queries.member_of(session(), town_id, staff_id)
    known = queries.staff_of(session(), town_id, [row.point_id])[row.point_id]
    page = render_template(
        "collecting/member.html",
        one=next(found for found in known if found.row.id == staff_id),
        point=queries.point_of(session(), town_id, row.point_id),
        form=form,
        leave_form=leave_form,
        today=clock.today(),
        **WORDS,
    )
    return page, 422 if form.errors or leave_form.errors else 200
