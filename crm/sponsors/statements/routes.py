"""The treasurer's pages of the bank: statements, the queue of their lines, and the bank beside the books."""

from __future__ import annotations

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
from crm.months import Month
from crm.prospects.reading.columns import letter_of
from crm.sponsors import queries as sponsors
from crm.sponsors.ledger.journal import whose
from crm.sponsors.ledger.queries import waiting_about
from crm.sponsors.ledger.rules import ACTS, ASKED, MoneyAct
from crm.sponsors.rules import MOVEMENTS
from crm.sponsors.statements import queries
from crm.sponsors.statements.forms import (
    MOST_PARTS,
    AccountForm,
    HandInForm,
    SetAsideForm,
    UndoForm,
    columns_chosen,
    divided,
    ids_of,
    read_shares,
    rows_of_parts,
)
from crm.sponsors.statements.models import BankAccount, LinePart, Statement, StatementLine
from crm.sponsors.statements.queries import TABS, Narrowed
from crm.sponsors.statements.reading import FIELDS, WHYS
from crm.sponsors.statements.rules.kinds import AT_WORK, STATES, USES, Likely, LineState, StatementState, Use
from crm.sponsors.statements.services import asking, deciding, taking_in
from crm.sponsors.statements.showing import rows_of
from crm.web.filters import in_number
from crm.web.forms import refusals_on
from crm.web.guard import may
from tasks.statements import load_statement

bp = Blueprint("statements", __name__, url_prefix="/statements")
bp.context_processor(lambda: {"states": STATES, "uses": USES})
MOST_MOVES = 200
TAB_WORDS = {
    "open": lambda: _("To decide"),
    "held": lambda: _("Held, not yet known whose"),
    "settled": lambda: _("Decided"),
}


# ---- statements


@bp.get("")
@may(May.SEE_SPONSORS)
def listing() -> ResponseReturnValue:
    """Statements that were loaded, the latest first, and how the bank stands to the books."""
    town_id = current_scope().town_id
    accounts = queries.bank_accounts(session(), town_id)
    return render_template(
        "sponsors/statements/listing.html",
        page=queries.statements_page(session(), current_scope(), cursor=request.args.get("cursor")),
        accounts={one.id: one for one in accounts},
        waiting=queries.open_lines(session(), current_scope()),
        bridge=queries.bridge_on(session(), town_id, clock.today()) if accounts else None,
        month=Month.of(clock.today()),
    )


@bp.get("/new")
@may(May.RECORD_MONEY)
def new() -> ResponseReturnValue:
    """Choose the bank's file."""
    return render_template("sponsors/statements/new.html", form=_hand_in_form())


@bp.post("/new")
@may(May.RECORD_MONEY)
def hand_in() -> ResponseReturnValue:
    """Take the file in; its columns are looked at next."""
    form = _hand_in_form()
    if form.validate_on_submit():
        content, filename = form.file.data.read(), form.file.data.filename or "statement"
        with refusals_on(form), transaction() as current:
            account = _account_of(current, form, content, filename)
            act: dict[str, Any] = {"by_id": current_user().id, "at": clock.now()}
            taken, known = taking_in.hand_in(current, account, filename, content, **act)
            if known:
                flash(_("This very file was handed in before. Here it is."), "message")
                return _back_to(taken.id)
            return redirect(url_for(".columns", statement_id=taken.id), 303)
    return render_template("sponsors/statements/new.html", form=form), 422


def _account_of(current: Any, form: HandInForm, content: bytes, filename: str) -> BankAccount:
    if form.account_id:
        return queries.bank_account(current, current_scope(), form.account_id)
    by = current_user()
    return taking_in.account_of_file(
        current, by.town_id, content, filename, form.number.data, by_id=by.id, at=clock.now()
    )


