"""What the law fixes by number, how sure we are of it, and the ways to pay."""

from collections.abc import Mapping
from enum import StrEnum

from crm.months import MONTHS_IN_YEAR


class Method(StrEnum):
    """How one pays; the values are the codes of the collection agents' forms."""

    MONTHLY = "1"
    QUARTERLY = "3"
    HALF_YEARLY = "6"
    YEARLY = "12"
    YEARS_AHEAD = "VS"
    MISSING_MONTHS = "TH"


class LawKey(StrEnum):
    """What the law fixes by number. Percentages are percent, incomes đồng a month.

    A value counts from a day on, mostly the day of payment. `lump_sum_after_stopping` and `earlier_retirement_months`
    go by the day someone was first insured, the ages of retirement by the month in which the age is reached.
    """

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
    PERIOD_AHEAD_MONTHS = "period_ahead_months"
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
    OWNERS_DECLARING_COMPULSORY = "owners_declaring_compulsory"
    OWNERS_LUMP_SUM_COMPULSORY = "owners_lump_sum_compulsory"
    LEAST_AGE = "least_age"
    PRICE_COEFFICIENT = "price_coefficient"
    EARLIER_RETIREMENT_MONTHS = "earlier_retirement_months"
    MATERNITY_LEAST_MONTHS = "maternity_least_months"
    MATERNITY_WITHIN_MONTHS = "maternity_within_months"
    FUNERAL_LEAST_MONTHS = "funeral_least_months"
    FUNERAL_MULTIPLE = "funeral_multiple"
    SURVIVORS_MONTHS_A_YEAR = "survivors_months_a_year"
    LUMP_SUM_MONTHS_A_YEAR = "lump_sum_months_a_year"
    LUMP_SUM_AFTER_STOPPING = "lump_sum_after_stopping"
    LUMP_SUM_WAIT_MONTHS = "lump_sum_wait_months"
    LUMP_SUM_BELOW_MONTHS = "lump_sum_below_months"
    LUMP_SUM_INCAPACITY_PERCENT = "lump_sum_incapacity_percent"
    REFUND_OF_OWN_PART = "refund_of_own_part"
    SOCIAL_PENSION = "social_pension"
    SOCIAL_PENSION_AGE = "social_pension_age"
    CONTRACT_COMPULSORY_MONTHS = "contract_compulsory_months"
    WARD_CADRES_COMPULSORY = "ward_cadres_compulsory"
    HAMLET_CADRES_COMPULSORY = "hamlet_cadres_compulsory"
    UNPAID_MANAGERS_COMPULSORY = "unpaid_managers_compulsory"
    PENSIONERS_EXCLUDED = "pensioners_excluded"
    SUSPENDED_CONTRACT_VOLUNTARY = "suspended_contract_voluntary"
    GAP_MONTHS_PAYABLE = "gap_months_payable"
    CITIZEN_NUMBER_IS_CODE = "citizen_number_is_code"


class LawStatus(StrEnum):
    """How sure we are: law that binds, a draft or promise, or what agents do without a text we have read."""

    IN_FORCE = "in_force"
    ANNOUNCED = "announced"
    PRACTICE = "practice"


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
