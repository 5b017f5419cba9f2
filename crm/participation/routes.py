"""Joining, paying on, stopping, and the lists of who takes part."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May, Reach
from crm.db import session, transaction
from crm.errors import NotFound, RuleBroken
from crm.months import MONTHS_IN_YEAR, Month
from crm.participation import cards, households, payers, queries, services
from crm.participation import months as telling
from crm.participation.calendar import STATES
from crm.participation.elsewhere.queries import latest
from crm.participation.forms import EnrolForm, ListForm, PaymentForm, StopForm, WhyStoppedForm
from crm.participation.guard.rules import said_of_return
from crm.participation.leaving import queries as leaving_queries
from crm.participation.leaving.rules import not_needed_from
from crm.participation.leaving.showing import Shown
from crm.participation.leaving.showing import planned as planned_in_words
from crm.participation.models import Participation, Payment
from crm.participation.reckoned import as_reckoned
from crm.participation.rules import (
    BEGINNINGS,
    ENDINGS,
    KINDS,
    Ending,
    Kind,
    Span,
    basis_for,
    first_day_to_pay,
)
from crm.participation.screening.queries import verdict_of
from crm.participation.screening.rules import KINDS as VERDICTS
from crm.participation.shares import Payer
from crm.places.models import Place
from crm.places.rules import UNITS
from crm.premiums.queries import law
from crm.premiums.rules.quotes import Quote, nearest_income
from crm.premiums.rules.wording import GROUNDS, METHODS, STATUSES
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import person_seen
from crm.web.forms import refusals_flashed, refusals_on
from crm.web.guard import may
from crm.web.pager import Page

bp = Blueprint("participation", __name__)
cards.register()
households.register()
WORDS = {"beginnings": BEGINNINGS, "endings": ENDINGS, "kinds": KINDS}


@bp.get("/participation")
@may(May.SEE_PEOPLE)
def listing() -> ResponseReturnValue:
    """The people behind a figure: who takes part on a day, who joined, came back or left, whose payment is due."""
    form, scope = ListForm(request.args), current_scope()
    kind, span = form.chosen_kind(), form.span(clock.today())
    narrowed, place = queries.narrowed_to(session(), scope, **form.where(), as_of=span.as_of)
    shown = queries.page_of(session(), scope, kind, span, narrowed, cursor=request.args.get("cursor"))
    total = queries.count(session(), scope, kind, span, narrowed)
    return _list_page(form, kind, span, place, shown, total)


@bp.get("/people/<uuid:prospect_id>/enrol")
@may(May.ENROL)
def enrol_form(prospect_id: UUID) -> ResponseReturnValue:
    """What it costs this person to join, and the form to record it."""
    joining, form = _person(prospect_id), EnrolForm.under(law(session()).on(clock.today()))
    waits = payers.waiting(session(), joining)
    waiting = next((one for one in waits if form.offers_start(str(one.start))), None)
    start = request.args.get("start") or str(waiting.start if waiting else _first_unpaid(joining))
    if form.offers_start(start):
        form.start.data = start
    _choose_months(form, waiting if waiting and start == str(waiting.start) else None)
    paper = latest(session(), joining)
    form.moved_in.data = bool(paper and paper.took_part)  # who paid elsewhere is no newcomer, unless somebody says so
    return _enrol_page(joining, form)


def _first_unpaid(joining: Prospect) -> Month:
    """This month, or for somebody who left within what still counts the first after it."""
    this = Month.of(clock.today())
    paid = queries.months_paid(session(), joining, this, MONTHS_IN_YEAR)
    return next((month for month in this.run(MONTHS_IN_YEAR) if month not in paid), this)


@bp.post("/people/<uuid:prospect_id>/enrol")
@may(May.ENROL)
def enrol(prospect_id: UUID) -> ResponseReturnValue:
    """Record that someone joins; «work it out» only shows the figures again."""
    joining, all_law = _person(prospect_id), law(session())
    form = EnrolForm.under(all_law.on(clock.today()))
    basis, step = basis_for(current_user().may), request.form.get("step")
    if form.validate() and step == "record" and basis and (start := form.first):
        with refusals_on(form), transaction():
            services.pay_with_set_aside(
                session(),
                joining,
                **_given(joining, form),
                **_act(),
                joins=True,
                all_law=all_law,
                start=start,
                alone=form.alone.data,
                moved_in=form.moved_in.data,
                despite=form.despite.data,
            )
            flash(_("%(name)s takes part from now on.", name=joining.full_name), "success")
            return redirect(_page_of(prospect_id))
    return _enrol_page(joining, form, failed=step == "record")


@bp.get("/people/<uuid:prospect_id>/pay")
@may(May.ENROL)
def pay_form(prospect_id: UUID) -> ResponseReturnValue:
    """What the next period costs, and the form to record its payment."""
    payer = _person(prospect_id)
    spell, all_law, today = queries.spell_of(session(), payer), law(session()), clock.today()
    start = _next_of(spell)
    then = all_law.on(first_day_to_pay(all_law, start, today) if start else today)
    usual = {"income": nearest_income(then, spell.income), "months": spell.method or 1} if spell else {}
    form = PaymentForm.under(then, **usual)
    _choose_months(form, next((one for one in payers.waiting(session(), payer) if one.start == start), None))
    return _pay_page(payer, form)


@bp.post("/people/<uuid:prospect_id>/pay")
@may(May.ENROL)
def pay(prospect_id: UUID) -> ResponseReturnValue:
    """Record the next period's payment; «work it out» only shows the figures again."""
    payer, all_law = _person(prospect_id), law(session())
    form = PaymentForm.under(all_law.on(clock.today()))
    basis, step = basis_for(current_user().may), request.form.get("step")
    if form.validate() and step == "record" and basis:
        with refusals_on(form), transaction():
            given = {"start": form.shown, "alone": form.alone.data} | _given(payer, form) | _act()
            payment = services.pay_with_set_aside(session(), payer, joins=False, all_law=all_law, **given)
            flash(
                ngettext(
                    "The payment for %(num)s month is recorded.",
                    "The payment for %(num)s months is recorded.",
                    payment.months,
                ),
                "success",
            )
            return redirect(_page_of(prospect_id))
    return _pay_page(payer, form, failed=step == "record")


