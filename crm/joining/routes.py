"""Papers of a person, step by step; the lists of dossiers; and what an agent gathers and hands in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.models import Organisation, User
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import Conflict, NotFound, RuleBroken
from crm.joining import cards, exporting, printing, queries, services
from crm.joining.forms import (
    MISSING,
    AcceptForm,
    DossierForm,
    GatherForm,
    HandOverForm,
    ListForm,
    ReasonForm,
    StopPapersForm,
    SubmitForm,
)
from crm.joining.lists.queries import list_seen, lists_of
from crm.joining.models import Dossier, DossierList
from crm.joining.queries import Asked, Line, Worked
from crm.joining.rules import (
    COLUMNS,
    FROM,
    OUTCOME_SIGNS,
    OUTCOMES,
    STATE_SIGNS,
    STATES,
    WITH_THE_VOLUNTEER,
    Act,
    Row,
    State,
    movement_words,
    number_is_code,
)
from crm.months import Month
from crm.participation.missing.queries import missing_of
from crm.participation.queries import open_spell
from crm.participation.rules import Basis, basis_for
from crm.participation.screening.queries import verdict_of
from crm.places.boundaries import unit_now
from crm.places.models import Place
from crm.places.queries import ids_within, units
from crm.premiums.queries import law
from crm.premiums.rules.law import Law
from crm.premiums.rules.wording import GROUNDS, STATUSES
from crm.prospects.households.queries import members_seen
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import person_seen
from crm.web.attachments import attachment
from crm.web.forms import refusals_on
from crm.web.guard import may
from crm.web.once import once

bp = Blueprint("joining", __name__)
cards.register()
MENDS = {
    "screening": ("screening.ask", "prospect_id", ""),
    "person": ("prospects.edit", "prospect_id", ""),
    "standing": ("prospects.particulars", "prospect_id", ""),
    "dossier": ("joining.show", "dossier_id", "figures"),
}
"""Where each kind of problem is put right: endpoint, part of the address, fragment."""


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {
        "dossier_states": STATES,
        "dossier_signs": STATE_SIGNS,
        "row_outcomes": OUTCOMES,
        "row_signs": OUTCOME_SIGNS,
        "movement_words": movement_words,
        "mend_url": _mend_url,
    }


# ---- the lists


@bp.get("/dossiers")
@may(May.SEE_PEOPLE)
def listing() -> ResponseReturnValue:
    """Dossiers by state, ward and agent."""
    return _listing_page(GatherForm(formdata=None))


@bp.post("/dossiers/gather")
@may(May.ENROL)
def gather() -> ResponseReturnValue:
    """Put those ticked into a numbered list."""
    form = GatherForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            made = services.gather(current, current_scope(), form.ids, by=current_user(), at=clock.now())
            flash(_("List %(number)s is made.", number=made.label), "success")
            return redirect(url_for(".show_list", dossier_list_id=made.id))
    return _listing_page(form), 422


@bp.get("/dossiers/lists/<uuid:dossier_list_id>")
@may(May.SEE_PEOPLE)
def show_list(dossier_list_id: UUID) -> ResponseReturnValue:
    """A list with its rows, its totals, and what still holds it back."""
    return _list_page(dossier_list_id, SubmitForm(formdata=None, data={"submitted_on": clock.today()}))


@bp.post("/dossiers/lists/<uuid:dossier_list_id>/submit")
@may(May.ENROL)
def submit(dossier_list_id: UUID) -> ResponseReturnValue:
    """The list was handed in."""
    list_seen(session(), current_scope(), dossier_list_id, clock.today())
    form = SubmitForm()
    if form.validate() and form.submitted_on.data:
        with refusals_on(form), transaction() as current:
            on, by = form.submitted_on.data, current_user()
            services.submit(current, current_scope(), dossier_list_id, on, by=by, at=clock.now())
            flash(_("Noted as handed in."), "success")
            return redirect(url_for(".show_list", dossier_list_id=dossier_list_id))
    return _list_page(dossier_list_id, form), 422


@bp.get("/dossiers/lists/<uuid:dossier_list_id>.xlsx")
@may(May.REVEAL_IDENTITY)
def list_workbook(dossier_list_id: UUID) -> ResponseReturnValue:
    """The list as a workbook; who took it is kept."""
    of, rows = _taken_away(dossier_list_id, "d05_xlsx")
    return attachment(exporting.workbook(of, rows), f"D05-TS-{of.number}-{of.year}.xlsx")


@bp.get("/dossiers/lists/<uuid:dossier_list_id>.pdf")
@may(May.REVEAL_IDENTITY)
def list_paper(dossier_list_id: UUID) -> ResponseReturnValue:
    """The list as it is signed; who took it is kept."""
    of, rows = _taken_away(dossier_list_id, "d05_pdf")
    maker = session().get(User, (of.town_id, of.by_id)) if of.by_id else None
    by = maker or current_user()
    made = printing.list_d05(of, rows, by.full_name, _unit_of(by), clock.today())
    return attachment(made, f"D05-TS-{of.number}-{of.year}.pdf")


# ---- one person's papers


@bp.get("/people/<uuid:prospect_id>/papers")
@may(May.ENROL)
def prepare(prospect_id: UUID) -> ResponseReturnValue:
    """Begin somebody's papers, or go on with those that are open."""
    person = person_seen(session(), current_scope(), prospect_id)
    there = queries.open_dossier_of(session(), person)
    if there:
        return redirect(url_for(".show", dossier_id=there.id))
    return _prepare_page(person, _figures(person, at_once="missing" in request.args))


