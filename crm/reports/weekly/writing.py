"""The week in sentences: the same on the page and in the e-mail."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from crm.reports.attention.rules import Problem, Wrong
from crm.reports.weekly.queries import Week
from crm.web.filters import in_day, number
from crm.web.language import chosen


def title(week: Week) -> str:
    """The subject of the e-mail and the heading of the page."""
    days = {"since": in_day(week.span.since), "until": in_day(week.span.as_of)}
    return str(_("The week from %(since)s to %(until)s", **days))


def sentences(week: Week) -> list[str]:
    """Where the year stands and what the week brought."""
    locale, moved, year = chosen(), week.moved, week.home
    told = [
        _("%(now)s people take part at the end of the week.", now=number(year.moved.now, 0, locale)),
        _("In the week nobody joined, came back or dropped out.")
        if not any((moved.joined, moved.returned, moved.left))
        else _(
            "In the week %(joined)s joined, %(returned)s came back and %(left)s dropped out.",
            joined=number(moved.joined, 0, locale),
            returned=number(moved.returned, 0, locale),
            left=number(moved.left, 0, locale),
        )
        if not moved.lapsed
        else _(
            "In the week %(joined)s joined, %(returned)s came back and %(left)s dropped out, %(lapsed)s of them by not paying.",
            joined=number(moved.joined, 0, locale),
            returned=number(moved.returned, 0, locale),
            left=number(moved.left, 0, locale),
            lapsed=number(moved.lapsed, 0, locale),
        ),
    ]
    if year.target and year.to_go is not None:
        short = {"target": number(year.target.people, 0, locale), "short": number(max(year.to_go, 0), 0, locale)}
        told.append(_("The target is %(target)s: %(short)s are missing.", **short))
        if week.needed:
            told.append(
                _("To reach it by 31 December it takes %(people)s more a week.", people=number(week.needed, 0, locale))
            )
    return [str(one) for one in told]


def warnings(week: Week) -> list[str]:
    """What is wrong, a sentence each."""
    return [str(_sentence(one)) for one in week.wrong]


def _sentence(one: Wrong) -> Any:
    if one.problem is Problem.NO_TARGET:
        return _("No target is set for %(year)s.", year=one.number)
    if one.problem is Problem.ANSWERS:
        return _("Units that propose another target: %(number)s.", number=one.number)
    if one.problem is Problem.REPORTS:
        return _("Reports of %(period)s that are late: %(number)s.", period=one.period, number=one.number)
    if one.problem is Problem.RETURNED:
        return _(
            "Reports of %(period)s that were returned and have not come back: %(number)s.",
            period=one.period,
            number=one.number,
        )
    if one.problem is Problem.DUTIES:
        return _("Duties of the plan that are late: %(number)s.", number=one.number)
    if one.problem is Problem.BEHIND:
        return _(
            "%(name)s is %(number)s people behind an even pace to its target.",
            name=one.name,
            number=number(one.number, 0, chosen()),
        )
    return _("%(name)s: no visit recorded for %(days)s days.", name=one.name, days=one.number)


def letter(week: Week, whose: str, address: str) -> str:
    """The e-mail's text."""
    lines = [title(week), "", *sentences(week)]
    if week.wrong:
        lines += ["", str(_("What is wrong:")), *(f"- {one}" for one in warnings(week))]
    lines += ["", str(_("Open it: %(address)s", address=address)), whose]
    lines += ["", str(_("You get this every Monday because you asked for it. On that page you can stop it."))]
    return "\n".join(lines)
