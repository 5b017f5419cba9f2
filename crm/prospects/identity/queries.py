"""Who may be the same person: for somebody new within milliseconds, and for a whole register."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, union_all
from sqlalchemy.orm import Session

from crm.names import clean, fold
from crm.places.models import Place, PlaceSuccession
from crm.places.rules import PlaceKind
from crm.prospects.identity.rules import Comparison, Verdict, compare
from crm.prospects.identity.scanning import Pair, pairs_among
from crm.prospects.models import Prospect
from crm.prospects.rules import Same, Traits

LIKE_ENOUGH = 0.25
"""The share of three-letter groups two names have in common (pg_trgm) from which they are compared in earnest."""
MOST_OF_ONE_POINT = 150
AT_ONCE = 2000
_TRAITS = (
    Prospect.id,
    Prospect.full_name,
    Prospect.birth_date,
    Prospect.birth_year,
    Prospect.sex,
    Prospect.phone,
    Prospect.other_phone,
    Prospect.citizen_index,
    Prospect.citizen_id,
    Prospect.insurance_index,
    Prospect.place_id,
    Prospect.neighbourhood_id,
    Prospect.address,
    Prospect.household_id,
    Prospect.occupation,
)


@dataclass(frozen=True)
class Candidate:
    """Someone who may be the same person: why, how sure that makes us (0…100), and all that was compared."""

    id: UUID
    comparison: Comparison

    @property
    def reasons(self) -> tuple[Same, ...]:
        return self.comparison.reasons

    @property
    def score(self) -> int:
        return self.comparison.score

    def as_details(self) -> dict[str, Any]:
        """Plain JSON, for the details of a refusal. It says who: `showing.told` decides who may know that."""
        return {
            "id": str(self.id),
            "score": self.score,
            "reasons": [reason.value for reason in self.reasons],
            "evidence": [{"code": one.code.value, "weight": one.weight} for one in self.comparison.evidence],
        }


Lineages = Mapping[UUID, frozenset[UUID]]


def lineages(session: Session, town_id: UUID) -> Lineages:
    """For every ward that was ever joined or divided: itself with all it came from and all it became."""
    after: defaultdict[UUID, set[UUID]] = defaultdict(set)
    before: defaultdict[UUID, set[UUID]] = defaultdict(set)
    query = select(PlaceSuccession.predecessor_id, PlaceSuccession.successor_id)
    for old, new in session.execute(query.where(PlaceSuccession.town_id == town_id)):
        after[old].add(new)
        before[new].add(old)
    return {place: _reached(place, after) | _reached(place, before) for place in {*after, *before}}


def _reached(place: UUID, steps: Mapping[UUID, set[UUID]]) -> frozenset[UUID]:
    found, waiting = {place}, [place]
    while waiting:
        for step in steps.get(waiting.pop(), set()) - found:
            found.add(step)
            waiting.append(step)
    return frozenset(found)


def traits_of(row: Any, known: Lineages | None = None) -> Traits:
    """What somebody who is kept is compared by: a `Prospect`, or a row of its columns."""
    return Traits(
        full_name=row.full_name,
        birth_date=row.birth_date,
        birth_year=row.birth_year,
        sex=row.sex,
        phones=frozenset(filter(None, (row.phone, row.other_phone))),
        citizen=row.citizen_index,
        citizen_digits=len(row.citizen_id or ""),
        insurance=row.insurance_index,
        place_id=row.place_id,
        card=row.citizen_id,
        lineage=known.get(row.place_id, frozenset()) if known else frozenset(),
        neighbourhood_id=row.neighbourhood_id,
        address=row.address,
        household_id=row.household_id,
        occupation=row.occupation,
    )


def neighbourhood_typed(session: Session, town_id: UUID, place: str | None, name: str | None) -> UUID | None:
    """The neighbourhood of that name in a ward, when it is known already."""
    try:
        unit = UUID(place or "")
    except ValueError:
        return None
    known = select(Place.id).where(
        Place.town_id == town_id, Place.parent_id == unit, Place.name_fold == fold(clean(name or ""))
    )
    return session.scalar(known.where(Place.kind == PlaceKind.NEIGHBOURHOOD))


def candidates(session: Session, town_id: UUID, new: Traits, except_id: UUID | None = None) -> list[Candidate]:
    """People who may be this one, the likeliest first. Asks the whole town: a duplicate may be out of one's sight."""
    known = lineages(session, town_id)
    new = replace(new, lineage=known.get(new.place_id, frozenset({new.place_id})))
    points = [point.limit(MOST_OF_ONE_POINT) for point in _meeting_points(town_id, new)]
    if not points:
        return []
    ids = set(session.scalars(union_all(*(select(point.subquery()) for point in points)))) - {except_id}
    found = [Candidate(row.id, compare(new, traits_of(row, known))) for row in _rows(session, town_id, list(ids))]
    likely = [one for one in found if one.comparison.verdict is not Verdict.DIFFERENT]
    return sorted(likely, key=lambda candidate: (-candidate.score, candidate.id))


