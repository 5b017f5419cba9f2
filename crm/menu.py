"""The menu: what there is, in the order people look for it. Each sees what they may open."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from crm.accounts.rules import May
from crm.web.navigation import Item

MENU: tuple[Item, ...] = (
    Item(_l("Overview"), "reports.dashboard", "chart", May.SEE_DASHBOARD),
    Item(_l("Today"), "followups.today", "today", May.LOG_VISITS),
    Item(_l("Residents"), "prospects.listing", "people", May.SEE_PEOPLE),
    Item(_l("Log"), "followups.record", "record", May.LOG_VISITS, strong=True),
    Item(_l("My work"), "followups.mine", "mine", May.LOG_VISITS),
    Item(_l("Visits"), "outreach.listing", "list", May.SEE_DASHBOARD),
    Item(_l("Who looks after whom"), "outreach.assigning", "family", May.ASSIGN),
    Item(_l("Participants"), "participation.listing", "joined", May.SEE_DASHBOARD),
    Item(_l("Load a list"), "imports.listing", "upload", May.IMPORT_PEOPLE),
    Item(_l("Targets"), "targets.listing", "target", May.SEE_TARGETS),
    Item(_l("Sponsors"), "sponsors.listing", "sponsor", May.SEE_SPONSORS),
    Item(_l("Messages"), "campaigns.messages", "message", May.SEE_MESSAGES),
    Item(_l("Who signs in"), "accounts.listing", "lock", May.MANAGE_ACCOUNTS),
    Item(_l("The law"), "premiums.law", "law", May.SEE_DASHBOARD),
    Item(_l("Program's time"), "timekeeping.show_clock", "clock", May.MOVE_CLOCK),
)
