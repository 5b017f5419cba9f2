"""Finding the table in a sheet: the rows of headings, which column holds what, and why we think so."""

import itertools
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from crm.citizen_ids import CitizenId, read_citizen_id
from crm.names import clean, fold, looks_like_a_name
from crm.phones import read_phone
from crm.prospects.reading.kinds import HEADINGS, kind_of, one_ground, special_field, year_of
from crm.prospects.reading.old_letters import Letters, is_syllable, letters_beside, letters_of, to_unicode
from crm.prospects.reading.outcomes import Cell, Refusal, Unreadable
from crm.prospects.reading.sources import Merged
from crm.prospects.reading.values import as_text, neighbourhood_in, read_sex, ward_in
from crm.prospects.rules import ListKind

HEAD_ROWS = 80
MOST_HEADER_ROWS = 5
SAMPLE_ROWS = 300
WIDEST = 200  # columns; what stands further right is decoration
_LETTERS = re.compile(r"[A-Za-z]{1,2}")
_HAS_DIGIT = re.compile(r"\d")
_LONG_NUMBER = re.compile(r"\d{4}")
_BIRTH_SHAPE = re.compile(r"(\d{0,2}\s*[/.\-]\s*){0,2}(1[89]|20)\d\d|\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2}")


class Field(StrEnum):
    """What a column can hold."""

    SERIAL = "serial"
    FULL_NAME = "full_name"
    HOUSEHOLDER = "householder"
    SURNAME = "surname"
    GIVEN_NAME = "given_name"
    SEX = "sex"
    MAN = "man"
    WOMAN = "woman"
    BIRTH = "birth"
    BIRTH_OF_MAN = "birth_of_man"
    BIRTH_OF_WOMAN = "birth_of_woman"
    BIRTH_DAY = "birth_day"
    BIRTH_MONTH = "birth_month"
    PHONE = "phone"
    OTHER_PHONE = "other_phone"
    CITIZEN_ID = "citizen_id"
    SI_NUMBER = "si_number"
    POOR = "poor"
    NEAR_POOR = "near_poor"
    STANDING = "standing"
    MINORITY = "minority"
    PEOPLE = "people"
    ADDRESS = "address"
    NEIGHBOURHOOD = "neighbourhood"
    WARD = "ward"
    OCCUPATION = "occupation"
    SMS_CONSENT = "sms_consent"
    NOTE = "note"
    TAX_CODE = "tax_code"
    BUSINESS_NAME = "business_name"
    TRADE = "trade"
    TAX_METHOD = "tax_method"
    SINCE = "since"
    PAID_THROUGH = "paid_through"
    PAY_METHOD = "pay_method"
    INCOME = "income"
    HOUSEHOLD_CODE = "household_code"
    KINSHIP = "kinship"
    CERTIFICATE = "certificate"
    FROM_MONTH = "from_month"
    MONTHS_COUNT = "months_count"
    TOTAL_PAID = "total_paid"
    OWN_PAID = "own_paid"
    STATE_PAID = "state_paid"
    LOCAL_PAID = "local_paid"
    OTHER_PAID = "other_paid"
    PAID_ON = "paid_on"
    RECEIPT = "receipt"
    LIST_NUMBER = "list_number"


SPECIAL: Mapping[ListKind, tuple[Field, ...]] = {
    kind: tuple(
        field
        for field in map(Field, dict.fromkeys(name for name, _ in rules))
        if field not in (Field.FULL_NAME, Field.SERIAL)
    )
    for kind, rules in HEADINGS.items()
}
"""The fields that only a list of a kind has."""


