"""What a result rests on: rows of the law, what was assumed, and what nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from crm.premiums.rules.keys import LawKey, LawStatus
from crm.premiums.rules.law import LawOnDay, LawValue, LocalTopUp
from crm.premiums.rules.wording import LOCAL_TOP_UP
from crm.prospects.rules import Ground

ORDER: Mapping[str, int] = {key: place for place, key in enumerate(LawKey)}


class Assumption(StrEnum):
    """What a result takes for granted; each has its sentence in `benefits.wording`."""

    LAW_OF_TODAY = "law_of_today"
    PAID_WITHOUT_A_BREAK = "paid_without_a_break"
    BORN_ON_1_JANUARY = "born_on_1_january"
    BEFORE_THE_RECORD = "before_the_record"
    AVERAGE_LIKE_AHEAD = "average_like_ahead"
    PAST_PAID_IN_FULL = "past_paid_in_full"
    PAST_HELPED_LIKE_NOW = "past_helped_like_now"
    ALL_SUPPORTED_SO_FAR = "all_supported_so_far"
    NOT_RAISED_WITH_PRICES = "not_raised_with_prices"
    ODD_MONTHS_AS_FOR_A_PENSION = "odd_months_as_for_a_pension"
    ODD_MONTHS_CARRIED_ON = "odd_months_carried_on"
    HELP_SPREAD_EVENLY = "help_spread_evenly"
    FIRST_MONTHS_SUPPORTED = "first_months_supported"
    ROUNDED_ONCE = "rounded_once"
    MONTHS_BEFORE_THE_BIRTH = "months_before_the_birth"


class Unknown(StrEnum):
    """What is missing for a number; the number is then left out, never guessed."""

    INVESTMENT_RATE = "investment_rate"
    PRICE_COEFFICIENTS = "price_coefficients"
    PENSION_LAW = "pension_law"
    MATERNITY_LAW = "maternity_law"
    SURVIVORS_LAW = "survivors_law"
    LUMP_SUM_LAW = "lump_sum_law"
    REFUND_LAW = "refund_law"
    PAYMENT_RULES = "payment_rules"
    AVERAGE_SO_FAR = "average_so_far"
    YEARS_OF_MONTHS = "years_of_months"
    FIRST_INSURED = "first_insured"
    STOPPED_WHEN = "stopped_when"
    CAPACITY_LOST = "capacity_lost"
    STATE_SUPPORT_SO_FAR = "state_support_so_far"
    LESS_THAN_A_YEAR = "less_than_a_year"
    MISSING_MONTHS_REFUND = "missing_months_refund"
    WHO_GETS_THE_HELP_BACK = "who_gets_the_help_back"


@dataclass(frozen=True, slots=True)
class Line:
    """One number of the law a result rests on: kept with a payment, shown to whoever asks why."""

    name: str
    value: Decimal
    since: date
    source: str
    status: LawStatus = LawStatus.IN_FORCE
    ground: Ground | None = None
    of_year: int | None = None

    @classmethod
    def of(cls, row: LawValue) -> Self:
        return cls(row.key, row.value, row.since, row.reference, row.status, row.ground, row.of_year)

    @classmethod
    def of_top_up(cls, top_up: LocalTopUp) -> Self:
        given = top_up.percent if top_up.percent is not None else Decimal(top_up.amount or 0)
        return cls(LOCAL_TOP_UP, given, top_up.since, top_up.document, ground=top_up.ground)

    def as_json(self) -> dict[str, Any]:
        """Plain values for a snapshot beside a payment; the number as text, so that it stays exact."""
        return {
            "name": str(self.name),
            "value": str(self.value),
            "since": self.since.isoformat(),
            "source": self.source,
            "status": str(self.status),
            "ground": self.ground and str(self.ground),
            "of_year": self.of_year,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The line as it was when it was kept; what older snapshots do not say is nothing special."""
        return cls(
            name=kept["name"],
            value=Decimal(kept["value"]),
            since=date.fromisoformat(kept["since"]),
            source=kept["source"],
            status=LawStatus(kept.get("status", LawStatus.IN_FORCE)),
            ground=Ground(kept["ground"]) if kept.get("ground") else None,
            of_year=kept.get("of_year"),
        )


def lines_of(*laws: LawOnDay) -> tuple[Line, ...]:
    """Every row that watched laws were asked for, once, in the order one would explain them."""
    rows = {(row.of, row.since): row for law in laws for row in (law.read or {}).values()}
    ordered = sorted(rows.values(), key=lambda row: (ORDER[row.key], row.ground or "", row.of_year or 0, row.since))
    return tuple(map(Line.of, ordered))


def merged(*parts: Iterable[Line]) -> tuple[Line, ...]:
    """The lines of several results, each once, in the order of the law's table; local additions come last."""
    each = dict.fromkeys(line for part in parts for line in part)
    last = len(ORDER)
    return tuple(sorted(each, key=lambda line: (ORDER.get(line.name, last), line.ground or "", line.of_year or 0)))
