"""What follows from a conversation: the stage, and when to come again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from crm.prospects.rules import Stage


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


NOT_FOR_US = frozenset({Reason.HAS_COMPULSORY, Reason.JOINED_ELSEWHERE, Reason.MOVED_AWAY})
"""Reasons that take a refusal out of the work list instead of asking again."""


@dataclass(frozen=True)
class Next:
    """What a visit leads to."""

    stage: Stage
    contact_in: timedelta | None


_FOLLOWS: dict[Outcome, Next] = {
    Outcome.NOT_MET: Next(Stage.UNREACHED, timedelta(days=3)),
    Outcome.REFUSED: Next(Stage.REFUSED, timedelta(days=90)),
    Outcome.CONSIDERING: Next(Stage.CONSIDERING, timedelta(days=14)),
    Outcome.INTERESTED: Next(Stage.INTERESTED, timedelta(days=7)),
    Outcome.AGREED: Next(Stage.AGREED, timedelta(days=2)),
    Outcome.JOINED: Next(Stage.AGREED, timedelta(days=2)),
}
"""«Joined» said at the door makes the stage «agreed» until the payment is recorded: the stock counts payments only."""

_REACHED = frozenset({Stage.REFUSED, Stage.CONSIDERING, Stage.INTERESTED, Stage.AGREED})


def stage_after(stage: Stage, outcome: Outcome, reasons: frozenset[Reason] = frozenset()) -> Stage:
    """Participants stay participants whatever is said; a closed door does not undo what was said before."""
    if stage is Stage.JOINED:
        return stage
    if outcome is Outcome.REFUSED and reasons & NOT_FOR_US:
        return Stage.NOT_ELIGIBLE
    if outcome is Outcome.NOT_MET and (stage in _REACHED or stage is Stage.LAPSED):
        return stage
    return _FOLLOWS[outcome].stage


def contact_after(outcome: Outcome, on: date, reasons: frozenset[Reason] = frozenset()) -> date | None:
    """A sensible day to come again, or None when nobody should; Sundays move to Monday."""
    wait = _FOLLOWS[outcome].contact_in
    if wait is None or (outcome is Outcome.REFUSED and reasons & NOT_FOR_US):
        return None
    day = on + wait
    return day + timedelta(days=1) if day.weekday() == 6 else day
