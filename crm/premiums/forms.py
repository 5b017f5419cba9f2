"""How money is typed."""

import re
from typing import Any

from flask_babel import gettext as _
from wtforms import IntegerField

from crm.web.filters import in_number

AMOUNT = re.compile(r"[0-9]{1,12}")


class DongField(IntegerField):
    """Whole đồng as people type them: "1.500.000", "1 500 000 đ" or "1500000"."""

    def _value(self) -> str:
        if self.raw_data and (self.data is None or self.process_errors):
            return str(self.raw_data[0])
        return str(in_number(self.data)) if self.data is not None else ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Figures with or without dots → a whole number."""
        figures = re.sub(r"[.,\s\u00a0đĐ₫]", "", str(valuelist[0])) if valuelist else ""
        if not AMOUNT.fullmatch(figures):
            raise ValueError(_("Write the amount in figures, such as 1,500,000."))
        self.data = int(figures)


class MayBeEmptyDong(DongField):
    """The same, and nothing when nothing is typed."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Nothing typed is None."""
        if valuelist and str(valuelist[0]).strip():
            super().process_formdata(valuelist)
        else:
            self.data = None
