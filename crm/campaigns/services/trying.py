"""A campaign's text, sent to somebody of the office first."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.campaigns.models import Campaign, Message
from crm.campaigns.queries import way_for
from crm.campaigns.rules.places import EXAMPLE, WAY_OUT
from crm.campaigns.rules.stages import Step
from crm.campaigns.rules.texts import compose, fill, places, size
from crm.campaigns.services.audience import audience
from crm.campaigns.services.opting_out import links_for
from crm.campaigns.services.steps import note
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
