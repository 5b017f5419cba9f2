"""What a sponsor does to their own promise, on their page: change what is still to come, pause it, end it.

What came in, is set aside or was paid on stays as it is. The office is written to, and so is the sponsor, so that nobody
who only found the address of a page changes a promise unseen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crm.errors import Conflict
from crm.mail import services as mail
from crm.money import Vnd
from crm.places.models import Town
from crm.sponsors.giving import queries, writing
from crm.sponsors.giving.links import Links
from crm.sponsors.giving.models import PledgeStep
from crm.sponsors.giving.rules import Due, Frequency, Step, months_on, paused
from crm.sponsors.giving.services import scheduling
from crm.sponsors.models import Pledge, Sponsor

STILL = timedelta(days=7)
"""A letter about it that could not leave by then is no longer sent."""
OFFICE_READS = "vi"
"""In which language the history of a promise gives the reason."""


@dataclass(frozen=True)
class Hand:
    """Whose hand it is: `by_id` is None where the address of the page opened it. `seen` is the state they were shown."""

    by_id: UUID | None
    seen: str
    note: str
    on: date
    at: datetime
    links: Links


def mark_of(session: Session, pledge: Pledge) -> str:
    """The state of a promise in a few characters: it is another once something was done to it or came in on it."""
    return _mark(session, pledge, queries.received_on(session, pledge.town_id, [pledge.id]).get(pledge.id, 0))


def _mark(session: Session, pledge: Pledge, came: Vnd) -> str:
    return f"{queries.steps_of(session, pledge)[0].step.id.hex}-{came}"


def rearrange(session: Session, pledge: Pledge, rest: Sequence[Due], often: Frequency, hand: Hand) -> None:
    """What is still to come becomes `rest`. Raises RuleBroken, and Conflict when it is not as they saw it any more."""
    _do(
        session,
        pledge,
        hand,
        _l("Changed by the sponsor"),
        lambda why: _change(session, pledge, rest, often, hand, why),
    )


def pause(session: Session, pledge: Pledge, months: int, hand: Hand) -> None:
    """Nothing is expected, and nobody reminds, for so many months; then it goes on as before. Raises as `rearrange`."""
    rest = paused(scheduling.open_dues(session, pledge), months_on(hand.on, months))
    often = queries.frequency_of(session, pledge)

    def act(why: str) -> PledgeStep:
        return _change(session, pledge, rest, often, hand, why, Step.PAUSED)

    _do(session, pledge, hand, _l("Paused by the sponsor"), act, rest[0].on if rest else None)


def stop(session: Session, pledge: Pledge, hand: Hand) -> None:
    """Nothing more is expected of it. Raises Conflict as `rearrange`."""

    def act(why: str) -> PledgeStep:
        return scheduling.end(session, pledge, reason=why, by_id=hand.by_id, on=hand.on, at=hand.at)

    _do(session, pledge, hand, _l("Ended by the sponsor"), act)


def _change(
    session: Session,
    pledge: Pledge,
    rest: Sequence[Due],
    often: Frequency,
    hand: Hand,
    why: str,
    as_step: Step = Step.CHANGED,
) -> PledgeStep:
    done: dict[str, Any] = {"reason": why, "by_id": hand.by_id, "on": hand.on, "at": hand.at, "as_step": as_step}
    return scheduling.change(session, pledge, rest, often, **done)


def _do(
    session: Session,
    pledge: Pledge,
    hand: Hand,
    what: object,
    act: Callable[[str], PledgeStep],
    rests_until: date | None = None,
) -> None:
    scheduling.hold_open(session, pledge)
    came = queries.received_on(session, pledge.town_id, [pledge.id]).get(pledge.id, 0)
    if _mark(session, pledge, came) != hand.seen:
        raise Conflict(
            _l("Something was done to this promise meanwhile. Look at it again before you decide."), code="changed"
        )
    with force_locale(OFFICE_READS):
        why = f"{what}: {hand.note}" if hand.note else str(what)
    step = act(why)
    _tell(session, pledge, step, max(pledge.amount - came, 0), rests_until, hand)


def _tell(session: Session, pledge: Pledge, step: PledgeStep, left: Vnd, rests_until: date | None, hand: Hand) -> None:
    of, town = session.get_one(Sponsor, (pledge.town_id, pledge.sponsor_id)), session.get_one(Town, pledge.town_id)
    told: dict[str, Any] = {
        "name": of.name,
        "code": pledge.code,
        "total": pledge.amount,
        "left": left,
        "rests_until": rests_until,
        "town": town.name,
    }
    readers = [(one.email, one.language, one.id) for one in queries.who_is_told(session, pledge.town_id) if one.email]
    for address, language, user_id in readers:
        with force_locale(language):
            written = writing.by_own_hand(step.step, step.reason or "", hand.links.promise(pledge.id), **told)
        _queue(session, pledge, f"own_hand:{step.id}:{user_id}", address, written, hand.at)
    if of.email:
        with force_locale(of.language):
            written = writing.as_you_asked(step.step, **told)
        _queue(session, pledge, f"own_hand:{step.id}:sponsor", of.email, written, hand.at)


def _queue(session: Session, pledge: Pledge, occasion: str, to: str, written: writing.Written, at: datetime) -> None:
    mail.queue(
        session,
        pledge.town_id,
        occasion=occasion,
        to=to,
        subject=written.subject,
        body=written.body,
        at=at,
        expires_at=at + STILL,
    )
