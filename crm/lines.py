"""What somebody typed as it is kept: in one line or in a few, no longer than there is room for; or a whole number."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.names import clean

TOO_LONG = _l("That is too long.")
_WHOLE = re.compile(r"[0-9]+")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:([.,]|\s+)[0-9]{3})(?:\1[0-9]{3})*")


def line(text: str | None, most: int, field: str, missing: Any = None) -> str:
    """One line of at most so many characters; with `missing`, that is said where nothing stands. Raises RuleBroken."""
    return _within(clean(text or ""), most, field, missing)


def paragraphs(text: str | None, most: int, field: str, missing: Any = None) -> str:
    """The same for several lines: empty ones go. Raises RuleBroken."""
    return _within("\n".join(kept for one in (text or "").splitlines() if (kept := clean(one))), most, field, missing)


def _within(kept: str, most: int, field: str, missing: Any) -> str:
    if missing and not kept:
        raise RuleBroken(missing, field=field)
    if len(kept) > most:
        raise RuleBroken(TOO_LONG, field=field)
    return kept


def whole_number(text: str, most_digits: int) -> int | None:
    """«1.385», «1,385», «1 385» and «1385» are one number. None for anything else: «2,5» is not 25."""
    text = text.strip()
    if not (_WHOLE.fullmatch(text) or _GROUPED.fullmatch(text)):
        return None
    figures = re.sub(r"[^0-9]", "", text)
    return int(figures) if len(figures) <= most_digits else None
