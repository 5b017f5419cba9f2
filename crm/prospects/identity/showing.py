"""What somebody who asks may know of the people who may be the same: of people out of their sight only that there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.prospects.identity.rules import Clue, Evidence
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import visible_among
from crm.prospects.rules import SAME_SENTENCES, Same

TOLD_AT_MOST = 10


@dataclass(frozen=True)
class Told:
    """Somebody who may be the same. `person` is None when whoever asks may not see them; then nothing else is told
    but the score and the reasons."""

    person: Prospect | None
    score: int
    reasons: tuple[Same, ...]
    evidence: tuple[Evidence, ...]

    @property
    def why(self) -> str:
        """Why they may be the same, in the reader's language."""
        return ", ".join(str(SAME_SENTENCES[reason]) for reason in self.reasons)

    @property
    def speaks_for(self) -> list[str]:
        """What the two have in common, the weightiest first."""
        return [str(one.sentence) for one in self.evidence if one.speaks_for]

    @property
    def speaks_against(self) -> list[str]:
        """What is not the same, the weightiest first."""
        return [str(one.sentence) for one in self.evidence if one.weight and not one.speaks_for]


def told(session: Session, scope: Scope, candidates: Sequence[Mapping[str, Any]]) -> list[Told]:
    """The candidates of a refusal (`Candidate.as_details`), as far as this person may know them, the likeliest first."""
    found = list(candidates)[:TOLD_AT_MOST]
    if not found:
        return []
    seen = {row.id: row for row in visible_among(session, scope, [UUID(one["id"]) for one in found])}
    return [_told(one, seen.get(UUID(one["id"]))) for one in found]


def _told(one: Mapping[str, Any], person: Prospect | None) -> Told:
    evidence = tuple(Evidence(Clue(each["code"]), each["weight"]) for each in one["evidence"]) if person else ()
    return Told(person, one["score"], tuple(Same(reason) for reason in one["reasons"]), evidence)
