"""Decrees on record, whom they concern, and by how much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, cast, func, literal, or_, select
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import Numeric

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.decrees.models import Decree, DecreeImpact, DecreePerson, DecreeRow
from crm.decrees.rules.comparing import Payer
from crm.decrees.rules.saying import Item, Reach, Said
from crm.decrees.rules.states import ImpactState, Side, State
from crm.errors import NotFound
from crm.months import Month
from crm.participation.leaving.models import LeavingRefund
from crm.participation.models import Participation, Payment
from crm.participation.queries import helped_of_all, standing_payments_of
from crm.places.boundaries import Boundaries
from crm.places.models import Place, Town
from crm.premiums.models import LawValueRow, LocalTopUpRow
from crm.premiums.rules.keys import LawStatus
from crm.prospects.models import Prospect, Standing
from crm.prospects.queries.seeing import listed_to
from crm.prospects.rules import Ground, Stage, grounds_held
from crm.web.pager import Page, page

TALKED_TO = (Stage.CONSIDERING, Stage.INTERESTED, Stage.AGREED)
STANDS_STILL = timedelta(minutes=2)


def said_of(row: Decree) -> Said:
    """A decree as the rules read it."""
    return Said(
        document=row.document,
        article=row.article,
        source=row.source,
        note=row.note,
        since=row.effective_from,
        status=row.status,
        items=tuple(Item.from_json(item) for item in row.items),
    )


def decrees(town_id: UUID) -> Select[Decree]:
    """Every decree that was not thrown away, the latest day of effect first."""
    return (
        select(Decree)
        .where(Decree.town_id == town_id, Decree.state != State.DROPPED)
        .order_by(Decree.effective_from.desc(), Decree.id.desc())
    )


def decrees_page(session: Session, town_id: UUID, *, drafts: bool, cursor: str | None, size: int = 50) -> Page[Decree]:
    """One page of them in the order in which they were written down; drafts where they are asked for."""
    query: Any = decrees(town_id).order_by(None)
    if not drafts:
        query = query.where(Decree.state == State.SAVED)
    return page(session, query, (Decree.id,), cursor=cursor, size=size, kinds=(UUID,), key=lambda row: (row.id,))


def decree(session: Session, town_id: UUID, decree_id: UUID, *, lock: bool = False) -> Decree:
    """One decree. Raises NotFound."""
    found = session.get(Decree, (town_id, decree_id), with_for_update=lock or None, populate_existing=lock)
    if found is None or found.state is State.DROPPED:
        raise NotFound
    return found


def announced(session: Session) -> Sequence[LawValueRow]:
    """What was only announced, and may be confirmed one day."""
    query = select(LawValueRow).where(LawValueRow.status == LawStatus.ANNOUNCED, LawValueRow.withdrawn_at.is_(None))
    return session.scalars(query.order_by(LawValueRow.effective_from, LawValueRow.key)).all()


class Recorded(NamedTuple):
    """A row that a decree put on record: of the law, or of a place."""

    id: UUID
    value: LawValueRow | None
    top_up: LocalTopUpRow | None

    @property
    def row(self) -> LawValueRow | LocalTopUpRow:
        found = self.value or self.top_up
        assert found is not None
        return found


def recorded_by(session: Session, row: Decree) -> list[Recorded]:
    """What a decree put on record, withdrawn rows included."""
    query = (
        select(DecreeRow.id, LawValueRow, LocalTopUpRow)
        .outerjoin(LawValueRow, LawValueRow.id == DecreeRow.law_value_id)
        .outerjoin(
            LocalTopUpRow,
            and_(LocalTopUpRow.town_id == DecreeRow.town_id, LocalTopUpRow.id == DecreeRow.local_top_up_id),
        )
        .where(DecreeRow.town_id == row.town_id, DecreeRow.decree_id == row.id)
        .order_by(DecreeRow.id)
    )
    return [Recorded(*found) for found in session.execute(query)]


def reckoned(session: Session, changed: Iterable[Reach]) -> dict[Reach, date]:
    """Of what a decree changes, that by which somebody paid or got money back, and the latest day of it.

    In any town: the law is everybody's. A payment or a refund that names no rules is taken to rest on all of them.
    """
    found = {
        reach: max(filter(None, (_last_paid(session, reach), _last_refunded(session, reach))), default=None)
        for reach in changed
    }
    return {reach: last for reach, last in found.items() if last}


def _last_paid(session: Session, reach: Reach) -> date | None:
    reversal = aliased(Payment)
    query = (
        select(func.max(Payment.paid_on))
        .outerjoin(reversal, and_(reversal.town_id == Payment.town_id, reversal.reverses_id == Payment.id))
        .where(Payment.town_id.in_(select(Town.id)), Payment.reverses_id.is_(None), reversal.id.is_(None))
        .where(*_within(reach, Payment.paid_on, Payment.law))
    )
    return session.scalar(query)


def _last_refunded(session: Session, reach: Reach) -> date | None:
    query = select(func.max(LeavingRefund.left_on)).where(LeavingRefund.town_id.in_(select(Town.id)))
    return session.scalar(query.where(*_within(reach, LeavingRefund.left_on, LeavingRefund.law)))


def _within(reach: Reach, day: Any, snapshot: Any) -> Iterator[ColumnElement[bool]]:
    """Of a day on which it holds, and resting on it."""
    yield day >= reach.since
    if reach.until is not None:
        yield day <= reach.until
    if reach.key is not None:
        yield or_(snapshot.contains({"rules": [{"name": str(reach.key)}]}), ~snapshot.has_key("rules"))


def names_of(session: Session, town_id: UUID, ids: Collection[UUID | None]) -> dict[UUID, str]:
    """Who somebody is who signs in."""
    query = select(User.id, User.full_name).where(User.town_id == town_id, User.id.in_([id for id in ids if id]))
    return dict(session.execute(query).tuples().all())


def place_names(session: Session, town_id: UUID, ids: Collection[UUID | None]) -> dict[UUID, str]:
    """What places are called."""
    query = select(Place.id, Place.name).where(Place.town_id == town_id, Place.id.in_([id for id in ids if id]))
    return dict(session.execute(query).tuples().all())


# ---- comparing: a chunk of people at a time


def concerned(town_id: UUID) -> Select[UUID]:
    """Everybody a change of the law may concern: who takes part, agreed, or is being talked to."""
    spell = (
        select(literal(1))
        .where(Participation.town_id == Prospect.town_id, Participation.prospect_id == Prospect.id)
        .where(Participation.goes_on)
    )
    return select(Prospect.id).where(
        Prospect.town_id == town_id,
        Prospect.merged_into_id.is_(None),
        or_(Prospect.stage.in_(TALKED_TO), spell.exists()),
    )


@dataclass(frozen=True)
class Asked:
    """Somebody to be compared, and the ward that counts them today."""

    id: UUID
    place_id: UUID
    payer: Payer


def payers(session: Session, town_id: UUID, ids: Sequence[UUID], today: date, within: Boundaries) -> Iterator[Asked]:
    """What is known of how these people pay; six queries however many they are."""
    spells = {
        spell.prospect_id: spell
        for spell in session.scalars(
            select(Participation).where(
                Participation.town_id == town_id,
                Participation.prospect_id.in_(ids),
                Participation.goes_on,
            )
        )
    }
    grounds = _grounds(session, town_id, ids, today)
    helped = helped_of_all(session, town_id, ids)
    paid = _last_payments(session, town_id, ids)
    special = set(session.scalars(select(Place.id).where(Place.town_id == town_id, Place.special)))
    people = select(Prospect.id, Prospect.place_id, Prospect.neighbourhood_id)
    for id, place_id, neighbourhood_id in session.execute(
        people.where(Prospect.town_id == town_id, Prospect.id.in_(ids)).order_by(Prospect.id)
    ):
        spell, last = spells.get(id), paid.get(id)
        state, place = helped[id]
        ward = within.unit_of(place_id, neighbourhood_id)
        payer = Payer(
            grounds=grounds_held(grounds[id], special=place_id in special),
            places=within.around(place_id, neighbourhood_id),
            supported_before=state,
            local_months_before=place,
        )
        if spell:
            payer = Payer(
                grounds=payer.grounds,
                places=payer.places,
                supported_before=state,
                local_months_before=place,
                takes_part=True,
                income=spell.income,
                months=spell.method,
                paid_through=Month.of(spell.paid_through) if spell.paid_through else None,
                sponsors_a_month=Fraction(last.other_support, last.months) if last else Fraction(),
                carried=last is not None and last.other_support > 0 and last.own == 0,
            )
        yield Asked(id, ward, payer)


def _grounds(session: Session, town_id: UUID, ids: Sequence[UUID], today: date) -> dict[UUID, list[Ground]]:
    found: dict[UUID, list[Ground]] = defaultdict(list)
    query = select(Standing.prospect_id, Standing.ground).where(
        Standing.town_id == town_id,
        Standing.prospect_id.in_(ids),
        Standing.valid_from <= today,
        or_(Standing.valid_to.is_(None), Standing.valid_to > today),
    )
    for id, ground in session.execute(query):
        found[id].append(ground)
    return found


def _last_payments(session: Session, town_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Any]:
    query = (
        standing_payments_of(town_id, ids)
        .with_only_columns(Payment.prospect_id, Payment.other_support, Payment.own, Payment.months)
        .join(Participation, and_(Participation.town_id == town_id, Participation.id == Payment.participation_id))
        .distinct(Payment.prospect_id)
        .order_by(Payment.prospect_id, Participation.started_on.desc(), Payment.start_month.desc(), Payment.id.desc())
    )
    return {row.prospect_id: row for row in session.execute(query)}


def impact_of(session: Session, row: Decree) -> DecreeImpact | None:
    """How far the comparison of a decree is."""
    return session.get(DecreeImpact, (row.town_id, row.id))


def compared(session: Session, row: Decree) -> bool:
    """Whether everybody was compared: before that the people found so far are no list of those it concerns."""
    impact = impact_of(session, row)
    return impact is not None and impact.state is ImpactState.DONE


def standing_still(at: Any) -> Select[DecreeImpact]:
    """Comparisons that lost their worker."""
    at_work = (ImpactState.WAITING, ImpactState.WORKING)
    return select(DecreeImpact).where(DecreeImpact.state.in_(at_work), DecreeImpact.heartbeat_at < at - STANDS_STILL)


# ---- what came of it

MORE = DecreePerson.own_after > DecreePerson.own_before
LESS = DecreePerson.own_after < DecreePerson.own_before
SAME = DecreePerson.own_after == DecreePerson.own_before
SIDE: dict[Side, Any] = {
    Side.MORE: MORE,
    Side.LESS: LESS,
    Side.SAME: SAME,
    Side.BELOW: DecreePerson.below_floor,
}


class Sums(NamedTuple):
    """How many pay more, less or the same, and đồng a month of all of them together, without and with."""

    people: int
    more: int
    less: int
    same: int
    below: int
    gross_before: int
    gross_after: int
    own_before: int
    own_after: int
    state_before: int
    state_after: int
    place_before: int
    place_after: int
    sponsors_before: int
    sponsors_after: int

    @property
    def difference(self) -> int:
        return self.own_after - self.own_before

    @property
    def differs(self) -> bool:
        return bool(self.more or self.less)


def _a_month(column: Any) -> ColumnElement[Any]:
    return func.coalesce(func.round(func.sum(cast(column, Numeric) / DecreePerson.months)), 0)


def sums(session: Session, scope: Scope, row: Decree, *by: Any) -> list[tuple[tuple[Any, ...], Sums]]:
    """The sums for each value of some columns, among those this person may see."""
    each = [
        _a_month(getattr(DecreePerson, f"{layer}_{when}"))
        for layer in ("gross", "own", "state", "place", "sponsors")
        for when in ("before", "after")
    ]
    counts = [
        func.count(),
        *(func.count().filter(SIDE[side]) for side in (Side.MORE, Side.LESS, Side.SAME, Side.BELOW)),
    ]
    query = (
        select(*by, *counts, *each).select_from(DecreePerson).join(Prospect, _PERSON).where(_of(row), listed_to(scope))
    )
    found = session.execute(query.group_by(*by) if by else query)
    return [(tuple(line[: len(by)]), Sums(*(int(number) for number in line[len(by) :]))) for line in found]


_PERSON = and_(Prospect.town_id == DecreePerson.town_id, Prospect.id == DecreePerson.prospect_id)


def _of(row: Decree) -> ColumnElement[bool]:
    return and_(DecreePerson.town_id == row.town_id, DecreePerson.decree_id == row.id)


class Line(NamedTuple):
    """Somebody a decree concerns."""

    found: DecreePerson
    person: Prospect


def people_of(
    session: Session,
    scope: Scope,
    row: Decree,
    *,
    side: Side | None,
    takes_part: bool | None,
    place_id: UUID | None,
    cursor: str | None,
    size: int = 50,
) -> tuple[Page[Line], int]:
    """One page of those a decree concerns, by name, and how many they are."""
    query: Any = select(DecreePerson, Prospect).join(Prospect, _PERSON).where(_of(row), listed_to(scope))
    if side:
        query = query.where(SIDE[side])
    if takes_part is not None:
        query = query.where(DecreePerson.takes_part == takes_part)
    if place_id:
        query = query.where(DecreePerson.place_id == place_id)
    total = session.scalar(query.with_only_columns(func.count())) or 0
    order = (Prospect.name_key, Prospect.id)
    found = page(session, query, order, cursor=cursor, size=size, key=lambda one: (one[1].name_key, one[1].id))
    return Page([Line(*one) for one in found.rows], found.next), total
