"""What a phone needs to work out the same answer without a network: the law's rows and the sentences, as one file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any
from uuid import UUID

from crm.premiums.calculator.life import DRAWN_AFTER_PENSION, DRAWN_TO_AGE, ROOM_ABOVE, WHOLE
from crm.premiums.calculator.rules import BESIDE_YEARS, COMPARED, EVERY_YEARS
from crm.premiums.calculator.showing import CLOSE, LABEL, MIDDLE
from crm.premiums.calculator.wording import BUTTONS, REFUSALS, SENTENCES
from crm.premiums.queries import Ward
from crm.premiums.rules.benefits.lump_sum import NotAllowed
from crm.premiums.rules.benefits.pension import BEGUN
from crm.premiums.rules.benefits.wording import ASSUMPTIONS, UNKNOWNS, WHY_NOT
from crm.premiums.rules.explaining import Assumption, Line, Unknown
from crm.premiums.rules.keys import PERIODS, WINDOWS, LawKey
from crm.premiums.rules.law import ANNOUNCED_EACH_YEAR, SURENESS, Law, LawValue, LocalTopUp
from crm.premiums.rules.pensions import NEEDED
from crm.premiums.rules.wording import GROUNDS, LABELS, LOCAL_TOP_UP, METHODS, STATUSES, label_of, value_of
from crm.prospects.rules import Ground
from crm.web.filters import ENGLISH_MONTHS

USED = frozenset(
    {
        LawKey.CONTRIBUTION_PERCENT,
        LawKey.POVERTY_LINE,
        LawKey.INCOME_STEP,
        LawKey.BASE_LEVEL,
        LawKey.CEILING_MULTIPLE,
        LawKey.SUPPORT_CAP_MONTHS,
        *WINDOWS.values(),
        LawKey.YEARS_AHEAD_MOST,
        LawKey.MISSING_MONTHS_MOST,
        LawKey.MISSING_MONTHS_SUPPORTED,
        LawKey.INVESTMENT_PERCENT,
        *NEEDED,
        LawKey.SUPPORT_PERCENT,
        LawKey.PENSION_STEP_PERCENT,
        LawKey.PENSION_SHORT_PERCENT,
        LawKey.PENSION_SHORT_STEP_PERCENT,
        LawKey.PENSION_MOST_PERCENT,
        LawKey.PENSION_HALF_YEAR_MONTHS,
        LawKey.RETIREMENT_MONTHS_WOMEN,
        LawKey.RETIREMENT_MONTHS_MEN,
        LawKey.LEAST_AGE,
        LawKey.MATERNITY_GRANT,
        LawKey.MATERNITY_LEAST_MONTHS,
        LawKey.MATERNITY_WITHIN_MONTHS,
        LawKey.FUNERAL_LEAST_MONTHS,
        LawKey.FUNERAL_MULTIPLE,
        LawKey.SURVIVORS_MONTHS_A_YEAR,
        LawKey.LUMP_SUM_MONTHS_A_YEAR,
        LawKey.LUMP_SUM_AFTER_STOPPING,
        LawKey.LUMP_SUM_BELOW_MONTHS,
    }
)
"""The numbers the calculator on the phone asks for."""
ASSUMED = (
    Assumption.LAW_OF_TODAY,
    Assumption.PAID_WITHOUT_A_BREAK,
    Assumption.ROUNDED_ONCE,
    Assumption.ALL_SUPPORTED_SO_FAR,
    Assumption.BEFORE_THE_RECORD,
    Assumption.AVERAGE_LIKE_AHEAD,
    Assumption.PAST_PAID_IN_FULL,
    Assumption.PAST_HELPED_LIKE_NOW,
)
"""What can be taken for granted with what the calculator asks."""


def law_for_phones(
    law: Law, top_ups: Iterable[LocalTopUp], today: date, locale: str, wards: Mapping[str, Ward] = MappingProxyType({})
) -> dict[str, Any]:
    """The law and the words as JSON: numbers as text, so that they stay exact; rows in the order in which they count."""
    counting = [value for value in law.values if value.key in USED and value.status in SURENESS]
    counting.sort(key=lambda each: (each.since, SURENESS.index(each.status)))
    return {
        "today": today.isoformat(),
        "grounds": [str(ground) for ground in Ground],
        "yearly": sorted(ANNOUNCED_EACH_YEAR & USED),
        "windows": {str(method): str(key) for method, key in WINDOWS.items()},
        "periods": {str(method): months for method, months in PERIODS.items()},
        "order": [str(key) for key in LawKey if key in USED],
        "local": LOCAL_TOP_UP,
        "compared": COMPARED,
        "every_years": EVERY_YEARS,
        "beside_years": BESIDE_YEARS,
        "begun": BEGUN.first_day.isoformat(),
        "picture": {
            "to_age": DRAWN_TO_AGE,
            "after_pension": DRAWN_AFTER_PENSION,
            "whole": WHOLE,
            "room_above": ROOM_ABOVE,
            "close": CLOSE,
            "middle": MIDDLE,
            "label": LABEL,
        },
        "values": [_row(value, locale) for value in counting],
        "top_ups": [_top_up(one, locale) for one in in_order(top_ups)],
        "wards": {code: in_text(ward.around) for code, ward in wards.items()},
        "words": _words(locale),
    }


def in_order(top_ups: Iterable[LocalTopUp]) -> list[LocalTopUp]:
    """The additions that count, in the order in which one takes another's place."""
    return sorted((one for one in top_ups if one.status in SURENESS), key=lambda one: (one.since, one.status))


