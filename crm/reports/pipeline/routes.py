"""The way to taking part, on a page."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from crm import clock
from crm.accounts.gateway import current_scope
from crm.accounts.rules import May
from crm.db import session
from crm.outreach.rules import REASONS
from crm.participation.queries import organisations_named
from crm.places.queries import ids_within, units
from crm.prospects.wording import STAGES
from crm.reports.pipeline import queries
from crm.reports.pipeline.forms import PipelineForm
from crm.reports.queries import stages
from crm.reports.rules import ON_THE_WAY
from crm.web.guard import may

bp = Blueprint("pipeline", __name__, url_prefix="/pipeline")


@bp.get("")
@may(May.SEE_DASHBOARD)
def show() -> ResponseReturnValue:
    """Stages, steps, time in stage, refusals and who stays, among the people one sees."""
    form, today = PipelineForm(request.args), clock.today()
    among = _among(form)
    span = form.span(today)
    return render_template(
        "reports/pipeline.html",
        form=form,
        span=span,
        stages=stages(session(), among.condition),
        steps=queries.steps(session(), among, span),
        stays=queries.stays(session(), among, span),
        refusals=queries.refusals(session(), among, span),
        cohorts=queries.cohorts(session(), among, span.as_of),
        narrowed={name: form[name].data for name in ("place", "organisation") if form[name].data},
        words={"stages": STAGES, "reasons": REASONS, "way": ON_THE_WAY, "after": queries.KEPT_AFTER},
    )


def _among(form: PipelineForm) -> queries.Among:
    """Of whom; an unknown place or organisation narrows nothing."""
    scope = current_scope()
    places = [(place.id, place.name) for place in session().scalars(units(scope.town_id, clock.today()))]
    form.offer(places, organisations_named(session(), scope.town_id).items())
    valid = form.validate()
    place, unit = (part.data if valid and part.data else None for part in (form.place, form.organisation))
    inside = ids_within(session(), scope.town_id, UUID(place)) if place else None
    return queries.Among(scope, inside, UUID(unit) if unit else None)
