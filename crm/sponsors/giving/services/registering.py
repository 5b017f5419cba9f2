"""Registering by oneself, and the confirmation that makes sponsor and promise real."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete
from sqlalchemy.orm import Session

from crm.accounts.queries import token_digest
from crm.errors import Conflict, RuleBroken
from crm.mail import services as mail
from crm.mail.rules import read_address
from crm.places.models import Town
from crm.sponsors.giving import queries, writing
from crm.sponsors.giving.links import Links
from crm.sponsors.giving.models import Registration
from crm.sponsors.giving.rules import (
    BETWEEN_LINKS,
    DAYS_TO_PAY,
    LINK_LIVES,
    MOST_LINKS,
    Asked,
    Confirming,
    Frequency,
    schedule,
)
from crm.sponsors.giving.services.texting import is_texted
from crm.sponsors.models import Pledge, Sponsor
from crm.sponsors.queries import fund_account
from crm.sponsors.rules import Wish, reached_at, read_tax_code
from crm.sponsors.services import pledge, register_sponsor

MOST_LINKS_A_DAY = 5
"""To one address, whoever asks: nobody's mailbox is filled through our page."""

MOST_TEXTS = 2
"""To one number within the time in which an unconfirmed registration is kept."""

FORGOTTEN_AFTER = timedelta(days=30)
"""What nobody confirmed for so long is deleted: it is about people who may never have asked."""


def register(
    session: Session, town_id: UUID, asked: Asked, *, links: Links, at: datetime, language: str = "vi"
) -> tuple[Registration, str]:
    """Keep what was typed as unconfirmed, and send the link when there is an e-mail. `language` is the page's: they are
    written to in it.

    Answers the registration and the token of its own page. Says nothing about who is registered already. Raises
    RuleBroken for a telephone number, e-mail or tax code that cannot be right.
    """
    schedule(asked.amount, asked.frequency, asked.times, date.min)
    token = secrets.token_urlsafe(24)
    made = Registration(
        town_id=town_id,
        name=asked.name,
        kind=asked.kind,
        contact_name=asked.contact_name,
        phone=reached_at(asked.phone),
        email=read_address(asked.email) if asked.email else None,
        tax_code=read_tax_code(asked.tax_code) if asked.tax_code else None,
        language=language,
        wish=asked.wish.as_json(),
        amount=asked.amount,
        frequency=asked.frequency,
        times=1 if asked.frequency is Frequency.ONCE else asked.times,
        made_at=at,
        page_digest=token_digest(token),
        links=0,
    )
    if not (made.phone or made.email):
        raise RuleBroken(_l("Give a telephone number or an e-mail, so that we can thank you."), field="phone")
    session.add(made)
    session.flush()
    if made.email:
        send_link(session, made, links=links, at=at)
    return made, token


def send_link(session: Session, registration: Registration, *, links: Links, at: datetime) -> bool:
    """A link to confirm with; an earlier one stops working. False when that is not possible (now)."""
    session.refresh(registration, with_for_update=True)
    email = registration.email
    if not email or registration.confirmed_at or registration.refused_at or registration.links >= MOST_LINKS:
        return False
    if registration.link_sent_at and at - registration.link_sent_at < BETWEEN_LINKS:
        return False
    if queries.links_since(session, registration.town_id, email, at - timedelta(days=1)) >= MOST_LINKS_A_DAY:
        return False
    token = secrets.token_urlsafe(24)
    registration.link_digest, registration.link_sent_at = token_digest(token), at
    registration.links += 1
    session.flush()
    town = session.get_one(Town, registration.town_id)
    with force_locale(registration.language):
        written = writing.to_confirm(registration.name, town.name, registration.amount, links.confirming(token))
    mail.call_off(session, town.id, [_occasion(registration, link) for link in range(1, registration.links)], at)
    mail.queue(
        session,
        town.id,
        occasion=_occasion(registration, registration.links),
        to=email,
        subject=written.subject,
        body=written.body,
        at=at,
        expires_at=at + LINK_LIVES,
    )
    return True


def link_to_text(session: Session, registration: Registration, *, links: Links, at: datetime) -> str | None:
    """The address to confirm with, for a text to the number that registered without an e-mail: once for a registration,
    and few times a month for a number, whoever types it. None when it is not to be texted: then somebody calls."""
    session.refresh(registration, with_for_update=True)
    phone = registration.phone
    if not phone or not is_texted(registration):
        return None
    if registration.links or registration.confirmed_at or registration.refused_at:
        return None
    if queries.texts_since(session, registration.town_id, phone, at - FORGOTTEN_AFTER) >= MOST_TEXTS:
        return None
    token = secrets.token_urlsafe(12)
    registration.link_digest, registration.link_sent_at, registration.links = token_digest(token), at, 1
    session.flush()
    return links.confirming(token)


def _occasion(registration: Registration, link: int) -> str:
    return f"confirm:{registration.id}:{link}"


def is_stale(registration: Registration, at: datetime) -> bool:
    """Whether the link's days are over."""
    return registration.link_sent_at is None or at - registration.link_sent_at > LINK_LIVES


