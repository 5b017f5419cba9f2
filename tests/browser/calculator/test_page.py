"""The calculator as somebody uses it: at once, without a network, passed on, printed on A5, by keyboard and by ear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.calculator import pdf
from tests.browser.conftest import DESK, PHONE, Installation, SignIn

pytestmark = pytest.mark.browser

KILOBYTES = 60
HEADERS = 6
"""Kilobytes of what stands above the answers of so many addresses."""
A5 = (420, 595)
"""Points: 148 × 210 mm."""
START = "2019-10-15T09:00"
IN_2026 = "2026-07-15T09:00"


def works_offline(page: Page) -> None:
    expect(page.locator("[data-works]")).to_be_visible()


@contextmanager
def without_network(page: Page) -> Iterator[None]:
    page.context.set_offline(True)
    try:
        yield
    finally:
        page.context.set_offline(False)


@contextmanager
def at(town: Installation, moment: str) -> Iterator[None]:
    """The town's program at another time, under the law of then."""
    town.crm("clock", moment)
    try:
        yield
    finally:
        town.crm("clock", START)


def test_the_answer_follows_the_slider_at_once(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(None)
    page.goto(f"{town.address}/calculator")
    answer = page.locator(".calc-answer [data-text=a_month]")
    expect(answer).to_have_text("138.600\u00a0đ")
    page.get_by_role("button", name="Thêm một mức").click()
    expect(answer).to_have_text("149.600\u00a0đ")
    page.get_by_text("Hộ nghèo", exact=True).click()
    expect(answer).to_have_text("118.800\u00a0đ")
    assert "income=750000&ground=poor" in page.url
    page.get_by_label("Mức thu nhập mình chọn").first.fill("760.000")
    expect(page.locator(".field-error")).to_contain_text("750.000")
    expect(answer).to_be_hidden()
    page.get_by_role("button", name="Bớt một mức").click()
    expect(answer).to_have_text("107.800\u00a0đ")
    expect(page.locator(".field-error")).to_have_count(0)
    page.get_by_role("link", name="Một lần").or_(page.get_by_role("link", name="03 tháng")).first.click()
    expect(page.get_by_label("Cách đóng")).to_have_value("3")
    expect(page.locator(".calc-answer")).to_contain_text("323.400\u00a0đ một lần cho 3 tháng")


def test_the_picture_and_the_link_belong_to_the_answer(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(None)
    page.goto(f"{town.address}/calculator")
    received, before = page.locator("#life [data-text=life_received_label]"), page.locator("#life polyline").first
    first, points = received.text_content(), before.get_attribute("points")
    page.locator("summary", has_text="Tuổi và số tháng").click()
    page.get_by_role("radio", name="nam", exact=True).click()
    page.get_by_label("Sinh tháng").select_option("5")
    page.get_by_label("năm", exact=True).fill("1975")
    expect(page.locator("[data-text=retires]").first).to_contain_text("5/2037")
    assert received.text_content() != first
    assert before.get_attribute("points") != points
    link = page.get_by_label("Đường dẫn", exact=True)
    assert "born" not in link.input_value()
    page.get_by_label("Ghi cả giới tính").check()
    assert "born_month=5&born_year=1975" in link.input_value()
    expect(page.locator("img[data-qr]").first).to_have_attribute("src", re.compile("born_year=1975"))
    page.get_by_label("Ghi cả giới tính").uncheck()
    page.get_by_label("Số tháng đã được Nhà nước hỗ trợ").fill("118")
    expect(page.locator("img[data-qr]").first).to_have_attribute("src", re.compile("paid=118&supported=118$"))
    expect(page.locator("img[data-card]")).to_have_attribute("src", re.compile("supported=118&.*born_year=1975"))


def test_without_a_network_it_works_out_the_same(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(None)
    page.goto(f"{town.address}/calculator?income=2000000&ground=poor&months=6")
    works_offline(page)
    online = page.locator("main").inner_text()
    with without_network(page):
        page.reload()
        expect(page.locator("[data-offline]")).to_contain_text("theo luật ghi ngày 15/10/2019")
        expect(page.locator(".calc-answer [data-text=a_month]")).to_have_text("393.800\u00a0đ")
        for line in ("2.362.800", "277.200", "30/1/2020"):
            assert (line in page.locator("main").inner_text()) == (line in online)
        page.get_by_role("checkbox", name="Hộ cận nghèo").check()
        expect(page.locator(".calc-weighed")).to_contain_text("Hộ cận nghèo: không tính thêm mức 25%")
        page.get_by_role("checkbox", name="Hộ nghèo").uncheck()
        expect(page.locator(".calc-answer [data-text=a_month]")).to_have_text("401.500\u00a0đ")
        page.goto(f"{town.address}/calculator?income=700000&ground=other&months=1")
        expect(page.locator(".calc-answer [data-text=a_month]")).to_have_text("138.600\u00a0đ")


def test_a_new_law_is_used_once_there_is_a_network_again(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(None)
    page.goto(f"{town.address}/calculator")
    works_offline(page)
    with at(town, IN_2026):
        with without_network(page):
            page.reload()
            expect(page.locator(".calc-answer [data-text=a_month]")).to_have_text("138.600\u00a0đ")
        page.reload()
        expect(page.locator(".calc-answer [data-text=a_month]")).to_have_text("264.000\u00a0đ")
        expect(page.locator("[data-offline]")).to_be_hidden()
        with without_network(page):
            page.goto(f"{town.address}/calculator")
            expect(page.locator("[data-offline]")).to_contain_text("15/7/2026")
            expect(page.locator(".calc-answer [data-text=a_month]")).to_have_text("264.000\u00a0đ")


def test_the_phone_keeps_nothing_of_who_is_signed_in(town: Installation, sign_in: SignIn) -> None:
    page = sign_in("tinhnguyen@bimson.example")
    page.goto(f"{town.address}/calculator")
    works_offline(page)
    page.goto(f"{town.address}/today")
    kept = page.evaluate(
        """async () => { const told = [];
        for (const name of await caches.keys()) for (const one of await (await caches.open(name)).keys()) {
          const { pathname } = new URL(one.url), body = await (await caches.match(one)).text();
          told.push([pathname, body.includes('/today') || body.includes('sign-out') || body.includes('logout')]) }
        return told }"""
    )
    assert {path.split("/")[1] for path, _ in kept} == {"calculator", "static"}
    assert not any(personal for path, personal in kept if path.startswith("/calculator"))
    assert page.evaluate("navigator.serviceWorker.controller") is None
    with without_network(page):
        page.goto("about:blank")
        with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
            page.goto(f"{town.address}/today")


def test_it_prints_one_a5_card_with_ones_own_figures(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(None)
    page.goto(f"{town.address}/calculator?income=1400000&ground=near_poor&months=3")
    page.get_by_role("button", name="Thêm một mức").click()
    expect(page.locator(".calc-card [data-text=a_month]")).to_have_text("280.500\u00a0đ")
    expect(page.locator(".calc-card img")).to_have_attribute("src", re.compile("income=1450000"))
    expect(page.locator(".calc-card img")).to_have_js_property("complete", True)
    card = pdf.read(page.pdf(prefer_css_page_size=True, print_background=True))
    assert [(round(width), round(height)) for width, height in card.sizes] == [A5]
    assert page.locator(".calc-card [data-text=own]").text_content()
    assert page.locator(".calc-card .calc-card-line").count() == 2  # a name, and whom to ask
    assert card.fonts_inside >= card.fonts > 0
    for figure in ("280.500", "1.450.000", "841.500", "115.500", "15/10/2019", "31/12/2019"):
        assert figure in card.text, figure


@pytest.mark.parametrize("language", ["vi", "en"])
def test_nothing_stands_in_the_way(language: str, town: Installation, sign_in: SignIn) -> None:
    page, found = sign_in(None, language=language), []
    page.emulate_media(reduced_motion="reduce")
    for query in (
        "",
        "?income=1500000&ground=poor&months=3&sex=female&born_month=5&born_year=1970&paid=40",
        "?income=5",
    ):
        page.goto(f"{town.address}/calculator{query}")
        for fold in page.locator("details:not([open]) > summary").all():
            if fold.is_visible():
                fold.click()
        for size in (PHONE, DESK):
            page.set_viewport_size(size)
            told = Axe().run(page, options={"resultTypes": ["violations"]})
            found += [(query, size["width"], one["id"], one["nodes"][0]["html"]) for one in told.response["violations"]]
            wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            found += [(query, size["width"], "wide", "")] if wide else []
    assert found == []


def test_at_twice_the_size_nothing_is_lost(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(None, size={"width": 640, "height": 400})  # 1280 × 800 at 200 %
    page.goto(f"{town.address}/calculator")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_keyboard_alone_is_enough_and_a_screen_reader_is_told_once(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(None, size=DESK)
    page.goto(f"{town.address}/calculator")
    expect(page.get_by_role("button", name="Thêm một mức")).to_be_visible()
    page.evaluate(
        """() => { window.told = []; new MutationObserver(() => window.told.push(document.querySelector('[data-status]').textContent))
        .observe(document.querySelector('[data-status]'), { childList: true, characterData: true, subtree: true }) }"""
    )
    page.get_by_label("Mức thu nhập mình chọn").first.focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".calc-answer [data-text=a_month]")).to_have_text("226.600\u00a0đ")
    expect(page.locator("[data-status]")).to_have_text(re.compile("226.600"))
    assert page.evaluate("window.told") == ["Mình đóng 226.600\u00a0đ mỗi tháng."]


def test_the_page_is_light(town: Installation, sign_in: SignIn) -> None:
    first = sign_in(None)
    assert first.context.browser
    cold = first.context.browser.new_context(viewport=PHONE, service_workers="block")
    page = cold.new_page()
    line = cold.new_cdp_session(page)
    line.send("Network.enable")
    names: dict[str, str] = {}
    sizes: dict[str, float] = {}
    line.on("Network.responseReceived", lambda told: names.update({told["requestId"]: told["response"]["url"]}))
    line.on("Network.loadingFinished", lambda told: sizes.update({told["requestId"]: told["encodedDataLength"]}))
    page.goto(f"{town.address}/calculator", wait_until="networkidle")
    cold.close()
    by_name = {names.get(key, key): size for key, size in sizes.items()}
    assert sum(name.endswith(".woff2") for name in by_name) == 2
    assert any("law.json" in name for name in by_name)
    assert any("calculator.js" in name for name in by_name)
    assert sum(by_name.values()) <= (KILOBYTES + HEADERS) * 1024, by_name
    print(f"the calculator: {sum(by_name.values()):.0f} bytes, fonts and headers as well")


def test_without_scripts_the_form_answers(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(None, scripts=False)
    page.goto(f"{town.address}/calculator")
    page.get_by_text("Hộ nghèo", exact=True).click()
    page.get_by_role("button", name="Tính").click()
    expect(page.locator(".calc-answer [data-text=a_month]")).to_have_text("107.800\u00a0đ")
