"""With a keyboard alone, without scripts, on a slow line, through a screen reader, in either language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from babel.messages.pofile import read_po
from playwright.sync_api import Page, expect

from crm.web.language import CATALOGUES
from tests.browser.conftest import DESK, PASSWORD, PHONE, Installation, SignIn
from tests.browser.walks import WALKS, walk

VOLUNTEER = "tinhnguyen@bimson.example"
LISTS = Path(__file__).parents[1] / "data" / "lists"
KILOBYTES_AT_FIRST = 150
VIETNAMESE = re.compile("[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.I)
OWN_WORDS = "main button, legend, th[scope=col], .hint, .bar a, .side nav a, summary:not(.menu > *, .task-who), label:not(.choice), .page-head .button"
"""Where the program speaks by itself, and no name of a person or place can stand."""
EXAMPLES = re.compile("Such as Khu phố 4 or Thôn Đông.|\\bđ\\b")
"""Names that stand in a hint, and the sign of the money."""
EVERYTHING = {"resultTypes": ["violations"]}
BUT_COLOURS = EVERYTHING | {"rules": {"color-contrast": {"enabled": False}}}
"""Colours are the same in both sizes, and slow to judge."""

pytestmark = pytest.mark.browser

FOCUS = """() => { const on = document.activeElement;
  return [on.tagName, on.name || '', (on.innerText || on.value || '').trim()].join('|') }"""
TEXTS = """() => { const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) { const words = walker.currentNode.textContent.trim().replace(/\\s+/g, ' ');
    const holder = walker.currentNode.parentElement;
    if (words && !holder.closest('script, style, [lang]:not(html)')) found.add(words) }
  return [...found] }"""


# ---- the keyboard


def tab_to(page: Page, pattern: str) -> None:
    """Press Tab until the focus stands on what is meant, described as TAG|name|words."""
    passed = []
    for _ in range(80):
        page.keyboard.press("Tab")
        passed.append(page.evaluate(FOCUS))
        if re.search(pattern, passed[-1]):
            return
    pytest.fail(f"{pattern} is never reached by Tab: {passed}")


def test_a_visit_is_logged_with_the_keyboard_alone(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(None, size=DESK)
    page.goto(f"{town.address}/sign-in")
    tab_to(page, r"^INPUT\|email")
    page.keyboard.type(VOLUNTEER)
    tab_to(page, r"^INPUT\|password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/today$"))
    tab_to(page, r"^A\|\|Ghi\s+\w")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert re.search(r"^A\|\|Ghi\s+\w", page.evaluate(FOCUS))  # back where one was
    page.keyboard.press("Enter")
    tab_to(page, r"^BUTTON\|outcome\|Không gặp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Không gặp")
    tab_to(page, r"^BUTTON\|[^|]*\|Xong")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/today$"))


def test_where_one_is_stands_in_sight_in_a_long_menu(town: Installation, sign_in: SignIn) -> None:
    page = sign_in("quanly@bimson.example", size=DESK)
    page.goto(f"{town.address}/people/same")
    here, menu = page.locator(".side nav [aria-current]"), page.locator(".side nav")
    place, around = here.bounding_box(), menu.bounding_box()
    assert place
    assert around
    assert around["y"] <= place["y"]
    assert place["y"] + place["height"] <= around["y"] + around["height"]


# ---- without scripts


def test_a_browser_without_scripts_logs_a_visit(town: Installation, sign_in: SignIn) -> None:
    page = sign_in(VOLUNTEER, scripts=False)
    expect(page).to_have_url(re.compile("/today$"))
    page.locator("article.task").first.get_by_role("link", name=re.compile("^Ghi")).click()
    expect(page).to_have_url(re.compile("/visit$"))
    page.get_by_role("button", name="Còn nghĩ").or_(page.locator("button[value=considering]")).first.click()
    expect(page).to_have_url(re.compile("/visits/"))
    page.get_by_role("button", name="Hoàn tác").click()
    expect(page).to_have_url(re.compile("/visit$"))


def test_a_browser_without_scripts_hands_in_a_list(town: Installation, sign_in: SignIn) -> None:
    page = sign_in("quanly@bimson.example", size=DESK, scripts=False)
    page.goto(f"{town.address}/imports/new")
    page.locator("input[type=file]").set_input_files(LISTS / "danh-sach-phuong-ba-dinh.xlsx")
    page.locator("form[enctype] button[type=submit]").click()
    right = page.get_by_role("button", name="Các cột đã đúng")
    right.click(timeout=30_000)  # the page loads itself again meanwhile
    expect(page.locator(".figures")).to_be_visible(timeout=30_000)


# ---- a slow line


def test_the_first_page_on_a_phone_is_light(town: Installation, sign_in: SignIn) -> None:
    first = sign_in(VOLUNTEER)
    assert first.context.browser
    cold = first.context.browser.new_context(viewport=PHONE, storage_state=first.context.storage_state())
    page = cold.new_page()
    line = cold.new_cdp_session(page)
    line.send("Network.enable")
    arrived: dict[str, float] = {}
    names: dict[str, str] = {}
    line.on("Network.responseReceived", lambda told: names.update({told["requestId"]: told["response"]["url"]}))
    line.on("Network.loadingFinished", lambda told: arrived.update({told["requestId"]: told["encodedDataLength"]}))
    page.goto(f"{town.address}/today", wait_until="networkidle")
    by_name = {names.get(key, key): size for key, size in arrived.items()}
    cold.close()
    assert any(name.endswith(".css") or ".css?" in name for name in by_name)
    assert sum(by_name.values()) <= KILOBYTES_AT_FIRST * 1000, by_name


# ---- a screen reader


@pytest.mark.parametrize("who", WALKS)
def test_nothing_stands_in_the_way_of_a_screen_reader(who: str, town: Installation, sign_in: SignIn) -> None:
    identity, addresses = WALKS[who]
    page = sign_in(identity, size=PHONE)
    page.emulate_media(reduced_motion="reduce")
    found = []
    for address in walk(page, town, addresses):
        for size in (PHONE, DESK):
            page.set_viewport_size(size)
            told = Axe().run(page, options=EVERYTHING if size is PHONE else BUT_COLOURS)
            found += [
                (address, size["width"], one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"])
                for one in told.response["violations"]
            ]
    assert found == []


# ---- either language


def catalogue() -> Iterable[tuple[str, str]]:
    """Each text in English and in Vietnamese."""
    for source in CATALOGUES.glob("vi/LC_MESSAGES/*.po"):
        with source.open("rb") as text:
            for message in read_po(text):
                here = (message.id if isinstance(message.id, tuple) else (message.id,))[-1]
                there = (message.string if isinstance(message.string, tuple) else (message.string,))[-1]
                if here and there and here != there:
                    yield str(here), str(there)


def pattern(text: str) -> str:
    """Matches the text whatever stands in its places; the pieces between them must be words."""
    return r".+".join(re.escape(piece) for piece in re.split(r"%\(\w+\)s", " ".join(text.split())))


def is_telling(text: str) -> bool:
    """Long enough, by its own words, not to be somebody's name."""
    return len(re.sub(r"%\(\w+\)s|\W", "", text)) >= 6


