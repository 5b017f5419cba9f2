"""The life of a campaign."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.errors import RuleBroken
from crm.prospects.rules import Purpose

PURPOSE_NAMES: dict[Purpose, LazyString] = {
    Purpose.SERVICE: _l("Service message"),
    Purpose.PROMOTION: _l("Promotion"),
}


@dataclass(frozen=True)
class Content:
    """What a campaign says, to whom, and how. `segment` holds list, place, stage, organisation, volunteer,
    standing."""

    name: str
    text: str
    purpose: Purpose
    segment: dict[str, str] = field(default_factory=dict)
    accented: bool = False


class Stage(StrEnum):
    """The life of a campaign."""

    DRAFT = "draft"
    PREPARING = "preparing"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    MISSED = "missed"
    CANCELLED = "cancelled"
    DONE = "done"


STAGE_NAMES: dict[Stage, LazyString] = {
    Stage.DRAFT: _l("Draft"),
    Stage.PREPARING: _l("Being prepared"),
    Stage.SCHEDULED: _l("Scheduled"),
    Stage.RUNNING: _l("Running"),
    Stage.PAUSED: _l("Paused"),
    Stage.MISSED: _l("Its time was missed"),
    Stage.CANCELLED: _l("Called off"),
    Stage.DONE: _l("Finished"),
}

STAGE_SIGNS: dict[Stage, tuple[str, str]] = {
    Stage.DRAFT: ("quiet", "note"),
    Stage.PREPARING: ("jade", "waiting"),
    Stage.SCHEDULED: ("jade", "calendar"),
    Stage.RUNNING: ("jade", "send"),
    Stage.PAUSED: ("due", "paused"),
    Stage.MISSED: ("late", "error"),
    Stage.CANCELLED: ("quiet", "refused"),
    Stage.DONE: ("plain", "done"),
}
"""Colour and picture of each."""

MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.DRAFT: frozenset({Stage.PREPARING, Stage.SCHEDULED, Stage.RUNNING, Stage.CANCELLED}),
    Stage.PREPARING: frozenset({Stage.DRAFT, Stage.SCHEDULED, Stage.RUNNING, Stage.CANCELLED}),
    Stage.SCHEDULED: frozenset({Stage.RUNNING, Stage.PAUSED, Stage.MISSED, Stage.CANCELLED}),
    Stage.RUNNING: frozenset({Stage.PAUSED, Stage.MISSED, Stage.CANCELLED, Stage.DONE}),
    Stage.PAUSED: frozenset({Stage.SCHEDULED, Stage.RUNNING, Stage.CANCELLED}),
    Stage.MISSED: frozenset({Stage.SCHEDULED, Stage.RUNNING, Stage.CANCELLED}),
    Stage.CANCELLED: frozenset(),
    Stage.DONE: frozenset(),
}
"""MISSED: its time came and went while nothing could be sent; a person says whether it goes on, moves or is called
off, so that what is late does not flood."""
WAITING_STAGES = frozenset({Stage.SCHEDULED, Stage.PAUSED, Stage.MISSED})
"""Launched, and nothing leaves before its time or a person's word."""
KEEPS_TRYING = timedelta(days=3)
"""A running campaign's messages that could not leave within this time come too late, when it names no last day."""
LATE_BY = timedelta(minutes=30)
"""A campaign that could not begin within this time waits for a person."""
FOLLOW_DAYS = 30


class Step(StrEnum):
    """What happened to a campaign."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    LAUNCHED = "launched"
    SCHEDULED = "scheduled"
    BEGUN = "begun"
    PAUSED = "paused"
    RESUMED = "resumed"
    MISSED = "missed"
    MOVED = "moved"
    CANCELLED = "cancelled"
    DONE = "done"
    EXPIRED = "expired"
    TRIED = "tried"
    NOT_LAUNCHED = "not_launched"


STEPS: dict[Step, LazyString] = {
    Step.ASKED: _l("A second person was asked"),
    Step.APPROVED: _l("Approved by a second person"),
    Step.REFUSED: _l("Not approved"),
    Step.LAUNCHED: _l("Launched"),
    Step.SCHEDULED: _l("Scheduled"),
    Step.BEGUN: _l("Begun at its time"),
    Step.PAUSED: _l("Stopped for now"),
    Step.RESUMED: _l("Goes on"),
    Step.MISSED: _l("Its time was missed; it waits for a person"),
    Step.MOVED: _l("Moved to another time"),
    Step.CANCELLED: _l("Called off"),
    Step.DONE: _l("All is sent"),
    Step.EXPIRED: _l("Its time ran out; what had not left is not sent any more"),
    Step.TRIED: _l("A trial was sent"),
    Step.NOT_LAUNCHED: _l("Could not be launched"),
}


def new_seed() -> int:
    """What decides by chance who is held back; kept, so that it can be looked at again."""
    return secrets.randbelow(2**31)


def move(now: Stage, to: Stage) -> Stage:
    """The new stage. Raises RuleBroken when the campaign cannot go there from where it is."""
    if to not in MOVES[now]:
        raise RuleBroken(
            _l(
                "This campaign is “%(stage)s” and cannot do that.",
                stage=STAGE_NAMES[now],
            )
        )
    return to


def person_values(full_name: str, female: bool | None, birth_year: int | None, year: int) -> dict[str, str]:
    """What a text may say of a person. Someone of 45 or more, or of unknown age, is *ông* or *bà*."""
    young = birth_year is not None and year - birth_year < 45
    forms = ("chị", "anh", "anh/chị") if young else ("bà", "ông", "ông/bà")
    form = forms[2] if female is None else forms[0] if female else forms[1]
    return {"ten": full_name.split()[-1], "ho_ten": full_name, "xung_ho": form}
