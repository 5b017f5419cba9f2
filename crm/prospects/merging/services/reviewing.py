"""Pairs that may be one person: found, kept until somebody answers, not asked about twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, case, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm import stored
from crm.accounts.models import User
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.prospects.identity.queries import pairs, traits_of
from crm.prospects.identity.rules import compare
from crm.prospects.identity.scanning import Pair
from crm.prospects.merging.models import Merge, Suspect
from crm.prospects.merging.queries import strays, suspect_of
from crm.prospects.merging.rules import Answer, Source
from crm.prospects.merging.services.joining import gather, hold_both
from crm.prospects.models import Prospect

AT_ONCE = 500
MANY = 50
"""So many people who came one by one, from telephones or other programs, are as good as a list."""
_NUMBERS = (Prospect.phone, Prospect.other_phone, Prospect.citizen_index, Prospect.insurance_index)


def look_through(session: Session, town_id: UUID, *, at: datetime) -> int | None:
    """Compare everybody of a town with everybody, keep the pairs that may be one person, and say how many there are;
    None, and nothing is done, while another worker is at it.

    Whoever was found different is asked about again only when a number of theirs has changed; a pair that nobody has
    answered and that is alike no more is dropped. What was written to a merged record meanwhile goes to who it became.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(f"look through {town_id}", 0)))):
        return None
    alike = list(pairs(session, town_id))
    # Whoever merges holds people first and the pair afterwards: so does this, and only at the end of the long work.
    for prospect_id in session.scalars(strays(town_id).order_by(Merge.kept_id)).all():
        gather(session, town_id, prospect_id)
    found = keep(session, town_id, alike, Source.SCAN, at=at)
    session.execute(
        delete(Suspect).where(
            Suspect.town_id == town_id,
            Suspect.answer == Answer.OPEN,
            Suspect.source == Source.SCAN,
            Suspect.found_at < at,
        )
    )
    stored.write(session, _looked(town_id), at.isoformat())
    return found


def is_due(session: Session, town_id: UUID) -> bool:
    """Whether so many people came since the register was last looked through that it should not wait for the night."""
    known = stored.read(session, _looked(town_id))
    if known is None:
        return False
    since = datetime.fromisoformat(known)
    came = select(Prospect.id).where(
        Prospect.town_id == town_id,
        Prospect.updated_at > since,  # what came is newer than this, too, and here is an index
        Prospect.created_at > since,
        Prospect.merged_into_id.is_(None),
    )
    return session.scalar(select(func.count()).select_from(came.limit(MANY).subquery())) == MANY


def _looked(town_id: UUID) -> str:
    return f"looked through {town_id}"


def keep(session: Session, town_id: UUID, found: Iterable[Pair], source: Source, *, at: datetime) -> int:
    """Keep pairs for somebody to look at; those known already are brought up to date.

    They are written in the order of their ids, so that of two who keep the same pairs one waits and none is refused.
    """
    count = 0
    for some in _in_batches(sorted(found, key=_ids)):
        digests = _digests(session, town_id, some)
        session.execute(_KEEP, [_values(town_id, pair, digests, source, at) for pair in some])
        count += len(some)
    return count


def _in_batches(found: Iterable[Pair]) -> Iterator[list[Pair]]:
    left = iter(found)
    while some := list(islice(left, AT_ONCE)):
        yield some


def _ids(pair: Pair) -> tuple[UUID, UUID]:
    one, other = sorted((pair.one_id, pair.other_id))
    return one, other


def _values(town_id: UUID, pair: Pair, digests: dict[UUID, bytes], source: Source, at: datetime) -> dict[str, Any]:
    one, other = _ids(pair)
    evidence = [f"{'' if piece.weight > 0 else '!'}{piece.code.value}" for piece in pair.comparison.evidence]
    return {
        "town_id": town_id,
        "id": new_id(),
        "one_id": one,
        "other_id": other,
        "score": pair.comparison.score,
        "evidence": evidence,
        "source": source,
        "numbers": hashlib.blake2b(digests[one] + digests[other], digest_size=16).digest(),
        "found_at": at,
        "answer": Answer.OPEN,
    }


def _digests(session: Session, town_id: UUID, some: Sequence[Pair]) -> dict[UUID, bytes]:
    ids = {key for pair in some for key in (pair.one_id, pair.other_id)}
    query = select(Prospect.id, *_NUMBERS).where(Prospect.town_id == town_id, Prospect.id.in_(ids))
    return {row[0]: _digest(row[1:]) for row in session.execute(query)}


def _digest(numbers: Iterable[Any]) -> bytes:
    return hashlib.blake2b(repr(tuple(numbers)).encode()).digest()


def _keep() -> Any:
    new = insert(Suspect)
    fresh = new.excluded
    stays = or_(
        Suspect.answer == Answer.LATER,
        Suspect.answer == Answer.MERGED,
        and_(Suspect.answer == Answer.DIFFERENT, Suspect.numbers == fresh.numbers),
    )
    return new.on_conflict_do_update(
        index_elements=["town_id", "one_id", "other_id"],
        set_={
            "score": fresh.score,
            "evidence": fresh.evidence,
            "numbers": fresh.numbers,
            "found_at": fresh.found_at,
            "answer": case((stays, Suspect.answer), else_=fresh.answer),
        },
    )


_KEEP = _keep()


def answer(session: Session, one: Prospect, other: Prospect, said: Answer, *, by: User, at: datetime) -> Suspect:
    """Two people, not one; or: to be looked at later. Raises RuleBroken when nobody suspected these two, Conflict when
    somebody has just made them one."""
    hold_both(session, one, other)
    suspect = suspect_of(session, one.town_id, one.id, other.id)
    if suspect is None:
        raise RuleBroken(
            _l("Nobody asked whether these two are one person. Open the list again."), code="not_suspected"
        )
    suspect.answer, suspect.answered_at, suspect.answered_by_id = said, at, by.id
    session.flush()
    return suspect


def refuse_if_told_apart(session: Session, one: Prospect, other: Prospect, *, knowing: datetime | None) -> None:
    """Hold both records for an act that says otherwise. Raises Conflict when somebody has said that they are two people
    and whoever acts has not read it: `knowing` is when the answer was given that their page showed."""
    hold_both(session, one, other)
    suspect = suspect_of(session, one.town_id, one.id, other.id)
    if suspect and suspect.answer is Answer.DIFFERENT and suspect.answered_at != knowing:
        raise Conflict(
            _l("Somebody has just said that these are two people. Nothing was changed; look at both once more."),
            code="told_apart",
        )


def set_apart(session: Session, one: Prospect, other: Prospect, *, by: User | None, at: datetime) -> None:
    """Two people, whoever asked and whether anybody did: they are asked about again only when a number changes."""
    pair = Pair(one.id, other.id, compare(traits_of(one), traits_of(other)))
    digests = {who.id: _digest([getattr(who, column.key) for column in _NUMBERS]) for who in (one, other)}
    said = {"answer": Answer.DIFFERENT, "answered_at": at, "answered_by_id": by.id if by else None}
    values = _values(one.town_id, pair, digests, Source.SCAN, at) | said
    known = {"numbers": values["numbers"], **said}
    of_pair = ["town_id", "one_id", "other_id"]
    session.execute(insert(Suspect).values(values).on_conflict_do_update(index_elements=of_pair, set_=known))