@bp.post("/people/<uuid:prospect_id>/papers")
@may(May.ENROL)
def begin(prospect_id: UUID) -> ResponseReturnValue:
    """Keep what they choose as a draft."""
    person = person_seen(session(), current_scope(), prospect_id)
    form = _figures(person)
    if form.validate() and form.first:
        with refusals_on(form), transaction() as current:
            made = _begun(current, person, **form.chosen())
            return redirect(url_for(".show", dossier_id=made.id))
    return _prepare_page(person, form), 422


@bp.route("/people/<uuid:prospect_id>/papers/stop", methods=["GET", "POST"])
@may(May.ENROL)
def begin_stopping(prospect_id: UUID) -> ResponseReturnValue:
    """Papers for somebody who stops paying."""
    person = person_seen(session(), current_scope(), prospect_id)
    form = StopPapersForm(data={"stop_on": clock.today()})
    if form.validate_on_submit():
        with refusals_on(form), transaction() as current:
            made = _begun(current, person, stop_on=form.stop_on.data)
            return redirect(url_for(".show", dossier_id=made.id))
    return render_template("joining/stopping.html", person=person, form=form), 422 if form.errors else 200


@bp.get("/dossiers/<uuid:dossier_id>")
@may(May.SEE_PEOPLE)
def show(dossier_id: UUID) -> ResponseReturnValue:
    """One dossier: where it stands, what is missing, what it declares, and the next step."""
    return _dossier_page(queries.dossier_seen(session(), current_scope(), dossier_id))


@bp.post("/dossiers/<uuid:dossier_id>/change")
@may(May.ENROL)
def change(dossier_id: UUID) -> ResponseReturnValue:
    """Choose otherwise."""
    line = queries.dossier_seen(session(), current_scope(), dossier_id)
    form = _figures(line.person, line.dossier)
    if form.validate() and form.first:
        with refusals_on(form), transaction() as current:
            what = {**form.chosen(), "by": current_user(), "at": clock.now()}
            services.change(current, line.dossier, line.person, **what)
            return redirect(url_for(".show", dossier_id=dossier_id))
    return _dossier_page(line, figures=form), 422


@bp.post("/dossiers/<uuid:dossier_id>/check")
@may(May.ENROL)
def check(dossier_id: UUID) -> ResponseReturnValue:
    """Say that nothing is missing."""
    line = queries.dossier_seen(session(), current_scope(), dossier_id)
    with transaction() as current:
        services.check(current, line.dossier, line.person, by=current_user(), at=clock.now())
    flash(_("The papers are complete. Hand them to an agent now."), "success")
    return redirect(url_for(".show", dossier_id=dossier_id))


