"""A promised visit falls due: whoever agreed gets one message, at a decent hour, and nobody else gets any."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESK, Installation, SignIn

VOLUNTEER = "tinhnguyen@bimson.example"
ADMIN = "quantri@bimson.example"
START = "2019-10-15T10:00"
RING = """
import sys
from pathlib import Path
from crm.running import program
from tasks.campaigns import send_some
from tasks.reminders import queue_due
with program(Path(sys.argv[1])):
    for _ in range(int(sys.argv[2])):
        queue_due()
        send_some()
"""

pytestmark = pytest.mark.browser


@pytest.fixture
def moved(town: Installation) -> Iterator[Installation]:
    """The town, whose time a story moves; afterwards it is the demo's morning again."""
    town.crm("clock", START)
    yield town
    town.crm("clock", START)


def ring(town: Installation, *, times: int = 1) -> None:
    """Let the timetable's minute be over: the task runs as it would by itself; the town's worker sends the rest."""
    subprocess.run(
        [sys.executable, "-c", RING, str(town.data_dir), str(times)],
        env={**os.environ, "SANDBOX_URL": town.sandbox, "PUBLIC_URL": town.address},
        cwd=Path(__file__).parents[2],
        check=True,
        timeout=120,
    )


def met_at_the_door(page: Page, town: Installation, name: str, phone: str, *, agrees: bool, again_on: str) -> None:
    """The volunteer adds somebody and logs a visit that promises another."""
    page.goto(f"{town.address}/people/new")
    page.locator("input[name=full_name]").fill(name)
    page.locator("input[name=phone]").fill(phone)
    page.locator("input[name=birth]").fill("1969")
    page.locator("input[name=sex][value=female]").check()
    page.locator("input[name=service]").set_checked(agrees)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    page.goto(page.url.split("?")[0] + "/visit")
    page.get_by_role("button", name="Interested").click()
    page.locator("input[name=next_contact_on]").fill(again_on)
    page.get_by_role("button", name="Done").click()
    expect(page).to_have_url(re.compile("/today$"))


def arrives(page: Page, locator: Locator) -> None:
    """Look again until it is there: hundreds of others may be reminded before."""
    until = time.monotonic() + 90
    while not locator.first.is_visible() and time.monotonic() < until:
        page.wait_for_timeout(300)
        page.reload()
    expect(locator.first).to_be_visible()


def lines(page: Page, town: Installation, phone: str) -> list[str]:
    """What the list of messages says of a number."""
    page.goto(f"{town.address}/messages?number={phone.replace(' ', '')}")
    return page.locator("tbody tr", has_text=phone).all_inner_texts()


def becomes(page: Page, town: Installation, phone: str, state: str) -> None:
    """Look again until the only message to the number has come so far."""
    until = time.monotonic() + 60
    while (told := lines(page, town, phone)) and state not in told[0] and time.monotonic() < until:
        page.wait_for_timeout(300)
    assert len(told) == 1
    assert state in told[0]


def let_it_be(page: Page, town: Installation, moment: str) -> None:
    """Move the program's time on its page."""
    page.goto(f"{town.address}/clock")
    page.locator("input[name=moment]").fill(moment)
    page.locator("form:has(input[name=moment]) button[type=submit]").click()
    expect(page.get_by_text("The program's time has been moved.")).to_be_visible()


def texts(page: Page, town: Installation, phone: str) -> Locator:
    """What the recipient reads on the trial telephone."""
    page.goto(f"{town.sandbox}/phone/+84{phone[1:].replace(' ', '')}")
    return page.locator("ol.talk li.theirs")


def test_whoever_agreed_is_reminded_once_by_day_and_whoever_did_not_never(moved: Installation, sign_in: SignIn) -> None:
    town, page = moved, sign_in(VOLUNTEER, language="en")
    desk = sign_in(ADMIN, size=DESK, language="en")
    agreed, silent = "0987 100 301", "0987 100 302"
    met_at_the_door(page, town, "Phạm Thị Nhắc Hẹn", agreed, agrees=True, again_on="2019-10-16")
    met_at_the_door(page, town, "Phạm Thị Lặng Im", silent, agrees=False, again_on="2019-10-16")

    let_it_be(desk, town, "2019-10-15T22:30")
    ring(town)
    assert lines(desk, town, agreed) == []  # it is not the day yet

    let_it_be(desk, town, "2019-10-16T05:00")
    ring(town)
    told = lines(desk, town, agreed)
    assert len(told) == 1
    assert "Waiting" in told[0]  # nobody is woken
    expect(texts(page, town, agreed)).to_have_count(0)

    let_it_be(desk, town, "2019-10-16T07:31")
    ring(town)
    received = texts(page, town, agreed)
    arrives(page, received.filter(has_text="đã tới"))
    expect(received).to_contain_text("Hen gap ba Hen ngay 16/10")
    ring(town, times=3)  # the timetable goes on, minute after minute
    becomes(desk, town, agreed, "Reached the network")  # says the carrier in its signed receipt
    assert lines(desk, town, silent) == []
    expect(texts(page, town, agreed)).to_have_count(1)
    expect(texts(page, town, silent)).to_have_count(0)
