"""A promotion leaves in a file for the domestic gateway; its result file comes back, and every sum is exact."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Installation, SignIn
from tests.browser.test_campaigns import made
from tests.browser.test_visits import fits

ORGANISER = "totchuc@bimson.example"
MANY, LOST, SILENT = 5, 2, 1
"""So many agree to promotions; so many of the file's messages could not be delivered; of so many the gateway says nothing."""

pytestmark = pytest.mark.browser


@pytest.fixture
def with_gateway(town: Installation, sign_in: SignIn) -> Iterator[Page]:
    """A desk of a town that uses the domestic gateway; afterwards it does not again."""
    page = sign_in(ORGANISER, size=DESK)
    uses_gateway(page, town, True)
    earlier_file(page, town)
    yield page
    uses_gateway(page, town, False)


def uses_gateway(page: Page, town: Installation, whether: bool) -> None:
    page.goto(f"{town.address}/messages/files/ways")
    page.locator("input[name=brandname]").set_checked(whether)
    page.locator("main form button[type=submit]").click()
    expect(page).to_have_url(re.compile("/messages/files$"))


def earlier_file(page: Page, town: Installation) -> None:
    """What the town had waiting already goes into a file of its own."""
    page.goto(f"{town.address}/messages/files")
    waiting = page.get_by_role("button", name=re.compile("^Tạo tệp gồm"))
    if waiting.count():
        waiting.first.click()
        expect(page.get_by_role("link", name="Tải tệp về")).to_be_visible()


def test_a_promotion_goes_out_in_a_file_and_its_results_come_back(
    town: Installation, sign_in: SignIn, with_gateway: Page, tmp_path: Path
) -> None:
    desk = with_gateway
    here = made(desk, town, "Giới thiệu BHXH tự nguyện", purpose="promotion", place="Phường Ba Đình")
    some_agree(desk, town, here, MANY)
    desk.goto(f"{here}/when")
    desk.get_by_role("button", name="Rà soát mọi người").click()
    many = figure(desk, ".preflight .figure-number")
    assert many >= MANY
    desk.get_by_role("button", name=re.compile("^Gửi .* tin, .* đoạn")).click()
    expect(desk).to_have_url(here)
    lines, file_page = taken_away(desk, town, many)
    results = answered(lines, tmp_path / "ket-qua.csv")
    hand_back(desk, file_page, results)
    settled = len(lines) - SILENT
    assert figures(desk)[:3] == [settled, 0, 1], "told something new, known already, about nothing of ours"
    desk.goto(file_page)
    assert figures(desk) == [len(lines), SILENT, settled - LOST, LOST], "in the file, no result, sent, not delivered"
    desk.goto(here)
    assert figures(desk)[:4] == [len(lines), settled - LOST, LOST, 0], "sent, reached, could not be delivered, waiting"
    again(desk, file_page, results)
    phone = sign_in(ORGANISER, size=PHONE)
    for page in (f"{town.address}/messages/files", file_page, here):
        phone.goto(page)
        assert fits(phone)


def some_agree(page: Page, town: Installation, here: str, many: int) -> None:
    """Let so many whom the campaign leaves out say on paper that promotions are welcome."""
    page.goto(f"{here}/preflight?problem=no_consent")
    rows = page.locator("tbody th").get_by_role("link").all()
    for address in [row.get_attribute("href") for row in rows[:many]]:
        page.goto(f"{town.address}{address}/consent")
        page.locator("select[name=purpose]").select_option("promotion")
        page.locator("select[name=given]").select_option("yes")
        page.locator("input[name=words]").fill("Phiếu đồng ý nhận tin, ký tại nhà văn hóa")
        page.get_by_role("button", name="Lưu câu trả lời").click()
        expect(page.locator("main .tag", has_text="Đồng ý").first).to_be_visible()


def figure(page: Page, which: str) -> int:
    return int(re.sub(r"\D", "", page.locator(which).first.inner_text()))


def figures(page: Page) -> list[int]:
    """The figures of a page, in their order."""
    shown = page.locator("main .figure-number")
    expect(shown.first).to_be_visible()
    return [int(re.sub(r"\D", "", text) or 0) for text in shown.all_inner_texts()]


def taken_away(page: Page, town: Installation, many: int) -> tuple[list[dict[str, str]], str]:
    """Have the file made and take it away: its lines, and its page."""
    page.goto(f"{town.address}/messages/files")
    page.get_by_role("button", name=f"Tạo tệp gồm {many} tin").click()
    link = page.get_by_role("link", name="Tải tệp về")
    expect(link).to_be_visible()
    file_page = page.url
    with page.expect_download() as coming:
        link.click()
    lines = list(csv.DictReader(io.StringIO(coming.value.path().read_text("utf-8-sig"))))
    assert len(lines) == many
    assert len({line["phone"] for line in lines}) == many, "each number stands in it once"
    assert all(line["message"].startswith("[QC]") and "/o/" in line["message"] for line in lines)
    return lines, file_page


def answered(lines: list[dict[str, str]], to: Path) -> Path:
    """The gateway's own file: most delivered, some not, one not told, and one that is not ours."""
    rows = [(line["request_id"], line["phone"], "Thành công") for line in lines]
    rows[:LOST] = [(reference, phone, "Thất bại") for reference, phone, _ in rows[:LOST]]
    rows[-SILENT:] = [("AS999-1", "84900000000", "Thành công")]
    with to.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out).writerows([("Mã yêu cầu", "Số điện thoại", "Trạng thái"), *rows])
    return to


def hand_back(page: Page, file_page: str, results: Path) -> None:
    """Hand the results back; columns and words are recognised and confirmed."""
    page.goto(file_page)
    page.get_by_role("link", name="Nộp kết quả").click()
    page.locator("input[type=file]").set_input_files(results)
    page.locator("main form button[type=submit]").click()
    page.get_by_role("button", name=re.compile("nạp kết quả")).click()


def again(page: Page, file_page: str, results: Path) -> None:
    """The same file twice changes nothing and says so."""
    page.goto(file_page)
    before = figures(page)
    page.get_by_role("link", name="Nộp kết quả").click()
    page.locator("input[type=file]").set_input_files(results)
    page.locator("main form button[type=submit]").click()
    expect(page.locator(".banner").first).to_be_visible()
    page.goto(file_page)
    assert figures(page) == before
