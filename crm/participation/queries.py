"""Who takes part on a day, who came and who left, and what was paid for whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    join,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from crm.accounts.models import Organisation
from crm.accounts.queries import Scope, organisation_by_code
from crm.errors import RuleBroken
from crm.months import Month
from crm.participation.elsewhere.models import InsuranceRecord
from crm.participation.elsewhere.queries import LATEST_FIRST, latest_of
from crm.participation.guard.rules import AVOIDABLE, StopReason
from crm.participation.models import ParticipantMonth, Participation, Payment
from crm.participation.rules import DUE_SOON, Beginning, Ending, Kind, Span
from crm.participation.shares import Layers, Share, weights_under
from crm.places.boundaries import Boundaries, Part, boundaries
from crm.places.models import Place
from crm.places.queries import place_named
from crm.places.rules import PlaceKind
from crm.premiums.queries import law, top_ups_for
from crm.premiums.rules.law import Law, LocalTopUp
from crm.premiums.rules.quotes import Plan, Quote, quote
from crm.prospects.models import Prospect, Standing
from crm.prospects.queries.seeing import visible_to
from crm.prospects.rules import Ground, grounds_held
from crm.web.pager import Page, latest_first, page


@dataclass(frozen=True)
class Narrowed:
    """What a list of spells is narrowed to: the place and the organisation of their start."""

    place_ids: Collection[UUID] | None = None
    parts: Collection[Part] = ()
    """Besides the places, parts of units that the person's neighbourhood decides."""
    organisation_id: UUID | Literal["none"] | None = None
    stop_reason: StopReason | Literal["none"] | None = None
    """Of those who lapsed or stopped: why; `none`, of whom nobody has asked."""


# ---- the stock, and how it moves


def holds_on(day: date) -> ColumnElement[bool]:
    """Spells that count on a day: begun, not ended, and not recorded by mistake."""
    not_ended = or_(Participation.ended_on.is_(None), Participation.ended_on > day)
    return and_(Participation.withdrawn_at.is_(None), Participation.started_on <= day, not_ended)


def of_kind(kind: Kind, span: Span) -> ColumnElement[bool]:
    """The spells a figure counts, and the list behind it shows."""
    counts = Participation.withdrawn_at.is_(None)
    began = and_(counts, Participation.started_on.between(span.since, span.as_of))
    ended = and_(counts, Participation.ended_on.between(span.since, span.as_of))
    taking_part = holds_on(span.as_of)
    return {
        Kind.STOCK: taking_part,
        Kind.BASELINE: holds_on(span.before),
        Kind.JOINED: and_(began, Participation.started_as != Beginning.RETURNED),
        Kind.RETURNED: and_(began, Participation.started_as == Beginning.RETURNED),
        Kind.LEFT: ended,
        Kind.LAPSED: and_(ended, Participation.ended_as == Ending.LAPSED),
        Kind.STOPPED: and_(ended, Participation.ended_as != Ending.LAPSED),
        Kind.DUE: and_(taking_part, Participation.deadline_on.between(span.as_of, span.as_of + DUE_SOON)),
        Kind.OVERDUE: and_(taking_part, Participation.deadline_on < span.as_of),
    }[kind]


def spells(scope: Scope, kind: Kind, span: Span, narrowed: Narrowed = Narrowed()) -> Select[Participation, Prospect]:
    """The spells behind a figure with their people, among those this person may see."""
    query = select(Participation, Prospect).join(*_of_the_person()).where(visible_to(scope), of_kind(kind, span))
    for condition in _conditions(narrowed):
        query = query.where(condition)
    return query


def count(session: Session, scope: Scope, kind: Kind, span: Span, narrowed: Narrowed = Narrowed()) -> int:
    """How many spells that list has."""
    rows = spells(scope, kind, span, narrowed).with_only_columns(func.count())
    return session.scalar(rows) or 0


