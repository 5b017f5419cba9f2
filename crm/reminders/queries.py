"""Who is to be reminded of what, and who is not and why: computed from the rows each time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy.orm import Session

from crm.accounts.models import ChangeRecord, User
from crm.campaigns.models import Message
from crm.campaigns.queries import latest_consent
from crm.campaigns.rules.delivery import LEFT_US, WAITING, Delivery
from crm.campaigns.rules.reasons import Reason
from crm.campaigns.services.sending import settings_of
from crm.campaigns.templating.models import MessageTemplate, TemplateVersion
from crm.campaigns.templating.queries import Shown, choices, registered_of
from crm.campaigns.templating.rules import Registered
from crm.clock import at as at_hour
from crm.errors import NotFound
from crm.participation.guard.queries import certificates_ending, lapsed, supported_until
from crm.participation.models import Participation
from crm.premiums.queries import law
from crm.premiums.rules.keys import LawKey
from crm.prospects.models import Consent, Prospect
from crm.prospects.rules import Purpose
from crm.reminders.models import ReminderRule, ReminderTold
from crm.reminders.rules import ALL, NOT_TO_VISIT, SHIPPED, Event, Reminder, Stop, WhyNot, fills
from crm.sponsors.family import stands_for
from crm.sponsors.giving.queries import unpaid
from crm.sponsors.models import Pledge, Sponsor
from crm.sponsors.queries import money_waits, near_end
from crm.web.pager import Page, page

NEVER_LEFT = (Delivery.EXPIRED, Delivery.CANCELLED)
"""States of messages that nobody has read: whoever refused while one waited and agrees again is told anew. Not what an
operator called off: they decided that it is not sent."""
A_MONTH = 28
"""Days of the shortest month: from days to months that surely hold them."""


def rules_of(session: Session, town_id: UUID) -> list[Reminder]:
    """A town's rules: those shipped, as they were changed, then its own."""
    rows = session.scalars(select(ReminderRule).where(ReminderRule.town_id == town_id).order_by(ReminderRule.id)).all()
    changed = {row.code: row.as_reminder(ALL.get(row.code)) for row in rows}
    return [*(changed.pop(one.code, one) for one in SHIPPED), *changed.values()]


def rule_of(session: Session, town_id: UUID, code: str) -> Reminder:
    """A rule of a town by its code. Raises NotFound."""
    found = next((one for one in rules_of(session, town_id) if one.code == code), None)
    if found is None:
        raise NotFound
    return found


class Turn(NamedTuple):
    """A rule's turn to queue: in a round for what may leave today for the last time, or in the round for all the rest."""

    town_id: UUID
    code: str
    last_chance: bool


def turns(session: Session, town_ids: Iterable[UUID]) -> list[Turn]:
    """In which order rules queue, for a number gets one reminder a day: first what may leave today for the last time, then
    by how few days a rule has; what has many days waits for tomorrow."""
    active = {
        town_id: sorted((one for one in rules_of(session, town_id) if one.active), key=lambda one: one.spare_days)
        for town_id in town_ids
    }
    return [
        Turn(town_id, one.code, last_chance)
        for town_id, rules in active.items()
        for last_chance in (True, False)
        for one in rules
    ]


def staying(session: Session, town_id: UUID, rules: Iterable[Reminder], today: date) -> set[str]:
    """The codes of those rules whose messages may not leave because the carrier has not approved their words for the town's
    name."""
    settings = settings_of(session, town_id)
    if not settings.takes_only_approved(today):
        return set()
    words = {one.code: one.template_version_id for one in rules}
    told = registered_of(session, town_id, [version for version in words.values() if version], settings.sender)
    approved = {version for version, state in told.items() if state is Registered.APPROVED}
    return {code for code, version in words.items() if version not in approved}


