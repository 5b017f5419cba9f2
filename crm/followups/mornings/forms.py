"""How somebody wants to hear of their day."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import RadioField

from crm.followups.mornings.rules import BY, ON, MorningBy, MorningOn
from crm.web.forms import Form


class MorningForm(Form):
    """By which way, and on which days."""

    by = RadioField(_l("How?"), choices=list(BY.items()), default=MorningBy.NOTHING)
    days = RadioField(_l("On which days?"), choices=list(ON.items()), default=MorningOn.WORKING_DAYS)
