"""Draws the README's pictures: starts the demo town, opens its pages in Chromium, writes docs/screenshots."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ARGUMENTS, get
from tests.browser.conftest import DESK, PASSWORD, PHONE, free_port

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "screenshots"

PICTURES: tuple[tuple[str, str | None, str, dict[str, int], str], ...] = (
    ("dashboard", "quanly@bimson.example", "/dashboard", DESK, "vi"),
    ("today", "tinhnguyen@bimson.example", "/today", PHONE, "vi"),
    ("people", "quanly@bimson.example", "/people", DESK, "vi"),
    ("import", "quanly@bimson.example", "/imports", DESK, "vi"),
    ("calculator", None, "/calculator", PHONE, "vi"),
    ("sponsor", None, "/sponsor", PHONE, "vi"),
    ("dashboard-en", "quanly@bimson.example", "/dashboard", PHONE, "en"),
)
"""Name, who looks, address, size, language."""


@contextmanager
def demo_town() -> Iterator[str]:
    """`crm up --demo` for as long as it is held; answers its address."""
    folder = tempfile.mkdtemp(prefix="ansinh-pictures-", dir="/var/tmp")
    port = free_port()
    argv = [str(Path(sys.executable).with_name("crm")), "up", "--demo", "--port", str(port), "--data-dir", folder]
    process = subprocess.Popen(argv, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if re.search("Ctrl-C", line):
            break
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def draw(
    browser: Browser, address: str, name: str, who: str | None, path: str, size: dict[str, int], lang: str
) -> None:
    context = browser.new_context(viewport=size, device_scale_factor=1.5 if size is PHONE else 1, locale="vi-VN")  # type: ignore[arg-type]
    page = context.new_page()
    if lang != "vi":
        page.goto(f"{address}/language/{lang}?next=/healthz")
    if who:
        page.goto(f"{address}/sign-in")
        page.get_by_role("textbox").first.fill(who)
        page.locator("input[type=password]").fill(PASSWORD)
        page.locator("form button[type=submit]").last.click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto(address + path)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=str(TARGET / f"{name}.png"))
    context.close()


def main() -> None:
    chromium = get()
    if chromium is None:
        raise SystemExit("No Chromium is here and none could be had.")
    TARGET.mkdir(parents=True, exist_ok=True)
    with demo_town() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for name, who, path, size, language in PICTURES:
            draw(browser, address, name, who, path, size, language)
            print(f"docs/screenshots/{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
