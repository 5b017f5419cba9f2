"""What single cells say: days and years of birth, men and women, yes and no, poor and near-poor, neighbourhoods and wards."""

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache

from crm.citizen_ids import Sex
from crm.names import clean, fold
from crm.prospects.reading.outcomes import Cell, Ground, Reason

OLDEST = 120
_EXCEL_EPOCH = dt.date(1899, 12, 30)
_YEAR = re.compile(r"(?:1[89]|20|21)\d\d")
_DAY_MONTH_YEAR = re.compile(
    r"(\d{0,2})\s*[/.,\-\s]\s*(\d{0,2})\s*[/.,\-\s]\s*(\d{4}|\d{2})(?:[ T]+0?0:00(?::00)?(?:\.0+)?)?"
)
_YEAR_MONTH_DAY = re.compile(r"(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})(?:[ T]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?Z?)?")
_MONTH_YEAR = re.compile(r"(\d{1,2})\s*[/.\-]\s*(\d{4})")
_IN_WORDS = re.compile(r"(?:ngay )?(\d{1,2}) thang (\d{1,2}) nam (\d{4})")
_NOTHING = frozenset(
    {
        "",
        "khong",
        "khong ro",
        "khong nho",
        "ko",
        "ko ro",
        "x",
        "-",
        "?",
        "n/a",
        "na",
        "null",
        "none",
        "nan",
    }
)


@dataclass(frozen=True, slots=True)
class Birth:
    """A year, with the whole day where it is known; or why the cell cannot be read."""

    year: int | None = None
    date: dt.date | None = None
    problem: Reason | None = None


NO_BIRTH = Birth()


def as_text(cell: Cell) -> str:
    """A cell as somebody sees it: whole numbers without `.0`, days as dd/mm/yyyy."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e16 else str(cell)
    if isinstance(cell, dt.date):
        return f"{cell.day:02d}/{cell.month:02d}/{cell.year:04d}"
    return str(cell)


def _day(year: int, month: int, day: int) -> Birth:
    try:
        return Birth(year, dt.date(year, month, day))
    except ValueError:
        return Birth(problem=Reason.NO_SUCH_DAY)


def _in_time(birth: Birth, today: dt.date) -> Birth:
    if birth.year is None:
        return birth
    if birth.year > today.year or (birth.date is not None and birth.date > today):
        return Birth(problem=Reason.BORN_IN_FUTURE)
    if birth.year < today.year - OLDEST:
        return Birth(problem=Reason.BORN_TOO_LONG_AGO)
    return birth


def read_birth(cell: Cell, today: dt.date) -> Birth:
    """The birth in a cell: a day, a year, a spreadsheet's date or its serial number; a two-digit year is never in the future."""
    if cell is None or cell == "":
        return NO_BIRTH
    if isinstance(cell, dt.date):
        return _born_on(cell.date() if isinstance(cell, dt.datetime) else cell, today)
    if isinstance(cell, bool | dt.time | dt.timedelta):
        return Birth(problem=Reason.BIRTH_UNREADABLE)
    if isinstance(cell, int | float):
        return _in_time(_from_number(float(cell), today), today)
    return _birth_in_text(cell, today)


@lru_cache(maxsize=65_536)
def _born_on(day: dt.date, today: dt.date) -> Birth:
    return _in_time(Birth(day.year, day), today)


def _from_number(number: float, today: dt.date) -> Birth:
    if not number.is_integer() and not 2101 <= number < 80_000:
        return Birth(problem=Reason.BIRTH_UNREADABLE)
    whole = int(number)
    if 1800 <= whole <= 2100:
        return Birth(whole)
    if 2101 <= whole < 80_000:
        day = _EXCEL_EPOCH + dt.timedelta(days=whole)
        return Birth(day.year, day)
    if whole == 0:
        return NO_BIRTH
    if 0 < whole < 100:
        return Birth(_century(whole, today))
    return _run_of_digits(str(whole))


def _run_of_digits(digits: str) -> Birth:
    """ddmmyyyy, with or without the first zero, or yyyymmdd."""
    if len(digits) not in (7, 8):
        return Birth(problem=Reason.BIRTH_UNREADABLE)
    padded = digits.zfill(8)
    if _YEAR.fullmatch(padded[4:]):
        return _day(int(padded[4:]), int(padded[2:4]), int(padded[:2]))
    if _YEAR.fullmatch(padded[:4]):
        return _day(int(padded[:4]), int(padded[4:6]), int(padded[6:]))
    return Birth(problem=Reason.BIRTH_UNREADABLE)


def _century(short: int, today: dt.date) -> int:
    return 2000 + short if 2000 + short <= today.year else 1900 + short


