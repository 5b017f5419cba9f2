"""Where the year stands, for those who answer for it; and where people stand on the way to taking part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import clock
from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.names import title_key
from crm.participation import queries as participation
from crm.participation.rules import NOBODY, Kind, Movement, Span
from crm.places.boundaries import boundaries
from crm.places.models import Place
from crm.places.rules import UNITS
from crm.prospects.queries.lists import Filters, people
from crm.prospects.rules import Stage
from crm.reports.figures.queries import figures
from crm.reports.figures.rules import Figures
from crm.reports.pipeline.queries import Among
from crm.reports.pipeline.standing import standing
from crm.reports.rules import Row
from crm.targets import queries as targets
from crm.targets.models import Target
from crm.targets.rules import Pace, pace


class ToDecide(NamedTuple):
    """What waits for a decision today, each the length of a list."""

    overdue: int
    due: int
    unassigned: int
    stale: int


@dataclass(frozen=True)
class Home:
    """Everything on the manager's home, as of one day."""

    span: Span
    whole_town: bool
    """Whether the person sees everyone; otherwise every figure is of their own people only."""
    moved: Movement
    target: Target | None
    pace: Pace | None
    places: list[Row]
    organisations: list[Row]
    stages: Mapping[Stage, int]
    to_decide: ToDecide | None
    """Only as of today."""

    @property
    def to_go(self) -> int | None:
        """How many are still missing; negative when the target is passed."""
        return self.target.people - self.moved.now if self.target else None


def home(session: Session, scope: Scope, as_of: date, today: date, drawn: date | None = None) -> Home:
    """The state of the year up to a day, among the people someone may see; wards in the boundaries of `drawn`, by
    default of that day."""
    span = Span.year_to(as_of)
    counted = figures(session, scope, span, drawn)
    moved = counted.total
    whole_town = scope.reach is Reach.ALL
    target = (
        targets.town_target(session, scope.town_id, as_of.year)
        if whole_town
        else own_target(session, scope, as_of.year)
    )
    return Home(
        span=span,
        whole_town=whole_town,
        moved=moved,
        target=target,
        pace=pace(moved.start, moved.now, target.people, span.as_of) if target else None,
        places=places_in(session, scope, counted),
        organisations=_organisations(session, scope, counted),
        stages=stages(session, Among(scope)),
        to_decide=to_decide(session, scope, today) if as_of == today else None,
    )


def unit_of(session: Session, user: User) -> str:
    """What somebody leads, in words: an organisation, a place, or both."""
    organisation = session.get(Organisation, (user.town_id, user.organisation_id)) if user.organisation_id else None
    place = session.get(Place, (user.town_id, user.place_id)) if user.place_id else None
    return ", ".join(unit.name for unit in (organisation, place) if unit) or user.full_name


def own_target(session: Session, scope: Scope, year: int) -> Target | None:
    """The target of a lead's own unit, if it was given exactly one."""
    mine = [
        *targets.measured_places(session, scope, year).values(),
        *targets.measured_organisations(session, scope, year).values(),
    ]
    return mine[0] if len(mine) == 1 else None


def places_in(session: Session, scope: Scope, counted: Figures) -> list[Row]:
    """The units of the boundaries that were counted in, and any other in which somebody was counted: a unit that is several
    in those boundaries keeps a row for those whose former one is not known."""
    within = boundaries(session, scope.town_id, counted.drawn)
    known, moved = participation.places_named(session, scope.town_id), counted.by_place
    wanted: Counter[UUID] = Counter()
    for place_id, target in targets.measured_places(session, scope, counted.span.as_of.year).items():
        wanted[within.unit_of(place_id)] += target.people
    shown = {key for key, place in known.items() if _is_a_row(place, scope, within.day)} | moved.keys()
    return [_row(key, known[key].name, moved.get(key, NOBODY), wanted.get(key)) for key in shown]


def _is_a_row(place: Place, scope: Scope, day: date) -> bool:
    mine = scope.place_ids is None or place.id in scope.place_ids
    return place.kind in UNITS and place.parent_id is not None and place.valid_on(day) and mine


def _organisations(session: Session, scope: Scope, counted: Figures) -> list[Row]:
    moved = counted.by_organisation
    known = participation.organisations_named(session, scope.town_id)
    wanted = targets.measured_organisations(session, scope, counted.span.as_of.year)
    keys = [key for key in known if key in moved or key in wanted]
    people = {key: target.people for key, target in wanted.items()}
    rows = [_row(key, known[key], moved.get(key, NOBODY), people.get(key)) for key in keys]
    return [*rows, _row(None, _("Not on record"), moved[None], None)] if None in moved else rows


def _row(key: UUID | None, name: str, moved: Movement, target: int | None) -> Row:
    return Row(key, name, title_key(name), moved, target)


def stages(session: Session, among: Among) -> dict[Stage, int]:
    """How many of these people stand at each stage now."""
    (stood,) = standing(session, among, [clock.today()])
    return {stage: stood[(), stage] for stage in Stage}


def to_decide(session: Session, scope: Scope, today: date) -> ToDecide:
    """How long the lists are that somebody has to act on."""
    span = Span.year_to(today)
    lists = (
        participation.spells(scope, Kind.OVERDUE, span),
        participation.spells(scope, Kind.DUE, span),
        people(scope, Filters(assigned_to="nobody"), today=today),
        people(scope, Filters(due_before=today), today=today),
    )
    lengths = (one.with_only_columns(func.count()).order_by(None).scalar_subquery() for one in lists)
    overdue, due, unassigned, stale = session.execute(select(*lengths)).one()
    return ToDecide(overdue=overdue, due=due, unassigned=unassigned, stale=stale)
