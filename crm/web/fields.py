"""Fields of forms that more than one package asks with."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, IntegerField
from wtforms.validators import StopValidation

from crm.lines import whole_number
from crm.web.filters import in_number

MOST_DIGITS = 9


class TypedNumber(IntegerField):
    """A whole number as people type it, written back as the reader writes it; what could not be read stays as typed."""

    def _value(self) -> str:
        if self.raw_data and (self.data is None or self.process_errors):
            return str(self.raw_data[0])
        return str(in_number(self.data)) if self.data is not None else ""

    def pre_validate(self, form: Any) -> None:
        """What could not be read is told once: nothing else is asked of it."""
        if self.process_errors:
            raise StopValidation


class CountField(TypedNumber):
    """A count as it is typed: "1.385", "1 385" or "1385"; nothing is not known. `hint` is said of anything else."""

    most: ClassVar[int] = 999_999_999
    hint: ClassVar[Any] = _l("Write a whole number, such as 1,385.")

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Figures in groups of three or not → a whole number; nothing → None."""
        typed = str(valuelist[0]).strip() if valuelist else ""
        self.data = None
        if not typed:
            return
        number = whole_number(typed, MOST_DIGITS)
        if number is None or number > self.most:
            raise ValueError(self.hint)
        self.data = number


class MomentField(HiddenField):
    """A moment that the page knew and carries unseen; none, or what cannot be read, is None."""

    data: datetime | None  # type: ignore[assignment]

    def _value(self) -> str:
        return self.data.isoformat() if self.data else ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """The moment as `_value` wrote it."""
        self.data = None
        with suppress(ValueError):
            self.data = datetime.fromisoformat(str(valuelist[0]).strip()) if valuelist else None
