"""Getting an installation ready, and loading the demo town into an empty one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from random import Random
from typing import Any
from uuid import UUID

from flask import current_app
from flask_babel import lazy_gettext as _l
from flask_migrate import upgrade
from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from config import Settings
from crm import stored, stored_clock
from crm.accounts import gateway
from crm.accounts.models import Organisation, User
from crm.accounts.queries import Scope
from crm.accounts.rules import Reach
from crm.app import create_app
from crm.clock import at, now
from crm.db import plain_engine, transaction
from crm.demo.amending import Amending
from crm.demo.approving import let_something_wait
from crm.demo.collecting import Network
from crm.demo.duties import Duties
from crm.demo.events import Events
from crm.demo.loading import Loader
from crm.demo.numbering import Numbering
from crm.demo.papers import Papers
from crm.demo.proposing import propose
from crm.demo.reporting import Reporting
from crm.demo.statement import load_statement
from crm.demo.team import PASSWORD, UNIONS, Team, gather, lines_of
from crm.demo.town import BASELINE, PLAN_DAY, TARGET
from crm.demo.writing import Writing
from crm.errors import RuleBroken
from crm.participation.rules import Span
from crm.places.models import Town
from crm.places.queries import the_town
from crm.prospects.merging.services import reviewing
from crm.prospects.models import Prospect
from crm.reports.figures.queries import figures
from crm.sponsors.cliff.services import tell
from crm.sponsors.giving.showing import links
from crm.sponsors.rules import FundAccount
from crm.sponsors.services import set_fund_account
from crm.targets.models import Target
from crm.targets.queries import town_target
from crm.targets.rules import Indicator
from crm.targets.sharing.rules import rounded

PROSPECTS, SEED = 6000, 2019
MOST = 1_000_000
LOOKED_THROUGH = 20_000
"""Up to so many prospects one sees at once who is here twice; a larger town is looked through in the night."""
AUTHORITY, DOCUMENT = "UBND thị xã Bỉm Sơn", "Văn bản giao chỉ tiêu (minh họa)"
FUND = FundAccount("970405", "3500201001234", "QUY VI NGUOI NGHEO BIM SON", "+842373824999")
"""Invented, with a real bank's number, so that sponsors of the demo see a code."""

AGENTS_OF = "BHXH"
"""Whose the collection agents are: they keep those they have."""
SETTING = "demo"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How large a town, drawn from which seed, on which day."""

    prospects: int = PROSPECTS
    seed: int = SEED
    as_of: date = PLAN_DAY


def prepare(settings: Settings, *, with_demo: bool) -> list[str]:
    """Bring the schema to head, and load the demo when asked and nobody is here; answers the lines to print once
    everything is up. Raises RuleBroken for a demo in production."""
    app = create_app(settings)
    with app.app_context():
        if with_demo:
            refuse_in_production()
        upgrade()
        with transaction() as current:
            empty = with_demo and not in_use(current)
            if empty:
                load(current, Wanted(), moved_to=at(PLAN_DAY, 9))
            stored_clock.follow_environment(current, settings.clock)
            lines = account_lines(current) if with_demo else []
        if empty:
            analyze()
        return lines


def refuse_in_production() -> None:
    """Raises RuleBroken where invented people have no place."""
    if current_app.config["SETTINGS"].production:
        raise RuleBroken(_l("This is a production installation: the demo town is not loaded into it."))


def in_use(session: Session) -> bool:
    """Whether somebody works with this installation already."""
    return bool(session.scalar(select(exists().where(Prospect.id.is_not(None))))) or bool(
        session.scalar(select(exists().where(User.id.is_not(None))))
    )


def load(session: Session, wanted: Wanted, *, moved_to: datetime | None) -> None:
    """Load the town and let the program's time run on from `moved_to` (None: the right time).

    Raises RuleBroken in production, where people are already, and for a day the demo does not know.
    """
    refuse_in_production()
    if in_use(session):
        raise RuleBroken(_l("People are registered here already: load the demo into a new, empty data directory."))
    town = the_town(session)
    random = Random(wanted.seed)  # noqa: S311  (a demo, not a secret)
    number = Numbering(random, at(wanted.as_of.replace(month=1, day=1)))
    team = gathered(session, town, wanted.as_of, random, number)
    Loader(session, team, random, number, wanted.as_of).load(wanted.prospects)
    if wanted.prospects <= LOOKED_THROUGH:
        propose(session, team, wanted.as_of)
    Papers(session, team, number, wanted.as_of).write()
    set_targets(session, team, wanted.as_of)
    Duties(session, team, wanted.as_of).write()
    Events(session, team, number, wanted.as_of, Random(wanted.seed)).write()  # noqa: S311
    Network(session, team, number, wanted.as_of, Random(wanted.seed)).write()  # noqa: S311
    Amending(session, team, number, wanted.as_of).write()
    Reporting(session, team, wanted.as_of, Random(wanted.seed)).write()  # noqa: S311
    set_fund_account(session, FUND)
    load_statement(session, town.id, FUND, wanted.as_of, Random(wanted.seed), team.treasurer_id)  # noqa: S311
    let_something_wait(session, team, wanted.as_of)
    if wanted.prospects <= LOOKED_THROUGH:
        Writing(session, team, wanted.as_of, Random(wanted.seed)).write()  # noqa: S311
    tell(session, town.id, links=links(), today=wanted.as_of, at=at(wanted.as_of, 4))
    accounts = [{"identity": one.identity, "role": one.role.value, "name": one.name} for one in team.accounts]
    stored.write(session, SETTING, {"accounts": accounts, "password": PASSWORD})
    stored_clock.start_at(session, moved_to)
    if wanted.prospects <= LOOKED_THROUGH:
        reviewing.look_through(session, town.id, at=moved_to or now())


def gathered(session: Session, town: Town, as_of: date, random: Random, number: Numbering) -> Team:
    """The volunteers and accounts of the town, all with the demo's password (hashed once: that is slow on purpose)."""
    hashed = gateway.normal_hash(PASSWORD)
    since = at(as_of.replace(month=1, day=2), 8)
    return gather(session, town, on=as_of, password_hash=hashed, random=random, number=number, at=since)


