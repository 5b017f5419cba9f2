"""Which of many records are one person: records meet under keys, and only those that met are compared. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from rapidfuzz.distance import OSA

from crm.prospects.identity.frequencies import Frequencies
from crm.prospects.identity.naming import by_ear, compare_names, read_name
from crm.prospects.identity.rules import Comparison, Register, Verdict, compare
from crm.prospects.rules import Traits

CROWD = 60
"""Records that meet under one key at the most: the telephone of a shop tells nobody from anybody."""
HOPELESS = -8.0
"""Bits of two names below which only a number could make them one person."""


@dataclass(frozen=True)
class Pair:
    """Two records that are, or may be, one person."""

    one_id: UUID
    other_id: UUID
    comparison: Comparison


def register_of(people: Mapping[UUID, Traits]) -> Register:
    """How common names are in a register, and how many people give a telephone."""
    phones: Counter[str] = Counter(phone for traits in people.values() for phone in traits.phones)
    return Register(Frequencies.counted(traits.full_name for traits in people.values()), phones)


def pairs_among(people: Mapping[UUID, Traits], register: Register | None = None) -> Iterator[Pair]:
    """Every two of these records that are, or may be, one person, each pair once, as they are found."""
    register = register or register_of(people)
    ids, traits = list(people), list(people.values())
    for at, other in _met(traits):
        one, two = traits[at], traits[other]
        if _hopeless(one, two, register):
            continue
        comparison = compare(one, two, register)
        if comparison.verdict is not Verdict.DIFFERENT:
            yield Pair(ids[at], ids[other], comparison)


def _met(traits: Sequence[Traits]) -> Iterator[tuple[int, int]]:
    """Places of records that meet under at least one key, each two once."""
    blocks: defaultdict[Hashable, list[int]] = defaultdict(list)
    for at, one in enumerate(traits):
        for key in set(_keys(one)):
            blocks[key].append(at)
    done: set[int] = set()
    size = len(traits)
    for block in blocks.values():
        if 1 < len(block) <= CROWD:
            for at, other in combinations(block, 2):
                pair = at * size + other
                if pair not in done:
                    done.add(pair)
                    yield at, other


def _keys(one: Traits) -> Iterator[Hashable]:
    """Under what a record meets others that may be the same person, whatever single thing is written wrongly."""
    if one.citizen:
        yield one.citizen
    if one.insurance:
        yield one.insurance
    yield from one.phones
    name = read_name(one.full_name)
    words, year, day = name.plain, one.birth_year, one.birth_date
    bag = " ".join(sorted(words))
    here = min(one.lineage, default=one.place_id)
    if year is None:
        yield "no year", bag, here
        return
    if day and (day.month, day.day) != (1, 1):
        yield day, words[-1][:1]
        yield day, words[0][:1]
        yield "day and month", bag, day.day, day.month
    if name.called:
        return
    ends = "".join(sorted((words[0], words[-1])))
    yield "ends", ends, year
    yield "next year", bag, year
    yield "next year", bag, year + 1
    yield "by ear", " ".join(by_ear(word) for word in words), year
    yield "but last", words[:-1], by_ear(words[-1])[:1], year, here
    yield "but first", words[1:], year, here
    if len(bag) > 8:
        yield "no year", bag, here
    if one.household_id:
        yield one.household_id, by_ear(words[-1])


def _hopeless(one: Traits, other: Traits, register: Register) -> bool:
    """Whether nothing needs to be compared: two different new cards, or two names that no other trait outweighs."""
    if one.citizen and one.citizen == other.citizen:
        return False
    if one.insurance and one.insurance == other.insurance:
        return False
    if one.card and other.card and len(one.card) == len(other.card) == 12 and OSA.distance(one.card, other.card) > 1:
        return True
    return compare_names(read_name(one.full_name), read_name(other.full_name), register.names).bits < HOPELESS
