"""What the law of a day says of somebody: every group, before and after the day on which it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.participation.screening.rules import (
    SENTENCES,
    Allowance,
    Answers,
    Business,
    Elsewhere,
    Kind,
    Verdict,
    Work,
    who_may_join,
    work_on,
)
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law, LawValue
from crm.premiums.services import law_as_shipped

LAW = law_as_shipped()
PLAIN = Answers(date(1980, 5, 5), 1980, True, Work.NONE, Business.NONE, Allowance.NONE, Elsewhere.NO)
PLAN, EVE, NEW, LAST, LUMP = (
    date(2019, 10, 15),
    date(2025, 6, 30),
    date(2025, 7, 1),
    date(2029, 6, 30),
    date(2029, 7, 1),
)


def told(day: date, **answers: object) -> Verdict:
    return who_may_join(LAW, day, replace(PLAIN, **answers))  # type: ignore[arg-type]


@pytest.mark.parametrize("day", [PLAN, EVE, NEW, LUMP])
def test_a_farmer_of_age_may_join_under_every_law(day: date) -> None:
    verdict = told(day)
    assert verdict.kind is Kind.VOLUNTARY
    assert verdict.why[0].row is not None
    assert verdict.why[0].row.article == "Điều 2 khoản 4"  # who joins voluntarily; point 1 is of the compulsory
    assert verdict.law == verdict.why[0].row.document


@pytest.mark.parametrize(
    ("answers", "day", "kind"),
    [
        ({"work": Work.CONTRACT}, date(2017, 12, 31), Kind.COMPULSORY),
        ({"work": Work.CONTRACT}, PLAN, Kind.COMPULSORY),
        ({"work": Work.WARD_CADRE}, PLAN, Kind.COMPULSORY),
        ({"work": Work.HAMLET_CADRE}, PLAN, Kind.VOLUNTARY),
        ({"work": Work.HAMLET_CADRE}, EVE, Kind.VOLUNTARY),
        ({"work": Work.HAMLET_CADRE}, NEW, Kind.COMPULSORY),
        ({"work": Work.MANAGER}, EVE, Kind.VOLUNTARY),
        ({"work": Work.MANAGER}, NEW, Kind.COMPULSORY),
        ({"work": Work.SUSPENDED}, PLAN, Kind.ASK),
        ({"work": Work.SUSPENDED}, NEW, Kind.VOLUNTARY),
        ({"business": Business.UNREGISTERED}, NEW, Kind.VOLUNTARY),
        ({"business": Business.DECLARATION}, EVE, Kind.VOLUNTARY),
        ({"business": Business.DECLARATION}, NEW, Kind.COMPULSORY),
        ({"business": Business.LUMP_SUM}, NEW, Kind.VOLUNTARY),
        ({"business": Business.LUMP_SUM}, LAST, Kind.VOLUNTARY),
        ({"business": Business.LUMP_SUM}, LUMP, Kind.COMPULSORY),
        ({"business": Business.UNKNOWN}, PLAN, Kind.VOLUNTARY),
        ({"business": Business.UNKNOWN}, NEW, Kind.ASK),
        ({"allowance": Allowance.PENSION}, PLAN, Kind.VOLUNTARY),
        ({"allowance": Allowance.PENSION}, NEW, Kind.EXCLUDED),
        ({"allowance": Allowance.OTHER}, NEW, Kind.ASK),
        ({"elsewhere": Elsewhere.VOLUNTARY}, PLAN, Kind.ASK),
        ({"elsewhere": Elsewhere.COMPULSORY}, PLAN, Kind.COMPULSORY),
        ({"citizen": False}, NEW, Kind.EXCLUDED),
        ({"citizen": None}, NEW, Kind.ASK),
        ({"work": None}, NEW, Kind.ASK),
    ],
)
def test_each_answer_is_judged_by_the_law_of_the_day(answers: dict[str, object], day: date, kind: Kind) -> None:
    assert told(day, **answers).kind is kind


def test_one_may_join_from_the_fifteenth_birthday_on() -> None:
    born = {"birth_date": date(2004, 10, 16), "birth_year": 2004}
    assert told(PLAN, **born).kind is Kind.NOT_YET
    assert told(PLAN + timedelta(days=1), **born).kind is Kind.VOLUNTARY
    assert told(PLAN, birth_date=None, birth_year=None).kind is Kind.ASK


def test_a_verdict_names_the_document_and_the_day_and_what_lies_ahead() -> None:
    now = told(NEW, business=Business.DECLARATION)
    (why,) = now.deciding
    assert why.row
    assert "41/2024" in why.row.document
    assert now.since == NEW
    assert "41/2024" in now.law
    assert "58/2014" in told(PLAN).law
    ahead = [one for one in told(NEW, business=Business.LUMP_SUM).why if one.row and one.row.since > NEW]
    assert [one.row.since for one in ahead if one.row] == [LUMP]


def test_how_long_a_contract_binds_is_said_as_the_law_of_the_day_has_it() -> None:
    assert "1 month or more" in str(work_on(LAW.on(PLAN))[Work.CONTRACT])
    assert "3 months or more" in str(work_on(LAW.on(date(2017, 12, 31)))[Work.CONTRACT])
    longer = LawValue(LawKey.CONTRACT_COMPULSORY_MONTHS, None, Decimal(2), NEW, "Nghị định 1")
    changed = Law((*LAW.values, longer))
    assert "2 months or more" in str(work_on(changed.on(NEW))[Work.CONTRACT])
    (why,) = who_may_join(changed, NEW, replace(PLAIN, work=Work.CONTRACT)).deciding
    assert "2 months or more" in str(why.words)


def test_what_the_insurance_office_answers_goes_before() -> None:
    assert told(NEW, business=Business.DECLARATION, cleared=True).kind is Kind.VOLUNTARY
    assert told(NEW, allowance=Allowance.PENSION, cleared=True).kind is Kind.EXCLUDED


@pytest.mark.parametrize("known", [{"citizen": False}, {"work": Work.CONTRACT}])
def test_of_whom_the_law_keeps_out_nothing_more_is_asked(known: dict[str, Any]) -> None:
    verdict = who_may_join(LAW, PLAN, Answers(**known))
    assert verdict.barred
    assert not [one.code for one in verdict.why if one.kind is Kind.ASK]


EVERY = [
    replace(PLAIN, work=work, business=business, allowance=allowance, elsewhere=elsewhere)
    for work, business, allowance, elsewhere in product(
        (*Work, None), (*Business, None), (*Allowance, None), (*Elsewhere, None)
    )
]


@given(st.sampled_from(EVERY), st.dates(date(2016, 1, 1), date(2035, 1, 1)))
def test_every_answer_on_every_day_has_a_verdict_with_words(answers: Answers, day: date) -> None:
    verdict = who_may_join(LAW, day, answers)
    assert verdict.deciding
    assert all(one.code in SENTENCES for one in verdict.why)
    assert all(str(one.words) for one in verdict.why)
    alone = [who_may_join(LAW, day, replace(answers, **{name: clear})).kind for name, clear in CLEAR.items()]
    assert verdict.kind is not Kind.VOLUNTARY or set(alone) == {Kind.VOLUNTARY}


CLEAR: dict[str, object] = {
    "work": Work.NONE,
    "business": Business.NONE,
    "allowance": Allowance.NONE,
    "elsewhere": Elsewhere.NO,
}
"""Answers that stand in nobody's way: taking an obstacle away never makes another."""
