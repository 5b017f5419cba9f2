"""Wording that carriers do not take, as data: they refuse political content, shortened addresses, loans and gambling.

A word is looked for as it is written, with its accents; one of several syllables also without them, because `dang` alone
may be *đăng*, *đang* or *đảng*. What else stands in the text, a sign or a word with accents, hides neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.campaigns.rules.texts import unaccented

POLITICAL = (
    *("Đảng", "Đảng ủy", "Đảng bộ", "Đảng viên", "Đảng Cộng sản", "Trung ương Đảng", "Bộ Chính trị", "Tổng Bí thư"),
    *("Nhà nước", "Chính phủ", "Quốc hội", "Chủ tịch nước", "Thủ tướng", "Chính quyền", "Nghị quyết", "Chính trị"),
    *("bầu cử", "ứng cử", "đại biểu Quốc hội", "cách mạng", "biểu tình", "phản động", "lật đổ", "nhân quyền"),
    *("đa đảng", "Hoàng Sa", "Trường Sa"),
)
SHORTENERS = (
    *("bit.ly", "tinyurl.com", "goo.gl", "t.co", "is.gd", "ow.ly", "cutt.ly", "rb.gy", "shorturl.at", "s.id", "v.gd"),
    *("rebrand.ly", "bom.so", "by.com.vn", "vn.link"),
)
NOT_TAKEN = (
    *(
        "vay nóng",
        "vay tiền",
        "cho vay",
        "cá độ",
        "cá cược",
        "lô đề",
        "sòng bạc",
        "casino",
        "trúng thưởng",
        "tặng tiền",
    ),
)


class Kind(StrEnum):
    """Why a carrier would refuse a text."""

    POLITICAL = "political"
    SHORT_LINK = "short_link"
    NOT_TAKEN = "not_taken"


KINDS: dict[Kind, LazyString] = {
    Kind.POLITICAL: _l("Carriers refuse wording of politics, of Party and State. Say it without these words."),
    Kind.SHORT_LINK: _l("Carriers refuse shortened addresses. Write the whole address of your own page."),
    Kind.NOT_TAKEN: _l("Carriers refuse wording of loans, gambling and prizes. Say it without these words."),
}


@dataclass(frozen=True)
class Found:
    """A piece of a text that a carrier would refuse, as it stands there."""

    kind: Kind
    piece: str


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    told = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<!\w)({told})(?!\w)", re.IGNORECASE)


_WRITTEN = {
    Kind.POLITICAL: _pattern(POLITICAL),
    Kind.SHORT_LINK: _pattern(SHORTENERS),
    Kind.NOT_TAKEN: _pattern(NOT_TAKEN),
}
_PLAIN = {
    kind: _pattern(unaccented(word) for word in words if " " in word)
    for kind, words in ((Kind.POLITICAL, POLITICAL), (Kind.NOT_TAKEN, NOT_TAKEN))
}


def refused_in(text: str) -> tuple[Found, ...]:
    """What a carrier would refuse in a text, each piece once, in order of appearance."""
    found = [(one.start(), Found(kind, one[0])) for kind, words in _WRITTEN.items() for one in words.finditer(text)]
    found += [(one.start(), Found(kind, one[0])) for kind, words in _PLAIN.items() for one in words.finditer(text)]
    return tuple(dict.fromkeys(one for _place, one in sorted(found, key=lambda pair: pair[0])))


_LEADS = ("của", "từ", "do", "bởi", "theo", "với", "cùng", "và")
_LEADING = "|".join({*_LEADS, *(unaccented(word) for word in _LEADS)})
"""Words that lead to the piece and would lead to nothing without it: *hỗ trợ của Nhà nước* → *hỗ trợ*."""


def without(text: str, piece: str) -> str:
    """The text without a piece and the word that leads to it; the space it leaves is closed, and a sentence that began with
    it begins with a capital again."""
    named = rf"(?<!\w){re.escape(piece)}(?!\w)"
    left = re.sub(rf"(?<!\w)(?:{_LEADING})\s+{named}", "", text, flags=re.IGNORECASE)
    left = re.sub(rf"{named}\s+(?:và|va)(?!\w)", "", left)
    left = re.sub(rf"(^|[.!?]\s+)(?:{named}\s*)+(\w)", lambda found: found[1] + found[2].upper(), left)
    left = re.sub(named, "", left)
    left = re.sub(r" +([.,;:!?])", r"\1", re.sub(r" {2,}", " ", left)).strip()
    begins = re.match(r"\w", left)
    return left[:1].upper() + left[1:] if begins and text[:1].isupper() else left
