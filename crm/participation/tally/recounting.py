"""What the sums of participants must be equal to."""

from __future__ import annotations

from crm.prospects.tally.recounting import PEOPLE
from crm.sums import Sums

PARTICIPANTS = Sums(
    of="participants",
    table="participation_tally",
    key=("month", "place_id", "neighbourhood_id", "organisation_id", "ground"),
    figures=("joined", "returned", "lapsed", "stopped"),
    recount="select *, date_trunc('month', day)::date as month from spell_movement",
    checked="tally_checked",
)

EVERY = (PEOPLE, PARTICIPANTS)
"""All sums that the database keeps."""
