"""What may be done about taking part: joining, paying on, putting a mistake right, stopping, lapsing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change
from crm.clock import local_day
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.months import Month
from crm.outreach.rules import Outcome, contact_after
from crm.participation import payers
from crm.participation.elsewhere.queries import latest as insurance_record
from crm.participation.guard.rules import AVOIDABLE, Return, StopReason, check_return
from crm.participation.leaving import rules as leaving
from crm.participation.leaving.queries import Back, has_come_back
from crm.participation.leaving.services import keep
from crm.participation.missing.queries import refuse_others
from crm.participation.models import MonthPayer, ParticipantMonth, Participation, Payment
from crm.participation.queries import layers_of, months_paid, open_spell, quote_for, spell_of, standing_payments
from crm.participation.rules import (
    Basis,
    Beginning,
    Ending,
    basis_for,
    beginning,
    deadline_after,
    first_months,
    lapse_day,
    late_months_from,
    months_at_once,
    old_enough,
    out_of_turn,
    refuse_early,
)
from crm.participation.screening.services import refuse_barred
from crm.participation.shares import MonthShare, Share, by_month, needed_of
from crm.premiums.queries import law
from crm.premiums.rules.keys import LawKey, Method
from crm.premiums.rules.law import Law
from crm.premiums.rules.quotes import Plan, Quote
from crm.prospects.models import Prospect, StageChange
from crm.prospects.rules import Ground, Stage
from crm.prospects.services.stages import move_stage
from crm.web.filters import in_day

AFTER = {Ending.LAPSED: Stage.LAPSED, Ending.STOPPED: Stage.LAPSED, Ending.LUMP_SUM: Stage.LAPSED}
"""Whom to win back, or who may begin anew; every other ending takes a person out of the work."""

AT_ONCE = 500
"""How many lapses one transaction closes."""


def enrol(
    session: Session,
    prospect: Prospect,
    *,
    income: int,
    plan: Plan,
    start: Month,
    paid_on: date,
    grounds: Collection[Ground],
    basis: Basis,
    by: User | None,
    at: datetime,
    receipt_number: str | None = None,
    confirmation: str | None = None,
    others: Sequence[Share] = (),
    reckoned: Callable[[Quote], Quote] | None = None,
    all_law: Law | None = None,
    recruited_by_id: UUID | None = None,
    organisation_id: UUID | None = None,
    moved_in: bool | None = None,
    despite: str | None = None,
    late: bool = False,
) -> Payment:
    """Someone joins or comes back: the first payment under the law of its day, its months, and a spell from that day.

    `moved_in`: whether they took part elsewhere before; where nobody says, it is as the insurance record has it.
    `all_law` is read when it is not handed in. `others` are who offers a part; `reckoned` puts the amounts of the insurance office in the place of ours.

    `late`: months are made up that lie before the window, where the insurance office lets them be; the spell begins on
    the day of payment all the same, and nothing that was counted before changes.

    The person who recruited is by default who looks after them. Whom the law keeps out is refused at `despite`, code
    `barred`, unless it gives the reason; what the insurance office itself reports (`by` is None) is not. Raises RuleBroken at the field that is wrong, and
    Conflict `takes_part_already`, `month_paid` or `receipt_used`.
    """
    _for_update(session, prospect)
    _check_payment(plan, paid_on, basis, receipt_number, by, at)
    before = spell_of(session, prospect)
    if before and before.ended_on is None and before.deadline_on and before.deadline_on < paid_on:
        _lapse(session, before, prospect, at)  # the timetable has not come to it yet
    if before and before.ended_on is None:
        raise Conflict(
            _l(
                "This person takes part already, since %(day)s. Record the next payment instead.",
                day=in_day(before.started_on),
            ),
            code="takes_part_already",
            participation_id=str(before.id),
        )
    if moved_in is None and before is None:
        paper = insurance_record(session, prospect)
        moved_in = paper is not None and paper.took_part
    rules = all_law or law(session)
    _check_missing(session, prospect, rules, plan, paid_on, by)
    _check_joining(rules, prospect, plan, start, paid_on, late=late)
    if by is not None:
        refuse_barred(session, prospect, despite, rules, by=by, at=at)
    spell = Participation(
        town_id=prospect.town_id,
        id=new_id(),
        prospect_id=prospect.id,
        started_on=paid_on,
        started_as=beginning(took_part_before=before is not None, moved_in=bool(moved_in)),
        place_id=prospect.place_id,
        organisation_id=organisation_id or prospect.organisation_id,
        recruited_by_id=recruited_by_id or prospect.volunteer_id,
        income=income,
        method=months_at_once(plan),
    )
    told = quote_for(
        session,
        prospect,
        income=income,
        plan=plan,
        start=start,
        paid_on=paid_on,
        grounds=grounds,
        other_support=sum(share.amount for share in others),
        all_law=rules,
    )
    told = reckoned(told) if reckoned else told
    with _in_words(session):
        session.add(spell)
        session.flush()
    payment = _keep(session, spell, told, others, basis, receipt_number, confirmation, by, at)
    _pays_on(rules, spell, plan, paid_on, start + (plan.months - 1))
    move_stage(session, prospect, Stage.JOINED, at=at, by=by, because=spell.id)
    prospect.next_contact_on = None
    session.flush()
    return payment


def record_payment(
    session: Session,
    prospect: Prospect,
    *,
    income: int,
    plan: Plan,
    paid_on: date,
    grounds: Collection[Ground],
    basis: Basis,
    by: User | None,
    at: datetime,
    receipt_number: str | None = None,
    confirmation: str | None = None,
    others: Sequence[Share] = (),
    reckoned: Callable[[Quote], Quote] | None = None,
    start: Month | None = None,
    all_law: Law | None = None,
    office_says: bool = False,
) -> Payment:
    """The next period of someone who takes part: it begins with the month after the last one paid.

    A payment made in time but recorded late takes a lapse back. Raises RuleBroken, `deadline_passed` and
    `paid_too_early` among them, and Conflict `month_paid` or `receipt_used`. `office_says`: the insurance office tells
    that it took the money, however early.
    """
    _for_update(session, prospect)
    _check_payment(plan, paid_on, basis, receipt_number, by, at)
    spell = spell_of(session, prospect)
    if spell is None or (spell.ended_on and spell.ended_as is not Ending.LAPSED):
        raise RuleBroken(
            _l("This person does not take part. Record that they join instead."), code="does_not_take_part"
        )
    if spell.deadline_on and paid_on > spell.deadline_on:
        message = _l(
            "The last day to pay was %(day)s: this person has to register again. Record that they join anew.",
            day=in_day(spell.deadline_on),
        )
        raise RuleBroken(message, field="paid_on", code="deadline_passed")
    first, rules = next_month(spell, start), all_law or law(session)
    if by is not None and not office_says and plan.method is not Method.MISSING_MONTHS:
        refuse_early(rules.on(paid_on), first)
    _check_missing(session, prospect, rules, plan, paid_on, by)
    told = quote_for(
        session,
        prospect,
        income=income,
        plan=plan,
        start=first,
        paid_on=paid_on,
        grounds=grounds,
        other_support=sum(share.amount for share in others),
        all_law=rules,
    )
    told = reckoned(told) if reckoned else told
    payment = _keep(session, spell, told, others, basis, receipt_number, confirmation, by, at)
    spell.income = income
    spell.method = months_at_once(plan)
    spell.take_back_ending()
    _pays_on(rules, spell, plan, paid_on, first + (plan.months - 1))
    move_stage(session, prospect, Stage.JOINED, at=at, by=by, because=spell.id)
    session.flush()
    return payment


def pay_with_set_aside(
    session: Session,
    prospect: Prospect,
    *,
    joins: bool,
    start: Month | None,
    plan: Plan,
    alone: bool,
    by: User,
    at: datetime,
    **given: Any,
) -> Payment:
    """Somebody joins or pays on, with the money that a payer set aside for exactly these months, which is paid on with
    it; `given` as joining and paying on take it.

    Money set aside for other months that meet these is not used, and that takes a word (`alone`): raises RuleBroken
    `set_aside_differs` without it, and Conflict where one person alone may not pay so much.
    """
    _for_update(session, prospect)
    spell = None if joins else spell_of(session, prospect)
    first = next_month(spell, start) if spell else start
    met = [one for one in payers.waiting(session, prospect) if first and one.meets(first, plan.months)]
    used = next((one for one in met if first and one.is_for(first, plan.months)), None)
    if met and not used and not alone:
        message = _l("A sponsor's money waits for other months than these. Choose those, or say that it is not used.")
        raise RuleBroken(message, field="alone", code="set_aside_differs")
    if used:
        payers.purse_of(used.share.payer.kind).check(session, used, by=by, at=at)
    others = (used.share,) if used else ()
    given |= {"start": first, "plan": plan, "by": by, "at": at, "others": others}
    payment = enrol(session, prospect, **given) if joins else record_payment(session, prospect, **given)
    if used and payment.other_support:
        payers.purse_of(used.share.payer.kind).paid(session, used, payment, by=by, at=at)
    return payment


def reverse_payment(session: Session, payment: Payment, *, by: User, at: datetime) -> Payment:
    """Put a wrong payment right by a second row; its months are free again.

    Only the last period can be taken back. When it was the first of its spell, the spell was a mistake: it counts
    nowhere any more, and the person is at the stage where they were before.
    """
    prospect = session.get_one(Prospect, (payment.town_id, payment.prospect_id))
    _for_update(session, prospect)
    if basis_for(by.may) is not payment.basis:
        raise RuleBroken(_l("Only those who may record such a payment may take it back."), code="not_yours_to_reverse")
    standing = session.scalars(standing_payments(prospect)).all()
    if payment not in standing:
        raise Conflict(_l("This payment was taken back already."), code="reversed_already")
    if standing[0] is not payment:
        raise RuleBroken(_l("Take the later payments back first."), code="not_the_last_payment")
    if has_come_back(session, payment):
        message = _l("What was left of this payment has come back already: it cannot be taken back any more.")
        raise RuleBroken(message, code="came_back")
    reversal = _opposite(payment, by, at)
    with _in_words(session):
        session.add(reversal)
        session.flush()
    session.execute(
        delete(ParticipantMonth)
        .where(ParticipantMonth.town_id == payment.town_id, ParticipantMonth.payment_id == payment.id)
        .execution_options(synchronize_session="fetch")
    )
    spell = session.get_one(Participation, (payment.town_id, payment.participation_id))
    left = session.scalars(standing_payments(prospect).where(Payment.participation_id == spell.id).limit(1)).first()
    if left is None and spell.started_as is not Beginning.BASELINE:
        _withdraw(session, spell, prospect, by, at)
    else:
        _goes_back(session, spell, left)
    session.flush()
    return reversal


def stop(
    session: Session,
    spell: Participation,
    *,
    on: date,
    ending: Ending,
    by: User | None,
    at: datetime,
    because: StopReason | None = None,
    not_needed_from: Month | None = None,
) -> list[Back]:
    """From that day on the person no longer takes part, for a reason other than not having paid.

    What comes back of months paid for in vain is kept with it, and answered: those from `not_needed_from` on, by default
    from the month after the day.
    """
    prospect = session.get_one(Prospect, (spell.town_id, spell.prospect_id))
    _for_update(session, prospect)
    session.refresh(spell)
    if by is not None and basis_for(by.may) is None:
        raise RuleBroken(
            _l("Tell a collection agent or the town's office: they record that someone stops."), code="not_yours"
        )
    if spell.ended_on or spell.withdrawn_at:
        raise Conflict(_l("This person takes part no longer."), code="ended_already")
    if not spell.started_on < on <= local_day(at):
        message = _l("Give a day after %(start)s and not after today.", start=in_day(spell.started_on))
        raise RuleBroken(message, field="on")
    spell.ended_on, spell.ended_as, spell.stop_reason = on, ending, because
    spell.asked_on = local_day(at) if because else None
    move_stage(session, prospect, AFTER.get(ending, Stage.NOT_ELIGIBLE), at=at, by=by, because=spell.id)
    session.flush()
    first = not_needed_from or leaving.not_needed_from(on)
    return keep(session, spell, prospect, ending, left_on=on, first=first, by=by, at=at)


def stopped_spell(session: Session, prospect: Prospect) -> Participation:
    """The spell that somebody let lapse or stopped last. Raises RuleBroken for who did neither."""
    spell = spell_of(session, prospect)
    if spell is None or spell.ended_as not in AVOIDABLE:
        raise RuleBroken(_l("This person has not stopped paying. Open the page again."), code="not_stopped")
    return spell


def say_why(
    session: Session,
    prospect: Prospect,
    reason: StopReason,
    back: Return = Return.OPEN,
    *,
    again_on: date | None = None,
    by: User,
    at: datetime,
) -> None:
    """Why somebody let it lapse or stopped and whether they come back, in place of what was said before.

    It answers whoever was to ask: nobody is sent again before the next day for asking, the day they named (`again_on`),
    or, of who will not come back, at all. Raises RuleBroken for who did not stop, and for a day that does not fit.
    """
    _for_update(session, prospect)
    spell, today = stopped_spell(session, prospect), local_day(at)
    check_return(back, again_on, today)
    before = _as_said(spell, prospect)
    spell.stop_reason, spell.asked_on, spell.stays_away = reason, today, back is Return.NEVER
    if back is not Return.OPEN:
        prospect.next_contact_on = again_on
    after = _as_said(spell, prospect)
    if after != before:
        note_change(
            session,
            town_id=spell.town_id,
            user_id=by.id,
            act="say_why_stopped",
            subject="prospect",
            subject_id=prospect.id,
            at=at,
            before=before,
            after=after,
        )
    session.flush()


def _as_said(spell: Participation, prospect: Prospect) -> dict[str, object]:
    again_on = prospect.next_contact_on
    return {
        "stop_reason": spell.stop_reason.value if spell.stop_reason else None,
        "stays_away": spell.stays_away,
        "next_contact_on": again_on.isoformat() if again_on else None,
    }


def lapse_overdue(session: Session, today: date, *, at: datetime) -> int:
    """Close spells whose last day to pay has passed, as of the day after it; says how many. Safe to run again.

    At most AT_ONCE at a time: run it until it says 0. The law deems these people to have suspended (decree 134/2015,
    article 12.3); the newer law's wording was not seen.
    """
    overdue = session.execute(
        select(Participation, Prospect)
        .join(Prospect, (Prospect.town_id == Participation.town_id) & (Prospect.id == Participation.prospect_id))
        .where(Participation.goes_on, Participation.deadline_on < today)
        .order_by(Participation.deadline_on, Participation.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for spell, prospect in overdue:
        _lapse(session, spell, prospect, at)
    session.flush()
    return len(overdue)


def _lapse(session: Session, spell: Participation, prospect: Prospect, at: datetime) -> None:
    """Close a spell whose last day to pay has passed, as of the day after it."""
    assert spell.deadline_on is not None
    spell.ended_on, spell.ended_as = lapse_day(spell.deadline_on, spell.started_on), Ending.LAPSED
    move_stage(session, prospect, Stage.LAPSED, at=at, by=None, because=spell.id)


def hand_over(session: Session, prospect: Prospect, *, by: User, at: datetime) -> None:
    """A volunteer has prepared someone's papers; a collection agent takes the money. The person has agreed, not joined."""
    _for_update(session, prospect)
    if open_spell(session, prospect):
        raise Conflict(_l("This person takes part already."), code="takes_part_already")
    move_stage(session, prospect, Stage.AGREED, at=at, by=by)
    prospect.next_contact_on = contact_after(Outcome.AGREED, local_day(at))
    session.flush()


