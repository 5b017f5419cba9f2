"""The page where anyone may register a contribution, and the treasurer's pages."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import RuleBroken
from crm.months import Month
from crm.participation.queries import grounds_on, open_spell
from crm.participation.rules import basis_for
from crm.premiums.queries import law
from crm.premiums.rules.law import Law
from crm.premiums.rules.wording import GROUNDS
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import person_seen
from crm.sponsors import cards, gateway, queries, services
from crm.sponsors.cliff.queries import renewal_of
from crm.sponsors.duplicates import queries as duplicates
from crm.sponsors.forms import (
    AllocationForm,
    FundAccountForm,
    PremiumForm,
    ReceiptForm,
    RegisterForm,
    shown_amount,
)
from crm.sponsors.giving.queries import accounts_of, namesakes
from crm.sponsors.giving.services.texting import is_texted, said_to_texts
from crm.sponsors.ledger import deciding
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.rules import ASKED
from crm.sponsors.models import Allocation, Pledge, Sponsor
from crm.sponsors.rules import KINDS, KINDS_OF_ACCOUNT, NEEDS, AccountKind, PledgeState, Wish, needy
from crm.sponsors.wording import place_names, told_changes, wish_words
from crm.web.filters import in_day
from crm.web.forms import refusals_on
from crm.web.guard import may
from crm.web.once import once
from crm.web.parts import part_of

bp = Blueprint("sponsors", __name__)
cards.register()

PAGE = 50


# ---- the treasurer's pages


@bp.get("/sponsors")
@may(May.SEE_SPONSORS)
def listing() -> ResponseReturnValue:
    """Every sponsor with what they promised, gave and carry."""
    scope, q = current_scope(), request.args.get("q", "").replace("\x00", "")[:200]
    asked = request.args.get("holding", "")
    holding = AccountKind(asked) if asked in set(AccountKind) else None
    found = queries.sponsors_page(session(), scope, q, holding=holding, cursor=request.args.get("cursor"), size=PAGE)
    return render_template(
        "sponsors/listing.html",
        found=found,
        q=q,
        holding=holding,
        held_as=KINDS_OF_ACCOUNT,
        balances=queries.balances_of(session(), scope.town_id, [row.id for row in found.rows]),
        total=queries.balance_of_all(session(), scope.town_id),
        account=queries.fund_account(session()),
        kinds=KINDS,
    )


@bp.get("/sponsors/new")
@may(May.RECORD_MONEY)
def new() -> ResponseReturnValue:
    """The form for a sponsor who came by themselves."""
    return render_template("sponsors/new.html", form=_sponsor_form(), alike=())


@bp.post("/sponsors/new")
@may(May.RECORD_MONEY)
def add() -> ResponseReturnValue:
    """A new sponsor; the address of their letter is shown once."""
    form, by = _sponsor_form(), current_user()
    alike = _alike(form, by.town_id) if form.validate() and "anyway" not in request.form else []
    if form.validate() and not alike:
        with refusals_on(form), transaction() as current:
            added, token = services.register_sponsor(current, by.town_id, **form.values, by_id=by.id, at=clock.now())
            return _link_page(added, token)
    return render_template("sponsors/new.html", form=form, alike=alike), 422


@bp.post("/sponsors/alike")
@may(May.RECORD_MONEY)
def alike() -> ResponseReturnValue:
    """Who may be the sponsor that is being typed: `{found, html}`."""
    found = _alike(_sponsor_form(), current_user().town_id)
    return {"found": len(found), "html": render_template("sponsors/_alike.html", alike=found)}


@bp.get("/sponsors/<uuid:sponsor_id>")
@may(May.SEE_SPONSORS)
def show(sponsor_id: UUID) -> ResponseReturnValue:
    """A sponsor's promises, whom they carry, and every movement of their money."""
    shown, scope = _sponsor(sponsor_id), current_scope()
    if shown.id != sponsor_id:
        return redirect(url_for(".show", sponsor_id=shown.id))
    carried = part_of("carried", partial(queries.carried_by, session(), scope, shown))
    book = part_of("book", partial(queries.account_book, session(), shown))
    pledges = part_of("pledges", partial(queries.pledges_of, session(), shown))
    return render_template(
        "sponsors/show.html",
        sponsor=shown,
        balance=queries.balance_of(session(), shown),
        pledges=pledges,
        accounts=accounts_of(session(), [pledge for pledge, _came in pledges.rows], clock.today()),
        namesakes=namesakes(session(), shown),
        alike=duplicates.alike_to(session(), shown),
        joined=duplicates.joined_to(session(), shown),
        remained=duplicates.remained(session(), shown),
        carried=carried,
        renewing=renewal_of(session(), shown, clock.today()),
        receipts=part_of("receipts", partial(queries.receipts_of, session(), shown)),
        book=book,
        named=queries.months_of_postings(session(), scope, shown.town_id, [line.posting.id for line in book.rows]),
        wish=_wish_words(shown),
        texted=is_texted(shown),
        said=said_to_texts(session(), shown) if is_texted(shown) else None,
        kinds=KINDS,
        may_pay=basis_for(current_user().may) is not None,
    )


