"""The calculator answers anyone, the law is there to be read, and other programs get the same answer."""

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
JULY_2026 = clock.at(date(2026, 7, 15), 9)


def test_the_calculator_answers_before_it_is_asked(client: FlaskClient) -> None:
    page = client.get("/calculator")
    assert page.status_code == 200
    assert "138.600\u00a0đ" in page.text
    assert "15.400\u00a0đ" in page.text
    assert "31/10/2019" in page.text


def test_an_answer_is_an_address(client: FlaskClient, at_time: AtTime) -> None:
    at_time(JULY_2026)
    page = client.get("/calculator?income=1.500.000&ground=poor&months=3")
    assert "165.000\u00a0đ" in page.text
    assert "495.000\u00a0đ" in page.text
    assert "30/9/2026" in page.text
    assert "675.000\u00a0đ" in page.text


def test_several_years_ahead_cost_less(client: FlaskClient, at_time: AtTime) -> None:
    at_time(JULY_2026)
    page = client.get("/calculator?income=1500000&ground=other&months=24")
    assert "6.060.801\u00a0đ" in page.text


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("income=1520000", "1.550.000"),
        ("income=1000000", "1.500.000"),
        ("income=nhiều", "1.500.000"),
        ("income=", "1.500.000"),
        ("income=99999999999999999999", "1.500.000"),
        ("ground=rich", "error"),
        ("months=7", "error"),
        ("months=x", "error"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(client: FlaskClient, at_time: AtTime, asked: str, told: str) -> None:
    at_time(JULY_2026)
    page = client.get(f"/calculator?{asked}")
    assert page.status_code == 422
    assert "error-summary" in page.text
    assert told in page.text


def test_a_rate_not_announced_is_said_in_words(client: FlaskClient) -> None:
    page = client.get("/calculator?months=24")
    assert page.status_code == 422
    assert "15/10/2019" in page.text


def test_everybody_may_read_the_law(client: FlaskClient, signed_in: Callable[..., FlaskClient], make: Make) -> None:
    page = client.get("/law")
    assert page.status_code == 200
    assert "Nghị định 159/2025/NĐ-CP, Điều 5" in page.text
    assert "/law/decrees" not in page.text
    english = signed_in(make.user(Role.ADMIN, language="en")).get("/law").text
    assert "1,500,000\N{NO-BREAK SPACE}đ" in english
    assert "1.500.000" not in english
    assert "/law/decrees" in english


def test_what_holds_what_comes_and_what_was_only_announced_stand_apart(client: FlaskClient, at_time: AtTime) -> None:
    at_time(JULY_2026)
    page = client.get("/law").text
    least = page.partition('id="poverty_line"')[2].partition("</section>")[0]
    now, announced, past = (least.index(sum) for sum in ("1.500.000\u00a0đ", "2.200.000\u00a0đ", "700.000\u00a0đ"))
    assert now < announced < past
    assert "Mới công bố, chưa dùng để tính" in least
    owners = page.partition('id="owners_lump_sum_compulsory"')[2].partition("</section>")[0]
    assert "từ 1/7/2029" in owners


@pytest.fixture
def ask(client: FlaskClient, api: Api, make: Make) -> Callable[..., Any]:
    """`ask(income=…, start=…)`: the status and the body of GET /premium."""
    headers = api(make.user(Role.VOLUNTEER))

    def get(**asked: Any) -> tuple[int, dict[str, Any]]:
        answer = client.get("/api/v1/premium", query_string=asked, headers=headers)
        return answer.status_code, answer.get_json()

    return get


def test_other_programs_get_the_layers_and_the_rules(ask: Callable[..., Any]) -> None:
    status, told = ask(income=1_500_000, ground="poor", start="2026-07", months=3)
    assert status == 200
    assert (told["gross"], told["state_support"], told["payable"]) == (990_000, 495_000, 495_000)
    assert (told["local_support"], told["other_support"]) == (0, 0)
    assert (told["supported_months"], told["deadline"]) == (3, "2026-09-30")
    support = next(rule for rule in told["rules"] if rule["name"] == "support_percent")
    assert (support["value"], support["since"]) == (50, "2025-07-01")
    assert "159/2025" in support["source"]


def test_several_grounds_may_be_given(ask: Callable[..., Any]) -> None:
    _status, told = ask(income=1_500_000, ground=["ethnic_minority", "near_poor"], start="2026-07", months=1)
    assert (told["ground"], told["state_support"]) == ("near_poor", 132_000)


def test_payments_made_once_have_no_deadline(ask: Callable[..., Any]) -> None:
    _status, told = ask(income=1_500_000, start="2026-07", years_ahead=2)
    assert (told["gross"], told["deadline"], told["next_start"]) == (7_644_801, None, "2028-07")
    rate = next(rule for rule in told["rules"] if rule["name"] == "investment_percent")
    assert rate["value"] == 0.31
    _status, told = ask(income=1_500_000, start="2026-07", missing_months=60)
    assert (told["payable"], told["next_start"]) == (17_831_542, None)


def test_the_day_of_payment_decides_the_law(ask: Callable[..., Any]) -> None:
    _status, told = ask(income=1_500_000, ground="poor", start="2025-06", months=3, paid_on="2025-07-01")
    assert told["state_support"] == 3 * 165_000


def test_a_quote_remarks_on_what_it_took_as_it_was_asked(ask: Callable[..., Any]) -> None:
    def codes(**asked: Any) -> list[str]:
        _status, told = ask(income=1_500_000, **asked)
        return [remark["code"] for remark in told["remarks"]]

    assert codes(start="2026-07", months=3) == []
    assert codes(start="2026-07", missing_months=60) == ["only_at_the_age"]
    assert codes(start="2027-07", months=3, paid_on="2026-06-01") == ["before_its_month"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"income": 1_450_000},
        {"income": "much"},
        {"income": None},
        {"start": "2026-13"},
        {"start": "9999-12"},
        {"start": None},
        {"ground": "rich"},
        {"months": 5},
        {"months": None},
        {"years_ahead": 2},
        {"years_ahead": 1, "months": None},
        {"supported_before": -1},
        {"paid_on": "tomorrow"},
        {"colour": "red"},
    ],
)
def test_what_cannot_be_is_a_problem_that_names_its_field(ask: Callable[..., Any], wrong: dict[str, Any]) -> None:
    asked = {"income": 1_500_000, "start": "2026-07", "months": 1} | wrong
    status, problem = ask(**{name: value for name, value in asked.items() if value is not None})
    assert status == 422
    assert problem["status"] == 422
    named = {error["field"] for error in problem["errors"]}
    assert any(next(iter(wrong)) in field or field == "months" for field in named), problem


def test_a_program_without_a_token_learns_nothing(client: FlaskClient) -> None:
    assert client.get("/api/v1/premium?income=1500000&start=2026-07&months=1").status_code == 401


def test_amounts_in_boxes_are_written_as_the_reader_writes_them(client: FlaskClient) -> None:
    assert 'value="700.000"' in client.get("/calculator?income=700000").text
    client.post("/language/en")
    english = client.get("/calculator?income=700000").text
    assert 'value="700,000"' in english
    assert "138,600" in client.get("/calculator?income=700,000").text
