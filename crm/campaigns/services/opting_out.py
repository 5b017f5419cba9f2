"""Taking a no: by the short address in a message, at the carrier, or through a person. Answers: crm/campaigns/inbox."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, and_, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.campaigns.models import Message, OptOutLink
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.services.sending import call_off
from crm.prospects.models import Consent
from crm.prospects.queries.facts import consents_of
from crm.prospects.rules import ConsentChannel, Purpose
from crm.prospects.services.consent import one_at_a_time

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 11
"""31 ** 11 addresses: nobody finds one by trying. No letters that are taken for one another."""


def links_for(session: Session, town_id: UUID, phones: Iterable[str], at: datetime) -> dict[str, str]:
    """The token of each number, made where there is none yet."""
    wanted = sorted(set(phones))
    make_links(session, town_id, wanted, at)
    query = select(OptOutLink.phone, OptOutLink.token).where(
        OptOutLink.town_id == town_id, OptOutLink.phone.in_(wanted)
    )
    return dict(session.execute(query).tuples().all())


def make_links(session: Session, town_id: UUID, phones: Iterable[str], at: datetime) -> None:
    """Give each of these numbers its address, where there is none yet."""
    wanted = list(dict.fromkeys(phones))
    if not wanted:
        return
    given = func.unnest(literal(wanted, ARRAY(Text)), literal(_tokens(len(wanted)), ARRAY(Text)))
    pairs = given.table_valued("phone", "token").render_derived()
    rows = select(literal(town_id), func.gen_random_uuid(), pairs.c.token, pairs.c.phone, literal(at))
    session.execute(
        insert(OptOutLink)
        .from_select(["town_id", "id", "token", "phone", "made_at"], rows, include_defaults=False)
        .on_conflict_do_nothing(index_elements=["town_id", "phone"])
    )


def _tokens(many: int) -> list[str]:
    """So many words by chance: bytes of the system's own chance, those left out that would make some letters likelier."""
    fair = 256 // len(ALPHABET) * len(ALPHABET)
    table = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
    letters = ""
    while len(letters) < many * LENGTH:
        letters += secrets.token_bytes(many * LENGTH + 64).translate(table, bytes(range(fair, 256))).decode()
    return [letters[start : start + LENGTH] for start in range(0, many * LENGTH, LENGTH)]


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
    said_at: datetime | None = None,
) -> int:
    """The owner of a number says no from now on; what waits for it is called off. How many messages that were.

    A no that holds already and came the same way is not written twice: two taps at once are one refusal. A no that is heard
    of only later (`said_at`) is kept with its own moment, and calls off only where nothing was said after it."""
    one_at_a_time(session, town_id, phone)
    said, holds = consents_of(session, town_id, phone), list[Purpose]()
    for purpose in purposes:
        before = said.get(purpose)
        if said_at is None or before is None or before.at <= said_at:
            holds.append(purpose)
        if said_at is None and before and not before.given and before.channel is channel and before.words == words:
            continue
        moment = said_at or (max(at, before.at) if before else at)
        session.add(
            Consent(
                town_id=town_id,
                phone=phone,
                purpose=purpose,
                given=False,
                channel=channel,
                at=moment,
                words=words,
                prospect_id=prospect_id,
                recorded_at=max(at, before.recorded_at) if before else at,
                recorded_by_id=by_id,
            )
        )
    session.flush()
    waiting = and_(Message.phone == phone, Message.purpose.in_(holds))
    return call_off(session, town_id, waiting, Reason.OPTED_OUT, at)


def use_link(
    session: Session,
    link: OptOutLink,
    purposes: Sequence[Purpose],
    at: datetime,
    *,
    words: str | None = None,
    channel: ConsentChannel = ConsentChannel.LINK,
) -> None:
    """The owner of a number says no through its address, which stood in a message (LINK) or in a square that they scanned
    (QR); `words` are those of the button they pressed."""
    withdraw(session, link.town_id, link.phone, at=at, channel=channel, purposes=purposes, words=words)
    link.used_at = at
    session.flush()