def template_with(session: Session, town_id: UUID, version_id: UUID | None) -> Shown | None:
    """The template whose version a rule has, with just this version; None for words of its own."""
    if version_id is None:
        return None
    row = session.get_one(TemplateVersion, (town_id, version_id))
    told = registered_of(session, town_id, [row.id], settings_of(session, town_id).sender)
    template = session.get_one(MessageTemplate, (town_id, row.template_id))
    return Shown(template, row, told.get(row.id, Registered.DRAFT))


def templates_for(session: Session, town_id: UUID, event: Event, own: UUID | None) -> list[Shown]:
    """Templates whose places a reminder of this event can fill, by name; first the version that the rule has, if it is an
    older one."""
    found = [one for one in choices(session, town_id, Purpose.SERVICE) if fills(event, one.version.text)]
    has = template_with(session, town_id, own)
    return found if has is None or any(one.version.id == own for one in found) else [has, *found]


# ---- the events


def _events(
    session: Session, town_id: UUID, event: Event, today: date, first: date, last: date, told_by: date
) -> Select[Any, Any, Any]:
    """People with the day of an event from `first` to `last`, and whether a sponsor's money waits for them instead; of the
    end of a sponsor's help also `since`, the day from which it is spoken of, none later than `told_by`."""
    nobody = literal(False)
    if event is Event.VISIT:
        return select(Prospect.id, Prospect.next_contact_on.label("event"), nobody.label("carried")).where(
            Prospect.town_id == town_id,
            Prospect.stage.not_in(NOT_TO_VISIT),
            Prospect.next_contact_on.between(first, last),
        )
    if event is Event.PAYMENT:
        return select(
            Participation.prospect_id, Participation.deadline_on.label("event"), money_waits().label("carried")
        ).where(
            Participation.town_id == town_id,
            Participation.goes_on,
            Participation.deadline_on.between(first, last),
        )
    if event is Event.WIN_BACK:
        gone = lapsed(town_id, today, (today - last).days, (today - first).days + 1).add_columns(
            money_waits().label("carried")
        )
        return _between(gone, literal_column("until", Date()), first, last)
    within = max((last - today).days, 0) // A_MONTH + 2
    if event is Event.SPONSOR_ENDS:
        ending = near_end(town_id, today, within, asked_by=told_by).subquery("ending")
        soon = select(ending.c.prospect_id, ending.c.until, ending.c.since)
        return _between(soon, _end_of_month(), first, last).add_columns(literal_column("since", Date()))
    if event is Event.SUPPORT_ENDS:
        now = law(session).on(today)
        if not now.says(LawKey.SUPPORT_CAP_MONTHS):
            return select(Prospect.id, cast(null(), Date).label("event"), nobody.label("carried")).where(nobody)
        cap = now.number(LawKey.SUPPORT_CAP_MONTHS)
        return _between(supported_until(town_id, cap, today, within), _end_of_month(), first, last)
    return _between(certificates_ending(town_id, today, first, last), literal_column("until", Date()), first, last)


def _end_of_month() -> ColumnElement[date]:
    """The last day of the month that stands in `until`."""
    until = literal_column("until", Date())
    return cast(until + func.make_interval(0, 1) - func.make_interval(0, 0, 0, 1), Date)


def _between(
    found: Select[Any, Any] | Select[Any, Any, Any], event: ColumnElement[date], first: date, last: date
) -> Select[Any, Any, Any]:
    ends = found.subquery("ends")
    carried = ends.c.carried if "carried" in ends.c else literal(False)
    return select(ends.c.prospect_id, event.label("event"), carried.label("carried")).where(event.between(first, last))


# ---- the people


