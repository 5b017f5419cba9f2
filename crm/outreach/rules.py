"""What follows from a conversation: the stage, when to come again, and what to say next time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _ln

from crm.errors import RuleBroken
from crm.prospects.rules import Ground, Stage


class Channel(StrEnum):
    HOME_VISIT = "home_visit"
    PHONE_CALL = "phone_call"
    MEETING = "meeting"
    EVENT = "event"


class Outcome(StrEnum):
    NOT_MET = "not_met"
    REFUSED = "refused"
    CONSIDERING = "considering"
    INTERESTED = "interested"
    AGREED = "agreed"
    JOINED = "joined"


class Reason(StrEnum):
    """Why someone hesitates or refuses, in the words volunteers report."""

    NOT_AWARE = "not_aware"
    NO_MONEY = "no_money"
    ASK_FAMILY = "ask_family"
    NO_TRUST = "no_trust"
    CONFUSED_WITH_COMMERCIAL = "confused_with_commercial"
    PAPERWORK = "paperwork"
    TOO_OLD = "too_old"
    HAS_COMPULSORY = "has_compulsory"
    JOINED_ELSEWHERE = "joined_elsewhere"
    MOVED_AWAY = "moved_away"


CHANNELS: Mapping[Channel, Any] = {
    Channel.HOME_VISIT: _l("At home"),
    Channel.PHONE_CALL: _l("By phone"),
    Channel.MEETING: _l("At a meeting"),
    Channel.EVENT: _l("At an event"),
}
OUTCOMES: Mapping[Outcome, Any] = {
    Outcome.NOT_MET: _l("Not met"),
    Outcome.REFUSED: _l("Refused"),
    Outcome.CONSIDERING: _l("Thinking it over"),
    Outcome.INTERESTED: _l("Interested"),
    Outcome.AGREED: _l("Agreed"),
    Outcome.JOINED: _l("Says they have joined"),
}
SHORT_OUTCOMES: Mapping[Outcome, Any] = {**OUTCOMES, Outcome.JOINED: _l("Has joined")}
"""For buttons."""
OUTCOME_SIGNS: Mapping[Outcome, tuple[str, str]] = {
    Outcome.NOT_MET: ("not-home", "quiet"),
    Outcome.REFUSED: ("refused", "late"),
    Outcome.CONSIDERING: ("thinking", "due"),
    Outcome.INTERESTED: ("interested", "plain"),
    Outcome.AGREED: ("agreed", "plain"),
    Outcome.JOINED: ("joined", "leaf"),
}
"""The icon and the kind of button of each outcome."""
REASONS: Mapping[Reason, Any] = {
    Reason.NOT_AWARE: _l("Had not heard of it"),
    Reason.NO_MONEY: _l("No money for it now"),
    Reason.ASK_FAMILY: _l("Has to ask the family"),
    Reason.NO_TRUST: _l("Does not trust it yet"),
    Reason.CONFUSED_WITH_COMMERCIAL: _l("Takes it for commercial insurance"),
    Reason.PAPERWORK: _l("Afraid of paperwork"),
    Reason.TOO_OLD: _l("Too old, too few years left"),
    Reason.HAS_COMPULSORY: _l("Pays compulsory insurance"),
    Reason.JOINED_ELSEWHERE: _l("Pays somewhere else"),
    Reason.MOVED_AWAY: _l("Has moved away"),
}

NOT_FOR_US = frozenset({Reason.HAS_COMPULSORY, Reason.JOINED_ELSEWHERE, Reason.MOVED_AWAY})
"""Reasons that take a refusal out of the work list instead of asking again."""

REACHED = frozenset(Outcome) - {Outcome.NOT_MET}
"""Outcomes of a real conversation."""

AGREEING = frozenset({Outcome.AGREED, Outcome.JOINED})


def reasons_after(outcome: Outcome) -> tuple[Reason, ...]:
    """What one asks about after an outcome: nothing once agreed, and what rules somebody out only once refused."""
    if outcome is Outcome.REFUSED:
        return tuple(Reason)
    hesitating = outcome in (Outcome.CONSIDERING, Outcome.INTERESTED)
    return tuple(reason for reason in Reason if reason not in NOT_FOR_US) if hesitating else ()


# ---- what a visit leads to


@dataclass(frozen=True)
class Next:
    """What a visit leads to."""

    stage: Stage
    contact_in: timedelta


_FOLLOWS: Mapping[Outcome, Next] = {
    Outcome.NOT_MET: Next(Stage.UNREACHED, timedelta(days=3)),
    Outcome.REFUSED: Next(Stage.REFUSED, timedelta(days=90)),
    Outcome.CONSIDERING: Next(Stage.CONSIDERING, timedelta(days=14)),
    Outcome.INTERESTED: Next(Stage.INTERESTED, timedelta(days=7)),
    Outcome.AGREED: Next(Stage.AGREED, timedelta(days=2)),
    Outcome.JOINED: Next(Stage.AGREED, timedelta(days=2)),
}
"""«Joined» said at the door makes the stage «agreed» until the payment is recorded: the stock counts payments only."""

_OF_A_PARTICIPANT: Mapping[Outcome, timedelta] = {
    Outcome.NOT_MET: timedelta(days=3),
    Outcome.REFUSED: timedelta(days=14),
    Outcome.CONSIDERING: timedelta(days=14),
}
"""Someone who takes part is seen again when they waver; otherwise their next payment says when."""

_SUNDAY = 6


@dataclass(frozen=True)
class Said:
    """What a visit says of somebody, and when it was."""

    occurred_at: datetime
    outcome: Outcome
    reasons: frozenset[Reason] = frozenset()


def stage_after(stage: Stage, outcome: Outcome, reasons: frozenset[Reason] = frozenset()) -> Stage:
    """Participants stay participants whatever is said; a closed door does not undo what was said before."""
    if stage is Stage.JOINED:
        return stage
    if outcome is Outcome.REFUSED and reasons & NOT_FOR_US:
        return Stage.NOT_ELIGIBLE
    if outcome is Outcome.NOT_MET and stage is not Stage.NEW:
        return stage
    return _FOLLOWS[outcome].stage


def stage_told_by(start: Stage, visits: Iterable[Said]) -> Stage:
    """The stage that visits lead to from `start`, in the order they took place, however late each was recorded."""
    stage = start
    for visit in sorted(visits, key=lambda one: one.occurred_at):
        stage = stage_after(stage, visit.outcome, visit.reasons)
    return stage


@dataclass(frozen=True)
class Step:
    """A stage somebody went to, when, and because of what."""

    from_stage: Stage | None
    to_stage: Stage
    at: datetime
    because: UUID | None


def before_the_visits(now: Stage, steps: Iterable[Step], visits: Collection[UUID]) -> tuple[Stage, datetime | None]:
    """The stage that something else than a visit gave last, and since when; visits before that no longer count.

    `steps` in the order they were made; `now` stands for people whose steps nobody wrote down.
    """
    start: tuple[Stage, datetime | None] = (now, None)
    found = False
    for step in steps:
        if step.because not in visits:
            start, found = (step.to_stage, step.at if step.from_stage else None), True
        elif not found:
            start, found = (step.from_stage or now, None), True
    return start


def contact_after(
    outcome: Outcome, on: date, reasons: frozenset[Reason] = frozenset(), *, stage: Stage = Stage.NEW
) -> date | None:
    """A sensible day to come again, or None when nobody should; Sundays move to Monday. `stage` is the one before."""
    if outcome is Outcome.REFUSED and reasons & NOT_FOR_US:
        return None
    wait = _OF_A_PARTICIPANT.get(outcome) if stage is Stage.JOINED else _FOLLOWS[outcome].contact_in
    if wait is None:
        return None
    day = on + wait
    return day + timedelta(days=1) if day.weekday() == _SUNDAY else day


# ---- what may be recorded

SCHEME_BEGAN = datetime.fromisoformat("2008-01-01T00:00:00+07:00")
"""Voluntary social insurance exists since this day (Law 71/2006, article 140)."""
CLOCKS_DIFFER = timedelta(minutes=5)
LATEST_CONTACT = timedelta(days=731)
CHANGEABLE_FOR = timedelta(days=1)
LONGEST_NOTE = 2000


@dataclass(frozen=True)
class NewVisit:
    """A conversation to be recorded. `client_id` is made by whoever records it, once for each conversation;
    without `next_contact_on` the outcome says when to come again."""

    client_id: UUID
    prospect_id: UUID
    occurred_at: datetime
    channel: Channel
    outcome: Outcome
    reasons: frozenset[Reason] = frozenset()
    note: str | None = None
    next_contact_on: date | None = None


def check_moment(occurred_at: datetime, now: datetime) -> None:
    """Refuse a visit that is still to come, or from before there was anything to talk about."""
    if occurred_at > now + CLOCKS_DIFFER:
        raise RuleBroken(
            _l("This visit would be in the future. Check the day and time of the visit."),
            field="occurred_at",
            code="in_the_future",
        )
    if occurred_at < SCHEME_BEGAN:
        raise RuleBroken(
            _l("Voluntary social insurance began in 2008. Check the day of the visit."),
            field="occurred_at",
            code="too_long_ago",
        )


def check_next(next_contact_on: date, visited_on: date) -> None:
    """Refuse a next contact before the visit, or years away."""
    if next_contact_on < visited_on:
        raise RuleBroken(
            _l("The next contact cannot be before the visit. Choose a later day."), field="next_contact_on"
        )
    if next_contact_on > visited_on + LATEST_CONTACT:
        raise RuleBroken(
            _l("The next contact is too far away. Choose a day within two years."), field="next_contact_on"
        )


def check_note(note: str | None) -> None:
    """Refuse a note that is too long to be read."""
    if note and len(note) > LONGEST_NOTE:
        raise RuleBroken(_l("The note is too long. Write at most 2,000 letters."), field="note")


def changeable(recorded_at: datetime, now: datetime, *, own: bool, leads: bool) -> bool:
    """Whether somebody may amend or withdraw a visit: its author for a day, whoever leads the work at any time."""
    return leads or (own and now <= recorded_at + CHANGEABLE_FOR)


# ---- what to say


@dataclass(frozen=True)
class Figures:
    """What somebody would pay a month on the least income, the State's part and the place's own, as written for the
    reader."""

    own: str
    state: str
    local: str | None = None


@dataclass(frozen=True)
class PaymentDue:
    """The next payment of somebody who takes part: the last day for it, as written for the reader, and if it is past."""

    by: str
    missed: bool
    amount: str | None = None
    """What the person pays for it, as written for the reader; None where it is not known."""
    months: int = 1
    carried: bool = False
    """Whether a sponsor's money waits for it."""
    opens: str | None = None
    """The first day for it, as written for the reader, where that lies ahead: the amount is by the law of that day."""