@bp.get("/sponsors/<uuid:sponsor_id>/edit")
@may(May.RECORD_MONEY)
def edit_form(sponsor_id: UUID) -> ResponseReturnValue:
    """A sponsor as they are known, and what was changed of it before."""
    shown = _sponsor(sponsor_id)
    return _edit_page(shown, _sponsor_form(shown))


@bp.post("/sponsors/<uuid:sponsor_id>/edit")
@may(May.RECORD_MONEY)
def edit(sponsor_id: UUID) -> ResponseReturnValue:
    """What is known of a sponsor changes; how it was before is kept."""
    shown = _sponsor(sponsor_id)
    form = RegisterForm().offering(_places(shown.town_id, Wish.from_json(shown.wish)))
    if form.validate():
        with refusals_on(form), transaction() as current:
            changed = services.change_sponsor(current, shown, **form.values, by_id=current_user().id, at=clock.now())
            flash(_("Changed.") if changed else _("Nothing was different."), "success")
            return redirect(url_for(".show", sponsor_id=sponsor_id), 303)
    return _edit_page(_sponsor(sponsor_id), form)


@bp.get("/sponsors/<uuid:sponsor_id>/receipt")
@may(May.RECORD_MONEY)
def receipt_form(sponsor_id: UUID) -> ResponseReturnValue:
    """What came in?"""
    by = _sponsor(sponsor_id)
    return render_template("sponsors/receipt.html", sponsor=by, form=_receipt_form(by))


@bp.post("/sponsors/<uuid:sponsor_id>/receipt")
@may(May.RECORD_MONEY)
def receipt(sponsor_id: UUID) -> ResponseReturnValue:
    """Money that came in, once for each bank reference."""
    by = _sponsor(sponsor_id)
    form = _receipt_form(by)
    if form.validate():
        with refusals_on(form), transaction() as current:
            came_on = form.received_on.data or clock.today()
            for_pledge = queries.pledge(current, current_scope(), form.pledge_id) if form.pledge_id else None
            services.receive(
                current,
                by,
                form.amount.data or 0,
                reference=form.reference.data or "",
                pledge=for_pledge,
                **_act() | {"on": came_on},
            )
            flash(_("Receipt recorded."), "success")
            return redirect(url_for(".show", sponsor_id=sponsor_id), 303)
    return render_template("sponsors/receipt.html", sponsor=by, form=form), 422


@bp.get("/sponsors/<uuid:sponsor_id>/help")
@may(May.RECORD_MONEY)
def waiting(sponsor_id: UUID) -> ResponseReturnValue:
    """Who could be helped next with this money, and why in this order."""
    by, today = _sponsor(sponsor_id), clock.today()
    q, wish = request.args.get("q", "").replace("\x00", "")[:120], Wish.from_json(by.wish)
    everyone = "all" in request.args
    return render_template(
        "sponsors/waiting.html",
        sponsor=by,
        balance=queries.balance_of(session(), by),
        waiting=queries.waiting(session(), current_scope(), today, Wish() if everyone else wish, q),
        months_of={ground: queries.a_month(session(), by.town_id, ground, today) for ground in NEEDS},
        wish=_wish_words(by),
        everyone=everyone,
        q=q,
        today=today,
        grounds=GROUNDS,
    )


@bp.get("/sponsors/<uuid:sponsor_id>/help/<uuid:prospect_id>")
@may(May.RECORD_MONEY)
def allocation_form(sponsor_id: UUID, prospect_id: UUID) -> ResponseReturnValue:
    """How many months of one person, and what they come to."""
    return _allocation_page(_sponsor(sponsor_id), _person(prospect_id))