@bp.get("/<uuid:statement_id>")
@may(May.SEE_SPONSORS)
def show(statement_id: UUID) -> ResponseReturnValue:
    """A statement where it stands: its columns, its loading, or what became of its lines."""
    row = _statement(statement_id)
    if row.state is StatementState.COLUMNS:
        return redirect(url_for(".columns", statement_id=statement_id), 303)
    account = queries.bank_account(session(), current_scope(), row.bank_account_id)
    if row.state in AT_WORK:
        return render_template("sponsors/statements/at_work.html", row=row, words=_progress_words(row))
    return render_template(
        "sponsors/statements/show.html",
        row=row,
        account=account,
        counts=queries.counts(session(), current_scope(), Narrowed(statement_id=row.id)),
        months=[Month.of(day) for day in (row.from_day, row.to_day) if day],
    )


@bp.get("/<uuid:statement_id>/progress")
@may(May.SEE_SPONSORS)
def progress(statement_id: UUID) -> Response:
    """How far the loading is, for the page that waits."""
    row = _statement(statement_id)
    finished = row.state not in AT_WORK
    return jsonify(
        done=row.done,
        total=row.lines,
        text=_progress_words(row),
        finished=finished,
        next=url_for(".show", statement_id=statement_id) if finished else None,
    )


def _progress_words(row: Statement) -> str:
    words = {"state": STATES[row.state], "done": in_number(row.done), "total": in_number(row.lines)}
    return str(_("%(state)s: %(done)s of %(total)s lines", **words))


@bp.get("/<uuid:statement_id>/columns")
@may(May.RECORD_MONEY)
def columns(statement_id: UUID) -> ResponseReturnValue:
    """What each column holds, and the lines as they are then read."""
    row = _statement(statement_id)
    if row.state is not StatementState.COLUMNS:
        return _back_to(statement_id)
    return _columns_page(row, row.found["columns"])


@bp.post("/<uuid:statement_id>/columns")
@may(May.RECORD_MONEY)
def confirm(statement_id: UUID) -> ResponseReturnValue:
    """The columns are right: load the lines; or only show what other columns would give."""
    row = _statement(statement_id)
    if row.state is not StatementState.COLUMNS:
        return _back_to(statement_id)
    letters = [letter_of(index) for index in range(len(row.found["headings"]))]
    chosen = columns_chosen(request.form, letters)
    if request.form.get("step") == "preview":
        return _columns_page(row, chosen)
    try:
        with transaction() as current:
            taking_in.confirm(current, _statement(statement_id), chosen, by_id=current_user().id, at=clock.now())
    except RuleBroken as refusal:
        if refusal.code == "loaded":
            return _back_to(statement_id)
        return _columns_page(_statement(statement_id), chosen, str(refusal))
    ring(load_statement, str(current_user().town_id), str(statement_id))
    return _back_to(statement_id)


def _columns_page(row: Statement, chosen: dict[str, str], refused: str | None = None) -> ResponseReturnValue:
    read = chain = None
    try:
        read, chain = taking_in.looked_through(row, taking_in.table_of(row, chosen))
    except RuleBroken as refusal:
        refused = refused or str(refusal)
    page = render_template(
        "sponsors/statements/columns.html",
        row=row,
        account=queries.bank_account(session(), current_scope(), row.bank_account_id),
        columns=_columns_of(row, chosen),
        fields=FIELDS,
        whys={why.value: words for why, words in WHYS.items()},
        read=read,
        chain=chain,
        refused=refused,
    )
    return page, 422 if refused and request.method == "POST" else 200


def _columns_of(row: Statement, chosen: dict[str, str]) -> list[dict[str, Any]]:
    kept = row.found
    return [
        {
            "letter": letter,
            "heading": heading,
            "samples": kept["samples"][index],
            "field": chosen.get(letter, ""),
            "why": kept["whys"].get(letter) if kept["columns"].get(letter) == chosen.get(letter) else None,
        }
        for index, heading in enumerate(kept["headings"])
        if (letter := letter_of(index)) and (heading or kept["samples"][index])
    ]


