"""The numbers of a period, exact at the moment of asking: read from the sums kept with every spell (two small queries)."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.participation.rules import Span
from crm.participation.tally.queries import by_month, cells
from crm.places.boundaries import boundaries
from crm.reports.figures.rules import Figures


def figures(session: Session, scope: Scope, span: Span, drawn: date | None = None) -> Figures:
    """Every number of `span` among the people someone may see; places in the boundaries of `drawn`, by default of the last
    day. The sum over places, organisations or grounds is always the same total."""
    within = boundaries(session, scope.town_id, drawn or span.as_of)
    return Figures(
        span=span,
        drawn=within.day,
        whole_town=scope.reach is Reach.ALL,
        cells=list(cells(session, scope, span, within)),
        months=by_month(session, scope, span),
    )
