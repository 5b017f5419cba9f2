"""Texts counted by their shapes, wording that carriers refuse, and what followed a campaign."""

from __future__ import annotations

from random import Random

import pytest

from crm.campaigns.rules.effects import Group, effect, held_back
from crm.campaigns.rules.places import check_places
from crm.campaigns.rules.refused import Kind, refused_in, without
from crm.campaigns.rules.shapes import Shapes
from crm.campaigns.rules.texts import compose, fill, is_lawful, lawful, size
from crm.errors import RuleBroken
from crm.prospects.rules import Purpose

LINK = "http://cu.vn/o/xxxxxxxxxxx"
WORDS = (
    "Hoa",
    "Nguyễn Thị Hồng",
    "Đặng Văn Ư",
    "a [b] {c}",
    "A~^€",
    "😀 Lan",
    "D'Xu\u031b",
    "\u0301Ha",
    "Ê",
    "x" * 150,
)
TEXTS = (
    "Mời {xung_ho} {ten} tham gia BHXH tự nguyện.",
    "{ten}",
    "Chao {xung_ho} {ten}. [Lich] ~ {ho_ten} €€€ " + "abc " * 30,
    "\u0301Mời {ten}{ho_ten}",
    "[QC] Mời {ten}. Từ chối: {tu_choi} nhé",
    "Tin " + "ă" * 60 + " {ten}",
)


def test_shapes_say_exactly_what_each_text_by_itself_says() -> None:
    chance = Random(5)
    for text in TEXTS:
        for purpose in Purpose:
            shapes = Shapes(text, purpose, LINK)
            for _ in range(40):
                values = {name: " ".join(chance.choice(WORDS).split()) for name in ("xung_ho", "ten", "ho_ten")}
                told = shapes.write(values)
                for accented, written in zip((False, True), told, strict=True):
                    body = compose(fill(text, {**values, "tu_choi": LINK}), purpose, LINK, accented=accented)
                    assert (written.body, written.size) == (body, size(body)), (text, values)


def test_people_whose_text_is_the_same_are_written_once() -> None:
    shapes = Shapes("Mời {xung_ho} {ten}", Purpose.SERVICE, LINK)
    for name in ("Hoa", "Lan", "Hoa", "Hoa"):
        shapes.write({"xung_ho": "bà", "ten": name})
    assert shapes.many == 2


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Theo Nghị quyết của Đảng bộ phường", [Kind.POLITICAL, Kind.POLITICAL]),
        ("Nha nuoc ho tro mot phan", [Kind.POLITICAL]),
        ("Mời bà đăng ký, đang có hỗ trợ", []),
        ("Xem bit.ly/abc", [Kind.SHORT_LINK]),
        ("Xem https://thanhhoa.gov.vn/bhxh", []),
        ("Không phải vay tiền", [Kind.NOT_TAKEN]),
    ],
)
def test_wording_that_carriers_refuse_is_found(text: str, kinds: list[Kind]) -> None:
    assert [one.kind for one in refused_in(text)] == kinds


@pytest.mark.parametrize("text", ["Nha nuoc ho tro 🎉", "[QC] Nha nuoc ho tro. Từ chối: {tu_choi}"])
def test_a_word_without_accents_is_found_beside_a_sign_or_a_word_that_has_them(text: str) -> None:
    assert [one.piece for one in refused_in(text)] == ["Nha nuoc"]


def test_a_word_is_taken_out_and_the_sentence_closes() -> None:
    assert without("Được Nhà nước hỗ trợ, Nhà nước .", "Nhà nước") == "Được hỗ trợ,."
    assert without("Có hỗ trợ của Nhà nước. Nhà nước đóng 10%.", "Nhà nước") == "Có hỗ trợ. Đóng 10%."
    assert without("Do Nhà nước hỗ trợ, Đảng và Nhà nước lo", "Nhà nước") == "Hỗ trợ, Đảng lo"
    assert without("Duoc ho tro tu Nha nuoc nhe", "Nha nuoc") == "Duoc ho tro nhe"
    assert without("Nhà nước và bà con cùng đóng", "Nhà nước") == "Bà con cùng đóng"


def test_a_promotion_gets_its_label_and_its_way_out_once() -> None:
    text = lawful("Mời {ten} tham gia")
    assert text == "[QC] Mời {ten} tham gia Từ chối: {tu_choi}"
    assert is_lawful(text)
    assert lawful(text) == text
    assert not is_lawful("Mời {ten}")


def test_an_unknown_place_is_named_with_those_that_are_known() -> None:
    with pytest.raises(RuleBroken, match="tuoi"):
        check_places("Chào {tuoi}")


def test_the_same_seed_holds_the_same_numbers_back() -> None:
    phones = [f"+8491{number:07d}" for number in range(1000)]
    held = held_back(phones, 10, seed=7)
    assert len(held) == 100
    assert held == held_back(list(reversed(phones)), 10, seed=7) != held_back(phones, 10, seed=8)
    assert held_back(phones, 0, seed=7) == frozenset()


@pytest.mark.parametrize(
    ("sent", "held", "too_few", "certain"),
    [
        (Group(900, 90), Group(20, 0), True, False),
        (Group(900, 90), Group(100, 9), False, False),
        (Group(900, 270), Group(100, 5), False, True),
        (Group(0, 0), Group(0, 0), True, False),
    ],
)
def test_what_followed_is_said_only_when_it_can_be(sent: Group, held: Group, too_few: bool, certain: bool) -> None:
    told = effect(sent, held)
    assert (told.too_few, told.certain) == (too_few, certain)
