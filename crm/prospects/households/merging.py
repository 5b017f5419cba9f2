"""Two records of one household become one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import local_day
from crm.errors import RuleBroken
from crm.prospects.households.following import follow, papers_of, stays_of
from crm.prospects.households.models import HouseholdCertificate, HouseholdMember, PovertyReview
from crm.prospects.households.services.holding import hold, note
from crm.prospects.households.services.membership import head_id
from crm.prospects.models import Household, Prospect, Standing
from crm.prospects.rules import Kinship


def merge(session: Session, kept: Household, gone: Household, *, by: User, at: datetime) -> Household:
    """Two records of one household become one: members with their days, certificates and reviews go over to `kept`.

    Kinship of those who come over is to be asked again. Raises RuleBroken when the two have different standings at
    the same time, for then they were not one household.
    """
    if kept.id == gone.id:
        raise RuleBroken(_l("Choose another household."), field="household")
    for household in sorted((kept, gone), key=lambda one: one.id):
        hold(session, household)
    if kept.ended_on or gone.ended_on:
        raise RuleBroken(_l("One of these households has ended."), field="household", code="ended")
    papers, dropped = _one_row_of_papers(session, kept, gone)
    _certificates_over(session, kept, gone, papers, dropped)
    had_head = head_id(session, kept) is not None
    _write_stays(session, gone, by, at)
    for stay in session.scalars(
        select(HouseholdMember).where(HouseholdMember.town_id == gone.town_id, HouseholdMember.household_id == gone.id)
    ):
        stay.household_id = kept.id
    come = session.scalars(
        select(Prospect).where(Prospect.town_id == gone.town_id, Prospect.household_id == gone.id)
    ).all()
    for person in come:
        kinship = person.kinship if not had_head else Kinship.OTHER
        person.household_id, person.kinship, person.updated_at = kept.id, kinship, at
        note(session, person, "join_household", by, at, {"household": str(kept.id), "merged": str(gone.id)})
    _reviews_over(session, kept, gone)
    code, gone.ended_on, gone.merged_into_id = gone.code, local_day(at), kept.id
    session.flush()
    kept.code = kept.code or code
    note(session, kept, "merge_households", by, at, {"gone": str(gone.id), "people": len(come)})
    follow(session, kept, papers, by=by, at=at)
    return kept


def _one_row_of_papers(
    session: Session, kept: Household, gone: Household
) -> tuple[list[HouseholdCertificate], list[tuple[HouseholdCertificate, HouseholdCertificate]]]:
    """The certificates of both, and those of `gone` that say what one of `kept` says, each with that one."""
    papers, doubled = list(papers_of(session, kept)), []
    for other in papers_of(session, gone):
        same = next(
            (one for one in papers if one.valid_from < other.valid_to and other.valid_from < one.valid_to), None
        )
        if same is None:
            papers.append(other)
        elif same.ground is other.ground:
            doubled.append((same, other))
        else:
            raise RuleBroken(
                _l("The two households have different certificates for the same days. End the wrong one first."),
                field="household",
                code="two_standings",
            )
    return papers, doubled


def _certificates_over(
    session: Session,
    kept: Household,
    gone: Household,
    papers: Sequence[HouseholdCertificate],
    doubled: Sequence[tuple[HouseholdCertificate, HouseholdCertificate]],
) -> None:
    for same, other in doubled:
        first, end = min(same.valid_from, other.valid_from), max(same.valid_to, other.valid_to)
        for standing in _following(session, other):
            session.delete(standing)
        session.flush()
        session.delete(other)
        session.flush()
        clash = [one for one in papers if one is not same and one.valid_from < end and first < one.valid_to]
        if not clash:
            same.valid_from, same.valid_to = first, end
    for paper in papers:
        paper.household_id = kept.id
    session.flush()


def _reviews_over(session: Session, kept: Household, gone: Household) -> None:
    told = select(PovertyReview).where(PovertyReview.town_id == kept.town_id)
    years = {row.year for row in session.scalars(told.where(PovertyReview.household_id == kept.id))}
    for row in session.scalars(told.where(PovertyReview.household_id == gone.id)).all():
        if row.year in years:
            session.delete(row)
        else:
            row.household_id = kept.id


def _write_stays(session: Session, household: Household, by: User, at: datetime) -> None:
    """Give those who count as always living there a row of their own."""
    written = session.scalars(
        select(HouseholdMember.prospect_id).where(
            HouseholdMember.town_id == household.town_id,
            HouseholdMember.household_id == household.id,
            HouseholdMember.until.is_(None),
        )
    ).all()
    for stay in stays_of(session, household):
        if stay.until is None and stay.prospect_id not in written:
            session.add(
                HouseholdMember(
                    town_id=household.town_id,
                    household_id=household.id,
                    prospect_id=stay.prospect_id,
                    recorded_at=at,
                    by_id=by.id,
                )
            )
    session.flush()


def _following(session: Session, paper: HouseholdCertificate) -> Sequence[Standing]:
    return session.scalars(
        select(Standing).where(Standing.town_id == paper.town_id, Standing.certificate_id == paper.id)
    ).all()
