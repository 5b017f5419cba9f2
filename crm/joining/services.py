"""What may be done with a dossier, by whom, and what follows for the person's participation."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import May, Role
from crm.clock import local_day
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.joining.lists.queries import list_seen, members, rows_on
from crm.joining.models import Dossier, DossierList, DossierStep, ListedDossier
from crm.joining.queries import (
    Worked,
    allocation_for,
    dossier_seen,
    movement_now,
    open_dossier_of,
    seen_by,
    work_out,
)
from crm.joining.rules import (
    CODE_LENGTHS,
    FROM,
    MOVED_ON,
    PROBLEMS,
    TOO_EARLY,
    Act,
    Movement,
    Outcome,
    State,
    code_of,
    number_is_code,
    plan_of,
)
from crm.months import Month
from crm.participation import services as participation
from crm.participation.missing.queries import refuse_others
from crm.participation.models import ParticipantMonth, Payment
from crm.participation.queries import grounds_on, months_paid, open_spell
from crm.participation.rules import Basis, Ending, basis_for, first_months, late_months_from
from crm.participation.screening.queries import verdict_of
from crm.places.models import Town
from crm.premiums.queries import law
from crm.premiums.rules.law import LawOnDay
from crm.premiums.rules.quotes import check_plan
from crm.prospects.models import Prospect
from crm.prospects.rules import Ground, Same
from crm.prospects.services.people import change_prospect
from crm.sealed import current as seal
from crm.sponsors import services as sponsoring
from crm.web.filters import in_money

LAYERS = {
    "Tongtien": "gross",
    "TienHotro": "state_support",
    "TienNSDP": "local_support",
    "TienHotroKhac": "other_support",
    "TienTudong": "own",
}
"""The money of a row of D05-TS, and what it is called in a payment."""


def open_dossier(
    session: Session,
    person: Prospect,
    *,
    income: int | None = None,
    months: int | None = None,
    missing: bool = False,
    start: Month | None = None,
    stop_on: date | None = None,
    email: str | None = None,
    results_address: str | None = None,
    by: User,
    at: datetime,
) -> Dossier:
    """Begin somebody's papers: what they choose to pay and from when, or, with `stop_on`, that they stop. `missing`: the
    months are those missing for a pension, paid at once, which `refuse_others` has to allow.

    Raises Conflict `open_already` with the `dossier_id` of the one that is open, and RuleBroken `barred` for whom the law
    keeps out of voluntary insurance.
    """
    session.flush()
    session.refresh(person, with_for_update=True)
    there = open_dossier_of(session, person)
    if there:
        raise Conflict(
            _l("There are papers of this person already. Go on with those."),
            code="open_already",
            dossier_id=str(there.id),
        )
    if stop_on and open_spell(session, person) is None:
        raise RuleBroken(_l("This person takes part no longer."), code="does_not_take_part")
    if not stop_on:
        _refuse_barred(session, person, at)
    row = Dossier(
        town_id=person.town_id,
        id=new_id(),
        prospect_id=person.id,
        state=State.DRAFT,
        movement=_movement(session, person, months, start, stop_on, at, missing=missing),
        income=income,
        months=months,
        missing=missing,
        start_month=start.first_day if start else None,
        stop_on=stop_on,
        email=email,
        results_address=results_address,
        opened_at=at,
        opened_by_id=by.id,
        changed_at=at,
    )
    with _in_words(session):
        session.add(row)
        session.flush()
    session.add(_new_step(row, by=by, at=at))
    session.flush()
    return row


def _refuse_barred(session: Session, person: Prospect, at: datetime) -> None:
    """No papers for whom the law keeps out: they could never be complete."""
    verdict = verdict_of(session, person, local_day(at))
    if verdict.barred:
        raise RuleBroken(verdict.refusal, code="barred")


def change(
    session: Session,
    dossier: Dossier,
    person: Prospect,
    *,
    income: int,
    months: int,
    start: Month,
    missing: bool = False,
    email: str | None = None,
    results_address: str | None = None,
    by: User,
    at: datetime,
) -> None:
    """Choose otherwise; one that was complete has to be checked again. Raises RuleBroken for papers for stopping."""
    _hold(session, dossier, Act.CHANGE)
    if dossier.movement is Movement.STOPS:
        raise RuleBroken(_l("Papers for stopping have no figures. Withdraw them and begin anew."), code="stops")
    dossier.movement = _movement(session, person, months, start, None, at, missing=missing)
    dossier.income, dossier.months, dossier.missing = income, months, missing
    dossier.start_month = start.first_day
    dossier.email, dossier.results_address = email, results_address
    if dossier.state is State.READY:
        _move(session, dossier, State.DRAFT, by=by, at=at)
    session.flush()


def check(session: Session, dossier: Dossier, person: Prospect, *, by: User, at: datetime) -> Worked:
    """Say that the papers are complete; said again by the same person it stays so. Raises RuleBroken `not_complete` with
    the first thing that is not."""
    if _done_already(session, dossier, State.READY, by):
        return _complete(session, dossier, person, at)
    _hold(session, dossier, Act.CHECK)
    worked = _complete(session, dossier, person, at)
    dossier.movement = worked.movement
    _move(session, dossier, State.READY, by=by, at=at)
    return worked


def hand_over(session: Session, dossier: Dossier, person: Prospect, agent_id: UUID, *, by: User, at: datetime) -> None:
    """The papers go to a collection agent, who takes the money; whoever hands over takes none, and that is what is kept.

    The figures are worked out once more and kept as declared: this is the day of payment, whose law holds. Done again by
    the same person, to the same agent, it stays as it was done.
    """
    if _done_already(session, dossier, State.HANDED_OVER, by, agent_id):
        return
    _hold(session, dossier, Act.HAND_OVER)
    agent = session.get(User, (dossier.town_id, agent_id))
    if agent is None or not agent.active or agent.role is not Role.AGENT:
        raise RuleBroken(_l("Choose a collection agent."), field="agent")
    worked = _complete(session, dossier, person, at)
    assert worked.row, "what is complete has a row"
    ground = worked.quote.ground.value if worked.quote else Ground.OTHER.value
    interest = {"interest": worked.quote.interest} if worked.quote and dossier.missing else {}
    dossier.movement = worked.movement
    dossier.declared = worked.row.without_names() | {"ground": ground} | interest
    dossier.agent_id = agent.id
    _move(session, dossier, State.HANDED_OVER, by=by, at=at, agent_id=agent.id)
    if open_spell(session, person) is None:
        participation.hand_over(session, person, by=by, at=at)


def send_back(
    session: Session, dossier: Dossier, person: Prospect, reason: str | None, *, by: User, at: datetime
) -> None:
    """The agent or the insurance office gives the papers back, with the reason; the person is due today. A list in which
    they were handed in keeps their row, with the day and the reason."""
    _answers_for(dossier, by)
    _hold(session, dossier, Act.SEND_BACK)
    if not reason:
        raise RuleBroken(_l("Say why it comes back: whoever mends it needs to know."), field="reason")
    if dossier.state is State.SUBMITTED:
        _answer(session, dossier, Outcome.RETURNED, local_day(at), by=by, reason=reason)
    dossier.returned_for, dossier.list_id, dossier.declared = reason, None, None
    _move(session, dossier, State.RETURNED, by=by, at=at, note=reason)
    person.next_contact_on = local_day(at)
    session.flush()


def withdraw(session: Session, dossier: Dossier, *, by: User, at: datetime) -> None:
    """The person has thought better of it."""
    _hold(session, dossier, Act.WITHDRAW)
    _move(session, dossier, State.WITHDRAWN, by=by, at=at)


# ---- lists


def gather(session: Session, scope: Scope, ids: Collection[UUID], *, by: User, at: datetime) -> DossierList:
    """Put dossiers that were handed over into a numbered list. Those that moved on meanwhile are left out; none left is
    a Conflict `nothing_to_gather`."""
    _records_money(by)
    session.execute(select(Town.id).where(Town.id == scope.town_id).with_for_update())
    year = local_day(at).year
    last = select(func.max(DossierList.number)).where(DossierList.town_id == scope.town_id, DossierList.year == year)
    waiting = session.scalars(
        select(Dossier)
        .join(Prospect, (Prospect.town_id == Dossier.town_id) & (Prospect.id == Dossier.prospect_id))
        .where(seen_by(scope), Dossier.id.in_(ids), Dossier.state.in_(FROM[Act.GATHER]), Dossier.list_id.is_(None))
        .order_by(Dossier.id)
        .with_for_update(of=Dossier)
    ).all()
    mine = [one for one in waiting if by.role is not Role.AGENT or one.agent_id == by.id]
    if not mine:
        raise Conflict(_l("None of these dossiers waits for a list any more. Look again."), code="nothing_to_gather")
    made = DossierList(
        town_id=scope.town_id,
        id=new_id(),
        year=year,
        number=(session.scalar(last) or 0) + 1,
        made_at=at,
        by_id=by.id,
    )
    session.add(made)
    session.flush()
    for one in mine:
        one.list_id = made.id
    session.flush()
    return made


def take_out(session: Session, dossier: Dossier, *, by: User) -> None:
    """A dossier does not go with this list after all."""
    _answers_for(dossier, by)
    _hold(session, dossier, Act.SUBMIT)
    dossier.list_id = None
    session.flush()


def submit(session: Session, scope: Scope, list_id: UUID, on: date, *, by: User, at: datetime) -> DossierList:
    """The list went to the insurance office: its rows are written down as they stand that day, and stay so. What was paid
    meanwhile, or whose time is over, is named and holds it back."""
    basis = _records_money(by)
    list_seen(session, scope, list_id, local_day(at))
    made = session.get_one(DossierList, (scope.town_id, list_id), with_for_update=True, populate_existing=True)
    if made.submitted_on:
        raise Conflict(_l("This list was handed in already."), code="submitted_already")
    if on > local_day(at):
        raise RuleBroken(_l("The day of handing in lies ahead."), field="submitted_on")
    if on < local_day(made.made_at):
        message = _l("On that day this list had not been made yet. Write the day on which it was handed in.")
        raise RuleBroken(message, field="submitted_on")
    rows = session.scalars(
        select(Dossier)
        .where(Dossier.town_id == scope.town_id, Dossier.list_id == list_id, Dossier.state.in_(FROM[Act.SUBMIT]))
        .order_by(Dossier.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if not rows:
        raise Conflict(MOVED_ON, code="moved_on")
    if basis is Basis.TAKEN and any(one.agent_id != by.id for one in rows):
        raise RuleBroken(_l("This dossier was handed to another agent."), code="another_agent")
    _still_right(session, rows, on)
    _write_down(session, made, on)
    for one in rows:
        one.state, one.changed_at = State.SUBMITTED, at
        session.add(_new_step(one, by=by, at=at))
    made.submitted_on = on
    session.flush()
    return made


def _write_down(session: Session, made: DossierList, on: date) -> None:
    """The rows of a list, before it is noted as handed in: from then on the database takes no more."""
    inside = members(session, made)
    written = rows_on(session, inside, on)
    for number, one in enumerate(inside, 1):
        row, ward = written[one.dossier.id]
        session.add(
            ListedDossier(
                town_id=made.town_id,
                id=new_id(),
                list_id=made.id,
                dossier_id=one.dossier.id,
                number=number,
                agent_id=one.dossier.agent_id,
                place_id=ward.id,
                declared=row.without_code(),
                code=row.MasoBHXH or None,
            )
        )
    session.flush()


def _still_right(session: Session, rows: Sequence[Dossier], on: date) -> None:
    """Refuses, by name, whose months were paid since the papers were handed over, and whose time to pay is over."""
    paid = {
        id
        for (id,) in session.execute(
            select(Dossier.id)
            .join(
                ParticipantMonth,
                (ParticipantMonth.town_id == Dossier.town_id)
                & (ParticipantMonth.prospect_id == Dossier.prospect_id)
                & (ParticipantMonth.month == Dossier.start_month)
                & ParticipantMonth.counts,
            )
            .where(Dossier.town_id == rows[0].town_id, Dossier.id.in_([one.id for one in rows]))
        )
    }
    today = law(session).on(on)
    for one in rows:
        wrong = "months_paid" if one.id in paid else "window_over" if _over(session, one, today) else None
        if wrong:
            name = session.get_one(Prospect, (one.town_id, one.prospect_id)).full_name
            raise RuleBroken(f"{name}: {PROBLEMS[wrong][2]}", code="not_complete")


def _over(session: Session, dossier: Dossier, today: LawOnDay) -> bool:
    if dossier.movement is Movement.STOPS:
        return False
    _income, _months, start, plan = dossier.chosen
    if dossier.missing:
        spell = open_spell(session, session.get_one(Prospect, (dossier.town_id, dossier.prospect_id)))
        if spell:
            return spell.deadline_on is not None and spell.deadline_on < today.day
    elif dossier.movement is Movement.LATE:
        late_from = late_months_from(today)
        return late_from is None or start < late_from
    return start < first_months(today.day, today, plan)[0]


def accept(
    session: Session,
    dossier: Dossier,
    person: Prospect,
    *,
    accepted_on: date,
    paid_on: date,
    number: str | None,
    receipt_number: str | None,
    confirmation: str | None,
    by: User,
    at: datetime,
) -> None:
    """The insurance office has accepted: the code is written down, also in the row of the list, and what was declared is
    recorded as paid or stopped.

    A payment that was recorded already is not recorded twice. Raises what enrolling and paying raise, RuleBroken
    `not_as_declared` where the law of `paid_on` asks for other amounts than the list has, and Conflict `book_taken` for
    a code somebody else was given.
    """
    basis = _answers_for(dossier, by)
    _hold(session, dossier, Act.ACCEPT)
    if accepted_on > local_day(at):
        raise RuleBroken(_l("The day of the answer lies ahead."), field="accepted_on")
    if accepted_on < _submitted_on(session, dossier):
        raise RuleBroken(_l("On that day the papers were not with the insurance office yet."), field="accepted_on")
    given = _write_code(session, dossier, person, number, accepted_on, by=by, at=at)
    if dossier.movement is Movement.STOPS:
        _stop(session, dossier, person, by=by, at=at)
    else:
        proof = {"receipt_number": receipt_number} if basis is Basis.TAKEN else {"confirmation": confirmation}
        dossier.payment_id = (
            _paid_already(session, dossier, person)
            or _pay(session, dossier, person, paid_on, basis, by, at, **proof).id
        )
    dossier.accepted_on = accepted_on
    _move(session, dossier, State.ACCEPTED, by=by, at=at)
    _answer(session, dossier, Outcome.ACCEPTED, accepted_on, by=by, given=given)


# ---- pieces


def _answer(session: Session, dossier: Dossier, outcome: Outcome, on: date, *, by: User, **told: str | None) -> None:
    """What became of the row that was handed in: a `reason`, or the code that was `given`."""
    session.execute(
        update(ListedDossier)
        .where(ListedDossier.town_id == dossier.town_id, ListedDossier.dossier_id == dossier.id)
        .where(ListedDossier.outcome == Outcome.WAITING)
        .values(outcome=outcome, answered_on=on, answered_by_id=by.id, **told)
        .execution_options(synchronize_session="fetch")
    )


def _pay(
    session: Session,
    dossier: Dossier,
    person: Prospect,
    paid_on: date,
    basis: Basis,
    by: User,
    at: datetime,
    **proof: Any,
) -> Payment:
    """What was declared as a payment, in the very amounts that stand in the list."""
    income, _months, start, plan = dossier.chosen
    set_aside, _otherwise = allocation_for(session, dossier)
    if set_aside:
        payment = sponsoring.pay_premium(session, set_aside, paid_on=paid_on, basis=basis, by=by, at=at, **proof)
        return _as_declared(dossier, payment)
    act: Callable[..., Payment] = participation.enrol
    if open_spell(session, person):
        act = partial(participation.record_payment, office_says=True)
    elif dossier.movement is Movement.LATE and not dossier.missing:
        act = partial(participation.enrol, late=True)
    payment = act(
        session,
        person,
        income=income,
        plan=plan,
        start=start,
        paid_on=paid_on,
        grounds=grounds_on(session, person, paid_on),
        basis=basis,
        by=by,
        at=at,
        **proof,
    )
    return _as_declared(dossier, payment)


def _as_declared(dossier: Dossier, payment: Payment) -> Payment:
    """The payment, unless the insurance office's list has other amounts: then the day or the papers are wrong."""
    declared = dossier.declared or {}
    if any(
        declared.get(column, getattr(payment, layer)) != getattr(payment, layer) for column, layer in LAYERS.items()
    ):
        message = _l(
            "Paid on that day, the person's part is %(own)s; declared are %(declared)s. Write the day on which the money "
            "was taken, or send the papers back.",
            own=in_money(payment.own),
            declared=in_money(declared["TienTudong"]),
        )
        raise RuleBroken(message, field="paid_on", code="not_as_declared")
    return payment