class Why(StrEnum):
    """What made a column be taken for its field."""

    HEADING = "heading"
    VALUES = "values"
    CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table: its place (0 is A), its heading, what it holds and why; `field` is None when nothing uses it."""

    index: int
    letter: str
    heading: str
    field: Field | None
    why: Why | None


@dataclass(frozen=True, slots=True)
class Table:
    """The proposal for one sheet: where the headings are, what each column holds, how sure that is (0 to 1), how it is lettered."""

    sheet: str
    header_rows: tuple[int, ...]
    columns: tuple[Column, ...]
    confidence: float
    letters: tuple[Letters, ...]
    ward_named: str | None
    neighbourhood_named: str | None = None
    kind: ListKind = ListKind.PEOPLE
    year: int | None = None
    """The year a list of poor households is of."""
    ground: str | None = None
    """`poor` or `near_poor`, when the title speaks of one of them only."""
    starts_at: int = 1
    """The first row of people in a table without headings."""
    decomposed: bool = False
    """Whether letters and their signs stood apart in the file (as some programs write Unicode)."""

    @property
    def first_row(self) -> int:
        """The first row below the headings, counted from 1."""
        return self.header_rows[-1] + 1 if self.header_rows else self.starts_at

    @property
    def mapping(self) -> dict[Field, Column]:
        """The column of each field that was found."""
        return {column.field: column for column in self.columns if column.field is not None}


def letter_of(index: int) -> str:
    """A, B … Z, AA …: the name of the column at `index`, which counts from 0."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def index_of(letters: str) -> int:
    """The place, from 0, of the column that a spreadsheet calls `letters`."""
    place = 0
    for letter in letters.upper():
        place = place * 26 + ord(letter) - 64
    return place - 1


def _rule(field: Field | None, pattern: str) -> tuple[Field | None, re.Pattern[str]]:
    return field, re.compile(pattern)


