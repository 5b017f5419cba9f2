"""The insurance office's referral list: who is to be sent, lists that were sent, and what was answered."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.participation.referrals import exporting, queries, services
from crm.participation.referrals.forms import AnswerForm, SendForm
from crm.participation.referrals.rules import ANSWERS, STATES, State
from crm.participation.screening.rules import SENTENCES
from crm.web.attachments import attachment
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("referrals", __name__)


@bp.get("/referrals")
@may(May.SEE_PEOPLE)
def listing() -> ResponseReturnValue:
    """Referrals by state."""
    return _listing_page(SendForm(formdata=None, data={"sent_on": clock.today()}), AnswerForm(formdata=None))


@bp.post("/referrals/send")
@may(May.EXPORT_PEOPLE)
def send() -> ResponseReturnValue:
    """Put those ticked into a numbered list."""
    form = SendForm()
    if form.validate() and form.sent_on.data:
        with refusals_on(form), transaction() as current:
            on, by, at = form.sent_on.data, current_user(), clock.now()
            made = services.send(current, current_scope(), form.ids, on=on, by=by, at=at)
            flash(_("List %(number)s is made. Take the file and hand it over.", number=f"{made.number}/{made.year}"))
            return redirect(url_for(".listing", state=State.SENT.value))
    return _listing_page(form, AnswerForm(formdata=None)), 422


@bp.post("/referrals/<uuid:referral_id>/answer")
@may(May.EXPORT_PEOPLE)
def answer(referral_id: UUID) -> ResponseReturnValue:
    """Keep what the office answered of one person."""
    form = AnswerForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            given, by = (form.answer.data, form.note.data), current_user()
            services.record_answer(current, current_scope(), referral_id, *given, by=by, at=clock.now())
            flash(_("The answer is kept."), "success")
            return redirect(url_for(".listing", state=State.SENT.value))
    return _listing_page(SendForm(formdata=None, data={"sent_on": clock.today()}), form), 422


@bp.get("/referrals/lists/<uuid:list_id>.xlsx")
@may(May.EXPORT_PEOPLE)
def workbook(list_id: UUID) -> ResponseReturnValue:
    """A list as a file for the office."""
    with transaction() as current:
        sent, lines = queries.list_seen(current, current_scope(), list_id)
        content = exporting.workbook(current, sent, lines, by=current_user(), at=clock.now())
        name = f"gioi-thieu-bhxh-bat-buoc-{sent.number}-{sent.year}.xlsx"
    return attachment(content, name)


def _listing_page(form: SendForm, answering: AnswerForm) -> str:
    asked = request.args.get("state", "")
    state = State(asked) if asked in set(State) else State.SENT if answering.errors else State.TO_SEND
    shown = queries.page_of(session(), current_scope(), state, cursor=request.args.get("cursor"))
    return render_template(
        "participation/referrals.html",
        form=form,
        answering=answering,
        state=state,
        states=STATES,
        answers=ANSWERS,
        sentences=SENTENCES,
        counts=queries.counts(session(), current_scope()),
        lists=queries.lists_of(session(), current_scope()),
        shown=shown,
        ticked=set(form.referrals.data or [str(line.row.id) for line in shown.rows]),
        may_send=current_user().may(May.EXPORT_PEOPLE),
    )
