"""Whether two records are one person: every trait says how much it speaks for it or against. Pure.

The sum is that of Fellegi and Sunter (1969): a trait that agrees speaks for one person with log2(m/u) bits, where m is how
often it agrees when one person was written down twice, and u how often it agrees between two people. It starts far
below nothing, for of all pairs in a town hardly one is one person. m and u are written beside each weight; they are
estimates from how lists are typed, and only the ratio's order of size matters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import product
from math import log2
from types import MappingProxyType
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l
from rapidfuzz.distance import OSA

from crm.citizen_ids import birth_year_of, sex_of
from crm.names import fold
from crm.prospects.identity.frequencies import SHIPPED, Frequencies
from crm.prospects.identity.naming import NameLevel, compare_names, read_name
from crm.prospects.rules import NOWHERE, Same, Sex, Traits

START = -19.0
"""What a pair has to make good: of the 25,000 people of a few wards 1 in 20 is there twice, so two taken at random are one
person about once in 2^19 times."""
SURE, POSSIBLE = -0.7, -4.8
"""Bits from which two records are taken for one person (of pairs just above it, most of ours were one), and from which a person should look."""


class Verdict(StrEnum):
    """What follows from a comparison."""

    SAME = "same"
    MAYBE = "maybe"
    DIFFERENT = "different"


class Clue(StrEnum):
    """What was seen in two records."""

    CITIZEN_ID = "citizen_id"
    CITIZEN_ID_NEAR = "citizen_id_near"
    CITIZEN_ID_OTHER = "citizen_id_other"
    SI_NUMBER = "si_number"
    SI_NUMBER_OTHER = "si_number_other"
    NAME_RARE = "name_rare"
    NAME = "name"
    NAME_COMMON = "name_common"
    NAME_UNACCENTED = "name_unaccented"
    NAME_SWAPPED = "name_swapped"
    NAME_MIDDLE_MISSING = "name_middle_missing"
    NAME_TYPO = "name_typo"
    NAME_ACCENTS = "name_accents"
    NAME_CALLED = "name_called"
    NAME_NEAR = "name_near"
    NAME_MIDDLE_OTHER = "name_middle_other"
    NAME_FAMILY_OTHER = "name_family_other"
    NAME_GIVEN_OTHER = "name_given_other"
    NAME_OTHER = "name_other"
    BIRTH_DATE = "birth_date"
    BIRTH_YEAR = "birth_year"
    BIRTH_SWAPPED = "birth_swapped"
    BIRTH_TYPO = "birth_typo"
    BIRTH_YEAR_NEXT = "birth_year_next"
    BIRTH_DAY_OTHER = "birth_day_other"
    BIRTH_YEAR_OTHER = "birth_year_other"
    GENERATION = "generation"
    SEX_OTHER = "sex_other"
    PHONE = "phone"
    PHONE_OF_MANY = "phone_of_many"
    PHONE_OF_HOUSEHOLD = "phone_of_household"
    PHONE_NEAR = "phone_near"
    PHONE_OTHER = "phone_other"
    PLACE = "place"
    PLACE_LATER = "place_later"
    PLACE_OTHER = "place_other"
    NEIGHBOURHOOD = "neighbourhood"
    NEIGHBOURHOOD_OTHER = "neighbourhood_other"
    HOUSE = "house"
    HOUSE_OTHER = "house_other"
    HOUSEHOLD = "household"
    OCCUPATION = "occupation"
    OCCUPATION_OTHER = "occupation_other"


CLUE_SENTENCES = {
    Clue.CITIZEN_ID: _l("the same citizen number"),
    Clue.CITIZEN_ID_NEAR: _l("citizen numbers that differ in one place, as after a slip"),
    Clue.CITIZEN_ID_OTHER: _l("two different citizen numbers"),
    Clue.SI_NUMBER: _l("the same insurance number"),
    Clue.SI_NUMBER_OTHER: _l("two different insurance numbers"),
    Clue.NAME_RARE: _l("the same name, a rare one"),
    Clue.NAME: _l("the same name"),
    Clue.NAME_COMMON: _l("the same name, which many bear"),
    Clue.NAME_UNACCENTED: _l("the same name, once without accents"),
    Clue.NAME_SWAPPED: _l("the same name in another order"),
    Clue.NAME_MIDDLE_MISSING: _l("the same name, once without the middle name"),
    Clue.NAME_TYPO: _l("the same name but for a slip"),
    Clue.NAME_ACCENTS: _l("the same name with other accents"),
    Clue.NAME_CALLED: _l("one is only what the person is called by"),
    Clue.NAME_NEAR: _l("names that are alike, but two names"),
    Clue.NAME_MIDDLE_OTHER: _l("another middle name"),
    Clue.NAME_FAMILY_OTHER: _l("another family name"),
    Clue.NAME_GIVEN_OTHER: _l("another given name"),
    Clue.NAME_OTHER: _l("another name"),
    Clue.BIRTH_DATE: _l("the same day of birth"),
    Clue.BIRTH_YEAR: _l("the same year of birth"),
    Clue.BIRTH_SWAPPED: _l("day and month of birth exchanged"),
    Clue.BIRTH_TYPO: _l("the birth differs in one figure"),
    Clue.BIRTH_YEAR_NEXT: _l("the years of birth are one apart"),
    Clue.BIRTH_DAY_OTHER: _l("the same year but another day of birth"),
    Clue.BIRTH_YEAR_OTHER: _l("another year of birth"),
    Clue.GENERATION: _l("years of birth that are far apart"),
    Clue.SEX_OTHER: _l("one is a man, the other a woman"),
    Clue.PHONE: _l("the same telephone"),
    Clue.PHONE_OF_MANY: _l("the same telephone, which several people give"),
    Clue.PHONE_OF_HOUSEHOLD: _l("the same telephone, as in one household"),
    Clue.PHONE_NEAR: _l("telephones that differ in one place, as after a slip"),
    Clue.PHONE_OTHER: _l("another telephone"),
    Clue.PLACE: _l("the same ward"),
    Clue.PLACE_LATER: _l("the same ward before and after it was joined with others"),
    Clue.PLACE_OTHER: _l("another ward"),
    Clue.NEIGHBOURHOOD: _l("the same neighbourhood"),
    Clue.NEIGHBOURHOOD_OTHER: _l("another neighbourhood"),
    Clue.HOUSE: _l("the same house"),
    Clue.HOUSE_OTHER: _l("another house number"),
    Clue.HOUSEHOLD: _l("the same household"),
    Clue.OCCUPATION: _l("the same work"),
    Clue.OCCUPATION_OTHER: _l("other work"),
}
_NAME_CLUES = {
    NameLevel.UNACCENTED: Clue.NAME_UNACCENTED,
    NameLevel.SWAPPED: Clue.NAME_SWAPPED,
    NameLevel.MIDDLE_MISSING: Clue.NAME_MIDDLE_MISSING,
    NameLevel.TYPO: Clue.NAME_TYPO,
    NameLevel.ACCENTS_DIFFER: Clue.NAME_ACCENTS,
    NameLevel.NICKNAME: Clue.NAME_CALLED,
    NameLevel.NEAR_NAMES: Clue.NAME_NEAR,
    NameLevel.MIDDLE_DIFFERS: Clue.NAME_MIDDLE_OTHER,
    NameLevel.OTHER_FAMILY: Clue.NAME_FAMILY_OTHER,
    NameLevel.OTHER_GIVEN: Clue.NAME_GIVEN_OTHER,
    NameLevel.DIFFERENT: Clue.NAME_OTHER,
}
_ONE_NAME = frozenset(
    {NameLevel.SAME, NameLevel.UNACCENTED, NameLevel.SWAPPED, NameLevel.MIDDLE_MISSING, NameLevel.TYPO}
)
"""Levels at which the two names are one name written differently."""
_ONE_NAME_CLUES = frozenset(
    {Clue.NAME, Clue.NAME_RARE, Clue.NAME_COMMON, *(_NAME_CLUES[level] for level in _ONE_NAME if level in _NAME_CLUES)}
)
_SHARED_COUNTS = {
    NameLevel.NICKNAME: 0.7,
    NameLevel.NEAR_NAMES: 0.5,
    NameLevel.OTHER_FAMILY: 0.4,
    NameLevel.MIDDLE_DIFFERS: 0.7,
    NameLevel.OTHER_GIVEN: 0.0,
    NameLevel.DIFFERENT: 0.0,
}
"""How far it counts what a household shares: brothers and sisters have one house and one telephone, twins one birthday."""


_OTHER_NAMES = frozenset(
    {Clue.NAME_NEAR, Clue.NAME_MIDDLE_OTHER, Clue.NAME_FAMILY_OTHER, Clue.NAME_GIVEN_OTHER, Clue.NAME_OTHER}
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing seen in two records and how much it says, in bits: above nothing for one person, below against."""

    code: Clue
    weight: float

    @property
    def speaks_for(self) -> bool:
        """Whether people would count it for one person: a name of which half is another never, whatever the rest says."""
        return self.weight > 0 and self.code not in _OTHER_NAMES

    @property
    def sentence(self) -> Any:
        """What was seen, in the reader's language."""
        return CLUE_SENTENCES[self.code]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two records have in common and what not, and what follows. `score` is 0…100."""

    score: int
    evidence: tuple[Evidence, ...]
    """The weightiest first."""
    verdict: Verdict
    reasons: tuple[Same, ...]
    """The same in the few words of the API."""

    @property
    def speaks_for(self) -> tuple[Evidence, ...]:
        return tuple(one for one in self.evidence if one.speaks_for)

    @property
    def speaks_against(self) -> tuple[Evidence, ...]:
        return tuple(one for one in self.evidence if not one.speaks_for)


@dataclass(frozen=True)
class Register:
    """What is known of a whole register: how common names are, and which telephones many people give."""

    names: Frequencies = SHIPPED
    phone_holders: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


ANY_TOWN = Register()


def compare(one: Traits, other: Traits, register: Register = ANY_TOWN) -> Comparison:
    """Whether two records are one person, why, and why not."""
    seen: list[Evidence] = []
    level = _name(one, other, register, seen)
    shared = _SHARED_COUNTS.get(level, 1.0)
    shared *= _birth(one, other, shared, seen)
    _numbers(one, other, seen)
    _sex(one, other, seen)
    _phones(one, other, shared, register, seen)
    _place(one, other, seen)
    _house(one, other, shared, seen)
    _occupation(one, other, seen)
    seen.sort(key=lambda evidence: -abs(evidence.weight))
    bits = START + sum(evidence.weight for evidence in seen)
    verdict = _verdict(bits, seen)
    return Comparison(_score(bits, verdict), tuple(seen), verdict, _reasons(verdict, level, seen))


def _score(bits: float, verdict: Verdict) -> int:
    """0…100: at least 75 when it is one person, at least 25 when somebody should look."""
    raw = round(75 + 4 * (bits - SURE)) if bits >= SURE else round(25 + 50 * (bits - POSSIBLE) / (SURE - POSSIBLE))
    least, most = {Verdict.SAME: (75, 100), Verdict.MAYBE: (25, 74), Verdict.DIFFERENT: (0, 24)}[verdict]
    return min(most, max(least, raw))


def _verdict(bits: float, seen: list[Evidence]) -> Verdict:
    codes = {evidence.code for evidence in seen}
    number = codes & {Clue.CITIZEN_ID, Clue.SI_NUMBER}
    if Clue.CITIZEN_ID_OTHER in codes and not number:
        return Verdict.DIFFERENT
    if not number and _only_called(codes, seen):
        return Verdict.MAYBE if bits >= POSSIBLE else Verdict.DIFFERENT
    gravest = min((evidence.weight for evidence in seen), default=0.0)
    if bits >= SURE:
        return Verdict.SAME if gravest > -6.5 or (number and codes & _ONE_NAME_CLUES) else Verdict.MAYBE
    return Verdict.MAYBE if bits >= POSSIBLE or number else Verdict.DIFFERENT


def _only_called(codes: set[Clue], seen: list[Evidence]) -> bool:
    """Whether one is known only by what people call them, and nothing but a day or a ward goes with it."""
    if Clue.NAME_CALLED not in codes:
        return False
    nothing_said = any(one.code is Clue.NAME_CALLED and one.weight < 1.5 for one in seen)
    return nothing_said or not codes & {Clue.PHONE, Clue.HOUSE, Clue.HOUSEHOLD}


# ---- trait by trait


def _name(one: Traits, other: Traits, register: Register, seen: list[Evidence]) -> NameLevel:
    if not (one.full_name and other.full_name):
        return NameLevel.NICKNAME
    level, bits = compare_names(read_name(one.full_name), read_name(other.full_name), register.names)
    if level is NameLevel.SAME:
        code = Clue.NAME_COMMON if bits < 9 else Clue.NAME_RARE if bits > 11 else Clue.NAME
    else:
        code = _NAME_CLUES[level]
    seen.append(Evidence(code, round(bits, 1)))
    return level


def _birth(one: Traits, other: Traits, shared: float, seen: list[Evidence]) -> float:
    """Answers how far what a household shares still counts: between two generations little."""
    years = list(product(_years(one), _years(other)))
    if not years:
        return 1.0
    days = _day(one), _day(other)
    apart = min(abs(year - other_year) for year, other_year in years)
    if days[0] and days[1]:
        if days[0] == days[1]:
            # m 0.9, u 1 in 365 × 50 years; twins share it, so it counts as little as what a household shares
            seen.append(Evidence(Clue.BIRTH_DATE, 14.0 if shared else 5.0))
            return 1.0
        if clue := _slip(days[0], days[1]):
            seen.append(clue)
            return 1.0
    if apart == 0:
        if days[0] and days[1]:
            seen.append(Evidence(Clue.BIRTH_DAY_OTHER, -2.0))  # year 5.5, and two days that are no slip: m 0.005
        else:
            seen.append(Evidence(Clue.BIRTH_YEAR, 5.5))  # m 0.95, u 1 in 50 years, some fuller than others
        return 1.0
    if apart == 1:
        # m 0.04 (counted from the lunar year, or a slip), u 0.04; with two whole days it is two people more often
        seen.append(Evidence(Clue.BIRTH_YEAR_NEXT, -5.0 if days[0] and days[1] else 0.0))
        return 1.0
    if apart == 10 and not (days[0] and days[1]):
        seen.append(Evidence(Clue.BIRTH_TYPO, -5.0))  # m 0.005, u 0.02, and hardly anybody else is so alike
        return 0.7
    if apart < 15:
        seen.append(Evidence(Clue.BIRTH_YEAR_OTHER, -7.0 if apart < 4 else -9.0))
        return 0.7
    seen.append(Evidence(Clue.GENERATION, -12.0))
    return 0.4


def _years(one: Traits) -> set[int]:
    """The year that was written down and the one in the twelve digits of the card, which seldom are two."""
    card = birth_year_of(one.card) if one.card and len(one.card) == 12 else None
    return {year for year in (one.birth_year, card) if year is not None}


def _day(one: Traits) -> date | None:
    """The day of birth; the first of January stands for a day that nobody knew."""
    day = one.birth_date
    return None if day is None or (day.month, day.day) == (1, 1) else day


def _slip(one: date, other: date) -> Evidence | None:
    """Two days that one slip of the pen or of the eye makes of one another."""
    if one.year == other.year and (one.day, one.month) == (other.month, other.day):
        return Evidence(Clue.BIRTH_SWAPPED, 8.0)  # m 0.02, u 1 in 18,000 × 0.4
    a, b = f"{one:%d%m%Y}", f"{other:%d%m%Y}"
    if OSA.distance(a, b) == 1:
        if one.year != other.year:
            return Evidence(Clue.BIRTH_TYPO, 5.5)  # m 0.02; day and month agree, u 1 in 365 × some years
        return Evidence(Clue.BIRTH_TYPO, 3.0)  # m 0.02; year and either day or month agree, u 0.0025
    if abs(one.year - other.year) in (1, 10) and (one.day, one.month) == (other.day, other.month):
        return Evidence(Clue.BIRTH_TYPO, 5.5)  # 1969 and 1970, 1999 and 2009
    return None


def _numbers(one: Traits, other: Traits, seen: list[Evidence]) -> None:
    if one.citizen and other.citizen:
        if one.citizen == other.citizen:
            seen.append(Evidence(Clue.CITIZEN_ID, 25.0))  # u is no chance but a number copied into the wrong row
        elif one.card and other.card and len(one.card) == len(other.card) and OSA.distance(one.card, other.card) == 1:
            seen.append(Evidence(Clue.CITIZEN_ID_NEAR, 10.0))  # m 0.02, u 1 in 100,000: six free digits, born alike
        elif one.citizen_digits == other.citizen_digits == 12:
            seen.append(Evidence(Clue.CITIZEN_ID_OTHER, -15.0))  # nobody has two
        elif one.citizen_digits == other.citizen_digits:
            seen.append(Evidence(Clue.CITIZEN_ID_OTHER, -8.0))  # old numbers were given anew in another province
    if one.insurance and other.insurance:
        same = one.insurance == other.insurance
        seen.append(Evidence(Clue.SI_NUMBER, 24.0) if same else Evidence(Clue.SI_NUMBER_OTHER, -8.0))


def _sex(one: Traits, other: Traits, seen: list[Evidence]) -> None:
    sexes = _sex_of(one), _sex_of(other)
    if sexes[0] and sexes[1] and sexes[0] is not sexes[1]:
        seen.append(
            Evidence(Clue.SEX_OTHER, -4.0)
        )  # m 0.01, u 0.15 of those with such names; that it agrees the name said


def _sex_of(one: Traits) -> Sex | None:
    if one.sex:
        return one.sex
    return Sex(sex_of(one.card)) if one.card and len(one.card) == 12 else None


def _phones(one: Traits, other: Traits, shared: float, register: Register, seen: list[Evidence]) -> None:
    both = one.phones & other.phones
    if both:
        if not shared:
            seen.append(Evidence(Clue.PHONE_OF_HOUSEHOLD, 0.0))
            return
        holders = min(register.phone_holders.get(phone, 2) for phone in both)
        if holders > 4:
            seen.append(Evidence(Clue.PHONE_OF_MANY, round(max(1.0, 9.0 - 2 * log2(holders / 4)) * shared, 1)))
        else:
            seen.append(Evidence(Clue.PHONE, round(13.0 * shared, 1)))  # m 0.75, u 1 in 10,000 of one name
    elif one.phones and other.phones:
        if shared and any(_near(a, b) for a in one.phones for b in other.phones):
            seen.append(Evidence(Clue.PHONE_NEAR, round(5.0 * shared, 1)))  # m 0.02, u 60 of a million numbers, doubted
        else:
            seen.append(Evidence(Clue.PHONE_OTHER, -3.0))  # m 0.13: numbers change and people have two


def _near(one: str, other: str) -> bool:
    return len(one) == len(other) and OSA.distance(one, other, score_cutoff=1) <= 1


def _place(one: Traits, other: Traits, seen: list[Evidence]) -> None:
    if NOWHERE in (one.place_id, other.place_id):
        return
    if one.place_id == other.place_id:
        seen.append(Evidence(Clue.PLACE, 2.8))  # m 0.94, u 1 in 8 wards
    elif other.place_id in one.lineage or one.place_id in other.lineage:
        seen.append(Evidence(Clue.PLACE_LATER, 2.0))  # joined wards are larger: u 1 in 4
    else:
        seen.append(Evidence(Clue.PLACE_OTHER, -2.5))  # m 0.05: people move
    if one.neighbourhood_id and other.neighbourhood_id and one.place_id == other.place_id:
        if one.neighbourhood_id == other.neighbourhood_id:
            seen.append(
                Evidence(Clue.NEIGHBOURHOOD, 2.2)
            )  # m 0.9, u 1 in 5: a ward has ten, but those of one name are kin
        else:
            seen.append(Evidence(Clue.NEIGHBOURHOOD_OTHER, -3.2))  # m 0.1, u 0.9


def _house(one: Traits, other: Traits, shared: float, seen: list[Evidence]) -> None:
    bits = 0.0
    if one.address and other.address and not _elsewhere(seen):
        same = same_house(one.address, other.address)
        if same:
            bits = round(7.0 * shared, 1)
            seen.append(Evidence(Clue.HOUSE, bits))  # m 0.6, u 1 in 1,000 of the ward, doubted for in-laws
        elif same is False:
            seen.append(Evidence(Clue.HOUSE_OTHER, -5.0))  # m 0.03: people move, houses are numbered anew
    if one.household_id and one.household_id == other.household_id and shared:
        seen.append(Evidence(Clue.HOUSEHOLD, round(max(0.5, 7.0 * shared - bits), 1)))


def _elsewhere(seen: list[Evidence]) -> bool:
    return any(evidence.code is Clue.PLACE_OTHER for evidence in seen)


def _occupation(one: Traits, other: Traits, seen: list[Evidence]) -> None:
    if one.occupation and other.occupation:
        if fold(one.occupation) == fold(other.occupation):
            seen.append(Evidence(Clue.OCCUPATION, 2.0))  # m 0.6, u 0.15: a dozen trades, some very common
        else:
            seen.append(Evidence(Clue.OCCUPATION_OTHER, -1.0))  # m 0.4, u 0.85: people change their work


_NUMBER = re.compile(r"\d+[a-z]?(?:/\d+[a-z]?)*")
_NO_PART = re.compile(r"\b(so nha|so|sn|duong|d|pho|ngo|ngach|hem|kiet|nha)\b|[.,;:]")


_NEXT = r"(?!\b(?:so|sn|nha|duong|ngo|ngach|hem|khu|kp|tdp|to dan pho|tieu khu|tk|thon|xom)\b)"
_UNIT_NAME = r"\b(?:phuong|(?<!lien )xa|thi xa|thi tran|thanh pho|huyen|tinh(?! lo)|tp|tx|tt|[px](?=\. *[a-z]))\b"
_NEIGHBOURHOOD = re.compile(
    r"\b(?:khu pho|khu|kp|to dan pho|tdp|tieu khu|tk|(?<!lien )thon|xom)(?![a-z])[. ]*(?:so (?=\d))?"
    rf"((?:(?!{_UNIT_NAME}){_NEXT}[^,;])*)"
)
_UNITS = re.compile(rf"(?:^|[,;-]) *{_UNIT_NAME}(?:{_NEXT}[^;])*")
"""A ward and, after it, the larger units: an address goes from the house to the province. In the middle of a part the word
belongs to a street, as in `12 Phương Mai` and `12 Xã Đàn`; `P.301` is a room."""


class _House(NamedTuple):
    """What an address says of a house; the ward and what is larger are compared by themselves."""

    numbers: tuple[str, ...]
    street: str
    neighbourhood: str


@lru_cache(maxsize=65_536)
def _house_of(address: str) -> _House:
    """The numbers of a house with its lane, the street's name, and the neighbourhood where it is written there."""
    plain = fold(address)
    named = _NEIGHBOURHOOD.search(plain)
    house = _UNITS.sub(" ", _NEIGHBOURHOOD.sub(" , ", plain))
    return _House(
        tuple(_NUMBER.findall(house)),
        " ".join(_NO_PART.sub(" ", _NUMBER.sub(" ", house)).split()),
        named[1].strip(" .-").removesuffix(" cu").lstrip("0") if named else "",
    )


