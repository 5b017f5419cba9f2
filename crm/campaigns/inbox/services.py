"""Taking an answer in, handing it to somebody, replying once, and being done with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import case, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.campaigns.inbox import queries
from crm.campaigns.inbox.models import AutoAnswer, Conversation, ConversationStep
from crm.campaigns.inbox.rules import Talk, Turn
from crm.campaigns.models import Inbound, Message
from crm.campaigns.rules.answers import Meaning, meaning_of
from crm.campaigns.rules.delivery import Delivery
from crm.campaigns.rules.places import WAY_OUT
from crm.campaigns.rules.stages import person_values
from crm.campaigns.rules.texts import LONGEST, fill, places, size, unaccented
from crm.campaigns.rules.ways import Way
from crm.campaigns.services.opting_out import links_for, withdraw
from crm.clock import LOCAL, local_day
from crm.errors import Conflict, RuleBroken
from crm.ids import new_id
from crm.prospects.models import Prospect
from crm.prospects.queries.facts import consents_of
from crm.prospects.rules import ConsentChannel, Purpose, Sex, is_refusal

REPLY_LIVES = timedelta(days=2)
"""A reply that could not leave within this time comes too late."""


def take_in(
    session: Session, town_id: UUID, *, sid: str, phone: str, body: str, at: datetime, heard_at: datetime | None = None
) -> str | None:
    """Keep an answer, once; a no counts at once. The confirmation to send back, if any: one a number and day at most, and
    only of a refusal that changed something, so that two machines never talk on.

    `at` is when it came. One that is heard of only later (`heard_at`) counts from its own moment, and nothing is sent
    back: nothing is kept as sent, either."""
    last, said = queries.last_sent(session, town_id, phone), consents_of(session, town_id, phone)
    meaning = meaning_of(body, last.body if last else None)
    refuses = any(is_refusal(one.given, one.channel) for one in said.values())
    if meaning is Meaning.AGAIN and not refuses:
        meaning = Meaning.WORDS
    kept = session.scalar(
        insert(Inbound)
        .values(
            town_id=town_id,
            id=new_id(),
            sid=sid,
            phone=phone,
            body=body,
            withdrew=meaning is Meaning.NO,
            meaning=meaning,
            message_id=last.id if last else None,
            received_at=at,
        )
        .on_conflict_do_nothing(index_elements=["town_id", "sid"])
        .returning(Inbound.id)
    )
    if kept is None:
        return None
    _open(session, town_id, phone, kept, meaning, at)
    if meaning is not Meaning.NO:
        return None
    if heard_at is not None:
        withdraw(session, town_id, phone, at=heard_at, said_at=at, channel=ConsentChannel.SMS, words=body)
        return None
    new = [one for one in Purpose if one not in said or said[one].given]
    withdraw(session, town_id, phone, at=at, channel=ConsentChannel.SMS, words=body)
    return _confirmation(session, town_id, phone, kept, at) if new else None


def _confirmation(session: Session, town_id: UUID, phone: str, inbound_id: UUID, at: datetime) -> str | None:
    """Decree 91/2020 art. 16: confirmed at once, with the time at which it was received."""
    moment = at.astimezone(LOCAL)
    words = _("Received at %(time)s: this number gets no more messages from us.", time=f"{moment:%H:%M %d/%m/%Y}")
    body = unaccented(words)
    first = session.scalar(
        insert(AutoAnswer)
        .values(
            town_id=town_id, id=new_id(), phone=phone, local_day=local_day(at), inbound_id=inbound_id, body=body, at=at
        )
        .on_conflict_do_nothing(index_elements=["town_id", "phone", "local_day"])
        .returning(AutoAnswer.id)
    )
    return body if first is not None else None


def _open(session: Session, town_id: UUID, phone: str, inbound_id: UUID, meaning: Meaning, at: datetime) -> None:
    """A conversation for the number: open when a person has to read the words. A refusal and a machine's words open none,
    and leave an open one open."""
    asks = meaning in (Meaning.WORDS, Meaning.AGAIN)
    state = Talk.OPEN if asks else Talk.DONE
    added = insert(Conversation).values(
        town_id=town_id,
        id=new_id(),
        phone=phone,
        state=state,
        latest_id=inbound_id,
        latest_at=at,
        assigned_to_id=queries.who_knows(session, town_id, phone),
    )
    session.execute(
        added.on_conflict_do_update(
            index_elements=["town_id", "phone"],
            set_={
                "state": state.value if asks else Conversation.state,
                "latest_id": case(
                    (Conversation.latest_at > at, Conversation.latest_id), else_=added.excluded.latest_id
                ),
                "latest_at": func.greatest(Conversation.latest_at, at),
                "assigned_to_id": func.coalesce(Conversation.assigned_to_id, added.excluded.assigned_to_id),
            },
        )
    )
    session.expire_all()


def _step(session: Session, talk: Conversation, turn: Turn, by: User, at: datetime, to_id: UUID | None = None) -> None:
    session.add(
        ConversationStep(town_id=talk.town_id, conversation_id=talk.id, turn=turn, to_id=to_id, at=at, by_id=by.id)
    )
    session.flush()


def give(session: Session, talk: Conversation, to_id: UUID | None, *, by: User, at: datetime) -> None:
    """Somebody looks after it from now on, or nobody does; it waits for them. The same again changes nothing."""
    if talk.assigned_to_id == to_id and talk.state is Talk.OPEN:
        return
    talk.assigned_to_id, talk.state = to_id, Talk.OPEN
    _step(session, talk, Turn.GIVEN, by, at, to_id)


def finish(session: Session, talk: Conversation, *, by: User, at: datetime) -> None:
    """Nothing is left to do about what was written. Twice is once."""
    if talk.state is Talk.DONE:
        return
    talk.state = Talk.DONE
    _step(session, talk, Turn.DONE, by, at)


def open_again(session: Session, talk: Conversation, *, by: User, at: datetime) -> None:
    """There is something to do after all."""
    if talk.state is Talk.OPEN:
        return
    talk.state = Talk.OPEN
    _step(session, talk, Turn.OPENED, by, at)


def reply(
    session: Session, talk: Conversation, to: Prospect | None, text: str, *, public_url: str, by: User, at: datetime
) -> Message:
    """Answer what was written last, once: it leaves within the hours and rules of any message. `public_url` is where the
    address lies on which one refuses, when the text names it.

    Raises RuleBroken when the number refuses or was never asked, and Conflict when somebody answered meanwhile."""
    said = consents_of(session, talk.town_id, talk.phone).get(Purpose.SERVICE)
    if said is None or not said.given:
        raise RuleBroken(
            _l("This number gets no messages: it refused, or was never asked. Call them instead."), field="words"
        )
    values = _values(to, local_day(at).year) if to else {}
    if WAY_OUT in places(text):
        values[WAY_OUT] = f"{public_url}/o/{links_for(session, talk.town_id, [talk.phone], at)[talk.phone]}"
    unknown = [name for name in places(text) if name not in values]
    if unknown:
        raise RuleBroken(
            _l("An answer cannot fill {%(place)s}. Write the word itself.", place=unknown[0]), field="words"
        )
    body = unaccented(fill(text, values)).strip()
    if not body or size(body).characters > LONGEST:
        raise RuleBroken(_l("Write an answer, no longer than ten messages."), field="words")
    counted, key = size(body), new_id()
    made = session.scalar(
        insert(Message)
        .values(
            town_id=talk.town_id,
            id=key,
            reply_to_id=talk.latest_id,
            purpose=Purpose.SERVICE,
            way=Way.TWILIO,
            phone=talk.phone,
            prospect_id=to.id if to else None,
            body=body,
            encoding=counted.encoding,
            segments=counted.segments,
            state=Delivery.QUEUED,
            not_before=at,
            expires_at=at + REPLY_LIVES,
            made_at=at,
            attempts=0,
        )
        .on_conflict_do_nothing()
        .returning(Message.id)
    )
    if made is None:
        raise Conflict(_l("Somebody has answered this already. Look at the conversation again."), code="answered")
    talk.state = Talk.DONE
    _step(session, talk, Turn.REPLIED, by, at)
    return session.get_one(Message, (talk.town_id, key))


def _values(to: Prospect, year: int) -> dict[str, str]:
    female = None if to.sex is None else to.sex is Sex.FEMALE
    return person_values(to.full_name, female, to.birth_year, year)
