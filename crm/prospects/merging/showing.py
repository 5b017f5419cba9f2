"""Two records side by side, and what came after a merge, as pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rapidfuzz.distance import Postfix, Prefix
from sqlalchemy.orm import Session

from crm.prospects.identity.rules import CLUE_SENTENCES
from crm.prospects.merging import registry
from crm.prospects.merging.models import Merge, Suspect
from crm.prospects.merging.queries import later_than, raw
from crm.prospects.merging.rules import CHOSEN, following, proposed, says_nothing, told
from crm.prospects.merging.services.joining import answered_for
from crm.prospects.merging.wording import OTHER_THINGS, PARTICULARS, TABLES
from crm.prospects.queries.facts import Facts
from crm.prospects.wording import SEXES
from crm.web import filters


@dataclass(frozen=True)
class Line:
    """One particular of two records. `take`: the other's is proposed; `open`: a person may choose."""

    name: str
    label: Any
    kept: str
    gone: str
    same: bool
    take: bool
    open: bool
    blank: bool
    """Neither record says anything here."""
    one_sided: bool
    """Only one of the two says something here."""

    @property
    def kept_parts(self) -> tuple[str, str, str]:
        """What the kept record says, the middle part being what the other has not."""
        return parted(self.kept, self.gone)

    @property
    def gone_parts(self) -> tuple[str, str, str]:
        """What the other record says, the middle part being what the kept one has not."""
        return parted(self.gone, self.kept)


def side_by_side(session: Session, kept: Facts, gone: Facts, picked: Mapping[str, str] | None = None) -> list[Line]:
    """What both records say, with what would be taken from the other marked; `picked` is what somebody chose."""
    rows = raw(session, kept.person.town_id, kept.person.id, gone.person.id)
    one, other = rows[kept.person.id], rows[gone.person.id]
    take = set(proposed(one, other, answered_for(session, kept.person, gone.person)))
    if picked:
        take = {name for name in CHOSEN if picked.get(name, "gone" if name in take else "kept") == "gone"}
    take |= following(one, other)
    return [
        Line(
            name=name,
            label=label,
            kept=_words(kept, name),
            gone=_words(gone, name),
            same=told(one, name) == told(other, name),
            take=name in take,
            open=name in CHOSEN,
            blank=says_nothing(one, name) and says_nothing(other, name),
            one_sided=says_nothing(one, name) is not says_nothing(other, name),
        )
        for name, label in PARTICULARS.items()
        if name != "household"
    ]


def parted(one: str, other: str) -> tuple[str, str, str]:
    """A text in three: as in the other, not as in the other, as in the other; whole where the two have little in
    common, for then the eye needs no help."""
    start = Prefix.similarity(one, other)
    end = Postfix.similarity(one[start:], other[start:])
    if one == other or 2 * (start + end) < min(len(one), len(other)):
        return one, "", ""
    return one[:start], one[start : len(one) - end], one[len(one) - end :]


def _words(facts: Facts, name: str) -> str:
    person = facts.person
    if name == "birth":
        born = filters.in_day(person.birth_date) if person.birth_date else person.birth_year
        return str(born or filters.NOTHING)
    if name == "home":
        return " · ".join(one.name for one in (facts.neighbourhood, facts.place) if one)
    if name == "care":
        return " · ".join(one for one in (_name(facts.volunteer), _organisation(facts)) if one) or filters.NOTHING
    if name == "sex":
        return str(SEXES[person.sex]) if person.sex else filters.NOTHING
    if name in ("phone", "other_phone"):
        return filters.phone(getattr(person, name))
    column = {"citizen_id": "citizen_masked", "si_number": "insurance_masked"}.get(name, name)
    return str(getattr(person, column) or filters.NOTHING)


def _name(user: Any) -> str | None:
    return user.full_name if user else None


def _organisation(facts: Facts) -> str | None:
    return facts.organisation.name if facts.organisation else None


def evidence(suspect: Suspect, *, against: bool = False) -> list[str]:
    """Why two records may be one person, the weightiest first; or what speaks against it."""
    codes = [code.removeprefix("!") for code in suspect.evidence if code.startswith("!") is against]
    known = {clue.value: sentence for clue, sentence in CLUE_SENTENCES.items()}
    return [str(known[code]) for code in codes if code in known]


@dataclass(frozen=True)
class Came:
    """Something that was recorded after a merge. `theirs`: it came in under the other record's id."""

    name: str
    label: Any
    words: str
    theirs: bool


def came_after(session: Session, merge: Merge) -> list[Came]:
    """What may be either one's, in words."""
    after = later_than(session, merge)
    free = after.free
    by_table: dict[str, list[UUID]] = {}
    for row in free:
        if row.id:
            by_table.setdefault(row.table, []).append(row.id)
    words = {key: said for table, ids in by_table.items() for key, said in _told(session, merge, table, ids).items()}
    return [
        Came(
            row.name,
            TABLES.get(row.table, OTHER_THINGS),
            words.get(row.id, "") if row.id else "",
            row.origin_id in after.theirs,
        )
        for row in free
    ]


def _told(session: Session, merge: Merge, table: str, ids: Sequence[UUID]) -> Mapping[UUID, str]:
    return registry.told(session, merge.town_id, table, list(ids))
