"""Whose proposals somebody may see, which are alike, and what stands in a document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope, leads_all_of, of_own_unit
from crm.accounts.rules import OrganisationKind, Reach
from crm.db import one_found
from crm.participation.rules import Span
from crm.places.models import Place
from crm.places.queries import units
from crm.reports.amendments.models import Amendment, AmendmentAnswer, AmendmentLetter, AmendmentWording
from crm.reports.amendments.rules import State, Subject
from crm.web.pager import Page, read_cursor, write_cursor

ALIKE = 0.35
"""Trigram similarity from which two proposals are shown side by side."""
MOST_ALIKE, MOST_JOINED, MOST_ANSWERS, MOST_WORDINGS = 5, 200, 50, 50
OPEN = (State.RECEIVED, State.SENT, State.ANSWERED)
"""Those to which another can be joined."""


def is_the_fronts(session: Session, scope: Scope) -> bool:
    """Whether somebody leads the Fatherland Front of the whole town: its officer sorts what the field wrote."""
    return leads_all_of(session, scope, OrganisationKind.FRONT)


def seen_by(scope: Scope, *, front: bool) -> ColumnElement[bool]:
    """All of the town, also for the Front; of a lead those of their unit; of everybody those they wrote."""
    ours = Amendment.town_id == scope.town_id
    if front or scope.reach is Reach.ALL:
        return ours
    if scope.reach is Reach.NOTHING:
        return and_(ours, false())
    unit = of_own_unit(scope, Amendment.place_id, Amendment.organisation_id)
    return and_(ours, or_(Amendment.written_by_id == scope.user_id, unit))


class Line(NamedTuple):
    """A proposal with the wording that stands, whence it came, and how many others were joined to it."""

    row: Amendment
    words: AmendmentWording
    place: str
    organisation: str | None
    written_by: str
    joined: int


def _lines(where: ColumnElement[bool]) -> Any:
    other = aliased(Amendment)
    joined = (
        select(func.count())
        .where(other.town_id == Amendment.town_id, other.joined_to_id == Amendment.id)
        .scalar_subquery()
    )
    return (
        select(Amendment, AmendmentWording, Place.name, Organisation.name, User.full_name, joined)
        .join(
            AmendmentWording,
            and_(
                AmendmentWording.town_id == Amendment.town_id,
                AmendmentWording.amendment_id == Amendment.id,
                AmendmentWording.number == Amendment.wordings,
            ),
        )
        .join(Place, and_(Place.town_id == Amendment.town_id, Place.id == Amendment.place_id))
        .join(User, and_(User.town_id == Amendment.town_id, User.id == Amendment.written_by_id))
        .outerjoin(
            Organisation,
            and_(Organisation.town_id == Amendment.town_id, Organisation.id == Amendment.organisation_id),
        )
        .where(where)
    )


def page_of(
    session: Session,
    seen: ColumnElement[bool],
    *,
    state: State | None = None,
    subject: Subject | None = None,
    cursor: str | None = None,
    size: int = 30,
) -> Page[Line]:
    """One page of proposals, the last written first."""
    query = _lines(seen)
    if state is not None:
        query = query.where(Amendment.state == state)
    if subject is not None:
        query = query.where(Amendment.subject == subject)
    if cursor:
        position = read_cursor(cursor, (datetime.fromisoformat, UUID))
        query = query.where(tuple_(Amendment.written_at, Amendment.id) < tuple_(*position))
    order = Amendment.written_at.desc(), Amendment.id.desc()
    found = [Line(*row) for row in session.execute(query.order_by(*order).limit(size + 1))]
    last = found[size - 1].row if len(found) > size else None
    return Page(found[:size], write_cursor((last.written_at, last.id)) if last else None)


def one_seen(session: Session, seen: ColumnElement[bool], amendment_id: UUID, *, lock: bool = False) -> Amendment:
    """One proposal somebody may see. Raises NotFound."""
    return one_found(session, select(Amendment).where(seen, Amendment.id == amendment_id), lock=lock)


def line_of(session: Session, row: Amendment) -> Line:
    """One proposal with its words and names."""
    here = and_(Amendment.town_id == row.town_id, Amendment.id == row.id)
    return Line(*session.execute(_lines(here)).one())


def alike(session: Session, row: Amendment) -> list[Line]:
    """Others that say something similar and to which it could be joined, the most similar first."""
    near = func.similarity(Amendment.fold, row.fold)
    where = and_(Amendment.town_id == row.town_id, Amendment.id != row.id, Amendment.state.in_(OPEN), near >= ALIKE)
    query = _lines(where).order_by(near.desc(), Amendment.id).limit(MOST_ALIKE)
    return [Line(*found) for found in session.execute(query)]


def joined_to(session: Session, row: Amendment) -> list[Line]:
    """Those that were joined to it, the first written first."""
    where = and_(Amendment.town_id == row.town_id, Amendment.joined_to_id == row.id)
    return [Line(*found) for found in session.execute(_lines(where).order_by(Amendment.id).limit(MOST_JOINED))]


def wordings_of(session: Session, row: Amendment) -> Sequence[tuple[AmendmentWording, str]]:
    """Every wording, the last first, with whose it is."""
    query = (
        select(AmendmentWording, User.full_name)
        .join(User, and_(User.town_id == AmendmentWording.town_id, User.id == AmendmentWording.by_id))
        .where(AmendmentWording.town_id == row.town_id, AmendmentWording.amendment_id == row.id)
        .order_by(AmendmentWording.number.desc())
        .limit(MOST_WORDINGS)
    )
    return [(found[0], found[1]) for found in session.execute(query)]


def answers_to(session: Session, row: Amendment) -> Sequence[AmendmentAnswer]:
    """What was answered, the last first."""
    mine = AmendmentAnswer.town_id == row.town_id, AmendmentAnswer.amendment_id == row.id
    return session.scalars(
        select(AmendmentAnswer).where(*mine).order_by(AmendmentAnswer.number.desc()).limit(MOST_ANSWERS)
    ).all()


def places_for(session: Session, scope: Scope, today: date) -> Sequence[Place]:
    """The wards and communes a proposal can come from."""
    return session.scalars(units(scope.town_id, today)).all()


# ---- documents


def letters(session: Session, town_id: UUID, *, cursor: str | None = None, size: int = 20) -> Page[tuple[Any, int]]:
    """One page of documents with how many proposals stand in each, the last opened first."""
    inside = (
        select(func.count())
        .where(Amendment.town_id == AmendmentLetter.town_id, Amendment.letter_id == AmendmentLetter.id)
        .scalar_subquery()
    )
    query: Select[Any] = select(AmendmentLetter, inside).where(AmendmentLetter.town_id == town_id)
    if cursor:
        position = read_cursor(cursor, (datetime.fromisoformat, UUID))
        query = query.where(tuple_(AmendmentLetter.opened_at, AmendmentLetter.id) < tuple_(*position))
    order = AmendmentLetter.opened_at.desc(), AmendmentLetter.id.desc()
    found = [(row[0], row[1]) for row in session.execute(query.order_by(*order).limit(size + 1))]
    last = found[size - 1][0] if len(found) > size else None
    return Page(found[:size], write_cursor((last.opened_at, last.id)) if last else None)


def letter_of_town(session: Session, town_id: UUID, letter_id: UUID, *, lock: bool = False) -> AmendmentLetter:
    """One document. Raises NotFound."""
    mine = select(AmendmentLetter).where(AmendmentLetter.town_id == town_id, AmendmentLetter.id == letter_id)
    return one_found(session, mine, lock=lock)


def last_letter(session: Session, town_id: UUID) -> AmendmentLetter | None:
    """The last document that was sent: the next carries its letterhead."""
    sent = AmendmentLetter.town_id == town_id, AmendmentLetter.sent_on.is_not(None)
    return session.scalars(
        select(AmendmentLetter).where(*sent).order_by(AmendmentLetter.opened_at.desc()).limit(1)
    ).first()


def next_number(session: Session, town_id: UUID, year: int, symbol: str) -> int:
    """The number after the last of a year that bears this symbol."""
    mine = AmendmentLetter.town_id == town_id, AmendmentLetter.year == year, AmendmentLetter.symbol == symbol
    return (session.scalar(select(func.max(AmendmentLetter.number)).where(*mine)) or 0) + 1


class Chosen(NamedTuple):
    """A proposal in a document: how many wrote it, and in which places."""

    line: Line
    people: int
    places: list[str]


def chosen_for(session: Session, letter: AmendmentLetter) -> list[Chosen]:
    """What stands in a document, by subject, what most people wrote first."""
    where = and_(Amendment.town_id == letter.town_id, Amendment.letter_id == letter.id)
    lines = [Line(*row) for row in session.execute(_lines(where))]
    found = (
        select(Amendment.joined_to_id, Place.name)
        .join(Place, and_(Place.town_id == Amendment.town_id, Place.id == Amendment.place_id))
        .where(Amendment.town_id == letter.town_id, Amendment.joined_to_id.in_([one.row.id for one in lines]))
    )
    more: dict[UUID, list[str]] = {}
    for leader, name in session.execute(found):
        if leader is not None:
            more.setdefault(leader, []).append(name)
    told = [
        Chosen(one, 1 + len(more.get(one.row.id, [])), sorted({one.place, *more.get(one.row.id, [])})) for one in lines
    ]
    order = list(Subject)
    return sorted(told, key=lambda one: (order.index(one.line.row.subject), -one.people, one.line.row.id))


def draft_letter(session: Session, town_id: UUID) -> AmendmentLetter | None:
    """The last document that is still a draft: what is chosen goes there."""
    mine = AmendmentLetter.town_id == town_id, AmendmentLetter.sent_on.is_(None)
    return session.scalars(
        select(AmendmentLetter).where(*mine).order_by(AmendmentLetter.opened_at.desc()).limit(1)
    ).first()


def sent_in(session: Session, town_id: UUID, span: Span) -> tuple[int, list[str]]:
    """How many proposals were sent upward in a period, and to whom."""
    within = and_(AmendmentLetter.town_id == town_id, AmendmentLetter.sent_on.between(span.since, span.as_of))
    joined = and_(Amendment.town_id == AmendmentLetter.town_id, Amendment.letter_id == AmendmentLetter.id)
    query = select(AmendmentLetter.to_whom, func.count(Amendment.id)).join(Amendment, joined).where(within)
    found = session.execute(query.group_by(AmendmentLetter.to_whom).order_by(AmendmentLetter.to_whom)).all()
    return sum(row[1] for row in found), [row[0] for row in found]


def waiting(session: Session, town_id: UUID) -> bool:
    """Whether something received is in no document yet."""
    open_ones = Amendment.town_id == town_id, Amendment.state == State.RECEIVED, Amendment.letter_id.is_(None)
    return bool(session.scalar(select(exists().where(*open_ones))))
