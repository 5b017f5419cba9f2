"""As of which day, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField, StringField
from wtforms.validators import Optional

from crm.reports.rules import Sort
from crm.web.forms import QueryForm, stripped


class HomeForm(QueryForm):
    """Sent by GET, so that a state of the year is an address one can pass on."""

    as_of = DateField(_l("As of"), validators=[Optional()])
    boundaries = SelectField(_l("Wards as they were"), filters=[stripped], validators=[Optional()], choices=[])
    sort = StringField()

    def offer(self, choices: Sequence[tuple[str, str]]) -> None:
        """The boundaries to choose from: a day of each, and how it is called."""
        self.boundaries.choices = [("", _l("On the same day")), *choices]

    def day(self, today: date) -> date:
        """The day asked for; never one that has not come."""
        given: date | None = self.as_of.data
        return min(given or today, today)

    @property
    def drawn(self) -> date | None:
        """A day of the boundaries asked for; None for those of the day itself."""
        return date.fromisoformat(self.boundaries.data) if self.boundaries.data else None

    def order(self) -> Sort:
        """The column asked for; otherwise the widest gap first."""
        return Sort(self.sort.data) if self.sort.data in set(Sort) else Sort.GAP


class MoneyForm(QueryForm):
    """Which report of money, of which period and place; sent by GET."""

    kind = SelectField(_l("Report"), filters=[stripped], validators=[Optional()], choices=[])
    period = SelectField(_l("Period"), filters=[stripped], validators=[Optional()], choices=[])
    place = SelectField(_l("Place"), filters=[stripped], validators=[Optional()], choices=[])

    def offer(
        self,
        kinds: Sequence[tuple[str, str]],
        periods: Sequence[tuple[str, str]],
        places: Sequence[tuple[str, str]],
    ) -> None:
        """What there is to choose from; the first kind and period are what is shown unasked."""
        self.kind.choices, self.period.choices = list(kinds), list(periods)
        self.place.choices = [("", _l("The whole town")), *places]
        self._unasked = kinds[0][0], periods[0][0]

    def asked(self) -> tuple[str, str, str]:
        """Kind, period and place as they were asked for, or the first there is."""
        valid = self.validate()
        kind, period, place = (part.data or "" if valid else "" for part in (self.kind, self.period, self.place))
        return kind or self._unasked[0], period or self._unasked[1], place