def subjects(
    session: Session,
    rule: Reminder,
    town_id: UUID,
    today: date,
    *,
    ahead: int = 0,
    told_counts: bool = True,
    last_chance: bool = False,
) -> Any:
    """Whom a rule is about today, or within `ahead` days, as a subquery of SUBJECT's columns; `why` is WhyNot or null.

    With `told_counts` false it is not asked who has it already: whether the event still stands. With `last_chance` only those
    of whom tomorrow is too late."""
    first, last = rule.first_event(today), rule.last_event(today + timedelta(days=ahead))
    last = first if last_chance else last
    if rule.event is Event.INSTALMENT:
        return _of_sponsors(rule, town_id, today, first, last, told_counts)
    told_by = today if last_chance else today + timedelta(days=ahead)
    events = _events(session, town_id, rule.event, today, first, last, told_by).subquery("events")
    subject, event, carried = events.c[0], events.c.event, events.c.carried
    since = events.c.since if "since" in events.c else cast(null(), Date)
    consent = latest_consent(Prospect.town_id, Prospect.phone, Purpose.SERVICE)
    begins = event - rule.earliest
    spoken = cast(func.timezone("Asia/Ho_Chi_Minh", Prospect.last_contact_at), Date) >= begins
    why = [
        (Prospect.phone.is_(None), WhyNot.NO_PHONE),
        (carried, WhyNot.CARRIED),
        *([(spoken, WhyNot.SPOKEN)] if rule.stop is Stop.SPOKEN else []),
        *_consent_and_told(rule, town_id, Prospect.phone, consent, subject, event, today, told_counts),
    ]
    return (
        select(
            subject.label("subject_id"),
            Prospect.id.label("prospect_id"),
            Prospect.full_name.label("name"),
            case((Prospect.sex.is_(None), None), else_=Prospect.sex == "female").label("female"),
            Prospect.birth_year.label("birth_year"),
            Prospect.phone.label("phone"),
            event.label("event"),
            cast(null(), String).label("code"),
            literal(0).label("amount"),
            func.greatest(begins, since, today).label("leaves_on"),
            _first_true(why).label("why"),
        )
        .join(events, Prospect.id == subject)
        .where(Prospect.town_id == town_id, Prospect.merged_into_id.is_(None))
        .subquery("subjects")
    )


def _of_sponsors(rule: Reminder, town_id: UUID, today: date, first: date, last: date, told_counts: bool) -> Any:
    """The same of sponsors whose instalment is not there yet."""
    due = unpaid(town_id, first, last).subquery("due")
    said = (
        select(Consent.given)
        .where(Consent.town_id == town_id, Consent.phone == Sponsor.phone, Consent.purpose == Purpose.SERVICE)
        .order_by(Consent.at.desc(), Consent.recorded_at.desc(), Consent.id.desc())
        .limit(1)
        .correlate(Sponsor)
        .scalar_subquery()
    )
    why = [
        (or_(Sponsor.phone.is_(None), Sponsor.phone.not_like("+84%")), WhyNot.NO_PHONE),
        *_consent_and_told(rule, town_id, Sponsor.phone, said, Pledge.id, due.c.due_on, today, told_counts),
    ]
    return (
        select(
            Pledge.id.label("subject_id"),
            cast(null(), Prospect.id.type).label("prospect_id"),
            func.coalesce(Sponsor.contact_name, Sponsor.name).label("name"),
            literal(None).label("female"),
            literal(None).label("birth_year"),
            Sponsor.phone.label("phone"),
            due.c.due_on.label("event"),
            Pledge.code.label("code"),
            due.c.left.label("amount"),
            func.greatest(due.c.due_on - rule.earliest, today).label("leaves_on"),
            _first_true(why).label("why"),
        )
        .join(due, and_(due.c.town_id == Pledge.town_id, due.c.pledge_id == Pledge.id))
        .join(Sponsor, stands_for(Pledge))
        .subquery("subjects")
    )