def _submitted_on(session: Session, dossier: Dossier) -> date:
    """The day on which its list was handed in; any day while it is in none."""
    listed = session.get(DossierList, (dossier.town_id, dossier.list_id)) if dossier.list_id else None
    return listed.submitted_on if listed and listed.submitted_on else date.min


def _paid_already(session: Session, dossier: Dossier, person: Prospect) -> UUID | None:
    """The payment that covers all months of a dossier, if it is on record."""
    _income, months, start, _plan = dossier.chosen
    if len(months_paid(session, person, start, months)) < months:
        return None
    return session.scalar(
        select(Payment.id)
        .join(
            ParticipantMonth,
            (ParticipantMonth.town_id == Payment.town_id) & (ParticipantMonth.payment_id == Payment.id),
        )
        .where(ParticipantMonth.town_id == person.town_id, ParticipantMonth.prospect_id == person.id)
        .where(ParticipantMonth.month == start.first_day, ParticipantMonth.counts)
    )


def _stop(session: Session, dossier: Dossier, person: Prospect, *, by: User, at: datetime) -> None:
    spell = open_spell(session, person)
    if spell:
        on = max(dossier.stop_on or local_day(at), spell.started_on)
        participation.stop(session, spell, on=on, ending=Ending.STOPPED, by=by, at=at)


