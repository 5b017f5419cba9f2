"""Promises with what came in on them, what is late, who waits to be confirmed, and which letters are due."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope, token_digest
from crm.accounts.rules import Role
from crm.clock import at as start_of
from crm.errors import NotFound
from crm.mail.models import Email
from crm.mail.rules import LOST
from crm.money import Vnd
from crm.sponsors.family import is_of, kept_of, stands_for
from crm.sponsors.giving.models import PledgeInstalment, PledgeStep, Registration
from crm.sponsors.giving.rules import AWAY_FROM_DUE, LETTER, Account, Due, Frequency, Reminder, Step, laid
from crm.sponsors.models import Pledge, Receipt, Sponsor
from crm.sponsors.rules import PledgeState
from crm.web.pager import Page, page, read_cursor, write_cursor

# ---- promises


def current_instalments(session: Session, pledge: Pledge) -> Sequence[PledgeInstalment]:
    """The instalments of a promise as it is now, by their days."""
    return session.scalars(
        select(PledgeInstalment)
        .where(
            PledgeInstalment.town_id == pledge.town_id,
            PledgeInstalment.pledge_id == pledge.id,
            PledgeInstalment.dropped_step_id.is_(None),
        )
        .order_by(PledgeInstalment.due_on)
    ).all()


def received_on(session: Session, town_id: UUID, pledge_ids: Collection[UUID]) -> dict[UUID, Vnd]:
    """What came in on each of these promises; without receipts that were put right. On the
    others nothing came."""
    query = (
        select(Receipt.pledge_id, func.sum(Receipt.amount))
        .where(Receipt.town_id == town_id, Receipt.pledge_id.in_(pledge_ids), Receipt.corrected_id.is_(None))
        .group_by(Receipt.pledge_id)
    )
    return {row[0]: int(row[1]) for row in session.execute(query) if row[0]}


def accounts_of(session: Session, pledges: Sequence[Pledge], today: date) -> dict[UUID, Account]:
    """What came in on each of these promises of one town, laid on its instalments."""
    if not pledges:
        return {}
    town_id, ids = pledges[0].town_id, [pledge.id for pledge in pledges]
    dues: dict[UUID, list[Due]] = {pledge_id: [] for pledge_id in ids}
    rows = session.execute(
        select(PledgeInstalment.pledge_id, PledgeInstalment.due_on, PledgeInstalment.amount).where(
            PledgeInstalment.town_id == town_id,
            PledgeInstalment.pledge_id.in_(ids),
            PledgeInstalment.dropped_step_id.is_(None),
        )
    )
    for row in rows:
        dues[row[0]].append(Due(row[1], row[2]))
    came = received_on(session, town_id, ids)
    return {pledge_id: laid(found, came.get(pledge_id, 0), today) for pledge_id, found in dues.items()}


def account_of(session: Session, pledge: Pledge, today: date) -> Account:
    """What came in on a promise, laid on its instalments."""
    return accounts_of(session, [pledge], today)[pledge.id]


def frequencies_of(session: Session, pledges: Sequence[Pledge]) -> dict[UUID, Frequency]:
    """How often each of these promises is paid, by its latest step."""
    if not pledges:
        return {}
    query = (
        select(PledgeStep.pledge_id, PledgeStep.frequency)
        .distinct(PledgeStep.pledge_id)
        .where(PledgeStep.town_id == pledges[0].town_id, PledgeStep.pledge_id.in_([pledge.id for pledge in pledges]))
        .order_by(PledgeStep.pledge_id, PledgeStep.at.desc(), PledgeStep.id.desc())
    )
    return {row[0]: row[1] for row in session.execute(query)}


def resting(
    session: Session, pledges: Sequence[Pledge], accounts: Mapping[UUID, Account], today: date
) -> dict[UUID, date]:
    """Which of these open promises their sponsor has paused, each with the day on which it goes on."""
    ahead = {
        one.id: following.due.on
        for one in pledges
        if one.state is PledgeState.OPEN and (following := accounts[one.id].next) and following.due.on > today
    }
    if not ahead:
        return {}
    query = (
        select(PledgeStep.pledge_id, PledgeStep.step)
        .distinct(PledgeStep.pledge_id)
        .where(PledgeStep.town_id == pledges[0].town_id, PledgeStep.pledge_id.in_(ahead))
        .order_by(PledgeStep.pledge_id, PledgeStep.at.desc(), PledgeStep.id.desc())
    )
    return {row[0]: ahead[row[0]] for row in session.execute(query) if row[1] is Step.PAUSED}


def frequency_of(session: Session, pledge: Pledge) -> Frequency:
    """How often a promise is paid, by its latest step."""
    return frequencies_of(session, [pledge])[pledge.id]


class Done(NamedTuple):
    """A step of a promise, and who did it."""

    step: PledgeStep
    by: str | None


def steps_of(session: Session, pledge: Pledge) -> Sequence[Done]:
    """Everything that was done to a promise, the latest first."""
    query = (
        select(PledgeStep, User.full_name)
        .outerjoin(User, and_(User.town_id == PledgeStep.town_id, User.id == PledgeStep.by_id))
        .where(PledgeStep.town_id == pledge.town_id, PledgeStep.pledge_id == pledge.id)
        .order_by(PledgeStep.at.desc(), PledgeStep.id.desc())
        .limit(100)
    )
    return [Done(row[0], row[1]) for row in session.execute(query)]


def open_promises(session: Session, of: Sponsor, most: int = 50) -> Sequence[Pledge]:
    """The open promises of a sponsor, the latest first."""
    query = select(Pledge).where(
        Pledge.town_id == of.town_id, is_of(Pledge.sponsor_id, of), Pledge.state == PledgeState.OPEN
    )
    return session.scalars(query.order_by(Pledge.pledged_on.desc(), Pledge.id.desc()).limit(most)).all()


def promise_of(session: Session, of: Sponsor, pledge_id: UUID) -> Pledge:
    """A promise of just this sponsor. Raises NotFound."""
    query = select(Pledge).where(Pledge.town_id == of.town_id, is_of(Pledge.sponsor_id, of), Pledge.id == pledge_id)
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return found


MOST_TOLD = 20


def who_is_told(session: Session, town_id: UUID) -> Sequence[User]:
    """The treasurers, who hear of what sponsors do to their promises themselves."""
    query = select(User).where(User.town_id == town_id, User.role == Role.TREASURER, User.active)
    return session.scalars(query.order_by(User.id).limit(MOST_TOLD)).all()


class ByOwnHand(NamedTuple):
    """A sponsor changed or ended their promise themselves."""

    step: PledgeStep
    pledge: Pledge
    sponsor: Sponsor


LATELY = timedelta(days=30)


def _by_own_hand(town_id: UUID, today: date) -> Any:
    """Changes and ends of the last days that no member of staff did."""
    staff = exists().where(User.town_id == PledgeStep.town_id, User.id == PledgeStep.by_id, User.role != Role.SPONSOR)
    return (
        select(PledgeStep, Pledge, Sponsor)
        .join(Pledge, and_(Pledge.town_id == PledgeStep.town_id, Pledge.id == PledgeStep.pledge_id))
        .join(Sponsor, stands_for(Pledge))
        .where(
            PledgeStep.town_id == town_id,
            PledgeStep.step != Step.MADE,
            PledgeStep.at >= start_of(today - LATELY),
            ~staff,
        )
    )


def by_own_hand_page(session: Session, scope: Scope, today: date, *, cursor: str | None, size: int) -> Page[ByOwnHand]:
    """What sponsors did to their promises themselves in the last days, the latest first."""
    query = _by_own_hand(scope.town_id, today)
    if cursor:
        query = query.where(PledgeStep.id < read_cursor(cursor, (UUID,))[0])
    rows = [ByOwnHand(*row) for row in session.execute(query.order_by(PledgeStep.id.desc()).limit(size + 1))]
    return Page(rows[:size], write_cursor([rows[size - 1].step.id]) if len(rows) > size else None)


def how_many_by_own_hand(session: Session, town_id: UUID, today: date) -> int:
    """How many times they did so."""
    some = _by_own_hand(town_id, today).with_only_columns(PledgeStep.id).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def receipts_on(session: Session, pledge: Pledge) -> Sequence[Receipt]:
    """What came in on a promise, the latest first."""
    query = select(Receipt).where(Receipt.town_id == pledge.town_id, Receipt.pledge_id == pledge.id)
    return session.scalars(query.order_by(Receipt.received_on.desc(), Receipt.id.desc()).limit(100)).all()


def pledge_by_id(session: Session, pledge_id: UUID | None) -> Pledge:
    """A promise whose signed name was shown. Raises NotFound."""
    found = session.scalar(select(Pledge).where(Pledge.id == pledge_id)) if pledge_id else None
    if found is None:
        raise NotFound
    return found


# ---- what is late


class Late(NamedTuple):
    """An instalment whose day is past, what of it is still to come, and whose it is."""

    pledge: Pledge
    sponsor: Sponsor
    due_on: date
    left: Vnd


def _running() -> Any:
    """Every current instalment of open promises with the sum of all up to it, and what came in on its promise."""
    up_to = func.sum(PledgeInstalment.amount).over(
        partition_by=(PledgeInstalment.town_id, PledgeInstalment.pledge_id), order_by=PledgeInstalment.due_on
    )
    came = (
        select(func.coalesce(func.sum(Receipt.amount), 0))
        .where(Receipt.town_id == Pledge.town_id, Receipt.pledge_id == Pledge.id, Receipt.corrected_id.is_(None))
        .correlate(Pledge)
        .scalar_subquery()
    )
    return (
        select(
            PledgeInstalment.town_id,
            PledgeInstalment.pledge_id,
            PledgeInstalment.due_on,
            func.least(PledgeInstalment.amount, up_to - came).label("left"),
        )
        .join(Pledge, and_(Pledge.town_id == PledgeInstalment.town_id, Pledge.id == PledgeInstalment.pledge_id))
        .where(PledgeInstalment.dropped_step_id.is_(None), Pledge.state == PledgeState.OPEN)
    )


def unpaid(town_id: UUID, first: date | None, last: date) -> Any:
    """Instalments of open promises from `first` to `last` of which something is still to come: the oldest first is
    how money is laid on them. Columns: pledge_id, due_on, left."""
    running = _running().where(PledgeInstalment.town_id == town_id).subquery()
    found = select(running).where(running.c.left > 0, running.c.due_on <= last)
    return found.where(running.c.due_on >= first) if first else found


def late_page(session: Session, scope: Scope, today: date, *, cursor: str | None, size: int) -> Page[Late]:
    """What should have come and did not, the longest late first."""
    return _of_sponsors(session, scope, today - timedelta(days=1), cursor=cursor, size=size)


def to_call_page(session: Session, scope: Scope, today: date, *, cursor: str | None, size: int) -> Page[Late]:
    """What is late or due so soon that a letter would tell of it, of sponsors who have no e-mail or whose letter of it came
    back; the earliest day first."""
    until = today - timedelta(days=AWAY_FROM_DUE[Reminder.BEFORE])
    return _of_sponsors(session, scope, until, unreached=True, cursor=cursor, size=size)


def _of_sponsors(
    session: Session, scope: Scope, until: date, *, unreached: bool = False, cursor: str | None, size: int
) -> Page[Late]:
    """Instalments due until a day of which something is still to come, with their sponsors; all, or of those whom no letter
    reaches."""
    due = unpaid(scope.town_id, None, until).subquery()
    query = (
        select(Pledge, Sponsor, due.c.due_on, due.c.left)
        .join(due, and_(due.c.town_id == Pledge.town_id, due.c.pledge_id == Pledge.id))
        .join(Sponsor, stands_for(Pledge))
    )
    if unreached:
        letters = [func.format(LETTER, due.c.pledge_id, due.c.due_on, which.value) for which in Reminder]
        lost = exists().where(Email.town_id == due.c.town_id, Email.occasion.in_(letters), Email.state.in_(LOST))
        query = query.where(or_(Sponsor.email.is_(None), lost))
    found: Page[Any] = page(
        session,
        query,
        (due.c.due_on, Pledge.id),
        cursor=cursor,
        size=size,
        kinds=(date.fromisoformat, UUID),
        key=lambda row: (row[2], row[0].id),
    )
    return Page([Late(row[0], row[1], row[2], int(row[3])) for row in found.rows], found.next)


def late_in_all(session: Session, town_id: UUID, today: date) -> tuple[int, Vnd]:
    """How many instalments are late, and what is still to come of them."""
    late = unpaid(town_id, None, today - timedelta(days=1)).subquery()
    number, left = session.execute(
        select(func.count(), func.coalesce(func.sum(late.c.left), 0)).select_from(late)
    ).one()
    return int(number), int(left)


# ---- letters that are due


class ToRemind(NamedTuple):
    """An instalment that may need a letter."""

    pledge_id: UUID
    due_on: date
    left: Vnd


def to_remind(session: Session, town_id: UUID, first: date, last: date) -> Sequence[ToRemind]:
    """Unpaid instalments of open promises whose day lies between."""
    found = unpaid(town_id, first, last).subquery()
    query = select(found.c.pledge_id, found.c.due_on, found.c.left).order_by(found.c.due_on, found.c.pledge_id)
    return [ToRemind(row[0], row[1], int(row[2])) for row in session.execute(query)]


# ---- registrations


def registration(session: Session, scope: Scope, registration_id: UUID) -> Registration:
    """A registration of this town. Raises NotFound."""
    found = session.get(Registration, (scope.town_id, registration_id))
    if found is None:
        raise NotFound
    return found


def registration_of_page(session: Session, token: str) -> Registration:
    """The registration whose own page a token opens. Raises NotFound."""
    return _of(session, Registration.page_digest == token_digest(token))


def registration_of_link(session: Session, token: str) -> Registration:
    """The registration that a link confirms. Raises NotFound."""
    return _of(session, Registration.link_digest == token_digest(token))


def _of(session: Session, condition: ColumnElement[bool]) -> Registration:
    found = session.scalar(select(Registration).where(condition))
    if found is None:
        raise NotFound
    return found


def _waits(town_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        Registration.town_id == town_id,
        Registration.confirmed_at.is_(None),
        Registration.refused_at.is_(None),
    )


def registrations_page(session: Session, scope: Scope, *, cursor: str | None, size: int) -> Page[Registration]:
    """Who registered and is not confirmed yet, in the order they came."""
    query: Any = select(Registration).where(*_waits(scope.town_id))
    return page(session, query, (Registration.id,), cursor=cursor, size=size, kinds=(UUID,), key=lambda row: (row.id,))


def how_many_wait(session: Session, town_id: UUID, most: int) -> int:
    """How many registrations wait to be confirmed, `most` at most."""
    some = select(Registration.id).where(*_waits(town_id)).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def links_since(session: Session, town_id: UUID, email: str, since: datetime) -> int:
    """How many links went to an address since a moment, whoever registered with it."""
    query = select(func.coalesce(func.sum(Registration.links), 0)).where(
        Registration.town_id == town_id, func.lower(Registration.email) == email.lower(), Registration.made_at >= since
    )
    return int(session.scalar(query) or 0)


def to_text(session: Session, town_id: UUID, since: datetime, most: int = 200) -> Sequence[Registration]:
    """Registrations since a moment with a telephone number alone, to which no link went yet; the oldest first."""
    query = select(Registration).where(
        Registration.town_id == town_id,
        Registration.made_at >= since,
        Registration.email.is_(None),
        Registration.links == 0,
        Registration.confirmed_at.is_(None),
        Registration.refused_at.is_(None),
    )
    return session.scalars(query.order_by(Registration.made_at, Registration.id).limit(most)).all()


def texts_since(session: Session, town_id: UUID, phone: str, since: datetime) -> int:
    """How many links were texted to a number since a moment, whoever registered with it."""
    query = select(func.coalesce(func.sum(Registration.links), 0)).where(
        Registration.town_id == town_id,
        Registration.phone == phone,
        Registration.email.is_(None),
        Registration.made_at >= since,
    )
    return int(session.scalar(query) or 0)


def same_contact(
    session: Session, town_id: UUID, *, email: str | None, phone: str | None, tax_code: str | None
) -> Sequence[Sponsor]:
    """Sponsors with one of these, the oldest first. Only for whoever may see sponsors, or after a confirmation."""
    wanted: list[ColumnElement[bool]] = []
    wanted += [func.lower(Sponsor.email) == email.lower()] if email else []
    wanted += [Sponsor.phone == phone] if phone else []
    wanted += [Sponsor.tax_code == tax_code] if tax_code else []
    if not wanted:
        return []
    query = select(Sponsor).where(Sponsor.town_id == town_id, or_(*wanted))
    found = session.scalars(query.order_by(Sponsor.created_at, Sponsor.id).limit(20)).all()
    return list(dict.fromkeys(kept_of(session, one) for one in found))


def namesakes(session: Session, of: Sponsor) -> Sequence[Sponsor]:
    """Other sponsors who registered with this one's tax code and could not be joined to it without asking."""
    query = (
        select(Sponsor)
        .join(Registration, and_(Registration.town_id == Sponsor.town_id, Registration.sponsor_id == Sponsor.id))
        .where(
            Sponsor.town_id == of.town_id,
            Sponsor.id != of.id,
            Sponsor.merged_into_id.is_(None),
            Registration.tax_code == of.tax_code,
            Registration.confirmed_at.is_not(None),
        )
        .distinct()
        .limit(5)
    )
    return session.scalars(query).all() if of.tax_code else []


def tax_code_taken(session: Session, town_id: UUID, tax_code: str) -> bool:
    """Whether a sponsor has this tax code. Never told to whoever registers."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    Sponsor.town_id == town_id, Sponsor.tax_code == tax_code, Sponsor.merged_into_id.is_(None)
                )
            )
        )
    )
