"""Text of an xlsx workbook that begins like a formula, such as «=BSX… ung ho»: whoever wrote the file took it for one and
kept no result, so that the cell reads as empty. Nothing is ever computed here: the text alone is told."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from html import unescape

_CELL = re.compile(
    rb'<c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*>\s*<f\b[^>]*>([^<]{1,4000})</f>\s*'
    rb"(?:<v\s*/>|<v>\s*(?:#[A-Z0-9/!?]+)?\s*</v>)?\s*</c>"
)
"""A cell with a formula and no result, or an error for one."""
_SHEET = re.compile(rb"<sheet\b[^>]*>")
_RELATION = re.compile(rb"<Relationship\b[^>]*>")
_LARGEST = 100_000_000
"""Bytes of a sheet's text; in larger ones such cells stay empty."""

Place = tuple[int, int]
"""Row and column, from 0."""


def formula_texts(content: bytes) -> Mapping[str, Mapping[Place, str]]:
    """By sheet, what stands in the cells whose formula nobody has worked out. Nothing for what is no xlsx workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: dict(_texts(archive, path)) for name, path in _sheets(archive)}
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, OSError, RuntimeError, ValueError):
        return {}


def _sheets(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    book, relations = (archive.read(name) for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"))
    paths = {_attribute(one, "Id"): _attribute(one, "Target") for one in _RELATION.findall(relations)}
    for sheet in _SHEET.findall(book):
        target = paths.get(_attribute(sheet, "r:id"), "")
        if target:
            yield _attribute(sheet, "name"), posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")


def _texts(archive: zipfile.ZipFile, path: str) -> Iterator[tuple[Place, str]]:
    if archive.getinfo(path).file_size > _LARGEST:
        return
    for letters, row, formula in _CELL.findall(archive.read(path)):
        column = 0
        for letter in letters:
            column = column * 26 + letter - ord("A") + 1
        yield (int(row) - 1, column - 1), "=" + unescape(formula.decode("utf-8", "replace"))


def _attribute(tag: bytes, name: str) -> str:
    found = re.search(rb"\s" + name.encode() + rb'="([^"]*)"', tag)
    return unescape(found[1].decode("utf-8", "replace")) if found else ""