def asked_neighbourhood(
    place: InstrumentedAttribute[UUID] | ColumnElement[UUID],
    within: Boundaries,
    neighbourhood: InstrumentedAttribute[UUID | None] | ColumnElement[UUID | None] | None = None,
) -> ColumnElement[UUID | None]:
    """The person's neighbourhood (by default as the register has it) where it decides the unit they are counted in, else
    nothing."""
    # Written into the statement: as a parameter it would not be the same expression in GROUP BY.
    undecided: BindParameter[Any] = bindparam("undecided", list(within.undecided), expanding=True, literal_execute=True)
    return case((place.in_(undecided), Prospect.neighbourhood_id if neighbourhood is None else neighbourhood))


def counted_in(session: Session, place: Place, day: date, drawn: date | None = None) -> Narrowed:
    """The spells that a unit's figures count in the boundaries of `drawn`; without it, in those of the day, or when there
    was no such unit then, in those of the unit's own first or last day. The whole town narrows nothing."""
    if place.kind is PlaceKind.TOWN:
        return Narrowed()
    own = max(place.valid_from, min(day, place.valid_to - timedelta(days=1) if place.valid_to else day))
    within = boundaries(session, place.town_id, drawn or own)
    if place.kind is PlaceKind.NEIGHBOURHOOD:
        return Narrowed(place_ids=(place.id,))
    whole, parts = within.parts_of(place.id)
    return Narrowed(place_ids=tuple(whole), parts=tuple(parts))


def _conditions(narrowed: Narrowed) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if narrowed.place_ids is not None:
        found.append(or_(Participation.place_id.in_(narrowed.place_ids), *map(_in_part, narrowed.parts)))
    if narrowed.organisation_id == "none":
        found.append(Participation.organisation_id.is_(None))
    elif narrowed.organisation_id is not None:
        found.append(Participation.organisation_id == narrowed.organisation_id)
    if narrowed.stop_reason is not None:
        asked = None if narrowed.stop_reason == "none" else narrowed.stop_reason
        found += [Participation.ended_as.in_(AVOIDABLE), Participation.stop_reason.is_not_distinct_from(asked)]
    return found


def _in_part(part: Part) -> ColumnElement[bool]:
    inside = Prospect.neighbourhood_id.in_(part.neighbourhood_ids)
    without = Prospect.neighbourhood_id.is_(None)
    return and_(Participation.place_id == part.place_id, or_(inside, without) if part.unknown else inside)


def _of_the_person() -> tuple[type[Prospect], ColumnElement[bool]]:
    same = and_(Prospect.town_id == Participation.town_id, Prospect.id == Participation.prospect_id)
    return Prospect, same


# ---- one person


def spell_of(session: Session, prospect: Prospect) -> Participation | None:
    """The spell someone is in, or the last they were in; spells recorded by mistake left out."""
    return session.scalars(spells_of(prospect).limit(1)).first()


def open_spell(session: Session, prospect: Prospect) -> Participation | None:
    """The spell someone is in."""
    return session.scalars(spells_of(prospect).where(Participation.ended_on.is_(None)).limit(1)).first()


def spells_of(prospect: Prospect) -> Select[Participation]:
    """Someone's spells, the latest first."""
    return _SPELLS.params(town=prospect.town_id, person=prospect.id)


_SPELLS = (
    select(Participation)
    .where(Participation.town_id == bindparam("town"), Participation.prospect_id == bindparam("person"))
    .where(Participation.withdrawn_at.is_(None))
    .order_by(Participation.started_on.desc(), Participation.id.desc())
)


def spells_of_all(session: Session, town_id: UUID, prospect_ids: Collection[UUID]) -> dict[UUID, Participation]:
    """The spell each of these people is in now; those who are in none are not in the answer."""
    query = select(Participation).where(
        Participation.town_id == town_id,
        Participation.prospect_id.in_(prospect_ids),
        Participation.goes_on,
    )
    return {spell.prospect_id: spell for spell in session.scalars(query)}