def _write_code(
    session: Session, dossier: Dossier, person: Prospect, number: str | None, on: date, *, by: User, at: datetime
) -> str | None:
    """Write down the code the office gave by the law of the day of its answer, and say which one the person has now.
    Whoever joins has one from then on."""
    digits = re.sub(r"[\s.-]", "", number or "")
    if digits:
        _refuse_no_code(session, digits, person, on)
        if len(digits) < max(CODE_LENGTHS) and digits != person.insurance_number:
            _give_code(session, person, digits, by=by, at=at)
        if dossier.movement is Movement.NEW:
            with _in_words(session):
                dossier.book_index = seal().index(digits)
                session.flush()
        return digits
    if person.insurance_number:
        return person.insurance_number
    told = law(session).on(on)
    code = code_of(None, person.citizen_id, told)
    if dossier.movement is Movement.NEW and not code:
        replaced = _l("Write the code the insurance office gave: 10 or 12 digits.")
        raise RuleBroken(replaced if number_is_code(told) else CODE_OF_ITS_OWN, field="number")
    return code or None


def _give_code(session: Session, person: Prospect, digits: str, *, by: User, at: datetime) -> None:
    try:
        change_prospect(session, person, {"si_number": digits}, by=by, at=at, expected_version=person.version)
    except Conflict as refused:
        found = refused.details.get("candidates", ())
        if any(Same.SI_NUMBER.value in one["reasons"] for one in found):
            code, sentence = SENTENCES["uq_dossier_book"]
            raise Conflict(sentence, code=code) from None
        raise


