"""All that a report says in numbers, gathered once, part by part, into plain values that can be frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.emulation.queries import commendations
from crm.emulation.rules import FORMS
from crm.outreach.rules import REASONS, Reason
from crm.participation.guard.rules import STOP_REASONS
from crm.participation.queries import places_named
from crm.participation.rules import Span
from crm.places.models import Place, Town
from crm.places.queries import neighbourhoods
from crm.places.rules import UNITS
from crm.reports.amendments import queries as amendments
from crm.reports.documents import sheets
from crm.reports.documents.models import Report, ReportSnapshot
from crm.reports.documents.queries import counting
from crm.reports.documents.queries.counting import Asked, Stock
from crm.reports.documents.queries.naming import town_called
from crm.reports.documents.rules import FINAL, period_words, written_number
from crm.reports.documents.sheets import Correction, Planned, StockRow
from crm.reports.events import queries as events
from crm.reports.events.models import PublicEvent
from crm.reports.events.rules import ON_PAPER as EVENTS_ON_PAPER
from crm.reports.events.rules import EventKind
from crm.reports.money import queries as money
from crm.reports.money import tables as money_tables
from crm.reports.periods import ReportKind
from crm.reports.rounds import consolidating, correcting
from crm.targets import queries as targets
from crm.targets.models import Target
from crm.targets.rules import INDICATORS, Indicator

PARTS = 8
"""Steps in which the figures are counted, for whoever waits."""
WHOLE = "total"
"""The key of the total among the rows that are kept for comparing."""
STILL_FRESH = timedelta(days=10)
"""So long after the last day it is known from the books of today who had to pay next."""
REPORTED_AT_MOST = 12
"""Earlier reports that are counted again, to see what changed."""


class Wanted(NamedTuple):
    """Which report: its kind and period as written, and the days it is of."""

    kind: ReportKind
    period: str
    span: Span
    place: Place | None
    drawn: date | None


def gather(session: Session, town: Town, wanted: Wanted, counted: Callable[[int], None] = lambda _part: None) -> Any:
    """The figures, in plain values. `counted` is told after each part how many are done."""
    what = counting.asked(session, town.id, wanted.span, wanted.place, wanted.drawn)
    facts: dict[str, Any] = {
        "kind": wanted.kind.value,
        "period": wanted.period,
        "since": wanted.span.since.isoformat(),
        "as_of": wanted.span.as_of.isoformat(),
        "boundaries": what.within.day.isoformat(),
        "town": town_called(session, town.id, wanted.span.as_of),
        "place": wanted.place.name if wanted.place else None,
        "place_id": str(wanted.place.id) if wanted.place else None,
        "tables": [],
    }
    with force_locale("vi"):
        for part, add in enumerate(
            (_stock, _months, _organisations, _sponsors, _telling, _money, _reported, _since), start=1
        ):
            add(session, what, wanted, facts)
            counted(part)
    return facts


# ---- the parts


def _stock(session: Session, what: Asked, wanted: Wanted, facts: dict[str, Any]) -> None:
    rows, total, target = stock_of(session, what)
    compared = counting.year_before_known(session, what)
    facts["tables"].append(
        sheets.of_stock(
            rows,
            total,
            by="Khu phố, thôn" if what.place else "Xã, phường",
            compared=compared,
            notes=[
                f"Theo địa giới hành chính ngày {what.within.day:%d/%m/%Y}; người tham gia tính theo nơi ở khi tham gia."
            ],
        )
    )
    facts["rows"] = kept_rows(rows, total)
    facts["target"] = _target(target)
    facts["total"] = total.stock._asdict() | {
        "target": total.target,
        "start": total.stock.start,
        "left": total.stock.left,
    }
    facts["compared"] = compared
    fresh = clock.today() - what.span.as_of <= STILL_FRESH
    facts["due_after"] = counting.due_after(session, what) if fresh else None
    stopping = counting.reasons_for_stopping(session, what)
    facts["why_stopped"] = [
        [str(STOP_REASONS[reason]), number] for reason, number in _largest(stopping) if reason is not None
    ]
    refusing = counting.reasons_for_refusing(session, what)
    facts["why_refused"] = [[str(REASONS[Reason(reason)]), number] for reason, number in _largest(refusing)]


def _largest(found: Mapping[Any, int]) -> list[tuple[Any, int]]:
    return sorted(found.items(), key=lambda item: (-item[1], str(item[0])))


def stock_of(session: Session, what: Asked) -> tuple[list[StockRow], StockRow, Target | None]:
    """Biểu 01's rows, their total, and the target it is measured by."""
    found, year = counting.stock(session, what), what.span.as_of.year
    names: dict[UUID | None, str]
    if what.place is None:
        wanted: dict[UUID | None, int] = {}
        for place_id, given in targets.by_place(session, what.scope.town_id, year).items():
            unit = what.within.unit_of(place_id)
            wanted[unit] = wanted.get(unit, 0) + given.people
        known = places_named(session, what.scope.town_id)
        shown = {
            key
            for key, place in known.items()
            if place.kind in UNITS and place.parent_id is not None and place.valid_on(what.within.day)
        }
        names = {key: known[key].name for key in shown | {key for key in found if key} | {key for key in wanted if key}}
        target = targets.town_target(session, what.scope.town_id, year)
    else:
        wanted = {}
        names = dict(_neighbourhood_names(session, what))
        target = targets.by_place(session, what.scope.town_id, year).get(what.place.id)
    rows = sheets.stock_rows(found, names | ({None: "Chưa rõ khu phố, thôn"} if None in found else {}), wanted)
    return rows, sheets.total_of(rows, target.people if target else None), target


