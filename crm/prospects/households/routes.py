"""The page of a household, founding one, moving in and out, its certificate, and the annual review."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.accounts.services import note_change
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.prospects.households import cards, merging, queries, renewing, reviewing, services
from crm.prospects.households.exporting import workbook
from crm.prospects.households.forms import (
    NOT_HEAD,
    CertifyForm,
    DescribeForm,
    EndForm,
    FoundForm,
    JoinForm,
    LeaveForm,
    MergeForm,
    ReviewForm,
    SearchForm,
)
from crm.prospects.households.renewing import Asked
from crm.prospects.households.reviewing import Due, Narrowed, Tally
from crm.prospects.households.rules import RENEWALS, Living, Renewal, year_ending
from crm.prospects.households.telling import told_of
from crm.prospects.models import Prospect
from crm.prospects.queries.lists import people
from crm.prospects.queries.seeing import ORDER, person_seen
from crm.prospects.rules import Kinship
from crm.prospects.wording import GROUNDS, KINSHIPS
from crm.web.forms import refusals_on
from crm.web.guard import may

bp = Blueprint("households", __name__)
bp.app_context_processor(lambda: {"KINSHIPS": KINSHIPS})
cards.register()

FOUND = 12
"""People that a search on these pages shows."""
PAGE = 60
MOST_EXPORTED = 20_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LAST = 10**17
"""A number that is still a moment."""


# ---- one household


@bp.get("/households/<uuid:household_id>")
@may(May.SEE_PEOPLE)
def show(household_id: UUID) -> ResponseReturnValue:
    """Who lives here, what each pays, the certificate; one visit for each while one is here."""
    household = queries.household_seen(session(), current_scope(), household_id)
    if household.id != household_id:
        return redirect(url_for(".show", household_id=household.id))
    return _page(household_id)


def _page(household_id: UUID, **forms: Any) -> str:
    """The page, with the form that was refused in place of a new one."""
    today, scope = clock.today(), current_scope()
    household = queries.household_seen(session(), scope, household_id)
    home = queries.home(session(), scope, household, today)
    told = told_of([one.person for one in home.members], today)
    new: dict[str, Any] = {
        "certify": CertifyForm(formdata=None, year=today.year),
        "describe": DescribeForm(formdata=None, code=household.code, address=household.address),
        "wrong": None,
    }
    return render_template(
        "prospects/households/show.html",
        home=home,
        told=told,
        today=today,
        holding=queries.holding(home.certificates, today),
        client_ids={one.person.id: new_id() for one in home.members},
        **new | forms,
    )


@bp.post("/households/<uuid:household_id>")
@may(May.EDIT_PEOPLE)
def describe(household_id: UUID) -> ResponseReturnValue:
    """The household's number and address."""
    form = DescribeForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            household = queries.household_seen(current, current_scope(), household_id)
            code, address = form.code.data, form.address.data
            services.describe(current, household, code=code, address=address, by=current_user(), at=clock.now())
            return _back(household_id, _("Saved."))
    return _page(household_id, describe=form, wrong=form), 422


def _back(household_id: UUID, words: str) -> ResponseReturnValue:
    flash(words, "success")
    return redirect(url_for("households.show", household_id=household_id))


@bp.get("/people/<uuid:prospect_id>/household")
@may(May.EDIT_PEOPLE)
def new(prospect_id: UUID) -> ResponseReturnValue:
    """With whom somebody lives: those of the same phone or house first, others by a search."""
    person = person_seen(session(), current_scope(), prospect_id)
    if person.household_id:
        return redirect(url_for(".show", household_id=person.household_id))
    return _new_page(person, FoundForm(formdata=None, head=str(person.id)))


def _new_page(person: Prospect, form: FoundForm) -> str:
    search = SearchForm(request.args)
    likely = _people_found(search) if search.q.data else queries.likely_to_live_with(session(), current_scope(), person)
    form.offer(
        (str(person.id), person.full_name), [(str(one.id), _called(one)) for one in likely if one.id != person.id]
    )
    return render_template(
        "prospects/households/new.html", person=person, form=form, search=search, likely=likely, today=clock.today()
    )