def _refuse_no_code(session: Session, digits: str, person: Prospect, on: date) -> None:
    """Refuses what is no insurance code of somebody by the law of a day."""
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in CODE_LENGTHS:
        message = _l("A code has 10 digits, or the 12 of the citizen number.")
        raise RuleBroken(message if number_is_code(law(session).on(on)) else CODE_OF_ITS_OWN, field="number")
    if len(digits) < max(CODE_LENGTHS):
        return
    if not number_is_code(law(session).on(on)):
        raise RuleBroken(CODE_OF_ITS_OWN, field="number")
    if digits != person.citizen_id:
        message = _l("These 12 digits are not the citizen number on record. Compare them with the card.")
        raise RuleBroken(message, field="number")


CODE_OF_ITS_OWN = _l(
    "On the day of that answer the citizen number was not the insurance code yet. Write the 10 digits the office gave."
)


def _movement(
    session: Session,
    person: Prospect,
    months: int | None,
    start: Month | None,
    stop_on: date | None,
    at: datetime,
    *,
    missing: bool,
) -> Movement:
    if stop_on or start is None:
        return Movement.STOPS
    rules, day = law(session), local_day(at)
    check_plan(rules.on(day), plan_of(months or 0, missing))
    if missing:
        refuse_others(session, person, rules, day, months or 0)
    return movement_now(session, person, start, day, rules, missing=missing)


