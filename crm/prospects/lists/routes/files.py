"""Files of people to take away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.background import ring
from crm.db import session, transaction
from crm.prospects.lists import queries
from crm.prospects.lists.forms import ExportForm
from crm.prospects.lists.models import PeopleExport
from crm.prospects.lists.routes.blueprint import asked_here, bp
from crm.prospects.lists.rules import COLUMNS, EXPORT_STATES, NUMBERS, USUAL_COLUMNS, Column, ExportState
from crm.prospects.lists.services import exporting
from crm.prospects.lists.showing import in_words
from crm.prospects.queries.lists import count_list
from crm.prospects.routes.listing import MOST_COUNTED_NARROWED, Asked
from crm.web.attachments import attachment
from crm.web.filters import in_number
from crm.web.forms import refusals_on
from crm.web.guard import may
from crm.web.language import chosen
from tasks.lists import write_export


@bp.get("/exports/new")
@may(May.EXPORT_PEOPLE)
def export_form() -> ResponseReturnValue:
    """Which columns the file shall hold."""
    now = current_user().list_columns or [str(one) for one in USUAL_COLUMNS]
    usual = {*now, Column.PLACE.value, Column.NEIGHBOURHOOD.value, Column.BIRTH.value, Column.ADDRESS.value}
    return _export_page(ExportForm(formdata=None, data={"columns": sorted(usual)}), asked_here())


def _export_page(form: ExportForm, asked: Asked) -> str:
    form.offer(tuple(Column))
    scope, today = current_scope(), clock.today()
    filters = asked.narrowing.filters(session(), scope, today)
    return render_template(
        "prospects/lists/export_new.html",
        form=form,
        asked=asked,
        words=in_words(session(), scope, asked.narrowing, asked.q),
        count=count_list(session(), scope, filters, asked.q, MOST_COUNTED_NARROWED, today=today),
        most=MOST_COUNTED_NARROWED,
    )


@bp.post("/exports/new")
@may(May.EXPORT_PEOPLE)
def export() -> ResponseReturnValue:
    """Put a file on record and let it be written."""
    form, asked = ExportForm(), asked_here()
    form.offer(tuple(Column))
    if form.validate():
        with refusals_on(form), transaction() as current:
            row = exporting.ask_for_export(
                current,
                current_scope(),
                asked.narrowing,
                asked.q,
                form.columns.data or [],
                words=in_words(current, current_scope(), asked.narrowing, asked.q),
                full_numbers=form.full_numbers.data,
                language=chosen(),
                by=current_user(),
                at=clock.now(),
            )
            export_id = row.id
        if not form.errors:
            ring(write_export, str(export_id))
            return redirect(url_for(".show_export", export_id=export_id), 303)
    return _export_page(form, asked), 422


@bp.get("/exports")
@may(May.SEE_EXPORTS)
def listing_exports() -> ResponseReturnValue:
    """Who took which list away, when, and with which columns."""
    scope, user, cursor = current_scope(), current_user(), request.args.get("cursor")
    page = queries.page_of_exports(session(), scope, user, cursor=cursor, size=30)
    shown = [(row, name, _export_words(row)) for row, name in page.rows]
    return render_template("prospects/lists/exports.html", page=page, shown=shown, states=EXPORT_STATES, user=user)


def _export_words(row: PeopleExport) -> Mapping[str, Any]:
    """What a file was asked for, and of which columns."""
    found = [Column(column) for column in row.columns]
    return {
        "asked": row.words,
        "columns": ", ".join(str(COLUMNS[one]) for one in found),
        "numbers": any(one in NUMBERS for one in found),
    }


@bp.get("/exports/<uuid:export_id>")
@may(May.SEE_EXPORTS)
def show_export(export_id: UUID) -> ResponseReturnValue:
    """A file: being written, ready to be fetched, or over."""
    row = queries.export_seen(session(), current_scope(), current_user(), export_id)
    ready = row.state is ExportState.READY and row.expires_at is not None and clock.now() < row.expires_at
    return render_template(
        "prospects/lists/export.html",
        row=row,
        words=_export_words(row),
        at_work=row.state in (ExportState.WAITING, ExportState.WORKING),
        ready=ready,
        mine=row.by_id == current_user().id and current_user().may(May.EXPORT_PEOPLE),
        why=exporting.problem_words(row.problem) if row.state is ExportState.FAILED else None,
        told=_progress_words(row),
    )


def _progress_words(row: PeopleExport) -> str:
    done = {"state": EXPORT_STATES[row.state], "done": in_number(row.done), "total": in_number(row.total)}
    return str(_("%(state)s: %(done)s of %(total)s people", **done))


@bp.get("/exports/<uuid:export_id>/progress")
@may(May.SEE_EXPORTS)
def export_progress(export_id: UUID) -> Response:
    """How far a file is, for the page that waits."""
    row = queries.export_seen(session(), current_scope(), current_user(), export_id)
    finished = row.state not in (ExportState.WAITING, ExportState.WORKING)
    following = url_for(".show_export", export_id=export_id) if finished else None
    return jsonify(done=row.done, total=row.total, text=_progress_words(row), finished=finished, next=following)


@bp.get("/exports/<uuid:export_id>/file")
@may(May.EXPORT_PEOPLE)
def export_file(export_id: UUID) -> Response:
    """The file itself, for whoever asked for it; that it was fetched is kept."""
    with transaction() as current:
        row = queries.export_seen(current, current_scope(), current_user(), export_id)
        content = exporting.fetch(current, row, by=current_user(), at=clock.now())
    return attachment(content, _("people.xlsx"))
