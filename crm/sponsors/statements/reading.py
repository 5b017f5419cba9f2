"""Reading a bank's statement: where its table begins, what each column holds, and its lines. No database here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice, pairwise
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.money import Vnd
from crm.names import clean, fold
from crm.prospects.reading.columns import letter_of
from crm.prospects.reading.old_letters import Letters, letters_of, to_unicode
from crm.prospects.reading.outcomes import Cell, Unreadable
from crm.prospects.reading.sources import Source, open_source
from crm.prospects.reading.values import as_text

HEAD_ROWS = 80
SAMPLE_ROWS = 200
WIDEST = 60
MOST_LINES = 40_000
LONGEST = 1_000
_EXCEL_EPOCH = date(1899, 12, 30)


class Field(StrEnum):
    """What a column of a statement can hold."""

    DAY = "day"
    VALUE_DAY = "value_day"
    REFERENCE = "reference"
    DEBIT = "debit"
    CREDIT = "credit"
    AMOUNT = "amount"
    SIGN = "sign"
    BALANCE = "balance"
    NARRATIVE = "narrative"
    PAYER = "payer"
    PAYER_ACCOUNT = "payer_account"


FIELDS: Mapping[Field, Any] = {
    Field.DAY: _l("Day of the transaction"),
    Field.VALUE_DAY: _l("Day it counts from"),
    Field.REFERENCE: _l("Bank's reference"),
    Field.DEBIT: _l("Money out"),
    Field.CREDIT: _l("Money in"),
    Field.AMOUNT: _l("Amount, with + or −"),
    Field.SIGN: _l("In or out (C/D)"),
    Field.BALANCE: _l("Balance afterwards"),
    Field.NARRATIVE: _l("What it was for"),
    Field.PAYER: _l("Name of the other side"),
    Field.PAYER_ACCOUNT: _l("Account of the other side"),
}


class Why(StrEnum):
    """What made a column be taken for its field."""

    HEADING = "heading"
    VALUES = "values"
    REMEMBERED = "remembered"
    CHOSEN = "chosen"


WHYS: Mapping[Why, Any] = {
    Why.HEADING: _l("by its heading"),
    Why.VALUES: _l("by what stands in it"),
    Why.REMEMBERED: _l("as you put it right last time"),
    Why.CHOSEN: _l("as you chose"),
}

_HEADINGS: tuple[tuple[Field | None, re.Pattern[str]], ...] = tuple(
    (held, re.compile(pattern))
    for held, pattern in (
        (None, r"^(stt|tt|so tt|so thu tu|no|nr|serial|#|loai tien|tien te|currency|ccy|chi nhanh|branch|gdv|teller|kenh|channel)$"),
        (Field.SIGN, r"^(d c|c d|dr cr|cr dr|no co|ghi no ghi co|loai giao dich|type|loai gd|dau)$"),
        (Field.BALANCE, r"so du|balance|\bsd\b|du cuoi"),
        (Field.PAYER, r"^ten "),
        (Field.PAYER_ACCOUNT, r"(tai khoan|tk|account|acc?t?)( no| so)?( doi ung| nguoi chuyen| chuyen| ben chuyen| gui| thu huong| doi tac)|"
                              r"doi ung$|(so tk|so tai khoan) |counter ?(party )?acc|(contra|beneficiary|remitter|offset) acc|from account|to account"),
        (Field.PAYER, r"ten (nguoi|don vi|tai khoan|tk|ben|doi tac|chu)|nguoi (chuyen|gui|nop|tra|thu huong)|don vi (chuyen|huong)|doi tac|"
                      r"counter ?party( name)?$|(remitter|sender|payer|beneficiary|correspondent)( s)?( name)?$|nguoi doi ung|ben doi ung"),
        (Field.REFERENCE, r"tham chieu|ma (gd|giao dich)|so (gd|giao dich|but toan|chung tu|ct|ref)|but toan|\bref\b|reference|trace|"
                          r"transaction (id|no|number|code)|doc(ument)? (no|number)|^ft$|seq|so lenh"),
        (Field.NARRATIVE, r"dien giai|noi dung|mo ta|description|details?|narrative|remarks?|ghi chu|memo|particulars|chi tiet"),
        (Field.VALUE_DAY, r"ngay (hieu luc|gia tri)|(value|effective) date"),
        (Field.DAY, r"ngay|date|thoi gian|\btime\b|posting"),
        (Field.DEBIT, r"ghi no|phat sinh no|\bps no\b|rut ra|tien ra|so tien chi|^chi$|^no\b|debit|withdraw|\bdr\b|paid out|money out|chuyen di"),
        (Field.CREDIT, r"ghi co|phat sinh co|\bps co\b|gui vao|nop vao|tien vao|so tien thu|^thu$|^co\b|credit|deposit|\bcr\b|paid in|money in|"
                       r"nhan ve"),
        (Field.AMOUNT, r"so tien|amount|phat sinh|gia tri|value"),
    )
)  # fmt: skip
_OPENING = re.compile(
    r"so du (dau|truoc|ky truoc|ban dau|mo)|du dau|opening balance|balance b f|brought forward|beginning balance"
)
_CLOSING = re.compile(r"so du (cuoi|hien tai|ket)|du cuoi|closing balance|ending balance|carried forward|balance c f")
_ACCOUNT = re.compile(
    r"(?:so tai khoan|so tk|tai khoan(?: so)?|\bstk\b|account(?: no| number)?)\D{0,20}?([0-9][0-9 .\-]{4,24}[0-9])"
)
_TIME = r"(?:[T ,]*(\d{1,2})[:h](\d{2})(?:[:m](\d{2}))?)?"
_DAY_FIRST = re.compile(rf"(?<!\d)(\d{{1,2}})[/.\-](\d{{1,2}})[/.\-](\d{{4}}|\d{{2}})(?!\d){_TIME}")
_YEAR_FIRST = re.compile(rf"(?<!\d)(\d{{4}})[/.\-](\d{{1,2}})[/.\-](\d{{1,2}})(?!\d){_TIME}")
_CLOSED = re.compile(r"(?<!\d)(20\d{2})(\d{2})(\d{2})(?!\d)")
_NAMED_MONTH = re.compile(r"(?<!\d)(\d{1,2})[ \-/]([a-z]{3})[a-z]*[ \-/,]+(\d{4}|\d{2})(?!\d)")
_TIME_BEFORE = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2}))?\b")
_MONTHS = {
    name: place
    for place, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_MONEY = re.compile(r"([0-9]{1,3}(?:[.,' ][0-9]{3})+|[0-9]+)(?:[.,]([0-9]{1,2}))?")
_CURRENCY = re.compile(r"(?i:vnd|vnđ|đồng|dong|đ|₫)|(?<=[\d ])d$")
_IN, _OUT = (
    frozenset(("c", "cr", "co", "+", "credit", "ghi co", "in", "thu")),
    frozenset(("d", "dr", "no", "-", "debit", "ghi no", "out", "chi")),
)


@dataclass(frozen=True)
class Table:
    """Where the table of a statement stands and what its columns hold. Rows count from 1, columns from 0."""

    sheet: str
    header_row: int
    headings: tuple[str, ...]
    columns: dict[int, Field]
    whys: dict[int, Why]
    samples: tuple[tuple[str, ...], ...]
    """A few values of each column."""
    account: str = ""
    opening: Vnd | None = None
    closing: Vnd | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values to keep."""
        return {
            "sheet": self.sheet,
            "header_row": self.header_row,
            "headings": list(self.headings),
            "columns": {letter_of(index): held.value for index, held in self.columns.items()},
            "whys": {letter_of(index): why.value for index, why in self.whys.items()},
            "samples": [list(each) for each in self.samples],
            "account": self.account,
            "opening": self.opening,
            "closing": self.closing,
        }


