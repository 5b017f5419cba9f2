"""The answer as the page shows it: every figure and sentence under a name, so that a phone can fill the same places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from crm.months import MONTHS_IN_YEAR
from crm.premiums.calculator.life import WHOLE, Picture, picture
from crm.premiums.calculator.rules import EVERY_YEARS, Asked, Told
from crm.premiums.calculator.wording import SENTENCES, filled
from crm.premiums.rules.benefits.pension import PensionOutlook
from crm.premiums.rules.benefits.retirement import AGES
from crm.premiums.rules.benefits.wording import ASSUMPTIONS, UNKNOWNS, WHY_NOT
from crm.premiums.rules.explaining import Line, Unknown
from crm.premiums.rules.keys import LawKey, LawStatus, Method
from crm.premiums.rules.law import LawOnDay
from crm.premiums.rules.quotes import Plan, Quote
from crm.premiums.rules.steps import Step, steps, weighing
from crm.premiums.rules.wording import GROUNDS, METHODS, STATUSES, titled, value_of
from crm.prospects.rules import Ground
from crm.web.filters import NOTHING, day, month, number, vnd


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


def sheet(told: Told, law: LawOnDay, locale: str, *, of_somebody: bool = False) -> Sheet:
    """The page's texts for an answer, in one language. Of somebody on record no address holds what is of them."""
    linked = without_the_person(told.asked) if of_somebody else told.asked
    drawn = picture(told.outlook) if told.outlook else None
    return Sheet(
        texts={
            **dict(_answer(told, linked, law, locale)),
            **dict(_beside(told, law, locale)),
            **dict.fromkeys(OUTLOOK, ""),
            **(dict(_outlook(told, told.outlook, locale)) if told.outlook else {}),
            **dict.fromkeys(PICTURE, ""),
            **(dict(_picture(drawn, locale)) if drawn else {}),
        },
        rows={
            "life": tuple(_life(told.outlook, drawn, locale)) if told.outlook and drawn else (),
            "assumed": tuple(_assumed(told.outlook)) if told.outlook else (),
            "why_later": tuple(_why(line, locale) for line in told.outlook.lines) if told.outlook else (),
            "methods": tuple(_methods(told, linked, locale)),
            "incomes": tuple(_incomes(told, linked, locale)),
            "pensions": tuple(_pensions(told, locale)),
            "weighed": tuple(Row((line,)) for line in weighing(told.quote, locale)),
            "how": tuple(_how(step, locale) for step in steps(told.quote, locale)),
            "why": tuple(_why(line, locale) for line in told.quote.lines),
        },
    )


def query_of(asked: Asked) -> str:
    """The address that gives this answer again, after the question mark. Holds nothing that was not answered."""
    grounds = [str(ground) for ground in asked.grounds or (Ground.OTHER,)]
    given: dict[str, Any] = {"income": asked.income, "ground": grounds, "months": asked.plan.months}
    given |= {"place": asked.place} if asked.place else {}
    given |= {"paid": asked.paid} if asked.paid else {}
    given |= {"supported": asked.supported} if asked.supported is not None else {}
    given |= {"local": asked.local} if asked.local else {}
    given |= {"sex": str(asked.sex)} if asked.sex else {}
    given |= {"born_month": asked.born.number, "born_year": asked.born.year} if asked.born else {}
    return urlencode(given, doseq=True)


def without_the_person(asked: Asked) -> Asked:
    """The answers without sex, birth and what was paid: what one may pass on without asking.

    The months so far stay: they say nothing of who somebody is, and without them the same payment would be another figure.
    """
    return replace(asked, sex=None, born=None, own=None)


def _answer(told: Told, linked: Asked, law: LawOnDay, locale: str) -> Iterator[tuple[str, str]]:
    quote, months = told.quote, told.quote.plan.months
    yield "a_month", vnd(quote.a_month, locale)
    yield "at_once", _say("at_once", amount=vnd(quote.payable, locale), months=months) if months > 1 else ""
    yield "premium_for", _say("premium_for", months=months) if months > 1 else _say("premium_for_one")
    yield "gross", vnd(quote.gross, locale)
    yield "state", vnd(quote.state_support, locale)
    yield "state_ground", str(GROUNDS[quote.ground])
    yield "local", vnd(quote.local_support, locale) if quote.local_support else ""
    yield "payable", vnd(quote.payable, locale)
    yield "deadline", _say("deadline", day=day(quote.deadline, locale)) if quote.deadline else ""
    yield "helped", _helped(quote, law)
    yield "help_ends", _help_ends(quote, law, locale)
    yield "supported_unknown", _supported_unknown(told.asked, law)
    yield "income", vnd(quote.income, locale)
    yield "method", _name(quote.plan)
    shared, personal = query_of(without_the_person(linked)), query_of(linked)
    yield "shared", shared
    yield "personal", personal if personal != shared else ""