def _complete(session: Session, dossier: Dossier, person: Prospect, at: datetime) -> Worked:
    worked = work_out(session, dossier, person, local_day(at))
    firm = next((one for one in worked.problems if one.firm), None)
    if firm:
        raise RuleBroken(firm.words, code="not_complete")
    return worked


def _records_money(by: User) -> Basis:
    basis = basis_for(by.may)
    if basis is None or not by.may(May.REVEAL_IDENTITY):
        raise RuleBroken(_l("Only a collection agent or the office does this."), code="not_an_agent")
    return basis


def _answers_for(dossier: Dossier, by: User) -> Basis:
    """Agents answer for what was handed to them; the office, which records what was confirmed, for all."""
    basis = _records_money(by)
    if basis is Basis.TAKEN and dossier.agent_id != by.id:
        raise RuleBroken(_l("This dossier was handed to another agent."), code="another_agent")
    return basis


def _hold(session: Session, dossier: Dossier, act: Act) -> None:
    """Hold the dossier until the commit: of two who act at once the second sees what the first did."""
    session.flush()
    session.refresh(dossier, with_for_update=True)
    early, code, sentence = TOO_EARLY.get(act, ((), "", None))
    if dossier.state in early:
        raise Conflict(sentence, code=code, state=dossier.state.value)
    if dossier.state not in FROM[act]:
        raise Conflict(MOVED_ON, code="moved_on", state=dossier.state.value)


