"""The plan's duties in the demo: taken over, most under way or done, a ward that has not written its own plan."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import at as moment
from crm.demo.team import Team
from crm.reports.duties import services
from crm.reports.duties.models import Duty
from crm.reports.duties.rules import LAST_ACTOR, Step

SILENT = 3
"""The ward in the list that has not written its plan."""
DONE_WORDS, WAY_WORDS = "Đã ban hành kế hoạch, giao cho khu phố, thôn", "Đang thực hiện, lồng ghép hội nghị tháng"


class Duties:
    """Takes the duties over for the year of a day and notes what was done."""

    def __init__(self, session: Session, team: Team, as_of: date) -> None:
        self.session, self.team, self.as_of = session, team, as_of
        self.manager = session.get_one(User, (team.town_id, team.manager_id))

    def write(self) -> None:
        """Plans of wards are done but one; every third of the other duties is under way."""
        town_id, year, began = self.team.town_id, self.as_of.year, self.as_of - timedelta(days=40)
        services.take_over(self.session, town_id, year, by=self.manager, at=moment(began, 9))
        mine = select(Duty).where(Duty.town_id == town_id, Duty.year == year)
        found = self.session.scalars(mine.order_by(Duty.actor_no, Duty.position, Duty.place_id, Duty.organisation_id))
        for place, duty in enumerate(found.all()):
            if duty.actor_no == LAST_ACTOR and duty.position == 1:
                if duty.place_id != self.team.units[SILENT % len(self.team.units)].id:
                    self._note(duty, Step.DONE, DONE_WORDS, f"{20 + place}/KH-UBND")
            elif place % 3 == 0 and duty.due_on is None:
                self._note(duty, Step.PROGRESS, WAY_WORDS, None)

    def _note(self, duty: Duty, step: Step, words: str, document: str | None) -> None:
        day = self.as_of - timedelta(days=20)
        shown = {"document": document, "link": None, "on_day": day, "office": True}
        services.note(self.session, duty, step, words, **shown, by=self.manager, at=moment(day, 10))  # type: ignore[arg-type]
