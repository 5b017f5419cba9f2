"""When the names of two sponsors are alike: by the words that say who somebody is, legal forms apart. Pure."""

from __future__ import annotations

import re

from rapidfuzz.distance import OSA

from crm.names import fold

LEGAL_FORMS = (
    *("cong ty", "cty", "trach nhiem huu han", "tnhh", "mot thanh vien", "mtv", "co phan", "cp", "tap doan"),
    *("doanh nghiep", "dn", "tu nhan", "dntn", "hop tac xa", "htx", "chi nhanh", "cn", "ho kinh doanh", "hkd"),
    *("ong", "ba", "anh", "chi", "gia dinh"),
)
"""Words of a folded name that say what somebody is, not who."""
LEAST_LETTERS = 5
"""From so many letters on a name is compared in earnest."""
MAY_HOLD_A_TYPO = 4
"""From so many letters on one of a word may be wrong, left out, too many, or in the other's place."""
_FORMS = re.compile(rf"\b({'|'.join(LEGAL_FORMS)})\b")


def own_name(name: str) -> str:
    """A name without accents and without the words that say what somebody is: «cty tnhh Đá Xanh» → «da xanh»."""
    return " ".join(_FORMS.sub(" ", fold(name)).split())


def names_alike(one: str, other: str) -> bool:
    """Whether every word of the shorter of two own names stands in the other, a typo apart."""
    fewer, more = sorted((one.split(), other.split()), key=len)
    if len("".join(fewer)) < LEAST_LETTERS:
        return False
    return all(any(_same_word(word, theirs) for theirs in more) for word in fewer)


def _same_word(one: str, other: str) -> bool:
    if one == other:
        return True
    return min(len(one), len(other)) >= MAY_HOLD_A_TYPO and OSA.distance(one, other, score_cutoff=1) <= 1
