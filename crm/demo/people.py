"""Households and the people in them: invented, and alike the people of a town in Thanh Hóa."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple
from uuid import UUID

from crm.demo.names import FAMILIES, full_name
from crm.demo.numbering import Numbering
from crm.demo.team import Helper, Unit
from crm.demo.town import PREFIXES, STREETS, TRADES
from crm.names import fold, sort_key
from crm.prospects.rules import Ground, Kinship, Sex, Stage

OLDEST, YOUNGEST = 1950, 2003
"""Years of birth, as of 2019; later the town is as old as it was."""
HOUSEHOLDS = (1, 2, 2, 2, 3, 3, 3, 4, 4, 5)
"""Grown-ups of a household who are on the lists."""

POOR, NEAR_POOR = 0.04, 0.05


class Home(NamedTuple):
    """Where a household lives, and its standing."""

    id: UUID
    unit: Unit
    neighbourhood_id: UUID
    address: str
    ground: Ground
    certificate: str


@dataclass(slots=True)
class Person:
    """Someone on the lists, and where they stand on the demo's day."""

    id: UUID
    home: Home
    full_name: str
    sex: Sex
    birth_year: int
    birth_date: date | None
    kinship: Kinship
    phone: str | None
    other_phone: str | None
    citizen_id: str | None
    occupation: str
    created_at: datetime
    insurance_number: str | None = None
    agrees_to_sms: bool = False
    stage: Stage = Stage.NEW
    helper: Helper | None = None
    next_contact_on: date | None = None
    last_contact_at: datetime | None = None
    last_outcome: str | None = None
    updated_at: datetime | None = None


@lru_cache(maxsize=200_000)
def keys_of(name: str) -> tuple[str, bytes]:
    """What a name is searched and sorted by; the same names come up again and again."""
    return fold(name), sort_key(name)


class Census:
    """Makes households of a unit, one after the other."""

    def __init__(self, random: Random, number: Numbering, listed_at: datetime) -> None:
        self.random, self.number, self.listed_at = random, number, listed_at
        self.houses = 0
        later = listed_at.year - 2019
        self.oldest, self.youngest = OLDEST + later, YOUNGEST + later

    def people(self, unit: Unit, count: int) -> Iterator[Person]:
        """So many people of a unit, household by household."""
        left = count
        while left:
            size = min(left, self.random.choice(HOUSEHOLDS))
            left -= size
            yield from self.household(unit, size)

    def household(self, unit: Unit, size: int) -> Iterator[Person]:
        """The grown-ups of one household: share an address, some a telephone; children bear the father's name."""
        random = self.random
        home = self._home(unit)
        head_born = random.randint(self.oldest, self.youngest - 15)
        head_sex = Sex.MALE if random.random() < 0.62 else Sex.FEMALE
        family = FAMILIES.draw(random)
        listed_at = self.listed_at + timedelta(seconds=self.houses % 36_000)
        phone = self._phone() if random.random() < 0.92 else None
        for place in range(size):
            kinship, sex, born, bears = self._member(place, head_sex, head_born, family)
            shared = place > 0 and random.random() < 0.22
            own = None if random.random() < 0.1 else self._phone()
            birth_date = self._day(born) if random.random() < 0.72 else None
            citizen_id = self._citizen_id(sex, born) if random.random() < 0.6 else None
            reached_at = phone if place == 0 or shared else own
            yield Person(
                id=self.number(),
                home=home,
                full_name=full_name(random, sex, born, bears),
                sex=sex,
                birth_year=born,
                birth_date=birth_date,
                kinship=kinship,
                phone=reached_at,
                other_phone=f"+842373{random.randrange(10**6):06d}" if random.random() < 0.03 else None,
                citizen_id=citizen_id,
                occupation=TRADES[sex].draw(random),
                created_at=listed_at,
                agrees_to_sms=reached_at is not None and random.random() < 0.52,
            )

    def _home(self, unit: Unit) -> Home:
        random = self.random
        self.houses += 1
        drawn = random.random()
        ground = Ground.POOR if drawn < POOR else Ground.NEAR_POOR if drawn < POOR + NEAR_POOR else Ground.OTHER
        lane = f", ngõ {random.randint(1, 60)}" if random.random() < 0.35 else ""
        address = f"Số {random.randint(1, 320)}{lane}, đường {random.choice(STREETS)}"
        certificate = f"{'HN' if ground is Ground.POOR else 'CN'}-{self.houses:05d}"
        return Home(self.number(), unit, random.choice(unit.neighbourhoods), address, ground, certificate)

    def _member(self, place: int, head_sex: Sex, head_born: int, family: str) -> tuple[Kinship, Sex, int, str | None]:
        """Kinship to the head, sex, year of birth and family name: of their own (None) unless it is the household's."""
        random = self.random
        if place == 0:
            return Kinship.HEAD, head_sex, head_born, family
        if place == 1 and random.random() < 0.8:
            born = min(self.youngest - 14, max(self.oldest, head_born + random.randint(-4, 6)))
            return Kinship.SPOUSE, Sex.FEMALE if head_sex is Sex.MALE else Sex.MALE, born, None
        sex = random.choice((Sex.FEMALE, Sex.MALE))
        born = head_born + random.randint(19, 34)
        if born <= self.youngest:
            return Kinship.CHILD, sex, born, family if head_sex is Sex.MALE else None
        if head_born - 22 >= self.oldest:
            return Kinship.PARENT, sex, random.randint(self.oldest, head_born - 20), None
        return Kinship.OTHER, sex, random.randint(self.oldest + 15, self.youngest - 3), None

    def _phone(self) -> str:
        return f"+84{PREFIXES.draw(self.random)}{self.random.randrange(10**7):07d}"

    def _day(self, year: int) -> date:
        return date(year, 1, 1) + timedelta(days=self.random.randrange(365))

    def _citizen_id(self, sex: Sex, year: int) -> str:
        """Province 038, century and sex, year of birth, six digits."""
        century = (2 if year >= 2000 else 0) + (sex is Sex.FEMALE)
        return f"038{century}{year % 100:02d}{self.random.randrange(10**6):06d}"
