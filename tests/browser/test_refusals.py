"""Three people want no more messages: one says so at the door, one calls, one opens the address in a message. The next
campaign leaves all three out and says why."""

from __future__ import annotations

import re
import time
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Installation, SignIn
from tests.browser.test_campaigns import made
from tests.browser.test_visits import fits

ORGANISER, MANAGER = "totchuc@bimson.example", "quanly@bimson.example"
WANTS_NONE = "Người này đã từ chối nhận tin."

pytestmark = pytest.mark.browser


class Recipient(NamedTuple):
    """Somebody whom a campaign texted: their page, their number as it is shown, and the way out in their message."""

    page: str
    number: str
    way_out: str


def recipients(page: Page, here: str) -> list[Recipient]:
    """Those whom a campaign has texted, as soon as there are three."""
    until = time.monotonic() + 90
    page.goto(f"{here}/people?which=left")
    while page.locator("tbody tr").count() < 3 and time.monotonic() < until:
        page.wait_for_timeout(1000)
        page.reload()
    return [
        Recipient(
            row.get_by_role("link").first.get_attribute("href") or "",
            row.locator("td").first.inner_text().split("\n")[-1].strip(),
            (re.search(r"/o/\w+", row.inner_text()) or [""])[0],
        )
        for row in page.locator("tbody tr").all()
    ]


def would_get_it(page: Page) -> int:
    """How many messages the look at everybody counts."""
    return int(re.sub(r"\D", "", page.locator(".preflight .figure-number").first.inner_text()))


def refused_before(page: Page) -> int:
    """How many it leaves out because they refused."""
    tab = page.locator("a[href*='problem=opted_out']")
    return int(re.findall(r"\d+", tab.inner_text())[-1]) if tab.count() else 0


def test_who_refused_in_whatever_way_is_left_out_of_the_next_campaign(town: Installation, sign_in: SignIn) -> None:
    desk = sign_in(ORGANISER, size=DESK)
    here = made(desk, town, "Trước khi có người từ chối", place="Phường Lam Sơn")
    before, left_out = would_get_it(desk), refused_before(desk)
    desk.get_by_role("button", name=re.compile("^Gửi .* tin, .* đoạn")).click()
    at_home, calling, by_link = recipients(desk, here)[:3]
    says_so_at_the_door(sign_in(MANAGER, size=PHONE), town, at_home)
    calls(desk, town, calling)
    opens_the_address(sign_in(None, size=PHONE), desk, town, by_link)
    made(desk, town, "Sau khi có người từ chối", place="Phường Lam Sơn")
    assert would_get_it(desk) == before - 3
    assert refused_before(desk) >= left_out + 3, "whoever shares one of their numbers is left out with them"
    desk.locator("a[href*='problem=opted_out']").click()
    for one in (at_home, calling, by_link):
        row = desk.locator("tbody tr", has=desk.locator(f"a[href='{one.page}']"))
        expect(row).to_contain_text(WANTS_NONE)


def says_so_at_the_door(page: Page, town: Installation, whose: Recipient) -> None:
    """One tap on the person's page, on the phone."""
    page.goto(f"{town.address}{whose.page}/consent")
    assert fits(page)
    page.get_by_role("button", name="Không muốn nhận tin nữa").click()
    expect(page.locator(".banner", has_text=whose.number)).to_be_visible()
    expect(page.locator("main .tag", has_text="Không nhận").first).to_be_visible()
    assert fits(page)


def calls(page: Page, town: Installation, whose: Recipient) -> None:
    """Somebody calls the office, which writes the number as it hears it."""
    page.goto(f"{town.address}/hotline")
    page.locator("input[name=number]").fill(whose.number.replace(" ", "."))
    page.locator("main form button[type=submit]").click()
    expect(page.locator(".banner", has_text=whose.number)).to_be_visible()


def opens_the_address(phone: Page, desk: Page, town: Installation, whose: Recipient) -> None:
    """Opening it changes nothing, so that a preview refuses nobody; the button does."""
    number_page = f"{town.address}/numbers/{whose.number.replace(' ', '')}"
    for _twice in range(2):
        phone.goto(town.address + whose.way_out)
        assert fits(phone)
        desk.goto(number_page)
        expect(desk.locator("main .tag", has_text="Không nhận")).to_have_count(0)
    phone.locator("main form button[type=submit]").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Đã ghi nhận")
    assert whose.number not in phone.locator("main").inner_text(), "the address tells nobody the whole number"
    assert fits(phone)
    desk.goto(number_page)
    expect(desk.locator("main .tag", has_text="Không nhận")).not_to_have_count(0)


def test_a_template_for_an_answer_shows_its_whole_words_and_they_may_be_changed(
    town: Installation, sign_in: SignIn
) -> None:
    phone = sign_in(ORGANISER, size=PHONE)
    phone.goto(f"{town.address}/answers")
    phone.locator("main th a").first.click()
    phone.locator("select[name=template]").select_option(label="Mời dự buổi tư vấn")
    expect(phone.locator("textarea[name=words]")).to_have_value(re.compile("tư vấn.*{tu_choi}", re.DOTALL))
    phone.locator("textarea[name=words]").fill("Mai cháu qua nhà.")
    expect(phone.locator("select[name=template]")).to_have_value("")
    assert fits(phone)
