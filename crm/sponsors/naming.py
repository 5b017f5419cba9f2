"""Names of sponsors in plain words, and when two are alike: by the words that say who somebody is. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import OSA

from crm.names import fold

_BEFORE_A_NAME = re.compile(
    r"(cong ty|cty|ct|tnhh|mtv|mot thanh vien|co phan|ctcp|cp|doanh nghiep|dn|dntn|tu nhan|xi nghiep|hop tac xa|htx|cua hang|"
    r"chi nhanh|cn|ngan hang|hoi|quy|cau lac bo|clb|gia dinh|ong|ba|anh|chi|co|chu|van tai|thuong mai|tm|dich vu|dv|san xuat|sx|"
    r"xay dung|xd|vat lieu|may|va)\b ?"
)
"""What stands before a name and is no part of what tells it from others."""
LEAST_LETTERS = 5
"""From so many letters on a name tells somebody from others."""
MAY_HOLD_A_SLIP = 4
"""From so many letters on one of a word may be wrong, left out, too many, or in the other's place."""


@lru_cache(maxsize=4_096)
def words_of(text: str) -> str:
    """A text as plain words: small letters without accents, figures, one space between."""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", fold(text)).split())


def core_of(name: str) -> str:
    """A name without what many have in front: `Công ty TNHH Đá Xanh` is `da xanh`."""
    plain = short = words_of(name)
    while (found := _BEFORE_A_NAME.match(short)) and len(short) - found.end() >= LEAST_LETTERS:
        short = short[found.end() :]
    return short if len(short) >= LEAST_LETTERS else plain


def alike(one: str, other: str) -> bool:
    """Whether every word of the shorter of two names stands in the other, slips and what many have in front apart."""
    fewer, more = sorted((core_of(one).split(), core_of(other).split()), key=len)
    if len("".join(fewer)) < LEAST_LETTERS:
        return False
    return all(any(_same(word, theirs) for theirs in more) for word in fewer)


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    return min(len(one), len(other)) >= MAY_HOLD_A_SLIP and OSA.distance(one, other, score_cutoff=1) <= 1
