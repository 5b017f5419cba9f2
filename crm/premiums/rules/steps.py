"""How each figure of a quote comes about: a line for each layer, with every number in it and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext

from crm.money import Vnd
from crm.premiums.rules.explaining import Line
from crm.premiums.rules.keys import LawKey, Method
from crm.premiums.rules.quotes import Quote, Weighed
from crm.premiums.rules.wording import GROUNDS, LOCAL_TOP_UP, value_of
from crm.prospects.rules import Ground
from crm.web.filters import VIETNAMESE, number, vnd


@dataclass(frozen=True, slots=True)
class Step:
    """One figure in whole đồng, the sum it comes from in words, and the documents that say so."""

    label: Any
    how: Any
    amount: Vnd
    source: str = ""


def steps(told: Quote, locale: str = VIETNAMESE) -> list[Step]:
    """A quote from the premium to what one pays; layers nobody gives are left out."""
    return [_gross(told, locale), *_state(told, locale), *_local(told, locale), *_rest(told, locale)]


def weighing(told: Quote, locale: str = VIETNAMESE) -> list[str]:
    """Of somebody with several grounds: what each would bring, what of it counts and why; nothing of who has one."""
    return [" ".join(str(part) for part in _weighing(one, locale)) for one in told.weighed]


def _weighing(one: Weighed, locale: str) -> Iterator[Any]:
    share = number(float(one.percent), 0 if one.percent.denominator == 1 else 2, locale)
    counted = {"ground": GROUNDS[one.ground], "share": f"{share}%"}
    if one.by_the_state:
        yield _l("%(ground)s: the State's %(share)s count, the highest of the grounds.", **counted)
    else:
        yield _l("%(ground)s: the State's %(share)s do not count, for the grounds do not add up.", **counted)
    if one.by_the_place:
        yield _l("What the place adds for it, %(amount)s, comes on top.", amount=vnd(one.local, locale))
    elif one.local:
        yield _l(
            "What the place would add for it, %(amount)s, does not: one addition counts.", amount=vnd(one.local, locale)
        )


def _gross(told: Quote, locale: str) -> Step:
    rate = _line(told, LawKey.CONTRIBUTION_PERCENT)
    numbers = {
        "rate": value_of(rate.name, rate.value, locale),
        "income": vnd(told.income, locale),
        "months": told.plan.months,
    }
    label = lazy_ngettext("Premium for %(num)s month", "Premium for %(num)s months", told.plan.months)
    if told.plan.method not in (Method.YEARS_AHEAD, Method.MISSING_MONTHS):
        return Step(
            label,
            lazy_ngettext(
                "%(rate)s × %(income)s × %(num)s month",
                "%(rate)s × %(income)s × %(num)s months",
                told.plan.months,
                **numbers,
            ),
            told.gross,
            rate.source,
        )
    interest = _line(told, LawKey.INVESTMENT_PERCENT)
    numbers["interest"] = value_of(interest.name, interest.value, locale)
    numbers["nominal"] = vnd(told.nominal, locale)
    numbers["difference"] = vnd(abs(told.nominal - told.gross), locale)
    if told.plan.method is Method.YEARS_AHEAD:
        how = _l(
            "%(rate)s × %(income)s × %(months)s months = %(nominal)s, less %(difference)s: each month from the second on "
            "is discounted by %(interest)s for every month paid early",
            **numbers,
        )
    else:
        how = _l(
            "%(rate)s × %(income)s × %(months)s months = %(nominal)s, and %(difference)s interest: %(interest)s a month, "
            "from one month up to %(months)s months",
            **numbers,
        )
    return Step(label, how, told.gross, f"{rate.source}; {interest.source}")


def _state(told: Quote, locale: str) -> Iterator[Step]:
    if not told.state_support:
        return
    share = _line(told, LawKey.SUPPORT_PERCENT, told.ground)
    rate, floor = _line(told, LawKey.CONTRIBUTION_PERCENT), _line(told, LawKey.POVERTY_LINE)
    numbers = {
        "share": value_of(share.name, share.value, locale),
        "rate": value_of(rate.name, rate.value, locale),
        "floor": vnd(int(floor.value), locale),
        "months": told.supported_months,
    }
    how: Any = lazy_ngettext(
        "%(share)s × %(rate)s × %(floor)s × %(num)s month",
        "%(share)s × %(rate)s × %(floor)s × %(num)s months",
        told.supported_months,
        **numbers,
    )
    if told.supported_months < told.plan.months:
        cap = int(_line(told, LawKey.SUPPORT_CAP_MONTHS).value)
        how = _l(
            "%(share)s × %(rate)s × %(floor)s × %(months)s of %(all)s months: then the %(cap)s months the State helps with "
            "are used up",
            **numbers,
            all=told.plan.months,
            cap=cap,
        )
    label = lazy_ngettext("State support (%(num)s month)", "State support (%(num)s months)", told.supported_months)
    yield Step(label, how, told.state_support, f"{share.source}; {floor.source}")


def _local(told: Quote, locale: str) -> Iterator[Step]:
    if not told.local_support:
        return
    line = _line(told, LOCAL_TOP_UP)
    how = _l("%(given)s, never more than remains", given=value_of(line.name, line.value, locale))
    yield Step(_l("Addition by the place's own budget"), how, told.local_support, line.source)


def _rest(told: Quote, locale: str) -> Iterator[Step]:
    if told.other_support:
        yield Step(_l("Other support"), _l("what is offered, never more than remains"), told.other_support)
    given = (told.gross, told.state_support, told.local_support, told.other_support)
    yield Step(_l("I pay"), " − ".join(vnd(each, locale) for each in given if each or each is given[0]), told.payable)


def _line(told: Quote, name: str, ground: Ground | None = None) -> Line:
    """The line of a name; of a ground its own, or everyone's where it has none."""
    named = [line for line in told.lines if line.name == name]
    return next((line for line in named if line.ground is ground), named[0])
