"""Lists of people in the browser: hand one in, look at what it would do, load it, decide on rows, take it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from crm.accounts.gateway import current_scope, current_user
from crm.accounts.queries import organisations
from crm.accounts.rules import May
from crm.background import ring
from crm.clock import now, today
from crm.db import session, transaction
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import read_id
from crm.places.models import Place
from crm.places.queries import units_of_all_times
from crm.prospects.importing import queries
from crm.prospects.importing.forms import ColumnsForm, HandInForm, columns_chosen, headings_ticked
from crm.prospects.importing.kinds import KIND_NAMES, KIND_WORDS
from crm.prospects.importing.rules import AT_WORK, COLUMN_NAMES, QUIET, STATE_NAMES, problem_sentence, unit_named
from crm.prospects.importing.services import (
    committing,
    deciding,
    handing_back,
    heading,
    remembering,
    taking_in,
    undoing,
)
from crm.prospects.importing.services.putting_right import Said, put_right
from crm.prospects.importing.showing import beside, columns_of, fields_of, kept_back, shown
from crm.prospects.models import ListImport
from crm.prospects.reading.outcomes import Refusal
from crm.prospects.rules import ImportState, RowOutcome
from crm.web.attachments import attachment
from crm.web.filters import in_number
from crm.web.forms import refusals_on
from crm.web.guard import may
from tasks.prospects import commit_list, read_list, undo_list

bp = Blueprint("imports", __name__, url_prefix="/imports")
bp.context_processor(
    lambda: {
        "state_names": STATE_NAMES,
        "column_names": COLUMN_NAMES,
        "kind_names": KIND_NAMES,
        "endpoints": current_app.view_functions,
    }
)
PAGE = 50

TAB_NAMES = {
    RowOutcome.NEW: _l("New"),
    RowOutcome.CHANGED: _l("Completed"),
    RowOutcome.UNCHANGED: _l("Here already"),
    RowOutcome.DUPLICATE: _l("Set aside"),
    RowOutcome.REJECTED: _l("Rejected"),
}


def _seen(import_id: UUID) -> ListImport:
    return queries.list_seen(session(), current_scope(), import_id)


def _wards() -> list[tuple[UUID, str]]:
    """The wards somebody may load people of, those of today first."""
    scope, day = current_scope(), today()
    found = [
        place
        for place in session().scalars(units_of_all_times(scope.town_id))
        if scope.place_ids is None or place.id in scope.place_ids
    ]
    found.sort(key=lambda place: (not place.valid_on(day), place.name))
    return [(place.id, place.name if place.valid_on(day) else _earlier(place)) for place in found]


def _earlier(place: Any) -> str:
    if place.valid_to and place.valid_to <= today():
        return str(_("%(ward)s (until %(year)s)", ward=place.name, year=place.valid_to.year))
    return str(_("%(ward)s (from %(year)s)", ward=place.name, year=place.valid_from.year))


def _form() -> HandInForm:
    """An empty form with the wards and organisations this person may choose."""
    scope = current_scope()
    found = session().scalars(organisations(scope.town_id))
    own = [(one.id, one.name) for one in found if scope.organisation_id in (None, one.id)]
    return HandInForm.with_choices(_wards(), own)


def _back_to(import_id: UUID, tab: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("imports.show", import_id=import_id, tab=tab), 303)


@bp.get("")
@may(May.IMPORT_PEOPLE)
def listing() -> ResponseReturnValue:
    """Lists that were handed in, the newest first."""
    page = queries.page_of_lists(session(), current_scope(), cursor=request.args.get("cursor"), size=PAGE)
    return render_template("prospects/importing/listing.html", page=page)


@bp.get("/new")
@may(May.IMPORT_PEOPLE)
def new() -> ResponseReturnValue:
    """Choose a file."""
    return render_template("prospects/importing/new.html", form=_form())


@bp.post("/new")
@may(May.IMPORT_PEOPLE)
def hand_in() -> ResponseReturnValue:
    """Take a file in and let it be read."""
    form, user = _form(), current_user()
    if form.validate_on_submit():
        file = form.file.data
        options = {"kind": form.list_kind.value} if form.list_kind else {}
        handed = taking_in.Handed(file.filename or "list", file.read(), form.place_id, form.organisation_id, options)
        with refusals_on(form):
            try:
                with transaction() as current:
                    handed = taking_in.as_remembered(
                        current, user.town_id, handed, by=user, scope=current_scope(), at=now()
                    )
                    row = taking_in.take_in(current, user.town_id, handed, by=user, scope=current_scope(), at=now())
            except RuleBroken as refusal:
                if refusal.code != Refusal.NO_HEADER:
                    raise
                return _to_be_headed(handed)
            ring(read_list, str(row.id))
            return _back_to(row.id)
    return render_template("prospects/importing/new.html", form=form), 422


def _to_be_headed(handed: taking_in.Handed) -> ResponseReturnValue:
    """A list without headings that we know is kept: somebody says where they stand."""
    user = current_user()
    with transaction() as current:
        row = taking_in.take_in_unread(
            current, user.town_id, handed, Refusal.NO_HEADER, by=user, scope=current_scope(), at=now()
        )
    return redirect(url_for("imports.headings", import_id=row.id), 303)


@bp.get("/<uuid:import_id>")
@may(May.IMPORT_PEOPLE)
def show(import_id: UUID) -> ResponseReturnValue:
    """A list where it stands: at work, to be looked at, or done."""
    row = _seen(import_id)
    if row.state in AT_WORK:
        return render_template("prospects/importing/at_work.html", row=row, words=_progress_words(row))
    if row.state is ImportState.FAILED:
        return _failed(row)
    if row.state is ImportState.READY and not row.options.get("checked") and not request.args:
        return redirect(url_for("imports.columns", import_id=import_id), 303)
    return _looked_at(row)


@bp.get("/<uuid:import_id>/columns")
@may(May.IMPORT_PEOPLE)
def columns(import_id: UUID) -> ResponseReturnValue:
    """How the columns were understood, to be put right."""
    row = _seen(import_id)
    if row.state in AT_WORK or not row.found:
        return _back_to(import_id)
    return render_template(
        "prospects/importing/columns.html",
        row=row,
        form=_columns_form(row),
        tables=columns_of(session(), row),
        fields=fields_of(row.kind),
        about=KIND_WORDS[row.kind],
        why=problem_sentence(row.problem),
        may_change=heading.may_be_headed(row),
    )


@bp.get("/<uuid:import_id>/headings")
@may(May.IMPORT_PEOPLE)
def headings(import_id: UUID) -> ResponseReturnValue:
    """How each sheet begins, to say where its headings stand."""
    row = _seen(import_id)
    if not heading.may_be_headed(row):
        return _back_to(import_id)
    return _headings_page(row)


def _headings_page(row: ListImport, wrong: Any = None) -> str:
    return render_template(
        "prospects/importing/headings.html",
        row=row,
        sheets=heading.beginnings(row),
        headed={table["sheet"]: table["header_rows"] for table in (row.found or {}).get("tables", ())},
        wrong=wrong,
        why=problem_sentence(row.problem),
    )


@bp.post("/<uuid:import_id>/headings")
@may(May.IMPORT_PEOPLE)
def set_headings(import_id: UUID) -> ResponseReturnValue:
    """Read the list once more with its headings where somebody says; then its columns are looked at again."""
    row = _seen(import_id)
    said = headings_ticked(request.form.getlist("name"), row.found, request.form)
    if not said or not heading.may_be_headed(row):
        return redirect(url_for("imports.columns" if row.found else "imports.show", import_id=import_id), 303)
    try:
        heading.check_headed(row, said, today())
        with transaction() as current:
            taking_in.read_again(current, row, headed=said, scope=current_scope())
    except Conflict:
        raise
    except RuleBroken as refusal:
        return _headings_page(_seen(import_id), refusal.message), 422
    ring(read_list, str(import_id))
    return _back_to(import_id)


def _columns_form(row: ListImport) -> ColumnsForm:
    """What a list is and the ward it was handed in for, which may be one that is offered to nobody any more."""
    form, chosen = ColumnsForm.with_kind(_wards(), row.kind, row.place_id), str(row.place_id or "")
    offered: Any = form.place.choices
    if chosen and chosen not in [value for value, _name in offered]:
        offered.insert(1, (chosen, session().get_one(Place, (row.town_id, row.place_id)).name))
    return form


def _failed(row: ListImport) -> str:
    form = _columns_form(row)
    hint = (row.found or {}).get("ward_hint")
    likely = unit_named(hint, session().scalars(units_of_all_times(row.town_id)), today()) if hint else None
    if likely and not row.place_id:
        form.place.data = str(likely.id)
    more = row.content is not None and row.options.get("tries", 0) < taking_in.MOST_TRIES
    why = problem_sentence(row.problem)
    return render_template(
        "prospects/importing/failed.html",
        row=row,
        form=form,
        why=why,
        more=more,
        may_be_headed=heading.may_be_headed(row),
    )


def _looked_at(row: ListImport) -> str:
    found = queries.outcomes_of(session(), row)
    tab = next((each for each in RowOutcome if each.value == request.args.get("tab")), None)
    tab = tab or next((each for each in TAB_NAMES if found[each]), RowOutcome.NEW)
    page = queries.page_of_rows(session(), row, tab, cursor=request.args.get("cursor"), size=PAGE)
    by, place = queries.names_of(session(), row)
    return render_template(
        "prospects/importing/show.html",
        row=row,
        found=found,
        settled=queries.settled_with_another(session(), row) if found[RowOutcome.DUPLICATE] else 0,
        tab=tab,
        tab_names=TAB_NAMES,
        page=page,
        rows=shown(session(), current_scope(), page.rows),
        by=by,
        place=place,
        kept=kept_back(session(), current_scope(), row) if row.state is ImportState.UNDONE else (),
        sides=beside(session(), current_scope(), row, page.rows) if tab is RowOutcome.DUPLICATE else {},
        about=KIND_WORDS[row.kind],
        why=problem_sentence(row.problem),
        by_citizen_id=deciding.waiting_for(session(), row, deciding.SAME_CITIZEN_ID)
        if tab is RowOutcome.DUPLICATE
        else 0,
        contradicts=row.state is ImportState.READY and queries.contradicts(session(), row),
        before=queries.handed_in_before(session(), row) if row.state is ImportState.READY else None,
    )


def _progress_words(row: ListImport) -> str:
    """How far the work is; that it stands still, or was begun anew, before any number that would seem to say otherwise."""
    if row.heartbeat_at and now() - row.heartbeat_at > QUIET:
        return str(_("The work was interrupted. It begins again by itself within two minutes."))
    if row.state is ImportState.QUEUED or not row.total:
        far = str(STATE_NAMES[row.state])
    else:
        words = {"state": STATE_NAMES[row.state], "done": in_number(row.done), "total": in_number(row.total)}
        far = str(_("%(state)s: %(done)s of about %(total)s rows", **words))
    return " ".join(filter(None, (problem_sentence(row.problem), far)))


@bp.get("/<uuid:import_id>/progress")
@may(May.IMPORT_PEOPLE)
def progress(import_id: UUID) -> Response:
    """How far the work is, for the page that waits."""
    row = _seen(import_id)
    finished = row.state not in AT_WORK
    return jsonify(
        done=row.done,
        total=row.total,
        text=_progress_words(row),
        finished=finished,
        next=url_for("imports.show", import_id=import_id) if finished else None,
    )


@bp.post("/<uuid:import_id>/read-again")
@may(May.IMPORT_PEOPLE)
def read_again(import_id: UUID) -> ResponseReturnValue:
    """The columns are right: read the list once more as somebody corrected it, or go on when nothing was changed."""
    row = _seen(import_id)
    form = _columns_form(row)
    said = Said(
        columns=columns_chosen(row.found, request.form) if row.found else None,
        kind=form.list_kind,
        place_id=form.place_id,
        by_itself=form.place.data == "" and "place" in request.form,
        sheets=request.form.getlist("sheet") or None,
    )
    with transaction() as current:
        again = put_right(current, row, said, scope=current_scope(), at=now())
    if again:
        ring(read_list, str(import_id))
    return _back_to(import_id)


@bp.get("/remembered")
@may(May.IMPORT_PEOPLE)
def remembered() -> ResponseReturnValue:
    """How the columns of earlier lists were put right."""
    found = remembering.remembered(session(), current_scope())
    names = {one.id: one.name for one in session().scalars(organisations(current_scope().town_id))}
    return render_template("prospects/importing/remembered.html", found=found, names=names)


@bp.post("/remembered/forget")
@may(May.IMPORT_PEOPLE)
def forget() -> ResponseReturnValue:
    """Remember one of them no more."""
    remembered_id = read_id(request.form.get("id"))
    if remembered_id is None:
        raise NotFound
    with transaction() as current:
        remembering.forget(current, current_scope(), remembered_id)
    return redirect(url_for("imports.remembered"), 303)


@contextmanager
def _told_on_its_page() -> Iterator[None]:
    """Whoever presses twice, or comes after somebody else, reads so on the list's own page, which says where it stands."""
    try:
        yield
    except Conflict as refusal:
        flash(str(refusal), "warning")