def _consent_and_told(
    rule: Reminder,
    town_id: UUID,
    phone: Any,
    consent: Any,
    subject: Any,
    event: Any,
    today: date,
    told_counts: bool,
) -> list[tuple[Any, WhyNot]]:
    found = [(consent.is_(None), WhyNot.NO_CONSENT), (consent.is_(False), WhyNot.OPTED_OUT)]
    if not told_counts:
        return found
    of_this_event = (
        ReminderTold.town_id == town_id,
        ReminderTold.reminder == rule.code,
        ReminderTold.subject_id == subject,
        ReminderTold.event_on == event,
        Message.town_id == ReminderTold.town_id,
        Message.id == ReminderTold.message_id,
    )
    told = exists().where(*of_this_event, Message.state.not_in(NEVER_LEFT))
    called_off = exists().where(*of_this_event, Message.reason == Reason.CALLED_OFF)
    today_already = exists().where(
        Message.town_id == town_id,
        Message.phone == phone,
        Message.reminder.is_not(None),
        or_(Message.reminder == rule.code, and_(Message.one_a_day, Message.purpose == Purpose.SERVICE)),
        Message.local_day == today,
        Message.state != Delivery.CANCELLED,
    )
    return [*found, (told, WhyNot.TOLD), (called_off, WhyNot.CALLED_OFF), (today_already, WhyNot.TODAY)]


def _first_true(why: list[tuple[Any, WhyNot]]) -> ColumnElement[Any]:
    return case(*((condition, literal(reason.value)) for condition, reason in why), else_=cast(null(), String))


class Subject(NamedTuple):
    """Somebody whom a rule is about: when, and, where they get nothing, why not."""

    subject_id: UUID
    prospect_id: UUID | None
    name: str
    female: bool | None
    birth_year: int | None
    phone: str | None
    event: date
    code: str | None
    amount: int
    leaves_on: date
    why: str | None


def due(
    session: Session, rule: Reminder, town_id: UUID, today: date, most: int, *, last_chance: bool = False
) -> list[Subject]:
    """The next people to be told now, or of them whom tomorrow is too late for; those who share a phone stand together."""
    found = subjects(session, rule, town_id, today, last_chance=last_chance)
    query = (
        select(found)
        .where(found.c.why.is_(None))
        .order_by(found.c.phone, found.c.event, found.c.name, found.c.subject_id)
    )
    return [Subject(*row) for row in session.execute(query.limit(most))]


def in_vain(session: Session, rule: Reminder, town_id: UUID, today: date) -> list[UUID]:
    """Messages of a rule that still wait although somebody they speak of is no longer to be told."""
    stands = subjects(session, rule, town_id, today, told_counts=False)
    still = exists().where(
        stands.c.subject_id == ReminderTold.subject_id,
        stands.c.event == ReminderTold.event_on,
        stands.c.why.is_(None),
    )
    query = (
        select(Message.id)
        .join(ReminderTold, and_(ReminderTold.town_id == Message.town_id, ReminderTold.message_id == Message.id))
        .where(Message.town_id == town_id, Message.reminder == rule.code, Message.state.in_(WAITING), ~still)
        .distinct()
    )
    return list(session.scalars(query))


# ---- what the pages show


class Counts(NamedTuple):
    """Of a rule: how many people are told today still, within a week, and how many are not and why."""

    today: int
    week: int
    kept_back: int


def counts(session: Session, rule: Reminder, town_id: UUID, today: date, visible: ColumnElement[bool]) -> Counts:
    """What one rule has before it, among the people one sees."""
    found = _seen(session, rule, town_id, today, visible)
    row = session.execute(
        select(
            func.count().filter(found.c.why.is_(None), found.c.leaves_on == today),
            func.count().filter(found.c.why.is_(None)),
            func.count().filter(found.c.why.is_not(None)),
        ).select_from(found)
    ).one()
    return Counts(*(int(value) for value in row))


def _seen(session: Session, rule: Reminder, town_id: UUID, today: date, visible: ColumnElement[bool]) -> Any:
    found = subjects(session, rule, town_id, today, ahead=6)
    seen = select(Prospect.id).where(Prospect.town_id == town_id, visible)
    return select(found).where(or_(found.c.prospect_id.is_(None), found.c.prospect_id.in_(seen))).subquery("seen")


