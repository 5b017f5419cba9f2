"""My morning: whether I hear how many people are due."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.followups.mornings import services
from crm.followups.mornings.forms import MorningForm
from crm.followups.mornings.rules import AGREED, MorningBy, MorningOn
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("mornings", __name__, url_prefix="/account/morning")


@bp.get("")
@may(May.LOG_VISITS)
def mine() -> ResponseReturnValue:
    """What I wish now."""
    form = MorningForm(obj=services.wish_of(session(), current_user()))
    return render_template("followups/mornings/mine.html", form=form, agreed=AGREED)


@bp.post("")
@may(May.LOG_VISITS)
def choose() -> ResponseReturnValue:
    """Keep what I wish."""
    form = MorningForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            by, days = MorningBy(form.by.data), MorningOn(form.days.data)
            services.choose(current, current_user(), by, days, at=clock.now())
            flash(_("Kept."), "success")
            return redirect(url_for("accounts.mine"), 303)
    return render_template("followups/mornings/mine.html", form=form, agreed=AGREED), 422
