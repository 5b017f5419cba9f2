"""Saved lists, tags, acts on many people, columns, and files to take away."""

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
from crm.db import session, transaction
from crm.errors import NotFound, RuleBroken
from crm.kept import kept
from crm.places.models import Place
from crm.places.queries import ids_within, neighbourhoods
from crm.prospects.lists import bulk, queries
from crm.prospects.lists.forms import ActForm, Choice, ColumnsForm, ExportForm, NarrowForm, SaveForm, TagForm
from crm.prospects.lists.models import BulkAct, PeopleExport
from crm.prospects.lists.narrowing import Narrowing
from crm.prospects.lists.rules import (
    ACT_STATES,
    ACTS_AT_WORK,
    COLUMNS,
    EXPORT_STATES,
    MOST_ON_THE_PAGE,
    NUMBERS,
    ON_THE_PAGE,
    SHARING,
    UNDONE_WITHIN,
    USUAL_COLUMNS,
    WHY,
    ActState,
    Column,
    ExportState,
    Outcome,
)
from crm.prospects.lists.services import acts, exporting, segments, tags
from crm.prospects.lists.showing import (
    conditions_to_choose,
    in_words,
    organisations_to_choose,
    tags_to_choose,
    volunteers_to_choose,
)
from crm.prospects.queries.lists import count_list, list_of
from crm.prospects.queries.seeing import person_seen
from crm.prospects.routes.listing import MOST_COUNTED_NARROWED, PAGE, Asked, places_of_mine
from crm.web.filters import number
from crm.web.forms import refusals_on
from crm.web.guard import may
from crm.web.language import chosen
from tasks.lists import work_on_act, write_export

bp = Blueprint("lists", __name__, url_prefix="/people")
bp.app_context_processor(lambda: {"SHARING": SHARING})
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_NAMED = 200
"""People an act left out that its page names."""
MOST_COUNTED_EACH = 1_000
"""Of every saved list on one page: counting stops here."""


def _asked() -> Asked:
    """What the address asks. Raises RuleBroken."""
    return Asked.here((request.args.get("q") or "").replace("\x00", "").strip()[:200])


# ---- narrowing


@bp.get("/narrow")
@may(May.SEE_PEOPLE)
def narrow() -> ResponseReturnValue:
    """Everything a list can be narrowed to."""
    try:
        asked = _asked()
    except RuleBroken:
        asked = Asked(Narrowing(), "", None)
    form = NarrowForm.of(asked.narrowing, q=asked.q, named=asked.args.get("list"))
    _offer(form, asked.narrowing)
    return render_template("prospects/lists/narrow.html", form=form, asked=asked)


def _offer(form: NarrowForm, narrowing: Narrowing) -> None:
    scope, everyone = current_scope(), ("", _("All"))
    place = str(narrowing.place or "")
    form.place.choices = [everyone, *places_of_mine()]
    form.neighbourhood.choices = [everyone, *(_parts(place) if place else [])]
    form.organisation.choices = [everyone, *organisations_to_choose(session(), scope)]
    helpers = volunteers_to_choose(session(), scope)
    form.assigned_to.choices = [everyone, ("nobody", _("Nobody yet")), ("me", _("My people")), *helpers]
    form.tag.choices = tags_to_choose(session(), scope)
    form.condition.choices = conditions_to_choose()


def _parts(place: str) -> list[Choice]:
    """The neighbourhoods of a place."""

    def read() -> list[Choice]:
        town_id = current_scope().town_id
        within = ids_within(session(), town_id, UUID(place))
        query = neighbourhoods(town_id, within).with_only_columns(Place.id, Place.name)
        return [(str(id), name) for id, name in session().execute(query)]

    return kept(("parts", current_scope().town_id, place), read)


# ---- saved lists


@bp.get("/lists")
@may(May.SEE_PEOPLE)
def saved() -> ResponseReturnValue:
    """The lists that stand ready, one's own, and those others share, each with how many of its people one sees."""
    scope, user, today = current_scope(), current_user(), clock.today()
    ready = [(one, _counted(one)) for one in queries.ready_made()]
    rows = [(one, _counted(one)) for one in session().scalars(queries.segments_of(scope, user))]
    return render_template(
        "prospects/lists/saved.html", ready=ready, rows=rows, most=MOST_COUNTED_EACH, user=user, today=today
    )


def _counted(segment: Any) -> int | None:
    """How many people of mine a saved list finds; None when it asks what is not there any more."""
    try:
        return queries.count_of(session(), segment, current_scope(), clock.today(), MOST_COUNTED_EACH)
    except RuleBroken:
        return None


