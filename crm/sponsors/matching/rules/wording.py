"""The words of proposals: states, why somebody is passed over, why money is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.sponsors.matching.rules.needs import Why
from crm.sponsors.matching.rules.states import LineState, ProposalState

PROPOSAL_STATES: Mapping[ProposalState, Any] = {
    ProposalState.WAITING: _l("Being worked out"),
    ProposalState.READY: _l("Waits for the treasurer"),
    ProposalState.CLOSED: _l("Closed"),
}
ALL_DECIDED = _l("All decided")
WAITS_FOR_OTHERS = _l("Accepted, not all of it set aside yet")
NOBODY_PROPOSED = _l("Nobody proposed")
"""Of a proposal of which a treasurer has nothing left to accept."""
LINE_STATES: Mapping[LineState, Any] = {
    LineState.PROPOSED: _l("Proposed"),
    LineState.CHOSEN: _l("Being set aside"),
    LineState.ACCEPTED: _l("Set aside"),
    LineState.ASKED: _l("Waits for a second person"),
    LineState.CHANGED: _l("Has changed meanwhile"),
    LineState.REFUSED: _l("Not accepted"),
    LineState.PASSED: _l("Passed over"),
}
LINE_SIGNS: Mapping[LineState, tuple[str, str]] = {
    LineState.PROPOSED: ("due", "due"),
    LineState.CHOSEN: ("due", "clock"),
    LineState.ACCEPTED: ("jade", "done"),
    LineState.ASKED: ("due", "people"),
    LineState.CHANGED: ("late", "error"),
    LineState.REFUSED: ("quiet", "refused"),
    LineState.PASSED: ("quiet", "info"),
}
WHY: Mapping[Why, Any] = {
    Why.NO_MONEY: _l("No money is left with the sponsors whose wish fits"),
    Why.NO_WISH: _l("No sponsor's wish fits"),
    Why.ENOUGH_PEOPLE: _l("The sponsors who fit and have money help as many people as they wished"),
    Why.REFUSED_BEFORE: _l("Refused before for every sponsor who fits"),
    Why.NOTHING_TO_PAY: _l("Nothing is left to pay after the State and the place"),
    Why.CARRIED: _l("A sponsor carries them for longer already"),
    Why.PAID_AHEAD: _l("Has paid; the next payment is more than a month away"),
    Why.CERTIFICATE_ENDS: _l("The certificate ends before the first month to be paid"),
    Why.NOT_REACHED: _l("Nobody has spoken with them yet"),
    Why.NOT_WILLING: _l("Has not said yes"),
    Why.MAY_NOT_JOIN: _l("May not take part in voluntary insurance"),
}
WHAT_HELPS: Mapping[Why, Any] = {
    Why.NO_MONEY: _l("More gifts, or a promise that comes in, reach them next."),
    Why.NO_WISH: _l("Ask a sponsor for a broader wish."),
    Why.ENOUGH_PEOPLE: _l("Ask the sponsors whether they help more people."),
    Why.REFUSED_BEFORE: _l("On the sponsor's page a refusal can be lifted."),
    Why.CERTIFICATE_ENDS: _l("Ask the ward for the new certificate."),
    Why.NOT_REACHED: _l("Give them to a volunteer."),
    Why.NOT_WILLING: _l("A volunteer may tell them that a sponsor would pay."),
}
"""What one can do about it."""
