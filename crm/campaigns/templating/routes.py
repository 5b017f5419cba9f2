"""Templates of messages, for the office."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm.accounts.gateway import current_user
from crm.accounts.rules import May
from crm.campaigns.models import USUAL_PRICE
from crm.campaigns.rules.places import EXAMPLE, PLACES
from crm.campaigns.rules.refused import KINDS, refused_in
from crm.campaigns.rules.stages import PURPOSE_NAMES
from crm.campaigns.rules.texts import is_lawful, lawful
from crm.campaigns.services.sending import settings_of
from crm.campaigns.showing import Example, chips
from crm.campaigns.templating import queries, services
from crm.campaigns.templating.forms import ChangeForm, RegistrationForm, TemplateForm
from crm.campaigns.templating.rules import REGISTERED, SIGNS, Registered
from crm.clock import now, today
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.prospects.rules import Purpose
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("templating", __name__, url_prefix="/message-templates")
PAGE = 50
WORDS: dict[str, Any] = {
    "PLACES": PLACES,
    "EXAMPLE": EXAMPLE,
    "KINDS": KINDS,
    "purpose_names": PURPOSE_NAMES,
    "REGISTERED": REGISTERED,
    "SIGNS": SIGNS,
    "Example": Example,
    "chips": chips,
    "refused_in": refused_in,
    "is_lawful": is_lawful,
    "price": USUAL_PRICE,
}


def _shown(template_id: UUID) -> queries.Shown:
    return queries.template(session(), current_user().town_id, template_id)


@bp.get("")
@may(May.SEE_MESSAGES)
def listing() -> ResponseReturnValue:
    """Templates by name: those in use, or those put away."""
    archived = request.args.get("archived") == "yes"
    asked: dict[str, Any] = {"archived": archived, "cursor": request.args.get("cursor"), "size": PAGE}
    found = queries.templates(session(), current_user().town_id, **asked)
    return render_template("campaigns/templating/listing.html", found=found, archived=archived, **WORDS)


@bp.get("/new")
@may(May.RUN_CAMPAIGNS)
def new() -> ResponseReturnValue:
    """An empty template."""
    return render_template("campaigns/templating/new.html", form=TemplateForm(), **WORDS)


@bp.post("/new")
@may(May.RUN_CAMPAIGNS)
def create() -> ResponseReturnValue:
    """Keep a new template."""
    form, user = TemplateForm(), current_user()
    if form.validate():
        with refusals_on(form), transaction() as current:
            told: dict[str, Any] = {
                "name": form.name.data,
                "purpose": Purpose(form.purpose.data),
                "text": form.text.data,
            }
            made = services.add_template(current, user.town_id, **told, by_id=user.id, at=now())
            return redirect(url_for(".show", template_id=made.id), 303)
    return render_template("campaigns/templating/new.html", form=form, **WORDS), 422


@bp.get("/<uuid:template_id>")
@may(May.SEE_MESSAGES)
def show(template_id: UUID) -> ResponseReturnValue:
    """A template as a person would read it, its versions, and what the carrier said."""
    return _page(template_id, _registration_form())


@bp.route("/<uuid:template_id>/edit", methods=["GET", "POST"])
@may(May.RUN_CAMPAIGNS)
def edit(template_id: UUID) -> ResponseReturnValue:
    """Another name, or another text as a new version."""
    shown, by = _shown(template_id), current_user().id
    form = ChangeForm(data={"name": shown.template.name, "text": shown.version.text, "number": shown.template.number})
    if request.method == "POST" and form.validate():
        with refusals_on(form), transaction() as current:
            told: dict[str, Any] = {"name": form.name.data, "text": form.text.data, "number": form.number.data}
            services.change_template(current, shown.template, **told, by_id=by, at=now())
            return redirect(url_for(".show", template_id=template_id), 303)
    page = render_template("campaigns/templating/edit.html", form=form, shown=shown, **WORDS)
    return page, 422 if form.errors else 200


@bp.post("/<uuid:template_id>/lawful")
@may(May.RUN_CAMPAIGNS)
def make_lawful(template_id: UUID) -> ResponseReturnValue:
    """Write in what a promotion must have: its label and the way to refuse."""
    shown, by = _shown(template_id), current_user().id
    with transaction() as current:
        told: dict[str, Any] = {"name": shown.template.name, "text": lawful(shown.version.text), "number": None}
        services.change_template(current, shown.template, **told, by_id=by, at=now())
    return redirect(url_for(".show", template_id=template_id), 303)


@bp.post("/<uuid:template_id>/registrations")
@may(May.RUN_CAMPAIGNS)
def register(template_id: UUID) -> ResponseReturnValue:
    """Write down what the carrier said of the latest version."""
    shown, form = _shown(template_id), _registration_form()
    if form.validate():
        with refusals_on(form), transaction() as current:
            if form.on.data and form.on.data > today():
                raise RuleBroken(_("This day is still to come."), field="on")
            told: dict[str, Any] = {"sender": form.sender.data, "state": Registered(form.state.data)}
            told |= {"number": form.number.data, "words": form.words.data, "on": form.on.data}
            services.register(current, shown.version, **told, by_id=current_user().id, at=now())
            return redirect(url_for(".show", template_id=template_id), 303)
    return _page(template_id, form), 422


@bp.post("/<uuid:template_id>/archive")
@may(May.RUN_CAMPAIGNS)
def archive(template_id: UUID) -> ResponseReturnValue:
    """Offer it no more."""
    with transaction() as current:
        services.archive(current, _shown(template_id).template, by_id=current_user().id, at=now())
    flash(_("The template is put away. What used it keeps it."), "success")
    return redirect(url_for(".listing"), 303)


@bp.post("/<uuid:template_id>/restore")
@may(May.RUN_CAMPAIGNS)
def restore(template_id: UUID) -> ResponseReturnValue:
    """Offer it again."""
    with transaction() as current:
        services.restore(current, _shown(template_id).template)
    return redirect(url_for(".show", template_id=template_id), 303)


def _registration_form() -> RegistrationForm:
    sender = settings_of(session(), current_user().town_id).sender
    return RegistrationForm(data={"sender": sender, "on": today(), "state": Registered.SUBMITTED.value})


def _page(template_id: UUID, form: RegistrationForm) -> str:
    shown = _shown(template_id)
    found = queries.versions(session(), shown.template)
    return render_template("campaigns/templating/show.html", shown=shown, versions=found, form=form, **WORDS)