@bp.get("/lists/<segment_id>")
@may(May.SEE_PEOPLE)
def open_saved(segment_id: str) -> ResponseReturnValue:
    """Open a saved list as it finds people today."""
    found = queries.segment_seen(session(), current_scope(), current_user(), segment_id)
    address: dict[str, Any] = {**found.asked, "list": segment_id} | ({"q": found.q} if found.q else {})
    return redirect(url_for("prospects.listing", **address))


@bp.get("/lists/new")
@may(May.SEE_PEOPLE)
def save_form() -> ResponseReturnValue:
    """A name for what is being looked at."""
    form = SaveForm(formdata=None)
    return _save_page(form, _asked())


def _save_page(form: SaveForm, asked: Asked) -> str:
    form.offer(segments.may_share(current_scope(), current_user()))
    words = in_words(session(), current_scope(), asked.narrowing, asked.q)
    return render_template("prospects/lists/save.html", form=form, asked=asked, words=words)


@bp.post("/lists/new")
@may(May.SEE_PEOPLE)
def save() -> ResponseReturnValue:
    """Keep the question of the address under a name."""
    form, asked = SaveForm(), _asked()
    form.offer(segments.may_share(current_scope(), current_user()))
    if form.validate():
        with refusals_on(form), transaction() as current:
            row = segments.save_segment(
                current,
                asked.narrowing,
                asked.q,
                name=form.name.data,
                sharing=form.chosen,
                by=current_user(),
                at=clock.now(),
            )
            flash(_("The list is saved. It always shows who fits today."), "success")
            return redirect(url_for(".open_saved", segment_id=row.id), 303)
    return _save_page(form, asked), 422


@bp.get("/lists/<uuid:segment_id>/change")
@may(May.SEE_PEOPLE)
def change_form(segment_id: UUID) -> ResponseReturnValue:
    """Another name, or other readers."""
    row = queries.own_segment(session(), current_user(), segment_id)
    return _change_page(row, SaveForm(formdata=None, data={"name": row.name, "sharing": row.sharing.value}))


def _change_page(row: Any, form: SaveForm) -> str:
    ways = segments.may_share(current_scope(), current_user())
    form.offer(ways if row.sharing in ways else [row.sharing, *ways])
    words = in_words(session(), current_scope(), queries.narrowing_of(row), row.q)
    return render_template("prospects/lists/change.html", form=form, row=row, words=words)


@bp.post("/lists/<uuid:segment_id>/change")
@may(May.SEE_PEOPLE)
def change(segment_id: UUID) -> ResponseReturnValue:
    """Rename a saved list, or share it otherwise."""
    row, form = queries.own_segment(session(), current_user(), segment_id), SaveForm()
    form.offer([row.sharing, *segments.may_share(current_scope(), current_user())])
    if form.validate():
        with refusals_on(form), transaction() as current:
            segments.change_segment(
                current, segment_id, by=current_user(), at=clock.now(), name=form.name.data, sharing=form.chosen
            )
            return redirect(url_for(".saved"), 303)
    return _change_page(queries.own_segment(session(), current_user(), segment_id), form), 422


@bp.post("/lists/<uuid:segment_id>/question")
@may(May.SEE_PEOPLE)
def ask_otherwise(segment_id: UUID) -> ResponseReturnValue:
    """Let a saved list ask what the address asks."""
    asked = _asked()
    with transaction() as current:
        segments.change_segment(
            current, segment_id, by=current_user(), at=clock.now(), narrowing=asked.narrowing, q=asked.q
        )
    flash(_("The list asks for this from now on."), "success")
    return redirect(url_for(".open_saved", segment_id=segment_id), 303)


@bp.post("/lists/<uuid:segment_id>/delete")
@may(May.SEE_PEOPLE)
def delete(segment_id: UUID) -> ResponseReturnValue:
    """Take a saved list away, with the way back."""
    with transaction() as current:
        row = segments.delete_segment(current, segment_id, by=current_user(), at=clock.now())
        words = _("The list “%(name)s” is deleted.", name=row.name)
    flash((words, url_for(".restore", segment_id=segment_id)), "undo")  # type: ignore[arg-type]
    return redirect(url_for(".saved"), 303)


@bp.post("/lists/<uuid:segment_id>/restore")
@may(May.SEE_PEOPLE)
def restore(segment_id: UUID) -> ResponseReturnValue:
    """Bring a deleted list back."""
    with transaction() as current:
        segments.restore_segment(current, segment_id, by=current_user(), at=clock.now())
    return redirect(url_for(".saved"), 303)


# ---- many at once


