"""How a form's fields are drawn: what the form macros ask about a WTForms field."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask
from wtforms import Field, RadioField
from wtforms.widgets import ListWidget

EMPTY = "This field is required."
"""What WTForms says of a field that was left empty, in its own words."""


def field_kind(field: Field) -> str:
    """Which drawing a field takes: hidden, group (radios, several checkboxes), checkbox, file, number or input."""
    if isinstance(field, RadioField) or isinstance(field.widget, ListWidget):
        return "group"
    kind = getattr(field.widget, "input_type", "input")
    return kind if kind in ("hidden", "checkbox", "file", "number") else "input"


def field_errors(field: Field) -> list[str]:
    """A field's messages, those of its parts included."""
    return list(_messages(field.errors))


def summed_up(field: Field) -> list[str]:
    """The same for the error summary, where nothing else says which field is meant: each once, after the field's name
    unless it says that itself."""
    found = list(dict.fromkeys(field_errors(field)))
    name = str(field.label.text).strip().rstrip(":")
    if field_kind(field) == "hidden" or not name:
        return found
    empty = field.gettext(EMPTY)
    before = name if name.endswith(("?", ".", "!")) else f"{name}:"
    return [
        one if name.casefold() in one.casefold() else f"{before} {one[:1].lower() + one[1:] if one == empty else one}"
        for one in found
    ]


def first_control_id(field: Field) -> str:
    """The element that a link in the error summary goes to."""
    return f"{field.id}-0" if field_kind(field) == "group" else str(field.id)


def described_by(field: Field, hint: str | None) -> str | None:
    """The ids of the hint and the error that belong to a field, for `aria-describedby`."""
    parts = [f"{field.id}-hint"] if hint else []
    parts += [f"{field.id}-error"] if field_errors(field) else []
    return " ".join(parts) or None


def control_attributes(field: Field, attributes: Mapping[str, Any], hint: str | None) -> dict[str, Any]:
    """The HTML attributes of a field's control: the caller's, what describes it, and a fitting keyboard.

    Numbers are typed as text: a number box would read "165.000" as one hundred and sixty-five.
    """
    made: dict[str, Any] = {}
    if describing := described_by(field, hint):
        made["aria-describedby"] = describing
    if field_errors(field):
        made["aria-invalid"] = "true"
    if field_kind(field) == "number":
        made |= {"type": "text", "inputmode": "numeric", "autocomplete": "off"}
    return made | dict(attributes)


def register(app: Flask) -> None:
    """Give the form macros these functions."""
    app.jinja_env.filters |= {f.__name__: f for f in (field_kind, field_errors, summed_up, first_control_id)}
    app.jinja_env.globals |= {f.__name__: f for f in (described_by, control_attributes)}


def _messages(errors: Any) -> Iterator[str]:
    if isinstance(errors, Mapping):
        for part in errors.values():
            yield from _messages(part)
    elif isinstance(errors, (list, tuple)):
        for part in errors:
            yield from _messages(part)
    elif errors:
        yield str(errors)
