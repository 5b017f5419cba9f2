"""The volunteers of a unit: who they are, and an invitation for a new one."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts import queries, services
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.routes import invitation_page
from crm.accounts.rules import May, Reach
from crm.accounts.team.forms import VolunteerForm
from crm.db import session, transaction
from crm.places.models import Place
from crm.places.queries import units
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("team", __name__)
PAGE = 100


@bp.get("/team")
@may(May.INVITE_VOLUNTEERS)
def listing() -> ResponseReturnValue:
    """The volunteers of one's own unit."""
    scope = current_scope()
    found = queries.page_of_volunteers(session(), scope, cursor=request.args.get("cursor"), size=PAGE)
    return render_template("accounts/team/listing.html", page=found, many=queries.how_many_volunteers(session(), scope))


def _form() -> VolunteerForm:
    """Organisations and wards are asked of whoever is not bound to one."""
    form, scope, current = VolunteerForm(), current_scope(), session()
    organisations = [] if scope.organisation_id else list(current.scalars(queries.organisations(scope.town_id)))
    wards: list[Place] = list(current.scalars(units(scope.town_id, clock.today()))) if scope.place_ids is None else []
    if scope.reach is Reach.UNIT and scope.organisation_id is None:
        organisations = []
    form.offer([(one.id, one.name) for one in organisations], [(one.id, one.name) for one in wards])
    return form


@bp.get("/team/new")
@may(May.INVITE_VOLUNTEERS)
def new() -> ResponseReturnValue:
    """The form for a new volunteer."""
    return render_template("accounts/team/new.html", form=_form())


@bp.post("/team/new")
@may(May.INVITE_VOLUNTEERS)
def add() -> ResponseReturnValue:
    """Add a volunteer to one's own unit, and show the invitation to hand to them."""
    form = _form()
    if form.validate():
        with refusals_on(form), transaction() as current:
            who, key = services.invite_volunteer(
                current,
                str(form.identity.data),
                full_name=str(form.full_name.data),
                organisation_id=form.id_of("organisation"),
                place_id=form.id_of("place"),
                by=current_user(),
                at=clock.now(),
            )
            return invitation_page(who, key, "team.listing")
    return render_template("accounts/team/new.html", form=form), 422


@bp.post("/team/<uuid:user_id>/invitation")
@may(May.INVITE_VOLUNTEERS)
def invite(user_id: UUID) -> ResponseReturnValue:
    """A new invitation for a volunteer of one's unit who has not chosen a password yet."""
    who = queries.volunteer_of_unit(session(), current_scope(), user_id)
    with transaction() as current:
        key = services.invite_again(current, who, at=clock.now())
    return invitation_page(who, key, "team.listing")
