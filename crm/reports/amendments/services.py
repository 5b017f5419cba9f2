"""Writing a proposal, joining similar ones, putting words right, answering, and sending the chosen ones upward."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.services import note_change_of
from crm.clock import local_day
from crm.errors import Conflict, NotFound, RuleBroken
from crm.ids import new_id
from crm.lines import line
from crm.names import fold
from crm.reports.amendments.models import Amendment, AmendmentAnswer, AmendmentLetter, AmendmentWording
from crm.reports.amendments.queries import OPEN, next_number
from crm.reports.amendments.rules import (
    FIRST_NUMBER,
    LAST_NUMBER,
    LONGEST_DOCUMENT,
    LONGEST_WHOM,
    MOST_CHOSEN,
    State,
    Subject,
    Words,
    checked_answer,
    checked_words,
)
from crm.reports.documents.rules import Head


class Made(NamedTuple):
    """A document as it goes out: what stands in it in plain values, the Word file, and the seal of what it says."""

    facts: dict[str, Any]
    content: bytes
    digest: str


MOVED_ON = _l("It has moved on in the meantime. Look at it again.")


def write(
    session: Session, amendment_id: UUID, subject: Subject, place_id: UUID, words: Words, *, by: User, at: datetime
) -> Amendment:
    """Keep a proposal; the same page sent twice keeps one. Raises RuleBroken, and Conflict for somebody else's id."""
    kept = checked_words(words)
    put = insert(Amendment).values(
        town_id=by.town_id,
        id=amendment_id,
        subject=subject,
        place_id=place_id,
        organisation_id=by.organisation_id,
        written_at=at,
        written_by_id=by.id,
        state=State.RECEIVED,
        wordings=1,
        fold=_folded(kept),
        answers=0,
    )
    made = session.scalar(put.on_conflict_do_nothing().returning(Amendment.id))
    row = session.get(Amendment, (by.town_id, amendment_id), populate_existing=True)
    if row is None or row.written_by_id != by.id:
        raise Conflict(_l("This proposal was written by somebody else."), code="other_proposal")
    if made is not None:
        _word(session, row, kept, by, at)
    return row


def reword(session: Session, row: Amendment, subject: Subject, words: Words, *, by: User, at: datetime) -> None:
    """Put the words of a proposal that is held for update right; earlier wordings are kept. Raises RuleBroken."""
    _only(row, State.RECEIVED)
    kept = checked_words(words)
    row.subject = subject
    now = session.scalars(
        select(AmendmentWording).where(
            AmendmentWording.town_id == row.town_id,
            AmendmentWording.amendment_id == row.id,
            AmendmentWording.number == row.wordings,
        )
    ).one()
    if Words(now.law, now.happens, now.change) != kept:
        row.wordings, row.fold = row.wordings + 1, _folded(kept)
        _word(session, row, kept, by, at)
    session.flush()


def take_back(session: Session, row: Amendment, *, by: User, at: datetime) -> None:
    """The writer takes their own back while nothing was done with it. Raises NotFound and RuleBroken."""
    if row.written_by_id != by.id:
        raise NotFound
    _only(row, State.RECEIVED)
    if row.letter_id is not None or _has_joined(session, row):
        raise RuleBroken(_l("It stands in a document or others were joined to it: ask the Front's officer."))
    row.state = State.WITHDRAWN
    note_change_of(session, row, "take_back_amendment", by=by, at=at)


def join(session: Session, town_id: UUID, amendment_id: UUID, other_id: UUID, *, by: User, at: datetime) -> None:
    """Let one go along with another that says the same; those joined to it go along too. Raises NotFound, RuleBroken."""
    pair = select(Amendment).where(Amendment.town_id == town_id, Amendment.id.in_([amendment_id, other_id]))
    held = {
        row.id: row
        for row in session.scalars(
            pair.order_by(Amendment.id).with_for_update().execution_options(populate_existing=True)
        )
    }
    if len(held) != len({amendment_id, other_id}) or amendment_id == other_id:
        raise NotFound
    row, other = held[amendment_id], held[other_id]
    _only(row, State.RECEIVED)
    if other.state not in OPEN:
        raise RuleBroken(MOVED_ON)
    followers = update(Amendment).where(Amendment.town_id == town_id, Amendment.joined_to_id == row.id)
    session.execute(followers.values(joined_to_id=other.id))
    row.state, row.joined_to_id, row.letter_id = State.JOINED, other.id, None
    note_change_of(session, row, "join_amendment", by=by, at=at, after={"joined_to": str(other.id)})


