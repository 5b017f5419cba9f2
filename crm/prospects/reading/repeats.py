"""Finding the rows of one file that tell of the same person."""

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from crm.names import same_name_key, spelling_key
from crm.prospects.reading.outcomes import Person, SameBecause


class _Seen(NamedTuple):
    """As little as is needed of a row that was read, since all of them are kept until the end of the file."""

    sheet: str
    row: int
    sex: str | None
    birth_date: date | None
    phone: str | None
    citizen_id: str | None
    si_number: str | None
    place: tuple[str | None, str | None]


@dataclass(slots=True)
class Repeats:
    """The people seen so far in a file."""

    _citizen_ids: dict[str, _Seen] = field(default_factory=dict)
    _si_numbers: dict[str, _Seen] = field(default_factory=dict)
    _named_phones: dict[tuple[str, str], _Seen] = field(default_factory=dict)
    _births: dict[tuple[str, int], list[_Seen]] = field(default_factory=dict)

    def first_of(self, person: Person) -> tuple[str, int, tuple[SameBecause, ...]] | None:
        """(sheet, row, reasons) of the earlier row that this person repeats; otherwise the person is remembered.

        The same number is enough; the same name needs the same telephone, or the same birth with nothing that speaks against it.
        """
        found: dict[SameBecause, _Seen] = {}
        if person.citizen_id and (seen := self._citizen_ids.get(person.citizen_id)):
            found[SameBecause.CITIZEN_ID] = seen
        if person.si_number and (seen := self._si_numbers.get(person.si_number)):
            found[SameBecause.SI_NUMBER] = seen
        phone = person.phone or person.other_phone
        alike, spelt = _keys(person.full_name)
        named_phone = (alike, phone) if phone else None
        if named_phone and (seen := self._named_phones.get(named_phone)) and not _other_number(person, seen):
            found[SameBecause.NAME_AND_PHONE] = seen
        birth = (spelt, person.birth_year) if person.birth_year else None
        if birth and (others := self._births.get(birth)):
            same = next((seen for seen in others if not _speaks_against(person, seen)), None)
            if same:
                found[SameBecause.NAME_AND_BIRTH] = same
        if found:
            first = next(iter(found.values()))
            self._remember(first, person, named_phone, birth=None)
            return first.sheet, first.row, tuple(reason for reason, seen in found.items() if seen is first)
        self._remember(_seen(person), person, named_phone, birth)
        return None

    def _remember(
        self, seen: _Seen, person: Person, named_phone: tuple[str, str] | None, birth: tuple[str, int] | None
    ) -> None:
        """Keep what `person` says under `seen`: a repeat adds its numbers to the row it repeats."""
        if person.citizen_id:
            self._citizen_ids.setdefault(person.citizen_id, seen)
        if person.si_number:
            self._si_numbers.setdefault(person.si_number, seen)
        if named_phone:
            self._named_phones.setdefault(named_phone, seen)
        if birth:
            self._births.setdefault(birth, []).append(seen)


@lru_cache(maxsize=65_536)
def _keys(name: str) -> tuple[str, str]:
    """What is equal for names that may be the same, and for spellings of one."""
    return same_name_key(name), spelling_key(name)


def _seen(person: Person) -> _Seen:
    return _Seen(
        person.sheet, person.row, person.sex, person.birth_date, person.phone, person.citizen_id, person.si_number,
        (person.ward_named, person.neighbourhood),
    )  # fmt: skip


def _differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other


def _other_number(person: Person, seen: _Seen) -> bool:
    """Whether the two have different citizen numbers of one kind: an old and a new card may be one person's."""
    if person.citizen_id and seen.citizen_id and len(person.citizen_id) != len(seen.citizen_id):
        return False
    return _differ(person.citizen_id, seen.citizen_id)


def _speaks_against(person: Person, seen: _Seen) -> bool:
    return (
        _other_number(person, seen)
        or _differ(person.si_number, seen.si_number)
        or _differ(person.birth_date, seen.birth_date)
        or _differ(person.phone, seen.phone)
        or _differ(person.sex, seen.sex)
        or _differ(person.ward_named, seen.place[0])
        or _differ(person.neighbourhood, seen.place[1])
    )
