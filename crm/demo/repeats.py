"""Some people stand on two lists, each written by somebody else: so that there are pairs to be looked at.

Who is only on the lists becomes the second writing of somebody who was met before in the same ward. Nobody is added, and
nothing is drawn, so that the town is otherwise the same to the last row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid5

from crm.demo.people import Person
from crm.names import fold
from crm.prospects.rules import Kinship

IN_A_UNIT = 2
"""So many people of each ward are written down twice."""
APART = 8
"""So many others who could be the first are passed over between two repeats."""


def _without_accents(person: Person) -> Person:
    name = " ".join(word.capitalize() for word in fold(person.full_name).split())
    return replace(person, full_name=name, birth_date=None, citizen_id=None)


def _without_middle_name(person: Person) -> Person:
    words = person.full_name.split()
    return replace(person, full_name=f"{words[0]} {words[-1]}", phone=None, citizen_id=None)


def _with_another_telephone(person: Person) -> Person:
    assert person.phone
    other = f"{person.phone[:-7]}{person.phone[:-8:-1]}"
    return replace(person, birth_date=None, phone=other, occupation="Lao động tự do")


def _with_a_slip_in_the_telephone(person: Person) -> Person:
    assert person.phone
    return replace(person, phone=f"{person.phone[:-1]}{(int(person.phone[-1]) + 1) % 10}", citizen_id=None)


def _with_day_and_month_exchanged(person: Person) -> Person:
    day = person.birth_date
    turned = day.replace(day=day.month, month=day.day) if day and day.day <= 12 else None
    return replace(person, birth_date=turned, citizen_id=None)


def _from_another_house(person: Person) -> Person:
    home = person.home._replace(address=f"Số {person.id.int % 300 + 1}, đường Bà Triệu")
    return replace(person, home=home, citizen_id=None, phone=None, occupation="Nội trợ")


WAYS: tuple[Callable[[Person], Person], ...] = (
    _without_accents,
    _with_another_telephone,
    _without_middle_name,
    _with_a_slip_in_the_telephone,
    _from_another_house,
    _with_day_and_month_exchanged,
)
"""How the second writing differs from the first; the last but one may as well be a namesake."""


class Repeats:
    """Remembers who may be written down again, and does so now and then."""

    def __init__(self) -> None:
        self.known: defaultdict[UUID, list[Person]] = defaultdict(list)
        self.made: defaultdict[UUID, int] = defaultdict(int)
        self.number = 0

    def remember(self, person: Person) -> None:
        """Somebody who was met: of whom one knows the telephone, the day of birth and the number."""
        if person.phone and person.birth_date and person.citizen_id and len(person.full_name.split()) > 2:
            self.known[person.home.unit.id].append(person)

    def perhaps(self, person: Person) -> Person:
        """Somebody who is only on the lists, or who was met before, written down again under this one's id."""
        unit = person.home.unit.id
        known, made = self.known[unit], self.made[unit]
        alone = person.kinship is not Kinship.HEAD and not person.agrees_to_sms
        if made == IN_A_UNIT or not alone or len(known) < APART * (made + 1):
            return person
        again = WAYS[self.number % len(WAYS)](known[APART * (made + 1) - 1])
        self.made[unit] += 1
        self.number += 1
        home = person.home._replace(
            id=uuid5(person.id, "second writing"),
            neighbourhood_id=again.home.neighbourhood_id,
            address=again.home.address,
        )
        return replace(
            person,
            home=home,
            full_name=again.full_name,
            sex=again.sex,
            birth_year=again.birth_year,
            birth_date=again.birth_date,
            kinship=Kinship.HEAD,
            phone=again.phone,
            citizen_id=again.citizen_id,
            occupation=again.occupation,
        )
