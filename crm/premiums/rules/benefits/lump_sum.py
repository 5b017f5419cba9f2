"""Leaving with a lump sum: who may, and how much is left once the State has taken its support back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from crm.money import Vnd
from crm.premiums.rules.benefits.earnings import Earned, months_of
from crm.premiums.rules.benefits.years import for_years
from crm.premiums.rules.explaining import Assumption, Line, Unknown, lines_of, merged
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law, LawOnDay


class Leaving(StrEnum):
    """Why someone asks for the lump sum."""

    STOPPED = "stopped"
    TOO_OLD = "too_old"
    ABROAD = "abroad"
    ILLNESS = "illness"
    INCAPACITY = "incapacity"


class NotAllowed(StrEnum):
    """Why it is not given."""

    FIRST_INSURED_LATE = "first_insured_late"
    STOPPED_TOO_SHORTLY = "stopped_too_shortly"
    PAID_TOO_LONG = "paid_too_long"
    PENSION_INSTEAD = "pension_instead"
    CAPACITY_LEFT = "capacity_left"


@dataclass(frozen=True, slots=True)
class LumpSum:
    """`amount` = `gross` less `state_support`, whole đồng, never below 0; None where not known.

    `allowed` is None where it cannot be said, with the reason in `unknown`; `why_not` says what stands against it.
    The amount is worked out all the same, so that it can be weighed against a pension.
    """

    on: date
    months: int
    allowed: bool | None
    why_not: NotAllowed | None
    gross: Vnd | None
    state_support: Vnd | None
    amount: Vnd | None
    lines: tuple[Line, ...]
    assumptions: tuple[Assumption, ...] = ()
    unknown: tuple[Unknown, ...] = ()


def lump_sum_on_leaving(
    law: Law,
    on: date,
    earned: Collection[Earned],
    why: Leaving,
    *,
    first_insured: date | None = None,
    months_stopped: int | None = None,
    incapacity: int | None = None,
    state_support: Vnd | None = None,
    months_before: int = 0,
) -> LumpSum:
    """Whether someone may leave with a lump sum on a day, and how much it is.

    `first_insured` is the first day of any social insurance, `months_stopped` how long nothing has been paid,
    `incapacity` the percent of capacity lost, `state_support` what the State has paid towards the premiums,
    `months_before` months paid besides, which count for whether one may but not for how much. Law
    41/2024, articles 70 and 102.
    """
    then, months = law.on(on).watched(), months_of(earned)
    if not then.says_of_year(LawKey.LUMP_SUM_MONTHS_A_YEAR, on.year):
        return LumpSum(on, months, None, None, None, None, None, (), unknown=(Unknown.LUMP_SUM_LAW,))
    verdict = _verdict(law, then, months + months_before, why, first_insured, months_stopped, incapacity)
    sums = for_years(then, LawKey.LUMP_SUM_MONTHS_A_YEAR, earned)
    unknown = (*verdict.unknown, *sums.unknown, *([Unknown.STATE_SUPPORT_SO_FAR] if state_support is None else []))
    known = sums.amount is not None and state_support is not None
    return LumpSum(
        on=on,
        months=months,
        allowed=verdict.allowed,
        why_not=verdict.why_not,
        gross=sums.amount,
        state_support=state_support,
        amount=max(0, (sums.amount or 0) - (state_support or 0)) if known else None,
        lines=merged(verdict.lines, lines_of(then)),
        assumptions=sums.assumptions,
        unknown=unknown,
    )


@dataclass(frozen=True, slots=True)
class _Verdict:
    allowed: bool | None
    why_not: NotAllowed | None = None
    unknown: tuple[Unknown, ...] = ()
    lines: tuple[Line, ...] = ()


def _unknown(*reasons: Unknown) -> _Verdict:
    return _Verdict(None, unknown=reasons)


def _no(why_not: NotAllowed) -> _Verdict:
    return _Verdict(False, why_not)


def _verdict(
    law: Law,
    then: LawOnDay,
    months: int,
    why: Leaving,
    first_insured: date | None,
    months_stopped: int | None,
    incapacity: int | None,
) -> _Verdict:
    if why is Leaving.STOPPED:
        return _after_stopping(law, then, months, first_insured, months_stopped)
    if why is Leaving.TOO_OLD and months >= then.number(LawKey.PENSION_LEAST_MONTHS):
        return _no(NotAllowed.PENSION_INSTEAD)
    if why is Leaving.INCAPACITY:
        if not then.says(LawKey.LUMP_SUM_INCAPACITY_PERCENT):
            return _unknown(Unknown.LUMP_SUM_LAW)
        if incapacity is None:
            return _unknown(Unknown.CAPACITY_LOST)
        if incapacity < then.number(LawKey.LUMP_SUM_INCAPACITY_PERCENT):
            return _no(NotAllowed.CAPACITY_LEFT)
    return _Verdict(True)


def _after_stopping(
    law: Law, then: LawOnDay, months: int, first_insured: date | None, months_stopped: int | None
) -> _Verdict:
    """Only whoever was insured while the law allowed it may, some time after the last payment and before too many years."""
    if first_insured is None:
        return _unknown(Unknown.FIRST_INSURED)
    earliest = law.timeline(LawKey.LUMP_SUM_AFTER_STOPPING)[0].since
    first = law.on(max(first_insured, earliest)).watched()
    verdict = _Verdict(True)
    if not first.number(LawKey.LUMP_SUM_AFTER_STOPPING):
        verdict = _no(NotAllowed.FIRST_INSURED_LATE)
    elif months >= then.number(LawKey.LUMP_SUM_BELOW_MONTHS):
        verdict = _no(NotAllowed.PAID_TOO_LONG)
    elif months_stopped is None:
        verdict = _unknown(Unknown.STOPPED_WHEN)
    elif months_stopped < then.number(LawKey.LUMP_SUM_WAIT_MONTHS):
        verdict = _no(NotAllowed.STOPPED_TOO_SHORTLY)
    return replace(verdict, lines=lines_of(first))
