"""Pages about two records that may be one person: the queue, the comparison, taking a merge back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import NotFound
from crm.prospects.importing.queries import rows_aside
from crm.prospects.merging import queries
from crm.prospects.merging.forms import DIFFERENT, GONE, MERGE, CompareForm, PartForm
from crm.prospects.merging.models import Merge
from crm.prospects.merging.rules import Answer
from crm.prospects.merging.services import reviewing
from crm.prospects.merging.services.joining import merge as join
from crm.prospects.merging.services.parting import unmerge
from crm.prospects.merging.showing import came_after, evidence, side_by_side
from crm.prospects.merging.wording import COUNTED, PARTICULARS, TABLES
from crm.prospects.models import Prospect
from crm.prospects.queries.facts import facts_of
from crm.prospects.queries.seeing import person_seen
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("merging", __name__, url_prefix="/people")
bp.context_processor(lambda: {"evidence": evidence, "TABLES": TABLES, "COUNTED": COUNTED})
SHOWN = 20


@bp.get("/same")
@may(May.SEE_ALIKE)
def queue() -> ResponseReturnValue:
    """Pairs that may be one person, the surest first."""
    scope, cursor = current_scope(), request.args.get("cursor")
    found = queries.page_of_waiting(session(), scope, cursor=cursor, size=SHOWN)
    if cursor and not found.rows:
        return redirect(url_for(".queue"))  # all that followed has been answered: what is left stands before
    pairs = queries.with_people(session(), found.rows)
    count, elsewhere = (
        queries.how_many(session(), one) for one in (queries.waiting(scope), queries.out_of_sight(scope))
    )
    facts = facts_of(session(), scope.town_id, [one for pair in pairs for one in (pair.one, pair.other)], clock.today())
    known = {one.person.id: one for one in facts}
    lists = rows_aside(session(), scope) if current_user().may(May.IMPORT_PEOPLE) else []
    return render_template(
        "prospects/merging/queue.html",
        pairs=pairs,
        known=known,
        count=count,
        elsewhere=elsewhere,
        lists=lists,
        cursor=cursor,
        next_url=url_for(".queue", cursor=found.next) if found.next else None,
    )


def _both(prospect_id: UUID, other_id: UUID) -> tuple[Prospect, Prospect]:
    """The two records as they are now, both in sight. Raises NotFound."""
    scope = current_scope()
    return person_seen(session(), scope, prospect_id), person_seen(session(), scope, other_id)


@bp.get("/<uuid:prospect_id>/same/<uuid:other_id>")
@may(May.SEE_ALIKE)
def compare(prospect_id: UUID, other_id: UUID) -> ResponseReturnValue:
    """Two records side by side: one person, or two?"""
    kept, gone = _both(prospect_id, other_id)
    if kept.id == gone.id:
        return redirect(url_for("prospects.show", prospect_id=kept.id))
    return _comparison(kept, gone, CompareForm(formdata=None))


def _comparison(kept: Prospect, gone: Prospect, form: CompareForm) -> str:
    current = session()
    one, other = facts_of(current, kept.town_id, [kept, gone], clock.today())
    picked = {name.removeprefix("pick_"): value for name, value in request.form.items() if name.startswith("pick_")}
    suspect = queries.suspect_of(current, kept.town_id, kept.id, gone.id)
    form.knowing.data = suspect.answered_at if suspect else None
    return render_template(
        "prospects/merging/compare.html",
        form=form,
        kept=one,
        gone=other,
        lines=side_by_side(current, one, other, picked),
        counts=queries.counted(current, kept.town_id, (kept.id, gone.id)),
        suspect=suspect,
        told_apart_by=queries.answered_by(current, suspect),
        cursor=request.args.get("cursor"),
        may_merge=current_user().may(May.MERGE),
        GONE=GONE,
    )


@bp.post("/<uuid:prospect_id>/same/<uuid:other_id>")
@may(May.MERGE)
def decide(prospect_id: UUID, other_id: UUID) -> ResponseReturnValue:
    """One person: make the two records one. Two people, or later: remember that."""
    form = CompareForm()
    kept, gone = _both(prospect_id, other_id)
    if kept.id != gone.id and form.validate():
        with refusals_on(form), transaction():
            _decide(kept, gone, form)
            return redirect(url_for(".queue", cursor=request.args.get("cursor")))
        kept, gone = _both(prospect_id, other_id)
    if kept.id == gone.id:
        flash(_("These two are one record already: somebody has just merged them. Nothing was changed."), "warning")
        return redirect(url_for("prospects.show", prospect_id=kept.id))
    return _comparison(kept, gone, form), 422


def _decide(kept: Prospect, gone: Prospect, form: CompareForm) -> None:
    by, at = current_user(), clock.now()
    if form.act.data == MERGE:
        reviewing.refuse_if_told_apart(session(), kept, gone, knowing=form.knowing.data)
        row = join(session(), kept, gone, form.taken, by=by, at=at)
        words = _("%(name)s is one record now.", name=kept.full_name)
        url = url_for(".part", prospect_id=row.kept_id, merge_id=row.id)
        flash((words, url), "undo")  # type: ignore[arg-type]  # the bar's words and address
        return
    said = Answer.DIFFERENT if form.act.data == DIFFERENT else Answer.LATER
    reviewing.answer(session(), kept, gone, said, by=by, at=at)
    flash(_("Remembered: two different people.") if said is Answer.DIFFERENT else _("Put off."), "success")


def _merge(prospect_id: UUID, merge_id: UUID) -> tuple[Merge, Prospect]:
    """A merge and the record it made. Raises NotFound."""
    scope = current_scope()
    person, merge = person_seen(session(), scope, prospect_id), queries.merge_seen(session(), scope, merge_id)
    if merge.kept_id not in (prospect_id, person.id):
        raise NotFound
    return merge, person


def _parted_already(person: Prospect) -> ResponseReturnValue:
    """For whoever comes second: two people had the page open, or one pressed twice."""
    flash(_("These are two records again already. Nothing was changed."), "warning")
    return redirect(url_for("prospects.show", prospect_id=person.id))


@bp.get("/<uuid:prospect_id>/merges/<uuid:merge_id>")
@may(May.SEE_ALIKE)
def parting(prospect_id: UUID, merge_id: UUID) -> ResponseReturnValue:
    """A merge: what went where, what came since and whose it is."""
    merge, person = _merge(prospect_id, merge_id)
    return _parted_already(person) if merge.undone_at else _parting(merge, person, PartForm(formdata=None))


def _parting(merge: Merge, person: Prospect, form: PartForm) -> str:
    current = session()
    gone = current.get_one(Prospect, (merge.town_id, merge.gone_id))
    came = came_after(current, merge)
    return render_template(
        "prospects/merging/parting.html",
        merge=merge,
        person=person,
        gone=gone,
        came=came,
        form=form,
        may_merge=current_user().may(May.MERGE),
    )


@bp.post("/<uuid:prospect_id>/merges/<uuid:merge_id>")
@may(May.MERGE)
def part(prospect_id: UUID, merge_id: UUID) -> ResponseReturnValue:
    """Take a merge back."""
    form = PartForm()
    merge, person = _merge(prospect_id, merge_id)
    if merge.undone_at:
        return _parted_already(person)
    chosen = form.given.data or [] if "chosen" in request.form else None
    with refusals_on(form), transaction() as current:
        parted = unmerge(current, merge, by=current_user(), at=clock.now(), given=chosen)
        flash(_("Two records again: %(kept)s and %(gone)s.", kept=parted.kept.full_name, gone=parted.gone.full_name))
        _say_what_stayed(parted.edited)
        return redirect(url_for("prospects.show", prospect_id=parted.gone.id))
    return _parting(*_merge(prospect_id, merge_id), form), 422


def _say_what_stayed(edited: tuple[str, ...]) -> None:
    if edited:
        names: list[Any] = [str(PARTICULARS[name]).lower() for name in edited]
        flash(_("Changed since the merge, and left as it is: %(fields)s.", fields=", ".join(names)), "warning")
