"""What a row proposes, in the columns of a person: made once while the list is read, copied by one statement when it is
loaded. Numbers are sealed here and never opened on the way. No database is needed."""

from __future__ import annotations

from itertools import product
from typing import Any
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
NOTHING: tuple[bytes | None, bytes | None, str | None] = (None, None, None)
MOST_SPELLINGS = 16
_OTHER = {"y": "i", "i": "y"}


def staged(
    town_id: UUID, import_id: UUID, row_id: UUID, sheet: str, one: Proposed, *, to_add: bool, decided: bool = False
) -> tuple[Any, ...]:
    """The values of `COLUMNS` for whom a row proposes."""
    folded = fold(one.full_name)
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
        sort_key(one.full_name),
        _spellings(folded) if one.birth_year else [],
        one.sex.value if one.sex else None,
        one.birth_date,
        one.birth_year,
        one.phone,
        one.other_phone,
        *_sealed(one.citizen_id),
        *_sealed(one.si_number),
        one.place_id,
        neighbourhood if neighbourhood and fold(neighbourhood) else None,
        one.address,
        one.occupation,
        [ground.value for ground in one.grounds],
        bool(one.sms_consent),
    )


def _sealed(number: str | None) -> tuple[bytes | None, bytes | None, str | None]:
    return (seal().close(number), seal().index(number), mask(number)) if number else NOTHING


def _spellings(folded: str) -> list[str]:
    """The folded name with y and i exchanged where a word ends in either: `Quý` is also written `Quí`."""
    words = folded.split()
    if not any(word[-1] in _OTHER for word in words):
        return [folded]
    ways = [(word, word[:-1] + _OTHER[word[-1]]) if word[-1] in _OTHER else (word,) for word in words[:8]]
    return [" ".join(way) for way in product(*ways)][:MOST_SPELLINGS]