@lru_cache(maxsize=65_536)
def _birth_in_text(cell: str, today: dt.date) -> Birth:
    text = clean(cell[:200]).strip("' ").removesuffix(".0")
    if _YEAR.fullmatch(text):
        return _in_time(Birth(int(text)), today)
    if match := _DAY_MONTH_YEAR.fullmatch(text):
        day, month = int(match[1] or 0), int(match[2] or 0)
        year = int(match[3]) if len(match[3]) == 4 else _century(int(match[3]), today)
        if day == 0 or month == 0:
            return _in_time(Birth(year), today)
        return _in_time(
            _day(year, day, month) if month > 12 >= day else _day(year, month, day),
            today,
        )
    if match := _YEAR_MONTH_DAY.fullmatch(text):
        return _in_time(_day(int(match[1]), int(match[2]), int(match[3])), today)
    if match := _MONTH_YEAR.fullmatch(text):
        known = 1 <= int(match[1]) <= 12
        return _in_time(Birth(int(match[2])), today) if known else Birth(problem=Reason.NO_SUCH_DAY)
    if text.isascii() and text.isdigit() and len(text) <= 8:
        return _in_time(_from_number(float(text), today), today)
    folded = fold(text)
    if folded in _NOTHING:
        return NO_BIRTH
    if match := _IN_WORDS.search(folded):
        return _in_time(_day(int(match[3]), int(match[2]), int(match[1])), today)
    years = _YEAR.findall(folded)
    if len(years) == 1 and len(re.findall(r"\d+", folded)) == 1:
        return _in_time(Birth(int(years[0])), today)
    return Birth(problem=Reason.BIRTH_UNREADABLE)


_SEXES: dict[str, Sex] = {
    **dict.fromkeys(
        ("nam", "m", "male", "trai", "ong", "anh", "nam gioi", "man", "boy", "namt"),
        "male",
    ),
    **dict.fromkeys(
        (
            "nu",
            "f",
            "female",
            "gai",
            "ba",
            "chi",
            "co",
            "phu nu",
            "nu gioi",
            "woman",
            "w",
            "girl",
        ),
        "female",
    ),
}
_NO = frozenset(
    {
        "",
        "khong",
        "ko",
        "k",
        "no",
        "n",
        "0",
        "false",
        "khong dong y",
        "khong nhan",
        "tu choi",
        "-",
        "khong co",
        "chua",
        "none",
    }
)
_YES = frozenset(
    {
        "co",
        "yes",
        "y",
        "1",
        "true",
        "dong y",
        "x",
        "v",
        "ok",
        "co dong y",
        "da dong y",
        "nhan",
        "co nhan",
        "duoc",
        "c",
    }
)
_GROUND_WORDS: tuple[tuple[re.Pattern[str], Ground | None], ...] = (
    (
        re.compile(r"\b(khong|ko|thoat|het|ngoai|chua)\b.*\b(ngheo|hn|hcn|dtts|thieu so)\b|not poor|non.?poor"),
        None,
    ),
    (re.compile(r"can ngheo|\bhcn\b|\bcn\b|\bh\.?c\.?n\b|near.?poor"), "near_poor"),
    (re.compile(r"ngheo|\bhn\b|\bpoor\b"), "poor"),
    (re.compile(r"thieu so|\bdtts\b|\bdan toc\b|ethnic"), "ethnic_minority"),
    (re.compile(r"xa dao|dac khu|hai dao|island"), "island"),
)


def read_sex(cell: Cell) -> Sex | None:
    """Man or woman in words or initials; None for anything else."""
    return _sex_in_text(cell if isinstance(cell, str) else as_text(cell))


@lru_cache(maxsize=1_024)
def _sex_in_text(text: str) -> Sex | None:
    return _SEXES.get(fold(text[:40]).strip(" .'"))


@lru_cache(maxsize=1_024)
def is_yes(text: str) -> bool:
    """Whether the words are a plain yes; whatever else, also nothing at all, is not."""
    return fold(text[:40]).strip(" .'!") in _YES


@lru_cache(maxsize=1_024)
def is_mark(text: str) -> bool:
    """Whether a tick column is ticked: by x, a tick, a yes, or a number such as that of a certificate."""
    short = clean(text[:100])
    folded = fold(short).strip(" .'")
    if not folded:
        return short in {"✓", "✔", "☑", "√", "●", "•", "×", "*", "+"}
    return folded not in _NO and (folded in _YES or len(folded) == 1 or any(map(str.isdigit, folded)))


@lru_cache(maxsize=1_024)
def grounds_in(text: str) -> tuple[Ground, ...]:
    """The grounds for State support named in words: `Hộ nghèo`, `HCN`, `Cận nghèo; DTTS`, `Không`."""
    found: list[Ground] = []
    for part in re.split(r"[;,/+&]", fold(text[:200])):
        for pattern, ground in _GROUND_WORDS:
            if pattern.search(part):
                if ground and ground not in found:
                    found.append(ground)
                break
    return tuple(found)