def part(session: Session, row: Amendment, *, by: User, at: datetime) -> None:
    """It is not the same after all: it stands by itself again. Raises RuleBroken."""
    _only(row, State.JOINED)
    row.state, row.joined_to_id = State.RECEIVED, None
    note_change_of(session, row, "part_amendment", by=by, at=at)


def answer(
    session: Session,
    row: Amendment,
    words: str | None,
    answered_by: str | None,
    *,
    document: str | None,
    on_day: date,
    by: User,
    at: datetime,
) -> AmendmentAnswer:
    """Note what was answered; the same once more is kept once. A draft loses what is answered. Raises RuleBroken."""
    if row.state not in OPEN:
        raise RuleBroken(MOVED_ON)
    told = {
        "answered_by": line(answered_by, LONGEST_WHOM, "answered_by", _l("Write who answered.")),
        "words": checked_answer(words, on_day, local_day(at)),
        "document": line(document, LONGEST_DOCUMENT, "document") or None,
        "on_day": on_day,
    }
    last = session.scalars(
        select(AmendmentAnswer).where(
            AmendmentAnswer.town_id == row.town_id,
            AmendmentAnswer.amendment_id == row.id,
            AmendmentAnswer.number == row.answers,
        )
    ).first()
    if last and all(getattr(last, name) == value for name, value in told.items()):
        return last
    if row.state is State.RECEIVED:
        row.letter_id = None
    row.state, row.answers = State.ANSWERED, row.answers + 1
    session.flush()
    made = AmendmentAnswer(
        town_id=row.town_id, amendment_id=row.id, number=row.answers, noted_at=at, noted_by_id=by.id, **told
    )
    session.add(made)
    session.flush()
    return made


# ---- documents


def open_letter(
    session: Session, letter_id: UUID, head: Head, to_whom: str, *, by: User, at: datetime
) -> AmendmentLetter:
    """Begin a document; the same page sent twice begins one. Raises RuleBroken, Conflict."""
    kept = line(to_whom, LONGEST_WHOM, "to_whom", _l("Write to whom it goes."))
    put = insert(AmendmentLetter).values(
        town_id=by.town_id,
        id=letter_id,
        to_whom=kept,
        symbol=head.symbol,
        head=head.as_json(),
        opened_at=at,
        opened_by_id=by.id,
    )
    session.execute(put.on_conflict_do_nothing())
    row = session.get(AmendmentLetter, (by.town_id, letter_id), populate_existing=True)
    if row is None or row.opened_by_id != by.id:
        raise Conflict(_l("This document was begun by somebody else."), code="other_letter")
    return row


def choose(session: Session, letter: AmendmentLetter, amendment_ids: Collection[UUID]) -> int:
    """Put received proposals into a draft that is held for update. How many new ones. Raises RuleBroken."""
    _draft(letter)
    mine = Amendment.town_id == letter.town_id, Amendment.letter_id == letter.id
    inside = set(session.scalars(select(Amendment.id).where(*mine)))
    new = set(amendment_ids) - inside
    if len(inside) + len(new) > MOST_CHOSEN:
        raise RuleBroken(_l("At most %(most)s proposals go into one document.", most=MOST_CHOSEN))
    free = (
        Amendment.town_id == letter.town_id,
        Amendment.id.in_(new),
        Amendment.state == State.RECEIVED,
        Amendment.letter_id.is_(None),
    )
    moved = session.execute(update(Amendment).where(*free).values(letter_id=letter.id).returning(Amendment.id)).all()
    if len(moved) != len(new):
        raise RuleBroken(MOVED_ON)
    return len(moved)