# ---- pieces


def _for_update(session: Session, prospect: Prospect) -> None:
    """Hold the person's row until the commit, so that of two who act at once the second sees what the first did."""
    session.flush()
    session.refresh(prospect, with_for_update=True)


def _check_payment(
    plan: Plan, paid_on: date, basis: Basis, receipt_number: str | None, by: User | None, at: datetime
) -> None:
    if by is not None and basis_for(by.may) is not basis:
        raise RuleBroken(
            _l("Only a collection agent takes premiums. Hand this person over to one."), code="not_an_agent"
        )
    if basis is Basis.TAKEN and not receipt_number:
        raise RuleBroken(_l("Write the number of the receipt you gave."), field="receipt_number")
    if paid_on > local_day(at):
        raise RuleBroken(_l("The day of payment lies ahead. Give the day on which it was paid."), field="paid_on")


def _check_missing(
    session: Session, prospect: Prospect, rules: Law, plan: Plan, paid_on: date, by: User | None
) -> None:
    """What the insurance office itself reports (`by` is None) it has looked at."""
    if plan.method is Method.MISSING_MONTHS and by is not None:
        refuse_others(session, prospect, rules, paid_on, plan.months)


def _check_joining(rules: Law, prospect: Prospect, plan: Plan, start: Month, paid_on: date, *, late: bool) -> None:
    today = rules.on(paid_on)
    least_age = today.number(LawKey.LEAST_AGE)
    if not old_enough(prospect.birth_date, prospect.birth_year, paid_on, least_age):
        raise RuleBroken(_l("One may join from the age of %(age)s on.", age=least_age), code="too_young")
    earliest, latest = first_months(paid_on, today, plan)
    earliest = min(earliest, (late_months_from(today) if late else None) or earliest)
    if not earliest <= start <= latest:
        message = _l(
            "Paid on %(day)s, the first month may be %(earliest)s to %(latest)s.",
            day=in_day(paid_on),
            earliest=f"{earliest.number}/{earliest.year}",
            latest=f"{latest.number}/{latest.year}",
        )
        raise RuleBroken(message, field="start", code="start_out_of_window")