@bp.post("/<uuid:statement_id>/give-up")
@may(May.RECORD_MONEY)
def give_up(statement_id: UUID) -> ResponseReturnValue:
    """Forget a file that was not loaded."""
    with transaction() as current:
        taking_in.give_up(current, _statement(statement_id))
    return redirect(url_for(".listing"), 303)


# ---- the queue


@bp.get("/lines")
@may(May.SEE_SPONSORS)
def queue() -> ResponseReturnValue:
    """Lines that wait for somebody to say what they are, each with what it most likely is."""
    wanted, scope = _narrowed(), current_scope()
    shown = queries.lines_page(session(), scope, wanted, cursor=request.args.get("cursor"))
    return render_template(
        "sponsors/statements/queue.html",
        wanted=wanted,
        tabs=[(tab, TAB_WORDS[tab]()) for tab in TABS],
        counts=queries.counts(session(), scope, wanted),
        rows=rows_of(session(), scope, shown.rows),
        next=shown.next,
        bridge=queries.bridge_on(session(), scope.town_id, clock.today()),
        here=request.full_path,
    )


def _narrowed() -> Narrowed:
    asked = request.args
    likely = asked.get("likely", "")
    try:
        month = Month.parse(asked["month"]) if asked.get("month") else None
        return Narrowed(
            asked.get("tab") if asked.get("tab") in TABS else "open",  # type: ignore[arg-type]
            Likely(likely) if likely in set(Likely) else None,
            UUID(asked["account_id"]) if asked.get("account_id") else None,
            UUID(asked["statement_id"]) if asked.get("statement_id") else None,
            month,
        )
    except ValueError:
        raise NotFound from None


@bp.post("/lines/clear")
@may(May.RECORD_MONEY)
def clear_small() -> ResponseReturnValue:
    """Accept everything that looks like a fee or interest of the bank."""
    by = current_user()
    with transaction() as current:
        done = deciding.clear_small(current, by.town_id, by_id=by.id, at=clock.now())
    flash(
        ngettext("%(num)s fee or interest was put aside.", "%(num)s fees and interest were put aside.", done), "success"
    )
    return redirect(url_for(".queue"), 303)


@bp.get("/lines/<uuid:line_id>")
@may(May.SEE_SPONSORS)
def line(line_id: UUID) -> ResponseReturnValue:
    """One line: what it may be, to divide it, to set it aside, or what was said of it."""
    return _line_page(_line(line_id))


@bp.post("/lines/<uuid:line_id>/accept")
@may(May.RECORD_MONEY)
def accept(line_id: UUID) -> ResponseReturnValue:
    """The money is these sponsors'."""

    def act(current: Any, one: StatementLine) -> None:
        _book(current, one, read_shares(request.form.get("shares", "")))

    return _decide(line_id, act)


@bp.post("/lines/<uuid:line_id>/divide")
@may(May.RECORD_MONEY)
def divide(line_id: UUID) -> ResponseReturnValue:
    """The money is divided by hand; or the page again, with room for more parts and everything that was typed."""
    if "more" in request.form:
        return _line_page(_line(line_id))

    def act(current: Any, one: StatementLine) -> None:
        _book(current, one, divided(request.form, one.amount))

    return _decide(line_id, act)


def _book(current: Any, one: StatementLine, shares: Any) -> None:
    by = current_user()
    if one.state is LineState.SETTLED:
        deciding.identify(current, one, shares, by_id=by.id, on=clock.today(), at=clock.now())
    else:
        deciding.book(current, one, shares, by_id=by.id, at=clock.now())


@bp.post("/lines/<uuid:line_id>/link")
@may(May.RECORD_MONEY)
def link(line_id: UUID) -> ResponseReturnValue:
    """The line shows a receipt that was recorded by hand."""

    def act(current: Any, one: StatementLine) -> None:
        receipt_id = ids_of([request.form.get("receipt_id", "")])[0]
        receipt = sponsors.receipt(current, current_scope(), receipt_id)
        deciding.link(current, one, receipt, by_id=current_user().id, at=clock.now())

    return _decide(line_id, act)


