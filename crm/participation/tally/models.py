"""The sums of what began and what ended. Written by triggers alone (migration tally_of_spells), read by every report."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from crm.db import Model, TownRow
from crm.prospects.rules import Ground


class ParticipationTally(TownRow, Model):
    """So many more, or fewer, spells began and ended in a month, of one place, organisation and ground. Several rows may
    be of the same; together they are the number. References stand in the spells and are not checked again here."""

    __tablename__ = "participation_tally"
    __table_args__ = (
        Index(None, "town_id", "month"),
        CheckConstraint("extract(day from month) = 1", name="month"),
    )

    month: Mapped[date]
    place_id: Mapped[UUID]
    """As in the spell: the ward or commune at its start."""
    neighbourhood_id: Mapped[UUID | None]
    """Where the person lives now: what decides in boundaries in which their ward is several."""
    organisation_id: Mapped[UUID | None]
    ground: Mapped[Ground]
    joined: Mapped[int]
    """Began for the first time, known from a list and moved here included."""
    returned: Mapped[int]
    lapsed: Mapped[int]
    stopped: Mapped[int]
    """Ended for any other reason than not having paid."""