def left_over(seen: set[str], texts: Iterable[str], never: set[str]) -> list[str]:
    wrong = re.compile("|".join(sorted({pattern(text) for text in texts if is_telling(text)})))
    return sorted(words for words in seen if wrong.fullmatch(words) and words not in never)


@pytest.mark.parametrize("who", WALKS)
@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_page_speaks_one_language(language: str, who: str, town: Installation, sign_in: SignIn) -> None:
    identity, addresses = WALKS[who]
    page, wrong = sign_in(identity, size=DESK, language=language), []
    pairs = list(catalogue())
    english, vietnamese = {one for one, _ in pairs}, {other for _, other in pairs}
    for address in walk(page, town, addresses):
        seen = set(page.evaluate(TEXTS))
        expect(page.locator("html")).to_have_attribute("lang", language)
        others, own = (vietnamese, english) if language == "en" else (english, vietnamese)
        wrong += [(address, words) for words in left_over(seen, others, own)]
        if language == "en":
            spoken = page.locator(OWN_WORDS).all_inner_texts()
            wrong += [(address, words) for words in spoken if VIETNAMESE.search(EXAMPLES.sub("", words))]
    assert wrong == []


STICKING_OUT = """() => [...document.querySelectorAll(".table-cards td > span")].filter((one) =>
    one.getBoundingClientRect().right > one.closest("tr").getBoundingClientRect().right).map((one) => one.textContent)"""


@pytest.mark.parametrize("who", WALKS)
@pytest.mark.parametrize("language", ["en", "vi"])
def test_headings_go_down_step_by_step_and_nothing_sticks_out_of_the_phone(
    language: str, who: str, town: Installation, sign_in: SignIn
) -> None:
    identity, addresses = WALKS[who]
    page, wide, leaps = sign_in(identity, size=PHONE, language=language), [], []
    for address in walk(page, town, addresses):
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(address)
        wide += [f"{address}: {words}" for words in page.evaluate(STICKING_OUT)]
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(one => Number(one.tagName[1]))")
        if any(after > before + 1 for before, after in pairwise(levels)):
            leaps.append((address, levels))
    assert (wide, leaps) == ([], [])
