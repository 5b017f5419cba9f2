"""Issuing papers, letting somebody sign in for a sponsor, and keeping who agreed to be named."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.rules import Role
from crm.accounts.services import add_user, note_change
from crm.accounts.services import invite as invite_user
from crm.clock import local_day
from crm.errors import Conflict, RuleBroken
from crm.places.models import Town
from crm.prospects.models import Prospect
from crm.sponsors.letters import queries
from crm.sponsors.letters.models import NamingConsent, SponsorAccount, SponsorPaper, SponsorPublicity
from crm.sponsors.letters.queries import Verified
from crm.sponsors.letters.rules import UNGUESSED, PaperKind, Validity, Way, YearOfMoney, paper_number
from crm.sponsors.models import Pledge, Receipt, Sponsor

LOTS = 31**UNGUESSED
MOST_RECEIPTS = 5_000


# ---- papers


def issue_receipt(
    session: Session, of: Sponsor, receipt: Receipt, *, address: str, by: User | None, on: date, at: datetime
) -> SponsorPaper:
    """The paper for money that came in: one, however often it is asked for. Raises Conflict when it was booked back."""
    queries.receipt_of(session, of, receipt.id)
    _in_turn(session, of.town_id)
    there = session.scalar(
        select(SponsorPaper).where(SponsorPaper.town_id == of.town_id, SponsorPaper.receipt_id == receipt.id)
    )
    if there is not None:
        return there
    if queries.corrected_on(session, receipt):
        raise Conflict(_l("This receipt was booked back, so there is no paper for it."), code="corrected")
    pledge = session.get(Pledge, (of.town_id, receipt.pledge_id)) if receipt.pledge_id else None
    facts = {
        "tax_code": of.tax_code or "",
        "amount": receipt.amount,
        "received_on": receipt.received_on.isoformat(),
        "reference": receipt.reference,
        "code": pledge.code if pledge else "",
    }
    return _issue(
        session, of, PaperKind.RECEIPT, facts, receipt=receipt, of_year=None, address=address, by=by, on=on, at=at
    )


def issue_certificate(
    session: Session, of: Sponsor, of_year: int | None, *, address: str, by: User | None, on: date, at: datetime
) -> SponsorPaper:
    """Thanks for the months paid of a year, or of all the time. The same paper again while nothing changed.

    Raises RuleBroken when no month of that time was paid.
    """
    facts = _certificate(session, of, of_year)
    if facts is None:
        raise RuleBroken(
            _l("There is nothing to certify yet: no month of this time has been paid to the insurance fund."),
            field="year",
        )
    _in_turn(session, of.town_id)
    return _again(session, of, PaperKind.CERTIFICATE, facts, of_year=of_year) or _issue(
        session, of, PaperKind.CERTIFICATE, facts, receipt=None, of_year=of_year, address=address, by=by, on=on, at=at
    )


def issue_statement(
    session: Session, of: Sponsor, year: int, *, address: str, by: User | None, on: date, at: datetime
) -> SponsorPaper:
    """The money of a year to the đồng, up to today when the year is not over. The same paper again while it is true.

    Raises RuleBroken for a year without any money, or one to come.
    """
    first, last = date(year, 1, 1), min(date(year, 12, 31), on)
    since = queries.first_received(session, of)
    if year > on.year or since is None or since.year > year:
        raise RuleBroken(_l("There is no money to state in this year."), field="year")
    facts = _statement(session, of, first, last)
    _in_turn(session, of.town_id)
    return _again(session, of, PaperKind.STATEMENT, facts, of_year=year) or _issue(
        session, of, PaperKind.STATEMENT, facts, receipt=None, of_year=year, address=address, by=by, on=on, at=at
    )


def _certificate(session: Session, of: Sponsor, of_year: int | None) -> dict[str, Any] | None:
    months = queries.carried_months(session, of, queries.helped_by(session, of))
    found = queries.carried_in_all(months, of_year)
    if found is None:
        return None
    return {
        "people": found.people,
        "months": found.months,
        "waiting": found.waiting,
        "first": found.first.first_day.isoformat(),
        "last": found.last.first_day.isoformat(),
    }


def _statement(session: Session, of: Sponsor, first: date, last: date) -> dict[str, Any]:
    money = queries.years_of_money(session, of.town_id, first, last, [of.id]).get(of.id, YearOfMoney())
    booked = queries.receipts_of(session, of, most=MOST_RECEIPTS)
    came = [(one.booked_on, one.receipt.reference, one.receipt.amount) for one in booked]
    went = [(one.corrected_on, one.receipt.reference, -one.receipt.amount) for one in booked if one.corrected_on]
    in_time = sorted(one for one in [*came, *went] if first <= one[0] <= last)
    told = queries.telling(session, of, last)
    groups = told.groups(told.lines, of_year=first.year)
    return {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "money": money._asdict(),
        "receipts": [[day.isoformat(), reference, amount] for day, reference, amount in in_time],
        "groups": [[one.place, one.need, one.people, one.months, one.waiting] for one in groups],
        "people": sum(one.people for one in groups),
        "months": sum(one.months for one in groups),
        "waiting_months": sum(one.waiting for one in groups),
    }


def _again(
    session: Session, of: Sponsor, kind: PaperKind, facts: dict[str, Any], *, of_year: int | None
) -> SponsorPaper | None:
    """The paper that says just this already."""
    last = queries.last_of_its_kind(session, of, kind, of_year)
    if last is None or last.facts["sponsor"] != of.name:
        return None
    return last if all(last.facts.get(name) == value for name, value in facts.items()) else None


def _in_turn(session: Session, town_id: UUID) -> None:
    """Papers of a town are numbered one after the other; whoever comes second waits."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"sponsor papers {town_id}", 0))))


