"""Reads what Chromium prints: how many pages of which size, whether the letters are inside, and the text."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

OBJECT = re.compile(rb"(\d+) 0 obj(.*?)endobj", re.DOTALL)
STREAM = re.compile(rb"stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
BOX = re.compile(rb"/MediaBox\s*\[([^\]]*)\]")
SHOWN = re.compile(rb"/(\w+) [\d.]+ Tf|<([0-9A-Fa-f]+)>")
RANGE = re.compile(rb"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>")
PAIR = re.compile(rb"^<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>$", re.MULTILINE)


@dataclass(frozen=True)
class Printed:
    """One printed file; sizes in points."""

    sizes: list[tuple[float, float]]
    fonts_inside: int
    fonts: int
    text: str


def read(data: bytes) -> Printed:
    """What stands in a PDF as Chromium writes it."""
    objects = {int(number): body for number, body in OBJECT.findall(data)}
    pages = [body for body in objects.values() if re.search(rb"/Type\s*/Page\b", body)]
    boxes = [[float(one) for one in box.split()] for page in pages for box in BOX.findall(page)]
    fonts = [body for body in objects.values() if b"/Subtype /Type0" in body]
    inside = [body for body in objects.values() if re.search(rb"/FontFile[23]?\b", body)]
    letters = {name: _letters(objects, number) for page in pages for name, number in _fonts_of(page)}
    text = "".join(_text(_stream(objects[number]), letters) for page in pages for number in _contents(page))
    return Printed([(box[2] - box[0], box[3] - box[1]) for box in boxes], len(inside), len(fonts), text)


def _fonts_of(page: bytes) -> list[tuple[bytes, int]]:
    found = re.search(rb"/Font\s*<<(.*?)>>", page, re.DOTALL)
    return [(name, int(number)) for name, number in re.findall(rb"/(\w+) (\d+) 0 R", found[1])] if found else []


def _contents(page: bytes) -> list[int]:
    return [int(number) for number in re.findall(rb"/Contents (\d+) 0 R", page)]


def _stream(body: bytes) -> bytes:
    found = STREAM.search(body)
    if found is None:
        return b""
    return zlib.decompress(found[1]) if b"/FlateDecode" in body else found[1]


def _letters(objects: dict[int, bytes], number: int) -> dict[int, str]:
    """Glyph → letters, as the font's own table says."""
    found = re.search(rb"/ToUnicode (\d+) 0 R", objects[number])
    table = _stream(objects[int(found[1])]) if found else b""
    letters = {int(glyph, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for glyph, text in PAIR.findall(table)}
    for first, last, text in RANGE.findall(table):
        start = int(text, 16)
        letters |= {glyph: chr(start + glyph - int(first, 16)) for glyph in range(int(first, 16), int(last, 16) + 1)}
    return letters


def _text(content: bytes, letters: dict[bytes, dict[int, str]]) -> str:
    now: dict[int, str] = {}
    said = ""
    for font, shown in SHOWN.findall(content):
        if font:
            now = letters.get(font, {})
        else:
            said += "".join(now.get(int(shown[i : i + 4], 16), "") for i in range(0, len(shown), 4))
    return said
