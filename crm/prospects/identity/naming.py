"""Whether two names as written may be one name, and how much that says. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from crm.names import clean, same_name_key, spelling_key
from crm.prospects.identity.frequencies import Frequencies

_BESIDES = re.compile(r"\([^)]*\)?|[.,;/\"]")
_TITLES = frozenset(
    ["bà", "ông", "chị", "anh", "cô", "chú", "cụ", "bác", "dì", "cậu", "mợ", "thím", "em", "mẹ", "bố", "me"]
)
_TITLES_UNACCENTED = frozenset(
    ["ba", "ong", "chi", "anh", "co", "chu", "cu", "bac", "di", "cau", "mo", "thim", "em", "me", "bo"]
)
_BY_ORDER = frozenset(
    [
        "hai",
        "ba",
        "tư",
        "tu",
        "năm",
        "nam",
        "sáu",
        "sau",
        "bảy",
        "bay",
        "tám",
        "tam",
        "chín",
        "chin",
        "mười",
        "muoi",
        "út",
        "ut",
        "cả",
        "ca",
    ]
)
_BY_EAR = (
    (re.compile(r"^(gi|d|r)(?=[aeiouy])"), "d"),
    (re.compile(r"^(tr|ch)"), "c"),
    (re.compile(r"^(s|x)"), "s"),
    (re.compile(r"^(l|n)(?=[aeiouy])"), "l"),
    (re.compile(r"^(k|q|c)(?=[aeiouy])"), "k"),
    (re.compile(r"(ng|nh|n)$"), "n"),
    (re.compile(r"(ch|c|t)$"), "t"),
    (re.compile(r"uo|ua"), "u"),
    (re.compile(r"ie|ia|ye"), "i"),
    (re.compile(r"(?<=[^aeiou])y$|(?<=u)y"), "i"),
)
MOST = 16.0
"""Bits that a name says at the most: however rare, two people may bear it."""


USUAL, BEYOND = 9.0, 0.5
"""Up to so many bits the parts of a name are taken as independent; beyond, only partly: rare names run in places."""
CLAN = 0.7
"""How far a middle name counts: in a village whole clans share one, so that it says less than its rarity."""


class NameLevel(StrEnum):
    """How two names compare, the likest first."""

    SAME = "same"
    UNACCENTED = "unaccented"
    SWAPPED = "swapped"
    MIDDLE_MISSING = "middle_missing"
    TYPO = "typo"
    ACCENTS_DIFFER = "accents_differ"
    NICKNAME = "nickname"
    NEAR_NAMES = "near_names"
    MIDDLE_DIFFERS = "middle_differs"
    OTHER_FAMILY = "other_family"
    OTHER_GIVEN = "other_given"
    DIFFERENT = "different"


class Likeness(NamedTuple):
    """How two names compare and how much that speaks for one person, in bits; below nothing it speaks against."""

    level: NameLevel
    bits: float


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart: its words as spelt (accents counting) and without accents, titles and asides left out."""

    spelt: tuple[str, ...]
    plain: tuple[str, ...]
    accented: bool
    called: bool
    """Only what somebody is called by: `chị Ba`, `bà Hương`."""
    by_order: bool
    """Called by the order of birth, which is nobody's name."""


@lru_cache(maxsize=65_536)
def read_name(text: str) -> Name:
    """Take a name apart. `Bà Nguyễn Thị Hương (bán cá)` is Nguyễn Thị Hương; `chị Ba` is called Ba."""
    bare = clean(_BESIDES.sub(" ", text)) or clean(text)
    words = bare.split(" ")
    titled = len(words) > 1 and _is_title(words)
    if titled:
        words = words[1:]
    called = len(words) == 1
    bare = " ".join(words)
    return Name(
        spelt=tuple(spelling_key(bare).split()) or ("",),
        plain=tuple(same_name_key(bare).split()) or ("",),
        accented=not bare.isascii(),
        called=called,
        by_order=called and words[0].lower() in _BY_ORDER,
    )


def _is_title(words: list[str]) -> bool:
    first = words[0].lower()
    if first in _TITLES:
        return len(words) != 3 or first not in ("em", "anh")
    return len(words) == 2 and first in _TITLES_UNACCENTED


@lru_cache(maxsize=65_536)
def by_ear(word: str) -> str:
    """Equal for two folded words that sound alike somewhere in the country: s/x, tr/ch, d/gi/r, l/n, n/ng, t/c."""
    for pattern, sound in _BY_EAR:
        word = pattern.sub(sound, word)
    return word


def compare_names(one: Name, other: Name, known: Frequencies) -> Likeness:
    """How two names compare. The rarer the parts that agree, the more it says, but beyond `USUAL` bits ever less."""
    level, bits = _compared(one, other, known)
    return Likeness(level, bits if bits <= USUAL else USUAL + BEYOND * (bits - USUAL))


