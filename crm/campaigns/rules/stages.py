"""The life of a campaign."""

from dataclasses import dataclass, field
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
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


STAGE_NAMES: dict[Stage, LazyString] = {
    Stage.DRAFT: _l("Draft"),
    Stage.RUNNING: _l("Running"),
    Stage.PAUSED: _l("Paused"),
    Stage.CANCELLED: _l("Called off"),
    Stage.DONE: _l("Finished"),
}

MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.DRAFT: frozenset({Stage.RUNNING, Stage.CANCELLED}),
    Stage.RUNNING: frozenset({Stage.PAUSED, Stage.CANCELLED, Stage.DONE}),
    Stage.PAUSED: frozenset({Stage.RUNNING, Stage.CANCELLED}),
    Stage.CANCELLED: frozenset(),
    Stage.DONE: frozenset(),
}

PERSON_PLACES = ("ten", "ho_ten", "xung_ho")
"""What a campaign's text may name of a person: given name, full name, form of address."""


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
