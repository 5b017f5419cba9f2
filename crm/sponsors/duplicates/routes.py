"""Two entries of one sponsor: found, compared, made one, told apart."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.sponsors import queries as sponsoring
from crm.sponsors.duplicates import queries, services
from crm.sponsors.duplicates.forms import OTHER, ApartForm, SameForm
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.rules import ASKED
from crm.sponsors.models import Sponsor, SponsorMerge
from crm.sponsors.rules import KINDS
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("same_sponsor", __name__)

PAGE = 20


@bp.get("/sponsors/<uuid:sponsor_id>/same")
@may(May.RECORD_MONEY)
def search(sponsor_id: UUID) -> ResponseReturnValue:
    """Who may be the same sponsor; any other can be looked for by name."""
    of, q = _sponsor(sponsor_id), request.args.get("q", "").replace("\x00", "")[:200]
    found = sponsoring.sponsors_page(session(), current_scope(), q, cursor=request.args.get("cursor"), size=PAGE)
    return render_template(
        "sponsors/duplicates/search.html",
        sponsor=of,
        alike=queries.alike_to(session(), of),
        found=found,
        q=q,
        kinds=KINDS,
    )


@bp.get("/sponsors/<uuid:sponsor_id>/same/<uuid:same_sponsor_id>")
@may(May.RECORD_MONEY)
def compare(sponsor_id: UUID, same_sponsor_id: UUID) -> ResponseReturnValue:
    """Both side by side, and which one stays."""
    return _compare_page(_sponsor(sponsor_id), _sponsor(same_sponsor_id))


@bp.post("/sponsors/<uuid:sponsor_id>/same/<uuid:same_sponsor_id>")
@may(May.RECORD_MONEY)
def merge(sponsor_id: UUID, same_sponsor_id: UUID) -> ResponseReturnValue:
    """They are one from now on, or a second person is asked."""
    this, other = _sponsor(sponsor_id), _sponsor(same_sponsor_id)
    form = SameForm.of(this.name, other.name)
    if form.validate():
        kept, gone = (other, this) if form.stays.data == OTHER else (this, other)
        with refusals_on(form), transaction() as current:
            done = services.merge_or_ask(current, kept, gone, form.why.data or "", **_act())
            asked = isinstance(done, MoneyRequest)
            flash(str(ASKED) if asked else _("They are one sponsor now."), "success")
            return redirect(url_for("sponsors.show", sponsor_id=kept.id), 303)
    return _compare_page(_sponsor(sponsor_id), _sponsor(same_sponsor_id), form)


@bp.get("/sponsors/made-one/<uuid:sponsor_merge_id>")
@may(May.RECORD_MONEY)
def apart_form(sponsor_merge_id: UUID) -> ResponseReturnValue:
    """Are they two after all? What would pass back."""
    return _apart_page(_merge(sponsor_merge_id))


@bp.post("/sponsors/made-one/<uuid:sponsor_merge_id>")
@may(May.RECORD_MONEY)
def tell_apart(sponsor_merge_id: UUID) -> ResponseReturnValue:
    """They are two again."""
    row, form = _merge(sponsor_merge_id), ApartForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            services.tell_apart(current, row, form.back.data or 0, form.why.data or "", **_act())
            flash(_("They are two sponsors again."), "success")
            return redirect(url_for("sponsors.show", sponsor_id=row.gone_id), 303)
    return _apart_page(_merge(sponsor_merge_id), form)


# ---- pieces


def _act() -> dict[str, Any]:
    return {"by": current_user(), "on": clock.today(), "at": clock.now()}


def _sponsor(sponsor_id: UUID) -> Sponsor:
    return sponsoring.sponsor(session(), current_scope(), sponsor_id)


def _merge(sponsor_merge_id: UUID) -> SponsorMerge:
    return queries.merge_of(session(), current_scope(), sponsor_merge_id)


def _compare_page(this: Sponsor, other: Sponsor, form: SameForm | None = None) -> ResponseReturnValue:
    form = form or SameForm.of(this.name, other.name)
    page = render_template(
        "sponsors/duplicates/compare.html",
        this=this,
        other=other,
        balances=sponsoring.balances_of(session(), this.town_id, {this.id, other.id}),
        form=form,
        kinds=KINDS,
    )
    return page, 422 if form.errors else 200


def _apart_page(row: SponsorMerge, form: ApartForm | None = None) -> ResponseReturnValue:
    most = services.to_give_back(session(), row)
    form = form or ApartForm(data={"back": most})
    page = render_template(
        "sponsors/duplicates/apart.html",
        merge=row,
        kept=session().get_one(Sponsor, (row.town_id, row.kept_id)),
        gone=session().get_one(Sponsor, (row.town_id, row.gone_id)),
        most=most,
        form=form,
    )
    return page, 422 if form.errors else 200
