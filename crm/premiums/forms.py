"""How money is typed."""

import re
from typing import Any

from flask_babel import gettext as _

from crm.lines import whole_number
from crm.web.fields import TypedNumber

MOST_DIGITS = 12
UNIT = re.compile(r"\s*(đ|₫|đồng|vnd)\s*$", re.IGNORECASE)


class DongField(TypedNumber):
    """Whole đồng as people type them: "1.500.000", "1 500 000 đ" or "1500000"."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Figures in groups of three or not → a whole number."""
        typed = UNIT.sub("", str(valuelist[0])) if valuelist else ""
        amount = whole_number(typed, MOST_DIGITS)
        if amount is None:
            raise ValueError(_("Write the amount in figures, such as 1,500,000."))
        self.data = amount


class MayBeEmptyDong(DongField):
    """The same, and nothing when nothing is typed."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Nothing typed is None."""
        if valuelist and str(valuelist[0]).strip():
            super().process_formdata(valuelist)
        else:
            self.data = None
