"""Each night: whose help ends is written down once, and their sponsors hear of it; a renewal is one promise for them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from uuid import UUID

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.accounts.services import note_change
from crm.errors import Conflict
from crm.ids import new_id
from crm.mail import services as mail
from crm.money import Vnd
from crm.months import Month
from crm.places.models import Town
from crm.sponsors.cliff import queries, writing
from crm.sponsors.cliff.models import CliffNotice, LeftRenewal, PledgeRenewal
from crm.sponsors.family import is_of
from crm.sponsors.giving.links import Links
from crm.sponsors.giving.rules import DAYS_TO_PAY
from crm.sponsors.models import Pledge, Sponsor
from crm.sponsors.queries import carried_until
from crm.sponsors.services import pledge as promise

LOOKS_BACK = timedelta(days=3)
USE_LEFT = "use_left"
"""The act under which the change record keeps that a sponsor said so."""
STILL = timedelta(days=14)
"""A letter that could not be sent is worth sending so much later."""


def tell(session: Session, town_id: UUID, *, links: Links, today: date, at: datetime) -> int:
    """Write down everybody whose help was not seen to end before, and write to their sponsors, each once a day at most:
    who is found after the letter of the day stays for the letter of the next.

    How many people were new. Safe to run at any time and any number of times. On the first days of a month it looks back
    too: what was given on the last day of its only month has ended before any night saw it.
    """
    found: defaultdict[UUID, list[tuple[UUID, date]]] = defaultdict(list)
    last_month = (Month.of(today) - 1).last_day
    for day in (last_month, today) if today - last_month <= LOOKS_BACK else (today,):
        for prospect_id, until, sponsor_id in session.execute(queries.unseen(town_id, day)):
            if (prospect_id, until) not in found[sponsor_id]:
                found[sponsor_id].append((prospect_id, until))
    made = 0
    for sponsor_id, people in found.items():
        sponsor = session.get_one(Sponsor, (town_id, sponsor_id))
        email_id = _write(session, sponsor, len(people), min(until for _id, until in people), links, today, at)
        if sponsor.email and email_id is None:
            continue
        rows = [
            {
                "town_id": town_id,
                "id": new_id(),
                "prospect_id": prospect_id,
                "until": until,
                "sponsor_id": sponsor_id,
                "made_on": today,
                "made_at": at,
                "email_id": email_id,
            }
            for prospect_id, until in people
        ]
        noted = insert(CliffNotice).values(rows).on_conflict_do_nothing().returning(CliffNotice.id)
        made += len(session.scalars(noted).all())
    return made


def _write(
    session: Session, of: Sponsor, people: int, until: date, links: Links, today: date, at: datetime
) -> UUID | None:
    if not of.email:
        return None
    found = queries.renewal_of(session, of, today)
    with force_locale(of.language):
        written = writing.ending(
            of.contact_name or of.name,
            session.get_one(Town, of.town_id).name,
            people,
            Month.of(until),
            left=left_of(found),
            renew=links.renewing(of.id),
        )
    return mail.queue(
        session,
        of.town_id,
        occasion=f"cliff:{of.id}:{today}",
        to=of.email,
        subject=written.subject,
        body=written.body,
        at=at,
        expires_at=at + STILL,
    )


def left_of(found: queries.Renewal | None) -> tuple[Vnd, int] | None:
    """What is left of a sponsor's money and how many months of the same people it is; None for less than one."""
    return (found.left, found.first.months) if found and found.first else None


def told(session: Session, of: Sponsor, *, by_id: UUID | None, today: date, at: datetime) -> int:
    """The sponsor was called, or texted when it is nobody's act: they know of every end that was seen. Of how many it is
    new; told twice it is none."""
    ending = carried_until(of.town_id, today).subquery()
    known = (
        update(CliffNotice)
        .where(
            CliffNotice.town_id == of.town_id,
            is_of(CliffNotice.sponsor_id, of),
            or_(
                CliffNotice.until >= Month.of(today).first_day,
                tuple_(CliffNotice.prospect_id, CliffNotice.until).in_(select(ending.c.prospect_id, ending.c.until)),
            ),
            CliffNotice.told_at.is_(None),
        )
        .values(told_at=at, told_by_id=by_id)
        .returning(CliffNotice.id)
        .execution_options(synchronize_session=False)
    )
    return len(session.scalars(known).all())


