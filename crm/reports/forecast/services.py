"""A forecast is made of what is known, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from json import dumps
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crm.ids import new_id
from crm.months import Month
from crm.participation.rules import Span
from crm.participation.tally.queries import by_month
from crm.places.boundaries import boundaries
from crm.places.models import Town
from crm.reports.forecast.models import Forecast
from crm.reports.forecast.outlook import NEVER, Coming, Outlook, Unit
from crm.reports.forecast.reading import Read, effort, everyone, full_months, read
from crm.reports.forecast.rules import (
    DAYS_OF_MONTH,
    HORIZON,
    MONTHS_NEEDED,
    WEEK,
    Futures,
    Lever,
    Past,
    Ward,
    by_agreed,
    by_keeping,
    by_visits,
    chance,
    futures,
    lacking,
    needed,
    strongest,
)
from crm.targets import queries as targets

MONTHS_BACK = 12
"""So many past month ends have a forecast each, made afterwards where none was made in time."""
RECENT = timedelta(days=7)
"""Only a forecast from a day so near says what would move it: who falls due is known of today alone."""


def make(session: Session, town_id: UUID, as_of: date, *, today: date, at: datetime) -> UUID:
    """Make the forecast from a day on, unless the same was made of the same figures; its id. Safe to run again and beside
    another."""
    known = read(session, town_id, as_of)
    outlook_of = Digested.of(session, town_id, known, with_levers=today - as_of <= RECENT)
    kept = select(Forecast.id).where(
        Forecast.town_id == town_id, Forecast.as_of == as_of, Forecast.digest == outlook_of.digest
    )
    found = session.scalar(kept)
    if found is None:
        said = outlook_of.worked_out().as_json()
        row = {"town_id": town_id, "id": new_id(), "as_of": as_of, "made_at": at, "digest": outlook_of.digest}
        session.execute(insert(Forecast).values(**row, said=said).on_conflict_do_nothing())
        found = session.scalars(kept).one()
    return found


def make_next(session: Session, *, today: date, at: datetime) -> bool:
    """Make one forecast that is missing: of the day before, or of a past month's end. Whether there was one."""
    for town_id in session.scalars(select(Town.id).order_by(Town.id)).all():
        missing = _missing(session, town_id, today)
        if missing:
            make(session, town_id, missing[0], today=today, at=at)
            return True
    return False


def _missing(session: Session, town_id: UUID, today: date) -> list[date]:
    yesterday = today - timedelta(days=1)
    whole = full_months(session, town_id, yesterday)
    ends = [one.last_day for one in whole[MONTHS_NEEDED - 1 :][-MONTHS_BACK:]]
    wanted = [yesterday, *reversed(ends)] if whole else []
    had = set(session.scalars(select(Forecast.as_of).where(Forecast.town_id == town_id, Forecast.as_of.in_(wanted))))
    return [day for day in wanted if day not in had]