@bp.post("/dossiers/<uuid:dossier_id>/hand-over")
@may(May.ENROL)
def hand_over(dossier_id: UUID) -> ResponseReturnValue:
    """The papers go to an agent; the volunteer takes no money."""
    line = queries.dossier_seen(session(), current_scope(), dossier_id)
    form = _agents(HandOverForm())
    if form.validate():
        with refusals_on(form), transaction() as current:
            to, by = UUID(form.agent.data), current_user()
            services.hand_over(current, line.dossier, line.person, to, by=by, at=clock.now())
            flash(_("Handed over. The agent takes the money and gives the receipt."), "success")
            return redirect(url_for(".show", dossier_id=dossier_id) if line.within else url_for(".listing"))
    return _dossier_page(line, handing=form), 422


@bp.post("/dossiers/<uuid:dossier_id>/send-back")
@may(May.ENROL)
def send_back(dossier_id: UUID) -> ResponseReturnValue:
    """The papers come back, with the reason."""
    line = queries.dossier_seen(session(), current_scope(), dossier_id)
    form = ReasonForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            reason, by = form.reason.data, current_user()
            services.send_back(current, line.dossier, line.person, reason, by=by, at=clock.now())
            flash(_("The papers are back with whoever looks after the person."), "success")
            return redirect(url_for(".show", dossier_id=dossier_id) if line.within else url_for(".listing"))
    return _dossier_page(line, reason=form), 422


@bp.post("/dossiers/<uuid:dossier_id>/withdraw")
@may(May.ENROL)
def withdraw(dossier_id: UUID) -> ResponseReturnValue:
    """The person has thought better of it."""
    line = queries.dossier_seen(session(), current_scope(), dossier_id)
    with transaction() as current:
        services.withdraw(current, line.dossier, by=current_user(), at=clock.now())
    flash(_("The papers are withdrawn."), "success")
    return redirect(url_for("prospects.show", prospect_id=line.person.id))


@bp.post("/dossiers/<uuid:dossier_id>/take-out")
@may(May.ENROL)
def take_out(dossier_id: UUID) -> ResponseReturnValue:
    """It does not go with this list after all."""
    line = queries.dossier_seen(session(), current_scope(), dossier_id)
    with transaction() as current:
        services.take_out(current, line.dossier, by=current_user())
    return redirect(url_for(".show", dossier_id=dossier_id))


@bp.post("/dossiers/<uuid:dossier_id>/accept")
@may(May.ENROL)
def accept(dossier_id: UUID) -> ResponseReturnValue:
    """The insurance office's yes: the code, and what was declared is recorded as paid."""
    line = queries.dossier_seen(session(), current_scope(), dossier_id)
    form = AcceptForm()
    if form.validate() and form.accepted_on.data:
        given = {name: form[name].data for name in ("accepted_on", "number", "receipt_number", "confirmation")}
        given["paid_on"] = form.paid_on.data or form.accepted_on.data
        with refusals_on(form), transaction() as current:
            services.accept(current, line.dossier, line.person, **given, by=current_user(), at=clock.now())
            flash(_("Accepted, and recorded. Nothing has to be typed again."), "success")
            return redirect(url_for(".show", dossier_id=dossier_id) if line.within else url_for(".listing"))
    return _dossier_page(line, accepting=form), 422


