"""The page where anyone may promise something, its confirmation, the page of payment, and staff's pages of promises."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.models import User
from crm.accounts.rules import May
from crm.background import ring
from crm.db import session, transaction
from crm.errors import Conflict, NotFound, RuleBroken
from crm.mail.gateway import sandboxed
from crm.phones import is_mobile
from crm.places.models import Town
from crm.places.queries import the_town, units
from crm.premiums.rules.wording import GROUNDS
from crm.prospects.rules import ConsentChannel
from crm.prospects.wording import CHANNELS
from crm.sponsors import gateway
from crm.sponsors import queries as sponsors
from crm.sponsors.giving import queries, rules, showing
from crm.sponsors.giving.forms import (
    OFFERED_AMOUNTS,
    OFFERED_MONTHS,
    OFFERED_PEOPLE,
    READERS,
    TO_TEXTS,
    AnswerForm,
    ChangeForm,
    ContributionForm,
    EndForm,
    PromiseForm,
    RefuseForm,
    TelephoneForm,
    TextsForm,
)
from crm.sponsors.giving.models import Registration
from crm.sponsors.giving.rules import Account, Buys, Due, Frequency
from crm.sponsors.giving.services import registering, scheduling, texting
from crm.sponsors.models import Pledge, Sponsor
from crm.sponsors.rules import KINDS, NEEDS, PledgeState, Wish
from crm.sponsors.services import pledge as promise
from crm.sponsors.wording import wish_words
from crm.web.filters import in_number
from crm.web.forms import refusals_on
from crm.web.guard import may, public
from crm.web.language import chosen, prefer
from tasks.mail import send_some

bp = Blueprint("giving", __name__)

REGISTRATIONS = "20 per hour"
LOOKING = "120 per minute"
ASKING = "240 per minute"
PAGE = 50


# ---- for everyone


@bp.get("/sponsor")
@public
def contribute() -> ResponseReturnValue:
    """What a month of a neighbour costs, and the form to promise some."""
    return _contribution_page(_contribution_form())


@bp.post("/sponsor")
@public
def register() -> ResponseReturnValue:
    """Keep it as unconfirmed and say what comes next; «work it out» only shows the figures."""
    form, counting = _contribution_form(), request.form.get("step") == "count"
    if form.website.data:
        return redirect(url_for(".contribute"), 303)
    if not counting and form.validate():
        with refusals_on(form):
            with transaction():
                token = _register(form)
            ring(send_some)
            return redirect(url_for(".registered", token=token), 303)
    return _contribution_page(form, counting=counting)


@bp.get("/sponsor/buys")
@public
def buys() -> ResponseReturnValue:
    """What a contribution comes to, in figures and as a piece of the page."""
    form = _contribution_form(typed=True)
    told = _told(form) if form.count() else None
    drawn = render_template("sponsors/giving/_buys.html", **_month(form), told=told, form=form, grounds=GROUNDS)
    figures = {"total": told.total, "times": told.times, "person_months": told.person_months} if told else None
    return jsonify(buys=figures, html=drawn)


@bp.get("/sponsor/check")
@public
def check() -> ResponseReturnValue:
    """Whether what was just typed can be right: an e-mail, a telephone number, a tax code. Not whether it is known."""
    told: dict[str, str] = {}
    for name, read in READERS.items():
        typed = request.args.get(name, "").replace("\x00", "").strip()
        if typed:
            try:
                read(typed[:200])
            except RuleBroken as refusal:
                told[name] = str(refusal)
    return jsonify(told)


@bp.get("/sponsor/registered/<token>")
@public
def registered(token: str) -> ResponseReturnValue:
    """What comes next: a mail to look for, or a call."""
    return _registered_page(queries.registration_of_page(session(), token), token)


@bp.post("/sponsor/registered/<token>")
@public
def send_again(token: str) -> ResponseReturnValue:
    """The mail did not arrive: another, with a new link."""
    with transaction() as current:
        kept = queries.registration_of_page(current, token)
        sent = registering.send_link(current, kept, links=showing.links(), at=clock.now())
    if sent:
        ring(send_some)
        flash(_("Sent once more. The link in the earlier mail no longer works."), "success")
    else:
        flash(_("It was sent a moment ago, or several times already. Look among the unwanted mails too."), "warning")
    return redirect(url_for(".registered", token=token), 303)


@bp.get("/sponsor/confirm/<token>")
@public
def confirmation(token: str) -> ResponseReturnValue:
    """What is about to be confirmed. Looking confirms nothing: programs that preview links look too."""
    kept = queries.registration_of_link(session(), token)
    prefer(kept.language)
    return _confirmation_page(kept, token)


@bp.post("/sponsor/confirm/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    """Sponsor and promise become real, once; then how to pay."""
    kept = queries.registration_of_link(session(), token)
    try:
        with transaction() as current:
            done = registering.confirm_by_link(current, kept, links=showing.links(), at=clock.now(), on=clock.today())
            _agree_to_texts(current, kept, TextsForm(), ConsentChannel.WEB, by=None)
            pledge_id, own = done.pledge.id, done.token
    except Conflict:
        return _confirmation_page(queries.registration_of_link(session(), token), token)
    ring(send_some)
    if own:
        return redirect(url_for("letters.letter", token=own), 303)
    return redirect(url_for(".pay", token=showing.pay_token(pledge_id)), 303)


@bp.get("/sponsor/pay/<token>")
@public
def pay(token: str) -> ResponseReturnValue:
    """How to transfer what is next of a promise: account, amount and message to copy, and the QR."""
    shown = queries.pledge_by_id(session(), showing.links().pledge_of(token))
    prefer(session().get_one(Sponsor, (shown.town_id, shown.sponsor_id)).language)
    account = queries.account_of(session(), shown, clock.today())
    return _quietly(
        render_template(
            "sponsors/giving/pay.html",
            pledge=shown,
            account=account,
            transfer=_transfer(shown, account),
            town=session().get_one(Town, shown.town_id),
            standings=rules.STANDINGS,
            phone=_phone(),
            rests_until=_rests_until(shown, account),
        )
    )


def _rests_until(pledge: Pledge, account: rules.Account) -> date | None:
    """The day on which a promise goes on that its sponsor paused."""
    return queries.resting(session(), [pledge], {pledge.id: account}, clock.today()).get(pledge.id)


@bp.get("/sponsor/pay/<token>/qr.png")
@public
def pay_picture(token: str) -> ResponseReturnValue:
    """The QR of what is next as a picture: for whoever has the bank's app on the very phone that shows it."""
    shown = queries.pledge_by_id(session(), showing.links().pledge_of(token))
    transfer = _transfer(shown, queries.account_of(session(), shown, clock.today()))
    if transfer is None or shown.state is PledgeState.ENDED:
        raise NotFound
    response = make_response(_quietly(showing.picture_of(transfer)))
    response.headers["Content-Type"] = "image/png"
    response.headers["Content-Disposition"] = f'attachment; filename="{transfer.code}.png"'
    return response


