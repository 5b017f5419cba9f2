"""Papers go from the volunteer at the door to the collection agent, to the insurance office, and end as a payment."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Installation, SignIn

VOLUNTEER = "tinhnguyen@bimson.example"
AGENT = "daily@bimson.example"
MANAGER = "quanly@bimson.example"
NAME = "Lê Thị Hồ Sơ"

pytestmark = pytest.mark.browser


def choose(page: Page, name: str, value: str) -> None:
    """One answer of a question with several."""
    page.locator(f"input[name={name}][value={value}]").check(force=True)


def test_papers_go_from_the_door_to_the_office_and_end_as_a_payment(town: Installation, sign_in: SignIn) -> None:
    phone = sign_in(VOLUNTEER, size=PHONE, language="en")
    phone.goto(f"{town.address}/people/new")
    phone.locator("input[name=full_name]").fill(NAME)
    phone.locator("input[name=birth]").fill("12/8/1977")
    choose(phone, "sex", "female")
    phone.locator("input[name=address]").fill("Số 9, đường Trần Phú")
    number = phone.locator("input[name=citizen_id]")
    phone.get_by_text("More: papers, work, other telephone").click()
    number.fill("038177004321")
    phone.get_by_role("button", name="Save").click()
    expect(phone.get_by_role("heading", level=1, name=NAME)).to_be_visible()
    person = phone.url

    phone.goto(f"{person}/screening")
    for question, answer in (("work", "none"), ("business", "none"), ("allowance", "none"), ("elsewhere", "no")):
        choose(phone, question, answer)
    phone.get_by_role("button", name="Keep the answers").click()
    phone.get_by_role("link", name="Go on to the papers").click()
    phone.locator("select[name=months]").select_option("3")
    phone.get_by_role("button", name="Go on").click()
    phone.get_by_role("button", name="The papers are complete").click()
    phone.locator("select[name=agent]").select_option(index=1)
    agent = phone.locator("select[name=agent] option:checked").inner_text()
    phone.get_by_role("button", name="Handed over").click()
    expect(phone.get_by_text("Handed to an agent").first).to_be_visible()
    expect(phone.get_by_text(agent).first).to_be_visible()
    assert phone.get_by_role("button", name="Accepted").count() == 0


def test_the_agent_hands_a_list_in_and_writes_down_the_answer(town: Installation, sign_in: SignIn) -> None:
    desk = sign_in(AGENT, size=DESK, language="en")
    desk.goto(f"{town.address}/dossiers?state=handed_over")
    first = desk.locator("tbody tr").first
    name = first.locator("label, .choice").first.inner_text().strip()
    first.get_by_role("link", name="Open").click()
    desk.get_by_role("button", name="Put it into a new list").click()
    expect(desk.get_by_role("heading", level=1, name="List D05-TS number")).to_be_visible()
    desk.get_by_role("button", name="Note as handed in").click()
    expect(desk.get_by_text("Handed in on").first).to_be_visible()
    desk.get_by_role("link", name=name).click()
    desk.locator("input[name=number]").fill("3819770432")
    desk.locator("input[name=receipt_number]").fill("C45-0777")
    desk.get_by_role("button", name="Accepted").click()
    expect(desk.get_by_role("button", name="Accepted")).to_have_count(0)

    office = sign_in(MANAGER, size=DESK, language="en")
    office.goto(f"{town.address}/dossiers?state=accepted")
    office.locator("tbody tr", has_text=name).first.get_by_role("link").first.click()
    office.get_by_role("link", name=name).first.click()
    expect(office.get_by_text("Takes part", exact=True).first).to_be_visible()
