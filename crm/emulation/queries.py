"""What organisations and volunteers did over a period: who joined through them, who left, whom they met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import Organisation
from crm.accounts.queries import Scope, volunteers_for
from crm.emulation.models import Commendation, CreditRule
from crm.emulation.rules import LOST, Competitor, Credit, Standing, table
from crm.outreach.models import Visit
from crm.participation.models import Participation
from crm.participation.queries import holds_on
from crm.participation.rules import Span
from crm.prospects.models import Prospect
from crm.prospects.queries.seeing import listed_to, visible_to
from crm.targets import queries as targets

USUAL_DAYS = 90
"""How long before joining a visit counts where no rule was declared yet."""


class Rule(NamedTuple):
    """To whom those who joined from a day on are credited."""

    since: date
    credit: Credit
    days: int


def rules(session: Session, town_id: UUID) -> list[Rule]:
    """The rules of credit in the order of their days; before the first, whoever brought somebody in has the credit."""
    query = (
        select(CreditRule)
        .where(CreditRule.town_id == town_id)
        .distinct(CreditRule.since)
        .order_by(CreditRule.since, CreditRule.recorded_at.desc(), CreditRule.id.desc())
    )
    first = Rule(date.min, Credit.BROUGHT, USUAL_DAYS)
    return [first, *(Rule(row.since, row.credit, row.days) for row in session.scalars(query))]


def organisations(session: Session, scope: Scope, span: Span) -> list[Standing]:
    """Every organisation that looks after people or brought some in."""
    credit = credits_of(session, scope, span)
    left = _left(session, scope, span, Participation.organisation_id)
    stock = _stock(session, scope, span, Participation.organisation_id)
    cared = _cared_for(session, scope, Prospect.organisation_id)
    visits = _visits(session, scope, span, Visit.organisation_id)
    wanted = targets.by_organisation(session, scope.town_id, span.as_of.year)
    query = select(Organisation.id, Organisation.name).where(Organisation.town_id == scope.town_id)
    named = {row[0]: row[1] for row in session.execute(query)}
    keys = [one for one in named if cared[one] or credit.get(one) or stock[one] or one in wanted]
    return table(
        Competitor(
            one,
            named[one],
            max(cared[one], stock[one]),
            stock[one],
            wanted[one].people if one in wanted else None,
            credit.get(one, Fraction(0)),
            left[one],
            visits[one],
        )
        for one in keys
    )


def volunteers(session: Session, scope: Scope, span: Span) -> list[Standing]:
    """Every volunteer to whom somebody may give work."""
    joined = _began(session, scope, span, Participation.recruited_by_id)
    left = _left(session, scope, span, Participation.recruited_by_id)
    stock = _stock(session, scope, span, Prospect.volunteer_id)
    cared = _cared_for(session, scope, Prospect.volunteer_id)
    visits = _visits(session, scope, span, Visit.user_id)
    wanted = targets.by_volunteer(session, scope.town_id, span.as_of.year)
    people = session.scalars(volunteers_for(scope)).all()
    return table(
        Competitor(
            one.id,
            one.full_name,
            max(cared[one.id], stock[one.id]),
            stock[one.id],
            wanted[one.id].people if one.id in wanted else None,
            Fraction(joined[one.id]),
            left[one.id],
            visits[one.id],
        )
        for one in people
        if cared[one.id] or joined[one.id] or visits[one.id]
    )


def credits_of(session: Session, scope: Scope, span: Span) -> dict[UUID, Fraction]:
    """Who joined or came back, credited to organisations by the rule of the day each of them began."""
    declared = rules(session, scope.town_id)
    ends = [one.since - timedelta(days=1) for one in declared[1:]] + [date.max]
    found: dict[UUID, Fraction] = {}
    for rule, last in zip(declared, ends, strict=True):
        since, as_of = max(rule.since, span.since), min(last, span.as_of)
        if since > as_of:
            continue
        part = Span(since, as_of)
        for organisation_id, credit in _credited(session, scope, part, rule):
            found[organisation_id] = found.get(organisation_id, Fraction(0)) + credit
    return found


def _credited(session: Session, scope: Scope, span: Span, rule: Rule) -> Iterator[tuple[UUID, Fraction]]:
    if rule.credit is Credit.BROUGHT:
        for key, number in _began(session, scope, span, Participation.organisation_id).items():
            yield key, Fraction(number)
        return
    began = _spells(scope).where(_began_in(span))
    brought = began.with_only_columns(Participation.id.label("spell"), Participation.organisation_id.label("unit"))
    met = (
        began.join(Visit, and_(Visit.town_id == Participation.town_id, Visit.prospect_id == Participation.prospect_id))
        .where(Visit.withdrawn_at.is_(None), Visit.organisation_id.is_not(None))
        .where(Participation.started_on >= _DAY_OF_VISIT)
        .where(Participation.started_on - rule.days <= _DAY_OF_VISIT)
        .with_only_columns(Participation.id, Visit.organisation_id)
    )
    shared = brought.where(Participation.organisation_id.is_not(None)).union(met).subquery()
    among = select(shared.c.spell, func.count().label("units")).group_by(shared.c.spell).subquery()
    query = (
        select(shared.c.unit, among.c.units, func.count())
        .join(among, among.c.spell == shared.c.spell)
        .group_by(shared.c.unit, among.c.units)
    )
    for unit, units, number in session.execute(query):
        yield unit, Fraction(number, units)


_DAY_OF_VISIT = func.date(func.timezone(str(clock.LOCAL), Visit.occurred_at))
"""The day in Vietnam."""


def _spells(scope: Scope) -> Select[Any]:
    same = and_(Prospect.town_id == Participation.town_id, Prospect.id == Participation.prospect_id)
    return select(Participation.id).join(Prospect, same).where(visible_to(scope), Participation.withdrawn_at.is_(None))


def _began_in(span: Span) -> ColumnElement[bool]:
    return Participation.started_on.between(span.since, span.as_of)


def _counted(session: Session, query: Select[Any], by: Any) -> Counter[UUID]:
    rows = session.execute(query.with_only_columns(by, func.count()).group_by(by)).tuples()
    return Counter({key: number for key, number in rows if key})


def _began(session: Session, scope: Scope, span: Span, by: Any) -> Counter[UUID]:
    return _counted(session, _spells(scope).where(_began_in(span)), by)


def _left(session: Session, scope: Scope, span: Span, by: Any) -> Counter[UUID]:
    ended = Participation.ended_on.between(span.since, span.as_of), Participation.ended_as.in_(LOST)
    return _counted(session, _spells(scope).where(*ended), by)


def _stock(session: Session, scope: Scope, span: Span, by: Any) -> Counter[UUID]:
    return _counted(session, _spells(scope).where(holds_on(span.as_of)), by)


def _cared_for(session: Session, scope: Scope, by: Any) -> Counter[UUID]:
    return _counted(session, select(Prospect.id).where(listed_to(scope)), by)


def _visits(session: Session, scope: Scope, span: Span, by: Any) -> Counter[UUID]:
    same = and_(Prospect.town_id == Visit.town_id, Prospect.id == Visit.prospect_id)
    when = Visit.occurred_at >= clock.at(span.since), Visit.occurred_at < clock.at(span.as_of + timedelta(days=1))
    query = select(Visit.id).join(Prospect, same).where(visible_to(scope), *when, Visit.withdrawn_at.is_(None))
    return _counted(session, query, by)


# ---- Biểu 06


def commendations(session: Session, town_id: UUID, year: int) -> Sequence[Commendation]:
    """The lines of a year's list, in their order."""
    query = select(Commendation).where(
        Commendation.town_id == town_id, Commendation.year == year, Commendation.removed_at.is_(None)
    )
    return session.scalars(query.order_by(Commendation.position, Commendation.id)).all()


def years_before(session: Session, town_id: UUID, year: int, key: UUID) -> int:
    """How many years in a row until the year before somebody was on a list that went."""
    query = select(Commendation.year).where(
        Commendation.town_id == town_id,
        or_(Commendation.organisation_id == key, Commendation.user_id == key),
        Commendation.sent_at.is_not(None),
        Commendation.removed_at.is_(None),
    )
    known, before = set(session.scalars(query)), 0
    while year - 1 - before in known:
        before += 1
    return before