def leave_out(session: Session, letter: AmendmentLetter, amendment_id: UUID) -> None:
    """Take one out of a draft that is held for update. Raises RuleBroken."""
    _draft(letter)
    mine = Amendment.town_id == letter.town_id, Amendment.letter_id == letter.id, Amendment.id == amendment_id
    session.execute(update(Amendment).where(*mine).values(letter_id=None))


def set_head(session: Session, letter: AmendmentLetter, head: Head, to_whom: str) -> None:
    """Whose paper it is and to whom it goes. Raises RuleBroken."""
    _draft(letter)
    letter.to_whom = line(to_whom, LONGEST_WHOM, "to_whom", _l("Write to whom it goes."))
    for field, words in (("issuer", head.issuer), ("symbol", head.symbol), ("locality", head.locality)):
        if not words.strip():
            raise RuleBroken(_l("This must stand on the paper."), field=field)
    letter.head, letter.symbol = head.as_json(), head.symbol
    session.flush()


def send(
    session: Session,
    letter: AmendmentLetter,
    *,
    number: int | None,
    sent_on: date,
    made: Callable[[int, date], Made],
    by: User,
    at: datetime,
) -> None:
    """Number and date a draft that is held for update, keep the file as it goes out, and mark what stands in it as sent.
    `made` writes the paper with its number and day. Raises RuleBroken."""
    _draft(letter)
    if sent_on > local_day(at):
        raise RuleBroken(_l("This day lies ahead."), field="sent_on")
    if sent_on < local_day(letter.opened_at):
        raise RuleBroken(_l("The document was begun after this day."), field="sent_on")
    chosen = number or next_number(session, letter.town_id, sent_on.year, letter.symbol)
    if not FIRST_NUMBER <= chosen <= LAST_NUMBER:
        raise RuleBroken(_l("Write a whole number, such as 12."), field="number")
    mine = Amendment.town_id == letter.town_id, Amendment.letter_id == letter.id
    taken = select(AmendmentLetter.id).where(
        AmendmentLetter.town_id == letter.town_id,
        AmendmentLetter.year == sent_on.year,
        AmendmentLetter.symbol == letter.symbol,
        AmendmentLetter.number == chosen,
    )
    if session.scalar(taken) is not None:
        raise RuleBroken(_l("This number is taken by another document of the year."), field="number")
    paper = made(chosen, sent_on)
    moved = session.execute(update(Amendment).where(*mine).values(state=State.SENT).returning(Amendment.id)).all()
    if not moved:
        raise RuleBroken(_l("Nothing stands in it yet: choose proposals first."))
    told: dict[str, Any] = {"number": chosen, "year": sent_on.year, "sent_on": sent_on, "sent_at": at}
    for name, value in (told | {"sent_by_id": by.id} | paper._asdict()).items():
        setattr(letter, name, value)
    told = {"number": chosen, "proposals": len(moved)}
    note_change_of(session, letter, "send_amendments", by=by, at=at, after=told)


# ---- pieces


def _folded(words: Words) -> str:
    return fold(f"{words.change} {words.happens}")


def _word(session: Session, row: Amendment, words: Words, by: User, at: datetime) -> None:
    told = words._asdict() | {"at": at, "by_id": by.id}
    session.add(AmendmentWording(town_id=row.town_id, id=new_id(), amendment_id=row.id, number=row.wordings, **told))
    session.flush()


def _only(row: Amendment, state: State) -> None:
    if row.state is not state:
        raise RuleBroken(MOVED_ON)


def _draft(letter: AmendmentLetter) -> None:
    if letter.sent_on is not None:
        raise RuleBroken(_l("This document was sent; nothing of it changes any more."))


def _has_joined(session: Session, row: Amendment) -> bool:
    mine = Amendment.town_id == row.town_id, Amendment.joined_to_id == row.id
    return session.scalar(select(Amendment.id).where(*mine).limit(1)) is not None