@dataclass(frozen=True)
class Confirmed:
    """A promise that became real. `token` opens the page of a new sponsor; one known before has a page already."""

    sponsor: Sponsor
    pledge: Pledge
    token: str | None


def confirm_by_link(session: Session, registration: Registration, *, links: Links, at: datetime, on: date) -> Confirmed:
    """Whoever reads the mailbox, or the telephone where there is no e-mail, confirms. Twice, too late or refused
    meanwhile is a Conflict.

    It joins the sponsor who is reached by this very e-mail or number; nobody is joined by what only was typed.
    """
    _still_waits(session, registration)
    if is_stale(registration, at):
        raise Conflict(_l("This link is too old. Please register once more."), code="stale")
    read = {"email": registration.email, "phone": None if registration.email else registration.phone}
    known = queries.same_contact(session, registration.town_id, **read, tax_code=None)
    joined = next((one for one in known if _may_be_one(registration, one)), None)
    return _confirm(session, registration, joined, Confirming.LINK, links=links, by_id=None, at=at, on=on)


def confirm_by_telephone(
    session: Session,
    registration: Registration,
    joined: Sponsor | None,
    *,
    links: Links,
    by_id: UUID,
    at: datetime,
    on: date,
) -> Confirmed:
    """Somebody called and spoke with them; `joined` is the sponsor they said they are. Kept who and when."""
    _still_waits(session, registration)
    return _confirm(session, registration, joined, Confirming.TELEPHONE, links=links, by_id=by_id, at=at, on=on)


def refuse(session: Session, registration: Registration, *, why: str, by_id: UUID, at: datetime) -> None:
    """It was nobody's promise; kept who says so and why."""
    _still_waits(session, registration)
    registration.refused_at, registration.refused_by_id, registration.refused_why = at, by_id, why
    session.flush()


def _still_waits(session: Session, registration: Registration) -> None:
    session.flush()
    session.refresh(registration, with_for_update=True)
    if registration.confirmed_at:
        raise Conflict(_l("This was confirmed already."), code="confirmed")
    if registration.refused_at:
        raise Conflict(_l("This registration was closed. Please register once more."), code="refused")


def _may_be_one(registration: Registration, known: Sponsor) -> bool:
    """An accountant may register two companies: tax codes that differ are two sponsors."""
    return not (registration.tax_code and known.tax_code) or registration.tax_code == known.tax_code


def _confirm(
    session: Session,
    registration: Registration,
    joined: Sponsor | None,
    confirming: Confirming,
    *,
    links: Links,
    by_id: UUID | None,
    at: datetime,
    on: date,
) -> Confirmed:
    sponsor, token = (joined, None) if joined else _new_sponsor(session, registration, by_id=by_id, at=at)
    dues = schedule(registration.amount, registration.frequency, registration.times, on + timedelta(days=DAYS_TO_PAY))
    made = pledge(
        session,
        sponsor,
        registration.amount,
        due=dues[-1].on,
        dues=dues,
        frequency=registration.frequency,
        by_id=by_id,
        at=at,
        on=on,
    )
    registration.confirmed_at, registration.confirming, registration.confirmed_by_id = at, confirming, by_id
    registration.sponsor_id, registration.pledge_id = sponsor.id, made.id
    session.flush()
    if registration.email:
        _thank(session, registration, made, links, token, at)
    return Confirmed(sponsor, made, token)


def _new_sponsor(
    session: Session, registration: Registration, *, by_id: UUID | None, at: datetime
) -> tuple[Sponsor, str]:
    """The sponsor with their page. A tax code that another sponsor has stays with the registration for staff to see."""
    code = registration.tax_code
    if code and queries.tax_code_taken(session, registration.town_id, code):
        code = None
    return register_sponsor(
        session,
        registration.town_id,
        name=registration.name,
        kind=registration.kind,
        contact_name=registration.contact_name,
        phone=registration.phone,
        email=registration.email,
        tax_code=code,
        language=registration.language,
        wish=Wish.from_json(registration.wish),
        by_id=by_id,
        at=at,
    )


def _thank(
    session: Session, registration: Registration, made: Pledge, links: Links, token: str | None, at: datetime
) -> None:
    town = session.get_one(Town, registration.town_id)
    with force_locale(registration.language):
        written = writing.confirmed(
            registration.name,
            town.name,
            made.amount,
            made.code,
            fund_account(session),
            pay=links.paying(made.id),
            own_page=links.own_page(token) if token else None,
        )
    mail.queue(
        session,
        town.id,
        occasion=f"confirmed:{registration.id}",
        to=registration.email or "",
        subject=written.subject,
        body=written.body,
        at=at,
        expires_at=at + LINK_LIVES,
    )


def forget_unconfirmed(session: Session, at: datetime) -> Sequence[UUID]:
    """Delete what nobody confirmed or what was refused long ago; who they were."""
    gone = session.execute(
        delete(Registration)
        .where(Registration.confirmed_at.is_(None), Registration.made_at < at - FORGOTTEN_AFTER)
        .returning(Registration.id)
        .execution_options(synchronize_session=False)
    )
    return [row[0] for row in gone]