@bp.record_once
def _limited(state: BlueprintSetupState) -> None:
    """Nobody fills the book with promises or a mailbox with mails, or guesses at links."""
    limiter, views = state.app.extensions["crm.limits"], state.app.view_functions
    for name in ("register", "send_again"):
        views[f"giving.{name}"] = limiter.limit(REGISTRATIONS, methods=["POST"])(views[f"giving.{name}"])
    for name in ("registered", "confirmation", "confirm", "pay", "pay_picture"):
        views[f"giving.{name}"] = limiter.limit(LOOKING)(views[f"giving.{name}"])
    for name in ("buys", "check"):
        views[f"giving.{name}"] = limiter.limit(ASKING)(views[f"giving.{name}"])


# ---- who registered and is not confirmed


@bp.get("/sponsors/registrations")
@may(May.RECORD_MONEY)
def registrations() -> ResponseReturnValue:
    """Who registered by themselves and is not confirmed yet, the earliest first."""
    found = queries.registrations_page(session(), current_scope(), cursor=request.args.get("cursor"), size=PAGE)
    return render_template("sponsors/giving/registrations.html", found=found, kinds=KINDS)


@bp.get("/sponsors/registrations/<uuid:registration_id>")
@may(May.RECORD_MONEY)
def registration(registration_id: UUID) -> ResponseReturnValue:
    """One of them: call, ask, and confirm or close it."""
    kept = _registration(registration_id)
    return _registration_page(kept, _telephone_form(kept), RefuseForm())


