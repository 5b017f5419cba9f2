"""Acts on many people at once, and undoing them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.prospects.lists import bulk, queries
from crm.prospects.lists.forms import ActForm
from crm.prospects.lists.models import BulkAct
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.routes.blueprint import asked_here, bp
from crm.prospects.lists.rules import ACT_STATES, ACTS_AT_WORK, UNDONE_WITHIN, WHY, ActState
from crm.prospects.lists.services import acts
from crm.prospects.lists.showing import in_words, tags_to_choose, volunteers_to_choose
from crm.prospects.queries.lists import count_list, list_of
from crm.prospects.routes.listing import MOST_COUNTED_NARROWED, PAGE, Asked
from crm.web.filters import in_number
from crm.web.forms import refusals_on
from crm.web.guard import may
from tasks.lists import work_on_act

MOST_NAMED = 200
"""People an act left out that its page names."""


@bp.get("/choose")
@may(May.EDIT_PEOPLE)
def choose() -> ResponseReturnValue:
    """The list with boxes to tick, and what can be done to those ticked."""
    return _choose_page(_act_form(ActForm(formdata=None)), asked_here())


def _act_form(form: ActForm) -> ActForm:
    scope, user = current_scope(), current_user()
    kinds = [(kind.key, kind.words) for kind in bulk.kinds().values() if user.may(kind.permission)]
    helpers = volunteers_to_choose(session(), scope) if user.may(May.ASSIGN) else []
    form.offer(kinds, helpers, tags_to_choose(session(), scope))
    return form


def _choose_page(form: ActForm, asked: Asked) -> str:
    scope, today = current_scope(), clock.today()
    filters = asked.narrowing.filters(session(), scope, today)
    cursor = request.args.get("cursor")
    found = list_of(session(), scope, filters, asked.q, cursor=cursor, size=PAGE, today=today)
    count = count_list(session(), scope, filters, asked.q, MOST_COUNTED_NARROWED, today=today)
    following = url_for(".choose", **asked.args, cursor=found.next) if found.next else None
    words = in_words(session(), scope, asked.narrowing, asked.q)
    return render_template(
        "prospects/lists/choose.html",
        form=form,
        asked=asked,
        people=found.rows,
        count=count,
        most=MOST_COUNTED_NARROWED,
        next_url=following,
        today=today,
        words=words,
    )


@bp.post("/choose")
@may(May.EDIT_PEOPLE)
def act() -> ResponseReturnValue:
    """Do it: a few people at once, more in the background; either can be undone for a day."""
    form, asked = _act_form(ActForm()), asked_here()
    if form.validate():
        with refusals_on(form), transaction() as current:
            row = _begin(current, form, asked)
            address, waits = url_for(".show_act", act_id=row.id), row.state is ActState.WAITING
            ids = str(row.town_id), str(row.id)
            told = None if waits else _told(current, row)
            _after(told, row)
            answer = redirect(address if waits else url_for("prospects.listing", **asked.args), 303)
        if not form.errors:
            if waits:
                ring(work_on_act, *ids)
            return answer
    return _choose_page(form, asked), 422


def _begin(current: Any, form: ActForm, asked: Asked) -> BulkAct:
    meant = acts.Meant(narrowing=asked.narrowing, q=asked.q) if form.whole.data else _ticked(form)
    row = acts.ask_for(
        current, current_scope(), form.kind.data or "", form.sent, meant, by=current_user(), at=clock.now()
    )
    if acts.is_small(row):
        acts.work_at_once(current, row, at=clock.now())
    if row.state is ActState.FAILED:
        raise RuleBroken(row.problem or "")
    return row


def _ticked(form: ActForm) -> acts.Meant:
    try:
        return acts.Meant([UUID(one) for one in form.people.data or []])
    except ValueError:
        raise RuleBroken(_("Some of these people are not in your list. Open the list again."), field="people") from None


def _told(current: Any, row: BulkAct) -> str:
    """What was done to how many, in words."""
    changed = acts.done_to(current, row)
    words = bulk.kind_of(row.kind).told(row.detail)
    people = ngettext("%(num)s person", "%(num)s people", changed)
    left = row.people - changed
    if left:
        return str(
            _("%(act)s: %(people)s; %(left)s left as they were.", act=words, people=people, left=in_number(left))
        )
    return str(_("%(act)s: %(people)s.", act=words, people=people))


def _after(told: str | None, row: BulkAct) -> None:
    if told is not None:
        flash((told, url_for("lists.undo_act", act_id=row.id)), "undo")  # type: ignore[arg-type]


@bp.get("/acts")
@may(May.EDIT_PEOPLE)
def listing_acts() -> ResponseReturnValue:
    """What was done to many people at once, the newest first."""
    cursor = request.args.get("cursor")
    page = queries.page_of_acts(session(), current_scope(), current_user(), cursor=cursor, size=30)
    return render_template("prospects/lists/acts.html", page=page, kinds=bulk.kinds(), states=ACT_STATES)


@bp.get("/acts/<uuid:act_id>")
@may(May.EDIT_PEOPLE)
def show_act(act_id: UUID) -> ResponseReturnValue:
    """An act on many people: at work, or what became of whom."""
    row = queries.act_seen(session(), current_scope(), current_user(), act_id)
    tally = queries.tally_of(session(), row)
    undoable = row.state is ActState.DONE and clock.now() <= row.at + UNDONE_WITHIN
    scope, words = current_scope(), None
    if row.asked is not None:
        words = in_words(session(), scope, Narrowing.from_args(row.asked), row.q)
    return render_template(
        "prospects/lists/act.html",
        row=row,
        kind=bulk.kind_of(row.kind),
        tally=tally,
        why=WHY,
        states=ACT_STATES,
        at_work=row.state in ACTS_AT_WORK,
        undoable=undoable,
        words=words,
        told=_act_words(row),
        named=queries.exceptions_of(session(), scope, row, MOST_NAMED),
    )


def _act_words(row: BulkAct) -> str:
    done = {"state": ACT_STATES[row.state], "done": in_number(row.done), "total": in_number(row.people)}
    return str(_("%(state)s: %(done)s of %(total)s people", **done))


@bp.get("/acts/<uuid:act_id>/progress")
@may(May.EDIT_PEOPLE)
def act_progress(act_id: UUID) -> Response:
    """How far an act is, for the page that waits."""
    row = queries.act_seen(session(), current_scope(), current_user(), act_id)
    finished = row.state not in ACTS_AT_WORK
    following = url_for(".show_act", act_id=act_id) if finished else None
    return jsonify(done=row.done, total=row.people, text=_act_words(row), finished=finished, next=following)


@bp.post("/acts/<uuid:act_id>/undo")
@may(May.EDIT_PEOPLE)
def undo_act(act_id: UUID) -> ResponseReturnValue:
    """Undo an act for those nobody touched since; what is undone already is told on the act's own page."""
    try:
        _undo(act_id)
    except RuleBroken as refusal:
        flash(str(refusal.message), "warning")
    return redirect(url_for(".show_act", act_id=act_id), 303)


def _undo(act_id: UUID) -> None:
    with transaction() as current:
        row = queries.act_seen(current, current_scope(), current_user(), act_id)
        acts.undo(current, row, by=current_user(), at=clock.now())
        if acts.is_small(row):
            acts.work_at_once(current, row, at=clock.now())
        waits, ids = row.state is ActState.UNDOING, (str(row.town_id), str(row.id))
    if waits:
        ring(work_on_act, *ids)
