"""How a sponsor transfers what they promised: to which account, with which code, drawn for their bank's app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from markupsafe import Markup
from sqlalchemy.orm import Session

from crm.sponsors import gateway, queries
from crm.sponsors.giving.rules import Account
from crm.sponsors.giving.showing import pay_token
from crm.sponsors.models import Pledge
from crm.sponsors.rules import BANKS


def how_to_give(
    session: Session, open_ones: Sequence[Pledge], accounts: Mapping[UUID, Account], resting: Mapping[UUID, date]
) -> dict[str, Any] | None:
    """Of a sponsor's open promises, the latest first, with what came in on them: to which account, with which code, and
    how much of the instalment that is next; and what is next of the other open
    promises, the earliest first, each with a page of its own. Of what rests nothing is expected: it comes last, without an
    amount. None while there is no account or no open promise."""
    account = queries.fund_account(session)
    if account is None or not open_ones:
        return None
    following = [(due.due.on, one, due) for one in open_ones if (due := accounts[one.id].next)]
    following.sort(key=lambda found: (found[1].id in resting, found[0]))
    pledge, left = open_ones[0], 0
    if following:
        _day, pledge, due = following[0]
        left = 0 if pledge.id in resting else due.left
    others = [
        {"code": one.code, "left": due.left, "on": day, "token": pay_token(one.id)}
        for day, one, due in following[1:]
        if one.id not in resting
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
