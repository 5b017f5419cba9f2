"""How near somebody is to losing their months: the arithmetic of last days, without a database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from crm.errors import RuleBroken
from crm.months import Month
from crm.outreach.rules import LATEST_CONTACT
from crm.participation.rules import DUE_SOON, Ending


class PaymentState(StrEnum):
    """Where somebody stands between two payments. Each holds by itself: the numbers of people add up."""

    AHEAD = "ahead"
    """Nothing to pay for a while: the present month is paid, and the last day for what follows is far."""
    GRACE = "grace"
    """The present month is not paid, and may still be for more than thirty days: the window of the method is open."""
    DUE_30 = "due_30"
    DUE_14 = "due_14"
    DUE_7 = "due_7"
    DUE_3 = "due_3"
    DUE_1 = "due_1"
    """The last day to pay is today or tomorrow."""
    OVERDUE = "overdue"
    """The last day has passed: the person is deemed to have suspended (decree 134/2015, article 12.3)."""


NEAR: Mapping[PaymentState, int] = {
    PaymentState.DUE_1: 1,
    PaymentState.DUE_3: 3,
    PaymentState.DUE_7: 7,
    PaymentState.DUE_14: 14,
    PaymentState.DUE_30: DUE_SOON.days,
}
"""At most so many days are left, the nearest first."""

STATES: Mapping[PaymentState, Any] = {
    PaymentState.OVERDUE: _l("Past the last day to pay"),
    PaymentState.DUE_1: _l("Today or tomorrow is the last day"),
    PaymentState.DUE_3: _l("2 to 3 days left to pay"),
    PaymentState.DUE_7: _l("4 to 7 days left to pay"),
    PaymentState.DUE_14: _l("8 to 14 days left to pay"),
    PaymentState.DUE_30: _l("15 to 30 days left to pay"),
    PaymentState.GRACE: _l("This month is unpaid, more than 30 days left"),
    PaymentState.AHEAD: _l("Paid ahead"),
}


class Between(NamedTuple):
    """Last days to pay, both included; None is open."""

    first: date | None
    last: date | None


def payment_state(deadline: date, paid_through: Month | None, day: date) -> PaymentState:
    """The state on a day of somebody whose last day to pay for what follows `paid_through` is `deadline`.

    The law knows the window alone (decree 134/2015, article 12; Law 41/2024, article 36.3): «grace» is the time in
    which a month has begun unpaid and may still be paid without a gap.
    """
    left = (deadline - day).days
    if left < 0:
        return PaymentState.OVERDUE
    for state, most in NEAR.items():
        if left <= most:
            return state
    unpaid = paid_through is None or paid_through < Month.of(day)
    return PaymentState.GRACE if unpaid else PaymentState.AHEAD


def deadlines_of(state: PaymentState, day: date) -> Between:
    """Between which last days somebody is in a state on a day; of GRACE and AHEAD, what is paid decides besides."""
    if state is PaymentState.OVERDUE:
        return Between(None, day - timedelta(days=1))
    if state not in NEAR:
        return Between(day + DUE_SOON + timedelta(days=1), None)
    nearer = [most for most in NEAR.values() if most < NEAR[state]]
    first = day + timedelta(days=max(nearer) + 1) if nearer else day
    return Between(first, day + timedelta(days=NEAR[state]))


# ---- what ends of itself

SUPPORT_NOTICES = (12, 3)
"""Months before the State's support of somebody ends at its cap, at which they hear of it."""
SPONSOR_NOTICE = 3
"""Months before a sponsor's money for somebody ends, at which one looks for who pays on."""
CERTIFICATE_NOTICE = timedelta(days=60)
"""So early the end of a certificate shows: the yearly review has begun by then."""
WIN_BACK = (30, 90)
"""Days after a lapse on which somebody is spoken to again."""
ASKED_AFTER = (0, *WIN_BACK)
"""Days after a lapse on which somebody is to be asked: at once, while most still come back, and twice again."""
STILL_WON = timedelta(days=60)
"""So long after the last of these days they are somebody's task; later the list of the lapsed has them."""


