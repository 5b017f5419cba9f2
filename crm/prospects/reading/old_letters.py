"""Vietnamese typed before Unicode (TCVN3 and VNI fonts): told by the shape of its syllables, and put into Unicode."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from enum import StrEnum
from functools import lru_cache

from crm.prospects.reading.outcomes import Cell


class Letters(StrEnum):
    """How the letters of a text are stored."""

    UNICODE = "unicode"
    TCVN3 = "tcvn3"
    VNI = "vni"


# Codes A1 to FF of the .VnTime family, in order; five of them hold no letter.
_TCVN3 = str.maketrans(
    "".join(map(chr, range(0xA1, 0x100))),
    "ĂÂÊÔƠƯĐăâêôơưđẰ°±²³´àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ",
)
_VNI_TONES = {"ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323"}
_VNI_ROOF = {
    "â": "",
    "á": "\u0301",
    "à": "\u0300",
    "å": "\u0309",
    "ã": "\u0303",
    "ä": "\u0323",
}
_VNI_BOWL = {
    "ê": "",
    "é": "\u0301",
    "è": "\u0300",
    "ú": "\u0309",
    "ü": "\u0303",
    "ë": "\u0323",
}
_VNI_ALONE = {"ô": "ơ", "ö": "ư", "ñ": "đ", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}


def _vni_table() -> dict[str, str]:
    table = dict(_VNI_ALONE)
    for vowel in "aeouy":
        for sign, tone in _VNI_TONES.items():
            table[vowel + sign] = vowel + tone
    for vowel in "aeo":
        for sign, tone in _VNI_ROOF.items():
            table[vowel + sign] = vowel + "\u0302" + tone
    for sign, tone in _VNI_BOWL.items():
        table["a" + sign] = "a\u0306" + tone
    for horned, letter in (("ô", "ơ"), ("ö", "ư")):
        for sign, tone in _VNI_TONES.items():
            table[horned + sign] = letter + tone
    composed = {key: unicodedata.normalize("NFC", value) for key, value in table.items()}
    for key, value in list(composed.items()):
        composed[key.upper()] = value.upper()
        composed[key[0].upper() + key[1:]] = value[0].upper() + value[1:]
    return composed


_VNI = _vni_table()
_VNI_PIECES = re.compile("|".join(sorted(map(re.escape, _VNI), key=len, reverse=True)))

_ONSETS = [
    "ngh",
    "ng",
    "nh",
    "ch",
    "gh",
    "gi",
    "kh",
    "ph",
    "qu",
    "th",
    "tr",
    "b",
    "c",
    "d",
    "đ",
    "g",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "x",
]
_RHYMES = frozenset(
    [
        "a",
        "ac",
        "ach",
        "ai",
        "am",
        "an",
        "ang",
        "anh",
        "ao",
        "ap",
        "at",
        "au",
        "ay",
        "ăc",
        "ăm",
        "ăn",
        "ăng",
        "ăp",
        "ăt",
        "âc",
        "âm",
        "ân",
        "âng",
        "âp",
        "ât",
        "âu",
        "ây",
        "e",
        "ec",
        "em",
        "en",
        "eng",
        "eo",
        "ep",
        "et",
        "ê",
        "êch",
        "êm",
        "ên",
        "ênh",
        "êp",
        "êt",
        "êu",
        "i",
        "ia",
        "ich",
        "iêc",
        "iêm",
        "iên",
        "iêng",
        "iêp",
        "iêt",
        "iêu",
        "im",
        "in",
        "inh",
        "ip",
        "it",
        "iu",
        "o",
        "oa",
        "oac",
        "oach",
        "oai",
        "oam",
        "oan",
        "oang",
        "oanh",
        "oao",
        "oap",
        "oat",
        "oay",
        "oăc",
        "oăm",
        "oăn",
        "oăng",
        "oăt",
        "oc",
        "oe",
        "oen",
        "oeo",
        "oet",
        "oi",
        "om",
        "on",
        "ong",
        "ooc",
        "oong",
        "op",
        "ot",
        "ô",
        "ôc",
        "ôi",
        "ôm",
        "ôn",
        "ông",
        "ôp",
        "ôt",
        "ơ",
        "ơi",
        "ơm",
        "ơn",
        "ơp",
        "ơt",
        "u",
        "ua",
        "uân",
        "uâng",
        "uât",
        "uây",
        "uc",
        "uê",
        "uêch",
        "uênh",
        "ui",
        "um",
        "un",
        "ung",
        "uơ",
        "uôc",
        "uôi",
        "uôm",
        "uôn",
        "uông",
        "uôt",
        "up",
        "ut",
        "uy",
        "uya",
        "uych",
        "uyên",
        "uyêt",
        "uynh",
        "uyt",
        "uyu",
        "ư",
        "ưa",
        "ưc",
        "ưi",
        "ưng",
        "ươc",
        "ươi",
        "ươm",
        "ươn",
        "ương",
        "ươp",
        "ươt",
        "ưt",
        "ưu",
        "y",
        "yêm",
        "yên",
        "yêng",
        "yêt",
        "yêu",
    ]
)
_TONE_SIGNS = frozenset("\u0300\u0301\u0303\u0309\u0323")
_AROUND = ".,;:!?()[]{}\"'/\\-–+*&%0123456789 "


@lru_cache(maxsize=65_536)
def is_syllable(word: str) -> bool:
    """Whether the word could be one Vietnamese syllable, written small, capitalised or in capitals."""
    if not (word.islower() or word.isupper() or (word[:1].isupper() and word[1:].islower())):
        return False
    letters = [sign for sign in unicodedata.normalize("NFD", word.lower()) if sign not in _TONE_SIGNS]
    if len(unicodedata.normalize("NFD", word)) - len(letters) > 1:
        return False
    plain = unicodedata.normalize("NFC", "".join(letters))
    if plain in _RHYMES:
        return True
    for onset in _ONSETS:
        if plain.startswith(onset):
            rest = plain[len(onset) :]
            if (
                rest in _RHYMES
                or (onset == "gi" and "i" + rest in _RHYMES)
                or (onset == "qu" and "u" + rest in _RHYMES)
            ):
                return True
    return False


def _telling_words(texts: Iterable[str]) -> list[str]:
    words = {part for text in texts if not text.isascii() for part in text.split() if not part.isascii()}
    return [word for word in words if max(word) <= "\u00ff" or any(sign > "\u00ff" for sign in word)]


def _good(words: Iterable[str]) -> int:
    pieces = (piece.strip(_AROUND) for word in words for piece in re.split(r"[/,.;:()\-]", word))
    return sum(1 for piece in pieces if piece and not piece.isascii() and is_syllable(piece))


def count_syllables(text: str) -> int:
    """How many different accented words of the text are Vietnamese syllables: to compare two ways of decoding it."""
    return _good(set(_telling_words([text])))


def letters_of(texts: Iterable[str]) -> Letters:
    """How these texts are stored, judged by which reading makes the most Vietnamese syllables; Unicode when in doubt."""
    words = _telling_words(texts)
    if not words:
        return Letters.UNICODE
    old = [word for word in words if max(word) <= "\u00ff"]
    plain = _good(words)
    scores = {letters: _good(_converted(word, letters) for word in old) for letters in (Letters.TCVN3, Letters.VNI)}
    best = max(scores, key=lambda letters: scores[letters])
    return best if scores[best] > plain and scores[best] >= 0.6 * len(words) else Letters.UNICODE


_OF_PLACES = frozenset(
    ["thôn", "xóm", "phố", "tổ", "đội", "làng", "bản", "ấp", "ngõ", "đường", "phường", "xã", "tiểu", "số"]
)
"""Words that addresses repeat in every row: a column may hold no other word that tells its letters."""


def letters_beside(texts: Iterable[str], overall: Letters) -> Letters:
    """How one column of a sheet is stored, whose other columns are in `overall`: by itself where its words tell, else like
    the others. «Khu phè» of a TCVN3 sheet is made of syllables either way; only beside the others it is «Khu phố»."""
    kept = list(texts)
    found = letters_of(kept)
    if found is not Letters.UNICODE or overall is Letters.UNICODE:
        return found
    words = _telling_words(kept)
    if any(max(word) > "\u00ff" for word in words):
        return Letters.UNICODE
    as_the_others = [_converted(word, overall) for word in words]
    return overall if _sense(as_the_others) >= _sense(words) else Letters.UNICODE


def _sense(words: Collection[str]) -> tuple[int, int]:
    """How many of the words are syllables, and how many are words of addresses: the greater, the better they are read."""
    return _good(words), sum(1 for word in words if word.strip(_AROUND).lower() in _OF_PLACES)


def _converted(text: str, letters: Letters) -> str:
    if letters is Letters.TCVN3:
        return " ".join([_one_case(word) for word in text.translate(_TCVN3).split(" ")])
    return _VNI_PIECES.sub(lambda piece: _VNI[piece[0]], text)


def _one_case(word: str) -> str:
    """`NGUYễN` into `NGUYỄN`: the capital fonts of TCVN3 have no codes of their own for accented capitals."""
    later = [char for char in word[1:] if char.isascii() and char.isalpha()]
    return word.upper() if later and not word.isascii() and all(map(str.isupper, later)) else word


def in_unicode(cells: Iterable[Cell], old: Iterable[Letters]) -> list[Cell]:
    """The cells of a row of a sheet in these old letters; what is Unicode already, or no text, stays as it is."""
    known = list(old)

    def decoded(cell: Cell) -> Cell:
        if not isinstance(cell, str) or len(cell) >= _LONG:
            return cell
        for letters in known:
            cell = to_unicode(cell, letters)
        return cell

    return [decoded(cell) for cell in cells]


_LONG = 1_000
"""Letters of a cell that nobody wrote as one: left alone, as in reading."""


@lru_cache(maxsize=65_536)
def to_unicode(text: str, letters: Letters) -> str:
    """The text in Unicode. A text that is Unicode already, within a list in old letters, stays as it is."""
    if letters is Letters.UNICODE or text.isascii() or max(text) > "\u00ff":
        return text
    converted = _converted(text, letters)
    words = text.split()
    return text if _good(words) > _good(converted.split()) else converted
