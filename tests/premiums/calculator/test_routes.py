"""What a phone is given to keep, and what it is not."""

import gzip
import json
import re
from collections.abc import Callable
from datetime import date
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm import clock
from crm.accounts.rules import Role
from tests.factories import Make

AtTime = Callable[[Any], None]
JULY_2026 = clock.at(date(2026, 7, 15), 9)


def test_what_the_phone_keeps_knows_nobody(signed_in: Callable[..., FlaskClient], make: Make) -> None:
    kept = signed_in(make.user(Role.VOLUNTEER, language="en")).get("/calculator/offline?language=vi")
    assert kept.status_code == 200
    assert '<html lang="vi">' in kept.text
    assert "data-kept" in kept.text
    assert "Mình đóng" in kept.text


def test_asking_for_one_answer_in_a_language_changes_nobodys_choice(client: FlaskClient) -> None:
    client.get("/language/en")
    assert client.get("/calculator/law.json?language=vi").get_json()["words"]["locale"] == "vi"
    assert '<html lang="en">' in client.get("/calculator").text


def test_the_worker_may_see_the_calculator_and_lists_all_it_needs(client: FlaskClient) -> None:
    worker = client.get("/calculator/worker.js?language=vi")
    assert worker.mimetype == "text/javascript"
    assert worker.headers["Service-Worker-Allowed"] == "/calculator"
    told = json.loads(worker.text.split("const TOLD = ", 1)[1].split(";\n", 1)[0])
    for address in (*told["files"], told["page"], told["law"], told["qr"]):
        assert client.get(address).status_code == 200, address
    page = client.get(told["page"]).text
    for address in told["files"]:
        if "?v=" in address:
            assert address in page, address


def test_another_law_is_another_version_for_the_phone(client: FlaskClient, at_time: AtTime) -> None:
    before = client.get("/calculator/worker.js").text
    assert client.get("/calculator/worker.js").text == before
    at_time(JULY_2026)
    assert client.get("/calculator/worker.js").text != before


def test_the_calculator_may_be_installed(client: FlaskClient) -> None:
    told = json.loads(client.get("/calculator/app.webmanifest").text)
    assert (told["lang"], told["scope"], told["start_url"]) == ("vi", "/calculator", "/calculator")
    assert all(client.get(icon["src"]).status_code == 200 for icon in told["icons"])


@pytest.mark.parametrize("query", ["", "income=1500000&ground=poor&months=3", "income=x", "x=" + "9" * 5000])
def test_the_square_is_drawn_only_for_good_answers(query: str, client: FlaskClient, at_time: AtTime) -> None:
    at_time(JULY_2026)
    drawn = client.get(f"/calculator/qr.svg?{query}")
    assert (drawn.status_code, drawn.mimetype) == (200, "image/svg+xml")
    plain = client.get("/calculator/qr.svg").data
    assert (drawn.data == plain) == ("income=1500000" not in query and "x=9" not in query)


@pytest.mark.parametrize(
    ("words", "field", "said"),
    [
        ("income=1500000&paid=9999", "paid", "nhiều nhất chỉ có thể đã đóng"),
        ("income=1500000&paid=300&sex=male&born_month=5&born_year=2008", "paid", "98 tháng"),
        ("income=1500000&paid=10&supported=200", "supported", "không thể nhiều hơn số tháng đã đóng"),
    ],
)
def test_months_that_nobody_can_have_paid_are_asked_again(
    words: str, field: str, said: str, client: FlaskClient, at_time: AtTime
) -> None:
    at_time(JULY_2026)
    page = client.get(f"/calculator?{words}")
    assert page.status_code == 422
    assert f'href="#{field}"' in page.text
    assert said in page.text


def test_the_sum_for_leaving_says_which_months_it_counts(client: FlaskClient, at_time: AtTime) -> None:
    at_time(JULY_2026)
    new = client.get("/calculator?income=1500000&ground=poor").text
    assert "Nếu rút một lần sau 10 năm thì chỉ được" in new
    used_up = client.get("/calculator?income=1500000&ground=poor&paid=130&supported=120").text
    assert "Riêng 10 năm đóng từ nay, nếu rút một lần thì chỉ được 30.000.000 đ và không còn lương hưu" in used_up
    assert "chờ hưởng lương hưu, không rút một lần" in used_up


