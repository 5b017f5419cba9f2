"""What a check adds up to, and what may be mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.campaigns.rules.reasons import Reason


class Gets(StrEnum):
    """The people of a check to whom a message goes."""

    MESSAGE = "message"


class Warned(StrEnum):
    """What to look at in one message before it goes out."""

    COSTLY = "costly"
    LONG = "long"
    TOO_MANY = "too_many"


WARNED: dict[Warned, LazyString] = {
    Warned.COSTLY: _l("Letters that cost more"),
    Warned.LONG: _l("More than one segment"),
    Warned.TOO_MANY: _l("Three messages in 24 hours: it waits"),
}


SHORT: dict[Reason, LazyString] = {
    Reason.NO_PHONE: _l("No phone"),
    Reason.NOT_MOBILE: _l("Landline or wrong number"),
    Reason.NO_CONSENT: _l("Has not agreed"),
    Reason.OPTED_OUT: _l("Refused messages"),
    Reason.SAME_PHONE: _l("Shares a phone"),
    Reason.MISSING_VALUE: _l("A word is missing"),
    Reason.TOO_LONG: _l("Too long"),
    Reason.HELD_BACK: _l("Held back"),
}
"""Why somebody gets no message, in two words."""


class Trouble(StrEnum):
    """What is wrong with the whole campaign. Those of STOPPING must be mended before it is launched."""

    NOBODY = "nobody"
    OUT_OF_HOURS = "out_of_hours"
    TIME_IS_PAST = "time_is_past"
    LAST_DAY_IS_OVER = "last_day_is_over"
    OVER_BUDGET = "over_budget"
    OVER_MONTH_BUDGET = "over_month_budget"
    NOT_APPROVED = "not_approved"
    UNREGISTERED = "unregistered"
    NO_TEMPLATE = "no_template"
    WORDING = "wording"
    SAID_TWICE = "said_twice"
    NO_LABEL = "no_label"


STOPPING = frozenset(
    {
        *(Trouble.NOBODY, Trouble.TIME_IS_PAST, Trouble.LAST_DAY_IS_OVER),
        *(Trouble.OVER_BUDGET, Trouble.OVER_MONTH_BUDGET, Trouble.NOT_APPROVED),
    }
)
TROUBLES: dict[Trouble, LazyString] = {
    Trouble.NOBODY: _l("Nobody would get this message. Look below at who is left out and why."),
    Trouble.OUT_OF_HOURS: _l("The chosen time is outside the hours in which messages may leave."),
    Trouble.TIME_IS_PAST: _l("The chosen time is past. Choose another, or send at once."),
    Trouble.LAST_DAY_IS_OVER: _l("Its last day is over before a message may leave. Choose a later one."),
    Trouble.OVER_BUDGET: _l("It would cost more than this campaign may. Send fewer, shorter, or raise its budget."),
    Trouble.OVER_MONTH_BUDGET: _l(
        "With what was sent this month it is more than the town's budget for the month. Send fewer or shorter, wait for "
        "next month, or ask an administrator."
    ),
    Trouble.NOT_APPROVED: _l(
        "The carrier has not approved this text for our sender name, so it stays here. Choose an approved template, register "
        "this one, or ask an administrator to let it go under «Settings of messages»."
    ),
    Trouble.UNREGISTERED: _l(
        "The carrier has not approved this template for our sender name; it may refuse the messages."
    ),
    Trouble.NO_TEMPLATE: _l(
        "The text is none of the registered templates; in Vietnam the carrier may refuse messages whose text it does not know."
    ),
    Trouble.WORDING: _l("The text has words that carriers refuse."),
    Trouble.SAID_TWICE: _l(
        "A word stands twice: what is filled in says «phường», «bà» or «đ» itself, so the text need not say it beside."
    ),
    Trouble.NO_LABEL: _l(
        "A promotion begins with [QC] and ends with how to refuse. Both are added when it is sent; write them in to see the "
        "whole text."
    ),
}


@dataclass
class Sums:
    """People, messages, segments and đồng both ways, who is left out and why, and what to look at."""

    people: int = 0
    messages: int = 0
    segments: int = 0
    plain_segments: int = 0
    accented_segments: int = 0
    cost: int = 0
    price: int = 0
    shapes: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    warned: Counter[str] = field(default_factory=Counter)
    costly: Counter[str] = field(default_factory=Counter)
    """Letters that turn a message into the dear kind, with how many messages have them."""
    missing: Counter[str] = field(default_factory=Counter)
    """Places of the text without a value, with of how many people."""
    sample: str = ""
    sample_name: str = ""

    @property
    def plain_cost(self) -> int:
        return self.plain_segments * self.price

    @property
    def accented_cost(self) -> int:
        return self.accented_segments * self.price

    def left_out(self) -> Mapping[Reason, int]:
        """People who get nothing, by reason, in the order of the reasons."""
        return {reason: self.excluded[reason] for reason in Reason if self.excluded[reason]}

    def as_json(self) -> dict[str, Any]:
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        counted = {"excluded": dict(self.excluded), "warned": dict(self.warned), "missing": dict(self.missing)}
        return told | counted | {"costly": dict(self.costly.most_common(20))}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        counters = {name: Counter(told.get(name, {})) for name in ("excluded", "warned", "costly", "missing")}
        return cls(**{**told, **counters})
