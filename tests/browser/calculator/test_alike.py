"""The phone works out what the server works out: thousands of cases in Python and in a real Chromium, compared whole."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route

from crm.errors import RuleBroken
from crm.months import Month
from crm.premiums.calculator.forms import CalculatorForm
from crm.premiums.calculator.phone import in_order, law_for_phones
from crm.premiums.calculator.rules import tell
from crm.premiums.calculator.showing import sheet
from crm.premiums.queries import Ward
from crm.premiums.rules.keys import PERIODS, Method
from crm.premiums.rules.law import Law, LocalTopUp
from crm.premiums.rules.pensions import pension
from crm.premiums.rules.quotes import Plan, quote
from crm.premiums.rules.wording import label_of, value_of
from crm.premiums.services import law_as_shipped
from crm.prospects.rules import Ground, Sex
from crm.web import language

pytestmark = pytest.mark.browser

SCRIPT = Path(language.__file__).parents[1] / "static" / "js" / "calculator.js"
NOWHERE = "http://calculator.test"
SEED = 20260715
LAW = law_as_shipped()
CHANGES = sorted({value.since for value in LAW.values if value.since >= date(2015, 12, 1)})
TOP_UPS = (
    (),
    (
        LocalTopUp(Ground.POOR, Decimal(50), None, date(2025, 1, 1), None, 12, "NQ 1"),
        LocalTopUp(Ground.OTHER, None, 30_000, date(2020, 1, 1), date(2026, 12, 31), None, "NQ 2"),
        LocalTopUp(Ground.POOR, None, 155_555, date(2026, 1, 1), None, None, "NQ 3"),
        LocalTopUp(Ground.NEAR_POOR, Decimal("33.3"), None, date(2019, 1, 1), None, 7, "NQ 4"),
    ),
)
HOME, AWAY = UUID(int=1), UUID(int=2)
WARDS = {"14812": Ward("Ba Đình", frozenset({HOME})), "14815": Ward("Lam Sơn", frozenset({AWAY}))}
BY_PLACE = (
    *TOP_UPS[1],
    LocalTopUp(Ground.POOR, Decimal(30), None, date(2019, 1, 1), None, 24, "NQ 5", place=HOME),
    LocalTopUp(Ground.OTHER, None, 44_000, date(2018, 1, 1), None, None, "NQ 6", place=AWAY),
)
QUOTES = """cases => cases.map(({ told, income, grounds, start, paidOn, method, months, before, localBefore, other }) => {
  const law = window.laws[told];
  try {
    const given = calculator.quote(law, { income: BigInt(income), grounds, start, paidOn, plan: { method, months },
      supportedBefore: before, localMonthsBefore: localBefore, otherSupport: BigInt(other), topUps: law.told.top_ups });
    const words = law.told.words;
    return [...[given.gross, given.state, given.local, given.other, given.payable, given.aMonth, given.supported].map(Number),
      given.ground, given.deadline,
      ...given.lines.map(({ key, written, since, source, status }) => [words.labels[key], written, since, source, status])];
  } catch (refusal) {
    if (!(refusal instanceof calculator.Refusal)) throw refusal;
    return calculator.refused(refusal, law.told.words);
  }
})"""
SHEETS = """cases => cases.map(({ told, day, given }) => {
  const law = window.laws[told];
  try {
    return calculator.sheet(law, calculator.tell(law, calculator.readAsked(law, given), day));
  } catch (refusal) {
    if (!(refusal instanceof calculator.Refusal)) throw refusal;
    return calculator.refused(refusal, law.told.words);
  }
})"""
PENSIONS = """cases => cases.map(({ told, day, sex, months, income }) => {
  const drawn = calculator.pension(window.laws[told].on(day), sex, months, BigInt(income));
  return drawn === null ? null : Number(drawn);
})"""


@pytest.fixture(scope="module")
def speaking() -> Callable[[str], AbstractContextManager[Any]]:
    """A program that can do nothing but speak: `with speaking("en"): …`."""
    app = Flask("crm")
    app.config["SECRET_KEY"] = "speaks"
    language.install(app)
    return lambda code: app.test_request_context(f"/api/?{code}", headers={"Accept-Language": code})


@pytest.fixture(scope="module")
def phone(browser: Browser, speaking: Callable[[str], AbstractContextManager[Any]]) -> Iterator[Page]:
    """A page that has nothing but the calculator's script, and the law as it gets it: with and without top-ups."""
    page = browser.new_page()

    def serve(route: Route) -> None:
        if route.request.url.endswith(".js"):
            route.fulfill(content_type="text/javascript", body=SCRIPT.read_text("utf-8"))
        else:
            route.fulfill(content_type="text/html", body="<!doctype html><title>.</title>")

    page.route(f"{NOWHERE}/**", serve)
    page.goto(f"{NOWHERE}/")
    told: dict[str, Any] = {}
    for code in ("vi", "en"):
        with speaking(code):
            for which, top_ups in enumerate(TOP_UPS):
                told[f"{code}{which}"] = law_for_phones(LAW, top_ups, date(2026, 7, 15), code)
            told[f"{code}{len(TOP_UPS)}"] = law_for_phones(LAW, BY_PLACE, date(2026, 7, 15), code, WARDS)
    page.evaluate(
        """async told => { window.calculator = await import('/calculator.js');
        window.laws = Object.fromEntries(Object.entries(told).map(([name, law]) => [name, new calculator.Law(law)])) }""",
        told,
    )
    yield page
    page.close()


