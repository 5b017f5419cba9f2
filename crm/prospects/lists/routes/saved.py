"""Saved lists: opened, kept, changed, taken away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.prospects.lists import queries
from crm.prospects.lists.forms import SaveForm
from crm.prospects.lists.routes.blueprint import asked_here, bp
from crm.prospects.lists.services import segments
from crm.prospects.lists.showing import in_words
from crm.prospects.routes.listing import Asked
from crm.web.forms import refusals_on
from crm.web.guard import may

MOST_COUNTED_EACH = 1_000
"""Of every saved list on one page: counting stops here."""


@bp.get("/lists")
@may(May.SEE_PEOPLE)
def saved() -> ResponseReturnValue:
    """The lists that stand ready, one's own, and those others share, each with how many of its people one sees."""
    scope, user, today = current_scope(), current_user(), clock.today()
    ready = [(one, _counted(one)) for one in queries.ready_made(user)]
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
    return _save_page(form, asked_here())


def _save_page(form: SaveForm, asked: Asked) -> str:
    form.offer(segments.may_share(current_scope(), current_user()))
    words = in_words(session(), current_scope(), asked.narrowing, asked.q)
    return render_template("prospects/lists/save.html", form=form, asked=asked, words=words)


@bp.post("/lists/new")
@may(May.SEE_PEOPLE)
def save() -> ResponseReturnValue:
    """Keep the question of the address under a name."""
    form, asked = SaveForm(), asked_here()
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
    asked = asked_here()
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
