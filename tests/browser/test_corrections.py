"""Two people correct one person at the same time, in two browsers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Installation, SignIn

pytestmark = pytest.mark.browser


def test_two_browsers_correct_one_person(town: Installation, sign_in: SignIn) -> None:
    office, volunteer = sign_in("quanly@bimson.example", size=DESK), sign_in("tinhnguyen@bimson.example", size=PHONE)
    volunteer.goto(f"{town.address}/people?stage=considering")
    volunteer.locator("main a.person-card").first.click()
    person = volunteer.url
    for page in (office, volunteer):
        page.goto(f"{person}/edit")
    office.get_by_label("Số nhà, đường").fill("Số 5 đường Trần Phú")
    office.get_by_role("button", name="Lưu phần sửa").click()
    expect(office.get_by_text("Đã lưu phần sửa.")).to_be_visible()

    volunteer.get_by_label("Nghề nghiệp").fill("Thợ mộc")
    volunteer.get_by_label("Số nhà, đường").fill("Số 7 đường Lê Lợi")
    volunteer.get_by_role("button", name="Lưu phần sửa").click()
    expect(volunteer.get_by_text("Trịnh Văn Thắng ghi lúc")).to_be_visible()
    expect(volunteer.get_by_text("Số 5 đường Trần Phú").last).to_be_visible()
    volunteer.get_by_role("radio", name="Số 7 đường Lê Lợi").check()
    volunteer.get_by_role("button", name="Lưu lựa chọn").click()
    expect(volunteer.get_by_text("Đã lưu phần sửa.")).to_be_visible()

    office.goto(f"{person}/changes")
    expect(office.locator("ins", has_text="Số 7 đường Lê Lợi")).to_be_visible()
    expect(office.locator("ins", has_text="Thợ mộc")).to_be_visible()
    office.get_by_role("button", name="Trả lại như cũ: Địa chỉ").first.click()
    expect(office.get_by_text("Đã trả lại như cũ.")).to_be_visible()
    office.goto(person)
    expect(office.locator(".eyebrow")).to_contain_text("Số 5 đường Trần Phú")


def test_the_first_look_fits_a_phone(town: Installation, sign_in: SignIn) -> None:
    page = sign_in("tinhnguyen@bimson.example", size=PHONE)
    page.goto(f"{town.address}/people?stage=interested")
    page.locator("main a.person-card").first.click()
    strong = page.locator("main .button-strong")
    expect(strong).to_have_count(1)
    box, bar = strong.bounding_box(), page.locator("nav.bar").bounding_box()
    assert box is not None
    assert bar is not None
    assert box["y"] + box["height"] <= bar["y"], "what to do next stands on the first screen"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
