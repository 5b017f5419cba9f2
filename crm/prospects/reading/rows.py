"""One row of a table into one person, a rejection, or nothing at all (sub-headings, totals, signatures)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from crm.citizen_ids import CitizenId, CitizenIdProblem, Sex, birth_year_of, read_citizen_id, sex_of
from crm.names import NameProblem, clean, fold, looks_like_a_name, tidy
from crm.phones import NO_PHONE, PhoneProblem, read_phone
from crm.prospects.reading.columns import Field, Table, letter_of
from crm.prospects.reading.kinds import read_tax_code
from crm.prospects.reading.meanings import NOTHING, Home, Meanings, Meant, without_the_certified
from crm.prospects.reading.old_letters import Letters, to_unicode
from crm.prospects.reading.outcomes import Cell, Ground, Person, Reason, Rejected, Remark
from crm.prospects.reading.sources import Merged
from crm.prospects.reading.values import (
    NO_BIRTH,
    Birth,
    as_text,
    grounds_in,
    is_mark,
    is_minority,
    is_yes,
    neighbourhood_in,
    read_birth,
    read_sex,
    ward_in,
)
from crm.prospects.rules import ListKind

LONGEST_TEXT = 300
LONGEST_NOTE = 2_000
_SHOWN = 60

_SAID_BELOW = (
    r"^(tổng cộng|tổng số|tổng|cộng|total|sum|danh sách (này )?(có|gồm)|ấn định)\b"
    r"|^(người|cán bộ) (lập|tổng hợp|kiểm tra|ghi)|^lập biểu|^(tm|kt|tl)\b|^(phó )?chủ tịch|^thủ trưởng|^xác nhận"
    r"|^(tổ|trưởng|phó) (trưởng|thôn|bản|khu)|^bí thư|^(ký|kí)[, ]|^\(?(ký|kí)\b|^ghi chú\b"
)


def _with_or_without_accents(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"[a-z]*[^\W\d_a-z]\w*", lambda word: f"(?:{word[0]}|{fold(word[0])})", pattern))


_CLOSING = _with_or_without_accents(_SAID_BELOW)
"""Totals and signatures, each word with its accents or without any: Ấn định is said below a list, An Đình is called so."""
_DATED = _with_or_without_accents(r"(^|, )ngày (.* )?tháng (.* )?năm\b")
_FAMILIES = frozenset({"tong", "an", "cong", "to", "truong", "chu", "ky"})
"""First words of what is said below a list that without accents are families, too."""


def _closes(text: str, identified: bool = False) -> bool:
    """Whether a text is a total or a signature. Where no accents are written at all, what may be a name is one beside
    figures that tell of a person: `Tong Cong Hung`, but not `Tong cong`."""
    plain = clean(text).lower()
    said = _CLOSING.match(plain) or _DATED.search(plain)
    if said is None:
        return False
    name = identified and text.isascii() and text.split()[0].lower() in _FAMILIES and looks_like_a_name(text) is None
    return not (name and said.end() < len(clean(text)))


@lru_cache(maxsize=65_536)
def _name_in(cell: str) -> str:
    return _without_count(clean(cell))


def _without_count(name: str) -> str:
    if name and not (name[0].isalpha() and name[-1].isalpha()):
        return _COUNTED.sub("", name).strip(" ,;:.*_-")
    return name


@lru_cache(maxsize=65_536)
def _can_only_be_a_name(name: str) -> bool:
    """Whether words beside figures of a person are that person's name, whatever else the row says: neither a total nor a
    signature begins so."""
    return " " in name and name.replace(" ", "").isalpha() and not _closes(name, identified=True)


@lru_cache(maxsize=65_536)
def _name_kept(name: str) -> tuple[str, NameProblem | None]:
    """A name as it is kept, and what is wrong with it."""
    return tidy(name), looks_like_a_name(name)


@lru_cache(maxsize=16_384)
def _text_kept(text: str, longest: int) -> tuple[str | None, str | None]:
    """A text as it is kept, and all of it where that is only its beginning."""
    whole = clean(text)
    return (whole or None, None) if len(whole) <= longest else (whole[:longest].rstrip() or None, whole)


_FIGURE = re.compile(r"\d")
_NUMBERING = re.compile(r"\(?(\d{1,2}|[a-z]|[ivx]{1,4})\)?(=.*)?", re.IGNORECASE)
_NAME_REASONS = {
    NameProblem.EMPTY: Reason.NO_NAME,
    NameProblem.TOO_LONG: Reason.NAME_TOO_LONG,
    NameProblem.DIGITS: Reason.NAME_WITH_DIGITS,
    NameProblem.SYMBOLS: Reason.NAME_WITH_SYMBOLS,
    NameProblem.ONE_WORD: Reason.NAME_OF_ONE_WORD,
}
_CITIZEN_ID_REASONS = {
    CitizenIdProblem.OTHER_SEX: Reason.CITIZEN_ID_OTHER_SEX,
    CitizenIdProblem.OTHER_BIRTH_YEAR: Reason.CITIZEN_ID_OTHER_YEAR,
}
_IDENTIFYING = (
    Field.BIRTH, Field.BIRTH_OF_MAN, Field.BIRTH_OF_WOMAN, Field.PHONE, Field.OTHER_PHONE, Field.CITIZEN_ID, Field.SI_NUMBER,
    Field.TAX_CODE, Field.PAID_THROUGH, Field.HOUSEHOLD_CODE, Field.FROM_MONTH,
)  # fmt: skip

_PLACES = (Field.ADDRESS, Field.NEIGHBOURHOOD, Field.WARD)
_COUNTED = re.compile(r"^\d{1,4} ?[.)/] ?")


@dataclass(slots=True)
class _Section:
    """What the headings inside a table say about the rows below them."""

    ward: str | None
    neighbourhood: str | None = None
    grounds: tuple[Ground, ...] = ()
    closing: bool = False


class RowReader:
    """Reads the rows of one table, in their order: sub-headings hold for the rows below them."""

    def __init__(self, table: Table, today: date, merged: Merged = ()) -> None:
        self._table, self._today = table, today
        self._letters = table.letters
        self._old = any(letters is not Letters.UNICODE for letters in table.letters)
        self._at = {field: column.index for field, column in table.mapping.items()}
        self._headings = {fold(column.heading) for column in table.columns if column.heading}
        self._section = _Section(table.ward_named, table.neighbourhood_named)
        self._words: dict[int, Cell] = {}
        self._phones_at = [self._at[field] for field in (Field.PHONE, Field.OTHER_PHONE) if field in self._at]
        self._says_grounds = any(field in self._at for field in _GROUNDS)
        self._identifying = [self._at[field] for field in _IDENTIFYING if field in self._at]
        places = {self._at[field] for field in _PLACES if field in self._at}
        self._spread = [
            (top + 1, bottom + 1, left) for (top, left), (bottom, _) in merged if bottom > top and left in places
        ]
        self._name_at = self._at.get(Field.FULL_NAME, self._at.get(Field.GIVEN_NAME, 0))
        self._meanings = Meanings(table, today) if table.kind is not ListKind.PEOPLE else None

    def read(self, rows: Iterator[Sequence[Cell]]) -> Iterator[Person | Rejected]:
        """Each person and each rejected row below the headings."""
        first = self._table.first_row
        width = max((column.index for column in self._table.columns), default=0) + 1
        for number, cells in enumerate(rows, start=1):
            if number < first:
                continue
            if len(cells) < width:
                cells = [*cells, *[""] * (width - len(cells))]
            if self._spread:
                cells = self._with_spread(number, cells)
            outcome = self._row(number, cells, width)
            if outcome is not None:
                yield outcome

    def _with_spread(self, number: int, cells: Sequence[Cell]) -> Sequence[Cell]:
        """The row with the place that a merged cell gives to several rows; only its first row holds the words."""
        filled = list(cells)
        for first, last, index in self._spread:
            if first == number:
                self._words[index] = cells[index]
            elif first < number <= last and cells[index] in ("", None):
                filled[index] = self._words.get(index)
        return filled

    def _row(self, number: int, cells: Sequence[Cell], width: int) -> Person | Rejected | None:
        raw = tuple(cells[:width])
        if self._old:
            cells = [
                to_unicode(cell, letters)
                if letters is not Letters.UNICODE and isinstance(cell, str) and len(cell) < 1_000
                else cell
                for cell, letters in zip(raw, self._letters, strict=False)
            ]
        name = self._name(cells)
        if self._meanings and not name:
            name = clean(self._meanings.name_of_head(cells))
        member = bool(name) and self._meanings is not None and self._meanings.tells_of_a_member(cells)
        if not (self._is_about_somebody(name, cells) or (member and fold(name) not in self._headings)):
            self._take_heading(cells)
            return None
        return _OneRow(self, number, cells, raw).outcome(name)

    def _name(self, cells: Sequence[Cell]) -> str:
        at = self._at
        if Field.FULL_NAME in at:
            cell = cells[at[Field.FULL_NAME]]
        else:
            family = cells[at[Field.SURNAME]] if Field.SURNAME in at else ""
            cell = f"{as_text(family)} {as_text(cells[at[Field.GIVEN_NAME]])}"
        return _name_in(cell) if isinstance(cell, str) else _without_count(as_text(cell))

    def _is_about_somebody(self, name: str, cells: Sequence[Cell]) -> bool:
        """Whether the row tells of a person: not an empty one, a sub-heading, a total, column numbers or a signature."""
        if _can_only_be_a_name(name) and self._has_figures(cells) and fold(name) not in self._headings:
            return True  # most rows
        identified = False
        for index in self._identifying:
            if cells[index] not in ("", None):
                identified = True
                break
        serial = as_text(cells[self._at[Field.SERIAL]]).strip() if Field.SERIAL in self._at else ""
        numbered = serial.rstrip(".").isdecimal()
        if name and identified and numbered and not name[0].isdigit() and name[0] != "(":
            return True
        if not name and not identified:
            return False
        if not numbered:
            identified = any(map(str.isdigit, "".join([as_text(cells[index])[:200] for index in self._identifying])))
        folded = fold(name)
        if identified and " " in name and name.replace(" ", "").isalpha() and folded not in self._headings:
            return not _closes(name, identified)
        filled = [text for cell in cells if cell not in ("", None) and (text := as_text(cell).strip())]
        if not name:
            shown = [text for index in self._identifying if (text := as_text(cells[index]).strip())]
            return (numbered and bool(shown)) or any(sum(map(str.isdigit, text)) >= 4 for text in shown)
        if folded in self._headings and len(filled) > 1 and not identified:
            return False
        if len(filled) >= 3 and all(_NUMBERING.fullmatch(text) for text in filled):
            return False
        if all(fold(text) in self._headings for text in filled):
            return False
        if not (numbered and identified) and _closes(name, identified):
            return False
        if identified or numbered:
            return True
        if self._section.closing or Field.SERIAL in self._at:
            return False
        others = len(filled) - (2 if Field.FULL_NAME not in self._at and Field.SURNAME in self._at else 1)
        if others == 0 and (neighbourhood_in(name) or ward_in(name) or grounds_in(name)):
            return False
        return others > 0 or looks_like_a_name(name) is None

    def _has_figures(self, cells: Sequence[Cell]) -> bool:
        """Whether something that identifies somebody is there, with a figure in it."""
        for index in self._identifying:
            cell = cells[index]
            if isinstance(cell, str):
                if cell and _FIGURE.search(cell, 0, 200):
                    return True
            elif cell is not None:
                return True
        return False

    def _take_heading(self, cells: Sequence[Cell]) -> None:
        filled = [text for cell in cells if isinstance(cell, str) and (text := clean(cell))]
        if not filled:
            return
        text = max(filled, key=len) if len(filled) <= 2 else ""
        if any(_closes(text) for text in filled):
            self._section.closing = True
        elif text:
            ward, neighbourhood, grounds = ward_in(text), neighbourhood_in(text), grounds_in(text)
            if ward or neighbourhood or grounds:
                self._section.closing = False
            self._section.ward = ward or self._section.ward
            self._section.neighbourhood = neighbourhood or (None if ward else self._section.neighbourhood)
            self._section.grounds = grounds or (() if ward or neighbourhood else self._section.grounds)


class _OneRow:
    """A row that tells of somebody, while it is read."""

    __slots__ = ("_at", "_cells", "_number", "_raw", "_reader", "_remarks", "_table")

    def __init__(self, reader: RowReader, number: int, cells: Sequence[Cell], raw: tuple[Cell, ...]) -> None:
        self._reader, self._number, self._cells, self._raw = reader, number, cells, raw
        self._at, self._table = reader._at, reader._table
        self._remarks: list[Remark] = []

    def outcome(self, name: str) -> Person | Rejected:
        # Asked first: the household of a head who is rejected begins here too, and the members below are not the last one's.
        grounds, meanings = self._grounds(), self._reader._meanings
        meant = (meanings.of(self._cells, grounds) if meanings else None) or Meant()
        home = self._home(meanings)
        kept, problem = _name_kept(name)
        if problem is NameProblem.ONE_WORD:
            self._remark(Reason.NAME_OF_ONE_WORD, self._reader._name_at, name)
        elif problem is not None:
            return self._rejected(_NAME_REASONS[problem], self._reader._name_at, name)
        sex, birth, birth_at = self._sex_and_birth()
        if birth.problem is not None:
            return self._rejected(birth.problem, birth_at, as_text(self._cells[birth_at]))
        sex, citizen_id, year = self._citizen_id(sex, birth)
        phone, other_phone = self._phones()
        extra = NOTHING
        if meanings:
            for slip in meant.slips:
                if slip.fatal:
                    return self._rejected(slip.reason, slip.index, as_text(self._cells[slip.index]))
                self._remark(slip.reason, slip.index, as_text(self._cells[slip.index]))
            extra, grounds = meant.says, without_the_certified(grounds, self._table.kind)
        return Person(
            self._table.sheet,
            self._number,
            kept,
            sex,
            year,
            birth.date,
            phone,
            other_phone,
            citizen_id,
            self._si_number(),
            grounds,
            home.address,
            home.neighbourhood,
            self._text(Field.OCCUPATION) or extra.get("trade"),
            is_yes(as_text(self._cells[self._at[Field.SMS_CONSENT]])) if Field.SMS_CONSENT in self._at else None,
            home.ward,
            self._text(Field.NOTE, LONGEST_NOTE),
            tuple(self._remarks),
            self._raw,
            extra,
        )

    def _where(self, index: int, value: str) -> dict[str, str | int]:
        shown = clean(value[:200])
        return {
            "sheet": self._table.sheet,
            "row": self._number,
            "column": letter_of(index),
            "value": shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…",
        }

    def _remark(self, reason: Reason, index: int, value: str) -> None:
        self._remarks.append(Remark(reason, self._where(index, value)))

    def _rejected(self, reason: Reason, index: int, value: str) -> Rejected:
        return Rejected(self._table.sheet, self._number, reason, self._where(index, value), self._raw)

    def _text(self, field: Field, longest: int = LONGEST_TEXT) -> str | None:
        index = self._at.get(field)
        if index is None:
            return None
        cell = self._cells[index]
        if cell == "" or cell is None:
            return None
        text, cut = _text_kept(cell[: 4 * longest] if isinstance(cell, str) else as_text(cell), longest)
        if cut:
            self._remark(Reason.TEXT_CUT, index, cut)
        return text

    def _sex_and_birth(self) -> tuple[Sex | None, Birth, int]:
        at, cells, today = self._at, self._cells, self._reader._today
        sex: Sex | None = None
        if (index := at.get(Field.SEX)) is not None and cells[index] not in ("", None):
            sex = read_sex(cells[index])
            if sex is None:
                self._remark(Reason.SEX_UNREADABLE, index, as_text(cells[index]))
        if Field.MAN in at or Field.WOMAN in at:
            man = Field.MAN in at and is_mark(as_text(cells[at[Field.MAN]]))
            woman = Field.WOMAN in at and is_mark(as_text(cells[at[Field.WOMAN]]))
            sex = sex if man == woman else "male" if man else "female"
        birth, birth_at = NO_BIRTH, at.get(Field.BIRTH, -1)
        if birth_at >= 0:
            birth = self._with_day_and_month(read_birth(cells[birth_at], today))
        for field, of in ((Field.BIRTH_OF_MAN, "male"), (Field.BIRTH_OF_WOMAN, "female")):
            index = at.get(field)
            if index is None or cells[index] in ("", None):
                continue
            found = read_birth(cells[index], today)
            if found == NO_BIRTH and not is_mark(as_text(cells[index])):
                continue
            if birth_at >= 0 and birth_at != at.get(Field.BIRTH, -1):
                self._remark(Reason.BIRTH_IN_BOTH_COLUMNS, index, as_text(cells[index]))
                return None, birth, birth_at
            sex = "male" if of == "male" else "female"
            if found != NO_BIRTH:
                birth, birth_at = found, index
        return sex, birth, birth_at

    def _with_day_and_month(self, birth: Birth) -> Birth:
        at, cells = self._at, self._cells
        if birth.year is None or birth.date is not None or Field.BIRTH_DAY not in at or Field.BIRTH_MONTH not in at:
            return birth
        day, month = as_text(cells[at[Field.BIRTH_DAY]]).strip(), as_text(cells[at[Field.BIRTH_MONTH]]).strip()
        if not day or not month:
            return birth
        return read_birth(f"{day}/{month}/{birth.year}", self._reader._today)

    def _citizen_id(self, sex: Sex | None, birth: Birth) -> tuple[Sex | None, str | None, int | None]:
        """Sex, number and year of birth: a good 12-digit number also tells the other two where the list does not."""
        index = self._at.get(Field.CITIZEN_ID)
        if index is None:
            index = self._citizen_id_as_tax_code()
        found = read_citizen_id(self._cells[index], sex, birth.year) if index is not None else None
        if isinstance(found, CitizenId):
            if found.kind == "cmnd":
                return sex, found.number, birth.year
            year = birth_year_of(found.number)
            if birth.year is None and year > self._reader._today.year:
                self._remark(Reason.CITIZEN_ID_UNREADABLE, index or 0, found.number)
                return sex, None, None
            return sex or sex_of(found.number), found.number, birth.year or year
        if found is not None and index is not None:
            reason = _CITIZEN_ID_REASONS.get(found, Reason.CITIZEN_ID_UNREADABLE)
            self._remark(reason, index, as_text(self._cells[index]))
        return sex, None, birth.year

    def _citizen_id_as_tax_code(self) -> int | None:
        """Since 2025 the owner's citizen number is a household business's tax code."""
        index = self._at.get(Field.TAX_CODE)
        return index if index is not None and len(read_tax_code(self._cells[index]) or "") == 12 else None

    def _phones(self) -> tuple[str | None, str | None]:
        numbers = []
        for index in self._reader._phones_at:
            if (cell := self._cells[index]) in ("", None):
                numbers.append(NO_PHONE)
                continue
            phone = read_phone(cell)
            if phone.problem:
                foreign = phone.problem is PhoneProblem.FOREIGN
                self._remark(Reason.PHONE_FOREIGN if foreign else Reason.PHONE_UNREADABLE, index, as_text(cell))
            numbers.append(phone)
        first, second = (*numbers, NO_PHONE, NO_PHONE)[:2]
        mobile = first.mobile or second.mobile
        others = (first.landline, *first.others, second.landline, second.mobile, *second.others)
        return mobile, next((number for number in others if number and number != mobile), None) if any(others) else None

    def _si_number(self) -> str | None:
        index = self._at.get(Field.SI_NUMBER)
        if index is None or not (text := as_text(self._cells[index]).strip("' ")):
            return None
        digits = re.sub(r"[ .\-]|^[A-Za-z]{2}[ .\-]?\d(?=[ .\-]?\d{2}[ .\-]?\d{10}$)", "", text)
        if digits.isascii() and digits.isdigit() and 8 <= len(digits) <= 10:
            return digits.zfill(10)
        if any(map(str.isdigit, text)):
            self._remark(Reason.SI_NUMBER_UNREADABLE, index, text)
        return None

    def _grounds(self) -> tuple[Ground, ...]:
        if not self._reader._says_grounds:
            return self._reader._section.grounds
        at, cells = self._at, self._cells
        grounds: list[Ground] = list(self._reader._section.grounds)
        if (index := at.get(Field.STANDING)) is not None and cells[index] != "":
            grounds += grounds_in(as_text(cells[index]))
        for field, ground in _TICKS:
            if (index := at.get(field)) is not None and (text := as_text(cells[index])):
                grounds += grounds_in(text) or ((ground,) if is_mark(text) else ())
        if (index := at.get(Field.PEOPLE)) is not None and cells[index] != "" and is_minority(as_text(cells[index])):
            grounds.append("ethnic_minority")
        return tuple(dict.fromkeys(grounds)) if grounds else ()

    def _home(self, meanings: Meanings | None) -> Home:
        """Where the person lives: as the row says, else as the row of the household's head."""
        address = self._text(Field.ADDRESS)
        home = Home(address, self._neighbourhood(address), self._ward(address))
        told = bool(address or self._text(Field.NEIGHBOURHOOD) or self._text(Field.WARD))
        return meanings.home(home, told=told) if meanings else home

    def _neighbourhood(self, address: str | None) -> str | None:
        own = self._text(Field.NEIGHBOURHOOD)
        if own:
            number = own if not own.isdigit() else f"{self._heading_of(Field.NEIGHBOURHOOD)} {own}"
            return neighbourhood_in(number) or own
        return (neighbourhood_in(address) if address else None) or self._reader._section.neighbourhood

    def _heading_of(self, field: Field) -> str:
        heading = next(column.heading for column in self._table.columns if column.field is field)
        return re.split(r"[,/(]", heading)[0]

    def _ward(self, address: str | None) -> str | None:
        own = self._text(Field.WARD)
        if own:
            return ward_in(own) or own
        return (ward_in(address) if address else None) or self._reader._section.ward


_GROUNDS = (Field.STANDING, Field.POOR, Field.NEAR_POOR, Field.MINORITY, Field.PEOPLE)
_TICKS: tuple[tuple[Field, Ground], ...] = (
    (Field.POOR, "poor"),
    (Field.NEAR_POOR, "near_poor"),
    (Field.MINORITY, "ethnic_minority"),
)