def _people_found(search: SearchForm) -> list[Prospect]:
    query = people(current_scope(), q=search.q.data or "", today=clock.today()).order_by(*ORDER).limit(FOUND)
    return list(session().scalars(query)) if search.validate() and search.q.data else []


def _called(person: Prospect) -> str:
    """Somebody in a list of those found: name, year of birth, address, and whether a household has them."""
    parts = [person.full_name, str(person.birth_year or ""), person.address or ""]
    if person.household_id:
        parts.append(_("has a household"))
    return " · ".join(part for part in parts if part)


@bp.post("/people/<uuid:prospect_id>/household")
@may(May.EDIT_PEOPLE)
def found(prospect_id: UUID) -> ResponseReturnValue:
    """Found a household of two people, or of one who lives alone."""
    form, scope = FoundForm(), current_scope()
    person = person_seen(session(), scope, prospect_id)
    other = person_seen(session(), scope, UUID(form.other.data)) if _is_id(form.other.data) else None
    form.offer((str(person.id), person.full_name), [(str(other.id), _called(other))] if other else [])
    if form.validate():
        with refusals_on(form), transaction() as current:
            living, since, code = _living(form, person, other), form.since.data, form.code.data
            made = services.found(current, living, since=since, code=code, by=current_user(), at=clock.now())
            return _back(made.id, _("The household is founded."))
    return _new_page(person, form), 422


def _living(form: FoundForm, person: Prospect, other: Prospect | None) -> list[Living]:
    if other is None:
        return [Living(person.id, Kinship.HEAD)]
    head, second = (other, person) if form.head.data == "other" else (person, other)
    return [Living(head.id, Kinship.HEAD), Living(second.id, Kinship(form.kinship.data))]


def _is_id(text: str | None) -> bool:
    try:
        return bool(text) and UUID(text) is not None
    except ValueError:
        return False


@bp.get("/households/<uuid:household_id>/members")
@may(May.EDIT_PEOPLE)
def moving_in(household_id: UUID) -> ResponseReturnValue:
    """Who moves in: a search, then what they are to the head and since when."""
    return _join_page(household_id, JoinForm(formdata=None, on=clock.today()))


def _join_page(household_id: UUID, form: JoinForm) -> str:
    scope, search, today = current_scope(), SearchForm(request.args), clock.today()
    household = queries.household_seen(session(), scope, household_id)
    home = queries.home(session(), scope, household, today)
    first = home.named_after
    likely = (
        _people_found(search)
        if search.q.data
        else queries.likely_to_live_with(session(), scope, first)
        if first
        else []
    )
    likely = [one for one in likely if one.household_id != household.id]
    form.person.choices = form.person.choices or [(str(one.id), _called(one)) for one in likely]
    return render_template(
        "prospects/households/join.html", home=home, form=form, search=search, likely=likely, today=today
    )


@bp.post("/households/<uuid:household_id>/members")
@may(May.EDIT_PEOPLE)
def join(household_id: UUID) -> ResponseReturnValue:
    """Somebody moves in."""
    form, scope = JoinForm(), current_scope()
    household = queries.household_seen(session(), scope, household_id)
    person = person_seen(session(), scope, UUID(form.person.data)) if _is_id(form.person.data) else None
    form.person.choices = [(str(person.id), _called(person))] if person else []
    if form.validate() and person:
        with refusals_on(form), transaction() as current:
            kinship = Kinship(form.kinship.data)
            services.join(current, household, person, kinship, on=form.on.data, by=current_user(), at=clock.now())
            return _back(household.id, _("%(name)s lives here now.", name=person.full_name))
    return _join_page(household_id, form), 422


@bp.get("/households/<uuid:household_id>/members/<uuid:prospect_id>/leave")
@may(May.EDIT_PEOPLE)
def leaving(household_id: UUID, prospect_id: UUID) -> ResponseReturnValue:
    """On which day somebody moved out."""
    return _leave_page(household_id, prospect_id, LeaveForm(formdata=None, on=clock.today()))


