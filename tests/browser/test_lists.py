"""A manager hands in the lists the wards keep, looks at what was found, and loads the people."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, Installation, SignIn

LISTS = Path(__file__).parents[1] / "data" / "lists"
BA_DINH = LISTS / "danh-sach-phuong-ba-dinh.xlsx"
DONG_SON = LISTS / "hoi-phu-nu-phuong-dong-son.csv"
MANAGER = "quanly@bimson.example"

pytestmark = pytest.mark.browser


def told_by(file: Path) -> dict[str, Any]:
    """What a careful clerk makes of the list."""
    answer: dict[str, Any] = json.loads(file.with_suffix(".expected.json").read_text("utf-8"))
    return answer


def hand_in(page: Page, town: Installation, file: Path, ward: str | None = None) -> None:
    page.goto(f"{town.address}/imports/new")
    page.locator("input[type=file]").set_input_files(file)
    if ward:
        page.get_by_label(re.compile("^Ward")).select_option(ward)
    page.get_by_role("button", name="Read the list").click()


def figures(page: Page) -> dict[str, int]:
    """The figures of the preview by their words, once the columns are found right."""
    page.get_by_role("button", name="The columns are right").click(timeout=30_000)
    expect(page.locator(".figures")).to_be_visible(timeout=30_000)
    found = {}
    for figure in page.locator(".figures > *").all():
        number = figure.locator(".figure-number").inner_text().replace(",", "").replace(".", "")
        found[figure.locator(".figure-label").inner_text()] = int(number)
    return found


def load(page: Page, people: int) -> None:
    page.get_by_role("button", name=f"Load {people} people").click()
    expect(page.get_by_text(f"{people} people were added.")).to_be_visible(timeout=30_000)


def test_a_ward_hands_in_its_workbook_as_it_is(town: Installation, sign_in: SignIn) -> None:
    expected, page = told_by(BA_DINH), sign_in(MANAGER, size=DESK, language="en")
    people, aside, rejected = (len(expected[key]) for key in ("people", "duplicates", "rejected"))

    hand_in(page, town, BA_DINH)
    page.reload()  # whoever looks again in the middle finds the same list, further on
    expect(page.get_by_text("was written in TCVN3 letters; converted")).to_be_visible(timeout=30_000)
    assert figures(page) == {
        "new people": people,
        "here already": 0,
        "set aside for a decision": aside,
        "rejected, to be mended": rejected,
    }

    page.get_by_role("link", name=f"Rejected ({rejected})").click()
    expect(page.get_by_role("link", name=f"Rejected ({rejected})")).to_have_attribute("aria-current", "page")
    for row in expected["rejected"]:
        line = page.get_by_role("row", name=f"{row['sheet']}, {row['row']} ")
        why = line.locator("td").first
        expect(why).to_contain_text("name" if row["why"] == "no name" else "2031")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download the rows to mend").click()
    workbook = load_workbook(BytesIO(Path(downloading.value.path()).read_bytes()))
    kept = [str(cell) for sheet in workbook for row in sheet.iter_rows(values_only=True) for cell in row if cell]
    for row in expected["rejected"]:
        assert any(row["sheet"] in cell and str(row["row"]) in cell for cell in kept)

    load(page, people)
    one = expected["people"][0]
    page.get_by_role("searchbox").fill(one["full_name"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("People found")
    page.locator("main a.person-card", has_text=one["full_name"]).filter(has_text="Ba Đình").first.click()
    expect(page.get_by_role("heading", level=1, name=one["full_name"])).to_be_visible()

    hand_in(page, town, BA_DINH)
    again = figures(page)
    assert (again["new people"], again["here already"]) == (0, people)
    expect(page.get_by_text("This same file was loaded already")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Load "))).to_have_count(0)


def test_the_womens_union_hands_in_its_list_and_says_the_ward(town: Installation, sign_in: SignIn) -> None:
    expected, page = told_by(DONG_SON), sign_in(MANAGER, size=DESK, language="en")
    people = len(expected["people"])
    before = json.loads(
        town.crm("import", "prospects", str(DONG_SON), "--place", "14821", "--dry-run", "--json")
    )  # beside the running town
    hand_in(page, town, DONG_SON, ward=expected["ward"])
    found = figures(page)
    assert (found["new people"], found["rejected, to be mended"]) == (people, 0)
    assert (before["valid"], before["rejected"], before["duplicates"]) == (people, 0, 0)
    load(page, people)
    after = json.loads(town.crm("import", "prospects", str(DONG_SON), "--place", "14821", "--json"))
    assert (after["created"], after["updated"], after["unchanged"]) == (0, 0, people)


def test_a_list_without_its_ward_asks_for_it_and_goes_on(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(MANAGER, size=DESK, language="en")
    hand_in(page, town, DONG_SON)
    choice = page.get_by_label(re.compile("ward", re.I)).first
    expect(choice).to_be_visible(timeout=30_000)


def test_a_picture_is_refused_with_one_sentence(town: Installation, sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in(MANAGER, size=DESK, language="en")
    picture = tmp_path / "photo.xlsx"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    page.goto(f"{town.address}/imports/new")
    page.locator("input[type=file]").set_input_files(picture)
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.get_by_role("button", name="Read the list").click()
    assert answered.value.status in (303, 422)
    expect(page.get_by_role("alert").or_(page.get_by_text("cannot be read"))).to_be_visible(timeout=30_000)