def next_month(spell: Participation, start: Month | None) -> Month:
    """The month a following period begins with; someone whose months before are unknown says it."""
    if spell.paid_through is None:
        if start is None:
            raise RuleBroken(_l("Say with which month this payment begins."), field="start")
        return start
    following = Month.of(spell.paid_through) + 1
    if start is not None and start != following:
        raise out_of_turn(following)
    return following


def _keep(
    session: Session,
    spell: Participation,
    told: Quote,
    others: Sequence[Share],
    basis: Basis,
    receipt_number: str | None,
    confirmation: str | None,
    by: User | None,
    at: datetime,
) -> Payment:
    """The payment with the rules it rests on, and for each of its months who bears what."""
    prospect = session.get_one(Prospect, (spell.town_id, spell.prospect_id))
    paid = months_paid(session, prospect, told.start, told.plan.months)
    if paid:
        message = _l(
            "%(month)s is paid for already. Begin with a later month.", month=f"{paid[-1].number}/{paid[-1].year}"
        )
        raise Conflict(message, code="month_paid", months=[str(month) for month in paid])
    payment = Payment(
        town_id=spell.town_id,
        id=new_id(),
        participation_id=spell.id,
        prospect_id=spell.prospect_id,
        paid_on=told.paid_on,
        start_month=told.start.first_day,
        months=told.plan.months,
        method=months_at_once(told.plan),
        missing=told.plan.method is Method.MISSING_MONTHS,
        income=told.income,
        ground=told.ground.value,
        gross=told.gross,
        state_support=told.state_support,
        local_support=told.local_support,
        other_support=told.other_support,
        own=told.payable,
        supported_months=told.supported_months,
        law={"day": told.paid_on.isoformat(), "rules": [line.as_json() for line in told.lines]},
        basis=basis,
        receipt_number=receipt_number if basis is Basis.TAKEN else None,
        confirmation=confirmation if basis is Basis.CONFIRMED else None,
        recorded_at=at,
        recorded_by_id=by.id if by else None,
    )
    shares = by_month(layers_of(payment, needed_of(others, told.other_support)))
    with _in_words(session):
        session.add(payment)
        session.flush()
        session.add_all(_months(payment, shares))
        session.flush()
        session.add_all(_payers(payment, shares))
        session.flush()
    return payment