@bp.get("/people/<uuid:prospect_id>/payments")
@may(May.SEE_PEOPLE)
def payments(prospect_id: UUID) -> ResponseReturnValue:
    """What was paid for someone, in layers, with the rules it rests on; a page at a time."""
    payer, cursor = _person(prospect_id), request.args.get("cursor")
    paid = queries.page_of_payments(session(), payer, cursor=cursor)
    spells = [] if cursor else session().scalars(queries.spells_of(payer)).all()
    last = session().scalars(queries.standing_payments(payer).limit(1)).first()
    mine = last if last and basis_for(current_user().may) is last.basis else None
    return render_template(
        "participation/payments.html",
        person=payer,
        paid=paid,
        first_page=not cursor,
        spells=spells,
        mine=mine,
        kept=[(one, as_reckoned(one)) for one in paid.rows if not one.reverses_id],
        **WORDS,
        **_law_words(),
    )


@bp.get("/people/<uuid:prospect_id>/months")
@may(May.SEE_PEOPLE)
def months(prospect_id: UUID) -> ResponseReturnValue:
    """Who paid each month of someone; one year of it at a time."""
    payer = _person(prospect_id)
    told = telling.told(session(), payer, law(session()), clock.today())
    years = told.calendar.by_year()
    asked = request.args.get("year", type=int)
    year, of_year = next(
        (each for each in years if each[0] == (asked or clock.today().year)), years[-1] if years else (None, ())
    )
    return render_template(
        "participation/months.html",
        person=payer,
        told=told,
        years=years,
        year=year,
        of_year=told.calendar.folded(one for one in of_year if one),
        in_figures=telling.in_figures,
        states=STATES,
        shown=telling.shown_states(told.calendar),
        gaps=telling.in_figures(told.calendar.gaps),
        payable=telling.in_figures(told.calendar.payable_gaps),
        anew=telling.in_figures(told.calendar.anew_gaps),
        bore=telling.bore(told),
        grounds=GROUNDS,
    )


@bp.post("/payments/<uuid:payment_id>/reverse")
@may(May.ENROL)
def reverse(payment_id: UUID) -> ResponseReturnValue:
    """Take a wrong payment back."""
    payment = session().get(Payment, (current_scope().town_id, payment_id))
    if payment is None:
        raise NotFound
    payer = _person(payment.prospect_id)
    with refusals_flashed(), transaction():
        services.reverse_payment(session(), payment, by=current_user(), at=clock.now())
        flash(_("The payment is taken back: its months are free again."), "success")
    return redirect(url_for(".payments", prospect_id=payer.id))


