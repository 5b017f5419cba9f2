"""How far a proposal is, and what became of each line of it."""

from __future__ import annotations

from enum import StrEnum


class ProposalState(StrEnum):
    WAITING = "waiting"
    """Asked for; a worker makes it."""
    READY = "ready"
    CLOSED = "closed"


class LineState(StrEnum):
    PROPOSED = "proposed"
    CHOSEN = "chosen"
    """Accepted by a treasurer; the money is being set aside."""
    ACCEPTED = "accepted"
    ASKED = "asked"
    """A second person has to approve it first."""
    CHANGED = "changed"
    """Something was no longer as proposed when it was accepted; `words` says what."""
    REFUSED = "refused"
    PASSED = "passed"


OPEN = (LineState.PROPOSED, LineState.CHANGED)
"""Lines a treasurer may still edit or refuse."""
COUNTING = (LineState.PROPOSED, LineState.CHOSEN, LineState.ACCEPTED, LineState.ASKED)
"""Lines whose money is not left to their sponsor, if all goes as proposed."""
