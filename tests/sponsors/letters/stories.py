"""Sponsors with a page, for tests of what they and everybody see."""

from __future__ import annotations

import re
from typing import Any

from crm import clock
from crm.db import session as current
from crm.prospects.rules import Ground
from crm.sponsors import services as sponsoring
from crm.sponsors.letters import services
from crm.sponsors.letters.models import SponsorPaper
from crm.sponsors.models import Sponsor
from crm.sponsors.rules import SponsorKind
from tests.factories import Make
from tests.sponsors.stories import TODAY, poor

ADDRESS = "http://localhost/verify"
_TAGS = re.compile(r"<[^>]+>")
ISSUED: dict[str, Any] = {"address": ADDRESS, "by": None, "on": TODAY}


def with_page(make: Make, name: str = "Công ty Đá Xanh", **more: Any) -> tuple[Sponsor, str]:
    """A sponsor and the token of their page."""
    values: dict[str, Any] = {"kind": SponsorKind.COMPANY, "by_id": None, "at": clock.now()}
    return sponsoring.register_sponsor(current(), make.town.id, name=name, **values | more)


def neighbours(make: Make, number: int = 6, ground: Ground = Ground.POOR, **more: Any) -> None:
    """So many other people with the same need, so that nobody stands alone."""
    for one in range(number):
        poor(make, f"Hàng Xóm {one}", ground, **more)


def statement(of: Sponsor, year: int = 2019, **more: Any) -> SponsorPaper:
    return services.issue_statement(current(), of, year, **ISSUED | {"at": clock.now()} | more)


def certificate(of: Sponsor, year: int | None = None, **more: Any) -> SponsorPaper:
    return services.issue_certificate(current(), of, year, **ISSUED | {"at": clock.now()} | more)


def words(page: str) -> str:
    """The text of a page on one line."""
    return " ".join(_TAGS.sub(" ", page).replace("\xa0", " ").split())
