"""The labour office's list of a year: its households, who lives in them, and their certificates for that year.

Whoever had a certificate the year before and is not on the list stands on the renewal list, for theirs ends with its year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import local_day
from crm.errors import RuleBroken
from crm.prospects.households.following import follow, papers_of
from crm.prospects.households.models import HouseholdCertificate, HouseholdMember
from crm.prospects.households.rules import LONGEST_CODE, Living
from crm.prospects.households.services import certificates, membership
from crm.prospects.importing import kinds
from crm.prospects.importing.kinds import Rows, person_of
from crm.prospects.importing.meanings.kept import forget, keep, kept_of
from crm.prospects.importing.models import RowMeaning
from crm.prospects.importing.rules import Proposed
from crm.prospects.models import Household, ImportRow, ListImport, Prospect
from crm.prospects.rules import Ground, Kinship, ListKind

CERTIFIED_SINCE = "certified_since"
WHY_KEPT = {CERTIFIED_SINCE: _l("Kept: the household's certificate was changed since.")}

_Members = Sequence[tuple[ImportRow, Proposed]]


def taken_in(session: Session, listed: ListImport, rows: Rows, by_id: UUID | None, at: datetime) -> None:
    """Found each household or move its members in, and certify it for the year of the list."""
    by = _who(session, listed, by_id)
    households: dict[str, list[tuple[ImportRow, Proposed]]] = {}
    for row, one in rows:
        if "household" in one.extra:
            households.setdefault(one.extra["household"], []).append((row, one))
    for key, members in households.items():
        did: dict[UUID, dict[str, Any]] = {row.id: {"key": key} for row, _one in members}
        try:
            with session.begin_nested():
                _take_in(session, listed, key, members, did, by, at)
        except RuleBroken as refused:
            did = {row.id: {"key": key, "refused": str(refused)} for row, _one in members}
        keep(session, listed, did)


def _who(session: Session, listed: ListImport, by_id: UUID | None) -> User:
    """Who loads the list; nobody in particular from the command line."""
    found = session.get(User, (listed.town_id, by_id)) if by_id else None
    return found or User(town_id=listed.town_id)


def _take_in(
    session: Session,
    listed: ListImport,
    key: str,
    members: _Members,
    did: dict[UUID, dict[str, Any]],
    by: User,
    at: datetime,
) -> None:
    people = {row.id: session.get_one(Prospect, (listed.town_id, person_of(row))) for row, _one in members}
    first, says = members[0][0], members[0][1].extra
    code = (says.get("code") or "")[:LONGEST_CODE] or None
    household = _known(session, listed, key, code, list(people.values()))
    if household is None:
        living = _living(members, people)
        household = membership.found(session, living, by=by, at=at, code=code)
        did[first.id]["founded"] = True
        for row, _one in members:
            did[row.id]["joined"] = True
    else:
        headed = membership.head_id(session, household) is not None
        for row, one in members:
            person = people[row.id]
            if person.household_id is not None:
                continue
            kinship = Kinship(one.extra["kinship"])
            if kinship is Kinship.HEAD and headed:
                kinship = Kinship.OTHER
            membership.join(session, household, person, kinship, on=None, by=by, at=at)
            headed = headed or kinship is Kinship.HEAD
            did[row.id]["joined"] = True
    for row, _one in members:
        did[row.id]["household"] = str(household.id)
    if says.get("ground"):
        _certify(session, listed, household, says, did[first.id], by, at)


def _living(members: _Members, people: Mapping[UUID, Prospect]) -> list[Living]:
    """Everyone once, with one head."""
    living: dict[UUID, Kinship] = {}
    for row, one in members:
        kinship = Kinship(one.extra["kinship"])
        if kinship is Kinship.HEAD and Kinship.HEAD in living.values():
            kinship = Kinship.OTHER
        living.setdefault(people[row.id].id, kinship)
    return [Living(prospect_id, kinship) for prospect_id, kinship in living.items()]


def _known(
    session: Session, listed: ListImport, key: str, code: str | None, people: Sequence[Prospect]
) -> Household | None:
    """The household these people have: of the list's rows loaded before, of its number, or one they live in."""
    before = session.scalar(
        select(RowMeaning.did["household"].astext).where(
            RowMeaning.town_id == listed.town_id,
            RowMeaning.import_id == listed.id,
            RowMeaning.did["key"].astext == key,
            RowMeaning.did.has_key("household"),
        )
    )
    if before:
        return session.get(Household, (listed.town_id, UUID(before)))
    if code:
        numbered = select(Household).where(
            Household.town_id == listed.town_id, Household.code == code, Household.ended_on.is_(None)
        )
        if found := session.scalars(numbered).first():
            return found
    lived_in = next((person.household_id for person in people if person.household_id), None)
    return session.get(Household, (listed.town_id, lived_in)) if lived_in else None


