"""Taking a no: by the short address in a message, by an answer, at the carrier, or through a person."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.campaigns import queries
from crm.campaigns.models import Inbound, Message, OptOutLink
from crm.campaigns.rules.answers import is_a_no
from crm.campaigns.rules.delivery import WAITING, Delivery
from crm.campaigns.rules.reasons import Reason
from crm.ids import new_id
from crm.prospects.models import Consent
from crm.prospects.rules import ConsentChannel, Purpose

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 11
"""31 ** 11 addresses: nobody finds one by trying. No letters that are taken for one another."""


def links_for(session: Session, town_id: UUID, phones: Iterable[str], at: datetime) -> dict[str, str]:
    """The token of each number, made where there is none yet."""
    wanted = sorted(set(phones))
    for start in range(0, len(wanted), 2000):
        rows = [
            {"town_id": town_id, "id": new_id(), "token": _token(), "phone": phone, "made_at": at}
            for phone in wanted[start : start + 2000]
        ]
        session.execute(insert(OptOutLink).on_conflict_do_nothing(index_elements=["town_id", "phone"]), rows)
    query = select(OptOutLink.phone, OptOutLink.token).where(
        OptOutLink.town_id == town_id, OptOutLink.phone.in_(wanted)
    )
    return dict(session.execute(query).tuples().all())


def _token() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def withdraw(
    session: Session,
    town_id: UUID,
    phone: str,
    *,
    at: datetime,
    channel: ConsentChannel,
    purposes: Sequence[Purpose] = tuple(Purpose),
    words: str | None = None,
    by_id: UUID | None = None,
    prospect_id: UUID | None = None,
) -> int:
    """The owner of a number says no from now on; what waits for it is called off. How many messages that were."""
    for purpose in purposes:
        session.add(
            Consent(
                town_id=town_id,
                phone=phone,
                purpose=purpose,
                given=False,
                channel=channel,
                at=at,
                words=words,
                prospect_id=prospect_id,
                recorded_at=at,
                recorded_by_id=by_id,
            )
        )
    session.flush()
    stopped = session.execute(
        update(Message)
        .where(Message.town_id == town_id, Message.phone == phone, Message.purpose.in_(purposes))
        .where(Message.state.in_(WAITING))
        .values(state=Delivery.CANCELLED, reason=Reason.OPTED_OUT, settled_at=at)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    moved = len(stopped.all())
    session.expire_all()
    return moved


def use_link(session: Session, link: OptOutLink, purposes: Sequence[Purpose], at: datetime) -> None:
    """Someone who has the message says no through its address."""
    withdraw(session, link.town_id, link.phone, at=at, channel=ConsentChannel.LINK, purposes=purposes)
    link.used_at = at
    session.flush()


def take_inbound(
    session: Session, town_id: UUID, *, sid: str, phone: str, body: str, at: datetime
) -> LazyString | None:
    """Keep an answer, once; a no counts at once. The confirmation to send back, if any."""
    if queries.inbound_with(session, town_id, sid) is not None:
        return None
    says_no = is_a_no(body)
    session.add(Inbound(town_id=town_id, sid=sid, phone=phone, body=body, withdrew=says_no, received_at=at))
    session.flush()
    if not says_no:
        return None
    withdraw(session, town_id, phone, at=at, channel=ConsentChannel.SMS, words=body)
    return _l("We have noted it: you will get no more messages from us.")
