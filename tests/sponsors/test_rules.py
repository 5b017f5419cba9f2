"""Transfer codes, tax codes and the drawing of a transfer."""

from __future__ import annotations

import random
from uuid import uuid4

import pytest

from crm.errors import RuleBroken
from crm.prospects.rules import Ground
from crm.sponsors import gateway
from crm.sponsors.rules import (
    CODE_LETTERS,
    CODE_PREFIX,
    Wish,
    codes_in,
    is_transfer_code,
    read_tax_code,
    transfer_code,
)

SOME = [transfer_code(random.Random(7).randrange(31**6)) for _ in range(20)] + [transfer_code(0)]


@pytest.mark.parametrize("code", SOME)
def test_every_wrong_character_of_a_code_is_caught(code: str) -> None:
    assert is_transfer_code(code)
    letters = set(CODE_LETTERS + "OIYZ")
    for place in range(len(CODE_PREFIX), len(code)):
        for wrong in letters - {code[place]}:
            assert not is_transfer_code(code[:place] + wrong + code[place + 1 :])


@pytest.mark.parametrize("code", [transfer_code(random.Random(seed).randrange(31**6)) for seed in range(60)])
def test_two_neighbours_swapped_are_caught(code: str) -> None:
    for place in range(len(CODE_PREFIX), len(code) - 1):
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        assert swapped == code or not is_transfer_code(swapped)


def test_a_number_too_large_for_a_code_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        transfer_code(31**6)


@pytest.mark.parametrize(
    "narrative",
    [
        "{code}",
        "MBVCB.3278907687.{code}.CT tu 0351000 NGUYEN VAN A toi 35002",
        "ct den:128t19a00bsx-070726-12:30:11 {spaced} ung ho",
        "Ủng hộ người nghèo {lower}-070726-12:30:11",
        "BSX{code}BSX",
    ],
)
def test_a_code_is_found_anywhere_in_what_a_bank_writes(narrative: str) -> None:
    code = SOME[3]
    text = narrative.format(code=code, lower=code.lower(), spaced=f"{code[:3]} {code[3:6]}.{code[6:]}")
    assert codes_in(text) == [code]


def test_a_narrative_without_a_code_has_none() -> None:
    assert codes_in("NGUYEN VAN A chuyen tien") == []
    assert codes_in("") == []


VECTORS = [
    (
        ("970403", "0011012345678", 180_000, None),
        "00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA530370454061800005802VN62340107NPS68690819thanh toan don hang63042E2E",
    ),
    (
        ("970405", "3500201001234", 165_000, "BSX0000518"),
        "00020101021238570010A00000072701270006970405011335002010012340208QRIBFTTA530370454061650005802VN62140810BSX000051863040075",
    ),
    (
        ("970425", "123456789", 1_000_000, "V1TH1375842"),
        "00020101021238530010A0000007270123000697042501091234567890208QRIBFTTA5303704540710000005802VN62150811V1TH137584263043158",
    ),
]


@pytest.mark.parametrize(("given", "expected"), VECTORS[1:])
def test_a_transfer_is_written_as_napas_writes_it(given: tuple[str, str, int, str], expected: str) -> None:
    bank, account, amount, purpose = given
    assert gateway.payload(bank, account, amount, purpose) == expected


@pytest.mark.parametrize("expected", [text for _, text in VECTORS])
def test_the_check_is_four_figures_even_when_it_begins_with_zero(expected: str) -> None:
    assert f"{gateway.crc(expected[:-4]):04X}" == expected[-4:]
    assert gateway.crc("123456789") == 0x29B1


def test_without_an_amount_the_drawing_serves_many_transfers() -> None:
    text = gateway.payload("970405", "3500201001234", None, "BSX1")
    assert text.startswith("000201010211")
    assert "5303704" + "5802VN" in text


def test_a_purpose_is_what_every_bank_passes_on() -> None:
    assert gateway.plain("Ủng hộ: người nghèo – Bỉm Sơn, tháng 10") == "UNG HO NGUOI NGHEO BIM SO"


@pytest.mark.parametrize(
    ("bank", "account", "amount"),
    [
        ("97040", "1", 1),
        ("970405", "1" * 20, 1),
        ("970405", "", 1),
        ("970405", "12 34", 1),
        ("970405", "1", 0),
        ("970405", "1", 10**13),
    ],
)
def test_what_the_format_has_no_room_for_is_refused(bank: str, account: str, amount: int) -> None:
    with pytest.raises(ValueError, match="figures"):
        gateway.payload(bank, account, amount, "X")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0100109106", "0100109106"),
        ("0100 109 106", "0100109106"),
        ("0100109106-001", "0100109106-001"),
        ("0100109106001", "0100109106-001"),
        ("038 085 000 119", "038085000119"),
    ],
)
def test_a_tax_code_is_read(typed: str, kept: str) -> None:
    assert read_tax_code(typed) == kept


def test_every_wrong_digit_of_a_tax_code_is_caught() -> None:
    right = "0100109106"
    for place in range(10):
        for digit in set("0123456789") - {right[place]}:
            with pytest.raises(RuleBroken):
                read_tax_code(right[:place] + digit + right[place + 1 :])


@pytest.mark.parametrize(
    "typed", ["", "12345", "01001091061", "999085000119", "0100109106-01", "abcdefghij", "٠١٠٠١٠٩١٠٦"]
)
def test_what_is_no_tax_code_is_refused(typed: str) -> None:
    with pytest.raises(RuleBroken):
        read_tax_code(typed)


def test_a_wish_is_kept_and_read_again() -> None:
    wish = Wish(women=True, people=3, months=12)
    assert Wish.from_json(wish.as_json()) == wish
    assert Wish().as_json() == {}


def test_a_wish_for_several_places_standings_and_ages_is_kept() -> None:
    wish = Wish((uuid4(), uuid4()), (Ground.POOR, Ground.NEAR_POOR), age_from=40, age_to=55, monthly=True)
    assert Wish.from_json(wish.as_json()) == wish
    with pytest.raises(RuleBroken):
        Wish(age_from=56, age_to=55)
