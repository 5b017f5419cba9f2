"""The calculator of somebody on record: filled in with what is known, and passing on nothing of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from html import unescape

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm.accounts.rules import Role
from crm.months import Month
from crm.participation.rules import Beginning, Ending
from crm.premiums.models import LocalTopUpRow
from crm.prospects.rules import Ground, Sex
from tests.factories import Make
from tests.participation.stories import agent_of, join, paid_long_ago, spell

Browse = Callable[..., FlaskClient]
PERSONAL = ("sex=", "born_", "own=")


def adds(
    make: Make, place_id: object, amount: int, ground: Ground = Ground.OTHER, months_cap: int | None = None
) -> None:
    """A ward that adds something of its own from the beginning of the year on."""
    make.add(
        LocalTopUpRow(
            town_id=make.town.id,
            place_id=place_id,
            ground=ground,
            amount=amount,
            months_cap=months_cap,
            effective_from=date(2019, 1, 1),
            document="NQ 1",
        )
    )


def value_of(page: str, name: str) -> str | None:
    """What a box holds."""
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    found = tag and re.search(r'value="([^"]*)"', tag[0])
    return found[1] if found else None


def chosen(page: str, name: str) -> str | None:
    """Which of several was chosen."""
    ticked = [tag for tag in re.findall(rf'<input[^>]*name="{name}"[^>]*>', page) if "checked" in tag]
    found = ticked and re.search(r'value="([^"]*)"', ticked[0])
    return found[1] if found else None


def test_what_is_known_is_filled_in(make: Make, signed_in: Browse) -> None:
    person = make.prospect(sex=Sex.FEMALE, birth_date=date(1980, 5, 9), grounds=(Ground.POOR,))
    make.session.flush()
    join(person, date(2019, 7, 2), grounds=(Ground.POOR,), income=800_000)
    page = signed_in(agent_of(make, person)).get(f"/people/{person.id}/calculator").text
    assert (value_of(page, "income"), value_of(page, "born_year")) == ("800.000", "1980")
    assert (chosen(page, "ground"), chosen(page, "sex")) == ("poor", "female")
    assert (value_of(page, "paid"), value_of(page, "supported")) == ("3", "3")
    assert "129.800\u00a0đ" in page
    assert "tháng phải đóng tiếp là 10/2019, hạn đóng 31/12/2019" in page


def test_every_ground_is_ticked_and_a_box_that_is_emptied_stays_empty(make: Make, signed_in: Browse) -> None:
    person = make.prospect(grounds=(Ground.NEAR_POOR, Ground.ETHNIC_MINORITY))
    adds(make, person.place_id, 20_000, Ground.ETHNIC_MINORITY)
    browser = signed_in(agent_of(make, person))
    page = browser.get(f"/people/{person.id}/calculator?months=1").text
    ticked = {tag for tag in re.findall(r'<input[^>]*name="ground"[^>]*>', page) if "checked" in tag}
    assert len(ticked) == 2
    assert "95.500\u00a0đ" in page  # the State by the one ground, the ward by the other
    emptied = browser.get(f"/people/{person.id}/calculator?income=700000&months=1").text
    assert "138.600\u00a0đ" in emptied
    assert not chosen(emptied, "ground")


def test_it_says_the_same_as_the_persons_page_also_where_the_ward_adds_something(make: Make, signed_in: Browse) -> None:
    person, other = make.prospect(), make.ward("14815@2019-10-15")
    adds(make, person.place_id, 50_000)
    adds(make, other.id, 20_000)
    browser = signed_in(agent_of(make, person))
    assert "88.600" in browser.get(f"/people/{person.id}").text
    page = browser.get(f"/people/{person.id}/calculator").text
    assert "88.600" in page


def test_a_link_that_is_passed_on_holds_the_ward_and_no_person(
    make: Make, signed_in: Browse, client: FlaskClient
) -> None:
    person = make.prospect(sex=Sex.MALE, birth_date=date(1975, 1, 1), full_name="Lê Văn Bốn")
    adds(make, person.place_id, 50_000)
    join(person, date(2019, 9, 2), months=1)
    page = signed_in(agent_of(make, person)).get(f"/people/{person.id}/calculator").text
    linked = [unescape(one) for one in re.findall(r'(?:value|href|src)="([^"]*\?income=[^"]*)"', page)]
    assert linked
    assert all("place=" in one for one in linked)
    assert not [one for one in linked if any(personal in one for personal in PERSONAL) or "Bốn" in one]
    shared = next(one for one in linked if "/calculator?" in one)
    client.get("/sign-out")
    told = client.get(shared[shared.index("/calculator?") :])
    assert told.status_code == 200
    assert "88.600" in told.text


def test_a_link_that_is_passed_on_tells_the_same_once_the_wards_own_months_are_used_up(
    make: Make, signed_in: Browse, client: FlaskClient
) -> None:
    person = make.prospect()
    adds(make, person.place_id, 50_000, months_cap=2)
    make.session.flush()
    join(person, date(2019, 8, 2), months=3)
    page = signed_in(agent_of(make, person)).get(f"/people/{person.id}/calculator?months=1").text
    assert "138.600\u00a0đ" in page
    shared = next(unescape(one) for one in re.findall(r'value="([^"]*)"', page) if "/calculator?" in one)
    client.get("/sign-out")
    told = client.get(shared[shared.index("/calculator?") :]).text
    assert "138.600\u00a0đ" in told
    assert "88.600\u00a0đ" not in told


def test_months_known_only_from_a_list_leave_the_supported_ones_open(make: Make, signed_in: Browse) -> None:
    person = make.prospect()
    spell(make, person, date(2019, 1, 1), started_as=Beginning.BASELINE, paid_through=date(2019, 10, 1))
    page = signed_in(agent_of(make, person)).get(f"/people/{person.id}/calculator").text
    assert value_of(page, "supported") in (None, "")
    assert "tạm tính cả 10 tháng" in page
    assert value_of(page, "own") in (None, "")
    shown = signed_in(agent_of(make, person)).get(f"/people/{person.id}").text
    assert (
        "10 tháng, ít nhất 0 tháng được hỗ trợ (≥\u00a00/120) · chưa rõ 10 tháng Nhà nước có hỗ trợ hay không" in shown
    )


def test_a_listed_month_before_the_state_began_to_help_leaves_nothing_open(make: Make, signed_in: Browse) -> None:
    person = make.prospect()
    old = spell(make, person, date(2017, 12, 1), started_as=Beginning.BASELINE, paid_through=date(2017, 12, 1))
    old.ended_on, old.ended_as = date(2018, 1, 31), Ending.LAPSED
    make.session.flush()
    join(person, date(2019, 8, 2), months=1)
    browser = signed_in(agent_of(make, person))
    page = browser.get(f"/people/{person.id}/calculator").text
    assert (value_of(page, "paid"), value_of(page, "supported")) == ("2", "1")
    shown = browser.get(f"/people/{person.id}").text
    assert "2 tháng, 1 tháng được hỗ trợ (1/120)" in shown


def test_a_life_counts_what_the_person_paid_and_not_what_the_state_did(make: Make, signed_in: Browse) -> None:
    person = make.prospect(sex=Sex.FEMALE, birth_date=date(1980, 5, 9), grounds=(Ground.POOR,))
    make.session.flush()
    join(person, date(2019, 7, 2), grounds=(Ground.POOR,), income=800_000)
    page = signed_in(agent_of(make, person)).get(f"/people/{person.id}/calculator").text
    assert value_of(page, "own") == "3:389400"
    assert "Chưa ghi số tiền đã tự đóng" not in page


def test_after_the_last_supported_month_one_pays_all(session: Session, make: Make, signed_in: Browse) -> None:
    person = make.prospect(birth_date=date(1970, 1, 1))
    paid_long_ago(make, person, Month(2009, 1), 120)
    page = signed_in(agent_of(make, person)).get(f"/people/{person.id}/calculator?months=1").text
    assert value_of(page, "supported") == "120"
    assert "154.000\u00a0đ" in page


def test_of_whom_only_the_year_is_known_january_is_filled_in_and_said(make: Make, signed_in: Browse) -> None:
    person = make.prospect(birth_date=None, birth_year=1971, sex=Sex.FEMALE)
    page = signed_in(agent_of(make, person)).get(f"/people/{person.id}/calculator").text
    assert value_of(page, "born_year") == "1971"
    assert "Chỉ biết năm sinh" in page


def test_the_card_names_the_person_and_whom_to_ask(make: Make, signed_in: Browse) -> None:
    person = make.prospect(full_name="Trần Thị Năm")
    agent = agent_of(make, person, full_name="Đỗ Văn Thu")
    page = signed_in(agent).get(f"/people/{person.id}/calculator").text
    card = page[page.index('class="calc-card"') :]
    assert "Trần Thị Năm" in card
    assert "Đỗ Văn Thu" in card


def test_whoever_may_not_see_the_person_sees_no_figures_either(make: Make, signed_in: Browse) -> None:
    person = make.prospect()
    other = make.user(Role.VOLUNTEER)
    assert signed_in(other).get(f"/people/{person.id}/calculator").status_code == 404
