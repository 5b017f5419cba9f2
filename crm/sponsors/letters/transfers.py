"""How a sponsor transfers what they promised: to which account, with which code, drawn for their bank's app."""

from __future__ import annotations

from datetime import date
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session

from crm.sponsors import gateway, queries
from crm.sponsors.giving.queries import accounts_of
from crm.sponsors.giving.showing import pay_token
from crm.sponsors.models import Sponsor
from crm.sponsors.rules import BANKS, PledgeState


def how_to_give(session: Session, by: Sponsor, today: date) -> dict[str, Any] | None:
    """To which account, with which code, and how much of the instalment that is next; and what is next of the other open
    promises, the earliest first, each with a page of its own. None while there is no account or no open promise."""
    account = queries.fund_account(session)
    open_ones = [one for one, _came in queries.pledges_of(session, by) if one.state is PledgeState.OPEN]
    if account is None or not open_ones:
        return None
    accounts = accounts_of(session, open_ones, today)
    following = [(due.due.on, one, due) for one in open_ones if (due := accounts[one.id].next)]
    following.sort(key=lambda found: found[0])
    pledge, left = open_ones[0], 0
    if following:
        _day, pledge, due = following[0]
        left = due.left
    others = [
        {"code": one.code, "left": due.left, "on": day, "token": pay_token(one.id)} for day, one, due in following[1:]
    ]
    drawn: Markup = gateway.drawing(gateway.payload(account.bin, account.account, left or None, pledge.code))
    return {
        "account": account,
        "bank": BANKS.get(account.bin, account.bin),
        "code": pledge.code,
        "left": left,
        "token": pay_token(pledge.id),
        "qr": drawn,
        "others": others,
    }
