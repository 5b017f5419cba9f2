"""Labelled pairs of records: one person written down twice, or two people who look like one. The same for a seed.

Written before the matcher and not tuned to it. How much a record says lies between the lists this program was first
given (tests/data/lists: day of birth 22–36 % and otherwise the year, telephone 79–87 %, number 65–70 %, up to a third of
them old nine-digit ones) and the demo town's register (72, 92 and 60 %). How often something is written wrongly is our
estimate of lists typed by hand, on the generous side.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID, uuid5

from crm.demo.names import FAMILIES, full_name
from crm.prospects.rules import Sex

SPACE = UUID("6ad0a1ce-6a0c-5a86-9d4f-2f3a0a1f6d11")
WARDS = 8
HAMLETS = 10
STREETS = [
    "Trần Phú",
    "Nguyễn Huệ",
    "Lê Lợi",
    "Hai Bà Trưng",
    "Bà Triệu",
    "Lê Lai",
    "Cù Chính Lan",
    "Trần Hưng Đạo",
    "Thanh Niên",
]
TRADES = ["làm ruộng", "buôn bán", "nội trợ", "thợ xây", "lái xe", "may mặc", "bán cá", "cắt tóc", "tự do", "công nhân"]
SELDOM_FAMILIES = [
    "Cù",
    "Khương",
    "Mạc",
    "Nghiêm",
    "Ninh",
    "Thiều",
    "Trình",
    "Tăng",
    "Viên",
    "Văn",
    "Doãn",
    "Giáp",
    "Hàn",
    "Khuất",
    "Lữ",
    "Quản",
    "Sầm",
    "Thạch",
]
SELDOM_GIVEN = [
    "Xoan",
    "Thược",
    "Nhiễu",
    "Khuyên",
    "Tuyến",
    "Ngoan",
    "Ngát",
    "Hoạt",
    "Khoản",
    "Lượng",
    "Bưởi",
    "Diễn",
    "Thuận",
    "Tĩnh",
    "Luyến",
    "Nghĩnh",
    "Xuyến",
]
OLD_TONES = {"òa": "oà", "óa": "oá", "ỏa": "oả", "ọa": "oạ", "õa": "oã", "òe": "oè", "óe": "oé", "ủy": "uỷ", "úy": "uý", "ùy": "uỳ", "ũy": "uỹ", "ụy": "uỵ"}  # fmt: skip
BY_EAR = (("S", "X"), ("Tr", "Ch"), ("D", "Gi"), ("L", "N"), ("ng", "n"), ("uô", "ua"), ("ươ", "ư"), ("iê", "i"))
TITLES = {Sex.FEMALE: ("bà", "chị", "cô"), Sex.MALE: ("ông", "anh", "chú")}
KEYS_BESIDE = {"a": "sq", "n": "mb", "h": "gj", "o": "ip", "i": "uo", "t": "ry", "u": "yi", "g": "fh", "c": "xv"}


@dataclass(frozen=True)
class Person:
    """Somebody who exists: everything that could be written down."""

    full_name: str
    sex: Sex
    born: date
    phone: str
    card: str
    old_card: str
    insurance: str
    ward: int
    hamlet: int
    house: int
    lane: int
    street: str
    household: int
    trade: str


@dataclass(frozen=True)
class Record:
    """What a list or a volunteer wrote down of somebody. Telephones and numbers as read."""

    full_name: str
    place: int
    birth_date: date | None = None
    birth_year: int | None = None
    sex: Sex | None = None
    phone: str | None = None
    other_phone: str | None = None
    citizen_id: str | None = None
    si_number: str | None = None
    hamlet: int | None = None
    address: str | None = None
    household: int | None = None
    occupation: str | None = None

    @property
    def ward_id(self) -> UUID:
        return place_id(self.place)

    @property
    def hamlet_id(self) -> UUID | None:
        return uuid5(SPACE, f"hamlet {self.place % WARDS} {self.hamlet}") if self.hamlet is not None else None

    @property
    def household_id(self) -> UUID | None:
        return uuid5(SPACE, f"household {self.household}") if self.household is not None else None


class Labelled(NamedTuple):
    """Two records, whether one person is behind both, and what kind of pair it is."""

    one: Record
    other: Record
    same: bool
    kind: str


def place_id(number: int) -> UUID:
    """Wards 0–7 are those of before; 8 and 9 what they were joined into, the even and the odd ones."""
    return uuid5(SPACE, f"ward {number}")


def lineage(number: int) -> frozenset[UUID]:
    """A ward with what it came from and what it became."""
    if number < WARDS:
        return frozenset({place_id(number), place_id(WARDS + number % 2)})
    return frozenset({place_id(number), *(place_id(old) for old in range(WARDS) if old % 2 == number - WARDS)})


def index(number: str | None) -> bytes | None:
    """A stand-in for the blind index of a number."""
    return hashlib.sha256(number.encode()).digest()[:16] if number else None


class Townspeople:
    """Invents people, their relatives and their namesakes."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.households = 0

    def person(self, sex: Sex | None = None, born: date | None = None, family: str | None = None) -> Person:
        random = self.random
        sex = sex or random.choice((Sex.FEMALE, Sex.MALE))
        born = born or self.day(random.randint(1945, 2003))
        self.households += 1
        return Person(
            full_name=self.name(sex, born.year, family),
            sex=sex,
            born=born,
            phone=self.phone(),
            card=self.card(sex, born.year),
            old_card=f"17{random.randrange(10**7):07d}",
            insurance=f"38{random.randrange(10**8):08d}",
            ward=random.randrange(WARDS),
            hamlet=random.randrange(HAMLETS),
            house=random.randint(1, 320),
            lane=random.choice((0, 0, random.randint(1, 60))),
            street=random.choice(STREETS),
            household=self.households,
            trade=random.choice(TRADES),
        )

    def name(self, sex: Sex, year: int, family: str | None = None) -> str:
        random = self.random
        if family is None and random.random() < 0.08:
            family = random.choice(SELDOM_FAMILIES)
        name = full_name(random, sex, year, family)
        if random.random() < 0.12:
            name = " ".join([*name.split()[:-1], random.choice(SELDOM_GIVEN)])
        return name

    def day(self, year: int) -> date:
        return date(year, 1, 1) + timedelta(days=self.random.randrange(365))

    def phone(self) -> str:
        return f"+84{self.random.choice(('90', '91', '97', '98', '36', '38', '83', '94'))}{self.random.randrange(10**7):07d}"

    def card(self, sex: Sex, year: int) -> str:
        century = (2 if year >= 2000 else 0) + (sex is Sex.FEMALE)
        return f"038{century}{year % 100:02d}{self.random.randrange(10**6):06d}"

    def relative(self, of: Person, sex: Sex, born: date, *, bears_the_name: bool, shares_phone: float) -> Person:
        """Somebody of the same house; a child often has the middle name of its brothers and sisters."""
        family = of.full_name.split()[0] if bears_the_name else None
        made = self.person(sex, born, family)
        if bears_the_name and self.random.random() < 0.4 and sex is of.sex:
            words = of.full_name.split()
            made = replace(made, full_name=" ".join([*words[:-1], made.full_name.split()[-1]]))
        if made.full_name == of.full_name:
            return self.relative(of, sex, born, bears_the_name=bears_the_name, shares_phone=shares_phone)
        home = {name: getattr(of, name) for name in ("ward", "hamlet", "house", "lane", "street", "household")}
        return replace(made, **home, phone=of.phone if self.random.random() < shares_phone else made.phone)