def _done_already(session: Session, dossier: Dossier, to: State, by: User, agent_id: UUID | None = None) -> bool:
    """Whether this very step was the last one and the same person's: a button pressed twice, an answer that was lost."""
    session.flush()
    session.refresh(dossier, with_for_update=True)
    if dossier.state is not to:
        return False
    last = session.scalars(
        select(DossierStep)
        .where(DossierStep.town_id == dossier.town_id, DossierStep.dossier_id == dossier.id)
        .order_by(DossierStep.at.desc(), DossierStep.id.desc())
        .limit(1)
    ).one()
    return (last.to_state, last.by_id, last.agent_id) == (to, by.id, agent_id)


def _move(
    session: Session,
    dossier: Dossier,
    to: State,
    *,
    by: User,
    at: datetime,
    agent_id: UUID | None = None,
    note: str | None = None,
) -> None:
    dossier.state, dossier.changed_at = to, at
    session.add(_new_step(dossier, by=by, at=at, agent_id=agent_id, note=note))
    session.flush()


def _new_step(
    dossier: Dossier, *, by: User, at: datetime, agent_id: UUID | None = None, note: str | None = None
) -> DossierStep:
    return DossierStep(
        town_id=dossier.town_id,
        id=new_id(),
        dossier_id=dossier.id,
        to_state=dossier.state,
        at=at,
        by_id=by.id,
        agent_id=agent_id,
        note=note,
    )


def of_person(session: Session, scope: Scope, dossier_id: UUID) -> tuple[Dossier, Prospect]:
    """A dossier and its person, as the acts above take them. Raises NotFound, also for a record merged away."""
    line = dossier_seen(session, scope, dossier_id)
    if line.person.merged_into_id:
        raise NotFound
    return line.dossier, line.person


SENTENCES = {
    "uq_dossier_open": ("open_already", _l("There are papers of this person already. Go on with those.")),
    "uq_dossier_book": ("book_taken", _l("Another person was given this code. Look at the office's answer again.")),
}
"""What the database refuses, in words."""


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
