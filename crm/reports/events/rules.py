"""Kinds of communication events and what may be logged of one. Pure; counts are whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.lines import line, paragraphs

MOST_TIMES, MOST_PEOPLE, MOST_LEAFLETS = 1_000, 100_000, 1_000_000
LONGEST_TITLE, LONGEST_VENUE, LONGEST_NOTE = 200, 200, 1_000
LOGGED_WITHIN = timedelta(days=400)
"""How long ago an event may lie that is logged now."""


class EventKind(StrEnum):
    MEETING = "meeting"
    DIALOGUE = "dialogue"
    BROADCAST = "broadcast"
    LEAFLETS = "leaflets"
    STALL = "stall"


KINDS: Mapping[EventKind, Any] = {
    EventKind.MEETING: _l("Meeting or communication session"),
    EventKind.DIALOGUE: _l("Dialogue with enterprises or household businesses"),
    EventKind.BROADCAST: _l("Broadcast by loudspeaker or station"),
    EventKind.LEAFLETS: _l("Leaflets handed out"),
    EventKind.STALL: _l("Stall at a market or public place"),
}
ON_PAPER: Mapping[EventKind, tuple[str, str]] = {
    EventKind.MEETING: ("Hội nghị, buổi tuyên truyền", "buổi"),
    EventKind.DIALOGUE: ("Đối thoại với doanh nghiệp, hộ kinh doanh", "cuộc"),
    EventKind.BROADCAST: ("Phát thanh, truyền thanh", "lượt"),
    EventKind.LEAFLETS: ("Đợt phát tờ rơi, tài liệu", "đợt"),
    EventKind.STALL: ("Điểm tuyên truyền ở chợ, nơi công cộng", "buổi"),
}
"""As it stands in Biểu 04, and its unit: Vietnamese whatever language the reader chose."""


class Happened(NamedTuple):
    """What is logged of an event. `times`: how often it was broadcast or held in a row; people and leaflets may be unknown."""

    kind: EventKind
    held_on: date
    title: str
    venue: str | None
    times: int
    attended: int | None
    leaflets: int | None
    note: str | None


def checked(one: Happened, today: date) -> Happened:
    """The same as it is kept. Raises RuleBroken at the field that is wrong."""
    title = line(one.title, LONGEST_TITLE, "title", _l("Write what it was about."))
    venue, note = line(one.venue, LONGEST_VENUE, "venue"), paragraphs(one.note, LONGEST_NOTE, "note")
    if one.held_on > today:
        raise RuleBroken(_l("This day lies ahead: log it when it has taken place."), field="held_on")
    if one.held_on < today - LOGGED_WITHIN:
        raise RuleBroken(_l("This day lies too long ago."), field="held_on")
    for field, number, most in (
        ("times", one.times, MOST_TIMES),
        ("attended", one.attended, MOST_PEOPLE),
        ("leaflets", one.leaflets, MOST_LEAFLETS),
    ):
        if number is not None and not (field == "times") <= number <= most:
            raise RuleBroken(_l("Write a whole number, such as 1,385."), field=field)
    return one._replace(title=title, venue=venue or None, note=note or None)