class Entry(NamedTuple):
    """One line of a statement; `amount` is negative for money that went out."""

    row: int
    day: date
    at: time | None
    amount: Vnd
    balance: Vnd | None
    reference: str
    narrative: str
    payer: str
    payer_account: str


@dataclass
class Read:
    """The lines of a statement, and rows that could not be understood: their row and what stands in them."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    opening: Vnd | None = None
    closing: Vnd | None = None


# ---- the table


TEXTS = (Field.REFERENCE, Field.NARRATIVE, Field.PAYER, Field.PAYER_ACCOUNT)
"""What is read as it is written; the others are days and money."""


def open_statement(content: bytes, filename: str) -> Source:
    """The file as sheets; a narrative that begins like a formula keeps its text. Raises RuleBroken with a sentence for what
    is no table."""
    try:
        return open_source(content, filename, formulas_as_text=True)
    except Unreadable as refusal:
        raise RuleBroken(refusal.sentence, field="file") from None


def find_table(source: Source, remembered: Mapping[str, str] | None = None) -> Table:
    """The table of a statement, from its headings or, without them, from what stands in it. `remembered`: folded
    heading → field, which wins over our own guess. Raises RuleBroken when there is none."""
    best: tuple[float, Table] | None = None
    for sheet in source.sheets:
        rows = [list(row[:WIDEST]) for row in islice(sheet.rows(), HEAD_ROWS + SAMPLE_ROWS)]
        found = _in_sheet(sheet.name, rows, remembered or {})
        if found and (best is None or found[0] > best[0]):
            best = found
    if best is None:
        raise RuleBroken(
            _l("No table of transactions was found: a column of days and a column of amounts are needed."), field="file"
        )
    return best[1]


def _in_sheet(name: str, rows: Sequence[Sequence[Cell]], remembered: Mapping[str, str]) -> tuple[float, Table] | None:
    texts = [[_text(cell) for cell in row] for row in rows]
    letters = letters_of(cell for row in texts for cell in row if not cell.isascii())
    if letters is not Letters.UNICODE:
        texts = [[clean(to_unicode(cell, letters)) for cell in row] for row in texts]
    width = max((len(row) for row in texts), default=0)
    header, headings = _header(texts, width)
    below = [(place, row) for place, row in enumerate(rows, 1) if place > header][:SAMPLE_ROWS]
    columns, whys = _by_headings(headings, remembered)
    _by_values(columns, whys, [row for _place, row in below], width)
    if Field.DAY not in columns.values() or not _money_columns(columns):
        return None
    opening, closing = _told_balances(texts)
    table = Table(
        sheet=name,
        header_row=header,
        headings=tuple(headings),
        columns=columns,
        whys=whys,
        samples=tuple(_samples(index, below, letters) for index in range(width)),
        account=_account_in(texts[: max(header, 12)]),
        opening=opening,
        closing=closing,
    )
    return len(set(columns.values())) + len(below) / 1000, table


def _header(texts: Sequence[Sequence[str]], width: int) -> tuple[int, list[str]]:
    """The last row of the headings and the headings; row 0 when there are none. Headings may stand in two rows."""
    best: tuple[int, int, list[str]] = (0, 0, [""] * width)
    for place, row in enumerate(texts[:HEAD_ROWS]):
        one = [*row, *([""] * (width - len(row)))]
        for rows in (1, 2):
            heads = one
            if rows == 2:
                if place + 1 >= len(texts):
                    continue
                under = [*texts[place + 1], *([""] * (width - len(texts[place + 1])))]
                if any(re.search(r"\d{3}", cell) for cell in under) or not any(under):
                    continue
                heads = [f"{above} {below}".strip() for above, below in zip(_spread(one), under, strict=True)]
            fields = {held for cell in heads if (held := field_of(cell)) is not None}
            if len(fields) > best[0] and fields & {Field.DAY, Field.VALUE_DAY} and len(fields) >= 3:
                best = (len(fields), place + rows, heads)
    return best[1], best[2]


def _spread(row: Sequence[str]) -> list[str]:
    """A heading over two columns stands in the first of them only."""
    spread, last = [], ""
    for cell in row:
        last = cell or (last if field_of(last) is Field.AMOUNT else "")
        spread.append(cell or last)
    return spread


def field_of(heading: str) -> Field | None:
    """What a heading names; None when it is of no use, or is no heading."""
    plain = " ".join(re.sub(r"[^a-z0-9#]+", " ", fold(heading)).split())
    if not plain or len(plain) > 70 or re.search(r"\d{3}", plain):
        return None
    for held, pattern in _HEADINGS:
        if pattern.search(plain):
            return held
    return None


def _by_headings(headings: Sequence[str], remembered: Mapping[str, str]) -> tuple[dict[int, Field], dict[int, Why]]:
    columns: dict[int, Field] = {}
    whys: dict[int, Why] = {}
    for index, heading in enumerate(headings):
        kept = remembered.get(fold(heading)) if heading else None
        if kept is not None:
            held = Field(kept) if kept in set(Field) else None
            why = Why.HEADING if held is field_of(heading) else Why.REMEMBERED
        else:
            held, why = field_of(heading), Why.HEADING
        if held and held not in columns.values():
            columns[index], whys[index] = held, why
    if Field.DAY not in columns.values():
        for index, held in columns.items():
            if held is Field.VALUE_DAY:
                columns[index] = Field.DAY
    if {Field.DEBIT, Field.CREDIT} <= set(columns.values()):
        columns = {index: held for index, held in columns.items() if held not in (Field.AMOUNT, Field.SIGN)}
    return columns, {index: whys[index] for index in columns}


def _money_columns(columns: Mapping[int, Field]) -> set[Field]:
    return set(columns.values()) & {Field.AMOUNT, Field.DEBIT, Field.CREDIT}


def _by_values(columns: dict[int, Field], whys: dict[int, Why], rows: Sequence[Sequence[Cell]], width: int) -> None:
    """What no heading told, as far as the values tell it: days, amounts, the balance that follows from them, long texts."""

    def take(index: int, held: Field) -> None:
        columns[index], whys[index] = held, Why.VALUES

    free = [index for index in range(width) if index not in columns]
    cells = {index: [row[index] for row in rows if index < len(row) and _text(row[index])] for index in free}
    if Field.DAY not in columns.values():
        days = [index for index in free if len(cells[index]) >= 2 and _share(cells[index], _is_day) >= 0.8]
        if days:
            take(days[0], Field.DAY)
    if not _money_columns(columns):
        money = [
            index
            for index in free
            if index not in columns and len(cells[index]) >= 2 and _share(cells[index], _is_money) >= 0.9
        ]
        for amount, balance in ((one, other) for one in money for other in money if one != other):
            if _follows(rows, amount, balance):
                take(amount, Field.AMOUNT)
                take(balance, Field.BALANCE)
                break
        else:
            if money:
                take(money[0], Field.AMOUNT)
    if Field.NARRATIVE not in columns.values():
        texts = [index for index in free if index not in columns and cells[index]]
        longest = max(texts, key=lambda index: sum(map(len, map(_text, cells[index]))), default=None)
        if longest is not None and not _share(cells[longest], _is_money) > 0.5:
            take(longest, Field.NARRATIVE)


def _follows(rows: Sequence[Sequence[Cell]], amount: int, balance: int) -> bool:
    pairs = [(read_money(row[amount]), read_money(row[balance])) for row in rows if len(row) > max(amount, balance)]
    told = [(one, other) for one, other in pairs if one is not None and other is not None]
    down = sum(b[1] - a[1] in (b[0], -abs(b[0])) for a, b in pairwise(told))
    up = sum(a[1] - b[1] in (a[0], -abs(a[0])) for a, b in pairwise(told))
    return len(told) > 2 and max(down, up) >= 0.8 * (len(told) - 1)


def _share(cells: Sequence[Cell], holds: Any) -> float:
    return sum(map(holds, cells)) / len(cells) if cells else 0.0


def _is_day(cell: Cell) -> bool:
    return not isinstance(cell, int | float) and read_day(cell) is not None


def _is_money(cell: Cell) -> bool:
    return read_money(cell) is not None


def _samples(index: int, below: Iterable[tuple[int, Sequence[Cell]]], letters: Letters) -> tuple[str, ...]:
    found: list[str] = []
    for _place, row in below:
        text = _shown(row[index]) if index < len(row) else ""
        text = clean(to_unicode(text, letters))[:40] if text else ""
        if text and text not in found:
            found.append(text)
        if len(found) == 2:
            break
    return tuple(found)


def _shown(cell: Cell) -> str:
    if isinstance(cell, float | int) and not isinstance(cell, bool):
        return f"{cell:,.0f}".replace(",", ".")
    return _text(cell)


def _told_balances(texts: Sequence[Sequence[str]]) -> tuple[Vnd | None, Vnd | None]:
    """The balances that the file says outside its lines: the amount in the same cell, or in one beside it."""
    found: dict[str, Vnd] = {}
    for row in texts:
        if sum(map(bool, row)) > 6:
            continue
        for place, cell in enumerate(row):
            plain = fold(cell)
            for name, pattern in (("opening", _OPENING), ("closing", _CLOSING)):
                if name in found or not pattern.search(plain):
                    continue
                after = re.sub(r"^.*?:", "", cell) if ":" in cell else re.sub(r"^[^0-9\-+(]*", "", cell)
                for text in (after, *row[place + 1 :]):
                    amount = read_money(text)
                    if amount is not None:
                        found[name] = amount
                        break
    return found.get("opening"), found.get("closing")


def _account_in(texts: Iterable[Sequence[str]]) -> str:
    for row in texts:
        match = _ACCOUNT.search(fold(" ".join(cell for cell in row if cell)))
        if match:
            return re.sub(r"[^0-9]", "", match[1])
    return ""


# ---- the lines


def read_lines(source: Source, table: Table) -> Read:
    """All lines of a statement in the order of the file. Raises RuleBroken when the columns cannot be read so."""
    if Field.DAY not in table.columns.values() or not _money_columns(table.columns):
        raise RuleBroken(_l("Say which column holds the day and which the money in and out."), code="columns")
    sheet = next((one for one in source.sheets if one.name == table.sheet), None)
    if sheet is None:
        raise RuleBroken(_l("The sheet is no longer in the file."), code="columns")
    at = {held: index for index, held in table.columns.items()}
    rows = list(islice(sheet.rows(), table.header_row, table.header_row + MOST_LINES + 1))
    if len(rows) > MOST_LINES:
        raise RuleBroken(
            _l("More than %(most)s lines. Load the statement in parts.", most=f"{MOST_LINES:,}"), field="file"
        )
    letters = letters_of(cell for row in rows[:2_000] for cell in row if isinstance(cell, str) and not cell.isascii())
    month_first = _month_first(rows, at[Field.DAY])
    read = Read(opening=table.opening, closing=table.closing)
    for place, row in enumerate(rows, table.header_row + 1):
        _take_row(read, place, row, at, letters, month_first)
    if not read.entries:
        raise RuleBroken(_l("No line has both a day and an amount. Look at the columns again."), code="columns")
    return read


def _take_row(
    read: Read, place: int, row: Sequence[Cell], at: Mapping[Field, int], letters: Letters, month_first: bool
) -> None:
    def cell(held: Field) -> Cell:
        index = at.get(held)
        found = row[index] if index is not None and index < len(row) else None
        # A sum that nobody has worked out is no money and no day.
        return "" if held not in TEXTS and isinstance(found, str) and found.startswith("=") else found

    def text(held: Field) -> str:
        plain = _text(cell(held))
        return clean(to_unicode(plain, letters))[:LONGEST].strip(" '") if plain else ""

    said = " ".join(_text(each) for each in row if _text(each))
    if not said:
        return
    plain = fold(clean(to_unicode(said, letters)))
    day, moment = read_day(cell(Field.DAY), month_first=month_first) or (None, None)
    if day is None and Field.VALUE_DAY in at:
        day, moment = read_day(cell(Field.VALUE_DAY), month_first=month_first) or (None, None)
    amount, is_wrong = _amount_of(cell, text)
    if day is None:
        if not amount and not is_wrong and text(Field.NARRATIVE) and not _text(cell(Field.DAY)) and read.entries:
            _goes_on(read, text(Field.NARRATIVE), plain)
        elif amount and not _is_total(plain):
            read.problems.append((place, said[:200]))
        return
    if is_wrong or not amount:
        if not _OPENING.search(plain) and not _CLOSING.search(plain):
            read.problems.append((place, said[:200]))
        return
    read.entries.append(
        Entry(
            row=place,
            day=day,
            at=moment,
            amount=amount,
            balance=read_money(cell(Field.BALANCE)),
            reference=re.sub(r"\s+", "", text(Field.REFERENCE)).upper()[:80],
            narrative=text(Field.NARRATIVE),
            payer=text(Field.PAYER)[:200],
            payer_account=re.sub(r"[^0-9A-Za-z]", "", text(Field.PAYER_ACCOUNT)).upper()[:40],
        )
    )


def _goes_on(read: Read, more: str, plain: str) -> None:
    """A row with nothing but words belongs to the line above, as in statements made from printed pages."""
    last = read.entries[-1]
    if not _is_total(plain) and len(last.narrative) + len(more) < LONGEST:
        read.entries[-1] = last._replace(narrative=f"{last.narrative} {more}".strip())


def _is_total(plain: str) -> bool:
    return re.search(r"\b(tong|cong|total|so du|balance|phat sinh|trang|page)\b", plain) is not None


def _amount_of(cell: Any, text: Any) -> tuple[Vnd, bool]:
    """The signed amount of a row (0 when it has none), and whether something stands there that is no amount."""
    amount, wrong = 0, False
    for held, sign in ((Field.CREDIT, 1), (Field.DEBIT, -1), (Field.AMOUNT, 1)):
        value = cell(held)
        found = read_money(value)
        if found is None:
            wrong = wrong or bool(re.search(r"\d", _text(value)))
        elif held is Field.AMOUNT:
            amount += found
        else:
            amount += sign * abs(found)
    side = fold(text(Field.SIGN)).strip(" .")
    if side in _OUT:
        amount = -abs(amount)
    elif side in _IN:
        amount = abs(amount)
    return amount, wrong


def read_money(cell: Cell) -> Vnd | None:
    """Whole đồng with their sign: `1.000.000`, `1,000,000.00`, `+165,000 VND`, `(50.000)`, `165000 DR`; None for
    anything else, also for parts of a đồng."""
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, int):
        return cell
    if isinstance(cell, float):
        return round(cell) if abs(cell) < 1e15 and abs(cell - round(cell)) < 0.005 else None
    if not isinstance(cell, str) or len(cell) > 60:
        return None
    text = unicodedata.normalize("NFKC", cell).replace("−", "-").replace("–", "-").strip(" '\"")
    text = _CURRENCY.sub("", text).strip()
    negative = text.startswith("(") and text.endswith(")")
    text = text.strip("() ")
    if side := re.search(r"(?<=[\d ])(DR|CR|Dr|Cr|dr|cr|D|C)$", text):
        negative = negative or side[0].upper() in ("DR", "D")
        text = text[: side.start()].strip()
    if text[-1:] in ("-", "+"):
        negative, text = negative or text.endswith("-"), text[:-1].strip()
    elif text[:1] in ("-", "+"):
        negative, text = negative or text.startswith("-"), text[1:].strip()
    match = _MONEY.fullmatch(text)
    if match is None or int(match[2] or 0):
        return None
    amount = int(re.sub(r"[^0-9]", "", match[1]))
    return -amount if negative else amount


def read_day(cell: Cell, *, month_first: bool = False) -> tuple[date, time | None] | None:
    """A day, with its time where it is told: dd/mm/yyyy HH:MM:SS and the other ways banks write it."""
    if isinstance(cell, datetime):
        return cell.date(), cell.time().replace(microsecond=0, tzinfo=None)
    if isinstance(cell, date):
        return cell, None
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return (_EXCEL_EPOCH + timedelta(days=int(cell)), None) if 30_000 < cell < 80_000 else None
    text = clean(cell) if isinstance(cell, str) else ""
    if not text or len(text) > 60:
        return None
    if match := _YEAR_FIRST.search(text):
        return _made(int(match[1]), int(match[2]), int(match[3]), match.groups()[3:], text)
    if match := _DAY_FIRST.search(text):
        first, second, year = int(match[1]), int(match[2]), _year(match[3])
        day, month = (second, first) if month_first else (first, second)
        return _made(year, month, day, match.groups()[3:], text)
    if match := _NAMED_MONTH.search(fold(text)):
        month = _MONTHS.get(match[2], 0)
        return _made(_year(match[3]), month, int(match[1]), (), text)
    if match := _CLOSED.match(text):
        return _made(int(match[1]), int(match[2]), int(match[3]), (), text)
    return None


def _year(text: str) -> int:
    return int(text) + (2000 if len(text) == 2 else 0)


def _made(year: int, month: int, day: int, clock: Sequence[str | None], text: str) -> tuple[date, time | None] | None:
    if not any(clock) and (before := _TIME_BEFORE.match(text)):
        clock = before.groups()
    try:
        hour, minute, second = (int(part or 0) for part in clock or (0, 0, 0))
        moment = time(hour, minute, second) if any(clock) else None
        return date(year, month, day), moment
    except ValueError:
        return None


def _month_first(rows: Sequence[Sequence[Cell]], index: int) -> bool:
    """Whether days are written the American way: only then does each of them make a day."""
    found = [
        match
        for row in rows[:2_000]
        if index < len(row) and isinstance(row[index], str) and (match := _DAY_FIRST.search(str(row[index])))
    ]
    return any(int(one[2]) > 12 for one in found) and all(int(one[1]) <= 12 for one in found)


def _text(cell: Cell) -> str:
    return clean(as_text(cell)[:LONGEST]) if cell is not None else ""