@bp.post("/sponsors/registrations/<uuid:registration_id>/confirm")
@may(May.RECORD_MONEY)
def confirm_by_telephone(registration_id: UUID) -> ResponseReturnValue:
    """They were called and it is theirs. Kept who called and when."""
    kept = _registration(registration_id)
    form = _telephone_form(kept)
    if form.validate():
        with refusals_on(form), transaction() as current:
            joined = None if form.joined.data == "new" else _sponsor(UUID(form.joined.data))
            done = registering.confirm_by_telephone(
                current, kept, joined, links=showing.links(), by_id=current_user().id, at=clock.now(), on=clock.today()
            )
            _agree_to_texts(current, kept, form, ConsentChannel.PHONE_CALL, by=current_user())
            flash(_("Confirmed. On the transfer they write %(code)s.", code=done.pledge.code), "success")
            if done.token:
                return _hand_over_page(done.sponsor, done.pledge, done.token)
            return redirect(url_for(".show_pledge", pledge_id=done.pledge.id), 303)
    return _registration_page(_registration(registration_id), form, RefuseForm())


@bp.post("/sponsors/registrations/<uuid:registration_id>/refuse")
@may(May.RECORD_MONEY)
def refuse_registration(registration_id: UUID) -> ResponseReturnValue:
    """It was nobody's promise."""
    kept, form = _registration(registration_id), RefuseForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            why = form.why.data or ""
            registering.refuse(current, kept, why=why, by_id=current_user().id, at=clock.now())
            flash(_("Closed."), "success")
            return redirect(url_for(".registrations"), 303)
    kept = _registration(registration_id)
    return _registration_page(kept, _telephone_form(kept), form)


# ---- promises


@bp.get("/pledges/late")
@may(May.SEE_SPONSORS)
def late() -> ResponseReturnValue:
    """What should have come and did not, the longest late first."""
    today, scope = clock.today(), current_scope()
    number, left = queries.late_in_all(session(), scope.town_id, today)
    found = queries.late_page(session(), scope, today, cursor=request.args.get("cursor"), size=PAGE)
    return render_template("sponsors/giving/late.html", found=found, number=number, left=left, today=today)


@bp.get("/pledges/to-call")
@may(May.SEE_SPONSORS)
def to_call() -> ResponseReturnValue:
    """Whom no letter reaches: what is late or soon due of sponsors without an e-mail, the earliest day first."""
    today = clock.today()
    found = queries.to_call_page(session(), current_scope(), today, cursor=request.args.get("cursor"), size=PAGE)
    pays = {one.pledge.id: showing.links().paying(one.pledge.id) for one in found.rows}
    return render_template("sponsors/giving/to_call.html", found=found, pays=pays, today=today)


@bp.get("/pledges/by-sponsors")
@may(May.SEE_SPONSORS)
def own_hand() -> ResponseReturnValue:
    """What sponsors changed, paused or ended themselves in the last days, the latest first."""
    found = queries.by_own_hand_page(
        session(), current_scope(), clock.today(), cursor=request.args.get("cursor"), size=PAGE
    )
    return render_template("sponsors/giving/own_hand.html", found=found, steps=rules.STEPS)


@bp.get("/sponsors/<uuid:sponsor_id>/pledge")
@may(May.RECORD_MONEY)
def pledge_form(sponsor_id: UUID) -> ResponseReturnValue:
    """What does the sponsor promise, and when does it come?"""
    form = PromiseForm(data={"frequency": "once", "first": rules.months_on(clock.today(), 1)})
    return render_template("sponsors/giving/promise.html", sponsor=_sponsor(sponsor_id), form=form)


@bp.post("/sponsors/<uuid:sponsor_id>/pledge")
@may(May.RECORD_MONEY)
def pledge(sponsor_id: UUID) -> ResponseReturnValue:
    """A promise with its instalments, and the code of its transfer."""
    by, form = _sponsor(sponsor_id), PromiseForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            dues = _dues(form, form.amount.data)
            total = sum(due.amount for due in dues)
            given: dict[str, Any] = {"frequency": form.often, "note": form.note.data}
            made = promise(current, by, total, due=dues[-1].on, dues=dues, **given, **_act())
            flash(_("Promise recorded. On the transfer they write %(code)s.", code=made.code), "success")
            return redirect(url_for(".show_pledge", pledge_id=made.id), 303)
    return render_template("sponsors/giving/promise.html", sponsor=by, form=form), 422


