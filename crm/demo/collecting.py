"""The collection network of the demo: the insurance office, post offices, and an agent in every ward. Invented, places included."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.accounts.models import User
from crm.clock import at as moment
from crm.collecting import services
from crm.collecting.models import CollectionPoint
from crm.collecting.rules import PointKind, Spot, Told
from crm.demo.names import full_name
from crm.demo.numbering import Numbering
from crm.demo.team import Team, Unit
from crm.places.models import Place
from crm.prospects.rules import Sex

OFFICE_HOURS = "Thứ Hai đến thứ Sáu, 7:30–11:30 và 13:30–17:00"
AGENT_HOURS = "Thứ Ba và thứ Sáu, 8:00–11:00; gọi trước ngày khác"
CENTRE = Spot(20.078, 105.86)
SPREAD = 0.03
"""Degrees around the centre over which the invented points lie."""
WITH_POST = 2
"""So many units have a post office too."""
NOTED = timedelta(days=29)
"""So long before the day of the demo staff and trainings were written down."""
UNTRAINED, ENDING = 3, 5
"""The units whose agent has no training yet, and whose agent's training ends soon."""


class Network:
    """One office, post offices, an agent in each unit, all but one trained."""

    def __init__(self, session: Session, team: Team, number: Numbering, as_of: date, random: Random) -> None:
        self.session, self.team, self.number, self.as_of, self.random = session, team, number, as_of, random
        self.manager = session.get_one(User, (team.town_id, team.manager_id))

    def write(self) -> None:
        """Every point with somebody there."""
        names = dict(self.session.execute(select(Place.id, Place.name).where(Place.town_id == self.team.town_id)).all())  # type: ignore[arg-type]
        everywhere = [unit.id for unit in self.team.units]
        first = self.team.units[0]
        office = self._point(first, PointKind.INSURANCE, "Bảo hiểm xã hội, bộ phận một cửa", OFFICE_HOURS, everywhere)
        self._staff(office, 0)
        for turn, unit in enumerate(self.team.units):
            name = names[unit.id]
            if turn < WITH_POST:
                self._staff(self._point(unit, PointKind.POST, f"Bưu điện {name}", OFFICE_HOURS, []), 0)
            agent = self._point(unit, PointKind.COMMITTEE, f"Điểm thu UBND {name}", AGENT_HOURS, [])
            self._staff(agent, turn)

    def _point(self, unit: Unit, kind: PointKind, name: str, hours: str, serves: Sequence[UUID]) -> CollectionPoint:
        told = Told(
            kind=kind,
            name=name,
            address=f"Số {self.random.randint(2, 150)}, khu phố {self.random.randint(1, 6)}",
            hours=hours,
            phone=f"02373{self.random.randint(710_000, 799_999)}",
            spot=Spot(*(round(degree + self.random.uniform(-SPREAD, SPREAD), 5) for degree in CENTRE)),
            since=self.as_of - timedelta(days=400),
            until=None,
            note=None,
        )
        at = moment(self.as_of - timedelta(days=30), 9)
        return services.open_point(self.session, self.number(), unit.id, told, serves, by=self.manager, at=at)

    def _staff(self, point: CollectionPoint, turn: int) -> None:
        name = full_name(self.random, Sex.FEMALE, self.random.randint(1970, 1992))
        since, acting = self.as_of - timedelta(days=380), {"by": self.manager, "at": moment(self.as_of - NOTED, 9)}
        one = services.hire(self.session, point, self.number(), name, None, since, **acting)  # type: ignore[arg-type]
        if turn == UNTRAINED:
            return
        held = self.as_of - timedelta(days=330)
        valid = held + timedelta(days=365 if turn == ENDING else 730)
        told = {"held_on": held, "valid_until": valid, "document": f"{20 + turn}/GCN-BHXH"}
        services.train(self.session, one, "Nghiệp vụ đại lý thu BHXH tự nguyện", **told, **acting)  # type: ignore[arg-type]
