"""People on the way counted, however they are divided; and the list behind every figure.

A count and its list ask the same condition, of the same people or of the sums that are kept with them (crm/prospects/tally),
so they cannot differ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import Date, Select, Subquery, and_, case, distinct, func, literal, select
from sqlalchemy.orm import Session

from crm import clock
from crm.months import Month
from crm.names import sort_key, title_key
from crm.outreach.models import Visit
from crm.outreach.rules import CHANNELS, Outcome, Reason
from crm.participation.models import Participation
from crm.participation.rules import Span
from crm.places.boundaries import Boundaries, boundaries
from crm.prospects.models import Prospect, Standing
from crm.prospects.queries.seeing import ORDER
from crm.prospects.queries.standing import valid_on
from crm.prospects.rules import STRENGTH, Ground, Stage
from crm.prospects.wording import GROUNDS
from crm.reports.pipeline import queries
from crm.reports.pipeline.queries import Among, talks
from crm.reports.pipeline.rules import IN_PERIOD, Counts, Divided, Division, What
from crm.reports.pipeline.standing import (
    BY_ORGANISATION,
    BY_VOLUNTEER,
    TOGETHER,
    Dividing,
    by_place,
    names_of,
    stage_at,
    standing,
    there,
)
from crm.reports.rules import ON_THE_WAY, By
from crm.web.pager import Page, page

NONE = "none"


def counts(session: Session, among: Among, span: Span) -> Counts:
    """Everybody of `among` counted together."""
    return _counted(session, among, span, TOGETHER).get((), Counts())


def divided(session: Session, among: Among, span: Span, by: Division) -> list[Divided]:
    """The same figures for each ward, organisation and so on that has anybody, by name. Who was met in two ways stands
    in both; everything else divides everybody."""
    if by is Division.MONTH:
        return list(_months(session, among, span))
    within = boundaries(session, among.scope.town_id, span.as_of)
    found: dict[Any, Counts] = {}
    for key, one in _counted(session, among, span, _dividing(by, among, span, within)).items():
        found.setdefault(_key(by, key, within), Counts()).add(one)
    names = _names(session, among, by, list(found))
    named = [Divided(str(key or NONE), names.get(key, _("Not on record")), one) for key, one in found.items()]
    in_order = sort_key if by is Division.VOLUNTEER else title_key
    return sorted(named, key=lambda one: (one.key == NONE, in_order(one.name), one.key))


def _counted(session: Session, among: Among, span: Span, by: Dividing) -> dict[tuple[Any, ...], Counts]:
    """By the values of the columns: how many people are at each stage, and to how many of them each thing happened."""
    found: dict[tuple[Any, ...], Counts] = defaultdict(Counts)
    (stood,) = standing(session, among, [span.as_of], by)
    for (values, stage), number in stood.items():
        found[values].stages[stage] += number
    for whats, figures, who in _sets(among, span):
        query = by.of_people(*figures).join(who, who.c.prospect_id == Prospect.id).where(among.condition)
        for (*key_and_people,) in session.execute(query):
            key, people = key_and_people[: -len(whats)], key_and_people[-len(whats) :]
            for what, number in zip(whats, people, strict=True):
                found[tuple(key)].happened[what] += number
    return found


def _sets(among: Among, span: Span) -> Iterator[tuple[Sequence[What], Sequence[Any], Subquery]]:
    """Things that happen, how each is counted, and to whom they happened, everybody once."""
    refused = func.bool_or(Visit.outcome == Outcome.REFUSED).label("refused")
    talked = (
        talks(among.scope, span).with_only_columns(Visit.prospect_id, refused).group_by(Visit.prospect_id).subquery()
    )
    yield (What.MET, What.REFUSED), (func.count(), func.count().filter(talked.c.refused)), talked
    for what in (What.WON, What.LEFT):
        yield (what,), (func.count(),), _happened(among, span, what).distinct().subquery()


def _happened(among: Among, span: Span, what: What) -> Select[UUID]:
    who = {
        What.MET: queries.who_met,
        What.REFUSED: queries.who_refused,
        What.WON: queries.who_won,
        What.LEFT: queries.who_left,
    }[what]
    return who(among.scope, span)


# ---- what they are divided by


def _dividing(by: Division, among: Among, span: Span, within: Boundaries) -> Dividing:
    if by is Division.PLACE:
        return by_place(within)
    if by is Division.ORGANISATION:
        return BY_ORGANISATION
    if by is Division.VOLUNTEER:
        return BY_VOLUNTEER
    if by is Division.CHANNEL:
        ways = talks(among.scope, span).with_only_columns(Visit.prospect_id, Visit.channel).distinct().subquery("ways")
        return Dividing(lambda of: (ways.c.channel,), [(ways, False)])
    strongest = _strongest(among, span.as_of)
    ground = func.coalesce(strongest.c.strength, literal(STRENGTH[Ground.OTHER], literal_execute=True))
    return Dividing(lambda of: (ground,), [(strongest, True)])


def _strongest(among: Among, day: date) -> Subquery:
    strength = case({ground: place for ground, place in STRENGTH.items()}, value=Standing.ground)  # noqa: C416
    return (
        select(Standing.prospect_id, func.min(strength).label("strength"))
        .where(Standing.town_id == among.scope.town_id, *valid_on(day))
        .group_by(Standing.prospect_id)
        .subquery("strongest")
    )


def _key(by: Division, values: Any, within: Boundaries) -> Any:
    if by is Division.PLACE:
        return within.unit_of(values[0], values[1])
    return list(Ground)[values[0]] if by is Division.STANDING else values[0]


def _names(session: Session, among: Among, by: Division, keys: list[Any]) -> Mapping[Any, str]:
    if by in (Division.CHANNEL, Division.STANDING):
        return {key: str(words) for key, words in (CHANNELS if by is Division.CHANNEL else GROUNDS).items()}  # type: ignore[attr-defined]
    return names_of(session, among.scope, By(by.value), keys)


MOST_MONTHS = 12


def _months(session: Session, among: Among, span: Span) -> Iterator[Divided]:
    """What happened in each of the last twelve months of a period; four statements."""
    last = Month.of(span.as_of)
    first = max(Month.of(span.since), last - (MOST_MONTHS - 1))
    days = Span(max(span.since, first.first_day), span.as_of)
    found = {what: _by_month(session, among, days, what) for what in IN_PERIOD}
    for month in first.until(last + 1):
        happened = {what: found[what].get(month, 0) for what in IN_PERIOD}
        own = Span(max(month.first_day, days.since), min(month.last_day, days.as_of))
        yield Divided(str(month), f"{month.number}/{month.year}", Counts(happened=happened), own)


def _by_month(session: Session, among: Among, span: Span, what: What) -> dict[Month, int]:
    day, model = _day_of(what)
    month = func.date_trunc("month", day).cast(Date)
    same = and_(Prospect.town_id == model.town_id, Prospect.id == model.prospect_id)
    query = (
        _happened(among, span, what)
        .join(Prospect, same)
        .where(among.condition)
        .with_only_columns(month, func.count(distinct(model.prospect_id)))
        .group_by(month)
    )
    return {Month.of(row[0]): row[1] for row in session.execute(query)}


def _day_of(what: What) -> tuple[Any, Any]:
    if what is What.WON:
        return Participation.started_on, Participation
    if what is What.LEFT:
        return Participation.ended_on, Participation
    return func.timezone(clock.LOCAL.key, Visit.occurred_at), Visit


# ---- the people behind a figure


class Asked(NamedTuple):
    """Which figure: with a stage, a stage stepped from, a reason, a month of joining and a month paid where it has them."""

    what: What
    stage: Stage | None = None
    origin: Stage | None = None
    reason: Reason | None = None
    month: Month | None = None
    paid: Month | None = None
    ground: Ground | None = None
    until: date | None = None
    """Until when those who are due have to pay."""


def people(among: Among, span: Span, asked: Asked) -> Select[Prospect]:
    """The people whom a figure counts."""
    query = select(Prospect).where(among.condition)
    if asked.what in (What.STAGE, What.ON_THE_WAY):
        stages = (asked.stage or Stage.NEW,) if asked.what is What.STAGE else ON_THE_WAY
        today = clock.today()
        stage, last = stage_at(among, span.as_of, today)
        if last is not None:
            query = query.outerjoin(last, last.c.prospect_id == Prospect.id)
        return query.where(stage.in_(stages), there(span.as_of, today))
    return query.where(Prospect.id.in_(_who(among, span, asked)))


def _who(among: Among, span: Span, asked: Asked) -> Select[UUID]:
    stage = asked.stage or Stage.NEW
    if asked.what is What.STEP:
        return queries.who_stepped(among, span, asked.origin or Stage.NEW, stage)
    if asked.what is What.LEFT_STAGE:
        return queries.who_left_stage(among, span, stage)
    if asked.what is What.COHORT:
        return queries.who_paid(among, asked.month or Month.of(span.as_of), asked.paid, span.as_of)
    if asked.what is What.DUE:
        return queries.who_pays_until(among.scope, span.as_of, asked.until or span.as_of, asked.ground)
    if asked.what is What.REFUSED:
        return queries.who_refused(among.scope, span, asked.reason)
    return _happened(among, span, asked.what)


def page_of(session: Session, query: Select[Prospect], cursor: str | None, size: int = 50) -> Page[Prospect]:
    """One page of them, by name."""
    return page(session, query, ORDER, cursor=cursor, size=size, key=_place_by_name)


def _place_by_name(person: Any) -> tuple[Any, ...]:
    return person.name_key, person.id


def count(session: Session, query: Select[Prospect]) -> int:
    """How many they are."""
    return session.scalar(query.with_only_columns(func.count())) or 0
