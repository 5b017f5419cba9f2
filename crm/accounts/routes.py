"""The first page, one's own account, and the people who sign in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import segno
from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from crm import clock, stored
from crm.accounts import gateway, queries, services
from crm.accounts.forms import AccountForm, PasswordForm
from crm.accounts.gateway import actor, current_user
from crm.accounts.models import User
from crm.accounts.rules import May, Role, reach
from crm.accounts.wording import ROLES, SEES
from crm.db import session, transaction
from crm.places.models import Place
from crm.places.queries import units
from crm.web.forms import refusals_on
from crm.web.guard import PUBLIC, may, permission_of, public

bp = Blueprint("accounts", __name__)
PAGE = 100

FIRST_PAGES: dict[Role, tuple[str, ...]] = {
    Role.VOLUNTEER: ("followups.today",),
    Role.AGENT: ("followups.today",),
    Role.ORGANISER: ("campaigns.listing",),
    Role.TREASURER: ("treasury.home", "sponsors.listing"),
    Role.SPONSOR: ("letters.my_letter",),
}
"""The page a role begins with; everyone else, and whoever may not open it, begins with the first of these."""
ELSE_FIRST = ("reports.dashboard", "prospects.listing", "accounts.mine")
OFFERS = ("/calculator", "/sponsor", "/fund")
"""What the first page offers to everyone."""


@bp.app_context_processor
def _about_me() -> dict[str, Any]:
    who = actor()
    if who is None:
        return {}
    return {"role_label": ROLES[who.role], "account_url": url_for("accounts.mine")}


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """Who has signed in goes to the page of their role; everyone else is welcomed."""
    who = actor()
    if who is not None:
        return redirect(url_for(first_page(who)))
    there = {rule.rule for rule in current_app.url_map.iter_rules()}
    return render_template("welcome.html", offers=[one for one in OFFERS if one in there], demo=_demo(), roles=ROLES)


def first_page(who: User) -> str:
    """The endpoint this person begins with."""
    wanted = (*FIRST_PAGES.get(who.role, ()), *ELSE_FIRST)
    return next(name for name in wanted if _is_there(name) and _may_open(who, name))


def _is_there(endpoint: str) -> bool:
    return endpoint in current_app.view_functions


def _may_open(who: User, endpoint: str) -> bool:
    needed = permission_of(current_app, endpoint, "GET")
    return needed is not None and (needed == PUBLIC or who.may(May(needed)))


def _demo() -> dict[str, Any] | None:
    """The demo's accounts and their password, which nobody shows in production."""
    demo = None if current_app.config["SETTINGS"].production else stored.read(session(), "demo")
    return demo if isinstance(demo, dict) and demo.get("accounts") else None


@bp.get("/account")
@may(May.SEE_OWN_ACCOUNT)
def mine() -> ResponseReturnValue:
    """Who I am here, and what I see."""
    who = current_user()
    sees = SEES[reach(who.role, has_unit=bool(who.organisation_id or who.place_id))]
    organisation, place = queries.unit_names(session(), who)
    return render_template(
        "accounts/mine.html", person=who, role=ROLES[who.role], sees=sees, organisation=organisation, place=place
    )


@bp.get("/accounts")
@may(May.MANAGE_ACCOUNTS)
def listing() -> ResponseReturnValue:
    """Everyone who signs in."""
    town_id = current_user().town_id
    found = queries.page_of_accounts(session(), town_id, cursor=request.args.get("cursor"), size=PAGE)
    many = queries.how_many_sign_in(session(), town_id)
    return render_template("accounts/listing.html", page=found, many=many, roles=ROLES)


def _account_form() -> AccountForm:
    form, town_id = AccountForm(), current_user().town_id
    organisations = session().scalars(queries.organisations(town_id))
    places: list[Place] = list(session().scalars(units(town_id, clock.today())))
    form.offer([(one.id, one.name) for one in organisations], [(place.id, place.name) for place in places])
    return form


@bp.get("/accounts/new")
@may(May.MANAGE_ACCOUNTS)
def new() -> ResponseReturnValue:
    """The form for someone new."""
    return render_template("accounts/new.html", form=_account_form())