@bp.get("/dossiers/<uuid:dossier_id>.pdf")
@may(May.ENROL)
def paper(dossier_id: UUID) -> ResponseReturnValue:
    """Form TK1-TS, to be signed. Whole numbers only for agents and the office, and logged; else filled in by hand."""
    with transaction() as current:
        line = queries.dossier_seen(current, current_scope(), dossier_id)
        if line.to_read:
            raise NotFound
        whole = basis_for(current_user().may) is not None and current_user().may(May.REVEAL_IDENTITY)
        if whole:
            by, at = current_user(), clock.now()
            exporting.note_readings(current, [line.person], line.dossier, "tk1_pdf", by=by, at=at)
        part = line.person.neighbourhood_id
        home = current.get(Place, (line.person.town_id, part)) if part else None
        family = _living_with(line.person)
        today = clock.today()
        ward = unit_now(current, line.place, part, today) or line.place
        made = printing.form_tk1(line.dossier, line.person, ward, home, whole=whole, today=today, household=family)
    return attachment(made, "TK1-TS.pdf")


# ---- pieces


def _living_with(person: Prospect) -> list[Prospect]:
    """The household of somebody, themselves among them, as far as it may be seen; nobody of whom no household is known."""
    if person.household_id is None:
        return []
    return members_seen(session(), current_scope(), [person.household_id])[person.household_id]


def _mend_url(mend: str, dossier: Dossier) -> str:
    endpoint, part, fragment = MENDS[mend]
    key: Any = dossier.id if part == "dossier_id" else dossier.prospect_id
    return url_for(endpoint, _anchor=fragment or None, **{part: key})


def _begun(current: Any, person: Prospect, **chosen: Any) -> Dossier:
    try:
        return services.open_dossier(current, person, **chosen, by=current_user(), at=clock.now())
    except Conflict as refused:
        there = queries.open_dossier_of(current, person)
        if refused.code != "open_already" or there is None:
            raise
        return there


def _figures(person: Prospect, dossier: Dossier | None = None, *, at_once: bool = False) -> DossierForm:
    spell, today, missing = open_spell(session(), person), _law().on(clock.today()), _missing(person)
    following = queries.next_month_of(session(), person, today)
    start: dict[str, Any] = {}
    if spell:
        start = {"income": spell.income, "months": spell.method or 1}
    if spell and following:
        start["start"] = str(following)
    if dossier and dossier.start_month:
        chosen = {name: getattr(dossier, name) for name in ("income", "email", "results_address")}
        months = MISSING if dossier.missing else dossier.months
        start = {**chosen, "months": months, "start": str(Month.of(dossier.start_month))}
    elif at_once and missing:
        start["months"] = MISSING
    return DossierForm.choosing(today, following, missing, **start)


def _law() -> Law:
    return once("law", lambda: law(session()))


def _missing(person: Prospect) -> int:
    """How many months somebody may pay for at once today, by what is on record."""
    try:
        told = missing_of(session(), person, _law(), clock.today())
    except RuleBroken:
        return 0
    return 0 if told.refusal else told.months


def _agents(form: HandOverForm) -> HandOverForm:
    form.offer((one.id, one.full_name) for one in queries.agents(session(), current_scope().town_id))
    return form


def _prepare_page(person: Prospect, form: DossierForm) -> str:
    verdict, spell = verdict_of(session(), person, clock.today()), open_spell(session(), person)
    return render_template("joining/prepare.html", person=person, form=form, spell=spell, verdict=verdict)


def _dossier_page(
    line: Line,
    *,
    figures: DossierForm | None = None,
    handing: HandOverForm | None = None,
    reason: ReasonForm | None = None,
    accepting: AcceptForm | None = None,
) -> str:
    dossier, user = line.dossier, current_user()
    worked = _worked(line)
    basis = basis_for(user.may)
    acts = {act.value for act in Act if dossier.state in FROM[act]} if user.may(May.ENROL) else set()
    answers = basis is not None and (basis is not Basis.TAKEN or dossier.agent_id == user.id)
    if not line.within:
        acts &= {Act.GATHER.value, Act.SUBMIT.value, Act.ACCEPT.value, Act.SEND_BACK.value}
    if not answers:
        acts -= {Act.GATHER.value, Act.SUBMIT.value, Act.ACCEPT.value, Act.SEND_BACK.value}
    confirmed = f"D05-TS {line.listed.label}" if line.listed else None
    filled = {"accepted_on": clock.today(), "confirmation": confirmed}
    filled["paid_on"] = line.listed.submitted_on if line.listed else None
    return render_template(
        "joining/dossier.html",
        line=line,
        dossier=dossier,
        person=line.person,
        worked=worked,
        acts=acts,
        basis=basis,
        figures=figures or (_figures(line.person, dossier) if dossier.start_month else None),
        handing=handing or _agents(HandOverForm(formdata=None, data={"agent": _usual_agent(dossier)})),
        reason=reason or ReasonForm(formdata=None),
        accepting=accepting or AcceptForm(formdata=None, data=filled),
        steps=queries.steps_of(session(), dossier),
        grounds=GROUNDS,
        statuses=STATUSES,
        number_is_code=number_is_code(_law().on(clock.today())),
        today=clock.today(),
    )


