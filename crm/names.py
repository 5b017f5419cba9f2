"""Vietnamese personal names: tidying, searching, sorting and recognising the same name spelt two ways."""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

LONGEST_NAME = 100

_WORTH_KEEPING = 200  # longer texts are not kept for a second look

_DIGITS = 9
_LETTERS = {letter: place for place, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz", start=65)}
_TONES = {
    "\u0300": 1,
    "\u0309": 2,
    "\u0303": 3,
    "\u0301": 4,
    "\u0323": 5,
}  # huyền hỏi ngã sắc nặng
# The Icelandic eth and the African D look exactly like Đ and are typed for it by some keyboards.
_LOOKALIKES = str.maketrans({"Ð": "Đ", "ð": "đ", "Ɖ": "Đ", "ɖ": "đ", "’": "'", "‘": "'", "`": "'", "´": "'"})
_PART_OF_WORD = re.compile(r"[^\W\d_]+")
_SYMBOLS_ALLOWED = frozenset(" .'-()")
_LONE_FINAL_Y = re.compile(r"(?<![aeiou])y(?=$| )|(?<=qu)y(?=$| )")


class NameProblem(StrEnum):
    """Why a text cannot stand as somebody's full name."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    DIGITS = "digits"
    SYMBOLS = "symbols"
    ONE_WORD = "one_word"


def clean(text: str) -> str:
    """The text composed (NFC), without control or invisible characters, with single spaces."""
    return _cleaned(text) if len(text) <= _WORTH_KEEPING else _cleaned.__wrapped__(text)


@lru_cache(maxsize=16_384)
def _cleaned(text: str) -> str:
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    composed = unicodedata.normalize("NFC", text)
    if not composed.isprintable():
        composed = "".join(_visible(char) for char in composed)
    return " ".join(composed.split())


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    return "" if category[0] == "C" else char


@lru_cache(maxsize=65_536)
def _capitalised(word: str) -> str:
    """One word as it is written in a name: `LÊ` and `lê` become `Lê`; `McKay` stays."""
    if not (word.isupper() or word.islower()):
        return word
    return _PART_OF_WORD.sub(lambda part: part[0][0].upper() + part[0][1:].lower(), word)


def tidy(name: str) -> str:
    """The name as it should be kept: composed, single spaces, a capital at each word.

    Only words wholly in capitals or wholly in small letters are changed, so what somebody already wrote with care stays.
    """
    return " ".join([_capitalised(word) for word in clean(name.translate(_LOOKALIKES)).split(" ")])


@lru_cache(maxsize=65_536)
def _folded_word(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.translate(_LOOKALIKES)).lower().replace("đ", "d")
    return "".join(plain.encode("ascii", "ignore").decode().split())


def fold(text: str) -> str:
    """Lower-case ASCII without accents and with single spaces: for the search column and for what is searched.

    Composed and decomposed text fold alike; đ and its look-alikes become d; what has no ASCII letter is left out.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    return _folded(text) if len(text) <= _WORTH_KEEPING else _folded.__wrapped__(text)


@lru_cache(maxsize=16_384)
def _folded(text: str) -> str:
    return " ".join([folded for word in clean(text).split(" ") if (folded := _folded_word(word))])


def same_name_key(name: str) -> str:
    """Equal for two names that may be the same: without accents, and `Lý` like `Lí`, `Quý` like `Quí`."""
    return _LONE_FINAL_Y.sub("i", fold(name))


@lru_cache(maxsize=65_536)
def _spelling(word: str) -> str:
    letters, tone = [], ""
    for char in unicodedata.normalize("NFD", word.translate(_LOOKALIKES).lower()):
        if char in _TONES:
            tone = str(_TONES[char])
        else:
            letters.append(char)
    return _LONE_FINAL_Y.sub("i", "".join(letters)) + tone


def spelling_key(name: str) -> str:
    """Equal for two spellings of one name, accents counting: `Hoà` like `Hòa` and `Lý` like `Lí`, but not `Hoa`."""
    return " ".join([_spelling(word) for word in clean(name).split(" ")])


def sort_key(name: str) -> bytes:
    """Bytes that sort people as Vietnamese lists do: by given name (the last word), then the rest.

    Letters rank before tones, as in ICU's `vi` collation; the same order on any machine and any database.
    """
    *rest, given = clean(name).split(" ")
    return _in_order(given, *rest)


def title_key(name: str) -> bytes:
    """Bytes that sort wards, organisations and other things as a dictionary does: from the first word on, numbers by what
    they are worth (Khu phố 2 before Khu phố 10)."""
    return _in_order(*(word.zfill(_DIGITS) if word.isdecimal() else word for word in clean(name).split(" ")))


def _in_order(*words: str) -> bytes:
    ranks = [_ranks(word) for word in words]
    return b" ".join([letters for letters, _tones in ranks]) + b"\0" + b"\1".join([tones for _letters, tones in ranks])


@lru_cache(maxsize=65_536)
def _ranks(word: str) -> tuple[bytes, bytes]:
    """The letters of a word in their order, and the tone of each plus one."""
    primary, secondary = bytearray(), bytearray()
    for char in word.casefold():
        tone, base = 0, ""
        for part in unicodedata.normalize("NFD", char):
            if part in _TONES:
                tone = _TONES[part]
            else:
                base += part
        letter = unicodedata.normalize("NFC", base)
        if letter in _LETTERS:
            primary.append(_LETTERS[letter])
        elif letter.isspace():
            primary.append(32)
        else:
            primary.extend(letter.encode("utf-8", "replace"))
        secondary.append(tone + 1)
    return bytes(primary), bytes(secondary)


def looks_like_a_name(text: str) -> NameProblem | None:
    """What keeps a text from being a full name, the gravest first; None when nothing does."""
    name = clean(text)
    if not name:
        return NameProblem.EMPTY
    if len(name) > LONGEST_NAME:
        return NameProblem.TOO_LONG
    if not name.replace(" ", "").isalpha():
        if any(char.isdigit() for char in name):
            return NameProblem.DIGITS
        if not all(char in _SYMBOLS_ALLOWED or unicodedata.category(char)[0] in "LM" for char in name):
            return NameProblem.SYMBOLS
        if not any(char.isalpha() for char in name):
            return NameProblem.SYMBOLS
    return NameProblem.ONE_WORD if " " not in name else None