def set_targets(session: Session, team: Team, as_of: date) -> None:
    """The plan's number shared out among the units, and among the organisations; in another year than the plan's, the town's as well."""
    rows: list[dict[str, Any]] = [
        {"place_id": unit.id, "people": unit.share.target, "baseline": unit.share.baseline} for unit in team.units
    ]
    if town_target(session, team.town_id, as_of.year) is None:
        rows.append({"people": TARGET, "baseline": BASELINE})
    rows += _of_organisations(session, team, as_of)
    for row in rows:
        session.add(
            Target(
                town_id=team.town_id,
                year=as_of.year,
                indicator=Indicator.VOLUNTARY,
                authority=AUTHORITY,
                document=DOCUMENT,
                recorded_at=at(as_of.replace(month=1, day=15), 9),
                recorded_by_id=team.manager_id,
                **row,
            )
        )
    session.flush()


def _of_organisations(session: Session, team: Team, as_of: date) -> list[dict[str, Any]]:
    """What each organisation has brought, and of what is missing to the plan's number a share by its volunteers."""
    scope = Scope(team.town_id, team.manager_id, Reach.ALL, organisation_id=None, place_ids=None)
    moved = figures(session, scope, Span.year_to(as_of)).by_organisation
    known = select(Organisation.code, Organisation.id).where(Organisation.town_id == team.town_id)
    ids: dict[str, UUID] = {row[0]: row[1] for row in session.execute(known)}
    brought = {code: moved[ids[code]].now if ids[code] in moved else 0 for code in (*UNIONS, AGENTS_OF)}
    missing = max(TARGET - sum(one.now for one in moved.values()), 0)
    shares = rounded(missing, [Fraction(many) for many in UNIONS.values()])
    more = dict(zip(UNIONS, shares, strict=True))
    return [{"organisation_id": ids[code], "people": now + more.get(code, 0)} for code, now in brought.items()]


def account_lines(session: Session) -> list[str]:
    """What to print of the demo's accounts; nothing where no demo was loaded."""
    demo = stored.read(session, SETTING)
    return lines_of(demo["accounts"], demo["password"]) if isinstance(demo, dict) else []


def analyze() -> None:
    """Let the database count what it holds, so that the first pages are quick. Only the owner may."""
    owner = plain_engine(current_app.config["MIGRATE_DATABASE_URL"])
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum (analyze)"))
