"""What marshmallow says of a wrong field, in our words and in the caller's language.

Sentences without values need nothing here: they are looked up in the catalogue when the answer is written
(crm/web/problems.py). Those with values have to be said before the values are filled in.
"""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate


class Sentence(str):
    """A sentence with places for values, said when they are filled in; marshmallow asks for a `str`."""

    __slots__ = ("_said",)
    _said: Any

    @classmethod
    def of(cls, said: Any) -> Sentence:
        """A lazy sentence as marshmallow takes it."""
        made = cls("{}")
        made._said = said
        return made

    def __str__(self) -> str:
        return str(self._said)

    def format(self, *args: object, **values: object) -> str:
        """The sentence with its values; `Range` asks for its comparing words first, which stand here already."""
        if "min_op" in values or "max_op" in values:
            return self
        return str(self._said).format(*args, **values)


def say_ours() -> None:
    """Let every field and validator speak so; bounds are taken to be inclusive, as all of ours are."""
    validate.Length.message_min = Sentence.of(_l("Must be at least {min} long."))
    validate.Length.message_max = Sentence.of(_l("Must be at most {max} long."))
    validate.Length.message_all = Sentence.of(_l("Must be between {min} and {max} long."))
    validate.Length.message_equal = Sentence.of(_l("Must be {equal} long."))
    validate.Range.message_min = Sentence.of(_l("Must be at least {min}."))
    validate.Range.message_max = Sentence.of(_l("Must be at most {max}."))
    validate.Range.message_all = Sentence.of(_l("Must be between {min} and {max}."))
    one_of = Sentence.of(_l("Must be one of: {choices}."))
    validate.OneOf.default_message = one_of
    fields.Enum.default_error_messages = {"unknown": one_of}
    aware = Sentence.of(_l("Write the moment with its offset, such as 2019-10-15T09:00:00+07:00."))
    fields.AwareDateTime.default_error_messages = {"invalid": aware, "invalid_awareness": aware}


say_ours()  # at import, before any schema is written: fields keep the words they find
