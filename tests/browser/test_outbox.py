"""The network is cut at the door: what a volunteer taps is kept on the phone and arrives once, later."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Installation, SignIn

VOLUNTEER = "0912 000 119"
ANOTHER = "tinhnguyen@bimson.example"

pytestmark = pytest.mark.browser


def kept(page: Page) -> int:
    return int(page.evaluate("JSON.parse(localStorage.getItem('outbox') ?? '[]').length"))


def test_a_visit_logged_on_today_without_a_network_is_kept_and_sent_once(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(VOLUNTEER)
    task = page.locator("article.task:not(.task-folded)").first
    name, person = task.locator("h2 a").inner_text(), task.locator("h2 a").get_attribute("href")
    page.context.set_offline(True)
    task.get_by_role("link", name=re.compile("^Ghi ")).click()
    page.get_by_role("dialog").get_by_role("button", name="Quan tâm").click()
    expect(task.locator(".outbox-kept")).to_contain_text("Đã lưu trên máy này: Quan tâm")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(task.get_by_role("link", name=re.compile("^Ghi "))).to_have_count(0)
    expect(page.locator("#outbox [data-outbox-count]")).to_have_text("1")
    assert page.url.endswith("/today"), "no error page of the browser"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    with page.expect_navigation():
        page.context.set_offline(False)
    expect(page.locator("#outbox")).to_be_hidden()
    assert kept(page) == 0
    expect(page.locator(f"article.task a[href='{person}']")).to_have_count(0)
    page.goto(f"{town.address}/mine")
    expect(page.locator("main li", has_text=name).filter(has_text="Quan tâm")).to_have_count(1)


def test_a_network_that_says_it_is_there_and_is_not_loses_nothing(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(VOLUNTEER)
    task = page.locator("article.task:not(.task-folded)").first
    address = task.get_by_role("link", name=re.compile("^Ghi ")).get_attribute("href")
    page.goto(f"{town.address}{address}")
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('no network')); }")
    page.get_by_role("button", name="Còn nghĩ").click()
    expect(page.locator(".outbox-kept")).to_contain_text("Đã lưu trên máy này: Còn nghĩ")
    expect(page.locator("form[data-outbox]")).to_be_hidden()
    page.goto(f"{town.address}/mine")
    expect(page.locator("#outbox")).to_be_hidden()
    assert kept(page) == 0
    page.reload()
    expect(page.get_by_text("Còn nghĩ").first).to_be_visible()


def test_whoever_signs_in_after_them_on_the_same_phone_sends_nothing_of_theirs(
    town: Installation, sign_in: SignIn
) -> None:
    page = sign_in(ANOTHER)
    page.evaluate(
        """localStorage.setItem('outbox', JSON.stringify([{user: 'somebody else', action: '/people/x/visit',
        client_id: 'x', outcome: 'agreed', word: 'Đồng ý', kept: '2019-10-15', day: '2019-10-15'}]))"""
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#outbox")).to_be_hidden()
    assert asked == []
    assert kept(page) == 1


def test_what_the_program_does_not_take_is_said_and_forgotten_only_when_told_so(
    town: Installation, sign_in: SignIn
) -> None:
    page = sign_in(ANOTHER)
    user = page.locator("#outbox").get_attribute("data-user")
    href = page.locator("article.task h2 a").first.get_attribute("href")
    page.evaluate(
        """([user, action]) => localStorage.setItem('outbox', JSON.stringify([{user, action, client_id: 'nonsense',
        outcome: 'agreed', word: 'Đồng ý', kept: '2019-10-15', day: '2019-10-15'}]))""",
        [user, f"{href}/visit"],
    )
    page.reload()
    told = page.locator(".outbox-refused")
    expect(told).to_contain_text("chưa được nhận: Đồng ý")
    page.reload()
    expect(told).to_have_count(1)
    expect(told.get_by_role("link")).to_have_attribute("href", f"{href}/visit")
    told.get_by_role("button").click()
    expect(told).to_have_count(0)
    assert kept(page) == 0
