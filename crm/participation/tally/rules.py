"""The smallest number there is of how the stock moved."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from crm.participation.rules import Movement
from crm.prospects.rules import Ground


class Cell(NamedTuple):
    """How the stock of one unit, organisation (None: not on record) and ground moved over a period; every other number is
    a sum of these."""

    place_id: UUID
    organisation_id: UUID | None
    ground: Ground
    moved: Movement
