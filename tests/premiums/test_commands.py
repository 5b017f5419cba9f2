"""`crm premium` says the same as the API, in one document or line by line."""

import json
from datetime import date

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy.orm import Session

from crm.premiums.commands import premium
from crm.premiums.models import LocalTopUpRow
from crm.prospects.rules import Ground
from tests.factories import Make


def run(*words: str) -> Result:
    return CliRunner().invoke(premium, words)


def test_one_document_and_nothing_else(app: Flask) -> None:
    told = run("--income", "1500000", "--ground", "poor", "--start", "2026-07", "--months", "3", "--json")
    assert told.exit_code == 0
    assert json.loads(told.stdout)["payable"] == 495_000


def test_several_grounds_and_the_day_of_payment(app: Flask) -> None:
    words = "--income 1500000 --ground other --ground poor --start 2025-06 --paid-on 2025-07-01 --months 3 --json"
    assert json.loads(run(*words.split()).stdout)["state_support"] == 495_000


def test_lines_a_person_can_read(app: Flask) -> None:
    told = run("--income", "1500000", "--start", "2019-08", "--paid-on", "2022-01-05", "--years-ahead", "2")
    assert told.exit_code == 2
    told = run("--income", "1500000", "--start", "2026-07", "--months", "1")
    assert "264.000\u00a0đ" in told.stdout
    assert "hai trăm sáu mươi tư nghìn" in told.stdout
    assert "31/7/2026" in told.stdout
    assert "Nghị định 159/2025/NĐ-CP, Điều 5" in told.stdout


def test_how_each_figure_comes_about_is_told_when_asked(app: Flask) -> None:
    asked = "--income 1500000 --ground poor --start 2026-07 --months 6 --supported-before 118"
    assert "50% × 22%" not in run(*asked.split()).stdout
    told = run(*asked.split(), "--explain").stdout
    assert "50% × 22% × 1.500.000\u00a0đ × 2 tháng. Tháng 8/2026 là tháng cuối cùng Nhà nước hỗ trợ" in told
    assert "1.980.000\u00a0đ − 330.000\u00a0đ = 1.650.000\u00a0đ" in told
    ahead = "--income 1500000 --start 2026-07 --years-ahead 2 --explain"
    assert "0,31%" in run(*ahead.split()).stdout


def test_it_is_told_in_the_language_asked_for(app: Flask) -> None:
    asked = "--income 1500000 --ground poor --start 2026-07 --months 3 --explain --language en"
    told = run(*asked.split()).stdout
    assert "I pay" in told
    assert "50% × 22% × 1,500,000\u00a0đ × 3 months" in told


def test_what_the_place_one_lives_in_adds_counts_as_far_as_it_reaches(app: Flask, session: Session, make: Make) -> None:
    ward = make.ward("14812@2025-07-01")
    make.add(
        LocalTopUpRow(
            town_id=make.town.id,
            place_id=ward.id,
            ground=Ground.POOR,
            amount=30_000,
            effective_from=date(2026, 1, 1),
            months_cap=12,
            document="Nghị quyết 5/2026/NQ-HĐND",
        )
    )
    asked = ["--income", "1500000", "--ground", "poor", "--start", "2026-07", "--months", "3", "--json"]
    assert json.loads(run(*asked).stdout)["local_support"] == 0
    here = json.loads(run(*asked, "--place", "14812").stdout)
    assert (here["local_support"], here["payable"]) == (90_000, 405_000)
    assert json.loads(run(*asked, "--place", str(ward.id)).stdout) == here
    helped = run(*asked, "--place", "14812", "--local-months-before", "10")
    assert json.loads(helped.stdout)["local_support"] == 60_000
    unknown = run(*asked, "--place", "99999")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "99999" in unknown.stderr


@pytest.mark.parametrize(
    "words",
    [
        "--income 1500000 --start 2026-07 --months 1 --local-months-before -1",
        "--income 1450000 --start 2026-07 --months 1",
        "--income 1500000 --start 2026-07",
        "--income 1500000 --start 2026-07 --months 1 --years-ahead 2",
        "--income 1500000 --start 2026-07 --months 2",
        "--income 1500000 --start tomorrow --months 1",
        "--income 1500000 --start 2026-07 --years-ahead 6",
        "--income 1500000 --start 2027-01 --years-ahead 2",
        "--income 1500000 --start 2026-07 --months 1 --supported-before -1",
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(app: Flask, words: str) -> None:
    told = run(*words.split())
    assert told.exit_code == 2
    assert told.stdout == ""
    assert len(told.stderr.strip().splitlines()) == 1


def test_a_rule_says_of_which_ground_or_year_it_is(app: Flask) -> None:
    asked = "--income 1500000 --ground poor --ground near_poor --start 2026-07 --months 3"
    told = run(*asked.split()).stdout
    assert "(Hộ nghèo): 50%" in told
    assert "(Hộ cận nghèo): 40%" in told
