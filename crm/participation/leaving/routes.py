"""What is waited for of people who left, for whoever keeps the money."""

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
from crm.participation.leaving import cards, queries, services
from crm.participation.leaving.forms import SettledForm
from crm.participation.leaving.models import LeavingPart
from crm.participation.leaving.rules import Payee, most_paid_back
from crm.participation.leaving.showing import payee_named
from crm.premiums.rules.benefits.wording import REASONS
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("leaving", __name__)
cards.register()


@bp.get("/refunds")
@may(May.SEE_SPONSORS)
def listing() -> ResponseReturnValue:
    """What the insurance office still owes, or what came back: to the person, and to sponsors."""
    return _page(SettledForm(formdata=None, data={"on": clock.today()}))


@bp.post("/refunds")
@may(May.RECORD_MONEY)
def settle() -> ResponseReturnValue:
    """Note that a part came back."""
    form = SettledForm()
    if form.validate() and form.on.data:
        with refusals_on(form), transaction() as current:
            told: dict[str, Any] = {"on": form.on.data, "note": form.note.data, "paid_back": form.paid_back.data}
            by, at = current_user(), clock.now()
            came = services.settle_or_ask(current, current_scope(), UUID(form.part.data), **told, by=by, at=at)
            flash(_noted(came), "success")
            return redirect(url_for(".listing"))
    return _page(form), 422


def _noted(came: LeavingPart | None) -> Any:
    if came is None:
        return _("This is above the limit: it is done once a second person approves it.")
    whose = came.payee is Payee.SPONSOR
    return _("Noted. The sponsor's part may be set aside for somebody else now.") if whose else _("Noted.")


def _page(form: SettledForm) -> str:
    settled, scope = request.args.get("state") == "settled", current_scope()
    shown, count, total = queries.parts_page(session(), scope, settled=settled, cursor=request.args.get("cursor"))
    names = queries.names_of(session(), scope.town_id, {one.part.payee_id for one in shown.rows if one.part.payee_id})
    return render_template(
        "participation/refunds.html",
        form=form,
        settled=settled,
        shown=shown,
        count=count,
        total=total,
        payees={one.part.id: payee_named(one.part.payee, one.part.payee_id, names) for one in shown.rows},
        most=most_paid_back,
        reasons=REASONS,
        may_note=current_user().may(May.RECORD_MONEY),
    )
