"""Somebody joins: the quote shows who pays what, the figure on the manager's page moves, and every figure opens its people."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Installation, SignIn

AGENT = "daily@bimson.example"
MANAGER = "quanly@bimson.example"

pytestmark = pytest.mark.browser


def number(text: str) -> int:
    """The first number of a text, as the page writes it in English."""
    found = re.search(r"\d[\d,]*", text)
    assert found, text
    return int(found[0].replace(",", ""))


def taking_part(page: Page, town: Installation) -> int:
    page.goto(f"{town.address}/dashboard")
    return number(page.locator(".target-word a").first.inner_text())


def add(page: Page, town: Installation, name: str, ground: str) -> None:
    """A new person of the group, on their own page."""
    page.goto(f"{town.address}/people/new")
    page.locator("input[name=full_name]").fill(name)
    page.locator("input[name=birth]").fill("1979")
    place = page.locator("select[name=place]")
    if place.count() and not place.input_value():
        place.select_option(index=1)
    page.locator("select[name=ground]").select_option(ground)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def test_an_agent_takes_a_poor_womans_first_premium(town: Installation, sign_in: SignIn) -> None:
    desk = sign_in(MANAGER, size=DESK, language="en")
    before = taking_part(desk, town)

    phone, name = sign_in(AGENT, size=PHONE, language="en"), "Lê Thị Vào Sổ"
    add(phone, town, name, "poor")
    phone.get_by_role("link", name="Work it out and join").click()
    phone.locator("input[name=income]").fill("1.000.000")
    phone.locator("select[name=months]").select_option("3")
    phone.get_by_role("button", name="Work it out again").click()
    quote = phone.locator("#quote")
    for layer in ("660,000", "138,600", "521,400"):  # 22% of a million, 30% of 22% of 700,000 from the State, the rest
        expect(quote).to_contain_text(layer)
    phone.locator("input[name=receipt_number]").fill("BL-0001")
    phone.get_by_role("button", name="Record the payment").click()
    expect(phone.get_by_role("heading", level=1, name=name)).to_be_visible()
    expect(phone.get_by_text("Takes part", exact=True).first).to_be_visible()
    expect(phone.get_by_text("12/2019").or_(phone.get_by_text("Dec 2019")).first).to_be_visible()

    assert taking_part(desk, town) == before + 1
    desk.goto(f"{town.address}/participation?kind=joined&since=2019-10-15")
    expect(desk.get_by_role("link", name=name)).to_be_visible()


def test_a_manager_records_what_the_insurance_office_confirmed(town: Installation, sign_in: SignIn) -> None:
    page, name = sign_in(MANAGER, size=DESK, language="en"), "Lê Văn Xác Nhận"
    before = taking_part(page, town)
    add(page, town, name, "other")
    page.get_by_role("link", name="Work it out and join").click()
    page.locator("select[name=months]").select_option("6")
    page.get_by_role("button", name="Work it out again").click()
    for layer in ("924,000", "92,400", "831,600"):  # six months of 22% of 700,000; the State pays a tenth
        expect(page.locator("#quote")).to_contain_text(layer)
    page.locator("input[name=confirmation]").fill("Danh sách D05 số 12")
    page.get_by_role("button", name="Record the payment").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    expect(page.get_by_text("the person 831,600 đ, the State 92,400 đ")).to_be_visible()
    assert taking_part(page, town) == before + 1


def test_the_months_of_somebody_stay_within_their_column_on_every_screen(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(AGENT, size=DESK, language="en")
    page.goto(f"{town.address}/people")
    people = page.locator("main a[href^='/people/']").evaluate_all("links => links.map(link => link.pathname)")
    for person in [path for path in people if re.fullmatch(r"/people/[0-9a-f-]{36}", path)]:
        page.goto(f"{town.address}{person}")
        if page.locator(".months").count():
            break
    for width in (360, 768, 899, 900, 1024, 1280, 1440, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        edges = page.evaluate(
            "[document.documentElement, document.querySelector('.months')].map(box => box.scrollWidth - box.clientWidth)"
        )
        assert edges == [0, 0], width
        card, last = page.locator(".card:has(.months)").bounding_box(), page.locator(".month").nth(5).bounding_box()
        assert card
        assert last
        assert last["x"] + last["width"] <= card["x"] + card["width"], width


def test_every_figure_opens_as_many_people_as_it_says(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(MANAGER, size=DESK, language="en")
    page.goto(f"{town.address}/dashboard")
    figures: dict[str, int] = {}
    for link in page.locator(".legend li:has(a)").all()[:3]:
        address = link.locator("a").first.get_attribute("href")
        figures[address or ""] = number(link.inner_text())
    for link in page.locator("a.figure").all():
        figures[link.get_attribute("href") or ""] = number(link.locator(".figure-number").inner_text())
    for link in page.locator("tbody tr:nth-child(-n+2) td a").all():
        figures[link.get_attribute("href") or ""] = number(link.inner_text())
    for link in page.locator("table a[href*='stage=']").all()[:2]:
        figures[link.get_attribute("href") or ""] = number(
            link.locator("xpath=ancestor::tr").inner_text().split("\t")[-1]
        )
    assert len(figures) > 10
    told = {}
    for address in figures:
        page.goto(f"{town.address}{address}")
        heading = page.get_by_role("heading", level=1).inner_text()
        counted = heading.split(": ")[-1] if "people" in heading else page.locator("main p.soft").first.inner_text()
        told[address] = number(counted)
        if "More than" in counted:  # a long list is not counted to its end
            assert figures[address] >= told[address]
            told[address] = figures[address]
    assert told == figures
