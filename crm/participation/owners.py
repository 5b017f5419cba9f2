"""What the page of somebody with a household business says: the facts of the tax office's list, and since when the law
has such owners join compulsory insurance instead. Who belongs there is decided by people, not here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import exists

from crm.accounts.queries import Scope
from crm.citizen_ids import mask
from crm.db import session
from crm.premiums.queries import law
from crm.premiums.rules.keys import LawKey
from crm.premiums.rules.law import Law, LawValue
from crm.prospects import cards
from crm.prospects.cards import Card
from crm.prospects.importing.meanings.businesses import businesses_of
from crm.prospects.importing.models import HouseholdBusiness, TaxMethod
from crm.prospects.models import Prospect
from crm.web import filters

METHODS = {TaxMethod.LUMP_SUM: _l("Lump-sum tax"), TaxMethod.DECLARATION: _l("By declaration")}
_OBLIGES = {
    TaxMethod.LUMP_SUM: LawKey.OWNERS_LUMP_SUM_COMPULSORY,
    TaxMethod.DECLARATION: LawKey.OWNERS_DECLARING_COMPULSORY,
}


@dataclass(frozen=True)
class Told:
    """A business as the page tells it; `remark` is what the law says of its owner."""

    business: HouseholdBusiness
    tax_code: str | None
    method: Any
    remark: str | None
    already: bool
    """Whether the law obliges owners of this kind today."""


def remark_on(method: TaxMethod | None, rules: Law, today: date) -> tuple[str | None, bool]:
    """Since when owners who pay tax so join compulsory insurance, and whether that day has come."""
    said = _first(rules, method)
    if said is None:
        return None, False
    words = {"day": filters.in_day(said.since), "document": said.reference}
    if method is None:
        return _(
            "Ask how the tax is paid: some owners join compulsory insurance from %(day)s (%(document)s).", **words
        ), False
    if said.since <= today:
        return (
            _(
                "Owners who pay tax this way join compulsory insurance since %(day)s (%(document)s). Check before enrolling.",
                **words,
            ),
            True,
        )
    return _("Owners who pay tax this way join compulsory insurance from %(day)s (%(document)s).", **words), False


def _first(rules: Law, method: TaxMethod | None) -> LawValue | None:
    keys = [_OBLIGES[method]] if method else list(_OBLIGES.values())
    found = [value for value in rules.values if value.key in keys and value.value]
    return min(found, key=lambda value: value.since, default=None)


def card(person: Prospect, scope: Scope, today: date) -> Card | None:
    """The person's household businesses, if a list told of any."""
    known = businesses_of(session(), person.town_id, [person.id]).get(person.id, [])
    if not known:
        return None
    rules = law(session())
    return Card("participation/_businesses.html", {"businesses": [_told(one, rules, today) for one in known]}, order=45)


def _told(one: HouseholdBusiness, rules: Law, today: date) -> Told:
    remark, already = remark_on(one.method, rules, today)
    code = one.tax_code
    return Told(
        business=one,
        tax_code=mask(code) if code and len(code) == 12 else code,  # 12 digits: the owner's citizen number
        method=METHODS[one.method] if one.method else None,
        remark=remark,
        already=already,
    )


cards.register(card=card, when=exists().where(cards.of_person(HouseholdBusiness)))