def same_house(one: str, other: str) -> bool | None:
    """Whether two addresses are one house: `Số 12, đường Trần Phú` and `12 Trần Phú, khu phố 3, phường Ba Đình` are; None
    when it cannot be told, as of two that name only their neighbourhood."""
    first, second = _house_of(one), _house_of(other)
    if not first.numbers or not second.numbers:
        return None
    for here, there in ((first.street, second.street), (first.neighbourhood, second.neighbourhood)):
        if here and there and here != there:
            return False
    return first.numbers == second.numbers


def same_house_no_more(said: str, known: str) -> bool:
    """Whether an address is the house that is known and names no street that was not; its ward is told by itself."""
    return same_house(said, known) is True and _house_of(said).street in ("", _house_of(known).street)


# ---- in the words of the API


def _reasons(verdict: Verdict, level: NameLevel, seen: list[Evidence]) -> tuple[Same, ...]:
    """The strongest first, out of what was seen, so that the two never disagree."""
    if verdict is Verdict.DIFFERENT:
        return ()
    codes = {evidence.code for evidence in seen if evidence.weight > 0}
    found = [same for clue, same in _SAME_NUMBERS.items() if clue in codes]
    one_name, here = level in _ONE_NAME, codes & {Clue.PLACE, Clue.PLACE_LATER}
    if one_name and Clue.BIRTH_DATE in codes:
        found.append(Same.NAME_AND_BIRTH_DATE)
    if codes & {Clue.PHONE, Clue.PHONE_OF_MANY}:
        found.append(Same.NAME_AND_PHONE if one_name else Same.LIKE_NAME_AND_PHONE)
    if one_name and Clue.BIRTH_YEAR in codes and here:
        found.append(Same.NAME_AND_BIRTH_YEAR)
    elif codes & _LIKE_BIRTHS or (Clue.BIRTH_DATE in codes and not one_name):
        found.append(Same.LIKE_NAME_AND_BIRTH)
    if codes & {Clue.HOUSE, Clue.HOUSEHOLD}:
        found.append(Same.LIKE_NAME_AND_HOUSE)
    return tuple(found) or (Same.LIKE_NAME,)


_SAME_NUMBERS = {Clue.CITIZEN_ID: Same.CITIZEN_ID, Clue.SI_NUMBER: Same.SI_NUMBER}
_LIKE_BIRTHS = {Clue.BIRTH_SWAPPED, Clue.BIRTH_TYPO, Clue.BIRTH_YEAR}