def test_what_is_passed_on_tells_the_same_figure(client: FlaskClient, at_time: AtTime) -> None:
    at_time(JULY_2026)
    page = client.get("/calculator?income=1500000&ground=poor&months=6&paid=119&supported=118&sex=male").text
    assert "1.650.000\u00a0đ" in page
    link, *squares = (
        unescape(found) for found in re.findall(r'(?:id="calc-link"[^>]*value|img src)="([^"]*\?[^"]*)"', page)
    )
    assert all("paid=119&supported=118" in one for one in (link, *squares))
    assert ["sex=male" in one for one in (link, *squares)] == [False, False, True]  # the last is the printed card's
    again = client.get(link[link.index("/calculator?") :]).text
    assert "1.650.000\u00a0đ" in again
    beside = [unescape(one) for one in re.findall(r'data-cell href="(\?[^"]+)"', page)]
    assert len([one for one in beside if "paid=119&supported=118" in one]) == len([one for one in beside if one != "?"])


def test_ones_own_pension_is_told_with_what_it_rests_on(client: FlaskClient, at_time: AtTime) -> None:
    at_time(JULY_2026)
    query = "income=1500000&ground=poor&months=3&sex=female&born_month=5&born_year=1975&paid=36&supported=12"
    page = client.get(f"/calculator?{query}").text
    for told in ("5/2035", "675.000\u00a0đ", "Bộ luật Lao động 45/2019/QH14"):
        assert told in page
    young = client.get("/calculator?income=1500000&sex=female&born_month=5&born_year=2015")
    assert young.status_code == 422
    assert 'href="#born_year"' in young.text
    half = client.get("/calculator?income=1500000&sex=female&born_year=1975")
    assert half.status_code == 422
    assert 'href="#born_year"' in half.text


def test_of_several_grounds_the_highest_counts_and_each_is_told(client: FlaskClient, at_time: AtTime) -> None:
    at_time(JULY_2026)
    page = client.get("/calculator?income=1500000&ground=ethnic_minority&ground=near_poor&months=1").text
    assert "198.000\u00a0đ" in page
    assert "Hộ cận nghèo: tính mức Nhà nước hỗ trợ 40%" in page
    assert "Người dân tộc thiểu số: không tính thêm mức 30%" in page
    assert "ground=near_poor&amp;ground=ethnic_minority" in page
    one = client.get("/calculator?income=1500000&ground=other&ground=near_poor").text
    assert "198.000\u00a0đ" in one
    assert "không tính thêm" not in one
    assert client.get("/calculator?income=1500000&ground=rich").status_code == 422
    assert "264.000\u00a0đ" in client.get("/calculator?income=1500000").text


def test_it_says_when_the_states_help_ends_within_the_payment(client: FlaskClient, at_time: AtTime) -> None:
    at_time(JULY_2026)
    ends = client.get("/calculator?income=1500000&ground=poor&months=6&paid=118&supported=118").text
    assert '<p data-when="help_ends" class="hint">' in ends
    assert "Tháng 8/2026 là tháng cuối cùng Nhà nước hỗ trợ, vừa hết 120 tháng" in ends
    assert '<p data-when="help_ends" class="hint" hidden>' in client.get("/calculator?income=1500000").text


def test_each_figure_is_told_as_the_sum_it_is_with_its_source(client: FlaskClient, at_time: AtTime) -> None:
    at_time(JULY_2026)
    page = client.get("/calculator?income=2000000&ground=poor&months=24").text
    told = page.split("Cách tính", 1)[1].split("</details>", 1)[0]
    for line in (
        "22% × 2.000.000\u00a0đ × 24 tháng = 10.560.000\u00a0đ − ",
        "giảm 0,31% cho mỗi tháng đóng sớm",
        "Luật Bảo hiểm xã hội 41/2024/QH15, Điều 36 khoản 1",
        "50% × 22% × 1.500.000\u00a0đ × 24 tháng · Nghị định 159/2025/NĐ-CP, Điều 5",
    ):
        assert line in told, line


def test_all_of_the_first_page_is_light(client: FlaskClient) -> None:
    """What a phone fetches to show the page and to answer: the page, its files, its letters, the law. Compressed bytes."""
    packed = {"Accept-Encoding": "gzip"}
    page = client.get("/calculator").text
    links = re.findall(r'<(?:link|script)[^>]*(?:href|src)="(/static/[^"]+\.(?:css|js|woff2|svg)[^"]*)"', page)
    drawings = {one.split("#")[0] for one in re.findall(r'<use href="([^"]+)"', page)}
    assert len(drawings) == 1
    style = client.get(next(one for one in links if ".css" in one)).text
    letters = {f"/static/fonts/{one}" for one in re.findall(r"fonts/([a-z0-9-]+\.woff2)", style)}
    needed = {*links, *drawings, *letters, "/calculator/law.json?language=vi"}
    sizes = {one: len(client.get(one, headers=packed).get_data()) for one in needed}
    sizes["the page"] = len(gzip.compress(page.encode(), 5))
    assert len([one for one in needed if one.endswith(".woff2")]) == 2
    assert sum(sizes.values()) <= 60_000, sizes