@bp.get("/choose")
@may(May.EDIT_PEOPLE)
def choose() -> ResponseReturnValue:
    """The list with boxes to tick, and what can be done to those ticked."""
    return _choose_page(_act_form(ActForm(formdata=None)), _asked())


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
    form, asked = _act_form(ActForm()), _asked()
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
        return str(_("%(act)s: %(people)s; %(left)s left as they were.", act=words, people=people, left=number(left)))
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
        outcomes=Outcome,
        why=WHY,
        states=ACT_STATES,
        at_work=row.state in ACTS_AT_WORK,
        undoable=undoable,
        words=words,
        told=_act_words(row),
        named=queries.exceptions_of(session(), scope, row, MOST_NAMED),
    )


def _act_words(row: BulkAct) -> str:
    done = {"state": ACT_STATES[row.state], "done": number(row.done), "total": number(row.people)}
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
    """Undo an act for those nobody touched since."""
    with transaction() as current:
        row = queries.act_seen(current, current_scope(), current_user(), act_id)
        acts.undo(current, row, by=current_user(), at=clock.now())
        if acts.is_small(row):
            acts.work_at_once(current, row, at=clock.now())
        waits, ids = row.state is ActState.UNDOING, (str(row.town_id), str(row.id))
    if waits:
        ring(work_on_act, *ids)
    return redirect(url_for(".show_act", act_id=act_id), 303)


# ---- tags of one person


@bp.post("/<uuid:prospect_id>/tags")
@may(May.EDIT_PEOPLE)
def put_tag(prospect_id: UUID) -> ResponseReturnValue:
    """Stick a tag on somebody."""
    with transaction() as current:
        person, form, at = person_seen(current, current_scope(), prospect_id), TagForm(), clock.now()
        tag = tags.tag_called(current, person.town_id, form.tag.data or "", by=current_user(), at=at)
        tags.put_tag(current, person, tag, by=current_user(), at=at)
    return redirect(url_for("prospects.show", prospect_id=prospect_id), 303)


@bp.post("/<uuid:prospect_id>/tags/<uuid:tag_id>/remove")
@may(May.EDIT_PEOPLE)
def take_tag(prospect_id: UUID, tag_id: UUID) -> ResponseReturnValue:
    """Take a tag off somebody who has it."""
    with transaction() as current:
        person = person_seen(current, current_scope(), prospect_id)
        tag = next((tag for tag in queries.tags_on(current, person) if tag.id == tag_id), None)
        if tag is None:
            raise NotFound
        tags.take_tag(current, person, tag, by=current_user(), at=clock.now())
    return redirect(url_for("prospects.show", prospect_id=prospect_id), 303)


# ---- columns


@bp.get("/columns")
@may(May.SEE_PEOPLE)
def columns() -> ResponseReturnValue:
    """What lists show me beside the name."""
    now = current_user().list_columns
    form = ColumnsForm(formdata=None, data={"columns": now if now is not None else [str(one) for one in USUAL_COLUMNS]})
    form.offer(ON_THE_PAGE)
    return render_template("prospects/lists/columns.html", form=form, most=MOST_ON_THE_PAGE)


@bp.post("/columns")
@may(May.SEE_PEOPLE)
def choose_columns() -> ResponseReturnValue:
    """Keep the columns with my account."""
    form = ColumnsForm()
    form.offer(ON_THE_PAGE)
    picked = form.columns.data or []
    if form.validate() and len(picked) <= MOST_ON_THE_PAGE:
        with transaction():
            current_user().list_columns = picked
        return redirect(url_for("prospects.listing"), 303)
    if not form.errors:
        form.columns.errors = [_("Choose at most %(most)s columns; a page holds no more.", most=MOST_ON_THE_PAGE)]
    return render_template("prospects/lists/columns.html", form=form, most=MOST_ON_THE_PAGE), 422


# ---- files


@bp.get("/exports/new")
@may(May.EXPORT_PEOPLE)
def export_form() -> ResponseReturnValue:
    """Which columns the file shall hold."""
    now = current_user().list_columns or [str(one) for one in USUAL_COLUMNS]
    usual = {*now, Column.PLACE.value, Column.NEIGHBOURHOOD.value, Column.BIRTH.value, Column.ADDRESS.value}
    return _export_page(ExportForm(formdata=None, data={"columns": sorted(usual)}), _asked())


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
    form, asked = ExportForm(), _asked()
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
    done = {"state": EXPORT_STATES[row.state], "done": number(row.done), "total": number(row.total)}
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
    answer = Response(content, mimetype=XLSX)
    answer.headers.set("Content-Disposition", "attachment", filename=_("people.xlsx"))
    answer.headers["Cache-Control"] = "no-store"
    return answer
