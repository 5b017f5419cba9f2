"""What the office does for a sponsor: papers, people who sign in for them, and whether somebody may be named to them."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.models import User
from crm.accounts.rules import May
from crm.accounts.services import invite_again, set_active
from crm.db import session, transaction
from crm.errors import NotFound, RuleBroken
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import person_seen
from crm.sponsors import gateway
from crm.sponsors import queries as sponsors
from crm.sponsors.letters import queries, services
from crm.sponsors.letters.forms import InviteForm, NamingForm
from crm.sponsors.letters.routes.private import issue_asked, pdf
from crm.sponsors.letters.rules import PAPERS, WAYS, first_page_years
from crm.sponsors.models import Sponsor
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("letter_office", __name__)


def _sponsor(sponsor_id: UUID) -> Sponsor:
    return sponsors.sponsor(session(), current_scope(), sponsor_id)


# ---- papers


@bp.get("/sponsors/<uuid:sponsor_id>/papers")
@may(May.SEE_SPONSORS)
def papers(sponsor_id: UUID) -> ResponseReturnValue:
    """The papers a sponsor was given, and those that can be made."""
    of = _sponsor(sponsor_id)
    received = queries.receipts_of(session(), of)
    return render_template(
        "sponsors/letters/papers.html",
        sponsor=of,
        received=received,
        papers=queries.papers_of(session(), of),
        years=first_page_years(filter(None, [queries.first_received(session(), of)]), clock.today()),
        kinds=PAPERS,
    )


@bp.post("/sponsors/<uuid:sponsor_id>/papers")
@may(May.RECORD_MONEY)
def issue(sponsor_id: UUID) -> ResponseReturnValue:
    """A receipt, a certificate or a statement, made once."""
    of = _sponsor(sponsor_id)
    try:
        with transaction() as current:
            paper_id = issue_asked(current, of, current_user()).id
    except RuleBroken as refusal:
        flash(str(refusal), "error")
        return redirect(url_for(".papers", sponsor_id=sponsor_id), 303)
    return redirect(url_for(".paper", sponsor_id=sponsor_id, paper_id=paper_id), 303)


@bp.get("/sponsors/<uuid:sponsor_id>/papers/<uuid:paper_id>")
@may(May.SEE_SPONSORS)
def paper(sponsor_id: UUID, paper_id: UUID) -> ResponseReturnValue:
    """A paper as PDF; `?lang=en` in English."""
    return pdf(queries.paper_of(session(), _sponsor(sponsor_id), paper_id))


# ---- who signs in for them


@bp.get("/sponsors/<uuid:sponsor_id>/people")
@may(May.RECORD_MONEY)
def people(sponsor_id: UUID) -> ResponseReturnValue:
    """Who signs in for a sponsor."""
    return _people(_sponsor(sponsor_id), InviteForm()), 200


@bp.post("/sponsors/<uuid:sponsor_id>/people")
@may(May.RECORD_MONEY)
def invite(sponsor_id: UUID) -> ResponseReturnValue:
    """Let somebody sign in for a sponsor; the invitation is shown once."""
    of, form = _sponsor(sponsor_id), InviteForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            name, identity = form.full_name.data or "", form.identity.data or ""
            who, key = services.invite(current, of, identity, full_name=name, by=current_user(), at=clock.now())
            return _invitation(of, who, key)
    return _people(of, form), 422


@bp.post("/sponsors/<uuid:sponsor_id>/people/<uuid:user_id>/again")
@may(May.RECORD_MONEY)
def again(sponsor_id: UUID, user_id: UUID) -> ResponseReturnValue:
    """A new invitation for somebody who has not chosen a password."""
    of = _sponsor(sponsor_id)
    who = queries.account_of(session(), of, user_id)
    with transaction() as current:
        return _invitation(of, who, invite_again(current, who, at=clock.now()))


@bp.post("/sponsors/<uuid:sponsor_id>/people/<uuid:user_id>/close")
@may(May.RECORD_MONEY)
def close(sponsor_id: UUID, user_id: UUID) -> ResponseReturnValue:
    """Somebody no longer signs in for a sponsor."""
    who = queries.account_of(session(), _sponsor(sponsor_id), user_id)
    with transaction() as current:
        set_active(current, who, False, by=current_user(), at=clock.now())
    flash(_("%(name)s can no longer sign in.", name=who.full_name), "success")
    return redirect(url_for(".people", sponsor_id=sponsor_id), 303)


def _people(of: Sponsor, form: InviteForm) -> str:
    return render_template(
        "sponsors/letters/people.html", sponsor=of, people=queries.accounts_of(session(), of), form=form
    )


def _invitation(of: Sponsor, who: User, key: str) -> str:
    address = current_app.config["SETTINGS"].public_url + url_for("accounts.invitation", key=key)
    return render_template(
        "sponsors/letters/invitation.html", sponsor=of, person=who, address=address, qr=gateway.drawing(address)
    )


# ---- whether somebody may be named


@bp.get("/people/<uuid:prospect_id>/naming/<uuid:sponsor_id>")
@may(May.EDIT_PEOPLE)
def naming(prospect_id: UUID, sponsor_id: UUID) -> ResponseReturnValue:
    """What somebody said about being named to a sponsor who helps them."""
    person, of = _helped(prospect_id, sponsor_id)
    return _naming(person, of, NamingForm(data={"said_on": clock.today()})), 200


@bp.post("/people/<uuid:prospect_id>/naming/<uuid:sponsor_id>")
@may(May.EDIT_PEOPLE)
def answer(prospect_id: UUID, sponsor_id: UUID) -> ResponseReturnValue:
    """Write down yes or no; what was said before stays on record."""
    person, of = _helped(prospect_id, sponsor_id)
    form = NamingForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            services.answer_naming(
                current,
                person,
                of,
                given=form.given.data == "yes",
                way=form.chosen_way,
                said_on=form.said_on.data or clock.today(),
                words=form.words.data or "",
                by=current_user(),
                at=clock.now(),
            )
            flash(_("Written down."), "success")
            return redirect(request.path, 303)
    return _naming(person, of, form), 422


def _helped(prospect_id: UUID, sponsor_id: UUID) -> tuple[Prospect, Sponsor]:
    """Somebody in sight and a sponsor who helps them. Raises NotFound."""
    person = person_seen(session(), current_scope(), prospect_id)
    of = _sponsor(sponsor_id)
    if not queries.helped_person_of(session(), person, of):
        raise NotFound
    return person, of


def _naming(person: Prospect, of: Sponsor, form: NamingForm) -> str:
    said = queries.consents_of(session(), person, of)
    return render_template("sponsors/letters/naming.html", person=person, sponsor=of, said=said, form=form, ways=WAYS)
