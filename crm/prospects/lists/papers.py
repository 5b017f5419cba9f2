"""The grounds whose paper nobody has named yet: they came with a list, or from another program."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select

from crm.accounts.rules import May
from crm.prospects.lists import conditions
from crm.prospects.models import Prospect, Standing
from crm.prospects.queries.standing import valid_on
from crm.prospects.rules import Ground


def without_paper(town_id: UUID, today: date) -> ColumnElement[bool]:
    """Counts as of an ethnic minority today, without a paper that shows it."""
    theirs = select(Standing.prospect_id).where(
        Standing.town_id == town_id,
        Standing.ground == Ground.ETHNIC_MINORITY,
        Standing.certificate.is_(None),
        *valid_on(today),
    )
    return Prospect.id.in_(theirs)


conditions.register(
    "grounds_without_paper",
    _l("Grounds without their paper"),
    without_paper,
    told=_l("The list or the program they came from did not name the paper. Ask for it when you meet."),
    may=May.EDIT_PEOPLE,
)