def people_page(
    session: Session,
    rule: Reminder,
    town_id: UUID,
    today: date,
    visible: ColumnElement[bool],
    *,
    which: str,
    cursor: str | None,
    size: int,
) -> Page[Any]:
    """Who is told today (`today`), within a week (`week`), or not and why (`not`), in the order of days."""
    found = _seen(session, rule, town_id, today, visible)
    query = select(found)
    if which == "not":
        query = query.where(found.c.why.is_not(None))
    else:
        query = query.where(found.c.why.is_(None))
        query = query.where(found.c.leaves_on == today) if which == "today" else query
    return page(
        session,
        query,
        (found.c.leaves_on, found.c.subject_id, found.c.event),
        cursor=cursor,
        size=size,
        kinds=(date.fromisoformat, UUID, date.fromisoformat),
        key=lambda row: (row.leaves_on, row.subject_id, row.event),
    )


def why_counts(
    session: Session, rule: Reminder, town_id: UUID, today: date, visible: ColumnElement[bool]
) -> dict[WhyNot, int]:
    """How many are not told, for each reason."""
    found = _seen(session, rule, town_id, today, visible)
    query = select(found.c.why, func.count()).where(found.c.why.is_not(None)).group_by(found.c.why)
    counted = {WhyNot(row[0]): int(row[1]) for row in session.execute(query)}
    return {why: counted[why] for why in WhyNot if why in counted}


def example(
    session: Session, rule: Reminder, town_id: UUID, today: date, visible: ColumnElement[bool]
) -> Subject | None:
    """Somebody real whom a rule speaks of soon; else anybody one sees with a phone; None where there is nobody."""
    found = _seen(session, rule, town_id, today, visible)
    row = session.execute(
        select(found).where(found.c.phone.is_not(None)).order_by(found.c.why.is_not(None), found.c.leaves_on).limit(1)
    ).first()
    if row is not None:
        return Subject(*row)
    if rule.event is Event.INSTALMENT:
        return None
    someone = session.scalar(
        select(Prospect)
        .where(Prospect.town_id == town_id, Prospect.merged_into_id.is_(None), Prospect.phone.is_not(None), visible)
        .order_by(Prospect.name_key, Prospect.id)
        .limit(1)
    )
    if someone is None:
        return None
    female = None if someone.sex is None else someone.sex.value == "female"
    event = today + timedelta(days=rule.latest)
    return Subject(
        someone.id,
        someone.id,
        someone.full_name,
        female,
        someone.birth_year,
        someone.phone,
        event,
        None,
        0,
        today,
        None,
    )


def sent_since(session: Session, town_id: UUID, since: date, visible: ColumnElement[bool]) -> dict[str, int]:
    """How many messages of each rule left since a day, to people one sees and to sponsors."""
    query = (
        select(Message.reminder, func.count())
        .outerjoin(Prospect, and_(Prospect.town_id == Message.town_id, Prospect.id == Message.prospect_id))
        .where(
            or_(Message.prospect_id.is_(None), visible),
            Message.town_id == town_id,
            Message.reminder.is_not(None),
            Message.claimed_at >= at_hour(since),
            Message.state.in_(LEFT_US | {Delivery.FAILED}),
        )
        .group_by(Message.reminder)
    )
    return {str(row[0]): int(row[1]) for row in session.execute(query)}


def rule_row(session: Session, town_id: UUID, code: str) -> ReminderRule | None:
    """The row of a rule, held until the end of the transaction; None when it was never changed."""
    query = select(ReminderRule).where(ReminderRule.town_id == town_id, ReminderRule.code == code)
    return session.scalar(query.with_for_update())


def changes_of(session: Session, town_id: UUID, code: str) -> list[Any]:
    """Who changed a rule, when and what (the record and a name), the latest first."""
    row = session.scalar(select(ReminderRule.id).where(ReminderRule.town_id == town_id, ReminderRule.code == code))
    query = (
        select(ChangeRecord, User.full_name)
        .outerjoin(User, and_(User.town_id == ChangeRecord.town_id, User.id == ChangeRecord.user_id))
        .where(ChangeRecord.town_id == town_id, ChangeRecord.subject_id == row)
        .order_by(ChangeRecord.at.desc(), ChangeRecord.id.desc())
        .limit(20)
    )
    return list(session.execute(query).all()) if row else []
