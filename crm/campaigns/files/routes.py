"""The second way out: what waits for the gateway, files to upload there, and the results it gave back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.campaigns.files import queries
from crm.campaigns.files.forms import (
    AskForm,
    HandInForm,
    PeopleForm,
    TakeBackForm,
    WaysForm,
    columns_chosen,
    words_chosen,
)
from crm.campaigns.files.models import SmsFile, SmsResults
from crm.campaigns.files.rules import BECAME, FILE_STATES, PURPOSE_MARKS, RESULT_FIELDS, FileState, ResultState
from crm.campaigns.files.services import making, results
from crm.campaigns.rules.delivery import DELIVERY_NAMES, LOST, Delivery
from crm.campaigns.rules.reasons import REASONS
from crm.campaigns.rules.stages import PURPOSE_NAMES
from crm.campaigns.rules.ways import WAYS
from crm.campaigns.services.sending import settings_of
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.prospects.queries.seeing import visible_to
from crm.prospects.reading.columns import letter_of
from crm.web.attachments import attachment
from crm.web.filters import in_number
from crm.web.forms import refusals_on
from crm.web.guard import may
from tasks.files import load_results, make_file

bp = Blueprint("message_files", __name__, url_prefix="/messages/files")
bp.context_processor(
    lambda: {
        "file_states": FILE_STATES,
        "purpose_names": PURPOSE_NAMES,
        "delivery_names": DELIVERY_NAMES,
        "reasons": REASONS,
        "became_words": BECAME,
    }
)
PAGE = 30
LATEST = 10
"""So many results stand below the files; a page of their own shows all."""
GROUPS: Mapping[str, frozenset[Delivery]] = {
    "open": frozenset({Delivery.HANDED_OVER}),
    "arrived": frozenset({Delivery.SENT, Delivery.DELIVERED}),
    "lost": LOST,
}


def _town() -> UUID:
    return current_scope().town_id


def _file(file_id: UUID) -> SmsFile:
    return queries.file_of(session(), _town(), file_id)


def _told(states: Mapping[Delivery, int]) -> dict[str, int]:
    """How many have no result yet, arrived, or did not."""
    return {name: sum(states.get(one, 0) for one in group) for name, group in GROUPS.items()}


# ---- files


@bp.get("")
@may(May.RUN_CAMPAIGNS)
def listing() -> ResponseReturnValue:
    """What waits for the gateway, and the files that were made of it."""
    page = queries.files_page(session(), _town(), cursor=request.args.get("cursor"), size=PAGE)
    states = queries.states_in(session(), _town(), [row.id for row in page.rows])
    settings = settings_of(session(), _town())
    return render_template(
        "campaigns/files/listing.html",
        page=page,
        told={key: _told(found) for key, found in states.items()},
        waiting=queries.waiting(session(), _town(), clock.now()),
        results=queries.results_page(session(), _town(), size=LATEST),
        hours=settings.hours,
        held=settings.held_since,
        ways=queries.ways_of(session(), _town()),
    )


@bp.post("")
@may(May.RUN_CAMPAIGNS)
def ask() -> ResponseReturnValue:
    """Let a file be made of what waits; it is shown as soon as it is there."""
    form = AskForm()
    if not form.validate():
        raise RuleBroken(_("Choose of what a file is to be made."))
    with transaction() as current:
        file_id = making.ask(current, _town(), form.what, by_id=current_user().id, at=clock.now())
    ring(make_file, str(_town()), str(file_id))
    return redirect(url_for(".show", file_id=file_id), 303)


@bp.get("/<uuid:file_id>")
@may(May.RUN_CAMPAIGNS)
def show(file_id: UUID) -> ResponseReturnValue:
    """A file: take it away, upload it, hand its results back; or say that it was never uploaded."""
    return _page_of(_file(file_id), TakeBackForm())


def _page_of(file: SmsFile, form: TakeBackForm) -> str:
    if file.state is FileState.MAKING:
        return render_template("campaigns/files/making.html", file=file)
    states = queries.states_in(session(), file.town_id, [file.id])[file.id]
    return render_template(
        "campaigns/files/show.html",
        file=file,
        form=form,
        told=_told(states),
        uploaded=queries.told_of(session(), file),
        results=queries.results_page(session(), file.town_id, file.id, size=LATEST),
        hours=settings_of(session(), file.town_id).hours,
    )


@bp.get("/<uuid:file_id>/progress")
@may(May.RUN_CAMPAIGNS)
def progress(file_id: UUID) -> Response:
    """Whether the file is made, for the page that waits."""
    file = _file(file_id)
    there = file.state is not FileState.MAKING
    return jsonify(
        done=int(there), total=1, text=_("Being made…"), finished=there, next=url_for(".show", file_id=file_id)
    )


@bp.get("/<uuid:file_id>/file")
@may(May.RUN_CAMPAIGNS)
def download(file_id: UUID) -> ResponseReturnValue:
    """The file itself, the same each time."""
    with transaction():
        file = _file(file_id)
        if file.content is None:
            return redirect(url_for(".show", file_id=file_id), 303)
        making.was_downloaded(file, clock.now())
        content, name = file.content, f"tin-nhan-{file.number}-{PURPOSE_MARKS[file.purpose]}.csv"
    return attachment(content, name)


@bp.post("/<uuid:file_id>/take-back")
@may(May.RUN_CAMPAIGNS)
def take_back(file_id: UUID) -> ResponseReturnValue:
    """It was never uploaded: its messages wait again."""
    file, form = _file(file_id), TakeBackForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            many = making.take_back(current, file, form.why.data or "", by=current_user(), at=clock.now())
            told = ngettext("%(num)s message waits again.", "%(num)s messages wait again.", many)
            flash(told, "success")
            return redirect(url_for(".show", file_id=file_id), 303)
    return _page_of(_file(file_id), form), 422


@bp.get("/<uuid:file_id>/people")
@may(May.RUN_CAMPAIGNS)
def people(file_id: UUID) -> ResponseReturnValue:
    """Who stood in a file and what became of it."""
    file, form = _file(file_id), PeopleForm(request.args)
    which = GROUPS.get(form.which.data or "") if form.validate() else None
    found = queries.people_page(
        session(),
        file.town_id,
        file.id,
        visible_to(current_scope()),
        states=which,
        cursor=request.args.get("cursor"),
        size=PAGE,
    )
    return render_template("campaigns/files/people.html", file=file, form=form, page=found)


# ---- results


@bp.get("/results")
@may(May.RUN_CAMPAIGNS)
def all_results() -> ResponseReturnValue:
    """All results that were handed back, or those of one file."""
    file, cursor = _file_asked(), request.args.get("cursor")
    page = queries.results_page(session(), _town(), file.id if file else None, cursor=cursor, size=PAGE)
    return render_template("campaigns/files/all_results.html", page=page, file=file)


@bp.get("/results/new")
@may(May.RUN_CAMPAIGNS)
def new_results() -> ResponseReturnValue:
    """Choose the gateway's file of results."""
    return render_template("campaigns/files/hand_in.html", form=HandInForm(), file=_file_asked())


