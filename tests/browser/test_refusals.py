"""Somebody wants no more messages: one tap at the door, a call to the office, and the way back only with proof."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Installation, SignIn

VOLUNTEER = "tinhnguyen@bimson.example"
ORGANISER = "totchuc@bimson.example"

pytestmark = pytest.mark.browser


def test_one_tap_at_the_door_and_back_with_proof(town: Installation, sign_in: SignIn) -> None:
    phone = sign_in(VOLUNTEER, size=PHONE, language="en")
    phone.goto(f"{town.address}/people?phone=yes")
    phone.locator("main a[href^='/people/']").filter(has_not_text=re.compile("Add|Load")).first.click()
    phone.wait_for_url(re.compile(r"/people/[0-9a-f-]{36}$"))
    person = phone.url
    phone.goto(f"{person}/consent")
    refuse = phone.get_by_role("button", name="Wants no more messages")
    if not refuse.count():
        pytest.skip("this person of the demo town has no mobile number or refuses already")
    phone.goto(f"{person}/visit")
    phone.get_by_role("button", name="Wants no more messages").click()
    expect(phone.get_by_text("gets no more of these messages")).to_be_visible()
    assert phone.get_by_role("button", name="Wants no more messages").count() == 0
    phone.get_by_role("link", name=re.compile("All of this number")).click()
    expect(phone.get_by_text("Wants none").first).to_be_visible()
    phone.get_by_text("They agree again", exact=True).click()
    phone.locator("input[name=words]").last.fill("Bấm nhầm, bà vẫn đồng ý")
    phone.get_by_role("button", name="Keep the proof").click()
    expect(phone.get_by_text("Kept with its proof")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_call_to_the_office_holds_for_any_number(town: Installation, sign_in: SignIn) -> None:
    desk = sign_in(ORGANISER, size=DESK, language="en")
    desk.goto(f"{town.address}/hotline")
    desk.locator("input[name=number]").fill("chín một hai")
    desk.get_by_role("button", name="No more messages to this number").click()
    expect(desk.locator(".error-summary")).to_be_visible()
    desk.locator("input[name=number]").fill("(+84) 986.000.111")
    desk.locator("input[name=words]").fill("The daughter called")
    desk.get_by_role("button", name="No more messages to this number").click()
    expect(desk.get_by_role("heading", level=1, name="0986 000 111")).to_be_visible()
    expect(desk.get_by_text("Nobody in the register")).to_be_visible()
    expect(desk.get_by_text("The daughter called").first).to_be_visible()
