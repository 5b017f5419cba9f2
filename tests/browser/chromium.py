"""Finds a Chromium for the browser tests, or gets one: Playwright's own, else (as root) the system's package.

`python -m tests.browser.chromium` prepares it; `find()` answers where it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find() -> str | None:
    """The path of a Chromium that is here, or None."""
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def get() -> str | None:
    """Install one when none is here."""
    found = find()
    if found:
        return found
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with suppress(subprocess.TimeoutExpired):  # where its download is blocked, the system's package is next
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False, timeout=180, **quiet)
    found = find()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=env, **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False, env=env, **quiet)
        found = find()
    return found


if __name__ == "__main__":
    if get() is None:
        sentence = "No Chromium could be had: the browser tests are skipped."
        print(sentence, file=sys.stderr)
        sys.exit(1 if os.environ.get("REQUIRE_BROWSER") else 0)
