"""What the sums of people by stage must be equal to."""

from __future__ import annotations

from crm.sums import Sums

PEOPLE = Sums(
    of="people by stage",
    table="people_tally",
    key=("place_id", "neighbourhood_id", "organisation_id", "volunteer_id", "stage"),
    figures=("people",),
    recount="select * from people_standing",
    checked="people_tally_checked",
)
