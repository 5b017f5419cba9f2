"""The two questions of the calculator, and how one pays."""

import re
from typing import Any, Self

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, RadioField, SelectField
from wtforms.validators import DataRequired

from crm.money import Vnd
from crm.months import MONTHS_IN_YEAR
from crm.premiums.rules.keys import PERIODS, LawKey, Method
from crm.premiums.rules.law import LawOnDay
from crm.premiums.rules.quotes import Plan
from crm.premiums.rules.wording import GROUNDS, METHODS
from crm.prospects.rules import Ground
from crm.web.forms import QueryForm

AMOUNT = re.compile(r"[0-9]{1,12}")


class DongField(IntegerField):
    """Whole đồng as people type them: "1.500.000", "1 500 000 đ" or "1500000"."""

    def _value(self) -> str:
        if self.raw_data and (self.data is None or self.process_errors):
            return str(self.raw_data[0])
        return f"{self.data:,}".replace(",", ".") if self.data is not None else ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Figures with or without dots → a whole number."""
        figures = re.sub(r"[.,\s\u00a0đĐ₫]", "", str(valuelist[0])) if valuelist else ""
        if not AMOUNT.fullmatch(figures):
            raise ValueError(_("Write the amount in figures, such as 1.500.000."))
        self.data = int(figures)


class CalculatorForm(QueryForm):
    """Sent by GET, so that an answer is an address one can pass on."""

    income = DongField(_l("Income I choose, a month"), validators=[DataRequired()])
    ground = RadioField(
        _l("Who am I?"),
        choices=[(str(ground), label) for ground, label in GROUNDS.items()],
        validators=[DataRequired()],
    )
    months = SelectField(_l("How I pay"), coerce=int, validators=[DataRequired()])

    @classmethod
    def under(cls, law: LawOnDay, given: MultiDict[str, str]) -> Self:
        """The form for the law of a day; what is not answered yet is the least income, no ground, monthly."""
        start = {
            "income": str(law.floor),
            "ground": str(Ground.OTHER),
            "months": str(PERIODS[Method.MONTHLY]),
        }
        form = cls(formdata=MultiDict(start | given.to_dict()))
        form.months.choices = [(months, METHODS[method]) for method, months in PERIODS.items()]
        form.months.choices += [
            (years * MONTHS_IN_YEAR, _l("Once for %(years)s years ahead", years=years))
            for years in range(2, law.number(LawKey.YEARS_AHEAD_MOST) + 1)
        ]
        return form

    @property
    def grounds(self) -> list[Ground]:
        """The ground that was chosen, once the form is valid."""
        return [Ground(self.ground.data)]

    @property
    def plan(self) -> Plan:
        """The way to pay that was chosen."""
        months: int = self.months.data
        if months in PERIODS.values():
            return Plan.periodic(months)
        return Plan.years_ahead(months // MONTHS_IN_YEAR)

    @property
    def chosen_income(self) -> Vnd:
        """The income, once the form is valid."""
        return int(self.income.data or 0)
