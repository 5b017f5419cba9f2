"""Biểu 03, Biểu 05 and the reconciliation as tables; the layouts are proposals of this program (no official form is known)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.money import Vnd
from crm.names import title_key
from crm.participation.queries import places_named
from crm.participation.rules import Span
from crm.places.boundaries import boundaries
from crm.reports.money import queries
from crm.reports.money.queries import Paid, People
from crm.reports.periods import ReportKind
from crm.reports.tables import Equation, ReportTable
from crm.sponsors.rules import HELD, KINDS, KINDS_OF_ACCOUNT, Movement
from crm.sponsors.statements.queries import Bridge, bank_accounts, bridge_on
from crm.web.filters import in_day, in_money


def supported(session: Session, scope: Scope, span: Span, drawn: date | None = None) -> ReportTable:
    """Biểu 03: every sponsor's promises and money in the period, and whom it was set aside for.

    Of one place only what was set aside for its people is told. `drawn` changes nothing: people are where they live.
    """
    columns = [
        _("Sponsor"),
        _("Kind of sponsor"),
        _("Promised"),
        _("Carried over"),
        _("Received"),
        _("Allocated"),
        _("Returned to the sponsor"),
        _("People: poor"),
        _("People: near-poor"),
        _("People: others"),
        _("Months"),
        _("Left at the end"),
        _("Paid to the insurance fund"),
        _("Note"),
    ]
    whole, rows = scope.place_ids is None, []
    for one in queries.supported(session, scope, span):
        who, helped = [one.name, str(KINDS[one.kind])], one.people
        people = [helped.poor, helped.near_poor, helped.others, helped.months]
        if whole:
            money = [one.promised, one.carried_over, one.received, one.set_aside, one.returned]
            rows.append([*who, *money, *people, one.left, one.paid, ""])
        elif helped != People():
            rows.append([*who, None, None, None, helped.amount, None, *people, None, None, ""])
    in_all = queries.helped_in_all(session, scope, span)
    sums = [_sum(row[place] for row in rows) for place in range(2, len(columns) - 1)]
    sums[5:8] = [in_all.poor, in_all.near_poor, in_all.others]
    balance = Equation(
        [("+", columns[3]), ("+", columns[4]), ("−", columns[5]), ("−", columns[6])],
        columns[11],
        lambda added: _("%(sum)s, for each sponsor and in all.", sum=added),
    )
    notes = [
        _("In the total each person counts once, also when several sponsors helped."),
        _(
            "Promised: promises made in the period, less what was taken back of promises. "
            "Set aside: less what was given back, also by the insurance office."
        ),
    ]
    if not whole:
        notes = [
            _(
                "Of one place only what was set aside for its people is told: promises and receipts are of the whole town."
            )
        ]
    return ReportTable(
        _("Support by sponsors"),
        span.since,
        span.as_of,
        _("Whole đồng, from the account book of the fund; each movement on the day it was booked."),
        _("People by where they live today."),
        columns,
        [*rows, [_("Total"), "", *sums, ""]],
        form=_("Form 03"),
        remarks=notes,
        equation=balance if whole else None,
        numbered=True,
    )


def paid(session: Session, scope: Scope, span: Span, drawn: date | None = None) -> ReportTable:
    """Biểu 05: what was paid in the period and who bore it, ward by ward, in the four layers of D05-TS."""
    columns = [
        _("Ward, commune"),
        _("Number of payments"),
        _("People"),
        _("Months"),
        _("Paid by themselves"),
        _("State budget"),
        _("Local budget"),
        _("Other support"),
        _("Total"),
    ]
    day = drawn or span.as_of
    by_place = queries.paid_by_place(session, scope, span, boundaries(session, scope.town_id, day))
    known = places_named(session, scope.town_id)
    total, rows = Paid(), []
    for key, one in sorted(by_place.items(), key=lambda item: title_key(known[item[0]].name)):
        total = queries.plus(total, one)
        rows.append([known[key].name, *one])
    return ReportTable(
        _("Premiums collected, by who bore them"),
        span.since,
        span.as_of,
        _("Payments by the day they were made; one that is taken back counts against the day on which it was."),
        _("Wards and communes in the boundaries of %(day)s.", day=in_day(day)),
        columns,
        [*rows, [_("Total"), *total]],
        form=_("Form 05"),
        remarks=[_("A person is counted where they lived when they joined.")],
        equation=Equation(
            [("+", head) for head in columns[4:8]], columns[8], lambda added: _("%(sum)s, as in D05-TS.", sum=added)
        ),
        numbered=True,
    )


# ---- the bank beside the books

MOVED: Mapping[str, tuple[Movement, ...]] = {
    "promised": (Movement.PLEDGED, Movement.PLEDGE_CHANGED, Movement.PLEDGE_ENDED),
    "received": (Movement.RECEIVED,),
    "identified": (Movement.IDENTIFIED,),
    "set aside": (Movement.RESERVED,),
    "given back": (Movement.RELEASED,),
    "paid": (Movement.PAID,),
    "returned": (Movement.REFUNDED,),
    "came back": (Movement.CAME_BACK,),
    "put right": (Movement.CORRECTED, Movement.MERGED),
}


def reconciled(session: Session, scope: Scope, span: Span, drawn: date | None = None) -> ReportTable:
    """What stood on each kind of account, what moved, and what stands there; below it the bank beside the books.

    Always of the whole town: the bank knows no wards.
    """
    moved = queries.balances(session, scope.town_id, span)
    rows = [_account(str(words), moved[kind]) for kind, words in KINDS_OF_ACCOUNT.items()]
    held: dict[Movement | None, Vnd] = {}
    for kind in HELD:
        for movement, amount in moved[kind].items():
            held[movement] = held.get(movement, 0) + amount
    columns = [
        _("Kind of account"),
        _("At the start"),
        _("Promised"),
        _("Received"),
        _("Found whose it is"),
        _("Allocated"),
        _("Given back to what is left"),
        _("Paid to the insurance fund"),
        _("Returned to the sponsor"),
        _("Came back from the insurance fund"),
        _("Put right"),
        _("At the end"),
    ]
    return ReportTable(
        _("Reconciliation of the fund"),
        span.since,
        span.as_of,
        _("Whole đồng, from the account book of the fund; each movement on the day it was booked."),
        _("The whole town."),
        columns,
        [*rows, _account(_("Should be on the bank account"), held)],
        form=_("Reconciliation"),
        remarks=[
            _("At the start + what moved = at the end, for each account."),
            _("On the bank account: not yet known from whom + not yet used + set aside."),
        ],
        below=(_bank(session, scope, span),),
    )


def _account(words: str, moved: Mapping[Movement | None, Vnd]) -> list[Any]:
    amounts = [sum(moved.get(one, 0) for one in movements) for movements in MOVED.values()]
    start = moved.get(None, 0)
    return [words, start, *amounts, sum(moved.values())]


def _bank(session: Session, scope: Scope, span: Span) -> ReportTable:
    there = bool(bank_accounts(session, scope.town_id))
    first, last = (bridge_on(session, scope.town_id, day) for day in (span.before, span.as_of))
    lines: list[tuple[str, Callable[[Bridge], Vnd]]] = [
        (_("On all bank accounts"), lambda one: one.bank),
        (_("Of it no sponsor's: interest, fees and other things"), lambda one: one.not_sponsors),
        (_("Should be in the books"), lambda one: one.bank - one.not_sponsors),
        (_("In the books"), lambda one: one.books),
        (_("Difference"), lambda one: one.difference),
        (_("· lines of the bank that nobody has decided yet"), lambda one: one.undecided.total),
        (_("· receipts in the books that no statement shows"), lambda one: -one.came_without_line.total),
        (_("· payments in the books that no statement shows"), lambda one: -one.went_without_line.total),
        (_("· difference before the first statement"), lambda one: one.earlier),
        (_("Not explained"), lambda one: one.unexplained),
    ]
    if not there:
        verdict = _("No bank statement is loaded yet: the books stand alone.")
    elif last.unexplained:
        verdict = _("%(amount)s of the difference is explained by nothing.", amount=in_money(last.unexplained))
    elif last.difference:
        verdict = _("The difference of %(amount)s is made of the lines below it.", amount=in_money(last.difference))
    else:
        verdict = _("Difference nothing: the bank and the books agree.")
    return ReportTable(
        _("The bank beside the books"),
        span.since,
        span.as_of,
        verdict,
        _("The whole town."),
        ["", _("At the start"), _("At the end")],
        [[words, read(first), read(last)] for words, read in lines] if there else [],
    )


def _sum(values: Any) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


MAKERS: Mapping[ReportKind, Callable[[Session, Scope, Span, date | None], ReportTable]] = {
    ReportKind.SUPPORT: supported,
    ReportKind.MONEY: paid,
    ReportKind.RECONCILIATION: reconciled,
}
KIND_WORDS: Mapping[ReportKind, Any] = {
    ReportKind.SUPPORT: _l("Form 03: support by sponsors"),
    ReportKind.MONEY: _l("Form 05: premiums collected, by who bore them"),
    ReportKind.RECONCILIATION: _l("Reconciliation of the fund with the bank"),
}
