"""Of whom, and over which days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField
from wtforms.validators import Optional

from crm.participation.rules import Span
from crm.web.forms import QueryForm, stripped


class PipelineForm(QueryForm):
    """Sent by GET, so that what is shown is an address one can pass on."""

    place = SelectField(_l("Ward or commune"), filters=[stripped], validators=[Optional()], choices=[])
    organisation = SelectField(_l("Organisation"), filters=[stripped], validators=[Optional()], choices=[])
    since = DateField(_l("From"), validators=[Optional()])
    as_of = DateField(_l("Up to"), validators=[Optional()])

    def offer(self, places: Iterable[tuple[UUID, str]], organisations: Iterable[tuple[UUID, str]]) -> None:
        """What there is to choose from."""
        self.place.choices = [("", _l("All")), *((str(key), name) for key, name in places)]
        self.organisation.choices = [("", _l("All")), *((str(key), name) for key, name in organisations)]

    def span(self, today: date) -> Span:
        """From New Year to today where nothing else is asked for."""
        last = min(self.as_of.data or today, today)
        first: date | None = self.since.data
        return Span(first, last) if first and first <= last else Span.year_to(last)
