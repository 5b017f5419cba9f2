"""The week on a page, and the wish to get it on Mondays."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.reports.weekly import writing
from crm.reports.weekly.queries import week_before, whose_week
from crm.web.guard import may

bp = Blueprint("weekly", __name__, url_prefix="/dashboard/week")


@bp.get("")
@may(May.SEE_DASHBOARD)
def show() -> ResponseReturnValue:
    """The last whole week, to read or to print."""
    scope = current_scope()
    week = week_before(session(), scope, clock.today())
    return render_template(
        "reports/week.html",
        title=writing.title(week),
        sentences=writing.sentences(week),
        warnings=writing.warnings(week),
        week=week,
        whose=whose_week(session(), scope, current_user()),
        wished=current_user().weekly_summary,
    )


@bp.post("/wish")
@may(May.SEE_DASHBOARD)
def wish() -> ResponseReturnValue:
    """Begin or stop to get it on Mondays."""
    with transaction():
        user = current_user()
        user.weekly_summary = not user.weekly_summary
        wished = user.weekly_summary
    flash(_("You get the week by e-mail every Monday.") if wished else _("You no longer get the week by e-mail."))
    return redirect(url_for(".show"))
