"""The treasurer's list of money that is set aside in vain, and giving it back with one tap."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import NotFound, RuleBroken
from crm.sponsors import services
from crm.sponsors.unneeded import queries
from crm.sponsors.unneeded.rules import WHYS
from crm.web.forms import flash_refusals
from crm.web.guard import may

bp = Blueprint("unneeded", __name__)

PAGE = 50


@bp.get("/sponsors/unneeded")
@may(May.SEE_SPONSORS)
def listing() -> ResponseReturnValue:
    """Money set aside for months it can no longer be paid for."""
    scope, today = current_scope(), clock.today()
    return render_template(
        "sponsors/unneeded/listing.html",
        found=queries.unneeded_page(session(), scope, today, cursor=request.args.get("cursor"), size=PAGE),
        many=queries.how_many(session(), scope, today),
        whys=WHYS,
    )


@bp.post("/sponsors/unneeded")
@may(May.RECORD_MONEY)
def give_back() -> ResponseReturnValue:
    """One, or what was ticked, is free again, each by itself: what is refused is told with its reason."""
    chosen = _chosen()
    refused = [words for key in chosen if (words := _released(key))]
    if done := len(chosen) - len(refused):
        flash(ngettext("The money of %(num)s is free again.", "The money of %(num)s is free again.", done), "success")
    if not chosen:
        flash(_("Tick whose money is to be free again."), "error")
    flash_refusals(refused)
    return redirect(url_for(".listing"), 303)


def _chosen() -> list[UUID]:
    """The one whose button was pressed, or all that are ticked; a page of them at most."""
    typed = request.form.getlist("only") or request.form.getlist("allocation")
    try:
        return [UUID(one) for one in dict.fromkeys(typed)][:PAGE]
    except ValueError:
        raise NotFound from None


def _released(allocation_id: UUID) -> str | None:
    """Give one back in a transaction of its own; the sentence when it is refused."""
    today = clock.today()
    try:
        with transaction() as current:
            one = queries.unneeded(current, current_scope(), today, allocation_id)
            name = one.person.full_name
            services.release(
                current, one.allocation, since=one.since, by_id=current_user().id, on=today, at=clock.now()
            )
    except RuleBroken as refused:
        return f"{name}: {refused}"
    except NotFound:
        return str(_("This money was given back, or is needed again. Open the page again."))
    return None
