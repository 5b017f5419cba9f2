"""Whose support, certificate or months end of themselves, and when; who lapsed. Each gives people with a day."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Integer, Select, and_, case, cast, exists, func, or_, select, true
from sqlalchemy.orm import aliased

from crm.clock import LOCAL
from crm.months import Month
from crm.participation.elsewhere.queries import latest_of
from crm.participation.guard.rules import ASKED_AFTER, CERTIFICATE_NOTICE, STILL_WON, SUPPORT_NOTICES
from crm.participation.models import ParticipantMonth, Participation
from crm.participation.queries import supported_months
from crm.participation.referrals.models import Referral
from crm.participation.referrals.rules import OPEN, Answer
from crm.participation.rules import Ending
from crm.prospects.models import Prospect, Standing
from crm.prospects.rules import POVERTY, Stage


def supported_until(town_id: UUID, cap: int, day: date, within: int = max(SUPPORT_NOTICES)) -> Select[UUID, date]:
    """Who takes part and comes to the cap of the State's support within so many months, if they pay on: with the first
    day of the last month it helps with. The same as `rules.support_ends`."""
    record = latest_of(Participation.town_id, Participation.prospect_id).correlate(Participation).lateral("record")
    helped = (
        select(
            supported_months(record.c.through, record.c.supported).label("months"),
            func.coalesce(func.max(ParticipantMonth.month), record.c.through).label("last"),
        )
        .where(
            ParticipantMonth.town_id == Participation.town_id,
            ParticipantMonth.prospect_id == Participation.prospect_id,
            ParticipantMonth.supported,
            ParticipantMonth.counts,
        )
        .correlate(Participation, record)
        .lateral("helped")
    )
    left = cast(cap - helped.c.months, Integer)
    end = cast(case((left > 0, Participation.paid_through + func.make_interval(0, left)), else_=helped.c.last), Date)
    this = Month.of(day)
    return (
        select(Participation.prospect_id, end.label("until"))
        .outerjoin(record, true())
        .join(helped, true())
        .where(
            Participation.town_id == town_id,
            Participation.goes_on,
            end.between(this.first_day, (this + (within - 1)).first_day),
        )
    )


def certificates_ending(
    town_id: UUID, day: date, first: date | None = None, until: date | None = None
) -> Select[UUID, date]:
    """Who is poor or near-poor by a certificate that ends soon, or from `first` to `until`, and of whom none that follows is
    on record: with its last day. Days before `day` are certificates that have ended."""
    after = aliased(Standing)
    follows = exists().where(
        after.town_id == Standing.town_id,
        after.prospect_id == Standing.prospect_id,
        after.ground.in_(list(POVERTY)),
        after.valid_from <= Standing.valid_to,
        or_(after.valid_to.is_(None), after.valid_to > Standing.valid_to),
    )
    last = cast(Standing.valid_to - 1, Date)
    return select(Standing.prospect_id, last.label("until")).where(
        Standing.town_id == town_id,
        Standing.ground.in_(list(POVERTY)),
        Standing.valid_from <= day,
        last.between(first or day, until or day + CERTIFICATE_NOTICE),
        ~follows,
    )


def lapsed(town_id: UUID, day: date, least: int, most: int | None = None) -> Select[UUID, date]:
    """Who did not pay in time, at least so many and fewer than so many days ago, and has not come back: with the first
    day without. Not who said that they will not, nor who belongs in compulsory insurance by now: they may not."""
    again = aliased(Participation)
    later = exists().where(
        again.town_id == Participation.town_id,
        again.prospect_id == Participation.prospect_id,
        again.withdrawn_at.is_(None),
        again.started_on >= Participation.ended_on,
    )
    asked = [] if most is None else [Participation.ended_on > day - timedelta(days=most)]
    return select(Participation.prospect_id, cast(Participation.ended_on, Date).label("until")).where(
        Participation.town_id == town_id,
        Participation.withdrawn_at.is_(None),
        and_(Participation.ended_as == Ending.LAPSED, Participation.ended_on <= day - timedelta(days=least)),
        ~Participation.stays_away,
        *asked,
        ~later,
        ~_belongs_in_compulsory(),
        ~_may_not(),
    )


def unasked(town_id: UUID, day: date, waits: timedelta = timedelta()) -> Select[UUID, date]:
    """Who lapsed, is to be asked, and was not: nobody spoke with them since the day for it, noted why, or agreed another
    day. With `waits`, those of whom this has been so for at least so long. The same as `rules.asked_since`."""
    begun = ((Participation.ended_on <= day - waits - timedelta(days=wait), wait) for wait in reversed(ASKED_AFTER))
    since = cast(Participation.ended_on + case(*begun), Date)
    who = aliased(Prospect)
    spoken = cast(func.timezone(LOCAL.key, who.last_contact_at), Date)
    return (
        lapsed(town_id, day, waits.days, max(ASKED_AFTER) + STILL_WON.days + 1)
        .join(who, and_(who.town_id == Participation.town_id, who.id == Participation.prospect_id))
        .where(
            who.stage == Stage.LAPSED,
            or_(spoken.is_(None), spoken < since),
            or_(Participation.asked_on.is_(None), Participation.asked_on < since),
            or_(who.next_contact_on.is_(None), who.next_contact_on <= day),
        )
    )


def _may_not() -> ColumnElement[bool]:
    """Somebody was found to be one who cannot join."""
    one = aliased(Prospect)
    return exists().where(
        one.town_id == Participation.town_id, one.id == Participation.prospect_id, one.stage == Stage.NOT_ELIGIBLE
    )


def _belongs_in_compulsory() -> ColumnElement[bool]:
    """Somebody was referred to the insurance office since they joined, and it did not say that this was a mistake."""
    return exists().where(
        Referral.town_id == Participation.town_id,
        Referral.prospect_id == Participation.prospect_id,
        Referral.referred_at >= Participation.started_on,
        or_(Referral.state.in_(OPEN), Referral.answer == Answer.ENROLLED),
    )
