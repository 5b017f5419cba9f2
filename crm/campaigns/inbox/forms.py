"""What is asked when somebody answers, or hands a conversation on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, TextAreaField
from wtforms.validators import Length

from crm.web.forms import Form, stripped


class GiveForm(Form):
    """Who looks after a conversation."""

    to = SelectField(_l("Who looks after it"))

    def offering(self, people: Iterable[tuple[UUID, str]], now: UUID | None) -> Self:
        """The form with those to whom it may be given."""
        self.to.choices = [("", _("Nobody yet")), *((str(key), name) for key, name in people)]
        if self.to.data is None:
            self.to.data = str(now or "")
        return self

    @property
    def to_id(self) -> UUID | None:
        """Who was chosen."""
        return UUID(self.to.data) if self.to.data else None


class ReplyForm(Form):
    """An answer: a template, or words of one's own."""

    template = SelectField(_l("From a template"), default="")
    texts: Mapping[str, str] = {}
    """The words of each template: a chosen one is put into the box, to be read and changed."""
    words = TextAreaField(_l("Or in your own words"), filters=[stripped], validators=[Length(max=600)])

    def offering(self, templates: Iterable[tuple[UUID, str, str]]) -> Self:
        """The form with the texts that stand ready: each with its id, its name and its words."""
        found = [(str(key), name, words) for key, name, words in templates]
        self.template.choices = [("", _("None, my own words")), *((key, name) for key, name, _words in found)]
        self.texts = {key: words for key, _name, words in found}
        return self