class Writer:
    """Writes people down as lists do."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def often(self, share: float) -> bool:
        return self.random.random() < share

    def writes(self, of: Person, *, later: bool = False) -> Record:
        """One record of somebody; `later`: in an association's list or at the door, years after the first."""
        while True:
            record = self._written(of, later)
            if record.birth_year or record.phone or record.citizen_id:
                return record

    def _written(self, of: Person, later: bool) -> Record:
        random = self.random
        birth_date, birth_year = self.birth(of.born)
        phone = of.phone if self.often(0.86) else None
        if phone and later and self.often(0.12):
            phone = f"+8497{random.randrange(10**7):07d}"
        elif phone and self.often(0.015):
            phone = self.slip(phone, 5)
        ward, hamlet = of.ward, of.hamlet
        if later and self.often(0.04):
            ward, hamlet = random.randrange(WARDS), random.randrange(HAMLETS)
        place = WARDS + ward % 2 if later and self.often(0.2) else ward
        number = of.card if self.often(0.75) else of.old_card
        if self.often(0.01):
            number = self.slip(number, 6)
        house = f"ngõ {of.lane} " if of.lane else ""
        shapes = (
            f"Số {of.house}, {house}đường {of.street}",
            f"{of.house} {house}{of.street}",
            f"SN {of.house} {house}đ. {of.street}",
        )
        return Record(
            full_name=self.name(of),
            place=place,
            birth_date=birth_date,
            birth_year=birth_year,
            sex=(of.sex if self.often(0.995) else Sex.MALE if of.sex is Sex.FEMALE else Sex.FEMALE) if self.often(0.85) else None,
            phone=phone,
            other_phone=f"+8437{random.randrange(10**7):07d}" if self.often(0.05) else None,
            citizen_id=number if self.often(0.5 if later else 0.67) else None,
            si_number=of.insurance if self.often(0.1) else None,
            hamlet=(random.randrange(HAMLETS) if self.often(0.04) else hamlet) if self.often(0.7) else None,
            address=random.choice(shapes) if self.often(0.5) else None,
            household=of.household if not later and self.often(0.4) else None,
            occupation=(of.trade if self.often(0.7) else random.choice(TRADES)) if self.often(0.5) else None,
        )  # fmt: skip

    def birth(self, born: date) -> tuple[date | None, int | None]:
        random, drawn = self.random, self.random.random()
        if drawn < 0.04:
            return None, None
        if drawn < 0.50:
            year = born.year + (random.choice((-1, 1)) if self.often(0.03) else 0)
            return None, year
        day = born
        wrong = random.random()
        if wrong < 0.02 and born.day <= 12:
            day = date(born.year, born.day, born.month)
        elif wrong < 0.035:
            day = born + timedelta(days=random.choice((-1, 1, 10, -10)))
        elif wrong < 0.05:
            day = date(born.year + random.choice((-1, 1, 10, -10)), born.month, min(born.day, 28))
        elif wrong < 0.08:
            day = date(born.year, 1, 1)
        return day, day.year

    def name(self, of: Person) -> str:
        name, random = of.full_name, self.random
        words = name.split()
        if self.often(0.04) and len(words) > 2:
            words = [words[0], *words[2:]]
        if self.often(0.015):
            words = [words[-1], *words[1:-1], words[0]]
        name = " ".join(words)
        if self.often(0.12):
            for new, old in OLD_TONES.items():
                name = name.replace(new, old)
        if self.often(0.1):
            name = name.replace("Lý", "Lí").replace("Quý", "Quí").replace("Mỹ", "Mĩ").replace("Thủy", "Thủi") if self.often(0.02) else name.replace("Lý", "Lí").replace("Quý", "Quí")  # fmt: skip
        if self.often(0.04):
            name = self.misspelt(name)
        if self.often(0.12):
            name = unaccented(name)
        if self.often(0.015):
            name = f"{random.choice(TITLES[of.sex])} {name.split()[-1]}"
        elif self.often(0.01):
            name = f"{name} ({of.trade})"
        return name.upper() if self.often(0.25) else name

    def misspelt(self, name: str) -> str:
        """One slip: a neighbouring key, a letter lost, doubled or exchanged, a tone, or written by ear."""
        random, kind = self.random, self.random.random()
        at = random.randrange(1, len(name))
        if kind < 0.25:
            letter = unaccented(name[at]).lower()
            return name[:at] + random.choice(KEYS_BESIDE.get(letter, letter or "n")) + name[at + 1 :]
        if kind < 0.4:
            return name[:at] + name[at + 1 :]
        if kind < 0.5:
            return name[:at] + name[at] + name[at:]
        if kind < 0.65 and at + 1 < len(name):
            return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
        if kind < 0.85:
            return self.toned(name)
        pairs = [(a, b) for pair in BY_EAR for a, b in (pair, pair[::-1]) if a in name]
        return name.replace(*random.choice(pairs), 1) if pairs else name

    def toned(self, name: str) -> str:
        """The tone mark of one word is another, or is gone."""
        words = name.split()
        which = self.random.randrange(len(words))
        parts = [c for c in unicodedata.normalize("NFD", words[which]) if c not in "\u0300\u0301\u0309\u0303\u0323"]
        words[which] = unicodedata.normalize("NFC", "".join(parts))
        return " ".join(words)

    def slip(self, number: str, after: int) -> str:
        """Two neighbouring digits exchanged, or one mistyped."""
        at = self.random.randrange(after, len(number) - 1)
        if self.often(0.5) and number[at] != number[at + 1]:
            return number[:at] + number[at + 1] + number[at] + number[at + 2 :]
        return number[:at] + str((int(number[at]) + self.random.randint(1, 9)) % 10) + number[at + 1 :]


