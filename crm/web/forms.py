"""The base of all forms: our languages, and what was refused shown at its field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flask import flash
from flask_babel import get_domain, gettext
from flask_wtf import FlaskForm
from markupsafe import Markup, escape
from wtforms import Field
from wtforms.widgets import Select

from crm.errors import RuleBroken


class _Translations:
    def gettext(self, string: str) -> str:
        return str(gettext(string))

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """The sentence with its places still open: WTForms fills them itself."""
        return str(get_domain().get_translations().ungettext(singular, plural, n))


class _PlainSelect(Select):
    """WTForms' own, but drawing a plain option at once: a page has hundreds of them."""

    @classmethod
    def render_option(cls, choice: Any, **attributes: Any) -> Markup:  # type: ignore[override]
        if attributes or choice.render_kw or not isinstance(choice.value, str):
            drawn: Markup = super().render_option(choice, **attributes)
            return drawn
        chosen = Markup("selected ") if choice.selected else ""
        value, label = escape(choice.value), escape(choice.label or choice.value)
        return Markup(f'<option {chosen}value="{value}">{label}</option>')  # noqa: S704  # all of it is escaped


SELECT = _PlainSelect()


class Form(FlaskForm):  # type: ignore[misc]
    """A form whose built-in sentences come from our catalogues."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        def get_translations(self, form: Any) -> _Translations:
            return _Translations()

        def render_field(self, field: Field, render_kw: dict[str, Any]) -> Markup:
            if field.type == "SelectField" and not isinstance(field.widget, _PlainSelect):
                field.widget = SELECT  # type: ignore[assignment]
            drawn: Markup = super().render_field(field, render_kw)
            return drawn


class QueryForm(Form):
    """A form sent by GET: a shareable address, nothing changes, so no token."""

    class Meta(Form.Meta):
        csrf = False


def stripped(value: str | None) -> str | None:
    """A filter for text fields: no space around, NUL removed, None when nothing is left."""
    return (value.replace("\x00", "").strip() or None) if value else None


MOST_TOLD = 8
"""So many refusals at once are told with their words: all of them stand in one cookie."""


def flash_refusals(refused: Sequence[str]) -> None:
    """What of several acts was not done, each with its sentence."""
    for words in refused[:MOST_TOLD]:
        flash(gettext("Not done: %(why)s", why=words), "error")
    if len(refused) > MOST_TOLD:
        flash(
            gettext("%(more)s more were not done either. Open each to see why.", more=len(refused) - MOST_TOLD), "error"
        )


@contextmanager
def refusals_flashed() -> Iterator[None]:
    """What a service refuses is told on the page one comes back to."""
    try:
        yield
    except RuleBroken as refused:
        flash(str(refused), "warning")


@contextmanager
def refusals_on(form: FlaskForm) -> Iterator[None]:
    """What a service refuses stands at the field it names, or above the form. A field is told one thing at a time."""
    try:
        yield
    except RuleBroken as refusal:
        for one in refusal.each:
            field: Field | None = form._fields.get(one.field) if one.field else None
            if field is None:
                form.form_errors = [*form.form_errors, one.message]
            elif not field.errors:
                field.errors = [one.message]
