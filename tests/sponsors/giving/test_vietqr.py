"""The text of a transfer's QR equals the published vectors, and is read back by a decoder that is not ours.

The vectors are of facts.md, section 7: NAPAS, "Quy định định dạng mã VietQR", version 1.0 (09/2021), and a public test;
their checksums were worked out again there. The last has a checksum that begins with a zero.
"""

from __future__ import annotations

import random
import re
import string

import pytest
import zxingcpp

from crm.sponsors import gateway
from crm.sponsors.rules import BANKS, transfer_code

SPEC_ACCOUNT = (
    "00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA"
    "530370454061800005802VN62340107NPS68690819thanh toan don hang63042E2E"
)
SPEC_CARD = "00020101021138600010A00000072701300006970403011697040311012345670208QRIBFTTC53037045802VN63044F52"
PUBLIC_TEST = (
    "00020101021238530010A0000007270123000697042501091234567890208QRIBFTTA"
    "53037045407" + "10000005802VN62150811V1TH137584263043158"
)
LEADING_ZERO = (
    "00020101021238570010A00000072701270006970405011335002010012340208QRIBFTTA"
    "530370454061650005802VN62140810BSX000051863040075"
)


@pytest.mark.parametrize("vector", [SPEC_ACCOUNT, SPEC_CARD, PUBLIC_TEST, LEADING_ZERO])
def test_the_checksum_of_every_verified_vector_is_ours(vector: str) -> None:
    assert f"{gateway.crc(vector[:-4]):04X}" == vector[-4:]


def test_the_checksum_of_the_standard_check_text() -> None:
    assert gateway.crc("123456789") == 0x29B1


def test_what_we_write_equals_the_vectors_letter_by_letter() -> None:
    assert gateway.payload("970405", "3500201001234", 165_000, "BSX0000518") == LEADING_ZERO
    assert gateway.payload("970425", "123456789", 1_000_000, "V1TH1375842") == PUBLIC_TEST


def fields(text: str) -> dict[str, str]:
    """Tag, length, value, again and again."""
    found = {}
    while text:
        tag, size = text[:2], int(text[2:4])
        assert len(text) >= 4 + size
        assert tag not in found
        found[tag], text = text[4 : 4 + size], text[4 + size :]
    return found


def test_any_transfer_is_well_formed_and_says_what_was_asked() -> None:
    dice = random.Random(38)
    for _case in range(500):
        bank = dice.choice(sorted(BANKS))
        account = "".join(dice.choices(string.ascii_uppercase + string.digits, k=dice.randint(1, 19)))
        amount = dice.choice([None, dice.randint(1, 10**13 - 1)])
        code = transfer_code(dice.randrange(31**6))
        text = gateway.payload(bank, account, amount, code)
        told = fields(text)
        assert told["01"] == ("11" if amount is None else "12")
        assert fields(fields(told["38"])["01"]) == {"00": bank, "01": account}
        assert told.get("54") == (None if amount is None else str(amount))
        assert fields(told["62"]) == {"08": code}
        assert told["63"] == f"{gateway.crc(text[:-4]):04X}"


STEP = re.compile(r"([Mmh])(-?[0-9.]+)(?: (-?[0-9.]+))?")
SCALE = 4


def pixels(drawing: str) -> memoryview:
    """The drawing as a grey picture, dark on white, painted from the path that stands in the page."""
    [unit] = re.findall(r'transform="scale\(([0-9]+)\)"', drawing)
    [side] = set(re.findall(r'(?:width|height)="([0-9]+)"', drawing))
    [path] = re.findall(r'<path[^>]* d="([^"]+)"', drawing)
    size = int(side) // int(unit)
    dark, x, y = set(), 0.0, 0.0
    for command, first, second in STEP.findall(path):
        if command == "h":
            dark |= {(int(x) + step, int(y)) for step in range(int(first))}
            x += float(first)
        else:
            x, y = (0.0 if command == "M" else x) + float(first), (0.0 if command == "M" else y) + float(second)
    rows = [bytes(0 if (x, y) in dark else 255 for x in range(size) for _ in range(SCALE)) for y in range(size)]
    picture = b"".join(row * SCALE for row in rows)
    return memoryview(picture).cast("B", shape=[size * SCALE, size * SCALE])


@pytest.mark.parametrize("amount", [165_000, None, 1_385_000_000])
@pytest.mark.parametrize("number", [0, 518, 31**6 - 1])
def test_a_decoder_that_is_not_ours_reads_the_drawing(amount: int | None, number: int) -> None:
    text = gateway.payload("970405", "3500201001234", amount, transfer_code(number))
    [found] = zxingcpp.read_barcodes(pixels(gateway.drawing(text)))
    assert (found.format, found.text) == (zxingcpp.BarcodeFormat.QRCode, text)