OUTLOOK = (
    "example",
    "retires",
    "needed",
    "short",
    "at_once_then",
    "pension",
    "pension_from",
    "own",
    "paid_back",
    "unknown_pension",
)
PICTURE = (
    *("life_paid", "life_received", "life_pension_at", "life_back_at", "life_back_y", "life_paid_x", "life_paid_y"),
    *("life_received_y", "life_paid_label", "life_received_label", "life_first", "life_pension_age", "life_last"),
)


def _outlook(told: Told, outlook: PensionOutlook, locale: str) -> Iterator[tuple[str, str]]:
    """When, how much a month, what it costs and when it is paid back."""
    retiring, way, missing = outlook.retirement, outlook.paying_on, outlook.missing_months
    age = str(value_of(AGES[retiring.sex], Decimal(retiring.age_months), locale))
    if told.example:
        yield "example", _say(f"example_{retiring.sex}", age=retiring.birth.age_in(outlook.start))
    yield "retires", _say("retires", month=month(retiring.reached, locale), age=age)
    still = outlook.months_still_needed
    yield "needed", _say("needed", months=still, all=outlook.months_needed) if still else _say("enough")
    if way is None:
        yield "unknown_pension", str(UNKNOWNS[Unknown.PENSION_LAW])
        return
    if outlook.short_at_retirement:
        last = month(outlook.start + (way.months_ahead - 1), locale)
        yield "short", _say("short", months=outlook.short_at_retirement, month=last)
    if missing is not None:
        known = missing.paid_at_once is not None
        least = missing.paid_at_once if known else missing.at_once_without_interest
        name = "at_once_then" if known else "at_once_at_least"
        yield "at_once_then", _say(name, months=missing.months_at_once, amount=vnd(least, locale))
    yield "pension", vnd(way.pension, locale)
    yield "pension_from", _say("pension_from", month=month(way.entitled_from, locale))
    yield "own", _say("own", amount=vnd(way.paid_by_oneself, locale), months=way.months_ahead)
    if way.months_until_paid_back is not None:
        years, months = divmod(way.months_until_paid_back, MONTHS_IN_YEAR)
        yield "paid_back", _say("paid_back", years=years, months=months)


def _picture(drawn: Picture, locale: str) -> Iterator[tuple[str, str]]:
    """Points and places of the picture, as the attributes of its lines and labels."""
    low, high = sorted((drawn.paid_level, drawn.received_level))
    under = CLOSE if high - low < CLOSE else 0
    below_paid, below_received = (under, 0) if drawn.paid_level >= drawn.received_level else (0, under)
    yield "life_paid", drawn.paid
    yield "life_received", drawn.received
    yield "life_pension_at", _percent(drawn.pension_at)
    yield "life_back_at", "" if drawn.paid_back_at is None else _percent(drawn.paid_back_at)
    yield "life_back_y", _percent(drawn.paid_level)
    yield "life_paid_x", _percent(max(drawn.pension_at, LABEL))
    yield "life_paid_y", _percent(drawn.paid_level + below_paid)
    yield "life_received_y", _percent(drawn.received_level + below_received)
    yield "life_paid_label", _say("life_paid", amount=vnd(drawn.last.paid, locale))
    yield "life_received_label", _say("life_received", amount=vnd(drawn.last.received, locale))
    yield "life_first", _say("aged", age=drawn.first.age)
    between = MIDDLE < drawn.pension_at < WHOLE - MIDDLE
    yield "life_pension_age", _say("aged", age=drawn.pension_age) if between else ""
    yield "life_last", _say("aged", age=drawn.last.age)


CLOSE, MIDDLE, LABEL = 110, 200, 460
"""How near two labels may stand, how near an edge, and how long the label of what is paid may be, of WHOLE."""


def _percent(place: int) -> str:
    return f"{place // 10}.{place % 10}%"


def _life(outlook: PensionOutlook, drawn: Picture, locale: str) -> Iterator[Row]:
    """The figures behind the picture: every few years, and the year in which the pension begins."""
    for year in outlook.paying_on.life if outlook.paying_on else ():
        told = not (year.age - drawn.first.age) % EVERY_YEARS or year.age in (drawn.pension_age, drawn.last.age)
        if told and year.age <= drawn.last.age:
            yield Row((_say("aged", age=year.age), vnd(year.paid, locale), vnd(year.received, locale)))


def _assumed(outlook: PensionOutlook) -> Iterator[Row]:
    yield from (Row((str(ASSUMPTIONS[one]),)) for one in outlook.assumptions)
    yield from (Row((str(UNKNOWNS[one]),)) for one in outlook.unknown)