@bp.post("/sponsors/<uuid:sponsor_id>/help/<uuid:prospect_id>")
@may(May.RECORD_MONEY)
def allocate(sponsor_id: UUID, prospect_id: UUID) -> ResponseReturnValue:
    """Set the money aside, or only show what other months would come to."""
    by, helped = _sponsor(sponsor_id), _person(prospect_id)
    form = _allocation_form(helped)
    if request.form.get("step") == "confirm" and form.validate():
        with refusals_on(form), transaction() as current:
            services.refuse_outside_wish(current, by, helped, clock.today(), form.reason.data)
            given = {"start": form.first, "months": form.months.data, "reason": form.reason.data}
            given |= {"expected": shown_amount(request.form.get("amount", "")), "by": current_user()}
            done = deciding.allocate_or_ask(current, by, helped, **given, on=clock.today(), at=clock.now())
            asked = isinstance(done, MoneyRequest)
            flash(str(ASKED) if asked else _("Set aside for %(name)s.", name=helped.full_name), "success")
            return redirect(url_for(".show", sponsor_id=sponsor_id), 303)
    return _allocation_page(_sponsor(sponsor_id), _person(prospect_id), form)


@bp.post("/allocations/<uuid:allocation_id>/release")
@may(May.RECORD_MONEY)
def release(allocation_id: UUID) -> ResponseReturnValue:
    """The money is free for somebody else."""
    with transaction() as current:
        released = queries.allocation(current, current_scope(), allocation_id)
        services.release(current, released, **_act())
        sponsor_id = released.sponsor_id
    flash(_("The money is free again."), "success")
    return redirect(url_for(".show", sponsor_id=sponsor_id), 303)


@bp.get("/allocations/<uuid:allocation_id>/pay")
@may(May.ENROL)
def premium_form(allocation_id: UUID) -> ResponseReturnValue:
    """The months a sponsor carries, ready to be recorded as paid."""
    return _premium_page(_allocation(allocation_id), PremiumForm(data={"paid_on": clock.today()}))


@bp.post("/allocations/<uuid:allocation_id>/pay")
@may(May.ENROL)
def pay(allocation_id: UUID) -> ResponseReturnValue:
    """The premium was paid with a sponsor's money."""
    carried, form, by = _allocation(allocation_id), PremiumForm(), current_user()
    basis, prospect_id = basis_for(by.may), carried.prospect_id
    if form.validate() and basis:
        given: Any = {"receipt_number": form.receipt_number.data, "confirmation": form.confirmation.data}
        paid_on = form.paid_on.data or clock.today()
        with refusals_on(form), transaction() as current:
            done = deciding.pay_or_ask(current, carried, paid_on=paid_on, basis=basis, by=by, at=clock.now(), **given)
            asked = isinstance(done, MoneyRequest)
            flash(str(ASKED) if asked else _("Recorded: paid with the sponsor's money."), "success")
            return redirect(url_for("prospects.show", prospect_id=prospect_id), 303)
    return _premium_page(_allocation(allocation_id), form)


@bp.post("/sponsors/<uuid:sponsor_id>/page")
@may(May.RECORD_MONEY)
def renew_page(sponsor_id: UUID) -> ResponseReturnValue:
    """A new address for the sponsor's letter; the old one stops working."""
    with transaction() as current:
        by = _sponsor(sponsor_id)
        return _link_page(by, services.renew_page(current, by))


@bp.post("/sponsors/<uuid:sponsor_id>/page/close")
@may(May.RECORD_MONEY)
def close_page(sponsor_id: UUID) -> ResponseReturnValue:
    """The sponsor's letter opens no more."""
    with transaction():
        services.close_page(_sponsor(sponsor_id))
    flash(_("The old address of the letter no longer works."), "success")
    return redirect(url_for(".show", sponsor_id=sponsor_id), 303)


@bp.get("/sponsors/account")
@may(May.MANAGE_ACCOUNTS)
def fund_account() -> ResponseReturnValue:
    """Where sponsors transfer to."""
    account = queries.fund_account(session())
    return render_template("sponsors/account.html", form=FundAccountForm(data=account.as_json() if account else None))


@bp.post("/sponsors/account")
@may(May.MANAGE_ACCOUNTS)
def set_fund_account() -> ResponseReturnValue:
    """From now on sponsors are shown this account."""
    form = FundAccountForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            services.set_fund_account(current, form.value)
            flash(_("Sponsors now see this account."), "success")
            return redirect(url_for(".listing"), 303)
    return render_template("sponsors/account.html", form=form), 422


# ---- pieces


def _act() -> dict[str, Any]:
    """Who acts, on which day, when."""
    return {"by_id": current_user().id, "on": clock.today(), "at": clock.now()}


def _sponsor(sponsor_id: UUID) -> Sponsor:
    return queries.sponsor(session(), current_scope(), sponsor_id)


def _person(prospect_id: UUID) -> Prospect:
    return person_seen(session(), current_scope(), prospect_id)


