"""A campaign from its first step to its end: made, mended by a tap, approved by a second person, sent, and refused by one."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Installation, SignIn
from tests.browser.test_visits import fits

ADMIN, ORGANISER, MANAGER = "quantri@bimson.example", "totchuc@bimson.example", "quanly@bimson.example"
TEXT = " {ten} đến nhà văn hóa khu phố nghe về BHXH tự nguyện, 19h30 thứ sáu này. Từ chối: "

pytestmark = pytest.mark.browser


@pytest.fixture
def careful(town: Installation, sign_in: SignIn) -> Iterator[Page]:
    """The administrator lets campaigns of more than twenty messages take two people; afterwards one is enough again."""
    page = sign_in(ADMIN, size=DESK)
    limit(page, town, "20")
    yield page
    limit(page, town, "")


def limit(page: Page, town: Installation, messages: str) -> None:
    page.goto(f"{town.address}/messages/settings")
    page.locator("input[name=approve_messages]").fill(messages)
    page.get_by_role("button", name="Lưu cài đặt").click()
    expect(page.get_by_text("Đã lưu cài đặt")).to_be_visible()


def test_a_campaign_is_made_mended_approved_sent_and_refused_by_one(
    town: Installation, sign_in: SignIn, careful: Page
) -> None:
    desk = sign_in(ORGANISER, size=DESK)
    here = made(desk, town)
    told = desk.locator(".preflight")
    expect(told.get_by_role("button", name="Gửi không dấu: bớt được")).to_be_visible()
    before = cost(desk)
    told.get_by_role("button", name="Gửi không dấu: bớt được").click()
    expect(desk.locator(".sms-bubble").first).to_contain_text("den nha van hoa")
    assert cost(desk) < before
    desk.get_by_role("button", name="Xin người thứ hai duyệt").click()
    expect(desk.get_by_text("phải chờ người khác quyết định")).to_be_visible()
    phone = sign_in(MANAGER, size=PHONE)
    phone.goto(f"{town.address}/campaigns")
    expect(phone.locator("main .tag", has_text="Chờ duyệt").first).to_be_visible()
    assert fits(phone)
    phone.goto(f"{here}/preflight")
    assert fits(phone)
    phone.get_by_role("button", name=re.compile("Duyệt và gửi")).click()
    expect(phone.get_by_text("Đã duyệt và cho gửi")).to_be_visible()
    assert fits(phone)
    runs_on(desk, here)
    refused(sign_in(None, size=PHONE), town, desk, here)


def made(
    page: Page,
    town: Installation,
    name: str = "Buổi tư vấn thứ sáu",
    *,
    purpose: str = "service",
    place: str = "Phường Bắc Sơn",
    stage: str = "considering",
) -> str:
    """The steps of the wizard up to the look at everybody; the campaign's address."""
    page.goto(f"{town.address}/campaigns")
    page.get_by_role("link", name="Đợt tin mới").click()
    page.locator("input[name=name]").fill(name)
    page.locator(f"[name=purpose][value={purpose}]").check()
    counted = page.locator("[data-count-here] .figure-number").first
    everybody = counted.inner_text()
    page.locator("select[name=place]").select_option(place)
    page.locator("select[name=stage]").select_option(stage)
    expect(counted).not_to_have_text(everybody)
    page.get_by_role("button", name="Tiếp: viết nội dung").click()
    page.locator("textarea[name=text]").fill("Mời ")
    page.locator("[data-insert='{xung_ho}']").click()
    page.locator("textarea[name=text]").press_sequentially(TEXT)
    page.locator("[data-insert='{tu_choi}']").click()
    page.locator("input[name=accented]").check()
    expect(page.locator("[data-wording-here] .sms-bubble")).to_contain_text("Mời bà Hoa đến nhà văn hóa")
    page.get_by_role("button", name="Tiếp: chọn giờ").click()
    page.get_by_role("button", name="Rà soát mọi người").click()
    expect(page.get_by_role("heading", name="Từng người một")).to_be_visible()
    return page.url.split("/preflight")[0]


def cost(page: Page) -> int:
    """What the look at everybody says it costs, đồng."""
    return int(re.sub(r"\D", "", page.locator(".preflight .figure-number").nth(3).inner_text()))


def runs_on(page: Page, here: str) -> None:
    """Look until all is sent."""
    until = time.monotonic() + 90
    page.goto(here)
    while not page.locator(".tag", has_text="Đã xong").is_visible() and time.monotonic() < until:
        page.wait_for_timeout(1000)
        page.goto(here)
    expect(page.locator(".tag", has_text="Đã xong")).to_be_visible()
    sent = page.locator(".figure", has_text="đã gửi").locator(".figure-number").inner_text()
    assert int(sent) > 20


def refused(page: Page, town: Installation, desk: Page, here: str) -> None:
    """Somebody opens the address in their message and says no; the campaign tells of one who refused."""
    desk.goto(f"{here}/people?which=left")
    address = re.search(r"/o/\w+", desk.locator("tbody").inner_text())
    assert address, "the message names the way to refuse"
    page.goto(town.address + address[0])
    page.locator("main form button[type=submit]").click()
    desk.goto(here)
    line = desk.locator(".facts div", has_text="sau đó từ chối nhận tin")
    expect(line.locator("dd")).to_have_text("1")
    line.get_by_role("link").click()
    expect(desk.locator("tbody tr")).to_have_count(1)
