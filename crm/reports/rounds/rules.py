"""Who owes a report, until when, which figures of their own each unit adds, and how these become one town's. Pure.

The plan asks wards for results every month and every actor for a report before 10 December; the days are rows that the
office changes (models.ReportingRule), none stands here. Counts are whole numbers; days are Vietnam's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l

from crm.accounts.rules import OrganisationKind
from crm.errors import RuleBroken
from crm.lines import line
from crm.months import Month
from crm.reports.periods import ReportKind

KINDS = (ReportKind.MONTH, ReportKind.HALF_YEAR, ReportKind.YEAR)
MOST_NUMBER = 100_000_000
LONGEST_SOURCE, LONGEST_NOTE, LONGEST_WHY = 200, 2_000, 500
REMIND_BEFORE = timedelta(days=3)
"""So long before the last day a unit that has not reported is reminded."""
REMIND_EVERY = 7
"""Days between two reminders of a report that is late."""


class Who(StrEnum):
    """The groups of units that may owe a report."""

    WARDS = "wards"
    UNIONS = "unions"
    INSURANCE = "insurance"
    OTHERS = "others"


GROUPS: Mapping[Who, Any] = {
    Who.WARDS: _l("Wards and communes"),
    Who.UNIONS: _l("The Front, the Labour Federation and the mass organisations"),
    Who.INSURANCE: _l("The insurance office"),
    Who.OTHERS: _l("Other offices and associations"),
}


def group_of(kind: OrganisationKind) -> Who | None:
    """The group an organisation belongs to. None owes nothing: the Labour office puts the reports together, and the
    people's committees of wards report as wards."""
    if kind in (OrganisationKind.LABOUR_OFFICE, OrganisationKind.PEOPLES_COMMITTEE):
        return None
    if kind is OrganisationKind.SOCIAL_INSURANCE:
        return Who.INSURANCE
    return Who.OTHERS if kind is OrganisationKind.OTHER else Who.UNIONS


class State(StrEnum):
    """Where a unit's report stands."""

    WAITING = "waiting"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    EXCUSED = "excused"


STATES: Mapping[State, Any] = {
    State.WAITING: _l("Not sent yet"),
    State.SUBMITTED: _l("Has come"),
    State.RETURNED: _l("Returned for correction"),
    State.EXCUSED: _l("Need not report"),
}
OWING = (State.WAITING, State.RETURNED)


# ---- until when


class Deadline(NamedTuple):
    """So many months after the last month of a period, on that day (the last one of a shorter month); who may be written
    from `opens_before` days earlier on."""

    months_after: int
    day: int
    opens_before: int

    def due(self, last_day: date) -> date:
        """The last day on which the report of a period that ends so may come."""
        month = Month.of(last_day) + self.months_after
        return month.last_day if self.day >= month.last_day.day else month.first_day.replace(day=self.day)

    def opens(self, last_day: date) -> date:
        """The day on which a round of it begins."""
        return self.due(last_day) - timedelta(days=self.opens_before)


def ends(kind: ReportKind, period: str) -> tuple[date, date]:
    """The first and the last day of `2019-09`, `2019-H1` or `2019`. Raises RuleBroken for anything else."""
    try:
        if kind is ReportKind.MONTH:
            month = Month.parse(period)
            return month.first_day, month.last_day
        if kind is ReportKind.HALF_YEAR:
            year, half = period.split("-H")
            first = Month(int(year), {"1": 1, "2": 7}[half])
            return first.first_day, (first + 5).last_day
        if kind is ReportKind.YEAR and len(period) == len("2019"):
            return Month(int(period), 1).first_day, Month(int(period), 12).last_day
    except (ValueError, KeyError):
        pass
    raise RuleBroken(_l("Write a month as 2019-09, a half-year as 2019-H1 or a year as 2019."), field="period")


def periods_around(kind: ReportKind, today: date) -> list[str]:
    """The periods of a kind whose round may begin around a day: the one that runs and the one before."""
    month, year = Month.of(today), today.year
    if kind is ReportKind.MONTH:
        return [str(month - 1), str(month)]
    return [f"{year}-H1"] if kind is ReportKind.HALF_YEAR else [str(year - 1), str(year)]


def late_by(due_on: date, came: date | None, today: date) -> int:
    """Days after the last day on which a report came, or by which it is overdue today; 0 in time."""
    return max(((came or today) - due_on).days, 0)


def whole_from(kind: ReportKind, period: str, due_on: date) -> date | None:
    """The last day of a period whose report may come after it: figures of an earlier day are not the whole period's. None
    where the report is due before the period is over, as the year's is."""
    _first, last = ends(kind, period)
    return last if due_on >= last else None


def sent_early(kind: ReportKind, period: str, due_on: date, as_of: date) -> bool:
    """Whether figures of a day were sent before the period was over although they could have waited for its last day."""
    whole = whole_from(kind, period, due_on)
    return whole is not None and as_of < whole


# ---- figures of their own


class Own(StrEnum):
    """What the program does not hold and a unit tells."""

    COMPULSORY = "compulsory"
    UNEMPLOYMENT = "unemployment"
    EMPLOYERS = "employers"
    INSPECTIONS = "inspections"
    DIALOGUES = "dialogues"
    SESSIONS = "sessions"
    ATTENDED = "attended"
    BROADCASTS = "broadcasts"
    LEAFLETS = "leaflets"


