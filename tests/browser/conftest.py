"""A whole installation with the demo town, as `make run` starts it, and a real Chromium to use it with."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, find

PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 800}
CRM = Path(sys.executable).with_name("crm")
PASSWORD = "bimson2019"
PATIENCE = 15_000
"""Milliseconds a page may take on a busy machine before a test gives up."""
STARTING = 600
"""Seconds a new town may take to come up on a busy machine."""
REFUSED = re.compile(r"status of (409|412|422) ")
"""What the browser says of a form that was sent back with a sentence: no complaint."""

expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Installation:
    """A running town: where it is, where its SMS sandbox is, and where its data are."""

    address: str
    sandbox: str
    data_dir: Path

    def crm(self, *arguments: str) -> str:
        """Run a command beside the running town; answers what it printed."""
        done = subprocess.run(
            [str(CRM), *arguments],
            env={**os.environ, "CRM_DATA_DIR": str(self.data_dir)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def free_port() -> int:
    with closing(socket.socket()) as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@pytest.fixture(scope="package")
def town() -> Iterator[Installation]:
    """`crm up --demo` on a data directory of its own; or, to write a story, one that is up: TOWN="URL SANDBOX DIR"."""
    if os.environ.get("TOWN"):
        address, sandbox_address, data_dir = os.environ["TOWN"].split()
        yield Installation(address, sandbox_address, Path(data_dir))
        return
    folder = Path(tempfile.mkdtemp(prefix="ansinh-town-", dir="/var/tmp"))
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("CRM_", "DATABASE_", "REDIS_"))}
    process = subprocess.Popen(
        [str(CRM), "up", "--demo", "--port", str(port), "--data-dir", str(folder)],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    impatience = threading.Timer(STARTING, process.kill)
    impatience.start()
    printed = ""
    assert process.stdout is not None
    for line in process.stdout:
        printed += line
        if "Ctrl-C" in line:
            break
    impatience.cancel()
    sandbox = re.search(r"SMS sandbox.*(http://\S+)/phone", printed)
    assert sandbox, f"the town did not start:\n{printed}"
    yield Installation(f"http://127.0.0.1:{port}", sandbox[1], folder)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium for one file: as long as it runs it holds this thread's loop, so that tests after it could run none."""
    path = find()
    if path is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("No Chromium is here and none could be had.")
        pytest.skip("No Chromium is here and none could be had.")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(town: Installation, browser: Browser) -> Iterator[SignIn]:
    """`sign_in("quanly@bimson.example", size=PHONE)`: a page of that person, after the real sign-in form.

    Whatever the browser complains of (scripts, content policy, missing files) fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not REFUSED.search(message.text):
            complaints.append(f"{message.text} {message.location['url']}")

    def open_page(
        identity: str | None, *, size: ViewportSize = PHONE, language: str = "vi", scripts: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport=size, locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh", java_script_enabled=scripts
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if language != "vi":
            page.goto(f"{town.address}/language/{language}?next=/sign-in")
        if identity:
            page.goto(f"{town.address}/sign-in")
            page.get_by_role("textbox").first.fill(identity)
            page.locator("input[type=password]").fill(PASSWORD)
            page.locator("main button[type=submit], form button[type=submit]").last.click()
            page.wait_for_url(lambda address: "/sign-in" not in address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
