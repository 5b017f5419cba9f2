"""How values are written for people: the template filters, Vietnamese first and English beside it.

Each function is pure and takes the language as its last argument; `register` gives templates the one they read in.
Nothing to show is always "—".
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache, wraps
from hashlib import blake2b
from pathlib import Path
from typing import Any

from flask import Flask, url_for
from flask_babel import get_locale
from flask_babel.speaklater import LazyString

from crm.clock import LOCAL
from crm.money import half_up
from crm.months import Month
from crm.web import controls, signs

NOTHING = "—"
VIETNAMESE = "vi"
NO_BREAK = "\N{NO-BREAK SPACE}"
ENGLISH_MONTHS = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
MOBILE_DIGITS = 10
LANDLINE_DIGITS = 11

Number = int | float | Decimal | Fraction


def number(value: Number | None, digits: int = 0, locale: str = VIETNAMESE) -> str:
    """1385 → "1.385", 12.5 with one digit → "12,5"; English "1,385" and "12.5". Halves round up."""
    if value is None:
        return NOTHING
    units = half_up(_exact(value) * 10**digits)
    whole, rest = divmod(abs(units), 10**digits)
    written = f"{'-' if units < 0 else ''}{whole:,}" + (f".{rest:0{digits}}" if digits else "")
    return written if locale != VIETNAMESE else written.translate(str.maketrans(",.", ".,"))


def vnd(value: int | None, locale: str = VIETNAMESE) -> str:
    """165000 → "165.000 đ" (English "165,000 đ"); the space does not break."""
    return NOTHING if value is None else f"{number(value, 0, locale)}{NO_BREAK}đ"


def in_money(value: int) -> Any:
    """An amount inside a sentence: written as `vnd` does in the language of whoever reads it, when it is read."""
    return LazyString(lambda: vnd(value, _readers_language()))


def in_number(value: int) -> Any:
    """A number inside a sentence: written as `number` does in the language of whoever reads it, when it is read."""
    return LazyString(lambda: number(value, 0, _readers_language()))


def percent(value: Number | None, digits: int = 1, locale: str = VIETNAMESE) -> str:
    """A ratio as a percentage, without needless zeros: 0.873 → "87,3%", 1 → "100%"."""
    if value is None:
        return NOTHING
    hundredfold = _exact(value) * 100
    is_whole = half_up(hundredfold * 10**digits) % 10**digits == 0
    return number(hundredfold, 0 if is_whole else digits, locale) + "%"


def day(value: date | None, locale: str = VIETNAMESE) -> str:
    """A date, or the day in Vietnam of a moment: "12/8/2019" (English "12 Aug 2019")."""
    if value is None:
        return NOTHING
    local = _local(value)
    if locale == VIETNAMESE:
        return f"{local.day}/{local.month}/{local.year}"
    return f"{local.day} {ENGLISH_MONTHS[local.month - 1]} {local.year}"


def in_day(value: date | None) -> Any:
    """A day inside a sentence: written as `day` does in the language of whoever reads it, when it is read."""
    return LazyString(lambda: day(value, _readers_language()))


def moment(value: datetime | None, locale: str = VIETNAMESE) -> str:
    """A moment in Vietnam's time: "14:05, 12/8/2019"."""
    return NOTHING if value is None else f"{_local(value):%H:%M}, {day(value, locale)}"


def month(value: Month | date | None, locale: str = VIETNAMESE) -> str:
    """A month, or the month of a day: "8/2019" (English "Aug 2019")."""
    if value is None:
        return NOTHING
    that = value if isinstance(value, Month) else Month.of(_local(value))
    return f"{that.number}/{that.year}" if locale == VIETNAMESE else f"{ENGLISH_MONTHS[that.number - 1]} {that.year}"


def phone(value: str | None) -> str:
    """+84912345678 → "0912 345 678"; a landline as 4-4-3; what is not Vietnamese stays as it is."""
    if not value:
        return NOTHING
    digits = "0" + value[3:] if value.startswith("+84") else value
    if not digits.isdecimal() or not digits.startswith("0"):
        return value
    if len(digits) == MOBILE_DIGITS:
        return f"{digits[:4]} {digits[4:7]} {digits[7:]}"
    if len(digits) == LANDLINE_DIGITS:
        return f"{digits[:4]} {digits[4:8]} {digits[8:]}"
    return digits


def person_name(value: str | None) -> str:
    """A name as one writes it: single spaces, and capitals only where they belong when it came all in one case."""
    words = (value or "").split()
    if not words:
        return NOTHING
    name = " ".join(words)
    return " ".join(word.capitalize() for word in words) if name.isupper() or name.islower() else name


def initials(value: str | None) -> str:
    """First letters of the family and the given name: "Nguyễn Thị Đăng" → "NĐ"."""
    words = (value or "").split()
    return "".join(word[0].upper() for word in (words[:1] + words[1:][-1:]))


def share(value: Number, whole: Number) -> float:
    """How many per cent of the whole, 0…100, for drawing a bar; 0 of nothing is 0."""
    return round(max(0.0, min(100.0, 100 * float(value) / float(whole))), 2) if whole else 0.0


def register(app: Flask) -> None:
    """Give the templates every format, the drawing of fields, and `asset(name)`: a static file's changing address."""
    for write in (number, vnd, percent, day, moment, month):
        app.add_template_filter(_in_the_readers_language(write), write.__name__)
    for plain in (phone, person_name, initials, share):
        app.add_template_filter(plain)
    app.add_template_global(asset_of(app), "asset")
    app.add_template_global(signs.stage_sign)
    app.add_template_global(signs.standing_sign)
    controls.register(app)


def asset_of(app: Flask) -> Callable[[str], str]:
    """A function from a static file's name to its address with a mark that changes with its content."""
    folder = Path(app.static_folder or "")

    @lru_cache(maxsize=256)
    def asset(name: str) -> str:
        return url_for("static", filename=name, v=blake2b((folder / name).read_bytes(), digest_size=5).hexdigest())

    return asset


def _in_the_readers_language(write: Callable[..., str]) -> Callable[..., str]:
    @wraps(write)
    def written(value: Any, *args: Any, **kwargs: Any) -> str:
        return write(value, *args, locale=_readers_language(), **kwargs)

    return written


def _readers_language() -> str:
    locale = get_locale()
    return locale.language if locale else VIETNAMESE


def _exact(value: Number) -> Fraction:
    """The number as it is written: 0.1 is one tenth, not the float nearest to it."""
    return Fraction(str(value)) if isinstance(value, float) else Fraction(value)


def _local(value: date) -> date:
    return value.astimezone(LOCAL) if isinstance(value, datetime) and value.tzinfo else value
