"""The sums of people by stage. Written by triggers alone (migration tally_of_people), read by the pipeline."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Mapped

from crm.db import Model, TownRow
from crm.prospects.rules import Stage


class PeopleTally(TownRow, Model):
    """So many more, or fewer, people stand at a stage, of one ward, neighbourhood, organisation and volunteer; records that
    were merged into another are not counted. Several rows may be of the same; together they are the number. Its columns
    are called as those of a person, so one condition is asked of both. References stand in the register and are not
    checked again here."""

    __tablename__ = "people_tally"

    place_id: Mapped[UUID]
    neighbourhood_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    volunteer_id: Mapped[UUID | None]
    stage: Mapped[Stage]
    people: Mapped[int]
