"""A company promises money on the public page; the treasurer books what came and gives it to a poor household's months."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Installation, SignIn
from tests.browser.test_giving import confirming_link

TREASURER = "thuquy1@bimson.example"
COMPANY = "Công ty Gạch Ngói Tam Điệp"
MAILBOX = "ketoan@gachngoi.example.vn"

pytestmark = pytest.mark.browser


def test_a_promise_becomes_months_of_somebody_whose_name_the_sponsor_never_reads(
    town: Installation, sign_in: SignIn
) -> None:
    phone = sign_in(None, size=PHONE, language="en")
    phone.goto(f"{town.address}/sponsor")
    phone.get_by_text("Give an amount").click()
    phone.get_by_text("Company", exact=True).click()
    phone.locator("input#amount").fill("1.000.000")
    expect(phone.locator("[data-buys]")).to_contain_text("1,000,000")
    phone.locator("input#name").fill(COMPANY)
    phone.locator("input#email").fill(MAILBOX)
    phone.get_by_role("button", name="Register my contribution").click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text("One more step")
    phone.goto(confirming_link(phone, town, MAILBOX))
    phone.get_by_role("button", name="Yes, I confirm").click()
    expect(phone).to_have_url(re.compile("/s/[^/]+$"))
    expect(phone.get_by_role("img", name=re.compile("QR of the transfer"))).to_be_visible()
    expect(phone.locator(".qr-box svg")).to_be_visible()
    letter = phone.url

    desk = sign_in(TREASURER, size=DESK, language="en")
    desk.goto(f"{town.address}/sponsors?q=gach ngoi tam diep")
    desk.locator("tbody").get_by_role("link", name=COMPANY).first.click()
    sponsor = desk.url
    desk.get_by_role("link", name="Record a receipt").click()
    desk.locator("input[name=amount]").fill("600.000")
    desk.locator("input[name=received_on]").fill("2019-10-15")
    desk.locator("input[name=reference]").fill("FT19288000001")
    desk.get_by_role("button", name="Record the receipt").click()
    expect(desk.locator(".figures")).to_contain_text("600,000")

    desk.goto(sponsor)
    desk.get_by_role("link", name="Help someone").click()
    first = desk.locator("tbody tr", has_text="Poor").first.get_by_role("link").first
    helped, page_of_help = first.inner_text(), first.get_attribute("href")
    first.click()
    desk.locator("select[name=months]").select_option("6")
    desk.get_by_role("button", name="Work it out").click()
    expect(desk.get_by_text("This is more than what is left. Choose fewer months.")).to_be_visible()
    desk.get_by_role("button", name=re.compile("^Set aside 646,800")).click()
    expect(desk.get_by_role("alert")).to_contain_text("more than")
    desk.goto(f"{town.address}{page_of_help}")
    desk.locator("select[name=months]").select_option("3")
    desk.get_by_role("button", name="Work it out").click()
    desk.get_by_role("button", name=re.compile("^Set aside 323,400")).click()
    expect(desk.locator("tbody tr", has_text=helped).first).to_contain_text("Set aside")
    expect(desk.locator(".figures")).to_contain_text("276,600")  # not yet used
    desk.get_by_role("link", name=helped).first.click()
    call = desk.locator("a[href^='tel:']")
    number = (call.first.get_attribute("href") or "")[-9:] if call.count() else None

    phone.goto(letter)
    expect(phone.get_by_role("heading", level=1)).to_contain_text("323,400")
    told = phone.locator("main").inner_text()
    assert re.search(r"1 (person|people) in .*: 3 months", told)
    assert helped not in phone.content()
    assert number is None or number not in re.sub(r"\D", "", told)
