"""Which pages are walked through to judge how they look, read and answer to everybody."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.browser.conftest import Installation

PUBLIC = (None, ("/sign-in", "/calculator", "/sponsor", "/fund", "/verify", "/where-to-pay"))
SPONSOR = ("nhahaotam@bimson.example", ("/my-giving",))
VOLUNTEER = ("tinhnguyen@bimson.example", ("/today", "/record", "/mine", "/people/new", "PERSON", "PERSON/visit"))
MANAGER = (
    "quanly@bimson.example",
    (
        "/dashboard",
        "/forecast",
        "/reporting",
        "/emulation",
        "/people?q=nguyen",
        "/assign",
        "/visits",
        "/participation",
        "/imports",
        "/imports/new",
        "/targets",
        "/sponsors",
        "/campaigns",
        "/messages",
        "/law",
        "PERSON/particulars",
        "PERSON/consent",
        "PERSON/enrol",
    ),
)
WALKS = {"public": PUBLIC, "sponsor": SPONSOR, "volunteer": VOLUNTEER, "manager": MANAGER}


def walk(page: Page, town: Installation, addresses: tuple[str, ...]) -> Iterator[str]:
    """Open one page after the other; PERSON is whoever stands first in the list of people."""
    person = ""
    if any(address.startswith("PERSON") for address in addresses):
        page.goto(f"{town.address}/people?stage=interested")
        person = page.locator("main a.person-card").first.get_attribute("href") or ""
        assert person
    for address in addresses:
        page.goto(town.address + address.replace("PERSON", person))
        yield address