def _neighbourhood_names(session: Session, what: Asked) -> Iterator[tuple[UUID, str]]:
    ids = list(what.narrowed.place_ids or ()) + [part.place_id for part in what.narrowed.parts]
    for place in session.scalars(neighbourhoods(what.scope.town_id, ids)):
        yield place.id, place.name


def _target(target: Target | None) -> dict[str, Any] | None:
    if target is None:
        return None
    return {"people": target.people, "document": target.document, "authority": target.authority}


def kept_rows(rows: Sequence[StockRow], total: StockRow) -> dict[str, dict[str, Any]]:
    """The rows by key, as a later report compares them."""
    kept = {row.key or "": {"name": row.name} | _measured(row.stock) for row in rows}
    return kept | {WHOLE: {"name": total.name} | _measured(total.stock)}


def _measured(one: Stock) -> dict[str, int]:
    return {measure: int(getattr(one, measure)) for measure in sheets.MEASURES}


def _months(session: Session, what: Asked, wanted: Wanted, facts: dict[str, Any]) -> None:
    if wanted.kind is ReportKind.MONTH:
        return
    found = counting.months(session, what)
    facts["tables"].append(sheets.of_months(found, what.span.as_of))


def _organisations(session: Session, what: Asked, wanted: Wanted, facts: dict[str, Any]) -> None:
    found = counting.worked(session, what)
    names = counting.organisations_named(session, what.scope.town_id)
    table = sheets.of_organisations(found, names)
    facts["tables"].append(table)
    facts["organisations"] = [
        {"name": names[key], **one._asdict()} for key, one in found.items() if key is not None and any(one)
    ]
    facts["organisations"].sort(key=lambda one: (-one["first_paid"], one["name"]))


def _sponsors(session: Session, what: Asked, wanted: Wanted, facts: dict[str, Any]) -> None:
    """Biểu 03; in the report of one place only what was set aside for its people, without the sponsors' names."""
    scope, span = counting.scope_of_place(session, what), what.span
    people = money.helped_in_all(session, scope, span)
    facts["helped"] = people._asdict()
    if what.place is not None:
        return
    facts["tables"].append(sheets.of_money(money_tables.supported(session, scope, span)))
    found = money.supported(session, scope, span)
    facts["sponsors"] = {
        "givers": sum(one.received > 0 for one in found),
        **{
            name: sum(getattr(one, name) for one in found)
            for name in ("promised", "received", "set_aside", "left", "paid")
        },
    }


def _telling(session: Session, what: Asked, wanted: Wanted, facts: dict[str, Any]) -> None:
    found = counting.told(session, what)
    held = events.sums(session, what.scope.town_id, what.span, *_in_place(what))
    facts["tables"].append(sheets.of_telling(found, _on_paper(held)))
    if held:
        facts["events"] = {kind.value: one._asdict() for kind, one in held.items()}
    if what.place is None:
        sent, to_whom = amendments.sent_in(session, what.scope.town_id, what.span)
        if sent:
            facts["amendments"] = {"sent": sent, "to": to_whom}
    facts["told"] = {"sent": found.sent, "taken": found.taken, "refused": found.refused} | {
        way.value: list(numbers) for way, numbers in found.visits.items()
    }


def _in_place(what: Asked) -> list[Any]:
    """Events held in what is the report's place in its boundaries; of the town all."""
    if what.place is None:
        return []
    spots = [key for key, spot in what.within.spots.items() if spot.kind in UNITS]
    return [PublicEvent.place_id.in_([key for key in spots if what.within.unit_of(key) == what.place.id])]


def _on_paper(held: Mapping[EventKind, events.Sums]) -> list[tuple[str, str, int, int, int]]:
    return [(*words, *held[kind]) for kind, words in EVENTS_ON_PAPER.items() if kind in held]


def _money(session: Session, what: Asked, wanted: Wanted, facts: dict[str, Any]) -> None:
    table = money_tables.paid(session, what.scope, what.span, what.within.day)
    by_unit = money.paid_by_place(session, what.scope, what.span, what.within)
    if what.place is None:
        whole = money.Paid()
        for one in by_unit.values():
            whole = money.plus(whole, one)
    else:
        whole = by_unit.get(what.place.id, money.Paid())
        table = replace(table, rows=[[what.place.name, *whole], ["Tổng cộng", *whole]])
    facts["tables"].append(sheets.of_money(table))
    facts["paid"] = whole._asdict()


