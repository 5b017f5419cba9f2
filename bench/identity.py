"""How well the same person is recognised, and how fast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.identity_pairs import Labelled, Record, index, labelled_pairs, lineage
from crm.prospects.identity.rules import Verdict, compare
from crm.prospects.rules import Traits

HELD_OUT = 20191015
"""A seed nobody looked at while the matcher was made."""


def traits_of_record(record: Record) -> Traits:
    """What a record is compared by."""
    return Traits(
        full_name=record.full_name,
        birth_date=record.birth_date,
        birth_year=record.birth_year,
        sex=record.sex,
        phones=frozenset(filter(None, (record.phone, record.other_phone))),
        citizen=index(record.citizen_id),
        citizen_digits=len(record.citizen_id or ""),
        insurance=index(record.si_number),
        place_id=record.ward_id,
        card=record.citizen_id,
        lineage=lineage(record.place),
        neighbourhood_id=record.hamlet_id,
        address=record.address,
        household_id=record.household_id,
        occupation=record.occupation,
    )


@dataclass
class Quality:
    """How the verdicts stand to the truth."""

    verdicts: Counter[tuple[bool, Verdict]] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        """Of the pairs called one person, how many are."""
        called = self.verdicts[True, Verdict.SAME] + self.verdicts[False, Verdict.SAME]
        return self.verdicts[True, Verdict.SAME] / called

    @property
    def recall(self) -> float:
        """Of the pairs that are one person, how many are called so."""
        return self.verdicts[True, Verdict.SAME] / self._all(True)

    @property
    def shown(self) -> float:
        """Of the pairs that are one person, how many are called so or shown to somebody."""
        return 1 - self.verdicts[True, Verdict.DIFFERENT] / self._all(True)

    @property
    def asked_in_vain(self) -> float:
        """Of the pairs that are two people (all of them chosen to look like one), how many somebody is asked about."""
        return self.verdicts[False, Verdict.MAYBE] / self._all(False)

    def _all(self, same: bool) -> int:
        return sum(number for (truth, _verdict), number in self.verdicts.items() if truth is same)


def quality(pairs: Iterable[Labelled]) -> Quality:
    """Compare every pair."""
    found = Quality()
    for pair in pairs:
        verdict = compare(traits_of_record(pair.one), traits_of_record(pair.other)).verdict
        found.verdicts[pair.same, verdict] += 1
        if not pair.same and verdict is Verdict.SAME:
            found.wrong[pair.kind] += 1
    return found


def held_out() -> Quality:
    """The quality on pairs that nobody looked at."""
    return quality(labelled_pairs(HELD_OUT))