# Tried in this order on the folded heading, with all signs but letters and digits made spaces. None: known, and of no use.
_HEADINGS: tuple[tuple[Field | None, re.Pattern[str]], ...] = (
    _rule(Field.SERIAL, r"^(s ?tt|tt|so tt|so thu tu|thu tu|no|nr|ord|order|id|serial|serial no|sl no|#)$"),
    _rule(None, r"^(why it was left out|sheet in the file|row in the file|ly do chua nhap|to trong tep|dong trong tep)$"),
    _rule(None, r"\b(ngay|noi|co quan) cap\b|date of issue|place of issue|issued|quan he|ngay lap|chu ky|ky nhan|ky ten"),
    _rule(Field.HOUSEHOLDER, r"^(ho( va)? ten|ten)? ?chu ho$|^head of (the )?household$"),
    _rule(None, r"\bcha\b|\bbo me\b|\bme\b|vo chong|nguoi gioi thieu|can bo|cong tac vien|spouse"),
    _rule(None, r"que quan|nguyen quan|so thang|so tien|muc dong|email|thu dien tu|trinh do|hoc van"),
    _rule(Field.SMS_CONSENT, r"dong y|consent|nhan tin|\bsms\b|opt ?in"),
    _rule(Field.SI_NUMBER, r"^masobhxh$|^(ma|so|ma so|so so)( so)? (bhxh|bao hiem xa hoi|bh xa hoi)( .*)?$|\b(insurance|si) (number|no)\b"),
    _rule(
        Field.CITIZEN_ID,
        r"cccd|cmnd|cmtnd|\bcmt\b|can cuoc|chung minh|dinh danh|\bddcn\b|citizen|\bid (card|number|no)\b|identity|so giay to|national id",
    ),
    _rule(Field.OTHER_PHONE, r"co dinh|may ban|dien thoai (khac|phu|2)|(sdt|dt) (khac|phu|2)|landline|home phone|other phone|phone 2|second phone"),
    _rule(Field.PHONE, r"dien thoai|\bs ?dt\b|\bso dt\b|^dt$|\bdtdd\b|\bdd\b|di dong|phone|mobile|\btel\b|zalo|lien he|lien lac|cell"),
    _rule(Field.STANDING, r"(?<!can )ngheo.*can ngheo|can ngheo.*(?<!can )ngheo"),
    _rule(Field.NEAR_POOR, r"can ngheo|\bhcn\b|near poor"),
    _rule(Field.POOR, r"ngheo|\bhn\b|\bpoor\b"),
    _rule(Field.STANDING, r"thuoc dien|doi tuong|hoan canh|loai ho|phan loai|\bdien\b|standing|household (type|status)"),
    _rule(Field.MINORITY, r"thieu so|\bdtts\b|minority"),
    _rule(Field.PEOPLE, r"dan toc|ethnic"),
    _rule(Field.BIRTH_OF_WOMAN, r"((ngay|nam|thang) sinh|birth|born).*\b(nu|female|women|woman)\b|\bnu\b.*(ngay|nam) sinh"),
    _rule(Field.BIRTH_DAY, r"(ngay|nam|thang) sinh( .*)? ngay$|^day of birth$|^birth day$"),
    _rule(Field.BIRTH_MONTH, r"(ngay|nam|thang) sinh( .*)? thang$|^month of birth$|^birth month$"),
    _rule(Field.BIRTH_OF_MAN, r"(nam|ngay|thang|nam nam) sinh( .*)? nam$|^nam nam sinh$|(birth|born).*\b(male|men|man)\b"),
    _rule(Field.BIRTH, r"(ngay|nam|thang)( thang)?( nam)? sinh|^sinh( ngay| nam)?$|^ns$|ntns|birth|\bdob\b|\bborn\b|\bnamsinh\b|\bngaysinh\b"),
    _rule(Field.WOMAN, r"^nu$|(gioi tinh|phai|sex|gender).* (nu|female)$|^female$"),
    _rule(Field.MAN, r"^nam$|(gioi tinh|phai|sex|gender).* (nam|male)$|^male$"),
    _rule(Field.SEX, r"gioi tinh|^gioi$|^phai$|\bsex\b|gender|^nam nu$|^gt$"),
    _rule(Field.SURNAME, r"ho dem|ho va (ten )?(chu )?dem|ho (chu |va )?lot|ten dem|^ho$|surname|last name|family name|ho va ten ho$"),
    _rule(Field.GIVEN_NAME, r"^ten$|^ten goi$|first name|given name|^ho va ten ten$|^ho ten ten$"),
    _rule(Field.FULL_NAME, r"ho( va)?( chu dem)?( va)? ten|\bhoten\b|full ?name|^name$|^(name of )?(person|member|worker)( s? ?name)?$"),
    _rule(Field.FULL_NAME, r"^ten (nguoi|hoi vien|thanh vien|lao dong|doan vien|cong dan)|^(hoi vien|nguoi lao dong|ho va ten.*)$"),
    _rule(Field.OCCUPATION, r"nghe|cong viec|viec lam|occupation|\bjob\b|profession"),
    _rule(Field.NEIGHBOURHOOD, r"to dan pho|\btdp\b|khu pho|^kp$|\bthon\b|\bxom\b|tieu khu|khu dan cu|neighbou?rhood|hamlet|^to$|^khu$|^ban$|^ap$|^cum$"),
    _rule(Field.ADDRESS, r"dia chi|cho o|noi o|thuong tru|tam tru|ho khau|noi cu tru|address|residence|noi dang ky"),
    _rule(Field.WARD, r"\bphuong\b|\bxa\b|\bward\b|commune"),
    _rule(Field.NOTE, r"ghi chu|\bnotes?\b|remarks?|comments?"),
)  # fmt: skip
_SIGNS = re.compile(r"[^a-z0-9#]+")


def _plain(heading: str) -> str:
    return _SIGNS.sub(" ", fold(heading.replace("&", " và "))).strip()


@lru_cache(maxsize=8_192)
def field_of(heading: str, kind: ListKind = ListKind.PEOPLE) -> tuple[bool, Field | None]:
    """(whether the heading is known, the field it names in a list of this kind)."""
    if not heading or len(heading) > 120:
        return False, None
    plain = _plain(heading)
    if special := special_field(plain, kind):
        return True, Field(special)
    if plain == "sinh nam" or clean(heading).lower().endswith("sinh năm"):
        return True, Field.BIRTH
    for field, pattern in _HEADINGS:
        if pattern.search(plain):
            if field is Field.BIRTH_OF_MAN and clean(heading).lower().endswith(" năm"):
                return True, Field.BIRTH  # the year under "Ngày tháng năm sinh"
            return True, field
    return False, None


_ALIASES = {"name": Field.FULL_NAME, "birth_year": Field.BIRTH, "birth_date": Field.BIRTH, "grounds": Field.STANDING}


