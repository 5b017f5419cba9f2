"""Lists of people by how near they are to a lapse, and by what will end of itself: ready-made for whoever keeps them in.

A campaign, a work package and a hand-over use them like any other list.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, false, or_

from crm.db import session
from crm.participation.conditions import takes_part
from crm.participation.guard import queries
from crm.participation.guard.rules import (
    CERTIFICATE_NOTICE,
    NEAR,
    STATES,
    SUPPORT_NOTICES,
    WIN_BACK,
    PaymentState,
    deadlines_of,
)
from crm.participation.models import Participation
from crm.premiums.queries import law
from crm.premiums.rules.keys import LawKey
from crm.prospects.lists import conditions
from crm.prospects.models import Prospect


def in_state(state: PaymentState, day: date) -> ColumnElement[bool]:
    """Of a spell that goes on: whether it is in a state on a day. The same as `rules.payment_state`."""
    first, last = deadlines_of(state, day)
    asked = [Participation.deadline_on >= first] if first else []
    asked += [Participation.deadline_on <= last] if last else []
    if state in (PaymentState.GRACE, PaymentState.AHEAD):
        unpaid = or_(Participation.paid_through.is_(None), Participation.paid_through < day.replace(day=1))
        asked.append(unpaid if state is PaymentState.GRACE else ~unpaid)
    return and_(*asked)


def _state(state: PaymentState, town_id: UUID, today: date) -> ColumnElement[bool]:
    return takes_part(town_id, in_state(state, today))


def _one_of(told: Select[UUID, date]) -> ColumnElement[bool]:
    return Prospect.id.in_(told.with_only_columns(told.selected_columns[0]))


def _lapsed(least: int, most: int | None, town_id: UUID, today: date) -> ColumnElement[bool]:
    return _one_of(queries.lapsed(town_id, today, least, most))


def _support_ends(months: int, town_id: UUID, today: date) -> ColumnElement[bool]:
    now = law(session()).on(today)
    if not now.says(LawKey.SUPPORT_CAP_MONTHS):
        return false()
    return _one_of(queries.supported_until(town_id, now.number(LawKey.SUPPORT_CAP_MONTHS), today, months))


def _certificate_ends(town_id: UUID, today: date) -> ColumnElement[bool]:
    return _one_of(queries.certificates_ending(town_id, today))


KEYS: dict[PaymentState, str] = {
    state: f"payment_{state.value}" for state in (PaymentState.OVERDUE, *NEAR, PaymentState.GRACE)
}
"""The list of each state that is worth one. Past the last day somebody is only until they are noted as lapsed, some minutes
in a program whose timetable runs: where it stands still they must not be missing."""
JUST_LAPSED = "lapsed_lately"
WIN_BACK_FIRST, WIN_BACK_LAST = (f"win_back_{days}" for days in WIN_BACK)
SUPPORT_ENDS: dict[int, str] = {months: f"support_ends_{months}" for months in SUPPORT_NOTICES}
CERTIFICATE_ENDS = "certificate_ends"

for _each, _key in KEYS.items():
    conditions.register(_key, STATES[_each], partial(_state, _each))
conditions.register(
    JUST_LAPSED,
    _l("Lapsed less than 30 days ago"),
    partial(_lapsed, 0, WIN_BACK[0]),
    told=_l("They did not pay in time, not a month ago, and have not come back: ask why while it is fresh."),
)
conditions.register(
    WIN_BACK_FIRST,
    _l("Lapsed 30 to 89 days ago"),
    partial(_lapsed, *WIN_BACK),
    told=_l("They did not pay in time a month or two ago and have not come back: most can still be won."),
)
conditions.register(
    WIN_BACK_LAST,
    _l("Lapsed 90 days ago or more"),
    partial(_lapsed, WIN_BACK[-1], None),
    told=_l("They did not pay in time a quarter of a year ago or earlier, and have not come back."),
)
for _months, _key in SUPPORT_ENDS.items():
    conditions.register(
        _key,
        _l("State support ends within %(months)s months", months=_months),
        partial(_support_ends, _months),
        told=_l("They reach the most months the State helps with; after that they pay the whole premium."),
    )
conditions.register(
    CERTIFICATE_ENDS,
    _l("Certificate ends within %(days)s days", days=CERTIFICATE_NOTICE.days),
    _certificate_ends,
    told=_l("Poor or near-poor by a certificate that ends soon; no new one is on record."),
)
