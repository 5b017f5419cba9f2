"""A list of payments is loaded, or taken back: each row is compared with what is on record, and nothing is recorded yet.

What agrees confirms our payment. What is new or otherwise waits on the page of listed payments, where somebody who
answers for the town's books records it or leaves it. Somebody who stands in the list twice paid twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, delete, exists, literal, or_, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import User
from crm.errors import RuleBroken
from crm.months import Month
from crm.participation.leaving.models import LeavingRefund
from crm.participation.leaving.queries import kept_of
from crm.participation.listed.models import ListedPayment
from crm.participation.listed.rules import AMOUNTS, OPEN, Amounts, Judged, Ours, Said, Verdict, judge
from crm.participation.listed.services import income_of
from crm.participation.models import Payment
from crm.participation.queries import grounds_on, months_of, quote_for, standing_payments
from crm.participation.services import reverse_payment
from crm.premiums.queries import law
from crm.premiums.rules.law import Law
from crm.premiums.rules.quotes import Plan
from crm.prospects.importing import kinds
from crm.prospects.importing.kinds import Rows, person_of
from crm.prospects.importing.rules import Proposed
from crm.prospects.models import ImportRow, ListImport, Prospect
from crm.prospects.reading.outcomes import SameBecause
from crm.prospects.rules import ListKind, RowOutcome

SURE = (SameBecause.CITIZEN_ID, SameBecause.SI_NUMBER)
"""Who bears the same number is the same person: that they stand in the list twice is another payment, and nothing to decide."""
RECORDED_SINCE = "payment_recorded_since"
WHY_KEPT = {
    RECORDED_SINCE: _l("Kept: a payment recorded from this list is followed by another, or is not yours to take back.")
}


def taken_in(session: Session, listed: ListImport, rows: Rows, by_id: UUID | None, at: datetime) -> None:
    """Compare every row that tells of a payment with what is on record of its person."""
    rules = law(session)
    for row_id, person_id, extra in _payments(session, listed, rows):
        person = session.get(Prospect, (listed.town_id, person_id))
        if person is None or not extra.get("from_month") or not extra.get("months"):
            continue
        said = _said(extra)
        known = _told_before(session, person, said)
        if known and known.verdict not in OPEN:
            continue
        judged = _judged(session, person, said, extra, rules)
        if known:
            _look_again(known, judged)
            session.flush()
            continue
        session.add(
            ListedPayment(
                town_id=listed.town_id,
                import_id=listed.id,
                row_id=row_id,
                prospect_id=person.id,
                start_month=said.start.first_day,
                months=said.months,
                said=said.amounts.as_json(),
                ours=judged.ours.as_json() if judged.ours else {},
                income=extra.get("income"),
                paid_on=said.paid_on,
                receipt_number=said.receipt,
                source=(extra.get("list_number") or listed.filename)[:150],
                verdict=judged.verdict,
                why=[why.value for why in judged.why],
                refused=None,
                payment_id=judged.payment_id,
            )
        )
        session.flush()


def _payments(session: Session, listed: ListImport, rows: Rows) -> list[tuple[UUID, UUID, Mapping[str, Any]]]:
    """Row, person and facts of each payment: of these rows, and of those that repeat the person of one of them."""
    found = [(row.id, person_of(row), one.extra) for row, one in rows]
    at: dict[Any, UUID] = {(row.sheet, row.row_number): person_of(row) for row, _one in rows}
    repeats = select(ImportRow).where(
        ImportRow.town_id == listed.town_id,
        ImportRow.import_id == listed.id,
        ImportRow.outcome == RowOutcome.DUPLICATE,
        ImportRow.settled_at.is_(None),
        ImportRow.detail["of_row"].is_not(None),
    )
    for row in session.scalars(repeats.order_by(ImportRow.id)):
        detail = row.detail or {}
        person_id = at.get((detail.get("of_sheet"), detail.get("of_row")))
        if person_id and row.understood:
            found.append((row.id, person_id, Proposed.from_json(row.understood).extra))
            if set(SURE) & set(row.reasons):
                row.outcome, row.prospect_id = RowOutcome.UNCHANGED, person_id
    return sorted(found, key=lambda each: (str(each[1]), each[2].get("from_month") or ""))


def _said(extra: Mapping[str, Any]) -> Said:
    return Said(
        start=Month.parse(extra["from_month"]),
        months=int(extra["months"]),
        amounts=Amounts(**{name: extra.get(name) for name in AMOUNTS}),
        paid_on=date.fromisoformat(extra["paid_on"]) if extra.get("paid_on") else None,
        receipt=extra.get("receipt"),
    )


def _told_before(session: Session, person: Prospect, said: Said) -> ListedPayment | None:
    """What a list told of just this before, first what waits for somebody: the same list twice changes nothing.

    What rested on a payment that was taken back since is told anew.
    """
    query = select(ListedPayment).where(
        ListedPayment.town_id == person.town_id,
        ListedPayment.prospect_id == person.id,
        ListedPayment.start_month == said.start.first_day,
        ListedPayment.months == said.months,
        ListedPayment.said == said.amounts.as_json(),
        or_(ListedPayment.verdict.in_(OPEN), ~_rests_on_nothing()),
    )
    return session.scalars(query.order_by(ListedPayment.verdict.in_(OPEN).desc(), ListedPayment.id).limit(1)).first()


def _rests_on_nothing() -> ColumnElement[bool]:
    """The payment it speaks of was taken back."""
    reversal = aliased(Payment)
    return exists().where(reversal.town_id == ListedPayment.town_id, reversal.reverses_id == ListedPayment.payment_id)


def _look_again(known: ListedPayment, judged: Judged) -> None:
    """What waits is compared with what is on record by now."""
    known.verdict, known.why = judged.verdict, [why.value for why in judged.why]
    known.ours = judged.ours.as_json() if judged.ours else {}
    known.payment_id, known.refused = judged.payment_id, None


def _judged(session: Session, person: Prospect, said: Said, extra: Mapping[str, Any], rules: Law) -> Judged:
    left = {one.payment.id: one.row for one in kept_of(session, person)}
    on_record = [_ours(one, left.get(one.id)) for one in session.scalars(standing_payments(person))]
    paid = [Month.of(row.month) for row in months_of(session, person)]
    return judge(
        said,
        on_record,
        paid,
        _asked_by_the_law(session, person, said, extra, rules),
        taken_elsewhere=_taken_elsewhere(session, person, said.receipt),
    )


def _ours(payment: Payment, left: LeavingRefund | None) -> Ours:
    amounts = Amounts(payment.gross, payment.own, payment.state_support, payment.local_support, payment.other_support)
    ours = Ours(payment.id, Month.of(payment.start_month), payment.months, amounts)
    return replace(ours, left_on=left.left_on, counts=payment.months - left.months_left) if left else ours


def _asked_by_the_law(
    session: Session, person: Prospect, said: Said, extra: Mapping[str, Any], rules: Law
) -> Amounts | None:
    """What the payment costs by the law of its day; None where the law refuses it."""
    day = said.paid_on or said.start.first_day
    try:
        plan = Plan.ahead(said.months)
        told = quote_for(
            session,
            person,
            income=income_of(extra.get("income"), said.amounts.total, plan, rules.on(day)),
            plan=plan,
            start=said.start,
            paid_on=day,
            grounds=grounds_on(session, person, day),
            other_support=said.amounts.other or 0,
            all_law=rules,
        )
    except RuleBroken:
        return None
    return Amounts(told.gross, told.payable, told.state_support, told.local_support, told.other_support)


def _taken_elsewhere(session: Session, person: Prospect, receipt: str | None) -> bool:
    if not receipt:
        return False
    query = select(Payment.id).where(
        Payment.town_id == person.town_id, Payment.receipt_number == receipt, Payment.prospect_id != person.id
    )
    return session.scalar(query.limit(1)) is not None


def taken_back(session: Session, listed: ListImport, rows: Rows, at: datetime) -> Mapping[UUID, str]:
    """What this list told is forgotten, and payments recorded from it are taken back, unless something followed."""
    people = [person_of(row) for row, _one in rows]
    these: tuple[ColumnElement[bool], ...] = (
        ListedPayment.town_id == listed.town_id,
        ListedPayment.import_id == listed.id,
        ListedPayment.prospect_id == any_(literal(people, ARRAY(Uuid()))),
    )
    recorded = select(ListedPayment).where(*these, ListedPayment.verdict == Verdict.RECORDED)
    kept = _reversed(session, session.scalars(recorded.order_by(ListedPayment.start_month.desc())).all(), at)
    if kept:
        these = (*these, ListedPayment.prospect_id != any_(literal(list(kept), ARRAY(Uuid()))))
    session.execute(delete(ListedPayment).where(*these).execution_options(synchronize_session=False))
    return {row.id: RECORDED_SINCE for row, _one in rows if person_of(row) in kept}


def _reversed(session: Session, recorded: Sequence[ListedPayment], at: datetime) -> set[UUID]:
    """Take these payments back, the last months first; the people of whom one has to stay."""
    kept: set[UUID] = set()
    for one in recorded:
        payment = session.get_one(Payment, (one.town_id, one.payment_id))
        by = session.get(User, (one.town_id, one.decided_by_id)) if one.decided_by_id else None
        if by is None or one.prospect_id in kept or _is_reversed(session, payment):
            continue
        try:
            with session.begin_nested():
                reverse_payment(session, payment, by=by, at=at)
        except RuleBroken:
            kept.add(one.prospect_id)
    return kept


def _is_reversed(session: Session, payment: Payment) -> bool:
    reversal = aliased(Payment)
    query = select(reversal.id).where(reversal.town_id == payment.town_id, reversal.reverses_id == payment.id)
    return session.scalar(query) is not None


kinds.handles(ListKind.PAYMENTS, taken_in=taken_in, taken_back=taken_back, why_kept=WHY_KEPT, told_again=SURE)
