"""Writing down a decree: its document, then one value at a time."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from crm.decrees.rules.saying import Item, Said, read_dong, read_percent, read_value
from crm.decrees.rules.states import CERTAINTY, SIDES
from crm.errors import RuleBroken
from crm.premiums.rules.keys import LawKey, LawStatus
from crm.premiums.rules.wording import GROUNDS, LABELS
from crm.prospects.rules import Ground
from crm.web.forms import Form, QueryForm, stripped

Choice = tuple[str, Any]
EVERYBODY: Choice = ("", _l("everybody"))
WHOLE_TOWN: Choice = ("", _l("the whole town"))
EARLIEST_YEAR, LATEST_YEAR = 1995, 2100


class DocumentForm(Form):
    """Which document says so, from which day, and how sure it is."""

    document = StringField(_l("Document"), filters=[stripped], validators=[DataRequired(), Length(max=120)])
    article = StringField(_l("Article"), filters=[stripped], validators=[Length(max=120)])
    source = StringField(_l("Where it was read"), filters=[stripped], validators=[DataRequired(), Length(max=300)])
    effective_from = DateField(_l("Day of effect"), validators=[DataRequired()])
    status = RadioField(
        _l("How sure is it?"),
        choices=[(str(status), CERTAINTY[status]) for status in LawStatus],
        default=str(LawStatus.IN_FORCE),
        validators=[DataRequired()],
    )
    note = TextAreaField(_l("Note"), filters=[stripped], validators=[Length(max=500)])

    @classmethod
    def of(cls, said: Said) -> Self:
        """The form with what a draft says now."""
        return cls(
            data={
                "document": said.document,
                "article": said.article,
                "source": said.source,
                "effective_from": said.since,
                "status": str(said.status),
                "note": said.note,
            }
        )

    def said(self, items: Sequence[Item] = ()) -> Said:
        """What was written, with these lines."""
        assert self.effective_from.data is not None
        return Said(
            document=self.document.data or "",
            article=self.article.data or "",
            source=self.source.data or "",
            note=self.note.data or "",
            since=self.effective_from.data,
            status=LawStatus(self.status.data),
            items=tuple(items),
        )


class ValueForm(Form):
    """One value of national law."""

    key = SelectField(_l("What changes"), validators=[DataRequired()])
    ground = SelectField(
        _l("For whom (State support only)"),
        choices=[EVERYBODY, *((str(one), GROUNDS[one]) for one in Ground)],
        default="",
    )
    of_year = IntegerField(
        _l("For months paid in the year (price coefficients only)"),
        validators=[Optional(), NumberRange(EARLIEST_YEAR, LATEST_YEAR)],
    )
    value = StringField(_l("New value"), filters=[stripped], validators=[DataRequired(), Length(max=40)])
    value_article = StringField(_l("Article, if another"), filters=[stripped], validators=[Length(max=120)])

    def offering(self, now: dict[LawKey, Any]) -> Self:
        """With what holds today beside each name."""
        self.key.choices = [
            ("", _l("choose")),
            *((str(key), f"{LABELS[key]}: {now[key]}" if key in now else LABELS[key]) for key in LawKey),
        ]
        return self

    def item(self) -> Item:
        """What was written. Raises RuleBroken for a number that is none."""
        key = LawKey(self.key.data)
        return Item(
            key=key,
            ground=Ground(self.ground.data) if self.ground.data else None,
            value=read_value(key, self.value.data or ""),
            of_year=self.of_year.data,
            article=self.value_article.data or "",
        )


class TopUpForm(Form):
    """What a place adds by its own budget."""

    place = SelectField(_l("Where"), default="")
    top_up_ground = SelectField(
        _l("For whom"), choices=[(str(one), GROUNDS[one]) for one in Ground], validators=[DataRequired()]
    )
    percent = StringField(_l("Percent of the premium on the least income"), filters=[stripped])
    amount = StringField(_l("Or đồng a month"), filters=[stripped])
    until = DateField(_l("Last day"), validators=[Optional()])
    months_cap = IntegerField(_l("Months at most"), validators=[Optional(), NumberRange(min=1, max=1200)])

    def offering(self, places: Sequence[Choice]) -> Self:
        """With the places of the town."""
        self.place.choices = [WHOLE_TOWN, *places]
        return self

    def item(self) -> Item:
        """What was written. Raises RuleBroken for a number that is none."""
        return Item(
            key=None,
            ground=Ground(self.top_up_ground.data),
            value=self._read("percent", read_percent),
            amount=self._read("amount", read_dong),
            place=UUID(self.place.data) if self.place.data else None,
            until=self.until.data,
            months_cap=self.months_cap.data,
        )

    def _read(self, name: str, read: Any) -> Any:
        text: str | None = self[name].data
        if not text:
            return None
        try:
            found: Decimal | int = read(text)
        except RuleBroken as refusal:
            raise RuleBroken(refusal.message, field=name) from None
        return found


class WithdrawForm(Form):
    """Why something is withdrawn."""

    why = StringField(_l("Why it is withdrawn"), filters=[stripped], validators=[DataRequired(), Length(max=300)])


class PeopleForm(QueryForm):
    """Whom to show of those a decree concerns."""

    side = SelectField(_l("Who"), choices=[("", _l("All")), *((str(side), words) for side, words in SIDES.items())])
    part = SelectField(
        _l("Taking part"),
        choices=[("", _l("All")), ("yes", _l("Taking part")), ("no", _l("Agreed or being talked to"))],
    )
    place = SelectField(_l("Ward or commune"), validate_choice=False)
