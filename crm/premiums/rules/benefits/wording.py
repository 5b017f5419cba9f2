"""What results take for granted, what they do not know, and why a lump sum is not given: in sentences."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.premiums.rules.benefits.lump_sum import Leaving, NotAllowed
from crm.premiums.rules.explaining import Assumption, Unknown
from crm.premiums.rules.refunds import Reason

ASSUMPTIONS: Mapping[Assumption, Any] = {
    Assumption.LAW_OF_TODAY: _l(
        "By the law of the first day, in the money of today; the pension by what the law on record says of its own day. "
        "The law may change."
    ),
    Assumption.PAID_WITHOUT_A_BREAK: _l("Paid every month from the first month on, without a break."),
    Assumption.BORN_ON_1_JANUARY: _l("Only the year of birth is known: 1 January counts."),
    Assumption.BEFORE_THE_RECORD: _l(
        "The age was reached before the law on record begins: the first age on record is taken."
    ),
    Assumption.AVERAGE_LIKE_AHEAD: _l(
        "The average income so far is not known: the months so far count as if paid on the income chosen now."
    ),
    Assumption.PAST_PAID_IN_FULL: _l(
        "What was paid so far is not recorded: it counts in full, without any help, at today's rate. In truth it was less."
    ),
    Assumption.PAST_HELPED_LIKE_NOW: _l(
        "What was paid so far is not recorded: it counts at today's rate, less what the State gives today for the months it "
        "has helped with."
    ),
    Assumption.ALL_SUPPORTED_SO_FAR: _l(
        "How many months the State has helped with is not known: all months so far count as helped with. In truth there "
        "may be more help ahead."
    ),
    Assumption.NOT_RAISED_WITH_PRICES: _l(
        "Incomes paid on in earlier years count as they were chosen. When the pension is worked out they are raised with "
        "prices and never lowered: in truth it will not be less."
    ),
    Assumption.ODD_MONTHS_AS_FOR_A_PENSION: _l(
        "Odd months count as half a year or a year, as for a pension. For this sum the text has not been read."
    ),
    Assumption.ODD_MONTHS_CARRIED_ON: _l(
        "Odd months of the years with the lower rate are counted with the later ones. The text has not been read."
    ),
    Assumption.HELP_SPREAD_EVENLY: _l(
        "What the place and sponsors gave is spread evenly over the months of the payment."
    ),
    Assumption.FIRST_MONTHS_SUPPORTED: _l("The State's support ended within the payment: its first months had it."),
    Assumption.ROUNDED_ONCE: _l("The sum is rounded once to whole đồng, as agents do. No text was seen."),
    Assumption.MONTHS_BEFORE_THE_BIRTH: _l(
        "Counted are the whole months before the month of birth. How that month itself counts has not been read."
    ),
}
UNKNOWNS: Mapping[Unknown, Any] = {
    Unknown.INVESTMENT_RATE: _l(
        "The fund's investment rate for the year of the payment is not announced yet: what missing months cost with "
        "interest cannot be said."
    ),
    Unknown.PRICE_COEFFICIENTS: _l(
        "The price coefficients of this year are not on record: an administrator can enter them."
    ),
    Unknown.PENSION_LAW: _l("The law on pensions of this day is not on record."),
    Unknown.MATERNITY_LAW: _l("There was no maternity grant of voluntary insurance, or its law is not on record."),
    Unknown.SURVIVORS_LAW: _l("The law on survivors of this day is not on record."),
    Unknown.LUMP_SUM_LAW: _l("The law on lump sums of this day is not on record."),
    Unknown.REFUND_LAW: _l("The law on refunds of this day is not on record."),
    Unknown.PAYMENT_RULES: _l("The rules this payment was made under are not kept with it. Ask the insurance office."),
    Unknown.AVERAGE_SO_FAR: _l("The average income so far is needed. The insurance office's statement has it."),
    Unknown.YEARS_OF_MONTHS: _l(
        "It is needed in which years the months were paid. The insurance office's statement says so."
    ),
    Unknown.FIRST_INSURED: _l("It is needed when this person was first insured, compulsory insurance included."),
    Unknown.STOPPED_WHEN: _l("It is needed since when nothing has been paid."),
    Unknown.CAPACITY_LOST: _l("The percent of lost capacity for work is needed, as the medical board found it."),
    Unknown.STATE_SUPPORT_SO_FAR: _l("It is needed how much the State has paid towards the premiums: it is taken off."),
    Unknown.LESS_THAN_A_YEAR: _l("For less than a year paid the rule has not been read. Ask the insurance office."),
    Unknown.MISSING_MONTHS_REFUND: _l("Whether anything comes back of missing months paid at once has not been read."),
    Unknown.WHO_GETS_THE_HELP_BACK: _l(
        "What the place or a sponsor gave for these months is not paid to the person. Who gets it back has not been read."
    ),
}
WHY_NOT: Mapping[NotAllowed, Any] = {
    NotAllowed.FIRST_INSURED_LATE: _l(
        "By the law of the day on which they were first insured, nobody gets a lump sum just for having stopped."
    ),
    NotAllowed.STOPPED_TOO_SHORTLY: _l("Not enough months have passed since the last payment."),
    NotAllowed.PAID_TOO_LONG: _l("So many years are paid that a pension is waiting instead."),
    NotAllowed.PENSION_INSTEAD: _l("Enough months are paid for a pension: a pension is paid instead."),
    NotAllowed.CAPACITY_LEFT: _l("More capacity for work is left than the law asks for."),
}
LEAVING: Mapping[Leaving, Any] = {
    Leaving.STOPPED: _l("Stopped paying"),
    Leaving.TOO_OLD: _l("Reached the age of retirement with too few years"),
    Leaving.ABROAD: _l("Moves abroad for good"),
    Leaving.ILLNESS: _l("A serious illness"),
    Leaving.INCAPACITY: _l("Lost capacity for work"),
}
REASONS: Mapping[Reason, Any] = {
    Reason.COMPULSORY: _l("Moved to compulsory insurance"),
    Reason.LUMP_SUM: _l("Left with a lump sum"),
    Reason.DIED: _l("Died"),
    Reason.PENSION: _l("Draws a pension"),
}