def _compared(one: Name, other: Name, known: Frequencies) -> Likeness:
    if one.called or other.called:
        return _called(one, other, known)
    if one.spelt == other.spelt:
        return Likeness(NameLevel.SAME, _bits(one, known))
    if len(one.plain) == len(other.plain):
        found = _word_for_word(one, other, known)
    else:
        found = _with_words_missing(one, other, known)
    if found.bits < 0 and (again := _otherwise_cut(one, other, known)):
        return again
    return found


def _bits(name: Name, known: Frequencies, unaccented: bool = False) -> float:
    """How much it says that two people bear exactly this name."""
    given = known.bits_of_given_unaccented(name.plain[-1]) if unaccented else known.bits_of_given(name.spelt[-1])
    middles = sum(known.bits_of_middle(word) for word in name.spelt[1:-1])
    return min(MOST, known.bits_of_family(name.spelt[0]) + given + min(6.0, CLAN * middles))


def _fuller(one: Name, other: Name) -> Name:
    return one if one.accented else other


def _word_for_word(one: Name, other: Name, known: Frequencies) -> Likeness:
    """Two names of as many words: most often at most one word is written otherwise."""
    if one.plain == other.plain:
        if not (one.accented and other.accented):
            return Likeness(NameLevel.UNACCENTED, _bits(_fuller(one, other), known, unaccented=True) - 0.3)
        return _accents_differ(one, other, known)
    if sorted(one.plain) == sorted(other.plain):
        return Likeness(NameLevel.SWAPPED, _bits(one, known) - 3.0)
    wrong = [at for at, (a, b) in enumerate(zip(one.plain, other.plain, strict=True)) if a != b]
    if len(wrong) == 1:
        return _one_word_differs(one, other, wrong[0], known)
    return _ends(one, other, known)


def _accents_differ(one: Name, other: Name, known: Frequencies) -> Likeness:
    """Both have accents, and not the same: a slip, unless it is the given name and both are names (Thủy and Thúy)."""
    bits = _bits(one, known, unaccented=True)
    last, level = len(one.spelt) - 1, NameLevel.ACCENTS_DIFFER
    for at, (a, b) in enumerate(zip(one.spelt, other.spelt, strict=True)):
        if a == b:
            continue
        if at == last and known.is_given(a) and known.is_given(b):
            bits, level = bits - 6.0, NameLevel.NEAR_NAMES
        else:
            bits -= 3.5 if at == last else 2.0
    return Likeness(level, bits)


def _one_word_differs(one: Name, other: Name, at: int, known: Frequencies) -> Likeness:
    a, b, last = one.plain[at], other.plain[at], len(one.plain) - 1
    bits = _bits_but(one, at, known)
    if len(a) == 1 or len(b) == 1:
        initial = a[:1] == b[:1]  # of letters that we do not know nothing may be left
        return Likeness(NameLevel.MIDDLE_MISSING, bits) if initial else Likeness(NameLevel.OTHER_GIVEN, -9.0)
    slip = OSA.distance(a, b) == 1 or by_ear(a) == by_ear(b)
    if 0 < at < last:
        return Likeness(NameLevel.TYPO, bits - 0.5) if slip and _meaningless(one, other, at, known) else Likeness(
            NameLevel.MIDDLE_DIFFERS, bits - 8.0
        )  # fmt: skip
    if slip and a[:1] != b[:1] and at == last:
        # Twins are called Hùng and Dũng, Tuyến and Xuyến; a slip seldom hits the first letter.
        slip = _meaningless(one, other, at, known)
        if slip:
            return Likeness(NameLevel.NEAR_NAMES, bits - 2.0)
    if slip and _meaningless(one, other, at, known):
        word = known.bits_of_given if at == last else known.bits_of_family
        return Likeness(NameLevel.TYPO, bits + min(word(one.spelt[at]), word(other.spelt[at])) - 2.5)
    if slip:
        return Likeness(NameLevel.NEAR_NAMES, bits - 4.5)
    if at == 0:
        return Likeness(NameLevel.OTHER_FAMILY, bits - 8.0)
    return Likeness(NameLevel.OTHER_GIVEN, bits - known.bits_of_family(one.spelt[0]) - 10.0)


def _meaningless(one: Name, other: Name, at: int, known: Frequencies) -> bool:
    """Whether one of two words is nobody's name, so that it is a slip for the other."""
    last = len(one.plain) - 1
    if at == 0:
        return not (known.is_family(one.spelt[0]) and known.is_family(other.spelt[0]))
    if at == last:
        return not (_names_somebody(one, known) and _names_somebody(other, known))
    return not (one.spelt[at] in known.middles and other.spelt[at] in known.middles)


def _names_somebody(name: Name, known: Frequencies) -> bool:
    if name.accented:
        return known.is_given(name.spelt[-1])
    return known.bits_of_given_unaccented(name.plain[-1]) < 8.3


