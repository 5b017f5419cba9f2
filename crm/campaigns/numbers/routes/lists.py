"""Do-not-call lists: handed in, looked at, in force."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.campaigns.numbers import queries
from crm.campaigns.numbers.forms import ListForm
from crm.campaigns.numbers.models import DoNotCallList
from crm.campaigns.numbers.rules import AT_WORK, LIST_STATES, WANTED, ListState
from crm.campaigns.numbers.services import lists
from crm.db import session, transaction
from crm.prospects.rules import Purpose
from crm.web.filters import in_number as in_figures
from crm.web.forms import refusals_on
from crm.web.guard import may
from tasks.numbers import work_on_list

bp = Blueprint("refusal_lists", __name__, url_prefix="/do-not-call")


def _wanted(row: DoNotCallList) -> str:
    return str(WANTED["all"] if len(row.purposes) == len(Purpose) else WANTED[row.purposes[0]])


bp.context_processor(lambda: {"states": LIST_STATES, "wanted": _wanted})


def _list(refusal_list_id: UUID) -> DoNotCallList:
    return queries.list_of(session(), current_user().town_id, refusal_list_id)


def _back_to(row_id: UUID) -> ResponseReturnValue:
    return redirect(url_for(".show", refusal_list_id=row_id), 303)


@bp.get("")
@may(May.SEE_MESSAGES)
def listing() -> ResponseReturnValue:
    """Lists that were handed in, the latest first."""
    found = queries.lists_page(session(), current_user().town_id, cursor=request.args.get("cursor"))
    return render_template("campaigns/numbers/lists.html", page=found)


@bp.get("/new")
@may(May.RUN_CAMPAIGNS)
def new() -> ResponseReturnValue:
    """Choose the file."""
    return render_template("campaigns/numbers/new_list.html", form=ListForm(formdata=None))


@bp.post("/new")
@may(May.RUN_CAMPAIGNS)
def hand_in() -> ResponseReturnValue:
    """Take the file in; its numbers are read next. The same file again leads to what it was before."""
    form, by = ListForm(), current_user()
    if form.validate():
        with refusals_on(form), transaction() as current:
            row, is_new = lists.hand_in(current, by.town_id, by_id=by.id, at=clock.now(), **form.values)
        if not is_new:
            flash(_("This very file was handed in before. Here it is."), "message")
        ring(work_on_list, str(by.town_id), str(row.id))
        return _back_to(row.id)
    return render_template("campaigns/numbers/new_list.html", form=form), 422


@bp.get("/<uuid:refusal_list_id>")
@may(May.SEE_MESSAGES)
def show(refusal_list_id: UUID) -> ResponseReturnValue:
    """A list where it stands: read, waiting for a word, in force."""
    row = _list(refusal_list_id)
    if row.state in AT_WORK:
        return render_template("campaigns/numbers/list_at_work.html", row=row, words=_words(row))
    meant = queries.meant(session(), row) if row.state is ListState.READY else None
    trouble = _(row.trouble) if row.trouble else None
    return render_template("campaigns/numbers/list.html", row=row, meant=meant, trouble=trouble)


def _words(row: DoNotCallList) -> str:
    if row.state is ListState.QUEUED:
        return str(_("The numbers are being read."))
    return str(_("%(done)s of %(all)s numbers", done=in_figures(row.done), all=in_figures(row.numbers)))


@bp.get("/<uuid:refusal_list_id>/progress")
@may(May.SEE_MESSAGES)
def progress(refusal_list_id: UUID) -> Response:
    """How far it is, for the page that waits."""
    row = _list(refusal_list_id)
    finished = row.state not in AT_WORK
    url = url_for(".show", refusal_list_id=row.id)
    return jsonify(done=row.done, total=row.numbers, text=_words(row), finished=finished, next=url)


@bp.post("/<uuid:refusal_list_id>/confirm")
@may(May.RUN_CAMPAIGNS)
def confirm(refusal_list_id: UUID) -> ResponseReturnValue:
    """These numbers get no more of these messages."""
    by = current_user()
    with transaction() as current:
        lists.confirm(current, _list(refusal_list_id), by_id=by.id, at=clock.now())
    ring(work_on_list, str(by.town_id), str(refusal_list_id))
    return _back_to(refusal_list_id)


@bp.post("/<uuid:refusal_list_id>/drop")
@may(May.RUN_CAMPAIGNS)
def drop(refusal_list_id: UUID) -> ResponseReturnValue:
    """It was the wrong file."""
    with transaction() as current:
        lists.drop(current, _list(refusal_list_id), at=clock.now())
    return _back_to(refusal_list_id)