def months_of(session: Session, prospect: Prospect) -> Sequence[ParticipantMonth]:
    """The months paid for someone, in order; those paid for in vain left out."""
    query = select(ParticipantMonth).where(
        ParticipantMonth.town_id == prospect.town_id,
        ParticipantMonth.prospect_id == prospect.id,
        ParticipantMonth.counts,
    )
    return session.scalars(query.order_by(ParticipantMonth.month)).all()


def months_paid(session: Session, prospect: Prospect, start: Month, months: int) -> list[Month]:
    """Those of a run of months that are paid for already; what was paid for in vain may be paid anew."""
    query = select(ParticipantMonth.month).where(
        ParticipantMonth.town_id == prospect.town_id,
        ParticipantMonth.prospect_id == prospect.id,
        ParticipantMonth.counts,
        ParticipantMonth.month.between(start.first_day, (start + (months - 1)).first_day),
    )
    return [Month.of(day) for day in session.scalars(query.order_by(ParticipantMonth.month))]


def layers_of(payment: Payment, others: Sequence[Share]) -> Layers:
    """A payment as its months are read off it; `others` are those who bear its `other_support`."""
    return Layers(
        months=payment.months,
        supported_months=payment.supported_months,
        own=payment.own,
        state=payment.state_support,
        local=payment.local_support,
        others=tuple(others),
        weights=weights_under(payment.law.get("rules", ()), payment.months, missing=bool(payment.missing)),
    )


def page_of_payments(
    session: Session, prospect: Prospect, *, cursor: str | None = None, size: int = 20
) -> Page[Payment]:
    """Payments and reversals of someone, the newest first."""
    theirs = select(Payment).where(Payment.town_id == prospect.town_id, Payment.prospect_id == prospect.id)
    order = (Payment.recorded_at, Payment.id)
    return latest_first(
        session, theirs, order, cursor=cursor, size=size, key=lambda payment: (payment.recorded_at, payment.id)
    )


def standing_payments(prospect: Prospect) -> Select[Payment]:
    """Someone's payments that were not reversed, the last period of the last spell first: whoever came back may have
    paid anew months that another payment had paid for in vain."""
    found = _payments_that_stand(literal(prospect.town_id), literal(prospect.id))
    of_spell = and_(Participation.town_id == Payment.town_id, Participation.id == Payment.participation_id)
    return found.join(Participation, of_spell).order_by(
        Participation.started_on.desc(), Payment.start_month.desc(), Payment.id.desc()
    )


def _payments_that_stand(town: ColumnElement[UUID], person: ColumnElement[UUID]) -> Select[Payment]:
    reversal = aliased(Payment)
    return (
        select(Payment)
        .outerjoin(reversal, and_(reversal.town_id == Payment.town_id, reversal.reverses_id == Payment.id))
        .where(Payment.town_id == town, Payment.prospect_id == person)
        .where(Payment.reverses_id.is_(None), reversal.id.is_(None))
    )


class Helped(NamedTuple):
    """How many months somebody was helped with so far; those of the State count toward the cap of a whole life."""

    by_the_state: int
    by_the_place: int


def helped_before(session: Session, prospect: Prospect) -> Helped:
    """By the State, here and, by the insurance record, elsewhere; and by the place's own budget."""
    state, place = session.execute(_HELPED, {"town": prospect.town_id, "person": prospect.id}).one()
    return Helped(int(state), int(place))


def _helped_statement() -> Select[int, int]:
    """Made once: it is asked for every page of a person."""
    town, person = bindparam("town", type_=Uuid()), bindparam("person", type_=Uuid())
    record = latest_of(town, person)
    through, said = (
        record.with_only_columns(column).scalar_subquery()
        for column in (InsuranceRecord.through, InsuranceRecord.supported)
    )
    months = select(supported_months(through, said)).where(
        ParticipantMonth.town_id == town,
        ParticipantMonth.prospect_id == person,
        ParticipantMonth.supported,
        ParticipantMonth.counts,
    )
    of_the_place = (
        select(func.count())
        .select_from(_paid_with_the_place())
        .where(ParticipantMonth.town_id == town, ParticipantMonth.prospect_id == person)
    )
    return select(months.scalar_subquery(), of_the_place.scalar_subquery())