def what_to_say(
    stage: Stage,
    ground: Ground,
    reasons: Collection[Reason],
    figures: Figures | None,
    payment: PaymentDue | None = None,
) -> Any:
    """One short sentence for the door, fitting how far somebody is, what they have to pay and what held them back."""
    if stage is Stage.JOINED and payment is not None:
        return _of_the_payment(payment)
    held_back = next((_ANSWERS[reason] for reason in _ANSWERS if reason in reasons), None)
    if stage is Stage.JOINED:
        return _l("Thank them, remind them of the next payment, ask whether anything changed.")
    if stage is Stage.AGREED:
        return _l("Help fill in the form; bring the identity card and the first premium.")
    if stage is Stage.LAPSED:
        return _l("Months already paid are kept. Paying again continues them.")
    if stage in (Stage.CONSIDERING, Stage.INTERESTED, Stage.REFUSED) and held_back is not None:
        return held_back
    return _offer(ground, figures)


def _of_the_payment(payment: PaymentDue) -> Any:
    if payment.missed:
        return _l("Months already paid are kept. To go on paying, register again: fill in the form together.")
    if payment.carried:
        return _l("A sponsor's money waits for the next period: see that it is paid on by %(day)s.", day=payment.by)
    if payment.amount and payment.opens:
        return _ln(
            "The next %(num)s month may be paid from %(opens)s on, %(amount)s on that day; by %(day)s at the latest.",
            "The next %(num)s months may be paid from %(opens)s on, %(amount)s on that day; by %(day)s at the latest.",
            payment.months,
            opens=payment.opens,
            amount=payment.amount,
            day=payment.by,
        )
    if payment.amount:
        return _ln(
            "Ask for %(amount)s for the next %(num)s month, by %(day)s, so that no month is lost.",
            "Ask for %(amount)s for the next %(num)s months, by %(day)s, so that no month is lost.",
            payment.months,
            amount=payment.amount,
            day=payment.by,
        )
    return _l("Ask them to pay the next period by %(day)s, so that no month is lost.", day=payment.by)


