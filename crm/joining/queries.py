"""Which dossiers someone may see, what their rows are, and what still holds them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import force_locale
from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import Role
from crm.errors import NotFound, RuleBroken
from crm.joining.models import Dossier, DossierList, DossierStep, ListedDossier
from crm.joining.rules import (
    CLOSED,
    REPEATED_WITHIN,
    Known,
    Movement,
    Outcome,
    Problem,
    Row,
    State,
    code_of,
    movement_of,
    problems,
    row_of_payment,
    row_of_stopping,
)
from crm.money import Vnd
from crm.months import Month
from crm.participation.elsewhere.queries import latest as insurance_record
from crm.participation.missing.queries import refuse_others
from crm.participation.queries import grounds_on, months_paid, open_spell, quote_for, spell_of
from crm.participation.rules import Ending, first_months, late_months_from, out_of_turn, refuse_early
from crm.participation.screening.queries import latest as screened
from crm.participation.screening.queries import verdict_of
from crm.phones import pretty
from crm.places.models import Place
from crm.premiums.queries import law
from crm.premiums.rules.law import Law, LawOnDay
from crm.premiums.rules.quotes import Quote
from crm.premiums.rules.wording import GROUNDS
from crm.prospects.models import Prospect, Standing
from crm.prospects.queries.seeing import visible_to
from crm.prospects.rules import Ground
from crm.sponsors.models import Allocation
from crm.web import filters
from crm.web.filters import VIETNAMESE
from crm.web.pager import Page, page

AN_AGENT_SEES = (State.HANDED_OVER, State.SUBMITTED, State.ACCEPTED)


def seen_by(scope: Scope) -> ColumnElement[bool]:
    """Dossiers of the people someone may see, and those that were handed to them: a hand-over shows the agent the
    dossier, also once it was accepted, and nothing else of the person."""
    mine = and_(Dossier.agent_id == scope.user_id, Dossier.state.in_(AN_AGENT_SEES))
    return and_(Dossier.town_id == scope.town_id, Prospect.town_id == scope.town_id, or_(visible_to(scope), mine))


class Line(NamedTuple):
    """A dossier with its person, the ward, the agent, the list, and its row there once that was handed in."""

    dossier: Dossier
    person: Prospect
    place: Place
    agent: str | None
    listed: DossierList | None
    within: bool
    """Whether the person as such may be seen, not only the dossier."""
    handed_in: ListedDossier | None

    @property
    def name(self) -> str:
        """The person's name; for whoever sees the dossier alone the one it was handed in with."""
        if self.within or self.handed_in is None:
            return self.person.full_name
        return self.handed_in.row.HoTen

    @property
    def to_read(self) -> bool:
        """Whether all is over for whoever sees the dossier alone: it may be read, and nothing of the person taken away."""
        return not self.within and self.dossier.state in CLOSED


_ROW_NOW = and_(
    ListedDossier.town_id == Dossier.town_id,
    ListedDossier.dossier_id == Dossier.id,
    ListedDossier.outcome != Outcome.RETURNED,
)


def _ward(scope: Scope) -> Any:
    """The ward of the person; for whoever sees the dossier alone the one it was handed in with."""
    return case((visible_to(scope), Prospect.place_id), else_=func.coalesce(ListedDossier.place_id, Prospect.place_id))


def _lines(scope: Scope) -> Any:
    agent = aliased(User)
    return (
        select(Dossier, Prospect, Place, agent.full_name, DossierList, visible_to(scope), ListedDossier)
        .join(Prospect, and_(Prospect.town_id == Dossier.town_id, Prospect.id == Dossier.prospect_id))
        .outerjoin(ListedDossier, _ROW_NOW)
        .join(Place, and_(Place.town_id == Prospect.town_id, Place.id == _ward(scope)))
        .outerjoin(agent, and_(agent.town_id == Dossier.town_id, agent.id == Dossier.agent_id))
        .outerjoin(DossierList, and_(DossierList.town_id == Dossier.town_id, DossierList.id == Dossier.list_id))
        .where(seen_by(scope))
    )


def dossier_seen(session: Session, scope: Scope, dossier_id: UUID) -> Line:
    """One dossier. Raises NotFound."""
    row = session.execute(_lines(scope).where(Dossier.id == dossier_id)).one_or_none()
    if row is None:
        raise NotFound
    return Line(*row)


