"""What the map shows, and of which day."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField
from wtforms.validators import Optional

from crm.reports.ward_map.rules import MEASURES, Measure
from crm.web.forms import QueryForm, stripped


class MapForm(QueryForm):
    """Sent by GET, so that a map is an address one can pass on."""

    measure = SelectField(
        _l("Show"),
        filters=[stripped],
        validators=[Optional()],
        choices=[(one.value, words) for one, words in MEASURES.items()],
    )
    as_of = DateField(_l("As of"), validators=[Optional()])

    def asked(self, today: date) -> tuple[Measure, date]:
        """The measure and the day asked for; what is not known counts as not asked, and no day to come."""
        self.validate()
        measure = Measure(self.measure.data) if self.measure.data in set(Measure) else Measure.STOCK
        return measure, min(self.as_of.data or today, today)
