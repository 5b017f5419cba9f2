"""What a list is narrowed to, how it is saved, what is done to its people, and which columns go where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from crm.prospects.lists.narrowing import Consenting, Narrowing
from crm.prospects.lists.rules import BY_HAND, COLUMNS, LONGEST_NAME, SHARING, Column, Sharing
from crm.prospects.wording import FIELDS, GROUNDS, SEXES, STAGES
from crm.web.forms import Form, QueryForm, stripped

Choice = tuple[str, Any]
ALL: Choice = ("", _l("All"))

CONSENTS = {
    Consenting.PROMOTION: _l("Agrees to invitations"),
    Consenting.NOT_PROMOTION: _l("Has not agreed to invitations"),
    Consenting.SERVICE: _l("Agrees to reminders"),
    Consenting.NOT_SERVICE: _l("Has not agreed to reminders"),
}
CONTACTS = {"yes": _l("Never met"), "no": _l("Met at least once")}
PHONES = {"yes": _l("Has a mobile"), "no": _l("Has none")}


class SeveralField(SelectMultipleField):
    """Boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def _one(label: Any, words: Any = ()) -> SelectField:
    choices = [ALL, *((str(value), told) for value, told in dict(words).items())]
    return SelectField(label, choices=choices, filters=[stripped], validators=[Optional()], validate_choice=False)


def _several(label: Any, words: Any = ()) -> SeveralField:
    return SeveralField(
        label, choices=[(str(value), told) for value, told in dict(words).items()], validate_choice=False
    )


def _days(label: Any) -> StringField:
    return StringField(label, filters=[stripped], validators=[Optional()])


class SearchForm(QueryForm):
    """What is searched for; what a list is narrowed to is read by `Narrowing`."""

    q = HiddenField(filters=[stripped], validators=[Optional(), Length(max=200)])


class NarrowForm(QueryForm):
    """The names are those of `Narrowing`."""

    q = HiddenField(filters=[stripped])
    list = HiddenField(filters=[stripped])
    place = _one(FIELDS["place_id"])
    neighbourhood = _one(FIELDS["neighbourhood_id"])
    stage = _several(_l("Where they stand"), STAGES)
    standing = _one(_l("Group"), GROUNDS)
    assigned_to = _one(_l("Volunteer"))
    organisation = _one(FIELDS["organisation_id"])
    due_within = _days(_l("To be met within so many days"))
    due_before = StringField(_l("To be met before"), filters=[stripped])
    never_contacted = _one(_l("Met before"), CONTACTS)
    no_contact_for = _days(_l("Not met for so many days"))
    last_contact_within = _days(_l("Met within so many days"))
    last_contact_before = StringField(_l("Last met before"), filters=[stripped])
    age_from = _days(_l("Age from"))
    age_to = _days(_l("Age to"))
    sex = _one(FIELDS["sex"], SEXES)
    occupation = StringField(FIELDS["occupation"], filters=[stripped])
    has_phone = _one(FIELDS["phone"], PHONES)
    consent = _one(_l("Messages"), CONSENTS)
    tag = _several(_l("Tags"))
    condition = _several(_l("Payments, support and papers"))

    @classmethod
    def of(cls, narrowing: Narrowing, *, q: str, named: str | None) -> NarrowForm:
        """The form filled with what is chosen now."""
        return cls(formdata=None, data={**narrowing.as_args(), "q": q, "list": named})


class SaveForm(Form):
    """A name for what is being looked at, and who else finds it."""

    name = StringField(_l("Name of the list"), filters=[stripped], validators=[Length(max=LONGEST_NAME)])
    sharing = RadioField(_l("Who finds it"), choices=[(one.value, words) for one, words in SHARING.items()])

    def offer(self, ways: Sequence[Sharing]) -> None:
        """With whom this person may share."""
        self.sharing.choices = [(one.value, SHARING[one]) for one in ways]
        if not self.sharing.data:
            self.sharing.data = Sharing.OWN.value

    @property
    def chosen(self) -> Sharing:
        return Sharing(self.sharing.data)


class ActForm(Form):
    """What is to be done, and to whom: those ticked, or everybody of the list."""

    kind = RadioField(_l("What shall be done?"), choices=[], validate_choice=False)
    volunteer = SelectField(
        _l("To whom"), choices=[], filters=[stripped], validators=[Optional()], validate_choice=False
    )
    stage = SelectField(
        _l("Where they stand"),
        choices=[("", _l("Choose")), *((one.value, STAGES[one]) for one in BY_HAND)],
        filters=[stripped],
        validators=[Optional()],
        validate_choice=False,
    )
    tag = SelectField(_l("Tag"), choices=[], filters=[stripped], validators=[Optional()], validate_choice=False)
    new_tag = StringField(_l("Or a new tag"), filters=[stripped])
    reason = StringField(
        _l("Why"), filters=[stripped], description=_l("Needed when people are moved to another stage.")
    )
    people = SelectMultipleField(_l("Residents"), choices=[], validate_choice=False)
    whole = RadioField(
        _l("For whom"), choices=[("", _l("Those I tick")), ("1", _l("Everybody of the list"))], validators=[Optional()]
    )

    def offer(self, kinds: Sequence[Choice], volunteers: Sequence[Choice], tags: Sequence[Choice]) -> None:
        """What this person may do, with whom and with which tags."""
        self.kind.choices = list(kinds)
        self.volunteer.choices = [("", _l("Choose")), *volunteers]
        self.tag.choices = [("", _l("Choose")), *tags]
        self.whole.data = self.whole.data or ""

    @property
    def sent(self) -> dict[str, Any]:
        """What was chosen, as kinds of acts read it."""
        return {name: self[name].data for name in ("volunteer", "stage", "tag", "new_tag", "reason")}


class TagForm(Form):
    """A tag for one person."""

    tag = StringField(_l("Tag"), filters=[stripped])


class ColumnsForm(Form):
    """What lists show beside the name."""

    columns = SeveralField(_l("Columns"), choices=[])

    def offer(self, among: Sequence[Column]) -> None:
        self.columns.choices = [(one.value, COLUMNS[one]) for one in among]


class ExportForm(ColumnsForm):
    """What a file holds."""

    full_numbers = BooleanField(_l("Whole citizen and insurance numbers"))