@bp.get("/sponsors/<uuid:sponsor_id>/texts")
@may(May.RECORD_MONEY)
def texts(sponsor_id: UUID) -> ResponseReturnValue:
    """Does this sponsor want reminders as messages? What was said so far, and a place for the next answer."""
    return _texts_page(_sponsor(sponsor_id), AnswerForm())


@bp.post("/sponsors/<uuid:sponsor_id>/texts")
@may(May.RECORD_MONEY)
def answer_to_texts(sponsor_id: UUID) -> ResponseReturnValue:
    """Keep what they said."""
    of, form, by = _sponsor(sponsor_id), AnswerForm(), current_user()
    if form.validate():
        with refusals_on(form), transaction() as current:
            given: dict[str, Any] = {"given": form.wanted, "channel": form.chosen_way, "by": by, "at": clock.now()}
            texting.answer_to_texts(current, of, str(TO_TEXTS), **given)
            flash(
                _("Kept: reminders go to this telephone.") if form.wanted else _("Kept: no reminders by text."),
                "success",
            )
            return redirect(url_for("sponsors.show", sponsor_id=sponsor_id), 303)
    return _texts_page(_sponsor(sponsor_id), form), 422


@bp.get("/pledges/<uuid:pledge_id>")
@may(May.SEE_SPONSORS)
def show_pledge(pledge_id: UUID) -> ResponseReturnValue:
    """A promise: its instalments, what came in on them, how to pay, and everything that was done to it."""
    shown = _pledge(pledge_id)
    account = queries.account_of(session(), shown, clock.today())
    return render_template(
        "sponsors/giving/pledge.html",
        pledge=shown,
        sponsor=_sponsor(shown.sponsor_id),
        account=account,
        transfer=_transfer(shown, account),
        address=showing.links().paying(shown.id),
        frequency=rules.FREQUENCIES[queries.frequency_of(session(), shown)],
        steps=queries.steps_of(session(), shown),
        receipts=queries.receipts_on(session(), shown),
        words={"standings": rules.STANDINGS, "steps": rules.STEPS},
        today=clock.today(),
        rests_until=_rests_until(shown, account),
    )


@bp.get("/pledges/<uuid:pledge_id>/change")
@may(May.RECORD_MONEY)
def change_form(pledge_id: UUID) -> ResponseReturnValue:
    """What becomes of what is still to come?"""
    changed = _pledge(pledge_id)
    still = scheduling.open_dues(session(), changed)
    often = queries.frequency_of(session(), changed)
    start = {
        "amount": changed.amount,
        "frequency": often.value,
        "times": max(len(still), 1),
        "first": still[0].on if still else rules.months_on(clock.today(), 1),
        "own": "\n".join(f"{due.on:%d/%m/%Y} {in_number(due.amount)}" for due in still),
    }
    return _change_page(changed, ChangeForm(data=start))


@bp.post("/pledges/<uuid:pledge_id>/change")
@may(May.RECORD_MONEY)
def change_pledge(pledge_id: UUID) -> ResponseReturnValue:
    """What came in stays; the rest is paid otherwise from now on."""
    changed, form = _pledge(pledge_id), ChangeForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            came = queries.received_on(current, changed.town_id, [changed.id]).get(changed.id, 0)
            rest = _rest(form, changed, came)
            scheduling.change(current, changed, rest, form.often, reason=form.reason.data, **_act())
            flash(_("The promise is changed; what came in stays as it is."), "success")
            return redirect(url_for(".show_pledge", pledge_id=pledge_id), 303)
    return _change_page(_pledge(pledge_id), form)


@bp.get("/pledges/<uuid:pledge_id>/end")
@may(May.RECORD_MONEY)
def end_form(pledge_id: UUID) -> ResponseReturnValue:
    """Why is nothing more expected?"""
    return _end_page(_pledge(pledge_id), EndForm())


