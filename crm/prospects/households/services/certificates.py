"""The one certificate of the whole household."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.prospects.households.following import follow, papers_of
from crm.prospects.households.models import HouseholdCertificate, PovertyReview
from crm.prospects.households.rules import whole_year
from crm.prospects.households.services.holding import hold, note
from crm.prospects.models import Household
from crm.prospects.rules import POVERTY, Ground, text_of
from crm.prospects.services.standing import EARLIEST, LATEST
from crm.web.filters import in_day


def certify(
    session: Session,
    household: Household,
    ground: Ground,
    certificate: str | None,
    year: int,
    *,
    by: User,
    at: datetime,
    since: date | None = None,
) -> HouseholdCertificate:
    """The household is poor or near-poor from `since` (None: the first of January) to the end of that year.

    Said again for the same first day, it corrects what stands there; a later first day in a year that has a certificate
    ends that one the day before. Raises RuleBroken.
    """
    if ground not in POVERTY:
        raise RuleBroken(_l("A household's certificate says poor or near-poor."), field="ground")
    number = text_of(certificate, "certificate")
    if not number:
        raise RuleBroken(_l("Write the number of the certificate."), field="certificate", code="number_needed")
    if not EARLIEST.year <= year < LATEST.year:
        raise RuleBroken(_l("This day is too far away. Correct the year."), field="year")
    first, end = whole_year(year)
    first = since or first
    if not date(year, 1, 1) <= first < end:
        raise RuleBroken(_l("The first day lies outside the certificate's year. Correct one of them."), field="since")
    hold(session, household)
    if household.ended_on is not None and household.ended_on <= first:
        raise RuleBroken(_l("This household has ended. Found a new one."), code="ended")
    end = min(end, household.ended_on or end)
    papers = list(papers_of(session, household))
    row = next((one for one in papers if one.valid_from == first), None)
    later = next((one for one in papers if first < one.valid_from < end), None)
    if later is not None:
        raise RuleBroken(
            _l("A certificate holds from %(day)s. End that one first.", day=in_day(later.valid_from)),
            field="since",
            code="later_certificate",
        )
    earlier = next((one for one in papers if one.valid_from < first < one.valid_to), None)
    if earlier is not None:
        earlier.valid_to = first
        session.flush()
    if row is None:
        row = HouseholdCertificate(town_id=household.town_id, id=new_id(), household_id=household.id, valid_from=first)
        papers.append(row)
        session.add(row)
    row.ground, row.number, row.year, row.valid_to = ground, number, year, end
    row.recorded_at, row.recorded_by_id = at, by.id
    note(
        session,
        household,
        "certify_household",
        by,
        at,
        {"ground": ground.value, "certificate": number, "since": str(first), "year": year},
    )
    forget_review(session, household.town_id, year, household_id=household.id)
    follow(session, household, papers, by=by, at=at)
    return row


def end(session: Session, certificate: HouseholdCertificate, *, on: date, by: User, at: datetime) -> None:
    """The certificate holds no more from this day on; one withdrawn from its first day on never held."""
    household = session.get_one(Household, (certificate.town_id, certificate.household_id))
    hold(session, household)
    if on >= certificate.valid_to:
        raise RuleBroken(
            _l("It ends on %(day)s anyway. Write an earlier day.", day=in_day(certificate.last_day)), field="on"
        )
    others = [one for one in papers_of(session, household) if one.id != certificate.id]
    papers = others + cut(session, household, [certificate], on, by=by, at=at)
    follow(session, household, papers, by=by, at=at)


def cut(
    session: Session, household: Household, papers: Sequence[HouseholdCertificate], on: date, *, by: User, at: datetime
) -> list[HouseholdCertificate]:
    """What is left of these certificates when they hold no more from a day on."""
    left = []
    for paper in papers:
        if paper.valid_to > on:
            note(
                session,
                household,
                "end_certificate",
                by,
                at,
                {"ground": paper.ground.value, "certificate": paper.number, "on": str(on)},
            )
        if paper.valid_from >= on:
            follow(session, household, [], by=by, at=at, gone=[paper.id])
            session.delete(paper)
            continue
        paper.valid_to = min(paper.valid_to, on)
        left.append(paper)
    session.flush()
    return left


def forget_review(
    session: Session, town_id: UUID, year: int, *, household_id: UUID | None = None, prospect_id: UUID | None = None
) -> None:
    """What was reviewed as «no longer» is not, after all."""
    query = select(PovertyReview).where(PovertyReview.town_id == town_id, PovertyReview.year == year)
    whose = PovertyReview.household_id == household_id if household_id else PovertyReview.prospect_id == prospect_id
    for row in session.scalars(query.where(whose)).all():
        session.delete(row)
