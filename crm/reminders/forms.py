"""What is asked of a reminder rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField, RadioField, SelectField, StringField, TextAreaField, TimeField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from crm.campaigns.rules.hours import Hours
from crm.reminders.rules import EVENTS, FURTHEST, STOPS, Event, Reminder, Stop
from crm.web.forms import Form, QueryForm, stripped

SIDES = [("before", _l("days before")), ("after", _l("days after"))]
_DAYS = [InputRequired(_l("Write a number of days, 0 for the day itself.")), NumberRange(0, FURTHEST)]


class RuleForm(Form):
    """A rule: its days, its text, its hours, what keeps it back, and whether it is on."""

    template = SelectField(_l("Template"), default="", choices=[("", _l("A text of its own"))], validators=[Optional()])
    name = StringField(_l("Name, for the office"), [DataRequired(), Length(max=80)], filters=[stripped])
    text = TextAreaField(_l("Text"), [DataRequired(), Length(max=600)], filters=[stripped])
    earliest = IntegerField(_l("Begins, in days"), _DAYS)
    earliest_side = SelectField(_l("Before or after it"), choices=SIDES)
    latest = IntegerField(_l("Ends, in days"), _DAYS)
    latest_side = SelectField(_l("Before or after it"), choices=SIDES)
    opens = TimeField(_l("Not before"), [InputRequired()])
    closes = TimeField(_l("Not after"), [InputRequired()])
    stop = RadioField(_l("When is it not sent?"), choices=list(STOPS.items()))
    active = BooleanField(_l("This reminder is on"))

    @classmethod
    def showing(cls, rule: Reminder) -> RuleForm:
        """The form with a rule as it is."""
        return cls(
            data={
                "name": str(rule.name),
                "text": rule.text,
                "template": str(rule.template_version_id or ""),
                "earliest": abs(rule.earliest),
                "earliest_side": _side(rule.earliest),
                "latest": abs(rule.latest),
                "latest_side": _side(rule.latest),
                "opens": rule.hours.opens,
                "closes": rule.hours.closes,
                "stop": rule.stop,
                "active": rule.active,
            }
        )

    def offering(self, templates: Iterable[tuple[UUID, str]]) -> RuleForm:
        """The form with the templates to choose from."""
        self.template.choices = [("", _l("A text of its own")), *((str(value), label) for value, label in templates)]
        return self

    def rule(self, before: Reminder, texts: Mapping[str, str]) -> Reminder:
        """The rule as it was typed; `texts` are those of the templates by version, and a chosen template's words hold."""
        chosen = self.template.data if self.template.data in texts else None
        return replace(
            before,
            name=self.name.data or "",
            text=texts[chosen] if chosen else " ".join((self.text.data or "").split()),
            template_version_id=UUID(chosen) if chosen else None,
            earliest=_signed(self.earliest.data, self.earliest_side.data),
            latest=_signed(self.latest.data, self.latest_side.data),
            hours=Hours(self.opens.data, self.closes.data),  # type: ignore[arg-type]
            stop=Stop(self.stop.data),
            active=self.active.data,
        )


def _side(days: int) -> str:
    return "after" if days < 0 else "before"


def _signed(days: Any, side: str) -> int:
    return -int(days) if side == "after" else int(days)


class NewRuleForm(Form):
    """What a new rule is about."""

    event = RadioField(
        _l("What is it about?"),
        choices=list(EVENTS.items()),
        validators=[InputRequired(_l("Choose what the reminder is about."))],
    )

    @property
    def what(self) -> Event:
        """The event, once the form is valid."""
        return Event(self.event.data)


class PeopleForm(QueryForm):
    """Which people of a rule to list."""

    which = SelectField(
        _l("Who"),
        choices=[("today", _l("Told today")), ("week", _l("Told within a week")), ("not", _l("Not told, and why"))],
        default="today",
    )