def _paid_with_the_place() -> FromClause:
    """Months that count, of payments the place's budget had a part in."""
    same = and_(Payment.town_id == ParticipantMonth.town_id, Payment.id == ParticipantMonth.payment_id)
    return join(ParticipantMonth, Payment, and_(same, Payment.local_support > 0, ParticipantMonth.counts))


def supported_months(through: Any, said: Any) -> ColumnElement[int]:
    """The State's months of a group of supported months: those after a record's last month are counted here, those up
    to it are what the record says, or what is counted here where that is more. Without a record both are empty."""
    until = func.count(ParticipantMonth.month).filter(ParticipantMonth.month <= through)
    return func.count(ParticipantMonth.month) - until + func.greatest(until, func.coalesce(said, 0))


_HELPED = _helped_statement()


def standing_payments_of(town_id: UUID, prospect_ids: Collection[UUID]) -> Select[Any]:
    """The payments of these people that were not reversed."""
    reversal = aliased(Payment)
    return (
        select(Payment)
        .outerjoin(reversal, and_(reversal.town_id == Payment.town_id, reversal.reverses_id == Payment.id))
        .where(Payment.town_id == town_id, Payment.prospect_id.in_(prospect_ids))
        .where(Payment.reverses_id.is_(None), reversal.id.is_(None))
    )


def helped_of_all(session: Session, town_id: UUID, prospect_ids: Collection[UUID]) -> dict[UUID, Helped]:
    """What `helped_before` says of one, of each of these people."""
    month = ParticipantMonth
    record = (
        select(InsuranceRecord.prospect_id, InsuranceRecord.through, InsuranceRecord.supported)
        .distinct(InsuranceRecord.prospect_id)
        .where(InsuranceRecord.town_id == town_id, InsuranceRecord.prospect_id.in_(prospect_ids))
        .order_by(InsuranceRecord.prospect_id, *LATEST_FIRST)
        .subquery("record")
    )
    of_them = and_(month.town_id == Prospect.town_id, month.prospect_id == Prospect.id, month.supported, month.counts)
    paid = (
        select(ParticipantMonth.prospect_id, func.count().label("months"))
        .select_from(_paid_with_the_place())
        .where(ParticipantMonth.town_id == town_id, ParticipantMonth.prospect_id.in_(prospect_ids))
        .group_by(ParticipantMonth.prospect_id)
        .subquery("paid")
    )
    query = (
        select(Prospect.id, supported_months(record.c.through, record.c.supported), func.coalesce(paid.c.months, 0))
        .outerjoin(record, record.c.prospect_id == Prospect.id)
        .outerjoin(paid, paid.c.prospect_id == Prospect.id)
        .outerjoin(month, of_them)
        .where(Prospect.town_id == town_id, Prospect.id.in_(prospect_ids))
        .group_by(Prospect.id, record.c.through, record.c.supported, paid.c.months)
    )
    found = {one: Helped(int(state), int(place)) for one, state, place in session.execute(query)}
    return {one: found.get(one, Helped(0, 0)) for one in prospect_ids}


def grounds_on(session: Session, prospect: Prospect, day: date) -> tuple[Ground, ...]:
    """Every ground for support someone has on a day; the law of that day says which decides."""
    asked = {"town": prospect.town_id, "person": prospect.id, "day": day}
    home = session.get(Place, (prospect.town_id, prospect.place_id))
    return grounds_held(session.scalars(_GROUNDS, asked), special=home is not None and home.special)


_GROUNDS = select(Standing.ground).where(
    Standing.town_id == bindparam("town"),
    Standing.prospect_id == bindparam("person"),
    Standing.valid_from <= bindparam("day"),
    or_(Standing.valid_to.is_(None), Standing.valid_to > bindparam("day")),
)


