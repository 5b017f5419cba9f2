"""Communication events of the demo: meetings and broadcasts of the last two months in every ward."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import at as moment
from crm.demo.numbering import Numbering
from crm.demo.team import Team
from crm.reports.events import services
from crm.reports.events.rules import EventKind, Happened

PLANS = (
    (EventKind.MEETING, "Hội nghị tuyên truyền BHXH tự nguyện tại nhà văn hóa", 1, (25, 90)),
    (EventKind.BROADCAST, "Phát thanh về mức hỗ trợ tiền đóng của Nhà nước", 8, None),
    (EventKind.STALL, "Điểm tư vấn BHXH tự nguyện tại chợ", 1, (15, 60)),
)


class Events:
    """Logs a few events in each unit, by its volunteers in turn."""

    def __init__(self, session: Session, team: Team, number: Numbering, as_of: date, random: Random) -> None:
        self.session, self.team, self.number, self.as_of, self.random = session, team, number, as_of, random

    def write(self) -> None:
        """One of each kind in each unit, on different days."""
        for place, unit in enumerate(self.team.units):
            for turn, (kind, title, times, came) in enumerate(PLANS):
                helper = unit.volunteers[turn % len(unit.volunteers)]
                query = select(User).where(User.town_id == self.team.town_id, User.id == helper.id)
                day = self.as_of - timedelta(days=3 + 5 * place + 2 * turn)
                one = Happened(
                    kind=kind,
                    held_on=day,
                    title=title,
                    venue=None,
                    times=times,
                    attended=self.random.randint(*came) if came else None,
                    leaflets=self.random.randint(20, 80) if came else None,
                    note=None,
                )
                by = self.session.scalars(query).one()
                services.log(self.session, self.number(), unit.id, one, by=by, at=moment(day, 17))
