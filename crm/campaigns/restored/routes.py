"""The operator's page after a restore."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from crm import clock
from crm.accounts.gateway import current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.campaigns.files.forms import HandInForm
from crm.campaigns.files.services.regaining import regain
from crm.campaigns.restored import queries, services
from crm.campaigns.restored.gateway import carriers_list_of
from crm.campaigns.restored.models import RestoreCheck
from crm.campaigns.restored.rules import AT_WORK, CHECK_STATES, Group
from crm.campaigns.rules.delivery import DELIVERY_NAMES
from crm.campaigns.services.sending import is_held
from crm.db import session, transaction
from crm.errors import NotFound
from crm.web.filters import in_number
from crm.web.forms import refusals_on
from crm.web.guard import may
from tasks.campaigns import send_some
from tasks.restored import compare

bp = Blueprint("restored", __name__, url_prefix="/messages")
bp.context_processor(lambda: {"check_states": CHECK_STATES, "delivery_names": DELIVERY_NAMES})


@bp.get("/restored")
@may(May.SEE_MESSAGES)
def show() -> ResponseReturnValue:
    """What waits, beside what the carrier says it has sent already."""
    return _page(HandInForm())


@bp.post("/restored/file")
@may(May.RUN_CAMPAIGNS)
def hand_in() -> ResponseReturnValue:
    """A file for the gateway that was downloaded after the backup: its messages have left."""
    form, by = HandInForm(), current_user()
    if form.validate():
        with refusals_on(form), transaction() as current:
            told = regain(current, by.town_id, form.file.data.read(), by_id=by.id, at=clock.now())
            words = _(
                "File %(number)s: %(found)s messages that waited here have left already; %(strange)s are unknown to this copy.",
                number=told.number,
                found=in_number(told.found),
                strange=in_number(told.strange),
            )
            flash(words, "success")
            return redirect(url_for(".show"), 303)
    return _page(form), 422


def _page(form: HandInForm) -> str:
    town_id = current_user().town_id
    check, held = queries.latest_check(session(), town_id), is_held(session(), town_id)
    compared = check is not None and check.state not in AT_WORK
    drawn: str = render_template(
        "campaigns/restored/show.html",
        check=check,
        at_work=check is not None and not compared,
        words=_words(check),
        held=held,
        groups=queries.groups(session(), town_id, check, held=held),
        waiting=queries.how_many_wait(session(), town_id, held=held),
        strange=queries.strange(session(), check) if check is not None and compared else None,
        refused=queries.refused_since(session(), check) if check is not None and compared else 0,
        carrier=carriers_list_of(current_app.config["SETTINGS"]) is not None,
        by_file=queries.by_file(session(), town_id, held=held),
        form=form,
    )
    return drawn


def _words(check: RestoreCheck | None) -> str:
    if check is None:
        return ""
    return str(_("%(told)s messages on the carrier's list so far", told=in_number(check.told)))


@bp.get("/restored/progress")
@may(May.SEE_MESSAGES)
def progress() -> Response:
    """How far the comparison is, for the page that waits."""
    check = queries.latest_check(session(), current_user().town_id)
    finished = check is None or check.state not in AT_WORK
    return jsonify(done=0, total=0, text=_words(check), finished=finished, next=url_for(".show"))


@bp.post("/restored/compare")
@may(May.RUN_CAMPAIGNS)
def ask_again() -> ResponseReturnValue:
    """Ask the carrier once more."""
    by = current_user()
    with transaction() as current:
        services.ask_again(current, by.town_id, by_id=by.id, at=clock.now())
        check = queries.latest_check(current, by.town_id)
        check_id = check.id if check else None
    ring(compare, str(by.town_id), str(check_id))
    return redirect(url_for(".show"), 303)


@bp.post("/release")
@may(May.RUN_CAMPAIGNS)
def release() -> ResponseReturnValue:
    """All that still waits may leave."""
    with transaction() as current:
        moved = services.release_all(current, current_user().town_id, at=clock.now())
    return _gone(moved)


@bp.post("/restored/release")
@may(May.RUN_CAMPAIGNS)
def release_group() -> ResponseReturnValue:
    """One group may leave; the others wait on."""
    group = _group()
    with transaction() as current:
        moved = services.release_group(current, current_user().town_id, group, at=clock.now())
    return _gone(moved)


def _gone(moved: int) -> ResponseReturnValue:
    ring(send_some)
    flash(ngettext("%(num)s message may leave now.", "%(num)s messages may leave now.", moved), "success")
    return redirect(url_for(".show"), 303)


@bp.post("/restored/call-off")
@may(May.RUN_CAMPAIGNS)
def call_off() -> ResponseReturnValue:
    """One group will not be sent."""
    group = _group()
    with transaction() as current:
        moved = services.call_off_group(current, current_user().town_id, group, at=clock.now())
    flash(ngettext("%(num)s message was called off.", "%(num)s messages were called off.", moved), "success")
    return redirect(url_for(".show"), 303)


def _group() -> Group:
    try:
        return Group.read(request.form.get("group", "").replace("\x00", ""))
    except ValueError:
        raise NotFound from None