def find_table(
    sheet: str,
    rows: Sequence[Sequence[Cell]],
    merged: Merged,
    wished: Mapping[str, str] | None = None,
    kind: ListKind | None = None,
    headed: Sequence[int] | None = None,
) -> Table | None:
    """The table in the first rows of a sheet; None when there is none. `wished` overrides: a field, and its column or heading.
    `kind` is what the list is; None: whatever it seems to be. `headed` are the rows of headings, counted from 1, where
    somebody chose them; empty: there are none.

    Raises Unreadable when what is wished for cannot be.
    """
    width = min(max(map(len, rows), default=0), WIDEST)
    overall = letters_of(cell for row in rows for cell in row[:width] if isinstance(cell, str))
    top = [[_decoded(cell, overall) for cell in row[:width]] + [""] * (width - len(row)) for row in rows[:HEAD_ROWS]]
    if headed is None:
        header_rows, headings = _headings_of_some_kind(top, merged, 1.0 if wished else 2.2, kind)
        above = header_rows[-1] if header_rows else 0 if wished else _first_row_of_values(top)
    else:
        header_rows, headings = _headings_chosen(top, merged, headed)
        above = header_rows[-1] if header_rows else _first_row_of_values(top) or 0
    if above is None:
        return None
    below = rows[above:]
    letters = tuple(_letters_of_column(below, index, overall) for index in range(width))
    values = [_sample(below, index, letters[index]) for index in range(width)]
    title = top[: header_rows[0] - 1] if header_rows else top[:above]
    titles = [fold(text) for text in (*(text for row in title for text in row if text), sheet)]
    kind = kind or kind_of([_plain(heading) for heading in headings], titles)
    fields = _fields(headings, values, kind)
    if headed is not None:
        _name_somewhere(fields, values)
    chosen = _chosen(wished or {}, headings)
    columns = tuple(
        Column(index, letter_of(index), headings[index], *_after_choice(index, fields[index], chosen))
        for index in range(width)
    )
    if not {column.field for column in columns} & {Field.FULL_NAME, Field.GIVEN_NAME}:
        return None
    return Table(
        sheet=sheet,
        header_rows=header_rows,
        columns=columns,
        confidence=_confidence(columns, values),
        letters=letters,
        ward_named=next((ward for row in title for text in row if (ward := ward_in(text))), None) or ward_in(sheet),
        neighbourhood_named=_one_neighbourhood(sheet, title),
        kind=kind,
        year=year_of(titles),
        ground=one_ground(titles),
        starts_at=above + 1,
        decomposed=any(
            isinstance(cell, str) and not cell.isascii() and not unicodedata.is_normalized("NFC", cell)
            for row in rows
            for cell in row[:width]
        ),
    )


def first_texts(rows: Sequence[Sequence[Cell]]) -> list[list[str]]:
    """The first rows of a sheet as people read them, in Unicode, for saying where its headings stand."""
    width = min(max(map(len, rows), default=0), WIDEST)
    overall = letters_of(cell for row in rows for cell in row[:width] if isinstance(cell, str))
    return [[_decoded(cell, overall) for cell in row[:width]] for row in rows]


def _first_row_of_values(top: Sequence[Sequence[str]]) -> int | None:
    """How many rows stand above the people in a sheet without headings; None when its values do not tell enough: names in
    one column, and births, telephones or citizen numbers in another."""

    def tells(row: Sequence[str]) -> bool:
        return any(map(_is_name, row)) and any(
            _is_citizen_id(text) or _is_phone(text) or _is_birth(text) for text in row if _HAS_DIGIT.search(text)
        )

    told = [tells(row) for row in top]
    if sum(told) < 2:
        return None
    first = told.index(True)
    filled = [place for place, row in enumerate(top) if place >= first and any(row)]
    return first if sum(told) >= 0.6 * len(filled) else None


def _one_neighbourhood(sheet: str, title: Sequence[Sequence[str]]) -> str | None:
    """The neighbourhood the whole table is about: one that the title or the sheet's name tells, if they tell only one."""
    named = {place for row in title for text in row if (place := neighbourhood_in(text))}
    if not named:
        return neighbourhood_in(sheet)
    return named.pop() if len(named) == 1 else None


