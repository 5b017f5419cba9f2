"""What somebody has typed so far of a person, as far as it can be compared already."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from crm.citizen_ids import CitizenId, read_citizen_id
from crm.ids import read_id
from crm.names import clean
from crm.phones import read_phone
from crm.prospects.reading.values import read_birth
from crm.prospects.rules import NOWHERE, Sex, Traits
from crm.sealed import current as seal

LONGEST = 200


def traits_typed(typed: Mapping[str, str], neighbourhood_id: UUID | None, today: date) -> Traits | None:
    """The fields of the form for somebody new, unfinished ones left out; None while there is too little to look for."""
    text = {name: clean(value[:LONGEST]) for name, value in typed.items()}
    birth = read_birth(text.get("birth"), today)
    phones = {
        read_phone(text.get(name)).mobile or read_phone(text.get(name)).landline for name in ("phone", "other_phone")
    }
    number = read_citizen_id(text.get("citizen_id"))
    card = number.number if isinstance(number, CitizenId) else None
    insurance = "".join(filter(str.isdigit, text.get("si_number", "")))
    name = text.get("full_name", "")
    born = birth.year if not birth.problem else None
    found = frozenset(filter(None, phones))
    if not (card or len(insurance) == 10 or (name and (born or found))):
        return None
    return Traits(
        full_name=name,
        birth_date=birth.date if born else None,
        birth_year=born,
        sex=Sex(text["sex"]) if text.get("sex") in set(Sex) else None,
        phones=found,
        citizen=seal().index(card) if card else None,
        citizen_digits=len(card or ""),
        insurance=seal().index(insurance) if len(insurance) == 10 else None,
        place_id=read_id(text.get("place")) or NOWHERE,
        card=card,
        neighbourhood_id=neighbourhood_id,
        address=text.get("address") or None,
    )