@bp.route("/people/<uuid:prospect_id>/stop", methods=["GET", "POST"])
@may(May.ENROL)
def stop(prospect_id: UUID) -> ResponseReturnValue:
    """Someone stops for a reason other than not having paid."""
    leaving, today = _person(prospect_id), clock.today()
    spell = queries.open_spell(session(), leaving)
    if spell is None:
        raise RuleBroken(_("This person takes part no longer."), code="ended_already")
    form, planned = StopForm.of(today, spell.started_on, spell.paid_through), None
    if form.validate_on_submit():
        on, ending, first = form.on.data or today, form.ending.data, form.first_not_needed
        if request.form.get("step") == "see":
            planned = _planned(leaving, spell, ending, on, first)
        else:
            with refusals_on(form), transaction():
                given = {"because": form.because, "not_needed_from": first, **_act(basis=False)}
                services.stop(session(), spell, on=on, ending=ending, **given)
                flash(_("%(name)s takes part no longer.", name=leaving.full_name), "success")
                return redirect(_page_of(prospect_id))
    return render_template(
        "participation/stop.html", person=leaving, spell=spell, form=form, planned=planned, statuses=STATUSES
    ), 422 if form.errors else 200


@bp.route("/people/<uuid:prospect_id>/why-stopped", methods=["GET", "POST"])
@may(May.EDIT_PEOPLE)
def why_stopped(prospect_id: UUID) -> ResponseReturnValue:
    """Note why somebody let it lapse and whether they come back, as a volunteer heard it."""
    left, today = _person(prospect_id), clock.today()
    spell = services.stopped_spell(session(), left)
    back, again_on = said_of_return(spell.stays_away, spell.asked_on, left.next_contact_on, today)
    form = WhyStoppedForm(data={"reason": spell.stop_reason, "back": back, "again_on": again_on})
    if form.validate_on_submit():
        with refusals_on(form), transaction():
            said = {"back": form.back.data, "again_on": form.again_on.data, **_act(basis=False)}
            services.say_why(session(), left, form.reason.data, **said)
            flash(_("Noted."), "success")
            return redirect(_page_of(prospect_id))
    return render_template(
        "participation/why_stopped.html", person=left, spell=spell, form=form, today=today
    ), 422 if form.errors else 200


# ---- pieces


def _planned(person: Prospect, spell: Participation, ending: Ending, on: date, first: Month | None) -> list[Shown]:
    """What would come back, line by line."""
    told = law(session())
    found = leaving_queries.work_out(session(), spell, person, ending, on, first or not_needed_from(on), told)
    sponsors = {part.payee_id for one in found for part in one.parts if part.payee_id}
    return planned_in_words(found, leaving_queries.names_of(session(), person.town_id, sponsors))


def _person(prospect_id: UUID) -> Prospect:
    return person_seen(session(), current_scope(), prospect_id)


def _page_of(prospect_id: UUID) -> str:
    return url_for("prospects.show", prospect_id=prospect_id)


def _given(payer: Prospect, form: PaymentForm) -> dict[str, Any]:
    """What the form says about a payment, in the services' words."""
    today = clock.today()
    paid_on = form.paid_on.data or today
    return {
        "income": form.income.data,
        "plan": form.plan,
        "paid_on": paid_on,
        # Of a day ahead the papers, such as the next year's list of the poor, are not on record yet.
        "grounds": queries.grounds_on(session(), payer, min(paid_on, today)),
        **form.proof(basis_for(current_user().may)),
    }


def _act(*, basis: bool = True) -> dict[str, Any]:
    """Who acts, when, and on what basis."""
    known = {"basis": basis_for(current_user().may)} if basis else {}
    return {"by": current_user(), "at": clock.now(), **known}


class Aside(NamedTuple):
    """What waits for some of the months that are paid, and who set it aside."""

    used: payers.SetAside | None
    """What waits for exactly these."""
    others: list[payers.SetAside]
    """What waits for other months that meet these: it is used only where one chooses those."""
    names: Mapping[Payer, str]

    @property
    def page(self) -> str | None:
        """Where the months are paid with that money alone."""
        return payers.purse_of(self.used.share.payer.kind).page_of(self.used) if self.used else None


