"""On a phone: what it buys is told while one chooses, a mistake is told at once, and the QR on the page pays the promise."""

from __future__ import annotations

import re
import struct
import zlib

import pytest
import zxingcpp
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Installation, SignIn

pytestmark = pytest.mark.browser
FAMILY = "Gia đình ông Lê Quang Sáng"
MAILBOX = "sang@example.vn"


def grey(png: bytes) -> memoryview:
    """A screenshot as a grey picture: what a camera would see (PNG of 8 bits, not interlaced, as browsers write it)."""
    width, height, _depth, kind = struct.unpack(">IIBB", png[16:26])
    colours = {2: 3, 6: 4}[kind]
    packed, place = b"", 8
    while place < len(png):
        size, name = struct.unpack(">I4s", png[place : place + 8])
        packed += png[place + 8 : place + 8 + size] if name == b"IDAT" else b""
        place += size + 12
    raw, line, seen = zlib.decompress(packed), width * colours, bytearray()
    above = bytearray(line)
    for row in range(height):
        how, now = raw[row * (line + 1)], bytearray(raw[row * (line + 1) + 1 : (row + 1) * (line + 1)])
        for at in range(line):
            left, corner = (now[at - colours], above[at - colours]) if at >= colours else (0, 0)
            now[at] = (now[at] + predicted(how, left, above[at], corner)) & 255
        seen += now[::colours]
        above = now
    return memoryview(bytes(seen)).cast("B", shape=[height, width])


def predicted(how: int, left: int, above: int, corner: int) -> int:
    """What a filter of PNG expects of a byte."""
    if how < 4:
        return (0, left, above, (left + above) // 2)[how]
    guess = left + above - corner
    return min((left, above, corner), key=lambda one: abs(guess - one))


def read_qr(page: Page) -> str:
    [found] = zxingcpp.read_barcodes(grey(page.locator(".pay-qr").screenshot()))
    return str(found.text)


def test_a_family_carries_a_neighbour_from_a_phone(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(None, size=PHONE, language="en")
    page.goto(f"{town.address}/sponsor")
    told = page.locator("[data-buys]")
    page.locator("input[name=months][value='3']").check()
    expect(told).to_contain_text("323,400")
    expect(told).to_contain_text("for 3 months")
    page.locator("input#people").fill("2")
    expect(told).to_contain_text("646,800")
    page.get_by_text("Every month").click()
    expect(told).to_contain_text("in 3 transfers of 215,600")
    expect(page.locator("input[name=amount]").first).to_be_hidden()
    page.locator("input#name").fill(FAMILY)
    page.locator("input#email").fill("sang@")
    page.locator("input#phone").click()
    expect(page.locator("#email-error")).to_contain_text("no e-mail address")
    page.locator("input#email").fill(MAILBOX)
    page.locator("input#phone").click()
    expect(page.locator("#email-error")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_role("button", name="Register my contribution").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("One more step")

    link = confirming_link(page, town, MAILBOX)
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Is this right?")
    page.get_by_role("button", name="Yes, I confirm").click()
    expect(page).to_have_url(re.compile("/s/[^/]+$"))

    page.goto(f"{town.address}/sandbox/mail?to={MAILBOX}")
    page.get_by_role("link", name="Thank you for your promise").first.click()
    page.locator("a[href*='/sponsor/pay/']").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("215,600")
    text, code = read_qr(page), page.locator(".pay-parts strong").inner_text()
    assert f"0810{code}6304" in text
    assert "5406215600" in text
    assert page.locator("[data-copy]").first.get_attribute("data-copy") in text


def confirming_link(page: Page, town: Installation, mailbox: str) -> str:
    """The link in the mail that waits in the trial mailbox."""
    page.goto(f"{town.address}/sandbox/mail?to={mailbox}")
    page.get_by_role("link", name="Please confirm your contribution").first.click()
    return page.locator("a[href*='/sponsor/confirm/']").get_attribute("href") or ""
