"""The map of the wards."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.rules import May, Reach
from crm.db import session
from crm.participation.rules import DUE_SOON
from crm.reports.ward_map.forms import MapForm
from crm.reports.ward_map.queries import tiles
from crm.reports.ward_map.rules import COLUMNS, MEASURES, Measure
from crm.web.guard import may

bp = Blueprint("ward_map", __name__, url_prefix="/map")


@bp.get("")
@may(May.SEE_DASHBOARD)
def show() -> ResponseReturnValue:
    """Tiles marked by pattern and figure, and the same as a table."""
    form = MapForm(request.args)
    measure, as_of = form.asked(clock.today())
    found = tiles(session(), current_scope(), measure, as_of)
    return render_template(
        "reports/map.html",
        form=form,
        measure=measure,
        measures=MEASURES,
        as_of=as_of,
        tiles=found,
        columns=COLUMNS,
        rows=1 + max((spot[1] for one in found for spot in one.cells), default=0),
        due_days=DUE_SOON.days,
        opens=lambda place: _opens(measure, place, as_of),
        whole_town=current_scope().reach is Reach.ALL,
    )


def _opens(measure: Measure, place: UUID, as_of: date) -> str:
    """The people behind a figure."""
    kind = "due" if measure is Measure.DUE else "stock"
    return url_for("participation.listing", kind=kind, place=place, as_of=as_of.isoformat())