def _leave_page(household_id: UUID, prospect_id: UUID, form: LeaveForm) -> str:
    household = queries.household_seen(session(), current_scope(), household_id)
    person = person_seen(session(), current_scope(), prospect_id)
    home = queries.home(session(), current_scope(), household, clock.today())
    return render_template("prospects/households/leave.html", home=home, person=person, form=form)


@bp.post("/households/<uuid:household_id>/members/<uuid:prospect_id>/leave")
@may(May.EDIT_PEOPLE)
def leave(household_id: UUID, prospect_id: UUID) -> ResponseReturnValue:
    """Somebody moves out."""
    form = LeaveForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            person = _member(household_id, prospect_id)
            services.leave(current, person, on=form.day, by=current_user(), at=clock.now())
            flash(_("%(name)s lives here no more.", name=person.full_name), "success")
            return redirect(url_for("prospects.show", prospect_id=person.id))
    return _leave_page(household_id, prospect_id, form), 422


def _member(household_id: UUID, prospect_id: UUID) -> Prospect:
    """A member of this household whom one may see. Raises RuleBroken when they have left meanwhile."""
    scope = current_scope()
    household = queries.household_seen(session(), scope, household_id)
    return services.member(household, person_seen(session(), scope, prospect_id))


@bp.get("/households/<uuid:household_id>/head")
@may(May.EDIT_PEOPLE)
def heading(household_id: UUID) -> ResponseReturnValue:
    """Who is the head, and what the others are to them."""
    return _head_page(household_id)


def _head_page(household_id: UUID, wrong: str | None = None) -> str:
    scope = current_scope()
    household = queries.household_seen(session(), scope, household_id)
    home = queries.home(session(), scope, household, clock.today())
    return render_template("prospects/households/head.html", home=home, kinships=NOT_HEAD, wrong=wrong)


@bp.post("/households/<uuid:household_id>/head")
@may(May.EDIT_PEOPLE)
def set_head(household_id: UUID) -> ResponseReturnValue:
    """Make somebody the head, and keep what the others are to them."""
    try:
        with transaction() as current:
            household = queries.household_seen(current, current_scope(), household_id)
            if not _is_id(request.form.get("head")):
                raise RuleBroken(_l("Choose who is the head."))
            head, kinships = person_seen(current, current_scope(), UUID(request.form["head"])), dict(_kinships())
            services.set_head(current, household, head, kinships, by=current_user(), at=clock.now())
            return _back(household_id, _("Saved."))
    except RuleBroken as refusal:
        return _head_page(household_id, str(refusal)), 422


def _kinships() -> Iterator[tuple[UUID, Kinship]]:
    """`kinship-ID=child`, one for each member on the page; the head's own is not asked."""
    for name, value in request.form.items():
        id = name.removeprefix("kinship-")
        if name != id and _is_id(id) and id != request.form.get("head") and value in dict(NOT_HEAD):
            yield UUID(id), Kinship(value)


@bp.get("/households/<uuid:household_id>/merge")
@may(May.EDIT_PEOPLE)
def merging_page(household_id: UUID) -> ResponseReturnValue:
    """Look for the other record of the same household."""
    return _merge_page(household_id, MergeForm(formdata=None))


def _merge_page(household_id: UUID, form: MergeForm) -> str:
    scope, search = current_scope(), SearchForm(request.args)
    household = queries.household_seen(session(), scope, household_id)
    home = queries.home(session(), scope, household, clock.today())
    found_ids = {one.household_id for one in _people_found(search)} - {None, household.id}
    living = queries.members_seen(session(), scope, [id for id in found_ids if id])
    form.other.choices = [(str(id), ", ".join(one.full_name for one in living[id])) for id in living]
    return render_template("prospects/households/merge.html", home=home, form=form, search=search)