def _usual_agent(dossier: Dossier) -> str | None:
    if dossier.agent_id:
        return str(dossier.agent_id)
    return str(current_user().id) if basis_for(current_user().may) is Basis.TAKEN else None


def _worked(line: Line) -> Worked | None:
    """What it would declare today, while it is still with the volunteer: what was handed over has declared."""
    if line.dossier.state not in WITH_THE_VOLUNTEER:
        return None
    return queries.work_out(session(), line.dossier, line.person, clock.today(), _law())


def _listing_page(gathering: GatherForm) -> str:
    form, scope, current = ListForm(request.args), current_scope(), session()
    wanted = form.state.data
    basis = basis_for(current_user().may)
    usual = State.HANDED_OVER if basis is Basis.TAKEN else State.DRAFT
    state = State(wanted) if wanted in set(State) else State.HANDED_OVER if gathering.errors else usual
    ward = form.one("place")
    asked = Asked(state, ids_within(current, scope.town_id, ward) if ward else None, form.one("agent"))
    shown = queries.page_of(current, scope, asked, cursor=request.args.get("cursor"))
    wards = current.scalars(units(scope.town_id, clock.today())).all()
    form.place.choices = [("", _("All")), *((str(one.id), one.name) for one in wards)]
    form.agent.choices = [("", _("All"))] + [
        (str(one.id), one.full_name) for one in queries.agents(current, scope.town_id)
    ]
    return render_template(
        "joining/listing.html",
        form=form,
        gathering=gathering,
        state=state,
        ward=ward,
        asked=asked,
        counts=queries.counts(current, scope, replace(asked, state=None)),
        shown=shown,
        lists=lists_of(current, scope, cursor=request.args.get("lists")),
        may_gather=basis is not None and state is State.HANDED_OVER and current_user().may(May.ENROL),
        today=clock.today(),
    )


def _list_page(list_id: UUID, form: SubmitForm) -> str:
    shown = list_seen(session(), current_scope(), list_id, clock.today())
    answers = basis_for(current_user().may) is not None
    return render_template(
        "joining/list.html",
        shown=shown,
        of=shown.of,
        totals=exporting.totals(shown.rows),
        columns=COLUMNS,
        form=form,
        number_is_code=number_is_code(_law().on(shown.day)),
        answers=answers and current_user().may(May.ENROL),
        files=answers and shown.whole and current_user().may(May.REVEAL_IDENTITY),
    )


def _taken_away(list_id: UUID, way: str) -> tuple[DossierList, list[Row]]:
    """The rows of a list for a file, with whole numbers, for those who answer for the money and see all of it."""
    with transaction() as current:
        shown = list_seen(current, current_scope(), list_id, clock.today())
        if basis_for(current_user().may) is None:
            raise RuleBroken(_("Only a collection agent or the office takes this list away: it holds whole numbers."))
        if not shown.whole:
            raise RuleBroken(_("You see only some rows of this list. Whoever made it, or the office, takes it away."))
        exporting.note_rows(current, shown, way, by=current_user(), at=clock.now())
        return shown.of, shown.rows


def _unit_of(user: User) -> str:
    """The organisation in whose name somebody hands a list in."""
    found = session().get(Organisation, (user.town_id, user.organisation_id)) if user.organisation_id else None
    return found.name if found else ""
