"""Moving the program's time, to see at any hour what happens at another. Not in production."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.rules import May
from crm.db import transaction
from crm.timekeeping.forms import ClockForm
from crm.timekeeping.services import move
from crm.web.guard import may

bp = Blueprint("timekeeping", __name__)


@bp.get("/clock")
@may(May.MOVE_CLOCK)
def show_clock() -> ResponseReturnValue:
    """What time it is for the program."""
    form = ClockForm(moment=clock.now().astimezone(clock.LOCAL))
    return render_template("timekeeping/clock.html", form=form, now=clock.now(), can_move=_can_move())


@bp.post("/clock")
@may(May.MOVE_CLOCK)
def move_clock() -> ResponseReturnValue:
    """Let it be another time."""
    form = ClockForm()
    if not _can_move():
        abort(403)
    if not form.validate() or form.moment.data is None:
        return render_template("timekeeping/clock.html", form=form, now=clock.now(), can_move=True), 422
    with transaction() as session:
        move(session, form.moment.data.replace(tzinfo=clock.LOCAL))
    flash(_("The program's time has been moved."), "success")
    return redirect(url_for(".show_clock"))


@bp.post("/clock/right")
@may(May.MOVE_CLOCK)
def put_clock_right() -> ResponseReturnValue:
    """Let it be the real time again."""
    if not _can_move():
        abort(403)
    with transaction() as session:
        move(session, None)
    flash(_("The program's time is the real time again."), "success")
    return redirect(url_for(".show_clock"))


def _can_move() -> bool:
    """Not in production, and not where CRM_CLOCK fixes it."""
    return bool(current_app.extensions["clock"].asks)
