"""What somebody would pay, in the words of the reader."""

from __future__ import annotations

from collections.abc import Collection

from crm import clock
from crm.accounts.gateway import current_user
from crm.db import session
from crm.errors import RuleBroken
from crm.months import Month
from crm.outreach.rules import Figures
from crm.premiums.queries import local_top_ups
from crm.premiums.rules.law import Law
from crm.premiums.rules.quotes import Plan
from crm.premiums.rules.quotes import quote as quote_of
from crm.prospects.rules import Ground
from crm.web.filters import vnd
from crm.web.language import chosen


def figures_of(grounds: Collection[Ground], law: Law) -> dict[Ground, Figures]:
    """What each group pays a month on the least income, by the law of today; nothing where the law is silent."""
    if not grounds:
        return {}
    today_, found = clock.today(), {}
    top_ups = local_top_ups(session(), current_user().town_id, today_)
    for ground in grounds:
        try:
            floor = law.on(today_).floor
            told = quote_of(law, floor, [ground], Month.of(today_), today_, Plan.periodic(1), local_top_ups=top_ups)
        except RuleBroken:
            continue
        found[ground] = Figures(own=vnd(told.payable, chosen()), state=vnd(told.state_support, chosen()))
    return found
