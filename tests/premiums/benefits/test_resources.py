"""Other programs get what the rules say, with every rule, assumption and gap in words."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm import clock
from crm.accounts.rules import Role
from tests.factories import Make

Api = Callable[..., dict[str, str]]
AtTime = Callable[[Any], None]
WOMAN = "sex=female&birth=1986-12-05&income=1500000&ground=poor"


@pytest.fixture
def ask(client: FlaskClient, api: Api, make: Make, at_time: AtTime) -> Callable[..., Any]:
    at_time(clock.at(date(2026, 12, 1), 9))
    headers = api(make.user(Role.VOLUNTEER))

    def asked(words: str, **more: str) -> Any:
        return client.get(f"/api/v1/benefits?{words}", headers={**headers, **more})

    return asked


def test_one_question_brings_all_five_answers(ask: Callable[..., Any]) -> None:
    told = ask(
        f"{WOMAN}&earned=2024:12:1500000&earned=2025:12:1500000&child=2027-08&paid_so_far=6336000&supported_before=0"
    ).get_json()
    assert told["start"] == "2026-12"
    assert told["retirement"] == {"age_months": 720, "reached": "2046-12", "pension_from": "2047-01"}
    assert told["pension"]["months_still_needed"] == 156
    way = told["pension"]["paying_on"]
    assert (way["months"], way["rate_percent"], way["entitled_from"]) == (265, 60.0, "2047-01")
    assert way["pension"] == 900_000
    assert way["paid_by_oneself"] == 6_336_000 + 120 * 165_000 + 121 * 330_000
    assert way["life"][-1]["age"] == 90
    assert told["maternity"]["grant"] == 2_000_000
    assert told["survivors"]["funeral"] == 25_300_000
    assert told["lump_sum"] == {
        "allowed": None,
        "why_not": None,
        "gross": 6_000_000,
        "state_support": None,
        "amount": None,
    }
    assert told["social_pension"] == {"amount": 500_000, "age": 70}
    gaps = {gap["code"] for gap in told["unknown"]}
    assert gaps == {"price_coefficients", "first_insured", "state_support_so_far"}
    rules = {(rule["name"], rule["ground"], rule["of_year"]) for rule in told["rules"]}
    assert {("support_percent", "poor", None), ("survivors_months_a_year", None, 2014)} <= rules


def test_gaps_and_assumptions_are_told_in_the_language_asked_for(ask: Callable[..., Any]) -> None:
    words = "sex=male&birth_year=1966&income=1500000&months=125"
    vietnamese = {each["code"]: each["text"] for each in ask(words).get_json()["unknown"]}
    assert "chưa công bố" in vietnamese["investment_rate"]
    english = ask(words, **{"Accept-Language": "en"}).get_json()
    assert any("1 January" in each["text"] for each in english["assumptions"])
    assert english["pension"]["missing_months"]["paid_at_once"] is None
    assert english["pension"]["missing_months"]["pension"] > 0


def test_a_part_nobody_asked_for_is_null(ask: Callable[..., Any]) -> None:
    told = ask(WOMAN).get_json()
    assert (told["maternity"], told["lump_sum"]) == (None, None)
    assert told["unknown"] == []


def test_whoever_was_first_insured_lately_is_told_why_there_is_no_lump_sum(ask: Callable[..., Any]) -> None:
    told = ask(f"{WOMAN}&earned=2025:12:1500000&first_insured=2025-07-01&months_stopped=12&state_support=0").get_json()
    assert told["lump_sum"]["allowed"] is False
    assert told["lump_sum"]["why_not"]["code"] == "first_insured_late"


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("sex=female&income=1500000", "birth"),
        ("sex=female&income=1500000&birth=1980-01-01&birth_year=1980", "birth"),
        ("sex=female&income=1500000&birth_year=2020", "birth"),
        ("sex=female&income=1520000&birth_year=1980", "income"),
        ("sex=female&income=1500000&birth_year=1980&months=3&earned=2020:3:1500000", "months"),
        ("sex=female&income=1500000&birth_year=1980&earned=2020:13:1500000", "earned"),
        ("sex=female&income=1500000&birth_year=1980&until_age=500", "until_age"),
        ("sex=unknown&income=1500000&birth_year=1980", "sex"),
        ("sex=female&income=1500000&birth_year=1980&start=tomorrow", "start"),
        ("sex=female&income=1500000&birth_year=1980&months=-1", "months"),
        ("sex=female&income=1500000&birth_year=2008&months=300", "months"),
        ("sex=female&income=1500000&birth_year=1980&name=Lan", "name"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(ask: Callable[..., Any], words: str, field: str) -> None:
    told = ask(words)
    assert told.status_code == 422
    problem = told.get_json()
    assert any(each["field"].startswith(field) for each in problem["errors"]), problem


def test_a_day_whose_law_is_not_recorded_is_named(ask: Callable[..., Any]) -> None:
    told = ask("sex=female&birth_year=1980&income=700000&start=2015-01")
    assert told.status_code == 422
    assert "1/1/2015" in told.get_json()["detail"]


def test_it_is_not_for_strangers(client: FlaskClient) -> None:
    assert client.get(f"/api/v1/benefits?{WOMAN}").status_code == 401
