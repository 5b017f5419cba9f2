"""Acts with money that may need a second person, and how they are decided."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from crm.months import Month


class MoneyAct(StrEnum):
    """What a second person decides when it is above the limit."""

    ALLOCATE = "allocate"
    PAY = "pay"
    REFUND = "refund"
    CORRECT = "correct"
    CLOSE = "close"
    SEND_BACK = "send_back"
    UNDO_LINE = "undo_line"
    PAY_LISTED = "pay_listed"
    MERGE = "merge"
    COME_BACK = "come_back"


class Decision(StrEnum):
    APPROVED = "approved"
    REFUSED = "refused"


ACTS: Mapping[MoneyAct, Any] = {
    MoneyAct.ALLOCATE: _l("Set money aside"),
    MoneyAct.PAY: _l("Pay a premium with a sponsor's money"),
    MoneyAct.REFUND: _l("Return money to a sponsor"),
    MoneyAct.CORRECT: _l("Put a receipt right"),
    MoneyAct.CLOSE: _l("Close a month"),
    MoneyAct.SEND_BACK: _l("Send held money back to its payer"),
    MoneyAct.UNDO_LINE: _l("Undo what was said of a bank's line"),
    MoneyAct.PAY_LISTED: _l("Pay with a sponsor's money what a list tells of"),
    MoneyAct.MERGE: _l("Make two sponsors one"),
    MoneyAct.COME_BACK: _l("Book what the insurance office paid back"),
}
DECISIONS: Mapping[Decision, Any] = {
    Decision.APPROVED: _l("Approved"),
    Decision.REFUSED: _l("Refused"),
}


def next_to_close(last_closed: Month | None, first_booked: Month | None, this: Month) -> Month | None:
    """The month whose turn it is to be closed: months close in order, and only once they are over."""
    following = last_closed + 1 if last_closed else first_booked
    return following if following is not None and following < this else None


def subject_of(arguments: Mapping[str, Any], sponsor_id: object, amount: int) -> str:
    """What an act with these arguments is about: what it settles, or else the sponsor, the amount and all it is told."""
    for name in ("allocation_id", "receipt_id", "line_id", "listed_id", "month", "gone_id", "part_id"):
        if name in arguments:
            return str(arguments[name])
    if "prospect_id" in arguments:
        return f"{arguments['prospect_id']} {arguments['start']}"
    return f"{sponsor_id} {amount} {sorted(arguments.items())}"


LIMIT_CHANGED = "change_money_limit"
"""The act under which the change record keeps who changed the limit for one person."""

ASKED = _l("This is above the limit: it is done once a second person approves it.")
"""What somebody is told whose act waits."""
