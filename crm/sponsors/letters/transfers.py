"""How a sponsor transfers what they promised: to which account, with which code, drawn for their bank's app."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session

from crm.sponsors import gateway, queries
from crm.sponsors.models import Sponsor
from crm.sponsors.rules import BANKS, PledgeState


def how_to_give(session: Session, by: Sponsor) -> dict[str, Any] | None:
    """To which account, with which code, and how much of the promise is still to come. None while there is no account
    or no open promise."""
    account = queries.fund_account(session)
    open_ones = [(one, came) for one, came in queries.pledges_of(session, by) if one.state is PledgeState.OPEN]
    if account is None or not open_ones:
        return None
    pledge, came = next(((one, came) for one, came in open_ones if came < one.amount), open_ones[0])
    left = max(pledge.amount - came, 0)
    drawn: Markup = gateway.drawing(gateway.payload(account.bin, account.account, left or None, pledge.code))
    return {
        "account": account,
        "bank": BANKS.get(account.bin, account.bin),
        "code": pledge.code,
        "left": left,
        "qr": drawn,
    }
