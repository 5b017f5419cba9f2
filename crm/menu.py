"""The menu: what there is, in the order people look for it. Each sees what they may open."""

from __future__ import annotations

from dataclasses import replace

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from crm import clock
from crm.accounts.gateway import current_scope, current_user
from crm.accounts.rules import May
from crm.campaigns.inbox.queries import open_for
from crm.campaigns.preflight.queries import waiting_for
from crm.db import session
from crm.kept import kept
from crm.prospects.merging.queries import how_many, waiting
from crm.reports.rounds.queries import how_many_wait as reports_owed
from crm.sponsors.ledger.queries import how_many_wait
from crm.web.guard import Actor
from crm.web.navigation import MOST_TOLD, Item
from crm.web.once import once

TODAY = Item(_l("Today"), "followups.today", "today", May.LOG_VISITS)
RESIDENTS = Item(_l("Residents"), "prospects.listing", "people", May.SEE_PEOPLE, covers=("households", "lists"))
LOG = Item(_l("Log"), "followups.record", "record", May.LOG_VISITS)
MINE = Item(_l("My work"), "followups.mine", "mine", May.LOG_VISITS)
PAPERS = Item(_l("Papers for joining"), "joining.listing", "document", May.SEE_PEOPLE)
DOORS = _l("Door to door")
MONEY = _l("Sponsors' money")
REGISTER = _l("The register")
SET_UP = _l("Set up")


def pairs_waiting() -> int:
    """How many pairs this person could look at; one more than the menu tells stands for any greater number."""
    scope = current_scope()
    return kept(("pairs waiting", scope), lambda: how_many(session(), waiting(scope), most=MOST_TOLD + 1))


def money_waiting() -> int:
    """How many acts with money this person could decide."""
    scope = current_scope()
    return kept(("money waiting", scope), lambda: how_many_wait(session(), scope.town_id, scope.user_id))


def _of_messages() -> tuple[int, int]:
    """How many people wrote back and wait for this person, and how many campaigns they could say yes or no to: one question
    for a page."""
    scope, most = current_scope(), MOST_TOLD + 1
    both = open_for(scope, most), waiting_for(scope.town_id, scope.user_id, most)
    asked = select(*(one.scalar_subquery() for one in both))
    name = "of messages", scope
    return once(name, lambda: kept(name, lambda: session().execute(asked).tuples().one()))


def answers_waiting() -> int:
    """How many people wrote back and wait for this person."""
    return _of_messages()[0]


def reports_waiting() -> int:
    """How many reports this person's unit still owes; for the office how many are late."""
    scope = current_scope()
    return kept(("reports waiting", scope), lambda: reports_owed(session(), scope, clock.today()))


def approvals_waiting() -> int:
    """How many campaigns this person could say yes or no to."""
    return _of_messages()[1] if current_user().may(May.RUN_CAMPAIGNS) else 0


ANSWERS = Item(_l("Answers"), "inbox.listing", "message", May.LOG_VISITS, waiting=answers_waiting)

EVENTS = Item(_l("Communication events"), "events.listing", "campaign", May.LOG_VISITS)

AMENDMENTS = Item(_l("Proposals on policy"), "amendments.listing", "law", May.SEE_AMENDMENTS)

FIELD: tuple[Item, ...] = (TODAY, RESIDENTS, replace(LOG, strong=True), MINE, ANSWERS, EVENTS, AMENDMENTS)
"""Those who go from door to door: their four places, the act in the middle, and what people wrote back."""

AGENT: tuple[Item, ...] = (TODAY, PAPERS, replace(LOG, strong=True), MINE, RESIDENTS, ANSWERS, AMENDMENTS)
"""Collection agents: what was handed to them stands beside their day."""

GIVER: tuple[Item, ...] = (Item(_l("My giving"), "letters.my_letter", "sponsor", May.SEE_OWN_GIVING),)
"""Sponsors: their own page."""

