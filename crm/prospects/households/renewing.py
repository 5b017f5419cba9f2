"""The annual review: renewing certificates one by one or many at once, saying «no longer», and undoing what was just done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.services import note_change
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.prospects.households.following import follow_all, papers_of
from crm.prospects.households.models import HouseholdCertificate, PovertyReview
from crm.prospects.households.queries import household_seen, households_seen, members_seen, visible_households
from crm.prospects.households.rules import MOST_AT_ONCE, whole_year
from crm.prospects.households.services import certificates
from crm.prospects.households.services.holding import note
from crm.prospects.models import Household, Prospect, Standing
from crm.prospects.queries.seeing import listed_to, person_seen
from crm.prospects.rules import POVERTY, Ground, deciding, text_of
from crm.prospects.services.standing import end_standing, record_standing

CHANGEABLE_FOR = timedelta(days=1)


class Asked(NamedTuple):
    """One line of the list: a household, or somebody alone, and the number of the new certificate."""

    household_id: UUID | None
    prospect_id: UUID | None
    number: str | None = None


def renew_all(session: Session, scope: Scope, asked: Sequence[Asked], *, year: int, by: User, at: datetime) -> int:
    """New certificates for `year`, each for one that ended the year before; all of them or none. Raises RuleBroken."""
    if not asked:
        raise RuleBroken(_l("Write the number of the new certificate beside a household first."), field="numbers")
    if len(asked) > MOST_AT_ONCE:
        raise RuleBroken(_l("That is too many at once. Renew at most %(most)s.", most=MOST_AT_ONCE), field="numbers")
    numbers = {one.household_id: one.number for one in asked if one.household_id}
    if numbers:
        _renew_households(session, households_seen(session, scope, numbers), numbers, scope, year=year, by=by, at=at)
    for one in asked:
        if one.prospect_id:
            renew_alone(session, person_seen(session, scope, one.prospect_id), one.number, year=year, by=by, at=at)
    return len(asked)


def renew(
    session: Session, scope: Scope, household: Household, certificate: str | None, *, year: int, by: User, at: datetime
) -> None:
    """The household stays what it was at the end of the year before, with a new certificate for `year`.

    Raises RuleBroken when there was none, or the year has one.
    """
    _renew_households(session, [household], {household.id: certificate}, scope, year=year, by=by, at=at)


def _renew_households(
    session: Session,
    households: Sequence[Household],
    numbers: Mapping[UUID, str | None],
    scope: Scope,
    *,
    year: int,
    by: User,
    at: datetime,
) -> None:
    """New certificates by a handful of statements, however many they are. A refusal says whose line it is."""
    first, end = whole_year(year)
    papers, own = papers_of(session, *households), _own_grounds(session, households, first)
    living = members_seen(session, scope, list(numbers))
    for household in households:
        theirs = [one for one in papers if one.household_id == household.id]
        ground = next((one.ground for one in theirs if one.valid_to == first), deciding(own[household.id]))
        number = text_of(numbers[household.id], "certificate")
        why = _why_not(household, theirs, ground, number, year)
        if why is not None or number is None:
            whose = next((one.full_name for one in living[household.id]), "")
            raise RuleBroken(_l("%(name)s: %(why)s", name=whose, why=why), field="numbers", code="renewed")
        paper = HouseholdCertificate(
            town_id=household.town_id,
            id=new_id(),
            household_id=household.id,
            ground=ground,
            number=number,
            year=year,
            valid_from=first,
            valid_to=end,
            recorded_at=at,
            recorded_by_id=by.id,
        )
        session.add(paper)
        papers.append(paper)
        told = {"ground": ground.value, "certificate": number, "since": str(first), "year": year}
        note(session, household, "renew_household", by, at, told)
    _forget_reviews(session, households, year)
    follow_all(session, households, papers, by=by, at=at)


def _why_not(
    household: Household, papers: Sequence[HouseholdCertificate], ground: Ground, number: str | None, year: int
) -> Any:
    first, end = whole_year(year)
    if household.ended_on:
        return _l("This household has ended. Found a new one.")
    if any(one.valid_from < end and one.valid_to > first for one in papers):
        return _l("This household has a certificate for %(year)s already.", year=year)
    if ground is Ground.OTHER:
        return _l("This household had no certificate at the end of %(year)s. Record one on its page.", year=year - 1)
    return None if number else _l("Write the number of the certificate.")


def _own_grounds(session: Session, households: Sequence[Household], ended: date) -> dict[UUID, list[Ground]]:
    """What members had of poverty by themselves until this day: lists name people, the law means households."""
    found: dict[UUID, list[Ground]] = {one.id: [] for one in households}
    query = (
        select(Prospect.household_id, Standing.ground)
        .join(Prospect, (Prospect.town_id == Standing.town_id) & (Prospect.id == Standing.prospect_id))
        .where(
            Standing.town_id == households[0].town_id,
            Prospect.household_id.in_(found),
            Prospect.merged_into_id.is_(None),
            Standing.ground.in_(POVERTY),
            Standing.valid_to == ended,
        )
    )
    for household_id, ground in session.execute(query):
        if household_id:
            found[household_id].append(ground)
    return found


def _forget_reviews(session: Session, households: Sequence[Household], year: int) -> None:
    session.execute(
        delete(PovertyReview).where(
            PovertyReview.town_id == households[0].town_id,
            PovertyReview.year == year,
            PovertyReview.household_id.in_([one.id for one in households]),
        )
    )


def renew_alone(
    session: Session, person: Prospect, certificate: str | None, *, year: int, by: User, at: datetime
) -> None:
    """Somebody whose household is not known: their own certificate is renewed for `year`. Raises RuleBroken."""
    first, end = whole_year(year)
    if not (certificate or "").strip():
        raise RuleBroken(_l("Write the number of the certificate."), field="certificate", code="number_needed")
    own = session.scalars(
        select(Standing).where(
            Standing.town_id == person.town_id, Standing.prospect_id == person.id, Standing.ground.in_(POVERTY)
        )
    ).all()
    if any(row.valid_from < end and (row.valid_to is None or row.valid_to > first) for row in own):
        raise RuleBroken(_l("%(name)s has a certificate for %(year)s already.", name=person.full_name, year=year))
    ground = deciding(row.ground for row in own if row.valid_to == first)
    if ground is Ground.OTHER:
        raise RuleBroken(
            _l("%(name)s had no certificate at the end of %(year)s.", name=person.full_name, year=year - 1)
        )
    record_standing(session, person, ground, certificate=certificate, valid_from=first, valid_to=end, at=at, by=by)
    certificates.forget_review(session, person.town_id, year, prospect_id=person.id)


def no_longer(session: Session, scope: Scope, one: Asked, *, year: int, by: User, at: datetime) -> None:
    """The review found them no longer poor or near-poor in `year`. Raises RuleBroken when they have a certificate."""
    subject_id = one.household_id or one.prospect_id
    if one.household_id:
        household_seen(session, scope, one.household_id)
    elif one.prospect_id:
        person_seen(session, scope, one.prospect_id)
    if subject_id is None or _holds_in(session, scope.town_id, one, year):
        raise RuleBroken(_l("There is a certificate for %(year)s. End it first.", year=year), code="renewed")
    certificates.forget_review(session, scope.town_id, year, household_id=one.household_id, prospect_id=one.prospect_id)
    session.flush()
    session.add(
        PovertyReview(
            town_id=scope.town_id,
            household_id=one.household_id,
            prospect_id=one.prospect_id,
            year=year,
            at=at,
            by_id=by.id,
        )
    )
    note_change(
        session,
        town_id=scope.town_id,
        user_id=by.id,
        act="no_longer_poor",
        subject="household" if one.household_id else "prospect",
        subject_id=subject_id,
        at=at,
        after={"year": year},
    )
    session.flush()


def _holds_in(session: Session, town_id: UUID, one: Asked, year: int) -> bool:
    first, end = whole_year(year)
    if one.household_id:
        query = select(HouseholdCertificate.id).where(
            HouseholdCertificate.town_id == town_id,
            HouseholdCertificate.household_id == one.household_id,
            HouseholdCertificate.valid_from < end,
            HouseholdCertificate.valid_to > first,
        )
    else:
        query = select(Standing.id).where(
            Standing.town_id == town_id,
            Standing.prospect_id == one.prospect_id,
            Standing.ground.in_(POVERTY),
            Standing.valid_from < end,
            or_(Standing.valid_to.is_(None), Standing.valid_to > first),
        )
    return session.scalar(query.limit(1)) is not None


def undo(session: Session, scope: Scope, done_at: datetime, *, by: User, at: datetime) -> int:
    """Take back what `by` renewed or reviewed at that moment, except what was corrected since. How many."""
    if at > done_at + CHANGEABLE_FOR:
        raise RuleBroken(
            _l("This can be undone for one day only. Correct it on the household's page."), code="too_late"
        )
    mine = select(HouseholdCertificate).where(
        HouseholdCertificate.town_id == scope.town_id,
        HouseholdCertificate.recorded_at == done_at,
        HouseholdCertificate.recorded_by_id == by.id,
        HouseholdCertificate.household_id.in_(visible_households(scope)),
    )
    papers = [one for one in session.scalars(mine).all() if one.valid_from == date(one.year, 1, 1)]
    if papers:
        _take_back(session, scope, papers, by=by, at=at)
    own = session.scalars(
        select(Standing)
        .join(Prospect, (Prospect.town_id == Standing.town_id) & (Prospect.id == Standing.prospect_id))
        .where(
            listed_to(scope),
            Standing.recorded_at == done_at,
            Standing.recorded_by_id == by.id,
            Standing.certificate_id.is_(None),
            Standing.ground.in_(POVERTY),
        )
    ).all()
    for row in own:
        end_standing(session, row, on=row.valid_from, at=at, by=by)
    reviewed = delete(PovertyReview).where(
        PovertyReview.town_id == scope.town_id, PovertyReview.at == done_at, PovertyReview.by_id == by.id
    )
    taken = session.execute(reviewed.returning(PovertyReview.id)).all()
    session.flush()
    return len(papers) + len(own) + len(taken)


def _take_back(
    session: Session, scope: Scope, papers: Sequence[HouseholdCertificate], *, by: User, at: datetime
) -> None:
    households = households_seen(session, scope, {one.household_id for one in papers})
    ids = {one.id for one in papers}
    others = [one for one in papers_of(session, *households) if one.id not in ids]
    follow_all(session, households, others, by=by, at=at, gone=list(ids))
    for paper in papers:
        told = {"ground": paper.ground.value, "certificate": paper.number, "on": str(paper.valid_from)}
        household = next(one for one in households if one.id == paper.household_id)
        note(session, household, "end_certificate", by, at, told)
        session.delete(paper)
    session.flush()
