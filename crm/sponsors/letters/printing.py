"""The papers themselves, and the picture a sponsor may share: set by typst from what the paper's row says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import segno

from crm.months import Month
from crm.prospects.rules import Ground
from crm.sponsors.letters.models import SponsorPaper
from crm.sponsors.letters.queries import InAll
from crm.sponsors.letters.rules import PaperKind, dong_in_words
from crm.web import filters
from crm.web.typesetting import set_in_type

PAPERS = Path(__file__).with_name("papers")
INK = "#1d2925"
SHAPES = ("wide", "square")
PLAIN_NEEDS: Mapping[str, Mapping[str | None, str]] = {
    "vi": {
        Ground.POOR: "hộ nghèo",
        Ground.NEAR_POOR: "hộ cận nghèo",
        Ground.OTHER: "hoàn cảnh khó khăn",
        None: "thuộc diện khó khăn",
    },
    "en": {
        Ground.POOR: "poor household",
        Ground.NEAR_POOR: "near-poor household",
        Ground.OTHER: "in hardship",
        None: "in need",
    },
}
"""Papers speak the language they are asked in, whatever the reader's; it is not the page's."""
ELSEWHERE = {"vi": "Các phường, xã khác", "en": "Other wards"}


def issuer(town: str, lang: str) -> str:
    """Who issues: as the letters are signed."""
    if lang == "vi":
        return f"Ban chỉ đạo bảo hiểm xã hội {town}"
    return f"The steering office for social insurance, {town}"


def pdf_of(paper: SponsorPaper, lang: str) -> bytes:
    """The paper in Vietnamese ("vi") or English ("en"). The same row and language make the same bytes."""
    facts = paper.facts
    made = {
        PaperKind.RECEIPT: _receipt,
        PaperKind.CERTIFICATE: _certificate,
        PaperKind.STATEMENT: _statement,
    }[paper.kind](paper, facts, lang)
    return set_in_type(PAPERS / f"{paper.kind.value}.typ", _of_all(paper, facts, lang) | made)


def _of_all(paper: SponsorPaper, facts: Mapping[str, Any], lang: str) -> dict[str, Any]:
    return {
        "lang": lang,
        "issuer": issuer(facts["town"], lang),
        "place": facts["town"],
        "number": paper.number,
        "verify_at": facts["address"].partition("://")[2] or facts["address"],
        "qr": _drawn(f"{facts['address']}/{paper.number}"),
        "made": {"year": paper.issued_on.year, "month": paper.issued_on.month, "day": paper.issued_on.day},
        "day": _dated(facts["town"], paper.issued_on, lang),
        "sponsor": facts["sponsor"],
        "by": facts["by"],
        "year": str(paper.of_year or paper.year),
    }


def _receipt(paper: SponsorPaper, facts: Mapping[str, Any], lang: str) -> dict[str, Any]:
    return {
        "serial": str(paper.serial),
        "tax_code": facts["tax_code"],
        "amount": filters.vnd(facts["amount"], lang),
        "amount_words": dong_in_words(facts["amount"]),
        "received_on": filters.day(date.fromisoformat(facts["received_on"]), lang),
        "reference": facts["reference"],
        "code": facts["code"],
    }


def _certificate(_paper: SponsorPaper, facts: Mapping[str, Any], lang: str) -> dict[str, Any]:
    people, months = facts["people"], facts["months"]
    first, last = (Month.of(date.fromisoformat(facts[name])) for name in ("first", "last"))
    vietnamese = lang == "vi"
    return {
        "sentence": sentence(people, lang),
        "people": filters.number(people, 0, lang),
        "people_words": "người lao động" if vietnamese else "neighbour" if people == 1 else "neighbours",
        "months": filters.number(months, 0, lang),
        "months_words": "tháng đóng bảo hiểm xã hội" if vietnamese else "months of social insurance",
        "waiting": waiting_words(facts.get("waiting", 0), lang),
        "period": filters.month(first, lang)
        if first == last
        else f"{filters.month(first, lang)} – {filters.month(last, lang)}",
    }


def _statement(_paper: SponsorPaper, facts: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """What was set aside and paid is printed before what came back of it. Papers of before know no months that wait."""
    money = {"came_back": 0} | facts["money"]
    printed = money | {name: money[name] + money["came_back"] for name in ("used", "paid")}
    return {
        **{name: filters.vnd(amount, lang) for name, amount in printed.items()},
        "came_back": filters.vnd(money["came_back"], lang) if money["came_back"] else "",
        **{name: filters.day(date.fromisoformat(facts[name]), lang) for name in ("first", "last")},
        "receipts": [
            [filters.day(date.fromisoformat(day), lang), reference, filters.vnd(amount, lang)]
            for day, reference, amount in facts["receipts"]
        ],
        "groups": [
            [place or ELSEWHERE[lang], PLAIN_NEEDS[lang][need], *(filters.number(one, 0, lang) for one in numbers)]
            for place, need, *numbers in facts["groups"]
        ],
        "waits": "waiting_months" in facts,
        "total": _months_told(facts["people"], facts["months"], facts.get("waiting_months"), lang),
    }


def _months_told(people: int, months: int, waiting: int | None, lang: str) -> str:
    who, paid = filters.number(people, 0, lang), filters.number(months, 0, lang)
    vietnamese = lang == "vi"
    if waiting is None:
        return f"{who} người, {paid} tháng" if vietnamese else f"{who} people, {paid} months"
    aside = filters.number(waiting, 0, lang)
    if vietnamese:
        return f"{who} người: {paid} tháng đã nộp quỹ bảo hiểm, {aside} tháng đã dành sẵn tiền, chờ nộp"
    return f"{who} people: {paid} months paid to the insurance fund, {aside} months set aside and waiting to be paid"


def sentence(people: int, lang: str) -> str:
    """What a sponsor did, as the certificate and the picture say it after their name."""
    number = filters.number(people, 0, lang)
    if lang == "vi":
        return f"đã cùng {number} người lao động vun đắp lương hưu khi về già"
    return f"stood beside {number} {'neighbour' if people == 1 else 'neighbours'} on the way to a pension"


def waiting_words(months: int, lang: str) -> str:
    """What is set aside and not yet paid, told beside what was; nothing when there is none."""
    if not months:
        return ""
    number = filters.number(months, 0, lang)
    if lang == "vi":
        return f"và {number} tháng đã dành sẵn tiền, chờ nộp quỹ bảo hiểm"
    return f"and {number} {'month' if months == 1 else 'months'} set aside, waiting to be paid"


def picture(sponsor: str, town: str, done: InAll, shape: str, lang: str, invites: str) -> bytes:
    """A PNG to share, "wide" (1200×630) or "square" (1080×1080). Nobody who is carried is in it."""
    return _picture(sponsor, town, done.people, done.months, shape, lang, invites)


@lru_cache(maxsize=64)
def _picture(sponsor: str, town: str, people: int, months: int, shape: str, lang: str, invites: str) -> bytes:
    number = filters.number(months, 0, lang)
    return set_in_type(
        PAPERS / "picture.typ",
        {
            "lang": lang,
            "shape": shape,
            "issuer": issuer(town, lang),
            "sponsor": sponsor,
            "sentence": sentence(people, lang),
            "months_words": f"{number} tháng bảo hiểm xã hội" if lang == "vi" else f"{number} months of insurance",
            "invites": invites,
        },
        "png",
    )


def _drawn(text: str) -> str:
    drawing = BytesIO()
    segno.make(text, error="m", micro=False).save(drawing, kind="svg", border=0, dark=INK, xmldecl=False)
    return drawing.getvalue().decode("ascii")


def _dated(town: str, day: date, lang: str) -> str:
    """Where and when, as letters begin or end: a leading zero below 10, and for months 1 and 2."""
    place = town.removeprefix("Thị xã ").removeprefix("Phường ")
    if lang != "vi":
        return f"{place}, {filters.day(day, lang)}"
    month = f"{day.month:02}" if day.month <= 2 else str(day.month)
    return f"{place}, ngày {day.day:02} tháng {month} năm {day.year}"