@dataclass(frozen=True)
class Asked:
    """What a list of dossiers is narrowed to."""

    state: State | None = None
    place_ids: tuple[UUID, ...] | None = None
    """A ward with everything it came from."""
    agent_id: UUID | None = None
    prospect_id: UUID | None = None


def _narrowed(query: Any, scope: Scope, asked: Asked) -> Any:
    if asked.state:
        query = query.where(Dossier.state == asked.state)
    if asked.place_ids is not None:
        query = query.where(_ward(scope).in_(asked.place_ids))
    if asked.agent_id:
        query = query.where(Dossier.agent_id == asked.agent_id)
    if asked.prospect_id:
        query = query.where(Dossier.prospect_id == asked.prospect_id)
    return query


def page_of(session: Session, scope: Scope, asked: Asked, *, cursor: str | None, size: int = 50) -> Page[Line]:
    """One page of dossiers, those that have waited longest first."""
    found = page(
        session,
        _narrowed(_lines(scope), scope, asked),
        (Dossier.changed_at, Dossier.id),
        cursor=cursor,
        size=size,
        kinds=(datetime.fromisoformat, UUID),
        key=lambda row: (row[0].changed_at.isoformat(), row[0].id),
    )
    return Page([Line(*row) for row in found.rows], found.next)


def counts(session: Session, scope: Scope, asked: Asked = Asked()) -> dict[State, int]:
    """How many dossiers stand in each state."""
    query = (
        select(Dossier.state, func.count())
        .join(Prospect, and_(Prospect.town_id == Dossier.town_id, Prospect.id == Dossier.prospect_id))
        .outerjoin(ListedDossier, _ROW_NOW)
        .where(seen_by(scope))
        .group_by(Dossier.state)
    )
    return {row[0]: row[1] for row in session.execute(_narrowed(query, scope, asked))}


def open_dossier_of(session: Session, person: Prospect) -> Dossier | None:
    """The dossier of somebody that is not closed yet."""
    query = select(Dossier).where(Dossier.town_id == person.town_id, Dossier.prospect_id == person.id)
    return session.scalars(query.where(Dossier.state.not_in(CLOSED)).limit(1)).first()


