"""The questions of the calculator. Sent by GET: an answer is an address."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, IntegerField, RadioField, SelectField, SelectMultipleField
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from crm.months import MONTHS_IN_YEAR, Month
from crm.premiums.calculator.rules import Asked
from crm.premiums.calculator.wording import REFUSALS
from crm.premiums.forms import DongField
from crm.premiums.rules.keys import PERIODS, LawKey, Method
from crm.premiums.rules.law import LawOnDay
from crm.premiums.rules.quotes import Plan
from crm.premiums.rules.wording import GROUNDS, METHODS
from crm.prospects.rules import Ground, Sex
from crm.web.forms import QueryForm

MONTHS = re.compile(r"[0-9]{1,4}")
OWN = re.compile(r"([0-9]{1,4}):([0-9]{1,12})")
YEARS = re.compile(r"(19|20)[0-9]{2}")


class MonthsField(IntegerField):
    """A count of months; left empty it is none."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Figures → a whole number."""
        figures = str(valuelist[0]).strip() if valuelist else ""
        if figures and not MONTHS.fullmatch(figures):
            raise ValueError(REFUSALS["months_not_read"]())
        self.data = int(figures) if figures else None


class YearField(IntegerField):
    """A year of birth, or nothing."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Four figures → a year."""
        figures = str(valuelist[0]).strip() if valuelist else ""
        if figures and not YEARS.fullmatch(figures):
            raise ValueError(REFUSALS["year_not_read"]())
        self.data = int(figures) if figures else None


class GroundsField(SelectMultipleField):
    """Boxes to tick, one for each ground; the group of everybody else («other») is no box: it is none of them."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def process_formdata(self, valuelist: list[Any]) -> None:
        """The boxes ticked, each once."""
        self.data = [one for one in dict.fromkeys(map(str, valuelist)) if one != Ground.OTHER]


class CalculatorForm(QueryForm):
    """Two questions and how one pays; who wants to know about the pension says a little more."""

    income = DongField(_l("Income I choose, a month"))
    ground = GroundsField(
        _l("Who am I?"),
        choices=[(str(ground), label) for ground, label in GROUNDS.items() if ground is not Ground.OTHER],
    )
    place = SelectField(_l("Where I live"), choices=[])
    """Asked only where places add something of their own."""
    months = SelectField(_l("How I pay"), coerce=int, validators=[InputRequired()])
    sex = RadioField(
        _l("I am"),
        choices=[("", _l("not said")), (str(Sex.FEMALE), _l("a woman")), (str(Sex.MALE), _l("a man"))],
    )
    born_month = SelectField(
        _l("Born in the month"),
        choices=[("", _l("not said")), *((str(number), str(number)) for number in range(1, MONTHS_IN_YEAR + 1))],
    )
    born_year = YearField(_l("of the year"))
    paid = MonthsField(_l("Months I have paid so far"))
    supported = MonthsField(_l("Months the State has helped with so far"))
    local = HiddenField()
    """Months the place's own budget has helped with: known of people on record, asked of nobody."""
    own = HiddenField()
    """«22:1386000»: what so many months cost from one's own pocket, đồng, of people on record."""

    @classmethod
    def under(
        cls, law: LawOnDay, given: Mapping[str, str | Sequence[str]], places: Collection[tuple[str, str]] = ()
    ) -> Self:
        """The form for the law of a day; what is not answered yet is the least income, no ground, monthly.

        Of `given` only the grounds may be several. `places` are the wards and communes to choose from by code and name.
        """
        start = {
            "income": str(law.floor),
            "months": str(PERIODS[Method.MONTHLY]),
            "sex": "",
            "born_month": "",
            "place": "",
        }
        known = {code for code, _name in places}
        given = {name: text for name, text in given.items() if name != "place" or text in known}
        form = cls(formdata=MultiDict({**start, **given}))
        form.place.choices = [("", _("not said")), *places]
        form.months.choices = [(months, METHODS[method]) for method, months in PERIODS.items()]
        form.months.choices += [
            (years * MONTHS_IN_YEAR, _("Once for %(years)s years ahead", years=years))
            for years in range(2, law.number(LawKey.YEARS_AHEAD_MOST) + 1)
        ]
        return form

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Besides each answer by itself: a birth has a month and a year, and only a month that was paid was helped with."""
        good: bool = super().validate(*args, **kwargs)
        if bool(self.born_month.data) != bool(self.born_year.data) and not self.born_year.errors:
            self.born_year.errors = [REFUSALS["birth_incomplete"]()]
            good = False
        paid, helped = self.paid.data, self.supported.data
        if paid is not None and helped is not None and helped > paid:
            self.supported.errors = [REFUSALS["more_helped_than_paid"]()]
            good = False
        return good

    @property
    def asked(self) -> Asked:
        """The answers, once the form is valid."""
        born = Month(self.born_year.data, int(self.born_month.data)) if self.born_year.data else None
        paid = (self.supported.data or 0) if self.paid.data is None else self.paid.data
        own = OWN.fullmatch(self.own.data or "")
        return Asked(
            income=int(self.income.data or 0),
            grounds=tuple(ground for ground in Ground if ground in (self.ground.data or ())),
            plan=Plan.ahead(int(self.months.data)),
            supported=self.supported.data,
            sex=Sex(self.sex.data) if self.sex.data else None,
            born=born,
            paid=paid,
            place=self.place.data or "",
            local=int(told) if MONTHS.fullmatch(told := self.local.data or "") else 0,
            own=int(own[2]) if own and int(own[1]) == paid else None,
        )