def some_day(chance: random.Random) -> date:
    """Mostly the days around a change of the law."""
    if chance.random() < 0.6:
        return chance.choice(CHANGES) + timedelta(days=chance.choice((-1, 0, 1)))
    return date(2015, 12, 1) + timedelta(days=chance.randrange(4400))


def some_income(chance: random.Random, day: date) -> int:
    """Mostly one that the law of the day allows; else one just beside, far off, or none."""
    law = LAW.on(day)
    try:
        floor, step, ceiling = law.floor, law.step, law.ceiling
    except RuleBroken:
        return chance.randrange(0, 60_000_000)
    allowed = floor + step * chance.randrange((ceiling - floor) // step + 1)
    beside = (
        floor - 1,
        floor,
        floor - step,
        ceiling,
        ceiling + 1,
        ceiling + step,
        ceiling - 1,
        allowed + 1,
        allowed + step // 2,
    )
    return chance.choice((allowed, allowed, allowed, chance.choice(beside), chance.choice((0, 1, 999_999_999_999))))


def some_plan(chance: random.Random) -> Plan:
    kind = chance.randrange(10)
    if kind < 6:
        method = chance.choice(list(PERIODS))
        return Plan(method, PERIODS[method])
    if kind < 8:
        return Plan.years_ahead(chance.randrange(0, 7))
    return Plan.missing(chance.choice((0, 1, 59, 60, 61, 119, 120, 121, chance.randrange(1, 120))))


def test_every_quote_is_the_same_to_the_dong(
    phone: Page, speaking: Callable[[str], AbstractContextManager[Any]]
) -> None:
    chance, cases, expected = random.Random(SEED), [], []
    for _ in range(6000):
        code, which = chance.choice(("vi", "en")), chance.randrange(len(TOP_UPS))
        day, plan = some_day(chance), some_plan(chance)
        paid_on = day if chance.random() < 0.8 else None
        start = Month.of(day) + chance.randrange(-13, 14) if paid_on else Month.of(day)
        income = some_income(chance, paid_on or start.first_day)
        grounds = chance.sample(list(Ground), chance.randrange(0, 4))
        before, local = chance.choice((0, 0, 5, 11, 60, 119, 120, 121, -1)), chance.choice((0, 0, 3, 12, 20))
        other = chance.choice((0, 0, 10_000, 165_000, 99_999_999, -5))
        case = {
            "told": f"{code}{which}",
            "income": str(income),
            "grounds": grounds,
            "start": start.year * 12 + start.number - 1,
            "paidOn": paid_on and paid_on.isoformat(),
            "method": plan.method,
            "months": plan.months,
            "before": before,
            "localBefore": local,
            "other": str(other),
        }
        cases.append(case)
        with speaking(code):
            expected.append(
                in_python(code, income, grounds, start, paid_on, plan, before, TOP_UPS[which], local, other)
            )
    answers = phone.evaluate(QUOTES, cases)
    wrong = [
        (case, mine, theirs) for case, mine, theirs in zip(cases, expected, answers, strict=True) if mine != theirs
    ]
    assert wrong[:3] == []
    refusals = {answer for answer in answers if isinstance(answer, str)}
    assert len([answer for answer in answers if not isinstance(answer, str)]) > 2000
    assert len(refusals) > 50


def in_python(
    code: str,
    income: int,
    grounds: list[Ground],
    start: Month,
    paid_on: date | None,
    plan: Plan,
    before: int,
    top_ups: tuple[LocalTopUp, ...],
    local: int,
    other: int,
) -> Any:
    try:
        told = quote(
            LAW,
            income,
            grounds,
            start,
            paid_on,
            plan,
            supported_before=before,
            local_top_ups=in_order(top_ups),
            local_months_before=local,
            other_support=other,
        )
    except RuleBroken as refusal:
        return str(refusal.message)
    sums = [told.gross, told.state_support, told.local_support, told.other_support, told.payable, told.a_month]
    lines = [
        [
            str(label_of(one.name)),
            str(value_of(one.name, one.value, code)),
            one.since.isoformat(),
            one.source,
            one.status,
        ]
        for one in told.lines
    ]
    deadline = told.deadline and told.deadline.isoformat()
    return [*sums, told.supported_months, told.ground, deadline, *lines]


def test_the_whole_page_says_the_same(phone: Page, speaking: Callable[[str], AbstractContextManager[Any]]) -> None:
    chance, cases, expected = random.Random(SEED + 1), [], []
    for _ in range(2000):
        code, which, day = chance.choice(("vi", "en")), chance.randrange(len(TOP_UPS) + 1), some_day(chance)
        if day < date(2016, 5, 1):
            day += timedelta(days=900)
        given = some_answers(chance, day)
        offered = given["place"] in WARDS and which == len(TOP_UPS)
        asked = given if offered else given | {"place": ""}  # a page offers no ward that it does not know
        cases.append({"told": f"{code}{which}", "day": day.isoformat(), "given": asked})
        with speaking(code):
            expected.append(shown(LAW, day, given, code, (*TOP_UPS, BY_PLACE)[which]))
    answers = phone.evaluate(SHEETS, cases)
    for case, mine, theirs in zip(cases, expected, answers, strict=True):
        if isinstance(mine, list):
            assert theirs in mine, case
        else:
            assert differences(mine, theirs) == [], case
    assert sum(isinstance(answer, dict) for answer in answers) > 400


def differences(mine: Any, theirs: Any) -> list[Any]:
    """The texts and tables that are not the same: name, here, on the phone."""
    if not isinstance(theirs, dict):
        return [(mine, theirs)]
    kinds = ("texts", "rows")
    names = {(kind, name) for kind in kinds for name in (*mine[kind], *theirs[kind])}
    return [
        (name, mine[kind].get(name), theirs[kind].get(name))
        for kind, name in sorted(names)
        if mine[kind].get(name) != theirs[kind].get(name)
    ]


def some_answers(chance: random.Random, day: date) -> dict[str, str | list[str]]:
    """What somebody types: amounts in every way of writing, and nonsense."""
    income = some_income(chance, day)
    dotted = f"{income:,}".replace(",", ".")
    ways = (str(income), dotted, f" {dotted} đ", f"{income:,}")
    typed = chance.choice(ways if chance.random() < 0.9 else ("", "nhiều", "-5", "1e6"))
    born = chance.random() < 0.6
    return {
        "income": typed,
        "ground": [str(ground) for ground in chance.sample(list(Ground), chance.randrange(0, 4))],
        "months": str(chance.choice((1, 3, 6, 12, 24, 36, 48, 60))),
        "sex": chance.choice(("", *Sex)),
        "born_month": str(chance.randrange(1, 13)) if born else "",
        "born_year": str(chance.randrange(1940, 2003 if chance.random() < 0.9 else 2012))
        if born or chance.random() < 0.05
        else "",
        "paid": chance.choice(
            ("", "0", "36", "36", "119", "119", "119", "240", "9999") if chance.random() < 0.95 else ("x", "1.5")
        ),
        "supported": chance.choice(("", "", "", "0", "0", "12", "12", "118", "121", " 7 ")),
        "own": chance.choice(("", "", "36:5000000", "119:20000000", "x")),
        "place": chance.choice(("", "14812", "14815", "99999")),
        "local": chance.choice(("", "", "11", "24")),
    }


def shown(law: Law, day: date, given: dict[str, str | list[str]], code: str, top_ups: tuple[LocalTopUp, ...]) -> Any:
    """The sheet as JSON knows it, or every sentence with which the form refuses."""
    wards = WARDS if top_ups is BY_PLACE else {}
    form = CalculatorForm.under(law.on(day), given, [(code, ward.name) for code, ward in wards.items()])
    if not form.validate():
        return [str(message) for messages in form.errors.values() for message in messages]
    try:
        within = wards[form.asked.place].around if form.asked.place else ()
        made = asdict(sheet(tell(law, form.asked, day, top_ups, within), law.on(day), code))
    except RuleBroken as refusal:
        return [str(refusal.message)]
    for name, rows in made["rows"].items():
        made["rows"][name] = [{**row, "cells": list(row["cells"])} for row in rows]
    return made


def test_every_pension_is_the_same_to_the_dong(phone: Page) -> None:
    chance = random.Random(SEED + 2)
    cases = [
        {
            "told": "vi0",
            "day": chance.choice([day for day in CHANGES if day >= date(2025, 7, 1)]).isoformat(),
            "sex": chance.choice(list(Sex)),
            "months": chance.randrange(100, 480),
            "income": str(chance.randrange(700_000, 50_600_001)),
        }
        for _ in range(3000)
    ]
    mine = [
        pension(LAW.on(date.fromisoformat(one["day"])), Sex(one["sex"]), one["months"], int(one["income"]))
        for one in cases
    ]
    assert phone.evaluate(PENSIONS, cases) == mine


def test_the_script_holds_no_number_of_the_law() -> None:
    script = SCRIPT.read_text("utf-8")
    for value in {value.value for value in LAW.values if value.value >= 1000}:
        assert str(value) not in script
    assert not any(number in script for number in ("1e5", "5e4", "15e5", "7e5"))
    assert Method.YEARS_AHEAD in script
