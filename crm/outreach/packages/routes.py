"""Work packages: giving them out, looking at one, more time, bringing back, and typing in a paper list."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.queries import account
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.outreach.packages import cards, queries, services
from crm.outreach.packages.forms import ANY, OPEN, BackForm, CutForm, EntryForm, ExtendForm, GiveForm
from crm.outreach.packages.queries import NOT_MET_YET, STILL_TO_BE_WON, Asked, Progress, Proposal
from crm.outreach.packages.rules import ENDINGS, EXTENSIONS, LONGEST_NAME, SETTLEMENTS, USUAL_DAYS, NewPackage, Settled
from crm.outreach.packages.services import Given, KeyedIn, Written
from crm.outreach.queries import loads
from crm.outreach.rules import OUTCOMES, Outcome
from crm.places.queries import ids_within, neighbourhoods, units
from crm.prospects.lists.queries import people_of, segments_of
from crm.prospects.rules import Ground, Stage
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("packages", __name__)

ENDED_SHOWN = 50


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {
        "package_line": cards.line_of,
        "package_endings": ENDINGS,
        "package_settlements": SETTLEMENTS,
        "outcome_numbers": [(number, one.value, OUTCOMES[one]) for number, one in enumerate(Outcome, 1)],
    }


@bp.get("/packages")
@may(May.ASSIGN)
def listing() -> ResponseReturnValue:
    """What is out, and what came back."""
    scope, current = current_scope(), session()
    out, back = queries.running(current, scope), queries.ended(current, scope, most=ENDED_SHOWN)
    return render_template("outreach/packages/listing.html", out=out, back=back, today=clock.today())


# ---- giving


class Cut(NamedTuple):
    """Out of whom a package is cut, the form that says so, and a name for it."""

    asked: Asked
    form: CutForm
    name: str
    place_id: UUID | None


def _cut() -> Cut:
    form, current, town_id = CutForm(request.args), session(), current_scope().town_id
    if "place" not in request.args and current_user().place_id:
        form.place.data = str(current_user().place_id)
    wards = list(current.scalars(units(town_id, clock.today())))
    parts = list(current.scalars(neighbourhoods(town_id, [one.id for one in wards])))
    saved = {str(one.id): one for one in current.scalars(segments_of(current_scope(), current_user()))}
    offered = [(key, one.name) for key, one in saved.items()]
    under = {ward.name: [(one.id, one.name) for one in parts if one.parent_id == ward.id] for ward in wards}
    form.offer([(one.id, one.name) for one in wards], {name: some for name, some in under.items() if some}, offered)
    part = next((one for one in parts if str(one.id) == form.neighbourhood.data), None)
    ward = next((one for one in wards if str(one.id) == form.place.data), None)
    if part and ward and part.parent_id != ward.id:
        part, form.neighbourhood.data = None, ANY  # another ward was chosen since
    elif part and not ward:
        ward = next(one for one in wards if one.id == part.parent_id)
        form.place.data = str(ward.id)
    segment = saved.get(form.segment.data)
    asked = Asked(
        place_ids=ids_within(current, town_id, ward.id) if ward else None,
        neighbourhood_id=part.id if part else None,
        stages=_stages(form.stage.data),
        standing=Ground(form.standing.data) if form.standing.data != ANY else None,
        listed=people_of(segment, current_scope(), clock.today()) if segment else None,
    )
    place = part or ward
    named = segment.name if segment else place.name if place else ""
    return Cut(asked, form, named[:LONGEST_NAME], place.id if place else None)


def _stages(chosen: str) -> tuple[Stage, ...]:
    if chosen == OPEN:
        return STILL_TO_BE_WON
    return (Stage(chosen),) if chosen != ANY else NOT_MET_YET


def _proposal(cut: Cut) -> Proposal:
    return queries.proposal(session(), current_scope(), cut.asked, size=cut.form.chosen_size, today=clock.today())


def _new_page(cut: Cut, form: GiveForm) -> str:
    told = loads(session(), current_scope(), clock.today())
    form.offer([(one.user.id, f"{one.user.full_name} · {one.people}") for one in told])
    proposal = _proposal(cut)
    given = set(form.people.data or [])
    ticked = {facts.person.id for facts in proposal.people if not given or facts.person.id in given}
    return render_template(
        "outreach/packages/new.html",
        cut=cut,
        form=form,
        proposal=proposal,
        ticked=ticked,
        address=f"{url_for('.give')}?{request.query_string.decode()}".rstrip("?"),
        today=clock.today(),
    )


@bp.get("/packages/new")
@may(May.ASSIGN)
def new() -> ResponseReturnValue:
    """Whom a package would hold, before it is given."""
    cut = _cut()
    until = clock.today() + USUAL_DAYS
    return _new_page(cut, GiveForm(formdata=None, data={"name": cut.name or _("Whole town"), "until": until}))


@bp.post("/packages/new")
@may(May.ASSIGN)
def give() -> ResponseReturnValue:
    """Give the people who are ticked."""
    cut, form = _cut(), GiveForm()
    form.offer([(one.user.id, one.user.full_name) for one in loads(session(), current_scope(), clock.today())])
    if form.validate() and form.until.data:
        with refusals_on(form), transaction() as current:
            asked = NewPackage(
                UUID(form.volunteer.data), form.until.data, str(form.name.data), form.note.data, cut.place_id
            )
            people = form.people.data or []
            given = services.give(current, current_scope(), asked, people, by=current_user(), at=clock.now())
            _say_given(given)
            return redirect(url_for(".show", package_id=given.package.id))
    return _new_page(cut, form), 422


def _say_given(given: Given) -> None:
    flash(ngettext("%(num)s person is given.", "%(num)s people are given.", given.people), "success")
    if given.left_out:
        flash(
            ngettext(
                "%(num)s person was given to somebody else meanwhile and is left out.",
                "%(num)s people were given to somebody else meanwhile and are left out.",
                given.left_out,
            ),
            "warning",
        )


# ---- one package


@bp.get("/packages/<uuid:package_id>")
@may(May.SEE_PEOPLE)
def show(package_id: UUID) -> ResponseReturnValue:
    """How far it is, who is left, and what came back."""
    return _show_page(package_id, BackForm(formdata=None))


def _show_page(package_id: UUID, form: BackForm) -> str:
    scope, current, me = current_scope(), session(), current_user()
    progress = queries.package_seen(current, scope, package_id)
    members = queries.members(current, scope, progress.package)
    giver = progress.package.given_by_id
    own = progress.package.volunteer_id == me.id
    return render_template(
        "outreach/packages/show.html",
        progress=progress,
        package=progress.package,
        left=[one for one in members if one.item.settled_at is None and not one.met],
        met=[one for one in members if (one.met if one.item.settled is None else one.item.settled is Settled.MET)],
        gone=[one for one in members if one.item.settled in (Settled.RETURNED, Settled.HANDED_ON)],
        giver=account(current, scope.town_id, giver).full_name if giver else None,
        extensions=queries.extensions(current, progress.package),
        steps=EXTENSIONS,
        form=form,
        own=own,
        leads=me.may(May.ASSIGN),
        walks=me.may(May.LOG_VISITS) and (own or me.may(May.ASSIGN)),
        today=clock.today(),
    )


@bp.post("/packages/<uuid:package_id>/extend")
@may(May.ASSIGN)
def extend(package_id: UUID) -> ResponseReturnValue:
    """Some days more, with one tap."""
    queries.package_seen(session(), current_scope(), package_id)
    form, back = ExtendForm(), BackForm(formdata=None)
    if form.validate():
        with refusals_on(back), transaction() as current:
            days = form.days.data or 0
            services.extend(current, current_scope(), package_id, days, by=current_user(), at=clock.now())
            flash(ngettext("%(num)s day more.", "%(num)s days more.", days), "success")
            return redirect(url_for(".show", package_id=package_id))
    return _show_page(package_id, back), 422


@bp.post("/packages/<uuid:package_id>/return")
@may(May.LOG_VISITS)
def bring_back(package_id: UUID) -> ResponseReturnValue:
    """The volunteer hands it back, or whoever leads takes it back."""
    queries.package_seen(session(), current_scope(), package_id)
    form = BackForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            keep, by, at = not form.met_too.data, current_user(), clock.now()
            ended = services.bring_back(
                current, current_scope(), package_id, by=by, at=at, note=form.note.data, keep_met=keep
            )
            flash(ngettext("%(num)s person came back.", "%(num)s people came back.", ended.returned), "success")
            return redirect(url_for(".show", package_id=package_id))
    return _show_page(package_id, form), 422


# ---- a paper list typed in


def _walker(package_id: UUID) -> Progress:
    """The package, for its volunteer and for whoever leads. Others may look at it, not write."""
    progress = queries.package_seen(session(), current_scope(), package_id)
    services.check_walker(progress.package, current_user())
    return progress


@bp.get("/packages/<uuid:package_id>/entry")
@may(May.LOG_VISITS)
def entry(package_id: UUID) -> ResponseReturnValue:
    """The lines of the printed list, in its order."""
    return _entry_page(_walker(package_id), EntryForm(formdata=None, data={"walked_on": clock.today()}))


def _entry_page(progress: Progress, form: EntryForm) -> str:
    members = queries.members(session(), current_scope(), progress.package)
    typed = {row.prospect_id: row for row in form.rows}
    first_day = clock.local_day(progress.package.given_at)
    return render_template(
        "outreach/packages/entry.html",
        progress=progress,
        package=progress.package,
        members=members,
        typed=typed,
        form=form,
        first_day=first_day,
        today=max(clock.today(), first_day),
    )


@bp.post("/packages/<uuid:package_id>/entry")
@may(May.LOG_VISITS)
def key_in(package_id: UUID) -> ResponseReturnValue:
    """Keep each line that has an outcome as a visit of that day."""
    progress, form = _walker(package_id), EntryForm()
    form.read(request.form)
    if form.validate() and (day := form.walked_on.data):
        with refusals_on(form), transaction() as current:
            written = [Written(row.prospect_id, row.outcome, row.note) for row in form.rows if row.outcome]
            by = current_user()
            told = services.key_in(current, current_scope(), package_id, written, walked_on=day, by=by, at=clock.now())
            _say_keyed(told)
            return redirect(url_for(".show", package_id=package_id))
    return _entry_page(progress, form), 422


def _say_keyed(told: KeyedIn) -> None:
    flash(ngettext("%(num)s visit is saved.", "%(num)s visits are saved.", told.new), "success")
    if told.again:
        flash(
            ngettext(
                "%(num)s line had been typed in before and is there once.",
                "%(num)s lines had been typed in before and are there once.",
                told.again,
            ),
            "message",
        )
    if told.otherwise:
        flash(
            ngettext(
                "%(num)s person has another outcome of that day already: open the visit to take it back.",
                "%(num)s people have another outcome of that day already: open the visits to take them back.",
                len(told.otherwise),
            ),
            "warning",
        )