def _reported(session: Session, what: Asked, wanted: Wanted, facts: dict[str, Any]) -> None:
    """Biểu 06 of a year: whom to commend. Biểu 07 and 08: who reported in the round of the period, and the figures of
    their own."""
    if wanted.kind is ReportKind.YEAR and what.place is None:
        listed = commendations(session, what.scope.town_id, what.span.as_of.year)
        lines = [
            sheets.Commended(one.name, one.post, one.result, str(FORMS[one.form]), one.years_in_row) for one in listed
        ]
        facts["tables"] += [sheets.of_commendations(lines)] if lines else []
    consolidating.add_to(session, what.scope.town_id, wanted.kind, wanted.period, what.place, facts)
    if what.place is None:
        _plan(session, what, wanted, facts)


def _plan(session: Session, what: Asked, wanted: Wanted, facts: dict[str, Any]) -> None:
    """The town's targets of the plan beside what came of them: voluntary insurance as the register counts it, the others as
    units told them. In the report of a year also the target of the year after, once there is one."""
    year, told = what.span.as_of.year, facts.get("reported", {}).get("figures", {})
    lines = []
    for indicator in INDICATORS:
        target = targets.town_target(session, what.scope.town_id, year, indicator)
        if target is None:
            continue
        of_register = indicator is Indicator.VOLUNTARY
        said = told.get(indicator.value, {})
        reached = facts["total"]["now"] if of_register else said.get("holds", said.get("number"))
        lines.append(Planned(indicator, target.people, reached, of_register, not of_register and "holds" in said))
    facts["plan"] = {one.indicator.value: {"target": one.target, "reached": one.reached} for one in lines}
    if any(one.indicator is not Indicator.VOLUNTARY for one in lines):
        after = max(at for at, one in enumerate(facts["tables"]) if one["form"].startswith("Biểu 01"))
        facts["tables"].insert(after + 1, sheets.of_plan(lines))
    ahead = targets.town_target(session, what.scope.town_id, year + 1) if wanted.kind is ReportKind.YEAR else None
    if ahead is not None:
        facts["next_target"] = {"year": ahead.year, "people": ahead.people}


# ---- what changed since it was reported


def _since(session: Session, what: Asked, wanted: Wanted, facts: dict[str, Any]) -> None:
    """Every earlier report of the year before is counted again; what differs from what was last said is told."""
    said: dict[str, dict[str, Any]] = {}
    told: list[tuple[Report, ReportSnapshot]] = list(reported_before(session, what, wanted))
    for report, snapshot in told:
        said[report.period] = snapshot.facts["rows"]
        said |= {period: rows for period, rows in snapshot.facts.get("restated", {}).items() if period in said}
    found, restated = list[Correction](), {}
    for report, snapshot in told:
        again = Wanted(
            ReportKind(report.kind), report.period, Span(snapshot.since, snapshot.as_of), what.place, snapshot.drawn_on
        )
        rows, total, _target_then = stock_of(session, counting.asked(session, what.scope.town_id, *again[2:]))
        now = kept_rows(rows, total)
        restated[report.period] = now
        found += _differences(report, said[report.period], now)
    correcting.add_to(session, what.scope.town_id, wanted.kind, wanted.period, what.place, what.span.as_of, facts)
    facts["restated"] = restated
    facts["corrections"] = [one._asdict() for one in found]
    if found:
        facts["tables"].append(sheets.of_corrections(found))


def _differences(report: Report, said: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Correction]:
    words, number = period_words(report.kind, report.period), written_number(report.number, report.symbol or "")
    for key in [*(key for key in {**said, **now} if key != WHOLE), WHOLE]:
        was, is_now = said.get(key, {}), now.get(key, {})
        name = is_now.get("name") or was.get("name") or ""
        for measure in sheets.MEASURES:
            before, after = was.get(measure, 0), is_now.get(measure, 0)
            if before != after:
                yield Correction(words, number.removeprefix("Số: "), name, measure, before, after)


def reported_before(session: Session, what: Asked, wanted: Wanted) -> Sequence[Any]:
    """The signed monthly reports of the year up to the period, and those of the same kind, the first signed first."""
    query = (
        select(Report, ReportSnapshot)
        .join(
            ReportSnapshot,
            (ReportSnapshot.town_id == Report.town_id) & (ReportSnapshot.id == Report.snapshot_id),
        )
        .where(
            Report.town_id == what.scope.town_id,
            Report.place_id.is_not_distinct_from(what.place.id if what.place else None),
            Report.state.in_(FINAL),
            Report.kind.in_({ReportKind.MONTH, wanted.kind}),
            ReportSnapshot.as_of <= what.span.as_of,
            (Report.period != wanted.period) | (Report.kind != wanted.kind),
        )
        .order_by(ReportSnapshot.as_of.desc(), Report.signed_at.desc())
        .limit(REPORTED_AT_MOST)
    )
    return sorted(session.execute(query).tuples(), key=lambda pair: pair[0].signed_at)
