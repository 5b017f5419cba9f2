"""Invented people look like people."""

from __future__ import annotations

from collections import Counter
from datetime import date
from random import Random

from crm import clock
from crm.citizen_ids import CitizenId, read_citizen_id
from crm.demo.names import full_name
from crm.demo.numbering import Numbering
from crm.demo.people import Census, Person
from crm.demo.team import Unit
from crm.demo.town import SHARES_OF_2019, SHARES_OF_NOW
from crm.ids import new_id
from crm.names import looks_like_a_name
from crm.phones import is_mobile
from crm.places.rules import PlaceKind
from crm.prospects.rules import Kinship, Sex


def some_people(count: int, seed: int = 1) -> list[Person]:
    random = Random(seed)
    listed_at = clock.at(date(2019, 1, 3), 8)
    census = Census(random, Numbering(random, listed_at), listed_at)
    return list(census.people(Unit(new_id(), PlaceKind.WARD, SHARES_OF_2019["14812"], (new_id(),)), count))


def test_families_are_as_frequent_as_they_are() -> None:
    random = Random(5)
    found = Counter(full_name(random, Sex.FEMALE, 1970).split()[0] for _ in range(4000))
    assert found.most_common(1)[0][0] == "Nguyễn"
    assert 0.26 < found["Nguyễn"] / 4000 < 0.34


def test_older_women_are_mostly_called_thi_and_no_man_is() -> None:
    random = Random(5)
    women = [full_name(random, Sex.FEMALE, 1955) for _ in range(500)]
    men = [full_name(random, Sex.MALE, 1955) for _ in range(500)]
    assert sum(" Thị " in name for name in women) > 400
    assert not any("Thị" in name.split() for name in men)


def test_particulars_agree_with_each_other() -> None:
    people = some_people(2000)
    for person in people:
        assert looks_like_a_name(person.full_name) is None
        assert person.phone is None or is_mobile(person.phone)
        assert person.birth_date is None or person.birth_date.year == person.birth_year
        assert 1950 <= person.birth_year <= 2003
        if person.citizen_id:
            read = read_citizen_id(person.citizen_id, person.sex.value, person.birth_year)
            assert isinstance(read, CitizenId)
            assert read.kind == "cccd"
    assert 0.55 < sum(person.citizen_id is not None for person in people) / 2000 < 0.65


def test_a_household_shares_its_address_and_sometimes_a_telephone() -> None:
    people = some_people(1000)
    homes: dict[object, list[Person]] = {}
    for person in people:
        homes.setdefault(person.home.id, []).append(person)
    assert max(len(members) for members in homes.values()) == 5
    assert all(members[0].kinship is Kinship.HEAD for members in homes.values())
    shared = [one for one in homes.values() if len({member.phone for member in one}) < len(one)]
    assert 0.1 < len(shared) / len(homes) < 0.6


def test_another_seed_makes_other_people() -> None:
    first, again, other = ([one.full_name for one in some_people(50, seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_units_add_up_to_the_plan() -> None:
    for shares in (SHARES_OF_2019.values(), SHARES_OF_NOW.values()):
        assert sum(share.baseline for share in shares) == 1191
        assert sum(share.target for share in shares) == 1385
        assert sum(share.inhabitants for share in shares) == 1000
