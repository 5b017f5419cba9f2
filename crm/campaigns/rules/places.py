"""What a text may name of a person: `{ten}`, `{xung_ho}`; each with an example."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.campaigns.rules.texts import places
from crm.errors import RuleBroken
from crm.prospects.rules import Purpose

WAY_OUT = "tu_choi"
"""The place where the short address stands on which one refuses."""


@dataclass(frozen=True)
class Place:
    """A named place: what stands there, and an example."""

    name: str
    words: LazyString
    example: str


PLACES: dict[str, Place] = {
    one.name: one
    for one in (
        Place("xung_ho", _l("form of address"), "bà"),
        Place("ten", _l("given name"), "Hoa"),
        Place("ho_ten", _l("full name"), "Nguyễn Thị Hoa"),
        Place("phuong", _l("ward or commune"), "phường Ba Đình"),
        Place("phu_trach", _l("their volunteer"), "Lê Thị Tình"),
        Place("dien_thoai", _l("volunteer's phone"), "0912 345 678"),
        Place("ngay", _l("day"), "15/10"),
        Place("so_tien", _l("amount to pay"), "138.600 đ"),
        Place(WAY_OUT, _l("way to refuse"), "http://cu.vn/o/abc23456789"),
    )
}
OF_REMINDERS = {"nguoi": "bà Hoa", "ma": "AS 2019 017"}
"""What reminders name besides: whoever shares the phone; the word of a promise for the bank. Each with an example."""
EXAMPLE = {name: one.example for name, one in PLACES.items()} | OF_REMINDERS


def fillable(text: str) -> bool:
    """Whether a campaign has a value for every place of a text."""
    return set(places(text)) <= set(PLACES)


def check_places(text: str, known: Iterable[str] = PLACES) -> None:
    """Raises RuleBroken at the first place that nobody can fill, and names those that one can."""
    allowed = tuple(known)
    unknown = next((name for name in places(text) if name not in allowed), None)
    if unknown is not None:
        told = ", ".join(f"{{{name}}}" for name in allowed)
        raise RuleBroken(
            _l("{%(place)s} is not known; a text may name %(known)s.", place=unknown, known=told), field="text"
        )


SAID_BEFORE = re.compile(
    r"\b(?:phường, xã|phường|xã|thị trấn|phuong|xa)\s+(?=\{phuong\})|\b(?:ông/bà|anh/chị|ông|bà|anh|chị)\s+(?=\{xung_ho\})",
    re.I,
)
SAID_AFTER = re.compile(r"(?<=\{so_tien\})\s*(?:đồng|đ|vnđ|vnd|₫)(?!\w)", re.I)


def once(text: str) -> str:
    """The text without words that a place says by itself: *phường {phuong}* → *{phuong}*, *{so_tien} đồng* → *{so_tien}*."""
    return SAID_AFTER.sub("", SAID_BEFORE.sub("", text))


SAMPLES: dict[Purpose, str] = {
    Purpose.SERVICE: "Mời {xung_ho} {ten} đến nhà văn hóa khu phố nghe về BHXH tự nguyện, 19h30 thứ sáu này. Từ chối: {tu_choi}",
    Purpose.PROMOTION: "[QC] BHXH tự nguyện: được hỗ trợ tiền đóng, về già có lương hưu. Mời {xung_ho} {ten} hỏi cộng tác "
    "viên ở khu phố. Từ chối: {tu_choi}",
}
"""What is shown of a text before one is written; it is never sent."""
