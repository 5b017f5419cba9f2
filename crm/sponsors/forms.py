"""What sponsors are asked, and what the treasurer writes about their money."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Self
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, Email, InputRequired, Length, NumberRange, Optional, Regexp
from wtforms.widgets import CheckboxInput, ListWidget

from crm.money import Vnd
from crm.months import Month
from crm.premiums.forms import DongField
from crm.premiums.rules.keys import PERIODS
from crm.prospects.rules import Ground
from crm.sponsors.rules import (
    BANKS,
    KINDS,
    LONGEST_PROMISE,
    MOST_AGE,
    MOST_PEOPLE,
    NEEDS,
    SPEAKS,
    FundAccount,
    SponsorKind,
    Wish,
    in_month,
    reached_at,
)
from crm.web.forms import Form, stripped


class _WhomForm(Form):
    """Whom a sponsor would like to help."""

    places = SelectMultipleField(
        _l("In which wards or communes"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    grounds = SelectMultipleField(
        _l("Whom"),
        choices=[(ground.value, words) for ground, words in NEEDS.items()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    women = BooleanField(_l("Women only"))
    age_from = IntegerField(_l("From the age of"), validators=[Optional(), NumberRange(1, MOST_AGE)])
    age_to = IntegerField(_l("To the age of"), validators=[Optional(), NumberRange(1, MOST_AGE)])

    def offering(self, places: Iterable[tuple[UUID, str]]) -> Self:
        """The form with the wards one may wish for."""
        self.places.choices = [(str(key), name) for key, name in places]
        return self

    @property
    def wish(self) -> Wish:
        """Whom they would like to help. Raises RuleBroken."""
        return Wish(
            places=tuple(UUID(place) for place in self.places.data or ()),
            grounds=tuple(Ground(ground) for ground in self.grounds.data or ()),
            women=bool(self.women.data),
            age_from=self.age_from.data,
            age_to=self.age_to.data,
        )


class WishForm(_WhomForm):
    """Whom a sponsor would like to help, how many and for how long."""

    people = IntegerField(_l("How many people"), validators=[Optional(), NumberRange(1, MOST_PEOPLE)])
    months = IntegerField(_l("For how many months each"), validators=[Optional(), NumberRange(1, LONGEST_PROMISE)])
    monthly = BooleanField(_l("Gives month by month"))

    @classmethod
    def showing(cls, wish: Wish) -> Self:
        """The form with what they wish now."""
        return cls(data=_as_typed(wish))

    @property
    def wish(self) -> Wish:
        """Whom they would like to help, and how many. Raises RuleBroken."""
        people, months = self.people.data, self.months.data
        return replace(super().wish, people=people, months=months, monthly=bool(self.monthly.data))


def _as_typed(wish: Wish) -> dict[str, Any]:
    same = {name: getattr(wish, name) for name in ("women", "age_from", "age_to", "people", "months", "monthly")}
    places, grounds = [str(one) for one in wish.places], [one.value for one in wish.grounds]
    return {**same, "places": places, "grounds": grounds}


class SponsorForm(_WhomForm):
    """Who the sponsor is, how to reach them, and whom they would like to help."""

    name = StringField(
        _l("Name of the company, organisation or person"),
        filters=[stripped],
        validators=[DataRequired(_l("Write the name.")), Length(max=200)],
    )
    kind = RadioField(
        _l("Who gives"), choices=[(kind.value, label) for kind, label in KINDS.items()], validators=[DataRequired()]
    )
    contact_name = StringField(_l("Whom we may ask for"), filters=[stripped], validators=[Length(max=120)])
    phone = StringField(_l("Telephone"), filters=[stripped], validators=[Length(max=40)])
    email = StringField(_l("E-mail"), filters=[stripped], validators=[Optional(), Length(max=200), Email()])
    tax_code = StringField(_l("Tax code"), filters=[stripped], validators=[Length(max=20)])

    @property
    def values(self) -> dict[str, Any]:
        """The clean values, for the service."""
        same = ("name", "contact_name", "phone", "email", "tax_code")
        return {name: self[name].data for name in same} | {"kind": SponsorKind(self.kind.data), "wish": self.wish}


class RegisterForm(SponsorForm, WishForm):
    """A sponsor whom staff write down or put right, with how many they would like to help."""

    language = RadioField(_l("Letters and messages in"), choices=list(SPEAKS.items()), default="vi")

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> Self:
        """The form as somebody is known now."""
        return cls(data={**known, **_as_typed(known["wish"]), "kind": known["kind"].value})

    @property
    def values(self) -> dict[str, Any]:
        """The clean values, for the service."""
        return super().values | {"language": self.language.data}


class ReceiptForm(Form):
    """Money that came in."""

    amount = DongField(_l("Amount received"), validators=[InputRequired()])
    received_on = DateField(_l("Day it came in"), validators=[DataRequired()])
    reference = StringField(
        _l("Bank reference or number of the receipt"), filters=[stripped], validators=[DataRequired(), Length(max=60)]
    )
    pledge = SelectField(_l("For the promise"), default="")

    def offering(self, pledges: Iterable[tuple[UUID, str]]) -> Self:
        """The form with the promises it may belong to."""
        self.pledge.choices = [*((str(key), words) for key, words in pledges), ("", _l("None of these"))]
        return self

    @property
    def pledge_id(self) -> UUID | None:
        """The promise it belongs to."""
        return UUID(self.pledge.data) if self.pledge.data else None


class AllocationForm(Form):
    """Months of one person. `amount` is what was shown; confirming holds to it."""

    months = SelectField(_l("How many months"), coerce=int, validators=[DataRequired()])
    start = SelectField(_l("First month"), validators=[DataRequired()])
    reason = StringField(_l("Why help anyway"), filters=[stripped], validators=[Length(max=300)])

    offered: tuple[Month, ...] = ()
    """The months with which the chosen period may begin."""

    @classmethod
    def asking(cls, first: Callable[[int], Iterable[Month]]) -> Self:
        """Periods one can pay in, and the months that may come `first` with the chosen one."""
        form = cls(data={"months": PERIODS_USUAL})
        form.months.choices = [
            (months, ngettext("%(num)s month", "%(num)s months", months)) for months in PERIODS.values()
        ]
        if form.months.data in PERIODS.values():
            form.offered = tuple(first(form.months.data))
        form.start.choices = [(str(one), in_month(one)) for one in form.offered]
        return form

    def begin(self, usual: Month) -> None:
        """Choose the usual month, or the next that is offered, where none that is offered is chosen."""
        if self.start.data not in map(str, self.offered):
            later = next((one for one in self.offered if one >= usual), None)
            self.start.data = str(later or self.offered[-1]) if self.offered else None

    @property
    def first(self) -> Month:
        """The first month, once one is chosen."""
        return Month.parse(self.start.data)


PERIODS_USUAL = 6


class PremiumForm(Form):
    """The premium was paid with a sponsor's money."""

    paid_on = DateField(_l("Day of payment"), validators=[DataRequired()])
    receipt_number = StringField(_l("Receipt number"), filters=[stripped], validators=[Length(max=40)])
    confirmation = StringField(
        _l("List or letter of the insurance office"), filters=[stripped], validators=[Length(max=200)]
    )


class FundAccountForm(Form):
    """Where sponsors transfer to."""

    bin = SelectField(_l("Bank"), choices=[(key, name) for key, name in BANKS.items()])
    account = StringField(
        _l("Account number"),
        filters=[stripped],
        validators=[
            DataRequired(),
            Regexp(r"^[0-9A-Za-z]{4,19}$", message=_l("4 to 19 letters or figures, no spaces.")),
        ],
    )
    name = StringField(_l("In the name of"), filters=[stripped], validators=[DataRequired(), Length(max=100)])
    phone = StringField(_l("Telephone for sponsors"), filters=[stripped], validators=[Optional(), Length(max=40)])

    @property
    def value(self) -> FundAccount:
        """The account, once the form is valid. Raises RuleBroken for what is no telephone number."""
        phone = reached_at(self.phone.data) or ""
        return FundAccount(self.bin.data, self.account.data or "", self.name.data or "", phone)


def shown_amount(text: str) -> Vnd | None:
    """The amount a person saw before confirming; None when the page did not say."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
