"""How each figure of a quote comes about: a line for each layer, with every number in it and where it stands.

The calculator's script says the same in the same words: tools/frontend/js/calculator/steps.js.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.money import Vnd, half_up
from crm.premiums.rules.explaining import Line
from crm.premiums.rules.keys import LawKey, Method
from crm.premiums.rules.law import PER_CENT, share_of_percent
from crm.premiums.rules.quotes import REMARKS, Quote, Remark, Weighed, is_weighed
from crm.premiums.rules.wording import GROUNDS, LOCAL_TOP_UP, label_of, value_of
from crm.prospects.rules import Ground
from crm.web import filters
from crm.web.filters import VIETNAMESE, number, vnd

DISCOUNTED = _l("From the second month on each is discounted by %(interest)s for every month that it is paid early.")
WITH_INTEREST = _l("The interest is %(interest)s a month, for one month up to as many as are paid for.")
NO_MORE_THAN_REMAINS = _l("no more than remains")


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
    product = _product(_value(rate, locale), vnd(told.income, locale), _months(told.plan.months))
    label = premium_for(told.plan.months)
    if not is_weighed(told.plan):
        return Step(label, product, told.gross, rate.source)
    interest = _line(told, LawKey.INVESTMENT_PERCENT)
    ahead = told.plan.method is Method.YEARS_AHEAD
    difference = vnd(abs(told.nominal - told.gross), locale)
    product = f"{product} = {vnd(told.nominal, locale)} {'−' if ahead else '+'} {difference}"
    why = DISCOUNTED if ahead else WITH_INTEREST
    why = str(why) % {"interest": _value(interest, locale)}
    return Step(label, f"{product}. {why}", told.gross, f"{rate.source}; {interest.source}")


def _state(told: Quote, locale: str) -> Iterator[Step]:
    if not told.state_support:
        return
    share = _line(told, LawKey.SUPPORT_PERCENT, told.ground)
    floor = _line(told, LawKey.POVERTY_LINE)
    how = _product(_value(share, locale), *_floor_premium(told, locale), _months(told.supported_months))
    if told.last_helped:
        cap = _line(told, LawKey.SUPPORT_CAP_MONTHS)
        last = filters.month(told.last_helped.first_day, locale)
        how += f". {str(REMARKS[Remark.HELP_ENDS]) % {'month': last, 'cap': int(cap.value)}}"
    yield Step(_l("The State pays"), how, told.state_support, f"{share.source}; {floor.source}")


def _local(told: Quote, locale: str) -> Iterator[Step]:
    if not told.local_support:
        return
    line, months = _line(told, LOCAL_TOP_UP), told.plan.months
    percent = line.value <= PER_CENT
    rate, floor = _line(told, LawKey.CONTRIBUTION_PERCENT), _line(told, LawKey.POVERTY_LINE)
    a_month = share_of_percent(line.value) * share_of_percent(rate.value) * int(floor.value)
    a_month = a_month if percent else Fraction(line.value)
    helped = next((num for num in range(1, months + 1) if half_up(a_month * num) == told.local_support), None)
    parts = (_value(line, locale), *(_floor_premium(told, locale) if percent else ()), _months(helped or months))
    how = _product(*parts) + ("" if helped else f", {NO_MORE_THAN_REMAINS}")
    yield Step(label_of(LOCAL_TOP_UP), how, told.local_support, line.source)


def _rest(told: Quote, locale: str) -> Iterator[Step]:
    if told.other_support:
        yield Step(_l("Other support"), _l("what is offered, never more than remains"), told.other_support)
    given = (told.gross, told.state_support, told.local_support, told.other_support)
    yield Step(_l("I pay"), " − ".join(vnd(each, locale) for each in given if each or each is given[0]), told.payable)


def premium_for(months: int) -> Any:
    """What the premium of so many months is called."""
    return _l("Premium for one month") if months == 1 else _l("Premium for %(months)s months", months=months)


def _product(*parts: Any) -> str:
    return " × ".join(map(str, parts))


def _months(number: int) -> Any:
    return _l("one month") if number == 1 else _l("%(months)s months", months=number)


def _value(line: Line, locale: str) -> Any:
    return value_of(line.name, line.value, locale)


def _floor_premium(told: Quote, locale: str) -> tuple[Any, Any]:
    """The premium on the least income, as the product it is."""
    rate, floor = _line(told, LawKey.CONTRIBUTION_PERCENT), _line(told, LawKey.POVERTY_LINE)
    return _value(rate, locale), _value(floor, locale)


def _line(told: Quote, name: str, ground: Ground | None = None) -> Line:
    """The line of a name; of a ground its own, or everyone's where it has none."""
    named = [line for line in told.lines if line.name == name]
    everyones = next((line for line in named if line.ground in (None, Ground.OTHER)), named[0])
    return next((line for line in named if line.ground is ground), everyones)