def _decoded(cell: Cell, letters: Letters) -> str:
    text = as_text(cell)
    return clean(to_unicode(text[:500], letters)) if text else ""


def _letters_of_column(rows: Sequence[Sequence[Cell]], index: int, overall: Letters) -> Letters:
    texts = [cell for row in rows if index < len(row) and isinstance(cell := row[index], str) and not cell.isascii()]
    return letters_beside(texts, overall)


def _headings_of_some_kind(
    top: Sequence[Sequence[str]], merged: Merged, enough: float, kind: ListKind | None
) -> tuple[tuple[int, ...], list[str]]:
    """The headings of a list of this kind; where it is not known, those of people as such, else of any other kind."""
    rows, headings = _best_headings(top, merged, enough, kind or ListKind.PEOPLE)
    for other in ListKind:
        if rows:
            break
        rows, headings = _best_headings(top, merged, enough, other)
    return rows, headings


def _best_headings(
    top: Sequence[Sequence[str]], merged: Merged, enough: float, kind: ListKind
) -> tuple[tuple[int, ...], list[str]]:
    """The rows, counted from 1, and the heading of each column; no rows when none scores enough."""
    best_score, best_rows = 0.0, tuple[int, ...]()
    best_headings = [""] * (len(top[0]) if top else 0)
    for start, row in enumerate(top):
        if not any(row):
            continue
        for height in (1, 2, 3):
            rows = top[start : start + height]
            if len(rows) < height or (height > 1 and not _is_lower_heading(rows[-1])):
                break
            headings = _headings(rows, start, merged)
            score = _score(headings, kind) - 0.1 * (height - 1) - 0.01 * start
            if score >= enough and score > best_score + 1e-9:
                best_score, best_rows, best_headings = score, tuple(range(start + 1, start + height + 1)), headings
    return best_rows, best_headings


def _headings_chosen(
    top: Sequence[Sequence[str]], merged: Merged, headed: Sequence[int]
) -> tuple[tuple[int, ...], list[str]]:
    """The headings where somebody said they are. Raises Unreadable when the sheet has no such rows."""
    if not headed:
        return (), [""] * (len(top[0]) if top else 0)
    first, last = min(headed), max(headed)
    together = sorted(headed) == list(range(first, last + 1))
    if first < 1 or last > len(top) or last - first >= MOST_HEADER_ROWS or not together:
        raise Unreadable(Refusal.NO_SUCH_HEADINGS, rows=f"{first}–{last}" if last > first else first, most=len(top))
    return tuple(range(first, last + 1)), _headings(top[first - 1 : last], first - 1, merged)


def _is_lower_heading(row: Sequence[str]) -> bool:
    """Whether a row can be the lower part of the headings: short words and hardly a digit."""
    texts = [text for text in row if text]
    return bool(texts) and all(len(text) <= 60 and sum(map(str.isdigit, text)) <= 2 for text in texts)


def _headings(rows: Sequence[Sequence[str]], start: int, merged: Merged) -> list[str]:
    """One heading a column: merged and empty cells take the words of the cell they belong to, upper words come first."""
    grid = [list(row) for row in rows]
    width = len(grid[0])
    for (top, left), (_, right) in merged:
        if start <= top < start + len(grid) and left < width:
            for column in range(left + 1, min(right, width - 1) + 1):
                grid[top - start][column] = grid[top - start][column] or grid[top - start][left]
    for upper, lower in itertools.pairwise(grid):
        for column in range(1, width):
            if not upper[column] and lower[column] and lower[column - 1] and upper[column - 1]:
                upper[column] = upper[column - 1]
    return [" ".join(dict.fromkeys(text for text in column if text)) for column in zip(*grid, strict=True)]