def _bits_but(name: Name, left_out: int, known: Frequencies) -> float:
    """How much the other words say."""
    last = len(name.spelt) - 1
    found = 0.0
    for at, word in enumerate(name.spelt):
        if at != left_out:
            of = known.bits_of_family if at == 0 else known.bits_of_given if at == last else known.bits_of_middle
            found += of(word) * (1.0 if at in (0, last) else CLAN)
    return min(MOST, found)


def _ends(one: Name, other: Name, known: Frequencies) -> Likeness:
    """More than one word differs: look at family and given name."""
    family = one.plain[0] == other.plain[0]
    given = one.plain[-1] == other.plain[-1]
    bits = (known.bits_of_family(one.spelt[0]) if family else -6.0) + (
        known.bits_of_given(one.spelt[-1]) if given else -9.0
    )
    if family and given:
        return Likeness(NameLevel.MIDDLE_DIFFERS, bits - 6.0)
    if given:
        return Likeness(NameLevel.OTHER_FAMILY, bits - 4.0)
    return Likeness(NameLevel.OTHER_GIVEN if family else NameLevel.DIFFERENT, min(bits, -9.0))


def _with_words_missing(one: Name, other: Name, known: Frequencies) -> Likeness:
    """One of the two has fewer words: a middle name left out, or another name."""
    short, long = (one, other) if len(one.plain) < len(other.plain) else (other, one)
    left = iter(long.plain)
    within = all(word in left for word in short.plain)
    if within and short.plain[0] == long.plain[0] and short.plain[-1] == long.plain[-1]:
        dropped = len(long.plain) - len(short.plain)
        given = (
            known.bits_of_given(short.spelt[-1]) if short.accented else known.bits_of_given_unaccented(short.plain[-1])
        )
        middles = sum(known.bits_of_middle(word) for word in short.spelt[1:-1])
        return Likeness(
            NameLevel.MIDDLE_MISSING,
            known.bits_of_family(long.spelt[0]) + given + min(6.0, CLAN * middles) - 1.0 * dropped,
        )
    if set(short.plain) <= set(long.plain) and short.plain[-1] == long.plain[0]:
        return Likeness(NameLevel.SWAPPED, _bits(short, known) - 4.0)
    if len(long.plain) == len(short.plain) + 1 and (found := _slip_besides(short, long, known)):
        return found
    return _ends(one, other, known)


def _slip_besides(short: Name, long: Name, known: Frequencies) -> Likeness | None:
    """A middle name left out and a slip in one of the other words: `Nguyễn Msi` and `Nguyễn Thị Mai`."""
    for left_out in range(1, len(long.plain) - 1):
        spelt = (*long.spelt[:left_out], *long.spelt[left_out + 1 :])
        plain = (*long.plain[:left_out], *long.plain[left_out + 1 :])
        found = _word_for_word(short, replace(long, spelt=spelt, plain=plain), known)
        if found.level in (NameLevel.TYPO, NameLevel.ACCENTS_DIFFER):
            return Likeness(NameLevel.TYPO, found.bits - 1.0)
    return None


def _otherwise_cut(one: Name, other: Name, known: Frequencies) -> Likeness | None:
    """The same letters with the spaces elsewhere, or one slip in all of it across a space."""
    a, b = "".join(one.plain), "".join(other.plain)
    if a == b:
        return Likeness(NameLevel.TYPO, _bits(one, known) - 1.0)
    if len(one.plain) != len(other.plain) and OSA.distance(a, b, score_cutoff=1) <= 1:
        return Likeness(NameLevel.TYPO, _bits(one, known) - 3.0)
    return None


def _called(one: Name, other: Name, known: Frequencies) -> Likeness:
    """One of the two is only what somebody is called by: it can agree with a given name and with nothing else."""
    if one.by_order or other.by_order:
        if one.spelt == other.spelt:
            return Likeness(NameLevel.NICKNAME, 3.0)
        return Likeness(NameLevel.NICKNAME, 0.0)
    a, b = one.plain[-1], other.plain[-1]
    if one.spelt[-1] == other.spelt[-1] or (a == b and not (one.accented and other.accented)):
        return Likeness(NameLevel.NICKNAME, known.bits_of_given_unaccented(a) - 0.5)
    if min(len(a), len(b)) > 3 and a[0] == b[0] and OSA.distance(a, b) == 1:
        names = known.bits_of_given_unaccented(a), known.bits_of_given_unaccented(b)
        if max(names) >= 8.3:  # one of the two is nobody's name
            return Likeness(NameLevel.NICKNAME, min(names) - 2.5)
    whole, called = (other, a) if one.called else (one, b)
    if called == whole.plain[0] and len(whole.plain) > 1:
        return Likeness(NameLevel.NICKNAME, 1.0)  # called by the family name, or the name stands in another order
    return Likeness(NameLevel.DIFFERENT, -9.0)