def _months(payment: Payment, shares: Sequence[MonthShare]) -> Iterator[ParticipantMonth]:
    for month, share in zip(Month.of(payment.start_month).run(payment.months), shares, strict=True):
        yield ParticipantMonth(
            town_id=payment.town_id,
            prospect_id=payment.prospect_id,
            month=month.first_day,
            payment_id=payment.id,
            supported=share.supported,
            own=share.own,
            state_support=share.state,
            local_support=share.local,
            other_support=share.other,
        )


def _payers(payment: Payment, shares: Sequence[MonthShare]) -> Iterator[MonthPayer]:
    for month, share in zip(Month.of(payment.start_month).run(payment.months), shares, strict=True):
        for (kind, payer_id), amount in share.others:
            yield MonthPayer(
                town_id=payment.town_id,
                payment_id=payment.id,
                month=month.first_day,
                kind=kind,
                payer_id=payer_id,
                amount=amount,
            )


def _pays_on(rules: Law, spell: Participation, plan: Plan, paid_on: date, last: Month) -> None:
    spell.paid_through = last.first_day
    nothing_follows = plan.method is Method.MISSING_MONTHS
    spell.deadline_on = None if nothing_follows else deadline_after(rules.on(paid_on), months_at_once(plan), last)


def _opposite(payment: Payment, by: User, at: datetime) -> Payment:
    same = ("town_id", "participation_id", "prospect_id", "start_month", "months", "method", "income", "ground")
    also = ("supported_months", "law", "basis", "confirmation", "missing")
    return Payment(
        **{name: getattr(payment, name) for name in same + also},
        paid_on=local_day(at),
        gross=-payment.gross,
        state_support=-payment.state_support,
        local_support=-payment.local_support,
        other_support=-payment.other_support,
        own=-payment.own,
        recorded_at=at,
        recorded_by_id=by.id,
        reverses_id=payment.id,
    )