def _score(headings: Sequence[str], kind: ListKind) -> float:
    """How much a row looks like headings: each field once, the name above all; years and numbers of people speak against."""
    fields = [field for heading in headings if (field := field_of(heading, kind)[1])]
    different = set(fields)
    named = 0.0
    if different & {Field.FULL_NAME, Field.HOUSEHOLDER} or {Field.SURNAME, Field.GIVEN_NAME} <= different:
        named = 2.0
    elif Field.GIVEN_NAME in different:
        named = 1.0
    elif len(different - {Field.MAN, Field.WOMAN}) < 4:
        return 0.0
    against = sum(2.0 for heading in headings if len(heading) > 80 or _LONG_NUMBER.search(heading))
    return named + len(different) - 0.3 * (len(fields) - len(different)) - against


def _sample(rows: Sequence[Sequence[Cell]], index: int, letters: Letters) -> list[str]:
    texts = (_decoded(row[index], letters) for row in rows[:SAMPLE_ROWS] if index < len(row))
    return [text for text in texts if text]


def _share(values: Sequence[str], judge: Callable[[str], object]) -> float:
    return sum(1 for value in values if judge(value)) / len(values) if values else 0.0


def _is_birth(text: str) -> bool:
    return _BIRTH_SHAPE.fullmatch(text) is not None


def _is_citizen_id(text: str) -> bool:
    return isinstance(read_citizen_id(text), CitizenId)


def _is_phone(text: str) -> bool:
    phone = read_phone(text)
    return bool(phone.mobile or phone.landline)


def _is_name(text: str) -> bool:
    return 2 <= len(text.split()) <= 6 and looks_like_a_name(text) is None and all(map(is_syllable, text.split()))


_NUMERIC = frozenset({Field.BIRTH, Field.PHONE, Field.OTHER_PHONE, Field.CITIZEN_ID, Field.SI_NUMBER})

_JUDGES: Mapping[Field, tuple[float, Callable[[str], object]]] = {
    Field.PHONE: (0.6, _is_phone),
    Field.CITIZEN_ID: (0.6, _is_citizen_id),
    Field.BIRTH: (0.7, _is_birth),
    Field.SEX: (0.8, read_sex),
    Field.FULL_NAME: (0.7, _is_name),
}


def _fields(
    headings: Sequence[str], values: Sequence[Sequence[str]], kind: ListKind
) -> list[tuple[Field | None, Why | None]]:
    """What each column holds, by its heading, and where the headings leave something out, by its values."""
    fields: list[tuple[Field | None, Why | None]] = []
    taken: set[Field] = set()
    for heading, column in zip(headings, values, strict=True):
        field = field_of(heading, kind)[1]
        if field is Field.MAN or field is Field.WOMAN:
            if _share(column, _is_birth) > 0.5:
                field = Field.BIRTH_OF_MAN if field is Field.MAN else Field.BIRTH_OF_WOMAN
        elif field is Field.PHONE and Field.PHONE in taken:
            field = Field.OTHER_PHONE
        elif field is Field.SERIAL and _share(column, _is_citizen_id) > 0.6:
            field = Field.CITIZEN_ID
        elif field is Field.SMS_CONSENT and _share(column, _is_phone) > 0.5:
            field = Field.OTHER_PHONE if Field.PHONE in taken else Field.PHONE
        elif field in _NUMERIC and len(column) >= 3 and not _share(column, _HAS_DIGIT.search):
            field = None
        if field in taken:
            field = None
        if field:
            taken.add(field)
        fields.append((field, Why.HEADING if field else None))
    if not taken & {Field.FULL_NAME, Field.GIVEN_NAME} and (Field.HOUSEHOLDER, Why.HEADING) in fields:
        fields[fields.index((Field.HOUSEHOLDER, Why.HEADING))] = (Field.FULL_NAME, Why.HEADING)
    _split_name(fields, headings, values)
    for field, (enough, judge) in _JUDGES.items():
        present = {found for found, _ in fields}
        if present & _SAME_KIND[field]:
            continue
        free = [
            (_share(column, judge), -index)
            for index, (heading, column) in enumerate(zip(headings, values, strict=True))
            if fields[index][0] is None and not field_of(heading, kind)[0]
        ]
        if free and max(free)[0] >= enough:
            fields[-max(free)[1]] = (field, Why.VALUES)
    return fields