def _certify(
    session: Session,
    listed: ListImport,
    household: Household,
    says: Mapping[str, Any],
    did: dict[str, Any],
    by: User,
    at: datetime,
) -> None:
    ground, year = Ground(says["ground"]), int(says["year"])
    number = says.get("certificate") or listed.filename[:100]
    before = _certificate(session, household, year)
    if before and before.ground is ground and (before.number == number or not says.get("certificate")):
        return
    if before:
        did["before"] = {"ground": before.ground.value, "number": before.number}
    row = certificates.certify(session, household, ground, number, year, by=by, at=at)
    did["certificate"] = {"id": str(row.id), "ground": ground.value, "number": number, "year": year}


def _certificate(session: Session, household: Household, year: int) -> HouseholdCertificate | None:
    first = date(year, 1, 1)
    return next((paper for paper in papers_of(session, household) if paper.valid_from == first), None)


def taken_back(session: Session, listed: ListImport, rows: Rows, at: datetime) -> Mapping[UUID, str]:
    """Certificates of this list never held, who moved in because of it did not, and a household it founded ends when
    nobody is left in it."""
    by = _who(session, listed, listed.created_by_id)
    did = kept_of(session, listed, [row.id for row, _one in rows])
    kept: dict[UUID, str] = {}
    households: dict[UUID, list[ImportRow]] = {}
    for row, _one in rows:
        if household_id := did.get(row.id, {}).get("household"):
            households.setdefault(UUID(household_id), []).append(row)
    for household_id, members in households.items():
        household = session.get(Household, (listed.town_id, household_id))
        if household is None:
            continue
        if not _uncertify(session, household, [did[row.id] for row in members], by, at):
            kept |= {row.id: CERTIFIED_SINCE for row in members}
            continue
        _move_out(session, household, [row for row in members if did[row.id].get("joined")], by, at)
        if any(did[row.id].get("founded") for row in members) and _is_empty(session, household):
            household.ended_on, household.code = local_day(at), None
    forget(session, listed, [row.id for row, _one in rows if row.id not in kept])
    return kept


def _uncertify(
    session: Session, household: Household, did: Sequence[Mapping[str, Any]], by: User, at: datetime
) -> bool:
    """Take back the certificate these rows wrote; False when somebody has changed it since."""
    for done in did:
        if "certificate" not in done:
            continue
        said, row = (
            done["certificate"],
            session.get(HouseholdCertificate, (household.town_id, UUID(done["certificate"]["id"]))),
        )
        if row is None:
            continue
        if (row.ground.value, row.number) != (said["ground"], said["number"]):
            return False
        if before := done.get("before"):
            certificates.certify(session, household, Ground(before["ground"]), before["number"], row.year, by=by, at=at)
        else:
            certificates.end(session, row, on=row.valid_from, by=by, at=at)
    return True


def _move_out(session: Session, household: Household, rows: Sequence[ImportRow], by: User, at: datetime) -> None:
    ids = [person_of(row) for row in rows]
    session.execute(
        delete(HouseholdMember)
        .where(
            HouseholdMember.town_id == household.town_id,
            HouseholdMember.household_id == household.id,
            HouseholdMember.prospect_id.in_(ids),
        )
        .execution_options(synchronize_session="fetch")
    )
    for prospect_id in ids:
        person = session.get(Prospect, (household.town_id, prospect_id))
        if person and person.household_id == household.id:
            person.household_id = person.kinship = None
    session.flush()
    follow(session, household, papers_of(session, household), by=by, at=at)


def _is_empty(session: Session, household: Household) -> bool:
    lives = select(Prospect.id).where(Prospect.town_id == household.town_id, Prospect.household_id == household.id)
    lived = select(HouseholdMember.id).where(
        HouseholdMember.town_id == household.town_id, HouseholdMember.household_id == household.id
    )
    return session.scalar(lives.limit(1)) is None and session.scalar(lived.limit(1)) is None


kinds.handles(ListKind.POOR_HOUSEHOLDS, taken_in=taken_in, taken_back=taken_back, why_kept=WHY_KEPT)