@bp.post("/accounts/new")
@may(May.MANAGE_ACCOUNTS)
def add() -> ResponseReturnValue:
    """Add someone, and show the invitation to hand to them."""
    form, by = _account_form(), current_user()
    if form.validate():
        with refusals_on(form), transaction() as current:
            identity = str(form.identity.data)
            who = services.add_user(
                current, by.town_id, identity, **form.values, password_hash=None, at=clock.now(), by=by
            )
            return invitation_page(who, services.invite(current, who, at=clock.now()))
    return render_template("accounts/new.html", form=form), 422


def invitation_page(who: User, key: str, back: str = "accounts.listing") -> str:
    """The invitation to hand over, seen once; `back` is the list one came from."""
    address = current_app.config["SETTINGS"].public_url + url_for("accounts.invitation", key=key)
    drawing = segno.make(address, error="m").svg_inline(scale=6, border=2, svgclass="qr", lineclass=None)
    return render_template("accounts/invitation.html", person=who, address=address, qr=Markup(drawing), back=back)  # noqa: S704


@bp.post("/accounts/<uuid:user_id>/invitation")
@may(May.MANAGE_ACCOUNTS)
def invite(user_id: UUID) -> ResponseReturnValue:
    """A new invitation, for somebody who lost theirs or forgot the password."""
    who = queries.account(session(), current_user().town_id, user_id)
    with transaction() as current:
        key = services.invite(current, who, at=clock.now())
    return invitation_page(who, key)


@bp.post("/accounts/<uuid:user_id>/close")
@may(May.MANAGE_ACCOUNTS)
def close(user_id: UUID) -> ResponseReturnValue:
    """Keep somebody out from now on; they are signed out everywhere."""
    return _set_active(user_id, False)


@bp.post("/accounts/<uuid:user_id>/open")
@may(May.MANAGE_ACCOUNTS)
def reopen(user_id: UUID) -> ResponseReturnValue:
    """Let somebody in again."""
    return _set_active(user_id, True)


def _set_active(user_id: UUID, active: bool) -> ResponseReturnValue:
    by = current_user()
    who = queries.account(session(), by.town_id, user_id)
    with transaction() as current:
        services.set_active(current, who, active, by=by, at=clock.now())
    said = _("%(name)s may sign in again.") if active else _("%(name)s can no longer sign in.")
    flash(said % {"name": who.full_name}, "success")
    return redirect(url_for("accounts.listing"))


@bp.get("/accounts/keys")
@may(May.MANAGE_ACCOUNTS)
def keys() -> ResponseReturnValue:
    """The keys of other programs."""
    found = queries.page_of_tokens(session(), current_user().town_id, cursor=request.args.get("cursor"), size=PAGE)
    return render_template("accounts/keys.html", page=found)


@bp.post("/accounts/keys/<uuid:token_id>/revoke")
@may(May.MANAGE_ACCOUNTS)
def revoke(token_id: UUID) -> ResponseReturnValue:
    """A program is kept out from now on."""
    by = current_user()
    with transaction() as current:
        row = queries.api_token(current, by.town_id, token_id)
        services.revoke_token(current, row, by=by, at=clock.now())
        flash(_("The key “%(name)s” has ended.", name=row.name or "—"), "success")
    return redirect(url_for(".keys"), 303)


@bp.get("/invitation/<key>")
@public
def invitation(key: str) -> ResponseReturnValue:
    """Where an invited person sets a password."""
    who = queries.invited(session(), key, clock.now())
    return render_template("accounts/accept.html", person=who, form=PasswordForm()), 200 if who else 404


@bp.post("/invitation/<key>")
@public
def accept(key: str) -> ResponseReturnValue:
    """Set the password, once, and be signed in."""
    form, who = PasswordForm(), queries.invited(session(), key, clock.now())
    if form.validate():
        with refusals_on(form), transaction() as current:
            password_hash = gateway.new_password_hash(form.password.data or "")
            user = services.accept_invitation(current, key, password_hash=password_hash, at=clock.now())
            gateway.sign_in(user)
            return redirect(url_for("accounts.home"))
    return render_template("accounts/accept.html", person=who, form=form), 422