def _allocation(allocation_id: UUID) -> Allocation:
    return queries.allocation(session(), current_scope(), allocation_id)


def _places(town_id: UUID, wish: Wish = Wish()) -> list[tuple[UUID, str]]:
    today = clock.today()
    return place_names(queries.places_to_wish(session(), town_id, wish, today), today)


def _sponsor_form(known: Sponsor | None = None) -> RegisterForm:
    """The form of a sponsor; of one who is known, as they are now."""
    form = RegisterForm() if known is None else RegisterForm.of(services.known_of(known))
    wish = Wish.from_json(known.wish) if known else Wish()
    return form.offering(_places(current_user().town_id, wish))


def _alike(form: RegisterForm, town_id: UUID) -> list[duplicates.Alike]:
    """Who is here already and may be the one that is being written down, perhaps not to its end."""
    return duplicates.alike_to_told(
        session(),
        town_id,
        name=form.name.data or "",
        email=form.email.data,
        phone=form.phone.data,
        tax_code=form.tax_code.data,
    )


def _edit_page(shown: Sponsor, form: RegisterForm) -> ResponseReturnValue:
    changes = queries.changes_of(session(), shown)
    names = dict(_places(shown.town_id, Wish.from_json(shown.wish)))
    page = render_template(
        "sponsors/edit.html",
        sponsor=shown,
        form=form,
        changes=[(one, by, told_changes(one.before or {}, one.after or {}, names)) for one, by in changes],
    )
    return page, 422 if form.errors else 200


def _link_page(by: Sponsor, token: str) -> str:
    address = current_app.config["SETTINGS"].public_url + url_for("letters.letter", token=token)
    return render_template("sponsors/link.html", sponsor=by, address=address, qr=gateway.drawing(address))


def _receipt_form(by: Sponsor) -> ReceiptForm:
    """With the promise that is waited for chosen, where there is just one: left at «none», it would be asked for again."""
    pledges = queries.pledges_of(session(), by)
    waits = [str(one.id) for one, came in pledges if one.state is PledgeState.OPEN and came < one.amount]
    given = {"received_on": clock.today(), "pledge": waits[0] if len(waits) == 1 and request.method == "GET" else ""}
    return ReceiptForm(data=given).offering((one.id, _pledge_words(one)) for one, _came in pledges)


def _pledge_words(pledge: Pledge) -> str:
    return f"{pledge.code} · {in_day(pledge.pledged_on)}"


def _wish_words(by: Sponsor) -> list[str]:
    wish = Wish.from_json(by.wish)
    return wish_words(wish, dict(_places(by.town_id, wish)) if wish.places else {})


def _law() -> Law:
    return once("law", lambda: law(session()))


def _allocation_form(helped: Prospect) -> AllocationForm:
    today = clock.today()
    under = _law().on(today)
    return AllocationForm.asking(lambda months: queries.months_to_begin_with(session(), helped, months, today, under))


def _allocation_page(by: Sponsor, helped: Prospect, form: AllocationForm | None = None) -> ResponseReturnValue:
    """The page before anything is set aside: every figure on it comes from the law of the day."""
    form, today, told, refused = form or _allocation_form(helped), clock.today(), None, bool(form and form.errors)
    held = grounds_on(session(), helped, today)
    if not refused:
        spell = open_spell(session(), helped)
        form.begin(Month.of(spell.paid_through) + 1 if spell and spell.paid_through else Month.of(today))
    if not form.offered:
        form.form_errors = [*form.form_errors, _("So many months of this person are paid or set aside already.")]
    elif not refused or form.form_errors:
        try:
            told = queries.price(session(), helped, held, form.first, int(form.months.data), today, _law())
        except (RuleBroken, ValueError) as refusal:
            form.form_errors = [*form.form_errors, str(refusal)]
    page = render_template(
        "sponsors/allocate.html",
        sponsor=by,
        balance=queries.balance_of(session(), by),
        person=helped,
        need=needy(held),
        wished=queries.is_wished(session(), by, helped, today),
        wish=_wish_words(by),
        form=form,
        told=told,
        grounds=GROUNDS,
    )
    return page, 422 if form.errors else 200


def _premium_page(carried: Allocation, form: PremiumForm) -> ResponseReturnValue:
    helped = _person(carried.prospect_id)
    page = render_template(
        "sponsors/pay.html",
        allocation=carried,
        person=helped,
        sponsor=session().get_one(Sponsor, (carried.town_id, carried.sponsor_id)),
        spell=open_spell(session(), helped),
        basis=basis_for(current_user().may),
        last=carried.last_month,
        form=form,
    )
    return page, 422 if form.errors else 200
