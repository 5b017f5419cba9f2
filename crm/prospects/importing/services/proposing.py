"""What a row proposes, in the columns of a person: made once while the list is read, copied by one statement when it is
loaded. Numbers are sealed here and never opened on the way. No database is needed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple
from uuid import UUID

from crm.citizen_ids import mask
from crm.names import fold, sort_key
from crm.prospects.importing.rules import Proposed
from crm.sealed import current as seal

COLUMNS = {
    "town_id": "uuid",
    "import_id": "uuid",
    "id": "uuid",
    "sheet": "text",
    "to_add": "bool",
    "decided": "bool",
    "full_name": "text",
    "name_fold": "text",
    "name_key": "bytea",
    "spellings": "text[]",
    "sex": "text",
    "birth_date": "date",
    "birth_year": "int8",
    "phone": "text",
    "other_phone": "text",
    "citizen_id": "bytea",
    "citizen_index": "bytea",
    "citizen_masked": "text",
    "insurance_number": "bytea",
    "insurance_index": "bytea",
    "insurance_masked": "text",
    "place_id": "uuid",
    "neighbourhood": "text",
    "address": "text",
    "occupation": "text",
    "grounds": "text[]",
    "sms_consent": "bool",
}
Number = tuple[bytes | None, bytes | None, str | None]
"""A number of identity: sealed, its blind index, and masked."""
NOTHING: Number = (None, None, None)
MOST_SPELLINGS = 16
_OTHER = {"y": "i", "i": "y"}


class Waiting(NamedTuple):
    """Somebody a row proposes; `to_add` unless the row repeats another."""

    row_id: UUID
    sheet: str
    one: Proposed
    to_add: bool


def staged(
    town_id: UUID, import_id: UUID, waiting: Sequence[Waiting], *, decided: bool = False
) -> list[tuple[Any, ...]]:
    """The values of `COLUMNS` for each of these people."""
    citizens = _sealed([each.one.citizen_id for each in waiting])
    insurances = _sealed([each.one.si_number for each in waiting])
    return [
        _values(town_id, import_id, each, decided, citizen, insurance)
        for each, citizen, insurance in zip(waiting, citizens, insurances, strict=True)
    ]


def _values(
    town_id: UUID, import_id: UUID, waiting: Waiting, decided: bool, citizen: Number, insurance: Number
) -> tuple[Any, ...]:
    row_id, sheet, one, to_add = waiting
    folded, key, spellings = _of_name(one.full_name)
    neighbourhood = one.neighbourhood
    return (
        town_id,
        import_id,
        row_id,
        sheet,
        to_add,
        decided,
        one.full_name,
        folded,
        key,
        spellings,
        one.sex.value if one.sex else None,
        one.birth_date,
        one.birth_year,
        one.phone,
        one.other_phone,
        *citizen,
        *insurance,
        one.place_id,
        neighbourhood if neighbourhood and fold(neighbourhood) else None,
        one.address,
        one.occupation,
        one.grounds,
        bool(one.sms_consent),
    )


def _sealed(numbers: Sequence[str | None]) -> list[Number]:
    there = [number for number in numbers if number]
    closed = zip(seal().close_all(there), map(seal().index, there), map(mask, there), strict=True)
    return [next(closed) if number else NOTHING for number in numbers]


@lru_cache(maxsize=65_536)
def _of_name(name: str) -> tuple[str, bytes, Sequence[str]]:
    """What a name is searched by, listed by and compared by."""
    folded = fold(name)
    return folded, sort_key(name), _spellings(folded)


def _spellings(folded: str) -> list[str]:
    """The folded name with y and i exchanged where a word ends in either: `Quý` is also written `Quí`."""
    words = folded.split()
    if not any(word[-1] in _OTHER for word in words):
        return [folded]
    ways = [(word, word[:-1] + _OTHER[word[-1]]) if word[-1] in _OTHER else (word,) for word in words[:8]]
    return [" ".join(way) for way in product(*ways)][:MOST_SPELLINGS]