@bp.post("/households/<uuid:household_id>/merge")
@may(May.EDIT_PEOPLE)
def merge(household_id: UUID) -> ResponseReturnValue:
    """The other record becomes part of this one."""
    form, scope = MergeForm(), current_scope()
    form.other.choices = [(form.other.data, "")]
    if form.validate() and _is_id(form.other.data):
        with refusals_on(form), transaction() as current:
            kept = queries.household_seen(current, scope, household_id)
            gone = queries.household_seen(current, scope, UUID(form.other.data))
            merging.merge(current, kept, gone, by=current_user(), at=clock.now())
            return _back(kept.id, _("The two records are one now. Say what the others are to the head."))
    return _merge_page(household_id, form), 422


@bp.post("/households/<uuid:household_id>/certificates")
@may(May.EDIT_PEOPLE)
def certify(household_id: UUID) -> ResponseReturnValue:
    """The certificate of a year, for everybody who lives here."""
    form = CertifyForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            household = queries.household_seen(current, current_scope(), household_id)
            number, year, since = form.certificate.data, form.year.data or 0, form.since.data
            services.certify(
                current, household, form.chosen, number, year, since=since, by=current_user(), at=clock.now()
            )
            return _back(household_id, _("The certificate counts for everybody who lives here."))
    return _page(household_id, certify=form, wrong=form), 422


@bp.get("/households/<uuid:household_id>/certificates/<uuid:certificate_id>/end")
@may(May.EDIT_PEOPLE)
def ending(household_id: UUID, certificate_id: UUID) -> ResponseReturnValue:
    """From which day on a certificate holds no more."""
    return _end_page(household_id, certificate_id, EndForm(formdata=None, on=clock.today()))


def _end_page(household_id: UUID, certificate_id: UUID, form: EndForm) -> str:
    household = queries.household_seen(session(), current_scope(), household_id)
    paper = queries.certificate_of(session(), household, certificate_id)
    home = queries.home(session(), current_scope(), household, clock.today())
    return render_template("prospects/households/end.html", home=home, paper=paper, form=form)


@bp.post("/households/<uuid:household_id>/certificates/<uuid:certificate_id>/end")
@may(May.EDIT_PEOPLE)
def end(household_id: UUID, certificate_id: UUID) -> ResponseReturnValue:
    """The certificate was withdrawn: it holds no more from a day on."""
    form = EndForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            household = queries.household_seen(current, current_scope(), household_id)
            paper = queries.certificate_of(current, household, certificate_id)
            services.end(current, paper, on=form.day, by=current_user(), at=clock.now())
            return _back(household_id, _("The certificate has ended."))
    return _end_page(household_id, certificate_id, form), 422


# ---- the annual review


@bp.get("/certificates")
@may(May.SEE_DASHBOARD)
def review() -> ResponseReturnValue:
    """Whose certificate ends with the year, by ward and neighbourhood: renewed, not yet, no longer."""
    return _review_page()


def _review_page(wrong: str | None = None, typed: dict[str, str] | None = None) -> str:
    scope, year = current_scope(), _year()
    tallies = reviewing.tallies(session(), scope, year)
    form = ReviewForm(request.args)
    form.part.choices = [("", _l("All")), *_parts(tallies)]
    narrowed = _narrowed(form)
    found = reviewing.page_of_due(session(), scope, year, narrowed, cursor=request.args.get("cursor"), size=PAGE)
    asked = _asked_for()
    return render_template(
        "prospects/households/review.html",
        year=year,
        form=form,
        found=found.rows,
        next_url=url_for(".review", **asked, cursor=found.next) if found.next else None,
        asked=asked,
        tallies=tallies,
        sums={state: sum(row.states[state] for row in tallies) for state in Renewal},
        words=RENEWALS,
        wrong=wrong,
        typed=typed or {},
        may_export=current_user().may(May.EXPORT_PEOPLE),
        edits=current_user().may(May.EDIT_PEOPLE),
    )


def _asked_for() -> dict[str, Any]:
    """What the address narrows the list to."""
    return {name: value for name, value in request.args.items() if name in ("year", "state", "part") and value}


def _year() -> int:
    """The year whose certificates end: asked for, or the one under review today."""
    asked, today = request.args.get("year", type=int), clock.today()
    return asked if asked is not None and 2000 <= asked <= today.year else year_ending(today)