def unaccented(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(char for char in plain if not unicodedata.combining(char))


def _siblings(town: Townspeople, one: Person) -> Person:
    gap = town.random.choice((1, 2, 2, 3, 4, 6)) * town.random.choice((-1, 1))
    sex = one.sex if town.random.random() < 0.7 else town.random.choice((Sex.FEMALE, Sex.MALE))
    return town.relative(one, sex, town.day(one.born.year + gap), bears_the_name=True, shares_phone=0.4)


def _twins(town: Townspeople, one: Person) -> Person:
    sex = one.sex if town.random.random() < 0.8 else town.random.choice((Sex.FEMALE, Sex.MALE))
    twin = town.relative(one, sex, one.born, bears_the_name=True, shares_phone=0.6)
    words = one.full_name.split()
    if sex is one.sex and words[-1] != twin.full_name.split()[-1]:
        twin = replace(twin, full_name=" ".join([*words[:-1], twin.full_name.split()[-1]]))
    return twin


def _parent(town: Townspeople, one: Person) -> Person:
    born = town.day(one.born.year - town.random.randint(20, 34))
    return town.relative(one, one.sex, born, bears_the_name=one.sex is Sex.MALE, shares_phone=0.6)


def _couple(town: Townspeople, one: Person) -> Person:
    sex = Sex.MALE if one.sex is Sex.FEMALE else Sex.FEMALE
    return town.relative(one, sex, town.day(one.born.year + town.random.randint(-4, 4)), bears_the_name=False, shares_phone=0.7)  # fmt: skip


def _namesake(town: Townspeople, one: Person) -> Person:
    """The same name and year in the same ward."""
    other = town.person(one.sex, town.day(one.born.year))
    hamlet = one.hamlet if town.random.random() < 0.15 else other.hamlet
    return replace(other, full_name=one.full_name, ward=one.ward, hamlet=hamlet)


def _namesake_elsewhere(town: Townspeople, one: Person) -> Person:
    other = town.person(one.sex, town.day(one.born.year + town.random.choice((0, 0, 1, -1, 5))))
    return replace(other, full_name=one.full_name)


def _in_law(town: Townspeople, one: Person) -> Person:
    """A mother and a daughter-in-law of one name, one house, often one telephone."""
    born = town.day(min(2003, one.born.year + town.random.randint(18, 35)))
    other = town.relative(one, one.sex, born, bears_the_name=False, shares_phone=0.5)
    return replace(other, full_name=one.full_name)


def _nearly_namesake(town: Townspeople, one: Person) -> Person:
    """The same family and middle name and the same day of birth, another given name, the same ward."""
    other = town.person(one.sex, one.born)
    words = one.full_name.split()
    given = other.full_name.split()[-1]
    return replace(other, full_name=" ".join([*words[:-1], given]), ward=one.ward) if given != words[-1] else _nearly_namesake(town, one)  # fmt: skip


def _shared_phone(town: Townspeople, one: Person) -> Person:
    """Somebody else for whom the number of the shop or of the hamlet's head was written down."""
    return replace(town.person(), phone=one.phone, ward=one.ward, hamlet=one.hamlet)


HARD: dict[str, tuple[int, Callable[[Townspeople, Person], Person]]] = {
    "siblings": (18, _siblings),
    "twins": (8, _twins),
    "parent and child": (12, _parent),
    "couple": (8, _couple),
    "namesakes of one year and ward": (22, _namesake),
    "namesakes elsewhere": (12, _namesake_elsewhere),
    "mother and daughter-in-law": (6, _in_law),
    "one day of birth, other given name": (8, _nearly_namesake),
    "one telephone for many": (6, _shared_phone),
}
"""Kinds of two people who look like one, and how often each comes up. Namesakes need a name that many bear: they are drawn
from those whose family and given names both come up often."""
_COMMON = frozenset(FAMILIES.words[:10])


def labelled_pairs(seed: int, same: int = 1200, different: int = 1800) -> Iterator[Labelled]:
    """So many pairs of either kind."""
    random = Random(seed)
    town, writer = Townspeople(random), Writer(random)
    for _ in range(same):
        person = town.person()
        yield Labelled(writer.writes(person), writer.writes(person, later=True), True, "one person")
    kinds, weights = list(HARD), [weight for weight, _make in HARD.values()]
    for _ in range(different):
        kind = random.choices(kinds, weights)[0]
        one = town.person()
        while "namesake" in kind and (
            one.full_name.split()[0] not in _COMMON or one.full_name.split()[-1] in SELDOM_GIVEN
        ):
            one = town.person()
        other = HARD[kind][1](town, one)
        yield Labelled(writer.writes(one), writer.writes(other, later=True), False, kind)