@bp.post("/pledges/<uuid:pledge_id>/end")
@may(May.RECORD_MONEY)
def end_pledge(pledge_id: UUID) -> ResponseReturnValue:
    """Nothing more is expected of a promise; what was done stays."""
    ended, form = _pledge(pledge_id), EndForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            scheduling.end(current, ended, reason=form.reason.data or "", **_act())
            flash(_("Nothing more is expected of it."), "success")
            return redirect(url_for(".show_pledge", pledge_id=pledge_id), 303)
    return _end_page(_pledge(pledge_id), form)


# ---- pieces


def _act() -> dict[str, Any]:
    """Who acts, on which day, when."""
    return {"by_id": current_user().id, "on": clock.today(), "at": clock.now()}


def _sponsor(sponsor_id: UUID) -> Sponsor:
    return sponsors.sponsor(session(), current_scope(), sponsor_id)


def _texts_page(of: Sponsor, form: AnswerForm) -> str:
    said = texting.said_to_texts(session(), of)
    return render_template(
        "sponsors/giving/texts.html", sponsor=of, said=said, form=form, asked=TO_TEXTS, ways=CHANNELS
    )


def _pledge(pledge_id: UUID) -> Pledge:
    return sponsors.pledge(session(), current_scope(), pledge_id)


def _registration(registration_id: UUID) -> Registration:
    return queries.registration(session(), current_scope(), registration_id)


def _contribution_form(*, typed: bool = False) -> ContributionForm:
    town = the_town(session())
    places = [(place.id, place.name) for place in session().scalars(units(town.id, clock.today()))]
    return ContributionForm.empty(request.args if typed else None).offering(places)


def _month(form: ContributionForm) -> dict[str, Any]:
    """Who bears a month of somebody in need, today."""
    today = clock.today()
    return {"month": sponsors.month_of(session(), the_town(session()).id, form.need, today), "today": today}


def _counted(form: ContributionForm) -> Buys:
    """What the contribution comes to. Raises RuleBroken."""
    a_month = _month(form)["month"].payable
    if form.by_neighbours:
        return rules.by_neighbours(form.people.data, form.months.data, form.often, a_month)
    return rules.by_amount(form.amount.data, form.months.data, form.often, a_month)


def _told(form: ContributionForm) -> Buys | None:
    """The same; None with the refusal at its field."""
    with refusals_on(form):
        return _counted(form)
    return None


def _register(form: ContributionForm) -> str:
    """The token of the page that says what comes next. Raises RuleBroken."""
    told = _counted(form)
    asked = form.asked(told.total, told.times)
    town = the_town(session())
    _made, token = registering.register(
        session(), town.id, asked, links=showing.links(), at=clock.now(), language=chosen()
    )
    return token


def _contribution_page(form: ContributionForm, *, counting: bool = False) -> ResponseReturnValue:
    told = _told(form) if request.method == "GET" or not counting or form.count() else None
    page = render_template(
        "sponsors/giving/contribute.html",
        **_month(form),
        form=form,
        told=told,
        grounds=GROUNDS,
        offered={"months": OFFERED_MONTHS, "people": OFFERED_PEOPLE, "amounts": OFFERED_AMOUNTS},
        a_month={
            ground: sponsors.a_month(session(), the_town(session()).id, ground, clock.today()) for ground in NEEDS
        },
    )
    return page, 200 if request.method == "GET" or (counting and not form.errors) else 422


def _quietly(page: str | bytes, code: int = 200) -> ResponseReturnValue:
    """A page that opens by its address alone: the address is told to nobody, and nobody lists it."""
    response = make_response(page, code)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _registered_page(kept: Registration, token: str) -> ResponseReturnValue:
    page = render_template(
        "sponsors/giving/registered.html",
        registration=kept,
        token=token,
        email=showing.masked(kept.email) if kept.email else None,
        phone=showing.masked(kept.phone) if kept.phone else None,
        texted=bool(kept.phone and is_mobile(kept.phone)),
        mailbox=url_for("mail.mailbox", to=kept.email) if kept.email and sandboxed(showing.settings()) else None,
        lives=rules.LINK_LIVES.days,
    )
    return _quietly(page)


def _agree_to_texts(
    current: Session, kept: Registration, form: TextsForm, channel: ConsentChannel, *, by: User | None
) -> None:
    if form.texts.data and texting.is_texted(kept):
        texting.answer_to_texts(current, kept, form.words, given=True, channel=channel, by=by, at=clock.now())