def _parts(tallies: list[Tally]) -> Iterator[tuple[str, str]]:
    wards: set[UUID] = set()
    for row in tallies:
        if row.place_id not in wards:
            wards.add(row.place_id)
            yield f"{row.place_id}", row.place
        if row.neighbourhood_id:
            yield f"{row.place_id}.{row.neighbourhood_id}", f"{row.place} · {row.neighbourhood}"


def _narrowed(form: ReviewForm) -> Narrowed:
    """What the list is narrowed to; a choice that is not offered narrows nothing."""
    if not form.validate():
        return Narrowed()
    return Narrowed(form.state_chosen, *form.place)


@bp.post("/certificates/renew")
@may(May.EDIT_PEOPLE)
def renew() -> ResponseReturnValue:
    """Renew one (its button) or all that have a new number; or say that one is no longer poor."""
    at, by, year = clock.now(), current_user(), _year() + 1
    typed = {name: value for name, value in request.form.items() if name.startswith("number-")}
    try:
        with transaction() as current:
            if gone := request.form.get("gone"):
                renewing.no_longer(current, current_scope(), _asked(gone), year=year, by=by, at=at)
                words = _("Noted: no longer poor or near-poor in %(year)s.", year=year)
            else:
                asked = _asked_all(typed)
                number = renewing.renew_all(current, current_scope(), asked, year=year, by=by, at=at)
                words = ngettext("%(num)s certificate renewed.", "%(num)s certificates renewed.", number)
    except RuleBroken as refusal:
        return _review_page(str(refusal), typed), 422
    flash((words, url_for(".undo", done=(at - EPOCH) // MICROSECOND)), "undo")  # type: ignore[arg-type]
    return redirect(url_for(".review", **_asked_for()))


def _asked_all(typed: dict[str, str]) -> list[Asked]:
    """The lines to renew: the one whose button was pressed, or all that have a number."""
    only = request.form.get("only")
    if only:
        return [_asked(only, typed.get(f"number-{only}"))]
    return [_asked(name.removeprefix("number-"), value) for name, value in typed.items() if value.strip()]


def _asked(key: str, number: str | None = None) -> Asked:
    """`h.ID` is a household, `p.ID` somebody alone. Raises RuleBroken."""
    kind, _dot, id = key.partition(".")
    if kind not in ("h", "p") or not _is_id(id):
        raise RuleBroken(_l("This line is not in the list any more. Open the list again."))
    return Asked(UUID(id), None, number) if kind == "h" else Asked(None, UUID(id), number)


@bp.post("/certificates/undo/<int:done>")
@may(May.EDIT_PEOPLE)
def undo(done: int) -> ResponseReturnValue:
    """Take back one act of renewing, named by its moment."""
    with transaction() as current:
        moment = EPOCH + min(done, LAST) * MICROSECOND
        number = renewing.undo(current, current_scope(), moment, by=current_user(), at=clock.now())
    flash(ngettext("%(num)s line is as before.", "%(num)s lines are as before.", number), "success")
    return redirect(url_for(".review"))


@bp.get("/certificates.xlsx")
@may(May.EXPORT_PEOPLE)
def export() -> ResponseReturnValue:
    """The list as a workbook; that it was taken is kept."""
    scope, year, form = current_scope(), _year(), ReviewForm(request.args)
    form.part.choices = [(form.part.data, "")]
    rows: list[Due] = list(reviewing.page_of_due(session(), scope, year, _narrowed(form), size=MOST_EXPORTED).rows)
    with transaction() as current:
        note_change(
            current,
            town_id=scope.town_id,
            user_id=scope.user_id,
            act="export_renewals",
            subject="account",
            subject_id=scope.user_id,
            at=clock.now(),
            after={"year": year, "rows": len(rows)},
        )
    name = f"giay-chung-nhan-{year}.xlsx"
    return send_file(io.BytesIO(workbook(year, rows, GROUNDS)), download_name=name, as_attachment=True)