OFFICE: tuple[Item, ...] = (
    Item(_l("Overview"), "reports.dashboard", "chart", May.SEE_DASHBOARD),
    Item(_l("Forecast"), "forecast.show", "target", May.SEE_DASHBOARD),
    RESIDENTS,
    Item(_l("Taking part"), "participation.listing", "joined", May.SEE_DASHBOARD),
    Item(_l("Keeping them in"), "keeping.show", "due", May.SEE_PEOPLE),
    PAPERS,
    Item(_l("Official reports"), "documents.listing", "document", May.SEE_REPORTS),
    Item(_l("Reporting rounds"), "rounds.listing", "calendar", May.SEE_REPORTS, waiting=reports_waiting),
    Item(_l("Duties of the plan"), "duties.listing", "list", May.SEE_REPORTS),
    AMENDMENTS,
    Item(_l("Messages"), "campaigns.messages", "campaign", May.SEE_MESSAGES, waiting=approvals_waiting),
    replace(ANSWERS, permission=May.SEE_MESSAGES),
    Item(_l("Results and effort"), "emulation.show", "agreed", May.SEE_DASHBOARD),
    replace(TODAY, group=DOORS),
    replace(LOG, group=DOORS),
    replace(MINE, group=DOORS),
    Item(_l("Visits"), "outreach.listing", "list", May.SEE_DASHBOARD, group=DOORS),
    replace(EVENTS, group=DOORS),
    Item(_l("Who looks after whom"), "outreach.assigning", "family", May.ASSIGN, group=DOORS),
    Item(_l("Work packages"), "packages.listing", "document", May.ASSIGN, group=DOORS),
    Item(_l("Volunteers of my unit"), "team.listing", "person", May.INVITE_VOLUNTEERS, group=DOORS),
    Item(_l("The fund today"), "treasury.home", "money", May.SEE_SPONSORS, group=MONEY),
    Item(_l("Sponsors"), "sponsors.listing", "sponsor", May.SEE_SPONSORS, group=MONEY),
    Item(_l("Waits for approval"), "ledger.decisions", "agreed", May.RECORD_MONEY, group=MONEY, waiting=money_waiting),
    Item(_l("Account book of the fund"), "ledger.book", "coins", May.SEE_SPONSORS, group=MONEY),
    Item(_l("Reports of money"), "money_reports.show", "chart", May.SEE_SPONSORS, group=MONEY),
    Item(_l("Load a list"), "imports.listing", "upload", May.IMPORT_PEOPLE, group=REGISTER),
    Item(_l("May be one person"), "merging.queue", "people", May.SEE_ALIKE, group=REGISTER, waiting=pairs_waiting),
    Item(
        _l("Poor households"),
        "households.review",
        "home",
        May.SEE_DASHBOARD,
        group=REGISTER,
        covers=("households.renew", "households.undo"),
    ),
    Item(_l("Referrals to the insurance office"), "referrals.listing", "office", May.SEE_DASHBOARD, group=REGISTER),
    Item(_l("Collection network"), "points.listing", "place", May.SEE_REPORTS, group=REGISTER),
    Item(_l("Targets"), "targets.listing", "target", May.SEE_TARGETS, group=SET_UP),
    Item(_l("Wards and communes"), "reorganisations.listing", "map", May.SEE_DASHBOARD, group=SET_UP),
    Item(_l("The law"), "premiums.law", "law", May.SEE_DASHBOARD, group=SET_UP),
    Item(_l("Who signs in"), "accounts.listing", "lock", May.MANAGE_ACCOUNTS, group=SET_UP),
    Item(_l("Program's time"), "timekeeping.show_clock", "clock", May.MOVE_CLOCK, group=SET_UP),
)
"""Those who see the whole: what they look at every day, then what belongs together; a long menu folds its groups."""


TREASURY: tuple[Item, ...] = (
    *(replace(item, group="") for item in OFFICE if item.group is MONEY),
    *(item for item in OFFICE if item.group is not MONEY),
)
"""Treasurers: the money is what they look at every day, the whole fund first."""


def menu_of(who: Actor) -> tuple[Item, ...]:
    """The menu of somebody's kind of work, before their permissions are asked."""
    if who.may(May.SEE_DASHBOARD):
        return TREASURY if who.may(May.RECORD_MONEY) and not who.may(May.LOG_VISITS) else OFFICE
    if who.may(May.SEE_OWN_GIVING):
        return GIVER
    return AGENT if who.may(May.TAKE_PREMIUMS) else FIELD
