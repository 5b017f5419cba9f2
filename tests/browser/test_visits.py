"""A manager gives people to a volunteer; the volunteer, at the door with a small phone, sees who is next and logs visits."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Installation, SignIn

MANAGER = "quanly@bimson.example"
VOLUNTEER = "0912 000 119"  # signs in by telephone, as most do
VOLUNTEER_NAME = "Vũ Hồng Yến"

pytestmark = pytest.mark.browser


def fits(page: Page) -> bool:
    """Nothing sticks out at the side of the phone."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_a_manager_gives_people_to_a_volunteer_who_finds_them(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(MANAGER, size=DESK, language="en")
    page.goto(f"{town.address}/assign")
    page.get_by_label("Ward or commune").select_option("Phường Ba Đình")
    page.get_by_role("button", name="Show").click()
    rows = page.locator("tbody tr:has(input[name=people])")
    names = [rows.nth(nth).locator("label span").first.inner_text().split(",")[0] for nth in range(2)]
    for nth in range(2):
        rows.nth(nth).locator("input").check()
    volunteer = page.locator("select[name=volunteer]")
    whom = volunteer.locator("option", has_text=VOLUNTEER_NAME).first
    had = int(re.findall(r"(\d+) p", whom.inner_text())[0])
    volunteer.select_option(whom.get_attribute("value"))
    page.get_by_role("button", name="Give them").click()
    expect(
        page.locator("select[name=volunteer] option", has_text=f"{VOLUNTEER_NAME} · {had + 2} people")
    ).to_have_count(1)

    phone = sign_in(VOLUNTEER, size=PHONE, language="en")
    for name in names:
        phone.goto(f"{town.address}/people?q={name}")
        expect(phone.locator("main a.person-card", has_text=name).first).to_be_visible()


def test_today_says_who_is_next_and_why(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(VOLUNTEER)
    expect(page).to_have_url(re.compile("/today$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"\d+ việc hôm nay"))
    first = page.locator("article.task").first
    expect(first.get_by_role("heading")).to_be_visible()
    expect(first.locator(".task-why")).to_contain_text(re.compile(r"\w+"))
    expect(first.locator(".task-say")).to_contain_text(re.compile(r"\w+"))
    expect(first.get_by_role("link", name=re.compile("^Ghi"))).to_be_in_viewport()
    assert fits(page)


def test_somebody_is_found_without_accents_and_by_part_of_the_number(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(VOLUNTEER)
    name = page.locator("article.task h2 a").first.inner_text()
    number = page.locator("article.task a[href^='tel:']").first.get_attribute("href")
    who = page.locator("article.task:has(a[href^='tel:']) h2 a").first.inner_text()
    assert number
    unaccented = plain(name)
    assert unaccented != name.lower()
    for sought, wanted in ((unaccented, name), (number[-6:], who)):
        page.get_by_role("searchbox").fill(sought)
        page.keyboard.press("Enter")
        expect(page.locator("main a.person-card", has_text=wanted).first).to_be_visible()
        assert fits(page)
        page.goto(f"{town.address}/today")


def plain(name: str) -> str:
    """As typed in a hurry: no accents, no capitals."""
    import unicodedata

    bare = "".join(one for one in unicodedata.normalize("NFD", name) if not unicodedata.combining(one))
    return bare.lower().replace("đ", "d")


def test_three_taps_log_a_visit_and_one_takes_it_back(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(VOLUNTEER)
    page.evaluate("sessionStorage.setItem('taps', '0')")
    page.context.add_init_script(
        "addEventListener('click', () => sessionStorage.setItem('taps', 1 + Number(sessionStorage.getItem('taps'))), true)"
    )
    page.reload()
    task = page.locator("article.task:not(.task-folded)").last
    name = task.locator("h2 a").inner_text()
    person = task.locator("h2 a").get_attribute("href")
    task.get_by_role("link", name=re.compile("^Ghi")).click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text(name)
    sheet.get_by_role("button", name="Quan tâm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Quan tâm")
    assert int(page.evaluate("sessionStorage.getItem('taps')")) <= 3
    day = page.locator("input[name=next_contact_on]")
    expect(day).to_have_value("2019-10-22")

    page.get_by_label("Chưa có tiền lúc này").or_(page.locator("input[value=no_money]")).first.check()
    day.fill("2019-10-25")
    page.get_by_role("button", name="Xong").click()
    expect(page).to_have_url(re.compile("/today$"))
    expect(page.locator("article.task h2 a", has_text=name)).to_have_count(0)

    page.goto(f"{town.address}{person}")
    expect(page.locator("main .tags").first).to_contain_text("Quan tâm")
    expect(page.locator("main .looks")).to_contain_text("25/10/2019")

    page.locator("main a[href*='/visits/']").first.click()
    page.get_by_role("button", name="Hoàn tác").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("?")  # how did it go, once more
    page.goto(f"{town.address}{person}")
    expect(page.locator("main .looks")).not_to_contain_text("25/10/2019")