def _file_asked() -> SmsFile | None:
    text = request.args.get("file", "")
    try:
        return _file(UUID(text)) if text else None
    except ValueError:
        return None


@bp.post("/results/new")
@may(May.RUN_CAMPAIGNS)
def hand_in() -> ResponseReturnValue:
    """Take the results in; their columns and words are looked at next."""
    form, file = HandInForm(), _file_asked()
    if form.validate():
        content, name = form.file.data.read(), form.file.data.filename or "results"
        with refusals_on(form), transaction() as current:
            taken = results.take_in(
                current,
                _town(),
                name,
                content,
                file_id=file.id if file else None,
                by_id=current_user().id,
                at=clock.now(),
            )
            if taken.state is not ResultState.COLUMNS:
                flash(_("This very file was handed in before. Here it is."), "message")
            return redirect(url_for(".show_results", results_id=taken.id), 303)
    return render_template("campaigns/files/hand_in.html", form=form, file=file), 422


def _results(results_id: UUID) -> SmsResults:
    return queries.results_of(session(), _town(), results_id)


@bp.get("/results/<uuid:results_id>")
@may(May.RUN_CAMPAIGNS)
def show_results(results_id: UUID) -> ResponseReturnValue:
    """Results where they stand: their columns and words, their loading, or what they told."""
    row = _results(results_id)
    if row.state is ResultState.COLUMNS:
        return _columns(row, row.found["columns"], None)
    file = _file(row.file_id) if row.file_id else None
    return render_template("campaigns/files/results.html", row=row, file=file, words=_progress_words(row))