class Digested:
    """All that is read, and its digest, which is also the seed: the same figures always say the same."""

    def __init__(self, known: Read, rest: Mapping[str, Any], levers: list[Lever]) -> None:
        self.known, self.rest, self.levers = known, rest, levers
        facts = [known.past, [str(one) for one in known.months], sorted(rest.items(), key=str), levers]
        self.digest = sha256(dumps(facts, default=_plain, sort_keys=True).encode()).hexdigest()

    @classmethod
    def of(cls, session: Session, town_id: UUID, known: Read, *, with_levers: bool) -> Digested:
        as_of = known.past.as_of
        year_end = date((as_of + timedelta(days=1)).year, 12, 31)
        target = targets.town_target(session, town_id, year_end.year)
        within = boundaries(session, town_id, as_of)
        of_places: dict[str, int] = {}
        for place_id, row in targets.by_place(session, town_id, year_end.year).items():
            key = str(within.unit_of(place_id))
            of_places[key] = of_places.get(key, 0) + row.people
        history = by_month(session, everyone(town_id), _history_span(known, as_of))
        rest = {
            "year_end": year_end,
            "target": target.people if target else None,
            "places": of_places,
            "organisations": {
                str(key): row.people for key, row in targets.by_organisation(session, town_id, year_end.year).items()
            },
            "history": [(min(month.last_day, as_of), moved.now) for month, moved in history],
        }
        levers = cls._levers(session, town_id, known, year_end) if with_levers and not lacking(known.past) else []
        return cls(known, rest, levers)

    @staticmethod
    def _levers(session: Session, town_id: UUID, known: Read, year_end: date) -> list[Lever]:
        past, days = known.past, (year_end - known.past.as_of).days
        done = effort(session, town_id, known.months, past.as_of, year_end)
        keys = sorted(map(str, done.visits))
        visits = [done.visits[UUID(key)] for key in keys]
        brought = [done.brought.get(UUID(key), 0) for key in keys]
        return [
            *by_visits(keys, visits, brought, days, done.dwell),
            *by_keeping(done.due, done.fell_due, done.lapsed),
            *by_agreed(past, days / DAYS_OF_MONTH),
        ]

    def worked_out(self) -> Outlook:
        """What it says."""
        past, rest = self.known.past, self.rest
        said: dict[str, Any] = {
            "as_of": past.as_of,
            "stock": past.stock,
            "target": rest["target"],
            "year_end": rest["year_end"],
            "months": past.months,
            "joiners": past.joiners,
            "history": rest["history"],
            "lacking": lacking(past),
        }
        return Outlook(**said) if said["lacking"] else self._with_ranges(said)

    def _with_ranges(self, said: dict[str, Any]) -> Outlook:
        past, target, year_end = self.known.past, said["target"], said["year_end"]
        drawn = futures(past, HORIZON, seed=int(self.digest[:12], 16))
        last = drawn.ends.index(year_end)
        totals, weeks = drawn.totals(last), (year_end - past.as_of).days / WEEK
        leaving = past.stock * _share_leaving(past, weeks)
        return Outlook(
            **said,
            coming=[Coming(end, one) for end, one in zip(drawn.ends, drawn.town(), strict=True)],
            reached=drawn.reached(target) if target else NEVER,
            chance=chance(totals, target) if target else 0.0,
            needed=needed(past.stock, target, leaving, weeks) if target else 0,
            places=self._places(drawn, last, weeks),
            organisations=self._organisations(weeks),
            levers=strongest(self.levers, totals, target),
        )

    def _places(self, drawn: Futures, last: int, weeks: float) -> list[Unit]:
        past, wanted = self.known.past, self.rest["places"]
        share = _share_leaving(past, weeks)
        return [
            Unit(
                key=ward.key,
                stock=ward.stock,
                target=wanted.get(ward.key),
                needed=needed(ward.stock, wanted[ward.key], ward.stock * share, weeks) if ward.key in wanted else None,
                year_end=drawn.ward(place, last),
                own=round(drawn.weights[ward.key], 2),
            )
            for place, ward in enumerate(past.wards)
        ]

    def _organisations(self, weeks: float) -> list[Unit]:
        share, wanted = _share_leaving(self.known.past, weeks), self.rest["organisations"]
        stocks = {str(key): moved.now for key, moved in self.known.now.by_organisation.items() if key}
        return [
            Unit(
                key=key,
                stock=stocks.get(key, 0),
                target=wanted.get(key),
                needed=needed(stocks.get(key, 0), wanted[key], stocks.get(key, 0) * share, weeks)
                if key in wanted
                else None,
            )
            for key in sorted({*stocks, *wanted})
        ]


def _share_leaving(past: Past, weeks: float) -> float:
    """Which share of those who take part drop out in so many weeks, as so far in the whole town."""
    stocks, left = (sum(sum(getattr(ward, name)) for ward in past.wards) for name in ("stocks", "left"))
    return min(left / stocks * weeks * WEEK / DAYS_OF_MONTH, 1.0) if stocks else 0.0


def _history_span(known: Read, as_of: date) -> Span:
    first = known.months[0] if known.months else Month.of(as_of)
    return Span(first.first_day, as_of)


def _plain(value: Any) -> Any:
    """For the digest: the same facts are written the same, in whatever order they were read."""
    if isinstance(value, Past):
        steps = sorted([one.value, other.value, number] for (one, other), number in value.steps.items())
        return {"as_of": value.as_of, "wards": list(value.wards), "steps": steps}
    return vars(value) if isinstance(value, Ward) else str(value)
