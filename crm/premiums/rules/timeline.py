"""How each value of the law went and will go: what held, what holds, what comes, what was only announced."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from crm.premiums.rules.keys import LawKey, LawStatus
from crm.premiums.rules.law import ANNOUNCED_EACH_YEAR, SURENESS, LawValue, Of
from crm.prospects.rules import Ground


class When(StrEnum):
    """Where a value stands on the day one looks."""

    NOW = "now"
    COMING = "coming"
    ANNOUNCED = "announced"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Span:
    """A value with the last day it holds on; None while nothing is to take its place."""

    value: LawValue
    until: date | None
    when: When


@dataclass(frozen=True, slots=True)
class Timeline:
    """One value of the law through the years, the newest first; what was only announced stands apart."""

    key: LawKey
    ground: Ground | None
    of_year: int | None
    spans: tuple[Span, ...]
    announced: tuple[Span, ...]

    @property
    def now(self) -> Span | None:
        """What holds today; None where nothing on record does."""
        return next((span for span in self.spans if span.when is When.NOW), None)

    @property
    def coming(self) -> tuple[Span, ...]:
        return tuple(span for span in self.spans if span.when is When.COMING)

    @property
    def past(self) -> tuple[Span, ...]:
        return tuple(span for span in self.spans if span.when is When.PAST)


def timelines(values: Iterable[LawValue], today: date) -> list[Timeline]:
    """Every value's timeline, in the order in which one explains the law."""
    found: dict[Of, list[LawValue]] = {}
    for value in values:
        found.setdefault(value.of, []).append(value)
    keys, grounds = list(LawKey), [None, *Ground]
    order = sorted(found, key=lambda of: (keys.index(of[0]), grounds.index(of[1]), -(of[2] or 0)))
    return [_timeline(of, found[of], today) for of in order]


def _timeline(of: Of, values: Sequence[LawValue], today: date) -> Timeline:
    counting = [value for value in values if value.status in SURENESS]
    # Of two rows of one day the surer is believed, the other shown no more.
    last = {value.since: value for value in sorted(counting, key=lambda one: SURENESS.index(one.status))}
    days = sorted(last)
    spans = [_span(last[day], following, today) for day, following in zip(days, [*days[1:], None], strict=True)]
    announced = [Span(value, None, When.ANNOUNCED) for value in values if value.status is LawStatus.ANNOUNCED]
    return Timeline(*of, tuple(reversed(spans)), tuple(sorted(announced, key=lambda one: one.value.since)))


def _span(value: LawValue, following: date | None, today: date) -> Span:
    until = following - timedelta(days=1) if following else None
    if value.key in ANNOUNCED_EACH_YEAR:
        over = date(value.since.year + 1, 1, 1) - timedelta(days=1)
        until = min(until, over) if until else over
    if value.since > today:
        return Span(value, until, When.COMING)
    return Span(value, until, When.PAST if until and until < today else When.NOW)
