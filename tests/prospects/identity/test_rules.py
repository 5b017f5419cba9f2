"""Whether two records are one person."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.identity import Quality, quality, traits_of_record
from bench.identity_pairs import labelled_pairs
from crm.citizen_ids import CitizenId, read_citizen_id
from crm.phones import read_phone
from crm.prospects.identity.frequencies import FAMILIES, GIVEN, SHIPPED, Frequencies
from crm.prospects.identity.naming import NameLevel, compare_names, read_name
from crm.prospects.identity.rules import (
    CLUE_SENTENCES,
    Clue,
    Comparison,
    Register,
    Verdict,
    compare,
    same_house,
)
from crm.prospects.identity.scanning import pairs_among
from crm.prospects.rules import SAME_SENTENCES, Same, Sex, Traits

HERE = UUID(int=7)
FILE = Path(__file__).parents[2] / "data" / "identity" / "tricky-pairs.txt"


class Tricky(NamedTuple):
    """A pair written by hand."""

    verdict: Verdict
    clues: frozenset[Clue]
    one: Traits
    other: Traits
    why: str


def index(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]


def record(text: str) -> Traits:
    """`Lê Thị Hoa; b=1975; w=A` as traits."""
    name, *rest = [part.strip() for part in text.split(";")]
    said = dict(part.split("=", 1) for part in rest)
    ward = said.get("w", "A")
    became = {"A": {"A", "AB"}, "B": {"B", "AB"}, "AB": {"A", "B", "AB"}}[ward]
    *day, year = said.get("b", "0").split("/")
    read = read_citizen_id(said.get("c"))
    card = read.number if isinstance(read, CitizenId) else None
    return Traits(
        full_name=name,
        birth_date=date(int(year), int(day[1]), int(day[0])) if day else None,
        birth_year=int(year) or None,
        sex={"f": Sex.FEMALE, "m": Sex.MALE}.get(said.get("s", "")),
        phones=frozenset(filter(None, [read_phone(said.get("p")).mobile or read_phone(said.get("p")).landline])),
        citizen=index(card) if card else None,
        citizen_digits=len(card or ""),
        insurance=index(said["i"]) if "i" in said else None,
        place_id=uuid5(HERE, ward),
        card=card,
        lineage=frozenset(uuid5(HERE, one) for one in became),
        neighbourhood_id=uuid5(HERE, f"{ward} {said['n']}") if "n" in said else None,
        address=said.get("a"),
        household_id=uuid5(HERE, f"household {said['h']}") if "h" in said else None,
        occupation=said.get("o"),
    )


def tricky_pairs() -> Iterator[Tricky]:
    for line in FILE.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            verdict, clues, one, other, why = [part.strip() for part in line.split(" | ")]
            yield Tricky(Verdict(verdict), frozenset(map(Clue, clues.split(","))), record(one), record(other), why)


TRICKY = list(tricky_pairs())


def test_there_are_many_tricky_pairs_of_every_kind() -> None:
    assert len(TRICKY) >= 60
    assert {pair.verdict for pair in TRICKY} == set(Verdict)


@pytest.mark.parametrize("pair", TRICKY, ids=[f"{pair.verdict}: {pair.why}" for pair in TRICKY])
def test_a_tricky_pair_is_what_it_is(pair: Tricky) -> None:
    found = compare(pair.one, pair.other)
    seen = {one.code: one.weight for one in found.evidence}
    if seen.keys() & {Clue.NAME_COMMON, Clue.NAME_RARE}:
        seen[Clue.NAME] = 0.0
    assert (found.verdict, pair.clues - seen.keys()) == (pair.verdict, set()), (found.score, seen)
    assert compare(pair.other, pair.one).verdict is pair.verdict


def test_the_score_says_the_verdict_and_reasons_come_with_it() -> None:
    for pair in TRICKY:
        found = compare(pair.one, pair.other)
        least, most = {Verdict.SAME: (75, 100), Verdict.MAYBE: (25, 74), Verdict.DIFFERENT: (0, 24)}[found.verdict]
        assert least <= found.score <= most
        assert bool(found.reasons) is (found.verdict is not Verdict.DIFFERENT)


def test_every_clue_and_reason_has_a_sentence() -> None:
    assert CLUE_SENTENCES.keys() == set(Clue)
    assert SAME_SENTENCES.keys() == set(Same)


def test_a_rare_name_says_more_than_a_common_one() -> None:
    def bits(name: str) -> float:
        return compare_names(read_name(name), read_name(name), SHIPPED).bits

    assert bits("Cù Thị Xoan") > bits("Phạm Văn Đoàn") > bits("Nguyễn Thị Hương")


def test_what_is_common_in_a_register_says_less_there() -> None:
    village = Frequencies.counted(["Cù Thị Xoan"] * 50 + ["Nguyễn Thị Hương"])
    name = read_name("Cù Thị Xoan")
    assert compare_names(name, name, village).bits < compare_names(name, name, SHIPPED).bits


def test_a_telephone_that_many_give_says_little() -> None:
    one, other = (replace(pair, birth_year=None) for pair in (TRICKY[1].one, TRICKY[1].other))
    [phone] = one.phones
    shop = Register(SHIPPED, {phone: 40})
    assert compare(one, other, shop).score < compare(one, other).score


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Số 12, đường Trần Phú", "12 Trần Phú", True),
        ("SN 12 ngõ 3 đ. Lê Lai", "12 ngõ 3 Lê Lai", True),
        ("12 Trần Phú", "12 Lê Lai", False),
        ("12 Trần Phú", "14 Trần Phú", False),
        ("cạnh chợ", "12 Trần Phú", None),
        ("Số 1, Khu phố 1, Phường Bỉm Sơn", "Số 1", True),
        ("Số 5 Khu phố 04, P. Quang Trung, TX Bỉm Sơn, Thanh Hóa", "Số 5, KP4", True),
        ("Số 5, khu phố 4", "Số 5, khu phố 6", False),
        ("Số 1, Khu phố 1, Phường Bỉm Sơn", "Số 2", False),
        ("Phường Ba Đình, số 9 Lê Lai", "9 Lê Lai", True),
        ("Số 7 đường liên xã", "7 đường liên xã", True),
        ("Số 1 Khu phố 1 Phường Bỉm Sơn", "Số 1", True),
        ("12 Xã Đàn", "12 Tôn Đức Thắng", False),
        ("12 Phương Mai", "12 Huyền Quang", False),
        ("12 Xa lộ Hà Nội", "12 Lê Lai", False),
        ("P.301 nhà A2 Nguyễn Trãi", "P.505 nhà A2 Nguyễn Trãi", False),
        ("Khu phố 5, phường Ba Đình cũ", "Khu phố 5, phường Ba Đình", None),
    ],
)
def test_addresses_are_compared_by_house(one: str, other: str, same: bool | None) -> None:
    assert same_house(one, other) is same


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("Nguyễn Thị Hoà", "nguyễn thị hòa", NameLevel.SAME),
        ("Nguyễn Thị Hoà", "Nguyen Thi Hoa", NameLevel.UNACCENTED),
        ("Nguyễn Thị Hòa", "Nguyễn Thị Hóa", NameLevel.ACCENTS_DIFFER),
        ("Nguyễn T. Hương", "Nguyễn Thị Hương", NameLevel.MIDDLE_MISSING),
        ("Cụ Mai Văn Chắt", "Mai Văn Chắt", NameLevel.SAME),
        ("chị Ba", "Nguyễn Thị Hương", NameLevel.NICKNAME),
        ("Lê Văn Hùng", "Lê Văn Dũng", NameLevel.OTHER_GIVEN),
        ("Lê Văn Hùng", "Vũ Thị Sâm", NameLevel.DIFFERENT),
    ],
)
def test_names_are_compared_word_by_word(one: str, other: str, level: NameLevel) -> None:
    assert compare_names(read_name(one), read_name(other), SHIPPED).level is level


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_can_be_compared_both_ways(one: str, other: str) -> None:
    a, b = (replace(TRICKY[0].one, full_name=text) for text in (one, other))
    assert isinstance(compare(a, b), Comparison)
    assert compare(a, b).verdict is compare(b, a).verdict


def test_shares_of_names_are_shares() -> None:
    assert 0.9 < sum(FAMILIES.values()) <= 1.01
    assert all(0 < share < 0.1 for share in GIVEN.values())


@pytest.fixture(scope="module", params=[4, 11, 12])
def measured(request: pytest.FixtureRequest) -> Quality:
    return quality(labelled_pairs(request.param))


def test_of_pairs_called_one_person_hardly_any_is_two(measured: Quality) -> None:
    assert measured.precision >= 0.97


def test_nine_in_ten_of_those_who_are_twice_are_recognised(measured: Quality) -> None:
    assert measured.recall >= 0.88
    assert measured.shown >= 0.95


def test_the_labelled_pairs_are_the_same_for_a_seed() -> None:
    assert list(labelled_pairs(5, 20, 30)) == list(labelled_pairs(5, 20, 30))
    assert list(labelled_pairs(5, 20, 30)) != list(labelled_pairs(6, 20, 30))


def test_a_scan_finds_each_pair_once_and_nobody_with_themselves() -> None:
    twice = list(labelled_pairs(8, 150, 0))
    people = {
        UUID(int=2 * at + side): traits_of_record(found)
        for at, pair in enumerate(twice)
        for side, found in enumerate((pair.one, pair.other))
    }
    found = [frozenset((pair.one_id.int, pair.other_id.int)) for pair in pairs_among(people)]
    assert len(found) == len(set(found))
    assert all(len(pair) == 2 for pair in found)
    right = sum(frozenset((2 * at, 2 * at + 1)) in found for at in range(len(twice)))
    assert right >= 0.93 * len(twice)


def test_a_scan_meets_what_comparing_all_with_all_meets() -> None:
    """Meeting under keys loses hardly anything of what comparing everybody with everybody would find."""
    pairs = list(labelled_pairs(9, 60, 60))
    people: dict[UUID, Any] = {}
    for at, pair in enumerate(pairs):
        people[UUID(int=2 * at)] = traits_of_record(pair.one)
        people[UUID(int=2 * at + 1)] = traits_of_record(pair.other)
    register = Register()
    by_keys = {frozenset((pair.one_id, pair.other_id)) for pair in pairs_among(people, register)}
    everybody = {
        frozenset((one, other))
        for one, other in product(people, people)
        if one.int < other.int and compare(people[one], people[other], register).verdict is Verdict.SAME
    }
    assert len(everybody - by_keys) <= 0.02 * len(everybody)
