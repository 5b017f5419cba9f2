"""The duties of section IV of the plan, and what may be noted of each. Pure.

Days are Vietnam's. The plan names one: every actor reports before 10 December. Other days are proposals of this program,
told as such, until the office sets its own; a duty without a day holds all year and is never late.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.lines import line

PLAN = Path(__file__).parent / "plan-1553.json"
LONGEST_WORDS, LONGEST_DOCUMENT, LONGEST_LINK = 1_000, 120, 500
LAST_ACTOR = 11
FIRST_YEAR, LAST_YEAR = 2018, 2100


class State(StrEnum):
    OPEN = "open"
    UNDER_WAY = "under_way"
    DONE = "done"


STATES: Mapping[State, Any] = {
    State.OPEN: _l("Not begun"),
    State.UNDER_WAY: _l("Under way"),
    State.DONE: _l("Done"),
}


class DayBy(StrEnum):
    """Whose a day is: the plan's own, a proposal of this program, or what the office that leads put in its place."""

    PLAN = "plan"
    PROPOSAL = "proposal"
    OFFICE = "office"


DAYS: Mapping[DayBy, Any] = {
    DayBy.PLAN: _l("the plan's day"),
    DayBy.PROPOSAL: _l("proposed by the program: the plan names no day"),
    DayBy.OFFICE: _l("set by the office"),
}


class Step(StrEnum):
    """What somebody notes of a duty."""

    PROGRESS = "progress"
    DONE = "done"
    REOPENED = "reopened"
    LETTER = "letter"


STEPS: Mapping[Step, Any] = {
    Step.PROGRESS: _l("Something was done, more is to come"),
    Step.DONE: _l("It is done"),
    Step.REOPENED: _l("It is not done after all"),
    Step.LETTER: _l("An official letter was sent to urge it"),
}
AFTER: Mapping[Step, State] = {
    Step.PROGRESS: State.UNDER_WAY,
    Step.DONE: State.DONE,
    Step.REOPENED: State.UNDER_WAY,
}
OF_THE_OFFICE = (Step.REOPENED, Step.LETTER)
"""What only the office that leads notes."""


class Asked(NamedTuple):
    """A duty as the plan has it."""

    actor_no: int
    actor: str
    position: int
    words: str
    due_on: date | None
    day_by: DayBy | None
    organisations: tuple[str, ...]
    """Codes of those who owe it, each by itself; of none and no wards the actor alone."""
    wards: bool


@cache
def _plan() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(PLAN.read_text(encoding="utf-8"))
    return read


def source() -> str:
    return str(_plan()["source"])


def asked(year: int) -> Iterator[Asked]:
    """The plan's duties for a year."""
    for actor in _plan()["actors"]:
        for position, (words, day, whose) in enumerate(actor["duties"], start=1):
            due = date.fromisoformat(f"{year}-{day}") if day else None
            codes = tuple(actor["organisations"])
            told = actor["no"], actor["name"], position, words, due, DayBy(whose) if whose else None
            yield Asked(*told, codes, actor.get("wards", False))


def is_late(state: State, due_on: date | None, today: date) -> bool:
    """Whether its day is past and it is not done."""
    return state is not State.DONE and due_on is not None and due_on < today


_ADDRESS = re.compile(r"(/(?!/)|https?://)[^\s<>\"'\\]+")


def check_link(text: str | None) -> str | None:
    """An address of the program such as /reports/…, or of the web. Raises RuleBroken."""
    given = (text or "").strip()
    if given and (len(given) > LONGEST_LINK or not _ADDRESS.fullmatch(given)):
        raise RuleBroken(_l("Write an address that begins with https:// or, of this program, with /."), field="link")
    return given or None


def check_step(
    step: Step, words: str | None, document: str | None, *, office: bool, now: State
) -> tuple[str, str | None]:
    """The words and the document of a step as they are kept. Raises RuleBroken."""
    if step in OF_THE_OFFICE and not office:
        raise RuleBroken(_l("This is noted by the office that leads."), field="step")
    if step is Step.REOPENED and now is not State.DONE:
        raise RuleBroken(_l("It is not done yet."), field="step")
    said = line(words, LONGEST_WORDS, "words", _l("Write what was done."))
    numbered = _l("Write the number of the letter.") if step is Step.LETTER else None
    return said, line(document, LONGEST_DOCUMENT, "document", numbered) or None
