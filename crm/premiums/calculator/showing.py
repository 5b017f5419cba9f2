"""The answer as the page shows it: every figure and sentence under a name, so that a phone can fill the same places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from crm.months import MONTHS_IN_YEAR
from crm.premiums.calculator.rules import Asked, Told
from crm.premiums.calculator.wording import SENTENCES, filled
from crm.premiums.rules.explaining import Line
from crm.premiums.rules.keys import LawKey, LawStatus, Method
from crm.premiums.rules.law import LawOnDay
from crm.premiums.rules.quotes import Plan, Quote
from crm.premiums.rules.wording import GROUNDS, METHODS, STATUSES, label_of, value_of
from crm.web.filters import NOTHING, day, vnd


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: its cells from the first, where it leads, and whether it is what was chosen."""

    cells: tuple[str, ...]
    query: str = ""
    here: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that changes with the answers: texts by name, and tables by name."""

    texts: Mapping[str, str]
    rows: Mapping[str, tuple[Row, ...]]


NO_SHEET = Sheet(texts={}, rows={})
"""What is shown while there is no answer."""


def sheet(told: Told, law: LawOnDay, locale: str) -> Sheet:
    """The page's texts for an answer, in one language."""
    return Sheet(
        texts=dict(_answer(told, law, locale)),
        rows={
            "methods": tuple(_methods(told, locale)),
            "incomes": tuple(_incomes(told, locale)),
            "pensions": tuple(_pensions(told, locale)),
            "why": tuple(_why(line, locale) for line in told.quote.lines),
        },
    )


def query_of(asked: Asked) -> str:
    """The address that gives this answer again, after the question mark. Holds nothing that was not answered."""
    given: dict[str, Any] = {"income": asked.income, "ground": str(asked.ground), "months": asked.plan.months}
    given |= {"supported": asked.supported} if asked.supported else {}
    given |= {"sex": str(asked.sex)} if asked.sex else {}
    given |= {"born_month": asked.born.number, "born_year": asked.born.year} if asked.born else {}
    given |= {"paid": asked.paid} if asked.paid else {}
    return urlencode(given)


def without_the_person(asked: Asked) -> Asked:
    """The answers without sex, birth and months so far: what one may pass on without asking."""
    return Asked(asked.income, asked.ground, asked.plan)


def _answer(told: Told, law: LawOnDay, locale: str) -> Iterator[tuple[str, str]]:
    quote, months = told.quote, told.quote.plan.months
    yield "a_month", vnd(quote.a_month, locale)
    yield "at_once", _say("at_once", amount=vnd(quote.payable, locale), months=months) if months > 1 else ""
    yield "premium_for", _say("premium_for", months=months)
    yield "gross", vnd(quote.gross, locale)
    yield "state", vnd(quote.state_support, locale)
    yield "state_ground", str(GROUNDS[quote.ground])
    yield "local", vnd(quote.local_support, locale) if quote.local_support else ""
    yield "payable", vnd(quote.payable, locale)
    yield "deadline", _say("deadline", day=day(quote.deadline, locale)) if quote.deadline else ""
    yield "helped", _helped(quote, law)
    yield "income", vnd(quote.income, locale)
    yield "method", _name(quote.plan)
    yield "shared", query_of(without_the_person(told.asked))
    yield "personal", query_of(told.asked) if told.asked != without_the_person(told.asked) else ""


def _helped(quote: Quote, law: LawOnDay) -> str:
    if not law.says(LawKey.SUPPORT_CAP_MONTHS):
        return ""
    most = law.number(LawKey.SUPPORT_CAP_MONTHS)
    if not quote.supported_months:
        return _say("no_help_left", months=most) if law.support[quote.ground] else ""
    return _say("helped", months=most, supported=quote.supported_months, all=quote.plan.months)


def _methods(told: Told, locale: str) -> Iterator[Row]:
    """How one pays: at once, a month, the State's part, the last day."""
    for offer in told.methods:
        query, here = query_of(replace(told.asked, plan=offer.plan)), offer.plan == told.asked.plan
        yield Row((_name(offer.plan), *_offered(offer.told, locale)), query, here)


def _offered(quote: Quote | None, locale: str) -> Iterator[str]:
    if quote is None:
        yield from (_say("not_announced"), NOTHING, NOTHING, NOTHING)
        return
    yield from (vnd(one, locale) for one in (quote.payable, quote.a_month, quote.state_support))
    yield day(quote.deadline, locale) if quote.deadline else _say("at_registration")


def _incomes(told: Told, locale: str) -> Iterator[Row]:
    """Incomes side by side: a month, the State's part of what is paid, a woman's and a man's pension after the least years."""
    for quote in told.incomes:
        after = told.least.get(quote.income)
        cells = (vnd(one, locale) for one in (quote.income, quote.a_month, quote.state_support))
        pensions = (vnd(one, locale) for one in ((after.women, after.men) if after else (None, None)))
        asked = replace(told.asked, income=quote.income)
        yield Row((*cells, *pensions), query_of(asked), quote.income == told.asked.income)


def _pensions(told: Told, locale: str) -> Iterator[Row]:
    for after in told.pensions:
        yield Row((_say("years", years=after.years), vnd(after.women, locale), vnd(after.men, locale)))


def _why(line: Line, locale: str) -> Row:
    since = _say("since", day=day(line.since, locale))
    sure = [str(STATUSES[line.status])] if line.status is not LawStatus.IN_FORCE else []
    return Row(
        (
            str(label_of(line.name)),
            " · ".join([line.source, since, *sure]),
            str(value_of(line.name, line.value, locale)),
        )
    )


def _name(plan: Plan) -> str:
    if plan.method is Method.YEARS_AHEAD:
        return _say("years_ahead", years=plan.months // MONTHS_IN_YEAR)
    return str(METHODS[plan.method])


def _say(name: str, **places: Any) -> str:
    return filled(SENTENCES[name](), **places)
