"""A forecast in sentences: the same on its page, on the manager's home and in the command."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from crm.reports.forecast.outlook import Outlook
from crm.reports.forecast.rules import HORIZON, JOINERS_NEEDED, MONTHS_NEEDED, Lacking, Record
from crm.web.filters import in_day, number
from crm.web.language import chosen

CERTAIN, UNLIKELY = 0.95, 0.05
"""Nearer to sure than this is not said: a model does not know more."""


def headline(said: Outlook) -> str:
    """One sentence: when the target is reached."""
    if said.lacking:
        return str(_("There is no forecast yet: the figures do not carry one"))
    if said.target is None:
        return str(_("No target is set for %(year)s", year=said.year_end.year))
    target, middle = _number(said.target), said.reached.middle
    if said.stock >= said.target:
        return str(_("The target of %(target)s is reached", target=target))
    if middle is None:
        return str(_("The target of %(target)s is not in sight within two years", target=target))
    if middle <= said.year_end:
        return str(_("%(target)s is likely to be reached this year, in %(month)s", target=target, month=_month(middle)))
    return str(_("At this pace %(target)s is reached only in %(month)s", target=target, month=_month(middle)))


def sentences(said: Outlook) -> list[str]:
    """What stands below the headline."""
    if said.lacking:
        return [_why_not(said)]
    told, end = [], said.at_year_end
    if end:
        told.append(
            _(
                "On %(day)s %(middle)s people will probably take part: in eight of ten cases between %(low)s and %(high)s.",
                day=in_day(said.year_end),
                middle=_number(end.middle),
                low=_number(end.low),
                high=_number(end.high),
            )
        )
    if said.target and said.stock < said.target:
        told.append(_when(said))
        told.append(
            _(
                "To reach it by %(day)s, %(people)s must join every week, to make up for those who drop out as well.",
                day=_day(said),
                people=_number(said.needed),
            )
        )
    return [str(one) for one in told]


def _when(said: Outlook) -> Any:
    low, _middle, high = said.reached
    chance = _chance(said.chance)
    if low is None:
        return _("Chance of reaching it this year: %(chance)s.", chance=chance)
    if high is None:
        return _(
            "It is reached in %(low)s at the earliest, and perhaps not within %(months)s months. Chance this year: %(chance)s.",
            low=_month(low),
            months=HORIZON,
            chance=chance,
        )
    return _(
        "In eight of ten cases it is reached between %(low)s and %(high)s. Chance this year: %(chance)s.",
        low=_month(low),
        high=_month(high),
        chance=chance,
    )


def _why_not(said: Outlook) -> str:
    if said.lacking is Lacking.MONTHS:
        told = _(
            "It takes %(needed)s full months on record; there are %(months)s. Until then look at the pace so far.",
            needed=MONTHS_NEEDED,
            months=said.months,
        )
    else:
        told = _(
            "It takes %(needed)s people who joined in the months on record; there are %(joiners)s.",
            needed=JOINERS_NEEDED,
            joiners=_number(said.joiners),
        )
    return str(told)


def _chance(share: float) -> str:
    """In tens, as one speaks: nobody needs the third figure."""
    if share < UNLIKELY:
        return str(_("less than 1 in 20"))
    if share > CERTAIN:
        return str(_("more than 19 in 20"))
    return str(_("about %(tens)s in 10", tens=max(min(round(share * 10), 9), 1)))


chance_in_words = _chance


def verdict(done: Record | None) -> str:
    """How the earlier forecasts did."""
    if done is None:
        return str(_("No earlier forecast can be held against what came yet."))
    told = _(
        "Of %(ranges)s earlier ranges, %(held)s held what came. They were %(width)s people wide; the middle was off by %(off)s.",
        ranges=done.ranges,
        held=done.held,
        width=_number(done.width),
        off=_number(done.off),
    )
    without = _(" «It stays as it is» would have been off by %(off)s.", off=_number(done.off_without))
    return f"{told}{without}"


def _number(value: float) -> str:
    return str(number(round(value), 0, chosen()))


def _month(of: Any) -> str:
    return f"{of.month}/{of.year}"


def _day(said: Outlook) -> str:
    return str(in_day(said.year_end))
