"""What people call the law's numbers, and how they read them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext

from crm.months import MONTHS_IN_YEAR
from crm.premiums.rules.keys import LawKey, LawStatus, Method
from crm.prospects import wording as people
from crm.prospects.rules import Ground
from crm.web.filters import VIETNAMESE, number, vnd

LOCAL_TOP_UP = "local_top_up"
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
    LawKey.PERIOD_AHEAD_MONTHS: _l("How early one may pay, before the first month paid for"),
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
    LawKey.OWNERS_DECLARING_COMPULSORY: _l(
        "Owners of household businesses who declare tax join compulsory insurance (1 yes)"
    ),
    LawKey.OWNERS_LUMP_SUM_COMPULSORY: _l("Other owners of household businesses join compulsory insurance (1 yes)"),
    LawKey.LEAST_AGE: _l("Age from which one may join"),
    LawKey.PRICE_COEFFICIENT: _l("Price coefficient of incomes paid on"),
    LawKey.EARLIER_RETIREMENT_MONTHS: _l("Voluntary months for the earlier retirement age, by the day one joined"),
    LawKey.MATERNITY_LEAST_MONTHS: _l("Months paid before a birth, for the maternity grant"),
    LawKey.MATERNITY_WITHIN_MONTHS: _l("Time before the birth in which they are counted"),
    LawKey.FUNERAL_LEAST_MONTHS: _l("Months paid, for the funeral grant"),
    LawKey.FUNERAL_MULTIPLE: _l("Funeral grant, as a multiple of the base salary or reference level"),
    LawKey.SURVIVORS_MONTHS_A_YEAR: _l("Survivors' lump sum: average months of income for each year"),
    LawKey.LUMP_SUM_MONTHS_A_YEAR: _l("Lump sum on leaving: average months of income for each year"),
    LawKey.LUMP_SUM_AFTER_STOPPING: _l("Lump sum for whoever stopped paying, by the day first insured"),
    LawKey.LUMP_SUM_WAIT_MONTHS: _l("Time without paying before that lump sum"),
    LawKey.LUMP_SUM_BELOW_MONTHS: _l("Months paid from which that lump sum is no longer given"),
    LawKey.LUMP_SUM_INCAPACITY_PERCENT: _l("Lost capacity for work, for a lump sum"),
    LawKey.REFUND_OF_OWN_PART: _l("What one paid oneself for months not needed is paid back"),
    LawKey.SOCIAL_PENSION: _l("Social pension a month, for those without a pension"),
    LawKey.SOCIAL_PENSION_AGE: _l("Age for the social pension"),
    LawKey.CONTRACT_COMPULSORY_MONTHS: _l("Contracts that make one join compulsory insurance, from so many months on"),
    LawKey.WARD_CADRES_COMPULSORY: _l("Part-time staff of a ward or commune join compulsory insurance (1 yes)"),
    LawKey.HAMLET_CADRES_COMPULSORY: _l("Part-time staff of a neighbourhood join compulsory insurance (1 yes)"),
    LawKey.UNPAID_MANAGERS_COMPULSORY: _l(
        "Unpaid managers of firms and cooperatives join compulsory insurance (1 yes)"
    ),
    LawKey.PENSIONERS_EXCLUDED: _l("Who draws a pension or monthly allowance may not join (1 yes)"),
    LawKey.SUSPENDED_CONTRACT_VOLUNTARY: _l("Who has a suspended contract may join (1 yes)"),
    LawKey.GAP_MONTHS_PAYABLE: _l("Months back that the insurance office lets missed months be paid"),
    LawKey.CITIZEN_NUMBER_IS_CODE: _l("The citizen number is the social insurance code (1 yes)"),
}
GROUNDS: Mapping[Ground, Any] = people.GROUNDS
STATUSES: Mapping[LawStatus, Any] = {
    LawStatus.IN_FORCE: _l("In force"),
    LawStatus.ANNOUNCED: _l("Announced, not counted yet"),
    LawStatus.PRACTICE: _l("Agents' practice, no text seen"),
}
METHODS: Mapping[Method, Any] = {
    Method.MONTHLY: _l("Every month"),
    Method.QUARTERLY: _l("Every 3 months"),
    Method.HALF_YEARLY: _l("Every 6 months"),
    Method.YEARLY: _l("Every 12 months"),
    Method.YEARS_AHEAD: _l("Once for several years ahead"),
    Method.MISSING_MONTHS: _l("Once for missing months"),
}
MONEY = {
    LawKey.POVERTY_LINE,
    LawKey.INCOME_STEP,
    LawKey.BASE_LEVEL,
    LawKey.MATERNITY_GRANT,
    LawKey.SOCIAL_PENSION,
}
AGES = {LawKey.RETIREMENT_MONTHS_WOMEN, LawKey.RETIREMENT_MONTHS_MEN}
YEARS = {LawKey.YEARS_AHEAD_MOST, LawKey.PENSION_YEARS_WOMEN, LawKey.PENSION_YEARS_MEN}
AGES_IN_YEARS = {LawKey.LEAST_AGE, LawKey.SOCIAL_PENSION_AGE}
TIMES = {LawKey.CEILING_MULTIPLE, LawKey.FUNERAL_MULTIPLE}
YES_OR_NO = {
    LawKey.MISSING_MONTHS_SUPPORTED,
    LawKey.LUMP_SUM_AFTER_STOPPING,
    LawKey.REFUND_OF_OWN_PART,
    LawKey.SUSPENDED_CONTRACT_VOLUNTARY,
    LawKey.CITIZEN_NUMBER_IS_CODE,
    *(key for key in LawKey if key.endswith(("_compulsory", "_excluded"))),
}
DECIMAL = {LawKey.PRICE_COEFFICIENT, LawKey.SURVIVORS_MONTHS_A_YEAR, LawKey.LUMP_SUM_MONTHS_A_YEAR}
BY_YEAR_PAID = DECIMAL
"""Numbers that differ by the year in which the months were paid."""


def label_of(name: str) -> Any:
    """What a number of the law, or a local addition, is called."""
    return _l("Addition by the place's own budget") if name == LOCAL_TOP_UP else LABELS[LawKey(name)]


def titled(name: str, ground: Ground | None, of_year: int | None) -> str:
    """The same with the ground or the year of the months it is for, where it differs by these."""
    of = GROUNDS[ground] if ground else of_year
    return f"{label_of(name)} ({of})" if of else str(label_of(name))


def value_of(name: str, value: Decimal, locale: str = VIETNAMESE) -> Any:
    """A number with its unit, as `locale` writes it: "22%", "1.500.000 đ", "7 months", "61 years 6 months"."""
    exponent = value.as_tuple().exponent
    plain = number(value, -exponent if isinstance(exponent, int) and exponent < 0 else 0, locale)
    if name in MONEY:
        return vnd(int(value), locale)
    if name in AGES:
        years, months = divmod(int(value), MONTHS_IN_YEAR)
        if not months:
            return _l("%(years)s years of age", years=years)
        return _l("%(years)s years and %(months)s months of age", years=years, months=months)
    if name in YEARS:
        return _l("%(years)s years", years=plain)
    if name == LOCAL_TOP_UP and value > 100:
        return vnd(int(value), locale)
    if name.endswith("_percent") or name == LOCAL_TOP_UP:
        return f"{plain}%"
    if name in AGES_IN_YEARS:
        return _l("%(years)s years of age", years=plain)
    if name in TIMES:
        return _l("%(times)s times", times=plain)
    if name == LawKey.PRICE_COEFFICIENT:
        return f"×{plain}"
    if name in YES_OR_NO:
        return _l("Yes") if value else _l("No")
    return lazy_ngettext("%(many)s month", "%(many)s months", int(value), many=plain)
