"""A campaign's text, sent to somebody of the office first."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.campaigns.models import Campaign, Message
from crm.campaigns.queries import counts_towards_the_limit, way_for
from crm.campaigns.rules.delivery import WAITING
from crm.campaigns.rules.hours import DAY, MOST_A_DAY
from crm.campaigns.rules.places import EXAMPLE, WAY_OUT
from crm.campaigns.rules.stages import Step
from crm.campaigns.rules.texts import compose, fill, places, size
from crm.campaigns.services.audience import audience
from crm.campaigns.services.opting_out import links_for
from crm.campaigns.services.steps import note
from crm.clock import LOCAL
from crm.errors import RuleBroken
from crm.ids import new_id
from crm.phones import read_phone

TRIES_FOR = timedelta(hours=12)


def try_out(session: Session, campaign: Campaign, typed: str, *, public_url: str, by_id: UUID, at: datetime) -> Message:
    """Send the text as the first person of the audience would read it, to a number of somebody who works here.

    It counts in no result and costs what it costs. Raises RuleBroken for a number of nobody here."""
    phone = read_phone(typed).mobile
    staff = select(User.id).where(User.town_id == campaign.town_id, User.phone == phone, User.active)
    if phone is None or session.scalar(staff.limit(1)) is None:
        raise RuleBroken(
            _l("Trials go to people who work here only. Write a number that stands in somebody's account."),
            field="phone",
        )
    if not campaign.text:
        raise RuleBroken(_l("The campaign has no text yet. Write what it says."), field="phone")
    _check_limit(session, campaign.town_id, phone, at)
    body = example_body(session, campaign, phone, public_url=public_url, by_id=by_id, at=at)
    counted = size(body)
    message = Message(
        town_id=campaign.town_id,
        id=new_id(),
        trial_of_id=campaign.id,
        asked_for=True,
        purpose=campaign.purpose,
        way=way_for(session, campaign.town_id, campaign.purpose),
        phone=phone,
        body=body,
        encoding=counted.encoding,
        segments=counted.segments,
        not_before=at,
        expires_at=at + TRIES_FOR,
        made_at=at,
    )
    session.add(message)
    session.flush()
    note(session, campaign, Step.TRIED, by_id=by_id, at=at, phone=phone)
    return message


def _check_limit(session: Session, town_id: UUID, phone: str, at: datetime) -> None:
    """Raises RuleBroken when the number has had, or waits for, as many messages as it may get in 24 hours: a trial more
    would lie there until it is too late."""
    waits = and_(Message.trial_of_id.is_not(None), Message.state.in_(WAITING), Message.expires_at > at)
    counted = or_(counts_towards_the_limit(Message, at), waits)
    query = select(func.coalesce(Message.claimed_at, at)).where(
        Message.town_id == town_id, Message.phone == phone, counted
    )
    had = sorted(session.scalars(query))
    if len(had) >= MOST_A_DAY:
        again = max(had[-MOST_A_DAY] + DAY, at).astimezone(LOCAL)
        raise RuleBroken(
            _l(
                "This number has had %(most)s messages in 24 hours, as many as it may get. Try it on another phone, or "
                "after %(moment)s.",
                most=MOST_A_DAY,
                moment=f"{again:%H:%M %d/%m}",
            ),
            field="phone",
        )


def example_body(
    session: Session, campaign: Campaign, phone: str, *, public_url: str, by_id: UUID, at: datetime
) -> str:
    """The text as it goes out to a number, with what the first person of the audience gives its places."""
    link = f"{public_url}/o/{links_for(session, campaign.town_id, [phone], at)[phone]}"
    named = places(campaign.text)
    first = next(iter(audience(session, campaign, at, by_id=by_id, named=named, most=1)), None)
    known = {
        **EXAMPLE,
        **({name: value for name, value in first.values.items() if value} if first else {}),
        WAY_OUT: link,
    }
    return compose(fill(campaign.text, known), campaign.purpose, link, accented=campaign.accented)