def _withdraw(session: Session, spell: Participation, prospect: Prospect, by: User, at: datetime) -> None:
    spell.withdrawn_at = at
    step = session.scalars(
        select(StageChange)
        .where(
            StageChange.town_id == spell.town_id,
            StageChange.prospect_id == spell.prospect_id,
            StageChange.because_id == spell.id,
        )
        .order_by(StageChange.at, StageChange.id)
        .limit(1)
    ).first()
    if step and step.from_stage:
        move_stage(session, prospect, step.from_stage, at=at, by=by, because=spell.id)


def _goes_back(session: Session, spell: Participation, last: Payment | None) -> None:
    """Paid through what the payment before paid; a spell that lapsed lapses accordingly earlier."""
    if last is None:
        spell.paid_through = spell.deadline_on = None
        return
    paid_through = Month.of(last.start_month) + (last.months - 1)
    spell.paid_through, spell.income, spell.method = paid_through.first_day, last.income, last.method
    if last.missing:
        spell.deadline_on = None
        return
    spell.deadline_on = deadline_after(law(session).on(last.paid_on), last.method, paid_through)
    if spell.ended_as is Ending.LAPSED:
        spell.ended_on = lapse_day(spell.deadline_on, spell.started_on)


SENTENCES = {
    "ex_participation_one_at_a_time": (
        "takes_part_already",
        _l("Someone has just recorded that this person takes part."),
    ),
    "uq_participant_month_town_id_prospect_id_month_refund_id": (
        "month_paid",
        _l("Someone has just recorded a payment for these months."),
    ),
    "uq_payment_town_id_receipt_number": (
        "receipt_used",
        _l("A payment with this receipt number is on record already."),
    ),
    "uq_payment_town_id_reverses_id": ("reversed_already", _l("This payment was taken back already.")),
}
"""What the database refuses, in words: the last wall against two acts at once."""


@contextmanager
def _in_words(session: Session) -> Iterator[None]:
    try:
        with session.begin_nested():
            yield
    except IntegrityError as refusal:
        diagnostic = getattr(refusal.orig, "diag", None)
        code, sentence = SENTENCES.get(getattr(diagnostic, "constraint_name", None) or "", (None, None))
        if code is None:
            raise
        raise Conflict(sentence, code=code) from None