def _progress_words(row: SmsResults) -> str:
    return str(_("%(done)s of %(all)s lines", done=in_number(row.done), all=in_number(row.rows)))


def _columns(row: SmsResults, columns: Mapping[str, str], refused: str | None) -> str:
    try:
        words = results.words_in(row, columns)
    except RuleBroken as refusal:
        words, refused = {}, refused or str(refusal.message)
    found = row.found
    shown = [
        {"letter": letter_of(place), "heading": heading, "samples": found["samples"][place]}
        for place, heading in enumerate(found["headings"])
    ]
    drawn: str = render_template(
        "campaigns/files/columns.html",
        row=row,
        columns=shown,
        chosen=columns,
        fields=RESULT_FIELDS,
        words=words,
        refused=refused,
    )
    return drawn


@bp.post("/results/<uuid:results_id>")
@may(May.RUN_CAMPAIGNS)
def confirm(results_id: UUID) -> ResponseReturnValue:
    """The columns and words are right: load the results; or show them with these columns."""
    row = _results(results_id)
    chosen = columns_chosen(request.form, [letter_of(place) for place in range(len(row.found["headings"]))])
    if row.state is ResultState.COLUMNS and request.form.get("step") == "preview":
        return _columns(row, chosen, None)
    try:
        with transaction() as current:
            results.confirm(current, row, chosen, _words(row, chosen), at=clock.now())
    except RuleBroken as refusal:
        if row.state is not ResultState.COLUMNS:
            return redirect(url_for(".show_results", results_id=results_id), 303)
        return _columns(_results(results_id), chosen, str(refusal.message)), 422
    ring(load_results, str(_town()), str(results_id))
    return redirect(url_for(".show_results", results_id=results_id), 303)


def _words(row: SmsResults, chosen: Mapping[str, str]) -> dict[str, str]:
    if row.state is not ResultState.COLUMNS:
        return {}
    return words_chosen(request.form, list(results.words_in(row, chosen)))


@bp.get("/results/<uuid:results_id>/progress")
@may(May.RUN_CAMPAIGNS)
def results_progress(results_id: UUID) -> Response:
    """How far the loading is, for the page that waits."""
    row: Any = _results(results_id)
    return jsonify(
        done=row.done,
        total=row.rows,
        text=_progress_words(row),
        finished=row.state is not ResultState.QUEUED,
        next=url_for(".show_results", results_id=results_id),
    )


@bp.post("/results/<uuid:results_id>/give-up")
@may(May.RUN_CAMPAIGNS)
def give_up(results_id: UUID) -> ResponseReturnValue:
    """Forget results that were not loaded."""
    with transaction() as current:
        results.give_up(current, _results(results_id))
    return redirect(url_for(".listing"), 303)


# ---- ways


@bp.get("/ways")
@may(May.RUN_CAMPAIGNS)
def ways() -> ResponseReturnValue:
    """Which ways out the town has and how its gateway wants a file."""
    return render_template(
        "campaigns/files/ways.html", form=WaysForm.showing(queries.ways_of(session(), _town())), ways=WAYS
    )


@bp.post("/ways")
@may(May.RUN_CAMPAIGNS)
def choose_ways() -> ResponseReturnValue:
    """Keep what was chosen."""
    form = WaysForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            making.choose_ways(current, _town(), form.values, by=current_user(), at=clock.now())
            flash(_("Kept."), "success")
            return redirect(url_for(".listing"), 303)
    return render_template("campaigns/files/ways.html", form=form, ways=WAYS), 422