@bp.post("/<uuid:import_id>/commit")
@may(May.IMPORT_PEOPLE)
def commit(import_id: UUID) -> ResponseReturnValue:
    """Load the people of a list."""
    with _told_on_its_page(), transaction() as current:
        committing.start(current, _seen(import_id))
    ring(commit_list, str(import_id))
    return _back_to(import_id)


@bp.get("/<uuid:import_id>/undo")
@may(May.IMPORT_PEOPLE)
def ask_undo(import_id: UUID) -> ResponseReturnValue:
    """What taking a loaded list back would do, before it is done."""
    row = _seen(import_id)
    if row.state is not ImportState.COMMITTED:
        return _back_to(import_id)
    told = undoing.foresee(session(), row)
    stay = [(undoing.KEPT[why], many) for why, many in told.stay.items()]
    return render_template("prospects/importing/undo.html", row=row, told=told, stay=stay)


@bp.post("/<uuid:import_id>/undo")
@may(May.IMPORT_PEOPLE)
def undo(import_id: UUID) -> ResponseReturnValue:
    """Take a loaded list back."""
    with _told_on_its_page(), transaction() as current:
        undoing.start(current, _seen(import_id))
    ring(undo_list, str(import_id))
    return _back_to(import_id)


@bp.post("/<uuid:import_id>/give-up")
@may(May.IMPORT_PEOPLE)
def give_up(import_id: UUID) -> ResponseReturnValue:
    """Forget a list that was not loaded."""
    with _told_on_its_page(), transaction() as current:
        taking_in.give_up(current, _seen(import_id))
    return redirect(url_for("imports.listing"), 303)