def quote_for(
    session: Session,
    prospect: Prospect,
    *,
    income: int,
    plan: Plan,
    start: Month,
    paid_on: date,
    grounds: Collection[Ground],
    other_support: int = 0,
    all_law: Law | None = None,
    top_ups: Sequence[LocalTopUp] | None = None,
) -> Quote:
    """What a payment of this person costs under the law of the day of payment, with what they were helped before.

    `all_law` and `top_ups` (all of the town's) are read when they are not handed in.
    """
    helped = helped_before(session, prospect)
    return quote(
        all_law or law(session),
        income,
        grounds,
        start,
        paid_on,
        plan,
        supported_before=helped.by_the_state,
        local_top_ups=top_ups_for(session, prospect, paid_on, top_ups),
        local_months_before=helped.by_the_place,
        other_support=other_support,
    )


def organisations_named(session: Session, town_id: UUID) -> dict[UUID, str]:
    """Every organisation's name by id."""
    query = select(Organisation.id, Organisation.name).where(Organisation.town_id == town_id)
    return {row[0]: row[1] for row in session.execute(query)}


def places_named(session: Session, town_id: UUID) -> dict[UUID, Place]:
    """Every ward, commune and the town itself by id."""
    query = select(Place).where(Place.town_id == town_id, Place.kind != PlaceKind.NEIGHBOURHOOD)
    return {place.id: place for place in session.scalars(query)}


# ---- lists


class Line(NamedTuple):
    """A spell in a list, and whose it is."""

    spell: Participation
    person: Prospect


def page_of(
    session: Session,
    scope: Scope,
    kind: Kind,
    span: Span,
    narrowed: Narrowed = Narrowed(),
    *,
    cursor: str | None,
    size: int = 50,
) -> Page[Line]:
    """One page of the list behind a figure: by name, or, of what is due, by the last day to pay."""
    query: Any = spells(scope, kind, span, narrowed)
    if kind in (Kind.DUE, Kind.OVERDUE):
        order: tuple[Any, Any] = (Participation.deadline_on, Participation.id)
        kinds = (date.fromisoformat, UUID)
        found = page(session, query, order, cursor=cursor, size=size, kinds=kinds, key=_place_by_deadline)
    else:
        order = (Prospect.name_key, Participation.id)
        found = page(session, query, order, cursor=cursor, size=size, key=_place_by_name)
    return Page([Line(*row) for row in found.rows], found.next)


def _place_by_deadline(row: Any) -> tuple[Any, ...]:
    return row[0].deadline_on, row[0].id


def _place_by_name(row: Any) -> tuple[Any, ...]:
    return row[1].name_key, row[0].id


def narrowed_to(
    session: Session,
    scope: Scope,
    *,
    place: str | None,
    organisation: str | None,
    as_of: date,
    drawn: date | None = None,
    reason: str | None = None,
) -> tuple[Narrowed, Place | None]:
    """What a list is narrowed to by what an address names: a place (UUID, CODE or CODE@DATE) in the boundaries of a
    day, an organisation by UUID or code, or `none`; why people stopped, or `none`. Raises RuleBroken for what is not
    known here."""
    where = place_named(session, scope.town_id, place, today=as_of) if place else None
    narrowed = counted_in(session, where, as_of, drawn) if where else Narrowed()
    if organisation:
        narrowed = replace(narrowed, organisation_id=_organisation_named(session, scope.town_id, organisation))
    if reason:
        narrowed = replace(narrowed, stop_reason=_reason_named(reason))
    return narrowed, where


def _reason_named(text: str) -> StopReason | Literal["none"]:
    if text == "none":
        return "none"
    try:
        return StopReason(text)
    except ValueError:
        raise RuleBroken(_l("No such reason is known here."), field="reason", code="unknown_reason") from None


def _organisation_named(session: Session, town_id: UUID, text: str) -> UUID | Literal["none"]:
    if text == "none":
        return "none"
    try:
        found = session.get(Organisation, (town_id, UUID(text)))
    except ValueError:
        found = organisation_by_code(session, town_id, text)
    if found is None:
        raise RuleBroken(_l("No such organisation is known here."), field="organisation", code="unknown_organisation")
    return found.id
