"""The reporting rounds of the demo: months that are closed, the one before with late and returned reports, and the one
that runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.clock import at as moment
from crm.demo.team import Team
from crm.months import Month
from crm.reports.periods import ReportKind
from crm.reports.rounds import queries, services
from crm.reports.rounds.models import ReportingRound
from crm.reports.rounds.queries import Line
from crm.reports.rounds.rules import ASKED, Own, Who, ends

SOURCES: Mapping[Own, str] = {
    Own.COMPULSORY: "phần mềm quản lý thu của BHXH",
    Own.UNEMPLOYMENT: "phần mềm quản lý thu của BHXH",
    Own.EMPLOYERS: "sổ theo dõi hộ kinh doanh",
    Own.INSPECTIONS: "biên bản kiểm tra",
    Own.DIALOGUES: "biên bản đối thoại",
    Own.SESSIONS: "kế hoạch tuyên truyền của đơn vị",
    Own.ATTENDED: "danh sách ký tên",
    Own.BROADCASTS: "nhật ký đài truyền thanh",
    Own.LEAFLETS: "sổ giao nhận",
}
LARGE: Mapping[Own, tuple[int, int]] = {
    Own.COMPULSORY: (12_300, 12_600),
    Own.UNEMPLOYMENT: (12_100, 12_500),
    Own.EMPLOYERS: (4, 30),
    Own.INSPECTIONS: (0, 3),
    Own.DIALOGUES: (0, 2),
    Own.SESSIONS: (1, 6),
    Own.ATTENDED: (40, 220),
    Own.BROADCASTS: (8, 24),
    Own.LEAFLETS: (0, 400),
}
MONTHS_BACK = 3


class Reporting:
    """Writes the rounds of the months before a day, and of the begun one."""

    def __init__(self, session: Session, team: Team, as_of: date, random: Random) -> None:
        self.session, self.team, self.as_of, self.random = session, team, as_of, random
        self.manager = session.get_one(User, (team.town_id, team.manager_id))
        self.scope = Scope(team.town_id, team.manager_id, Reach.ALL, organisation_id=None, place_ids=None)
        leads = session.scalars(select(User).where(User.town_id == team.town_id, User.role == "lead"))
        self.leads = {one.place_id or one.organisation_id: one for one in leads}

    def write(self) -> None:
        """Closed months first; of the last one a few have not come."""
        this = Month.of(self.as_of)
        for month in [this - back for back in range(MONTHS_BACK, 0, -1)]:
            row = self._opened(str(month), moment(month.last_day, 9))
            last = month == this - 1
            lines = queries.lines_of(self.session, self.scope, row, most=100)
            late = {lines[2].owed.id, lines[6].owed.id, lines[-1].owed.id} if last else set()
            for place, line in enumerate(lines):
                if line.owed.id not in late:
                    self._sent(row, line, days=place % 4)
            if last:
                self._returned(row, lines[3])
            else:
                services.close(self.session, row, by=self.manager, at=moment(row.due_on + timedelta(days=2), 16))
        self._opened(str(this), moment(self.as_of, 8))

    def _opened(self, period: str, when: datetime) -> ReportingRound:
        return services.open_round(self.session, self.team.town_id, ReportKind.MONTH, period, by=None, at=when)

    def _sent(self, row: ReportingRound, line: Line, *, days: int) -> None:
        owed = line.owed
        by = self.leads.get(owed.place_id or owed.organisation_id, self.manager)
        when = moment(ends(ReportKind.MONTH, row.period)[1] + timedelta(days=1 + days), 10)
        own = {
            key: self._figure(key, line.who) for key in ASKED[line.who] if not self._only_of_the_office(key, line.who)
        }
        known = services.known_of(self.session, owed, row, when.date())
        told: dict[str, Any] = {"who": line.who, "known": known, "knowing_version": owed.version}
        services.submit(self.session, owed, row, own, None, **told, by=by, at=when)

    def _only_of_the_office(self, own: Own, who: Who) -> bool:
        return own in (Own.COMPULSORY, Own.UNEMPLOYMENT) and who is not Who.INSURANCE

    def _figure(self, own: Own, who: Who) -> tuple[int, str]:
        return self.random.randint(*LARGE[own]), SOURCES[own]

    def _returned(self, row: ReportingRound, line: Line) -> None:
        words = "Số người dự nhiều hơn số ghế hội trường, đề nghị kiểm tra lại danh sách ký tên."
        services.send_back(self.session, line.owed, row, words, by=self.manager, at=moment(row.due_on, 15))
