"""A text as the office looks at it: its places as chips, filled for an example, counted both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from crm.campaigns.models import Campaign, Message
from crm.campaigns.rules.places import EXAMPLE, PLACES, SAMPLES, WAY_OUT
from crm.campaigns.rules.texts import PLACE, Size, compose, costly, size
from crm.campaigns.services.audience import audience
from crm.errors import RuleBroken
from crm.prospects.rules import Purpose


@dataclass(frozen=True)
class Example:
    """A text for one person, as it would go out without accents and with them."""

    text: str
    purpose: Purpose
    values: Mapping[str, str]

    @classmethod
    def of(cls, text: str, purpose: Purpose, values: Mapping[str, str] | None = None) -> Example:
        """For an example person, or for one of whom some values are known. Before anything is written, a sample."""
        return cls(
            text if text.strip() else SAMPLES[purpose],
            purpose,
            {**EXAMPLE, **{name: value for name, value in (values or {}).items() if value}},
        )

    def body(self, *, accented: bool) -> str:
        filled = PLACE.sub(lambda place: self.values.get(place[1], place[0]), self.text)
        return compose(filled, self.purpose, self.values[WAY_OUT], accented=accented)

    @property
    def plain(self) -> Size:
        return size(self.body(accented=False))

    @property
    def accented(self) -> Size:
        return size(self.body(accented=True))

    @property
    def costly(self) -> tuple[str, ...]:
        """Letters that turn the message into the dear kind."""
        return costly(self.body(accented=True))

    @property
    def still_costly(self) -> tuple[str, ...]:
        """Those that do so even without accents: signs that no old telephone has."""
        return costly(self.body(accented=False))


def values_of_first(session: Session, campaign: Campaign, *, at: datetime, by_id: UUID) -> dict[str, str]:
    """What the places of the text say of the first person of the audience whom somebody sees; nothing without one."""
    try:
        first = next(iter(audience(session, campaign, at, by_id=by_id, named=tuple(PLACES), most=1)), None)
    except RuleBroken:
        return {}
    return first.values if first else {}


def chips(text: str) -> Markup:
    """The text with its places as chips."""
    return Markup("").join(_chips(text))


def _chips(text: str) -> Iterator[Markup]:
    parts = PLACE.split(text)
    for index, part in enumerate(parts):
        known = PLACES.get(part) if index % 2 else None
        if known:
            yield Markup('<span class="chip">{}</span>').format(known.words)
        else:
            yield escape(f"{{{part}}}" if index % 2 else part)


_BEYOND_THE_HOST = re.compile(r"(https?://[^/\s]+)/\S+")


def shown_body(message: Message) -> str:
    """A message's text for the office. Of a reminder to nobody of the register an address is shown without what follows the
    host: it opens a sponsor's own page for whoever holds it."""
    if message.prospect_id is None and message.reminder is not None:
        return _BEYOND_THE_HOST.sub(r"\1/…", message.body)
    return message.body


def whom(message: Message) -> LazyString:
    """Whom a message is for that is for nobody of the register, and for nobody known to work here."""
    return _l("A sponsor") if message.reminder else _l("Somebody who is not on record")
