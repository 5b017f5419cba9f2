"""The law's numbers in groups, so that one finds them: what one pays, who helps, when, who may join, what it brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.premiums.rules.keys import LawKey


class Group(StrEnum):
    PAYING = "paying"
    HELP = "help"
    TIMES = "times"
    JOINING = "joining"
    PENSION = "pension"
    FAMILY = "family"
    LEAVING = "leaving"


TITLES: Mapping[Group, Any] = {
    Group.PAYING: _l("What one pays"),
    Group.HELP: _l("Who helps paying"),
    Group.TIMES: _l("When one pays, and for how long at once"),
    Group.JOINING: _l("Who may join"),
    Group.PENSION: _l("Retirement age and pension"),
    Group.FAMILY: _l("A birth, a death"),
    Group.LEAVING: _l("Leaving, and whoever has no pension"),
}
GROUPS: Mapping[Group, Sequence[LawKey]] = {
    Group.PAYING: (
        LawKey.CONTRIBUTION_PERCENT,
        LawKey.POVERTY_LINE,
        LawKey.INCOME_STEP,
        LawKey.BASE_LEVEL,
        LawKey.CEILING_MULTIPLE,
    ),
    Group.HELP: (LawKey.SUPPORT_PERCENT, LawKey.SUPPORT_CAP_MONTHS, LawKey.MISSING_MONTHS_SUPPORTED),
    Group.TIMES: (
        LawKey.WINDOW_MONTHLY,
        LawKey.WINDOW_QUARTERLY,
        LawKey.WINDOW_HALF_YEARLY,
        LawKey.WINDOW_YEARLY,
        LawKey.PERIOD_AHEAD_MONTHS,
        LawKey.YEARS_AHEAD_MOST,
        LawKey.MISSING_MONTHS_MOST,
        LawKey.GAP_MONTHS_PAYABLE,
        LawKey.INVESTMENT_PERCENT,
    ),
    Group.JOINING: (
        LawKey.LEAST_AGE,
        LawKey.CONTRACT_COMPULSORY_MONTHS,
        LawKey.OWNERS_DECLARING_COMPULSORY,
        LawKey.OWNERS_LUMP_SUM_COMPULSORY,
        LawKey.WARD_CADRES_COMPULSORY,
        LawKey.HAMLET_CADRES_COMPULSORY,
        LawKey.UNPAID_MANAGERS_COMPULSORY,
        LawKey.PENSIONERS_EXCLUDED,
        LawKey.SUSPENDED_CONTRACT_VOLUNTARY,
        LawKey.CITIZEN_NUMBER_IS_CODE,
    ),
    Group.PENSION: (
        LawKey.RETIREMENT_MONTHS_WOMEN,
        LawKey.RETIREMENT_MONTHS_MEN,
        LawKey.EARLIER_RETIREMENT_MONTHS,
        LawKey.PENSION_LEAST_MONTHS,
        LawKey.PENSION_PERCENT,
        LawKey.PENSION_YEARS_WOMEN,
        LawKey.PENSION_YEARS_MEN,
        LawKey.PENSION_STEP_PERCENT,
        LawKey.PENSION_SHORT_PERCENT,
        LawKey.PENSION_SHORT_STEP_PERCENT,
        LawKey.PENSION_MOST_PERCENT,
        LawKey.PENSION_HALF_YEAR_MONTHS,
        LawKey.PRICE_COEFFICIENT,
    ),
    Group.FAMILY: (
        LawKey.MATERNITY_GRANT,
        LawKey.MATERNITY_LEAST_MONTHS,
        LawKey.MATERNITY_WITHIN_MONTHS,
        LawKey.FUNERAL_LEAST_MONTHS,
        LawKey.FUNERAL_MULTIPLE,
        LawKey.SURVIVORS_MONTHS_A_YEAR,
    ),
    Group.LEAVING: (
        LawKey.REFUND_OF_OWN_PART,
        LawKey.LUMP_SUM_MONTHS_A_YEAR,
        LawKey.LUMP_SUM_AFTER_STOPPING,
        LawKey.LUMP_SUM_WAIT_MONTHS,
        LawKey.LUMP_SUM_BELOW_MONTHS,
        LawKey.LUMP_SUM_INCAPACITY_PERCENT,
        LawKey.SOCIAL_PENSION,
        LawKey.SOCIAL_PENSION_AGE,
    ),
}
"""Every number of the law stands in one group."""
