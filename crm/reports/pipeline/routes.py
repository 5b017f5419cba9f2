"""The way to taking part, on a page, and the people behind each of its figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Literal, NamedTuple
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.queries import volunteers_for
from crm.accounts.rules import May, Reach
from crm.db import session
from crm.months import Month
from crm.outreach.rules import REASONS, Channel, Reason
from crm.participation.queries import organisations_named, places_named
from crm.participation.rules import Span
from crm.places.boundaries import boundaries
from crm.places.queries import units
from crm.prospects.rules import Ground, Stage
from crm.prospects.wording import GROUNDS, STAGES
from crm.reports.pipeline import counting, queries
from crm.reports.pipeline.forms import BEFORE, YEAR, PeopleForm, PipelineForm
from crm.reports.pipeline.queries import COHORTS, Among
from crm.reports.pipeline.rules import (
    APART,
    IN_PERIOD,
    Counts,
    Divided,
    Division,
    What,
    a_year_before,
    before,
    together,
)
from crm.reports.rules import ON_THE_WAY
from crm.web.filters import in_day
from crm.web.guard import may
from crm.web.pager import Page

bp = Blueprint("pipeline", __name__, url_prefix="/pipeline")

ROWS = 60
"""Rows of a division on a page, those with the most people; the others are told by their number."""
EARLIEST = date(1950, 1, 1)


class Side(NamedTuple):
    """One of what is compared: how it is called, its address, its figures."""

    title: str
    given: dict[str, Any]
    counts: Counts


@bp.get("")
@may(May.SEE_DASHBOARD)
def show() -> ResponseReturnValue:
    """Stages, steps, time in stage, refusals and who stays, among the people one sees."""
    form = _form(PipelineForm)
    span = form.span(clock.today())
    given, among = _address(form.narrowed(), span), _among(form.narrowed(), span)
    divided = counting.divided(session(), among, span, form.division)
    rows, more = _most(divided)
    counts = together(divided) if form.division in APART else counting.counts(session(), among, span)
    return render_template(
        "reports/pipeline.html",
        form=form,
        span=span,
        given=given,
        sides=_sides(form, span, counts, given),
        rows=rows,
        more=more,
        opens=_opens,
        row_address=_row_address,
        steps=queries.steps(session(), among, span),
        stays=queries.stays(session(), among, span),
        refusals=queries.refusals(session(), among, span),
        cohorts=queries.cohorts(session(), among, span.as_of),
        chosen=_named(form),
        words={"stages": STAGES, "reasons": REASONS, "way": ON_THE_WAY, "period": IN_PERIOD, "after": range(COHORTS)},
        whole_town=among.scope.reach is Reach.ALL,
    )


@bp.get("/people")
@may(May.SEE_PEOPLE)
def people() -> ResponseReturnValue:
    """The people whom one figure of the page counts."""
    form = _form(PeopleForm)
    span = form.span(clock.today())
    asked = _asked(form)
    query = counting.people(_among(form.narrowed(), span), form.inside(span), asked)
    shown: Page[Any] = counting.page_of(session(), query, request.args.get("cursor"))
    return render_template(
        "reports/pipeline_people.html",
        asked=asked,
        span=form.inside(span),
        shown=shown,
        total=counting.count(session(), query),
        chosen=_named(form),
        back=url_for(".show", **_address(form.narrowed(), span)),
        places=places_named(session(), current_scope().town_id),
        organisations=organisations_named(session(), current_scope().town_id),
        words={"stages": STAGES, "reasons": REASONS, "period": IN_PERIOD, "grounds": GROUNDS},
        limited=current_scope().reach is not Reach.ALL,
    )


def _form(kind: Any) -> Any:
    scope, form = current_scope(), kind(request.args)
    places = [(place.id, place.name) for place in session().scalars(units(scope.town_id, _last_day()))]
    volunteers = [(one.id, one.full_name) for one in session().scalars(volunteers_for(scope))]
    form.offer(places, organisations_named(session(), scope.town_id).items(), volunteers)
    if isinstance(form, PeopleForm):
        last = Month.of(_last_day())
        form.offer_figures((last - (COHORTS - 1)).until(last + 1))
    form.read()
    return form


def _last_day() -> date:
    """The day in whose boundaries wards are counted; long before there was a register it is as if none had been asked."""
    today = clock.today()
    try:
        asked = date.fromisoformat(request.args.get("as_of", ""))
    except ValueError:
        return today
    return min(asked, today) if asked >= EARLIEST else today


def _address(narrowed: dict[str, str], span: Span) -> dict[str, Any]:
    return narrowed | {"since": span.since.isoformat(), "as_of": span.as_of.isoformat()}


def _opens(given: dict[str, Any], what: str, **more: Any) -> str:
    """The address of the people behind a figure."""
    return url_for("pipeline.people", **given, what=what, **more)


def _row_address(given: dict[str, Any], by: Division, row: Divided) -> dict[str, Any]:
    """The narrowing of a row, as an address says it."""
    if row.span:
        return given | {"inside_since": row.span.since.isoformat(), "inside_until": row.span.as_of.isoformat()}
    return given | {by.value: row.key}


# ---- of whom


def _among(narrowed: dict[str, str], span: Span) -> Among:
    scope = current_scope()
    among = Among(
        scope,
        organisation_id=_id(narrowed.get("organisation")),
        volunteer_id=_id(narrowed.get("volunteer")),
        met=(Channel(narrowed["channel"]), span) if "channel" in narrowed else None,
        standing=(Ground(narrowed["standing"]), span.as_of) if "standing" in narrowed else None,
    )
    if "place" not in narrowed:
        return among
    whole, parts = boundaries(session(), scope.town_id, span.as_of).parts_of(UUID(narrowed["place"]))
    return replace(among, place_ids=tuple(whole), parts=tuple(parts))


def _id(text: str | None) -> UUID | Literal["none"] | None:
    if text == "none":
        return "none"
    return UUID(text) if text else None


def _sides(form: PipelineForm, span: Span, counts: Counts, given: dict[str, Any]) -> list[Side]:
    beside = form.beside.data
    first = Side(_title(form, span, beside or ""), given, counts)
    if not beside:
        return [first]
    other, narrowed = span, form.narrowed()
    if beside in (BEFORE, YEAR):
        other = before(span) if beside == BEFORE else a_year_before(span)
        title = _days(other)
    else:
        name, key = beside.split(".", 1)
        narrowed = narrowed | {name: key}
        title = _word(form, "beside")
    counted = counting.counts(session(), _among(narrowed, other), other)
    return [first, Side(str(title), _address(narrowed, other), counted)]


def _title(form: PipelineForm, span: Span, beside: str) -> str:
    """What the first side is called: by what tells it from the other."""
    name = beside.split(".", 1)[0]
    if name in ("place", "organisation"):
        return _word(form, name) if form[name].data else _("The whole town")
    return _days(span) if beside else _("People")


def _days(span: Span) -> str:
    return f"{in_day(span.since)} – {in_day(span.as_of)}"


def _named(form: PipelineForm) -> list[str]:
    """What is narrowed to, in words."""
    return [_word(form, name) for name in form.narrowed()]


def _word(form: Any, name: str) -> str:
    """What was chosen in a field, as it is offered."""
    return str(dict(form[name].choices)[form[name].data])


def _most(rows: list[Divided]) -> tuple[list[Divided], int]:
    """The rows with the most people, and how many others there are."""
    if len(rows) <= ROWS:
        return rows, 0
    kept = {one.key for one in sorted(rows, key=lambda one: -one.counts.people)[:ROWS]}
    return [one for one in rows if one.key in kept], len(rows) - ROWS


def _asked(form: PeopleForm) -> counting.Asked:
    return counting.Asked(
        What(form.what.data or What.STAGE),
        Stage(form.stage.data) if form.stage.data else None,
        Stage(form.origin.data) if form.origin.data else None,
        Reason(form.reason.data) if form.reason.data else None,
        Month.parse(form.month.data) if form.month.data else None,
        Month.parse(form.paid.data) if form.paid.data else None,
        Ground(form.ground.data) if form.ground.data else None,
        form.until.data,
    )
