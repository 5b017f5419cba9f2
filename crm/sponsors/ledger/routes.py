"""The treasurer's pages of the account book: giving back, putting right, closing a month, deciding with a second person."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.db import session, transaction
from crm.errors import NotFound, RuleBroken
from crm.months import Month
from crm.sponsors import queries as sponsoring
from crm.sponsors import services
from crm.sponsors.ledger import deciding, journal, queries
from crm.sponsors.ledger.exporting import workbook
from crm.sponsors.ledger.forms import CorrectForm, DecisionForm, GiveBackForm, LimitForm, RefundForm
from crm.sponsors.ledger.limits import limit
from crm.sponsors.ledger.models import MoneyRequest
from crm.sponsors.ledger.rules import ACTS, ASKED, DECISIONS, Decision
from crm.sponsors.models import Sponsor
from crm.sponsors.rules import KINDS_OF_ACCOUNT, MOVEMENTS, Movement
from crm.web import filters
from crm.web.attachments import attachment
from crm.web.forms import flash_refusals, refusals_on
from crm.web.guard import may
from crm.web.language import chosen

bp = Blueprint("ledger", __name__)

PAGE = 50
MONTHS_BACK = 36


@bp.get("/sponsors/<uuid:sponsor_id>/refund")
@may(May.RECORD_MONEY)
def refund_form(sponsor_id: UUID) -> ResponseReturnValue:
    """How much goes back to the sponsor, and why?"""
    return _refund_page(_sponsor(sponsor_id), RefundForm())


@bp.post("/sponsors/<uuid:sponsor_id>/refund")
@may(May.RECORD_MONEY)
def refund(sponsor_id: UUID) -> ResponseReturnValue:
    """Money that is not set aside went back; above the limit a second person is asked."""
    by, form = _sponsor(sponsor_id), RefundForm()
    if form.validate():
        told: dict[str, Any] = {"reason": form.reason.data, "reference": form.reference.data}
        with refusals_on(form), transaction() as current:
            done = deciding.refund_or_ask(
                current, by, form.amount.data or 0, by=current_user(), on=clock.today(), at=clock.now(), **told
            )
            _say(done, _("Written down: the money went back to the sponsor."))
            return redirect(url_for("sponsors.show", sponsor_id=sponsor_id), 303)
    return _refund_page(_sponsor(sponsor_id), form)


@bp.get("/receipts/<uuid:receipt_id>/correct")
@may(May.RECORD_MONEY)
def correct_form(receipt_id: UUID) -> ResponseReturnValue:
    """What was wrong with a receipt?"""
    return _correct_page(receipt_id, CorrectForm())


@bp.post("/receipts/<uuid:receipt_id>/correct")
@may(May.RECORD_MONEY)
def correct(receipt_id: UUID) -> ResponseReturnValue:
    """The receipt is taken back exactly; above the limit a second person is asked."""
    form = CorrectForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            wrong = sponsoring.receipt(current, current_scope(), receipt_id)
            told: dict[str, Any] = {"reason": form.reason.data, "by": current_user()}
            done = deciding.correct_or_ask(current, wrong, on=clock.today(), at=clock.now(), **told)
            _say(done, _("The receipt is taken back. Its reference can be booked again."))
            return redirect(url_for("sponsors.show", sponsor_id=wrong.sponsor_id), 303)
    return _correct_page(receipt_id, form)


@bp.get("/allocations/<uuid:allocation_id>/give-back")
@may(May.RECORD_MONEY)
def give_back_form(allocation_id: UUID) -> ResponseReturnValue:
    """From which month on is the money given back?"""
    return _give_back_page(allocation_id)


@bp.post("/allocations/<uuid:allocation_id>/give-back")
@may(May.RECORD_MONEY)
def give_back(allocation_id: UUID) -> ResponseReturnValue:
    """The last months are free again; those before stay carried."""
    form = _give_back_form(allocation_id)
    if form.validate():
        with refusals_on(form), transaction() as current:
            row = sponsoring.allocation(current, current_scope(), allocation_id)
            sponsor_id = row.sponsor_id
            act: dict[str, Any] = {"by_id": current_user().id, "on": clock.today(), "at": clock.now()}
            services.release(current, row, since=form.month, **act)
            flash(_("The money is free again."), "success")
            return redirect(url_for("sponsors.show", sponsor_id=sponsor_id), 303)
    return _give_back_page(allocation_id, form)


# ---- the book of the fund


@bp.get("/sponsors/book")
@may(May.SEE_SPONSORS)
def book() -> ResponseReturnValue:
    """Where all the money is, which months are closed and which is next."""
    return _book_page()


@bp.get("/sponsors/book/postings")
@may(May.SEE_SPONSORS)
def journal_of_month() -> ResponseReturnValue:
    """Every posting of a month in its order, and what stood on the bank accounts after each; `format=xlsx` takes all of
    them away."""
    scope, month = current_scope(), _month_asked()
    turnover = journal.turnover(session(), scope.town_id, month)
    if request.args.get("format") == "xlsx":
        lines = list(journal.all_lines(session(), scope, month, turnover.opening))
        sponsors = journal.whose(session(), scope.town_id, [one.posting.id for one in lines])
        return attachment(workbook(month, turnover, lines, sponsors), f"{_('account-book')}-{month}.xlsx")
    movement, cursor = _movement_asked(), request.args.get("cursor")
    found = journal.lines_page(session(), scope, month, turnover.opening, movement, cursor=cursor)
    ids = [one.posting.id for one in found.rows]
    return render_template(
        "sponsors/ledger/journal.html",
        month=month,
        months=_months_to_choose(month),
        movement=movement,
        movements=MOVEMENTS,
        turnover=turnover,
        found=found,
        sponsors=journal.whose(session(), scope.town_id, ids),
        named=sponsoring.months_of_postings(session(), scope, scope.town_id, ids),
        closed=queries.is_closed(session(), scope.town_id, month),
    )


@bp.post("/sponsors/book/close")
@may(May.RECORD_MONEY)
def close() -> ResponseReturnValue:
    """The month named on the button is closed, or a second person is asked to close it."""
    try:
        month = Month.parse(request.form.get("month", ""))
        with transaction() as current:
            by = current_user()
            done = deciding.close_or_ask(current, by.town_id, month, by=by, on=clock.today(), at=clock.now())
            _say(done, _("The month is closed."))
    except (RuleBroken, ValueError) as refused:
        return _book_page(str(refused))
    return redirect(url_for(".book"), 303)


@bp.get("/sponsors/limit")
@may(May.MANAGE_ACCOUNTS)
def limit_form() -> ResponseReturnValue:
    """Above which amount does it take two people?"""
    return _limit_page(LimitForm(data={"amount": limit(session())}))


@bp.post("/sponsors/limit")
@may(May.MANAGE_ACCOUNTS)
def change_limit() -> ResponseReturnValue:
    """From now on that limit holds; nothing typed means that one person may do all."""
    form = LimitForm()
    if form.validate():
        with transaction() as current:
            deciding.change_limit(current, form.value, by=current_user(), at=clock.now())
        flash(_("The limit is changed."), "success")
        return redirect(url_for(".book"), 303)
    return _limit_page(form), 422


def _limit_page(form: LimitForm) -> str:
    changes = queries.limit_changes(session(), current_user().town_id)
    return render_template("sponsors/ledger/limit.html", form=form, changes=changes)


# ---- deciding


@bp.get("/sponsors/decisions")
@may(May.SEE_SPONSORS)
def decisions() -> ResponseReturnValue:
    """What waits for a second person, and what was decided last."""
    scope = current_scope()
    found = queries.waiting(session(), scope, cursor=request.args.get("cursor"), size=PAGE)
    decided = queries.decided(session(), scope, cursor=request.args.get("decided"))
    return render_template(
        "sponsors/ledger/decisions.html",
        waiting=queries.named(session(), scope, found.rows),
        abouts=queries.about_all(session(), scope, [*found.rows, *decided.rows]),
        next=found.next,
        decided=queries.named(session(), scope, decided.rows),
        earlier=decided.next,
        acts=ACTS,
        words=DECISIONS,
    )


@bp.post("/sponsors/decisions")
@may(May.RECORD_MONEY)
def approve_several() -> ResponseReturnValue:
    """The ticked requests are approved, each by itself: what is refused is told with its reason, the others are done."""
    chosen = _ticked()
    refused = [words for asked_id in chosen if (words := _approve(asked_id))]
    if done := len(chosen) - len(refused):
        flash(ngettext("%(num)s is approved and done.", "%(num)s are approved and done.", done), "success")
    if not chosen:
        flash(_("Tick what you approve."), "error")
    flash_refusals(refused)
    return redirect(url_for(".decisions"), 303)


@bp.get("/sponsors/decisions/<uuid:asked_id>")
@may(May.SEE_SPONSORS)
def decision(asked_id: UUID) -> ResponseReturnValue:
    """One request: what would be done, who asked, who decided."""
    return _decision_page(asked_id, DecisionForm())


@bp.post("/sponsors/decisions/<uuid:asked_id>")
@may(May.RECORD_MONEY)
def decide(asked_id: UUID) -> ResponseReturnValue:
    """Approve, which does it, or refuse with a reason."""
    form = DecisionForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            asked = queries.request(current, current_scope(), asked_id).request
            told: dict[str, Any] = {"words": form.words.data, "by": current_user()}
            deciding.decide(current, asked, Decision(form.decision.data), on=clock.today(), at=clock.now(), **told)
            flash(_("Your decision is kept."), "success")
            return redirect(url_for(".decisions"), 303)
    return _decision_page(asked_id, form)


# ---- pieces


def _ticked() -> list[UUID]:
    """The requests that were ticked, each once, a page of them at most. Raises NotFound for what is no request."""
    try:
        return [UUID(one) for one in dict.fromkeys(request.form.getlist("asked"))][:PAGE]
    except ValueError:
        raise NotFound from None


def _approve(asked_id: UUID) -> str | None:
    """Approve one request in a transaction of its own; the sentence when it is refused."""
    try:
        with transaction() as current:
            asked = queries.request(current, current_scope(), asked_id).request
            by = current_user()
            deciding.decide(current, asked, Decision.APPROVED, by=by, on=clock.today(), at=clock.now())
    except RuleBroken as refused:
        return f"{_named(asked_id)}: {refused}"
    return None


def _named(asked_id: UUID) -> str:
    """Which request this is, for whoever ticked several."""
    asked = queries.request(session(), current_scope(), asked_id)
    person = queries.about(session(), current_scope(), asked.request).person
    about = person.full_name if person else asked.sponsor or ACTS[asked.request.act]
    return f"{about}, {filters.vnd(asked.request.amount, chosen())}"


def _month_asked() -> Month:
    """The month whose postings are asked for: this one by default, and for one that lies ahead. Raises NotFound for what
    is none."""
    asked, this = request.args.get("month"), Month.of(clock.today())
    try:
        return max(Month.of(date.min) + 1, min(Month.parse(asked), this)) if asked else this
    except ValueError:
        raise NotFound from None


def _movement_asked() -> Movement | None:
    """The movement that the list is narrowed to; None for all of them."""
    asked = request.args.get("movement")
    return Movement(asked) if asked in set(Movement) else None


def _months_to_choose(asked: Month) -> list[Month]:
    """This month and those before it, the latest first, and the one that is asked for."""
    latest = Month.of(clock.today())
    found = [latest - back for back in range(MONTHS_BACK)]
    return found if asked in found else [*found, asked]


def _sponsor(sponsor_id: UUID) -> Sponsor:
    return sponsoring.sponsor(session(), current_scope(), sponsor_id)


def _say(done: object, words: str) -> None:
    if isinstance(done, MoneyRequest):
        flash(str(ASKED), "success")
    else:
        flash(words, "success")


def _status(form: Any) -> int:
    return 422 if form.errors else 200


def _refund_page(by: Sponsor, form: RefundForm) -> ResponseReturnValue:
    balance = sponsoring.balance_of(session(), by)
    return render_template("sponsors/ledger/refund.html", sponsor=by, balance=balance, form=form), _status(form)


def _correct_page(receipt_id: UUID, form: CorrectForm) -> ResponseReturnValue:
    wrong = sponsoring.receipt(session(), current_scope(), receipt_id)
    by = _sponsor(wrong.sponsor_id)
    return render_template("sponsors/ledger/correct.html", receipt=wrong, sponsor=by, form=form), _status(form)


def _give_back_form(allocation_id: UUID) -> GiveBackForm:
    row = sponsoring.allocation(session(), current_scope(), allocation_id)
    months = sponsoring.carried_months(session(), row) if row.payment_id is None else ()
    named = [Month.of(one.month) for one in months]
    return GiveBackForm.of((month, filters.month(month, chosen())) for month in named)


def _give_back_page(allocation_id: UUID, form: GiveBackForm | None = None) -> ResponseReturnValue:
    row = sponsoring.allocation(session(), current_scope(), allocation_id)
    form = form or _give_back_form(allocation_id)
    page = render_template(
        "sponsors/ledger/give_back.html",
        allocation=row,
        months=sponsoring.carried_months(session(), row),
        sponsor=_sponsor(row.sponsor_id),
        person=sponsoring.helped_by(session(), row),
        form=form,
    )
    return page, _status(form)


def _book_page(refused: str | None = None) -> ResponseReturnValue:
    town_id, today = current_scope().town_id, clock.today()
    page = render_template(
        "sponsors/ledger/book.html",
        kinds=KINDS_OF_ACCOUNT,
        balances=queries.balances_by_kind(session(), town_id),
        turn=queries.month_to_close(session(), town_id, today),
        asked=queries.closing_asked(session(), town_id),
        closed=queries.closed_months(session(), town_id),
        limit=limit(session()),
        waiting=queries.how_many_wait(session(), town_id),
        this=Month.of(today),
        refused=refused,
    )
    return page, 422 if refused else 200


def _decision_page(asked_id: UUID, form: DecisionForm) -> ResponseReturnValue:
    asked = queries.request(session(), current_scope(), asked_id)
    page = render_template(
        "sponsors/ledger/decision.html",
        asked=asked,
        about=queries.about(session(), current_scope(), asked.request),
        own=asked.request.asked_by_id == current_user().id,
        acts=ACTS,
        words=DECISIONS,
        form=form,
    )
    return page, _status(form)
