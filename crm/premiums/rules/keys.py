"""What the law fixes by number, the ways to pay, and what people call them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.months import MONTHS_IN_YEAR
from crm.prospects.rules import Ground


class Method(StrEnum):
    """How one pays; the values are the codes of the collection agents' forms."""

    MONTHLY = "1"
    QUARTERLY = "3"
    HALF_YEARLY = "6"
    YEARLY = "12"
    YEARS_AHEAD = "VS"
    MISSING_MONTHS = "TH"


class LawKey(StrEnum):
    """What the law fixes by number. Percentages are percent, incomes đồng a month."""

    CONTRIBUTION_PERCENT = "contribution_percent"
    POVERTY_LINE = "poverty_line"
    INCOME_STEP = "income_step"
    BASE_LEVEL = "base_level"
    CEILING_MULTIPLE = "ceiling_multiple"
    SUPPORT_PERCENT = "support_percent"
    SUPPORT_CAP_MONTHS = "support_cap_months"
    WINDOW_MONTHLY = "window_monthly"
    WINDOW_QUARTERLY = "window_quarterly"
    WINDOW_HALF_YEARLY = "window_half_yearly"
    WINDOW_YEARLY = "window_yearly"
    YEARS_AHEAD_MOST = "years_ahead_most"
    MISSING_MONTHS_MOST = "missing_months_most"
    MISSING_MONTHS_SUPPORTED = "missing_months_supported"
    INVESTMENT_PERCENT = "investment_percent"
    PENSION_LEAST_MONTHS = "pension_least_months"
    PENSION_PERCENT = "pension_percent"
    PENSION_YEARS_WOMEN = "pension_years_women"
    PENSION_YEARS_MEN = "pension_years_men"
    PENSION_STEP_PERCENT = "pension_step_percent"
    PENSION_SHORT_PERCENT = "pension_short_percent"
    PENSION_SHORT_STEP_PERCENT = "pension_short_step_percent"
    PENSION_MOST_PERCENT = "pension_most_percent"
    PENSION_HALF_YEAR_MONTHS = "pension_half_year_months"
    RETIREMENT_MONTHS_WOMEN = "retirement_months_women"
    RETIREMENT_MONTHS_MEN = "retirement_months_men"
    MATERNITY_GRANT = "maternity_grant"


class LawStatus(StrEnum):
    """How sure we are: law that binds, a draft or promise, or what agents do without a text we have read."""

    IN_FORCE = "in_force"
    ANNOUNCED = "announced"
    PRACTICE = "practice"


LABELS: Mapping[LawKey, Any] = {
    LawKey.CONTRIBUTION_PERCENT: _l("Share of the chosen income that is paid"),
    LawKey.POVERTY_LINE: _l("Least income (rural poverty line)"),
    LawKey.INCOME_STEP: _l("Step of the chosen income"),
    LawKey.BASE_LEVEL: _l("Base salary or reference level"),
    LawKey.CEILING_MULTIPLE: _l("Highest income, as a multiple of that level"),
    LawKey.SUPPORT_PERCENT: _l("State support, of the premium on the least income"),
    LawKey.SUPPORT_CAP_MONTHS: _l("Months the State supports at most"),
    LawKey.WINDOW_MONTHLY: _l("Time to pay for one month"),
    LawKey.WINDOW_QUARTERLY: _l("Time to pay for 3 months"),
    LawKey.WINDOW_HALF_YEARLY: _l("Time to pay for 6 months"),
    LawKey.WINDOW_YEARLY: _l("Time to pay for 12 months"),
    LawKey.YEARS_AHEAD_MOST: _l("Years one may pay ahead at once"),
    LawKey.MISSING_MONTHS_MOST: _l("Missing months one may pay at once"),
    LawKey.MISSING_MONTHS_SUPPORTED: _l("State support for missing months (1 yes, 0 no)"),
    LawKey.INVESTMENT_PERCENT: _l("Monthly investment rate for payments of the year"),
    LawKey.PENSION_LEAST_MONTHS: _l("Months needed for a pension"),
    LawKey.PENSION_PERCENT: _l("Pension after the full years"),
    LawKey.PENSION_YEARS_WOMEN: _l("Full years, women"),
    LawKey.PENSION_YEARS_MEN: _l("Full years, men"),
    LawKey.PENSION_STEP_PERCENT: _l("More pension for each further year"),
    LawKey.PENSION_SHORT_PERCENT: _l("Pension of men with the least years"),
    LawKey.PENSION_SHORT_STEP_PERCENT: _l("More for each year up to the full ones, men"),
    LawKey.PENSION_MOST_PERCENT: _l("Highest pension"),
    LawKey.PENSION_HALF_YEAR_MONTHS: _l("Odd months that still count as half a year"),
    LawKey.RETIREMENT_MONTHS_WOMEN: _l("Retirement age, women"),
    LawKey.RETIREMENT_MONTHS_MEN: _l("Retirement age, men"),
    LawKey.MATERNITY_GRANT: _l("Maternity grant for each child"),
}
GROUNDS: Mapping[Ground, Any] = {
    Ground.POOR: _l("Poor household"),
    Ground.NEAR_POOR: _l("Near-poor household"),
    Ground.ETHNIC_MINORITY: _l("Ethnic minority"),
    Ground.ISLAND: _l("Island commune or special zone"),
    Ground.OTHER: _l("None of these"),
}
STATUSES: Mapping[LawStatus, Any] = {
    LawStatus.IN_FORCE: _l("In force"),
    LawStatus.ANNOUNCED: _l("Announced, not counted yet"),
    LawStatus.PRACTICE: _l("Agents' practice, no text seen"),
}
PERIODS: Mapping[Method, int] = {
    Method.MONTHLY: 1,
    Method.QUARTERLY: 3,
    Method.HALF_YEARLY: 6,
    Method.YEARLY: MONTHS_IN_YEAR,
}
WINDOWS: Mapping[Method, LawKey] = {
    Method.MONTHLY: LawKey.WINDOW_MONTHLY,
    Method.QUARTERLY: LawKey.WINDOW_QUARTERLY,
    Method.HALF_YEARLY: LawKey.WINDOW_HALF_YEARLY,
    Method.YEARLY: LawKey.WINDOW_YEARLY,
}
