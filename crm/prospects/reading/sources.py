"""Opening a file by what is in it, not by its name: workbooks (xlsx, xlsb, xls, ods) and text tables (csv, tsv) as sheets of rows."""

import csv
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from crm.prospects.reading.formulas import formula_texts
from crm.prospects.reading.old_letters import Letters, count_syllables, letters_of, to_unicode
from crm.prospects.reading.outcomes import Cell, Refusal, Unreadable

LARGEST_UNPACKED = 1_000_000_000  # bytes; a workbook of 200,000 rows unpacks to about a tenth of this
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DELIMITERS = ";,\t|"
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_SAMPLE = 65_536

Merged = Sequence[tuple[tuple[int, int], tuple[int, int]]]


class Sheet(Protocol):
    """One sheet: its rows can be gone through more than once, and the first is row 1."""

    @property
    def name(self) -> str: ...
    @property
    def hidden(self) -> bool: ...
    @property
    def height(self) -> int: ...
    @property
    def merged(self) -> Merged: ...
    def rows(self) -> Iterator[Sequence[Cell]]: ...


@dataclass(frozen=True, slots=True)
class Source:
    """An opened file: `kind` is `workbook` or `text`."""

    kind: str
    sheets: tuple[Sheet, ...]


@dataclass(frozen=True, slots=True)
class _WorkbookSheet:
    sheet: CalamineSheet
    hidden: bool
    formulas: Mapping[tuple[int, int], str]
    """What stands in cells whose formula nobody has worked out, by row and column from 0."""

    @property
    def name(self) -> str:
        return self.sheet.name

    @property
    def height(self) -> int:
        return self.sheet.total_height

    @property
    def merged(self) -> Merged:
        return self.sheet.merged_cell_ranges or []

    def rows(self) -> Iterator[Sequence[Cell]]:
        rows: Iterator[Sequence[Cell]] = iter(self.sheet.iter_rows())
        return self._with_formulas(rows) if self.formulas else rows

    def _with_formulas(self, rows: Iterator[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
        left = (self.sheet.start or (0, 0))[1]  # empty rows above are told, empty columns on the left are not
        for at, row in enumerate(rows):
            yield [cell if cell != "" else self.formulas.get((at, left + place), "") for place, cell in enumerate(row)]


@dataclass(frozen=True, slots=True)
class _TextSheet:
    name: str
    text: str
    delimiter: str
    quoted: bool
    hidden: bool = False

    @property
    def height(self) -> int:
        return self.text.count("\n") + 1

    @property
    def merged(self) -> Merged:
        return []

    def rows(self) -> Iterator[Sequence[Cell]]:
        return iter(
            csv.reader(
                io.StringIO(self.text, newline=""),
                delimiter=self.delimiter,
                quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            )
        )


def open_source(file: str | Path | bytes, filename: str, *, formulas_as_text: bool = False) -> Source:
    """The sheets of a file given by its path or its bytes. With `formulas_as_text` a cell of an xlsx workbook whose formula
    nobody has worked out reads as that formula, not as empty. Raises Unreadable."""
    content = file if isinstance(file, bytes) else _content(Path(file))
    if not content.strip(b"\0 \r\n\t\xef\xbb\xbf\xff\xfe"):
        raise Unreadable(Refusal.EMPTY)
    if content.startswith(b"PK"):
        _check_zip(content)
        return _workbook(content, formula_texts(content) if formulas_as_text else {})
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise Unreadable(Refusal.PASSWORD)
        if "WordDocument".encode("utf-16-le") in content or "PowerPoint Document".encode("utf-16-le") in content:
            raise Unreadable(Refusal.WRONG_TYPE)
        return _workbook(content)
    if content[:2] == b"\x09\x08" or content[:4] == b"\x09\x04\x06\x00":
        return _workbook(content)
    return _text_table(content, filename)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise Unreadable(Refusal.BROKEN) from None


def _check_zip(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            mimetype = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except (
        zipfile.BadZipFile,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        KeyError,
        zlib.error,
    ):
        raise Unreadable(Refusal.BROKEN) from None
    if sum(member.file_size for member in members) > LARGEST_UNPACKED:
        raise Unreadable(Refusal.TOO_LARGE)
    if not any(name.startswith("xl/workbook.") for name in names) and b"spreadsheet" not in mimetype:
        raise Unreadable(Refusal.WRONG_TYPE)


def _workbook(content: bytes, formulas: Mapping[str, Mapping[tuple[int, int], str]] = MappingProxyType({})) -> Source:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = tuple(
            _WorkbookSheet(
                book.get_sheet_by_name(about.name),
                about.visible != SheetVisibleEnum.Visible,
                formulas.get(about.name, {}),
            )
            for about in book.sheets_metadata
            if about.typ == SheetTypeEnum.WorkSheet
        )
    except PasswordError:
        raise Unreadable(Refusal.PASSWORD) from None
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic inside the reading library is no Exception
        locked = "password" in str(error).lower() or "encrypt" in str(error).lower()
        raise Unreadable(Refusal.PASSWORD if locked else Refusal.BROKEN) from None
    return Source("workbook", sheets)


def _text_table(content: bytes, filename: str) -> Source:
    text = _decoded(content)
    start = text[:2_000].lstrip().lower()
    if start.startswith(("<!doctype html", "<html", "<table", "<?xml", "<meta")) or "<table" in start:
        raise Unreadable(Refusal.WEB_PAGE)
    if start.startswith(("%pdf", "{\\rtf", '{"', "[{")):
        raise Unreadable(Refusal.WRONG_TYPE)
    if separator := _SEPARATOR_LINE.match(text):
        # The line is kept, emptied, so that rows keep the numbers a spreadsheet shows.
        delimiter, text = separator[1], text[text.index("\n") :]
    else:
        delimiter = _delimiter(text)
    name = re.split(r"[/\\]", filename)[-1].rsplit(".", 1)[0] or "csv"
    # A quotation mark that nothing closes would swallow all the rows after it.
    quoted = text.count('"') % 2 == 0
    return Source("text", (_TextSheet(name[:100], text, delimiter, quoted),))


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace").lstrip("\ufeff")
    sample = content[:4_096]
    zeros = sample.count(0)
    if zeros:
        if zeros > len(sample) // 5 and sample[1::2].count(0) > 4 * sample[::2].count(0):
            return content.decode("utf-16-le", "replace")
        if zeros > len(sample) // 5 and sample[::2].count(0) > 4 * sample[1::2].count(0):
            return content.decode("utf-16-be", "replace")
        raise Unreadable(Refusal.WRONG_TYPE)
    strange = sum(1 for byte in sample if byte < 32 and byte not in b"\t\n\r\f\x0b\x1a\x1b\x1f")
    if strange > len(sample) // 50 or content.startswith(
        (b"\x89PNG", b"\xff\xd8\xff", b"%PDF", b"GIF8", b"Rar!", b"7z\xbc", b"\x7fELF", b"MZ\x90")
    ):
        raise Unreadable(Refusal.WRONG_TYPE)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decoded_old(content)


def _decoded_old(content: bytes) -> str:
    """Text of before Unicode: windows-1258, or bytes of TCVN3 and VNI fonts, which are put right column by column later."""
    sample = content[:_SAMPLE]
    broken_tail = sample.decode("utf-8-sig", "replace")
    if broken_tail.count("\ufffd") <= len(broken_tail) // 200:
        return content.decode("utf-8-sig", "replace")
    as_1258 = unicodedata.normalize("NFC", sample.decode("cp1258", "replace"))
    as_latin = sample.decode("latin-1")
    letters = letters_of(as_latin.splitlines())
    if letters is not Letters.UNICODE and count_syllables(to_unicode(as_latin, letters)) > count_syllables(as_1258):
        return content.decode("latin-1")
    return unicodedata.normalize("NFC", content.decode("cp1258", "replace"))


def _delimiter(text: str) -> str:
    """The sign that cuts the first lines into the most even and most numerous columns."""
    lines = text[:_SAMPLE].splitlines(keepends=True)[:60]

    def evenness(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return (0.0, 0)
        wide = [width for width in widths if width > 1]
        if not wide:
            return (0.0, 0)
        usual = max(set(wide), key=lambda width: (wide.count(width), width))
        return (wide.count(usual) / len(widths) * min(usual, 4), usual)

    return max(_DELIMITERS, key=evenness)