def use_left(session: Session, of: Sponsor, *, by_id: UUID | None, on: date, at: datetime) -> Pledge | None:
    """What is left of a sponsor's money goes on with the same people first: a row for each of them, which matching serves
    first and the treasurer is shown, so that the sponsor is asked of these no more; and a promise of what is wanting.
    None when what is left is enough; asked twice it is the same promise.

    The treasurer sets it aside, as all money. Raises Conflict `nobody_ends`, or `nothing_left` for less than a month.
    """
    session.execute(select(Sponsor.id).where(Sponsor.town_id == of.town_id, Sponsor.id == of.id).with_for_update())
    found = queries.renewal_of(session, of, on)
    if found is None:
        return renew(session, of, by_id=by_id, on=on, at=at)
    if found.first is None:
        raise Conflict(_l("Less than one month of them is left. Promise the whole instead."), code="nothing_left")
    if found.said_on is None:
        note_change(
            session,
            town_id=of.town_id,
            user_id=by_id,
            act=USE_LEFT,
            subject="sponsor",
            subject_id=of.id,
            at=at,
            after={"amount": found.first.amount, "months": found.first.months},
        )
        _agree(session, of, found.first, by_id=by_id, on=on, at=at)
        told(session, of, by_id=by_id, today=on, at=at)
    session.flush()
    return _promise(session, of, found.rest, by_id=by_id, on=on, at=at) if found.rest else None


def _agree(session: Session, of: Sponsor, first: queries.Offer, *, by_id: UUID | None, on: date, at: datetime) -> None:
    said = {"agreed_on": on, "agreed_at": at, "agreed_by_id": by_id}
    rows = [
        {
            "town_id": of.town_id,
            "id": new_id(),
            "sponsor_id": of.id,
            "prospect_id": one.prospect_id,
            "start_month": one.start.first_day,
            "months": one.months,
            "amount": one.amount,
            **said,
        }
        for one in first.people
    ]
    kept = insert(LeftRenewal).values(rows)
    anew = {name: kept.excluded[name] for name in ("months", "amount", *said)}
    same = ("town_id", "sponsor_id", "prospect_id", "start_month")
    session.execute(kept.on_conflict_do_update(index_elements=same, set_=anew))


def renew(session: Session, of: Sponsor, *, by_id: UUID | None, on: date, at: datetime) -> Pledge:
    """A promise to go on with the same people for as many months again. Asked twice it is the same promise.

    Raises Conflict `nobody_ends` when nobody's help by this sponsor ends and none was renewed.
    """
    session.execute(select(Sponsor.id).where(Sponsor.town_id == of.town_id, Sponsor.id == of.id).with_for_update())
    offer = queries.offer_to(session, of, on)
    if offer is None:
        before = queries.open_renewal(session, of)
        if before is None:
            raise Conflict(_l("Nobody you carry comes to an end now. Thank you."), code="nobody_ends")
        return before
    return _promise(session, of, offer, by_id=by_id, on=on, at=at)


def _promise(
    session: Session, of: Sponsor, offer: queries.Offer, *, by_id: UUID | None, on: date, at: datetime
) -> Pledge:
    made = promise(session, of, offer.amount, due=on + timedelta(days=DAYS_TO_PAY), by_id=by_id, on=on, at=at)
    session.add_all(
        PledgeRenewal(
            town_id=of.town_id,
            pledge_id=made.id,
            prospect_id=one.prospect_id,
            start_month=one.start.first_day,
            months=one.months,
            amount=one.amount,
        )
        for one in offer.people
    )
    session.flush()
    return made