def support_ends(supported: int, last_supported: Month, paid_through: Month, cap: int) -> Month:
    """The last month the State helps with, if somebody pays on without a gap: the cap is over a whole life."""
    left = cap - supported
    return paid_through + left if left > 0 else last_supported


def notice_of(end: Month, day: date, notices: tuple[int, ...] = SUPPORT_NOTICES) -> int | None:
    """Which of the notices, in months, has begun for what holds through `end`: the shortest; None before the first.

    What has ended is no news any more. «Three months ahead» is the first day of the third month before the first
    month without.
    """
    left = (end + 1).since(Month.of(day))
    return min((months for months in notices if 0 < left <= months), default=None)


def notice_begins(end: Month, months: int) -> date:
    """The first day of a notice of so many months for what holds through `end`."""
    return (end + 1 - months).first_day


def asked_since(lapsed_on: date, day: date) -> date | None:
    """The day since which somebody who lapsed is to be asked, of those that have come by `day`; None before the lapse, and
    once it is too long ago for a task."""
    days = [lapsed_on + timedelta(days=wait) for wait in ASKED_AFTER]
    return max((one for one in days if one <= day <= days[-1] + STILL_WON), default=None)


# ---- why people stop

AVOIDABLE = (Ending.LAPSED, Ending.STOPPED)
"""Endings of which one asks why: somebody could have been kept."""


class Return(StrEnum):
    """What somebody who lapsed or stopped says of coming back."""

    OPEN = "open"
    """They do not know yet, or were not asked: they are asked again on the days for it."""
    LATER = "later"
    """On a day they named."""
    NEVER = "never"
    """Nobody asks them any more."""


RETURNS: Mapping[Return, Any] = {
    Return.OPEN: _l("They do not know yet"),
    Return.LATER: _l("Perhaps later: ask again on a day"),
    Return.NEVER: _l("They will not come back"),
}


def said_of_return(
    stays_away: bool, asked_on: date | None, next_contact_on: date | None, today: date
) -> tuple[Return, date | None]:
    """What somebody said of coming back when asked last, and the day they named, if that lies ahead."""
    if stays_away:
        return Return.NEVER, None
    if asked_on and next_contact_on and next_contact_on > today:
        return Return.LATER, next_contact_on
    return Return.OPEN, None


def check_return(back: Return, again_on: date | None, today: date) -> None:
    """Refuse an answer without the day it needs, or with one it does not. Raises RuleBroken."""
    if back is not Return.LATER:
        if again_on is not None:
            raise RuleBroken(
                _l("A day is only for who may come back later. Choose that, or leave the day empty."), field="again_on"
            )
        return
    if again_on is None:
        raise RuleBroken(_l("Write the day on which to ask again."), field="again_on")
    if not today < again_on <= today + LATEST_CONTACT:
        raise RuleBroken(_l("Give a day after today and within two years."), field="again_on")


class StopReason(StrEnum):
    """Why somebody let it lapse or stopped, in the words volunteers report."""

    NO_MONEY = "no_money"
    FORGOT = "forgot"
    TOO_FAR = "too_far"
    SPONSOR_ENDED = "sponsor_ended"
    SUPPORT_FELL = "support_fell"
    PREMIUM_ROSE = "premium_rose"
    NO_TRUST = "no_trust"
    FAMILY = "family"
    OTHER_INSURANCE = "other_insurance"
    OTHER = "other"


STOP_REASONS: Mapping[StopReason, Any] = {
    StopReason.NO_MONEY: _l("No money for it at the time"),
    StopReason.FORGOT: _l("Forgot, or did not know the last day"),
    StopReason.TOO_FAR: _l("The place to pay is too far, or was closed"),
    StopReason.SPONSOR_ENDED: _l("The sponsor's help ended"),
    StopReason.SUPPORT_FELL: _l("The State's support ended or became less"),
    StopReason.PREMIUM_ROSE: _l("The premium rose"),
    StopReason.NO_TRUST: _l("No longer believes in it"),
    StopReason.FAMILY: _l("Illness or a matter of the family"),
    StopReason.OTHER_INSURANCE: _l("Bought other insurance"),
    StopReason.OTHER: _l("Another reason"),
}