@bp.post("/lines/<uuid:line_id>/hold")
@may(May.RECORD_MONEY)
def hold(line_id: UUID) -> ResponseReturnValue:
    """Nobody knows yet whose the money is."""
    return _decide(line_id, lambda current, one: deciding.hold(current, one, by_id=current_user().id, at=clock.now()))


@bp.post("/lines/<uuid:line_id>/set-aside")
@may(May.RECORD_MONEY)
def set_aside(line_id: UUID) -> ResponseReturnValue:
    """The line is no sponsor's money."""
    form = SetAsideForm()

    def act(current: Any, one: StatementLine) -> None:
        if not form.validate():
            raise RuleBroken(" ".join(str(words) for some in form.errors.values() for words in some), field="use")
        deciding.set_aside(current, one, form.what, form.why.data, by_id=current_user().id, at=clock.now())

    return _decide(line_id, act)


@bp.post("/lines/<uuid:line_id>/moves")
@may(May.RECORD_MONEY)
def moves(line_id: UUID) -> ResponseReturnValue:
    """The line shows money that the books say went out or came back."""

    def act(current: Any, one: StatementLine) -> None:
        chosen = ids_of([key for text in request.form.getlist("postings") for key in text.split()])
        use = Use(request.form["use"]) if request.form.get("use") in set(Use) else Use.OTHER
        why = request.form.get("rest_why", "").replace("\x00", "").strip()[:200] or None
        deciding.show_moves(current, one, use, chosen, rest_why=why, by_id=current_user().id, at=clock.now())

    return _decide(line_id, act)


@bp.post("/lines/<uuid:line_id>/send-back")
@may(May.RECORD_MONEY)
def send_back(line_id: UUID) -> ResponseReturnValue:
    """The line is held money that went back to its payer."""

    def act(current: Any, one: StatementLine) -> object:
        part_id = ids_of([request.form.get("part_id", "")])[0]
        held = current.get(LinePart, (one.town_id, part_id))
        if held is None:
            raise NotFound
        return asking.send_back_or_ask(current, one, held, by=current_user(), at=clock.now())

    return _decide(line_id, act)


@bp.post("/lines/<uuid:line_id>/undo")
@may(May.RECORD_MONEY)
def undo(line_id: UUID) -> ResponseReturnValue:
    """What was said of the line was wrong."""
    form = UndoForm()

    def act(current: Any, one: StatementLine) -> object:
        reason = form.reason.data if form.validate() else ""
        return asking.undo_or_ask(current, one, reason or "", by=current_user(), on=clock.today(), at=clock.now())

    return _decide(line_id, act, undoing=True)


def _decide(line_id: UUID, act: Any, *, undoing: bool = False) -> ResponseReturnValue:
    """Do it; what is refused is said on the page of the line, and nothing typed is lost."""
    try:
        with transaction() as current:
            asked = act(current, _line(line_id))
    except RuleBroken as refusal:
        return _line_page(_line(line_id), str(refusal)), 422
    done = _("Undone: the line is open again.") if undoing else _("Decided.")
    flash(str(ASKED) if asked else done, "success")
    back = request.form.get("back", "")
    if undoing or not back.startswith("/statements/lines?"):
        return redirect(url_for(".line", line_id=line_id), 303)
    return redirect(back, 303)