def _issue(
    session: Session,
    of: Sponsor,
    kind: PaperKind,
    facts: dict[str, Any],
    *,
    receipt: Receipt | None,
    of_year: int | None,
    address: str,
    by: User | None,
    on: date,
    at: datetime,
) -> SponsorPaper:
    """A paper with the next number of its year. `address` is where everybody verifies it, without the number."""
    mine = (SponsorPaper.town_id == of.town_id, SponsorPaper.kind == kind, SponsorPaper.year == on.year)
    last = session.scalar(select(func.max(SponsorPaper.serial)).where(*mine))
    serial = (last or 0) + 1
    issuer = session.get_one(Town, of.town_id)
    paper = SponsorPaper(
        town_id=of.town_id,
        sponsor_id=of.id,
        kind=kind,
        year=on.year,
        serial=serial,
        follows=last,
        number=paper_number(kind, on.year, serial, secrets.randbelow(LOTS)),
        receipt_id=receipt.id if receipt else None,
        of_year=of_year,
        facts=facts | {"sponsor": of.name, "town": issuer.name, "address": address, "by": _signs(by)},
        issued_on=on,
        issued_at=at,
        issued_by_id=by.id if by else None,
    )
    session.add(paper)
    session.flush()
    return paper


def _signs(by: User | None) -> str:
    """Who signs for the fund: whoever of the office made the paper. A sponsor's own account signs nothing."""
    return by.full_name if by and by.role is not Role.SPONSOR else ""