def steps_of(session: Session, dossier: Dossier) -> Sequence[tuple[DossierStep, str | None, str | None]]:
    """The steps a dossier took, the newest first: with who did it and the agent."""
    by, agent = aliased(User), aliased(User)
    query = (
        select(DossierStep, by.full_name, agent.full_name)
        .outerjoin(by, and_(by.town_id == DossierStep.town_id, by.id == DossierStep.by_id))
        .outerjoin(agent, and_(agent.town_id == DossierStep.town_id, agent.id == DossierStep.agent_id))
        .where(DossierStep.town_id == dossier.town_id, DossierStep.dossier_id == dossier.id)
        .order_by(DossierStep.at.desc(), DossierStep.id.desc())
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def agents(session: Session, town_id: UUID) -> Sequence[User]:
    """Collection agents to whom a dossier may be handed."""
    query = select(User).where(User.town_id == town_id, User.role == Role.AGENT, User.active)
    return session.scalars(query.order_by(User.full_name)).all()


# ---- the figures


@dataclass(frozen=True)
class Worked:
    """A dossier worked out: its movement, its quote and row, or why there is none, and what holds it back."""

    movement: Movement
    quote: Quote | None
    row: Row | None
    problems: Sequence[Problem]

    @property
    def complete(self) -> bool:
        return not any(one.firm for one in self.problems)


def allocation_for(session: Session, dossier: Dossier) -> tuple[Allocation | None, bool]:
    """The sponsor's money set aside for exactly the months of a dossier, and whether some is for other months."""
    query = select(Allocation).where(
        Allocation.town_id == dossier.town_id,
        Allocation.prospect_id == dossier.prospect_id,
        Allocation.released_at.is_(None),
        Allocation.payment_id.is_(None),
    )
    waiting = session.scalars(query).all()
    theirs = None if dossier.missing else (dossier.start_month, dossier.months)
    same = next((one for one in waiting if (one.start_month, one.carried_months) == theirs), None)
    return same, bool(waiting) and same is None


def work_out(session: Session, dossier: Dossier, person: Prospect, day: date, all_law: Law | None = None) -> Worked:
    """What a dossier declares if it is submitted on a day, under the law of that day."""
    rules = all_law or law(session)
    if dossier.movement is Movement.STOPS:
        return _stopping(session, dossier, person, day, rules)
    income, _length, start, plan = dossier.chosen
    movement = movement_now(session, person, start, day, rules, missing=dossier.missing)
    grounds = grounds_on(session, person, day)
    set_aside, otherwise = allocation_for(session, dossier)
    quote: Quote | None = None
    refusal: Any = None
    too_late = False
    try:
        _refuse_gap(session, person, start)
        if dossier.missing:
            refuse_others(session, person, rules, day, plan.months)
        elif movement is Movement.PAYS_ON:
            refuse_early(rules.on(day), start)
        quote = quote_for(
            session,
            person,
            income=income,
            plan=plan,
            start=start,
            paid_on=day,
            grounds=grounds,
            other_support=set_aside.carried_amount if set_aside else 0,
            all_law=rules,
        )
        first, last = first_months(day, rules.on(day), plan)
        made_up = movement is Movement.LATE and not dossier.missing
        registers = open_spell(session, person) is None and not made_up
        too_late = registers and not first <= start <= last
        too_late = too_late or (movement is Movement.PAYS_ON and quote.late)
    except RuleBroken as refused:
        refusal = refused.message
    ground = quote.ground if quote else Ground.OTHER
    known = _known(
        session,
        dossier,
        person,
        day,
        rules,
        refusal=refusal,
        months_paid=bool(months_paid(session, person, start, plan.months)),
        too_late=too_late,
        ground=ground if quote and quote.state_support else Ground.OTHER,
        certified=_certified(session, person, ground, day),
        sponsored_otherwise=otherwise or (set_aside is not None and income != rules.on(day).floor),
        late=movement is Movement.LATE or (movement is Movement.RETURNS and start < Month.of(day)),
        missing=dossier.missing,
    )
    row = None
    if quote:
        row = row_of_payment(
            quote,
            rules.on(day),
            movement,
            name=person.full_name,
            code=code_of(person.insurance_number, person.citizen_id, rules.on(day)),
            remarks=remarks_on(person, ground, dossier.email, quote.interest if dossier.missing else None),
        )
    return Worked(movement, quote, row, problems(known))


def _refuse_gap(session: Session, person: Prospect, start: Month) -> None:
    """Whoever takes part pays the month after the last one; a gap would be refused when the payment is recorded."""
    spell = open_spell(session, person)
    following = Month.of(spell.paid_through) + 1 if spell and spell.paid_through else start
    if start > following:
        raise out_of_turn(following)


def movement_now(
    session: Session, person: Prospect, start: Month, day: date, rules: Law, *, missing: bool = False
) -> Movement:
    """What a payment from a month declares, by the books as they stand; of whoever is not in them, by the insurance record:
    who paid voluntarily elsewhere up to the month before pays on, who paid earlier comes back."""
    spell = spell_of(session, person)
    paper = insurance_record(session, person) if spell is None else None
    elsewhere = paper if paper and paper.took_part else None
    return movement_of(
        took_part=spell is not None
        or elsewhere is not None
        or bool(person.insurance_masked and person.stage == "lapsed"),
        paid_through=Month.of(spell.paid_through) if spell and spell.paid_through else None,
        ended_as=spell.ended_as if spell else None,
        ended=spell.ended_on is not None if spell else not (elsewhere and start == elsewhere.through + 1),
        start=start,
        this=Month.of(day),
        late_from=late_months_from(rules.on(day)),
        missing=missing,
    )


def next_month_of(session: Session, person: Prospect, rules: LawOnDay) -> Month | None:
    """The month after the last one paid, where a payment may begin with it: of whoever takes part, and of whoever lapsed
    where the insurance office lets that month be made up."""
    spell = spell_of(session, person)
    if spell is None or spell.paid_through is None:
        return None
    following, late_from = Month.of(spell.paid_through) + 1, late_months_from(rules)
    made_up = spell.ended_as is Ending.LAPSED and late_from is not None and late_from <= following
    return following if spell.ended_on is None or made_up else None


def _stopping(session: Session, dossier: Dossier, person: Prospect, day: date, rules: Law) -> Worked:
    assert dossier.stop_on, "a dossier that stops says when"
    spell = spell_of(session, person)
    row = row_of_stopping(
        name=person.full_name,
        code=code_of(person.insurance_number, person.citizen_id, rules.on(day)),
        month=Month.of(dossier.stop_on),
        income=spell.income if spell else 0,
        method=str(spell.method or "") if spell else "",
        remarks=remarks_on(person, Ground.OTHER, dossier.email),
    )
    return Worked(Movement.STOPS, None, row, problems(_known(session, dossier, person, day, rules)))


def _known(session: Session, dossier: Dossier, person: Prospect, day: date, rules: Law, **figures: Any) -> Known:
    return Known(
        verdict=verdict_of(session, person, day, rules),
        screened=screened(session, person) is not None,
        birth_date=person.birth_date,
        birth_year=person.birth_year,
        sex=person.sex,
        citizen_id=person.citizen_id,
        phone=person.phone or person.other_phone,
        address=person.address or (str(person.neighbourhood_id) if person.neighbourhood_id else None),
        stops=dossier.movement is Movement.STOPS,
        number_elsewhere=_number_elsewhere(session, person),
        declared_lately=_declared_lately(session, dossier, person),
        **figures,
    )


def _number_elsewhere(session: Session, person: Prospect) -> bool:
    if person.citizen_index is None:
        return False
    return bool(
        session.scalar(
            select(
                exists().where(
                    Prospect.town_id == person.town_id,
                    Prospect.citizen_index == person.citizen_index,
                    Prospect.id != person.id,
                    Prospect.merged_into_id.is_(None),
                )
            )
        )
    )


def _declared_lately(session: Session, dossier: Dossier, person: Prospect) -> bool:
    """Whether the same number went to the office with another dossier within the last days."""
    same = Prospect.id == person.id
    if person.citizen_index is not None:
        same = or_(same, Prospect.citizen_index == person.citizen_index)
    query = (
        select(Dossier.id)
        .join(Prospect, and_(Prospect.town_id == Dossier.town_id, Prospect.id == Dossier.prospect_id))
        .join(DossierStep, and_(DossierStep.town_id == Dossier.town_id, DossierStep.dossier_id == Dossier.id))
        .where(Dossier.town_id == dossier.town_id, Dossier.id != dossier.id, same)
        .where(DossierStep.to_state == State.SUBMITTED, DossierStep.at > dossier.changed_at - REPEATED_WITHIN)
        .where(Dossier.state.in_((State.SUBMITTED, State.ACCEPTED)))
    )
    return session.scalar(query.limit(1)) is not None


def _certified(session: Session, person: Prospect, ground: Ground, day: date) -> bool:
    """Whether the paper of a ground is written down: its own, or the household's. An island is a place, not a paper."""
    if ground in (Ground.OTHER, Ground.ISLAND):
        return True
    query = select(Standing.id).where(
        Standing.town_id == person.town_id,
        Standing.prospect_id == person.id,
        Standing.ground == ground,
        Standing.valid_from <= day,
        or_(Standing.valid_to.is_(None), Standing.valid_to > day),
        or_(Standing.certificate.is_not(None), Standing.certificate_id.is_not(None)),
    )
    return session.scalar(query.limit(1)) is not None


def remarks_on(person: Prospect, ground: Ground, email: str | None, interest: Vnd | None = None) -> str:
    """What agents write into the last column: the group, the phone, the birth, and of missing months the interest in
    their premium. Never the ethnic group. It is the insurance office's paper and in its language, whoever prints it."""
    phone = person.phone or person.other_phone
    with force_locale(VIETNAMESE):
        parts = [str(GROUNDS[ground])]
        if interest is not None:
            parts.append(f"Đóng một lần cho thời gian còn thiếu, gồm lãi {filters.number(interest)} đ")
    if phone:
        parts.append(f"SĐT {pretty(phone).replace(' ', '')}")
    if born := f"{person.birth_date:%d/%m/%Y}" if person.birth_date else person.birth_year:
        parts.append(f"Ngày sinh {born}")
    return ", ".join([*parts, email] if email else parts)