def _beside(told: Told, law: LawOnDay, locale: str) -> Iterator[tuple[str, str]]:
    """A birth, a death, and leaving with a lump sum."""
    family, leaving = told.beside.survivors, told.beside.lump_sum
    years, grant = told.beside.years, ""
    if all(law.says(key) for key in MATERNITY):
        amount, least, within = (law.number(key) for key in MATERNITY)
        grant = _say("maternity", amount=vnd(amount, locale), least=least, within=within)
    funeral, lump = family.funeral, family.lump_sum
    known = funeral is not None and lump is not None
    yield "maternity", grant
    said = _say("survivors", years=years, funeral=vnd(funeral, locale), lump=vnd(lump, locale)) if known else ""
    yield "survivors", said
    name = f"leaving{'_ahead' if told.asked.paid else ''}{'' if leaving.state_support else '_unhelped'}"
    left = _say(name, years=years, amount=vnd(leaving.amount, locale)) if leaving.amount is not None else ""
    late = str(WHY_NOT[leaving.why_not]) if leaving.why_not else ""
    yield "leaving", left
    yield "leaving_late", late
    yield "survivors_sure", _sure(law, LawKey.FUNERAL_MULTIPLE)


MATERNITY = (LawKey.MATERNITY_GRANT, LawKey.MATERNITY_LEAST_MONTHS, LawKey.MATERNITY_WITHIN_MONTHS)


def _sure(law: LawOnDay, key: LawKey) -> str:
    """How sure we are of a number, where it is less than certain."""
    row = law.row(key) if law.says(key) else None
    return str(STATUSES[row.status]) if row and row.status is not LawStatus.IN_FORCE else ""


def _helped(quote: Quote, law: LawOnDay) -> str:
    if not law.says(LawKey.SUPPORT_CAP_MONTHS):
        return ""
    most = law.number(LawKey.SUPPORT_CAP_MONTHS)
    if not quote.supported_months:
        return _say("no_help_left", months=most) if law.support[quote.ground] else ""
    return _say("helped", months=most, supported=quote.supported_months, all=quote.plan.months)


def _help_ends(quote: Quote, law: LawOnDay, locale: str) -> str:
    if quote.last_helped is None:
        return ""
    cap = law.number(LawKey.SUPPORT_CAP_MONTHS)
    return _say("help_ends", month=month(quote.last_helped, locale), cap=cap)


def _supported_unknown(asked: Asked, law: LawOnDay) -> str:
    """What is taken for granted where nobody says how many months the State has helped with."""
    if asked.supported is not None or not law.says(LawKey.SUPPORT_CAP_MONTHS):
        return ""
    return _say("all_helped", months=asked.paid) if asked.paid else _say("none_helped")


def _methods(told: Told, linked: Asked, locale: str) -> Iterator[Row]:
    """How one pays: at once, the State's part of it, the last day."""
    for offer in told.methods:
        query, here = query_of(replace(linked, plan=offer.plan)), offer.plan == told.asked.plan
        yield Row((_name(offer.plan), *_offered(offer.told, locale)), query, here)


def _offered(quote: Quote | None, locale: str) -> Iterator[str]:
    if quote is None:
        yield from (_say("not_announced"), NOTHING, NOTHING)
        return
    yield from (number(one, 0, locale) for one in (quote.payable, quote.state_support))
    yield day(quote.deadline, locale) if quote.deadline else _say("at_registration")


def _incomes(told: Told, linked: Asked, locale: str) -> Iterator[Row]:
    """Incomes side by side: what one pays a month, a woman's and a man's pension after the least years."""
    for quote in told.incomes:
        after = told.least.get(quote.income)
        cells = (number(one, 0, locale) for one in (quote.income, quote.a_month))
        pensions = (number(one, 0, locale) for one in ((after.women, after.men) if after else (None, None)))
        asked = replace(linked, income=quote.income)
        yield Row((*cells, *pensions), query_of(asked), quote.income == told.asked.income)


def _pensions(told: Told, locale: str) -> Iterator[Row]:
    for after in told.pensions:
        yield Row((_say("years", years=after.years), vnd(after.women, locale), vnd(after.men, locale)))


def _how(step: Step, locale: str) -> Row:
    said = f"{step.how} · {step.source}" if step.source else str(step.how)
    return Row((str(step.label), said, vnd(step.amount, locale)))


def _why(line: Line, locale: str) -> Row:
    since = _say("since", day=day(line.since, locale))
    sure = [str(STATUSES[line.status])] if line.status is not LawStatus.IN_FORCE else []
    return Row(
        (
            titled(line.name, line.ground, line.of_year),
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