def verify(session: Session, paper: SponsorPaper) -> Verified:
    """Whether what a paper says still holds in the books."""
    of = session.get_one(Sponsor, (paper.town_id, paper.sponsor_id))
    if paper.kind is PaperKind.RECEIPT:
        receipt = session.get_one(Receipt, (paper.town_id, paper.receipt_id))
        since = queries.corrected_on(session, receipt)
        return Verified(paper, Validity.CORRECTED if since else Validity.HOLDS, since)
    last = queries.last_of_its_kind(session, of, paper.kind, paper.of_year)
    if last is not None and last.id != paper.id:
        return Verified(paper, Validity.REPLACED, last.issued_on, last.number)
    if paper.kind is PaperKind.CERTIFICATE:
        now = _certificate(session, of, paper.of_year) or {"people": 0, "months": 0}
        fewer = now["months"] < paper.facts["months"] or now["people"] < paper.facts["people"]
        return Verified(paper, Validity.CHANGED if fewer else Validity.HOLDS)
    first, until = date.fromisoformat(paper.facts["first"]), date.fromisoformat(paper.facts["last"])
    money = queries.years_of_money(session, of.town_id, first, until, [of.id]).get(of.id, YearOfMoney())
    # A paper of before says nothing of what was not printed then.
    same = all(getattr(money, name) == amount for name, amount in paper.facts["money"].items())
    return Verified(paper, Validity.HOLDS if same else Validity.CHANGED)


# ---- what everybody may see


def show(
    session: Session,
    of: Sponsor,
    *,
    thanked: bool | None = None,
    named: bool | None = None,
    by: User | None,
    at: datetime,
) -> SponsorPublicity:
    """Switch the page that thanks a sponsor, or their name on the fund's page, on or off; None leaves it."""
    fresh = insert(SponsorPublicity).values(
        town_id=of.town_id, sponsor_id=of.id, public_id=secrets.token_urlsafe(9), changed_at=at
    )
    session.execute(fresh.on_conflict_do_nothing())
    row = session.scalars(
        select(SponsorPublicity)
        .where(SponsorPublicity.town_id == of.town_id, SponsorPublicity.sponsor_id == of.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    before = {"thanked": row.thanked, "named": row.named}
    row.thanked = row.thanked if thanked is None else thanked
    row.named = row.named if named is None else named
    after = {"thanked": row.thanked, "named": row.named}
    if before != after:
        row.changed_at = at
        note_change(
            session,
            town_id=of.town_id,
            user_id=by.id if by else None,
            act="publicity_changed",
            subject="sponsor",
            subject_id=of.id,
            at=at,
            before=dict(before),
            after=dict(after),
        )
    session.flush()
    return row


# ---- who signs in


def invite(session: Session, of: Sponsor, identity: str, *, full_name: str, by: User, at: datetime) -> tuple[User, str]:
    """Somebody who will sign in for this sponsor, and the key of their invitation. Raises RuleBroken."""
    who = add_user(
        session, of.town_id, identity, full_name=full_name, role=Role.SPONSOR, password_hash=None, at=at, by=by
    )
    attach(session, of, who, by=by, at=at)
    return who, invite_user(session, who, at=at)


def attach(session: Session, of: Sponsor, who: User, *, by: User | None, at: datetime) -> None:
    """An account of a sponsor opens this sponsor's page from now on."""
    if who.role is not Role.SPONSOR:
        raise RuleBroken(_l("Only the account of a sponsor can belong to one."), field="identity")
    session.add(
        SponsorAccount(
            town_id=of.town_id, sponsor_id=of.id, user_id=who.id, added_at=at, added_by_id=by.id if by else None
        )
    )
    session.flush()


# ---- who agreed to be named


def answer_naming(
    session: Session,
    person: Prospect,
    of: Sponsor,
    *,
    given: bool,
    way: Way,
    said_on: date,
    words: str,
    by: User,
    at: datetime,
) -> NamingConsent:
    """Somebody agreed to be named to a sponsor who helps them, or took it back. Both are kept. Raises RuleBroken."""
    if said_on > local_day(at):
        raise RuleBroken(_l("The day lies ahead. Give the day on which they said so."), field="said_on")
    if not queries.helped_person_of(session, person, of):
        raise RuleBroken(_l("This sponsor does not help this person."), code="not_helped")
    row = NamingConsent(
        town_id=of.town_id,
        prospect_id=person.id,
        sponsor_id=of.id,
        given=given,
        way=way,
        said_on=said_on,
        words=words,
        recorded_at=at,
        recorded_by_id=by.id,
    )
    session.add(row)
    session.flush()
    return row