def _rows(session: Session, town_id: UUID, ids: Sequence[UUID]) -> Sequence[Any]:
    query = select(*_TRAITS).where(Prospect.town_id == town_id, Prospect.merged_into_id.is_(None))
    return session.execute(query.where(Prospect.id.in_(ids))).all() if ids else ()


def _meeting_points(town_id: UUID, new: Traits) -> Iterator[Select[UUID]]:
    """The indexed conditions under which another record is looked at."""

    def those(*conditions: ColumnElement[bool]) -> Select[UUID]:
        return select(Prospect.id).where(Prospect.town_id == town_id, *conditions)

    if new.citizen:
        yield those(Prospect.citizen_index == new.citizen)
    if new.insurance:
        yield those(Prospect.insurance_index == new.insurance)
    for phone in sorted(new.phones):
        yield those(Prospect.phone == phone)
        yield those(Prospect.other_phone == phone)
    name = fold(new.full_name)
    if not name:
        return
    here = sorted(new.lineage or {new.place_id})
    same_name = Prospect.name_fold.in_([*spellings(name), " ".join(reversed(name.split()[:8]))])
    if new.birth_year is None:
        yield those(same_name, Prospect.place_id.in_(here))
        return
    year = new.birth_year
    years = Prospect.birth_year.in_([year + slip for slip in (0, -1, 1, -10, 10)])
    yield those(same_name, or_(years, Prospect.birth_year.is_(None)))
    nearly = or_(*(Prospect.name_fold.like(pattern) for pattern in _patterns(name)))
    yield those(Prospect.place_id.in_(here), Prospect.birth_year == year, nearly)
    if new.birth_date:
        like = func.similarity(Prospect.name_fold, name)
        yield those(Prospect.birth_date == new.birth_date, like > LIKE_ENOUGH).order_by(like.desc())


def _patterns(name: str) -> Iterator[str]:
    """What a name looks like with one word written otherwise: the given name but for its first letter, the middle
    names, the family name."""
    words = [word for word in re.sub(r"[%_\\\\]", "", name).split() if word]
    if len(words) > 1:
        yield " ".join(words[:-1]) + f" {words[-1][0]}%"
        yield f"{words[0]}% {words[-1]}"
        yield "% " + " ".join(words[1:])


def spellings(name: str) -> list[str]:
    """A folded name with y and i exchanged where a word ends in either: `Quý` is also written `Quí`."""
    ways = [
        (word, word[:-1] + {"y": "i", "i": "y"}[word[-1]]) if word[-1] in "yi" else (word,) for word in name.split()[:8]
    ]
    return [" ".join(way) for way in product(*ways)][:16]


def pairs(session: Session, town_id: UUID) -> Iterator[Pair]:
    """Every two people of a town who are, or may be, one, as they are found. Takes about 1 kB of memory a person."""
    known = lineages(session, town_id)
    query = select(*_TRAITS).where(Prospect.town_id == town_id, Prospect.merged_into_id.is_(None))
    rows = session.execute(query.order_by(Prospect.id).execution_options(yield_per=AT_ONCE))
    yield from pairs_among({row.id: traits_of(row, known) for row in rows})