OWN_WORDS: Mapping[Own, Any] = {
    Own.COMPULSORY: _l("People in compulsory social insurance"),
    Own.UNEMPLOYMENT: _l("People in unemployment insurance"),
    Own.EMPLOYERS: _l("Enterprises and household businesses reviewed"),
    Own.INSPECTIONS: _l("Inspections of employers"),
    Own.DIALOGUES: _l("Dialogues with enterprises and household businesses"),
    Own.SESSIONS: _l("Communication sessions and meetings"),
    Own.ATTENDED: _l("People who attended them"),
    Own.BROADCASTS: _l("Broadcasts by loudspeaker or station"),
    Own.LEAFLETS: _l("Leaflets handed out"),
}
ON_PAPER: Mapping[Own, tuple[str, str]] = {
    Own.COMPULSORY: ("Số người tham gia BHXH bắt buộc", "người"),
    Own.UNEMPLOYMENT: ("Số người tham gia bảo hiểm thất nghiệp", "người"),
    Own.EMPLOYERS: ("Doanh nghiệp, hộ kinh doanh được rà soát", "đơn vị"),
    Own.INSPECTIONS: ("Cuộc kiểm tra, thanh tra người sử dụng lao động", "cuộc"),
    Own.DIALOGUES: ("Cuộc đối thoại với doanh nghiệp, hộ kinh doanh", "cuộc"),
    Own.SESSIONS: ("Hội nghị, buổi tuyên truyền", "buổi"),
    Own.ATTENDED: ("Người dự hội nghị, buổi tuyên truyền", "lượt người"),
    Own.BROADCASTS: ("Lượt phát thanh, truyền thanh", "lượt"),
    Own.LEAFLETS: ("Tờ rơi, tài liệu đã phát", "tờ"),
}
"""As it stands on the official paper, and its unit: Vietnamese whatever language the reader chose."""
AT_A_DATE = (Own.COMPULSORY, Own.UNEMPLOYMENT)
"""Numbers of people at the end of the period; the others are what was done in it."""

_TOLD_BY_EACH = (Own.DIALOGUES, Own.SESSIONS, Own.ATTENDED, Own.LEAFLETS)
ASKED: Mapping[Who, Sequence[Own]] = {
    Who.WARDS: (*AT_A_DATE, Own.EMPLOYERS, *_TOLD_BY_EACH, Own.BROADCASTS),
    Who.UNIONS: _TOLD_BY_EACH,
    Who.INSURANCE: (*AT_A_DATE, Own.EMPLOYERS, Own.INSPECTIONS, *_TOLD_BY_EACH),
    Who.OTHERS: (Own.EMPLOYERS, Own.INSPECTIONS, *_TOLD_BY_EACH, Own.BROADCASTS),
}


class Figure(NamedTuple):
    """A number somebody tells, and where they have it from."""

    number: int
    source: str


def check_own(given: Mapping[Own, tuple[int | None, str | None]], who: Who) -> dict[Own, Figure]:
    """The figures as they are kept: what was left empty is not known, a nought needs no source. Raises RuleBroken."""
    kept: dict[Own, Figure] = {}
    for own in ASKED[who]:
        number, source = given.get(own, (None, None))
        if number is None:
            continue
        if not 0 <= number <= MOST_NUMBER:
            raise RuleBroken(_l("Write a whole number, such as 1,385."), field=f"number_{own}")
        missing = _l("Write where this number is from.") if number else None
        kept[own] = Figure(number, line(source, LONGEST_SOURCE, f"source_{own}", missing))
    return kept


def as_json(own: Mapping[Own, Figure]) -> dict[str, Any]:
    return {key.value: {"number": one.number, "source": one.source} for key, one in own.items()}


def from_json(kept: Mapping[str, Any]) -> dict[Own, Figure]:
    return {Own(key): Figure(one["number"], one["source"]) for key, one in kept.items()}


# ---- one town's


class Told(NamedTuple):
    """What a unit told; `own` is None of one whose report has not come."""

    name: str
    who: Who
    own: Mapping[Own, Figure] | None


class Sum(NamedTuple):
    """A figure of the town from what units told; `number` is None where nobody told it."""

    number: int | None
    told: Sequence[tuple[str, Figure]]
    """Whose figures it is made of."""
    silent: Sequence[str]
    """Units that were asked for it and told nothing: the number is without theirs."""
    apart: int | None = None
    """Of a number at a date that the insurance office told: what the wards' numbers add up to, where that differs."""


def together(reports: Sequence[Told]) -> dict[Own, Sum]:
    """The town's figures. What was done is added up over the units that led it. People in an insurance are never added
    twice: the insurance office's number stands for the town, and only without it the wards' are added up."""
    return {own: _sum(own, [one for one in reports if own in ASKED[one.who]]) for own in Own}


def _sum(own: Own, asked: Sequence[Told]) -> Sum:
    if own in AT_A_DATE:
        office = [one for one in asked if one.who is Who.INSURANCE]
        wards = [one for one in asked if one.who is Who.WARDS]
        said, of_wards = _added(own, office), _added(own, wards)
        if said.number is None:
            return of_wards
        whole = of_wards.number is not None and not of_wards.silent
        return said._replace(apart=of_wards.number if whole and of_wards.number != said.number else None)
    return _added(own, asked)


def _added(own: Own, asked: Sequence[Told]) -> Sum:
    told = [(one.name, one.own[own]) for one in asked if one.own is not None and own in one.own]
    silent = [one.name for one in asked if one.own is None or own not in one.own]
    return Sum(sum(figure.number for _name, figure in told) if told else None, told, silent)
