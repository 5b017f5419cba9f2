"""Vietnamese telephone numbers as people really write them, read into E.164 (`+84` and nine or ten digits)."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

# Eleven-digit mobile numbers were shortened between 2018-09-15 and 2018-11-14; the last seven digits stayed.
NEW_PREFIX = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
    "186": "56", "188": "58", "199": "59",
}  # fmt: skip

MOBILE = re.compile(r"\+84(3[2-9]|5[25689]|7[06-9]|8[1-9]|9\d)\d{7}")
_PLAIN_MOBILE = re.compile(r"0(?:3[2-9]|5[25689]|7[06-9]|8[1-9]|9[0-9])[0-9]{7}")
_MOBILE_REST = re.compile(r"(?:3[2-9]|5[25689]|7[06-9]|8[1-9]|9[0-9])[0-9]{7}")
_LANDLINE_REST = re.compile(
    r"2(?:0[3-9]|1[0-689]|2[0-25-9]|3[2-9]|4[0-9]|5[124-9]|6[0-39]|7[0-7]|8[0-9]|9[0-46-79])[0-9]{7}"
)
_FLOAT_TAIL = re.compile(r"\.0+$")
_SCIENTIFIC = re.compile(r"[0-9][.,]?[0-9]*E\+?[0-9]{1,2}", re.IGNORECASE)
_LETTER_O = re.compile(r"(?<![^\W\d_])[oO](?=[ .-]?[0-9])")
_GROUPS = re.compile(r"\+?[0-9]+")
_BETWEEN_NUMBERS = re.compile(r"[/;,|&\n\r]|\s[-–]\s|\bhoặc\b|\bvà\b|\bor\b|\band\b")
_PUNCTUATION = str.maketrans("", "", " .-()\u00a0\t'")
_NOTHING = frozenset(
    {"", "không", "không có", "ko", "ko có", "k", "k có", "khong", "khong co", "chưa có", "chưa", "chua co", "không sđt",
     "không đt", "không có sđt", "không dùng", "none", "no", "n/a", "na", "null", "nan", "x", "-", "--", "---", "0", "?", "."}
)  # fmt: skip


class PhoneProblem(StrEnum):
    """Why no number could be read."""

    NO_NUMBER = "no_number"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNKNOWN_PREFIX = "unknown_prefix"
    FOREIGN = "foreign"
    DIGITS_LOST = "digits_lost"


@dataclass(frozen=True, slots=True)
class Phone:
    """What one cell or field says: the mobile that gets SMS, other numbers, or why nothing could be read.

    `mobile`, `landline` and `others` are E.164. All empty and no problem means that the person has no telephone.
    """

    mobile: str | None = None
    landline: str | None = None
    others: tuple[str, ...] = ()
    problem: PhoneProblem | None = None

    @property
    def other(self) -> str | None:
        """The first number besides the mobile: a landline before a second mobile."""
        return self.landline or (self.others[0] if self.others else None)


NO_PHONE = Phone()


def _national(digits: str) -> tuple[str | None, str | None, PhoneProblem | None]:
    """(mobile, landline, problem) of one number, given as digits with an optional leading `+`."""
    if digits[0] == "+" or digits.startswith("00"):
        digits = digits.lstrip("+0")
        if not digits.startswith("84"):
            return None, None, PhoneProblem.FOREIGN
        rest = digits[2:]
    elif digits.startswith("84") and len(digits) >= 11:
        rest = digits[2:]
    else:
        rest = digits
    rest = rest.removeprefix("0")
    if len(rest) == 9 and _MOBILE_REST.fullmatch(rest):
        return "+84" + rest, None, None
    if len(rest) == 10:
        if rest[:3] in NEW_PREFIX:
            return "+84" + NEW_PREFIX[rest[:3]] + rest[3:], None, None
        if _LANDLINE_REST.fullmatch(rest):
            return None, "+84" + rest, None
    if len(rest) < 9:
        return None, None, PhoneProblem.TOO_SHORT
    return (
        None,
        None,
        PhoneProblem.TOO_LONG if len(rest) > 10 else PhoneProblem.UNKNOWN_PREFIX,
    )


def _as_text(raw: object) -> str:
    if isinstance(raw, float):
        return str(int(raw)) if raw.is_integer() and abs(raw) < 1e16 else str(raw)
    return str(raw)


def read_phone(raw: object) -> Phone:
    """Read one cell or field, whatever its spelling; never raises.

    Knows +84, 84 and 0084, dots, spaces and brackets, the eleven-digit mobiles of before 2018, a zero eaten by a
    spreadsheet, numbers stored as floats, and several numbers in one cell: the first mobile is the mobile.
    """
    if raw is None or raw == "":
        return NO_PHONE
    text = (raw if isinstance(raw, str) else _as_text(raw)).strip()
    digits = text.translate(_PUNCTUATION)
    if _PLAIN_MOBILE.fullmatch(digits):
        return Phone("+84" + digits[1:])
    if len(text) > 200:
        text = text[:200]
    text = unicodedata.normalize("NFKC", text).strip()
    if " ".join(text.lower().split()) in _NOTHING:
        return NO_PHONE
    if _SCIENTIFIC.fullmatch(text):
        return Phone(problem=PhoneProblem.DIGITS_LOST)
    text = _LETTER_O.sub("0", _FLOAT_TAIL.sub("", text))
    whole = "".join(_GROUPS.findall(text))
    if not whole.strip("+"):
        return Phone(problem=PhoneProblem.NO_NUMBER)
    mobile, landline, problem = _national("+" + whole.replace("+", "") if whole[0] == "+" else whole.replace("+", ""))
    if mobile or landline:
        return Phone(mobile, landline)
    return _several(text) or Phone(problem=problem)


def _several(text: str) -> Phone | None:
    """The numbers of a cell that holds more than one; None when there is none that can be read."""
    mobiles: list[str] = []
    landlines: list[str] = []
    for piece in _BETWEEN_NUMBERS.split(text):
        groups = _GROUPS.findall(piece)
        while groups:
            joined = ""
            for used, group in enumerate(groups, start=1):
                joined += group.lstrip("+") if joined else group
                mobile, landline, _ = _national(joined) if joined != "+" else (None, None, None)
                if mobile or landline:
                    (mobiles if mobile else landlines).append(mobile or landline or "")
                    groups = groups[used:]
                    break
            else:
                groups = groups[1:]
    if not mobiles and not landlines:
        return None
    mobiles, landlines = list(dict.fromkeys(mobiles)), list(dict.fromkeys(landlines))
    return Phone(
        mobile=mobiles[0] if mobiles else None,
        landline=landlines[0] if landlines else None,
        others=tuple(mobiles[1:] + landlines[1:]),
    )


def is_mobile(e164: str) -> bool:
    """Whether the number is a Vietnamese mobile in E.164, one that can get SMS."""
    return MOBILE.fullmatch(e164) is not None


def pretty(e164: str) -> str:
    """The number as people here write it: `0912 345 678`, `0237 335 7806`, `024 3825 1234`; a foreign one unchanged."""
    if not e164.startswith("+84"):
        return e164
    rest = "0" + e164[3:]
    if len(rest) == 10:
        return f"{rest[:4]} {rest[4:7]} {rest[7:]}"
    if rest.startswith(("024", "028")):
        return f"{rest[:3]} {rest[3:7]} {rest[7:]}"
    return f"{rest[:4]} {rest[4:7]} {rest[7:]}"


def digits_for_search(query: str) -> str:
    """The digits to look for inside E.164 numbers, from part of a number in any spelling.

    `0912`, `+84 912` and `912` all find +84912…; `0128 575` finds what became +8478575…. Empty when the query is not a number.
    """
    text = unicodedata.normalize("NFKC", query).strip()
    if any(char.isalpha() for char in text):
        return ""
    digits = "".join(char for char in text if char in "0123456789")
    if text.startswith("+") or digits.startswith("0084"):
        digits = digits.removeprefix("00")
        return digits[:2] + digits[2:].removeprefix("0") if digits.startswith("84") else digits
    if digits.startswith("840"):
        return digits[3:]
    rest = digits.removeprefix("0")
    if digits.startswith("0") and rest[:3] in NEW_PREFIX:
        return NEW_PREFIX[rest[:3]] + rest[3:]
    if len(rest) == 10 and rest[:3] in NEW_PREFIX:
        return NEW_PREFIX[rest[:3]] + rest[3:]
    return rest
