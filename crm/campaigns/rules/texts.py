"""What a text costs, how its places are filled, and how it goes out."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from crm.errors import RuleBroken
from crm.prospects.rules import Purpose

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
GSM_7, UCS_2 = "GSM-7", "UCS-2"
ROOM = {GSM_7: (160, 153), UCS_2: (70, 67)}
"""Units in a message that stands alone, and in each part of one that is split."""
LONGEST = 1600
"""Characters the carrier's interface takes in one body."""
LONGEST_TEXT = 1000
"""Characters the office may write: the address to refuse by and a long name still fit."""

PLAIN = str.maketrans(
    {
        "đ": "d", "Đ": "D", "Ð": "D", "ð": "d", "₫": "d", "\t": " ",
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "″": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "•": "-", "·": "-", "…": "...",
        "\u00ad": "", "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\ufeff": "", "\ufe0f": "",
    }
)  # fmt: skip
"""Letters and marks that Unicode does not take apart, as a phone of twenty years ago would write them."""


@dataclass(frozen=True)
class Size:
    """What a text costs to send: `characters` are the units that are charged (septets, or UTF-16 units)."""

    encoding: str
    characters: int
    segments: int


@dataclass(frozen=True)
class Preview:
    """A text as it would be sent, beside the same text without accents."""

    text: str
    size: Size
    plain_text: str
    plain_size: Size
    costly: tuple[str, ...]
    double: tuple[str, ...]


def unaccented(text: str) -> str:
    """The text in letters that every phone has: *Mời bà Nguyễn* → *Moi ba Nguyen*; what has no plain form stays."""
    return unicodedata.normalize("NFC", text).translate(PLAIN).translate(_BARE)


class _Bare(dict[int, str]):
    """The plain form of each letter, found out once for each that is met: a check asks for a hundred thousand texts."""

    def __missing__(self, code: int) -> str:
        self[code] = _plain(chr(code))
        return self[code]


_BARE = _Bare()


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    bare = "".join(c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c)).translate(PLAIN)
    fits = bool(bare) and all(c in GSM_BASIC or c in GSM_EXTENSION for c in bare)
    return bare if fits or (not bare and unicodedata.combining(letter)) else letter


def size(text: str) -> Size:
    """Encoding, charged units and segments. One letter outside GSM-7 turns the whole text to UCS-2."""
    encoding = GSM_7 if all(c in GSM_BASIC or c in GSM_EXTENSION for c in text) else UCS_2
    units = list(_units(text, encoding))
    alone, part = ROOM[encoding]
    total = sum(units)
    return Size(encoding, total, min(total, 1) if total <= alone else _parts(units, part))


def _units(text: str, encoding: str) -> Iterator[int]:
    """The units of each character: an extension character is two septets, one outside the basic plane two units."""
    for c in text:
        yield 2 if (c in GSM_EXTENSION if encoding == GSM_7 else ord(c) > 0xFFFF) else 1


def _parts(units: Iterable[int], room: int) -> int:
    """How many parts: a character of two units never straddles the border between two parts."""
    parts, free = 1, room
    for unit in units:
        if unit > free:
            parts, free = parts + 1, room
        free -= unit
    return parts


def costly(text: str) -> tuple[str, ...]:
    """The letters that make the text UCS-2, each once, in order of appearance."""
    return tuple(dict.fromkeys(c for c in text if c not in GSM_BASIC and c not in GSM_EXTENSION))


def without_signs(text: str) -> str:
    """The text without the signs that cost even when its accents are left out, such as little pictures; the spaces they leave
    are closed."""
    kept = "".join(c for c in unicodedata.normalize("NFC", text) if not costly(unaccented(c)))
    return re.sub(r" +([.,;:!?])", r"\1", re.sub(r" {2,}", " ", kept)).strip()


def preview(text: str, variables: Mapping[str, str] | None = None) -> Preview:
    """The text with its places filled (left alone when `variables` is None), counted both ways.

    Raises RuleBroken when a place has no value."""
    filled = unicodedata.normalize("NFC", text if variables is None else fill(text, variables))
    plain = unaccented(filled)
    double = tuple(dict.fromkeys(c for c in filled if c in GSM_EXTENSION))
    return Preview(filled, size(filled), plain, size(plain), costly(filled), double)


PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def places(text: str) -> tuple[str, ...]:
    """The named places of a template, each once: *Chào {ten}* → `("ten",)`."""
    return tuple(dict.fromkeys(PLACE.findall(text)))


def fill(text: str, variables: Mapping[str, str]) -> str:
    """Put the values in the named places, once: a value that looks like a place stays what it is.

    Raises RuleBroken naming the first place that has no value."""
    missing = [name for name in places(text) if not variables.get(name, "").strip()]
    if missing:
        raise RuleBroken(_l("The text needs a value for {%(place)s}.", place=missing[0]))
    return PLACE.sub(lambda found: " ".join(variables[found[1]].split()), text)


LABELS = ("[QC]", "[AD]")


REFUSE = "Từ chối:"
"""What stands before the way to refuse."""


def compose(text: str, purpose: Purpose, opt_out: str | None, *, accented: bool = False) -> str:
    """The body as it goes out. A promotion begins with its label and ends with the way to refuse (Decree 91/2020),
    whatever was typed."""
    body = text.strip()
    if purpose is Purpose.PROMOTION:
        body = body if body.startswith(LABELS) else f"{LABELS[0]} {body}"
        told = opt_out is None or body.rstrip(" .").endswith(opt_out)
        body = body if told else f"{body} {REFUSE} {opt_out}"
    return unicodedata.normalize("NFC", body) if accented else unaccented(body)


def promotion_fault(body: str, opt_out: str | None = None) -> LazyString | None:
    """What a promotion lacks by Decree 91/2020, article 13, in words; None when it may go. `opt_out` is the address on
    which its reader says no: nothing may follow it."""
    if not body.startswith(LABELS):
        return _l("A promotion begins with [QC].")
    if opt_out and not body.rstrip(" .").endswith(opt_out):
        return _l("A promotion ends with the way to refuse.")
    return None


def lawful(text: str, way_out: str = "{tu_choi}") -> str:
    """The text of a promotion with what Decree 91/2020 asks for written into it: its label and the way to refuse."""
    return compose(text, Purpose.PROMOTION, way_out, accented=True)


def is_lawful(text: str, way_out: str = "{tu_choi}") -> bool:
    """Whether the text of a promotion begins with its label and ends with how to refuse by itself."""
    return promotion_fault(text.strip(), way_out) is None
