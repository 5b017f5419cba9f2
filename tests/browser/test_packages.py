"""A manager gives a package; the volunteer finds it on the phone; what came back on paper is typed in with single keys."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Installation, SignIn
from tests.browser.test_visits import MANAGER, VOLUNTEER, VOLUNTEER_NAME, fits

pytestmark = pytest.mark.browser


def test_a_package_is_given_walked_and_typed_in(town: Installation, sign_in: SignIn) -> None:
    desk = sign_in(MANAGER, size=DESK)
    desk.goto(f"{town.address}/packages/new?size=3")
    desk.locator("select[name=place]").select_option("Phường Bắc Sơn")
    desk.get_by_role("button", name="Xem").click()
    volunteer = desk.locator("select[name=volunteer]")
    volunteer.select_option(volunteer.locator("option", has_text=VOLUNTEER_NAME).first.get_attribute("value"))
    desk.get_by_label("Tên gói việc").fill("Xóm thử")
    desk.get_by_role("button", name="Giao những người đã đánh dấu").click()
    expect(desk.locator("h1")).to_have_text("Xóm thử")
    package = desk.url

    phone = sign_in(VOLUNTEER, size=PHONE)
    phone.goto(f"{town.address}/today")
    line = phone.locator("a.work-package", has_text="Xóm thử")
    expect(line).to_contain_text(re.compile(r"0/\d đã gặp · còn 15 ngày"))
    line.click()
    for way in ("", "/entry", "/print"):
        phone.goto(package + way)
        assert fits(phone), way

    desk.goto(f"{package}/entry")
    lines = desk.locator("select[data-entry]")
    lines.first.focus()
    desk.keyboard.press("5")
    expect(lines.nth(1)).to_be_focused()
    desk.keyboard.press("1")
    expect(lines.first).to_have_value("agreed")
    expect(lines.nth(1)).to_have_value("not_met")
    desk.get_by_role("button", name="Lưu các lượt gặp").click()
    expect(desk.get_by_text("Đã lưu 2 lượt gặp")).to_be_visible()
    phone.goto(f"{town.address}/today")
    expect(phone.locator("a.work-package", has_text="Xóm thử")).to_contain_text("1/")
    on_paper(desk, package)


def on_paper(page: Page, package: str) -> None:
    """The printed list is paper and nothing else."""
    page.goto(f"{package}/print")
    page.emulate_media(media="print")
    expect(page.locator("table.walk svg.qr").first).to_be_visible()
    for hidden in (".side", ".page-head", ".actions"):
        expect(page.locator(hidden).first).to_be_hidden()