@lru_cache(maxsize=1_024)
def is_minority(text: str) -> bool:
    """Whether the people named (`Mường`, `Thái`, …) is one of the minorities: anyone but the Kinh, also called Việt."""
    people = fold(text[:60]).strip(" .'")
    return people not in _NO and people not in {
        "kinh",
        "viet",
        "dan toc kinh",
        "nguoi kinh",
        "k",
    }


_KINDS = {
    "to dan pho": "Tổ dân phố", "tdp": "Tổ dân phố", "tieu khu": "Tiểu khu", "khu pho": "Khu phố", "kp": "Khu phố",
    "khu dan cu": "Khu dân cư", "thon": "Thôn", "xom": "Xóm", "ban": "Bản", "ap": "Ấp", "to": "Tổ", "khu": "Khu", "lang": "Làng",
}  # fmt: skip
_NUMBERED = re.compile(
    r"\b(to dan pho|tdp|tieu khu|khu pho|kp|khu dan cu|thon|xom|ban|ap|to|khu)\.? ?(?:so )?0*(\d{1,3}[a-z]?)\b"
)
_NAMED = re.compile(r"^(to dan pho|tdp|tieu khu|khu pho|kp|thon|xom|ban|ap|lang)[.:]? +(?!so\b)(\S.*)$")
_WARD = re.compile(
    r"(?<!\w)(phường|xã|thị trấn|đặc khu|phuong|xa|thi tran)\.? +((?:[^\W\d_]+)(?: +[^\W\d_]+){0,4}|\d{1,2}\b)",
    re.IGNORECASE,
)
_AFTER_WARD = frozenset(
    [
        "thi",
        "thanh",
        "huyen",
        "tinh",
        "quan",
        "nam",
        "thang",
        "quy",
        "ngay",
        "danh",
        "chua",
        "dang",
        "tham",
        "giai",
        "ve",
        "cua",
        "theo",
        "va",
        "so",
        "ubnd",
        "hoi",
        "doan",
        "ban",
        "to",
        "khu",
        "thon",
        "dot",
        "lao",
        "co",
        "duoc",
        "la",
        "tai",
        "dot",
        "nguoi",
    ]
)


@lru_cache(maxsize=8_192)
def neighbourhood_in(text: str) -> str | None:
    """The neighbourhood an address or heading names, written out: `TDP 1` and `tổ dân phố số 01` are `Tổ dân phố 1`."""
    short = clean(text[:300])
    folded = fold(short)
    if (match := _NUMBERED.search(folded)) and _written_so(short, folded, match):
        return f"{_KINDS[match[1]]} {match[2].upper()}"
    if len(folded) <= 40 and (match := _NAMED.match(folded)) and len(short) == len(folded):
        name = short[match.start(2) :].strip(" .,:;-")
        if name and "," not in name:
            return f"{_KINDS[match[1]]} {name.title() if name.isupper() else name}"
    return None


def only_says(address: str, neighbourhood: str) -> bool:
    """Whether an address names the neighbourhood and nothing else: `TDP 1` of `Tổ dân phố 1`; not `Số 5, TDP 1`."""
    short, named = fold(clean(address)), fold(clean(neighbourhood))
    written_out = neighbourhood_in(address) if _NUMBERED.fullmatch(short) else None
    return short == named or (written_out is not None and written_out == neighbourhood_in(neighbourhood))


def said_once(address: str | None, neighbourhood: str | None) -> str | None:
    """The house as it is written, unless that only says the neighbourhood once more."""
    return None if address and neighbourhood and only_says(address, neighbourhood) else address


def _written_so(text: str, folded: str, match: re.Match[str]) -> bool:
    """Whether `to` was a Tổ and not a Tờ (a sheet), `ban` a Bản and not a Bàn: short words are too alike without accents."""
    words = {"to": ("tổ", "to"), "ban": ("bản", "ban"), "ap": ("ấp", "ap")}.get(match[1])
    return words is None or len(text) != len(folded) or text[match.start(1) : match.end(1)].lower() in words


@lru_cache(maxsize=8_192)
def ward_in(text: str) -> str | None:
    """The ward or commune a title or cell names, with its kind: `UBND PHƯỜNG BA ĐÌNH` names `Phường Ba Đình`."""
    short = clean(text[:300])
    for match in _WARD.finditer(short):
        if fold(short[: match.start()]).endswith((" thi", "chu tich")) or fold(short[: match.start()]) == "thi":
            continue  # thị xã is a town
        words: list[str] = []
        for word in match[2].split():
            if fold(word) in _AFTER_WARD or not (word[0].isupper() or word[0].isdigit()):
                break
            words.append(word)
        if words:
            kind = {
                "phuong": "Phường",
                "xa": "Xã",
                "thi tran": "Thị trấn",
                "dac khu": "Đặc khu",
            }[fold(match[1])]
            return " ".join(
                [
                    kind,
                    *(word.capitalize() if word.isupper() or word.islower() else word for word in words),
                ]
            )
    return None
