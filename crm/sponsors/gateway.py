"""VietQR: the drawing a bank's app reads a transfer from (NAPAS, VietQR format 1.0). Made here; nobody is asked."""

from __future__ import annotations

import re
from io import BytesIO

import segno
from markupsafe import Markup

from crm.money import Vnd
from crm.names import fold

GUID = "A000000727"
TO_ACCOUNT = "QRIBFTTA"
ONCE, OFTEN = "12", "11"
DONG, VIETNAM = "704", "VN"
MOST_FIGURES = 13
LONGEST_ACCOUNT = 19
LONGEST_PURPOSE = 25
SCALE, BORDER, PICTURE_SCALE = 5, 2, 16
_CRC_START, _CRC_POLYNOMIAL = 0xFFFF, 0x1021


def payload(bank: str, account: str, amount: Vnd | None, purpose: str) -> str:
    """What the drawing says: one transfer of `amount`, or, with None, any number of transfers of any amount.

    `bank` is its number of six figures; of `purpose` capitals, figures and spaces are kept, 25 at most. Raises
    ValueError for what the format has no room for.
    """
    if not re.fullmatch(r"[0-9]{6}", bank) or not re.fullmatch(rf"[0-9A-Za-z]{{1,{LONGEST_ACCOUNT}}}", account):
        raise ValueError("the bank has six figures, the account up to 19 letters and figures")
    if amount is not None and not 0 < amount < 10**MOST_FIGURES:
        raise ValueError("the amount is 1 to 13 figures and not zero")
    holder = _part("00", GUID) + _part("01", _part("00", bank) + _part("01", account)) + _part("02", TO_ACCOUNT)
    text = _part("00", "01") + _part("01", OFTEN if amount is None else ONCE) + _part("38", holder) + _part("53", DONG)
    text += _part("54", str(amount)) if amount is not None else ""
    text += _part("58", VIETNAM) + _part("62", _part("08", plain(purpose))) + "6304"
    return text + f"{crc(text):04X}"


def plain(purpose: str) -> str:
    """A text as every bank passes it on: unaccented capitals, figures and single spaces, 25 at most."""
    kept = re.sub(r"[^0-9A-Z]+", " ", fold(purpose).upper())
    return kept.strip()[:LONGEST_PURPOSE].strip()


def crc(text: str) -> int:
    """CRC-16/CCITT-FALSE of an ASCII text."""
    value = _CRC_START
    for byte in text.encode("ascii"):
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ _CRC_POLYNOMIAL if value & 0x8000 else value << 1) & 0xFFFF
    return value


def drawing(text: str) -> Markup:
    """The text as a QR drawing to stand in a page, which the page may draw at any size."""
    made = segno.make(text, error="m", micro=False)
    width, height = made.symbol_size(scale=SCALE, border=BORDER)
    drawn = made.svg_inline(scale=SCALE, border=BORDER, svgclass="qr", lineclass=None)
    fits = f'<svg viewBox="0 0 {width} {height}" '
    return Markup(drawn.replace("<svg ", fits, 1))  # noqa: S704  drawn by us


def picture(text: str) -> bytes:
    """The same as a PNG, large enough for a bank's app to find in the album of a phone."""
    made = BytesIO()
    segno.make(text, error="m", micro=False).save(made, kind="png", scale=PICTURE_SCALE, border=4)
    return made.getvalue()


def _part(tag: str, value: str) -> str:
    return f"{tag}{len(value):02}{value}"