def _confirmation_page(kept: Registration, token: str) -> ResponseReturnValue:
    gone = bool(kept.confirmed_at or kept.refused_at) or registering.is_stale(kept, clock.now())
    page = render_template(
        "sponsors/giving/confirm.html",
        registration=kept,
        form=TextsForm() if texting.is_texted(kept) else None,
        token=token,
        paying=showing.pay_token(kept.pledge_id) if kept.pledge_id else None,
        stale=registering.is_stale(kept, clock.now()),
        gone=gone,
        kinds=KINDS,
        frequencies=rules.FREQUENCIES,
        wish=_wish(kept),
        town=session().get_one(Town, kept.town_id),
        phone=_phone(),
    )
    return _quietly(page, 410 if gone else 200)


def _wish(kept: Registration) -> list[str]:
    """Whom they would like to help, in short words."""
    wish = Wish.from_json(kept.wish)
    places = units(kept.town_id, clock.today())
    return wish_words(wish, {one.id: one.name for one in session().scalars(places)} if wish.places else {})


def _phone() -> str:
    """Where sponsors call the fund; empty while nobody said."""
    account = sponsors.fund_account(session())
    return account.phone if account else ""


def _transfer(shown: Pledge, account: Account) -> showing.Transfer | None:
    following = account.next
    return showing.transfer_of(session(), shown, following.left if following else None)


def _telephone_form(kept: Registration) -> TelephoneForm:
    known = queries.same_contact(session(), kept.town_id, email=kept.email, phone=kept.phone, tax_code=kept.tax_code)
    return TelephoneForm().offering([(one.id, one.name) for one in known])


def _hand_over_page(new: Sponsor, made: Pledge, token: str) -> ResponseReturnValue:
    """What a new sponsor is handed: the address of their own page, which is shown this once, and how to pay."""
    address = showing.links().own_page(token)
    page = render_template(
        "sponsors/link.html",
        sponsor=new,
        address=address,
        qr=gateway.drawing(address),
        pledge=made,
        paying=showing.links().paying(made.id),
    )
    return _quietly(page)


def _registration_page(kept: Registration, form: TelephoneForm, refusing: RefuseForm) -> ResponseReturnValue:
    page = render_template(
        "sponsors/giving/registration.html",
        registration=kept,
        form=form,
        texted=texting.is_texted(kept),
        refusing=refusing,
        kinds=KINDS,
        frequencies=rules.FREQUENCIES,
        wish=_wish(kept),
    )
    return page, 422 if form.errors or refusing.errors else 200


def _dues(form: PromiseForm, amount: int | None) -> tuple[Due, ...]:
    """The instalments of a new promise. Raises RuleBroken."""
    if form.often is Frequency.OWN:
        return rules.own_schedule(form.own_dues())
    first = form.first.data or rules.months_on(clock.today(), 1)
    if amount is None:
        raise RuleBroken(_("Write an amount in whole đồng, more than 0."), field="amount")
    return rules.schedule(amount, form.often, form.times.data or 0, first)


def _rest(form: ChangeForm, changed: Pledge, came: int) -> tuple[Due, ...]:
    """What is still to come after a change. Raises RuleBroken."""
    if form.often is Frequency.OWN:
        return rules.own_schedule(form.own_dues())
    a_month = scheduling.least_month(session(), changed, clock.today())
    rest = rules.rest_of(form.amount.data or 0, changed.amount, came, a_month)
    first = form.first.data or rules.months_on(clock.today(), 1)
    return rules.schedule(rest, form.often, form.times.data or 0, first) if rest else ()


def _change_page(changed: Pledge, form: ChangeForm) -> ResponseReturnValue:
    page = render_template(
        "sponsors/giving/change.html",
        pledge=changed,
        sponsor=_sponsor(changed.sponsor_id),
        account=queries.account_of(session(), changed, clock.today()),
        ended=changed.state is PledgeState.ENDED,
        form=form,
    )
    return page, 422 if form.errors else 200


def _end_page(ended: Pledge, form: EndForm) -> ResponseReturnValue:
    page = render_template(
        "sponsors/giving/end.html",
        pledge=ended,
        sponsor=_sponsor(ended.sponsor_id),
        account=queries.account_of(session(), ended, clock.today()),
        form=form,
    )
    return page, 422 if form.errors else 200