def in_text(places: Iterable[UUID]) -> list[str]:
    """Places by id, as the file and the page name them."""
    return sorted(map(str, places))


def _row(value: LawValue, locale: str) -> list[str | int | None]:
    ground = str(value.ground) if value.ground else None
    written = str(value_of(value.key, value.value, locale))
    number, since = str(value.value), value.since.isoformat()
    return [value.key, ground, number, since, value.reference, value.status, written, value.of_year]


def _top_up(one: LocalTopUp, locale: str) -> dict[str, Any]:
    return {
        "place": one.place and str(one.place),
        "ground": one.ground,
        "percent": None if one.percent is None else str(one.percent),
        "amount": one.amount,
        "since": one.since.isoformat(),
        "until": one.until and one.until.isoformat(),
        "months_cap": one.months_cap,
        "status": one.status,
        "document": one.document,
        "written": str(value_of(LOCAL_TOP_UP, Line.of_top_up(one).value, locale)),
    }


def _words(locale: str) -> dict[str, Any]:
    return {
        "locale": locale,
        "months": list(ENGLISH_MONTHS),
        "labels": {str(key): str(LABELS[key]) for key in LawKey if key in USED}
        | {LOCAL_TOP_UP: str(label_of(LOCAL_TOP_UP))},
        "grounds": {str(ground): str(label) for ground, label in GROUNDS.items()},
        "methods": {str(method): str(label) for method, label in METHODS.items()},
        "statuses": {str(status): str(label) for status, label in STATUSES.items()},
        "sentences": {name: said() for name, said in SENTENCES.items()},
        "buttons": {name: said() for name, said in BUTTONS.items()},
        "assumptions": {str(one): str(said) for one, said in ASSUMPTIONS.items() if one in ASSUMED},
        "unknowns": {str(one): str(UNKNOWNS[one]) for one in (Unknown.INVESTMENT_RATE, Unknown.PENSION_LAW)},
        "why_not": {str(one): str(WHY_NOT[one]) for one in (NotAllowed.FIRST_INSURED_LATE, NotAllowed.PAID_TOO_LONG)},
        "refusals": {code: said() for code, said in REFUSALS.items()},
    }
