"""The words for what is known of people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.prospects.rules import ConsentChannel, Ground, Kinship, Purpose, Sex, Stage

STAGES: Mapping[Stage, Any] = {
    Stage.NEW: _l("New"),
    Stage.UNREACHED: _l("Called on, not met yet"),
    Stage.CONSIDERING: _l("Thinking it over"),
    Stage.INTERESTED: _l("Interested"),
    Stage.AGREED: _l("Agreed"),
    Stage.JOINED: _l("Takes part"),
    Stage.LAPSED: _l("Lapsed"),
    Stage.REFUSED: _l("Refused"),
    Stage.NOT_ELIGIBLE: _l("Not eligible"),
}
STAGE_SIGNS: Mapping[Stage, tuple[str, str]] = {
    Stage.NEW: ("sprout", "quiet"),
    Stage.UNREACHED: ("not-home", "quiet"),
    Stage.CONSIDERING: ("thinking", "jade"),
    Stage.INTERESTED: ("interested", "jade"),
    Stage.AGREED: ("agreed", "jade"),
    Stage.JOINED: ("joined", "leaf"),
    Stage.LAPSED: ("error", "late"),
    Stage.REFUSED: ("refused", "late"),
    Stage.NOT_ELIGIBLE: ("lock", "quiet"),
}
"""Icon and kind of a step in the timeline."""
GROUNDS: Mapping[Ground, Any] = {
    Ground.POOR: _l("Poor household"),
    Ground.NEAR_POOR: _l("Near-poor household"),
    Ground.ETHNIC_MINORITY: _l("Ethnic minority"),
    Ground.ISLAND: _l("Island commune or special zone"),
    Ground.OTHER: _l("Other group"),
}
SEXES: Mapping[Sex, Any] = {Sex.FEMALE: _l("Woman"), Sex.MALE: _l("Man")}
KINSHIPS: Mapping[Kinship, Any] = {
    Kinship.HEAD: _l("Head of the household"),
    Kinship.SPOUSE: _l("Wife or husband"),
    Kinship.CHILD: _l("Child"),
    Kinship.CHILD_IN_LAW: _l("Daughter-in-law or son-in-law"),
    Kinship.PARENT: _l("Parent"),
    Kinship.PARENT_IN_LAW: _l("Parent of the wife or husband"),
    Kinship.GRANDPARENT: _l("Grandparent"),
    Kinship.GRANDCHILD: _l("Grandchild"),
    Kinship.SIBLING: _l("Brother or sister"),
    Kinship.SIBLING_IN_LAW: _l("Brother-in-law or sister-in-law"),
    Kinship.NEPHEW_NIECE: _l("Nephew or niece"),
    Kinship.UNCLE_AUNT: _l("Uncle or aunt"),
    Kinship.NOT_RELATED: _l("Not related, lives here"),
    Kinship.OTHER: _l("Other member"),
}
PURPOSES: Mapping[Purpose, Any] = {
    Purpose.SERVICE: _l("Reminders about paying"),
    Purpose.PROMOTION: _l("Invitations to take part"),
}
CHANNELS: Mapping[ConsentChannel, Any] = {
    ConsentChannel.DOORSTEP: _l("said at the door"),
    ConsentChannel.PAPER: _l("signed on paper"),
    ConsentChannel.PHONE_CALL: _l("said on the phone"),
    ConsentChannel.HOTLINE: _l("called the hotline"),
    ConsentChannel.WEB: _l("on the web page"),
    ConsentChannel.LINK: _l("by the link in a message"),
    ConsentChannel.QR: _l("by the square, with their own phone"),
    ConsentChannel.SMS: _l("by a message"),
    ConsentChannel.IMPORT: _l("from a list"),
    ConsentChannel.DO_NOT_CALL: _l("on a do-not-call list"),
}
SPOKEN = (ConsentChannel.DOORSTEP, ConsentChannel.PAPER, ConsentChannel.PHONE_CALL, ConsentChannel.HOTLINE)
"""The ways an answer reaches the person who writes it down."""
FIELDS: Mapping[str, Any] = {
    "full_name": _l("Full name"),
    "birth_date": _l("Day of birth"),
    "birth_year": _l("Year of birth"),
    "sex": _l("Sex"),
    "phone": _l("Mobile phone"),
    "other_phone": _l("Other telephone"),
    "citizen_id": _l("Citizen number"),
    "si_number": _l("Insurance number"),
    "place_id": _l("Ward or commune"),
    "neighbourhood_id": _l("Neighbourhood"),
    "address": _l("Address"),
    "occupation": _l("Work"),
    "household_id": _l("Household"),
    "kinship": _l("In the household"),
    "organisation_id": _l("Looked after by"),
}
