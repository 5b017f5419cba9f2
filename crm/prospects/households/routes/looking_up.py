"""People that a search on these pages finds."""

from __future__ import annotations

from flask_babel import gettext as _

from crm import clock
from crm.accounts.gateway import current_scope
from crm.db import session
from crm.prospects.households.forms import SearchForm
from crm.prospects.models import Prospect
from crm.prospects.queries.lists import people
from crm.prospects.queries.seeing import ORDER

FOUND = 12
"""People that a search on these pages shows."""


def people_found(search: SearchForm) -> list[Prospect]:
    """People whom the search names, among those one may see; none without a search."""
    query = people(current_scope(), q=search.q.data or "", today=clock.today()).order_by(*ORDER).limit(FOUND)
    return list(session().scalars(query)) if search.validate() and search.q.data else []


def called(person: Prospect) -> str:
    """Somebody in a list of those found: name, year of birth, address, and whether a household has them."""
    parts = [person.full_name, str(person.birth_year or ""), person.address or ""]
    if person.household_id:
        parts.append(_("has a household"))
    return " · ".join(part for part in parts if part)
