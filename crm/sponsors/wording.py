"""A sponsor's wish, and what was changed of a sponsor, in short words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from crm.phones import pretty
from crm.places.models import Place
from crm.sponsors.rules import KINDS, NEEDS, SPEAKS, SponsorKind, Wish
from crm.web.filters import in_day

FIELDS: Mapping[str, Any] = {
    "name": _l("The sponsor's name"),
    "kind": _l("Kind"),
    "contact_name": _l("Ask for"),
    "phone": _l("Telephone"),
    "email": _l("E-mail"),
    "tax_code": _l("Tax code"),
    "language": _l("Letters and messages in"),
    "wish": _l("Would like to help"),
}
"""What may change of a sponsor."""


def wish_words(wish: Wish, places: Mapping[UUID, str]) -> list[str]:
    """Whom, where, how many; `places` are the names of wards and communes."""
    found: list[str | None] = [str(NEEDS[ground]) for ground in wish.grounds if ground in NEEDS]
    found += [places.get(place) for place in wish.places]
    found += [_("Women") if wish.women else None, _ages(wish)]
    found += [ngettext("%(num)s person", "%(num)s people", wish.people) if wish.people else None]
    found += [ngettext("%(num)s month", "%(num)s months", wish.months) if wish.months else None]
    found += [_("gives month by month") if wish.monthly else None]
    return [words for words in found if words]


def place_names(places: Iterable[Place], today: date) -> list[tuple[UUID, str]]:
    """What to call wards and communes one may wish for; of one that is no more, until when it was."""
    return [(place.id, _place_name(place, today)) for place in places]


def _place_name(place: Place, today: date) -> str:
    if place.valid_to is None or place.valid_to > today:
        return place.name
    last = place.valid_to - timedelta(days=1)
    return str(_("%(place)s (until %(day)s)", place=place.name, day=in_day(last)))


def _ages(wish: Wish) -> str | None:
    least, most, words = wish.age_from, wish.age_to, None
    if least and most:
        words = _("%(least)s to %(most)s years old", least=least, most=most)
    elif least:
        words = _("%(least)s years old or more", least=least)
    elif most:
        words = _("%(most)s years old or less", most=most)
    return words


def told_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], places: Mapping[UUID, str]
) -> list[tuple[str, str, str]]:
    """Of a kept change: which field, how it was, how it became."""
    return [
        (str(words), _said(field, before.get(field), places), _said(field, after.get(field), places))
        for field, words in FIELDS.items()
        if field in before or field in after
    ]


def _said(field: str, value: Any, places: Mapping[UUID, str]) -> str:
    if not value:
        said = "—"
    elif field == "wish":
        said = " · ".join(wish_words(Wish.from_json(value), places)) or "—"
    elif field == "language":
        said = str(SPEAKS[value])
    elif field == "kind":
        said = str(KINDS[SponsorKind(value)])
    else:
        said = pretty(value) if field == "phone" else str(value)
    return said