def _line_page(one: StatementLine, refused: str | None = None) -> str:
    scope, q = current_scope(), request.values.get("q", "").replace("\x00", "")[:200]
    row = rows_of(session(), scope, [one])[0]
    is_held = any(part.part.use is Use.HELD for part in row.parts)
    wants = (one.state is LineState.OPEN or is_held) and current_user().may(May.RECORD_MONEY)
    use = Use(request.args["use"]) if request.args.get("use") in (Use.REFUND, Use.INSURANCE) else Use.INSURANCE
    choices, more = queries.choices(session(), scope, q) if wants and one.amount > 0 else ((), False)
    return render_template(
        "sponsors/statements/line.html",
        row=row,
        line=one,
        account=queries.bank_account(session(), scope, one.bank_account_id),
        history=queries.history_of(session(), one),
        refused=refused,
        wants=wants,
        is_held=is_held,
        choices=choices,
        choices_cut=queries.CHOICES if more else None,
        q=q,
        rows=range(rows_of_parts(request.form)),
        may_grow=rows_of_parts(request.form) < MOST_PARTS,
        form=SetAsideForm(),
        undoing=UndoForm(),
        waits=waiting_about(session(), scope, one.id, (MoneyAct.UNDO_LINE, MoneyAct.SEND_BACK)),
        acts=ACTS,
        use=use,
        moves=queries.moves_unseen(
            session(),
            scope.town_id,
            Use.INSURANCE if one.amount > 0 else use,
            clock.today(),
            MOST_MOVES,
            came_in=one.amount > 0,
        )
        if wants
        else (),
        typed=request.form,
    )


# ---- the bank beside the books


@bp.get("/reconciliation")
@may(May.SEE_SPONSORS)
def reconciliation() -> ResponseReturnValue:
    """An account in a month: by the bank, by the books, and what lies between."""
    scope, wanted = current_scope(), _narrowed()
    accounts = queries.bank_accounts(session(), scope.town_id)
    month = wanted.month or Month.of(clock.today())
    chosen = next((one for one in accounts if one.id == wanted.account_id), accounts[0] if accounts else None)
    day = min(month.last_day, max(clock.today(), month.first_day))
    unseen = queries.loose_moves(session(), scope.town_id, day)
    return render_template(
        "sponsors/statements/reconciliation.html",
        accounts=accounts,
        account=chosen,
        month=month,
        bank=queries.bank_in(session(), chosen, month) if chosen else None,
        bridge=queries.bridge_on(session(), scope.town_id, day),
        unseen=unseen,
        sponsors=whose(session(), scope.town_id, [one.posting.id for one in unseen]),
        movements=MOVEMENTS,
        loose=queries.loose_lines(session(), scope.town_id),
        months=[Month.of(clock.today()) - back for back in range(18)],
        by=current_user(),
        today=clock.today(),
    )


@bp.get("/accounts/<uuid:bank_account_id>")
@may(May.RECORD_MONEY)
def account(bank_account_id: UUID) -> ResponseReturnValue:
    """What an account is called, and what of its first money is no sponsor's."""
    one = queries.bank_account(session(), current_scope(), bank_account_id)
    form = AccountForm(data={"name": one.name, "amount": one.not_sponsors, "why": one.not_sponsors_why})
    return render_template("sponsors/statements/account.html", account=one, form=form)


@bp.post("/accounts/<uuid:bank_account_id>")
@may(May.RECORD_MONEY)
def change_account(bank_account_id: UUID) -> ResponseReturnValue:
    """Say so."""
    form = AccountForm()
    if form.validate():
        with refusals_on(form), transaction() as current:
            one = queries.bank_account(current, current_scope(), bank_account_id)
            taking_in.say_what_stood_before(one, form.amount.data or 0, form.why.data)
            one.name = form.name.data or one.number
            return redirect(url_for(".reconciliation", account_id=bank_account_id), 303)
    one = queries.bank_account(session(), current_scope(), bank_account_id)
    return render_template("sponsors/statements/account.html", account=one, form=form), 422


# ---- pieces


def _hand_in_form() -> HandInForm:
    accounts = queries.bank_accounts(session(), current_scope().town_id)
    return HandInForm().offering((one.id, f"{one.name} · {one.number}") for one in accounts)


def _statement(statement_id: UUID) -> Statement:
    return queries.statement(session(), current_scope(), statement_id)


def _line(line_id: UUID) -> StatementLine:
    return queries.line(session(), current_scope(), line_id)


def _back_to(statement_id: UUID) -> ResponseReturnValue:
    return redirect(url_for(".show", statement_id=statement_id), 303)
