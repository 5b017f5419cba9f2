"""Citizen numbers: the 12-digit CCCD (province, century and sex, year of birth, six digits) and the old 9-digit CMND."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Sex = Literal["male", "female"]

# Province codes inside a CCCD are those of the place of birth registration and do not follow later mergers.
PROVINCES = frozenset(
    [
        "001",
        "002",
        "004",
        "006",
        "008",
        "010",
        "011",
        "012",
        "014",
        "015",
        "017",
        "019",
        "020",
        "022",
        "024",
        "025",
        "026",
        "027",
        "030",
        "031",
        "033",
        "034",
        "035",
        "036",
        "037",
        "038",
        "040",
        "042",
        "044",
        "045",
        "046",
        "048",
        "049",
        "051",
        "052",
        "054",
        "056",
        "058",
        "060",
        "062",
        "064",
        "066",
        "067",
        "068",
        "070",
        "072",
        "074",
        "075",
        "077",
        "079",
        "080",
        "082",
        "083",
        "084",
        "086",
        "087",
        "089",
        "091",
        "092",
        "093",
        "094",
        "095",
        "096",
    ]
)
_PUNCTUATION = str.maketrans("", "", " .-'\u00a0\t")
_RUN = re.compile(r"[0-9]+")
_SCIENTIFIC = re.compile(r"[0-9][.,]?[0-9]*E\+?[0-9]{1,2}", re.IGNORECASE)
_NOTHING = frozenset(
    {
        "",
        "không",
        "không có",
        "ko",
        "ko có",
        "khong",
        "khong co",
        "chưa có",
        "chua co",
        "mất",
        "x",
        "0",
        "?",
    }
)


class CitizenIdProblem(StrEnum):
    """Why a text cannot be this person's citizen number."""

    NO_NUMBER = "no_number"
    WRONG_LENGTH = "wrong_length"
    DIGITS_LOST = "digits_lost"
    UNKNOWN_PROVINCE = "unknown_province"
    OTHER_SEX = "other_sex"
    OTHER_BIRTH_YEAR = "other_birth_year"


@dataclass(frozen=True, slots=True)
class CitizenId:
    """A number and its kind: `cccd` (12 digits) or `cmnd` (9 digits)."""

    kind: Literal["cccd", "cmnd"]
    number: str


def sex_of(cccd: str) -> Sex:
    """The sex written in a 12-digit number: its fourth digit is even for men."""
    return "male" if int(cccd[3]) % 2 == 0 else "female"


def birth_year_of(cccd: str) -> int:
    """The year of birth written in a 12-digit number: 0 and 1 stand for the 1900s, 2 and 3 for the 2000s."""
    return 1900 + int(cccd[3]) // 2 * 100 + int(cccd[4:6])


def _checked(number: str, sex: Sex | None, birth_year: int | None) -> CitizenId | CitizenIdProblem:
    if number[:3] not in PROVINCES or number[3] > "3":
        return CitizenIdProblem.UNKNOWN_PROVINCE
    if sex is not None and sex_of(number) != sex:
        return CitizenIdProblem.OTHER_SEX
    if birth_year is not None and birth_year_of(number) != birth_year:
        return CitizenIdProblem.OTHER_BIRTH_YEAR
    return CitizenId("cccd", number)


def _digits(raw: object) -> str | CitizenIdProblem | None:
    if isinstance(raw, float):
        if not raw.is_integer() or abs(raw) > 1e15:
            return CitizenIdProblem.DIGITS_LOST
        text = str(int(raw))
    else:
        text = str(raw).strip()
    text = text.removesuffix(".0")
    digits = text.translate(_PUNCTUATION)
    if digits.isascii() and digits.isdigit():
        return None if digits == "0" else digits
    if " ".join(text.lower().split()) in _NOTHING or not digits:
        return None
    if _SCIENTIFIC.fullmatch(text):
        return CitizenIdProblem.DIGITS_LOST
    runs = _RUN.findall(text.replace(" ", "").replace(".", "")[:200])
    by_length = {len(run): run for run in reversed(runs)}
    return by_length.get(12) or by_length.get(9) or (runs[0] if runs else CitizenIdProblem.NO_NUMBER)


def read_citizen_id(
    raw: object, sex: Sex | None = None, birth_year: int | None = None
) -> CitizenId | CitizenIdProblem | None:
    """The number in a cell or field, checked against sex and year of birth where they are known; None when it is empty.

    A 12-digit number must begin with a province's code and agree with sex and year. Zeros that a spreadsheet ate are put
    back: 11 digits become 12, 8 become 9; 10 become 12 only when sex and year both agree, since an insurance number has 10.
    """
    if raw is None or raw == "":
        return None
    digits = _digits(raw)
    if not isinstance(digits, str) or isinstance(digits, CitizenIdProblem):
        return digits
    if len(digits) == 12:
        return _checked(digits, sex, birth_year)
    if len(digits) == 9:
        return CitizenId("cmnd", digits)
    if len(digits) == 11:
        return _checked("0" + digits, sex, birth_year)
    if len(digits) == 8:
        return CitizenId("cmnd", "0" + digits)
    if len(digits) == 10 and sex is not None and birth_year is not None:
        restored = _checked("00" + digits, sex, birth_year)
        if isinstance(restored, CitizenId):
            return restored
    return CitizenIdProblem.WRONG_LENGTH


def mask(number: str) -> str:
    """The number as those without the right to read it see it: `038***119`."""
    return f"{number[:3]}***{number[-3:]}" if len(number) >= 9 else "***"
