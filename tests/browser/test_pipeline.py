"""The way to taking part, as it comes out of the printer."""

from __future__ import annotations

from playwright.sync_api import ViewportSize

from tests.browser.conftest import DESK, Installation, SignIn

WITHIN_THE_MARGINS: ViewportSize = {"width": 680, "height": 1_000}
"""Of a sheet of A4, in points of the screen: 180 mm."""


def test_every_month_of_the_cohorts_stands_inside_the_printed_page(town: Installation, sign_in: SignIn) -> None:
    page = sign_in("quanly@bimson.example", size=DESK)
    page.goto(f"{town.address}/pipeline")
    page.emulate_media(media="print")
    page.set_viewport_size(WITHIN_THE_MARGINS)
    box = page.locator(".many-columns .table-box")
    box_wide, table_wide = box.evaluate("box => [box, box.querySelector('table')].map(one => one.offsetWidth)")
    assert 0 < table_wide <= box_wide, "the last column is cut off"