def _aside(payer: Prospect, form: PaymentForm, start: Month | None) -> Aside:
    months = form.months_chosen
    if start is None or months is None:
        return Aside(None, [], {})
    met = [one for one in payers.waiting(session(), payer) if one.meets(start, months)]
    used = next((one for one in met if one.is_for(start, months)), None)
    names = payers.named(session(), payer.town_id, [one.share.payer for one in met])
    return Aside(used, [] if used else met, names)


def _choose_months(form: PaymentForm, waiting: payers.SetAside | None) -> None:
    """The months that the address asks for, else those that money waits for."""
    months = request.args.get("months", type=int) or (waiting.months if waiting else None)
    if form.offers(months):
        form.months.data = months


def _next_of(spell: Participation | None) -> Month | None:
    """The month that is to be paid next."""
    return services.next_month(spell, None) if spell and spell.paid_through else None


def _quote(payer: Prospect, form: PaymentForm, start: Month | None, aside: Aside) -> Quote | None:
    """What it would cost as the form stands; what is refused is said at its field."""
    if form.errors or start is None or (form.is_submitted() and not form.validate()):
        return None
    with refusals_on(form):
        given = {
            name: value
            for name, value in _given(payer, form).items()
            if name in ("income", "plan", "paid_on", "grounds")
        }
        offered = aside.used.share.amount if aside.used else 0
        return queries.quote_for(session(), payer, start=start, other_support=offered, **given)
    return None


def _enrol_page(joining: Prospect, form: EnrolForm, *, failed: bool = False) -> ResponseReturnValue:
    aside, spell = _aside(joining, form, form.first), queries.open_spell(session(), joining)
    page = render_template(
        "participation/enrol.html",
        person=joining,
        form=form,
        told=_quote(joining, form, form.first, aside),
        aside=aside,
        spell=None if spell and _is_late(spell) else spell,
        basis=basis_for(current_user().may),
        verdict=verdict_of(session(), joining, clock.today()),
        verdicts=VERDICTS,
        **_law_words(),
    )
    return page, 422 if failed or form.errors else 200


def _is_late(spell: Participation) -> bool:
    """Whether the last day to pay has passed: from then on one registers anew."""
    return spell.deadline_on is not None and spell.deadline_on < clock.today()


def _pay_page(payer: Prospect, form: PaymentForm, *, failed: bool = False) -> ResponseReturnValue:
    spell = queries.spell_of(session(), payer)
    start = _next_of(spell)
    aside, today = _aside(payer, form, start), clock.today()
    opens = first_day_to_pay(law(session()), start, today) if start else today
    page = render_template(
        "participation/pay.html",
        person=payer,
        form=form,
        told=_quote(payer, form, start, aside),
        aside=aside,
        spell=spell,
        late=spell is not None and (spell.ended_on is not None or _is_late(spell)),
        opens=opens if opens > today else None,
        today=today,
        before=spell.income if spell and form.income.data != spell.income and not form.is_submitted() else None,
        start=start,
        basis=basis_for(current_user().may),
        **_law_words(),
    )
    return page, 422 if failed or form.errors else 200


def _list_page(
    form: ListForm, kind: Kind, span: Span, place: Place | None, shown: Page[queries.Line], total: int
) -> ResponseReturnValue:
    town_id = current_scope().town_id
    places, organisations = queries.places_named(session(), town_id), queries.organisations_named(session(), town_id)
    open_now = [one for one in places.values() if one.valid_on(span.as_of) and one.kind in UNITS]
    form.offering(
        [(str(one.id), one.name) for one in sorted(open_now, key=lambda one: one.name)],
        [(str(key), name) for key, name in organisations.items()],
    )
    form.place.data = str(place.id) if place else ""
    now = queries.spells_of_all(session(), town_id, [line.person.id for line in shown.rows])
    return render_template(
        "participation/listing.html",
        back={id: spell.started_on for id, spell in now.items()},
        last_needed=leaving_queries.last_needed(session(), town_id, [line.spell.id for line in shown.rows]),
        form=form,
        kind=kind,
        span=span,
        place=place,
        places=places,
        organisations=organisations,
        shown=shown,
        total=total,
        limited=current_scope().reach is not Reach.ALL,
        today=clock.today(),
        **WORDS,
    )


def _law_words() -> dict[str, Any]:
    return {"grounds": GROUNDS, "methods": METHODS, "statuses": STATUSES}