@bp.post("/<uuid:import_id>/rows/<uuid:row_id>")
@may(May.IMPORT_PEOPLE)
def decide(import_id: UUID, row_id: UUID) -> ResponseReturnValue:
    """Add a row after all, leave it out, or let it replace what is kept."""
    decision = deciding.read_decision(request.form.get("decision"))
    with _told_on_its_page(), transaction() as current:
        deciding.decide(current, current_scope(), _seen(import_id), row_id, decision, at=now())
    return _back_to(import_id, request.form.get("tab"))


@bp.post("/<uuid:import_id>/decide-all")
@may(May.IMPORT_PEOPLE)
def decide_all(import_id: UUID) -> ResponseReturnValue:
    """Decide all rows that were set aside for one reason at once."""
    decision = deciding.read_decision(request.form.get("decision"))
    with transaction() as current:
        done = deciding.decide_all(
            current, current_scope(), _seen(import_id), decision, request.form.get("reason"), at=now()
        )
    flash(_("%(rows)s rows were decided.", rows=in_number(done)), "success")
    return _back_to(import_id, RowOutcome.DUPLICATE.value)


@bp.get("/<uuid:import_id>/errors.xlsx")
@may(May.IMPORT_PEOPLE)
def errors(import_id: UUID) -> Response:
    """The rows that were left out, as a workbook to be mended and handed in again."""
    return attachment(handing_back.workbook(session(), _seen(import_id)), _("rows-to-mend.xlsx"))
