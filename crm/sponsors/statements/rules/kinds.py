"""States of statements and lines, what the money of a line was for, and the words for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l

from crm.money import Vnd


class StatementState(StrEnum):
    """Where the work on a statement stands."""

    COLUMNS = "columns"
    QUEUED = "queued"
    MATCHING = "matching"
    LOADED = "loaded"
    GIVEN_UP = "given_up"


class LineState(StrEnum):
    """NEW: not yet looked through. OPEN: somebody has to say what it is. SETTLED: its parts say what it was."""

    NEW = "new"
    OPEN = "open"
    SETTLED = "settled"


class Use(StrEnum):
    """What the money of a line, or of a part of it, was."""

    GIFT = "gift"
    HELD = "held"
    RETURNED = "returned"
    REFUND = "refund"
    INSURANCE = "insurance"
    FEE = "fee"
    INTEREST = "interest"
    OWN_TRANSFER = "own_transfer"
    OTHER = "other"


class Likely(StrEnum):
    """What a line looked like when it was loaded: for narrowing the queue."""

    GIFT = "gift"
    NOT_GIFT = "not_gift"
    UNKNOWN = "unknown"


AT_WORK = (StatementState.QUEUED, StatementState.MATCHING)
NOT_GIFTS = (Use.FEE, Use.INTEREST, Use.OWN_TRANSFER, Use.OTHER)
"""Money of the bank account that is no sponsor's, so the books of sponsors do not have it."""
IN_THE_BOOKS = (Use.GIFT, Use.HELD, Use.RETURNED, Use.REFUND, Use.INSURANCE)
"""Uses that stand on a posting of the ledger."""
CLEARED_AT_ONCE = (Use.FEE, Use.INTEREST)
"""Small things of the bank that may be accepted together."""

STATES: Mapping[StatementState, Any] = {
    StatementState.COLUMNS: _l("Columns to be checked"),
    StatementState.QUEUED: _l("Waiting to be loaded"),
    StatementState.MATCHING: _l("Lines are being matched"),
    StatementState.LOADED: _l("Loaded"),
    StatementState.GIVEN_UP: _l("Given up"),
}
USES: Mapping[Use, Any] = {
    Use.GIFT: _l("Sponsor's money"),
    Use.HELD: _l("Held: not yet known whose"),
    Use.RETURNED: _l("Sent back to the payer"),
    Use.REFUND: _l("Returned to a sponsor"),
    Use.INSURANCE: _l("Paid to the insurance fund"),
    Use.FEE: _l("Bank fee"),
    Use.INTEREST: _l("Interest of the bank"),
    Use.OWN_TRANSFER: _l("Between our own accounts"),
    Use.OTHER: _l("Something else, not sponsors' money"),
}


class Share(NamedTuple):
    """Part of a line for one sponsor: toward a promise, or to their account without one."""

    sponsor_id: UUID
    pledge_id: UUID | None
    amount: Vnd


class Seen(NamedTuple):
    """What matching looks at in a line. `amount` is negative for money that went out."""

    day: date
    amount: Vnd
    narrative: str
    payer: str = ""
    payer_account: str = ""
    reference: str = ""
