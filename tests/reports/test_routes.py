"""The manager's home: every figure opens exactly its people, for everyone who may see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.participation.rules import Beginning, Ending
from crm.prospects.rules import Stage
from crm.targets.rules import Facts, Whose
from crm.targets.services import Told, set_target
from tests.factories import Make
from tests.pages import text_of
from tests.participation.stories import spell

EVE = date(2018, 12, 31)


@pytest.fixture
def town(make: Make) -> Make:
    """A small town in the middle of its year."""
    union, other = make.organisation(), make.ward("14821@2019-10-15")
    volunteer = make.user(Role.VOLUNTEER, organisation_id=union.id)
    for number in range(9):
        person = make.prospect(
            f"Người {number}",
            stage=Stage.JOINED,
            organisation_id=union.id if number % 2 else None,
            place=other if number % 3 else make.ward(),
            volunteer_id=volunteer.id if number < 4 else None,
        )
        start = EVE if number < 6 else date(2019, 5, number)
        begun = Beginning.BASELINE if number < 6 else Beginning.JOINED
        left = date(2019, 7, 1) if number in (0, 1, 7) else None
        due = date(2019, 10, 10) if number == 2 else date(2019, 10, 31) if number in (3, 8) else date(2020, 3, 31)
        ended = Ending.STOPPED if number == 7 else Ending.LAPSED
        spell(make, person, start, left, started_as=begun, ended_as=ended, deadline_on=due)
        if number == 1:
            spell(make, person, date(2019, 9, 2), started_as=Beginning.RETURNED)
    stages = (Stage.NEW, Stage.UNREACHED, Stage.INTERESTED, Stage.AGREED)
    for number, stage in enumerate(stages * 2):
        make.prospect(
            f"Hẹn {number}",
            stage=stage,
            organisation_id=union.id if number % 2 else None,
            next_contact_on=date(2019, 10, 10 + number),
        )
    return make


def root_of(page: str) -> Element:
    return html5lib.parse(page, namespaceHTMLElements=False)


def figures_in(page: str) -> list[tuple[int, str]]:
    """Every figure on the dashboard with the address it opens."""
    main = next(element for element in root_of(page).iter("main"))
    found = []
    for link in main.iter("a"):
        address = link.get("href") or ""
        if not address.startswith(("/participation", "/people")):
            continue
        beside = [
            element
            for element in main.iter(
                "li",
            )
            if link in list(element.iter("a"))
        ]
        words = text_of(link)
        if beside and not words[0].isdigit():
            words = text_of(beside[0])
        number = re.search(r"\d[\d.]*", words)
        assert number, f"a link without a figure: {words}"
        found.append((int(number[0].replace(".", "")), address))
    return found


def rows_in(page: str) -> int:
    """How many people a list shows."""
    main = next(element for element in root_of(page).iter("main"))
    return sum(1 for row in main.iter("th") if row.get("scope") == "row")


def viewers(make: Make) -> dict[str, User]:
    return {
        "manager": make.user(Role.MANAGER),
        "auditor": make.user(Role.AUDITOR),
        "organiser": make.user(Role.ORGANISER),
        "lead of a union": make.user(Role.LEAD, organisation_id=make.organisation().id),
        "lead of a ward": make.user(Role.LEAD, place_id=make.ward().id),
        "lead of both": make.user(Role.LEAD, place_id=make.ward().id, organisation_id=make.organisation().id),
        "lead of nothing": make.user(Role.LEAD),
    }


WHO = ("manager", "auditor", "organiser", "lead of a union", "lead of a ward", "lead of both", "lead of nothing")


@pytest.mark.parametrize("who", WHO)
def test_every_figure_opens_exactly_its_people(town: Make, signed_in: Callable[..., FlaskClient], who: str) -> None:
    browser = signed_in(viewers(town)[who])
    page = browser.get("/dashboard")
    assert page.status_code == 200
    figures = figures_in(page.get_data(as_text=True))
    assert len(figures) >= (20 if who == "manager" else 5)
    for number, address in figures:
        if address.startswith("/participation"):
            behind = browser.get(address)
            assert rows_in(behind.get_data(as_text=True)) == number, address


@pytest.mark.parametrize("who", WHO)
def test_every_figure_about_people_is_what_their_list_counts(
    town: Make, signed_in: Callable[..., FlaskClient], api: Callable[..., dict[str, str]], who: str
) -> None:
    user = viewers(town)[who]
    browser, headers = signed_in(user), api(user)
    for number, address in figures_in(browser.get("/dashboard").get_data(as_text=True)):
        if address.startswith("/people"):
            listed = browser.get(address.replace("/people", "/api/v1/prospects"), headers=headers).get_json()
            assert len(listed["items"]) == number, address
            assert browser.get(address).status_code == 200


def test_the_sentence_says_the_stock_and_what_is_missing(town: Make, signed_in: Callable[..., FlaskClient]) -> None:
    page = root_of(signed_in(Role.MANAGER).get("/dashboard").get_data(as_text=True))
    heading = text_of(next(page.iter("h1")))
    assert re.findall(r"\d[\d.]*", heading) == ["7", "1.378", "1.385"]


def test_a_lead_is_told_that_these_are_only_their_own(town: Make, signed_in: Callable[..., FlaskClient]) -> None:
    user = town.user(Role.LEAD, organisation_id=town.organisation().id, language="en")
    page = signed_in(user).get("/dashboard").get_data(as_text=True)
    assert "Only the people of your unit" in page
    assert "1.385" not in page
    assert "1,385" not in page


def test_the_state_of_an_earlier_day(town: Make, signed_in: Callable[..., FlaskClient]) -> None:
    page = signed_in(Role.MANAGER).get("/dashboard?as_of=2019-06-30").get_data(as_text=True)
    assert re.findall(r"\d[\d.]*", text_of(next(root_of(page).iter("h1"))))[0] == "9"
    assert "kind=overdue" not in page


@pytest.mark.parametrize("sort", ["name", "start", "joined", "returned", "left", "now", "change", "gap", "nonsense"])
def test_the_tables_can_be_sorted(town: Make, signed_in: Callable[..., FlaskClient], sort: str) -> None:
    page = root_of(signed_in(Role.MANAGER).get(f"/dashboard?sort={sort}").get_data(as_text=True))
    table = next(page.iter("table"))
    numbers = [[text_of(cell) for cell in row.iter("td")] for row in table.iter("tr") if list(row.iter("td"))]
    column = {"start": 2, "joined": 3, "returned": 4, "left": 5, "now": 0}.get(sort)
    if column is not None:
        values = [int(row[column]) for row in numbers]
        assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("role", [Role.VOLUNTEER, Role.AGENT, Role.SPONSOR])
def test_others_do_not_get_the_dashboard(signed_in: Callable[..., FlaskClient], role: Role) -> None:
    assert signed_in(role).get("/dashboard").status_code == 403


def test_the_dashboard_of_an_empty_town_says_so_quietly(signed_in: Callable[..., FlaskClient]) -> None:
    assert signed_in(Role.MANAGER).get("/dashboard").status_code == 200


def test_the_pipeline_of_an_earlier_day_comes_from_the_steps(
    client: FlaskClient, make: Make, api: Callable[..., dict[str, str]]
) -> None:
    pipeline_people(make)
    headers = api(make.user(Role.MANAGER))

    def counts(day: str, by: str = "place") -> Any:
        answer = client.get(f"/api/v1/reports/pipeline?as_of={day}&by={by}", headers=headers).get_json()
        return [{stage: n for stage, n in item["stages"].items() if n} for item in answer["items"]]

    assert counts("2019-08-31") == []
    assert counts("2019-09-01") == [{"new": 2}]
    assert counts("2019-09-10") == [{"new": 1, "interested": 1}]
    assert counts("2019-10-15") == [{"interested": 1, "joined": 1}]
    assert counts("2019-10-15", "organisation") == [{"interested": 1, "joined": 1}]
    assert counts("2019-10-15", "month")[-2:] == [{"new": 1, "interested": 1}, {"interested": 1, "joined": 1}]


def pipeline_people(make: Make) -> None:
    from crm import clock
    from crm.prospects.models import StageChange

    for name, steps in (
        ("Một", [(date(2019, 9, 1), Stage.NEW), (date(2019, 10, 2), Stage.INTERESTED)]),
        (
            "Hai",
            [(date(2019, 9, 1), Stage.NEW), (date(2019, 9, 10), Stage.INTERESTED), (date(2019, 10, 1), Stage.JOINED)],
        ),
    ):
        person = make.prospect(name, stage=steps[-1][1], created_at=clock.at(date(2019, 9, 1), 8))
        before = None
        for day, stage in steps:
            moved = {"from_stage": before, "to_stage": stage, "at": clock.at(day, 23, 59)}
            make.add(StageChange(town_id=person.town_id, prospect_id=person.id, **moved))
            before = stage


def test_targets_for_other_programs(client: FlaskClient, make: Make, api: Callable[..., dict[str, str]]) -> None:
    answer = client.get("/api/v1/targets?indicator=voluntary", headers=api(make.user(Role.MANAGER))).get_json()
    (target,) = answer["items"]
    assert (target["people"], target["rate"], target["denominator"]) == (1385, 1.3, 106538)
    assert "60.000" in target["contradiction"]
    first = client.get("/api/v1/targets?limit=2", headers=api(make.user(Role.MANAGER))).get_json()
    rest = client.get(
        f"/api/v1/targets?limit=2&cursor={first['next']}", headers=api(make.user(Role.AUDITOR))
    ).get_json()
    assert len({item["id"] for item in first["items"] + rest["items"]}) == 3
    assert rest["next"] is None


def test_the_page_of_targets_says_the_contradiction(make: Make, signed_in: Callable[..., FlaskClient]) -> None:
    page = signed_in(make.user(Role.MANAGER, language="en")).get("/targets").get_data(as_text=True)
    assert "These facts do not fit together" in page
    assert page.partition("<main")[2].count("banner-warning") == 1
    assert "1,385 people would be 1.3% of 106,538" in page


@pytest.mark.parametrize(
    "address",
    [
        "/dashboard?as_of=0001-01-01",
        "/dashboard?as_of=9999-12-31",
        "/participation?as_of=0001-01-01&kind=baseline",
        "/participation?since=0001-01-01&kind=left",
        "/targets?year=99999999999999999999",
        "/targets?year=2018",
    ],
)
def test_days_and_years_out_of_range_are_brought_into_it(signed_in: Callable[..., FlaskClient], address: str) -> None:
    assert signed_in(Role.MANAGER).get(address).status_code == 200


@pytest.mark.parametrize("by", ["place", "organisation", "volunteer", "month"])
@pytest.mark.parametrize("day", ["0001-01-01", "2008-01-01", "2019-10-15", "9999-12-31"])
def test_the_pipeline_answers_for_any_day(
    client: FlaskClient, town: Make, api: Callable[..., dict[str, str]], by: str, day: str
) -> None:
    answer = client.get(f"/api/v1/reports/pipeline?as_of={day}&by={by}", headers=api(town.user(Role.MANAGER)))
    assert answer.status_code == 200
    assert all(item["people"] == sum(item["stages"].values()) for item in answer.get_json()["items"])


def test_the_pipeline_refuses_what_it_does_not_know(
    client: FlaskClient, make: Make, api: Callable[..., dict[str, str]]
) -> None:
    headers = api(make.user(Role.MANAGER))
    for query in ("by=colour", "as_of=soon", "unknown=1"):
        assert client.get(f"/api/v1/reports/pipeline?{query}", headers=headers).status_code == 422
    assert client.get("/api/v1/reports/pipeline", headers=api(make.user(Role.VOLUNTEER))).status_code == 403


def test_how_many_are_missing_stands_beside_how_many_there_are(
    signed_in: Callable[..., FlaskClient], make: Make, session: Session
) -> None:
    told = Told(authority="UBND thị xã", document=None, reason=None, by=None, at=clock.now())
    set_target(session, make.town.id, Whose(2019, place_id=make.ward().id), Facts(270), **told)
    page = signed_in(Role.MANAGER).get("/dashboard").text
    head = page[page.index("<thead") : page.index("</thead>")]
    places = [head.index(words) for words in ("Hiện nay", "Còn thiếu", "Chỉ tiêu", "Tăng, giảm")]
    assert places == sorted(places), "a phone shows the first three columns"
