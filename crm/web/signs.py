"""How a stage and a ground of support are shown: a colour, a drawing and a word that say the same."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l


class Sign(NamedTuple):
    """What stands in a tag; `kind` is a colour of the design system."""

    kind: str
    icon: str | None
    words: Any


STAGES: dict[str, Sign] = {
    "new": Sign("plain", "sprout", _l("New")),
    "unreached": Sign("quiet", "not-home", _l("Called on, not met yet")),
    "refused": Sign("late", "refused", _l("Refused")),
    "considering": Sign("jade", "thinking", _l("Thinking it over")),
    "interested": Sign("jade", "interested", _l("Interested")),
    "agreed": Sign("jade", "agreed", _l("Agreed")),
    "joined": Sign("leaf", "joined", _l("Takes part")),
    "lapsed": Sign("late", "error", _l("Lapsed")),
    "not_eligible": Sign("quiet", "lock", _l("Not eligible")),
    "due": Sign("due", "due", _l("Due")),
    "overdue": Sign("late", "error", _l("Overdue")),
}

STANDINGS: dict[str, Sign] = {
    "poor": Sign("plain", "home", _l("Poor household")),
    "near_poor": Sign("plain", "home", _l("Near-poor household")),
    "island": Sign("plain", "place", _l("Island commune")),
    "ethnic_minority": Sign("plain", "family", _l("Ethnic minority")),
    "other": Sign("quiet", "person", _l("Other group")),
}


def stage_sign(stage: object) -> Sign:
    """The sign of a stage; an unknown one shows its own name."""
    return STAGES.get(str(stage)) or Sign("plain", None, str(stage))


def standing_sign(ground: object) -> Sign:
    """The sign of a ground of State support."""
    return STANDINGS.get(str(ground)) or STANDINGS["other"]