def _name_somewhere(fields: list[tuple[Field | None, Why | None]], values: Sequence[Sequence[str]]) -> None:
    """Where somebody said that a table is there, the column most like names is taken for them, to be corrected."""
    free = [(_share(column, _is_name), -index) for index, column in enumerate(values) if fields[index][0] is None]
    if free and not {field for field, _ in fields} & {Field.FULL_NAME, Field.GIVEN_NAME}:
        fields[-max(free)[1]] = (Field.FULL_NAME, Why.VALUES)


_SAME_KIND: Mapping[Field, frozenset[Field]] = {
    Field.PHONE: frozenset({Field.PHONE}),
    Field.CITIZEN_ID: frozenset({Field.CITIZEN_ID}),
    Field.BIRTH: frozenset({Field.BIRTH, Field.BIRTH_OF_MAN, Field.BIRTH_OF_WOMAN}),
    Field.SEX: frozenset({Field.SEX, Field.MAN, Field.WOMAN, Field.BIRTH_OF_MAN, Field.BIRTH_OF_WOMAN}),
    Field.FULL_NAME: frozenset({Field.FULL_NAME, Field.GIVEN_NAME}),
}


def _split_name(
    fields: list[tuple[Field | None, Why | None]], headings: Sequence[str], values: Sequence[Sequence[str]]
) -> None:
    """Sort out names in two columns: one heading over both, or a heading for one part only."""
    places = {field: index for index, (field, _) in enumerate(fields) if field}
    name = places.get(Field.FULL_NAME)
    if name is not None and Field.GIVEN_NAME not in places and name + 1 < len(fields) and fields[name + 1][0] is None:
        one_word = _share(values[name + 1], lambda text: " " not in text and is_syllable(text))
        if (
            headings[name + 1] in ("", headings[name])
            and len(values[name + 1]) * 2 > len(values[name])
            and one_word > 0.8
        ):
            fields[name], fields[name + 1] = (Field.SURNAME, Why.VALUES), (Field.GIVEN_NAME, Why.VALUES)
    elif name is None and (Field.GIVEN_NAME in places) != (Field.SURNAME in places):
        alone = places.get(Field.GIVEN_NAME, places.get(Field.SURNAME, 0))
        if _share(values[alone], lambda text: " " in text) > 0.5:
            fields[alone] = (Field.FULL_NAME, Why.VALUES)


def _chosen(wished: Mapping[str, str], headings: Sequence[str]) -> dict[int, Field]:
    """The columns somebody chose. Fields given no column are taken away: they stand under places left of the first."""
    chosen: dict[int, Field] = {}
    for name, place in wished.items():
        try:
            field = _ALIASES.get(name) or Field(name)
        except ValueError:
            raise Unreadable(Refusal.NO_SUCH_FIELD, field=name, fields=", ".join(Field)) from None
        chosen[_place(place, headings) if place.strip() else -1 - len(chosen)] = field
    return chosen


def _place(place: str, headings: Sequence[str]) -> int:
    wanted = _plain(place)
    plain = [_plain(heading) for heading in headings]
    if wanted and wanted in plain:
        return plain.index(wanted)
    if _LETTERS.fullmatch(place.strip()) and index_of(place.strip()) < len(headings):
        return index_of(place.strip())
    inside = [index for index, heading in enumerate(plain) if wanted and wanted in heading]
    if len(inside) == 1:
        return inside[0]
    raise Unreadable(Refusal.NO_SUCH_COLUMN, column=place)


def _after_choice(
    index: int, found: tuple[Field | None, Why | None], chosen: Mapping[int, Field]
) -> tuple[Field | None, Why | None]:
    if index in chosen:
        return chosen[index], Why.CHOSEN
    return (None, None) if found[0] in chosen.values() else found


def _confidence(columns: Sequence[Column], values: Sequence[Sequence[str]]) -> float:
    """The share of values that look like what their column is taken for, over the columns that can be judged."""
    shares = [
        _share(values[column.index], judge[1])
        for column in columns
        if column.field and (judge := _JUDGES.get(column.field)) and values[column.index]
    ]
    return round(sum(shares) / len(shares), 2) if shares else 0.5