_ANSWERS: Mapping[Reason, Any] = {
    Reason.CONFUSED_WITH_COMMERCIAL: _l("This is the State's insurance, not a company's: pension and a health card."),
    Reason.NO_TRUST: _l("The State runs it and keeps the book; show a neighbour who draws the pension."),
    Reason.ASK_FAMILY: _l("Ask to talk when the family is home; leave the leaflet."),
    Reason.PAPERWORK: _l("One form and the identity card; you fill it in together."),
    Reason.TOO_OLD: _l("Missing years may be paid later in one sum: count them together."),
}


def _offer(ground: Ground, figures: Figures | None) -> Any:
    if figures is None:
        return _l("Pension and a health card in old age; the State pays a part.")
    if figures.local:
        return _l(
            "The State pays %(state)s a month, the place's own budget %(local)s; they pay %(own)s.",
            state=figures.state,
            local=figures.local,
            own=figures.own,
        )
    if ground is Ground.POOR:
        return _l(
            "Poor household: the State pays %(state)s a month, they pay %(own)s.", state=figures.state, own=figures.own
        )
    if ground is Ground.NEAR_POOR:
        return _l(
            "Near-poor household: the State pays %(state)s a month, they pay %(own)s.",
            state=figures.state,
            own=figures.own,
        )
    return _l("From %(own)s a month; the State pays %(state)s.", state=figures.state, own=figures.own)
